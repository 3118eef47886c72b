"""Attendance, lived over HTTP: a member sends their own; a body that asks on its own learns nothing by it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.support.demo import a_demo
from tests.support.people import Person, SecurePage, World
from tests.support.private_story import hears_back, in_english, never_said, ties_a_phone
from tests.support.story import DAY, MINUTE
from tests.support.traces import nothing_private, traffic_is_valid

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = "border-probation"
NUMBER = "Canary-number 12/69"
NOTHING = "part.attendance.nothing"
SAYS = "part.attendance.says"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One demo for both; whatever was lived in it, nothing private is left anywhere."""
    folder = tmp_path_factory.mktemp("attendance")
    async with a_demo(folder) as (demo, found):
        await in_english(found, ("nadia", "krit", "wichai", "dao", "rin", "somsak"))
        yield found
        await nothing_private(demo, found, never_said())
        await traffic_is_valid(found, folder)


async def test_a_member_sends_it_and_a_body_that_asks_learns_nothing(world: World) -> None:
    nadia, wichai = world.person("nadia"), world.person("wichai")
    came, absent = await world.newcomer("came"), await world.newcomer("absent")
    await ties_a_phone(nadia, came, "K7-29")
    await ties_a_phone(nadia, absent, "M3-04")
    await _was_there(world, nadia, "K7-29")

    # 'Send my confirmation to …': nothing leaves before the yes, and then nothing but this.
    mine = await _reads_own(came)
    assert "part.attendance.send" in [s["title_key"] for s in mine.view["sections"]]
    body = await _asks_at(wichai)
    assert _titles(body) == ["part.attendance.ask"]
    begun = _about(await mine.does("send_begin", organization=BODY, reason="quarter"), "yours")
    assert ("part.attendance.would_say", {"count": "1"}) in _lines(begun)
    confirmation = begun["body"]["confirmation"]
    await mine.does("send_refer", confirmation=confirmation, code=NUMBER)
    await body.look()
    assert _titles(body) == ["part.attendance.ask"]
    await mine.does("send_agree", confirmation=confirmation)
    await came.sees("It was written as you wished.")
    await body.look()
    sent = dict(_lines(_about(body.view, "came_in")))
    assert set(sent) == {"part.attendance.for_days", "part.attendance.about", SAYS}
    assert sent["part.attendance.about"] == {"reference": NUMBER}
    assert sent[SAYS]["count"] == "1"
    assert "K7-29" not in json.dumps(body.view)
    await mine.does("send_stop", confirmation=confirmation)
    await body.look()
    assert _titles(body) == ["part.attendance.ask"]

    # Known, unknown, nonsense, absent but willing, without a phone: the same words after the same time.
    mentor_before = await nadia.chat()
    questions = ("K7-29", "K7-99", "Canary-typed", "M3-04", "R5-11")
    at_once = [await _asked_about(body, typed) for typed in questions]
    assert len({words for words, _ in at_once}) == 1, "byte for byte"
    promised = [at for _, at in at_once]
    assert max(promised) - min(promised) < timedelta(seconds=30)  # they were asked one after the other
    await world.passes(2 * MINUTE)
    for member in (came, absent):
        await member.sees("Somebody asked something about you.")
    theirs = await _reads_own(absent)
    asked = _about(theirs.view, "asked_about_you")
    assert [step["id"] for step in asked["steps"]] == ["send_agree"]  # a no is to say nothing
    await theirs.does("send_agree", confirmation=asked["body"]["confirmation"])
    assert await nadia.chat() == mentor_before, "the person and the desk, and nobody else"

    waiting = await _answers(wichai)
    assert len(waiting) == 5
    assert len(set(waiting)) == 1
    assert NOTHING not in waiting[0]
    assert "part.attendance.comes" in waiting[0]
    heard = len(await _heard(wichai))
    await world.passes(8 * DAY)
    answers = await _answers(wichai)
    assert len(answers) == 5
    assert len(set(answers)) == 1, "byte for byte"
    assert NOTHING in answers[0]
    said = (await _heard(wichai))[heard:]
    assert len(set(said)) <= 1  # each in its place of the chat, in the same words

    # Why, the person reads, and the desk by codes alone.
    for member, why in ((came, "no_yes"), (absent, "not_there")):
        page = await _reads_own(member)
        assert f"part.attendance.why.{why}" in json.dumps(page.view)
    await world.person("dao").says("/start")  # the messages of that day are gone from the chat
    desk = await world.person("dao").opens("What organisations asked")
    reasons = {key for section in desk.view["sections"] for key, _ in _lines(section) if "desk_why" in key}
    assert reasons == {f"part.attendance.desk_why.{why}" for why in ("unknown", "no_yes", "not_there")}
    assert "Canary" not in json.dumps(desk.view)
    assert ".why." not in json.dumps((await _asks_at(wichai)).view["sections"])


