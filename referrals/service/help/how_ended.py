"""How a matter ended, said in the chat with three taps, and taken back within a minute.

Nobody hears of it in that minute: what was said waits as a timer and becomes the report when it is due, by
the same verb and with the same guards as on the page. A second answer takes the place of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from referrals.access import Action
from referrals.errors import BadAnswer, PulangError
from referrals.lifecycle import Step, move
from referrals.model import Offer, Outcome, Referral, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.common import doors, tell
from referrals.service.help import working
from referrals.service.matter import matching

TIMER = "report_said"
UNDO = timedelta(seconds=60)
_APART = "|"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked next about one matter: outcomes first; reasons where nobody could help."""

    offer: Offer
    choices: tuple[str, ...]


def ask(tx: Tx, person_id: str, offer_id: str) -> Asked:
    """'How did it end?' WrongStage before help is under way, and once it was said."""
    offer, _ = _reportable(tx, person_id, offer_id)
    return Asked(offer, tuple(Outcome))


def why(tx: Tx, person_id: str, offer_id: str) -> Asked:
    """'What was in the way?': the pathway's reasons."""
    offer, referral = _reportable(tx, person_id, offer_id)
    return Asked(offer, matching.pathway_of(tx, referral).unmet_reasons)


def report(tx: Tx, person_id: str, offer_id: str, outcome: str, reason: str = "") -> Offer:
    """It is said, and counts in a minute. BadAnswer for no outcome, or for 'unmet' without a reason."""
    offer, referral = _reportable(tx, person_id, offer_id)
    reasons = matching.pathway_of(tx, referral).unmet_reasons
    if outcome not in list(Outcome) or (reason and reason not in reasons):
        raise BadAnswer
    if (outcome == Outcome.UNMET) is not bool(reason):
        raise BadAnswer
    _forget(tx, offer, referral)
    tx.set_timer(TIMER, _subject(offer, person_id, outcome, reason), tx.now + UNDO)
    return offer


def undo(tx: Tx, person_id: str, offer_id: str) -> Offer:
    """Taken back, and nobody was told; WrongStage once it has been told. Pressed twice it is undone once."""
    offer, referral = _reportable(tx, person_id, offer_id)
    _forget(tx, offer, referral)
    return offer


def due(tx: Tx, subject: str) -> None:
    """Timer: the minute is over. What changed meanwhile (withdrawn, handed back) makes it nobody's."""
    offer_id, person_id, outcome, reason = subject.split(_APART)
    try:
        working.report(tx, person_id, offer_id, outcome, reason)
    except PulangError:
        return
    tell.quietly(tx, person_id, tell.offer_slot(offer_id), "worker.ended_told", _code(tx, offer_id))


def _forget(tx: Tx, offer: Offer, referral: Referral) -> None:
    """Whoever of the organisation has said whatever about it within this minute: it is not said."""
    seats = tx.find(Seat, organization_id=offer.organization_id, role=Role.WORKER)
    ends = [(end, "") for end in (Outcome.MET, Outcome.PARTLY_MET)]
    ends += [(Outcome.UNMET, reason) for reason in matching.pathway_of(tx, referral).unmet_reasons]
    said = [_subject(offer, seat.person_id, *end) for seat in seats if seat.person_id for end in ends]
    for timer in tx.find(Timer, subject=said):
        tx.clear_timer(timer.kind, timer.subject)


def _subject(offer: Offer, person_id: str, outcome: str, reason: str) -> str:
    return _APART.join((offer.id, person_id, outcome, reason))


def _reportable(tx: Tx, person_id: str, offer_id: str) -> tuple[Offer, Referral]:
    _, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_REPORT)
    move(referral, Step.REPORT, tx.now)  # WrongStage where it cannot be said now
    return offer, referral


def _code(tx: Tx, offer_id: str) -> dict[str, str]:
    offer = tx.get(Offer, offer_id)
    return {"code": offer.code if offer else ""}
