"""What was typed is never lost: by a lost line, a session that ran out, a page that died; it stays sealed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Window
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WORDS = "see you at seven"

KEPT = """async () => {
  const open = indexedDB.open("pulang");
  const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const all = (store) => new Promise((done) => {
    const rows = database.transaction(store).objectStore(store).getAll();
    rows.onsuccess = () => done(rows.result);
  });
  const text = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? new TextDecoder().decode(value) : value;
  const drafts = (await all("drafts")).map((draft) => Object.values(draft).map(text).join(" "));
  const keys = (await all("keys")).flatMap((kept) => [kept.pair.privateKey, kept.sealing]);
  const out = await Promise.all(keys.map((key) =>
    crypto.subtle.exportKey(key.type === "private" ? "pkcs8" : "raw", key).then(() => "out", () => "kept")));
  return { drafts, keys: out, names: keys.map((key) => key.algorithm.name) };
}"""


async def box_of(window: Window) -> str:
    return await window.page.get_by_label("Write a message").input_value()


async def typed(window: Window, words: str = WORDS) -> None:
    await window.page.get_by_label("Write a message").press_sequentially(words)
    await window.page.wait_for_timeout(200)


async def opens_anew(window: Window, page: str) -> None:
    """As the chat's button does after the web view died: another tab, the same storage."""
    dead = window.page
    window.page = await dead.context.new_page()
    window.watch()
    await dead.close()
    await window.opens(page)


async def test_a_page_that_died_is_opened_again_and_the_words_are_there(window: Window) -> None:
    await window.opens("matter/author")
    await typed(window)
    await opens_anew(window, "matter/author")
    assert await box_of(window) == WORDS
    assert "We kept what you had typed" in await window.text()


async def test_a_session_that_ran_out_says_so_kindly_and_the_chats_button_brings_the_words_back(
    window: Window, stand: Stand
) -> None:
    await window.opens("matter/author")
    await typed(window)
    stand.passes(minutes=31)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    assert "What you typed is kept for you" in await window.text()
    await opens_anew(window, "matter/author")
    assert await box_of(window) == WORDS
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(f".thread >> text={WORDS}")
    assert stand.turns.written == WORDS  # type: ignore[attr-defined]
    await opens_anew(window, "matter/author")
    assert await box_of(window) == ""
    assert (await window.page.evaluate(KEPT))["drafts"] == []


async def test_a_whole_request_comes_back_with_its_choices(window: Window, stand: Stand) -> None:
    await window.opens("plan/ABC")
    page = window.page
    await page.get_by_label("Place").select_option("mueang")
    await page.wait_for_selector(".partners")
    await page.get_by_text("Somebody who should not be asked, or something that must be so?").click()
    await page.get_by_label("Green Mosque Council").check()
    await page.get_by_label("It can wait some days").check()
    await page.get_by_label("A note, if you like").fill("Fridays")
    await page.get_by_text("I would like to be called").click()
    await page.get_by_label("Phone number").fill("+66 80 000 0000")
    await page.wait_for_timeout(300)
    await opens_anew(window, "plan/ABC")
    page = window.page
    await page.wait_for_selector(".partners > li:nth-child(2)")
    assert await page.get_by_label("Green Mosque Council").is_checked()
    assert await page.get_by_label("Phone number").is_visible()
    await page.get_by_role("button", name="Yes, ask them for me").click()
    await page.wait_for_selector("text=K7-29QX")
    filed: Any = stand.turns.filed  # type: ignore[attr-defined]
    assert filed["exclude_organizations"] == ["mosque"]
    assert (filed["area"], filed["story"], filed["contact"]) == ("mueang", "Fridays", "+66 80 000 0000")
    assert (await page.evaluate(KEPT))["drafts"] == []


async def test_drafts_are_sealed_and_their_keys_cannot_be_taken_out(window: Window) -> None:
    await window.opens("matter/author")
    await typed(window)
    kept = await window.page.evaluate(KEPT)
    assert len(kept["drafts"]) == 1
    assert "seven" not in kept["drafts"][0]
    assert kept["names"] == ["ECDSA", "AES-GCM"]
    assert kept["keys"] == ["kept", "kept"]


async def test_another_person_on_the_same_phone_sees_nothing(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    await typed(window)
    await window.opens("matter/author", account=4712)
    assert await box_of(window) == ""
    assert len(stand.turns.devices) == 2
    await window.opens("matter/author")
    assert await box_of(window) == WORDS
    assert len(stand.turns.devices) == 2


async def test_after_seven_days_a_draft_is_gone(window: Window) -> None:
    await window.opens("matter/author")
    await typed(window)
    late = "const now = Date.now; Date.now = () => now() + 7 * 86400e3 + 1;"
    await window.page.context.add_init_script(late)
    await opens_anew(window, "matter/author")
    assert await box_of(window) == ""
    assert (await window.page.evaluate(KEPT))["drafts"] == []


async def test_hiding_throws_every_draft_away(window: Window) -> None:
    await window.opens("matter/author")
    await typed(window)
    await window.opens("me")
    await window.page.get_by_text("Clear this chat and keep it quiet").click()
    await window.page.get_by_role("button", name="Yes", exact=True).click()
    await window.page.wait_for_selector("text=All quiet")
    assert (await window.page.evaluate(KEPT))["drafts"] == []


async def test_a_draft_can_be_thrown_away(window: Window) -> None:
    await window.opens("matter/author")
    await typed(window)
    await opens_anew(window, "matter/author")
    await window.page.get_by_role("button", name="Throw it away").click()
    assert await box_of(window) == ""
    await window.page.wait_for_timeout(200)
    assert (await window.page.evaluate(KEPT))["drafts"] == []


async def test_a_web_view_that_keeps_nothing_files_and_writes_and_warns_before_it_closes(
    window: Window, stand: Stand
) -> None:
    await window.page.add_init_script(
        "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', { value: undefined });"
        "window.told = [];"
        "window.TelegramWebviewProxy = { postEvent: (type, data) => told.push(type + data) };"
    )
    await window.opens("matter/author")
    await typed(window)
    told = await window.page.evaluate("told")
    assert 'web_app_setup_closing_behavior{"need_confirmation":true}' in told
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(f".thread >> text={WORDS}")
    await window.opens("matter/author")
    assert len(stand.turns.devices) == 2  # a new device each time


async def test_a_lost_answer_costs_a_number_and_nothing_more(window: Window, stand: Stand) -> None:
    """The request arrives, its answer does not; the next one carries a higher number and is taken."""
    await window.opens("matter/author")
    await typed(window)

    async def deaf(route: Any) -> None:
        await route.fetch()
        await route.abort()

    await window.page.route("**/write", deaf)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    assert await box_of(window) == WORDS
    await window.page.unroute("**/write")
    await window.page.get_by_role("button", name="Try again").click()
    await window.page.wait_for_selector(f".thread >> text={WORDS}")
    (session,) = [s for s in stand.turns.sessions if s.number]
    assert session.number == 3


async def test_a_script_that_does_not_arrive_is_asked_for_again(window: Window) -> None:
    await window.page.route("**/me.js*", lambda route: route.abort())
    await window.page.goto(window.stand.url("me"))
    await window.page.wait_for_selector(".trouble")
    await window.page.unroute("**/me.js*")
    await window.page.get_by_role("button", name="Try again").click()
    await window.page.wait_for_selector(".matters")
