"""The transport under telegram.Bot: errors are the library's own, and no error repeats the token."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.request import AiohttpRequest, Unreachable, silence_s
from tests.support.simulator import Telegram


def a_bot(url: str, token: str, read_s: float = 5.0) -> Bot:
    return Bot(
        token,
        base_url=f"{url}/bot",
        request=AiohttpRequest(read_s=read_s),
        get_updates_request=AiohttpRequest(connections=1),
    )


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    async with a_bot(telegram.url, telegram.token) as one:
        yield one


async def test_calls_go_side_by_side_on_kept_connections(bot: Bot, telegram: Telegram) -> None:
    account = await telegram.newcomer("mali")
    sent = await asyncio.gather(*(bot.send_message(account, f"ข้อความ {n} 😀") for n in range(100)))
    assert len({message.message_id for message in sent}) == 100
    assert len(await telegram.said("mali")) == 100


async def test_a_flood_says_for_how_long(bot: Bot, telegram: Telegram) -> None:
    account = await telegram.newcomer("mali")
    await telegram.fault("429", method="sendMessage", retry_after=7)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(account, "hello")
    assert silence_s(caught.value) == 7


async def test_errors_are_the_librarys(bot: Bot, telegram: Telegram) -> None:
    account = await telegram.newcomer("mali")
    await telegram.fault("500", method="sendMessage")
    with pytest.raises(NetworkError) as trouble:
        await bot.send_message(account, "hello")
    assert not isinstance(trouble.value, Unreachable | BadRequest)
    await telegram.fault("drop-reply", method="sendMessage")
    with pytest.raises(NetworkError) as dropped:
        await bot.send_message(account, "hello")
    assert not isinstance(dropped.value, Unreachable)
    with pytest.raises(BadRequest):
        await bot.send_message(account, "x" * 5000)
    await telegram.fault("timeout", method="sendMessage")
    with pytest.raises(TimedOut):
        await bot.send_message(account, "hello", read_timeout=0.2)


async def test_nobody_there_and_a_foreign_token(telegram: Telegram) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    secret = "123456789:AAcanary-canary-canary-canary-canary"
    for url, kind in ((f"http://127.0.0.1:{port}", Unreachable), (telegram.url, InvalidToken)):
        bot = a_bot(url, secret)
        await bot.request.initialize()
        with pytest.raises(kind) as caught:
            await bot.get_me()
        assert "canary" not in _everything(caught.value)
        await bot.request.shutdown()
    with pytest.raises(NetworkError):
        await a_bot(telegram.url, secret).get_me()  # closed


def _everything(error: BaseException | None) -> str:
    return "" if error is None else f"{error!r} {_everything(error.__cause__)}"


async def test_an_answer_that_is_no_json() -> None:
    async def rubbish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<htm>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    bot = a_bot(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "123456789:" + "A" * 35)
    await bot.request.initialize()
    with pytest.raises(Exception, match="not JSON"):
        await bot.get_me()
    await bot.request.shutdown()
    server.close()
