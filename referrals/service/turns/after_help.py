"""What the person says at the end, one tap each and none of them owed: how it was, and why it is not over.

Asked of a matter that is closed and helped, and of a confirmation of attendance that was sent. Of a plan of
several parts it is asked once, when the whole is over, and of none of its parts: then it names nobody.
How it was is about the partner, so no partner may ever read it as one person's word. An answer is noted as a
timer and becomes a coded fact days into the next month, all of a month in one turn and in the order of random
ids, so that neither order nor time ties a fact to the matter behind it (as `unmet.py` does). It names the
organisation and nobody else; the report does not, suppresses small cells, and is of one settled quarter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from referrals import confirmations
from referrals.access import Action
from referrals.casework import ClosingAnswer, Confirmation, ConfirmationState
from referrals.catalogue import Coded, Pathway
from referrals.errors import BadAnswer, WrongStage
from referrals.model import SYSTEM, Actor, AuditEntry, Referral, Stage
from referrals.ports import Tx
from referrals.quarters import settles_at
from referrals.said import Timer
from referrals.service.common import doors, quarterly
from referrals.suppression import LEAST, Table, suppress

TIMER = "closing_answer"
# Why help is disputed, and why a matter is opened again: 'not_over.<code>'. The desk reads it, and no
# partner does.
DISPUTED = ("nobody_came", "something_else", "stopped_early", "not_treated_well", "other")
REOPENED = ("came_back", "not_enough", "new_turn", "other")


@dataclass(frozen=True, slots=True)
class Over:
    """What one organisation ('': several) was there for, once it is over: since when, whose questions."""

    organization_id: str
    pathway: Pathway
    category: str
    since: datetime

    @property
    def written_down(self) -> datetime:
        """When what is said of it becomes a fact."""
        return settles_at(self.since.date())


def over(tx: Tx, about: Referral | Confirmation | None) -> Over | None:
    """None as long as it is not over, and where nobody helped or nothing was sent."""
    pathway = _pathway(tx, about) if about is not None else None
    if about is None or pathway is None:
        return None
    if isinstance(about, Confirmation):
        if about.state is not ConfirmationState.SENT and about.why != confirmations.Why.OVER:
            return None
        return Over(about.organization_id, pathway, pathway.categories[0], about.answer_at)
    if about.stage is not Stage.CLOSED or not about.confirmed or about.task:
        return None
    if about.organization_id is None and not _several_helped(tx, about):
        return None
    return Over(about.organization_id or "", pathway, about.category, about.stage_since)


def _several_helped(tx: Tx, plan: Referral) -> bool:
    """Whether it is a plan of which some partner did a part, whatever came of it."""
    return any(part.organization_id for part in tx.find(Referral, parent_id=plan.id))


def asked(tx: Tx, about: Referral | Confirmation) -> tuple[Coded, ...]:
    """The pathway's closing questions that can be answered now; none once their month is written down."""
    found = over(tx, about)
    return found.pathway.closing if found is not None and tx.now < found.written_down else ()


def left(tx: Tx, about: Referral | Confirmation) -> tuple[Coded, ...]:
    """Those that nobody has answered yet."""
    return tuple(question for question in asked(tx, about) if not said(tx, about, question))


def said(tx: Tx, about: Referral | Confirmation, question: Coded) -> str:
    """The choice that waits for its month to be over; '' where there is none."""
    waits = (choice for choice in question.choices if tx.timers_of(_subject(about, question.id, choice)))
    return next(waits, "")


