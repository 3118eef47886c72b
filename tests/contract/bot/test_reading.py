"""What an Update becomes; and broken ones, of which none may fail in any other way than BadUpdate."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot

from bot.telegram_in import Leave
from bot.turns import BadUpdate, read_update
from handlers.incoming import Did, Incoming

BOT = Bot("123456789:" + "A" * 35)
MALI = {"id": 7001, "is_bot": False, "first_name": "Canary", "language_code": "th"}
CHAT = {"id": 7001, "type": "private"}
MESSAGE = {"message_id": 5, "date": 1795240000, "chat": CHAT, "from": MALI}
FILE = {"file_id": "a", "file_unique_id": "b"}


def read(**update: Any) -> Incoming | Leave | None:
    return read_update({"update_id": 9, **update}, BOT)[1]


def message(**content: Any) -> Incoming | Leave | None:
    return read(message={**MESSAGE, **content})


def command(text: str) -> Incoming | Leave | None:
    length = len(text.split(maxsplit=1)[0])
    return message(text=text, entities=[{"type": "bot_command", "offset": 0, "length": length}])


def incoming(did: Did, **more: Any) -> Incoming:
    return Incoming(9, 7001, did, **{"message_id": 5, "language_hint": "th", **more})


ORIGIN = {"type": "hidden_user", "date": 1795240000, "sender_user_name": "x"}
PHOTO = {**FILE, "width": 1, "height": 1}
CONTACT = {"phone_number": "1", "first_name": "a"}
CHANNEL = {"id": -6, "type": "channel", "title": "C"}
GROUP = {"id": -5, "type": "group", "title": "G"}


OWN = message(contact={**CONTACT, "user_id": 7001})


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (message(text="hello"), incoming(Did.TEXT, text="hello")),
        (command("/start abc-1"), incoming(Did.COMMAND, text="start", argument="abc-1")),
        (command("/HELP@pulang_bot"), incoming(Did.COMMAND, text="help")),
        (message(text="see /start"), incoming(Did.TEXT, text="see /start")),
        (message(text="/x", forward_origin=ORIGIN), incoming(Did.OTHER, text="forward")),
        (OWN, incoming(Did.CONTACT, own_contact=True)),
        (message(contact={**CONTACT, "user_id": 8}), incoming(Did.CONTACT)),
        (message(contact=CONTACT), incoming(Did.CONTACT)),
        (message(photo=[PHOTO], caption="secret"), incoming(Did.OTHER, text="photo")),
        (message(voice={**FILE, "duration": 1}), incoming(Did.OTHER, text="voice")),
        (message(location={"latitude": 0.0, "longitude": 0.0}), incoming(Did.OTHER, text="location")),
        (message(dice={"emoji": "x", "value": 1}), incoming(Did.OTHER, text="dice")),
        (message(new_chat_title="x"), None),
        (read(edited_message={**MESSAGE, "text": "new"}), incoming(Did.EDITED)),
        (read(message={**MESSAGE, "chat": GROUP, "text": "hi"}), Leave(9, -5)),
        (read(channel_post={"message_id": 1, "date": 1, "chat": CHANNEL}), Leave(9, -6)),
        (read(inline_query={"id": "1", "from": MALI, "query": "x", "offset": ""}), None),
        (read(), None),
    ],
)  # fmt: skip
def test_what_somebody_did(found: Any, wanted: Any) -> None:
    assert found == wanted


def _pressed(standing: Any) -> Incoming | Leave | None:
    query = {"id": "1", "from": MALI, "chat_instance": "1", "data": "1:yes"}
    return read(callback_query={**query, **({"message": standing} if standing else {})})


def test_presses() -> None:
    assert _pressed({**MESSAGE, "text": "x"}) == incoming(Did.PRESS, data="1:yes")
    # Older than 48 hours: Telegram shows a stub; or nothing at all.
    assert _pressed({"message_id": 5, "date": 0, "chat": CHAT}) == incoming(
        Did.PRESS, data="1:yes", message_id=None
    )
    assert _pressed(None) == incoming(Did.PRESS, data="1:yes", message_id=None)


def _changed(status: str, chat: Any) -> Incoming | Leave | None:
    who = {"user": {"id": 1, "is_bot": True, "first_name": "b"}}
    new = {**who, "status": status, **({"until_date": 0} if status == "kicked" else {})}
    change = {"chat": chat, "from": MALI, "date": 1, "old_chat_member": {**who, "status": "left"}}
    return read(my_chat_member={**change, "new_chat_member": new})


def test_blocks_and_groups() -> None:
    assert _changed("kicked", CHAT) == incoming(Did.BLOCKED, message_id=None)
    assert _changed("member", CHAT) == incoming(Did.UNBLOCKED, message_id=None)
    assert _changed("member", GROUP) == Leave(9, -5)
    assert _changed("left", GROUP) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PARTS = (
    "message",
    "callback_query",
    "my_chat_member",
    "edited_message",
    "channel_post",
    "chat",
    "from",
    "text",
)
SHAPED = st.recursive(
    JSON, lambda inner: st.dictionaries(st.sampled_from([*PARTS, *MESSAGE, "id", "type"]), inner, max_size=6)
)


@given(
    body=JSON
    | st.builds(lambda rest: {"update_id": 1, **rest}, st.dictionaries(st.sampled_from(PARTS), SHAPED))
)
def test_rubbish_is_refused_and_nothing_else(body: Any) -> None:
    with contextlib.suppress(BadUpdate):
        read_update(body, BOT)
