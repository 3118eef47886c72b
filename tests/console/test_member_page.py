"""A mentor on a member's page: what is written down goes on its way, branch by branch."""

from __future__ import annotations

import pytest

from tests.console.conftest import Window
from tests.console.samples_member import LEVELS
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_contact_of_yesterday_is_written_down(window: Window, stand: Stand) -> None:
    await window.opens("member/ABC")
    page = window.page
    await page.get_by_text("A contact of the last days").click()
    late = page.locator("details", has_text="A contact of the last days")
    assert not await late.get_by_text("How is it going?").is_visible(), "asked once it is known that they met"
    await late.get_by_role("button", name="Save").click()
    await page.wait_for_selector("text=Please choose")
    await late.get_by_label("Call", exact=True).check()
    await late.get_by_label("In crisis").check()
    assert await late.get_by_text("Is anybody in danger now?").is_visible()
    assert await late.get_by_role("link", name="1669").is_visible()
    await late.get_by_label("Struggling").check()
    await late.get_by_label("A job").or_(late.get_by_label("Work")).first.check()
    await late.get_by_label("A note").fill("We spoke for an hour.")
    await late.get_by_role("button", name="Save").click()
    await page.wait_for_selector(".choosing", state="detached")
    assert stand.turns.taken == (  # type: ignore[attr-defined]
        "late",
        {"day": "2026-11-23", "note": "We spoke for an hour.", "means": "call", "state": "struggling",
         "needs": ["work.job"]},
    )  # fmt: skip


async def test_a_correction_begins_with_what_stands_there(window: Window, stand: Stand) -> None:
    await window.opens("member/ABC")
    page = window.page
    first = page.locator(".line").first
    assert "Before: Call · All right" in await first.inner_text()
    await first.get_by_text("Correct", exact=True).click()
    assert await first.get_by_label("Struggling").is_checked()
    await first.get_by_label("Could not reach").check()
    assert not await first.get_by_label("Struggling").is_visible()
    await first.get_by_role("button", name="Save").click()
    await page.wait_for_selector(".choosing", state="detached")
    assert stand.turns.taken == ("correct", {"check_in": "c1", "means": "not_reached"})  # type: ignore[attr-defined]


async def test_the_trend_says_in_words_what_it_shows(window: Window) -> None:
    await window.opens("member/ABC")
    marks = await window.page.locator(".trend li").all_inner_texts()
    assert len(marks) == len(LEVELS)
    assert "Could not reach" in marks[3]
    assert "It has been getting harder" in await window.text()


async def test_before_the_pin_a_contact_can_be_written_down_and_none_is_read(window: Window) -> None:
    await window.opens("member/locked")
    text = await window.text()
    assert "A contact of the last days" in text
    assert "Struggling" not in text
    assert not await window.page.locator(".trend").count()
