"""Workers of the demo's partners, each with the buttons of their own language: asked, taking it, reading."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from tests.support.demo import ROOT
from tests.support.people import Person, SecurePage, World

WORDS = {
    "en": {"show": "Show", "accept": "Accept", "read": "Read the story", "details": "Where, and more"},
    "th": {"show": "ดู", "accept": "รับ", "read": "อ่านเรื่อง", "details": "พื้นที่และรายละเอียด"},
}
PEOPLE = ROOT / "catalogue/demo/people.toml"
NOT_PARTNERS = ("mentor", "desk", "steward")
_OFFER = "1:offer.show:"


@dataclass
class Worker:
    """A person on a partner's post."""

    person: Person
    language: str

    @property
    def words(self) -> dict[str, str]:
        return WORDS[self.language]

    async def offers(self) -> list[int]:
        """The messages in which something waits for an answer, oldest first."""
        return [
            message["message_id"]
            for message in await self.person.chat()
            for row in message.get("buttons") or []
            for button in row
            if str(button.get("callback_data", "")).startswith(_OFFER)
        ]

    async def looks(self, message_id: int) -> tuple[str, SecurePage]:
        """The blind offer, as the chat and its page show it before anybody has said yes."""
        await self.person.presses(self.words["show"], message_id)
        shown = await self.person.sees_button_in(message_id, self.words["accept"])
        return shown["text"], await self.person.opens(self.words["details"], message_id)

    async def takes(self, message_id: int) -> SecurePage:
        """Yes; and the matter's page, with the PIN typed."""
        await self.person.presses(self.words["accept"], message_id)
        await self.person.sees_button_in(message_id, self.words["read"])
        return await self.person.reads(self.words["read"], message_id)


def at_partners(world: World) -> list[Worker]:
    """Everybody who sits at a partner in the demo."""
    people = tomllib.loads(PEOPLE.read_text())["person"]
    there = [one for one in people if one["seat"] and not one["seat"].startswith(NOT_PARTNERS)]
    return [Worker(world.person(one["name"]), one["language"]) for one in there]


async def asked(world: World) -> list[tuple[Worker, int]]:
    """Who has something to answer now, and in which message."""
    return [(worker, n) for worker in at_partners(world) for n in await worker.offers()]
