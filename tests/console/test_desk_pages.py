"""The desk and a worker's day in a real browser: the first thing first, nothing cut, light on the line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.console.conftest import Window
from tests.console.stand import Stand
from tests.console.test_axe import DARK, barriers
from tests.console.test_pages_sound import FAINT, FLAWS, NO_SIDEWAYS
from tests.console.test_weight import FIRST_PAGE, Wire, tell

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(("page", "language", "theme"), [("desk", "th", "{}"), ("work", "ar", DARK)])
async def test_they_are_sound_on_a_small_phone(
    window: Window, stand: Stand, page: str, language: str, theme: str
) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.opens(page, theme=theme)
    assert await window.page.evaluate(NO_SIDEWAYS)
    assert await window.page.evaluate(FLAWS) == []
    assert await window.page.evaluate(FAINT) == []
    assert await barriers(window) == []


async def test_at_two_in_the_morning_the_oldest_urgent_one_is_seen_in_one_look(window: Window) -> None:
    await window.opens("desk")
    await window.page.set_viewport_size({"width": 390, "height": 640})
    first = window.page.locator("button.row").first
    assert "K7-19QX" in await first.inner_text()
    box = await first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 640  # without scrolling


async def test_a_day_of_forty_cases_is_light(window: Window, capsys: pytest.CaptureFixture[str]) -> None:
    wire = await Wire.of(window.page)
    await window.opens("work/forty")
    assert await window.page.locator("button.row").count() == 14
    spent = await wire.taken()
    assert tell(capsys, "a worker's day, forty cases", spent, FIRST_PAGE) <= FIRST_PAGE
    await window.page.get_by_role("button", name="I go off duty").click()
    await window.page.wait_for_selector("text=You hold 3")


async def test_a_heap_in_which_nothing_is_left_says_so(window: Window) -> None:
    """A zero travels as nothing at all; its heading still has a number."""
    await window.opens("work/waiting")
    assert "(0)" in await window.page.locator("h2").first.inner_text()
