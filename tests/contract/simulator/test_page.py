"""The page of phones in a real browser: what is seen, pressed and opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright, expect

from tests.contract.simulator.playing import Sim

pytestmark = pytest.mark.browser
WIDTHS = [(1400, 900), (390, 844)]
SECURE_PAGE = """<!doctype html><title>t</title><p id="host"></p><p id="data"></p><script>
const say = (eventType, eventData) => parent.postMessage(JSON.stringify({eventType, eventData}), "*");
host.textContent = location.hostname;
data.textContent = location.hash.includes("tgWebAppData=") ? "launched" : "not launched";
addEventListener("message", (e) => {
  if (JSON.parse(e.data).eventType === "back_button_pressed") say("web_app_close");
});
say("web_app_ready"); say("web_app_setup_back_button", {is_visible: true});
</script>"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A fresh Chromium page; where there is none the package is named."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        words = "Chromium is missing: install Debian's package 'chromium', or set CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    async with async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        one = await browser.new_page()
        wrong: list[str] = []
        one.on("pageerror", lambda error: wrong.append(str(error)))
        one.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
        yield one
        await browser.close()
        assert wrong == []


@pytest.fixture
async def secure_page() -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=SECURE_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/p", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/p"
    await runner.cleanup()


@pytest.mark.parametrize(("width", "height"), WIDTHS)
async def test_a_talk_from_link_to_toast(sim: Sim, page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await page.goto(sim.url)
    phone = page.get_by_role("region", name="mali's phone")
    await phone.get_by_label("More on mali's phone").click()
    await phone.get_by_placeholder("payload").fill("p-1")
    await phone.get_by_role("button", name="Open", exact=True).click()
    await expect(phone.get_by_role("log")).to_contain_text("/start p-1")

    await sim.offer(1001, "ใช่", "ไม่")
    await phone.get_by_role("button", name="ใช่").click()
    updates = await sim.done("getUpdates", timeout=5, offset=-1)
    query = updates[0]["callback_query"]
    await sim.done("answerCallbackQuery", callback_query_id=query["id"], text="บันทึกแล้ว")
    await expect(phone.locator(".toast")).to_have_text("บันทึกแล้ว")
    where = {"chat_id": 1001, "message_id": query["message"]["message_id"]}
    await sim.done("editMessageText", **where, text="Done")
    await expect(phone.get_by_role("log")).to_contain_text("edited")
    await sim.done("deleteMessage", **where)
    await expect(phone.get_by_role("log")).to_contain_text("deleted")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_lock_screen_and_the_unread_mark(sim: Sim, page: Page) -> None:
    await page.goto(sim.url)
    phone = page.get_by_role("region", name="somchai's phone")
    await sim.done("sendMessage", chat_id=1002, text="Something waits")
    await expect(phone.get_by_role("note")).to_contain_text("Something waits")
    await expect(phone.locator(".owner .badge")).to_have_text("1")
    await sim.done("sendChatAction", chat_id=1002, action="typing")
    await expect(phone.get_by_text("typing …")).to_be_visible()
    await phone.get_by_role("log").click()
    await expect(phone.locator(".owner .badge")).to_be_hidden()
    await expect(phone.get_by_role("note")).to_contain_text("Nothing on the lock screen")


async def test_writing_by_keyboard_alone(sim: Sim, page: Page) -> None:
    await page.goto(sim.url)
    await page.get_by_label("Message from mali").focus()
    await page.keyboard.type("สวัสดี <b>not bold</b>")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="mali's phone").get_by_role("log")).to_contain_text(
        "สวัสดี <b>not bold</b>"
    )
    assert (await sim.chat("mali"))[-1]["text"] == "สวัสดี <b>not bold</b>"


async def test_a_secure_page_opens_under_an_origin_of_the_phone(
    sim: Sim, page: Page, secure_page: str
) -> None:
    for number in (1001, 1002):
        markup = {"inline_keyboard": [[{"text": "Open it", "web_app": {"url": secure_page}}]]}
        await sim.done("sendMessage", chat_id=number, text="A page", reply_markup=markup)
    await page.goto(sim.url)
    for name in ("mali", "somchai"):
        phone = page.get_by_role("region", name=f"{name}'s phone")
        await phone.get_by_role("button", name="Open it").click()
        inside = phone.frame_locator("iframe")
        await expect(inside.locator("#host")).to_have_text(f"{name}.localhost")
        await expect(inside.locator("#data")).to_have_text("launched")
        await phone.get_by_role("button", name="Back").click()
        await expect(phone.locator("iframe")).to_have_count(0)


async def test_a_stranger_a_block_and_the_clock(sim: Sim, page: Page) -> None:
    await page.goto(sim.url)
    await page.get_by_role("button", name="New phone").click()
    await page.get_by_label("Name").fill("noi")
    await page.get_by_role("button", name="Add the phone").click()
    phone = page.get_by_role("region", name="noi's phone")
    await phone.get_by_role("button", name="Start").click()
    await expect(phone.get_by_role("log")).to_contain_text("/start")
    await phone.get_by_label("More on noi's phone").click()
    await phone.get_by_role("button", name="Block the bot").click()
    await expect(phone.get_by_text("blocked", exact=True)).to_be_visible()
    await page.get_by_role("button", name="+1 day").click()
    await expect(page.locator("#ahead")).to_have_text("1 d ahead")


async def test_the_workbench_sets_faults_and_shows_calls(sim: Sim, page: Page) -> None:
    await page.goto(sim.url)
    await page.get_by_role("button", name="Workbench").click()
    bench = page.get_by_role("complementary", name="Workbench")
    await bench.get_by_label("Kind").select_option("500")
    await bench.get_by_role("button", name="Set").first.click()
    await expect(bench.get_by_label("Faults that are set")).to_contain_text("500, 1 left")
    assert (await sim.refused("sendMessage", chat_id=1001, text="hi"))[0] == 500
    await expect(bench.locator(".calls .bad")).to_have_text("500")


async def test_the_page_loads_nothing_from_elsewhere(sim: Sim, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = await page.goto(sim.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    await expect(page.get_by_role("region", name="mali's phone")).to_be_visible()
    assert all(url.startswith(sim.url) for url in asked)
