"""What waits for somebody's own word about their matters, as their chat has asked it: for the word ANSWER.

Nothing is asked here that was not asked before, and nothing changes: the buttons are those of the message
that has gone from the chat, and the verbs behind them look again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from referrals.casework import Appointment, AppointmentState, Task, TaskState
from referrals.lifecycle import OPEN
from referrals.members import Enrolment
from referrals.model import OfferStage, Referral, Stage
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, tell
from referrals.service.help import appointments, attempts, working
from referrals.service.joint import transfers
from referrals.service.lasting import going_on
from referrals.service.matter import asked, task_people
from referrals.service.request import task_plans
from referrals.service.turns import questions, waiting

_WAITS = tuple(stage for stage in OPEN if stage is not Stage.DRAFT)


@dataclass(frozen=True, slots=True)
class Ask:
    """One message that wants an answer: text key, parameters, buttons, and its place in the chat."""

    text: str
    words: Mapping[str, str]
    buttons: Keyboard
    slot: str


def of_person(tx: Tx, person_id: str) -> list[Ask]:
    """Everything that this person is asked now, the oldest matter first."""
    mine = tx.find(Referral, author_id=person_id, stage=_WAITS)
    ordered = sorted(mine, key=lambda r: (r.created_at, r.id))
    dates: dict[str, list[Appointment]] = {}
    for date in tx.find(Appointment, referral_id=[r.id for r in ordered]):
        dates.setdefault(date.referral_id, []).append(date)
    asks = (
        (*_of_turn(tx, r), *_of_dates(tx, r, dates.get(r.id, [])), *_of_plan(tx, person_id, r))
        for r in ordered
    )
    return [*_for_member(tx, person_id), *(ask for of_matter in asks for ask in of_matter)]


def _for_member(tx: Tx, person_id: str) -> Iterator[Ask]:
    """What a mentor has proposed to whoever has a phone of their own: that a page waits, and no more."""
    for tied in tx.find(Enrolment, person_id=person_id):
        for waits in tx.find(Referral, enrolment_id=tied.id, stage=Stage.AWAITING_CONSENT):
            if waits.by_word:
                button = tell.page_button("button.read_plan", f"plan/{waits.id}")
                yield Ask("member.page_still_waits", {}, ((button,),), f"matter:{waits.id}")


def _of_turn(tx: Tx, referral: Referral) -> Iterator[Ask]:
    code, place = {"code": referral.code}, f"matter:{referral.id}"
    if referral.stage is Stage.AWAITING_CONSENT and not referral.by_word:
        button = tell.page_button("button.read_plan", f"plan/{referral.id}")
        yield Ask("onward.waits", code, ((button,),), place)
    if transfers.asks_person(tx, referral):
        button = tell.page_button("button.open", f"matter/{referral.id}")
        yield Ask("matter.transfer_asked", code, ((button,),), place)
    yield from _whether_it_goes_on(tx, referral)
    if referral.stage is Stage.REPORTED:
        yield Ask(working.at_its_end(referral), code, working.helped_or_not(referral), place)
    if referral.stage is Stage.UNREACHABLE:
        text = "matter.unreachable_member" if referral.by_word else "matter.unreachable"
        yield Ask(text, code, attempts.buttons(referral), place)
    for offer in asked.turns_of(tx, referral):
        words = code | {"by": tell.iso(asked.answer_by(tx, offer))}
        if not asked.waits_for_person(offer):
            continue
        if offer.stage is OfferStage.QUESTION:
            yield Ask("matter.asks", words, questions.looks(tx, referral, offer), asked.slot(referral))
        else:
            words |= {"day": waiting.day_for(tx, referral.author_id, offer)}
            buttons = waiting.yes_or_no(tx, referral, offer)
            yield Ask("matter.will_you_wait", words, buttons, asked.slot(referral))


def _whether_it_goes_on(tx: Tx, referral: Referral) -> Iterator[Ask]:
    ends = going_on.asked(tx, referral)
    if ends is not None:
        over = complaints.said(tx, referral, "matter.consent_over_again")
        text = over if ends.until <= tx.now else "matter.goes_on_asked"
        button = tell.page_button("button.open", f"matter/{referral.id}")
        words = {"code": referral.code, "by": tell.iso(ends.until)}
        yield Ask(text, words, ((button,),), f"matter:{referral.id}")


def _of_plan(tx: Tx, person_id: str, plan: Referral) -> Iterator[Ask]:
    """A part of a plan that is this person's own: done on the page, where it stands what it is."""
    if plan.stage is not Stage.IN_SERVICE or not task_plans.is_split(tx, plan):
        return
    own = [task for task in tx.find(Task, referral_id=plan.id) if task.by in ("family", "mentor")]
    open_ones = [task for task in own if task.state is TaskState.OPEN or task.still_asked]
    if any(task_people.doer(tx, person_id, plan, task.by) for task in open_ones):
        button = tell.page_button("button.open", task_people.page(plan))
        yield Ask("plan.yours", {"code": plan.code}, ((button,),), task_people.slot(plan))


def _of_dates(tx: Tx, referral: Referral, dates: list[Appointment]) -> Iterator[Ask]:
    if referral.stage not in appointments.GOING:
        return
    for date in sorted((d for d in dates if d.offer_id == referral.offer_id), key=lambda d: (d.at, d.id)):
        words = {"code": referral.code, "at": tell.iso(date.at)}
        place = asked.date_slot(tx, date)
        if date.state is AppointmentState.SET and date.at > tx.now and not date.said:
            yield Ask("matter.appointment", words, appointments.coming_or_not(tx, referral, date), place)
        elif date.state is AppointmentState.MISSED and date.said in ("", "coming"):
            yield Ask("matter.missed", words, appointments.there_or_not(tx, referral, date), place)
