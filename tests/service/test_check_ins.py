"""A mentor's contact with a member: three taps, sealed, taken back, corrected, written down late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals import forms, schedule
from referrals.errors import AlreadyHandled, BadAnswer, NotFound, PinNeeded, StaleButton, WrongStage
from referrals.members import CheckIn, CheckInKind, Crisis, Enrolment, Source
from referrals.model import Actor, DataClass, Referral, Role, Stage, person_holder
from referrals.ports import Delivery, Sent, Tx
from referrals.said import Button
from referrals.service import pages
from referrals.service.contact import checkins, trends
from referrals.service.members import asking
from referrals.service.pages import member_lines
from tests.support.network import CATALOGUE, Small
from tests.support.store import START

WELL = {"means": "call", "state": "well"}
HARD = {"means": "call", "state": "struggling"}
FORM = CATALOGUE.forms["check-in"]
DAYS, MINUTES, SECONDS = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    yield from _net(database_url)


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Small]:
    """On one database, where nothing depends on it."""
    yield from _net(sqlite_url)


def _net(url: str) -> Iterator[Small]:
    with Small.opened(url) as net:
        yield net


class Chat:
    """One person's chat: presses what stands there, and sees what comes of it."""

    def __init__(self, net: Small, account: int, seat: str = "") -> None:
        self.net, self.account, self.id, self.updates = (
            net,
            account,
            net.person(account, seat),
            account * 1000,
        )
        self.last: Delivery | None = None

    async def _heard(self) -> list[Delivery]:
        outbox = self.net.store.outbox
        heard: list[Delivery] = []
        while found := await outbox.claim(self.net.clock.now, 100):
            await outbox.settle([Sent(d.id, d.message_id or 7) for d in found], self.net.clock.now)
            heard += found
        return heard

    def presses(self, data: str, **more: Any) -> Delivery:
        """Press; the message as it stands then. Raises what the press is refused with."""

        self.updates += 1
        did = more.pop("did", Did.PRESS)
        incoming = Incoming(self.updates, self.account, did, data=data, message_id=7, **more)
        self.net.store.run(router.handle, incoming)
        self.told = asyncio.run(self._heard())  # whoever heard anything of it
        mine = [d for d in self.told if d.person_id == self.id and d.text]
        self.last = mine[-1]
        return mine[-1]

    def says(self, text: str) -> Delivery:
        return self.presses("", did=Did.TEXT, text=text)

    def button(self, text: str) -> str:
        """The data of the button with this text key (or this need) in the last message."""
        assert self.last is not None
        return next(b.action for b in labels(self.last) if text in (b.text, b.params.get("need")))


def labels(delivery: Delivery) -> list[Button]:
    return [button for row in delivery.buttons for button in row]


def member_of(net: Small, mentor: str) -> Enrolment:
    return net.store.run(lambda tx: _members(tx, mentor))[0]


