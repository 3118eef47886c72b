"""What a handler gets and what it returns: values only; `router.py` queues them in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.incoming import Incoming
from referrals.persons import Person
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common.tell import TALK


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one person: the transaction, who it is, and what they did."""

    tx: Tx
    person: Person
    incoming: Incoming

    @property
    def words(self) -> list[str]:
        """The words of a button's data after version and verb."""
        return self.incoming.data.split(":")[2:]

    def word(self, position: int) -> str:
        """One word of a button's data, '' where a forged button has fewer."""
        return self.words[position] if position < len(self.words) else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to show. After a press the pressed message is edited; after a text a new message is sent.

    `details`: the text shows more than a lock screen may, so it is only ever an edit, never a new message.
    """

    text: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    buttons: Keyboard = ()
    slot: str = TALK
    toast: str = ""
    alert: bool = False
    details: bool = False
