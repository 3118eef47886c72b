"""What a test may send beyond texts and taps: stickers, files, forwards, edits, groups, forged updates."""

from __future__ import annotations

import base64
from dataclasses import replace

from simulator.errors import NotPossible
from simulator.facts import well_formed
from simulator.model import Chat, Json, Person, update_kind
from simulator.people import checked_text, text_content, wrote
from simulator.world import World

# One grey pixel: a photo that is really one.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
KINDS = ("sticker", "photo", "voice", "video", "document", "location", "forward", "edit", "reply", "group")


def send(world: World, person: Person, body: Json) -> Json:
    """`{"kind": ..., ...}` of docs in simulator/README.md; returns `{"ok", "update_id", "message_id"}`."""
    kind = body.get("kind")
    if kind == "edit":
        return edit(world, person, body)
    if kind == "group":
        return group(world, person, body)
    if kind == "forward":
        text = text_content(checked_text(body.get("text", "forwarded")))
        return wrote(world, person, {**text, **_origin(world)})
    if kind == "reply":
        return _reply(world, person, body)
    if kind == "location":
        return wrote(world, person, {"location": {"latitude": 0.0, "longitude": 0.0}})
    if kind not in KINDS:
        raise NotPossible(400, f'{{"kind"}} is one of {", ".join(KINDS)}')
    return wrote(world, person, {**_file(world, str(kind), body), **_caption(body)})


def _number(body: Json, name: str, otherwise: int = 0) -> int:
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise NotPossible(400, f'{{"{name}"}} is a whole number')
    return value or otherwise


def _words(body: Json, name: str, otherwise: str) -> str:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or not well_formed(value)):
        raise NotPossible(400, f'{{"{name}"}} is a text')
    return value or otherwise


def _caption(body: Json) -> Json:
    caption = _words(body, "caption", "")
    return {"caption": caption[:1024]} if caption else {}


def _file(world: World, kind: str, body: Json) -> Json:
    try:
        content = base64.b64decode(_words(body, "content", ""), validate=True) or PIXEL
    except ValueError as error:
        raise NotPossible(400, '{"content"} is base64') from error
    types = {"sticker": "image/webp", "photo": "image/png", "voice": "audio/ogg", "video": "video/mp4"}
    mime = types.get(kind, _words(body, "mime_type", "text/plain"))
    upload = world.add_file(_words(body, "file_name", f"{kind}.bin"), mime, content)
    known: Json = {
        "file_id": upload.file_id,
        "file_unique_id": upload.file_id[:12],
        "file_size": len(content),
    }
    extra: dict[str, Json] = {
        "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False,
                    "emoji": _words(body, "emoji", "🙂")},
        "photo": {"width": 1, "height": 1},
        "voice": {"duration": _number(body, "duration", 1), "mime_type": mime},
        "video": {"duration": _number(body, "duration", 1), "width": 1, "height": 1, "mime_type": mime},
        "document": {"file_name": upload.name, "mime_type": mime},
    }  # fmt: skip
    described = {**known, **extra[kind]}
    return {kind: [described] if kind == "photo" else described}


def _origin(world: World) -> Json:
    origin = {"type": "hidden_user", "sender_user_name": "Somebody", "date": int(world.clock.now()) - 60}
    return {"forward_origin": origin}


def _reply(world: World, person: Person, body: Json) -> Json:
    target = world.chat_of(person).messages.get(_number(body, "message_id"))
    if target is None:
        raise NotPossible(404, "no such message to reply to")
    text = text_content(checked_text(body.get("text")))
    return wrote(world, person, {**text, "reply_to_message": target.message})


def edit(world: World, person: Person, body: Json) -> Json:
    """The person edits an own text: `{"kind": "edit", "text", "message_id"?}`, by default the newest."""
    chat = world.chat_of(person)
    own = [s for s in chat.messages.values() if not s.by_bot and not s.deleted and "text" in s.message]
    number = _number(body, "message_id")
    wanted = [s for s in own if s.id == number] if number else own
    if not wanted:
        raise NotPossible(404, f"{person.name} has no such text to edit")
    shown = wanted[-1]
    kept = {k: v for k, v in shown.message.items() if k != "entities"}
    text = text_content(checked_text(body.get("text")))
    message = {**kept, **text, "edit_date": int(world.clock.now())}
    world.save_message(chat, replace(shown, message=message, edited=True))
    return {"ok": True, "update_id": world.emit("edited_message", message), "message_id": shown.id}


def group(world: World, person: Person, body: Json) -> Json:
    """`{"kind": "group", "text", "title"?, "chat_id"?, "type"?, "event"?: added | removed | upgrade}`."""
    chat = _group(world, body)
    event = body.get("event")
    if event == "upgrade":
        return _upgrade(world, person, chat)
    if event in ("added", "removed"):
        return _joined(world, person, chat, event)
    if chat.standing != "member":
        raise NotPossible(409, "the bot is not in that group, so it would not be told")
    shown = world.new_message(chat, person.user(), text_content(checked_text(body.get("text"))), by_bot=False)
    update_id = world.emit("message", shown.message)
    return {"ok": True, "update_id": update_id, "message_id": shown.id, "chat_id": chat.id}


def _group(world: World, body: Json) -> Chat:
    number = _number(body, "chat_id", -1_001_000_000_001)
    if number >= 0:
        raise NotPossible(400, '{"chat_id"} of a group is a negative number')
    if number not in world.chats:
        kind = _words(body, "type", "supergroup")
        if kind not in ("group", "supergroup"):
            raise NotPossible(400, '{"type"} is group or supergroup')
        world.save_chat(Chat(number, kind, title=_words(body, "title", "A group"), started=True))
    return world.chats[number]


def _joined(world: World, person: Person, chat: Chat, event: str) -> Json:
    before, after = ("left", "member") if event == "added" else ("member", "kicked")
    chat.standing = after
    world.save_chat(chat)
    bot = world.identity.user()
    member = {
        "chat": world.chat_json(chat),
        "from": person.user(),
        "date": int(world.clock.now()),
        "old_chat_member": {"user": bot, "status": before},
        "new_chat_member": {"user": bot, "status": after, **({"until_date": 0} if after == "kicked" else {})},
    }
    return {"ok": True, "update_id": world.emit("my_chat_member", member), "chat_id": chat.id}


def _upgrade(world: World, person: Person, chat: Chat) -> Json:
    new = Chat(chat.id - 1_000_000_000_000, "supergroup", title=chat.title, started=True)
    world.save_chat(new)
    chat.migrated_to = new.id
    world.save_chat(chat)
    shown = world.new_message(chat, person.user(), {"migrate_to_chat_id": new.id}, by_bot=False)
    update_id = world.emit("message", shown.message)
    return {"ok": True, "update_id": update_id, "message_id": shown.id, "chat_id": new.id}


def inject(world: World, body: Json) -> Json:
    """A forged update as it stands, `{"update": {...}}` or bare; it gets an update_id if it has none."""
    update = body.get("update", body)
    if not isinstance(update, dict) or not update_kind(update):
        raise NotPossible(400, 'an update is {"update_id"?, KIND: {...}}')
    if "update_id" not in update:
        world.update_id += 1
        update = {"update_id": world.update_id, **update}
    if not isinstance(update["update_id"], int) or isinstance(update["update_id"], bool):
        raise NotPossible(400, "update_id is a number")
    world.queue(update)
    return {"ok": True, "update_id": update["update_id"]}