async def test_a_yes_to_a_question_is_told_after_the_same_time_and_no_sooner(world: World) -> None:
    wichai, came = world.person("wichai"), world.person("came")
    body = await _asks_at(wichai)
    await _asked_about(body, "K7-29")
    await world.passes(2 * MINUTE)
    mine = await _reads_own(came)
    asked = _about(mine.view, "asked_about_you")
    await mine.does("send_agree", confirmation=asked["body"]["confirmation"])
    await world.passes(DAY)
    newest = (await _answers(wichai))[0]
    assert SAYS not in newest
    assert "part.attendance.comes" in newest
    await world.passes(8 * DAY)
    said = await _answers(wichai)
    assert SAYS in said[0]
    mine = await _reads_own(came)
    question = next(s for s in mine.view["sections"] if s["title_key"] == "ask.own_choice")
    await mine.does("afterwards", **question["body"], reason="partly")
    assert await _answers(wichai) == said, "how it was shows to nobody who asked"
    await mine.does("send_stop", confirmation=asked["body"]["confirmation"])
    newest, *_, oldest = await _answers(wichai)
    assert NOTHING in newest, "taken back, it reads like every other one"
    assert [line["key"] for line in json.loads(newest)["lines"]] == [
        line["key"] for line in json.loads(oldest)["lines"]
    ]


async def test_by_word_it_is_read_out_from_the_members_page_and_a_code_takes_it_back(world: World) -> None:
    nadia, wichai = world.person("nadia"), world.person("wichai")
    await nadia.says("list")
    members = await nadia.reads("See all")
    (line,) = [one for one in members.view["lines"] if one["code"] == "K7-29"]
    member = await members.onward(f"member/{line['id']}")
    mine = await member.onward(f"attendance/{line['id']}")
    before = _titles(await _asks_at(wichai))
    begun = _about(await mine.does("word_begin", organization=BODY, reason="quarter"), "by_word")
    await mine.does("word_refer", confirmation=begun["body"]["confirmation"], code=NUMBER)
    await mine.does("word_reach", confirmation=begun["body"]["confirmation"], code="Canary-reach: mornings")
    sent = _about(await mine.does("word_said", **begun["body"], reason="yes"), "by_word")
    code = dict(_lines(sent))["part.attendance.code"]["code"]
    page = await _asks_at(wichai)
    came_in = _about(page.view, "came_in")
    assert dict(_lines(came_in))["part.attendance.about"] == {"reference": NUMBER}
    assert "K7-29" not in json.dumps(came_in)
    dao = world.person("dao")
    await dao.says("/start")
    desk = await dao.reads("What organisations asked")
    assert {"contact": "Canary-reach: mornings"} in [p for _, p in _lines(_about(desk.view, "true"))]
    friend = await world.newcomer("whoever-brings-it")
    await friend.says("/start")
    await friend.presses("English")
    word = await (await friend.opens("I have a code")).onward("word")
    assert (await word.does("take_back", code=code))["said_key"] == "page.word.done"
    assert _titles(await _asks_at(wichai)) == before


async def _was_there(world: World, mentor: Person, code: str) -> None:
    """Days pass until the club has met; the mentor ticks one of theirs."""
    for _ in range(3):  # every other Saturday
        await world.passes(7 * DAY)
        if "Write it down" in await hears_back(mentor, "meet"):
            break
    await mentor.presses("Write it down")
    await mentor.presses(code)
    await mentor.sees_button(f"✓ {code}")
    await mentor.presses("Next")
    await mentor.presses("Good")
    await mentor.sees("Done. Thank you.")
    await world.passes(MINUTE + 1)  # it can be undone no more


async def _reads_own(member: Person) -> SecurePage:
    await member.says("/start")
    return await member.reads("My confirmations")


async def _asks_at(worker: Person) -> SecurePage:
    await worker.says("/start")
    return await worker.reads("Ask for a confirmation")


async def _asked_about(body: SecurePage, typed: str) -> tuple[bytes, datetime]:
    """The answer as its bytes came, without two moments: when it comes, and until when the PIN holds."""
    view = await body.does("body_ask", code=typed, reason="month")
    comes = str(view["lines"][0]["at"])
    answered = body.session.answered
    for moment in (comes, str(view["reading"]["until"])):
        answered = answered.replace(moment.encode(), b"")
    return answered, datetime.fromisoformat(comes)


async def _answers(worker: Person) -> list[str]:
    """Every question's section without what the body itself typed, and moments; the newest first."""
    view = (await _asks_at(worker)).view
    sections = [s for s in view["sections"] if s["title_key"] == "part.attendance.question"]
    for section in sections:
        lines = [line for line in section["lines"] if line["key"] != "part.attendance.about"]
        section["lines"] = [{**line, "at": None} for line in lines]
    return [json.dumps(section) for section in sections]


async def _heard(worker: Person) -> list[str]:
    return [m["text"] for m in await worker.chat() if "answer to your question" in m["text"]]


def _titles(page: SecurePage) -> list[str]:
    return [str(section["title_key"]) for section in page.view["sections"]]


def _about(view: dict[str, Any], title: str) -> dict[str, Any]:
    """The first section with this title."""
    return next(s for s in view["sections"] if s["title_key"] == f"part.attendance.{title}")


def _lines(section: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    return [(line["key"], line.get("params", {})) for line in section["lines"]]
