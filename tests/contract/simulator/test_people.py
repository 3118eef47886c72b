"""What people do, and the updates that come of it."""

from __future__ import annotations

import pytest

from tests.contract.simulator.playing import Sim

MENU = {"type": "web_app", "text": "My page", "web_app": {"url": "http://127.0.0.1:1/menu"}}


async def newest(sim: Sim) -> dict:
    """The newest update, without confirming it."""
    return (await sim.done("getUpdates", offset=-1))[0]


async def test_people_are_listed_and_strangers_join(sim: Sim) -> None:
    assert await sim.look("people") == [
        {"name": "mali", "telegram_id": 1001, "role": "family", "language": "th"},
        {"name": "somchai", "telegram_id": 1002, "role": "mentor", "language": "en"},
    ]
    stranger = await sim.act("people", {"name": "noi", "language": "th"})
    assert set(stranger) == {"name", "telegram_id", "role", "language"}
    await sim.act("people", {"name": "noi", "language": "th"}, status=409)
    await sim.act("people", {"name": ""}, status=400)
    assert "error" in await sim.act("people/nobody/say", {"text": "x"}, status=404)


async def test_a_text_and_a_command(sim: Sim) -> None:
    said = await sim.say("mali", "ช่วยด้วย 🙏 /hide now")
    message = (await newest(sim))["message"]
    assert said["message_id"] == message["message_id"]
    assert message["from"]["language_code"] == "th"
    assert message["chat"] == {
        "id": 1001,
        "type": "private",
        "first_name": "mali",
        "username": "mali_1001",
    }
    assert message["entities"] == [{"type": "bot_command", "offset": 12, "length": 5}]
    row = (await sim.chat("mali"))[-1]
    assert row == {
        "message_id": said["message_id"],
        "date": message["date"],
        "from": "person",
        "text": "ช่วยด้วย 🙏 /hide now",
        "buttons": [],
        "edited": False,
        "deleted": False,
        "entities": message["entities"],
    }


@pytest.mark.parametrize("text", ["", "   ", "a" * 4097, "\N{FLEXED BICEPS}" * 2049, None, 5, "\ud800"])
async def test_texts_that_no_phone_sends(sim: Sim, text: object) -> None:
    assert "error" in await sim.act("people/mali/say", {"text": text}, status=400)


async def test_deep_links(sim: Sim) -> None:
    await sim.act("people/mali/open", {"payload": "p-7_Kx9"})
    assert (await newest(sim))["message"]["text"] == "/start p-7_Kx9"
    for payload in ("a" * 65, "with space", "ก", None):
        await sim.act("people/mali/open", {"payload": payload}, status=400)


async def test_a_press_goes_to_the_newest_message_with_that_label(sim: Sim) -> None:
    old = await sim.offer(1001, "Yes")
    new = await sim.offer(1001, "Yes", "No")
    await sim.press("mali", "Yes")
    query = (await newest(sim))["callback_query"]
    assert query["message"]["message_id"] == new["message_id"]
    assert query["message"]["chat"]["id"] == query["from"]["id"] == 1001
    assert query["data"] == "Yes"
    await sim.press("mali", "Yes", message_id=old["message_id"])
    assert (await newest(sim))["callback_query"]["message"]["message_id"] == old["message_id"]
    await sim.act("people/mali/press", {"label": "No", "message_id": old["message_id"]}, status=404)
    await sim.act("people/mali/press", {"label": "Perhaps"}, status=404)


async def test_a_deleted_message_has_no_buttons_but_a_slow_phone_still_shows_them(sim: Sim) -> None:
    gone = await sim.offer(1001, "Yes")
    await sim.done("deleteMessage", chat_id=1001, message_id=gone["message_id"])
    await sim.act("people/mali/press", {"label": "Yes"}, status=404)
    await sim.press("mali", "Yes", message_id=gone["message_id"], inaccessible=True)
    message = (await newest(sim))["callback_query"]["message"]
    assert message == {"chat": gone["chat"], "message_id": gone["message_id"], "date": 0}


async def test_contacts_own_and_foreign(sim: Sim) -> None:
    await sim.act("people/mali/share-contact")
    assert (await newest(sim))["message"]["contact"]["user_id"] == 1001
    await sim.act("people/mali/share-contact", {"user_id": 1002})
    assert (await newest(sim))["message"]["contact"]["user_id"] == 1002


async def test_the_reply_keyboard_can_be_pressed_too(sim: Sim) -> None:
    keyboard = {"keyboard": [[{"text": "Help"}, {"text": "My number", "request_contact": True}]]}
    await sim.done("sendMessage", chat_id=1001, text="?", reply_markup=keyboard)
    await sim.press("mali", "Help")
    assert (await newest(sim))["message"]["text"] == "Help"
    await sim.press("mali", "My number")
    assert (await newest(sim))["message"]["contact"]["user_id"] == 1001
    await sim.done("sendMessage", chat_id=1001, text="bye", reply_markup={"remove_keyboard": True})
    await sim.act("people/mali/press", {"label": "Help"}, status=404)


