"""The pages in a real browser, as people use them: by touch, by keyboard, on bad lines."""

from __future__ import annotations

from typing import Any

import pytest

from console.app import PREFIX
from tests.console.conftest import Window
from tests.console.stand import Stand

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_family_asks_for_help(window: Window, stand: Stand) -> None:
    await window.opens("plan/ABC")
    page = window.page
    assert await page.locator("button.big").count() == 0  # no yes before there is something to say yes to
    await page.get_by_label("Place").select_option("mueang")
    await page.wait_for_selector(".partners > li:nth-child(3)")
    await page.get_by_text("Somebody who should not be asked, or something that must be so?").click()
    await page.get_by_label("Green Mosque Council").check()
    await page.wait_for_selector(".partners > li:nth-child(3)", state="detached")
    assert "Told us lately that there is room" in await window.text()
    await page.get_by_label("Now", exact=True).check()
    await page.wait_for_selector("text=Helpline 1300")
    await page.get_by_label("A note, if you like").fill("My brother <b>is</b> far & away")
    await page.get_by_text("I would like to be called").click()
    await page.get_by_label("Phone number").fill("+66 80 000 0000")
    await page.get_by_label("17:00 to 21:00").check()
    await page.get_by_label("Leave no message").check()
    await page.get_by_role("button", name="Yes, ask them for me").click()
    await page.wait_for_selector("text=K7-29QX")
    assert stand.turns.filed == {  # type: ignore[attr-defined]
        "area": "mueang",
        "urgency": "emergency",
        "exclude_organizations": ["mosque"],
        "exclude_kinds": [],
        "draft": "",
        "must": [],
        "plan": ["s1", "s2"],
        "consent_digest": "digest-2",
        "story": "My brother <b>is</b> far & away",
        "contact": "+66 80 000 0000",
        "call_days": [],
        "call_parts": ["evening"],
        "call_how": ["no_message"],
    }
    assert await page.evaluate("document.activeElement.textContent") == "Thank you. It is on its way."


async def test_a_plan_of_parts_stands_part_by_part(window: Window) -> None:
    await window.opens("plan/PARTS")
    await window.page.get_by_label("Place").select_option("mueang")
    await window.page.wait_for_selector(".outcome h3")
    assert await window.page.locator(".outcome h3").all_inner_texts() == ["Papers", "A place to sleep"]
    counted = [await each.locator("> li").count() for each in await window.page.locator(".partners").all()]
    assert counted == [2, 1]


async def test_somebody_under_18_says_yes_themselves_and_home_is_asked_about(
    window: Window, stand: Stand
) -> None:
    await window.opens("plan/YOUNG")
    page = window.page
    await page.get_by_label("Place").select_option("mueang")
    await page.wait_for_selector(".partners > li:nth-child(3)")
    await page.get_by_label("It is my own yes").check()
    await page.get_by_label("It is not safe").check()
    await page.get_by_label("A note, if you like").fill("please")
    await page.get_by_role("button", name="Yes, ask them for me").click()
    await page.wait_for_selector("text=K7-29QX")
    filed = stand.turns.filed  # type: ignore[attr-defined]
    assert (filed["assent"], filed["home"]) == ("own", "not_safe")


async def test_on_behalf_asks_for_all_three_before_the_yes(window: Window, stand: Stand) -> None:
    await window.opens("plan/ABC")
    page = window.page
    await page.get_by_label("Place").select_option("mueang")
    await page.wait_for_selector(".partners > li:nth-child(3)")
    await page.get_by_text("For somebody who cannot decide").click()
    await page.get_by_label("a doctor or nurse").check()
    await page.get_by_role("button", name="Yes, ask them for me").click()
    await page.wait_for_selector("text=Choose why, who agreed and for how long.")
    assert not hasattr(stand.turns, "filed")
    await page.get_by_label("They are too ill to ask").check()
    await page.get_by_label("for 30 days").check()
    await page.wait_for_selector("[aria-busy=false]")
    await page.get_by_role("button", name="Yes, ask them for me").click()
    await page.wait_for_selector("text=K7-29QX")
    filed = stand.turns.filed  # type: ignore[attr-defined]
    assert (filed["behalf"], filed["agreed"], filed["span"]) == ("very_ill", "doctor", "days_30")


async def test_nobody_there_is_said_kindly(window: Window) -> None:
    await window.opens("plan/ABC")
    await window.page.get_by_label("Place").select_option("yala")
    await window.page.get_by_role("button", name="Yes, look for a way for me").wait_for()
    assert "a person at our desk looks for a way" in await window.text()


