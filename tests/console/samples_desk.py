"""Page content for tests: the desk at night, and a worker's day. Nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from referrals.views import MatterLine, Said, Section, SectionsView, Step, Way
from tests.console.stand import FixedPage

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
Body = Mapping[str, object]


def _at_desk(n: int, **more: Any) -> MatterLine:
    shown: dict[str, Any] = {
        "category_key": "category.family.visits",
        "stage_key": "stage.unmatched",
        "next_by": NOW + timedelta(hours=n),
        "since": NOW - timedelta(hours=9 - n),
        "next_key": "part.next.desk",
    }
    return MatterLine(id=f"m{n}", code=f"K7-{n}9QX", open=True, **{**shown, **more})


def desk_view(tx: Any, who: str, subject: str, body: Body) -> SectionsView:
    """An emergency that nobody has, one that a colleague has, and eight that can wait."""
    urgent = _at_desk(1, urgency_key="urgency.emergency")
    taken = _at_desk(2, urgency_key="urgency.urgent", who_key="part.who.colleague")
    calm = tuple(_at_desk(n) for n in range(3, 9))
    ways = (
        Way("desk", "part.desk.everything", chosen=True),
        Way("desk/unmatched", "part.desk.way.unmatched", 12),
        Way("desk/disputed", "part.desk.way.disputed", 1),
        Way("desk/unanswered", "part.desk.way.unanswered", 2),
    )
    more = (Way("desk/unmatched", "part.desk.all", 12),)
    hint = Said("part.desk.hint.unmatched")
    sections = (
        Section("part.desk.first", matters=(urgent,)),
        Section("part.desk.ways", ways=ways),
        Section("part.desk.unmatched", (hint,), count=12, matters=(urgent, taken, *calm), ways=more),
    )
    return SectionsView("part.desk.title", sections, (Said("part.desk.count", {"count": "15"}),))


def work_view(tx: Any, who: str, subject: str, body: Body) -> SectionsView:
    """By its subject: a day with something of everything, forty cases, or a heap in which nothing is left."""
    if subject == "waiting":
        return SectionsView("part.work.title", (Section("part.work.waiting"),))
    late = _at_desk(
        1, stage_key="stage.accepted", next_key="part.next.contact", who_key="part.who.you", since=None
    )
    new = _at_desk(
        2, stage_key="offer_stage.sent", next_key="part.next.answer", page="offer/O1", since=None,
        urgency_key="urgency.urgent",
    )  # fmt: skip
    count, rows = (40, 12) if subject == "forty" else (3, 3)
    running = tuple(
        _at_desk(
            n, stage_key="stage.in_service", next_key="part.next.news", since=None, who_key="part.who.you"
        )
        for n in range(3, 3 + rows)
    )
    ways = (
        Way("work", "part.desk.everything", 2 + count, chosen=True),
        Way("work/mine", "part.work.way.mine", 1 + count),
        Way("work/overdue", "part.work.way.overdue", 1),
        Way("work/new", "part.work.way.new", 1),
    )
    more = (Way("work/running", "part.desk.all", count),)
    meanwhile = Said("part.work.meanwhile", {"matters": "3", "colleagues": "1"})
    sections = (
        Section("part.desk.ways", ways=ways),
        Section("part.work.overdue", count=1, matters=(late,)),
        Section("part.work.new", count=1, matters=(new,)),
        Section("part.work.running", count=count, matters=running, ways=more if count > rows else ()),
        Section(
            "part.work.duty",
            (Said("part.work.on_duty"), meanwhile),
            (Step("duty_off", "page.step.duty_off"),),
        ),
    )
    return SectionsView("part.work.title", sections, (Said("part.work.count", {"count": "5", "mine": "4"}),))


DESK_SAMPLES: Mapping[str, FixedPage] = {
    "desk": FixedPage(desk_view),
    "work": FixedPage(work_view, {"duty_off": work_view}),
}
