"""Bot API calls that send, change and delete messages: each takes the world, params and uploaded files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulator.entities import parse
from simulator.errors import Refused, bad_request, forbidden
from simulator.facts import utf16_length
from simulator.markup import check_markup
from simulator.model import DELETABLE, Chat, Json, Shown, Upload
from simulator.world import World

Files = dict[str, tuple[str, str, bytes]]  # field -> (file name, content type, content)
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
TYPING_SECONDS = 5.0
ACTIONS = (
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
)  # fmt: skip
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def find_chat(world: World, chat_id: Any, *, writing: bool = True) -> Chat:
    """The chat, if the bot may write there: 400 unknown or moved, 403 blocked, gone or left."""
    chat = world.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None or not chat.started:
        raise bad_request("chat not found")
    if chat.migrated_to:
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        raise Refused(400, words, {"migrate_to_chat_id": chat.migrated_to})
    if writing and chat.deactivated:
        raise forbidden("user is deactivated")
    if writing and chat.standing == "kicked":
        blocked = chat.kind == "private"
        raise forbidden(
            "bot was blocked by the user" if blocked else f"bot was kicked from the {chat.kind} chat"
        )
    if writing and chat.standing == "left":
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    return chat


def send_message(world: World, params: Json, files: Files) -> Json:
    """`sendMessage`."""
    chat = find_chat(world, params["chat_id"])
    return _sent(world, chat, params, text_content(params)).message


def text_content(params: Json) -> Json:
    """`{"text", "entities"?}` of a message; refuses empty and overlong ones, counted after parsing."""
    text, entities = parse(params.get("text") or "", params.get("parse_mode"), params.get("entities"))
    if not text:
        raise bad_request("message text is empty")
    if utf16_length(text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return {"text": text, "entities": entities} if entities else {"text": text}


def caption_content(params: Json) -> Json:
    """`{"caption", "caption_entities"?}`, or nothing."""
    text, entities = parse(
        params.get("caption") or "", params.get("parse_mode"), params.get("caption_entities")
    )
    if utf16_length(text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    if not text:
        return {}
    return {"caption": text, "caption_entities": entities} if entities else {"caption": text}


def _sent(world: World, chat: Chat, params: Json, content: Json) -> Shown:
    """Put a message of the bot into a chat, with its keyboard and what it answers."""
    markup = params.get("reply_markup")
    if markup is not None:
        markup = check_markup(markup, private=chat.kind == "private") or {}
        if "inline_keyboard" in markup:
            content["reply_markup"] = markup
        else:
            _change_keyboard(world, chat, markup)
    if params.get("reply_parameters"):
        content.update(_reply(chat, params["reply_parameters"]))
    if params.get("protect_content"):
        content["has_protected_content"] = True
    bot = world.identity.user()
    return world.new_message(chat, bot, content, by_bot=True, silent=bool(params.get("disable_notification")))


def _change_keyboard(world: World, chat: Chat, markup: Json) -> None:
    chat.keyboard = markup.get("keyboard")
    world.save_chat(chat)


def _reply(chat: Chat, reply: Json) -> Json:
    target = chat.messages.get(reply.get("message_id") or 0)
    if target is not None and not target.deleted:
        return {"reply_to_message": {k: v for k, v in target.message.items() if k != "reply_to_message"}}
    if reply.get("allow_sending_without_reply"):
        return {}
    raise bad_request("message to be replied not found")


def send_photo(world: World, params: Json, files: Files) -> Json:
    """`sendPhoto`."""
    chat = find_chat(world, params["chat_id"])
    content = {**_photo(uploaded(world, params["photo"], "photo", files)), **caption_content(params)}
    return _sent(world, chat, params, content).message


def send_document(world: World, params: Json, files: Files) -> Json:
    """`sendDocument`."""
    chat = find_chat(world, params["chat_id"])
    content = {**_document(uploaded(world, params["document"], "document", files)), **caption_content(params)}
    return _sent(world, chat, params, content).message


def uploaded(world: World, value: str, field: str, files: Files) -> Upload:
    """The file that a parameter names: one uploaded with the call, or a known file_id."""
    name = value.removeprefix("attach://") if value.startswith("attach://") else field
    if name in files:
        return world.add_file(*files[name])
    if value in world.files:
        return world.files[value]
    raise bad_request("wrong remote file identifier specified: Wrong string length")


def _photo(upload: Upload) -> Json:
    size = {"file_id": upload.file_id, "file_unique_id": upload.file_id[:12], "width": 320, "height": 240}
    return {"photo": [{**size, "file_size": len(upload.content)}]}


def _document(upload: Upload) -> Json:
    described = {"file_id": upload.file_id, "file_unique_id": upload.file_id[:12], "file_name": upload.name}
    return {"document": {**described, "mime_type": upload.kind, "file_size": len(upload.content)}}


def send_chat_action(world: World, params: Json, files: Files) -> bool:
    """`sendChatAction`."""
    if params["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = find_chat(world, params["chat_id"])
    chat.typing_until = world.clock.now() + TYPING_SECONDS
    world.changed(chat.id)
    return True


# -- editing --


def _to_edit(world: World, params: Json) -> Shown:
    if params.get("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    for name, words in (
        ("chat_id", "chat_id is empty"),
        ("message_id", "message identifier is not specified"),
    ):
        if params.get(name) is None:
            raise bad_request(words)
    chat = find_chat(world, params["chat_id"])
    shown = chat.messages.get(params["message_id"])
    if shown is None or shown.deleted:
        raise bad_request("message to edit not found")
    if not shown.by_bot:
        raise bad_request("message can't be edited")
    return shown


def _edited(world: World, shown: Shown, drop: tuple[str, ...], content: Json, params: Json) -> Json:
    """Change a message's content and keyboard: a keyboard that is not named again goes, as on Telegram."""
    chat = world.chats[params["chat_id"]]
    markup = check_markup(params.get("reply_markup"), private=chat.kind == "private")
    old = shown.message
    kept = {k: v for k, v in old.items() if k not in (*drop, "reply_markup", "edit_date")}
    new = {**kept, **content, **({"reply_markup": markup} if markup and markup["inline_keyboard"] else {})}
    if new == {k: v for k, v in old.items() if k != "edit_date"}:
        raise bad_request(NOT_MODIFIED)
    new["edit_date"] = int(world.clock.now())
    world.save_message(chat, replace(shown, message=new, edited=True))
    return new


