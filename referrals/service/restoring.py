"""After a backup was restored: what people took back since then is taken back again, from the ledger.

A restored database is some hours old and does not know what happened since. Whatever was lost is lost; but a
yes that was withdrawn, a phone that was lost, a post that was left must not come to life. Where it is not
certain, the careful side is taken: a partner loses access, a post stands empty, an agreement is out of force,
and the desk or the steward puts it right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from referrals import circles as rules_of_circles
from referrals.access import Action, allow
from referrals.casework import Circle, CircleSide, Confirmation, DeskShare
from referrals.consent import OWN_NO
from referrals.directory import Agreement, Organization
from referrals.lifecycle import ENDED, OPEN, REFERRAL_STEPS, Step, move
from referrals.members import Crisis, Enrolment, EnrolmentState, HandOver, SafetyShare, held_by
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    Consent,
    Offer,
    Referral,
    Stage,
    organization_holder,
    person_holder,
)
from referrals.persons import Device, DeviceState, Person, Presence, Recovery, Seat
from referrals.ports import Erasure, Taken, Tx
from referrals.service import leaving, retention
from referrals.service.attendance import attendance
from referrals.service.common import doors, tell
from referrals.service.desk import swaps
from referrals.service.help import working
from referrals.service.matter import circle_sides, matching, offering, sharing
from referrals.service.members import enrolments
from referrals.service.request import behalf
from referrals.service.turns import offers

_ENDS = (Step.WITHDRAW, Step.EXPIRE, Step.VOID)


@dataclass(frozen=True, slots=True)
class Restored:
    """What the ledger changed, for whoever restores: counts, never ids."""

    destroyed: int
    withdrawn: int
    to_desk: int
    silenced: int
    devices_ended: int
    posts_checked: int
    directory_changes: int


def after_restore(tx: Tx, actor: Actor, made: datetime, taken: Sequence[Erasure]) -> Restored:
    """Make an older picture true to what was taken back since; `taken` in the order in which it was.

    Keys and ciphertexts that were destroyed, wraps that were cut and rows that were removed are gone already.
    """
    allow(actor, Action.BACKUP_RESTORE)
    for erasure in taken:
        subject = f"{erasure.record.table}:{erasure.record.row}"
        tx.audit(AuditEntry(actor, Action.BACKUP_RESTORE, subject, erasure.kind.value))
        if (erasure.kind, erasure.record.table) == (Taken.REMOVED, "person"):
            tx.forget_holder(person_holder(erasure.record.row))
    states = _last_states(taken)
    for (table, row), state in states.items():
        if table in _STATES:
            _STATES[table](tx, row, state)
    ended = {row: state for (table, row), state in states.items() if table == "referral"}
    handed = 0
    for referral_id in _touched(tx, taken, states):
        to_desk = _put_right(tx, referral_id, ended.get(referral_id, ""), taken)
        done = "to_desk" if to_desk else "settled"
        tx.audit(AuditEntry(actor, Action.BACKUP_RESTORE, f"referral:{referral_id}", done))
        handed += to_desk
    for erasure in taken:
        if erasure.kind is Taken.UNBOUND and tx.get(Person, erasure.record.row) is not None:
            tx.set_timer(leaving.ERASE, erasure.record.row, tx.now)  # they were leaving: it goes on
    # Last, so that the audit tells of the restore after what it did.
    detail = f"{made:%Y-%m-%dT%H:%MZ}"
    tx.audit(AuditEntry(actor, Action.BACKUP_RESTORE, "backup:restored", detail))
    kinds = [table for table, _ in states]
    return Restored(
        destroyed=sum(e.kind is Taken.DESTROYED for e in taken),
        withdrawn=kinds.count("consent"),
        to_desk=handed,
        silenced=kinds.count("person"),
        devices_ended=kinds.count("device"),
        posts_checked=sum(table == "seat" for table in kinds),
        directory_changes=kinds.count("agreement") + kinds.count("organization"),
    )


def _last_states(taken: Iterable[Erasure]) -> dict[tuple[str, str], str]:
    """(table, row) -> the newest state that the ledger tells of."""
    return {(e.record.table, e.record.row): e.holder for e in taken if e.kind is Taken.STATE}


# --- Rows whose state must not come undone -----------------------------------------------------------


def _withdraw(tx: Tx, row: str, _: str) -> None:
    given = tx.get(Consent, row)
    if given is not None and given.withdrawn_at is None:
        tx.save(replace(given, withdrawn_at=tx.now))
        tx.clear_timers(given.id)


def _end_device(tx: Tx, row: str, _: str) -> None:
    device = tx.get(Device, row)
    if device is not None and device.state is not DeviceState.ENDED:
        tx.save(replace(device, state=DeviceState.ENDED, since=tx.now, proved_until=None))


def _silence(tx: Tx, row: str, state: str) -> None:
    """A lost phone is more than a hidden chat: what /start would undo must not stand in its place."""
    person = tx.get(Person, row)
    if person is not None and person.presence not in (Presence.LOST, Presence(state)):
        tx.recall_notices(person.id)
        tx.save(replace(person, presence=Presence(state)))


def _empty_seat(tx: Tx, row: str, state: str) -> None:
    """Whoever held it then may not hold it now; who does is invited again."""
    seat = tx.get(Seat, row)
    if seat is not None and seat.person_id and state != f"held:{seat.person_id}":
        tx.save(replace(seat, person_id=None, since=tx.now))
        swaps.departed(tx, seat.id)


def _let_go(tx: Tx, row: str, state: str) -> None:
    """Whoever gave a member away, stood in, or was untied has them no more; who does now, the desk says."""
    enrolment = tx.get(Enrolment, row, lock=True)
    if enrolment is None or state == held_by(enrolment):
        return
    stage, *seats, person_id = state.split("|")
    mentor, backup, stand_in = (
        seat if seat in seats else None
        for seat in (enrolment.mentor_seat, enrolment.backup_seat, enrolment.stand_in_seat)
    )
    after = replace(
        enrolment,
        mentor_seat=mentor,
        backup_seat=backup,
        stand_in_seat=stand_in,
        person_id=enrolment.person_id if enrolment.person_id == person_id else None,
        state=EnrolmentState.LEFT if stage == EnrolmentState.LEFT else enrolment.state,
    )
    if after != enrolment:
        saved = enrolments.change(tx, SYSTEM, after, Action.BACKUP_RESTORE, "let go")
        tx.set_timer(enrolments.RHYTHM, saved.id, tx.now)


def _suspend_agreement(tx: Tx, row: str, _: str) -> None:
    """It was changed, and we do not know how: out of force until the network file is applied again."""
    agreement = tx.get(Agreement, row)
    day = tx.now.date() - timedelta(days=2)  # in no time zone is it in force any more
    if agreement is not None and agreement.ends_on > day:
        tx.save(replace(agreement, ends_on=day))


def _suspend_organization(tx: Tx, row: str, _: str) -> None:
    organization = tx.get(Organization, row)
    if organization is not None and not organization.suspended:
        tx.save(replace(organization, suspended=True))


def _forget_recovery(tx: Tx, row: str, _: str) -> None:
    """It was used or replaced: the old code must not open anything."""
    recovery = tx.get(Recovery, row)
    if recovery is not None:
        tx.remove(recovery)


def _end_alarm(tx: Tx, row: str, state: str) -> None:
    """It was looked after since, or was none: nobody is woken by it again."""
    crisis = tx.get(Crisis, row)
    if crisis is not None and crisis.ended_at is None:
        tx.save(replace(crisis, ended_at=tx.now, ended_as=state))
        tx.clear_timers(crisis.id)


def _end_share(tx: Tx, row: str, _: str) -> None:
    """It was ended or refused since; its keys are cut already."""
    share = tx.get(SafetyShare, row)
    if share is not None and share.ended_at is None:
        tx.save(replace(share, ended_at=tx.now))
        tx.clear_timers(share.id)


def _end_reading_along(tx: Tx, row: str, _: str) -> None:
    """The person took it back since; what is written from now on is none of the desk's."""
    share = tx.get(DeskShare, row)
    if share is not None and share.ended_at is None:
        tx.save(replace(share, ended_at=tx.now))


