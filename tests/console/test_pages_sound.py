"""Every page on a small phone, in every direction and in the dark: sound, legible, and telling nobody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.app import PREFIX
from tests.console.conftest import Window
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

EVERY_PAGE = [
    "plan/ABC", "offer/O1", "matter/author", "matter/moving", "matter/partner", "matter/desk", "me",
    "devices", "posts", "track", "mydata", "witness", "words/ABC", "member/ABC", "word",
]  # fmt: skip

NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# Every control has a name, every heading follows the one above it, every target is large enough for a thumb.
FLAWS = """() => {
  const flaws = [];
  const seen = (el) => el.checkVisibility() && el.getBoundingClientRect().width > 1;
  for (const el of document.querySelectorAll("button, select, textarea, input, summary")) {
    if (!seen(el)) continue;
    const label = el.labels?.[0]?.textContent || el.textContent || el.getAttribute("aria-label");
    if (!label?.trim()) flaws.push("no name: " + el.outerHTML.slice(0, 80));
    const target = el.closest("label") ?? el;
    if (target.getBoundingClientRect().height < 44) flaws.push("small: " + el.outerHTML.slice(0, 80));
  }
  for (const el of document.querySelectorAll("main *")) {
    const words = el.childElementCount === 0 && el.textContent.trim();
    if (words && seen(el) && parseFloat(getComputedStyle(el).fontSize) < 17)
      flaws.push("small letters: " + el.outerHTML.slice(0, 80));
  }
  let above = 0;
  for (const el of document.querySelectorAll("h1, h2, h3")) {
    const level = Number(el.tagName[1]);
    if (level > above + 1) flaws.push("heading out of order: " + el.textContent);
    above = level;
  }
  if (document.querySelectorAll("h1").length !== 1) flaws.push("not one h1");
  const ids = [...document.querySelectorAll("[id]")].map((el) => el.id);
  if (new Set(ids).size !== ids.length) flaws.push("an id stands twice");
  for (const el of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const id of (el.getAttribute("aria-labelledby") ?? el.getAttribute("aria-describedby")).split(" "))
      if (!document.getElementById(id)) flaws.push("points nowhere: " + id);
  if (document.querySelector("[style]")) flaws.push("inline style");
  const key = /\\b(page|stage|why|kind|next|who|step|role)\\.[a-z_.]+/g;
  const bare = document.querySelector("main").innerText.match(key);
  if (bare) flaws.push("text keys without words: " + bare);
  return flaws;
}"""

# WCAG contrast of every visible text against the nearest painted background.
FAINT = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(linear)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (el) => { for (; el; el = el.parentElement) {
    const c = rgb(getComputedStyle(el).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } };
  const faint = [];
  for (const el of document.querySelectorAll("body *")) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !el.checkVisibility() || el.closest(".unseen")) continue;  // .unseen is only read aloud
    const [a, b] = [light(rgb(getComputedStyle(el).color)), light(ground(el))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(ratio.toFixed(2) + " " + el.outerHTML.slice(0, 90));
  }
  return faint;
}"""


async def unfold(window: Window) -> None:
    await window.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


@pytest.mark.parametrize("page", EVERY_PAGE)
@pytest.mark.parametrize("language", ["en", "th", "ar"])
async def test_every_page_is_sound_on_a_small_phone(
    window: Window, stand: Stand, page: str, language: str
) -> None:
    stand.turns.person = replace(stand.turns.person, language=language)
    await window.opens(page)
    if page.startswith("plan"):
        await window.page.select_option("select", "mueang")
        await window.page.wait_for_selector(".partners")
    await unfold(window)
    assert await window.page.evaluate(NO_SIDEWAYS)
    assert await window.page.evaluate(FLAWS) == []
    assert await window.page.evaluate(FAINT) == []
    html = window.page.locator("html")
    assert await html.get_attribute("lang") == language
    assert await html.get_attribute("dir") == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize("page", EVERY_PAGE)
async def test_every_page_is_readable_in_the_dark(window: Window, page: str) -> None:
    await window.opens(page, theme='{"bg_color":"#17212b"}')
    assert await window.page.evaluate("document.documentElement.dataset.scheme") == "dark"
    await unfold(window)
    assert await window.page.evaluate(FAINT) == []
    background = await window.page.evaluate("getComputedStyle(document.body).backgroundColor")
    await window.page.evaluate(
        "Telegram.WebView.receiveEvent('theme_changed', {theme_params: {bg_color: '#ffffff'}})"
    )
    assert await window.page.evaluate("getComputedStyle(document.body).backgroundColor") != background


async def test_the_launch_data_leaves_the_address_and_stays_nowhere(window: Window) -> None:
    await window.opens("plan/ABC")
    assert window.page.url == f"{window.stand.origin}{PREFIX}/plan/ABC"
    kept = await window.page.evaluate(
        "JSON.stringify([localStorage, sessionStorage, document.cookie, history.state, document.referrer])"
    )
    assert kept == '[{},{},"",null,""]'
    assert not [url for url in window.requests if "tgWebApp" in url.partition("#")[0]]


async def test_the_app_around_is_told_what_it_needs_to_know(window: Window) -> None:
    await window.page.add_init_script(
        "window.told = [];"
        "window.TelegramWebviewProxy = { postEvent: (type, data) => told.push([type, data]) };"
    )
    await window.opens("me")
    await window.page.get_by_role("button", name="Visits and what they cost").click()
    await window.page.wait_for_selector(".thread")
    await window.page.evaluate("Telegram.WebView.receiveEvent('back_button_pressed')")
    await window.page.wait_for_selector(".matters")
    await window.page.get_by_role("button", name="Close", exact=True).click()
    told = await window.page.evaluate("told")
    assert told[0] == ["web_app_ready", "{}"]
    assert told[1] == ["web_app_expand", "{}"]
    assert [json.loads(data) for kind, data in told if kind == "web_app_setup_back_button"] == [
        {"is_visible": False},
        {"is_visible": True},
        {"is_visible": False},
    ]
    assert told[-1] == ["web_app_close", "{}"]
    assert "Visits" not in await window.text()
