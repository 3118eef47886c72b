"""What a page costs on the line: every byte that Chromium received, headers included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from referrals.persons import DeviceState
from tests.console.conftest import Window
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIRST_PAGE = 30 * 1024
LATER_PAGE = 10 * 1024


@dataclass
class Wire:
    """Bytes by what they were for."""

    page: Page
    bytes: dict[str, int] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, page: Page) -> Wire:
        found = cls(page)
        session = await page.context.new_cdp_session(page)
        session.on("Network.responseReceived", found._began)
        session.on("Network.loadingFinished", found._ended)
        await session.send("Network.enable")
        return found

    def _began(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["response"]["url"]

    def _ended(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"], "")
        if url.startswith("http"):
            kind = next((kind for kind, part in KINDS.items() if part in url), "document")
            self.bytes[kind] = self.bytes.get(kind, 0) + int(event["encodedDataLength"])

    async def taken(self) -> dict[str, int]:
        """What came since the last time, once the line has been quiet for a moment."""
        seen = -1
        while seen != len(self._urls):
            seen = len(self._urls)
            await self.page.wait_for_timeout(400)
        taken, self.bytes = self.bytes, {}
        return taken


KINDS = {
    "style": ".css",
    "scripts": ".js",
    "session and words": "/p/session",
    "views": "/p/api/",
    "pin": "/p/device/",
}


def tell(capsys: pytest.CaptureFixture[str], what: str, spent: dict[str, int], limit: int) -> int:
    """A line of the table that docs/field-guide.md quotes."""
    total = sum(spent.values())
    parts = " | ".join(f"{kind} {size:,}" for kind, size in sorted(spent.items()))
    with capsys.disabled():
        print(f"\n  | {what} | {total:,} of {limit:,} | {parts} |")
    return total


@pytest_asyncio.fixture(loop_scope="module")
async def wire(window: Window) -> AsyncIterator[Wire]:
    yield await Wire.of(window.page)


@pytest.mark.parametrize("language", ["en", "th"])
async def test_a_family_files(
    window: Window, stand: Stand, wire: Wire, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.opens("plan/ABC")
    first = await wire.taken()
    assert tell(capsys, f"a family's first page ({language})", first, FIRST_PAGE) <= FIRST_PAGE
    await window.page.locator("select").first.select_option("mueang")
    await window.page.locator("button.big").click()
    await window.page.wait_for_selector("text=K7-29QX")
    rest = await wire.taken()
    assert tell(capsys, f"… choosing, filing, receipt ({language})", rest, LATER_PAGE) <= LATER_PAGE


@pytest.mark.parametrize("language", ["en", "th"])
async def test_a_worker_reads(
    window: Window, stand: Stand, wire: Wire, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stand.turns.person, stand.turns.locks = replace(stand.turns.person, language=language), True
    page = window.page
    await window.opens("matter/partner")
    for box in await page.locator("input.pin").all():
        await box.fill("482915")
    await page.locator(".lock button.big").click()
    await page.wait_for_selector(".secret")
    await page.locator(".lock button.big").click()
    await page.wait_for_selector("[data-read]")
    first = await wire.taken()
    assert tell(capsys, f"a worker's first read, PIN chosen ({language})", first, FIRST_PAGE) <= FIRST_PAGE
    await window.opens("matter/partner")
    await page.wait_for_selector("[data-read]")
    following = await wire.taken()
    assert tell(capsys, f"… the next read ({language})", following, LATER_PAGE) <= LATER_PAGE
    stand.passes(minutes=31)
    await window.opens("matter/partner")
    await page.locator("input.pin").fill("482915")
    await page.locator(".lock button.big").click()
    await page.wait_for_selector("[data-read]")
    again = await wire.taken()
    assert tell(capsys, f"… and with the PIN next day ({language})", again, LATER_PAGE) <= LATER_PAGE


@pytest.mark.parametrize("language", ["en", "th"])
async def test_every_further_page_is_light(
    window: Window, stand: Stand, wire: Wire, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the menu, each opened for the first time: its script, its words and its content.

    By somebody whose PIN was right lately. Who chooses one first takes another 3 KB, once.
    """
    stand.turns.person = replace(stand.turns.person, language=language)
    stand.turns.post = "steward"  # type: ignore[attr-defined]
    await window.opens("me")
    first = await wire.taken()
    (device,) = stand.turns.devices
    until = stand.turns.now + timedelta(minutes=30)
    stand.turns.save(replace(device, state=DeviceState.ACTIVE, proved_until=until))
    assert tell(capsys, f"the menu ({language})", first, FIRST_PAGE) <= FIRST_PAGE
    rows = window.page.locator("button.row")
    for number in range(await rows.count()):
        await rows.nth(number).click()
        await window.page.wait_for_selector(".back")
        heading = await window.page.locator("h1").inner_text()
        assert tell(capsys, f"… on to '{heading}'", await wire.taken(), LATER_PAGE) <= LATER_PAGE
        await window.page.locator(".back").click()
        await window.page.wait_for_selector(".mark")
        await wire.taken()


async def test_a_page_loads_only_the_scripts_that_it_needs(window: Window) -> None:
    await window.opens("plan/ABC")
    await window.page.wait_for_load_state("networkidle")
    scripts = {url.rpartition("/")[2] for url in window.requests if url.endswith(".js")}
    assert scripts == {"main.js", "plan.js", "filed.js"}
