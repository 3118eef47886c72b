"""What Telegram refused for good: the desk hears of it once a day, and sends it again or gives it up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.commands import outbox as command
from referrals.errors import ConfigurationError, NotAllowed, NotFound
from referrals.ports import Dead, Sent, Tx
from referrals.said import Notice, Priority
from referrals.service import timers
from referrals.service.pages import PAGES
from referrals.views import PostsView
from tests.support.network import Small


@pytest.fixture
def network(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


async def refuse(net: Small, *texts: str) -> list[str]:
    """Queue these for the first mentor, and have them refused; what else was said."""
    mentor = net.person(5001, "mentor-1")

    def queue(tx: Tx) -> None:
        for text in texts:
            tx.say(Notice(mentor, text, {"count": "2"}, priority=Priority.BULK))

    net.store.run(queue)
    return await deliver(net, texts)


async def deliver(net: Small, refused: tuple[str, ...] = ()) -> list[str]:
    said = []
    while found := await net.store.outbox.claim(net.clock.now, 100):
        ends = [Dead(d.id, "bad_request") if d.text in refused else Sent(d.id, 100 + d.id) for d in found]
        await net.store.outbox.settle(ends, net.clock.now)
        said += [d.text for d in found if d.text not in refused]
    return said


def fire_due(net: Small) -> None:
    for timer in net.store.run(lambda tx: tx.timers_of("outbox")):
        if timer.due_at <= net.clock.now:
            net.store.run(timers.fire, timer.id, timer.due_at)


def posts(net: Small, person_id: str) -> PostsView:
    view = net.store.run(PAGES["posts"].view, person_id, "", {})
    assert isinstance(view, PostsView)
    return view


async def test_the_desk_hears_of_it_once_a_day(network: Small) -> None:
    network.person(6001, "desk-1")
    await deliver(network)
    await refuse(network, "desk.undelivered")
    fire_due(network)
    assert await deliver(network) == ["desk.undelivered"]
    await refuse(network, "home.mentor")
    fire_due(network)
    assert await deliver(network) == []
    network.clock.advance(days=1, hours=12)
    fire_due(network)
    assert await deliver(network) == ["desk.undelivered", ""]  # yesterday's goes
    network.clock.advance(days=2)
    fire_due(network)
    assert await deliver(network) == []


async def test_somebody_sends_it_again_or_gives_it_up(network: Small) -> None:
    desk = network.person(6001, "desk-1")
    await deliver(network)
    await refuse(network, "desk.undelivered", "desk.handled")
    lines = posts(network, desk).refused
    assert [(line.post, line.why_key, line.words) for line in lines] == [
        (
            "mentor-1",
            "page.posts.why.bad_request",
            "2 of the network's messages could not be delivered. Please look.",
        ),
        ("mentor-1", "page.posts.why.bad_request", "{code}: handled."),
    ]
    steps = PAGES["posts"].steps
    network.store.run(steps["resend"], desk, "", {"notice": lines[0].id})
    network.store.run(steps["drop"], desk, "", {"notice": lines[1].id})
    assert posts(network, desk).refused_count == 0
    assert await deliver(network) == ["desk.undelivered"]
    for step in ("resend", "drop"):
        for notice in (lines[0].id, lines[1].id, "", "no number"):
            with pytest.raises(NotFound):
                network.store.run(steps[step], desk, "", {"notice": notice})
    with pytest.raises(NotAllowed):
        posts(network, network.person(5001, "mentor-1"))


async def test_the_command_line_does_the_same(network: Small) -> None:
    network.person(6001, "desk-1")
    await deliver(network)
    assert network.store.run(command.show, "desk-1", "en") == ["Nothing was refused for good."]
    await refuse(network, "desk.undelivered", "desk.handled")
    shown = network.store.run(command.show, "desk-1", "en")
    assert shown[0] == "bad_request: 2"
    first, second = (int(line.split()[0]) for line in shown[1:5:2])
    assert "to mentor-1" in shown[1]
    network.store.run(command.change, "resend", "desk-1", first)
    network.store.run(command.change, "drop", "desk-1", second)
    assert network.store.run(command.show, "desk-1", "en") == ["Nothing was refused for good."]
    with pytest.raises(ConfigurationError, match="outbox dead"):
        network.store.run(command.change, "drop", "desk-1", second)
    with pytest.raises(ConfigurationError):
        network.store.run(command.show, "mentor-1", "en")
