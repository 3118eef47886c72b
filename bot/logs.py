"""Structured logs that name codes, never people: one door for our own records and for those of libraries.

Our own records are events with fields; a field whose name is on the deny list, or whose value looks like a
token, launch data, an account or a phone, is struck out. A library's record tells where it came from and
its fixed words, never the values that were put in: those may be what somebody wrote. An exception is told by
its kind and the lines that it passed, without its message and without local values.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from bot.settings import LogFormat, LogLevel

STRUCK = "[struck out]"
# Names of fields that could hold what a person wrote, or who they are.
DENIED = frozenset(
    "text texts data name first_name last_name username user chat account phone contact body payload argument"
    " init_data initdata token secret password url update message params story note language_hint"
    " telegram_id".split()
)
PATTERNS = (
    re.compile(r"\d{3,16}:[A-Za-z0-9_-]{20,64}"),  # a bot's token
    re.compile(r"/bot[^/\s]*", re.IGNORECASE),  # an address with a token
    re.compile(r"(?:query_id|user|auth_date|hash|signature|tgWebAppData)=[^\s]+"),  # launch data
    re.compile(r"\b[a-z+]+://[^\s/@]+:[^\s/@]+@"),  # an address with a password
    re.compile(r"\+?\d(?:[ -]?\d){6,}"),  # accounts and phones
)
# Fields of our own whose numbers are harmless.
NUMBERS = frozenset({"port", "count", "seconds", "pid", "attempts", "sent", "waiting", "milliseconds"})
# Libraries that repeat addresses, texts or whole updates at lower levels, whatever level was asked for.
QUIET = (
    "telegram",
    "httpx",
    "httpcore",
    "aiohttp.access",
    "asyncio",
    "apscheduler",
    "sqlalchemy",
    "alembic",
    "urllib3",
)
HOUSE = ("bot.", "handlers.", "console.", "storage.", "referrals.")

Event = MutableMapping[str, Any]


def set_up_logs(level: LogLevel, kind: LogFormat, stream: TextIO | None = None) -> None:
    """From here on every record of the process goes through the same processors to one stream."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    lines: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if kind is LogFormat.CONSOLE:
        lines = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    handler = _Withholding(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, lines],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.raiseExceptions = False
    logging.captureWarnings(False)


class _Withholding(logging.StreamHandler[TextIO]):
    """A library's record keeps its fixed words and the place it came from; never the values put in."""

    def format(self, record: logging.LogRecord) -> str:
        """Our own records come as a dict, through structlog; whatever else comes is stripped first."""
        if isinstance(record.msg, dict):
            return super().format(record)
        plain = copy.copy(record)
        if record.name.startswith(HOUSE):
            plain.msg = record.getMessage()
        elif record.args:
            plain.msg = f"{record.module}:{record.lineno} {record.msg}"
        else:
            # Words without values may have had them put in before they came here.
            plain.msg = f"{record.module}:{record.lineno} withheld"
        plain.args, plain.exc_text = (), None
        return super().format(plain)


def tell_exception(_: Any, __: str, event: Event) -> Event:
    """Kinds and places, innermost last; an exception's message can hold what somebody wrote."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[1] is not None:
        event["trace"] = describe(info[1])
    return event


def describe(error: BaseException) -> list[str]:
    """`Kind`, then `file:line function` for each frame; causes follow."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 60:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        lines += _frames(seen.__traceback__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def _frames(passed: TracebackType | None) -> list[str]:
    return [f"  {Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(passed)[-15:]]


def redact(_: Any, __: str, event: Event) -> Event:
    """Strike out denied fields and whatever looks like a secret or a person."""
    for name, value in event.items():
        if name in ("_record", "_from_structlog", "timestamp"):
            continue
        event[name] = STRUCK if name.lower() in DENIED else _clean(name, value)
    return event


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, (bool, float, type(None))) or (isinstance(value, int) and name in NUMBERS):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1_000_000 else STRUCK
    if isinstance(value, (list, tuple)):
        return [_clean(name, item) for item in value]
    # Anything else could unfold into a whole update: only plain words are written.
    text = str(value) if isinstance(value, str) else type(value).__name__
    for pattern in PATTERNS:
        text = pattern.sub(STRUCK, text)
    return text


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """What nobody awaited is told as any other exception, not with its message as asyncio would."""
    log = structlog.get_logger("bot.loop")

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.error("unexpected", where="loop", exc_info=error if isinstance(error, BaseException) else None)

    loop.set_exception_handler(tell)