def answer(tx: Tx, person_id: str, referral_id: str, question_id: str, choice: str) -> Referral:
    """One tap. BadAnswer for what the pathway does not ask; a second answer takes the place of the first."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    keep(tx, referral, question_id, choice)
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", "afterwards"))
    return referral


def keep(tx: Tx, about: Referral | Confirmation, question_id: str, choice: str) -> None:
    """Note an answer until its month is over; whose it is, and its audit row, are the caller's.

    BadAnswer for what the pathway does not ask; WrongStage for what is not over, or written down.
    """
    questions = {question.id: question for question in _questions(tx, about)}
    if question_id not in questions or choice not in questions[question_id].choices:
        raise BadAnswer
    found = over(tx, about)
    if found is None or tx.now >= found.written_down:
        raise WrongStage
    for other in questions[question_id].choices:
        tx.clear_timer(TIMER, _subject(about, question_id, other))
    tx.set_timer(TIMER, _subject(about, question_id, choice), found.written_down)


def month_over(tx: Tx, subject: str) -> None:
    """Timer: what was said last month is written down, all of it at once."""
    found = over(tx, _about(tx, subject.rpartition(":")[2]))
    together = tx.find(Timer, due_at=found.written_down) if found is not None else []
    waiting = [timer for timer in together if timer.kind == TIMER and timer.due_at <= tx.now]
    subjects = sorted({subject, *(timer.subject for timer in tx.take_timers(waiting))})
    facts = [fact for each in subjects if (fact := _fact(tx, *each.split(":"))) is not None]
    for fact in sorted(facts, key=lambda each: each.id):
        tx.add(fact)
        tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"closing_answer:{fact.id}"))


def counted(tx: Tx, actor: Actor, first: date, last: date) -> Mapping[str, Table]:
    """A quarter (the first days of its first and its last month), by question, as far as it may be said.

    Rows are pathways, columns answers; no organisation. Leaves an audit row; BadAnswer as `quarterly.asked`.
    Of a complaint nothing is counted: whoever reads the report may be whom it was about.
    """
    stretch = first, last
    months = quarterly.asked(tx, actor, Action.CLOSING_REPORT, "closing_answer", TIMER, stretch)
    unseen = {pathway.id for pathway in tx.catalogue.pathways.values() if not pathway.desk_sees}
    found = [row for row in tx.find(ClosingAnswer, month=months) if row.pathway not in unseen]
    return {
        question: suppress(Counter((r.pathway, r.answer) for r in found if r.question == question), LEAST)
        for question in sorted({row.question for row in found})
    }


def why(tx: Tx, person_id: str, referral_id: str, reason: str) -> Referral:
    """Why they said no, after they have said it. BadAnswer; WrongStage once it is settled."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    if reason not in DISPUTED:
        raise BadAnswer
    if referral.stage is not Stage.DISPUTED:
        raise WrongStage
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", reason))
    return tx.save(replace(referral, why=reason))


def unsaid(tx: Tx, about: Referral | Confirmation) -> None:
    """A matter is opened again, a yes taken back: how it was until then is never counted."""
    for question in _questions(tx, about):
        for choice in question.choices:
            tx.clear_timer(TIMER, _subject(about, question.id, choice))


def reason_of(reasons: Sequence[str], reason: str) -> str:
    """A coded reason, or 'other' where none was given; BadAnswer for what is none."""
    if reason and reason not in reasons:
        raise BadAnswer
    return reason or "other"


def _subject(about: Referral | Confirmation, question_id: str, choice: str) -> str:
    return f"{question_id}:{choice}:{about.id}"


def _pathway(tx: Tx, about: Referral | Confirmation) -> Pathway | None:
    if isinstance(about, Referral):
        return tx.catalogue.pathways.get(about.pathway)
    return confirmations.pathway_of(tx.catalogue.pathways.values())


def _questions(tx: Tx, about: Referral | Confirmation) -> tuple[Coded, ...]:
    pathway = _pathway(tx, about)
    return pathway.closing if pathway is not None else ()


def _about(tx: Tx, record_id: str) -> Referral | Confirmation | None:
    return tx.get(Referral, record_id) or tx.get(Confirmation, record_id)


def _fact(tx: Tx, question_id: str, choice: str, record_id: str) -> ClosingAnswer | None:
    found = over(tx, _about(tx, record_id))
    if found is None:
        return None  # it was opened again or taken back meanwhile
    return ClosingAnswer(
        id=tx.new_id(),
        pathway=found.pathway.id,
        category=found.category,
        organization_id=found.organization_id,
        question=question_id,
        answer=choice,
        month=found.since.date().replace(day=1),
    )
