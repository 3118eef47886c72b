"""Timers are taken when due, a failing one waits longer and longer, and a demo's clock runs rung by rung."""

from __future__ import annotations

from datetime import timedelta

from bot.time_machine import TimeMachine
from referrals.ports import Tx
from referrals.service.people import people
from tests.contract.bot.product import Product
from tests.support.simulator import Telegram


async def machine(product: Product) -> tuple[TimeMachine, list[float]]:
    parts = product.parts
    assert parts is not None
    moved: list[float] = []

    async def next_due() -> object:
        found = [await parts.store.next_timer(), await parts.store.outbox.next_due(parts.clock.now())]
        return min((at for at in found if at is not None), default=None)

    async def move(seconds: float) -> None:
        moved.append(seconds)
        await product.telegram.call("POST", "/sim/clock", {"advance_s": seconds})

    return TimeMachine(parts.clock, parts.heartbeat, parts.deliverer.drain, next_due, move), moved  # type: ignore[arg-type]


def _set(tx: Tx, account: int, kind: str, hours: float) -> None:
    person = people.meet(tx, account)
    tx.set_timer(kind, person.id, tx.now + timedelta(hours=hours))


async def test_a_day_passes_in_the_order_of_what_is_due(product: Product, telegram: Telegram) -> None:
    parts = await product.start()
    account = await product.newcomer("mali")
    for kind, hours in (("late", 20.0), ("early", 1.0), ("tomorrow", 25.0)):
        await parts.store.turn(_set, account, kind, hours)
    one, moved = await machine(product)
    await one.advance(24 * 3600)
    assert (await telegram.said("mali"))[-2:] == ["early is due", "late is due"]
    assert abs(sum(moved) - 24 * 3600) < 1
    # The first answer is a day old by now and goes.
    await one.advance(60)
    assert "echo start" not in await telegram.said("mali")
    before = parts.clock.offset_s
    await product.stop()
    again = await product.start()
    assert again.clock.offset_s == before


async def test_a_failing_timer_stops_nobody_elses(product: Product, telegram: Telegram) -> None:
    parts = await product.start()
    account, other = await product.newcomer("mali"), await product.newcomer("aree")
    await parts.store.turn(_set, account, "boom", -1.0)
    await parts.store.turn(_set, other, "fine", -1.0)
    await telegram.until_said("aree", lambda said: "fine is due" in said)
    one, _ = await machine(product)
    await one.advance(3600)
    timer = (await parts.store.due_timers(parts.clock.now() + timedelta(days=1), 10))[0]
    assert timer.kind == "boom"
    assert 4 <= timer.attempts <= 6
