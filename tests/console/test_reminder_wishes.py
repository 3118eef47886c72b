"""Reminders on page 'me': hours, days, the phone's own zone, none at all; as people press it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.console.conftest import Window
from tests.console.stand import Stand
from tests.console.test_pages_sound import NO_SIDEWAYS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_hours_and_days_are_kept_with_one_press(window: Window, stand: Stand) -> None:
    await window.opens("me")
    page = window.page
    await page.get_by_text("They are on. Change hours and days.").click()
    assert await page.get_by_label("Quiet from").input_value() == "22:00"
    await page.get_by_label("Quiet from").fill("21:30")
    await page.get_by_label("Sunday").check()
    await page.get_by_label("Monday").uncheck()
    card = page.locator("section.card", has=page.get_by_role("heading", name="Reminders"))
    async with page.expect_response("**/p/api/me/reminders"):
        await card.get_by_role("button", name="Save").click()
    name, body = stand.turns.taken  # type: ignore[attr-defined]
    assert name == "reminders"
    assert body["on"] is True
    assert (body["quiet_from"], body["quiet_to"]) == ("21:30", "07:00")
    assert body["days"] == ["1", "2", "3", "4", "6"]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "th"])
async def test_it_fits_every_screen_in_every_language(
    window: Window, stand: Stand, width: int, language: str
) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.page.set_viewport_size({"width": width, "height": 900})
    await window.opens("me")
    await window.page.locator("details").first.evaluate("e => { e.open = true }")
    assert await window.page.evaluate(NO_SIDEWAYS)
    if os.environ.get("SHOTS"):
        await window.page.screenshot(
            path=str(Path(os.environ["SHOTS"]) / f"me-{language}-{width}.png"), full_page=True
        )
