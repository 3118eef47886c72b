"""Two at once between an offer and the help, on PostgreSQL: one wins, the other is told kindly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import AlreadyHandled, PulangError
from referrals.model import OfferStage, Stage, ThreadEntry
from referrals.service.help import appointment_answers, attempts
from referrals.service.matter import asked
from referrals.service.turns import closing, offers, questions, waiting
from tests.service.test_appointments import Dates
from tests.service.test_questions import CHOICE, QUESTION, Turns
from tests.service.test_waiting import Lists

AGAIN = 4


@pytest.fixture
def net(postgres_url: str) -> Iterator[Turns]:
    with Turns.opened(postgres_url) as net:
        yield net.people()


def at_once(net: Turns, *turns: tuple[Any, ...]) -> list[Any]:
    """Run these turns side by side; what came of each, refusals among them. Anything else fails."""

    async def together() -> list[Any]:
        return await asyncio.gather(*(net.store.turn(*turn) for turn in turns), return_exceptions=True)

    ends = asyncio.run(together())
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, PulangError):
            raise end
    return ends


def another(net: Turns, number: int) -> None:
    """Strangers file only so much a day."""
    net.family = net.person(500 + number)
    net.asked(alone=True)


def test_two_workers_who_accept_at_once(net: Turns, long_run: bool) -> None:
    for number in range(50 if long_run else AGAIN):
        another(net, number)
        offer_id = net.offer.id
        ends = at_once(net, (offers.accept, net.worker, offer_id), (offers.accept, net.colleague, offer_id))
        lost = [end for end in ends if isinstance(end, PulangError)]
        assert [type(end) for end in lost] == [AlreadyHandled]
        assert lost[0].code == "error.already_handled"
        taken = net.referral(net.matter)
        assert taken.stage is Stage.ACCEPTED
        winner = net.worker if not isinstance(ends[0], PulangError) else net.colleague
        assert taken.accepted_by == net.offer_by(offer_id).decided_by == winner


def test_a_yes_against_a_question_a_withdrawal_and_the_end_of_the_time(net: Turns) -> None:
    others = (
        lambda offer_id: (questions.ask, net.colleague, offer_id, QUESTION),
        lambda _: (closing.withdraw, net.family, net.matter),
        lambda offer_id: (offers.lapse, offer_id),
        lambda offer_id: (waiting.propose, net.colleague, offer_id, net.clock.now.date() + timedelta(days=9)),
    )
    for number, other in enumerate(others):
        another(net, number)
        offer_id = net.offer.id
        at_once(net, (offers.accept, net.worker, offer_id), other(offer_id))
        offer, referral = net.offer_by(offer_id), net.referral(net.matter)
        # Whatever came first: offer and matter say the same, and no clock of the other one is left.
        assert (offer.stage is OfferStage.ACCEPTED) is (referral.stage is Stage.ACCEPTED)
        left = {t.kind for t in net.timers() if t.subject == offer_id}
        assert left <= {asked.QUESTION, asked.WAIT_ANSWER}
        assert bool(left) is (offer.stage in (OfferStage.QUESTION, OfferStage.WAITLISTED))


def test_an_answer_against_the_end_of_the_question(net: Turns) -> None:
    for number in range(AGAIN):
        another(net, number)
        offer_id = net.offer.id
        net.store.run(questions.ask, net.worker, offer_id, QUESTION)
        before = net.offer.decide_by
        at_once(
            net,
            (questions.answer, net.family, net.matter, net.mark(offer_id), CHOICE),
            (questions.unanswered, offer_id),
        )
        after = net.offer
        assert after.stage is OfferStage.SEEN
        assert after.decide_by == before  # no time has passed, and it was moved once
        assert [t.kind for t in net.timers() if t.subject == offer_id].count("offer_end") == 1


def test_a_no_to_waiting_against_room_at_last(net: Turns) -> None:
    lists = Lists.around(net.store, net.clock)
    lists.people()
    for number in range(AGAIN):
        lists.family = lists.person(600 + number)
        offer_id = lists.waits(alone=True)  # after three yeses fairness asks another
        turn = lists.mark(offer_id)
        at_once(
            lists,
            (offers.accept, lists.worker, offer_id),
            (waiting.answer, lists.family, lists.matter, turn, False),
        )
        offer, referral = lists.offer_by(offer_id), lists.referral(lists.matter)
        assert (offer.stage is OfferStage.ACCEPTED) is (referral.stage is Stage.ACCEPTED)
        assert referral.stage in (Stage.ACCEPTED, Stage.MATCHING, Stage.OFFERED)


def test_two_who_log_the_third_try_and_two_who_explain(net: Turns) -> None:
    dates = Dates.around(net.store, net.clock)
    dates.people()
    dates.taken()
    for _ in range(2):
        dates.tries()
    dates.passes(timedelta(hours=5))
    at_once(
        dates,
        (attempts.tried, dates.worker, dates.turn, "call"),
        (attempts.tried, dates.colleague, dates.turn, "call"),
    )
    assert dates.stands() is Stage.UNREACHABLE
    assert len(dates.store.run(attempts.of, dates.turn)) == 3
    dates.missed()
    row = dates.mark(dates.latest.id)
    at_once(
        dates,
        (appointment_answers.answer, dates.family, dates.matter, row, "ill"),
        (appointment_answers.answer, dates.family, dates.matter, row, "ill"),
    )
    assert dates.store.run(lambda tx: tx.count(ThreadEntry, offer_id=dates.turn)) == 1
