"""Page content for tests: phones, posts, codes, what is held, a note to put away. Nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from referrals.errors import PinNeeded
from referrals.views import (
    AskingLine,
    Choice,
    DeviceLine,
    DevicesView,
    GoneView,
    HeldLine,
    MoveLine,
    MyDataView,
    PostLine,
    PostsView,
    RefusedLine,
    Said,
    Section,
    SectionsView,
    Step,
    TrackView,
    WitnessView,
)
from tests.console.stand import FixedPage

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
Body = Mapping[str, object]
_END = Step("end", "page.step.end_device", needs="yes", danger=True)
_VOUCH = Step("vouch", "page.step.vouch", needs="yes")
_AGAIN = (Step("resend", "page.step.resend"), Step("drop", "page.step.drop", needs="yes"))
_REFUSE = Step("refuse", "page.step.refuse_device", needs="yes", danger=True)


def devices_view(tx: Any, who: str, subject: str, body: Body) -> DevicesView:
    """This very phone, another that reads, one that waits its day; a worker's that asks."""
    own = [
        DeviceLine(d.id, f"page.devices.{d.state}", d.since, d.last_seen_at, d.active_from, (_END,))
        for d in tx.devices
    ]
    waiting = DeviceLine("w", "page.devices.waiting", NOW, NOW, NOW + timedelta(days=1), (_END,))
    other = DeviceLine("x", "page.devices.active", NOW - timedelta(days=90), NOW, None, (_END,))
    asking = AskingLine("a", "role.worker", "House of Return", "4711", NOW, True, (_VOUCH, _REFUSE))
    return DevicesView((*own, other, waiting), (asking,))


STALE = (
    Said("part.stale.hint"),
    Said("part.stale.line", {"organization": "House of Return", "service": "Visits", "day": "3 May 2026"}),
    Said("part.stale.never", {"organization": "House of Return", "service": "Somebody to talk to"}),
    Said("part.stale.more", {"count": "4"}),
)


def posts_view(tx: Any, who: str, subject: str, body: Body) -> PostsView:
    lost = Step("lost_phone", "page.step.lost_phone", needs="yes", danger=True)
    asked = (Step("confirm", "page.step.it_is_them", needs="yes"), Step("refuse", "page.step.not_them"))
    invite = Step("invite", "page.step.invite")
    worker, desk = ("role.worker", "House of Return"), ("role.coordinator", "")
    return PostsView(
        posts=(
            PostLine("desk-1", *desk, True, True, True, False, NOW, "", None, "", (lost,)),
            PostLine("desk-2", *desk, False, True, False, False, None, "asked", NOW, "0815", asked),
            PostLine("house-1", *worker, True, False, False, True, NOW, "", None, "", (invite,)),
            PostLine("house-2", *worker, False, True, False, False, None, "open", NOW, "", (invite,)),
        ),
        desk_first=True,
        waiting=3,
        steps=(Step("desk_first_off", "page.step.desk_first_off"),),
        refused=(
            RefusedLine(
                "17",
                "2 of your members wait for a contact.",
                "mentor-1",
                "page.posts.why.bad_request",
                NOW,
                _AGAIN,
            ),
        ),
        refused_count=1,
        sections=(Section("part.stale.title", STALE),),
    )


def invite(tx: Any, who: str, subject: str, body: Body) -> PostsView:
    tx.taken = ("invite", dict(body))
    shown = posts_view(tx, who, subject, {})
    return replace(shown, invitation="j_0123456789abcdefghijkl", invited_to="house-2")


def resent(tx: Any, who: str, subject: str, body: Body) -> PostsView:
    tx.taken = ("resend", dict(body))
    return replace(posts_view(tx, who, subject, {}), refused=(), refused_count=0)


def track_view(tx: Any, who: str, subject: str, body: Body) -> TrackView:
    steps = (
        Step("look", "page.step.look", needs="code"),
        Step("move", "page.step.move", needs="code_pin"),
        Step("ask_desk", "page.step.ask_desk", needs="code"),
    )
    moves = (MoveLine("", NOW), MoveLine("0815", None)) if getattr(tx, "moving", False) else ()
    return TrackView("", "", None, moves, steps)


