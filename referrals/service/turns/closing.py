"""Closing the loop takes three: the partner reports, the person confirms, a disagreement reopens.

Also the ends that are not a closing: withdrawal by the person, and what a referral leaves behind.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from referrals import tasks
from referrals.access import Action
from referrals.casework import DeskShare
from referrals.errors import WrongStage
from referrals.lifecycle import ENDED, STAGE_WAITS, Step, move
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    Consent,
    Offer,
    Outcome,
    Referral,
    Stage,
    ThreadEntry,
)
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import asked, desk_notes, matching, offering, plan_parts, sharing, unmet
from referrals.service.turns import after_help, offers


def helped(tx: Tx, person_id: str, referral_id: str, yes: bool, *, partly: bool = False) -> Referral:
    """The person's own word on whether help came; 'partly' ends it too, and what is missing is kept."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    if yes:
        if referral.stage is Stage.CLOSED and referral.confirmed:
            return referral
        if partly and referral.outcome is not Outcome.UNMET:
            referral = replace(referral, outcome=Outcome.PARTLY_MET)
        after = _close(tx, referral, Step.CONFIRM, confirmed=True)
        text = "matter.confirmed"
    else:
        if referral.stage is Stage.DISPUTED:
            return referral
        disputed = replace(move(referral, Step.DISPUTE, tx.now), escalated=True, confirmed=False, why="")
        after = tx.save(disputed)
        tx.clear_timers(referral.id)
        tx.set_timer("dispute_wait", after.id, tx.now + STAGE_WAITS[Stage.DISPUTED].of(after.urgency))
        tell.tell_desk(tx, "desk.disputed", after)
        text = "matter.disputed"
    said = "partly" if yes and partly else "yes" if yes else "no"
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", said))
    tell.answer(
        tx,
        person_id,
        complaints.said(tx, after, text),
        {"code": after.code},
        buttons=(*_further(tx, after), (tell.page_button("button.open", f"matter/{after.id}"),)),
        slot=f"matter:{after.id}",
    )
    if after.referrer_id is not None:
        tell.tell_referrer(tx, after)
    same = referral.outcome is Outcome.UNMET  # what it said itself: nobody sees that otherwise
    tell.tell_partner(
        tx, after, "worker.confirmed" if yes else "worker.agrees" if same else "worker.disputed"
    )
    return after


def _further(tx: Tx, referral: Referral) -> Keyboard:
    """What may be said with one more tap: why it is not over, or how it was. Nobody owes it."""
    if referral.stage is Stage.DISPUTED:
        # Why, the desk reads: where it sees nothing, nobody would.
        reasons = () if complaints.hidden(tx, referral) else after_help.DISPUTED
        return tell.column(tell.press(f"not_over.{r}", "matter.why", referral.id, r) for r in reasons)
    in_chat = matching.pathway_of(tx, referral).in_chat
    if in_chat and after_help.left(tx, referral):
        return ((tell.press("button.afterwards", "after", referral.id),),)
    return ()


def close_unconfirmed(tx: Tx, referral_id: str) -> None:
    """Timer: seven days without the person's answer; closed, and said to be unconfirmed."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.REPORTED:
        after = _close(tx, referral, Step.CONFIRM, confirmed=False)
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "unconfirmed"))
        tell.tell_author(tx, after, "matter.closed_unconfirmed")
        tell.tell_partner(tx, after, "worker.no_longer_open")


def give_up(tx: Tx, person_id: str, referral_id: str, reason: str) -> Referral:
    """The desk closes what nobody could meet; the unmet need is kept as a coded fact."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_CLOSE)
    if reason not in matching.pathway_of(tx, referral).unmet_reasons:
        reason = "other"
    unmet = replace(referral, outcome=Outcome.UNMET, outcome_reason=reason)
    after = _close(tx, unmet, Step.GIVE_UP, confirmed=False)
    tx.audit(AuditEntry(actor, Action.DESK_CLOSE, f"referral:{referral.id}", reason))
    tell.settle_desk(tx, after)
    tell.tell_author(tx, after, "matter.unmet")
    tell.tell_partner(tx, after, "worker.no_longer_open")
    return after


