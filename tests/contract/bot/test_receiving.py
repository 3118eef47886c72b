"""Updates come in by webhook and by polling under the same promises: in order, once, never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.turns import MOST_WAITING, Lanes
from bot.webhook import LONGEST_BODY, PATH, SECRET_HEADER
from tests.contract.bot.product import Product
from tests.support.simulator import Telegram

BOTH = pytest.mark.parametrize("mode", ["webhook", "polling"])


@BOTH
async def test_what_somebody_writes_is_answered_once_and_in_order(
    product: Product, telegram: Telegram, mode: str
) -> None:
    await product.start(mode)
    await telegram.newcomer("mali")
    for number in range(10):
        await telegram.say("mali", f"word {number}")
    said = await telegram.until_said("mali", lambda said: len(said) >= 11)
    assert said == ["echo start", *[f"echo word {number}" for number in range(10)]]


@BOTH
async def test_an_update_that_comes_twice_changes_nothing_more(
    product: Product, telegram: Telegram, mode: str
) -> None:
    await product.start(mode)
    await telegram.fault("duplicate-update", rate=1.0)
    await telegram.newcomer("mali")
    for word in ("one", "two", "three"):
        await telegram.say("mali", word)
    await telegram.until_said("mali", lambda said: "echo three" in said)
    assert product.echo.order == ["start", "one", "two", "three"]


@BOTH
async def test_what_came_while_we_were_away_is_worked_on_after_the_start(
    product: Product, telegram: Telegram, mode: str
) -> None:
    await product.start(mode)
    await telegram.newcomer("mali")
    await telegram.until_said("mali", lambda said: said == ["echo start"])
    await product.stop()
    await telegram.say("mali", "are you there?")
    await product.start(mode)
    await telegram.until_said("mali", lambda said: said == ["echo start", "echo are you there?"])


@BOTH
async def test_a_mistake_of_ours_costs_one_answer_and_not_the_chat(
    product: Product, telegram: Telegram, mode: str
) -> None:
    await product.start(mode)
    await telegram.newcomer("mali")
    await telegram.say("mali", "boom")
    await telegram.say("mali", "boom:1")
    await telegram.say("mali", "good")
    said = await telegram.until_said("mali", lambda said: "echo good" in said)
    unexpected = product.parts.texts.say("error.unexpected", "en")  # type: ignore[union-attr]
    # The first never works and is answered kindly; the second works when it is tried again.
    assert said == ["echo start", unexpected, "echo boom:1", "echo good"]


async def test_a_refusal_is_said_and_a_press_is_always_answered(product: Product, telegram: Telegram) -> None:
    parts = await product.start()
    await telegram.newcomer("mali")
    await telegram.say("mali", "no")
    await telegram.until_said("mali", lambda said: parts.texts.say("error.not_found") in said)
    await telegram.say("mali", "buttons")
    await telegram.until_said("mali", lambda said: "echo buttons" in said)
    await telegram.press("mali", "Go on")
    answers = await telegram.until_called("answerCallbackQuery")
    assert answers[0]["params"]["text"] == parts.texts.say("error.already_handled")
    assert answers[0]["params"]["show_alert"]
    await telegram.until_said("mali", lambda said: "pressed on" in said and "echo buttons" not in said)


async def test_a_group_is_left(product: Product, telegram: Telegram) -> None:
    await product.start()
    await telegram.newcomer("mali")
    await telegram.call("POST", "/sim/people/mali/send", {"kind": "group", "text": "hello all"})
    await telegram.until_called("leaveChat")
    assert "hello all" not in product.echo.order


async def test_the_webhook_lets_nobody_else_in(product: Product, telegram: Telegram) -> None:
    parts = await product.start()
    secret = {SECRET_HEADER: parts.settings.secret_token}
    update = {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}}
    cases: list[tuple[dict[str, str], bytes, int]] = [
        ({}, json.dumps(update).encode(), 401),
        ({SECRET_HEADER: "wrong"}, json.dumps(update).encode(), 401),
        ({SECRET_HEADER: "§"}, json.dumps(update).encode(), 401),
        (secret, b"", 400),
        (secret, b"[]", 400),
        (secret, b"{", 400),
        (secret, b"\xff\xfe", 400),
        (secret, b'{"update_id": "7"}', 400),
        (secret, b'{"update_id": true}', 400),
        (secret, b'{"update_id": 7, "message": []}', 400),
        (secret, b'{"update_id": 7, "message": {"chat": 5}}', 400),
        (secret, b"[" * 100_000, 400),
        (secret, b" " * (LONGEST_BODY + 1), 413),
        (secret, b'{"update_id": 7, "something_new": {}}', 200),
        (secret, json.dumps(update).encode(), 200),
    ]
    for headers, body, status in cases:
        async with telegram.http.post(product.url + PATH, data=body, headers=headers) as answer:
            assert answer.status == status, (body[:60], answer.status)
    assert product.echo.order == []


async def test_while_the_store_cannot_work_updates_wait_at_telegram(
    product: Product, telegram: Telegram
) -> None:
    parts = await product.start()
    await parts.store.aclose()
    secret = {SECRET_HEADER: parts.settings.secret_token}
    chat = {"id": 5, "type": "private"}
    update = {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": chat, "text": "hello"}}
    async with telegram.http.post(product.url + PATH, json=update, headers=secret) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    async with telegram.http.get(product.url + "/health/ready") as answer:
        assert answer.status == 503
    async with telegram.http.get(product.url + "/health/live") as answer:
        assert answer.status == 200


async def test_on_both_databases(tmp_path: Path, telegram: Telegram, database_url: str) -> None:
    product = Product(tmp_path, telegram, database_url)
    await product.start()
    for number in range(5):
        await telegram.newcomer(f"phone{number}")
    for word in ("one", "two", "three"):
        for number in range(5):
            await telegram.say(f"phone{number}", word)
    for number in range(5):
        said = await telegram.until_said(f"phone{number}", lambda said: len(said) == 4)
        assert said == ["echo start", "echo one", "echo two", "echo three"]
    await product.stop()


async def test_lanes_end_when_nobody_waits() -> None:
    lanes = Lanes(most=MOST_WAITING)
    async with lanes.of(1), lanes.of(2):
        assert len(lanes._lanes) == 2
    assert not lanes._lanes
