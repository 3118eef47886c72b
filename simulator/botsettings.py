"""Bot API calls that answer a press, describe the bot, look at chats, or say where updates go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.errors import bad_request
from simulator.facts import utf16_length
from simulator.markup import bad_webhook, check_markup, check_web_app, public_address
from simulator.messages import Files, find_chat, text_content
from simulator.model import Json, Webhook
from simulator.world import World

COMMAND = re.compile(r"^[a-z0-9_]{1,32}$")
SECRET = re.compile(r"^[A-Za-z0-9_-]{1,256}$")
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
LIFTED = {"type": "commands"}
UPDATE_KINDS = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection",
    "business_message", "edited_business_message", "deleted_business_messages", "message_reaction",
    "message_reaction_count", "inline_query", "chosen_inline_result", "callback_query",
    "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer",
    "my_chat_member", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
)  # fmt: skip


def get_me(world: World, params: Json, files: Files) -> Json:
    """`getMe`."""
    return {
        **world.identity.user(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def answer_callback_query(world: World, params: Json, files: Files) -> bool:
    """`answerCallbackQuery`: once, and not too late; the words appear as a toast on that phone."""
    if utf16_length(params.get("text") or "") > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    if params.get("url") and not (params["url"].startswith("tg://") or public_address(params["url"])):
        raise bad_request("URL_INVALID")
    query = world.answered("query", params["callback_query_id"])
    if query is None:
        raise bad_request(TOO_OLD)
    chat = world.chats.get(query.chat_id)
    shown = chat.messages.get(query.message_id) if chat else None
    if chat and shown and params.get("text"):
        world.save_message(chat, replace(shown, toast=params["text"], alert=bool(params.get("show_alert"))))
    return True


def answer_web_app_query(world: World, params: Json, files: Files) -> Json:
    """`answerWebAppQuery`: an article's text appears in the chat, from the person, via the bot."""
    query = world.answered("webapp", params["web_app_query_id"])
    if query is None:
        raise bad_request(TOO_OLD)
    result = params["result"]
    body = result["input_message_content"]
    content = text_content({**body, "text": body["message_text"]})
    chat = world.chats[query.chat_id]
    markup = check_markup(result.get("reply_markup"), private=True)
    content.update({"via_bot": world.identity.user()}, **({"reply_markup": markup} if markup else {}))
    shown = world.new_message(chat, world.by_id[chat.id].user(), content, by_bot=False)
    return {"inline_message_id": f"inline-{shown.id}"}


# -- where updates go --


def set_webhook(world: World, params: Json, files: Files) -> bool:
    """`setWebhook`; an empty url removes it."""
    if not params["url"]:
        return delete_webhook(world, params, files)
    if not public_address(params["url"]):
        raise bad_webhook("An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token") or ""
    if secret and not SECRET.match(secret):
        raise bad_webhook("secret token contains unallowed characters")
    most = params.get("max_connections") or 40
    if not 1 <= most <= 100:
        raise bad_webhook("max_connections must be between 1 and 100")
    remember_allowed(world, params)
    if params.get("drop_pending_updates"):
        drop_pending(world)
    world.set_webhook(Webhook(params["url"], secret, most, params.get("ip_address") or ""))
    return True


def delete_webhook(world: World, params: Json, files: Files) -> bool:
    """`deleteWebhook`."""
    if params.get("drop_pending_updates"):
        drop_pending(world)
    world.set_webhook(Webhook())
    return True


def remember_allowed(world: World, params: Json) -> None:
    """allowed_updates hold until they are named again; an empty list means the default."""
    allowed = params.get("allowed_updates")
    if allowed is not None:
        world.set("allowed_updates", [kind for kind in allowed if kind in UPDATE_KINDS])


def drop_pending(world: World) -> None:
    """Forget every undelivered update."""
    for seq in list(world.pending):
        world.forget_update(seq)


def get_webhook_info(world: World, params: Json, files: Files) -> Json:
    """`getWebhookInfo`."""
    hook = world.webhook
    info: Json = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.pending),
    }
    if hook.url:
        info.update(max_connections=hook.max_connections, ip_address=hook.ip_address or "127.0.0.1")
    if hook.last_error:
        info.update(last_error_date=int(hook.last_error_at), last_error_message=hook.last_error)
    if world.settings.get("allowed_updates"):
        info["allowed_updates"] = world.settings["allowed_updates"]
    return info


# -- what the bot says about itself --


def _scope(params: Json) -> str:
    scope = params.get("scope") or {"type": "default"}
    return f"commands/{scope['type']}/{scope.get('chat_id', '')}/{params.get('language_code') or ''}"


