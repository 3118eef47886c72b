"""'Somebody is in danger', as people live it: two presses, and words that help until somebody has it."""

from __future__ import annotations

import pytest

from tests.support.people import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE = 60.0


async def test_nobody_answers_and_the_mentor_is_told_what_to_do(world: World) -> None:
    nadia, dao = world.person("nadia"), world.person("dao")
    await nadia.says("/start")
    await nadia.presses("Somebody is in danger")
    shown = await nadia.sees("Whom is it about?")
    assert "Ambulance 1669" in shown["text"]
    await nadia.presses("About K7-29")
    raised = await nadia.sees("The desk has been told")
    assert "Ambulance 1669" in raised["text"]
    first = await dao.sees("K7-29: somebody needs you now. Please call the mentor.")
    assert "Ambulance" not in first["text"], "an alert is a code and nothing else"
    await nadia.presses("Yes, now")
    await dao.sees("K7-29: somebody needs you now.")
    for _ in range(3):
        await world.passes(5 * MINUTE)
    told = await nadia.sees("The desk has not answered yet.")
    assert "Ambulance 1669" in told["text"]
    await world.passes(15 * MINUTE)
    again = await nadia.sees("The desk has not answered yet.")
    assert again["message_id"] > told["message_id"], "and again, until somebody has it"
    await dao.presses("I have it")
    await dao.sees("K7-29: it is yours.")
    await nadia.sees("A coordinator has it and will call you.")
    page = await dao.reads("Look")
    assert page.view["code"] == "K7-29"
    await dao.presses("It is handled")
    await dao.sees("K7-29: handled.")
    await nadia.sees("K7-29: the desk has looked after it.")


async def test_a_false_alarm_is_taken_back_from_everybody(world: World) -> None:
    nadia, dao = world.person("nadia"), world.person("dao")
    await nadia.says("/start")
    await nadia.presses("Somebody is in danger")
    await nadia.presses("About M3-04")
    await dao.sees("M3-04: somebody needs you now.")
    await nadia.presses("It was a false alarm")
    await dao.sees("M3-04: false alarm. All is well.")
    await nadia.sees("Everybody who was told now knows")
