"""A mentor's members, somebody new at the desk, and a phone to be connected, in a real browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.console.conftest import Window
from tests.console.stand import Stand
from tests.console.test_pages_sound import FLAWS, NO_SIDEWAYS, unfold

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_member_is_handed_over_to_whoever_is_asked_first(window: Window, stand: Stand) -> None:
    page = window.page
    await window.opens("members")
    text = await window.text()
    assert text.index("K7-29") < text.index("R5-11")
    assert "Due since" in text
    assert await page.get_by_role("button", name="Open", exact=True).count() == 3
    assert not await page.get_by_role("button", name="Who could take over?").first.is_visible()
    await page.get_by_text("Their phone, or handing over").first.click()
    await page.get_by_role("button", name="Who could take over?").first.click()
    await page.get_by_text("Hand over", exact=True).click()
    await page.get_by_label("mentor-3").check()
    await page.get_by_role("button", name="Send").first.click()
    await page.get_by_text("They are asked in the chat").wait_for()
    assert stand.turns.taken == ("hand_over", {"member": "e1", "reason": "mentor-3"})  # type: ignore[attr-defined]


async def test_a_rest_is_two_presses_and_a_choice(window: Window, stand: Stand) -> None:
    page = window.page
    await window.opens("members")
    await page.get_by_text("Somebody else for a while").click()
    await page.get_by_label("Two weeks").check()
    await page.get_by_role("button", name="Send").last.click()
    await page.get_by_text("Rest well").wait_for()
    assert stand.turns.taken == ("away", {"reason": "2"})  # type: ignore[attr-defined]


async def test_somebody_new_gets_two_mentors_and_a_code(window: Window, stand: Stand) -> None:
    page = window.page
    await window.opens("newcomer")
    await page.get_by_label("Area").select_option("mueang")
    await page.get_by_role("button", name="Who could accompany them?").click()
    await page.get_by_text("is near: Pattani").wait_for()
    assert "private wish" in await window.text()
    enrol = page.get_by_role("button", name="Enrol, and show the code")
    await page.get_by_role("group", name="Second mentor").get_by_label("mentor-1").check()
    await enrol.click()
    await page.get_by_text("Choose two different ones.").wait_for()
    await page.get_by_role("group", name="Second mentor").get_by_label("mentor-2").check()
    await enrol.click()
    await page.wait_for_selector(".secret >> text=K7-29")
    name, body = stand.turns.taken  # type: ignore[attr-defined]
    assert (name, body["mentor"], body["backup"]) == ("enrol", "mentor-1", "mentor-2")
    assert body["place"] == "return-home-club/settled"


async def test_a_link_is_shown_once_and_a_number_compared(window: Window, stand: Stand) -> None:
    await window.opens("link/e1")
    await window.page.get_by_role("button", name="Make a link").click()
    await window.page.wait_for_selector(".secret >> text=m-0123456789")
    await window.opens("link/asked")
    assert "0815" in await window.text()
    await window.page.get_by_text("Yes, it is them").click()
    await window.page.get_by_role("button", name="Yes", exact=True).click()
    await window.page.get_by_text("Connected.").wait_for()
    assert stand.turns.taken[0] == "confirm"  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", ["en", "th"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_these_pages_are_sound(window: Window, stand: Stand, language: str, width: int) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.page.set_viewport_size({"width": width, "height": 844})
    for page in ("members", "newcomer", "link/asked", "link"):
        await window.opens(page)
        if page == "newcomer":
            await window.page.locator("section .actions button").first.click()
            await window.page.wait_for_selector("fieldset")
        await unfold(window)
        assert await window.page.evaluate(NO_SIDEWAYS), page
        assert await window.page.evaluate(FLAWS) == [], page
