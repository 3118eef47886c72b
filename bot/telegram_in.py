"""An Update of Telegram's becomes our own Incoming: what one person did in a private chat.

Whatever happens in a group or a channel becomes Leave: the bot works in private chats only. What concerns
nobody (a pinned message, a new chat picture) becomes None.
"""

from __future__ import annotations

from dataclasses import dataclass

from telegram import CallbackQuery, Chat, ChatMemberUpdated, Message, MessageEntity, Update
from telegram.constants import ChatMemberStatus

from handlers.incoming import Did, Incoming

# All that is asked of Telegram; everything else never leaves its servers.
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member", "channel_post"]
LONGEST_TEXT = 4096
KINDS = (
    "sticker",
    "photo",
    "voice",
    "video_note",
    "video",
    "animation",
    "audio",
    "document",
    "venue",
    "location",
    "poll",
    "dice",
    "game",
    "story",
    "paid_media",
    "checklist",
    "users_shared",
    "chat_shared",
    "web_app_data",
    "invoice",
)


@dataclass(frozen=True, slots=True)
class Leave:
    """A group or channel that the bot must leave."""

    update: int
    chat: int


def read_incoming(update: Update) -> Incoming | Leave | None:
    """What a person did, where the bot must not be, or None."""
    chat = update.effective_chat
    if chat is not None and chat.type != Chat.PRIVATE:
        return None if _is_over(update.my_chat_member) else Leave(update.update_id, chat.id)
    if update.callback_query is not None:
        return _press(update.update_id, update.callback_query)
    if update.edited_message is not None:
        return _edited(update.update_id, update.edited_message)
    if update.message is not None:
        return _message(update.update_id, update.message)
    if update.my_chat_member is not None:
        return _member(update.update_id, update.my_chat_member)
    return None


def _message(update: int, message: Message) -> Incoming | None:
    did, text, argument, own = _content(message)
    if did is None:
        return None
    return Incoming(
        update=update,
        account=message.chat.id,
        did=did,
        text=text,
        argument=argument,
        message_id=message.message_id,
        own_contact=own,
        language_hint=_hint(message),
    )


def _content(message: Message) -> tuple[Did | None, str, str, bool]:
    """(did, text, argument, own contact) of a message; did is None for Telegram's own service messages."""
    # Forwarded words are somebody else's, so they never count as an answer or a command.
    if message.forward_origin is not None or message.via_bot is not None:
        return Did.OTHER, "forward", "", False
    if message.text is not None:
        command = _command(message)
        if command is not None:
            return Did.COMMAND, command[0], command[1], False
        return Did.TEXT, message.text[:LONGEST_TEXT], "", False
    if message.contact is not None:
        sender = message.from_user.id if message.from_user else message.chat.id
        return Did.CONTACT, "", "", message.contact.user_id == sender
    for kind in KINDS:
        if getattr(message, kind, None):
            return Did.OTHER, kind, "", False
    return None, "", "", False


def _command(message: Message) -> tuple[str, str] | None:
    """(command without '/', the rest), when the message begins with one."""
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset != 0:
        return None
    words = (message.text or "").split(maxsplit=1)
    name = words[0][1:].partition("@")[0].lower()
    return name, words[1].strip()[:LONGEST_TEXT] if len(words) > 1 else ""


def _edited(update: int, message: Message) -> Incoming:
    # The new words are not read: an answer that changes after the fact is not an answer.
    return Incoming(
        update=update,
        account=message.chat.id,
        did=Did.EDITED,
        message_id=message.message_id,
        language_hint=_hint(message),
    )


def _press(update: int, query: CallbackQuery) -> Incoming | None:
    if query.from_user.is_bot or query.inline_message_id is not None:
        return None
    # Telegram shows messages older than 48 hours only as a stub, which can no longer be edited.
    standing = query.message if query.message is not None and query.message.is_accessible else None
    return Incoming(
        update=update,
        account=query.message.chat.id if query.message is not None else query.from_user.id,
        did=Did.PRESS,
        data=query.data or "",
        message_id=standing.message_id if standing is not None else None,
        language_hint=query.from_user.language_code or "",
    )


def _member(update: int, change: ChatMemberUpdated) -> Incoming | None:
    left = change.new_chat_member.status in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
    return Incoming(
        update=update,
        account=change.chat.id,
        did=Did.BLOCKED if left else Did.UNBLOCKED,
        language_hint=change.from_user.language_code or "",
    )


def _is_over(change: ChatMemberUpdated | None) -> bool:
    """Whether this only tells that the bot is out of the chat already."""
    return change is not None and change.new_chat_member.status in (
        ChatMemberStatus.BANNED,
        ChatMemberStatus.LEFT,
    )


def _hint(message: Message) -> str:
    return (message.from_user.language_code if message.from_user else None) or ""