def set_my_commands(world: World, params: Json, files: Files) -> bool:
    """`setMyCommands`."""
    commands = params["commands"]
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.match(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
    world.set(_scope(params), commands)
    world.changed(0)
    return True


def get_my_commands(world: World, params: Json, files: Files) -> Any:
    """`getMyCommands`."""
    return world.settings.get(_scope(params)) or []


def delete_my_commands(world: World, params: Json, files: Files) -> bool:
    """`deleteMyCommands`."""
    world.set(_scope(params), [])
    return True


def commands_for(world: World, chat_id: int, language: str) -> list[Json]:
    """The commands that a person's menu offers: the narrowest scope and language that has some."""
    for scope in (f"chat/{chat_id}", "all_private_chats/", "default/"):
        for code in (language, ""):
            found: list[Json] = world.settings.get(f"commands/{scope}/{code}") or []
            if found:
                return found
    return []


def _setter(field: str) -> Callable[[World, Json, Files], Any]:
    def setter(world: World, params: Json, files: Files) -> bool:
        world.set(f"{field}/{params.get('language_code') or ''}", params.get(field) or "")
        world.changed(0)
        return True

    return setter


def _getter(field: str) -> Callable[[World, Json, Files], Any]:
    def getter(world: World, params: Json, files: Files) -> Json:
        own = world.settings.get(f"{field}/{params.get('language_code') or ''}")
        words = own or world.settings.get(f"{field}/") or ""
        return {field: words or (world.identity.first_name if field == "name" else "")}

    return getter


def set_chat_menu_button(world: World, params: Json, files: Files) -> bool:
    """`setChatMenuButton`: for one private chat, or for all that have none of their own."""
    button: Json = params.get("menu_button") or dict(LIFTED)
    if button["type"] == "web_app":
        check_web_app(button["web_app"]["url"], "menu button Web App")
        if not button["text"].strip():
            raise bad_request("BUTTON_TEXT_INVALID")
    if params.get("chat_id") is None:
        world.set("menu_button", button)
        world.changed(0)
        return True
    chat = find_chat(world, params["chat_id"], writing=False)
    if chat.kind != "private":
        raise bad_request("chat not found")
    chat.menu = None if button["type"] == "default" else button
    world.save_chat(chat)
    return True


def get_chat_menu_button(world: World, params: Json, files: Files) -> Any:
    """`getChatMenuButton`."""
    if params.get("chat_id") is None:
        return world.settings.get("menu_button") or LIFTED
    return menu_of(world, find_chat(world, params["chat_id"], writing=False).id)


def menu_of(world: World, chat_id: int) -> Json:
    """The menu button on one phone."""
    general: Json = world.settings.get("menu_button") or LIFTED
    button: Json = world.chats[chat_id].menu or general
    return LIFTED if button["type"] == "default" else button


def get_chat(world: World, params: Json, files: Files) -> Json:
    """`getChat`."""
    chat = find_chat(world, params["chat_id"], writing=False)
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"),
        False,
    )
    return {
        **world.chat_json(chat),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": gifts,
    }


def leave_chat(world: World, params: Json, files: Files) -> bool:
    """`leaveChat`: groups only."""
    chat = find_chat(world, params["chat_id"])
    if chat.kind == "private":
        raise bad_request("chat member status can't be changed in private chats")
    chat.standing = "left"
    world.save_chat(chat)
    return True


def get_file(world: World, params: Json, files: Files) -> Json:
    """`getFile`: where the file can be downloaded for an hour."""
    upload = world.files.get(params["file_id"])
    if upload is None:
        raise bad_request("invalid file_id")
    folder = "photos" if upload.kind.startswith("image/") else "documents"
    path = f"{folder}/{upload.file_id}"
    known = {"file_id": upload.file_id, "file_unique_id": upload.file_id[:12]}
    return {**known, "file_size": len(upload.content), "file_path": path}


CALLS: dict[str, Callable[[World, Json, Files], Any]] = {
    "getMe": get_me,
    "answerCallbackQuery": answer_callback_query,
    "answerWebAppQuery": answer_web_app_query,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "getChat": get_chat,
    "leaveChat": leave_chat,
    "getFile": get_file,
    **{f"setMy{name}": _setter(field) for name, field in
       (("Name", "name"), ("Description", "description"), ("ShortDescription", "short_description"))},
    **{f"getMy{name}": _getter(field) for name, field in
       (("Name", "name"), ("Description", "description"), ("ShortDescription", "short_description"))},
}  # fmt: skip
