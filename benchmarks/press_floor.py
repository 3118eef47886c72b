"""The floor of a press: python-telegram-bot behind an aiohttp webhook, with a handler that does nothing.

`python -m benchmarks.press_floor STUB_PORT SECRET`. No database, no crypto, no answer to the press.
"""

from __future__ import annotations

import asyncio
import hmac
import sys
from typing import Any

from aiohttp import web
from telegram import Update
from telegram.ext import ApplicationBuilder, CallbackQueryHandler

from benchmarks.processes import serve

TOKEN = "7000000001:" + "a" * 35
PATH = "/telegram"


async def nothing(_update: Update, _context: Any) -> None:
    """What the handler does."""


async def main() -> None:
    stub, secret = int(sys.argv[1]), sys.argv[2]
    built: Any = (
        ApplicationBuilder().token(TOKEN).base_url(f"http://127.0.0.1:{stub}/bot").updater(None).build()
    )
    built.add_handler(CallbackQueryHandler(nothing))

    async def receive(asked: web.Request) -> web.Response:
        shown = asked.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            return web.Response(status=403)
        await built.process_update(Update.de_json(await asked.json(), built.bot))
        return web.Response()

    app = web.Application()
    app.router.add_post(PATH, receive)
    async with built:
        await serve(app, path=PATH)


if __name__ == "__main__":
    asyncio.run(main())
