"""One update from its raw form to its committed turn: one person's in order, different people side by side.

An update is acknowledged when `take` returns, and stays with Telegram when it raises StoreError or Busy. A
turn is deduplicated inside its transaction, so taking an update twice is harmless. What follows a turn (the
answer to a press, leaving a group) is best effort, outside the transaction, and delays no acknowledgement:
a webhook carries the answer to a press in its own response, polling makes a call of it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from telegram import Bot, Update
from telegram.error import TelegramError

from bot.patience import Patience, Verdict
from bot.telegram_in import Leave, read_incoming
from bot.texts import Texts, shorten
from handlers.incoming import Did, Incoming, Toast
from referrals.errors import PulangError, StoreError
from referrals.ports import Turns, Tx

LONGEST_TOAST = 200
TRIES = 3
PAUSE_S = 0.05
MOST_WAITING = 2000
MOST_ASIDE = 200
TOO_FAST = "error.too_fast"

log = structlog.get_logger("bot.turns")

Handle = Callable[[Tx, Incoming], Toast]
Refuse = Callable[[Tx, Incoming, PulangError], Toast]
Menu = Callable[[int, str], Coroutine[Any, Any, Any]]  # account, language: set this chat's menu button


class BadUpdate(PulangError):
    """The body is no update at all: refused, without effect."""

    code = "error.bad_update"


class Busy(PulangError):
    """More updates wait than can be worked on: Telegram keeps this one and brings it again."""

    code = "error.busy"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a turn answers, and in which language."""

    toast: Toast
    language: str


@dataclass(frozen=True, slots=True)
class PressAnswer:
    """The answer to a press: every press gets one, or the phone shows a spinner for a minute."""

    query_id: str
    text: str
    alert: bool

    def as_call(self) -> dict[str, object]:
        """As the one method call that the response to a webhook may carry."""
        call: dict[str, object] = {"method": "answerCallbackQuery", "callback_query_id": self.query_id}
        if self.text:
            call["text"] = self.text
        if self.alert:
            call["show_alert"] = True
        return call


class Lanes:
    """A lane for each person: whoever is first goes first, and lanes do not wait for each other."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting = 0
        self._lanes: dict[int, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, account: int) -> AsyncIterator[None]:
        """Wait for this person's earlier turns; raises Busy when too many wait already."""
        if self._waiting >= self._most:
            raise Busy
        lock, users = self._lanes.get(account, (asyncio.Lock(), 0))
        self._lanes[account] = (lock, users + 1)
        self._waiting += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting -= 1
            lock, users = self._lanes[account]
            if users == 1:
                del self._lanes[account]
            else:
                self._lanes[account] = (lock, users - 1)


class Receiver:
    """Takes raw updates. `handle` and `refuse` are the chat's two doors, run inside one turn each."""

    def __init__(
        self,
        turns: Turns,
        bot: Bot,
        texts: Texts,
        handle: Handle,
        refuse: Refuse,
        committed: Callable[[], None],
        menu: Menu | None = None,
    ) -> None:
        self._turns = turns
        self._bot = bot
        self._texts = texts
        self._handle = handle
        self._refuse = refuse
        self._committed = committed
        self._menu = menu
        self._lanes = Lanes()
        self.patience = Patience()
        self._aside: set[asyncio.Task[None]] = set()

    async def take(self, raw: object) -> PressAnswer | None:
        """Work on one update; returns after its commit, for a press with the answer to be given.

        Raises BadUpdate, Busy or StoreError.
        """
        update, incoming = read_update(raw, self._bot)
        if incoming is None:
            return None
        if isinstance(incoming, Leave):
            self._later(self._bot.leave_chat(incoming.chat))
            return None
        if incoming.did is Did.PRESS and update.callback_query is not None:
            verdict = self.patience.of(incoming.account, time.monotonic())
            if verdict is Verdict.IGNORED:
                return None
            if verdict is Verdict.TOLD:
                words = self._texts.say(TOO_FAST, incoming.language_hint)
                return PressAnswer(update.callback_query.id, shorten(words, LONGEST_TOAST), alert=True)
        async with self._lanes.of(incoming.account):
            answered = await self._turn(incoming)
        self._committed()
        if answered.toast.menu and self._menu is not None:
            self._later(self._menu(incoming.account, answered.toast.menu))
        if update.callback_query is None:
            return None
        toast = answered.toast
        words = self._texts.say(toast.text, answered.language) if toast.text else ""
        return PressAnswer(update.callback_query.id, shorten(words, LONGEST_TOAST), toast.alert)

    def answer_press(self, answer: PressAnswer) -> None:
        """Give the answer by a call of its own, beside everything else."""
        self._later(
            self._bot.answer_callback_query(
                answer.query_id, answer.text or None, show_alert=answer.alert or None
            )
        )

    async def _turn(self, incoming: Incoming) -> Answered:
        for attempt in range(TRIES):
            try:
                return await self._turns.turn(_in_turn, self._handle, incoming)
            except StoreError:
                raise
            except PulangError as refusal:
                return await self._refused(incoming, refusal)
            except Exception as error:
                log.error("turn_failed", did=incoming.did.value, attempts=attempt + 1, exc_info=error)
                await asyncio.sleep(PAUSE_S * 2**attempt * random.uniform(0.5, 1))  # noqa: S311 - only spreads tries
        return await self._refused(incoming, PulangError())

    async def _refused(self, incoming: Incoming, refusal: PulangError) -> Answered:
        """Say kindly why not, in a turn of its own; where even that fails, only the toast is left."""

        def refuse(tx: Tx, incoming: Incoming) -> Toast:
            return self._refuse(tx, incoming, refusal)

        try:
            return await self._turns.turn(_in_turn, refuse, incoming)
        except StoreError:
            raise
        except Exception as error:
            log.error("refusal_failed", did=incoming.did.value, code=refusal.code, exc_info=error)
            return Answered(Toast(PulangError.code), incoming.language_hint)

    def _later(self, call: Coroutine[Any, Any, Any]) -> None:
        """Do this beside the acknowledgement; when too much is under way already, not at all."""
        if len(self._aside) >= MOST_ASIDE:
            call.close()
            return

        async def attempt() -> None:
            try:
                await call
            except TelegramError as error:
                log.info("aside_failed", code=type(error).__name__)

        task = asyncio.create_task(attempt())
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def settle(self, seconds: float = 5.0) -> None:
        """Let what was begun beside the turns end; drop what takes longer."""
        if self._aside:
            _, late = await asyncio.wait(self._aside, timeout=seconds)
            for task in late:
                task.cancel()


def _in_turn(tx: Tx, door: Handle, incoming: Incoming) -> Answered:
    """One door inside one transaction, with the language in which its toast is to be said."""
    toast = door(tx, incoming)
    if incoming.did is not Did.PRESS or not toast.text:
        return Answered(toast, "")
    person = tx.person_of_account(incoming.account)
    return Answered(toast, (person.language if person else "") or incoming.language_hint)


def read_update(raw: object, bot: Bot) -> tuple[Update, Incoming | Leave | None]:
    """The Update of a decoded body, and what it says; raises BadUpdate for anything that is none."""
    if not isinstance(raw, dict):
        raise BadUpdate
    number = raw.get("update_id")
    if type(number) is not int or not 0 <= number < 2**62:
        raise BadUpdate
    try:
        update = Update.de_json(raw, bot)
        return update, read_incoming(update)
    except (
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        ArithmeticError,
        OSError,
        RecursionError,
    ) as error:
        # Which error comes depends on which of some hundred fields is wrong; none of them is our mistake.
        raise BadUpdate from error
