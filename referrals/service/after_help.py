"""What the person says at the end, one tap each and none of them owed: how it was, and why it is not over.

How it was is about the partner, so no partner may ever read it as one person's word. An answer is noted as a
timer and becomes a coded fact days into the next month, all of a month in one turn and in the order of random
ids, so that neither order nor time ties a fact to the matter behind it (as `unmet.py` does). It names the
organisation and nobody else; reports suppress small cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from referrals.access import Action
from referrals.casework import ClosingAnswer
from referrals.catalogue import Coded
from referrals.errors import BadAnswer, WrongStage
from referrals.lifecycle import ENDED
from referrals.model import SYSTEM, AuditEntry, Referral, Stage
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import doors, matching

TIMER = "closing_answer"
SETTLED = timedelta(days=3)  # into the next month: until then an answer can be changed
# Why help is disputed, and why a matter is opened again: 'not_over.<code>'. The desk reads it, and no
# partner does.
DISPUTED = ("nobody_came", "something_else", "stopped_early", "not_treated_well", "other")
REOPENED = ("came_back", "not_enough", "new_turn", "other")


def left(tx: Tx, referral: Referral) -> tuple[Coded, ...]:
    """The pathway's closing questions that nobody has answered yet; none once their month is written down."""
    if referral.stage is not Stage.CLOSED or not referral.confirmed or referral.organization_id is None:
        return ()
    if tx.now >= _written_down(referral):
        return ()
    asked = matching.pathway_of(tx, referral).closing
    return tuple(question for question in asked if not _answered(tx, referral, question))


def answer(tx: Tx, person_id: str, referral_id: str, question_id: str, choice: str) -> Referral:
    """One tap. BadAnswer for what the pathway does not ask; a second answer takes the place of the first."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    asked = {question.id: question for question in matching.pathway_of(tx, referral).closing}
    if question_id not in asked or choice not in asked[question_id].choices:
        raise BadAnswer
    if referral.stage is not Stage.CLOSED or not referral.confirmed or tx.now >= _written_down(referral):
        raise WrongStage
    for other in asked[question_id].choices:
        tx.clear_timer(TIMER, _subject(referral, question_id, other))
    tx.set_timer(TIMER, _subject(referral, question_id, choice), _written_down(referral))
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", "afterwards"))
    return referral


def month_over(tx: Tx, subject: str) -> None:
    """Timer: what was said last month is written down, all of it at once."""
    said_of = tx.get(Referral, subject.rpartition(":")[2])
    together = tx.find(Timer, due_at=_written_down(said_of)) if said_of is not None else []
    waiting = [timer for timer in together if timer.kind == TIMER and timer.due_at <= tx.now]
    subjects = sorted({subject, *(timer.subject for timer in tx.take_timers(waiting))})
    found = [fact for each in subjects if (fact := _fact(tx, *each.split(":"))) is not None]
    for fact in sorted(found, key=lambda each: each.id):
        tx.add(fact)
        tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"closing_answer:{fact.id}"))


def why(tx: Tx, person_id: str, referral_id: str, reason: str) -> Referral:
    """Why they said no, after they have said it. BadAnswer; WrongStage once it is settled."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    if reason not in DISPUTED:
        raise BadAnswer
    if referral.stage is not Stage.DISPUTED:
        raise WrongStage
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", reason))
    return tx.save(replace(referral, why=reason))


def unsaid(tx: Tx, referral: Referral) -> None:
    """A matter is opened again: how it was with one partner is never counted for the next one."""
    for question in matching.pathway_of(tx, referral).closing:
        for choice in question.choices:
            tx.clear_timer(TIMER, _subject(referral, question.id, choice))


def reason_of(reasons: Sequence[str], reason: str) -> str:
    """A coded reason, or 'other' where none was given; BadAnswer for what is none."""
    if reason and reason not in reasons:
        raise BadAnswer
    return reason or "other"


def _subject(referral: Referral, question_id: str, choice: str) -> str:
    return f"{question_id}:{choice}:{referral.id}"


def _answered(tx: Tx, referral: Referral, question: Coded) -> bool:
    subjects = (_subject(referral, question.id, choice) for choice in question.choices)
    return any(tx.timers_of(subject) for subject in subjects)


def _written_down(referral: Referral) -> datetime:
    """When what is said of a matter becomes a fact."""
    return datetime.combine(_month_after(referral.stage_since.date()), time(3), UTC) + SETTLED


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _fact(tx: Tx, question_id: str, choice: str, referral_id: str) -> ClosingAnswer | None:
    referral = tx.get(Referral, referral_id)
    if referral is None or referral.stage not in ENDED or referral.organization_id is None:
        return None  # it was opened again meanwhile
    return ClosingAnswer(
        id=tx.new_id(),
        pathway=referral.pathway,
        category=referral.category,
        organization_id=referral.organization_id,
        question=question_id,
        answer=choice,
        month=referral.stage_since.date().replace(day=1),
    )
