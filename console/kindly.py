"""What a page hears when something cannot be done: JSON in the person's language, and never a bare error."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import hdrs, web

from console.headers import answer_headers
from referrals.errors import (
    BadAnswer,
    NotAllowed,
    NotFound,
    PulangError,
    Refused,
    SessionOver,
    StoreError,
    TooOften,
    WrongStage,
)

Texts = Callable[[str], Mapping[str, str]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)

_STATUS: Sequence[tuple[type[PulangError], int]] = (
    (SessionOver, 401),
    (NotFound, 404),
    (NotAllowed, 403),
    (WrongStage, 409),
    (TooOften, 429),
    (BadAnswer, 422),
    (Refused, 409),
    (StoreError, 503),
)
_SHOWN_PARAMS = ("limit", "length", "minutes")


def kindly(texts: Texts, languages: Sequence[str], headers: Mapping[str, str]) -> Any:
    """A middleware: refusals become JSON in the person's language, and every answer gets the headers."""

    def say(request: web.Request) -> Mapping[str, str]:
        return {**texts(languages[0]), **texts(language_of(languages, request))}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except PulangError as error:
            answer = _refusal(say(request), error, _status(error))
        except web.HTTPException as error:
            answer = _refusal(say(request), NotFound(), error.status)
        except Exception as error:  # noqa: BLE001 - a person must not be left with a broken page
            # Only the kind of error: its message could hold what somebody wrote.
            log.error("a secure page failed: %s", type(error).__name__)
            answer = _refusal(say(request), PulangError(), 500)
        for name, value in answer_headers(headers, answer.content_type).items():
            answer.headers.setdefault(name, value)
        return answer

    return middleware


def _status(error: PulangError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _refusal(words: Mapping[str, str], error: PulangError, status: int) -> web.Response:
    """`{"error": code, "message": words}`, and the figures in the message, for the page to count with."""
    message = words.get(error.code) or words.get(PulangError.code, "")
    shown: dict[str, object] = {name: error.params[name] for name in _SHOWN_PARAMS if name in error.params}
    for name, value in shown.items():
        message = message.replace("{" + name + "}", str(value))
    return web.json_response({"error": error.code, "message": message, **shown}, status=status)


def language_of(languages: Sequence[str], request: web.Request) -> str:
    """The page says its language in Accept-Language."""
    for wanted in request.headers.get(hdrs.ACCEPT_LANGUAGE, "").split(","):
        language = wanted.partition(";")[0].strip().partition("-")[0]
        if language in languages:
            return language
    return languages[0]
