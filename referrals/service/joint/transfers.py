"""A matter is handed warmly to another organisation: the person is asked, and the first partner goes on.

The yes is a new one, in words of its own, since the plan changes. Then the other partner gets an ordinary
offer beside the matter's stage (`Referral.next_offer_id`). When it accepts, the first one's access ends in
that turn (`offers.accept`); when it does not, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from referrals import consent as consents
from referrals import routing
from referrals.access import Action
from referrals.casework import Transfer
from referrals.errors import BadAnswer, NoConsent, TurnOver, WrongStage
from referrals.lifecycle import HELD, LIVE_OFFERS, OFFER_DELAY_S
from referrals.limits import Doing
from referrals.model import SYSTEM, Actor, AuditEntry, Consent, Offer, Referral, Urgency
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors, limits, names, tell
from referrals.service.matter import matching, offering, sharing
from referrals.service.request import behalf, filing, plans

LASTS = timedelta(days=7)  # the person's time to answer
ANSWERED_S = (3600.0, 5 * 86400.0)  # when people usually have answered, in seconds
OVER, SEND = "transfer_over", "transfer_send"


def candidates(tx: Tx, referral: Referral) -> tuple[routing.Line, ...]:
    """Who could take a matter over now, the best first: by the person's wishes, and nobody who was in it."""
    if referral.stage not in HELD or not sharing.readable(tx, referral):
        return ()
    wishes = plans.Wishes(
        referral.area, referral.urgency, _wishes(tx, referral), behalf=behalf.standing(referral)
    )
    return plans.make(tx, referral, wishes).lines


def offered(tx: Tx, referral: Referral) -> tuple[routing.Line, ...]:
    """The same as the partner sees it: a private wish leaves nobody out, or the gap would tell it."""
    if referral.stage not in HELD or not sharing.readable(tx, referral):
        return ()
    here = routing.Exclusions(organizations=frozenset({referral.organization_id or ""}))
    wishes = plans.Wishes(referral.area, referral.urgency, here, behalf=behalf.standing(referral))
    return plans.make(tx, referral, wishes).lines


def unwanted(tx: Tx, referral: Referral, service_id: str) -> bool:
    """Whether the person has said that these are not to be asked: then nobody asks them whether."""
    service = tx.directory.services.get(service_id)
    if service is None:
        return False
    wishes = matching.exclusions_of(tx, referral)
    return wishes.hit(tx.directory.organizations[service.organization_id]) or wishes.misses(service)


def propose(tx: Tx, person_id: str, offer_id: str, service_id: str) -> Transfer:
    """The partner who helps would hand it to another one; the person is asked. Pressed twice: one.

    Where the person wished not to have that one, they are not bothered, and some time later the partner hears
    what it hears after every no. TooOften for a matter of which another one was named again and again today.
    """
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_ONWARD)
    if referral.stage not in HELD or on_its_way(tx, referral):
        raise WrongStage
    if not sharing.readable(tx, referral):
        raise NoConsent
    earlier = standing(tx, referral)
    if earlier is not None and earlier.service_id == service_id:
        return earlier
    if service_id not in {line.service_id for line in offered(tx, referral)}:
        raise BadAnswer
    limits.take(tx, Doing.HANDING, referral.id)
    if earlier is not None:
        _forget(tx, earlier)
    asked = Transfer(tx.new_id(), referral.id, offer.id, service_id, person_id, tx.now)
    tx.add(asked)
    tx.audit(AuditEntry(actor, Action.SERVICE_ONWARD, f"referral:{referral.id}", "transfer"))
    if unwanted(tx, referral, service_id):
        tx.set_timer(OVER, asked.id, tx.now + timedelta(seconds=tx.draw(*ANSWERED_S)))
        return asked
    tx.set_timer(OVER, asked.id, tx.now + LASTS)
    tell.tell_author(tx, referral, "matter.transfer_asked")
    return asked


def standing(tx: Tx, referral: Referral) -> Transfer | None:
    """What the person is asked now, or has said yes to and is about to begin."""
    found = tx.find(Transfer, referral_id=referral.id) if referral.stage in HELD else []
    return next((t for t in found if t.offer_id == referral.offer_id), None)


