"""Page 'track': a code shows how far a matter is, on any phone; with the owner's PIN it moves there."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.ports import Away, Tx
from referrals.service.matter import moving, tracking
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import MoveLine, Step, TrackView

_LOOK = Step("look", "page.step.look", needs="code")
_MOVE = Step("move", "page.step.move", needs="code_pin")
_ASK = Step("ask_desk", "page.step.ask_desk", needs="code")


def track_view(tx: Tx, person_id: str, subject: str, body: Body) -> TrackView:
    """Page 'track': a field for a code, and what is on its way to this phone."""
    moves = tuple(
        MoveLine("" if move.due_at else moving.check_number(tx, move), move.due_at)
        for move in moving.moves_to(tx, person_id)
    )
    return TrackView("", "", None, moves, (_LOOK, _MOVE, _ASK))


def _look(tx: Tx, person_id: str, subject: str, body: Body) -> TrackView:
    seen = tracking.look(tx, person_id, text_of(body, "code"))
    shown = track_view(tx, person_id, subject, {})
    if seen is None:
        return replace(shown, said_key="page.track.unknown")
    return replace(shown, stage_key=seen.stage_key, next_by=seen.next_by)


def _move(tx: Tx, person_id: str, subject: str, body: Body) -> Away:
    """The PIN is checked between two turns; a wrong one and a wrong code get the same words."""
    away = moving.ask_with_pin(tx, person_id, text_of(body, "code"), text_of(body, "pin"))

    def then(tx: Tx, fits: bool) -> TrackView:
        return _asked(tx, person_id, away.then(tx, fits))

    return Away(away.work, then)


def _ask_desk(tx: Tx, person_id: str, subject: str, body: Body) -> TrackView:
    return _asked(tx, person_id, moving.ask_the_desk(tx, person_id, text_of(body, "code")))


def _asked(tx: Tx, person_id: str, yes: bool) -> TrackView:
    said = "page.track.asked" if yes else "page.track.no_fit"
    return replace(track_view(tx, person_id, "", {}), said_key=said)


TRACK = Page(
    Verb(Action.TRACK_LOOK, track_view),
    {
        "look": Verb(Action.TRACK_LOOK, _look),
        "move": Verb(Action.MOVE_ASK, _move),
        "ask_desk": Verb(Action.MOVE_ASK, _ask_desk),
    },
)
