"""What a person did in a chat, as our own frozen value; `bot/telegram_in.py` makes it from an Update."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Did(StrEnum):
    COMMAND = (
        "command"  # text is the command without '/', lower case; argument is the rest (a deep link's payload)
    )
    TEXT = "text"
    PRESS = "press"  # data is the button's callback data
    CONTACT = "contact"  # own_contact tells whether it is the sender's own
    OTHER = "other"  # a sticker, photo, voice, forward, location …; `text` names the kind
    EDITED = "edited"  # an edit of an earlier message
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


@dataclass(frozen=True, slots=True)
class Incoming:
    """`account` is the chat id. `message_id` is the incoming message, or the pressed button's message (None
    when Telegram no longer shows it). `update` is the update_id. `language_hint` is Telegram's first guess.
    """

    update: int
    account: int
    did: Did
    text: str = ""
    argument: str = ""
    data: str = ""
    message_id: int | None = None
    own_contact: bool = False
    language_hint: str = ""
    typed: bool = False  # a press or command that came as typed words; `message_id` is that message


@dataclass(frozen=True, slots=True)
class Toast:
    """The words that answer a button press (a text key), shown for a moment. `alert` asks for an OK."""

    text: str = ""
    alert: bool = False
    menu: str = ""  # the language in which this chat's menu button is to speak from now on
