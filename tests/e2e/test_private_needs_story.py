"""What no chat may name, lived over HTTP: faith, what people say, safety, complaints, a member's own yes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.demo import a_demo
from tests.support.people import Person, SecurePage, World
from tests.support.private_story import (
    PLACE,
    accepts,
    asks,
    comes_by,
    hears_back,
    in_english,
    is_asked,
    is_over,
    never_said,
    talks,
    ties_a_phone,
)
from tests.support.traces import nothing_private, traffic_is_valid

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE, HOUR = 60, 3600
SOON = 5.0  # seconds from the yes to the first partner's phone, and the desk's, on a busy machine
DESK = ("dao", "rin")
FOCAL = ("siri", "boon", "chai")  # siri and boon at Plain Ear, chai at Open Ledger
SAFE = ("ploy", "anan", "laila", "tan")  # at Bua House and Harbour House
SCHOLARS = ("yusof", "hasan")
EVERYBODY = (
    *("nadia", "krit", "farida", "wit", "suda", "prasit", "kanya", "malee", "pim", "noor", "wichai"),
    *(*DESK, *FOCAL, *SAFE, *SCHOLARS),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One demo for all of these; whatever was lived in it, nothing private is left anywhere."""
    folder = tmp_path_factory.mktemp("private")
    async with a_demo(folder) as (demo, found):
        await in_english(found, EVERYBODY)
        yield found
        await nothing_private(demo, found, never_said())
        await traffic_is_valid(found, folder)


async def test_a_scholar_answers_whoever_asks(world: World) -> None:
    someone = await world.newcomer("saleha")
    partners, receipt = await asks(await comes_by(someone, "lotus"), category="faith.guidance")
    assert partners == {"Lamp Study House", "An-Noor Circle"}  # nobody who holds, employs or pays a person
    await world.passes(6 * MINUTE)
    scholar = await is_asked(world, SCHOLARS)
    theirs = await accepts(scholar)
    mine = await someone.reads("Open")
    assert mine.view["code"] == receipt["code"]
    await talks(someone, mine, theirs)
    await is_over(someone, mine, theirs, "own_choice", "treated_well")


async def test_reporters_stand_at_the_door(world: World) -> None:
    someone = await world.newcomer("malik")
    page = await comes_by(someone, "rain")
    partners, _ = await asks(page, category="stigma.press", urgency="urgent")
    assert partners == {"Harbour House", "Open Door Pattani"}
    theirs = await accepts(await is_asked(world, ("laila", "tan", "suda")))
    mine = await someone.reads("Open")
    await talks(someone, mine, theirs)
    await is_over(someone, mine, theirs, "calmer", "treated_well")


async def test_a_threat_is_heard_at_once_by_safety_contacts_and_read_by_nobody_else(world: World) -> None:
    someone = await world.newcomer("rosna")
    page = await comes_by(someone, "lantern")
    assert page.view["call_now"]  # whom to call stands on the page before anything is chosen
    before = await _chats(world)
    began = time.monotonic()
    partners, receipt = await asks(page, category="safety.home", urgency="urgent")
    assert partners == {"Bua House", "Harbour House"}  # a third would; its agreement does not name the class
    contact = await is_asked(world, SAFE)
    on_call = await _hears(world, DESK, str(receipt["code"]), before)
    assert time.monotonic() - began < SOON

    desk = await on_call.opens("Look")
    assert (desk.view["story"], desk.view["contact"], desk.view["thread"]) == (None, None, [])
    theirs = await accepts(contact)
    mine = await someone.reads("Open")
    await talks(someone, mine, theirs)
    await desk.refused("write", text="Canary-desk: may I?")
    await mine.does("desk_share_on")  # the desk reads along with her yes alone, and from then on
    await theirs.does("write", text="Canary-plan: we come at nine.")
    along = await on_call.reads("Look")
    assert [line["text"] for line in along.view["thread"]] == ["Canary-plan: we come at nine."]
    assert along.view["story"] is None
    for name in set(EVERYBODY) - {contact.name, on_call.name, *SAFE}:
        assert await world.person(name).chat() == before[name], name
    await is_over(someone, mine, theirs, "calmer", "in_time")


async def test_an_emergency_that_nobody_answers_never_falls_silent(world: World) -> None:
    someone = await world.newcomer("urgent")
    page = await comes_by(someone, "lantern")
    without = {"exclude_organizations": ["bua-house"]}
    partners, receipt = await asks(page, category="safety.threat", urgency="emergency", **without)
    assert partners == {"Harbour House"}
    code = str(receipt["code"])
    mine = await someone.opens("Open")
    assert any("1669" in line for line in mine.view["emergency_lines"])
    on_call = [name for name in DESK if code in str(await world.person(name).chat())]
    assert len(on_call) == 1  # at filing the one on call, and not the other
    await world.passes(2 * HOUR + MINUTE)  # Harbour House sleeps, and nobody else may be asked
    await world.passes(HOUR + MINUTE)
    for name in DESK:
        await world.person(name).sees(code)
    await someone.sees("nobody has answered yet")
    before = await _chats(world)
    await world.passes(15 * MINUTE)  # and again, to all of them
    for name in DESK:
        new = [m for m in await world.person(name).chat() if m not in before[name]]
        assert code in str(new)
    for name in set(EVERYBODY) - {*DESK, *SAFE}:
        await world.person(name).never_sees(code)
    desk = await world.person(on_call[0]).opens("Look")
    assert (desk.view["stage_key"], desk.view["story"]) == ("stage.unmatched", None)
    await (await someone.opens("Open")).does("withdraw")


