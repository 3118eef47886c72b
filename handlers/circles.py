"""The other side of a circle, in the chat: a link that says nothing, and the choice to look."""

from __future__ import annotations

from handlers.reply import Reply, Turn
from referrals.service.common.tell import column, page_button, press
from referrals.service.joint import circle_invitations
from referrals.service.people import people


def link_opened(turn: Turn, token: str) -> Reply:
    """The link says that a page waits, and nothing else; a button is the wish to look.

    Whoever was never here chooses a language by it: on the page one's words are matched with who speaks it.
    """
    circle_invitations.look(turn.tx, turn.person.id, token)
    looks = [press("button.look", "invited.look", token)]
    if not turn.person.language:
        spoken = turn.tx.catalogue.languages
        looks = [press(f"language.{la}", "invited.look", token, la) for la in spoken]
    return Reply("family.page_waits", {}, column([*looks, press("button.not_now", "seat.not_now")]))


def look(turn: Turn) -> Reply:
    """'Look': from now on the page is this person's."""
    found = circle_invitations.take(turn.tx, turn.person.id, turn.word(0))
    if turn.word(1):
        people.choose_language(turn.tx, turn.person.id, turn.word(1))
    page = ((page_button("button.open_page", f"invited/{found.id}"),),)
    return Reply("family.page_is_here", {}, page, slot=circle_invitations.slot(found))
