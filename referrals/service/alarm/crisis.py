"""An alarm: from the tap to the coordinator who says 'I have it', and to its end.

It never goes to the police by itself. Whom it wakes and when is `ladder.py`'s table; here it is only done. An
alarm names the case code and nothing else, ignores everybody's writing windows, and waits for no undo.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from referrals import ladder
from referrals.access import Action, allow
from referrals.errors import AlreadyHandled, NotFound
from referrals.ladder import Whom
from referrals.members import Crisis, Danger, Enrolment, EnrolmentState
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.alarm import alarm_numbers, alarms, safety_plans, safety_sharing
from referrals.service.common import doors, emergency, tell
from referrals.service.desk import rota
from referrals.service.members import enrolments

TIMER, STILL = "crisis", "crisis_still"
HANDLED, FALSE_ALARM = "handled", "false_alarm"


# -- to raise ----------------------------------------------------------------------------------------


def raise_alarm(
    tx: Tx, actor: Actor, enrolment: Enrolment, check_in_id: str | None, danger: Danger
) -> Crisis:
    """Wake whoever is on call, at once. Raised again by the same person it is the same alarm."""
    allow(actor, Action.CRISIS_RAISE)
    tx.get(Enrolment, enrolment.id, lock=True)  # two who press at once come one after the other
    same = tx.find(
        Crisis, enrolment_id=enrolment.id, check_in_id=check_in_id, raised_by=actor.person_id, ended_at=None
    )
    if same:
        return _more_danger(tx, actor, same[0], danger)
    crisis = Crisis(tx.new_id(), enrolment.id, check_in_id, actor.person_id, tx.now, danger)
    tx.add(crisis)
    tx.audit(AuditEntry(actor, Action.CRISIS_RAISE, f"crisis:{crisis.id}", danger))
    holding = [c.held_by for c in tx.find(Crisis, enrolment_id=enrolment.id, ended_at=None) if c.held_by]
    return _climb(tx, crisis, enrolment, also=holding)


def of_home(tx: Tx, person_id: str) -> list[Enrolment]:
    """Whom somebody can raise an alarm about: themselves first, then their members by code."""
    own = [e for e in tx.find(Enrolment, person_id=person_id) if e.mentor_seat]
    found = {e.id: e for e in (*own, *enrolments.of_person(tx, person_id))}
    return [enrolment for enrolment in found.values() if enrolment.state is not EnrolmentState.LEFT]


def raise_from_home(tx: Tx, person_id: str, enrolment_id: str) -> Crisis:
    """'Somebody is in danger', by a mentor or on the member's own phone; NotFound for others."""
    actor, enrolment = _raiser(tx, person_id, enrolment_id)
    if not enrolment.mentor_seat:
        raise NotFound  # a stranger joins a circle with one press, and is asked how they are now and then
    return raise_alarm(tx, actor, enrolment, None, Danger.UNKNOWN)


def say_danger(tx: Tx, person_id: str, crisis_id: str, danger: Danger) -> Crisis:
    """Whoever raised it says whether anybody is in danger now; a yes is said to everybody who was woken."""
    crisis = alarms.locked(tx, crisis_id)
    if crisis.raised_by != person_id:
        raise NotFound
    actor, _ = _raiser(tx, person_id, crisis.enrolment_id)
    return crisis if crisis.ended_at else _more_danger(tx, actor, crisis, danger)


def _more_danger(tx: Tx, actor: Actor, crisis: Crisis, danger: Danger) -> Crisis:
    if danger in (crisis.danger, Danger.UNKNOWN):
        return crisis
    saved = tx.save(replace(crisis, danger=danger))
    tx.audit(AuditEntry(actor, Action.CRISIS_RAISE, f"crisis:{saved.id}", danger))
    if danger is Danger.YES:
        enrolment = alarms.enrolment_of(tx, saved)
        for person_id in alarms.woken(tx, saved):
            alarms.alert(tx, person_id, saved, enrolment)
    return saved