async def test_asking_for_help_needs_no_mouse(window: Window, stand: Stand) -> None:
    """From the top of the page to the yes with Tab, arrows, Space and Enter alone."""
    await window.opens("plan/ABC")
    page = window.page

    async def tab_to(wanted: str) -> None:
        for _ in range(40):
            await page.keyboard.press("Tab")
            words = "el => (el.labels?.[0]?.textContent || el.textContent || '').trim()"
            if wanted in await page.evaluate(f"({words})(document.activeElement)"):
                outline = await page.evaluate(
                    "[document.activeElement, document.activeElement.closest('label')]"
                    ".some((el) => el && getComputedStyle(el).outlineStyle !== 'none')"
                )
                assert outline, f"the focus on {wanted!r} cannot be seen"
                return
        raise AssertionError(f"Tab never reaches {wanted!r}")

    await tab_to("Place")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.wait_for_selector(".partners")
    await tab_to("It can wait some days")
    await page.keyboard.press("ArrowDown")
    await tab_to("Somebody who should not be asked, or something that must be so?")
    await page.keyboard.press("Enter")
    await tab_to("Sisters' Circle")
    await page.keyboard.press("Space")
    await page.wait_for_selector(".partners > li:nth-child(3)", state="detached")
    await tab_to("A note, if you like")
    await page.keyboard.type("Fridays")
    await tab_to("Yes, ask them for me")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=K7-29QX")
    filed: dict[str, Any] = stand.turns.filed  # type: ignore[attr-defined]
    assert (filed["urgency"], filed["exclude_organizations"], filed["story"]) == (
        "urgent",
        ["sisters"],
        "Fridays",
    )


