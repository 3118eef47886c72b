"""Two phones that were seized: nothing that stands in the family's chat stands in the worker's too.

Neither a code nor an id, not in words, buttons or page addresses, through a whole story: asked, taken, talked
about, given back, taken by the next, reported, confirmed, closed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.errors import NotFound
from referrals.model import Offer
from referrals.persons import Person
from referrals.ports import Delivery, Sent
from referrals.service import pages
from referrals.service.help import threads, working
from referrals.service.pages import PAGES
from referrals.service.turns import closing
from tests.support.network import Small

FAMILY, FIRST, SECOND, DESK = 1, 11, 13, 14
MINUTE = timedelta(minutes=1)
# Ids have 16 characters, codes look like '3H2-F34'.
IDS = re.compile(r"[A-Za-z0-9_-]{16}")
CODES = re.compile(r"\b[2-9C-X]{3}-[2-9C-X]{3}\b")


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


class Chats:
    """Everything that was ever sent to each chat, as it leaves for the Bot API."""

    def __init__(self, net: Small) -> None:
        self.net, self.updates = net, 0
        self.sent: dict[str, list[str]] = {}

    def deliver(self) -> None:
        asyncio.run(self._deliver())

    async def _deliver(self) -> None:
        while found := await self.net.store.outbox.claim(self.net.clock.now, 100):
            for delivery in found:
                self.sent.setdefault(delivery.person_id, []).append(_as_sent(delivery))
            ends = [Sent(d.id, 1000 + d.id if d.message_id is None else None) for d in found]
            await self.net.store.outbox.settle(ends, self.net.clock.now)

    def press(self, account: int, data: str) -> None:
        self.updates += 1
        pressed = Incoming(self.updates, account, Did.PRESS, data=data, message_id=5)
        self.net.store.run(router.handle, pressed)
        self.deliver()

    def marks(self, person_id: str) -> set[str]:
        """Every id and code in what was sent to somebody."""
        text = "\n".join(self.sent.get(person_id, []))
        return set(IDS.findall(text)) | set(CODES.findall(text))


def test_family_and_workers_share_no_code_and_no_id_in_their_chats(net: Small) -> None:
    family, first, second = net.person(FAMILY), net.person(FIRST, "bua-1"), net.person(SECOND, "two-rivers-1")
    net.person(DESK, "desk-1")
    chats = Chats(net)
    matter = net.filed(family)
    for account, worker in ((FIRST, first), (SECOND, second)):
        net.passes(6 * MINUTE)
        chats.deliver()
        offer = net.at_partner(matter)
        chats.press(account, f"1:offer.show:{offer}")
        chats.press(account, f"1:offer.accept:{offer}")
        net.store.run(threads.write, family, matter, "are you there?")
        net.store.run(threads.write, worker, offer, "we are")
        net.store.run(working.contacted, worker, offer)
        chats.deliver()
        if worker is first:
            net.store.run(working.give_back, worker, offer)
            chats.deliver()
    net.passes(timedelta(days=31))  # a month without news: everybody is asked
    chats.deliver()
    net.store.run(working.report, second, net.at_partner(matter), "met")
    chats.deliver()
    chats.press(FAMILY, f"1:matter.helped:{matter}:yes")
    net.store.run(closing.reopen, family, matter)
    net.passes(6 * MINUTE)
    chats.deliver()

    of_family, of_first, of_second = chats.marks(family), chats.marks(first), chats.marks(second)
    assert net.referral(matter).code in of_family
    assert {o.code for o in _offers(net, matter)[:2]} & of_first, (
        "the worker's chat names the matter by a code"
    )
    assert not of_family & of_first
    assert not of_family & of_second
    assert not of_first & of_second, "two partners cannot be tied together either"


def test_what_a_worker_reads_on_pages_names_the_matter_by_the_partners_own_words(net: Small) -> None:
    family, worker = net.person(FAMILY), net.person(FIRST, "bua-1")
    matter = net.filed(family)
    net.passes(MINUTE)
    offer = net.live_offer(matter)
    assert offer is not None
    blind = net.store.run(PAGES["offer"].view, worker, offer.id, {})
    taken = net.store.run(PAGES["offer"].steps["accept"], worker, offer.id, {})
    me = net.store.run(PAGES["me"].view, worker, "", {})
    back = net.store.run(PAGES["matter"].steps["return"], worker, offer.id, {})
    for view in (blind, taken, me, back):
        assert matter not in repr(view)
        assert net.referral(matter).code not in repr(view)
        assert offer.code in repr(view)


def test_the_persons_own_address_opens_nothing_for_a_partner(net: Small) -> None:
    family, worker = net.person(FAMILY), net.person(FIRST, "bua-1")
    matter = net.filed(family)
    net.passes(MINUTE)
    offer = net.at_partner(matter)
    net.store.run(pages.PAGES["offer"].steps["accept"], worker, offer, {})
    assert net.store.run(PAGES["matter"].view, worker, offer, {}).story == "a story"
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].view, worker, matter, {})
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].view, family, offer, {})
    for step, body in (("contacted", {}), ("return", {}), ("write", {"text": "hello"})):
        with pytest.raises(NotFound):
            net.store.run(PAGES["matter"].steps[step], worker, matter, body)


def _as_sent(delivery: Delivery) -> str:
    buttons = [f"{b.text} {b.action} {b.page} {dict(b.params)}" for row in delivery.buttons for b in row]
    return "\n".join([delivery.text, str(dict(delivery.params)), *buttons])


def _offers(net: Small, matter: str) -> list[Offer]:
    found = net.store.run(lambda tx: tx.find(Offer, referral_id=matter))
    return sorted(found, key=lambda o: o.sent_at)


def test_the_search_would_find_what_is_shared(net: Small) -> None:
    family = net.person(FAMILY)
    person = net.store.run(lambda tx: tx.get(Person, family))
    assert person is not None
    assert IDS.findall(f"button.open matter/{person.id}") == [person.id]
    assert CODES.findall("3H2-F34: an organisation has been asked") == ["3H2-F34"]
