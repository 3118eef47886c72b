"""Page content for tests: a plan for hard days, and what is shared for safety. Nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from referrals import safety
from referrals.safety_views import AskView, SafetyView, Section, SharedLine, ShareView
from referrals.views import Choice, Step
from tests.console.stand import FixedPage

Body = Mapping[str, object]
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TEXTS = {
    "signs": "I stop answering my phone, and I do not sleep.",
    "helps": "A walk to the pier. Ring my sister first.",
    "people": "My sister. The mentor. Brother Din at the garage.",
    "place": "My aunt's house, behind the market.",
    "tell": "My mentor and my sister.",
    "never_tell": "My landlord.",
}
LINES = ("Ambulance 1669", "Somebody to talk to 1323")
STOP = (Step("stop", "page.step.share_stop", needs="yes"),)
OPEN = SharedLine(
    "S1", "Bua House", "page.share.why.life", "page.share.state.open", "", True, NOW, NOW + timedelta(days=3)
)
WAITS = replace(
    OPEN,
    id="S2",
    state_key="page.share.state.waits",
    silent_key="page.share.silent.endangers_other",
    until=None,
    steps=(
        Step("agree", "page.step.share_agree", needs="yes"),
        Step("refuse", "page.step.share_refuse"),
    ),
)
ASK = AskView(
    organizations=(Choice("bua", label="Bua House"), Choice("shore", label="Shore Clinic")),
    reasons=tuple(Choice(r, label_key=f"page.share.why.{r}") for r in safety.REASONS),
    silences=tuple(Choice(s, label_key=f"page.share.silent.{s}") for s in ("", *safety.SILENT)),
    may_plan=True,
    limit=2000,
)


def sections(hidden: bool) -> tuple[Section, ...]:
    return tuple(
        Section(name, f"page.safety.of.{name}", None if hidden else text, 2000)
        for name, text in TEXTS.items()
    )


def safety_view(tx: Any, who: str, subject: str, body: Body) -> SafetyView:
    """By its subject: the mentor's, the member's own, or that of whoever holds an alarm."""
    shut = tx.locks and tx.reading_locked
    mentor = SafetyView(
        code="K7-29",
        role_key="page.safety.for.mentor",
        written_at=NOW,
        sections=sections(shut),
        may_write=not shut,
        emergency_lines=LINES,
        shared=(OPEN,),
        steps=(Step("same", "page.step.plan_same"),),
        locked=shut,
    )
    if subject == "own":
        return replace(mentor, role_key="page.safety.for.member", may_write=False, steps=())
    if subject == "alarm":
        held = (replace(OPEN, steps=STOP),)
        return replace(
            mentor, role_key="page.safety.for.coordinator", may_write=False, steps=(), shared=held, ask=ASK,
            mentors=("mentor-1", "mentor-2"),
            number="081 555 0199, only after eight",
        )  # fmt: skip
    return mentor


def share_view(tx: Any, who: str, subject: str, body: Body) -> ShareView:
    """By its subject: for a worker, or for a steward."""
    if subject == "steward":
        return ShareView((WAITS, OPEN))
    if tx.locks and tx.reading_locked:
        return ShareView((), until=NOW, reads=True, locked=True)
    told = "Please look after the children tonight."
    return ShareView((), told=told, sections=sections(False)[:2], until=NOW, reads=True)


def _taken(name: str, view: Any) -> Any:
    def step(tx: Any, who: str, subject: str, body: Body) -> Any:
        tx.taken = (name, dict(body))
        return view(tx, who, subject, {})

    return step


SAFETY_SAMPLES: Mapping[str, FixedPage] = {
    "safety": FixedPage(safety_view, {n: _taken(n, safety_view) for n in ("save", "same", "ask", "stop")}),
    "share": FixedPage(share_view, {n: _taken(n, share_view) for n in ("agree", "refuse", "stop")}),
}
