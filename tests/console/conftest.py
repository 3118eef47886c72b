"""A real Chromium for a module's tests, and for each test a fresh server and a fresh window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.console.phone import Phone
from tests.console.samples import SAMPLES
from tests.console.stand import Stand, a_stand
from tests.support.chromium import launch_options


@pytest_asyncio.fixture(loop_scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with a_stand(SAMPLES) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
def phone(stand: Stand, http: aiohttp.ClientSession) -> Phone:
    return Phone(stand, http)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        options = {**launch_options(), "executable_path": chromium}
        opened = await playwright.chromium.launch(**options)
        yield opened
        await opened.close()


@dataclass
class Window:
    """A browser tab that writes down whatever should never happen."""

    page: Page
    stand: Stand
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        # Chromium itself writes a line for each refused request; the page shows those in words.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    async def opens(self, page: str, **launch: Any) -> None:
        await self.page.goto("about:blank")
        await self.page.goto(self.stand.url(page, **launch))
        await self.page.wait_for_selector("main[aria-busy=false] h1")

    async def text(self) -> str:
        return await self.page.inner_text("main")


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser: Browser, stand: Stand) -> AsyncIterator[Window]:
    """A small phone's browser; whatever it complained about fails the test."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": 360, "height": 740}, locale="en-GB"
    )
    context.set_default_timeout(10_000)
    found = Window(await context.new_page(), stand)
    found.watch()
    yield found
    assert not found.complaints
    foreign = [url for url in found.requests if not url.startswith((stand.origin, "about:", "data:"))]
    assert not foreign
    await context.close()
