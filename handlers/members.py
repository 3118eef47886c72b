"""A mentor's members in the chat: the list, a while away, handovers; and a member's own phone."""

from __future__ import annotations

from dataclasses import replace

from handlers import home
from handlers.reply import Reply, Turn
from referrals.errors import StaleButton
from referrals.said import Button
from referrals.service.common import tell
from referrals.service.common.tell import column, page_button, press
from referrals.service.contact import caseload
from referrals.service.members import enrolments, handing_members, linking, mentoring, standing_in

FIRST = 8  # members with a button of their own
IN_A_ROW = 2


def listing(turn: Turn) -> Reply:
    """/members: one line for each, the late ones first, and a button to begin with each of the first ones."""
    tx, person = turn.tx, turn.person
    everybody = caseload.of(tx, person.id)
    mine = [line for line in everybody if line.mine]
    away = standing_in.is_away(tx, person.id)
    if not everybody:
        return Reply("members.none", {}, home.buttons(turn, "mentor"), slot=enrolments.LIST_SLOT)
    lines, more = caseload.screen(tx, mine, person.language, person.timezone)
    shown = {"lines": lines, "more": str(more + len(everybody) - len(mine))}
    text = "members.list" if mine else "members.list_away"
    if mine and len(everybody) - len(mine) + more:
        text = "members.list_more"
    begin = [_begin(line) for line in mine if line.enrolment.active][:FIRST]
    rows = tuple(tuple(begin[n : n + IN_A_ROW]) for n in range(0, len(begin), IN_A_ROW))
    else_one = press("button.i_am_back", "members.back") if away else press("button.away", "members.away")
    return Reply(
        text, shown, (*rows, (page_button("button.all_members", "members"),), (else_one,)),
        slot=enrolments.LIST_SLOT,
    )  # fmt: skip


def _begin(line: caseload.Line) -> Button:
    return replace(press("button.member", "check", line.enrolment.id), params={"code": line.enrolment.code})


def away(turn: Turn) -> Reply:
    """'Somebody else for a while': for how long."""
    weeks = column(press(f"button.weeks_{n}", "members.away_for", str(n)) for n in standing_in.WEEKS)
    return Reply("members.away_how_long", {}, (*weeks, _back_to_list()), slot=enrolments.LIST_SLOT)


def away_for(turn: Turn) -> Reply:
    """One press: each of them has somebody until then, or the desk looks for somebody."""
    weeks = next((n for n in standing_in.WEEKS if str(n) == turn.word(0)), 0)
    if weeks not in standing_in.WEEKS:
        raise StaleButton
    gone = standing_in.away(turn.tx, turn.person.id, weeks)
    shown = {"count": str(gone.covered), "by": tell.iso(gone.until), "alone": str(len(gone.alone))}
    text = "members.away_some" if gone.alone else "members.away_done"
    buttons = ((press("button.i_am_back", "members.back"),), _back_to_list())
    return Reply(text, shown, buttons, slot=enrolments.LIST_SLOT)


def back(turn: Turn) -> Reply:
    """'I am back': everybody is theirs again from this moment on."""
    standing_in.back(turn.tx, turn.person.id)
    return replace(listing(turn), toast="toast.welcome_back")


def _back_to_list() -> tuple[Button, ...]:
    return (press("button.back", "members"),)


def hand_yes(turn: Turn) -> Reply:
    """'Yes, I take it on.'"""
    enrolment = handing_members.yes(turn.tx, turn.person.id, turn.word(0))
    met = ((press("button.we_have_met", "hand.met", turn.word(0)),),)
    buttons = met if enrolment.mentor_seat and _is_mentor(turn, enrolment.mentor_seat) else ()
    text = "member.yours_now" if buttons else "member.yours_backup"
    return Reply(text, {"code": enrolment.code}, buttons, slot=handing_members.slot(turn.word(0)))


def _is_mentor(turn: Turn, seat_id: str) -> bool:
    found = mentoring.mentors_seat(turn.tx, turn.person.id)
    return found is not None and found.id == seat_id


def hand_no(turn: Turn) -> Reply:
    """'Not now.'"""
    handing_members.no(turn.tx, turn.person.id, turn.word(0))
    return Reply("member.said_not_now", slot=handing_members.slot(turn.word(0)))


def hand_met(turn: Turn) -> Reply:
    """'We have met.'"""
    handing_members.met(turn.tx, turn.person.id, turn.word(0))
    return Reply("member.met", slot=handing_members.slot(turn.word(0)), toast="toast.thank_you")


def link_opened(turn: Turn, token: str) -> Reply:
    """The link of a member's own phone only shows what it is for; a button asks."""
    linking.look(turn.tx, turn.person.id, token)
    return Reply("link.invited", {}, ((press("button.tie", "link.take", token),), _not_now()))


def _not_now() -> tuple[Button, ...]:
    return (press("button.not_now", "seat.not_now"),)


def link_take(turn: Turn) -> Reply:
    """'Use this phone': both read the same number to each other."""
    asked = linking.take(turn.tx, turn.person.id, turn.word(0))
    text = "link.tied_already" if asked.tied else "link.waiting"
    return Reply(text, {"check": asked.check}, slot=asked.slot)


def link_yes(turn: Turn) -> Reply:
    """'The numbers are the same.'"""
    enrolment = linking.confirm(turn.tx, turn.person.id, turn.word(0))
    return Reply("link.confirmed", {"code": enrolment.code}, slot=f"link:{turn.word(0)}")


def link_no(turn: Turn) -> Reply:
    """'They differ.'"""
    linking.refuse(turn.tx, turn.person.id, turn.word(0))
    return Reply("link.refused", slot=f"link:{turn.word(0)}")


def link_off(turn: Turn) -> Reply:
    """Untied, from the member's own phone."""
    linking.untie(turn.tx, turn.person.id, turn.word(0))
    return Reply("link.untied", slot=f"member:{turn.word(0)}")
