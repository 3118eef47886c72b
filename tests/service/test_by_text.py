"""Everything by text alone: numbers answer messages, words act, nothing is edited, every screen is short."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from referrals.persons import Person, Presence, Scrap, Screen
from referrals.ports import Tx
from referrals.said import Button
from referrals.service.common import tell
from tests.support.chats import LONGEST_SCREEN, Chats, Phone
from tests.support.network import CATALOGUE, ROOT, Small


@pytest.fixture
def chats(sqlite_url: str) -> Iterator[Chats]:
    yield from _chats(sqlite_url)


@pytest.fixture
def chats_of_both(database_url: str) -> Iterator[Chats]:
    yield from _chats(database_url)


def _chats(url: str) -> Iterator[Chats]:
    with Small.opened(url) as net:
        yield Chats(net)


def test_a_family_comes_to_the_page_by_numbers(chats_of_both: Chats) -> None:
    mali = chats_of_both.phone(1001)
    mali.says("TEXT")
    assert mali.answers("Ask for help").startswith("Step 1")
    mali.answers("All right")
    mali.answers("25 to 59")
    mali.says("yes, any time")  # a button's own words
    assert "1 Visits and what they cost" in mali.newest.text
    mali.says("๑.")
    assert "One page to go" in mali.newest.text
    # What opens a page is listed and still carries its button; its number says what to do.
    (page,) = mali.newest.buttons.values()
    assert "/p/plan/" in page
    assert "needs internet" in mali.answers("Open the page (a page, needs internet)")
    assert page in mali.newest.buttons.values()
    # Nothing that was typed stands in the chat, and nothing was ever edited.
    assert len({shown.message_id for shown in mali.heard}) == len(mali.heard)
    assert not chats_of_both.small.store.run(lambda tx: tx.find(Scrap))


def test_two_messages_that_stand_never_share_a_number(chats: Chats) -> None:
    phone = chats.phone(1001, by_text=True)
    for slot in ("one", "two", "three"):
        _asks(chats, phone, slot, "button.undo", "button.back")
    assert [text.splitlines()[1] for text in phone.said] == ["1 Undo", "3 Undo", "5 Undo"]
    # The same again keeps its numbers, since the first message may stand there already.
    _asks(chats, phone, "two", "button.undo", "button.back")
    assert "3 Undo" in phone.newest.text
    # What is over gives its numbers back.
    chats.small.store.run(lambda tx: tell.quietly(tx, phone.person_id, "one", "desk.handled"))
    chats.deliver()
    _asks(chats, phone, "four", "button.undo")
    assert "1 Undo" in phone.newest.text
    # 'undo' is ambiguous now, so it is words of their own; a number is not.
    assert "out of this chat" in phone.says("undo")


def test_a_number_that_is_not_open_presses_nothing(chats: Chats) -> None:
    phone = chats.phone(1001, by_text=True)
    assert "not open any more" in phone.says("7")
    _asks(chats, phone, "one", "button.undo")
    number = phone.number_of("Undo")
    chats.small.clock.advance(hours=25)
    assert "not open any more" in phone.says(number)


def test_without_text_a_number_is_words_like_any_other(chats: Chats) -> None:
    assert "out of this chat" in chats.phone(1001).says("2")


@pytest.mark.parametrize("words", ["help me", "please stop them", "he is in danger", "ช่วยด้วย หยุดเขา"])
def test_what_a_frightened_mother_writes_does_nothing(chats: Chats, words: str) -> None:
    mali = chats.phone(1001)
    before = chats.small.store.run(_person, mali.person_id)
    assert "out of this chat" in mali.says(words)
    after = chats.small.store.run(_person, mali.person_id)
    assert (after.presence, after.reminders, after.by_text) == (
        before.presence,
        before.reminders,
        before.by_text,
    )


def test_danger_says_whom_to_call_and_raises_no_alarm(chats: Chats) -> None:
    mali, desk = chats.phone(1001), chats.phone(1002, "desk-1")
    assert "call" in mali.says("DANGER")
    assert not desk.heard


def test_a_post_reads_the_words_of_its_work_first(chats: Chats) -> None:
    nadia, mali = chats.phone(1002, "mentor-1"), chats.phone(1001)
    shown = nadia.says("help")
    for word in ("LIST: ", "IN: ", "MEET: ", "DANGER: "):
        assert word in shown
    assert "STOP: " not in shown, "everybody's words are behind 'More'"
    assert "REMINDERS: " in mali.says("help")


def test_hide_and_start_can_be_typed_in_any_language(chats: Chats) -> None:
    mali = chats.phone(1001, by_text=True)
    mali.says("menu")
    mali.says("ซ่อน")
    assert chats.small.store.run(_person, mali.person_id).presence is Presence.HIDDEN
    assert not mali.standing
    for typed in ("1", "list", "hello", "help"):
        mali.says(typed)
        assert not mali.standing, f"{typed} woke the chat"
    assert "What would you like to do?" in mali.says("เริ่ม")
    assert chats.small.store.run(_person, mali.person_id).presence is Presence.PRESENT


def test_buttons_come_back(chats: Chats) -> None:
    mali = chats.phone(1001, by_text=True)
    mali.says("text off")
    assert "Ask for help" in mali.newest.buttons
    assert "1 Ask" not in mali.newest.text
    assert not chats.small.store.run(lambda tx: tx.find(Screen))


def test_a_word_for_somebody_else_is_refused_like_its_button(chats: Chats) -> None:
    mali = chats.phone(1001)
    assert "not part of your role" in mali.says("queue")


def test_a_workers_line_is_a_workers_own_words(chats: Chats) -> None:
    """Only a mentor's line is one; what others write that looks so is not lost."""
    assert "out of this chat" in chats.phone(1001).says("a5 30 baht")


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
def test_every_home_and_every_list_of_words_is_short(chats: Chats, language: str) -> None:
    said = CATALOGUE.texts[language]
    for account, seat in enumerate(("", "mentor-1", "desk-1", "steward-1", "bua-1"), 1001):
        phone = chats.phone(account, seat, language, by_text=True)
        for command in ("/start", "/help", "/privacy", "/language", "/export", "/nothing"):
            phone.says(command)
        phone.says(said["word.help"].split(",")[0])
        if seat:
            phone.answers(said["button.more"])
            phone.says("menu")
            phone.answers(said["as.family"])
        phone.says(said["word.status"].split(",")[0])
        phone.says(said["word.danger"].split(",")[0])
        phone.says("some words of mine")
        _short(phone)


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
def test_every_question_of_every_form_is_short(chats: Chats, language: str) -> None:
    phone = chats.phone(1001, "mentor-1", language, by_text=True)
    asked = [(p, q) for p in CATALOGUE.pathways.values() for q in p.form.questions if q.where == "chat"]
    more = (Button("button.back", action="1:form.back"), Button("button.cancel", action="1:form.cancel"))
    shown = {"step": "10", "steps": "12"}
    for pathway, question in asked:
        need = question.id == "category"
        choices = pathway.categories if need else question.choices
        labels = [f"category.{c}" if need else f"form.{question.id}.{c}" for c in choices]
        buttons = tell.column(Button(label, action=f"1:form:{question.id}:x") for label in labels)
        key = f"form.{question.id}"
        chats.small.store.run(tell.answer, phone.person_id, key, shown, buttons=(*buttons, more))
        chats.deliver()
    assert len(phone.heard) == len(asked)
    _short(phone)