def asks_person(tx: Tx, referral: Referral) -> bool:
    """Whether the person is asked now: not about whom they do not want, and no more after their yes."""
    asked = standing(tx, referral)
    return asked is not None and asked.agreed_at is None and not unwanted(tx, referral, asked.service_id)


def on_its_way(tx: Tx, referral: Referral) -> bool:
    """Whether the other partner has been asked and has yet to answer."""
    offer = tx.get(Offer, referral.next_offer_id) if referral.next_offer_id else None
    return offer is not None and offer.stage in LIVE_OFFERS


def words(tx: Tx, referral: Referral, service_id: str, language: str) -> str:
    """The exact words of the new yes: who takes over, who goes on until then, and what is shared."""
    first, other = (
        names.named(tx.directory.organizations[o].names, language)
        for o in (referral.organization_id or "", tx.directory.services[service_id].organization_id)
    )
    preface = tx.catalogue.words("consent.transfer", language, first=first, other=other)
    plan = routing.Plan(tuple(_line(tx, s) for s in (service_id, *_rest(tx, referral, service_id))))
    text = plans.consent_text(tx, referral, plan, language, behalf.standing(referral))
    return f"{preface}\n\n{text}"


def agree(
    tx: Tx, person_id: str, referral_id: str, digest: str, ticked: Iterable[str] = ()
) -> tuple[Referral, str]:
    """The person's yes to those words; by word with the code that takes it back, returned this once.

    PlanChanged where the words are others now; TurnOver when it is over; BadAnswer unless all is ticked that
    `word_consent.ticks` says. Pressed twice: no code.
    """
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_FILE)
    asked = standing(tx, referral)
    if on_its_way(tx, referral) or (asked is not None and asked.agreed_at is not None):
        return referral, ""
    if asked is None:
        raise TurnOver
    if not set(word_consent.ticks(referral)) <= set(ticked):
        raise BadAnswer
    _neutral(tx, person_id, referral, asked)
    if asked.service_id not in {line.service_id for line in candidates(tx, referral)}:
        return _falls_through(tx, referral, asked), ""
    language = referral.language if referral.by_word else doors.person_by_id(tx, person_id).language
    text = words(tx, referral, asked.service_id, language)
    if consents.digest(text) != digest:
        raise filing.PlanChanged
    after, given = _agreed(tx, actor, referral, asked, text, language)
    code = word_consent.heard_more(tx, after, given) if after.by_word else ""
    tell.answer(tx, person_id, "matter.transfer_yes", {"code": after.code}, slot=f"matter:{after.id}")
    tell.tell_partner(tx, after, "worker.transfer_yes", slot=":transfer")
    return after, code


