"""Between an offer and the help, as it stands in chats: every press works by text too, and nothing tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.model import Offer, Stage, Urgency
from referrals.service.help import appointments, attempts
from referrals.service.matter import asked
from referrals.service.pages import PAGES
from tests.support.chats import LONGEST_SCREEN, Chats, Phone
from tests.support.network import Small

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Street:
    """A family and a worker, each with a phone."""

    def __init__(self, small: Small, by_text: bool) -> None:
        self.small, self.chats = small, Chats(small)
        self.worker = self.chats.phone(11, "bua-1", by_text=by_text)
        self.family = self.chats.phone(1, by_text=by_text)
        self.desk = self.chats.phone(14, "desk-1")
        self.by_text = by_text
        self.matter = small.filed(self.family.person_id, Urgency.URGENT)
        self.passes(timedelta(seconds=6))

    def passes(self, time: timedelta) -> None:
        self.small.passes(time)
        self.chats.deliver()

    def presses(self, phone: Phone, label: str) -> str:
        """By button, or by the number that stands before it."""
        return phone.answers(label) if self.by_text else phone.presses(label)

    @property
    def stage(self) -> Stage:
        return self.small.referral(self.matter).stage

    @property
    def offer(self) -> Offer:
        offer_id = self.small.at_partner(self.matter)
        found = self.small.store.run(lambda tx: tx.get(Offer, offer_id))
        assert found is not None
        return found


@pytest.fixture(params=[False, True], ids=["buttons", "text"])
def street(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[Street]:
    with Small.opened(sqlite_url) as net:  # Tuesday, 10:00 in Bangkok
        yield Street(net, request.param)


def test_one_question_a_list_and_a_yes(street: Street) -> None:
    street.presses(street.worker, "Show")
    street.presses(street.worker, "Ask one thing first")
    street.presses(street.worker, "Can you get there?")
    assert heard(street.worker, "clock stands still")
    assert heard(street.family, "would like to know one thing")
    street.passes(HOUR)
    street.presses(street.family, "Show")
    assert heard(street.family, "Can you get there?")
    street.presses(street.family, "With some help")
    assert heard(street.family, "They have your answer")
    assert heard(street.worker, "there is an answer")
    street.presses(street.worker, "Show")
    assert heard(street.worker, "With some help")
    street.presses(street.worker, "There is a queue")
    street.presses(street.worker, "In about a month")
    assert heard(street.family, "Will you wait?")
    street.presses(street.family, "Yes, I wait")
    assert heard(street.worker, "they will wait")
    street.passes(14 * DAY)
    assert heard(street.worker, "still on your list")
    until = street.worker.newest.text.rpartition("answer by ")[2].split("\n")[0].rstrip(".")
    street.presses(street.worker, "There is room now")
    assert heard(street.worker, f"Answer by: {until}")  # not the day of two weeks ago
    street.presses(street.worker, "Accept")
    assert street.stage is Stage.ACCEPTED
    short(street)


def test_tries_a_date_and_a_kind_question(street: Street) -> None:
    street.presses(street.worker, "Show")
    street.presses(street.worker, "Accept")
    for _ in range(3):
        street.passes(5 * HOUR)
        if street.stage is not Stage.ACCEPTED:
            break
        street.worker.says("/start")
        _tries(street)
    assert street.stage is Stage.UNREACHABLE
    assert heard(street.family, "Do you still want help?")
    street.presses(street.family, "I will answer now")
    assert heard(street.worker, "please try once more")
    at = street.small.clock.now + HOUR
    street.small.store.run(appointments.make, street.worker.person_id, street.offer.id, at)
    street.chats.deliver()
    assert heard(street.family, "a time was set")
    street.presses(street.family, "I can come")
    street.passes(3 * HOUR)
    assert heard(street.worker, "did you meet as agreed?")
    street.presses(street.worker, "No, they did not come")
    assert heard(street.family, "That can happen")
    street.presses(street.family, "I could not come")
    street.presses(street.family, "I was ill")
    assert heard(street.family, "another time")
    assert not [said for said in street.worker.said if "ill" in said.split()]  # that stands on the page alone
    short(street)


def test_a_button_of_a_turn_that_is_over_is_answered_kindly(street: Street) -> None:
    street.presses(street.worker, "Show")
    street.presses(street.worker, "There is a queue")
    street.presses(street.worker, "In about 3 months")
    old = street.family.newest
    first = street.offer.id
    turn = street.small.store.run(asked.mark, first)
    street.passes(4 * DAY)
    street.family.standing[old.message_id] = old
    if not street.by_text:
        street.family.presses("Yes, I wait", on=old)
        assert street.family.toasts[-1] == "error.turn_over"
    assert first not in str(old.buttons)  # the two phones share no word
    assert turn in str(old.buttons) or street.by_text


def _tries(street: Street) -> None:
    """The button stands under 'it is yours' for a day; later the page has it."""
    street.small.store.run(attempts.tried, street.worker.person_id, street.offer.id, "call")
    street.chats.deliver()


def test_the_try_is_one_tap_below_what_was_accepted(street: Street) -> None:
    street.presses(street.worker, "Show")
    street.presses(street.worker, "Accept")
    street.presses(street.worker, "I could not get in touch")
    street.presses(street.worker, "I called")
    assert heard(street.worker, "noted")
    assert heard(street.family, "they tried to get in touch")


def test_what_is_done_on_the_page_does_not_stand_in_the_chat_as_still_to_do(street: Street) -> None:
    street.presses(street.worker, "Show")
    street.presses(street.worker, "Accept")
    page, offer = PAGES["matter"].steps, street.offer.id
    first, then, last = "be in touch by", "good. When it has ended", "told. Now it is for them"
    assert _stands(street.worker, first)
    street.small.store.run(page["contacted"], street.worker.person_id, offer, {})
    street.chats.deliver()
    assert _stands(street.worker, then)
    assert not _stands(street.worker, first)
    street.small.store.run(page["report"], street.worker.person_id, offer, {"outcome": "met"})
    street.chats.deliver()
    assert _stands(street.worker, last)
    assert not _stands(street.worker, then)


def _stands(phone: Phone, words: str) -> bool:
    return any(words in shown.text for shown in phone.standing.values())


def heard(phone: Phone, words: str) -> bool:
    """Among the latest that came: whoever types hears a 'thank you' besides."""
    return any(words in said for said in phone.said[-3:])


def short(street: Street) -> None:
    """Nothing that came was longer than a short screen."""
    heard = [shown for phone in street.chats.phones.values() for shown in phone.heard]
    assert max(shown.weight for shown in heard) <= LONGEST_SCREEN
