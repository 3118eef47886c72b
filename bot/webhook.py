"""Updates by webhook: 200 only after the commit, so that Telegram stays the durable inbox.

401 without the secret token (compared in constant time), 400 for what is no update, 413 for what is too long,
503 with Retry-After when the store cannot work or too much waits: Telegram brings the update again.
"""

from __future__ import annotations

import hmac
import json

import structlog
from aiohttp import web

from bot.turns import BadUpdate, Busy, Receiver
from referrals.errors import StoreError

PATH = "/telegram/webhook"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_BODY = 256 * 1024
RETRY_AFTER_S = "2"

log = structlog.get_logger("bot.webhook")


class Webhook:
    """The one address that Telegram posts to."""

    def __init__(self, receiver: Receiver, secret: str) -> None:
        self._receiver = receiver
        self._secret = secret.encode()
        self.closed = False

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_post(PATH, self.receive_update)

    async def receive_update(self, request: web.Request) -> web.Response:
        """One update of Telegram's."""
        shown = request.headers.get(SECRET_HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._secret):
            return web.Response(status=401)
        if self.closed:
            return _later()
        body = await _read(request)
        if body is None:
            return web.Response(status=413)
        try:
            answer = await self._receiver.take(json.loads(body))
        except (BadUpdate, ValueError, RecursionError):
            log.warning("bad_update")
            return web.Response(status=400)
        except (StoreError, Busy) as error:
            log.warning("update_postponed", code=error.code)
            return _later()
        # Telegram takes one call in the response itself: the answer to a press costs no call of its own.
        return web.json_response(answer.as_call()) if answer is not None else web.Response()


async def _read(request: web.Request) -> bytes | None:
    """The body, or None as soon as it is longer than any update can be."""
    if (request.content_length or 0) > LONGEST_BODY:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)


def _later() -> web.Response:
    return web.Response(status=503, headers={"Retry-After": RETRY_AFTER_S})