async def test_a_session_that_ran_out_keeps_what_was_typed(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    await window.page.get_by_label("Write a message").fill("see you at seven")
    stand.passes(minutes=31)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    assert "open it again from the chat" in await window.text()
    assert await window.page.get_by_label("Write a message").input_value() == "see you at seven"
    assert await window.page.get_by_role("button", name="Try again").count() == 0


async def test_a_line_that_is_down_is_tried_again_and_loses_nothing(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    await window.page.get_by_label("Write a message").fill("see you at seven")
    await window.page.context.set_offline(True)
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    assert "What you wrote is still here" in await window.text()
    await window.page.context.set_offline(False)
    await window.page.get_by_role("button", name="Try again").click()
    await window.page.wait_for_selector(".thread >> text=see you at seven")
    assert stand.turns.written == "see you at seven"  # type: ignore[attr-defined]


async def test_where_only_the_answer_is_lost_the_second_try_says_that_it_is_the_same(window: Window) -> None:
    marks: list[str] = []

    async def take_and_lose(route: Any) -> None:
        marks.append(route.request.post_data_json["once"])
        await (route.continue_() if len(marks) > 1 else route.abort())

    await window.opens("matter/author")
    await window.page.route("**/write", take_and_lose)
    await window.page.get_by_label("Write a message").fill("see you at seven")
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector(".trouble")
    await window.page.get_by_role("button", name="Try again").click()
    await window.page.wait_for_selector(".thread >> text=see you at seven")
    await window.page.get_by_label("Write a message").fill("see you at seven")
    await window.page.get_by_role("button", name="Send", exact=True).click()
    await window.page.wait_for_selector("main[aria-busy=false]")
    first, again, another = marks[:3]
    assert first == again != another


async def test_without_a_line_at_all_the_page_says_so(window: Window) -> None:
    await window.page.route("**/p/session", lambda route: route.abort())
    await window.page.goto(window.stand.url("me"))
    await window.page.wait_for_selector(".trouble")
    assert "We cannot reach the service just now" in await window.text()
    await window.page.unroute("**/p/session")
    await window.page.get_by_role("button", name="Try again").click()
    await window.page.wait_for_selector(".matters")


async def test_opened_without_the_chat_nothing_is_shown(window: Window) -> None:
    await window.page.goto(f"{window.stand.origin}{PREFIX}/matter/author")
    await window.page.wait_for_selector(".trouble")
    assert "from the button in your chat" in await window.text()


async def test_a_slow_line_shows_that_something_happens_and_sends_once(window: Window, stand: Stand) -> None:
    await window.opens("matter/author")
    sent: list[str] = []

    async def slowly(route: Any) -> None:
        sent.append(route.request.url)
        await window.page.wait_for_timeout(400)
        await route.continue_()

    await window.page.route("**/write", slowly)
    await window.page.get_by_label("Write a message").fill("see you at seven")
    send = window.page.get_by_role("button", name="Send", exact=True)
    await send.dblclick()
    assert await window.page.get_by_role("button", name="One moment …").count() == 1
    await window.page.wait_for_selector(".thread >> text=see you at seven")
    assert len(sent) == 1


async def test_a_worker_declines_with_a_reason(window: Window, stand: Stand) -> None:
    await window.opens("offer/O1")
    page = window.page
    await page.get_by_text("No, not this time").click()
    await page.get_by_role("button", name="Send this answer").click()
    assert "Please choose one." in await window.text()
    await page.get_by_label("We are full").check()
    await page.get_by_role("button", name="Send this answer").click()
    await page.wait_for_selector("text=Thank you for answering")
    assert stand.turns.declined == "full"  # type: ignore[attr-defined]


async def test_a_worker_says_from_when_there_is_room(window: Window, stand: Stand) -> None:
    await window.opens("offer/O1")
    page = window.page
    await page.get_by_text("There is a queue").click()
    await page.get_by_label("From about which day is there room?").fill("2027-01-24")
    await page.get_by_role("button", name="Send", exact=True).last.click()
    await page.wait_for_selector("text=The person is being asked whether they wait")
    assert stand.turns.on_list == "2027-01-24"  # type: ignore[attr-defined]


async def test_a_worker_accepts_reads_and_writes_at_once(window: Window, stand: Stand) -> None:
    await window.opens("offer/O1")
    await window.page.get_by_role("button", name="Yes, we can help").click()
    await window.page.wait_for_selector("text=What was written")
    await window.page.get_by_label("Write a message").fill("We can drive on Friday.")
    await window.page.get_by_role("button", name="Send", exact=True).last.click()
    await window.page.wait_for_selector("li.mine >> text=We can drive on Friday.")
    assert stand.turns.written == "We can drive on Friday."  # type: ignore[attr-defined]


async def test_where_the_way_on_breaks_the_worker_still_reads(window: Window) -> None:
    await window.opens("offer/O1")
    await window.page.route("**/p/session", lambda route: route.abort())
    await window.page.get_by_role("button", name="Yes, we can help").click()
    await window.page.wait_for_selector("text=What was written")
    assert "open it from the button in the chat" in await window.text()


async def test_a_worker_reports_how_it_ended(window: Window, stand: Stand) -> None:
    await window.opens("matter/partner")
    page = window.page
    await page.get_by_text("Say how it ended", exact=True).click()
    report = page.locator(".card.step")
    await page.get_by_label("It did not work out").check()
    await report.get_by_role("button", name="Send").click()
    assert "Please choose one." in await window.text()
    await page.get_by_label("No money for it").check()
    await report.get_by_role("button", name="Send").click()
    await page.wait_for_selector("details[open]", state="detached")
    assert stand.turns.taken == ("report", {"outcome": "unmet", "reason": "no_money"})  # type: ignore[attr-defined]


async def test_taking_a_request_back_is_asked_once_more(window: Window) -> None:
    await window.opens("matter/author")
    page = window.page
    await page.get_by_text("Take my request back").click()
    assert "cannot be unread" in await window.text()
    await page.get_by_role("button", name="No, go back").click()
    assert "cannot be unread" not in await window.text()
    await page.get_by_text("Take my request back").click()
    await page.get_by_role("button", name="Yes", exact=True).click()
    await page.wait_for_selector("text=Taken back")


async def test_another_language_is_spoken_at_once(window: Window) -> None:
    await window.opens("me")
    await window.page.get_by_label("Language").select_option("th")
    await window.page.get_by_role("button", name="Save").click()
    await window.page.wait_for_selector("html[lang=th]")
    await window.page.wait_for_selector("text=ของฉัน")


async def test_hiding_leaves_nothing_on_the_page(window: Window) -> None:
    await window.opens("me")
    await window.page.get_by_text("Clear this chat and keep it quiet").click()
    await window.page.get_by_role("button", name="Yes", exact=True).click()
    await window.page.wait_for_selector("text=All quiet")
    assert "Visits" not in await window.page.content()


async def test_what_people_write_is_never_markup(window: Window, stand: Stand) -> None:
    stand.turns.written = "<img src=x onerror=alert(1)>"  # type: ignore[attr-defined]
    await window.opens("matter/author")
    assert stand.turns.written in await window.text()  # type: ignore[attr-defined]
    assert await window.page.locator("img").count() == 0


async def test_motion_is_still_for_those_who_want_it_so(window: Window) -> None:
    await window.page.emulate_media(reduced_motion="reduce")
    await window.page.route("**/p/session", lambda route: None)
    await window.page.goto(window.stand.url("me"))
    await window.page.wait_for_selector(".leaf")
    still = await window.page.evaluate("getComputedStyle(document.querySelector('.leaf')).animationName")
    assert still == "none"
