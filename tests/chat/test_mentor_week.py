"""A mentor's week in a chat: three presses and few bytes; the same by numbers, by one line, by words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.members import CheckIn, Crisis, Meeting
from referrals.model import Referral, Stage
from referrals.persons import Person
from tests.support.chats import LONGEST_SCREEN, Chats, Phone
from tests.support.network import CATALOGUE, Small
from tests.support.people import World
from tests.support.story import is_reminded

MOST_BYTES = 4 * 1024
WEEK = timedelta(days=7)
CODE = "K7-29"  # of the demo's network: nadia is its mentor, krit the backup


@pytest.fixture
def chats(sqlite_url: str) -> Iterator[Chats]:
    with Small.opened(sqlite_url) as net:
        yield Chats(net)


@pytest.fixture
def nadia(chats: Chats) -> Phone:
    """Nadia, when her first reminder has come."""
    return reminded(chats, chats.phone(1002, "mentor-1"))


def reminded(chats: Chats, mentor: Phone) -> Phone:
    chats.phone(1003, "mentor-2")  # krit has members of his own
    for _ in range(8):  # once a week, on a day that the case code decides
        pass_by(chats, timedelta(days=1))
        if mentor.heard:
            return mentor
    raise AssertionError("no reminder came in a week")


def pass_by(chats: Chats, duration: timedelta) -> None:
    """Time passes, and what it says arrives."""
    chats.small.passes(duration)
    chats.deliver()


# -- three presses -----------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_three_presses_and_at_most_four_kilobytes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted at the Bot API: texts, labels and data of every call about that message, and the presses."""
    nadia = world.person("nadia")
    began = len(await world.traffic())
    due = await is_reminded(world, nadia)
    up = presses = 0
    for label, then in (("Call", "how is it going"), ("Doing well", "Doing well"), ("Save", "Done.")):
        message = next(m for m in await nadia.chat() if m["message_id"] == due)
        up += len(_data_of(message, label).encode())
        presses += 1
        await nadia.presses(label, due)
        await nadia.sees_in(due, then)
    calls = (await world.traffic())[began:]
    mine = [c["params"] for c in calls if c["params"].get("message_id") == due]
    sent = [c["params"] for c in calls if "time for a check-in" in str(c["params"].get("text"))][:1]
    down = sum(_weight(params) for params in sent + mine)
    with capsys.disabled():
        print(f"\n  a check-in from a reminder: {presses} presses, {down:,} B down, {up:,} B up")
    assert presses == 3
    assert sent
    assert down + up <= MOST_BYTES


@pytest.mark.asyncio(loop_scope="module")
async def test_the_menu_button_speaks_the_persons_language(world: World) -> None:
    mali = await world.newcomer("menu-reader")
    await mali.says("/start")
    await mali.presses("ไทย")
    await mali.sees("สวัสดี")
    people = {p["name"]: p["telegram_id"] for p in await world.call("GET", "/sim/people")}
    own: list[Any] = []
    for _ in range(100):
        calls = [c["params"] for c in await world.traffic() if c["method"].lower() == "setchatmenubutton"]
        own = [c["menu_button"] for c in calls if str(c.get("chat_id")) == str(people["menu-reader"])]
        if own:
            break
        await asyncio.sleep(0.03)
    button = json.loads(own[-1]) if isinstance(own[-1], str) else own[-1]
    assert button["text"] == CATALOGUE.texts["th"]["menu.button"]


def test_the_same_three_presses_without_a_network_between(nadia: Phone) -> None:
    assert "how is it going" in nadia.presses("Call")
    assert "Call · Doing well" in nadia.presses("Doing well")
    assert nadia.presses("Save") == "Done. Thank you."
    assert nadia.presses_made == 3
    assert nadia.down + nadia.up <= MOST_BYTES
    assert CODE not in str(nadia.newest)  # the chat keeps neither answer nor code, not even in a button


def test_undo_within_a_minute(chats: Chats, nadia: Phone) -> None:
    for label in ("Call", "Doing well", "Save"):
        nadia.presses(label)
    assert "how did you meet" in nadia.presses("Undo")
    assert chats.small.store.run(lambda tx: tx.find(CheckIn, saved_at=None, asked_of=nadia.person_id))


