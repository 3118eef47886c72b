"""Phones without a network between: what is typed or pressed goes through the router and comes back rendered.

Small enough for many walks; the same words over real HTTP are in tests/chat and tests/e2e.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

from bot.request import LeanBot
from bot.telegram_out import Messenger
from bot.texts import Texts
from handlers import router
from handlers.incoming import Did, Incoming, Toast
from referrals.errors import PulangError
from referrals.persons import Person
from referrals.ports import Delivery, Sent, Tx
from tests.support.network import CATALOGUE, Small

TEXTS = Texts(CATALOGUE.texts)
LONGEST_SCREEN = 1024  # bytes of UTF-8


@dataclass
class Shown:
    """A message as it stands on a phone."""

    message_id: int
    text: str
    buttons: dict[str, str]  # label -> callback data, or 'page:<path>'

    @property
    def weight(self) -> int:
        """Bytes of text, labels and data, as UTF-8."""
        said = [self.text, *self.buttons, *(d for d in self.buttons.values() if not d.startswith("page:"))]
        return sum(len(words.encode()) for words in said)


@dataclass
class Phone:
    """One person's chat. `heard` is everything that ever came, `down` and `up` its bytes."""

    chats: Chats
    account: int
    person_id: str
    standing: dict[int, Shown] = field(default_factory=dict)
    heard: list[Shown] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    down: int = 0
    up: int = 0
    presses_made: int = 0

    @property
    def newest(self) -> Shown:
        return self.standing[max(self.standing)]

    @property
    def said(self) -> list[str]:
        return [shown.text for shown in self.heard]

    def says(self, text: str) -> str:
        """Type something; what the newest message says then."""
        self.up += len(text.encode())
        did, argument = Did.TEXT, ""
        if text.startswith("/"):
            did, (text, _, argument) = Did.COMMAND, text[1:].partition(" ")
        self.chats.turn(self, did, text=text, argument=argument, message_id=self.chats.next_message())
        return self.newest.text if self.standing else ""

    def presses(self, label: str, on: Shown | None = None) -> str:
        """Press a button of the newest message that has it."""
        found = [
            s for _, s in sorted(self.standing.items()) if label in s.buttons and (on is None or s is on)
        ]
        assert found, f"no button {label!r}: {[(s.text, list(s.buttons)) for s in self.standing.values()]}"
        message = found[-1]
        data = message.buttons[label]
        self.up += len(data.encode())
        self.presses_made += 1
        self.chats.turn(self, Did.PRESS, data=data, message_id=message.message_id)
        return self.standing[message.message_id].text if message.message_id in self.standing else ""

    def number_of(self, label: str) -> str:
        """The number that the newest message lists for these words."""
        for shown in reversed(self.heard):
            for line in shown.text.splitlines():
                number, _, words = line.partition(" ")
                if number.isdigit() and words == label:
                    return number
        raise AssertionError(f"no number for {label!r}: {self.said[-2:]}")

    def answers(self, label: str) -> str:
        """Type the number of a choice; what came then."""
        return self.says(self.number_of(label))


class Chats:
    """Everybody's phones around one small network."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.phones: dict[str, Phone] = {}
        self._updates = itertools.count(1)
        self._messages = itertools.count(1)
        self._render = Messenger(LeanBot("1:sends-nothing"), TEXTS, "https://pulang.example")

    def phone(self, account: int, seat: str = "", language: str = "en", by_text: bool = False) -> Phone:
        """Somebody with a language and perhaps a post."""
        person_id = self.small.person(account, seat)
        self.small.store.run(_settle, person_id, language, by_text)
        return self.phones.setdefault(person_id, Phone(self, account, person_id))

    def next_message(self) -> int:
        return next(self._messages)

    def turn(self, phone: Phone, did: Did, **more: object) -> None:
        """One update, and everything that is due then."""
        incoming = Incoming(next(self._updates), phone.account, did, **more)  # type: ignore[arg-type]
        phone.toasts.append(self._handled(incoming).text)
        self.deliver()

    def _handled(self, incoming: Incoming) -> Toast:
        try:
            return self.small.store.run(router.handle, incoming)
        except PulangError as error:
            return self.small.store.run(router.refuse, incoming, error)

    def deliver(self) -> None:
        """Send what is due."""
        asyncio.run(self._deliver())

    async def _deliver(self) -> None:
        outbox, clock = self.small.store.outbox, self.small.clock
        while found := await outbox.claim(clock.now, 100):
            await outbox.settle([Sent(d.id, self._arrives(d)) for d in found], clock.now)

    def _arrives(self, delivery: Delivery) -> int | None:
        """Show it on its phone; the new message's id, None after an edit or a deletion."""
        phone = self.phones.get(delivery.person_id)
        new = delivery.message_id is None
        number = self.next_message() if delivery.message_id is None else delivery.message_id
        if phone is None:
            return number if new and delivery.text else None
        if not delivery.text:
            phone.standing.pop(number, None)
            return None
        text, markup = self._render.rendered(delivery)
        buttons = {
            str(b.text): str(b.callback_data or f"page:{b.web_app.url if b.web_app else ''}")
            for row in (markup.inline_keyboard if markup else ())
            for b in row
        }
        shown = Shown(number, text, buttons)
        phone.standing[number] = shown
        phone.heard.append(shown)
        phone.down += shown.weight
        return number if new else None


def _settle(tx: Tx, person_id: str, language: str, by_text: bool) -> None:
    from dataclasses import replace

    person = tx.get(Person, person_id)
    assert person is not None
    tx.save(replace(person, language=language, by_text=by_text))