async def test_blocking_and_unblocking_are_told_once(sim: Sim) -> None:
    await sim.act("people/mali/block")
    change = (await newest(sim))["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == (
        "member",
        "kicked",
    )
    await sim.act("people/mali/block")
    await sim.act("people/mali/say", {"text": "hi"}, status=409)
    await sim.act("people/mali/unblock")
    assert (await newest(sim))["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert len(await sim.done("getUpdates")) == 1  # offset -1 has forgotten the earlier one


KINDS = ["sticker", "photo", "voice", "video", "document", "location"]


@pytest.mark.parametrize("kind", KINDS)
async def test_other_kinds_of_messages(sim: Sim, kind: str) -> None:
    await sim.act("people/mali/send", {"kind": kind})
    assert kind in (await newest(sim))["message"]
    assert (await sim.chat("mali"))[-1]["media"]["kind"] == kind


async def test_forwards_edits_replies_and_unknown_kinds(sim: Sim) -> None:
    said = await sim.say("mali", "one")
    await sim.act("people/mali/send", {"kind": "edit", "text": "two"})
    edited = (await newest(sim))["edited_message"]
    assert (edited["message_id"], edited["text"]) == (said["message_id"], "two")
    await sim.act("people/mali/send", {"kind": "forward", "text": "hearsay"})
    assert "forward_origin" in (await newest(sim))["message"]
    await sim.act("people/mali/send", {"kind": "reply", "text": "this", "message_id": said["message_id"]})
    assert (await newest(sim))["message"]["reply_to_message"]["text"] == "two"
    await sim.act("people/mali/send", {"kind": "telepathy"}, status=400)


async def test_forged_updates_go_out_as_they_are(sim: Sim) -> None:
    forged = {"update_id": 7, "callback_query": {"id": "1", "from": {"id": 1001}, "data": "v1:theirs"}}
    assert (await sim.act("updates", {"update": forged}))["update_id"] == 7
    await sim.act("updates", {"message": {"text": "no ids at all"}})
    assert [u.get("callback_query", u.get("message")) for u in await sim.done("getUpdates")] == [
        forged["callback_query"],
        {"text": "no ids at all"},
    ]
    await sim.act("updates", {}, status=400)


async def test_the_menu_button_opens_a_page(sim: Sim) -> None:
    await sim.done("setChatMenuButton", chat_id=1001, menu_button=MENU)
    opened = await sim.act("people/mali/webapp", {"label": "My page"})
    assert opened["url"].startswith("http://127.0.0.1:1/menu#tgWebAppData=")
    await sim.act("people/somchai/webapp", {"label": "My page"}, status=404)
    await sim.done("setChatMenuButton", menu_button=MENU)
    await sim.act("people/somchai/webapp", {"label": "My page"})


async def test_of_two_buttons_with_one_name_the_pressed_one_opens_its_page(sim: Sim) -> None:
    """Several messages say 'Open': whoever taps the upper one must not land on the page of the lower one."""
    shown = []
    for page in ("first", "second"):
        markup = {"inline_keyboard": [[{"text": "Open", "web_app": {"url": f"http://127.0.0.1:1/{page}"}}]]}
        said = await sim.done("sendMessage", chat_id=1001, text=page, reply_markup=markup)
        shown.append(said["message_id"])
    for page, message_id in zip(("first", "second"), shown, strict=True):
        opened = await sim.act("people/mali/webapp", {"label": "Open", "message_id": message_id})
        assert opened["url"].startswith(f"http://127.0.0.1:1/{page}#")
    assert "/second#" in (await sim.act("people/mali/webapp", {"label": "Open"}))["url"]
    await sim.act("people/mali/webapp", {"label": "Open", "message_id": 404}, status=404)


async def test_reset_forgets_chats_and_numbers_go_on(sim: Sim) -> None:
    before = await sim.say("mali", "one")
    await sim.act("faults", {"kind": "500", "rate": 1})
    await sim.act("reset")
    assert await sim.chat("mali") == []
    assert await sim.look("traffic") == []
    assert await sim.done("getUpdates") == []
    after = await sim.say("mali", "two")
    assert after["message_id"] > before["message_id"]
    assert after["update_id"] > before["update_id"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"\xff"])
async def test_bodies_that_are_no_objects(sim: Sim, body: bytes) -> None:
    async with sim.session.post(f"{sim.url}/sim/people/mali/say", data=body) as answer:
        assert answer.status == 400
        assert "error" in await answer.json()


async def test_only_loopback_names_and_the_own_page_are_answered(sim: Sim) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", ""):
        async with sim.session.get(f"{sim.url}/sim/people", headers={"Host": host}) as answer:
            assert answer.status == 403
    async with sim.session.get(f"{sim.url}/sim/people", headers={"Host": "mali.localhost"}) as answer:
        assert answer.status == 200
    headers = {"Origin": "http://mali.localhost:1"}
    async with sim.session.post(f"{sim.url}/sim/reset", headers=headers) as answer:
        assert answer.status == 403
