"""What no chat may name (faith, safety, a complaint …) is chosen on a page; the chat then asks the rest.

The chat says only that something was chosen, so that it looks like every other request.
"""

from __future__ import annotations

from referrals.catalogue import Handling
from referrals.errors import BadAnswer
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.people import conversations


def private(tx: Tx, person: Person) -> tuple[str, ...]:
    """The pathways that this person may ask along and whose names stand on a page only, in file order.

    A confirmation of one's own attendance has a page of its own.
    """
    return tuple(
        p.id
        for p in tx.catalogue.pathways.values()
        if not p.in_chat and p.handling is not Handling.CONFIRMATION and conversations.may_ask(tx, person, p)
    )


def choose(tx: Tx, person_id: str, pathway_id: str) -> None:
    """Begin that pathway's form in the chat. BadAnswer for what is not theirs to choose."""
    person = doors.person_by_id(tx, person_id)
    if pathway_id not in private(tx, person):
        raise BadAnswer
    conversations.begin(tx, person, pathway_id)
    tell.answer(tx, person_id, "family.chosen", buttons=((tell.press("button.go_on", "form.go"),),))
