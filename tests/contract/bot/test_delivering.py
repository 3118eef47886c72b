"""What is queued reaches the chat: through limits, floods, errors, lost answers, blocks and restarts."""

from __future__ import annotations

import time
from dataclasses import replace

from bot.app import open_store
from referrals.persons import Person, Presence
from referrals.ports import Tx
from referrals.said import Button, Notice, Priority
from referrals.service.people import people
from tests.contract.bot.product import Product
from tests.support.simulator import Telegram

HELLO = Notice("", "hello")


async def test_messages_are_protected_and_buttons_are_telegrams(product: Product, telegram: Telegram) -> None:
    await product.start()
    account = await product.newcomer("mali")
    buttons = ((Button("Yes", action="1:yes"),), (Button("Open", page="matter/abc"),))
    await product.tell(account, replace(HELLO, buttons=buttons))
    sent = await telegram.until_called("sendMessage", lambda calls: len(calls) == 2)
    assert sent[1]["params"]["protect_content"] is True
    rows = sent[1]["params"]["reply_markup"]["inline_keyboard"]
    assert rows[0][0] == {"text": "Yes", "callback_data": "1:yes"}
    assert rows[1][0] == {"text": "Open", "web_app": {"url": f"{product.url}/p/matter/abc"}}


async def test_a_flood_in_one_chat_holds_up_nobody_else(product: Product, telegram: Telegram) -> None:
    await product.start()
    mali, aree = await product.newcomer("mali"), await product.newcomer("aree")
    await telegram.fault("429", method="sendMessage", count=1, retry_after=2)
    began = time.monotonic()
    await product.tell(mali, replace(HELLO, text="slowly"))
    await telegram.until_called("sendMessage", lambda calls: any(not call["ok"] for call in calls))
    await product.tell(aree, replace(HELLO, text="quickly"))
    await telegram.until_said("aree", lambda said: "quickly" in said)
    assert time.monotonic() - began < 1.5
    await telegram.until_said("mali", lambda said: "slowly" in said)
    assert time.monotonic() - began >= 2


async def test_errors_and_silence_only_delay(product: Product, telegram: Telegram) -> None:
    await product.start()
    account = await product.newcomer("mali")
    for kind in ("500", "drop-reply", "429"):
        await telegram.fault(kind, method="sendMessage", count=1)
    await product.tell(account, HELLO)
    await product.tell(account, replace(HELLO, text="after it"))
    said = await telegram.until_said("mali", lambda said: "after it" in said)
    # An answer that was lost may repeat a message; order holds, and nothing is missing.
    assert said[1] == "hello"
    assert said[-1] == "after it"
    assert set(said[1:-1]) == {"hello"}
    assert len(said) <= 4


async def test_our_own_limits_keep_telegram_from_asking_for_silence(
    product: Product, telegram: Telegram
) -> None:
    await product.start(overall_per_s=30, per_chat_per_s=1)
    limits = {"overall_per_s": 30, "per_chat_per_s": 1, "per_chat_burst": 3}
    accounts = [await product.newcomer(f"phone{number}") for number in range(20)]
    await telegram.call("POST", "/sim/limits", limits)
    for account in accounts:
        for _ in range(3):
            await product.tell(account, HELLO)
    sent = await telegram.until_called("sendMessage", lambda calls: sum(c["ok"] for c in calls) == 80)
    assert [call for call in sent if not call["ok"]] == []


async def test_who_blocked_the_bot_is_written_to_no_more(product: Product, telegram: Telegram) -> None:
    parts = await product.start()
    account = await product.newcomer("mali")
    await telegram.call("POST", "/sim/people/mali/block")
    await product.tell(account, HELLO)
    await telegram.until_called("sendMessage", lambda calls: any(not call["ok"] for call in calls))
    await parts.deliverer.drain()
    assert await parts.store.turn(_presence, account) is Presence.BLOCKED


def _presence(tx: Tx, account: int) -> Presence:
    person = tx.person_of_account(account)
    assert isinstance(person, Person)
    return person.presence


