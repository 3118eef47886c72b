"""Every kind of timer and the verb that it calls. A timer enters by the same verbs as a tap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.access import Action, allow
from referrals.model import SYSTEM
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import leaving, mydata, retention
from referrals.service.alarm import crisis, safety_lists, safety_plans, safety_sharing
from referrals.service.attendance import attendance_ends, body_questions
from referrals.service.by_word import attendance_by_word
from referrals.service.contact import checkins, reminding, wellbeing
from referrals.service.desk import desk, rota, swaps, undelivered
from referrals.service.help import appointments, attempts, focal, how_ended, threads, working
from referrals.service.joint import circles, handling, plan_days, proposing, transfers
from referrals.service.lasting import agreements, ending, going_on
from referrals.service.matter import asked, capacity, circle_sides, moving, plan_parts, unmet
from referrals.service.members import enrolments, handing_members, linking, standing_in
from referrals.service.people import conversations, devices, joining, letting_in, people
from referrals.service.programme import courses, evenings, meetings, phases, versions
from referrals.service.request import behalf, drafts, needs, word_checks
from referrals.service.stewards import witnessing
from referrals.service.turns import after_help, closing, offers, onward, questions, waiting


@dataclass(frozen=True, slots=True)
class Timed:
    """What a timer does to its subject, and the action that SYSTEM (nobody else) must be allowed for it.

    `many` does the same for several subjects in few statements; only where thousands come due at once.
    """

    action: Action
    do: Callable[[Tx, str], None]
    many: Callable[[Tx, Sequence[str]], None] | None = None


TIMERS: Mapping[str, Timed] = {
    "match": Timed(Action.REFERRAL_STEP, handling.begin),
    plan_parts.TIMER: Timed(Action.REMIND, plan_days.look),
    "offer_acknowledge": Timed(Action.REFERRAL_STEP, offers.unacknowledged),
    "offer_half": Timed(Action.REFERRAL_STEP, offers.half_time),
    "offer_three_quarters": Timed(Action.REFERRAL_STEP, offers.three_quarters),
    "offer_end": Timed(Action.REFERRAL_STEP, offers.lapse),
    asked.QUESTION: Timed(Action.REFERRAL_STEP, questions.unanswered),
    asked.WAIT_ANSWER: Timed(Action.REFERRAL_STEP, waiting.no_answer),
    asked.WAIT_REVIEW: Timed(Action.REMIND, waiting.review),
    asked.WAIT_LAPSE: Timed(Action.REFERRAL_STEP, waiting.lapse),
    attempts.TIMER: Timed(Action.REMIND, attempts.still),
    appointments.SOON: Timed(Action.REMIND, appointments.soon),
    appointments.AFTER: Timed(Action.REMIND, appointments.after),
    appointments.NEXT: Timed(Action.REMIND, appointments.chase),
    "without_desk": Timed(Action.REMIND, focal.due),
    "unmatched": Timed(Action.REFERRAL_STEP, desk.unmatched_overdue),
    "first_contact": Timed(Action.REFERRAL_STEP, working.contact_overdue),
    "heartbeat": Timed(Action.REFERRAL_STEP, working.heartbeat),
    "cut_off": Timed(Action.ACCESS_CUT, working.still_cut_off),
    "consent_end": Timed(Action.ACCESS_CUT, ending.consent_over),
    "consent_soon": Timed(Action.REMIND, going_on.remind),
    "agreement_end": Timed(Action.ACCESS_CUT, ending.agreement_turned),
    "agreement_review": Timed(Action.REMIND, agreements.remind),
    "behalf_ask": Timed(Action.REMIND, behalf.ask_again),
    "behalf_end": Timed(Action.ACCESS_CUT, behalf.over),
    "consent_nudge": Timed(Action.REMIND, needs.nudge),
    "consent_wait": Timed(Action.REFERRAL_STEP, needs.over),
    "word_check": Timed(Action.REMIND, word_checks.due),
    how_ended.TIMER: Timed(Action.WAIT_OVER, how_ended.due),
    "confirm_wait": Timed(Action.REFERRAL_STEP, closing.close_unconfirmed),
    "dispute_wait": Timed(Action.REFERRAL_STEP, desk.dispute_overdue),
    "closing_answer": Timed(Action.WAIT_OVER, after_help.month_over),
    "onward_nudge": Timed(Action.REMIND, onward.nudge),
    proposing.TIMER: Timed(Action.REFERRAL_STEP, proposing.due),
    onward.ASK: Timed(Action.REFERRAL_STEP, onward.ask),
    onward.OVER: Timed(Action.REMIND, onward.moved_on),
    "transfer_send": Timed(Action.REFERRAL_STEP, transfers.send),
    "transfer_over": Timed(Action.REFERRAL_STEP, transfers.over),
    "thread_opened": Timed(Action.WAIT_OVER, threads.mark_opened),
    "draft_purge": Timed(Action.RETENTION, drafts.purge_draft),
    "retention": Timed(Action.RETENTION, retention.retire),
    "sweep": Timed(Action.RETENTION, retention.sweep),
    "delete_person": Timed(Action.RETENTION, leaving.day_over),
    "erase_person": Timed(Action.RETENTION, leaving.next_matter),
    "forget_person": Timed(Action.RETENTION, leaving.last_words),
    "download": Timed(Action.RETENTION, mydata.download_over),
    "move_due": Timed(Action.REFERRAL_STEP, moving.due),
    "device_ready": Timed(Action.WAIT_OVER, letting_in.ready),
    "device_unused": Timed(Action.RETENTION, devices.unused),
    "conversation": Timed(Action.RETENTION, conversations.expire),
    "scrap": Timed(Action.RETENTION, people.drop_scrap),
    "check_in": Timed(Action.REMIND, reminding.remind, reminding.remind_many),
    "check_in_missed": Timed(Action.REMIND, reminding.missed),
    "unreached": Timed(Action.REMIND, reminding.unreached),
    "unreached_desk": Timed(Action.REMIND, reminding.unreached_desk),
    "wellbeing": Timed(Action.REMIND, wellbeing.ask),
    "wellbeing_round": Timed(Action.REMIND, wellbeing.every_day),
    "rhythm": Timed(Action.MEMBER_CHANGE, phases.follow),
    "phase": Timed(Action.MEMBER_CHANGE, phases.due),
    "meeting": Timed(Action.REMIND, evenings.due),
    "group_ask": Timed(Action.REMIND, evenings.ask),
    "group_kept": Timed(Action.WAIT_OVER, meetings.undo_over),
    "programmes": Timed(Action.RETENTION, versions.daily),
    "course": Timed(Action.REMIND, courses.due),
    "course_place": Timed(Action.COURSE_FOLLOW, courses.place),
    "pause_end": Timed(Action.MEMBER_CHANGE, enrolments.pause_ends),
    "forget_member": Timed(Action.RETENTION, retention.forget_member),
    "hand_over": Timed(Action.MEMBER_HAND_OVER, handing_members.due),
    "stand_in": Timed(Action.MEMBER_HAND_OVER, standing_in.over),
    "linking": Timed(Action.WAIT_OVER, linking.over),
    "undo_over": Timed(Action.WAIT_OVER, checkins.undo_over),
    "crisis": Timed(Action.REMIND, crisis.escalate),
    "crisis_still": Timed(Action.REMIND, crisis.still),
    "plan_review": Timed(Action.REMIND, safety_plans.review_due),
    "share_end": Timed(Action.SAFETY_END, safety_sharing.over),
    "share_month": Timed(Action.REMIND, safety_lists.monthly),
    "rota": Timed(Action.REMIND, rota.daily),
    swaps.TIMER: Timed(Action.WAIT_OVER, swaps.over),
    "unreachable_person": Timed(Action.REMIND, people.unreachable),
    "undelivered": Timed(Action.REMIND, undelivered.tell_desk),
    circle_sides.WAITS: Timed(Action.REMIND, circles.waiting),
    circle_sides.OVER: Timed(Action.REMIND, circles.over),
    "attendance_look": Timed(Action.REMIND, body_questions.look_for),
    "attendance_decide": Timed(Action.WAIT_OVER, body_questions.decide),
    "attendance_answer": Timed(Action.REMIND, body_questions.answer),
    "attendance_over": Timed(Action.ACCESS_CUT, attendance_ends.over),
    "attendance_true": Timed(Action.REMIND, attendance_by_word.ask),
    "invitation": Timed(Action.WAIT_OVER, joining.expire),
    "room": Timed(Action.REMIND, capacity.weekly),
    "room_round": Timed(Action.REMIND, capacity.every_day),
    "stale": Timed(Action.REMIND, capacity.tell_stewards),
    "unmet": Timed(Action.WAIT_OVER, unmet.month_over),
    "checkpoint": Timed(Action.AUDIT_CHECKPOINT, witnessing.daily),
}


TOGETHER = frozenset(kind for kind, timed in TIMERS.items() if timed.many is not None)


def draw() -> str:
    """Every kind of timer with the verb that it calls, as a Markdown table for the documentation."""
    lines = ["| Timer | Verb | What it does |", "| --- | --- | --- |"]
    for kind, timed in TIMERS.items():
        verb = f"{timed.do.__module__.rpartition('.')[2]}.{timed.do.__name__}"
        says = (timed.do.__doc__ or "").partition("\n")[0].removeprefix("Timer").lstrip(":, ")
        lines.append(f"| `{kind}` | `{verb}` | {says} |")
    return "\n".join([*lines, ""])


def begin(tx: Tx) -> None:
    """At each start of the product: what every network waits for; what waits already stays as it is."""
    witnessing.begin(tx)
    retention.begin(tx)
    versions.begin(tx)
    crisis.begin(tx)
    rota.begin(tx)
    safety_lists.begin(tx)
    wellbeing.begin(tx)
    capacity.begin(tx)


def fire_many(tx: Tx, due: Sequence[Timer]) -> None:
    """The same for several due timers of one kind (one of `TOGETHER`), in one transaction."""
    taken = tx.take_timers(due)
    for kind in sorted({timer.kind for timer in taken}):
        timed = TIMERS[kind]
        allow(SYSTEM, timed.action)
        if timed.many is not None:
            timed.many(tx, [timer.subject for timer in taken if timer.kind == kind])


def fire(tx: Tx, timer_id: str, due_at: datetime) -> None:
    """Take one due timer and do what it stands for, in this one transaction.

    A timer that was moved, cleared or taken meanwhile does nothing.
    """
    timer = tx.take_timer(timer_id, due_at)
    if timer is not None:
        timed = TIMERS[timer.kind]
        allow(SYSTEM, timed.action)
        timed.do(tx, timer.subject)
