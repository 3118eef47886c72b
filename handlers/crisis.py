"""'Somebody is in danger': whom to call, and the alarm in two presses; and what its holder can press."""

from __future__ import annotations

from handlers import home
from handlers.reply import Reply, Turn
from referrals.errors import BadAnswer
from referrals.members import Crisis, Danger, Enrolment
from referrals.said import Button, Keyboard
from referrals.service.alarm import alarms, crisis
from referrals.service.common import emergency
from referrals.service.common.tell import column, press

MOST = 12  # members in one short message; DANGER and the code reaches each of them


def ask(turn: Turn) -> Reply:
    """First press: whom to call now, and about whom the desk shall be woken."""
    found = crisis.of_home(turn.tx, turn.person.id)
    lines = {"lines": emergency.for_person(turn.tx, turn.person.id)}
    if not found:  # nobody knows them by a code: words, and the way to ask for help
        return Reply("home.danger", lines, home.buttons(turn))
    named = [enrolment for enrolment in found if enrolment.code == turn.word(0)]
    about = column(_about(turn, enrolment) for enrolment in (named or found)[:MOST])
    return Reply("alarm.who", lines, (*about, (press("button.back", "home"),)), slot="alarm")


def raise_it(turn: Turn) -> Reply:
    """Second press: the desk is woken at once. Whether anybody is in danger now can be said after that."""
    raised = crisis.raise_from_home(turn.tx, turn.person.id, turn.word(0))
    return _raised(turn, raised, "alarm.raised")


def say_danger(turn: Turn) -> Reply:
    """Whether anybody is in danger now; a yes is said to whoever was woken."""
    if turn.word(1) not in [danger.value for danger in Danger]:
        raise BadAnswer
    raised = crisis.say_danger(turn.tx, turn.person.id, turn.word(0), Danger(turn.word(1)))
    return _raised(turn, raised, "alarm.known")


def false_alarm(turn: Turn) -> Reply:
    """Whoever raised it takes it back: everybody who was woken is told."""
    ended = crisis.was_false(turn.tx, turn.person.id, turn.word(0))
    text = "alarm.taken_back" if ended.ended_as == crisis.FALSE_ALARM else "alarm.over"
    return Reply(text, slot=alarms.askers_slot(ended), toast="toast.thank_you")


def hold(turn: Turn) -> Reply:
    """'I have it': the ladder ends here."""
    return _yours(turn, crisis.hold(turn.tx, turn.person.id, turn.word(0)))


def have(turn: Turn) -> Reply:
    """HAVE and the code, typed."""
    return _yours(turn, crisis.hold_by_code(turn.tx, turn.person.id, turn.word(0)))


def handled(turn: Turn) -> Reply:
    """The holder's word that it is looked after."""
    ended = crisis.handled(turn.tx, turn.person.id, turn.word(0))
    return Reply("desk.crisis_over", _code(turn, ended), slot=alarms.slot_of(ended), toast="toast.thank_you")


def let_go(turn: Turn) -> Reply:
    """Somebody else must take it: the verb itself wakes everybody, the one who let go included."""
    crisis.let_go(turn.tx, turn.person.id, turn.word(0))
    return Reply(toast="toast.thank_you")


def _about(turn: Turn, enrolment: Enrolment) -> Button:
    if enrolment.person_id == turn.person.id:
        return press("button.about_me", "danger.who", enrolment.id)
    return Button("button.about", f"1:danger.who:{enrolment.id}", params={"code": enrolment.code})


def _raised(turn: Turn, raised: Crisis, text: str) -> Reply:
    lines = {"lines": emergency.for_person(turn.tx, turn.person.id, alarms.enrolment_of(turn.tx, raised))}
    asked = (
        press("button.danger_yes", "danger.now", raised.id, Danger.YES),
        press("button.danger_no", "danger.now", raised.id, Danger.NO),
    )
    rows: Keyboard = ((alarms.false_alarm_button(raised),),)
    if alarms.about_oneself(raised, alarms.enrolment_of(turn.tx, raised)):
        rows = ((alarms.leave_button(raised),), *rows)
    if raised.danger is Danger.UNKNOWN:
        rows = (asked, *rows)
    return Reply(text, lines, rows, slot=alarms.askers_slot(raised))


def _yours(turn: Turn, held: Crisis) -> Reply:
    enrolment = alarms.enrolment_of(turn.tx, held)
    shown = {**_code(turn, held), "lines": emergency.for_person(turn.tx, turn.person.id, enrolment)}
    buttons = alarms.holders_buttons(held)
    alone = "desk.crisis_yours_number" if alarms.has_number(turn.tx, held) else "desk.crisis_yours_alone"
    text = "desk.crisis_yours" if enrolment.mentor_seat else alone
    return Reply(text, shown, buttons, slot=alarms.slot_of(held), toast="toast.thank_you")


def _code(turn: Turn, found: Crisis) -> dict[str, str]:
    return {"code": alarms.enrolment_of(turn.tx, found).code}
