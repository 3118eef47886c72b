"""A Delivery becomes the right Bot API call, and whatever Telegram answers becomes an end of it.

The calls go through telegram.Bot. The table of refusals stands in `_refused`: what is already as it should be
counts as done, what a person did (blocking) ends the writing, what is temporary comes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, WebAppInfo
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.request import NO_PREVIEW, LeanBot, Unreachable, silence_s
from bot.texts import Texts, shorten
from referrals.ports import Dead, Delivery, Gone, Later, Sent
from referrals.said import Button, Keyboard

LONGEST_TEXT = 4096
LONGEST_BUTTON = 64
GIVE_UP_AFTER = 12  # tries of one message, about eight hours with growing pauses
PAUSES_S = (1, 2, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 14400)

End = Sent | Later | Gone | Dead


@dataclass(frozen=True, slots=True)
class Flood:
    """Telegram asks for silence of so many seconds; nothing was wrong with the message."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Telegram cannot be reached or is not well; whoever sends should slow down."""

    code: str


class Messenger:
    """Renders and sends one delivery at a time; keeps nothing."""

    def __init__(self, bot: LeanBot, texts: Texts, public_url: str) -> None:
        self._bot = bot
        self._texts = texts
        self._public_url = public_url

    async def deliver(self, delivery: Delivery, now: datetime, chance: float) -> End | Flood | Trouble:
        """Send, edit or delete. `chance` between 0 and 1 spreads what is tried again."""
        try:
            return Sent(delivery.id, await self._call(delivery))
        except RetryAfter as flood:
            return Flood(silence_s(flood))
        except BadRequest as refusal:
            return _refused(delivery, refusal.message.lower(), now)
        except Forbidden:
            return Gone(delivery.id)
        except ChatMigrated:
            return Dead(delivery.id, "chat_migrated")
        except InvalidToken:
            return Trouble("token_refused")
        except Unreachable:
            return Trouble("unreachable")
        except TelegramError as error:
            return again(delivery, type(error).__name__.lower(), now, chance)

    async def _call(self, delivery: Delivery) -> int | None:
        """The new message's id; None after an edit or a deletion."""
        if not delivery.text:
            if delivery.message_id is not None:
                await self._bot.delete_message(delivery.account, delivery.message_id)
            return None
        text, markup = self.rendered(delivery)
        if delivery.message_id is not None:
            await self._bot.edit_message_text(
                text,
                chat_id=delivery.account,
                message_id=delivery.message_id,
                reply_markup=markup,
                link_preview_options=NO_PREVIEW,
            )
            return None
        return await self._bot.tell(delivery.account, text, markup)

    def rendered(self, delivery: Delivery) -> tuple[str, InlineKeyboardMarkup | None]:
        """What a phone shows: the text, and its buttons."""
        text = self._texts.say(delivery.text, delivery.language, delivery.timezone, delivery.params)
        buttons = delivery.buttons
        if delivery.by_text:
            text, buttons = self._by_text(text, buttons, delivery.language)
        return shorten(text, LONGEST_TEXT), self.keyboard(buttons, delivery.language)

    def _by_text(self, text: str, buttons: Keyboard, language: str) -> tuple[str, Keyboard]:
        """Numbered choices stand in the message; only what opens a page, or has no number, stays a button."""
        lines = [self._line(button, language) for row in buttons for button in row if button.number]
        left = tuple(tuple(b for b in row if b.page or not b.number) for row in buttons)
        return "\n".join([text, *lines]), left

    def _line(self, button: Button, language: str) -> str:
        """'2 Call', or for a page what opening it needs."""
        words = self._texts.say(button.text, language, "", button.params)
        line = "text.page_choice" if button.page else "text.choice"
        return self._texts.say(line, language, "", {"number": str(button.number), "label": words})

    def keyboard(self, buttons: Keyboard, language: str) -> InlineKeyboardMarkup | None:
        """Buttons as data become Telegram's."""
        rows = [[self._button(button, language) for button in row] for row in buttons if row]
        return InlineKeyboardMarkup(rows) if rows else None

    def _button(self, button: Button, language: str) -> InlineKeyboardButton:
        words = shorten(self._texts.say(button.text, language, "", button.params), LONGEST_BUTTON)
        if button.page:
            return InlineKeyboardButton(words, web_app=WebAppInfo(self.page_url(button.page)))
        return InlineKeyboardButton(words, callback_data=button.action)

    def page_url(self, page: str) -> str:
        """The address of a secure page."""
        return f"{self._public_url}/p/{page}"


def _refused(delivery: Delivery, words: str, now: datetime) -> End:
    """A 400, told apart by Telegram's words (it has no finer codes)."""
    if "message is not modified" in words:
        return Sent(delivery.id, None)
    if not delivery.text and ("message to delete not found" in words or "can't be deleted" in words):
        return Sent(delivery.id, None)
    if delivery.message_id is not None and (
        "message to edit not found" in words or "can't be edited" in words
    ):
        return Later(delivery.id, now, attempt=True, forget_message=True)
    if "chat not found" in words or "user is deactivated" in words:
        return Gone(delivery.id)
    return Dead(delivery.id, "bad_request")


def again(delivery: Delivery, code: str, now: datetime, chance: float) -> Later | Dead:
    """The next try, after a pause that grows and is never quite the same; Dead at the end of all tries."""
    if delivery.attempts >= GIVE_UP_AFTER:
        return Dead(delivery.id, code)
    pause = PAUSES_S[min(delivery.attempts, len(PAUSES_S) - 1)] * (0.75 + chance / 2)
    return Later(delivery.id, now + timedelta(seconds=pause))
