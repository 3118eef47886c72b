"""The network desk: everything unmatched, overdue, disputed or urgent. Stories stay sealed to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals import schedule
from referrals.access import Action
from referrals.errors import NoConsent, NotFound, WrongStage
from referrals.lifecycle import HELD, REFERRAL_STEPS, STAGE_WAITS, Step, move
from referrals.model import AuditEntry, Offer, Referral, Role, Stage, Urgency
from referrals.persons import Tally
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service.common import doors, tell
from referrals.service.desk import plan_preview
from referrals.service.help import working
from referrals.service.matter import asked, matching, offering, plan_parts, sharing
from referrals.service.request import task_plans
from referrals.service.turns import beginning, closing, offers

EMERGENCY_REPEAT = timedelta(minutes=15)
REMEMBERED = timedelta(days=60)  # that whoever took a matter up was told once that it is late


def by_code(tx: Tx, person_id: str, code: str) -> Referral:
    """The matter with that code, the person's or a partner's own; NotFound for every other one."""
    doors.as_seat(tx, person_id, Role.COORDINATOR)
    wanted = code.strip().upper()
    for referral in tx.find(Referral, code=wanted):
        return doors.desk_referral(tx, person_id, referral.id, Action.DESK_LIST)[1]
    for offer in tx.find(Offer, code=wanted) if wanted else ():
        return doors.desk_referral(tx, person_id, offer.referral_id, Action.DESK_LIST)[1]
    raise NotFound


def rematch(tx: Tx, person_id: str, referral_id: str, part: str = "") -> Referral:
    """Ask the consented plan once more: those who did not answer or were not asked; no means no.

    Whoever held the matter until now (and failed it) hears that it is theirs no longer. Of a plan of parts
    what was given up is tried again; where all of it is done, `part` says what is to be done once more.
    """
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_REMATCH)
    if referral.stage is Stage.MATCHING:
        return referral
    taken_away = may_move(tx, referral)
    if referral.stage in HELD and not taken_away:
        raise WrongStage
    step = Step.RETURN if Step.RETURN in REFERRAL_STEPS[referral.stage] else Step.REMATCH
    moved = move(referral, step, tx.now)
    if task_plans.is_split(tx, referral) and not plan_parts.left_to_do(tx, referral):
        plan_parts.once_more(tx, referral, part)
    offers.recall(tx, referral, "worker.withdrawn")
    done, again = plan_preview.split(tx, referral)
    after = tx.save(replace(closing.restarted(moved), plan=(*done, *again), position=len(done)))
    sharing.settle(tx, after)
    tx.audit(AuditEntry(actor, Action.DESK_REMATCH, f"referral:{referral.id}"))
    tx.clear_timers(referral.id)
    asked.dates_over(tx, after)
    tell.settle_desk(tx, after)
    offering.start_matching(tx, after)
    if taken_away:
        tell.tell_author(tx, after, "matter.returned")
    elif referral.stage is Stage.DISPUTED:
        tell.tell_author(tx, after, "matter.asked_again")
    return after


def may_move(tx: Tx, referral: Referral) -> bool:
    """Whether the desk may take a matter from its partner: one that is late with it, or may work no more."""
    if referral.stage not in HELD or task_plans.is_split(tx, referral):
        return False  # a plan's parts have partners, the plan has none
    partner = tx.directory.organizations.get(referral.organization_id or "")
    late = referral.escalated and referral.stage is not Stage.UNREACHABLE  # there nobody else would find them
    return late or partner is None or partner.suspended


def ask_person(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """Ask the person for a new yes, to a plan with other partners or without an exclusion.

    Once a day, whoever of the desk presses: a phone that rings again says nothing new.
    """
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_REMATCH)
    if referral.stage is not Stage.UNMATCHED:
        raise NotFound
    if tx.tally(_asked_today(tx, referral), tx.now + timedelta(days=1)) > 1:
        return referral
    tx.audit(AuditEntry(actor, Action.DESK_REMATCH, f"referral:{referral.id}", "asked the person"))
    tell.tell_author(
        tx,
        referral,
        "matter.choose_again",
        buttons=((tell.page_button("button.choose", tell.plan_page(referral)),),),
    )
    return referral


def asked_today(tx: Tx, referral: Referral) -> bool:
    """Whether the person was asked for a new yes today."""
    return tx.get(Tally, _asked_today(tx, referral)) is not None


def _asked_today(tx: Tx, referral: Referral) -> str:
    return f"ask-person:{referral.id}:{referral.stage_since.isoformat()}:{tx.now.date()}"


def resume(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """A dispute is settled by going on: the same partner helps further."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_RESOLVE)
    if referral.stage is Stage.DISPUTED and not sharing.readable(tx, referral):
        raise NoConsent  # that partner may not work on: the next one can be asked
    after = tx.save(replace(move(referral, Step.RESUME, tx.now), escalated=False, outcome=None))
    tx.audit(AuditEntry(actor, Action.DESK_RESOLVE, f"referral:{referral.id}", "resumed"))
    tx.clear_timers(referral.id)
    working.set_heartbeat(tx, after)
    tell.settle_desk(tx, after)
    tell.tell_partner(tx, after, "worker.resumed", or_desk=True)
    tell.tell_author(tx, after, beginning.words(tx, after, "matter.in_service"))
    return after


def unmatched_overdue(tx: Tx, referral_id: str) -> None:
    """Timer: the desk has not decided. Repeated to all coordinators; in an emergency every 15 minutes.

    The person is told once, and only when they may be written to: a phone that rings all night gives away.
    """
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.UNMATCHED:
        return
    emergency = referral.urgency is Urgency.EMERGENCY
    priority = Priority.CRISIS if emergency else Priority.ALERT
    everybody = emergency or not _left_to_holder(tx, referral)
    tell.tell_desk(tx, "desk.still_unmatched", referral, priority=priority, everybody=everybody)
    if emergency:
        once = f"nobody:{referral.id}:{referral.version}"
        tell.tell_author(tx, referral, "matter.nobody_yet_call", dedupe=once)
        wait = EMERGENCY_REPEAT
    else:
        wait = schedule.elapsed(matching.pathway_of(tx, referral).deadlines[referral.urgency].unmatched)
    tx.set_timer("unmatched", referral.id, tx.now + wait)


def dispute_overdue(tx: Tx, referral_id: str) -> None:
    """Timer: a dispute has waited too long; all coordinators hear of it, again and again."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.DISPUTED:
        everybody = not _left_to_holder(tx, referral)
        tell.tell_desk(tx, "desk.still_disputed", referral, everybody=everybody)
        wait = STAGE_WAITS[Stage.DISPUTED].of(referral.urgency)
        tx.set_timer("dispute_wait", referral.id, tx.now + wait)


def _left_to_holder(tx: Tx, referral: Referral) -> bool:
    """The first time that nothing has moved, whoever took it up hears of it; from then on everybody does."""
    if tell.desk_holder(tx, referral) is None:
        return False
    moved = referral.stage_since.isoformat()
    return tx.tally(f"desk-late:{referral.id}:{referral.desk_id}:{moved}", tx.now + REMEMBERED) == 1
