"""Phones, posts, codes, what is held, and a note to put away: as people use these pages."""

from __future__ import annotations

import pytest

from tests.console.conftest import Window
from tests.console.stand import Stand
from tests.console.test_pages_sound import EVERY_PAGE, NO_SIDEWAYS, unfold

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CODE = "babu-dofe-gimo-kusa"
PIN = "482915"


async def test_a_code_is_typed_once_and_shows_how_far_a_matter_is(window: Window, stand: Stand) -> None:
    await window.opens("track")
    page = window.page
    await page.get_by_role("button", name="Look").click()
    assert "Please type the code" in await window.text()
    await page.get_by_label("Your code").fill("nothing-of-ours")
    await page.get_by_role("button", name="Look").click()
    await page.wait_for_selector("text=This code shows nothing")
    await page.get_by_label("Your code").fill(CODE)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Help is under way")
    assert await page.evaluate("document.activeElement.textContent") == "This is where it stands"
    await page.get_by_text("I know the PIN").click()
    await page.get_by_label("PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Move it to this phone").click()
    await page.wait_for_selector("text=Comes to this phone on")
    assert stand.turns.taken == ("move", {"code": CODE, "pin": PIN})  # type: ignore[attr-defined]
    assert "0815" in await window.text()


async def test_ones_own_matter_gives_a_code_once(window: Window) -> None:
    await window.opens("matter/author")
    await window.page.get_by_text("Make a code to follow this").click()
    await window.page.get_by_role("button", name="Yes", exact=True).click()
    await window.page.wait_for_selector(".secret")
    assert await window.page.locator(".secret").inner_text() == CODE
    assert await window.page.evaluate("document.activeElement.textContent") == "Your code to follow it"
    await window.opens("matter/author")
    assert CODE not in await window.page.content()


async def test_a_move_that_nobody_wanted_is_stopped_with_one_press(window: Window, stand: Stand) -> None:
    await window.opens("matter/moving")
    assert "Somebody is moving this to another phone" in await window.text()
    await window.page.get_by_role("button", name="Stop the move").click()
    await window.page.wait_for_selector("text=Done.")
    assert stand.turns.taken == ("move_stop", {})  # type: ignore[attr-defined]


async def test_an_export_asks_for_the_pin_in_its_place_and_shows_its_words_once(window: Window) -> None:
    await window.opens("mydata")
    page = window.page
    assert "Your PIN comes first" in await window.text()
    await page.get_by_role("button", name="Make a file to take home").click()
    asking = page.locator(".asking")
    await asking.get_by_label("A new PIN").fill(PIN)
    await asking.get_by_label("The same PIN again").fill(PIN)
    await asking.get_by_role("button", name="Use this PIN").click()
    await asking.get_by_role("button", name="I have written it down").click()
    link = page.get_by_role("link", name="Fetch the file")
    await link.wait_for()
    assert await link.get_attribute("href") == "/p/download/0123456789abcdef"
    assert await page.locator(".secret").inner_text() == "babu-dofe-gimo-kusa-lanu"


async def test_everything_is_deleted_after_a_second_yes(window: Window) -> None:
    await window.opens("mydata")
    page = window.page
    await page.get_by_text("Delete everything").click()
    assert "cannot be undone" in await window.text()
    await page.get_by_role("button", name="Yes", exact=True).click()
    await page.wait_for_selector("text=It is gone")
    assert "Everything that was yours" in await window.text()
    assert "Locked copies in backups" in await window.text()


async def test_phones_show_which_is_this_one_and_what_to_compare(window: Window, stand: Stand) -> None:
    await window.opens("devices")
    text = await window.text()
    assert text.count("this phone") >= 1
    assert "4711" in text
    assert "May read from" in text


async def test_an_invitation_is_shown_once_with_the_post_that_it_is_for(window: Window, stand: Stand) -> None:
    await window.opens("posts")
    await window.page.get_by_role("button", name="Invite somebody").last.click()
    await window.page.wait_for_selector(".secret >> text=j_0123456789abcdefghijkl")
    assert stand.turns.taken == ("invite", {"seat": "house-2"})  # type: ignore[attr-defined]
    await window.page.get_by_role("button", name="Copy the link").click()  # or it is marked, to copy by hand
    await window.page.wait_for_function(
        "() => getSelection().toString().includes('j_012345') || document.body.innerText.includes('Copied.')"
    )
    await window.page.get_by_text("Yes, it is them").click()
    assert "they read out this number" in await window.text()


async def test_what_could_not_be_delivered_is_sent_again(window: Window, stand: Stand) -> None:
    await window.opens("posts")
    assert "Not delivered: 1" in await window.text()
    await window.page.get_by_role("button", name="Send again").click()
    await window.page.wait_for_function("() => !document.body.innerText.includes('Not delivered')")
    assert stand.turns.taken == ("resend", {"notice": "17"})  # type: ignore[attr-defined]


async def test_a_note_is_copied_and_put_away(window: Window) -> None:
    await window.opens("witness")
    assert "babu dofe gimo kusa" in await window.text()
    assert "pulang.example/audit" in await window.page.get_by_label("The note").input_value()
    await window.page.get_by_role("button", name="We have put it away").click()
    await window.page.wait_for_selector("text=has put this note away")


@pytest.mark.parametrize("page", EVERY_PAGE)
async def test_every_page_can_be_read_at_twice_the_size(window: Window, page: str) -> None:
    """Letters twice as large on a phone, and a desk's screen at 400 % (320 px): nothing moves sideways."""
    await window.page.set_viewport_size({"width": 390, "height": 740})
    await window.opens(page)
    await unfold(window)
    await window.page.evaluate("document.documentElement.style.fontSize = '225%'")
    assert await window.page.evaluate(NO_SIDEWAYS)
    await window.page.evaluate("document.documentElement.style.fontSize = ''")
    await window.page.set_viewport_size({"width": 320, "height": 256})
    assert await window.page.evaluate(NO_SIDEWAYS)


async def test_an_inline_script_would_be_refused_and_reported(window: Window) -> None:
    """What the other tests listen for: here it does happen, and is heard."""
    await window.opens("me")
    await window.page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.ran = true';"
        " document.body.append(script); }"
    )
    assert await window.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in window.complaints)
    window.complaints.clear()


async def test_a_worker_says_for_each_service_whether_there_is_room(window: Window, stand: Stand) -> None:
    await window.opens("room")
    text = await window.text()
    assert "Visits" in await window.page.locator("h2").all_inner_texts()
    assert "There is room, as of 24 November 2026" in text
    assert "Nobody has said so for a long time" in text
    await window.page.get_by_text("Say how it is now").first.click()
    await window.page.get_by_label("Full").first.check()
    await window.page.get_by_role("button", name="Send").first.click()
    await window.page.wait_for_selector("text=Full, as of 24 November 2026")
    assert stand.turns.taken == ("room", {"service": "visits", "reason": "full"})  # type: ignore[attr-defined]


async def test_what_waits_for_a_post_says_since_when(window: Window, stand: Stand) -> None:
    stand.turns.post = "coordinator"  # type: ignore[attr-defined]
    await window.opens("me")
    assert "here since 25 Nov" in await window.text()


async def test_posts_show_what_nobody_has_confirmed(window: Window) -> None:
    await window.opens("posts")
    text = await window.text()
    assert "Not confirmed for a month" in text
    assert "House of Return: Visits, last said on 3 May 2026" in text
    assert "And 4 more" in text
