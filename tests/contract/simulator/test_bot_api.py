"""The Bot API side: what is done, what is refused, and in whose words."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.contract.simulator.playing import Sim

DAY = 86_400


async def test_a_wrong_token_is_401_and_an_unknown_method_404(sim: Sim) -> None:
    async with sim.session.get(f"{sim.url}/bot1:wrong/getMe") as answer:
        assert answer.status == 401
        assert await answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert (await sim.refused("frobnicate"))[0] == 404
    assert (await sim.done("GETME"))["is_bot"] is True


@pytest.mark.parametrize("encoding", ["query", "json", "form", "multipart"])
async def test_every_encoding_says_the_same(sim: Sim, encoding: str) -> None:
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "v1:y"}]]}
    texts = {
        "chat_id": "1001",
        "text": "สวัสดี",
        "protect_content": "true",
        "reply_markup": json.dumps(markup),
    }
    url = f"{sim.url}/bot{sim.token}/sendMessage"
    if encoding == "query":
        request = sim.session.get(url, params=texts)
    elif encoding == "form":
        request = sim.session.post(url, data=texts)
    elif encoding == "multipart":
        request = sim.session.post(url, data=aiohttp.FormData(texts, default_to_multipart=True))
    else:
        values = {"chat_id": 1001, "text": "สวัสดี", "protect_content": True, "reply_markup": markup}
        request = sim.session.post(url, json=values)
    async with request as answer:
        message = (await answer.json())["result"]
    assert message["text"] == "สวัสดี"
    assert message["has_protected_content"] is True
    assert message["reply_markup"] == markup
    call = (await sim.look("traffic"))[-1]
    assert call["params"] == {
        "chat_id": 1001,
        "text": "สวัสดี",
        "protect_content": True,
        "reply_markup": markup,
    }


def button(**what: object) -> dict:
    return {"inline_keyboard": [[{"text": "B", **what}]]}


REFUSALS = [
    ({}, "message text is empty"),
    ({"text": "  \n "}, "message text is empty"),
    ({"text": "a" * 4097}, "message is too long"),
    ({"text": "\N{FLEXED BICEPS}" * 2049}, "message is too long"),
    ({"text": 5}, 'parameter "text"'),
    ({"text": "hi", "txet": "hi"}, 'unknown parameter "txet"'),
    ({"text": "hi", "protect_content": "perhaps"}, 'parameter "protect_content"'),
    ({"text": "<b>hi", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag"),
    ({"text": "<b>hi</i>", "parse_mode": "HTML"}, "can't parse entities: Unmatched end tag"),
    ({"text": "<blink>hi</blink>", "parse_mode": "HTML"}, 'Unsupported start tag "blink"'),
    ({"text": "a < b", "parse_mode": "HTML"}, "can't parse entities"),
    ({"text": "hi", "parse_mode": "Word"}, "unsupported parse_mode"),
    ({"text": "hi", "reply_markup": button(callback_data="")}, "BUTTON_DATA_INVALID"),
    ({"text": "hi", "reply_markup": button(callback_data="ก" * 22)}, "BUTTON_DATA_INVALID"),
    ({"text": "hi", "reply_markup": button()}, "Text buttons are unallowed"),
    ({"text": "hi", "reply_markup": button(callback_data="x", url="https://example.org")}, "unallowed"),
    ({"text": "hi", "reply_markup": button(url="http://example.org")}, "is invalid"),
    ({"text": "hi", "reply_markup": button(url="javascript:alert(1)")}, "is invalid"),
    ({"text": "hi", "reply_markup": button(web_app={"url": "http://example.org/x"})}, "Only HTTPS links"),
    ({"text": "hi", "reply_markup": button(callback_data="x", colour="red")}, 'unknown field "colour"'),
    ({"text": "hi", "reply_markup": {"inline_keyboard": [{"text": "B"}]}}, "expected an Array"),
    ({"text": "hi", "reply_markup": "no object"}, "object expected"),
    ({"text": "hi", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
    ({"text": "hi", "chat_id": 5555}, "chat not found"),
    ({"text": "hi", "chat_id": "@nobody"}, "chat not found"),
    ({"text": "hi", "chat_id": None}, "chat_id is empty"),
    ({"text": "half \ud800"}, "UTF-8"),
]


@pytest.mark.parametrize(("params", "words"), REFUSALS, ids=range(len(REFUSALS)))
async def test_bad_messages_are_refused(sim: Sim, params: dict, words: str) -> None:
    code, description = await sim.refused("sendMessage", **{"chat_id": 1001, **params})
    assert code == 400
    assert description.startswith("Bad Request: ")
    assert words in description
    assert await sim.chat("mali") == []
    assert (await sim.look("traffic"))[-1]["error_code"] == 400


async def test_the_longest_good_message_passes(sim: Sim) -> None:
    await sim.done("sendMessage", chat_id=1001, text="a" * 4096)
    await sim.done("sendMessage", chat_id=1001, text="<b>" + "ก" * 4096 + "</b>", parse_mode="HTML")
    for url in ("https://example.org/x", "http://127.0.0.1:1/x", "http://mali.localhost:1/x"):
        await sim.done("sendMessage", chat_id=1001, text="hi", reply_markup=button(web_app={"url": url}))
    await sim.done("sendMessage", chat_id=1001, text="hi", reply_markup=button(callback_data="a" * 64))


async def test_html_becomes_entities_in_utf16_units(sim: Sim) -> None:
    text = '\N{FLEXED BICEPS} <b>one <i>two</i></b> &lt;3 <a href="https://example.org">x</a>'
    message = await sim.done("sendMessage", chat_id=1001, text=text, parse_mode="HTML")
    assert message["text"] == "\N{FLEXED BICEPS} one two <3 x"
    assert message["entities"] == [
        {"type": "bold", "offset": 3, "length": 7},
        {"type": "italic", "offset": 7, "length": 3},
        {"type": "text_link", "offset": 14, "length": 1, "url": "https://example.org"},
    ]


async def test_edits(sim: Sim) -> None:
    message = await sim.offer(1001, "Yes", "No")
    where = {"chat_id": 1001, "message_id": message["message_id"]}
    code, words = await sim.refused(
        "editMessageText", **where, text="Choose", reply_markup=message["reply_markup"]
    )
    assert (code, words.startswith("Bad Request: message is not modified: ")) == (400, True)
    await sim.done("editMessageText", **where, text="Done")
    row = (await sim.chat("mali"))[-1]
    assert (row["text"], row["buttons"], row["edited"]) == ("Done", [], True)
    await sim.done("editMessageReplyMarkup", **where, reply_markup=button(callback_data="again"))
    assert (await sim.chat("mali"))[-1]["buttons"] == [[{"text": "B", "callback_data": "again"}]]
    assert (
        "message to edit not found"
        in (await sim.refused("editMessageText", chat_id=1001, message_id=999, text="x"))[1]
    )
    said = await sim.say("mali", "mine")
    mine = {"chat_id": 1001, "message_id": said["message_id"]}
    assert "message can't be edited" in (await sim.refused("editMessageText", **mine, text="x"))[1]


async def test_deletions_within_48_hours_only(sim: Sim) -> None:
    own = await sim.offer(1001, "Yes")
    theirs = await sim.say("mali", "please forget")
    late = await sim.offer(1001, "No")
    for message in (own, theirs):
        await sim.done("deleteMessage", chat_id=1001, message_id=message["message_id"])
    assert [row["deleted"] for row in await sim.chat("mali")] == [True, True, False]
    again = await sim.refused("deleteMessage", chat_id=1001, message_id=own["message_id"])
    assert again == (400, "Bad Request: message to delete not found")
    await sim.act("clock", {"advance_s": 2 * DAY + 5})
    assert (
        "can't be deleted"
        in (await sim.refused("deleteMessage", chat_id=1001, message_id=late["message_id"]))[1]
    )
    fresh = await sim.offer(1001, "Maybe")
    await sim.done("deleteMessages", chat_id=1001, message_ids=[fresh["message_id"], 12_345])
    assert (await sim.chat("mali"))[-1]["deleted"] is True


async def test_blocked_unknown_and_gone_people(sim: Sim) -> None:
    await sim.act("people/mali/block")
    blocked = await sim.refused("sendMessage", chat_id=1001, text="hi")
    assert blocked == (403, "Forbidden: bot was blocked by the user")
    assert (await sim.refused("sendChatAction", chat_id=1001, action="typing"))[0] == 403
    await sim.act("people/mali/unblock")
    await sim.done("sendMessage", chat_id=1001, text="hi")
    stranger = await sim.act("people", {"name": "noi", "language": "th"})
    number = stranger["telegram_id"]
    assert "chat not found" in (await sim.refused("sendMessage", chat_id=number, text="hi"))[1]
    await sim.say("noi", "hello")
    await sim.done("sendMessage", chat_id=number, text="hi")
    await sim.act("people/noi/deactivate")
    gone = await sim.refused("sendMessage", chat_id=number, text="hi")
    assert gone == (403, "Forbidden: user is deactivated")


async def test_files_go_up_and_come_down(sim: Sim) -> None:
    form = aiohttp.FormData({"chat_id": "1001", "caption": "Your receipt"})
    form.add_field("document", b"hello", filename="receipt.txt", content_type="text/plain")
    async with sim.session.post(f"{sim.url}/bot{sim.token}/sendDocument", data=form) as answer:
        document = (await answer.json())["result"]["document"]
    assert (document["file_name"], document["file_size"]) == ("receipt.txt", 5)
    file = await sim.done("getFile", file_id=document["file_id"])
    async with sim.session.get(f"{sim.url}/file/bot{sim.token}/{file['file_path']}") as answer:
        assert await answer.read() == b"hello"
    again = await sim.done("sendDocument", chat_id=1002, document=document["file_id"])
    assert again["document"]["file_id"] == document["file_id"]
    call = (await sim.look("traffic"))[0]
    assert call["params"]["document"] == "attach://document"
    assert call["files"][0]["name"] == "receipt.txt"
    assert (await sim.refused("getFile", file_id="nothing"))[1] == "Bad Request: invalid file_id"


async def test_media_can_replace_text(sim: Sim) -> None:
    message = await sim.offer(1001, "Yes")
    media = {"type": "photo", "media": "attach://pic", "caption": "A map"}
    form = aiohttp.FormData(
        {"chat_id": "1001", "message_id": str(message["message_id"]), "media": json.dumps(media)}
    )
    form.add_field("pic", b"\x89PNG", filename="map.png", content_type="image/png")
    async with sim.session.post(f"{sim.url}/bot{sim.token}/editMessageMedia", data=form) as answer:
        assert (await answer.json())["ok"]
    row = (await sim.chat("mali"))[-1]
    assert (row["text"], row["media"]["kind"]) == ("A map", "photo")


async def test_a_press_is_answered_once_and_in_time(sim: Sim) -> None:
    await sim.offer(1001, "Yes")
    await sim.press("mali", "Yes")
    query = (await sim.done("getUpdates"))[0]["callback_query"]
    await sim.done("answerCallbackQuery", callback_query_id=query["id"], text="Saved")
    assert (await sim.chat("mali"))[-1]["toast"] == "Saved"
    too_old = (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    )
    assert await sim.refused("answerCallbackQuery", callback_query_id=query["id"]) == too_old
    pressed = await sim.press("mali", "Yes")
    late = (await sim.done("getUpdates", offset=pressed["update_id"]))[0]["callback_query"]
    assert "toast" not in (await sim.chat("mali"))[-1]
    await sim.act("clock", {"advance_s": 200})
    assert await sim.refused("answerCallbackQuery", callback_query_id=late["id"]) == too_old
    assert (await sim.refused("answerCallbackQuery", callback_query_id="1", text="x" * 201))[0] == 400


async def test_what_the_bot_says_of_itself(sim: Sim) -> None:
    commands = [{"command": "hide", "description": "Hide this chat"}]
    await sim.done("setMyCommands", commands=commands)
    await sim.done("setMyCommands", commands=[], language_code="th")
    assert await sim.done("getMyCommands") == commands
    assert await sim.done("getMyCommands", language_code="th") == []
    bad = [{"command": "Not Good", "description": "x"}]
    assert "BOT_COMMAND_INVALID" in (await sim.refused("setMyCommands", commands=bad))[1]
    await sim.done("setMyDescription", description="Kind words")
    await sim.done("setMyShortDescription", short_description="Kind", language_code="th")
    assert await sim.done("getMyDescription", language_code="th") == {"description": "Kind words"}
    assert await sim.done("getMyShortDescription") == {"short_description": ""}
    assert (await sim.refused("setMyDescription", description="x" * 513))[0] == 400
    menu = {"type": "web_app", "text": "My page", "web_app": {"url": "https://example.org"}}
    await sim.done("setChatMenuButton", chat_id=1001, menu_button=menu)
    assert await sim.done("getChatMenuButton", chat_id=1001) == menu
    assert await sim.done("getChatMenuButton", chat_id=1002) == {"type": "commands"}
    assert (await sim.done("getChat", chat_id=1001))["first_name"] == "mali"


async def test_groups_can_be_left_and_upgraded(sim: Sim) -> None:
    joined = await sim.act(
        "people/mali/send", {"kind": "group", "event": "added", "chat_id": -5, "type": "group"}
    )
    assert joined["chat_id"] == -5
    await sim.done("sendMessage", chat_id=-5, text="Private chats only")
    web = button(web_app={"url": "https://example.org"})
    assert (await sim.refused("sendMessage", chat_id=-5, text="x", reply_markup=web))[0] == 400
    await sim.done("leaveChat", chat_id=-5)
    assert (await sim.refused("sendMessage", chat_id=-5, text="x"))[0] == 403
    await sim.act("people/mali/send", {"kind": "group", "chat_id": -6, "type": "group", "text": "hi all"})
    moved = await sim.act("people/mali/send", {"kind": "group", "chat_id": -6, "event": "upgrade"})
    answer = await sim.bot("sendMessage", chat_id=-6, text="x")
    assert answer["parameters"] == {"migrate_to_chat_id": moved["chat_id"]}


async def test_bad_webhooks_are_refused(sim: Sim) -> None:
    for params in (
        {"url": "http://example.org/hook"},
        {"url": "https://example.org", "secret_token": "with space"},
        {"url": "https://example.org", "secret_token": "x" * 257},
        {"url": "https://example.org", "max_connections": 0, "allowed_updates": "message"},
        {"url": "https://example.org", "max_connections": 101},
    ):
        assert (await sim.refused("setWebhook", **params))[0] == 400
    assert (await sim.done("getWebhookInfo"))["url"] == ""


async def test_bodies_that_are_no_calls(sim: Sim) -> None:
    url = f"{sim.url}/bot{sim.token}/sendMessage"
    for body in (b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000):
        headers = {"Content-Type": "application/json"}
        async with sim.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["error_code"] == 400


async def test_message_ids_and_order_under_concurrency(sim: Sim) -> None:
    await asyncio.gather(*(sim.done("sendMessage", chat_id=1001, text=str(n)) for n in range(200)))
    numbers = [row["message_id"] for row in await sim.chat("mali")]
    assert len(set(numbers)) == 200
    assert numbers == sorted(numbers)
