"""Posts and lost phones as people live them: in the chat, on the page, over real HTTP."""

from __future__ import annotations

import pytest

from tests.support.people import Person, SecurePage, World
from tests.support.story import asks_for_help, files

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_steward_invites_and_a_coordinator_says_yes(world: World) -> None:
    posts = await _posts(world, "kanya")
    await posts.proves()
    made = await posts.does("invite", seat="open-door-1")
    assert made["invited_to"] == "open-door-1"
    newcomer = await world.newcomer("noi")
    await newcomer.opens_link(made["invitation"])
    await newcomer.presses("Join")
    await newcomer.presses("English")
    waiting = await newcomer.sees("Your number is")
    desk = await _posts(world, "dao")
    line = next(p for p in desk.view["posts"] if p["id"] == "open-door-1")
    assert line["invited"] == "asked"
    assert line["check"] in waiting["text"]
    dao = world.person("dao")
    await dao.says("/language")
    await dao.presses("English")
    await dao.sees(line["check"])
    await dao.presses("Yes, it is them")
    await newcomer.sees("Welcome. You are in as")
    await newcomer.presses("Yes, any time")
    await newcomer.sees("What would you like to do?")
    assert posts.session.opened["bot"]  # the link that the page shows needs the bot's name


async def test_a_lost_phone_reads_nothing_from_the_next_request_on(world: World) -> None:
    family = await world.newcomer("lost-phone")
    receipt = await files(await asks_for_help(family))
    mine = await family.opens("Open")
    desk = await _matter_at_desk(world, receipt["code"])
    await mine.look()  # still allowed
    await desk.does("lost_phone")
    status, answer = await mine.session.view()
    assert (status, answer["error"]) == (401, "error.session_over")
    await family.says("/start")
    await family.says("hello?")
    dao = world.person("dao")
    await dao.says("/help")
    await family.sees_no_more("Its code is")
    assert not [m for m in await family.chat() if m["from"] == "bot"]
    await desk.proves()
    await desk.does("found")
    await family.says("/start")
    await family.sees("What would you like to do?")


async def _posts(world: World, name: str) -> SecurePage:
    person = world.person(name)
    await _in_english(person)
    return await person.opens("Posts")


async def _matter_at_desk(world: World, code: object) -> SecurePage:
    """The matter as the desk finds it: by the code that the caller says."""
    dao = world.person("dao")
    await _in_english(dao)
    await dao.says(f"/matter {code}")
    await dao.sees(f"{code}: here it is")
    return await dao.opens("Look")


async def _in_english(person: Person) -> None:
    await person.says("/language")
    await person.presses("English")
    await person.says("/start")
    await person.sees("What would you like to do?")