def refuse(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """The person's no, before or after a yes, until the other one has taken over: nothing changes."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_FILE)
    asked = standing(tx, referral)
    if asked is None:
        raise TurnOver
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{referral.id}", "no transfer"))
    return _falls_through(tx, referral, asked)


def send(tx: Tx, transfer_id: str) -> None:
    """Timer: the other partner is asked, if it still may be, after the pause of every normal matter."""
    asked = tx.get(Transfer, transfer_id)
    referral = doors.referral_by_id(tx, asked.referral_id) if asked is not None else None
    if asked is None or referral is None:
        return
    if standing(tx, referral) != asked or asked.agreed_at is None:
        _forget(tx, asked)
        return
    fits = asked.service_id in {line.service_id for line in candidates(tx, referral)}
    offer = offering.offer_beside(tx, referral, asked.service_id) if fits else None
    if offer is None:
        _falls_through(tx, referral, asked)
        return
    _forget(tx, asked)
    tx.save(replace(referral, next_offer_id=offer.id, position=referral.position + 1))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "transfer"))


def over(tx: Tx, transfer_id: str) -> None:
    """Timer: a week without an answer. The partner who helps goes on."""
    asked = tx.get(Transfer, transfer_id)
    if asked is None:
        return
    referral = doors.referral_by_id(tx, asked.referral_id)
    if standing(tx, referral) == asked:
        _falls_through(tx, referral, asked)
    else:
        _forget(tx, asked)


def drop(tx: Tx, referral: Referral) -> None:
    """Whoever asked may not work on, and the desk moves the matter: 'it stays as it is' would be untrue."""
    asked = standing(tx, referral)
    if asked is not None:
        _forget(tx, asked)


def review(tx: Tx, service_ids: Iterable[str]) -> None:
    """These may not be asked any more (gone, suspended, no agreement): whoever was to say yes need not.

    Once they have an offer it is taken back like every other one (`ending.py`).
    """
    for asked in tx.find(Transfer, service_id=sorted(service_ids)):
        referral = doors.referral_by_id(tx, asked.referral_id)
        if standing(tx, referral) == asked and not matching.may_ask(tx, referral, asked.service_id):
            _falls_through(tx, referral, asked)


def _agreed(
    tx: Tx, actor: Actor, referral: Referral, asked: Transfer, text: str, language: str
) -> tuple[Referral, Consent]:
    """The new yes names the other one first, whoever helps now, and who might have been asked after them."""
    rest = _rest(tx, referral, asked.service_id)
    holder = tx.get(Offer, asked.offer_id)
    # Whoever helps now goes on until then, even where the network's file names their service no more.
    now = [routing.Line(holder.service_id, holder.organization_id, ())] if holder else []
    before = doors.consent_in_force(tx, referral)
    wishes = plans.Wishes(referral.area, referral.urgency, _wishes(tx, referral, holder_too=False))
    witness = actor.person_id if referral.by_word else None
    plan = routing.Plan((_line(tx, asked.service_id), *now, *(_line(tx, s) for s in rest)))
    yes = filing.Yes(wishes, plan, text, language, witness, before.assent if before else "")
    given = filing.renew(tx, actor, referral, yes)
    done = [s for s in referral.plan[: referral.position] if s != asked.service_id]
    order = (*done, asked.service_id, *rest)
    agreed = behalf.applied(referral, behalf.standing(referral), tx.now)  # as long as the words say
    after = tx.save(replace(agreed, plan=order, position=len(done)))
    behalf.watch(tx, after, given)
    tx.save(replace(asked, agreed_at=tx.now))
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{after.id}", "transfer"))
    sharing.settle(tx, after)
    pause = tx.draw(*OFFER_DELAY_S) if after.urgency is Urgency.NORMAL else 0
    tx.set_timer(SEND, asked.id, tx.now + timedelta(seconds=pause))
    return after, given


def _falls_through(tx: Tx, referral: Referral, asked: Transfer) -> Referral:
    """It comes to nothing: both hear that the partner who helps goes on, if both had heard of it."""
    _forget(tx, asked)
    never_asked = asked.agreed_at is None and unwanted(tx, referral, asked.service_id)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "stays"))
    tell.tell_partner(tx, referral, "worker.stays", slot=":transfer")
    if not never_asked:
        tell.tell_author(tx, referral, "matter.stays")
    return referral


def _forget(tx: Tx, asked: Transfer) -> None:
    tx.clear_timers(asked.id)
    tx.remove(asked)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"transfer:{asked.id}", "over"))


def _neutral(tx: Tx, person_id: str, referral: Referral, asked: Transfer) -> None:
    """At neither of the two partners has whoever hears the yes a post."""
    if referral.by_word:
        other = tx.directory.services.get(asked.service_id)
        theirs = other.organization_id if other is not None else None
        word_consent.may_hear(tx, person_id, referral.organization_id, theirs)


def _wishes(tx: Tx, referral: Referral, *, holder_too: bool = True) -> routing.Exclusions:
    """The person's private wishes, and that it is somebody else than who helps now."""
    wishes = matching.exclusions_of(tx, referral)
    if not holder_too or referral.organization_id is None:
        return wishes
    return replace(wishes, organizations=wishes.organizations | {referral.organization_id})


def _rest(tx: Tx, referral: Referral, service_id: str) -> tuple[str, ...]:
    """Who might be asked afterwards, as the person has agreed to before; nobody where the witness works."""
    own = set(word_consent.works_at(tx, referral.author_id)) if referral.by_word else set()
    later = (s for s in referral.plan[referral.position :] if s != service_id)
    known = tx.directory.services
    return tuple(s for s in later if s in known and known[s].organization_id not in own)


def _line(tx: Tx, service_id: str) -> routing.Line:
    return routing.Line(service_id, tx.directory.services[service_id].organization_id, ())