def _raiser(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    actor, enrolment = _theirs(tx, person_id, enrolment_id)
    if enrolment.state is EnrolmentState.LEFT:
        raise NotFound
    return actor, enrolment


def _theirs(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """Themselves on their own phone, or whoever looks after them; NotFound for everybody else."""
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        raise NotFound
    if enrolment.person_id == person_id:
        return Actor(person_id, Role.MEMBER if enrolment.mentor_seat else Role.FAMILY), enrolment
    return enrolments.mine(tx, person_id, enrolment_id)


# -- the ladder --------------------------------------------------------------------------------------


def escalate(tx: Tx, crisis_id: str) -> None:
    """Timer: nobody has said 'I have it' yet."""
    crisis = tx.get(Crisis, crisis_id, lock=True)
    if crisis is not None and crisis.held_by is None and crisis.ended_at is None:
        _climb(tx, crisis, alarms.enrolment_of(tx, crisis))


def begin(tx: Tx) -> None:
    """At the product's start: an alarm that nobody has goes on, whatever became of its timer or the clock."""
    for crisis in tx.find(Crisis, ended_at=None):
        kind = STILL if crisis.held_by else TIMER
        latest = tx.now + ladder.STILL if crisis.held_by else ladder.due_by(tx.now)
        waiting = tx.get(Timer, f"{kind}:{crisis.id}")
        if waiting is None or waiting.due_at > latest:
            tx.set_timer(kind, crisis.id, tx.now)


def _climb(tx: Tx, crisis: Crisis, enrolment: Enrolment, also: Iterable[str | None] = ()) -> Crisis:
    climbed = ladder.climb(crisis.raised_at, crisis.step, tx.now)
    seats = _woken(tx, climbed.rung.whom)
    alone = not seats  # nobody on call can be reached: everybody at once, and whoever asked is told
    people = {seat.person_id for seat in seats or tell.coordinators(tx)} | set(also)
    heard = [p for p in sorted(filter(None, people)) if alarms.alert(tx, p, crisis, enrolment)]
    saved = tx.save(replace(crisis, step=climbed.step, told=tuple(sorted({*crisis.told, *heard}))))
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"crisis:{saved.id}", f"rung {climbed.step}"))
    tx.set_timer(TIMER, saved.id, climbed.next_at)
    if climbed.rung.asker or alone:
        text = "mentor.nobody_yet_call" if climbed.rung.asker else "mentor.nobody_on_call"
        alarms.tell_asker(tx, saved, enrolment, text)
    return saved


def _woken(tx: Tx, whom: Whom) -> list[Seat]:
    if whom is Whom.EVERYBODY:
        return tell.coordinators(tx)
    on = rota.on_call(tx)
    return on + [s for s in rota.next_up(tx) if s not in on] if on and whom is Whom.NEXT_TOO else on


# -- to hold -----------------------------------------------------------------------------------------


def hold(tx: Tx, person_id: str, crisis_id: str) -> Crisis:
    """A coordinator says 'I have it': the ladder ends, whoever asked is told. One wins: AlreadyHandled."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.CRISIS_HOLD)
    crisis = alarms.locked(tx, crisis_id)
    if crisis.ended_at is None and crisis.held_by == person_id:
        return crisis
    if crisis.ended_at is not None or crisis.held_by is not None:
        raise AlreadyHandled  # a colleague has it, or it was a false alarm: two must not both drive out
    held = _hold(tx, actor, crisis)
    others = tx.find(Crisis, enrolment_id=crisis.enrolment_id, ended_at=None, held_by=None)
    for other in others:  # two have raised the alarm about the same member: it is one matter
        _hold(tx, actor, other)
    safety_plans.settle(tx, alarms.enrolment_of(tx, held))
    return held


def hold_by_code(tx: Tx, person_id: str, code: str) -> Crisis:
    """The same by the case code that the alert named ('have K7-29')."""
    doors.as_seat(tx, person_id, Role.COORDINATOR)
    found = tx.find(Enrolment, code=code)
    open_ones = tx.find(Crisis, enrolment_id=[e.id for e in found], ended_at=None) if found else []
    if not open_ones:
        raise NotFound
    # What nobody has yet comes first: an earlier alarm about them may be somebody's already.
    wanted = min(open_ones, key=lambda each: (each.held_by is not None, each.held_by != person_id))
    return hold(tx, person_id, wanted.id)


def _hold(tx: Tx, actor: Actor, crisis: Crisis) -> Crisis:
    held = tx.save(replace(crisis, held_by=actor.person_id, held_at=tx.now))
    tx.clear_timer(TIMER, held.id)
    tx.set_timer(STILL, held.id, tx.now + ladder.STILL)
    tx.audit(AuditEntry(actor, Action.CRISIS_HOLD, f"crisis:{held.id}"))
    alarm_numbers.settle(tx, held)
    enrolment = alarms.enrolment_of(tx, held)
    for person_id in held.told:
        if person_id != actor.person_id:
            tell.quietly(tx, person_id, alarms.slot_of(held), "desk.crisis_held", {"code": enrolment.code})
    alarms.tell_held(tx, held, enrolment)
    return held


def still(tx: Tx, crisis_id: str) -> None:
    """Timer: held for twelve hours and not ended. The holder is asked; without one it is everybody's."""
    crisis = tx.get(Crisis, crisis_id, lock=True)
    if crisis is None or crisis.ended_at is not None or crisis.held_by is None:
        return
    reachable = {seat.person_id for seat in tell.coordinators(tx)}
    if crisis.held_by not in reachable:
        _let_go(tx, SYSTEM, crisis)
        return
    code = {"code": alarms.enrolment_of(tx, crisis).code}
    slot, buttons = alarms.slot_of(crisis), alarms.holders_buttons(crisis)
    tell.tell(tx, crisis.held_by, "desk.crisis_still", code, buttons=buttons, slot=slot)
    tx.set_timer(STILL, crisis.id, tx.now + ladder.STILL)


