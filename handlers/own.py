"""The family circle: to be asked now and then how one is, as long as one wishes."""

from __future__ import annotations

from handlers import home
from handlers.reply import Reply, Turn
from referrals.service.common.tell import column, press
from referrals.service.contact import own_checkins

SLOT = "circle"


def circle(turn: Turn) -> Reply:
    """'May we ask now and then how you are?', or the way out for whoever is asked already."""
    if own_checkins.in_circle(turn.tx, turn.person.id):
        return Reply("circle.is_on", {}, column([press("button.circle_leave", "circle.leave")]), SLOT)
    yes, no = press("button.circle_yes", "circle.join"), press("button.not_now", "circle.not_now")
    return Reply("circle.ask", {}, column([yes, no]), SLOT)


def join(turn: Turn) -> Reply:
    """'Yes, you may ask'."""
    own_checkins.join(turn.tx, turn.person.id)
    return Reply("circle.joined", {}, column([press("button.circle_leave", "circle.leave")]), SLOT)


def leave(turn: Turn) -> Reply:
    """'Ask no more'."""
    own_checkins.leave(turn.tx, turn.person.id)
    return Reply("circle.left", {}, column([press("button.circle_again", "circle.join")]), SLOT)


def not_now(turn: Turn) -> Reply:
    """'Not now': home again."""
    return home.home(turn)