def _refuse_hand_over(tx: Tx, row: str, _: str) -> None:
    """It was refused or taken back since: an old yes-button must not give a member to anybody."""
    asked = tx.get(HandOver, row)
    if asked is not None and asked.taken_at is None and asked.refused_at is None:
        tx.save(replace(asked, refused_at=tx.now))
        tx.clear_timers(asked.id)


def _stop_circle(tx: Tx, row: str, _: str) -> None:
    """It was stopped since: both sides hear so at an hour of their own, as they would have."""
    circle = tx.get(Circle, row, lock=True)
    if circle is not None and not rules_of_circles.over(circle):
        circle_sides.stop(tx, circle, "")


def _unsay_second(tx: Tx, row: str, _: str) -> None:
    """A second yes that was taken back: it can be said again."""
    side = tx.get(CircleSide, row)
    circle = tx.get(Circle, side.circle_id, lock=True) if side is not None else None
    if side is None or circle is None or side.second_yes_at is None:
        return
    tx.save(replace(side, second_yes_at=None))
    after = rules_of_circles.stands(circle, circle_sides.of_circle(tx, circle.id), tx.now)
    if after is not circle:
        tx.save(after)
        tx.audit(AuditEntry(SYSTEM, Action.BACKUP_RESTORE, f"circle:{circle.id}", after.state.value))


def _unsend(tx: Tx, row: str, _: str) -> None:
    """The yes to a confirmation was taken back since: nothing of it is read any more."""
    found = tx.get(Confirmation, row)
    if found is not None and found.agreed_at is not None:
        attendance.unsay(tx, found)


