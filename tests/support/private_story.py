"""What the stories of pathways that no chat names have in common: from a poster to 'did somebody help?'."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any

from tests.support.network import CATALOGUE, NETWORK
from tests.support.people import PATIENCE_S, Person, SecurePage, World
from tests.support.story import shows_an_offer

PLACE = "pattani-mueang"
STORY = "Canary-story: they came to the shop and asked for me."
CONTACT = "Canary-contact 0812345678, after six"


def never_said() -> list[str]:
    """What no chat says in any language: partners, places, private pathways and the needs in them."""
    keys = [f"pathway.{p.id}" for p in CATALOGUE.pathways.values() if not p.in_chat]
    keys += [f"category.{c}" for c in sorted(CATALOGUE.private)]
    words = [CATALOGUE.words(key, language) for key in keys for language in CATALOGUE.languages]
    partners = [name for o in NETWORK.organizations if o.id != "desk" for name in o.names.values()]
    return [*words, *partners, "Pattani", "ปัตตานี"]


async def in_english(world: World, names: Iterable[str]) -> None:
    """So that a story can name their buttons."""
    for name in names:
        await world.person(name).says("/language")
        await world.person(name).presses("English")


async def comes_by(someone: Person, poster: str) -> SecurePage:
    """From a poster's link to its page, five taps: what it is about stands on the page alone."""
    await someone.opens_link(poster)
    for label in ("English", "All right", "25 to 59", "Yes, any time"):
        await someone.presses(label)
    return await someone.opens("Open the page")


async def asks(page: SecurePage, **chosen: Any) -> tuple[set[str], dict[str, Any]]:
    """Choose, read the plan, and say yes to it: the partners that were shown, and the receipt."""
    wishes = {"area": PLACE, **chosen}
    plan = await page.does("preview", **wishes)
    assert all(line["reasons"] for line in plan["plan"])
    yes = {"consent_digest": plan["consent_digest"], "story": STORY, "contact": CONTACT}
    receipt = await page.does("file", **wishes, **yes)
    return {line["organization"] for line in plan["plan"]}, receipt


async def is_asked(world: World, among: Iterable[str]) -> Person:
    """Whichever of these workers has an offer in their chat, as soon as it stands there."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for name in among:
            if await shows_an_offer(world.person(name)):
                return world.person(name)
        await asyncio.sleep(0.03)
    raise AssertionError("nobody was asked")


async def hears_back(someone: Person, words: str) -> str:
    """What the bot says to a message: text and buttons, as they stand in the chat."""
    before = [m["message_id"] for m in await someone.chat()]
    await someone.says(words)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        new = [m for m in await someone.chat() if m["from"] == "bot" and m["message_id"] not in before]
        if new:
            return json.dumps([new[-1]["text"], new[-1].get("buttons")])
        await asyncio.sleep(0.03)
    raise AssertionError(f"{someone.name} hears nothing")


async def accepts(worker: Person) -> SecurePage:
    """A blind offer is looked at, taken, and read with the PIN."""
    await worker.presses("Show")
    blind = await worker.sees_button("Accept")
    assert "Need:" in blind["text"]
    details = await worker.opens("Where, and more")
    assert "Canary" not in json.dumps(details.view)
    await worker.presses("Accept")
    page = await worker.reads("Read the story")
    assert (page.view["story"], page.view["contact"]) == (STORY, CONTACT)
    return page


async def talks(someone: Person, mine: SecurePage, theirs: SecurePage) -> None:
    """A word from whoever helps, one back; each reads the other's on their page."""
    await theirs.does("write", text="Canary-thread: we can talk on Thursday.")
    await someone.sees("a message waits for you")
    assert [line["text"] for line in (await mine.look())["thread"]] == [
        "Canary-thread: we can talk on Thursday."
    ]
    await mine.does("write", text="Canary-answer: Thursday is good.")
    assert len((await theirs.look())["thread"]) == 2


async def is_over(someone: Person, mine: SecurePage, theirs: SecurePage, *questions: str) -> None:
    """Help comes, 'did somebody help?' is answered in the chat, and how it was on the page."""
    await theirs.does("contacted")
    await theirs.does("report", outcome="met")
    await someone.presses("Yes, somebody helped")
    await someone.sees("This is closed now")
    assert (await mine.look())["stage_key"] == "stage.closed"
    assert asked(mine) == list(questions)
    for question in questions:
        await mine.does("afterwards", question=question, reason="yes")
    assert asked(mine) == []
    await theirs.refused("write", text="Canary-late: and one more thing")


async def ties_a_phone(mentor: Person, member: Person, code: str) -> str:
    """A link handed over, a number read to each other; the id of that member's enrolment."""
    await mentor.says("list")
    members = await mentor.reads("See all")
    (line,) = [one for one in members.view["lines"] if one["code"] == code]
    link = await members.onward(f"link/{line['id']}")
    made = await link.does("make")
    await member.opens_link(made["link"])
    await member.presses("Use this phone")
    await mentor.presses("Yes, it is them")
    await member.sees("This phone is connected now")
    await in_english(member.world, [member.name])
    return str(line["id"])


def asked(page: SecurePage) -> list[str]:
    """The closing questions that a matter's page still asks."""
    keys = [str(section["title_key"]) for section in page.view["sections"]]
    return [key.removeprefix("ask.") for key in keys if key.startswith("ask.")]