def _short(phone: Phone) -> None:
    long = {text: len(text.encode()) for text in phone.said if len(text.encode()) > LONGEST_SCREEN}
    assert not long


def _asks(chats: Chats, phone: Phone, slot: str, *labels: str) -> None:
    buttons = tell.column(Button(label, action=f"1:{slot}:{label}") for label in labels)
    chats.small.store.run(tell.tell, phone.person_id, "home.hello", buttons=buttons, slot=slot)
    chats.deliver()


def _person(tx: Tx, person_id: str) -> Person:
    found = tx.get(Person, person_id)
    assert found is not None
    return found


def test_whatever_has_choices_goes_through_the_one_door() -> None:
    """`tx.say` numbers nothing: outside of screens.py it only takes messages away (their text is '')."""
    elsewhere = []
    for path in [*(ROOT / "handlers").glob("*.py"), *(ROOT / "referrals").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            says = node.func.attr == "say" and ast.unparse(node.func.value) in ("tx", "turn.tx")
            if says and path.name != "screens.py" and not _takes_away(node.args[0]):
                elsewhere.append(f"{path.name}:{node.lineno}: use tell.tell, tell.answer or screens.queue")
    assert not elsewhere


def _takes_away(notice: ast.expr) -> bool:
    text = notice.args[1] if isinstance(notice, ast.Call) and len(notice.args) > 1 else None
    return isinstance(text, ast.Constant) and text.value == ""
