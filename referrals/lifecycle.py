"""Every change of stage is in REFERRAL_STEPS or OFFER_STEPS and nowhere else.

The tables are domain.md's, 'A referral, and its offers'.

`docs/lifecycle.md` is drawn from these tables. Escalation is a flag and a timer, never a stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from referrals.errors import WrongStage
from referrals.model import Offer, OfferStage, Referral, Stage, Urgency


class By(StrEnum):
    """Who moves a referral along an edge: shown in the diagram; access.py decides who may."""

    AUTHOR = "author"
    PERSON = "person"
    SYSTEM = "system"
    PARTNER = "partner"
    DESK = "desk"
    TIMER = "timer"


class Step(StrEnum):
    FILE = "file"
    ASK_CONSENT = "ask_consent"
    CONSENT = "consent"
    OFFER = "offer"
    RUN_OUT = "run_out"
    HOLD = "hold"  # desk-first: the desk looks before anybody is asked
    SPLIT = "split"  # its parts go their own ways, each with its own partners
    COMPLETE = "complete"  # every part that had to be done has come to an end
    PASS_ON = "pass_on"  # declined, lapsed, recalled: the plan's next partner
    WAITLIST = "waitlist"
    ACCEPT = "accept"
    REMATCH = "rematch"
    GIVE_UP = "give_up"
    CONTACT = "contact"
    NOT_REACHED = "not_reached"
    RETURN = "return"
    TRANSFER = "transfer"  # another partner takes over from the one who helped until now
    REPORT = "report"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    RESUME = "resume"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    VOID = "void"


class OfferStep(StrEnum):
    SEE = "see"
    ACCEPT = "accept"
    DECLINE = "decline"
    WAITLIST = "waitlist"
    ASK = "ask"
    ANSWERED = "answered"
    LAPSE = "lapse"
    RECALL = "recall"


_S = Stage
_ANYTIME = {Step.WITHDRAW: Stage.WITHDRAWN, Step.VOID: Stage.VOID}

REFERRAL_STEPS: Mapping[Stage, Mapping[Step, Stage]] = {
    _S.DRAFT: {
        Step.ASK_CONSENT: _S.AWAITING_CONSENT,
        Step.FILE: _S.MATCHING,
        Step.EXPIRE: _S.EXPIRED,
        **_ANYTIME,
    },
    _S.AWAITING_CONSENT: {Step.CONSENT: _S.MATCHING, Step.EXPIRE: _S.EXPIRED, **_ANYTIME},
    _S.MATCHING: {
        Step.OFFER: _S.OFFERED,
        Step.RUN_OUT: _S.UNMATCHED,
        Step.HOLD: _S.UNMATCHED,
        Step.SPLIT: _S.IN_SERVICE,
        **_ANYTIME,
    },
    _S.OFFERED: {
        Step.ACCEPT: _S.ACCEPTED,
        Step.WAITLIST: _S.WAITLISTED,
        Step.PASS_ON: _S.MATCHING,
        Step.RUN_OUT: _S.UNMATCHED,
        **_ANYTIME,
    },
    _S.WAITLISTED: {Step.ACCEPT: _S.ACCEPTED, Step.PASS_ON: _S.MATCHING, **_ANYTIME},
    _S.UNMATCHED: {Step.REMATCH: _S.MATCHING, Step.GIVE_UP: _S.CLOSED, **_ANYTIME},
    _S.ACCEPTED: {
        Step.CONTACT: _S.IN_SERVICE,
        Step.NOT_REACHED: _S.UNREACHABLE,
        Step.RETURN: _S.MATCHING,
        Step.TRANSFER: _S.ACCEPTED,
        **_ANYTIME,
    },
    _S.UNREACHABLE: {
        Step.CONTACT: _S.IN_SERVICE,
        Step.REMATCH: _S.MATCHING,  # its partner may not work on: the desk has it
        Step.TRANSFER: _S.ACCEPTED,
        Step.GIVE_UP: _S.CLOSED,
        **_ANYTIME,
    },
    _S.IN_SERVICE: {
        Step.REPORT: _S.REPORTED,
        Step.COMPLETE: _S.REPORTED,
        Step.RETURN: _S.MATCHING,
        Step.TRANSFER: _S.ACCEPTED,
        **_ANYTIME,
    },
    _S.REPORTED: {Step.CONFIRM: _S.CLOSED, Step.DISPUTE: _S.DISPUTED, **_ANYTIME},
    _S.DISPUTED: {
        Step.RESUME: _S.IN_SERVICE,
        Step.REMATCH: _S.MATCHING,
        Step.GIVE_UP: _S.CLOSED,
        **_ANYTIME,
    },
    _S.CLOSED: {Step.REOPEN: _S.MATCHING},
    _S.WITHDRAWN: {},
    _S.EXPIRED: {},
    _S.VOID: {},
}

STEP_BY: Mapping[Step, By] = {
    Step.FILE: By.AUTHOR,
    Step.ASK_CONSENT: By.AUTHOR,
    Step.CONSENT: By.PERSON,
    Step.OFFER: By.SYSTEM,
    Step.RUN_OUT: By.SYSTEM,
    Step.HOLD: By.SYSTEM,
    Step.SPLIT: By.SYSTEM,
    Step.COMPLETE: By.SYSTEM,
    Step.PASS_ON: By.PARTNER,
    Step.WAITLIST: By.PERSON,  # the partner says that there is a queue, the person's yes puts them on it
    Step.ACCEPT: By.PARTNER,
    Step.REMATCH: By.DESK,
    Step.GIVE_UP: By.DESK,
    Step.CONTACT: By.PARTNER,
    Step.NOT_REACHED: By.PARTNER,
    Step.RETURN: By.PARTNER,
    Step.TRANSFER: By.PARTNER,
    Step.REPORT: By.PARTNER,
    Step.CONFIRM: By.PERSON,
    Step.DISPUTE: By.PERSON,
    Step.RESUME: By.DESK,
    Step.REOPEN: By.PERSON,
    Step.WITHDRAW: By.PERSON,
    Step.EXPIRE: By.TIMER,
    Step.VOID: By.DESK,
}

_O = OfferStage
OFFER_STEPS: Mapping[OfferStage, Mapping[OfferStep, OfferStage]] = {
    _O.SENT: {OfferStep.SEE: _O.SEEN, OfferStep.LAPSE: _O.LAPSED, OfferStep.RECALL: _O.RECALLED},
    _O.SEEN: {
        OfferStep.ACCEPT: _O.ACCEPTED,
        OfferStep.DECLINE: _O.DECLINED,
        OfferStep.WAITLIST: _O.WAITLISTED,
        OfferStep.ASK: _O.QUESTION,
        OfferStep.LAPSE: _O.LAPSED,
        OfferStep.RECALL: _O.RECALLED,
    },
    _O.QUESTION: {
        OfferStep.ANSWERED: _O.SEEN,
        OfferStep.ACCEPT: _O.ACCEPTED,
        OfferStep.DECLINE: _O.DECLINED,
        OfferStep.LAPSE: _O.LAPSED,
        OfferStep.RECALL: _O.RECALLED,
    },
    _O.WAITLISTED: {
        OfferStep.ACCEPT: _O.ACCEPTED,
        OfferStep.DECLINE: _O.DECLINED,
        OfferStep.LAPSE: _O.LAPSED,
        OfferStep.RECALL: _O.RECALLED,
    },
    # An accepted offer can still be taken back: the person withdraws, the partner returns it.
    _O.ACCEPTED: {OfferStep.RECALL: _O.RECALLED},
    _O.DECLINED: {},
    _O.LAPSED: {},
    _O.RECALLED: {},
}

LIVE_OFFERS = (OfferStage.SENT, OfferStage.SEEN, OfferStage.QUESTION, OfferStage.WAITLISTED)
ENDED = (Stage.CLOSED, Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)
OPEN = tuple(stage for stage in Stage if stage not in ENDED)
TRYING = (Stage.ACCEPTED, Stage.UNREACHABLE)  # a partner has it and has not spoken with the person yet
HELD = (*TRYING, Stage.IN_SERVICE)  # a partner has it and is to go on


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a stage may last before its timer fires; one value for each urgency."""

    emergency: timedelta
    urgent: timedelta
    normal: timedelta

    def of(self, urgency: Urgency) -> timedelta:
        return {Urgency.EMERGENCY: self.emergency, Urgency.URGENT: self.urgent}.get(urgency, self.normal)


