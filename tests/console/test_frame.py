"""In a demo the simulator's origin may frame the pages; nobody else may, and outside a demo nobody at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import Browser

from tests.console.samples import SAMPLES
from tests.console.stand import a_stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FRAME = """<!doctype html><script>
  window.heard = [];
  addEventListener("message", (event) => heard.push(JSON.parse(event.data).eventType));
</script><iframe></iframe>"""


@asynccontextmanager
async def a_simulator() -> AsyncIterator[str]:
    """Another origin with a frame in it; the port."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=FRAME, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield str(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("demo", [True, False])
async def test_only_the_demos_simulator_frames_a_page(browser: Browser, demo: bool) -> None:
    async with a_simulator() as port:
        ancestor = f"http://*.localhost:{port}" if demo else ""
        async with a_stand(SAMPLES, frame_ancestor=ancestor) as stand:
            page = await browser.new_page()
            await page.goto(f"http://mali.localhost:{port}/")
            await page.evaluate("url => { document.querySelector('iframe').src = url; }", stand.url("me"))
            frame = page.frame_locator("iframe")
            if demo:
                await frame.locator("text=My things").first.wait_for()
                told = await page.evaluate("heard")
                assert told[:2] == ["web_app_ready", "web_app_expand"]
                await frame.get_by_role("button", name="Close", exact=True).click()
                await frame.locator("text=You can close this page now.").wait_for()
                assert (await page.evaluate("heard"))[-1] == "web_app_close"
            else:
                await page.wait_for_timeout(1000)
                assert await frame.locator("h1", has_text="My things").count() == 0
                assert not stand.turns.sessions
            await page.close()
