"""Faults and limits on request."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.contract.simulator.playing import Sim


async def send(sim: Sim, chat_id: int = 1001) -> dict:
    return await sim.bot("sendMessage", chat_id=chat_id, text="hi")


async def test_429_carries_retry_after_and_passes(sim: Sim) -> None:
    await sim.act("faults", {"kind": "429", "count": 2, "retry_after": 7, "method": "sendMessage"})
    assert (await sim.bot("getMe"))["ok"]
    for _ in range(2):
        answer = await send(sim)
        assert answer == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    assert (await send(sim))["ok"]
    assert len(await sim.chat("mali")) == 1


async def test_500_does_no_work(sim: Sim) -> None:
    await sim.act("faults", {"kind": "500"})
    assert (await send(sim))["error_code"] == 500
    assert await sim.chat("mali") == []
    assert (await sim.look("traffic"))[-1]["error_code"] == 500


async def test_drop_reply_does_the_work_and_loses_the_answer(sim: Sim) -> None:
    await sim.act("faults", {"kind": "drop-reply"})
    with pytest.raises(aiohttp.ClientError):
        await send(sim)
    assert len(await sim.chat("mali")) == 1
    call = (await sim.look("traffic"))[-1]
    assert (call["ok"], call["fault"]) == (True, "drop-reply")


async def test_timeout_with_latency_answers_late_and_without_never(sim: Sim) -> None:
    await sim.act("faults", {"kind": "timeout", "latency_ms": 300})
    began = time.monotonic()
    assert (await send(sim))["ok"]
    assert time.monotonic() - began > 0.25
    await sim.act("faults", {"kind": "timeout"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(sim), 0.5)
    assert len(await sim.chat("mali")) == 1


async def test_a_share_is_the_same_for_the_same_seed_until_lifted(sim: Sim) -> None:
    async def run() -> list[bool]:
        await sim.act("faults", {"kind": "500", "rate": 0.3, "seed": 5})
        got = [(await send(sim))["ok"] for _ in range(60)]
        await sim.act("faults", {"kind": "500", "rate": 0})
        return got

    first = await run()
    assert first == await run()
    assert 5 < first.count(False) < 35
    assert await sim.look("faults") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "meteor"},
        {"kind": "429", "count": -1},
        {"kind": "429", "rate": 2},
        {"kind": "429", "rate": "x"},
        {"kind": "429", "nonsense": 1},
    ],
)
async def test_faults_that_do_not_exist(sim: Sim, body: dict) -> None:
    assert "error" in await sim.act("faults", body, status=400)


async def test_limits_in_one_chat_stop_nobody_else(sim: Sim) -> None:
    await sim.act("limits", {"per_chat_per_s": 1})
    assert (await send(sim))["ok"]
    answer = await send(sim)
    assert (answer["error_code"], answer["parameters"]) == (429, {"retry_after": 1})
    assert (await send(sim, 1002))["ok"]
    await sim.act("clock", {"advance_s": 1})
    assert (await send(sim))["ok"]
    await sim.act("limits", {"per_chat_per_s": None})
    assert all([(await send(sim))["ok"] for _ in range(5)])


async def test_the_overall_limit(sim: Sim) -> None:
    await sim.act("limits", {"overall_per_s": 5})
    answers = await asyncio.gather(*(send(sim, 1001 + n % 2) for n in range(20)))
    passed = sum(answer["ok"] for answer in answers)
    assert 5 <= passed <= 7
    assert "error" in await sim.act("limits", {"overall_per_s": 0}, status=400)


@pytest.mark.parametrize("seconds", [None, "5", True, 1e12])
async def test_the_clock_takes_numbers_only(sim: Sim, seconds: object) -> None:
    await sim.act("clock", {"advance_s": seconds}, status=400)


async def test_the_clock_dates_messages_and_calls(sim: Sim) -> None:
    await sim.act("clock", {"advance_s": 86_400})
    await send(sim)
    assert (await sim.chat("mali"))[-1]["date"] - time.time() > 86_000
    call = (await sim.look("traffic"))[-1]
    assert call["at"] - time.time() > 86_000
    assert await sim.look(f"traffic?since={call['n']}") == []
