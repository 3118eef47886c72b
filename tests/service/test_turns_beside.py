"""Whoever is to take a matter over asks first like any other; what the first one had set ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.casework import AppointmentState
from referrals.errors import CannotWait
from referrals.model import Stage
from referrals.service.help import appointments
from referrals.service.matter import asked
from referrals.service.turns import offers, questions, waiting
from tests.service.test_questions import CHOICE, QUESTION
from tests.service.test_transfers import DAY, Handing
from tests.support.network import Small


@pytest.fixture
def handing(sqlite_url: str) -> Iterator[Handing]:
    with Small.opened(sqlite_url) as net:
        yield Handing(net)


def test_a_question_beside_the_help_and_times_that_end_with_the_first_partner(handing: Handing) -> None:
    net = handing.net
    made = net.store.run(appointments.make, handing.worker, handing.offer, net.clock.now + 5 * DAY)
    handing.asks()
    handing.says_yes()
    beside = handing.next_offer()
    net.store.run(questions.ask, handing.other, beside, QUESTION)
    assert (handing.family, "matter.asks") in net.said()
    titles = [section.title_key for section in handing.page(handing.family, handing.matter).sections]
    assert "part.turn.asks" in titles
    turn = net.store.run(asked.mark, beside)
    net.store.run(questions.answer, handing.family, handing.matter, turn, CHOICE)
    assert (handing.other, "worker.answered") in net.said()
    with pytest.raises(CannotWait):  # help goes on meanwhile: it is yes or no
        net.store.run(waiting.propose, handing.other, beside, net.clock.now.date() + timedelta(days=9))
    assert net.referral(handing.matter).stage is Stage.IN_SERVICE
    net.store.run(offers.accept, handing.other, beside)
    assert (handing.family, "matter.called_off") in net.said()
    ended = net.store.run(appointments.of, handing.offer)
    assert [(a.id, a.state) for a in ended] == [(made.id, AppointmentState.CALLED_OFF)]
