"""A circle through the simulator: a poster, a leader, a link that says nothing, and one tap to stop."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.people import Person, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = 3600.0


async def _files(someone: Person) -> None:
    """What is chosen and agreed to on the secure page, by the page's own calls."""
    page = await someone.opens("Open the page")
    chosen = {
        "area": "pattani-mueang",
        "urgency": "normal",
        "exclude_organizations": ["south-campus"],
        "exclude_kinds": [],
    }
    plan = await page.does("preview", **chosen)
    assert [line["organization"] for line in plan["plan"]] == ["Weaving Hands"]
    await page.does("file", **chosen, consent_digest=plan["consent_digest"], story="my own words")


async def _taken_by(noor: Person, world: World) -> Any:
    """Whoever leads circles is asked, takes it and goes to the page of its steps."""
    await world.passes(HOUR)
    await noor.presses("Show")
    await noor.presses("Accept")
    page = await noor.reads("Read the story")
    await page.does("contacted")
    return page


async def test_a_link_that_says_nothing_and_a_stop_that_does_not_say_who(world: World) -> None:
    one, other, noor = await world.newcomer("saba"), await world.newcomer("tala"), world.person("noor")
    await noor.says("/start")
    await one.opens_link("loom")
    for label in ("English", "All right", "25 to 59", "Yes, any time"):
        await one.presses(label)
    await _files(one)
    matter = await _taken_by(noor, world)
    await matter.does("circle_begin")
    mine = await one.opens("Look")
    await mine.does("circle_yes", yes=True)
    lead = await noor.opens("Look")
    (line,) = (await lead.does("circle_invite"))["lines"]
    (payload,) = re.findall(r"d-[\w-]{22}", str(line))

    await other.opens_link(payload)
    waits = await other.sees("A page waits for you here.")
    assert not re.search("circle|talk|Weaving|harm", waits["text"])
    await other.presses("English")  # whoever was never here says in which language
    invited = await other.opens("Open the page")
    assert "Weaving Hands" in str(invited.view)
    assert "my own words" not in str(invited.view)
    await invited.does("invited_yes", reason="young")
    await other.sees("The next page is here.")
    await _files(other)
    theirs = await _taken_by(noor, world)
    assert theirs.view["sections"]

    mine = await one.opens("Look")
    await mine.does("circle_stop")
    await other.never_sees("it will not happen")
    await world.passes(9 * HOUR)
    await other.sees("it will not happen")