def _always(wait: timedelta) -> Wait:
    return Wait(wait, wait, wait)


# The stages whose wait does not depend on a pathway. `offered`, `unmatched` and `accepted` take theirs from
# the pathway's deadlines, `matching` from OFFER_DELAY_S, a waiting list from `turns.REVIEW_EVERY`; ended
# stages wait for nothing but retention.
STAGE_WAITS: Mapping[Stage, Wait] = {
    Stage.DRAFT: _always(timedelta(days=7)),
    Stage.AWAITING_CONSENT: _always(timedelta(days=7)),
    Stage.UNREACHABLE: _always(timedelta(hours=72)),
    Stage.IN_SERVICE: _always(timedelta(days=30)),
    Stage.REPORTED: _always(timedelta(days=7)),
    Stage.DISPUTED: _always(timedelta(days=3)),
}

# Normal offers leave after a random one to five minutes, so that timing does not tie a family's phone to a
# partner's (domain.md, 'Blind offer').
OFFER_DELAY_S = (60.0, 300.0)


def move(referral: Referral, step: Step, now: datetime) -> Referral:
    """The referral after a step; WrongStage when the table has no such edge."""
    target = REFERRAL_STEPS[referral.stage].get(step)
    if target is None:
        raise WrongStage(stage=referral.stage.value, step=step.value)
    return replace(referral, stage=target, stage_since=now)


def move_offer(offer: Offer, step: OfferStep) -> Offer:
    """The offer after a step; WrongStage when the table has no such edge."""
    target = OFFER_STEPS[offer.stage].get(step)
    if target is None:
        raise WrongStage(stage=offer.stage.value, step=step.value)
    return replace(offer, stage=target)


def is_open(referral: Referral) -> bool:
    """True while somebody still owes the person something."""
    return referral.stage not in ENDED


def draw() -> str:
    """Both tables as Mermaid state diagrams, for the documentation."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft"]
    for stage, steps in REFERRAL_STEPS.items():
        lines += [f"    {stage} --> {to}: {step} ({STEP_BY[step]})" for step, to in steps.items()]
        lines += [f"    {stage} --> [*]"] if not steps else []
    lines += ["```", "", "```mermaid", "stateDiagram-v2", "    [*] --> sent"]
    for offer_stage, offer_steps in OFFER_STEPS.items():
        lines += [f"    {offer_stage} --> {to}: {step}" for step, to in offer_steps.items()]
        lines += [f"    {offer_stage} --> [*]"] if not offer_steps else []
    return "\n".join([*lines, "```", ""])
