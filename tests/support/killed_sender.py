"""A sender that is killed: `python -m tests.support.killed_sender DATABASE TELEGRAM TOKEN AHEAD_S [drain]`.

It sends what is due, without limits, until it is killed or told to end (SIGTERM); with 'drain' it ends by
itself when nothing is left. Its clock is AHEAD_S ahead, so that a test need not wait for a lease.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.logs import set_up_logs
from bot.outbox import Deliverer
from bot.pace import Pace
from bot.request import AiohttpRequest, LeanBot
from bot.settings import LogFormat, LogLevel
from bot.telegram_out import Messenger
from bot.texts import Texts, read_locales
from referrals.catalogue import Catalogue
from storage.store import Store
from tests.support.store import KEY

LOCALES = Path(__file__).resolve().parents[2] / "locales"


async def main(url: str, telegram: str, token: str, ahead_s: float, drain: bool) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    store = Store.open(url, KEY, Catalogue(), now, worker=f"w{os.getpid()}")
    bot = LeanBot(token, base_url=f"{telegram}/bot", request=AiohttpRequest())
    await bot.initialize()
    sender = Deliverer(store.outbox, Messenger(bot, Texts(read_locales(LOCALES)), ""), Pace(1e9, 1e9), now)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sender.stop)
    await store.outbox.take_over(now())
    running = asyncio.create_task(sender.run())
    if drain:
        while await store.outbox.next_due(now()) is not None:
            await asyncio.sleep(0.05)
        sender.stop()
    await running
    await bot.shutdown()
    await store.aclose()


if __name__ == "__main__":
    set_up_logs(LogLevel.ERROR, LogFormat.CONSOLE)
    database, api, bot_token, ahead, *rest = sys.argv[1:]
    asyncio.run(main(database, api, bot_token, float(ahead), "drain" in rest))
