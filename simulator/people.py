"""What a person can do with a phone: each verb changes the world and queues Telegram's update."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

from simulator.botsettings import menu_of
from simulator.entities import commands_in
from simulator.errors import NotPossible
from simulator.facts import utf16_length, well_formed
from simulator.launch import init_data, launch_url
from simulator.model import Chat, Json, Person, Shown
from simulator.world import World

PAYLOAD = re.compile(r"^[A-Za-z0-9_-]{0,64}$")
TEXT_LIMIT = 4096
# Numbers that can belong to nobody: country code 0 does not exist.
PHONE_PREFIX = "+0"


def _awake(world: World, person: Person) -> Chat:
    chat = world.chat_of(person)
    if chat.deactivated:
        raise NotPossible(409, f"{person.name} has deleted this account")
    if chat.standing == "kicked":
        raise NotPossible(
            409, f"{person.name} has blocked the bot; POST /sim/people/{person.name}/unblock first"
        )
    return chat


def wrote(world: World, person: Person, content: Json) -> Json:
    """The person sends a message; returns `{"ok", "update_id", "message_id"}`."""
    chat = _awake(world, person)
    if not chat.started:
        chat.started = True
        world.save_chat(chat)
    shown = world.new_message(chat, person.user(), content, by_bot=False)
    world.mark_read(chat)
    update_id = world.emit("message", shown.message)
    return {"ok": True, "update_id": update_id, "message_id": shown.id}


def checked_text(text: object) -> str:
    """A text that a phone would send: not empty, at most 4,096 UTF-16 units."""
    if not isinstance(text, str) or not well_formed(text) or not text.strip():
        raise NotPossible(400, '{"text"} must be a text that is not empty')
    if utf16_length(text.strip()) > TEXT_LIMIT:
        raise NotPossible(
            400, f"a text has at most {TEXT_LIMIT} UTF-16 units, this one {utf16_length(text.strip())}"
        )
    return text.strip()


def text_content(text: str) -> Json:
    """`{"text", "entities"?}` with commands marked."""
    entities = commands_in(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def say(world: World, person: Person, text: object) -> Json:
    """A text or a /command."""
    return wrote(world, person, text_content(checked_text(text)))


def open_link(world: World, person: Person, payload: object) -> Json:
    """A deep link: the client sends `/start payload`."""
    if not isinstance(payload, str) or not PAYLOAD.match(payload):
        raise NotPossible(400, "a start payload has at most 64 characters of A-Z a-z 0-9 _ -")
    return say(world, person, f"/start {payload}".strip())


def newest_with(chat: Chat, label: str, action: str) -> tuple[Shown, Json] | None:
    """The newest message that has that button, and the button."""
    for shown in reversed(chat.messages.values()):
        for row in shown.buttons:
            for button in row:
                if button["text"] == label and button.get(action) is not None:
                    return shown, button
    return None


def press(
    world: World, person: Person, label: object, message_id: object, *, inaccessible: bool = False
) -> Json:
    """An inline button, or one of the reply keyboard; returns `{"ok", "update_id", "message_id"}`."""
    chat = _awake(world, person)
    if not isinstance(label, str):
        raise NotPossible(400, '{"label"} names the button')
    if message_id is not None:
        shown = chat.messages.get(message_id) if isinstance(message_id, int) else None
        found = _on_message(shown, label, "callback_data", inaccessible) if shown else None
    else:
        found = newest_with(chat, label, "callback_data")
    if found is None:
        return _press_reply_key(world, person, chat, label)
    return _pressed(world, person, found[0], found[1]["callback_data"], inaccessible=inaccessible)


def _on_message(
    shown: Shown, label: str, action: str, inaccessible: bool = False
) -> tuple[Shown, Json] | None:
    # A message that was deleted meanwhile can still be on the screen of a slow phone.
    seen = replace(shown, deleted=False) if inaccessible else shown
    for row in seen.buttons:
        for button in row:
            if button["text"] == label and button.get(action) is not None:
                return shown, button
    return None


def _press_reply_key(world: World, person: Person, chat: Chat, label: str) -> Json:
    for row in chat.keyboard or []:
        for key in row:
            if key["text"] == label:
                return (
                    share_contact(world, person, None)
                    if key.get("request_contact")
                    else say(world, person, label)
                )
    raise NotPossible(404, f"no button {label!r} on {person.name}'s phone")


def _pressed(world: World, person: Person, shown: Shown, data: str, *, inaccessible: bool) -> Json:
    chat = world.chat_of(person)
    if shown.toast:
        world.save_message(chat, replace(shown, toast=None, alert=False))
    world.mark_read(chat)
    message = shown.message
    if inaccessible:
        message = {"chat": message["chat"], "message_id": shown.id, "date": 0}
    query = {
        "id": world.ask("query", chat.id, shown.id),
        "from": person.user(),
        "message": message,
        "chat_instance": str(3_000_000_000 + chat.id),
        "data": data,
    }
    return {"ok": True, "update_id": world.emit("callback_query", query), "message_id": shown.id}


def share_contact(world: World, person: Person, user_id: object, phone_number: object = None) -> Json:
    """A contact card: the person's own, or another account's."""
    number = person.telegram_id if user_id is None else user_id
    if not isinstance(number, int) or isinstance(number, bool):
        raise NotPossible(400, '{"user_id"} is a number')
    owner = world.by_id.get(number)
    card = {
        "phone_number": str(phone_number or f"{PHONE_PREFIX}{number}"),
        "first_name": owner.name if owner else "Contact",
        "user_id": number,
    }
    return wrote(world, person, {"contact": card})


def set_blocked(world: World, person: Person, blocked: bool) -> Json:
    """Block or unblock the bot, as a user would; a repeat changes nothing."""
    chat = world.chat_of(person)
    before, after = chat.standing, "kicked" if blocked else "member"
    if before == after:
        return {"ok": True}
    chat.standing = after
    chat.started = True
    world.save_chat(chat)
    member = {
        "chat": world.chat_json(chat),
        "from": person.user(),
        "date": int(world.clock.now()),
        "old_chat_member": _member(world, before),
        "new_chat_member": _member(world, after),
    }
    return {"ok": True, "update_id": world.emit("my_chat_member", member)}


def _member(world: World, standing: str) -> Json:
    until = {"until_date": 0} if standing == "kicked" else {}
    return {"user": world.identity.user(), "status": standing, **until}


def deactivate(world: World, person: Person) -> Json:
    """The person deletes the account: the bot is told nothing, and every later message answers 403."""
    chat = world.chat_of(person)
    chat.deactivated = True
    world.save_chat(chat)
    return {"ok": True}


def open_webapp(world: World, person: Person, label: object, message_id: object = None) -> Json:
    """A Mini App button (of that message, or the newest), or the menu button: `{"url"}` with launch data."""
    chat = _awake(world, person)
    if not isinstance(label, str):
        raise NotPossible(400, '{"label"} names the button')
    shown = chat.messages.get(message_id) if isinstance(message_id, int) else None
    found = newest_with(chat, label, "web_app") if message_id is None else None
    found = _on_message(shown, label, "web_app") if shown else found
    menu = menu_of(world, chat.id)
    if found is not None:
        url = found[1]["web_app"]["url"]
    elif message_id is None and menu["type"] == "web_app" and menu["text"] == label:
        url = menu["web_app"]["url"]
    else:
        raise NotPossible(404, f"no Mini App button {label!r} on {person.name}'s phone")
    world.mark_read(chat)
    query_id = world.ask("webapp", chat.id, 0)
    data = init_data(world.identity, person.user(), query_id, world.clock.now())
    return {"url": launch_url(url, data)}


def chat_rows(chat: Chat, last: int | None = None) -> list[Json]:
    """The chat as simulator.md lists it, oldest first; `last` cuts it to the newest so many."""
    newest = islice(reversed(chat.messages.values()), last)
    return [chat_row(one) for one in newest][::-1]


def chat_row(shown: Shown) -> Json:
    """`{"message_id", "date", "from", "text", "buttons", "edited", "deleted", "toast"?, "media"?}`."""
    message = shown.message
    row = {
        "message_id": shown.id,
        "date": message["date"],
        "from": "bot" if shown.by_bot else "person",
        "text": message.get("text") or message.get("caption") or "",
        "buttons": shown.buttons,
        "edited": shown.edited,
        "deleted": shown.deleted,
    }
    if shown.toast:
        row["toast"] = shown.toast
    entities = message.get("entities") or message.get("caption_entities")
    if entities:
        row["entities"] = entities
    media = next((kind for kind in MEDIA if kind in message), None)
    if media:
        row["media"] = {"kind": media, **_details(message[media])}
    return row


MEDIA = ("photo", "document", "contact", "sticker", "voice", "video", "location")


def _details(media: list[Json] | Json) -> Json:
    one = media[-1] if isinstance(media, list) else media
    return {
        k: v for k, v in one.items() if k in ("file_id", "file_name", "mime_type", "emoji", "phone_number")
    }
