"""Everything survives a restart, kill -9 included, and nothing outlives whoever started it."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp

from tests.contract.simulator.playing import Hook, Program


async def test_chats_updates_keys_webhook_and_clock_survive_kill_9(program: Program, hook: Hook) -> None:
    sim = await program.start()
    before = sim.ready
    message = await sim.offer(1001, "Yes")
    said = await sim.say("mali", "undelivered")
    await sim.act("people", {"name": "noi", "language": "th"})
    await sim.act("people/somchai/block")
    await sim.act("clock", {"advance_s": 3600})
    await program.end()

    sim = await program.start()
    for name in ("token", "public_key", "bot_id"):
        assert sim.ready[name] == before[name]
    assert [row["text"] for row in await sim.chat("mali")] == ["Choose", "undelivered"]
    assert (await sim.look("clock"))["offset_s"] == 3600
    assert [p["name"] for p in await sim.look("people")] == ["mali", "somchai", "noi"]
    assert (await sim.refused("sendMessage", chat_id=1002, text="x"))[0] == 403
    assert (await sim.look("traffic"))[0]["params"]["text"] == "Choose"
    pressed = await sim.press("mali", "Yes")
    assert pressed["update_id"] > said["update_id"]
    assert (await sim.offer(1001, "No"))["message_id"] > message["message_id"]
    await sim.done("setWebhook", url=hook.url, secret_token="s3cret")
    await hook.wait_for(3)
    await program.end(signal.SIGTERM)

    sim = await program.start()
    assert (await sim.done("getWebhookInfo"))["pending_update_count"] == 0
    await sim.say("mali", "after")
    await hook.wait_for(4)
    assert hook.headers[-1]["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"


async def test_what_was_answered_is_never_lost(program: Program) -> None:
    answered: list[int] = []
    for _ in range(4):
        sim = await program.start()
        assert program.process is not None

        async def chatter(sim=sim) -> None:
            while True:
                answered.append((await sim.say("mali", "x"))["message_id"])

        writers = [asyncio.create_task(chatter()) for _ in range(8)]
        await asyncio.sleep(0.3)
        await program.end()
        for result in await asyncio.gather(*writers, return_exceptions=True):
            assert isinstance(result, (aiohttp.ClientError, OSError))
    sim = await program.start()
    kept = [row["message_id"] for row in await sim.chat("mali")]
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(answered) == len(set(answered)) > 50


async def test_a_half_written_line_is_cut_off(program: Program) -> None:
    sim = await program.start()
    await sim.say("mali", "whole")
    await program.end()
    journal = program.folder / "state" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'[["message",[1001,99],{"message":{"mess')
    sim = await program.start()
    assert [row["text"] for row in await sim.chat("mali")] == ["whole"]


async def test_it_ends_with_standard_input(program: Program) -> None:
    await program.start("--watch-stdin")
    assert program.process is not None
    assert program.process.stdin is not None
    program.process.stdin.close()
    assert await asyncio.wait_for(program.process.wait(), 5) == 0


async def test_signals_end_it_at_once_even_while_somebody_polls(program: Program) -> None:
    sim = await program.start()
    poll = asyncio.create_task(sim.bot("getUpdates", timeout=50))
    await asyncio.sleep(0.2)
    assert await asyncio.wait_for(program.end(signal.SIGINT), 5) == 0
    await asyncio.gather(poll, return_exceptions=True)


async def test_the_ready_file_is_private_and_whole(program: Program) -> None:
    sim = await program.start("--token", "42:secret")
    file = program.folder / "ready.json"
    assert file.stat().st_mode & 0o077 == 0
    assert set(json.loads(file.read_text())) == {"url", "token", "bot_id", "username", "public_key"}
    assert (sim.ready["bot_id"], sim.token) == (42, "42:secret")
    assert (await sim.done("getMe"))["username"] == sim.ready["username"]


async def test_the_page_moves_the_clock_where_the_product_minds_it(program: Program, hook: Hook) -> None:
    sim = await program.start("--clock-url", hook.url)
    await sim.act("advance", {"advance_s": 60})
    assert hook.got == [{"advance_s": 60.0}]
    assert (await sim.look("clock"))["offset_s"] == 0
    await program.end()
    sim = await program.start()
    assert (await sim.act("advance", {"advance_s": 60}))["offset_s"] == 60