def close_unreached(tx: Tx, referral: Referral) -> None:
    """Nobody has reached its author, and no coordinator may close it (a complaint): its author reopens it."""
    unmet = replace(referral, outcome=Outcome.UNMET, outcome_reason="no_contact")
    after = _close(tx, unmet, Step.GIVE_UP, confirmed=False)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "no_contact"))
    tell.tell_author(tx, after, "matter.unmet")
    tell.tell_partner(tx, after, "worker.no_longer_open")


def void(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """The desk ends what was entered in error, or to do harm; every partner's access is cut in this turn."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_VOID)
    if referral.stage is Stage.VOID:
        return referral
    move(referral, Step.VOID, tx.now)  # refused before anything is recalled
    offers.recall(tx, referral, "worker.no_longer_open")
    for given in tx.find(Consent, referral_id=referral.id):
        if given.withdrawn_at is None:
            tx.save(replace(given, withdrawn_at=tx.now))
            tx.clear_timers(given.id)
    for part in plan_parts.standing_parts(tx, referral):
        cut(tx, actor, part, Action.DESK_VOID)
    after = _close(tx, referral, Step.VOID, confirmed=False)
    tx.audit(AuditEntry(actor, Action.DESK_VOID, f"referral:{referral.id}"))
    tell.tell_author(tx, after, "matter.void")
    return after


def withdraw(tx: Tx, person_id: str, referral_id: str, *, aloud: bool = True) -> Referral:
    """The person takes it back, at any time: every partner's access is cut in this very turn.

    `aloud` False: the person leaves, and nothing is written into their chat any more.
    """
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_WITHDRAW)
    if referral.stage is Stage.WITHDRAWN:
        return referral
    move(referral, Step.WITHDRAW, tx.now)  # what has ended is not taken back
    after = cut(tx, actor, referral, Action.REFERRAL_WITHDRAW)
    if aloud:
        tell.answer(tx, person_id, "matter.withdrawn", {"code": after.code}, slot=f"matter:{after.id}")
    return after


def cut(tx: Tx, actor: Actor, referral: Referral, action: Action, detail: str = "") -> Referral:
    """A yes is taken back, by whoever may (the caller has looked): every access ends in this turn.

    Of a matter that has ended already only the yes goes, so that it can be reopened by no one's word.
    """
    offers.recall(tx, referral, "worker.withdrawn")
    for given in tx.find(Consent, referral_id=referral.id):
        if given.withdrawn_at is None:
            tx.save(replace(given, withdrawn_at=tx.now))
            tx.clear_timers(given.id)
    tx.audit(AuditEntry(actor, action, f"referral:{referral.id}", detail))
    for part in plan_parts.standing_parts(tx, referral):
        cut(tx, actor, part, action, detail)
    if referral.stage in ENDED:
        sharing.settle(tx, referral)
        return referral
    ended = _end_early(tx, referral, Step.WITHDRAW)
    if referral.stage is Stage.UNMATCHED:
        unmet.keep(tx, ended, "nobody")  # they gave up waiting for somebody
    return ended


def expire(tx: Tx, referral_id: str) -> None:
    """Timer: seven days, and the person has not said yes. Nobody was asked, and nobody will be."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.AWAITING_CONSENT:
        after = _end_early(tx, referral, Step.EXPIRE)
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "no yes"))
        tell.tell_author(tx, after, "matter.expired", buttons=())


def _end_early(tx: Tx, referral: Referral, step: Step) -> Referral:
    after = tx.save(
        replace(
            move(referral, step, tx.now),
            escalated=False,
            retain_until=_retention_date(tx, referral),
        )
    )
    sharing.settle(tx, after)
    _end(tx, after)
    return after


