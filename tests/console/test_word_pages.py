"""A yes by word on a mentor's phone, and a code that takes it back, in a real browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.console.conftest import Window
from tests.console.samples_word import CODE
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_the_words_are_read_out_ticked_and_written_down(window: Window, stand: Stand) -> None:
    page = window.page
    await window.opens("words/new")
    await page.get_by_label("A place to live").check()
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("Place", exact=True).select_option("mueang")
    await page.wait_for_selector(".partners")
    await page.get_by_label("English").check()
    yes = page.get_by_role("button", name="Write the yes down")
    await yes.click()
    await page.get_by_text("Please tick both first.").wait_for()
    assert not hasattr(stand.turns, "taken")
    await page.get_by_label("I have read it out word for word").check()
    await page.get_by_label("They said yes").check()
    await yes.click()
    await page.get_by_text(CODE).wait_for()
    name, body = stand.turns.taken  # type: ignore[attr-defined]
    assert (name, body["read_out"], body["said_yes"], body["language"]) == ("yes", True, True, "en")
    assert body["area"] == "mueang"


async def test_other_words_have_not_been_read_out_yet(window: Window) -> None:
    page = window.page
    await window.opens("words/ABC")
    await page.get_by_label("Place", exact=True).select_option("mueang")
    read = page.get_by_label("I have read it out word for word")
    await read.check()
    await page.get_by_label("Place", exact=True).select_option("pattani")
    await page.wait_for_function("() => !document.querySelector('input[value=read_out]').checked")


async def test_whoever_may_not_hear_it_reads_why(window: Window) -> None:
    await window.opens("words/refused")
    await window.page.get_by_label("Place", exact=True).select_option("mueang")
    await window.page.get_by_text("cannot hear this yes").wait_for()
    assert not await window.page.get_by_role("button", name="Write the yes down").count()


@pytest.mark.parametrize(("typed", "said"), [(CODE, "It is taken back."), ("babu", "Nothing was found")])
async def test_a_code_is_asked_for_once_more_before_it_works(window: Window, typed: str, said: str) -> None:
    page = window.page
    await window.opens("track")
    await page.get_by_role("button", name="Take that yes back").click()
    await page.get_by_label("The four words").fill(typed)
    await page.get_by_role("button", name="Take it back", exact=True).click()
    await page.get_by_role("button", name="Really take it back").click()
    await page.get_by_text(said).wait_for()


@pytest.mark.parametrize("language", ["en", "th"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_hangs_over(window: Window, stand: Stand, language: str, width: int) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.page.set_viewport_size({"width": width, "height": 844})
    await window.opens("words/ABC")
    await window.page.locator("select").first.select_option("mueang")
    await window.page.wait_for_selector(".partners")
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert await window.page.evaluate(wide)