async def test_a_complaint_never_meets_those_it_is_about(world: World) -> None:
    someone = await world.newcomer("nameless")
    page = await comes_by(someone, "kite")
    before = await _chats(world)
    about = {"about": ["desk", "worker"], "about_organizations": ["plain-ear", "two-rivers"]}
    partners, receipt = await asks(page, category="complaint.abuse", **about)
    assert partners == {"Open Ledger"}
    focal = await is_asked(world, FOCAL)  # abuse waits for no office hours
    theirs = await accepts(focal)
    await theirs.does("write", text="Canary-first: we have read it, and we ask them.")
    mine = await someone.reads("Open")
    await mine.does("write", text="Canary-nameless: thank you. I do not give my name.")

    # Not one message more to anybody but the focal point; and to the desk it does not exist.
    for name in set(EVERYBODY) - {focal.name}:
        assert await world.person(name).chat() == before[name], name
    for name in DESK:
        assert await _finds(world.person(name), str(receipt["code"])) == await _finds(
            world.person(name), "ZZZ-999"
        )
    readers = [(line["organization"], line["role_key"]) for line in (await mine.look())["readers"]]
    assert readers == [("Open Ledger", "role.worker")]
    await theirs.does("write", text="Canary-word: this is what we found, and what happens now.")
    assert len((await mine.look())["thread"]) == 3
    await is_over(someone, mine, theirs, "taken_seriously", "calmer")


async def test_a_mentor_only_proposes_and_the_members_own_phone_says_yes(world: World) -> None:
    """Along member-support, where the chat may ask how it was, and along faith, where it never names it."""
    nadia, member = world.person("nadia"), await world.newcomer("own-phone")
    theirs_id = await ties_a_phone(nadia, member, "K7-29")

    words = await _proposes(nadia, theirs_id, "member.housing")
    assert words.view["phone"]  # nothing is read out: their own phone was asked
    await member.sees("A page waits for your answer.")
    page = await member.opens("Open the page")
    partners, receipt = await asks(page, urgency="urgent", exclude_kinds=["government"])
    assert partners == {"Bua House"}
    theirs = await accepts(await is_asked(world, ("ploy", "anan")))
    mine = await member.reads("Open")
    await talks(member, mine, theirs)
    assert (await words.refused("preview", area=PLACE))[
        "error"
    ] == "error.not_found"  # it is the member's now
    await theirs.does("contacted")
    await theirs.does("report", outcome="met")
    await member.presses("Yes, somebody helped")
    await member.presses("Say how it was")
    for question in ("Did it come in time?", "Were you treated well?", "Would you ask here again?"):
        await member.sees(question)
        await member.presses("Yes")
    await member.sees(f"{receipt['code']}: thank you for saying how it was")

    await _proposes(nadia, theirs_id, "faith.discussion")
    page = await member.opens("Open the page")
    assert page.view["no"]  # a proposal can be answered with a no
    _, faith = await asks(page, category="faith.discussion", urgency="urgent")
    theirs = await accepts(await is_asked(world, (*SCHOLARS, "pim")))
    mine = await member.reads("Open")
    await is_over(member, mine, theirs, "own_choice", "treated_well")
    for code in (str(receipt["code"]), str(faith["code"])):
        await nadia.never_sees(code)


async def _chats(world: World) -> dict[str, list[dict[str, object]]]:
    return {name: await world.person(name).chat() for name in EVERYBODY}


async def _hears(
    world: World, among: tuple[str, ...], code: str, before: dict[str, list[dict[str, object]]]
) -> Person:
    """Whoever of them hears of it: the one who is on call."""
    on_call = [world.person(name) for name in among if await world.person(name).chat() != before[name]]
    heard = on_call[0] if on_call else world.person(among[0])
    await heard.sees(f"{code}: this should not wait")
    return heard


async def _finds(coordinator: Person, code: str) -> str:
    """What the desk's chat says to a code."""
    said = await hears_back(coordinator, f"/matter {code}")
    assert "I cannot find that" in said
    return said


async def _proposes(mentor: Person, enrolment: str, category: str) -> SecurePage:
    """A mentor chooses on the member's page what no chat of theirs names; the page of the words."""
    await mentor.says("list")
    members = await mentor.opens("See all")
    words = await (await members.onward(f"member/{enrolment}")).onward(f"words/{enrolment}")
    return await words.onward((await words.does("choose", category=category))["go_on"])
