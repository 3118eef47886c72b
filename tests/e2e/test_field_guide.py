"""The figures of docs/field-guide.md, lived and counted: is it still easy on a poor phone?

Three people with a phone each: a family that asks for help, a worker who reads, a mentor who checks in.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.demo import Demo
from tests.support.handset import Count, a_browser, handset
from tests.support.people import World
from tests.support.story import MINUTE, STORY, asks_for_help, files, is_reminded, shows_an_offer

pytestmark = pytest.mark.browser

FIRST_PAGE = 30 * 1024
LATER_PAGE = 10 * 1024
PIN = "482915"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as found:
        yield found


async def test_a_family_files_without_pin_and_name(
    running: tuple[Demo, World], browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    _, world = running
    phone = await handset(browser, await world.newcomer("somchai"))
    await phone.opens_link("welcome")
    for label in ("English", "All right", "25 to 59", "Yes, any time", "Visits and what they cost"):
        await phone.presses(label)
    before = phone.now()
    screen = await phone.opens("Open the page")
    first = phone.now() - before
    await screen.chooses(screen.page.get_by_label("Place"), "pattani-mueang")
    await screen.taps(screen.page.get_by_role("button", name="Yes, ask them for me"))
    await screen.shows("Thank you")
    _tell(capsys, "a family files", phone.now(), first_page=first.received)
    assert phone.count.taps <= 10
    assert phone.count.letters == 0
    assert first.received <= FIRST_PAGE
    assert not phone.complaints


async def test_a_worker_reads_with_a_pin_and_then_with_one_tap(
    running: tuple[Demo, World], browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    _, world = running
    workers = [world.person(name) for name in ("ploy", "anan", "suda", "farida", "wit")]
    for worker in workers:
        await worker.says("/language")
        await worker.presses("English")
    await files(await asks_for_help(await world.newcomer("somchai")), urgency="urgent")
    await world.passes(10)
    asked = [worker for worker in workers if await shows_an_offer(worker)]
    phone = await handset(browser, asked[0])
    for label in ("Show", "Accept"):
        await phone.presses(label)

    start = phone.now()  # once in a phone's life: a PIN is chosen
    screen = await phone.opens("Read the story")
    first_page = phone.now() - start
    _tell(capsys, "a worker's first page", first_page)
    await screen.types(screen.page.get_by_label("A new PIN"), PIN)
    await screen.types(screen.page.get_by_label("The same PIN again"), PIN)
    await screen.taps(screen.page.get_by_role("button", name="Use this PIN"))
    await screen.shows(STORY)
    enrolling = phone.now() - start
    await screen.close()
    _tell(capsys, "a worker chooses a PIN and reads", enrolling)

    await world.passes(31 * MINUTE)  # another day: the PIN is asked again
    start = phone.now()
    screen = await phone.opens("Read the story")
    await screen.types(screen.page.get_by_label("PIN", exact=True), PIN, focused=True)
    await screen.taps(screen.page.get_by_role("button", name="Open", exact=True))
    await screen.shows(STORY)
    first = phone.now() - start
    await screen.close()
    _tell(capsys, "a worker's first read", first)

    start = phone.now()
    screen = await phone.opens("Read the story")
    await screen.shows(STORY)
    then = phone.now() - start
    _tell(capsys, "the next read", then)

    assert first_page.received <= FIRST_PAGE
    assert (first.taps, first.letters) == (2, len(PIN))
    assert first.received <= LATER_PAGE
    assert (then.taps, then.letters) == (1, 0)
    assert then.received <= LATER_PAGE
    assert not phone.complaints


async def test_a_check_in_from_a_reminder_takes_three_taps_and_no_pin(
    running: tuple[Demo, World], browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    _, world = running
    phone = await handset(browser, world.person("nadia"))
    due = await is_reminded(world, phone.person)
    newest = (await world.traffic())[-1]["n"]
    for label, then in (("Call", "how is it going"), ("Doing well", "Doing well"), ("Save", "Done")):
        await phone.presses(label, due)
        await phone.person.sees_in(due, then)
    calls = await world.traffic(newest)
    mine = [call for call in calls if call["params"].get("message_id") == due]
    spoken = sum(len(json.dumps(call["params"], ensure_ascii=False).encode()) for call in mine)
    _tell(capsys, "a mentor checks in", phone.now(), text_and_buttons=spoken)
    assert phone.count.taps == 3
    assert phone.count.letters == 0
    assert phone.count.received == 0  # no page is opened, so nothing could ask for a PIN


def _tell(capsys: pytest.CaptureFixture[str], what: str, count: Count, **more: int) -> None:
    """A line for docs/field-guide.md."""
    cost = f"{count.taps} taps, {count.letters} letters, {count.seconds:.0f} s, {count.received:,} B of pages"
    besides = "".join(f"; {name.replace('_', ' ')} {value:,} B" for name, value in more.items())
    with capsys.disabled():
        print(f"\n  {what}: {cost}{besides}")
