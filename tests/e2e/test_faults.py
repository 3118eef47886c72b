"""The story on a bad network: updates twice, answers lost, 'too many requests', silence; 5 in 100."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import people
from tests.support.people import World
from tests.support.story import STORY, asks_for_help, files, shows_an_offer

FAULTS: list[dict[str, Any]] = [
    {"kind": "duplicate-update", "rate": 0.05},
    {"kind": "drop-reply", "rate": 0.05},
    {"kind": "429", "rate": 0.05, "retry_after": 1},
    {"kind": "timeout", "rate": 0.05, "latency_ms": 400},
    {"kind": "500", "rate": 0.05},
]


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_story_goes_on_through_faults(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PATIENCE_S", 60.0)
    for number, fault in enumerate(FAULTS):
        await world.call("POST", "/sim/faults", {**fault, "seed": seed * 100 + number})
    family = await world.newcomer("somchai")
    page = await asks_for_help(family)
    receipt = await files(page, without=("two-rivers", "open-door"), urgency="urgent")
    code = str(receipt["code"])
    assert (await page.look())["code"] == code  # filed once, however often something was repeated
    await world.passes(10)
    anan, ploy = world.person("anan"), world.person("ploy")
    asked = anan if await shows_an_offer(anan) else ploy
    english = asked is anan
    await asked.presses("Show" if english else "ดู")
    await asked.presses("Accept" if english else "รับ")
    matter = await asked.reads("Read the story" if english else "อ่านเรื่อง")
    assert matter.view["story"] == STORY
    await matter.does("contacted")
    await family.sees("help is under way")
    await matter.does("report", outcome="met")
    await family.presses("Yes, somebody helped")
    await family.sees("This is closed now")
    assert (await (await family.opens("Open")).look())["stage_key"] == "stage.closed"