def _members(tx: Tx, mentor: str) -> list[Enrolment]:
    return [e for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1"]


def due(net: Small, mentor: str) -> str:
    """A check-in that this mentor was reminded of."""
    enrolment = member_of(net, mentor)

    def begin(tx: Tx) -> str:
        found = asking.begin(tx, enrolment, asked_of=mentor, source=Source.REMINDER, due_at=tx.now)
        return found.id

    check_in = net.store.run(begin)
    net.clock.advance(minutes=10)
    return check_in


def kept(net: Small, who: str, check_in: str) -> dict[str, str]:
    """The answers as this person can open them."""
    actor = Actor(who, Role.MENTOR)
    return net.store.run(lambda tx: trends.opened(tx, actor, tx.get(CheckIn, check_in)))  # type: ignore[arg-type]


def test_three_taps_from_a_reminder_and_done(net: Small) -> None:
    mentor, backup = Chat(net, 21, "mentor-1"), net.person(22, "mentor-2")
    check_in = due(net, mentor.id)
    asked = net.store.run(lambda tx: asking.buttons(tx, tx.get(CheckIn, check_in)))  # type: ignore[arg-type]
    call = next(b.action for row in asked for b in row if b.text == "means.call")
    assert mentor.presses(call).text == "form.check-in.state"
    assert mentor.presses(mentor.button("state.all_right")).text == "check.save"
    done = mentor.presses(mentor.button("button.save"))
    assert done.text == "mentor.done"
    assert [b.text for b in labels(done)] == ["button.undo", "button.add_note", "button.need"]
    assert kept(net, mentor.id, check_in) == {"means": "call", "state": "all_right"}
    holders = net.store.run(lambda tx: tx.holders(tx.get(CheckIn, check_in).record, DataClass.WELLBEING))  # type: ignore[union-attr]
    enrolment = member_of(net, mentor.id)
    assert person_holder(mentor.id) in holders
    assert holders <= {person_holder(mentor.id), person_holder(backup)}
    assert "desk" not in holders
    assert enrolment.code not in str(done.params)


def test_what_stood_in_a_list_of_several_can_wait_too(net: Small) -> None:
    """A line of such a list opens the first question: 'Later' stands below it until it is answered."""
    mentor = Chat(net, 21, "mentor-1")
    check_in = due(net, mentor.id)
    asked = mentor.presses(f"1:check:{check_in}:1:")
    assert [b.text for b in labels(asked)][-1] == "button.later"
    assert "remind.skip" in {b.text for b in labels(mentor.presses(mentor.button("button.later")))}
    mentor.presses(f"1:check:{check_in}:1:")
    assert "button.later" not in {b.text for b in labels(mentor.presses(mentor.button("means.call")))}


def test_who_was_not_reached_takes_two_taps(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    check_in = due(one, mentor.id)
    mentor.presses(f"1:check:{check_in}:1:{forms.short(FORM, {'means': 'not_reached'})}")
    assert mentor.presses(mentor.button("button.save")).text == "mentor.done"
    assert kept(one, mentor.id, check_in) == {"means": "not_reached"}


def test_ticked_needs_become_requests_in_the_same_breath_and_undo_takes_them_back(net: Small) -> None:
    mentor = Chat(net, 21, "mentor-1")
    check_in = due(net, mentor.id)
    before = net.store.run(lambda tx: tx.count(Referral))
    mentor.presses(f"1:check:{check_in}:1:{forms.short(FORM, HARD)}")
    mentor.presses(mentor.button("@category.work.job"))
    mentor.presses(mentor.button("@category.member.housing"))
    mentor.presses(mentor.button("@category.work.job"))  # on second thoughts
    mentor.presses(mentor.button("@category.member.documents"))
    mentor.presses(mentor.button("button.save"))
    made = [r for r in net.store.run(lambda tx: tx.find(Referral)) if r.enrolment_id]
    assert {r.category for r in made} == {"member.housing", "member.documents"}
    mentor.presses(f"1:check.undo:{check_in}")
    assert net.store.run(lambda tx: tx.count(Referral)) == before


def test_a_crisis_is_told_with_the_last_tap_and_its_undo_is_a_false_alarm(one: Small) -> None:
    mentor, desk = Chat(one, 21, "mentor-1"), one.person(14, "desk-1")
    check_in = due(one, mentor.id)
    asked = mentor.presses(f"1:check:{check_in}:1:{forms.short(FORM, {'means': 'call', 'state': 'crisis'})}")
    assert asked.text == "form.check-in.danger"
    assert asked.params["lines"]
    assert "button.save" not in [b.text for b in labels(asked)], "an alarm waits for no further tap"
    assert mentor.presses(mentor.button("danger.yes")).text == "mentor.done_alarm"
    alarms = one.store.run(lambda tx: tx.find(Crisis))
    assert [(a.check_in_id, a.danger) for a in alarms] == [(check_in, "yes")]
    record = one.store.run(lambda tx: tx.find(CheckIn, id=check_in)[0].record)
    assert "desk" in one.store.run(lambda tx: tx.holders(record, DataClass.WELLBEING))
    mentor.presses(f"1:check.undo:{check_in}")
    assert one.store.run(lambda tx: tx.find(Crisis))[0].ended_as == "false_alarm"
    assert desk


def test_saved_twice_is_one_and_the_second_mentor_is_told_kindly(net: Small) -> None:
    mentor, backup = Chat(net, 21, "mentor-1"), Chat(net, 22, "mentor-2")
    check_in = due(net, mentor.id)
    save = f"1:check.save:{check_in}:1:{forms.short(FORM, WELL)}"
    mentor.presses(save)
    assert mentor.presses(save).text == "mentor.done"
    assert kept(net, mentor.id, check_in) == WELL
    enrolment = member_of(net, mentor.id)
    if enrolment.backup_seat == "mentor-2":
        with pytest.raises(AlreadyHandled):
            backup.presses(f"1:check.save:{check_in}:1:{forms.short(FORM, HARD)}")
    else:
        with pytest.raises(NotFound):
            backup.presses(f"1:check.save:{check_in}:1:{forms.short(FORM, HARD)}")
    assert kept(net, mentor.id, check_in) == WELL


def test_a_button_of_an_older_form_shows_it_anew_and_saves_nothing(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    check_in = due(one, mentor.id)
    for verb in ("check", "check.save"):
        shown = mentor.presses(f"1:{verb}:{check_in}:7:{forms.short(FORM, WELL)}")
        assert shown.text == "form.check-in.means"
    assert one.store.run(lambda tx: tx.get(CheckIn, check_in).saved_at) is None  # type: ignore[union-attr]


def test_after_a_minute_neither_answer_nor_undo_is_left(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    check_in = due(one, mentor.id)
    mentor.presses(f"1:check.save:{check_in}:1:{forms.short(FORM, WELL)}")
    one.passes(61 * SECONDS)
    with pytest.raises(WrongStage):
        one.store.run(checkins.undo, mentor.id, check_in)
    assert (mentor.id, "mentor.done") in one.said()
    assert kept(one, mentor.id, check_in) == WELL


def test_a_typed_line_is_echoed_and_kept_only_when_saved(net: Small) -> None:
    mentor = Chat(net, 21, "mentor-1")
    enrolment = member_of(net, mentor.id)
    before = net.store.run(lambda tx: tx.count(CheckIn))
    echo = mentor.says(f"{enrolment.code} call ok")
    assert (echo.text, echo.params["code"]) == ("check.save", enrolment.code)
    assert net.store.run(lambda tx: tx.count(CheckIn)) == before, "nothing before 'Save'"
    save = mentor.button("button.save")
    mentor.presses(save)
    mentor.presses(save)  # on a slow phone
    made = [c for c in net.store.run(lambda tx: tx.find(CheckIn)) if c.saved_at]
    assert [(c.source, c.enrolment_id) for c in made] == [(Source.LINE, enrolment.id)]
    assert kept(net, mentor.id, made[0].id) == {"means": "call", "state": "all_right"}
    assert mentor.presses(f"1:check.undo:{made[0].id}").text == "form.check-in.means"
    assert net.store.run(lambda tx: tx.count(CheckIn)) == before, "nobody had asked, so nothing is left"


def test_a_second_line_within_the_minute_is_never_said_to_be_kept(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    code = member_of(one, mentor.id).code
    mentor.says(f"{code} call ok")
    mentor.presses(mentor.button("button.save"))
    second = mentor.says(f"{code} call well")
    assert (second.text, second.params["code"]) == ("line.just_saved", code)
    assert mentor.button("button.undo")
    made = one.store.run(lambda tx: tx.find(CheckIn))
    assert kept(one, mentor.id, made[0].id)["state"] == "all_right"


def test_whatever_they_said_a_need_can_be_ticked_on_a_page_and_no_chat_names_it(net: Small) -> None:
    """Three taps stay three; one more, below 'Done', opens the page on which a need becomes a request."""
    mentor = Chat(net, 21, "mentor-1")
    check_in = due(net, mentor.id)
    net.store.run(checkins.save, mentor.id, check_in, WELL)
    done = mentor.presses(f"1:check:{check_in}")
    need = next(b for b in labels(done) if b.text == "button.need")
    name, _, subject = need.page.partition("/")
    shown = net.store.run(pages.PAGES[name].view, mentor.id, subject, {})
    assert [choice.id for choice in shown.to_choose][:1] == ["member.health"], "everyday needs come first"
    net.store.run(pages.PAGES[name].steps["choose"], mentor.id, subject, {"category": "member.health"})
    (made,) = net.store.run(lambda tx: tx.find(Referral, category="member.health"))
    assert made.stage is Stage.AWAITING_CONSENT
    net.clock.advance(seconds=61)
    net.store.run(checkins.undo_over, check_in)  # the minute is over: the way stays, and tells nothing
    (rest,) = [
        d for d in asyncio.run(mentor._heard()) if d.person_id == mentor.id and d.text == "mentor.done"
    ]
    assert [b.text for b in labels(rest)] == ["button.add_note", "button.need"]


def test_a_line_about_yesterday_says_so_and_is_kept_for_that_day(net: Small) -> None:
    mentor = Chat(net, 21, "mentor-1")
    check_in, enrolment = due(net, mentor.id), member_of(net, mentor.id)
    yesterday = schedule.local(net.clock.now, enrolment.timezone).date() - DAYS
    for typed, day in (("yesterday", yesterday), (f"{yesterday - 3 * DAYS:%d/%m}", yesterday - 3 * DAYS)):
        echo = mentor.says(f"{enrolment.code} call ok {typed}")
        assert echo.text == "check.save"
        assert str(day.day) in echo.params["code"].replace(enrolment.code, ""), "the echo says the day"
        save = mentor.button("button.save")
        assert len(save) <= 64
        assert mentor.presses(save).text == "mentor.done"
        assert mentor.presses(save).text == "mentor.done", "a second press is no second contact"
        again = mentor.says(f"{enrolment.code} call ok {typed}")
        assert again.text == "line.just_saved"
        net.clock.advance(minutes=5)
    made = net.store.run(lambda tx: trends.saved_of(tx, enrolment))
    assert [(c.day, c.source) for c in made] == [
        (yesterday, Source.LATE),
        (yesterday - 3 * DAYS, Source.LATE),
    ]
    assert check_in in {c.id for c in made}, "the reminder was about yesterday"
    assert not [c for c in net.store.run(lambda tx: tx.find(CheckIn)) if c.waits]


def test_a_line_about_yesterday_that_is_taken_back_asks_about_yesterday(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    enrolment = member_of(one, mentor.id)
    mentor.says(f"{enrolment.code} call crisis yesterday")
    assert mentor.presses(mentor.button("button.go_on")).text == "form.check-in.danger"
    mentor.presses(mentor.button("button.back"))
    mentor.presses(mentor.button("state.well"))
    mentor.presses(mentor.button("button.save"))
    asked = mentor.presses(mentor.button("button.undo"))
    assert asked.text == "form.check-in.means"
    assert asked.params["code"] != enrolment.code, "still about yesterday"
    for press in ("means.message", "state.all_right", "button.save"):
        mentor.presses(mentor.button(press))
    (made,) = one.store.run(lambda tx: trends.saved_of(tx, enrolment))
    assert made.day == schedule.local(one.clock.now, enrolment.timezone).date() - DAYS


def test_a_day_to_come_or_long_ago_is_refused_and_nothing_is_kept(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    enrolment = member_of(one, mentor.id)
    today = schedule.local(one.clock.now, enrolment.timezone).date()
    for day in (today + DAYS, today - 8 * DAYS):
        for typed in (day.isoformat(), f"{day:%d.%m}"):
            assert mentor.says(f"{enrolment.code} call ok {typed}").text == "error.bad_day"
    for forged in ("l20261332", "lxx", f"l{today:%Y%m%d}"):
        with pytest.raises((StaleButton, BadAnswer)):
            mentor.presses(f"1:check.save:{enrolment.id}:1:{forms.short(FORM, WELL)}:{forged}")
    assert one.store.run(lambda tx: tx.count(CheckIn)) == 0


def test_a_late_contact_sent_twice_by_a_slow_page_is_one(one: Small) -> None:
    mentor = one.person(21, "mentor-1")
    enrolment = member_of(one, mentor)
    day = one.clock.now.date() - DAYS
    for answers in (WELL, WELL, HARD):
        one.store.run(checkins.late, mentor, enrolment.id, day, answers)
    assert one.store.run(lambda tx: tx.count(CheckIn)) == 2, "another one of that day is another one"


def test_a_wrong_code_says_which_was_meant_and_changes_nothing(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    code = member_of(one, mentor.id).code
    wrong = code[:-1] + next(sign for sign in "ACDEFHJ" if sign != code[-1])
    said = mentor.says(f"{wrong} call ok")
    assert said.text in ("error.wrong_case_code", "error.no_case_code")
    assert said.params.get("meant", code) == code
    assert mentor.says(f"{code} call something").text == "error.bad_line"
    assert one.store.run(lambda tx: tx.count(CheckIn)) == 0


def test_what_is_hard_is_never_echoed_as_news(one: Small) -> None:
    mentor = Chat(one, 21, "mentor-1")
    enrolment = member_of(one, mentor.id)
    for line in ("call crisis", "call struggling"):
        shown = mentor.says(f"{enrolment.code} {line}")
        assert (shown.text, set(shown.params)) == ("line.more", {"code"})
    assert mentor.presses(mentor.button("button.go_on")).text == "form.check-in.needs"


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ('{"means":"call","state":"well"}', True),
        ('{"means":"not_reached"}', True),  # a gap that says so
        ('{"means":"in_person"}', False),  # a club evening: met, and not asked how it is going
        ("{}", False),
    ],
)
def test_a_trend_never_calls_somebody_unreached_who_was_met(answers: str, shown: bool) -> None:
    made = CheckIn("c1", CheckInKind.MEMBER, "e1", START, "ann", "check-in", 1)
    assert member_lines.counts(made, {"c1": {"answers": answers}}) is shown


def test_a_correction_keeps_what_stood_before(net: Small) -> None:
    mentor = net.person(21, "mentor-1")
    check_in = due(net, mentor)
    net.store.run(checkins.save, mentor, check_in, WELL)
    net.clock.advance(days=3)
    for answers in (HARD, {"means": "message", "state": "all_right"}):
        net.store.run(checkins.correct, mentor, check_in, answers)
    opened = net.store.run(_columns, mentor, check_in)
    assert opened == {
        "answers": '{"means":"message","state":"all_right"}',
        "answers.1": '{"means":"call","state":"well"}',
        "answers.2": '{"means":"call","state":"struggling"}',
    }
    net.store.run(checkins.correct, mentor, check_in, {"means": "message", "state": "all_right"})  # no change
    assert len(net.store.run(_columns, mentor, check_in)) == 3
    with pytest.raises(NotFound):
        net.store.run(checkins.correct, net.person(1), check_in, WELL)
    net.clock.advance(days=28)
    with pytest.raises(WrongStage):
        net.store.run(checkins.correct, mentor, check_in, WELL)


def test_a_correction_asks_for_the_pin_since_it_shows_what_stood(one: Small) -> None:
    mentor = one.person(21, "mentor-1")
    check_in = due(one, mentor)
    one.store.run(checkins.save, mentor, check_in, WELL)

    def locked(tx: Tx) -> None:
        tx.lock_reading()
        checkins.correct(tx, mentor, check_in, HARD)

    with pytest.raises(PinNeeded):
        one.store.run(locked)
    assert kept(one, mentor, check_in) == WELL


def test_a_contact_of_yesterday_answers_the_reminder_that_was_about_it(net: Small) -> None:
    mentor = net.person(21, "mentor-1")
    check_in = due(net, mentor)
    enrolment = member_of(net, mentor)
    today = net.clock.now.date()
    net.store.run(checkins.late, mentor, enrolment.id, today - DAYS, WELL)
    assert net.store.run(lambda tx: tx.get(CheckIn, check_in).source) is Source.LATE  # type: ignore[union-attr]
    net.clock.advance(minutes=5)
    net.store.run(checkins.late, mentor, enrolment.id, today - 6 * DAYS, HARD)
    made = net.store.run(lambda tx: trends.saved_of(tx, enrolment))
    assert [c.day for c in made] == [today - DAYS, today - 6 * DAYS]
    for wrong in (0, 8, -1):
        with pytest.raises(BadAnswer):
            net.store.run(checkins.late, mentor, enrolment.id, today - wrong * DAYS, WELL)


def test_a_contact_before_the_reminder_leaves_it_waiting(one: Small) -> None:
    mentor = one.person(21, "mentor-1")
    check_in = due(one, mentor)
    one.store.run(checkins.late, mentor, member_of(one, mentor).id, one.clock.now.date() - 5 * DAYS, WELL)
    assert one.store.run(lambda tx: tx.get(CheckIn, check_in).saved_at) is None  # type: ignore[union-attr]


def test_a_change_for_the_worse_is_pointed_out_to_the_mentor_alone(one: Small) -> None:
    mentor, desk = one.person(21, "mentor-1"), one.person(14, "desk-1")
    enrolment = member_of(one, mentor)
    said = []
    for state in ("well", "all_right", "struggling"):
        one.clock.advance(days=7)
        said.append(
            one.store.run(checkins.save, mentor, enrolment.id, {"means": "call", "state": state}).said
        )
    assert said == ["mentor.done", "mentor.done", "mentor.done_harder"]
    assert not [key for who, key in one.said() if who == desk]


def test_a_note_stands_beside_the_answers_for_the_same_readers(one: Small) -> None:
    mentor = one.person(21, "mentor-1")
    check_in = due(one, mentor)
    one.store.run(checkins.save, mentor, check_in, WELL)
    one.store.run(checkins.add_note, mentor, check_in, "We had tea.")
    with pytest.raises(BadAnswer):
        one.store.run(checkins.add_note, mentor, check_in, "   ")
    record = one.store.run(lambda tx: tx.get(CheckIn, check_in).record)  # type: ignore[union-attr]
    opened = one.store.run(lambda tx: tx.open_sealed(Actor(mentor, Role.MENTOR), record, DataClass.STORY))
    assert list(opened.values()) == ["We had tea."]


def test_nobody_else_answers(one: Small) -> None:
    mentor = one.person(21, "mentor-1")
    check_in = due(one, mentor)
    for other in (one.person(1), one.person(14, "desk-1"), one.person(11, "bua-1")):
        with pytest.raises(NotFound):
            one.store.run(checkins.save, other, check_in, WELL)
    assert one.store.run(lambda tx: tx.get(CheckIn, check_in).kind) is CheckInKind.MEMBER  # type: ignore[union-attr]


def _columns(tx: Tx, mentor: str, check_in: str) -> dict[str, str]:
    record = tx.get(CheckIn, check_in).record  # type: ignore[union-attr]
    return dict(tx.open_sealed(Actor(mentor, Role.MENTOR), record, DataClass.WELLBEING))