_STATES: Mapping[str, Callable[[Tx, str, str], None]] = {
    "consent": _withdraw,
    "device": _end_device,
    "person": _silence,
    "seat": _empty_seat,
    "enrolment": _let_go,
    "agreement": _suspend_agreement,
    "organization": _suspend_organization,
    "recovery": _forget_recovery,
    "crisis": _end_alarm,
    "safety_share": _end_share,
    "desk_share": _end_reading_along,
    "hand_over": _refuse_hand_over,
    "circle": _stop_circle,
    "circle_side": _unsay_second,
    "confirmation": _unsend,
}


# --- Matters -----------------------------------------------------------------------------------------


def _touched(tx: Tx, taken: Iterable[Erasure], states: Mapping[tuple[str, str], str]) -> list[str]:
    """Every referral of which something was taken back, or whose partner's standing changed."""
    found: dict[str, None] = {}
    for erasure in taken:
        table, row = erasure.record.table, erasure.record.row
        if table == "referral":
            found[row] = None
        elif table == "thread":
            offer = tx.get(Offer, row)
            found |= {offer.referral_id: None} if offer else {}
        elif table == "consent":
            given = tx.get(Consent, row)
            found |= {given.referral_id: None} if given else {}
    if any(table in ("agreement", "organization") for table, _ in states):
        found |= {referral.id: None for referral in tx.find(Referral, stage=OPEN)}
    return list(found)


def _put_right(tx: Tx, referral_id: str, state: str, taken: Sequence[Erasure]) -> bool:
    """One matter, its partners' access by the rule of this moment. True when the desk got it.

    `state`: how the ledger says that it ended, 'stage' or 'stage:own_no'; '' where it says nothing of it.
    """
    ended, _, why = state.partition(":")
    referral = tx.get(Referral, referral_id, lock=True)
    if referral is None:
        return False
    own = {(e.kind, e.holder) for e in taken if e.record == referral.record}
    erased = (Taken.DESTROYED, "") in own
    left = (Taken.UNSHARED, person_holder(referral.author_id)) in own  # moved to another phone since
    to_desk = False
    if referral.stage not in ENDED:
        if erased or ended:
            referral = _end(tx, referral, Stage(ended or Stage.WITHDRAWN))
        elif left or _partner_lost(tx, referral, own):
            referral, to_desk = _to_desk(tx, referral), True
    if why == OWN_NO:
        referral = behalf.heard_no(tx, referral)
    if erased:  # and with its keys went whatever else would lead from it to somebody
        tx.save(replace(referral, retain_until=tx.now))
        retention.retire(tx, referral.id)
        return False
    if left:
        referral = tx.save(replace(referral, author_id=""))
    sharing.settle(tx, referral)
    return to_desk


def _partner_lost(tx: Tx, referral: Referral, own: set[tuple[Taken, str]]) -> bool:
    """Whether the partner that holds the matter, or is asked, lost its keys or the yes that gave them."""
    if referral.stage in (Stage.DRAFT, Stage.AWAITING_CONSENT, Stage.UNMATCHED):
        return False
    if doors.consent_in_force(tx, referral) is None:
        return True
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    return offer is not None and (Taken.UNSHARED, organization_holder(offer.organization_id)) in own


def _end(tx: Tx, referral: Referral, stage: Stage) -> Referral:
    """It was ended since: it ends again, and nobody is told a second time."""
    offers.recall(tx, referral, "worker.no_longer_open", aloud=False)
    possible = REFERRAL_STEPS[referral.stage]
    step = next((s for s in _ENDS if possible.get(s) is stage), Step.WITHDRAW)
    kept = timedelta(days=matching.pathway_of(tx, referral).retention_days)
    after = tx.save(replace(move(referral, step, tx.now), escalated=False, retain_until=tx.now + kept))
    tx.clear_timers(after.id)
    tx.set_timer("retention", after.id, tx.now + kept)
    tell.settle_desk(tx, after)
    return after


def _to_desk(tx: Tx, referral: Referral) -> Referral:
    """Nobody may go on by themselves: no partner, no timer. The desk asks the person what is so."""
    offers.recall(tx, referral, "worker.no_longer_open", aloud=False)
    tx.clear_timers(referral.id)
    back = next(
        (s for s in (Step.PASS_ON, Step.RETURN, Step.REMATCH) if s in REFERRAL_STEPS[referral.stage]), None
    )
    free = replace(referral, organization_id=None, accepted_by=None, offer_id=None)
    if referral.stage is not Stage.MATCHING and back is not None:
        free = tx.save(move(free, back, tx.now))
    if free.stage is Stage.MATCHING:
        offering.run_out(tx, free)
    else:
        working.escalate(tx, tx.save(free), "desk.unmatched")
    return doors.referral_by_id(tx, referral.id)
