"""Home: one screen for each role, never two roles mixed; whoever has several chooses one knowingly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from handlers import family
from handlers.reply import Reply, Turn
from referrals.model import Role
from referrals.said import Button, Keyboard
from referrals.service.alarm import safety_plans
from referrals.service.attendance import attendance, body_questions
from referrals.service.by_word import attendance_by_word
from referrals.service.common import doors
from referrals.service.common.tell import column, page_button, press
from referrals.service.joint import proposing
from referrals.service.members import linking
from referrals.service.people import choosing, conversations
from referrals.service.request import needs

Rows = Callable[[Turn], list[Button]]


def home(turn: Turn) -> Reply:
    """Where a person finds themselves: an open form goes on; without a language that comes first."""
    talk = conversations.current(turn.tx, turn.person)
    if talk is not None:
        return family.show(turn, talk)
    if not turn.person.language:
        return language(turn)
    return Reply("home.hello", {}, buttons(turn))


def choose(turn: Turn) -> Reply:
    """Home in one of one's roles; in one that is not theirs, it is the first of their own."""
    return Reply("home.hello", {}, buttons(turn, turn.word(0)))


def language(turn: Turn) -> Reply:
    """/language"""
    return Reply("form.language_only", {}, languages(turn))


def languages(turn: Turn) -> Keyboard:
    """One button for each language."""
    return column(press(f"language.{la}", "lang", la) for la in turn.tx.catalogue.languages)


def buttons(turn: Turn, wanted: str = "") -> Keyboard:
    """What can be done in one role (the first post, or a family's), and the way to the other ones."""
    roles = roles_of(turn)
    role = next((one for one in roles if one == wanted), roles[0])
    others = [press(f"as.{one}", "home", one) for one in roles if one is not role]
    return column((*HOME[role](turn), *others))


def roles_of(turn: Turn) -> list[Role]:
    """A person's posts, in the order in which they are needed at once; asking for help is everybody's."""
    held = doors.roles_of(turn.tx, turn.person.id)
    return [role for role in HOME if role in held]


def _coordinator(turn: Turn) -> list[Button]:
    return [
        press("button.queue", "desk.queue"),
        page_button("button.rota", "rota"),
        page_button("button.newcomer", "newcomer"),
        page_button("button.posts", "posts"),
        *_asked_by_bodies(turn),
        page_button("button.my_things", "me"),
    ]


def _asked_by_bodies(turn: Turn) -> list[Button]:
    """What bodies asked, and why nothing was said: longer than a day, which is how long a message stands."""
    asked = body_questions.of_desk(turn.tx, turn.person.id)
    asked = asked or attendance_by_word.to_ask(turn.tx, turn.person.id)
    return [page_button("button.asked_by_bodies", "attendance/desk")] if asked else []


def _mentor(turn: Turn) -> list[Button]:
    return [
        press("button.check_in", "next"),
        press("button.members", "members"),
        press("button.meeting", "group"),
        press("button.danger", "danger"),
        press("button.reminders", "reminders"),
        page_button("button.my_things", "me"),
    ]


def _worker(turn: Turn) -> list[Button]:
    return [
        page_button("button.cases", "work"),
        page_button("button.my_things", "me"),
        page_button("button.room", "room"),
        *_body(turn),
        *_proposing(turn),
        page_button("button.have_code", "track"),
    ]


def _body(turn: Turn) -> list[Button]:
    """Whoever supervises people may ask about them here, and nowhere else."""
    asks = body_questions.may_ask(turn.tx, turn.person.id)
    return [page_button("button.body_questions", "attendance/body")] if asks else []


def _proposing(turn: Turn) -> list[Button]:
    """Staff of a body that holds people, where an agreement lets them propose a plan for somebody."""
    may = proposing.pathways(turn.tx, turn.person.id)
    return [page_button("button.propose_plan", "tasks")] if may else []


def _steward(turn: Turn) -> list[Button]:
    return [page_button("button.posts", "posts"), page_button("button.my_things", "me")]


def _family(turn: Turn) -> list[Button]:
    known = turn.tx.catalogue.pathways
    pathways = sorted({poster.pathway for poster in turn.tx.directory.posters.values()})
    named = [p for p in pathways if p in known and known[p].in_chat]
    sent = attendance.still_reads(turn.tx, turn.person.id)
    before = [page_button("button.attendance", "attendance")] if sent else []
    return [*_asking(named), *_something_else(turn), press("button.circle", "circle"), *before, *_own()]


def _member(turn: Turn) -> list[Button]:
    """A member on their own phone: what their mentor could ask for, they can too."""
    pathways = needs.pathways_of(turn.tx, [Role.MEMBER])
    tied = [e.id for e in linking.tied_to(turn.tx, turn.person.id) if safety_plans.exists(turn.tx, e.id)]
    plans = [page_button("button.hard_days", f"safety/{enrolment_id}") for enrolment_id in tied]
    danger = press("button.danger", "danger")
    asking = [*_asking(pathways), *_something_else(turn)]
    return [press("button.check_in", "next"), *asking, danger, *plans, *_confirmations(turn), *_own()]


def _confirmations(turn: Turn) -> list[Button]:
    """A member's own, where there is anybody to whom one may be sent."""
    possible = attendance.receivers(turn.tx) and attendance.is_member(turn.tx, turn.person.id)
    return [page_button("button.attendance", "attendance")] if possible else []


def _asking(pathways: Iterable[str]) -> list[Button]:
    return [press(f"pathway.{pathway}", "ask", pathway) for pathway in pathways]


def _something_else(turn: Turn) -> list[Button]:
    """What no chat may name is chosen on a page."""
    return [page_button("button.something_else", "choose")] if choosing.private(turn.tx, turn.person) else []


def _own() -> list[Button]:
    return [page_button("button.my_things", "me"), page_button("button.have_code", "track")]


# In the order of urgency: a coordinator who is a mentor too sees the desk first.
HOME: Mapping[Role, Rows] = {
    Role.COORDINATOR: _coordinator,
    Role.MENTOR: _mentor,
    Role.WORKER: _worker,
    Role.STEWARD: _steward,
    Role.MEMBER: _member,
    Role.FAMILY: _family,
}
