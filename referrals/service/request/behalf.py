"""For somebody who cannot decide: who agreed, why, until when. Their own no always wins, and goes on to hold.

The desk looks at each before anybody is asked (an emergency goes on at once, and the desk hears of it). A
week before the day comes, whoever filed it is asked whether it still holds; else it ends on that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from referrals.access import Action, allow
from referrals.catalogue import Pathway
from referrals.consent import OWN_NO
from referrals.errors import BadAnswer, Refused, WrongStage
from referrals.lifecycle import ENDED
from referrals.members import Enrolment
from referrals.model import SYSTEM, Actor, AuditEntry, Consent, Referral, Stage, Urgency
from referrals.ports import Tx
from referrals.service.common import doors, names, tell
from referrals.service.turns import closing

AGREED_BY = ("guardian", "relative", "doctor", "social_worker")
SPANS: Mapping[str, int] = {"days_30": 30, "days_60": 60, "days_90": 90}
ASK_BEFORE = timedelta(days=7)
ASK, END = "behalf_ask", "behalf_end"  # timers of the consent that was given


class OwnNo(Refused):
    """Whom it is for has said no to this need: nobody says yes for them, only they themselves."""

    code = "error.own_no"


@dataclass(frozen=True, slots=True)
class Behalf:
    """Three codes: why (the pathway's), who agreed, and for how long; all '' where the person decides."""

    reason: str = ""
    agreed: str = ""
    span: str = ""

    def __bool__(self) -> bool:
        return bool(self.reason)


DECIDES = Behalf()  # the person decides


def standing(referral: Referral) -> Behalf:
    """What was said before, for the shortest time: it is asked anew."""
    return Behalf(referral.behalf, referral.behalf_agreed, next(iter(SPANS))) if referral.behalf else DECIDES


def check(pathway: Pathway, said: Behalf) -> None:
    """BadAnswer unless it is nothing at all, or all of it and this pathway may be filed so."""
    if not any((said.reason, said.agreed, said.span)):
        return
    if said.reason not in pathway.behalf or said.agreed not in AGREED_BY or said.span not in SPANS:
        raise BadAnswer


def applied(referral: Referral, said: Behalf, now: datetime) -> Referral:
    """The matter as it is filed: a new yes of the person's own ends what was said for them."""
    if not said:
        return replace(referral, behalf="", behalf_agreed="", behalf_until=None)
    until = now + timedelta(days=SPANS[said.span])
    return replace(referral, behalf=said.reason, behalf_agreed=said.agreed, behalf_until=until)


def words(tx: Tx, said: Behalf, language: str) -> str:
    """The sentence that belongs to the words of the consent; '' where the person decides."""
    if not said:
        return ""
    until = (tx.now + timedelta(days=SPANS[said.span])).date()
    return "\n\n" + tx.catalogue.words(
        "consent.behalf",
        language,
        reason=tx.catalogue.words(f"behalf.{said.reason}", language),
        agreed=tx.catalogue.words(f"agreed.{said.agreed}", language),
        until=names.day_in_words(tx.catalogue, until, language),
    )


def watch(tx: Tx, referral: Referral, given: Consent) -> None:
    """Set the timers of a yes that was given for somebody."""
    if referral.behalf_until is not None:
        tx.set_timer(ASK, given.id, referral.behalf_until - ASK_BEFORE)
        tx.set_timer(END, given.id, referral.behalf_until)


def desk_looks(before: Referral, filed: Referral) -> bool:
    """Whether the desk looks before anybody is asked: at every one but an emergency."""
    waits = before.stage is Stage.DRAFT or not (before.hops or before.position)
    return bool(filed.behalf) and filed.urgency is not Urgency.EMERGENCY and waits


def ask_again(tx: Tx, consent_id: str) -> None:
    """Timer: in a week it ends; does it still hold?"""
    given, referral = _standing(tx, consent_id)
    if given is not None and referral is not None and referral.behalf_until is not None:
        tell.tell_author(tx, referral, "matter.behalf_ask", {"by": tell.iso(referral.behalf_until)})


def over(tx: Tx, consent_id: str) -> None:
    """Timer: nobody has said that it still holds. Every access ends, and whoever filed it is told."""
    given, referral = _standing(tx, consent_id)
    if given is None or referral is None or referral.behalf_until is None:
        return
    if referral.behalf_until > tx.now:
        watch(tx, referral, given)
        return
    after = closing.cut(tx, SYSTEM, referral, Action.ACCESS_CUT, "behalf over")
    tell.tell_author(tx, after, "matter.behalf_over", buttons=())


def renew(tx: Tx, person_id: str, referral_id: str, span: str) -> Referral:
    """'They still cannot decide': whoever filed it says so, for some days more, within the yes."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_FILE)
    given = doors.consent_in_force(tx, referral)
    if not referral.behalf or given is None:
        raise WrongStage
    if span not in SPANS:
        raise BadAnswer
    until = min(tx.now + timedelta(days=SPANS[span]), given.until)
    after = tx.save(replace(referral, behalf_until=until))
    watch(tx, after, given)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{referral.id}", f"behalf:{span}"))
    return after


def own_no(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """Whom it is about says no, to whoever filed it, the desk or their own phone: it wins over any yes."""
    referral = doors.referral_by_id(tx, referral_id)
    actor, referral = _hears(tx, person_id, referral)
    if referral.stage is Stage.WITHDRAWN:
        return referral
    if not referral.behalf or referral.stage in ENDED:
        raise WrongStage
    after = heard_no(tx, closing.cut(tx, actor, referral, Action.CONSENT_CUT, "own no"))
    tell.tell_author(tx, after, "matter.own_no", buttons=())
    return after


def heard_no(tx: Tx, ended: Referral) -> Referral:
    """What has ended just now, by the no of the person whom it is for."""
    return tx.save(replace(ended, why=OWN_NO)) if ended.stage is Stage.WITHDRAWN else ended


def no_stands(tx: Tx, referral: Referral) -> bool:
    """Whether they have said no to this need, whoever filed it, and not yes themselves since.

    As long as the matter that they said no to is kept. Of a member by their enrolment, whoever their mentor
    is; else by whoever asks, whose own yes or no to a need of their own is not that person's.
    """
    if referral.enrolment_id:
        found = tx.find(Referral, enrolment_id=referral.enrolment_id, category=referral.category)
    else:
        found = tx.find(Referral, author_id=referral.author_id, category=referral.category, enrolment_id=None)
    kept = [r for r in found if r.author_id]
    noes = [r.stage_since for r in kept if r.why == OWN_NO and (r.behalf or r.enrolment_id)]
    if not noes or not referral.enrolment_id:
        return bool(noes)
    own = tx.find(Consent, referral_id=[r.id for r in kept if not r.behalf])
    return not any(given.given_at > max(noes) for given in own)


def heed(tx: Tx, referral: Referral, said: Behalf) -> None:
    """Raise OwnNo where somebody would say yes to what the person whom it is for has said no to."""
    if said and no_stands(tx, referral):
        raise OwnNo


def for_them(tx: Tx, person_id: str, referral_id: str) -> Referral | None:
    """What a mentor has agreed to on behalf of the member whose own phone this is; None for all else."""
    referral = doors.referral_by_id(tx, referral_id)
    if not referral.behalf or not referral.by_word or not referral.author_id:
        return None
    enrolment = tx.get(Enrolment, referral.enrolment_id or "-")
    return referral if enrolment is not None and enrolment.person_id == person_id else None


def _hears(tx: Tx, person_id: str, referral: Referral) -> tuple[Actor, Referral]:
    if for_them(tx, person_id, referral.id) is not None:
        actor = doors.as_author(person_id)
        allow(actor, Action.CONSENT_CUT)
        return actor, referral
    if referral.author_id == person_id:
        return doors.author_of(tx, person_id, referral.id, Action.CONSENT_CUT)
    return doors.desk_referral(tx, person_id, referral.id, Action.CONSENT_CUT)


def _standing(tx: Tx, consent_id: str) -> tuple[Consent | None, Referral | None]:
    given = tx.get(Consent, consent_id)
    if given is None or given.withdrawn_at is not None:
        return None, None
    referral = doors.referral_by_id(tx, given.referral_id)
    return (given, referral) if referral.stage not in ENDED and referral.author_id else (None, None)
