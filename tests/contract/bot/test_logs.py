"""Logs tell codes. What people write, who they are, tokens and addresses never reach them, at any level."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import set_up_logs
from bot.settings import LogFormat, LogLevel
from tests.contract.bot.product import Product
from tests.support.simulator import Telegram

CANARY = "canary-7f3a"
TOKEN = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr"


@pytest.fixture(params=list(LogFormat))
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    set_up_logs(LogLevel.DEBUG, request.param, written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_nothing_of_an_update_reaches_a_log(
    product: Product, telegram: Telegram, stream: io.StringIO
) -> None:
    await product.start()
    account = await product.newcomer(CANARY)
    for words in (CANARY, f"boom {CANARY}", "boom:1", f"no {CANARY}", f"/start {CANARY}"):
        await telegram.say(CANARY, words)
    await telegram.until_said(CANARY, lambda said: len(said) >= 6)
    await product.stop()
    written = stream.getvalue()
    assert "turn_failed" in written
    assert "ZeroDivisionError" in written
    for private in ("canary", CANARY, telegram.token, telegram.token.partition(":")[2], str(account), "/bot"):
        assert private not in written, private


def test_secrets_are_struck_out(stream: io.StringIO) -> None:
    log = structlog.get_logger("bot.test")
    log.info("one", text=CANARY, token=TOKEN, note=CANARY, where=f"https://api.example/bot{TOKEN}/getMe")
    log.info("two", where="user=%7B%22id%22&auth_date=1&hash=abc", phone="081 234 5678", number=81234567890)
    log.info("three", path="postgresql://me:canary@host/db", things=[CANARY[:0], "+66 81 234 5678"])
    log.info("four", whole={"text": CANARY}, other=object(), count=12)
    written = stream.getvalue()
    for private in ("canary", TOKEN, "234 5678", "81234567890", "hash=abc"):
        assert private not in written, private
    assert "12" in written


def test_libraries_do_not_repeat_values(stream: io.StringIO) -> None:
    logging.getLogger("telegram.Bot").debug("sendMessage %s", CANARY)
    logging.getLogger("some.library").warning("cannot read %s", CANARY)
    logging.getLogger("some.library").warning(f"cannot read {CANARY}")  # noqa: G004 - as libraries do
    logging.getLogger("console.app").error("a secure page failed: %s", "KeyError")
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", CANARY)
    written = stream.getvalue()
    assert "canary" not in written
    assert "KeyError" in written
    assert "ValueError" in written
    assert "test_logs.py" in written


async def test_what_nobody_awaited_is_told_without_its_words(stream: io.StringIO) -> None:
    from bot.logs import watch_loop

    loop = asyncio.get_running_loop()
    watch_loop(loop)
    loop.call_exception_handler({"message": CANARY, "exception": ValueError(CANARY)})
    assert "canary" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_json_lines_are_json() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    before = list(root.handlers)
    set_up_logs(LogLevel.INFO, LogFormat.JSON, written)
    structlog.get_logger("bot.test").info("ready", mode="polling")
    root.handlers[:] = before
    structlog.reset_defaults()
    line = json.loads(written.getvalue())
    assert (line["event"], line["mode"], line["level"]) == ("ready", "polling", "info")
