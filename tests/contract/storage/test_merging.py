"""Several reminders to one mentor become one message with a line for each; a line goes when it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from referrals.ports import Delivery, Later, Sent
from referrals.said import Button, Keyboard, Notice, Priority
from storage.merging import LINES
from storage.store import Store
from tests.support.rows import NOW, add_person
from tests.support.store import SettableClock

LIST = "remind.several"
MORE = Button("button.all_members", page="members")


class Chat:
    """p1's chat: what stands in it, by message id."""

    def __init__(self, store: Store, clock: SettableClock) -> None:
        self.store, self.clock = store, clock
        self.stands: dict[int, tuple[str, list[str]]] = {}
        self.sent = 0

    def say(self, text: str, slot: str = "", person_id: str = "p1", **more: Any) -> None:
        self.store.run(lambda tx: tx.say(Notice(person_id, text, slot=slot, **more)))

    def remind(self, *numbers: int, **more: Any) -> None:
        """All in one turn, as the heartbeat does."""
        notices = [reminder(number, **more) for number in numbers]

        def verb(tx: Any) -> None:
            for notice in notices:
                tx.say(notice)

        self.store.run(verb)

    async def claim(self) -> list[Delivery]:
        return list(await self.store.outbox.claim(self.clock(), 50))

    async def deliver(self) -> None:
        while found := await self.claim():
            for one in found:
                await self.store.outbox.settle([Sent(one.id, self.receive(one))], self.clock())

    def receive(self, one: Delivery) -> int | None:
        if not one.text:
            assert one.message_id is not None
            self.stands.pop(one.message_id)
            return None
        said = (" ".join([one.text, *one.params.values()]), labels(one.buttons))
        if one.message_id is not None:
            assert one.message_id in self.stands
            self.stands[one.message_id] = said
            return None
        self.sent += 1
        self.stands[self.sent] = said
        return self.sent


def labels(buttons: Keyboard) -> list[str]:
    return [button.action or f"page {button.page}" for row in buttons for button in row]


def reminder(number: int, **more: Any) -> Notice:
    asked: dict[str, Any] = {
        "priority": Priority.BULK,
        "merge": LIST,
        "gist": Button("remind.line", action=f"open:{number}"),
    }
    return Notice("p1", "remind", {"code": f"K-{number}"}, slot=f"check:{number}", fresh=True, **asked | more)


@pytest.fixture
def chat(store: Store, clock: SettableClock) -> Chat:
    store.run(add_person, "p1", 1001)
    store.run(add_person, "p2", 1002)
    return Chat(store, clock)


async def test_one_reminder_stays_itself_and_several_become_one(chat: Chat) -> None:
    chat.remind(1)
    chat.say("remind", person_id="p2", merge=LIST, gist=Button("x", action="y"))
    await chat.deliver()
    assert sorted(text for text, _ in chat.stands.values()) == ["remind", "remind K-1"]
    chat.remind(2, 3, 4)
    await chat.deliver()
    assert chat.stands[3] == (f"{LIST} 3", ["open:2", "open:3", "open:4"])
    assert chat.sent == 3


async def test_what_differs_or_is_not_due_is_not_merged(chat: Chat) -> None:
    chat.remind(1)
    chat.remind(2, merge="another")
    chat.remind(3, not_before=NOW + timedelta(minutes=1))
    chat.remind(4, gist=None)
    await chat.deliver()
    assert [text for text, _ in chat.stands.values()] == ["remind K-1", "remind K-2", "remind K-4"]


async def test_lines_go_when_they_are_done_and_the_list_with_the_last(chat: Chat) -> None:
    chat.remind(1, 2, 3)
    await chat.deliver()
    chat.say("question", "check:1")  # a press on its line: it gets a message of its own
    await chat.deliver()
    assert chat.stands == {1: (f"{LIST} 2", ["open:2", "open:3"]), 2: ("question", [])}
    chat.say("done", "check:1")
    chat.say("done by the backup", "check:2", quiet=True)
    await chat.deliver()
    assert chat.stands == {1: (f"{LIST} 1", ["open:3"]), 2: ("done", [])}
    chat.say("", "check:3")
    await chat.deliver()
    assert chat.stands == {2: ("done", [])}


async def test_a_nudge_takes_the_place_of_the_line_or_the_message_before(chat: Chat) -> None:
    chat.remind(1, 2)
    await chat.deliver()
    chat.remind(3)
    await chat.deliver()
    chat.remind(2, 3)
    await chat.deliver()
    assert sorted(chat.stands.values()) == [(f"{LIST} 1", ["open:1"]), (f"{LIST} 2", ["open:2", "open:3"])]


async def test_eight_lines_and_then_the_page(chat: Chat) -> None:
    chat.remind(*range(LINES + 2))
    await chat.deliver()
    text, shown = chat.stands[1]
    assert text == f"{LIST} {LINES + 2}"
    assert shown == [*(f"open:{n}" for n in range(LINES)), "page members"]
    for n in range(2):
        chat.say("done", f"check:{n}", quiet=True)
    await chat.deliver()
    assert chat.stands == {1: (f"{LIST} {LINES}", [f"open:{n}" for n in range(2, LINES + 2)])}


async def test_a_list_that_is_tried_again_loses_what_was_done_meanwhile(chat: Chat) -> None:
    chat.remind(1, 2, 3)
    (failed,) = await chat.claim()
    await chat.store.outbox.settle([Later(failed.id, NOW + timedelta(minutes=1))], chat.clock())
    chat.say("done", "check:2", quiet=True, priority=Priority.ALERT)
    await chat.deliver()
    assert chat.stands == {}
    chat.clock.advance(minutes=1)
    await chat.deliver()
    assert chat.stands == {1: (f"{LIST} 2", ["open:1", "open:3"])}


async def test_a_list_in_flight_is_edited_as_soon_as_it_stands(chat: Chat) -> None:
    chat.remind(1, 2)
    (flying,) = await chat.claim()
    chat.say("done", "check:1", quiet=True)
    chat.say("done", "check:2", quiet=True)
    assert await chat.claim() == []
    await chat.store.outbox.settle([Sent(flying.id, chat.receive(flying))], chat.clock())
    await chat.deliver()
    assert chat.stands == {}


async def test_what_was_merged_keeps_nothing_when_its_message_is_gone(chat: Chat) -> None:
    chat.remind(1, 2)
    await chat.deliver()
    chat.clock.advance(days=4)
    await chat.store.sweep(chat.clock())
    assert chat.store.run(_gists) == []
    chat.say("late", "check:1")
    await chat.deliver()


def _gists(tx: Any) -> list[str]:
    from storage.sql import Sql

    return [row[0] for row in tx.connection.rows(Sql("SELECT gist FROM outbox WHERE gist IS NOT NULL"))]
