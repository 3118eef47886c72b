"""Updates reach the bot at least once, in order within a key, by webhook or by polling."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from tests.contract.simulator.playing import Hook, Sim

BEATS = 0.3


async def texts(sim: Sim, **params: object) -> list[str]:
    return [u["message"]["text"] for u in await sim.done("getUpdates", **params) if "message" in u]


async def test_polling_gives_an_update_until_a_larger_offset_confirms_it(sim: Sim) -> None:
    first = await sim.say("mali", "one")
    await sim.say("mali", "two")
    assert await texts(sim) == ["one", "two"]
    assert await texts(sim, limit=1) == ["one"]
    assert await texts(sim, offset=first["update_id"] + 1) == ["two"]
    assert await texts(sim, offset=-1) == ["two"]


async def test_a_long_poll_ends_when_something_comes(sim: Sim) -> None:
    poll = asyncio.create_task(texts(sim, timeout=20))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await sim.say("somchai", "hello")
    assert await poll == ["hello"]
    assert time.monotonic() - began < 2


async def test_a_second_poller_ends_the_first_with_409(sim: Sim) -> None:
    first = asyncio.create_task(sim.bot("getUpdates", timeout=20))
    await asyncio.sleep(0.1)
    assert await sim.done("getUpdates", timeout=0) == []
    answer = await first
    assert answer["error_code"] == 409
    assert "terminated by other getUpdates request" in answer["description"]


async def test_polling_while_a_webhook_is_set_is_409(sim: Sim, hook: Hook) -> None:
    await sim.done("setWebhook", url=hook.url)
    assert (await sim.refused("getUpdates"))[0] == 409
    await sim.done("deleteWebhook")
    assert await sim.done("getUpdates") == []


async def test_the_webhook_gets_the_secret_and_what_had_waited(sim: Sim, hook: Hook) -> None:
    await sim.say("mali", "early")
    await sim.done("setWebhook", url=hook.url, secret_token="s3cret")
    await sim.say("mali", "late")
    await hook.wait_for(2)
    assert [u["message"]["text"] for u in hook.got] == ["early", "late"]
    assert {h["X-Telegram-Bot-Api-Secret-Token"] for h in hook.headers} == {"s3cret"}
    assert hook.headers[0]["Content-Type"] == "application/json"


async def test_one_in_flight_per_key_and_a_tap_overtakes_a_text(sim: Sim, hook: Hook) -> None:
    gate = asyncio.Event()

    async def slow_texts(update: dict) -> web.Response:
        if "message" in update and update["message"]["from"]["id"] == 1001:
            await gate.wait()
        return web.Response()

    hook.answer = slow_texts
    await sim.offer(1001, "Yes")
    await sim.done("setWebhook", url=hook.url)
    await sim.say("mali", "one")
    await sim.say("mali", "two")
    await sim.press("mali", "Yes")
    await sim.say("somchai", "other")
    await hook.wait_for(3)
    await asyncio.sleep(BEATS)
    assert sorted(next(k for k in u if k != "update_id") for u in hook.got) == [
        "callback_query",
        "message",
        "message",
    ]
    gate.set()
    await hook.wait_for(4)
    assert [u["message"]["text"] for u in hook.got if "message" in u] == ["one", "other", "two"]


async def test_a_failing_webhook_is_tried_again_in_order(sim: Sim, hook: Hook) -> None:
    answers = iter([500, 503])

    async def fail_twice(update: dict) -> web.Response:
        return web.Response(status=next(answers, 200))

    hook.answer = fail_twice
    await sim.done("setWebhook", url=hook.url)
    await sim.say("mali", "one")
    await sim.say("mali", "two")
    await hook.wait_for(4)
    assert [u["message"]["text"] for u in hook.got] == ["one", "one", "one", "two"]
    info = await sim.done("getWebhookInfo")
    assert "503" in info["last_error_message"]


async def test_retry_after_is_honoured_and_moving_the_clock_tries_at_once(sim: Sim, hook: Hook) -> None:
    answers = iter([429])

    async def once_busy(update: dict) -> web.Response:
        status = next(answers, 200)
        return web.Response(status=status, headers={"Retry-After": "60"} if status == 429 else {})

    hook.answer = once_busy
    await sim.done("setWebhook", url=hook.url)
    await sim.say("mali", "one")
    await hook.wait_for(1)
    await asyncio.sleep(0.6)
    assert len(hook.got) == 1
    await sim.act("clock", {"advance_s": 60})
    await hook.wait_for(2)


async def test_a_webhook_may_answer_with_a_method_call(sim: Sim, hook: Hook) -> None:
    async def reply(update: dict) -> web.Response:
        return web.json_response({"method": "sendMessage", "chat_id": 1001, "text": "by the body"})

    hook.answer = reply
    await sim.done("setWebhook", url=hook.url)
    await sim.say("mali", "hi")
    await hook.wait_for(1)
    await asyncio.sleep(BEATS)
    assert (await sim.chat("mali"))[-1]["text"] == "by the body"
    assert (await sim.look("traffic"))[-1]["method"] == "sendMessage"


async def test_old_updates_are_dropped_and_taps_sooner(sim: Sim) -> None:
    await sim.offer(1001, "Yes")
    await sim.say("mali", "kept for a day")
    await sim.press("mali", "Yes")
    await sim.act("clock", {"advance_s": 149})
    assert len(await sim.done("getUpdates")) == 2
    await sim.act("clock", {"advance_s": 2})
    assert await texts(sim) == ["kept for a day"]
    await sim.act("clock", {"advance_s": 86_400})
    assert await sim.done("getUpdates") == []


async def test_set_webhook_can_drop_and_filter(sim: Sim, hook: Hook) -> None:
    await sim.offer(1001, "Yes")
    await sim.say("mali", "dropped")
    await sim.done("setWebhook", url=hook.url, drop_pending_updates=True, allowed_updates=["callback_query"])
    await sim.say("mali", "filtered")
    await sim.press("mali", "Yes")
    await hook.wait_for(1)
    await asyncio.sleep(BEATS)
    assert [set(u) for u in hook.got] == [{"update_id", "callback_query"}]
    assert (await sim.done("getWebhookInfo"))["allowed_updates"] == ["callback_query"]


async def test_an_update_can_be_delivered_twice_on_request(sim: Sim, hook: Hook) -> None:
    await sim.done("setWebhook", url=hook.url)
    await sim.act("faults", {"kind": "duplicate-update"})
    await sim.say("mali", "twice")
    await sim.say("mali", "once")
    await hook.wait_for(3)
    assert [u["message"]["text"] for u in hook.got] == ["twice", "twice", "once"]
    assert hook.got[0]["update_id"] == hook.got[1]["update_id"]


async def test_polling_too_gives_an_update_twice_on_request(sim: Sim) -> None:
    await sim.act("faults", {"kind": "duplicate-update"})
    first = await sim.say("mali", "twice")
    assert await texts(sim) == ["twice"]
    assert await texts(sim, offset=first["update_id"] + 1) == ["twice"]
    assert await texts(sim, offset=first["update_id"] + 1) == []


async def test_after_a_reset_nothing_old_comes_and_new_things_do(sim: Sim, hook: Hook) -> None:
    async def busy(update: dict) -> web.Response:
        return web.Response(status=200 if update["message"]["text"] == "new" else 500)

    hook.answer = busy
    await sim.done("setWebhook", url=hook.url)
    await sim.say("mali", "old")
    await hook.wait_for(1)
    await sim.act("reset")
    hook.got.clear()
    await sim.say("mali", "new")
    await hook.wait_for(1)
    await asyncio.sleep(BEATS)
    assert [u["message"]["text"] for u in hook.got] == ["new"]


async def test_many_keys_at_once_lose_nothing(sim: Sim, hook: Hook) -> None:
    await sim.done("setWebhook", url=hook.url, max_connections=5)
    await asyncio.gather(*(sim.say(name, str(n)) for n in range(100) for name in ("mali", "somchai")))
    await hook.wait_for(200)
    ids = [u["update_id"] for u in hook.got]
    assert len(set(ids)) == 200
    for who in (1001, 1002):
        own = [u["update_id"] for u in hook.got if u["message"]["from"]["id"] == who]
        assert own == sorted(own)
    assert (await sim.done("getWebhookInfo"))["pending_update_count"] == 0