def edit_message_text(world: World, params: Json, files: Files) -> Json:
    """`editMessageText`."""
    shown = _to_edit(world, params)
    if "text" not in shown.message:
        raise bad_request("there is no text in the message to edit")
    return _edited(world, shown, ("text", "entities"), text_content(params), params)


def edit_message_caption(world: World, params: Json, files: Files) -> Json:
    """`editMessageCaption`."""
    shown = _to_edit(world, params)
    if "text" in shown.message:
        raise bad_request("there is no caption in the message to edit")
    return _edited(world, shown, ("caption", "caption_entities"), caption_content(params), params)


def edit_message_reply_markup(world: World, params: Json, files: Files) -> Json:
    """`editMessageReplyMarkup`."""
    shown = _to_edit(world, params)
    return _edited(world, shown, (), {}, params)


def edit_message_media(world: World, params: Json, files: Files) -> Json:
    """`editMessageMedia`: a photo or a document in the place of what was there."""
    shown = _to_edit(world, params)
    media = params["media"]
    upload = uploaded(world, media["media"], "media", files)
    content = _photo(upload) if media["type"] == "photo" else _document(upload)
    drop = ("text", "entities", "photo", "document", "caption", "caption_entities")
    return _edited(world, shown, drop, {**content, **caption_content(media)}, params)


# -- deleting --


def delete_message(world: World, params: Json, files: Files) -> bool:
    """`deleteMessage`: private messages of both sides, within 48 hours."""
    chat = find_chat(world, params["chat_id"], writing=False)
    shown = chat.messages.get(params["message_id"])
    if shown is None or shown.deleted:
        raise bad_request("message to delete not found")
    _delete(world, chat, shown)
    return True


def delete_messages(world: World, params: Json, files: Files) -> bool:
    """`deleteMessages`: 1-100 at once; those that are not there are skipped."""
    chat = find_chat(world, params["chat_id"], writing=False)
    numbers = params["message_ids"]
    if not 1 <= len(numbers) <= 100:
        raise bad_request(
            "message identifiers are not specified" if not numbers else "too many message identifiers"
        )
    found = [chat.messages[n] for n in numbers if n in chat.messages and not chat.messages[n].deleted]
    for shown in found:
        _deletable(world, shown)
    for shown in found:
        _delete(world, chat, shown)
    return True


def _deletable(world: World, shown: Shown) -> None:
    if world.clock.now() - shown.message["date"] > DELETABLE:
        raise bad_request("message can't be deleted for everyone")


def _delete(world: World, chat: Chat, shown: Shown) -> None:
    _deletable(world, shown)
    world.save_message(chat, replace(shown, deleted=True))


CALLS = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "editMessageMedia": edit_message_media,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
}