async def test_edits_of_what_is_gone_become_new_messages(product: Product, telegram: Telegram) -> None:
    await product.start()
    account = await product.newcomer("mali")
    await product.tell(account, replace(HELLO, text="first", slot="one"))
    await telegram.until_said("mali", lambda said: "first" in said)
    await product.tell(account, replace(HELLO, text="second", slot="one"))
    await telegram.until_said("mali", lambda said: "second" in said and "first" not in said)
    # The same words again: Telegram says 'not modified', and that is as good as done.
    await product.tell(account, replace(HELLO, text="second", slot="one"))
    await telegram.until_called("editMessageText", lambda calls: len(calls) == 2)
    # An edit and a deletion of messages that do not stand.
    await product.tell(account, replace(HELLO, text="third", message_id=999_999))
    await telegram.until_said("mali", lambda said: "third" in said)
    await product.tell(account, replace(HELLO, text="", message_id=999_999))
    await telegram.until_called("deleteMessage")
    await product.tell(account, replace(HELLO, text="and on"))
    await telegram.until_said("mali", lambda said: said[-1] == "and on")


async def test_what_was_queued_is_sent_after_a_restart(product: Product, telegram: Telegram) -> None:
    await product.start()
    account = await product.newcomer("mali")
    await telegram.fault("500", method="sendMessage", rate=1.0)
    await product.tell(account, HELLO)
    await telegram.until_called("sendMessage", lambda calls: any(not call["ok"] for call in calls))
    await product.stop()
    await telegram.fault("500", method="sendMessage", rate=0)
    await product.start()
    await telegram.until_said("mali", lambda said: said.count("hello") == 1)


async def test_what_a_killed_sender_had_claimed_is_sent_at_the_next_start(
    product: Product, telegram: Telegram
) -> None:
    parts = await product.start()
    account = await product.newcomer("mali")
    await product.stop()
    store, _ = open_store(parts.settings, parts.clock)
    await store.turn(lambda tx: tx.say(replace(HELLO, person_id=people.meet(tx, account).id)))
    assert len(await store.outbox.claim(parts.clock.now(), 10)) == 1
    await store.aclose()
    await product.start()
    await telegram.until_said("mali", lambda said: said == ["echo start", "hello"])


async def test_a_crisis_goes_before_bulk(product: Product, telegram: Telegram) -> None:
    await product.start(overall_per_s=5)
    accounts = [await product.newcomer(f"phone{number}") for number in range(8)]
    for account in accounts[:7]:
        await product.tell(account, replace(HELLO, text="news", priority=Priority.BULK))
    await product.tell(accounts[7], replace(HELLO, text="now", priority=Priority.CRISIS))
    sent = await telegram.until_called("sendMessage", lambda calls: len(calls) == 16)
    texts = [call["params"]["text"] for call in sent[8:]]
    assert texts.index("now") <= 3


async def test_a_thousand_messages_in_one_go(product: Product, telegram: Telegram) -> None:
    await product.start(overall_per_s=10_000, per_chat_per_s=1000)
    accounts = [await product.newcomer(f"phone{number}") for number in range(50)]
    parts = product.parts
    assert parts is not None
    for account in accounts:
        for number in range(6):
            await product.tell(account, replace(HELLO, text=f"message {number}"))
    await parts.deliverer.drain()
    for number in (0, 25, 49):
        said = await telegram.said(f"phone{number}")
        assert said[1:] == [f"message {one}" for one in range(6)]


async def test_several_reminders_are_one_message_that_loses_its_lines(
    product: Product, telegram: Telegram
) -> None:
    parts = await product.start()
    account = await product.newcomer("mali")

    def remind(tx: Tx) -> None:
        person = people.meet(tx, account)
        for number in (1, 2, 3):
            gist = Button(f"line {number}", action=f"1:line:{number}")
            notice = Notice(person.id, "one", slot=f"check:{number}", fresh=True, merge="several", gist=gist)
            tx.say(notice)

    await parts.store.turn(remind)
    parts.deliverer.wake()
    await telegram.until_said("mali", lambda said: said[1:] == ["several"])
    assert await labels(telegram) == ["line 1", "line 2", "line 3"]
    await product.tell(account, replace(HELLO, text="done", slot="check:2", quiet=True))
    await telegram.until_called("editMessageText")
    assert await labels(telegram) == ["line 1", "line 3"]
    for number in (1, 3):
        await product.tell(account, replace(HELLO, text="done", slot=f"check:{number}", quiet=True))
    await telegram.until_said("mali", lambda said: said == ["echo start"])


async def labels(telegram: Telegram) -> list[str]:
    """The buttons under the newest message."""
    chat = await telegram.call("GET", "/sim/people/mali/chat")
    return [button["text"] for row in chat[-1]["buttons"] for button in row]
