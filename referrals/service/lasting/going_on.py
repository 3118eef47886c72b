"""A yes that runs out while somebody helps: the person is asked whether it goes on, in exact words.

Else help of more than its months would stop on a day that nobody remembers. Without an answer it ends on that
day as it always did (`ending.py`); as long as the desk has not moved the matter, the answer may come later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from referrals import consent as consents
from referrals import routing
from referrals.access import Action
from referrals.catalogue import Handling
from referrals.errors import BadAnswer, WrongStage
from referrals.lifecycle import ENDED, HELD
from referrals.model import SYSTEM, AuditEntry, Consent, Offer, OfferStage, Referral, Stage
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors, names, tell
from referrals.service.joint import transfers
from referrals.service.lasting import ending
from referrals.service.matter import matching, sharing
from referrals.service.request import behalf, filing, plan_choices, plans

SOON, DAY = filing.SOON, timedelta(days=1)
BEFORE = filing.ASK_BEFORE  # so long before its day the person is asked
WITH_PARTNER = (*HELD, Stage.DISPUTED)  # of what is reported it is asked how it was, not whether it goes on


def remind(tx: Tx, consent_id: str) -> None:
    """Timer: the yes ends in two weeks, and somebody helps. Whoever gave it is asked once.

    Where nobody helps yet, or is just about to hand over, it is looked at again each day until the last.
    """
    given = tx.get(Consent, consent_id)
    if given is None or given.withdrawn_at is not None:
        return
    referral = doors.referral_by_id(tx, given.referral_id)
    if given == asked(tx, referral):
        tell.tell_author(tx, referral, "matter.goes_on_asked", {"by": tell.iso(given.until)})
    elif referral.stage not in ENDED and tx.now + DAY < given.until:
        tx.set_timer(SOON, given.id, tx.now + DAY)


def asked(tx: Tx, referral: Referral) -> Consent | None:
    """The yes that is about to end, or has just ended, while its partner is there; None where none is."""
    if referral.stage not in WITH_PARTNER or referral.parent_id or referral.next_offer_id:
        return None
    given = plan_choices.latest(tx, referral)
    if given is None or given.withdrawn_at is not None or given.until - BEFORE > tx.now:
        return None
    if matching.pathway_of(tx, referral).handling is not Handling.OFFER or transfers.standing(tx, referral):
        return None
    return given if _may_help(tx, referral) else None


def words(tx: Tx, referral: Referral, language: str) -> str:
    """The exact words of the new yes: who helps now, who might be asked after them, and what is shared."""
    organization = tx.directory.organizations[referral.organization_id or ""]
    who = {"partner": names.named(organization.names, language)}
    text = plans.consent_text(tx, referral, _plan(tx, referral), language, behalf.standing(referral))
    return f"{tx.catalogue.words('consent.goes_on', language, **who)}\n\n{text}"


def agree(
    tx: Tx, person_id: str, referral_id: str, digest: str, ticked: Iterable[str] = ()
) -> tuple[Referral, str]:
    """'It goes on': a new yes in the place of the one that ends; by word with a code, returned this once.

    PlanChanged where the words are others now; BadAnswer unless all is ticked that `word_consent.ticks`
    says; WrongStage where nothing is asked. Pressed twice: no code.
    """
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_FILE)
    before = asked(tx, referral)
    if before is None:
        if doors.consent_in_force(tx, referral) is not None and referral.stage in WITH_PARTNER:
            return referral, ""
        raise WrongStage
    if not set(word_consent.ticks(referral)) <= set(ticked):
        raise BadAnswer
    if referral.by_word:
        word_consent.may_hear(tx, person_id, referral.organization_id)
    language = referral.language if referral.by_word else doors.person_by_id(tx, person_id).language
    text = words(tx, referral, language)
    if consents.digest(text) != digest:
        raise filing.PlanChanged
    wishes = plans.Wishes(referral.area, referral.urgency, matching.wishes_of(tx, SYSTEM, before))
    witness = person_id if referral.by_word else None
    yes = filing.Yes(wishes, _plan(tx, referral), text, language, witness, before.assent)
    given = filing.renew(tx, actor, referral, yes)
    after = tx.save(behalf.applied(referral, behalf.standing(referral), tx.now))  # as long as the words say
    behalf.watch(tx, after, given)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{after.id}", "goes on"))
    sharing.settle(tx, after)
    ending.review_matter(tx, after)  # whom its end had cut off works on
    code = word_consent.heard_more(tx, after, given) if after.by_word else ""
    said = {"code": after.code, "by": tell.iso(given.until)}
    tell.answer(tx, person_id, "matter.yes_again", said, slot=f"matter:{after.id}")
    return doors.referral_by_id(tx, after.id), code


def _may_help(tx: Tx, referral: Referral) -> bool:
    """Whether, but for the yes, its partner may work on with it."""
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    organization = tx.directory.organizations.get(referral.organization_id or "")
    if (
        offer is None
        or offer.stage is not OfferStage.ACCEPTED
        or organization is None
        or organization.suspended
    ):
        return False
    pathway, day = matching.pathway_of(tx, referral), consents.day_of(organization, tx.now)
    agreement = consents.agreement_for(tx.directory, organization.id, pathway.id, day, pathway.purposes)
    return agreement is not None and set(pathway.needs_classes) <= set(agreement.classes)


def _plan(tx: Tx, referral: Referral) -> routing.Plan:
    """Whoever helps now first; then those of the plan who were not asked yet."""
    offer = tx.get(Offer, referral.offer_id or "")
    assert offer is not None  # `asked` has seen it
    services, first = tx.directory.services, routing.Line(offer.service_id, offer.organization_id, ())
    later = (s for s in referral.plan[referral.position :] if s in services and s != offer.service_id)
    own = set(word_consent.works_at(tx, referral.author_id)) if referral.by_word else set()
    lines = (routing.Line(s, services[s].organization_id, ()) for s in later)
    return routing.Plan((first, *(line for line in lines if line.organization_id not in own)))