# -- by text alone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "th"])
def test_the_same_by_numbers_alone(chats: Chats, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = CATALOGUE.texts[language]
    nadia = reminded(chats, chats.phone(1002, "mentor-1", language, by_text=True))
    for key in ("means.call", "state.well", "button.save"):
        nadia.answers(words[key])
    assert nadia.newest.text.startswith(words["mentor.done"])
    assert not any(data.startswith("1:") for shown in nadia.heard for data in shown.buttons.values())
    assert len({shown.message_id for shown in nadia.heard}) == len(nadia.heard)  # nothing was edited
    assert nadia.down + nadia.up <= MOST_BYTES
    short(nadia)
    with capsys.disabled():
        print(f"\n  the same by numbers ({language}): {nadia.down:,} B down, {nadia.up:,} B up")


def test_two_reminders_at_once_are_answered_apart(chats: Chats) -> None:
    """The first one's numbers are not the second one's: a '2' never reaches the wrong member."""
    krit = chats.phone(1003, "mentor-2", by_text=True)
    nadia = chats.phone(1002, "mentor-1", by_text=True)
    for code in (CODE, "M3-04"):
        nadia.says(f"in {code}")
    first, second = nadia.heard[-2:]
    assert not numbers(first.text) & numbers(second.text)
    number = next(line.split()[0] for line in first.text.splitlines() if line.endswith(" Call"))
    assert nadia.says(number).startswith(CODE)
    number = next(line.split()[0] for line in second.text.splitlines() if line.endswith(" Call"))
    assert nadia.says(number).startswith("M3-04")
    assert not krit.heard


def test_one_line_is_echoed_and_saved(chats: Chats, nadia: Phone) -> None:
    assert "All right" in nadia.says(f"{CODE} call ok")
    assert not saved(chats)
    assert nadia.presses("Save") == "Done. Thank you."
    assert [c.source for c in saved(chats)] == ["line"]


def test_one_line_by_text_alone(chats: Chats) -> None:
    nadia = chats.phone(1002, "mentor-1", by_text=True)
    nadia.says(f"{CODE} call ok")
    assert nadia.says("save").startswith("Done.")
    assert len(saved(chats)) == 1


def test_a_wrong_check_sign_says_which_was_meant_and_changes_nothing(chats: Chats, nadia: Phone) -> None:
    said = nadia.says("K7-2X call ok")
    assert f"Did you mean {CODE}?" in said
    assert not saved(chats)
    assert f"Did you mean {CODE}?" in nadia.says("in K7-2X")
    # Somebody else's member sounds like nobody's.
    stranger = chats.phone(1009, "mentor-2")
    assert "Z9" not in stranger.says("Z9-99 call ok") or CODE not in stranger.newest.text


# -- reminders ---------------------------------------------------------------------------------------


def test_later(chats: Chats, nadia: Phone) -> None:
    nadia.presses("Later")
    nadia.presses(CATALOGUE.texts["en"]["remind.hour"])
    before = len(nadia.heard)
    pass_by(chats, timedelta(minutes=59))
    assert len(nadia.heard) == before
    pass_by(chats, timedelta(minutes=2))
    assert CODE in nadia.newest.text


def test_not_this_week(chats: Chats, nadia: Phone) -> None:
    nadia.presses("Later")
    nadia.presses(CATALOGUE.texts["en"]["remind.skip"])
    line = next(line for line in nadia.says("list").splitlines() if line.startswith(CODE))
    assert "late" not in line, "what was let go is not late"
    assert "due" not in line
    before = [t for t in nadia.said if CODE in t and "check-in" in t]
    pass_by(chats, timedelta(days=3))
    assert [t for t in nadia.said if CODE in t and "check-in" in t] == before


@pytest.mark.parametrize(("stop", "start"), [("STOP", "เริ่ม"), ("หยุด", "start"), ("Unsubscribe!", "START.")])
def test_stop_and_start_in_every_language(chats: Chats, stop: str, start: str) -> None:
    nadia = chats.phone(1002, "mentor-1")
    nadia.says(stop)
    assert not wants_reminders(chats, nadia)
    pass_by(chats, WEEK)
    assert not [text for text in nadia.said if "time for a check-in" in text]
    answer = nadia.says(start)
    assert wants_reminders(chats, nadia)
    assert answer.startswith("Reminders come again.")
    assert not nadia.says(start).startswith("Reminders"), "they were on already"


def test_two_mentors_at_once_make_one_contact(chats: Chats) -> None:
    nadia, krit = chats.phone(1002, "mentor-1"), chats.phone(1003, "mentor-2")
    reminded(chats, nadia)
    pass_by(chats, timedelta(days=2))  # the backup is asked too
    for phone in (nadia, krit):
        if any(CODE in shown.buttons for shown in phone.standing.values()):
            phone.presses(CODE)  # several were due at once, and came as one message
        asked = next(s for s in phone.standing.values() if "Call" in s.buttons and CODE in s.text)
        phone.presses("Call", asked)
        phone.presses("Doing well")
    nadia.presses("Save")
    standing = [shown for shown in krit.standing.values() if "Save" in shown.buttons]
    if standing:  # the press was on its way already
        krit.presses("Save", standing[0])
    assert len(saved(chats)) == 1


# -- what follows ------------------------------------------------------------------------------------


def test_struggling_becomes_a_need_that_waits_for_a_yes(chats: Chats, nadia: Phone) -> None:
    nadia.presses("Call")
    nadia.presses("Struggling")
    nadia.presses(label(nadia, "A job"))
    nadia.presses("Save")
    (referral,) = chats.small.store.run(lambda tx: tx.find(Referral))
    assert (referral.stage, referral.category) == (Stage.AWAITING_CONSENT, "work.job")
    assert any("Read" in one for shown in nadia.standing.values() for one in shown.buttons)


def test_an_alarm_and_who_has_it_by_words_alone(chats: Chats) -> None:
    nadia, dao = chats.phone(1002, "mentor-1", by_text=True), chats.phone(1012, "desk-1", by_text=True)
    nadia.says("DANGER")
    assert not dao.heard  # the word alone wakes nobody
    nadia.answers(f"About {CODE}")
    assert CODE in dao.newest.text
    assert len(chats.small.store.run(lambda tx: tx.find(Crisis, held_by=None))) == 1
    assert "I have" in dao.says("have")
    dao.says(f"have {CODE}")
    (crisis,) = chats.small.store.run(lambda tx: tx.find(Crisis))
    assert crisis.held_by == dao.person_id
    assert len([text for text in nadia.said if text != nadia.said[0]]) >= 2
    short(nadia)
    short(dao)


@pytest.mark.parametrize("by_text", [False, True])
def test_group_entry_after_a_meeting(chats: Chats, by_text: bool) -> None:
    nadia = chats.phone(1002, "mentor-1", by_text=by_text)
    pass_by(chats, WEEK)
    nadia.says("meet")
    for words in ("Write it down", CODE, CATALOGUE.texts["en"]["button.next"]):
        choose(nadia, words)
    choose(nadia, CATALOGUE.texts["en"]["group.how.good"])
    assert chats.small.store.run(lambda tx: tx.count(Meeting)) == 1
    short(nadia)


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
def test_every_screen_of_the_week_is_short_by_text(chats: Chats, language: str) -> None:
    """The longest way through a check-in, and every list that a mentor can ask for."""
    words = CATALOGUE.texts[language]
    nadia = reminded(chats, chats.phone(1002, "mentor-1", language, by_text=True))
    dao = chats.phone(1012, "desk-1", language, by_text=True)
    nadia.answers(words["button.later"])
    for typed in ("list", "in", "meet", "danger", "reminders"):
        nadia.says(typed)
    nadia.says(f"in {CODE}")
    nadia.answers(words["means.in_person"])
    nadia.answers(words["state.struggling"])
    nadia.says(f"in {CODE}")
    nadia.answers(words["means.in_person"])
    nadia.answers(words["state.crisis"])
    nadia.answers(words["danger.yes"])
    pass_by(chats, timedelta(hours=1))
    for shown in (nadia, dao):
        short(shown)


# -- small helpers -----------------------------------------------------------------------------------


def choose(phone: Phone, words: str) -> None:
    """By a button that begins so, or by the number of such a line."""
    for shown in reversed(list(phone.standing.values())):
        for one in shown.buttons:
            if words in one and not shown.buttons[one].startswith("page:"):
                phone.presses(one, shown)
                return
        for line in shown.text.splitlines():
            number, _, rest = line.partition(" ")
            if number.isdigit() and words in rest:
                phone.says(number)
                return
    raise AssertionError(f"nothing to choose like {words!r}: {phone.said[-2:]}")


def label(phone: Phone, words: str) -> str:
    return next(one for shown in phone.standing.values() for one in shown.buttons if words in one)


def numbers(text: str) -> set[str]:
    return {line.split()[0] for line in text.splitlines() if line.split()[0].isdigit()}


def short(phone: Phone) -> None:
    too_long = {text: len(text.encode()) for text in phone.said if len(text.encode()) > LONGEST_SCREEN}
    assert not too_long


def saved(chats: Chats) -> list[CheckIn]:
    return [c for c in chats.small.store.run(lambda tx: tx.find(CheckIn)) if c.saved_at is not None]


def wants_reminders(chats: Chats, phone: Phone) -> bool:
    person = chats.small.store.run(lambda tx: tx.get(Person, phone.person_id))
    assert person is not None
    return person.reminders


def _data_of(message: dict[str, Any], label: str) -> str:
    return next(str(b["callback_data"]) for row in message["buttons"] for b in row if b["text"] == label)


def _weight(params: dict[str, Any]) -> int:
    """Bytes of text, labels and button data of one call."""
    markup = params.get("reply_markup") or {}
    markup = json.loads(markup) if isinstance(markup, str) else markup
    buttons = [b for row in markup.get("inline_keyboard", []) for b in row]
    words = [params.get("text") or "", *(b["text"] for b in buttons)]
    words += [b.get("callback_data") or b["web_app"]["url"] for b in buttons]
    return sum(len(str(word).encode()) for word in words)
