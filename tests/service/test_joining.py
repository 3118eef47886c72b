"""Invitations: whoever opens a link only asks, and a second person says yes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.incoming import Did
from referrals import codes
from referrals.errors import LastSteward, NotAllowed, NotFound, PinNeeded
from referrals.model import SYSTEM, Actor, Role, Stage
from referrals.persons import Device, DeviceState, Invitation, Presence, Seat, Session
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.people import handover, joining, people
from referrals.service.turns import offers
from storage.sql import Sql
from tests.support.chat import Chat
from tests.support.network import Small

pytestmark = pytest.mark.on_both("test_a_second_person_compares_the_number_and_says_yes")

TOKEN = "a-token-of-128-bits-xx"
HOURS = timedelta(hours=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def test_a_second_person_compares_the_number_and_says_yes(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    _invite(net, steward, "bua-1")
    ploy.says(f"/start i-{TOKEN}")
    assert ploy.hears_at_last().text == "join.invited"
    ploy.presses(f"1:seat.take:{TOKEN}")
    waiting = ploy.hears_at_last()
    assert waiting.text == "join.waiting_language"  # she has not chosen one yet
    asked = desk.hears_at_last()
    assert (asked.text, asked.params["check"]) == ("join.is_it_them", waiting.params["check"])
    assert len(waiting.params["check"]) == 4
    assert steward.hears() == []  # the one who invited is not asked
    assert _seat(net, "bua-1").person_id is None

    ploy.presses(waiting.button("language.en"))
    assert ploy.hears_at_last().params["check"] == waiting.params["check"]
    desk.presses(asked.button("button.it_is_them"))
    assert desk.hears_at_last().text == "join.confirmed"
    assert _seat(net, "bua-1").person_id == ploy.person
    welcome = ploy.hears_at_last()
    assert welcome.text == "join.welcome"
    ploy.presses(welcome.button("form.window.daytime"))  # the first talk asks when we may write
    assert _details(net, "seat:bua-1") == ["", "", "", "asked"]  # invited, confirmed, taken


def test_the_others_notices_are_settled_without_a_sound(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    second = _sits(net, 31, "desk-2")
    _invite(net, steward, "bua-1")
    yes = _asks(ploy, desk).button("button.it_is_them")
    assert second.hears_at_last().text == "join.is_it_them"
    desk.presses(yes)
    assert second.hears_at_last().text == "join.settled"
    assert second.presses(yes).text == "error.already_handled"
    desk.presses(yes)  # pressed twice it is the first press
    assert desk.hears_at_last().text == "join.confirmed"


def test_a_no_ends_it_and_whoever_invited_hears_so(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    _invite(net, steward, "bua-1")
    asked = _asks(ploy, desk)
    desk.presses(asked.button("button.no"))
    assert desk.hears_at_last().text == "join.refused"
    assert steward.hears_at_last().text == "join.not_confirmed"
    assert ploy.hears_at_last().text == "join.ended"
    assert ploy.presses(f"1:seat.take:{TOKEN}").text == "error.stale_link"
    assert desk.presses(asked.button("button.it_is_them")).text == "error.stale_button"


def test_without_an_answer_it_ends_after_a_day(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    _invite(net, steward, "bua-1")
    net.clock.advance(hours=23)
    asked = _asks(ploy, desk)
    net.passes(23 * HOURS)
    assert net.store.run(joining.pending_of, ploy.person) is not None
    net.passes(2 * HOURS)
    assert (steward.hears_at_last().text, ploy.hears_at_last().text) == ("join.not_confirmed", "join.ended")
    assert desk.presses(asked.button("button.it_is_them")).text == "error.stale_button"


def test_nobody_confirms_themself_nor_whom_they_invited(net: Small) -> None:
    steward, desk, _ = _staffed(net)
    _invite(net, steward, "desk-2")
    desk.presses(f"1:seat.take:{TOKEN}")  # the coordinator asks for a second post
    short = codes.digest(TOKEN)[: joining.SHORT]
    with pytest.raises(NotFound):
        net.store.run(joining.confirm, desk.person, short)
    # Nobody else is there: here, and only here, the one who invited says it.
    assert steward.hears_at_last().text == "join.is_it_them"
    net.store.run(joining.confirm, steward.person, short)
    assert "self" in _details(net, "seat:desk-2")


def test_as_long_as_somebody_else_is_there_the_inviter_cannot_say_yes(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    _invite(net, steward, "bua-1")
    _asks(ploy, desk)
    short = codes.digest(TOKEN)[: joining.SHORT]
    with pytest.raises(NotFound):
        net.store.run(joining.confirm, steward.person, short)
    # Nor by calling the other's phone lost.
    net.store.run(people.lost_phone, Actor(steward.person, Role.STEWARD), desk.person)
    with pytest.raises(NotFound):
        net.store.run(joining.confirm, steward.person, short)


def test_a_worker_may_not_confirm(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    worker = _sits(net, 32, "bua-2")
    _invite(net, steward, "bua-1")
    yes = _asks(ploy, desk).button("button.it_is_them")
    assert worker.presses(yes).text == "error.not_allowed"


def test_the_first_steward_needs_nobody(net: Small) -> None:
    kanya = Chat(net, 21)
    net.store.run(joining.invite, SYSTEM, "steward-1", TOKEN)
    kanya.presses(f"1:seat.take:{TOKEN}")
    assert kanya.hears_at_last().text == "join.welcome_language"
    assert _seat(net, "steward-1").person_id == kanya.person
    assert _details(net, "seat:steward-1") == ["", "alone"]


def test_once_somebody_is_there_the_key_alone_lets_nobody_in(net: Small) -> None:
    _, desk, ploy = _staffed(net)
    net.store.run(joining.invite, SYSTEM, "bua-1", TOKEN)
    _asks(ploy, desk)
    assert _seat(net, "bua-1").person_id is None


def test_used_expired_unknown_and_foreign_links_sound_alike(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    other = Chat(net, 33)
    other.says("/start")
    _invite(net, steward, "bua-1")
    asked = _asks(ploy, desk)
    said = [_link(other, TOKEN)]  # somebody else's
    desk.presses(asked.button("button.it_is_them"))
    said.append(_link(other, TOKEN))  # used
    _invite(net, steward, "bua-2", "another-of-128-bits-xx")
    net.clock.advance(hours=25)
    said += [_link(other, "another-of-128-bits-xx"), _link(other, "AAAAAAAAAAAAAAAAAAAAAA"), _link(other, "")]
    assert len(set(said)) == 1
    assert said[0][0] == "error.stale_link"


def test_whoever_guesses_is_asked_to_wait(net: Small) -> None:
    steward, _, guesser = _staffed(net)
    _invite(net, steward, "bua-1")
    for number in range(10):
        assert _link(guesser, f"guess-{number}")[0] == "error.stale_link"
    assert _link(guesser, "one-more")[0] == "chat.too_often"
    assert _link(guesser, TOKEN)[0] == "chat.too_often"  # the right one tells nothing either
    assert guesser.presses(f"1:seat.take:{TOKEN}").text == "error.too_often"
    net.clock.advance(hours=1)
    assert _link(guesser, TOKEN)[0] == "join.invited"


# -- who sat there before ------------------------------------------------------------------------------


def test_whoever_held_the_seat_is_told_and_their_matters_go_on(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    anan, colleague = _sits(net, 34, "bua-1"), _sits(net, 35, "bua-2")
    referral_id = _accepted(net, anan)
    _opens(net, anan)
    for chat in (anan, colleague, ploy):
        chat.hears()
    _invite(net, steward, "bua-1")
    desk.presses(_asks(ploy, desk).button("button.it_is_them"))
    assert [heard.text for heard in anan.hears()] == ["join.post_ended"]
    assert _of(net, Session, anan) == []
    assert net.referral(referral_id).accepted_by is None
    assert "worker.handed_over" in {heard.text for heard in colleague.hears()}
    offer_id = net.referral(referral_id).offer_id or ""
    assert _page(net, "matter", ploy, offer_id).story == "a story"
    with pytest.raises((NotFound, NotAllowed)):
        _page(net, "matter", anan, offer_id)


def test_where_nobody_is_left_the_desk_hears_of_it(net: Small) -> None:
    steward, desk, _ = _staffed(net)
    anan = _sits(net, 34, "bua-1")
    referral_id = _accepted(net, anan)
    desk.hears()
    _does(net, steward, "remove", "bua-1")
    assert "desk.nobody_there" in {heard.text for heard in desk.hears()}
    assert net.referral(referral_id).escalated


def test_a_live_offer_of_somebody_who_leaves_is_put_to_a_colleague(net: Small) -> None:
    steward, _, _ = _staffed(net)
    anan = _sits(net, 34, "bua-1")
    colleague = _sits(net, 35, "bua-2")
    referral_id = net.filed(net.person(1))
    net.passes(timedelta(seconds=6))
    asked, other = (anan, colleague) if anan.hears() else (colleague, anan)
    other.hears()
    _does(net, steward, "remove", "bua-1" if asked is anan else "bua-2")
    assert "worker.second" in {heard.text for heard in other.hears()}
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, other.person, offer.id)
    _does(net, steward, "remove", "bua-2" if asked is anan else "bua-1")
    assert net.referral(referral_id).stage is Stage.ACCEPTED


# -- the page ------------------------------------------------------------------------------------------


def test_the_page_shows_posts_and_never_people(net: Small) -> None:
    steward, desk, ploy = _staffed(net)
    made = _does(net, steward, "invite", "bua-1")
    assert made.invited_to == "bua-1"
    token = made.invitation.removeprefix("i-")
    assert len(token) >= 22
    assert _page(net, "posts", steward).invitation == ""  # shown this once
    assert _line(net, desk, "bua-1").invited == "open"
    ploy.presses(f"1:seat.take:{token}")
    line = _line(net, desk, "bua-1")
    assert (line.invited, line.check) == ("asked", ploy.hears_at_last().params["check"])
    assert [s.id for s in line.steps] == ["confirm", "refuse"]
    assert "confirm" not in [s.id for s in _line(net, steward, "bua-1").steps]
    shown = _does(net, desk, "confirm", "bua-1")
    assert {p.id for p in shown.posts if p.filled} == {"steward-1", "desk-1", "bua-1"}
    for chat in (steward, desk, ploy):
        assert chat.person not in repr(shown)


def test_a_coordinator_looks_and_helps_with_a_lost_phone_but_lets_nobody_in_or_out(net: Small) -> None:
    _, desk, _ = _staffed(net)
    _sits(net, 34, "bua-1")
    assert [s.id for s in _line(net, desk, "bua-1").steps] == ["lost_phone"]
    for step in ("invite", "remove"):
        with pytest.raises(NotAllowed):
            _does(net, desk, step, "bua-1")


def test_families_and_workers_have_no_such_page(net: Small) -> None:
    worker = _sits(net, 34, "bua-1")
    family = Chat(net, 40)
    family.says("/start")
    for chat in (worker, family):
        with pytest.raises(NotAllowed):
            _page(net, "posts", chat)


def test_the_last_steward_stays_and_a_second_one_can_go(net: Small) -> None:
    steward, _, _ = _staffed(net)
    with pytest.raises(LastSteward):
        _does(net, steward, "remove", "steward-1")
    net.store.run(lambda tx: tx.add(Seat("steward-2", Role.STEWARD, None, None)))
    second = _sits(net, 36, "steward-2")
    _invite(net, steward, "bua-1")
    _does(net, second, "remove", "steward-1")
    assert steward.hears_at_last().text == "join.post_ended"
    assert net.store.run(lambda tx: tx.find(Invitation)) == []  # what they had begun ends with them
    with pytest.raises(NotAllowed):
        _page(net, "posts", steward)


def test_who_holds_two_posts_keeps_the_other_one(net: Small) -> None:
    steward, _, _ = _staffed(net)
    anan = _sits(net, 34, "bua-1")
    _sits(net, 34, "mentor-1")
    _does(net, steward, "remove", "mentor-1")
    assert [s.id for s in _of(net, Seat, anan)] == ["bua-1"]


def test_removing_a_worker_turns_the_organisations_keys_over(net: Small) -> None:
    steward, _, _ = _staffed(net)
    anan = _sits(net, 34, "bua-1")
    _sits(net, 35, "bua-2")
    referral_id = _accepted(net, anan)
    before = _active_keys(net)
    _does(net, steward, "remove", "bua-1")
    assert before
    assert not before & _active_keys(net)
    colleague = _sits(net, 35, "bua-2")
    assert _page(net, "matter", colleague, net.referral(referral_id).offer_id or "").story == "a story"


def test_letting_in_and_out_asks_for_the_pin(net: Small) -> None:
    steward, desk, _ = _staffed(net)
    _sits(net, 34, "bua-1")

    def locked(tx: Tx, who: str, step: str) -> Any:
        tx.lock_reading()
        return pages.PAGES["posts"].steps[step](tx, who, "", {"seat": "bua-1"})

    for step in ("invite", "remove", "found"):
        with pytest.raises(PinNeeded):
            net.store.run(locked, steward.person, step)
    net.store.run(locked, desk.person, "lost_phone")  # what protects never waits for a PIN


# -- lost phones ---------------------------------------------------------------------------------------


def test_a_lost_phone_is_silent_from_the_same_turn_on(net: Small) -> None:
    _, desk, _ = _staffed(net)
    anan = _sits(net, 34, "bua-1")
    _accepted(net, anan)
    device = Device("d1", anan.person, "key", DeviceState.ACTIVE, net.clock.now, net.clock.now)
    net.store.run(lambda tx: tx.add(device))
    _opens(net, anan)
    net.said()
    _does(net, desk, "lost_phone", "bua-1")
    assert _of(net, Session, anan) == []
    assert [d.state for d in net.store.run(lambda tx: tx.find(Device))] == [DeviceState.ENDED]
    assert anan.hears() == []
    assert net.store.run(handover.presence_of, anan.person) is Presence.LOST
    assert _line(net, desk, "bua-1").lost


def test_start_does_not_wake_a_lost_phone_and_looks_like_one_that_hides(net: Small) -> None:
    _, desk, _ = _staffed(net)
    lost, hiding = _sits(net, 34, "bua-1"), _sits(net, 35, "bua-2")
    _does(net, desk, "lost_phone", "bua-1")
    hiding.says("/hide")
    for chat in (lost, hiding):
        chat.hears()
    for words in ("hello?", "/help", "/desk", "/nonsense"):
        assert lost.says(words) == hiding.says(words)
        assert lost.hears() == hiding.hears() == []
    for data in ("1:hide", "1:desk.queue", "1:lang:en", "nonsense"):
        assert lost.presses(data) == hiding.presses(data)
    for words in ("/start", "/start welcome", "/start i-nothing", "/hide"):
        lost.says(words)
        assert lost.hears() == []
    lost.does(did=Did.BLOCKED)
    lost.does(did=Did.UNBLOCKED)
    lost.says("/start")
    assert lost.hears() == []
    assert net.store.run(handover.presence_of, lost.person) is Presence.LOST
    _does(net, desk, "found", "bua-1")
    lost.says("/start")
    assert lost.hears_at_last().text == "home.hello"


def test_a_family_calls_the_desk_about_its_matter(net: Small) -> None:
    _, desk, _ = _staffed(net)
    worker = _sits(net, 34, "bua-1")
    family = Chat(net, 41)
    net.person(41)
    referral_id = net.filed(family.person)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker.person, offer.id)
    worker.hears()
    step = pages.PAGES["matter"].steps
    net.store.run(step["lost_phone"], desk.person, referral_id, {})
    assert worker.hears_at_last().text == "desk.not_reachable_here"
    assert net.referral(referral_id).stage is Stage.ACCEPTED  # it goes on
    family.says("/start")
    assert family.hears() == []
    assert "found" in [s.id for s in _page(net, "matter", desk, referral_id).steps]
    net.store.run(step["found"], desk.person, referral_id, {})
    family.says("/start")
    assert family.hears_at_last().text == "home.hello"


def test_nobody_calls_their_own_phone_lost(net: Small) -> None:
    _, desk, _ = _staffed(net)
    with pytest.raises(NotFound):
        _does(net, desk, "lost_phone", "desk-1")


# -- blocked -------------------------------------------------------------------------------------------


def test_who_comes_back_and_blocks_again_is_told_of_again(net: Small) -> None:
    _, desk, _ = _staffed(net)
    family = Chat(net, 41)
    net.person(41)
    net.filed(family.person)
    for _ in range(2):
        desk.hears()
        family.does(did=Did.BLOCKED)
        assert "desk.not_reachable_here" in {heard.text for heard in desk.hears()}
        family.does(did=Did.BLOCKED)
        assert desk.hears() == []  # once each time
        family.does(did=Did.UNBLOCKED)


def test_a_blocked_worker_is_reported_and_the_offer_put_to_a_colleague(net: Small) -> None:
    steward, desk, _ = _staffed(net)
    one, other = _sits(net, 34, "bua-1"), _sits(net, 35, "bua-2")
    net.filed(net.person(1))
    net.passes(timedelta(seconds=6))
    asked, colleague = (one, other) if one.hears() else (other, one)
    for chat in (steward, desk, colleague):
        chat.hears()
    asked.does(did=Did.BLOCKED)
    told = {heard.text for heard in colleague.hears()}
    assert {"worker.second", "worker.colleague_not_reachable"} <= told
    for chat in (steward, desk):
        assert "desk.post_not_reachable" in {heard.text for heard in chat.hears()}


def test_hiding_outlives_a_block(net: Small) -> None:
    family = Chat(net, 41)
    family.says("/start")
    family.says("/hide")
    family.does(did=Did.BLOCKED)
    family.does(did=Did.UNBLOCKED)
    assert net.store.run(handover.presence_of, family.person) is Presence.HIDDEN


def test_hiding_ends_the_devices_step_up(net: Small) -> None:
    worker = _sits(net, 34, "bua-1")
    now = net.clock.now
    device = Device("d1", worker.person, "k", DeviceState.ACTIVE, now, now, proved_until=now + HOURS)
    net.store.run(lambda tx: tx.add(device))
    worker.says("/hide")
    assert [d.proved_until for d in net.store.run(lambda tx: tx.find(Device))] == [None]


# -- helpers -------------------------------------------------------------------------------------------


def _staffed(net: Small) -> tuple[Chat, Chat, Chat]:
    """A steward, a coordinator, and somebody new."""
    steward, desk, new = _sits(net, 21, "steward-1"), _sits(net, 22, "desk-1"), Chat(net, 23)
    new.says("/start")
    new.hears()
    return steward, desk, new


def _sits(net: Small, account: int, seat: str) -> Chat:
    net.person(account, seat)
    return Chat(net, account)


def _invite(net: Small, steward: Chat, seat: str, token: str = TOKEN) -> None:
    net.store.run(joining.invite, Actor(steward.person, Role.STEWARD), seat, token)


def _asks(newcomer: Chat, second: Chat) -> Any:
    newcomer.presses(f"1:seat.take:{TOKEN}")
    newcomer.hears()
    return second.hears_at_last()


def _link(chat: Chat, token: str) -> tuple[str, str]:
    chat.hears()
    chat.says(f"/start i-{token}")
    heard = chat.hears_at_last()
    return heard.text, repr(heard.buttons)


def _does(net: Small, chat: Chat, step: str, seat: str) -> Any:
    return net.store.run(pages.PAGES["posts"].steps[step], chat.person, "", {"seat": seat})


def _page(net: Small, name: str, chat: Chat, subject: str = "") -> Any:
    return net.store.run(pages.PAGES[name].view, chat.person, subject, {})


def _line(net: Small, chat: Chat, seat: str) -> Any:
    return next(line for line in _page(net, "posts", chat).posts if line.id == seat)


def _opens(net: Small, chat: Chat) -> None:
    page = Session("s" * 64, chat.person, "me", net.clock.now + HOURS, "d1")
    net.store.run(lambda tx: tx.add(page))


def _of(net: Small, kind: type[Any], chat: Chat) -> list[Any]:
    """The rows of a person."""
    person = chat.person
    return net.store.run(lambda tx: tx.find(kind, person_id=person))


def _seat(net: Small, seat_id: str) -> Seat:
    found = net.store.run(lambda tx: tx.get(Seat, seat_id))
    assert found is not None
    return found


def _accepted(net: Small, worker: Chat) -> str:
    referral_id = net.filed(net.person(1))
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker.person, offer.id)
    return referral_id


def _rows(net: Small, sql: str) -> list[Any]:
    return net.store.run(lambda tx: tx.connection.rows(Sql(sql)))  # type: ignore[attr-defined]


def _details(net: Small, subject: str) -> list[str]:
    found = _rows(net, "SELECT subject, detail FROM audit WHERE action LIKE 'seat:%'")
    return sorted(row[1] for row in found if row[0] == subject)


def _active_keys(net: Small) -> set[str]:
    sql = "SELECT id FROM key_encryption_key WHERE holder = 'org:bua-house' AND state = 'active'"
    return {row[0] for row in _rows(net, sql)}