def look(tx: Any, who: str, subject: str, body: Body) -> TrackView:
    shown = track_view(tx, who, subject, {})
    if body["code"] != "babu-dofe-gimo-kusa":
        return replace(shown, said_key="page.track.unknown")
    return replace(shown, stage_key="page.track.stage.helping", next_by=NOW)


def move(tx: Any, who: str, subject: str, body: Body) -> TrackView:
    tx.taken, tx.moving = ("move", dict(body)), True
    return replace(track_view(tx, who, subject, {}), said_key="page.track.asked")


def mydata_view(tx: Any, who: str, subject: str, body: Body) -> MyDataView:
    kinds = ("settings", "matters", "consents", "words", "devices", "messages")
    return MyDataView(
        held=tuple(HeldLine(f"page.held.{k}", 2, None, f"page.held.why.{k}") for k in kinds),
        stays=tuple(f"page.held.stays.{k}" for k in ("facts", "audit", "read", "backups")),
        posts=(),
        steps=(
            Step("export", "page.step.export"),
            Step("delete", "page.step.delete", needs="yes", danger=True),
        ),
        locked=tx.reading_locked,
    )


def export(tx: Any, who: str, subject: str, body: Body) -> MyDataView:
    if tx.reading_locked:
        raise PinNeeded
    return replace(
        mydata_view(tx, who, subject, {}),
        passphrase="babu-dofe-gimo-kusa-lanu",
        download="/p/download/0123456789abcdef",
        download_until=NOW,
    )


def delete(tx: Any, who: str, subject: str, body: Body) -> GoneView:
    tx.end_sessions()
    return GoneView("page.held.deleted", ("page.held.stays.facts", "page.held.stays.backups"))


def witness_view(tx: Any, who: str, subject: str, body: Body) -> WitnessView:
    kept = bool(body)
    note = "pulang.example/audit\n41\n" + "\n".join("x1" * 22 + "=" for _ in range(3)) + "\n\n— pulang abc=\n"
    return WitnessView(
        number=41,
        at=NOW,
        note=note,
        mark=("babu", "dofe", "gimo", "kusa"),
        what_key="page.witness.kept" if kept else "page.witness.what",
        kept=kept,
        steps=() if kept else (Step("kept", "page.step.witness_kept"),),
    )


def put_away(tx: Any, who: str, subject: str, body: Body) -> WitnessView:
    return witness_view(tx, who, subject, {"yes": True})


def room_view(tx: Any, who: str, subject: str, body: Body) -> SectionsView:
    """Two services of one organisation: one said lately, one that nobody has spoken of for long."""
    rooms = tuple(Choice(each, label_key=f"room.{each}") for each in ("open", "limited", "full"))
    step = (Step("room", "page.step.room", needs="reason", choices=rooms),)
    said = Said(f"part.room.{body.get('reason', 'open')}", {"day": "24 November 2026"})
    unknown = Said("part.room.unknown")
    sections = (
        Section("part.room.one", (said,), step, {"service": "visits"}, name="Visits"),
        Section("part.room.one", (unknown,), step, {"service": "talk"}, name="Somebody to talk to"),
    )
    return SectionsView("part.room.title", sections)


def say_room(tx: Any, who: str, subject: str, body: Body) -> SectionsView:
    tx.taken = ("room", dict(body))
    return room_view(tx, who, subject, body)


OWN_SAMPLES: Mapping[str, FixedPage] = {
    "devices": FixedPage(devices_view, dict.fromkeys(("end", "vouch", "refuse"), devices_view)),
    "posts": FixedPage(posts_view, {"invite": invite, "desk_first_off": posts_view, "resend": resent}),
    "track": FixedPage(track_view, {"look": look, "move": move, "ask_desk": move}),
    "mydata": FixedPage(mydata_view, {"export": export, "delete": delete}),
    "witness": FixedPage(witness_view, {"kept": put_away}),
    "room": FixedPage(room_view, {"room": say_room}),
}
