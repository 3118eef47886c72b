"""Updates by long polling: our own getUpdates loop, whose offset moves only after the commits.

The library's own loop confirms a batch before it is handled; a crash then loses it. Here everything up to the
first update that the store could not take is confirmed, the rest comes again and is deduplicated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

import structlog
from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.request import silence_s
from bot.telegram_in import ALLOWED_UPDATES
from bot.turns import BadUpdate, Busy, Receiver
from referrals.errors import StoreError

WAIT_S = 25
BATCH = 100
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

log = structlog.get_logger("bot.polling")


class Polling:
    """One loop; only one process of a bot may poll."""

    def __init__(self, receiver: Receiver, bot: Bot, wait_s: int = WAIT_S) -> None:
        self._receiver = receiver
        self._bot = bot
        self._wait_s = wait_s
        self._offset = 0
        self._pause_s = FIRST_PAUSE_S
        self._asking: asyncio.Task[Any] | None = None
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Poll until `stop`."""
        while not self._stopped.is_set():
            updates = await self._ask()
            if updates is None:
                continue
            taken = await self._take(updates)
            if taken == len(updates):
                self._pause_s = FIRST_PAUSE_S
            else:
                await self._rest()

    def stop(self) -> None:
        """End the long wait; a batch being worked on is finished, and confirmed by the next start."""
        self._stopped.set()
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> Sequence[dict[str, Any]] | None:
        """The next updates; None after a pause when there was trouble."""
        parameters = {
            "offset": self._offset,
            "timeout": self._wait_s,
            "limit": BATCH,
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        self._asking = asyncio.create_task(
            self._bot.request.post(
                f"{self._bot.base_url}/getUpdates?{urlencode(parameters)}",
                read_timeout=self._wait_s + 10,
            )
        )
        try:
            return cast("list[dict[str, Any]]", await self._asking)
        except asyncio.CancelledError:
            if not self._stopped.is_set():
                raise
        except Conflict:
            log.error(
                "polling_conflict",
                mend="another process polls with this token, or a webhook is set: stop it",
            )
            await self._rest()
        except InvalidToken:
            log.error("token_refused", mend="copy the token from BotFather into PULANG_BOT_TOKEN_FILE")
            await self._rest()
        except RetryAfter as flood:
            self._pause_s = max(self._pause_s, silence_s(flood))
            await self._rest()
        except TelegramError as error:
            log.warning("polling_failed", code=type(error).__name__)
            await self._rest()
        return None

    async def _take(self, updates: Sequence[dict[str, Any]]) -> int:
        """Work on a batch; returns how many from its start are done and confirmed."""
        done = await asyncio.gather(*(self._take_one(update) for update in updates))
        count = done.index(False) if False in done else len(done)
        if count:
            self._offset = int(updates[count - 1]["update_id"]) + 1
        return count

    async def _take_one(self, update: dict[str, Any]) -> bool:
        try:
            answer = await self._receiver.take(update)
            if answer is not None:
                self._receiver.answer_press(answer)
        except BadUpdate:
            # It would come for ever, and hold up everybody's.
            log.warning("bad_update")
        except (StoreError, Busy) as error:
            log.warning("update_postponed", code=error.code)
            return False
        return True

    async def _rest(self) -> None:
        """A pause that grows and is never quite the same; cut short by `stop`."""
        pause = self._pause_s * random.uniform(0.75, 1.25)  # noqa: S311 - only spreads tries
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), pause)
