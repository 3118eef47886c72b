"""The first issue's story, lived over HTTP: a stranger asks, one partner declines, the next helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.demo import Demo
from tests.support.people import World
from tests.support.story import (
    CONTACT,
    HOUR,
    MINUTE,
    STORY,
    asks_for_help,
    files,
    is_reminded,
    shows_an_offer,
)
from tests.support.traces import nothing_private, traffic_is_valid

ORGANIZATIONS = ("Bua House", "Two Rivers", "Open Door", "บ้านบัว", "สองสายน้ำ", "เปิดประตู")
PLACES = ("Pattani", "pattani", "ปัตตานี", "Yala")


async def test_a_request_is_declined_goes_on_is_helped_and_closed(
    running: tuple[Demo, World], tmp_path: Path
) -> None:
    demo, world = running
    somchai = await world.newcomer("somchai")
    page = await asks_for_help(somchai)

    # Three organisations serve here; one is excluded and the others say why they are proposed.
    plan = await page.does("preview", area="pattani-mueang", urgency="urgent")
    assert len(plan["plan"]) >= 3
    assert all(line["reasons"] for line in plan["plan"])
    without = "two-rivers"
    receipt = await files(page, without=(without,), urgency="urgent")
    code = receipt["code"]
    assert "Two Rivers" not in str(receipt["consent_text"])
    await somchai.sees(f"Its code is {code}")

    # The first one's worker looks, and declines with a reason.
    await world.passes(10)
    first, second = await _workers_in_order(world)
    await first.presses(first.words["show"])
    await first.presses(first.words["decline"])
    await first.presses(first.words["full"])

    # The next one's sees a blind offer, accepts, reads the story on the secure page and writes.
    await world.passes(10)
    await second.presses(second.words["show"])
    blind = await second.person.sees_button(second.words["accept"])
    assert str(code) not in blind["text"], "the partner knows it by a code of its own"
    assert STORY not in blind["text"]
    offer_page = await second.person.opens(second.words["details"])
    assert offer_page.view["may_decide"]
    assert STORY not in json.dumps(offer_page.view)
    await second.presses(second.words["accept"])
    matter = await second.person.reads(second.words["read"])
    assert matter.view["story"] == STORY
    assert matter.view["contact"] == CONTACT
    await matter.does("write", text="Canary-thread: we can bring you on Thursday.")
    await matter.does("contacted")

    # The person reads, answers, and confirms that help came.
    mine = await somchai.reads("Read")
    assert mine.view["thread"][0]["text"].startswith("Canary-thread")
    assert mine.view["readers"]
    await mine.does("write", text="Canary-answer: thank you, Thursday is good.")
    assert len((await matter.look())["thread"]) == 2
    await matter.does("report", outcome="met")
    await somchai.presses("Yes, somebody helped")
    await somchai.sees("This is closed now")

    # The desk sees it closed and may read no story; whoever declined may not see it at all.
    dao = world.person("dao")
    await dao.says("/desk")
    await dao.sees("Nothing waits for the desk")
    assert (await mine.look())["stage_key"] == "stage.closed"
    await nothing_private(demo, world, (*ORGANIZATIONS, *PLACES))
    await traffic_is_valid(world, tmp_path)


async def test_when_nobody_answers_the_ladder_runs_to_the_desk(world: World) -> None:
    somchai = await world.newcomer("somchai")
    receipt = await files(await asks_for_help(somchai), urgency="emergency")
    code = str(receipt["code"])
    await world.person("dao").sees(code)  # the on-call coordinator is told at filing
    await world.passes(10)
    first, _ = await _workers_in_order(world)
    await world.passes(
        2 * HOUR + MINUTE
    )  # decide within two hours: the offer lapses, the next one's turn comes
    await world.passes(10)
    await world.passes(2 * HOUR + MINUTE)
    await world.passes(10)
    await world.passes(2 * HOUR + MINUTE)
    await world.passes(10)
    dao = world.person("dao")
    await dao.sees(code)
    await world.passes(HOUR)
    await somchai.sees("nobody has answered yet")
    await world.passes(15 * MINUTE)
    desk = await dao.opens("Look")
    assert desk.view["stage_key"] == "stage.unmatched"
    assert desk.view["story"] is None
    await desk.does("give_up", reason="no_place")
    await somchai.sees("We found nobody who can help")
    assert first.person.name


async def test_a_withdrawal_cuts_every_access_at_once(world: World) -> None:
    somchai = await world.newcomer("somchai")
    await files(await asks_for_help(somchai), urgency="urgent")
    await world.passes(10)
    first, _ = await _workers_in_order(world)
    await first.presses(first.words["show"])
    await first.presses(first.words["accept"])
    matter = await first.person.reads(first.words["read"])
    assert matter.view["story"] == STORY
    mine = await somchai.reads("Open")
    await mine.does("withdraw")
    await matter.refused("write", text="still there?")
    assert (await matter.refused("contacted"))["error"] in ("error.not_found", "error.wrong_stage")
    after = await mine.look()
    assert (after["story"], after["stage_key"]) == (STORY, "stage.withdrawn")  # their own copy stays
    await somchai.sees("taken back")
    await somchai.sees_no_more("Your request is on its way")  # with its 'Take it back'
    assert "Take it back" not in [
        b["text"] for m in await somchai.chat() for row in m.get("buttons") or [] for b in row
    ]


async def test_the_story_survives_a_kill_in_the_middle(running: tuple[Demo, World]) -> None:
    demo, world = running
    somchai = await world.newcomer("somchai")
    await files(await asks_for_help(somchai), urgency="urgent")
    demo.kill()
    await demo.start()
    world.simulator, world.product = demo.places["simulator"], demo.places["product"]
    await world.passes(10)
    first, _ = await _workers_in_order(world)
    demo.kill()
    await demo.start()
    world.simulator, world.product = demo.places["simulator"], demo.places["product"]
    await first.presses(first.words["show"])
    await first.presses(first.words["accept"])
    await somchai.sees("An organisation has said yes")
    chat = await somchai.chat()
    assert len([m for m in chat if "An organisation has said yes" in m["text"]]) == 1


async def test_a_mentor_checks_in_with_three_taps(world: World) -> None:
    nadia = world.person("nadia")
    one = await is_reminded(world, nadia)
    await nadia.presses("Call", one)
    await nadia.sees_in(one, "how is it going")
    await nadia.presses("Doing well", one)
    await nadia.sees_in(one, "Doing well")
    await nadia.presses("Save", one)
    await nadia.sees_in(one, "Done. Thank you.")
    await nadia.presses("Undo", one)
    await nadia.sees_in(one, "how did you meet?")
    await nadia.presses("Call", one)
    await nadia.sees_in(one, "how is it going")
    await nadia.presses("Doing well", one)
    await nadia.sees_in(one, "Doing well")
    await nadia.presses("Save", one)
    await world.passes(MINUTE + 1)
    done = await nadia.sees_in(one, "Done. Thank you.")
    assert not [b for row in done["buttons"] for b in row if "callback_data" in b]  # a note, on a page


class _Worker:
    """A worker with the button words of their language."""

    def __init__(self, world: World, name: str, language: str) -> None:
        self.person = world.person(name)
        english = {
            "show": "Show",
            "decline": "Decline",
            "accept": "Accept",
            "full": "We are full",
            "details": "Where, and more",
            "read": "Read the story",
        }
        thai = {
            "show": "ดู",
            "decline": "ไม่รับ",
            "accept": "รับ",
            "full": "คิวเต็มแล้ว",
            "details": "พื้นที่และรายละเอียด",
            "read": "อ่านเรื่อง",
        }
        self.words = thai if language == "th" else english

    async def presses(self, label: str) -> None:
        await self.person.presses(label)


async def _workers_in_order(world: World) -> tuple[_Worker, _Worker]:
    """Who is asked now, and a worker of the organisation that comes after it in this plan."""
    people = {p["name"]: p for p in await world.call("GET", "/sim/people")}
    asked = None
    for name in ("ploy", "anan", "suda", "farida", "wit"):
        if await shows_an_offer(world.person(name)):
            asked = name
    if asked is None:
        pytest.fail("nobody has been asked")
    other = "suda" if asked in ("ploy", "anan", "farida", "wit") else "ploy"
    return (
        _Worker(world, asked, people[asked]["language"]),
        _Worker(world, other, people[other]["language"]),
    )
