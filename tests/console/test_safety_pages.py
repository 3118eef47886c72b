"""A plan for hard days and what is shared for safety, in a real browser."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.console.conftest import Window
from tests.console.samples_safety import TEXTS
from tests.console.stand import Stand
from tests.console.test_pages_sound import FAINT, FLAWS, NO_SIDEWAYS, unfold

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGES = ["safety/mentor", "safety/own", "safety/alarm", "share/S1", "share/steward"]


@pytest.mark.parametrize("page", PAGES)
async def test_it_is_sound_small_and_large_in_both_languages(window: Window, stand: Stand, page: str) -> None:
    for language in ("en", "th"):
        stand.turns.person = replace(stand.turns.person, language=language)
        for width in (390, 1280):
            await window.page.set_viewport_size({"width": width, "height": 844})
            await window.opens(page)
            await unfold(window)
            assert await window.page.evaluate(NO_SIDEWAYS), (language, width)
            assert await window.page.evaluate(FLAWS) == [], (language, width)
            assert await window.page.evaluate(FAINT) == [], (language, width)
            assert "page." not in await window.text(), "every word is there"
            if pictures := os.environ.get("PULANG_PICTURES"):
                path = Path(pictures) / f"{page.replace('/', '-')}-{language}-{width}.png"
                await window.page.screenshot(path=path, full_page=True)


async def test_a_plan_is_written_in_its_sections(window: Window, stand: Stand) -> None:
    await window.opens("safety/mentor")
    await window.page.get_by_label("What helps me").fill("The sea.")
    async with window.page.expect_response("**/p/api/safety/mentor/save"):
        await window.page.get_by_role("button", name="Keep it").click()
    name, body = stand.turns.taken  # type: ignore[attr-defined]
    assert (name, body) == ("save", {**TEXTS, "helps": "The sea."})


async def test_sharing_asks_for_all_that_it_needs_before_it_asks_anybody(
    window: Window, stand: Stand
) -> None:
    page = window.page
    await window.opens("safety/alarm")
    await page.get_by_text("Ask for it").click()
    send = page.get_by_role("button", name="Ask the steward")
    await send.click()
    await page.get_by_text("Please choose who and why").wait_for()
    assert not hasattr(stand.turns, "taken")
    await page.get_by_role("radio", name="Bua House").check()
    await page.get_by_label("a life is at risk").check()
    await page.get_by_label("What they must know").fill("Be there at six.")
    async with page.expect_response("**/p/api/safety/alarm/ask"):
        await send.click()
    assert stand.turns.taken == (  # type: ignore[attr-defined]
        "ask",
        {"organization": "bua", "reason": "life", "text": "Be there at six.", "plan": False, "silence": ""},
    )
