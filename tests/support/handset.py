"""A phone that counts: the chat through the simulator, pages in a real browser, every tap, letter and byte.

A tap is a finger on the glass; choosing from a list is two. What is typed is counted in letters. Bytes are
those that Chromium received for a page, headers included, as they came over the line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Locator,
    Page,
    ViewportSize,
    async_playwright,
)

from tests.support.chromium import launch_options
from tests.support.people import Person

SCREEN = ViewportSize(width=390, height=844)
# Neither quick nor slow: a thumb on glass, with the time to find the place (keystroke-level model, Card,
# Moran and Newell 1980: 1.35 s to think and 0.2 s to press; a letter on a phone takes about 0.4 s).
SECONDS_PER_TAP = 1.55
SECONDS_PER_LETTER = 0.4


@dataclass
class Count:
    """What something cost its person."""

    taps: int = 0
    letters: int = 0
    received: int = 0  # bytes

    @property
    def seconds(self) -> float:
        """Of tapping and typing; waiting for the line is not in it."""
        return self.taps * SECONDS_PER_TAP + self.letters * SECONDS_PER_LETTER

    def __sub__(self, before: Count) -> Count:
        return Count(self.taps - before.taps, self.letters - before.letters, self.received - before.received)


@dataclass
class Handset:
    """One person's phone. `count` only ever grows; `Count - Count` is what happened in between."""

    person: Person
    context: BrowserContext
    count: Count = field(default_factory=Count)
    complaints: list[str] = field(default_factory=list)

    def now(self) -> Count:
        return Count(self.count.taps, self.count.letters, self.count.received)

    async def opens_link(self, payload: str) -> None:
        """The poster's link, and Telegram's own 'Start'."""
        self.count.taps += 1
        await self.person.opens_link(payload)

    async def presses(self, label: str, message_id: int | None = None) -> None:
        self.count.taps += 1
        await self.person.presses(label, message_id)

    async def opens(self, label: str) -> Screen:
        """A button that opens a page; returns it when it can be read."""
        self.count.taps += 1
        await self.person.sees_button(label)
        world = self.person.world
        answer = await world.call("POST", f"/sim/people/{self.person.name}/webapp", {"label": label})
        page = await self.context.new_page()
        screen = Screen(self, page, await self.context.new_cdp_session(page))
        await screen.watch()
        await page.goto(answer["url"])
        await page.wait_for_selector("main[aria-busy=false] h1")
        return screen


@dataclass
class Screen:
    """An open page on a handset."""

    handset: Handset
    page: Page
    wire: CDPSession

    async def watch(self) -> None:
        def finished(event: dict[str, Any]) -> None:
            self.handset.count.received += int(event["encodedDataLength"])

        self.wire.on("Network.loadingFinished", finished)
        await self.wire.send("Network.enable")
        self.page.on("pageerror", lambda error: self.handset.complaints.append(str(error)))

    async def taps(self, what: Locator) -> None:
        self.handset.count.taps += 1
        await what.click()

    async def chooses(self, what: Locator, value: str) -> None:
        """From a list: one tap opens it, one chooses."""
        self.handset.count.taps += 2
        await what.select_option(value)

    async def types(self, what: Locator, text: str, *, focused: bool = False) -> None:
        """A tap into the field, unless it waits for typing already, and its letters."""
        self.handset.count.taps += 0 if focused else 1
        self.handset.count.letters += len(text)
        if focused:
            await self.page.keyboard.type(text)
        else:
            await what.fill(text)

    async def shows(self, words: str) -> None:
        await self.page.wait_for_selector(f"text={words}")

    async def text(self) -> str:
        return await self.page.inner_text("main")

    async def close(self) -> None:
        await self.page.close()


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(**launch_options())
        yield opened
        await opened.close()


async def handset(browser: Browser, person: Person, **more: Any) -> Handset:
    """A new phone: nothing in its storage, nothing cached."""
    context = await browser.new_context(viewport=SCREEN, has_touch=True, locale="en-GB", **more)
    return Handset(person, context)
