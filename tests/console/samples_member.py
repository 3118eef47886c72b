"""Page content for tests: one member as their mentor sees them. Nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from referrals.member_views import ContactLine, MarkLine, MemberView, NoteLine, UndertakingLine
from referrals.service.pages.member_lines import questions
from referrals.views import Choice, MatterLine, Step
from tests.console.stand import FixedPage
from tests.support.store import the_catalogue

Body = Mapping[str, object]
SOON = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
LEVELS = (4, 4, 3, 0, 3, 4, 3, 3, 2, 3, 3, 2)
STATES = ("means.not_reached", "state.crisis", "state.struggling", "state.all_right", "state.well")
NOTE = {"en": "We had tea. He has begun to look for work.", "th": "ดื่มชากัน เขาเริ่มหางานแล้ว"}


def day(number: int) -> str:
    return f"2026-{9 + number // 5:02}-{1 + 5 * (number % 5):02}"


def member_view(tx: Any, who: str, subject: str, body: Body) -> MemberView:
    """By its subject: all of it, or locked."""
    note = NoteLine(NOTE.get(tx.person.language, NOTE["en"]), SOON)
    hard = {"means": "call", "state": "struggling", "needs": "work.job"}
    said = ("means.call", "state.struggling", "category.work.job")
    met = {"means": "means.in_person", "state": "state.all_right"}
    was = ("means.call", "state.all_right")
    contacts = (
        ContactLine("c1", "2026-11-20", "page.member.you", said, (was,), (note,), hard, True, True),
        ContactLine("c2", "2026-11-13", "page.member.colleague", (*met.values(),), (), (),
                    {"means": "in_person", "state": "all_right"}, True, True),
        ContactLine("c3", "2026-11-06", "page.member.own", ("state.well",), (), (), {}, False, False),
    )  # fmt: skip
    view = MemberView(
        id="ABC",
        code="K7-29",
        programme_key="programme.return-home-club",
        phase_key="phase.first-90-days",
        since=SOON,
        state_key="page.member.active",
        next_at=SOON,
        marks=tuple(MarkLine(day(n), STATES[level], level) for n, level in enumerate(LEVELS)),
        harder=True,
        contacts=contacts,
        form=questions(the_catalogue().forms["check-in"]),
        days=("2026-11-23", "2026-11-22", "2026-11-21"),
        emergency_lines="Police 191 / Ambulance 1669",
        milestones=(
            Choice("papers-begun", label_key="milestone.papers-begun", chosen=True),
            Choice("place-to-stay", label_key="milestone.place-to-stay"),
        ),
        courses=(
            UndertakingLine("u1", "course.sewing", "", "page.member.course_open", SOON,
                            (Step("course_end", "page.step.course_end", needs="yes", danger=True),)),
        ),
        needs=(MatterLine("m1", "QX4-81", "category.work.job", "stage.awaiting_consent", SOON, open=True),),
        steps=(
            Step("phase", "page.step.phase", "reason", (Choice("settled", label_key="phase.settled"),)),
            Step("pause", "page.step.pause", "reason", (Choice("2", label_key="weeks.2"),)),
            Step("leave", "page.step.member_leaves", needs="yes", danger=True),
        ),
        plan_written=False,
        note_limit=4000,
    )  # fmt: skip
    if subject == "locked":
        shut = tuple(
            replace(c, said=(), before=(), notes=(), answers={}, may_correct=False) for c in contacts
        )
        return replace(view, marks=(), harder=False, contacts=shut, locked=True)
    return view


def _take(name: str) -> Any:
    def step(tx: Any, who: str, subject: str, body: Body) -> MemberView:
        tx.taken = (name, dict(body))
        return member_view(tx, who, subject, {})

    return step


STEPS = ("late", "correct", "note", "reach", "unreach", "phase", "pause", "leave", "course_end")
MEMBER_SAMPLES = {"member": FixedPage(member_view, {name: _take(name) for name in STEPS})}
