"""Two circles, lived over HTTP: a side stops one of them; the other comes about, with a member by word."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.demo import Demo, a_demo
from tests.support.pages import again, does, ours, own
from tests.support.people import Person, SecurePage, World
from tests.support.story import DAY, HOUR
from tests.support.traces import nothing_private, traffic_is_valid
from tests.support.workers import Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

WISHES = {
    "area": "pattani-mueang",
    "urgency": "normal",
    "exclude_organizations": ["south-campus"],
    "exclude_kinds": [],
}
STEPS = ["first_talk", "hopes", "support_person", "ground_rules", "the_day_itself"]
NEVER_SAID = ("Weaving Hands", "มือทอผ้า", "Pattani", "ปัตตานี", "harm", "forgive")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Demo, World]]:
    """One demo for both circles: whoever leads them leads them side by side."""
    async with a_demo(tmp_path_factory.mktemp("circles")) as found:
        yield found


async def test_one_side_stops_and_the_other_learns_only_that_it_will_not_happen(
    running: tuple[Demo, World], tmp_path: Path
) -> None:
    demo, world = running
    saba, tala, noor = await world.newcomer("saba"), await world.newcomer("tala"), world.person("noor")
    lead_saba = await _first_side(world, saba)
    await tala.opens_link(await _link(world))
    await tala.presses("English")
    invited = await tala.opens("Open the page")
    assert "Weaving Hands" in str(invited.view)
    assert "Canary" not in str(invited.view)
    await invited.does("invited_yes", reason="adult")
    await tala.sees("The next page is here.")
    lead_tala = await _taken(world, await _files(tala, await tala.opens("Open the page")))

    # The other side is asked as the first one was. Then each is prepared; both yeses are never of one day.
    await tala.sees("the page has a question for you")
    await does(await tala.opens("Look"), "circle_yes", yes=True)
    for lead in (lead_saba, lead_tala):
        await does(await again(lead), "circle_prepared", chosen=STEPS)
    assert (await (await tala.opens("Look")).refused("circle_yes_again", yes=True))["error"] == (
        "error.circle_too_early"
    )
    await world.passes(DAY)
    hers = await own(tala, code := await _code(tala))
    await does(hers, "circle_yes_again", yes=True)

    # Saba stops, with one tap. Tala sees what she saw before, and hears it at an hour of its own.
    before, chat = await hers.look(), await tala.chat()
    stopped = await own(saba, await _code(saba))
    await does(stopped, "circle_stop")
    assert "part.circle.own.over" in _lines(stopped.view)
    assert await hers.look() == before
    assert await tala.chat() == chat
    await world.passes(9 * HOUR)
    assert [m["text"] for m in await tala.chat() if m not in chat] == [f"{code}: it will not happen."]
    heard = await tala.opens("Look")
    assert _lines(heard.view) == ["part.circle.own.over"]
    assert not heard.view["sections"][0].get("steps")
    assert "saba" not in json.dumps(await (await own(tala, code)).proves()).casefold()
    await noor.sees("it has been stopped")
    await nothing_private(demo, world, NEVER_SAID)
    await traffic_is_valid(world, tmp_path)


async def test_two_sides_meet_and_are_asked_afterwards(running: tuple[Demo, World], tmp_path: Path) -> None:
    demo, world = running
    amina, nadia = await world.newcomer("amina"), world.person("nadia")
    lead_amina = await _first_side(world, amina)

    # The link is handed to a mentor, for one of her members; the member's yes is heard word by word.
    await nadia.opens_link(await _link(world))
    await nadia.presses("Look")
    invited = await nadia.opens("Open the page")
    ((member,),) = [
        [c["id"] for c in step["choices"] if c["label"] == "K7-29"]
        for part in invited.view["sections"]
        for step in part["steps"]
        if step["id"] == "invited_for"
    ]
    await does(invited, "invited_for", reason=member)
    words = await nadia.opens("Read it out")
    wishes = {"area": "pattani-mueang", "urgency": "normal", "language": "en", "age": "adult"}
    plan = (await words.does("preview", **wishes))["plan"]
    assert [line["organization"] for line in plan["plan"]] == ["Weaving Hands"]
    await words.does(
        "yes",
        **wishes,
        consent_digest=plan["consent_digest"],
        story="Canary-story: he wishes to say that he is sorry.",
        contact="Canary-contact: through nadia",
        read_out=True,
        said_yes=True,
    )
    lead_member = await _taken(world, "Canary-story: he wishes to say that he is sorry.")
    member_side = await nadia.opens("Look")
    await does(member_side, "circle_yes", yes=True)
    for lead in (lead_amina, lead_member):
        await does(await again(lead), "circle_prepared", chosen=STEPS)
    await world.passes(DAY)
    for side, code in ((amina, await _code(amina)), (nadia, "K7-29")):
        await does(await own(side, code), "circle_yes_again", yes=True)

    # They meet. Days later whoever leads it has spoken with both, and says how it ended; so do both sides.
    noor = world.person("noor")
    lead = await noor.opens("Look")
    assert "part.circle.lead.ready" in _lines(lead.view)
    await does(lead, "circle_held", yes=True)
    await world.passes(3 * DAY)
    for known in (lead_amina.view["code"], lead_member.view["code"]):
        page = await ours(noor, known)
        if known == lead_amina.view["code"]:
            await does(page, "circle_followed")
        await page.does("report", outcome="met")
    for side in (amina, nadia):
        await side.presses("Yes, somebody helped")
        closed = await side.sees("This is closed now")
        page = await side.opens("Open", closed["message_id"])
        await does(page, "afterwards", reason="yes")
    await nothing_private(demo, world, NEVER_SAID)
    await traffic_is_valid(world, tmp_path)


async def _first_side(world: World, person: Person) -> SecurePage:
    """Somebody who wishes for it, from the poster to their first yes; the page of whoever leads it."""
    await person.opens_link("loom")
    for label in ("English", "All right", "25 to 59", "Yes, any time"):
        await person.presses(label)
    lead = await _taken(world, await _files(person, await person.opens("Open the page")))
    await does(lead, "circle_begin")
    await does(await person.opens("Look"), "circle_yes", yes=True)
    return lead


async def _files(person: Person, page: SecurePage) -> str:
    """Chosen and agreed to on the secure page; the words that were written."""
    plan = await page.does("preview", **WISHES)
    assert [line["organization"] for line in plan["plan"]] == ["Weaving Hands"]
    story = f"Canary-story of {person.name}: I would like to understand."
    contact = f"Canary-contact 0812345678 of {person.name}"
    await page.does("file", **WISHES, consent_digest=plan["consent_digest"], story=story, contact=contact)
    return story


async def _taken(world: World, story: str) -> SecurePage:
    """Whoever leads circles is asked a few minutes later, takes it, and speaks with that side."""
    await world.passes(6 * 60)
    worker = Worker(world.person("noor"), "en")
    (message,) = await worker.offers()
    text, blind = await worker.looks(message)
    assert "Canary" not in f"{text} {blind.view}"
    lead = await worker.takes(message)
    assert lead.view["story"] == story
    await lead.does("contacted")
    return lead


async def _code(person: Person) -> str:
    """By which code somebody knows their own matter, from the menu."""
    await person.says("/start")
    (row,) = (await person.opens("My things")).view["mine"]
    return str(row["code"])


async def _link(world: World) -> str:
    """What is written on paper for the other side: from the page that the first side's yes leads to."""
    noor = world.person("noor")
    await noor.sees("something has moved")
    (line,) = (await does(await noor.opens("Look"), "circle_invite"))["lines"]
    return str(line["params"]["payload"])


def _lines(view: dict[str, Any]) -> list[str]:
    return [line["key"] for part in view["sections"] for line in part["lines"]]
