"""One person's chat without Telegram: a word or press is a turn, and a refusal is said in one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers import router
from handlers.incoming import Did, Incoming, Toast
from referrals.errors import PulangError
from referrals.ports import Tx
from referrals.said import Keyboard
from storage.chat import decode_buttons, decode_params
from storage.sql import Sql
from tests.support.network import Small

_QUEUED = Sql(
    "SELECT id, text, params, buttons, message_id FROM outbox"
    " WHERE person_id = :person_id AND id > :seen AND state = 'waiting' ORDER BY id"
)


@dataclass(frozen=True)
class Heard:
    """One notice that was queued for a person: a text key, what fills it, its buttons."""

    text: str
    params: dict[str, str]
    buttons: Keyboard
    message_id: int | None

    def button(self, text: str) -> str:
        """The callback data of the button with that text key."""
        found = [b.action for row in self.buttons for b in row if b.text == text]
        assert found, f"no {text} below {self.text}: {self.buttons}"
        return found[0]


class Chat:
    """What one account says, presses and hears."""

    updates = 0

    def __init__(self, net: Small, account: int) -> None:
        self.net, self.account, self.seen = net, account, 0

    @property
    def person(self) -> str:
        found = self.net.store.run(lambda tx: tx.person_of_account(self.account))
        assert found is not None
        return found.id

    def says(self, words: str) -> Toast:
        """A command or a word."""
        name, _, argument = words.removeprefix("/").partition(" ")
        if words.startswith("/"):
            return self.does(did=Did.COMMAND, text=name, argument=argument, message_id=400)
        return self.does(did=Did.TEXT, text=words, message_id=401)

    def presses(self, data: str) -> Toast:
        """A button, by its data."""
        return self.does(did=Did.PRESS, data=data, message_id=7)

    def does(self, **what: Any) -> Toast:
        Chat.updates += 1
        incoming = Incoming(Chat.updates, self.account, **what)
        try:
            return self.net.store.run(router.handle, incoming)
        except PulangError as error:
            return self.net.store.run(router.refuse, incoming, error)

    def hears(self) -> list[Heard]:
        """What was queued for this person since the last look, deletions left out."""
        return [heard for heard in self.net.store.run(self._queued) if heard.text]

    def hears_at_last(self) -> Heard:
        heard = self.hears()
        assert heard, "nothing was said"
        return heard[-1]

    def deleted(self) -> list[int | None]:
        """Which messages were to be deleted since the last look."""
        return [heard.message_id for heard in self.net.store.run(self._queued) if not heard.text]

    def _queued(self, tx: Tx) -> list[Heard]:
        person = tx.person_of_account(self.account)
        asked = {"person_id": person.id if person else "", "seen": self.seen}
        rows = tx.connection.rows(_QUEUED, asked)  # type: ignore[attr-defined]
        self.seen = max([self.seen, *(row[0] for row in rows)])
        return [Heard(r[1], dict(decode_params(r[2])), decode_buttons(r[3]), r[4]) for r in rows]
