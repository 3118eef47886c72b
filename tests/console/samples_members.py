"""Page content for tests: a mentor's members, somebody new at the desk, a phone to connect. Nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from referrals.member_views import (
    AloneLine,
    LinkView,
    MemberLine,
    MembersView,
    MentorLine,
    NewcomerView,
    TieLine,
)
from referrals.views import Choice, Step
from tests.console.stand import FixedPage

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
Body = Mapping[str, object]
_WHO = Step("who", "page.step.who")
_SEATS = (Choice("mentor-2", label="mentor-2"), Choice("mentor-3", label="mentor-3"))
_UNTIE = Step("untie", "page.step.untie", needs="yes", danger=True)


def members_view(tx: Any, who: str, subject: str, body: Body) -> MembersView:
    """One who is late, one who rests, one for whom the reader stands in."""
    club, settled = "programme.return-home-club", "phase.settled"
    rests = "page.members.paused"
    mentor, two_weeks = "page.members.part_mentor", NOW + timedelta(days=14)
    weeks = tuple(Choice(str(n), label_key=f"button.weeks_{n}") for n in (1, 2))
    lines = (
        MemberLine("e1", "K7-29", club, settled, mentor, NOW, True, "", None, True, (_WHO,)),
        MemberLine(
            "e2", "M3-04", club, settled, mentor, None, False, rests, two_weeks, False, (_WHO,)
        ),
        MemberLine(
            "e3", "R5-11", club, settled, "page.members.part_stand_in", two_weeks, False,
            "page.members.you_stand_in", two_weeks, False, (_WHO,),
        ),
    )  # fmt: skip
    return MembersView(lines, "", (Step("away", "page.step.away", needs="reason", choices=weeks),))


def who_can(tx: Any, who: str, subject: str, body: Body) -> MembersView:
    shown = members_view(tx, who, subject, {})
    step = Step("hand_over", "page.step.hand_over", needs="reason", choices=_SEATS)
    lines = (replace(one, steps=(step, _WHO)) if one.id == body.get("member") else one for one in shown.lines)
    return replace(shown, lines=tuple(lines))


def asked(tx: Any, who: str, subject: str, body: Body) -> MembersView:
    tx.taken = ("hand_over", dict(body))
    return replace(members_view(tx, who, subject, {}), said_key="page.members.said_asked")


def away(tx: Any, who: str, subject: str, body: Body) -> MembersView:
    tx.taken = ("away", dict(body))
    return replace(members_view(tx, who, subject, {}), said_key="page.members.said_away")


def newcomer_view(tx: Any, who: str, subject: str, body: Body) -> NewcomerView:
    return NewcomerView(
        places=(Choice("return-home-club/settled", label="Return Home Club · Settled"),),
        languages=(Choice("th", label="ไทย", chosen=True), Choice("en", label="English")),
        areas=(Choice("pattani", label="Pattani"), Choice("mueang", label="Mueang", depth=1)),
        genders=tuple(
            Choice(g, label_key=f"page.newcomer.gender_{g or 'any'}") for g in ("", "woman", "man")
        ),
        zones=(Choice("Asia/Bangkok", label="Asia/Bangkok", chosen=True),),
        asked=False,
        mentors=(),
        left_out=(),
        code="",
        alone=(AloneLine("e9", "T2-86", "page.newcomer.lacks_backup", True, (_WHO,)),),
    )


def propose(tx: Any, who: str, subject: str, body: Body) -> NewcomerView:
    near = ("mentor_why.area", {"area": "Pattani"})
    return replace(
        newcomer_view(tx, who, subject, body),
        asked=True,
        mentors=(
            MentorLine("mentor-1", (near, ("mentor_why.load", {"load": "3", "most": "12"}))),
            MentorLine("mentor-2", (("mentor_why.members", {"load": "5"}),)),
        ),
        left_out=(MentorLine("mentor-3", (("mentor_not.private", {}),)),),
    )


def enrol(tx: Any, who: str, subject: str, body: Body) -> NewcomerView:
    tx.taken = ("enrol", dict(body))
    return replace(newcomer_view(tx, who, subject, {}), code="K7-29")


def link_view(tx: Any, who: str, subject: str, body: Body) -> LinkView:
    """By its subject: one's own phone, somebody asks, or nothing yet."""
    make = Step("make", "page.step.make_link")
    if not subject:
        own = (TieLine("e1", "programme.return-home-club", (_UNTIE,)),)
        return LinkView("", "page.link.own", None, "", "", (), own)
    if subject == "asked":
        steps = (
            Step("confirm", "page.step.it_is_them", needs="yes"),
            Step("refuse", "page.step.numbers_differ"),
            make,
        )
        return LinkView("K7-29", "page.link.asked", None, "0815", "", steps)
    return LinkView("K7-29", "page.link.none", None, "", "", (make,))


def make(tx: Any, who: str, subject: str, body: Body) -> LinkView:
    return replace(
        link_view(tx, who, subject, {}), state_key="page.link.open", until=NOW, link="m-0123456789"
    )


def confirm(tx: Any, who: str, subject: str, body: Body) -> LinkView:
    tx.taken = ("confirm", dict(body))
    return LinkView("K7-29", "page.link.tied", None, "", "", (_UNTIE,))


CASELOAD_SAMPLES: Mapping[str, FixedPage] = {
    "members": FixedPage(members_view, {"who": who_can, "hand_over": asked, "away": away}),
    "newcomer": FixedPage(newcomer_view, {"propose": propose, "enrol": enrol}),
    "link": FixedPage(link_view, {"make": make, "confirm": confirm, "refuse": link_view, "untie": link_view}),
}
