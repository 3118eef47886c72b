"""axe-core finds no barrier on any page: light, dark, right to left, locked, and with a mistake made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from referrals.persons import Recovery
from tests.console.conftest import Window
from tests.console.stand import Stand
from tests.console.test_pages_sound import EVERY_PAGE, unfold

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE = Path(__file__).parent / "vendor/axe.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
DARK = '{"bg_color":"#17212b"}'

# Everything that axe knows, its best practices included.
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 120)).join(" | "));
}"""


async def barriers(window: Window) -> list[str]:
    # Evaluated by the test, not by the page: the page's own policy stays as it is.
    await window.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await window.page.evaluate(RUN)
    return found


async def test_axe_is_the_one_that_was_vendored() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == SHA256


@pytest.mark.parametrize("page", EVERY_PAGE)
@pytest.mark.parametrize(("language", "theme"), [("en", "{}"), ("th", DARK), ("ar", DARK)])
async def test_no_page_has_a_barrier(
    window: Window, stand: Stand, page: str, language: str, theme: str
) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.opens(page, theme=theme)
    if page.startswith("plan"):
        await window.page.select_option("select", "mueang")
        await window.page.wait_for_selector(".partners")
    await unfold(window)
    assert await barriers(window) == []


@pytest.mark.parametrize("theme", ["{}", DARK])
@pytest.mark.parametrize("state", ["enrol", "recover"])
async def test_no_state_of_the_pin_has_a_barrier(
    window: Window, stand: Stand, state: str, theme: str
) -> None:
    stand.turns.locks = True
    if state == "recover":
        stand.turns.add(Recovery("mali", "", stand.turns.now))
    await window.opens("matter/author", theme=theme)
    await unfold(window)
    assert await barriers(window) == []
    await window.page.get_by_label("A new PIN").last.fill("12")
    await window.page.locator(".lock button.big").last.click()
    await window.page.wait_for_selector("[aria-invalid=true]")
    assert await barriers(window) == []
    if state == "recover":
        return
    await window.page.get_by_label("A new PIN").fill("482915")
    await window.page.get_by_label("The same PIN again").fill("482915")
    await window.page.locator(".lock button.big").click()
    await window.page.wait_for_selector(".secret")
    assert await barriers(window) == []
    await window.page.get_by_role("button", name="I have written it down").click()
    await window.page.wait_for_selector("[data-read]")
    stand.passes(minutes=31)
    await window.opens("matter/partner", theme=theme)
    assert await barriers(window) == []


async def test_trouble_has_no_barrier(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    await window.page.get_by_label("Write a message").fill("see you at seven")
    stand.passes(minutes=31)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    assert await barriers(window) == []


async def test_axe_would_find_a_barrier(window: Window) -> None:
    """The test can fail: a nameless button is found."""
    await window.opens("me")
    await window.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    found: Any = await barriers(window)
    assert [flaw for flaw in found if flaw.startswith("button-name")]