def reopen(tx: Tx, person_id: str, referral_id: str, reason: str = "") -> Referral:
    """A closed matter that is not settled after all: the person asks again, the plan starts anew.

    `reason`: a code of `after_help.REOPENED`, kept for whoever looks at it next. Whoever said no for a reason
    that time does not change is not asked again. WrongStage for a part of a plan that was begun anew since.
    """
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_CONFIRM)
    coded = after_help.reason_of(after_help.REOPENED, reason)
    moved = replace(move(referral, Step.REOPEN, tx.now), why=coded)
    if not plan_parts.is_latest(tx, referral):
        raise WrongStage
    noes = matching.refused(tx, referral, (matching.FULL, *tasks.PASSES))
    offers.recall(tx, referral, "worker.no_longer_open", aloud=False)
    tx.clear_timers(referral.id)
    after_help.unsaid(tx, referral)
    unmet.not_after_all(tx, referral)
    after = tx.save(matching.from_the_start(restarted(moved), noes))
    sharing.settle(tx, after)
    tx.audit(AuditEntry(actor, Action.REFERRAL_CONFIRM, f"referral:{referral.id}", "reopened"))
    offering.start_matching(tx, after)
    plan_parts.opened_again(tx, after)
    page = ((tell.page_button("button.open", f"matter/{after.id}"),),)
    slot = f"matter:{after.id}"
    tell.answer(tx, person_id, "matter.reopened", {"code": after.code}, buttons=page, slot=slot)
    if after.referrer_id is not None:
        tell.tell_referrer(tx, after)
    return after


def restarted(referral: Referral) -> Referral:
    """The referral at the start of its consented plan, held by nobody."""
    return replace(
        referral,
        position=0,
        hops=0,
        offer_id=None,
        next_offer_id=None,
        organization_id=None,
        accepted_by=None,
        escalated=False,
        outcome=None,
        outcome_reason=None,
        confirmed=None,
        retain_until=None,
    )


def retire(tx: Tx, referral_id: str) -> None:
    """Timer: the retention date has come. Keys go, coded facts stay, and the audit says so."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.retain_until is None or referral.retain_until > tx.now:
        return
    tx.destroy(referral.record)
    for offer in tx.find(Offer, referral_id=referral.id):
        tx.destroy(offer.thread)
        tx.destroy(offer.last_word)
    for share in tx.find(DeskShare, referral_id=referral.id):
        tx.destroy(share.record)
        tx.remove(share)
    for entry in tx.find(ThreadEntry, referral_id=referral.id):
        tx.remove(entry)
    asked.forget(tx, referral.id)
    plan_parts.forget(tx, referral.id)
    complaints.forget(tx, referral.id)
    desk_notes.forget(tx, referral.id)
    for given in tx.find(Consent, referral_id=referral.id):
        tx.destroy(given.record)
        tx.clear_timers(given.id)
        tx.remove(given)
    tx.save(replace(referral, author_id="", accepted_by=None, desk_id=None, plan=()))
    tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"referral:{referral.id}"))


def _close(tx: Tx, referral: Referral, step: Step, *, confirmed: bool) -> Referral:
    closed = tx.save(
        replace(
            move(referral, step, tx.now),
            confirmed=confirmed,
            escalated=False,
            retain_until=_retention_date(tx, referral),
        )
    )
    sharing.settle(tx, closed)
    _end(tx, closed)
    if step is not Step.VOID and closed.outcome in (Outcome.UNMET, Outcome.PARTLY_MET):
        unmet.keep(tx, closed, closed.outcome_reason or closed.outcome)
    return closed


def _end(tx: Tx, ended: Referral) -> None:
    tx.clear_timers(ended.id)
    plan_parts.ended(tx, ended)
    plan_parts.stir(tx, ended)
    offers.recall_next(tx, ended)  # nobody takes over what is over
    assert ended.retain_until is not None  # both callers have just set it
    tx.set_timer("retention", ended.id, ended.retain_until)
    # Whoever took it back knows that nobody waits for them; everybody else is told of each time that is off.
    asked.dates_over(tx, ended, aloud=ended.stage is not Stage.WITHDRAWN)
    tell.settle_desk(tx, ended)
    tell.quietly(tx, ended.author_id, tell.receipt_slot(ended), "")  # 'Take it back' stands under it


def _retention_date(tx: Tx, referral: Referral) -> datetime:
    return tx.now + timedelta(days=matching.pathway_of(tx, referral).retention_days)
