"""The PIN in its place on a page: chosen, asked, mistyped, recovered; with the product's own device verbs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from referrals.model import Role
from referrals.persons import Device, DeviceState, Recovery, Seat
from tests.console.conftest import Window
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

STORY = "My brother is far away"
PIN = "482915"


@pytest.fixture(autouse=True)
def locked(stand: Stand) -> None:
    stand.turns.locks = True


async def chooses(window: Window, pin: str, again: str = "") -> None:
    await window.page.get_by_label("A new PIN").fill(pin)
    await window.page.get_by_label("The same PIN again").fill(again or pin)
    await window.page.get_by_role("button", name="Use this PIN").click()


async def enters(window: Window, pin: str) -> None:
    await window.page.get_by_label("PIN", exact=True).fill(pin)
    await window.page.get_by_role("button", name="Open", exact=True).click()


async def has_enrolled(window: Window) -> str:
    """The recovery code that was shown."""
    await window.opens("matter/author")
    await chooses(window, PIN)
    code = await window.page.locator(".secret").inner_text()
    await window.page.get_by_role("button", name="I have written it down").click()
    await window.page.wait_for_selector(f"text={STORY}")
    return code


def device(stand: Stand) -> Device:
    (found,) = stand.turns.devices
    assert isinstance(found, Device)
    return found


async def test_a_first_pin_opens_what_was_written_and_shows_a_code_once(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    assert STORY not in await window.page.content()
    assert await window.page.get_by_label("Write a message").is_visible()  # writing never asks
    code = await has_enrolled(window)
    assert len(code) >= 16
    assert device(stand).state is DeviceState.ACTIVE
    await window.opens("matter/author")
    assert code not in await window.page.content()
    assert STORY in await window.text()


async def test_after_half_an_hour_the_pin_is_asked_again_and_wrong_ones_are_said_kindly(
    window: Window, stand: Stand
) -> None:
    await has_enrolled(window)
    stand.passes(minutes=31)
    await window.opens("matter/partner")
    pin = window.page.get_by_label("PIN", exact=True)
    assert await pin.evaluate("el => el === document.activeElement")  # who came to read need not look for it
    assert await pin.get_attribute("inputmode") == "numeric"
    assert await pin.get_attribute("type") == "password"
    await enters(window, "12")
    assert "6 to 12 digits" in await window.text()
    await enters(window, "999999")
    await window.page.wait_for_selector("[aria-invalid=true]")
    assert "does not fit" in await window.page.locator(".lock .missing").inner_text()
    assert await pin.input_value() == ""
    described = await pin.get_attribute("aria-describedby")
    assert described
    assert await window.page.locator(f"#{described.split()[-1]}").inner_text()
    await window.page.get_by_role("button", name="Show", exact=True).click()
    assert await pin.get_attribute("type") == "text"
    await pin.fill("๔๘๒๙๑๕")  # the same PIN on a Thai keyboard
    await window.page.keyboard.press("Enter")
    await window.page.wait_for_selector(f"text={STORY}")
    assert await window.page.evaluate("document.activeElement.textContent") == "What was written"


async def test_too_many_wrong_pins_are_told_the_minutes(window: Window, stand: Stand) -> None:
    await has_enrolled(window)
    stand.passes(minutes=31)
    await window.opens("matter/author")
    for wrong in range(5):
        await enters(window, f"99999{wrong}")
        await window.page.wait_for_selector("[aria-invalid=true]")
    assert "minute" in await window.page.locator(".lock .missing").inner_text()
    assert STORY not in await window.page.content()


async def test_two_different_pins_are_not_taken(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    await chooses(window, PIN, "482916")
    assert "not the same" in await window.text()
    assert device(stand).state is DeviceState.KNOWN


async def test_what_was_being_written_survives_the_pin(window: Window) -> None:
    await window.opens("matter/author")
    await window.page.get_by_label("Write a message").fill("see you at seven")
    await chooses(window, PIN)
    await window.page.get_by_role("button", name="I have written it down").click()
    await window.page.wait_for_selector(f"text={STORY}")
    assert await window.page.get_by_label("Write a message").input_value() == "see you at seven"


async def test_another_phone_comes_in_by_recovery_code_after_a_day(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    stand.turns.add(Recovery("mali", "of a code that nobody here has", stand.turns.now))
    await window.opens("matter/author")
    await window.page.get_by_text("I have my recovery code").click()
    await window.page.get_by_label("Recovery code").fill("not the code")
    for label in ("A new PIN", "The same PIN again"):
        await window.page.get_by_label(label).first.fill(PIN)
    await window.page.locator("details[open]").get_by_role("button", name="Send").click()
    await window.page.wait_for_selector("[aria-invalid=true]")
    waiting = replace(
        device(stand), state=DeviceState.WAITING, active_from=stand.turns.now.replace(hour=2, minute=0)
    )
    stand.turns.add(waiting)
    await window.opens("matter/author")
    text = await window.text()
    assert "This phone has to wait a day" in text
    assert "09:00" in text
    assert STORY not in text


async def test_the_desk_is_asked_and_the_number_is_shown(window: Window, stand: Stand) -> None:
    stand.turns.add(Recovery("mali", "", stand.turns.now), Seat("desk-1", Role.COORDINATOR, None, "mali"))
    await window.opens("matter/partner")
    await window.page.get_by_text("I do not have it: ask our desk").click()
    asking = window.page.locator("details[open]")
    await asking.get_by_label("A new PIN").fill(PIN)
    await asking.get_by_label("The same PIN again").fill(PIN)
    await asking.get_by_role("button", name="Ask the desk").click()
    number = await window.page.locator(".secret").inner_text()
    assert number.isdigit()
    assert "read them this number" in await window.text()


async def test_after_filing_a_pin_is_offered_and_never_asked_for(window: Window, stand: Stand) -> None:
    await window.opens("plan/ABC")
    await window.page.get_by_label("Place").select_option("mueang")
    await window.page.get_by_role("button", name="Yes, ask them for me").click()
    await window.page.wait_for_selector("text=K7-29QX")
    await window.page.get_by_text("Choose a PIN now, if you like").click()
    await chooses(window, PIN)
    await window.page.get_by_role("button", name="I have written it down").click()
    await window.page.wait_for_selector("h1")
    assert device(stand).state is DeviceState.ACTIVE