def let_go(tx: Tx, person_id: str, crisis_id: str) -> Crisis:
    """'Somebody else must take it': it is everybody's again, at once."""
    actor, crisis = held_one(tx, person_id, crisis_id, Action.CRISIS_HOLD)
    return _let_go(tx, actor, crisis)


def departed(tx: Tx, person_id: str) -> None:
    """A coordinator's post was left, or cannot be reached: what they held is everybody's again."""
    if any(seat.person_id == person_id for seat in tell.coordinators(tx)):
        return  # they hold another post, and are there
    for found in tx.find(Crisis, held_by=person_id, ended_at=None):
        _let_go(tx, SYSTEM, alarms.locked(tx, found.id))


def _let_go(tx: Tx, actor: Actor, crisis: Crisis) -> Crisis:
    former = crisis.held_by
    last = len(ladder.LADDER) - 1  # everybody, and whoever asked hears it
    free = tx.save(replace(crisis, held_by=None, held_at=None, step=last))
    tx.clear_timer(STILL, free.id)
    tx.audit(AuditEntry(actor, Action.CRISIS_HOLD, f"crisis:{free.id}", "let go"))
    enrolment = alarms.enrolment_of(tx, free)
    alarm_numbers.settle(tx, free)
    safety_plans.settle(tx, enrolment)
    climbed = _climb(tx, free, enrolment)
    if former:
        tell.quietly(tx, former, alarms.slot_of(free), "desk.crisis_let_go", {"code": enrolment.code})
    return climbed


# -- to end ------------------------------------------------------------------------------------------


def handled(tx: Tx, person_id: str, crisis_id: str) -> Crisis:
    """The holder says that it is looked after; with it every open alarm of this member that they hold."""
    actor, crisis = held_one(tx, person_id, crisis_id, Action.CRISIS_END)
    held = tx.find(Crisis, enrolment_id=crisis.enrolment_id, held_by=person_id, ended_at=None)
    ended = [_end(tx, actor, each, HANDLED) for each in held]
    for each in ended:
        code = {"code": alarms.enrolment_of(tx, each).code}
        tell.tell(tx, each.raised_by, "mentor.crisis_over", code, slot=alarms.askers_slot(each))
    return ended[0]


def false_alarm(tx: Tx, check_in_id: str) -> None:
    """The check-in was taken back within its minute: everybody who was woken is told, held already or not."""
    for found in tx.find(Crisis, check_in_id=check_in_id, ended_at=None):
        crisis = alarms.locked(tx, found.id)
        _false(tx, Actor(crisis.raised_by, Role.MENTOR), crisis)


def was_false(tx: Tx, person_id: str, crisis_id: str) -> Crisis:
    """Whoever raised it says later that it was a false alarm."""
    crisis = alarms.locked(tx, crisis_id)
    if crisis.raised_by != person_id:
        raise NotFound
    if crisis.ended_at is not None:
        return crisis
    actor, _ = _theirs(tx, person_id, crisis.enrolment_id)  # also of somebody who has left since
    return _false(tx, actor, crisis)


def _false(tx: Tx, actor: Actor, crisis: Crisis) -> Crisis:
    if crisis.ended_at is not None:
        return crisis
    allow(actor, Action.CRISIS_RAISE)
    ended = _end(tx, actor, crisis, FALSE_ALARM)
    code = {"code": alarms.enrolment_of(tx, ended).code}
    for person_id in ended.told:
        tx.recall_notices(person_id, alarms.slot_of(ended))
        tell.tell(tx, person_id, "desk.false_alarm", code, slot=alarms.slot_of(ended), priority=alarms.NOW)
    return ended


def _end(tx: Tx, actor: Actor, crisis: Crisis, ended_as: str) -> Crisis:
    ended = tx.save(replace(crisis, ended_at=tx.now, ended_as=ended_as))
    tx.clear_timers(ended.id)
    action = Action.CRISIS_RAISE if ended_as == FALSE_ALARM else Action.CRISIS_END
    tx.audit(AuditEntry(actor, action, f"crisis:{ended.id}", ended_as))
    alarm_numbers.settle(tx, ended)
    safety_sharing.crisis_ended(tx, ended)
    safety_plans.settle(tx, alarms.enrolment_of(tx, ended))
    return ended


# -- parts -------------------------------------------------------------------------------------------


def held_one(tx: Tx, person_id: str, crisis_id: str, action: Action) -> tuple[Actor, Crisis]:
    """An open alarm that this coordinator holds, locked; NotFound for everybody else."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, action)
    crisis = alarms.locked(tx, crisis_id)
    if crisis.held_by != person_id or crisis.ended_at is not None:
        raise NotFound
    return actor, crisis


def emergency_lines(tx: Tx, area: str = "", language: str = "") -> str:
    """Whom to call, as it is said: 'Ambulance 1669 / …' (see `emergency.py`)."""
    return emergency.said(tx, area, language)
