"""A family's (or anybody's) chat: a poster's link, a few taps, then the secure page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers.reply import Reply, Turn
from referrals.access import Action
from referrals.catalogue import QuestionKind
from referrals.errors import StaleButton
from referrals.said import Button, Keyboard
from referrals.service.common import complaints, doors
from referrals.service.common.tell import column, page_button, press
from referrals.service.matter import matching, moving
from referrals.service.people import conversations
from referrals.service.turns import after_help, closing

SKIPPED = "-"  # a closing question that somebody does not want to answer


def begin(turn: Turn, pathway_id: str) -> Reply:
    """Ask for help along a pathway, or go on where that is under way: links are opened twice."""
    talk = conversations.current(turn.tx, turn.person)
    if talk is None or talk.pathway.id != pathway_id:
        talk = conversations.begin(turn.tx, turn.person, pathway_id)
    return show(turn, talk)


def ask(turn: Turn) -> Reply:
    """The button 'Ask for help'."""
    return begin(turn, turn.word(0))


def go_on(turn: Turn) -> Reply:
    """What was begun on a page goes on here."""
    talk = conversations.current(turn.tx, turn.person)
    if talk is None:
        raise StaleButton
    return show(turn, talk)


def answered(turn: Turn) -> Reply:
    """A button of the open question."""
    return show(turn, conversations.reply(turn.tx, turn.person, turn.word(0), turn.word(1)))


def tick(turn: Turn) -> Reply:
    """One of several needs, or no more."""
    return show(turn, conversations.tick(turn.tx, turn.person, turn.word(0)))


def ticked(turn: Turn) -> Reply:
    """These are all."""
    return show(turn, conversations.ticked(turn.tx, turn.person))


def back(turn: Turn) -> Reply:
    """One question back."""
    return show(turn, conversations.back(turn.tx, turn.person))


def cancel(turn: Turn) -> Reply:
    """Stop here: nothing is kept."""
    conversations.drop(turn.tx, turn.person.id)
    return Reply("form.cancelled")


def helped(turn: Turn) -> Reply:
    """'Did somebody help?': the verb itself edits the message."""
    said = turn.word(1)
    closing.helped(turn.tx, turn.person.id, turn.word(0), said != "no", partly=said == "partly")
    return Reply(toast="toast.thank_you")


def why(turn: Turn) -> Reply:
    """Why it is not over, with one tap."""
    referral = after_help.why(turn.tx, turn.person.id, turn.word(0), turn.word(1))
    page = ((page_button("button.open", f"matter/{referral.id}"),),)
    text = complaints.said(turn.tx, referral, "matter.disputed")
    return Reply(text, {"code": referral.code}, page, f"matter:{referral.id}", "toast.thank_you")


def afterwards(turn: Turn) -> Reply:
    """How it was: one closing question after the other, each skipped with a tap. '-' stands for no answer."""
    referral_id, question, choice = turn.word(0), turn.word(1), turn.word(2)
    if choice and choice != SKIPPED:
        after_help.answer(turn.tx, turn.person.id, referral_id, question, choice)
    referral = doors.own_referral(
        turn.tx, doors.as_author(turn.person.id), referral_id, Action.REFERRAL_CONFIRM
    )
    waits = list(after_help.left(turn.tx, referral))
    if choice == SKIPPED:
        order = [each.id for each in matching.pathway_of(turn.tx, referral).closing]
        waits = [each for each in waits if question in order and order.index(each.id) > order.index(question)]
    slot = f"matter:{referral.id}"
    if not waits:
        page = ((page_button("button.open", f"matter/{referral.id}"),),)
        return Reply("matter.thanks", {"code": referral.code}, page, slot, "toast.thank_you")
    words = (referral.id, waits[0].id)
    rows = column(press(f"ask.{waits[0].id}.{c}", "after", *words, c) for c in waits[0].choices)
    skip = (press("button.skip", "after", *words, SKIPPED),)
    shown = {"code": referral.code, "question": f"@ask.{waits[0].id}"}
    return Reply("matter.how_was_it", shown, (*rows, skip), slot)


def stop_move(turn: Turn) -> Reply:
    """'Stop it', on the old phone: the verb itself edits the message."""
    moving.stop(turn.tx, turn.person.id, turn.word(0))
    return Reply(toast="toast.thank_you")


def show(turn: Turn, talk: conversations.Talk) -> Reply:
    """The open question with its buttons, or the way to the secure page."""
    step = {"step": str(talk.step), "steps": str(talk.steps)}
    navigation = [press("button.cancel", "form.cancel")]
    if talk.step > 1:
        navigation.insert(0, press("button.back", "form.back"))
    if talk.question is None:
        page = page_button("button.open_page", f"plan/{talk.draft_id}")
        return Reply("family.open_page", step, ((page,), tuple(navigation)))
    question = talk.question
    rows = _choices(turn, talk)
    return Reply(f"form.{question.id}", step, (*rows, tuple(navigation)))


def _choices(turn: Turn, talk: conversations.Talk) -> Keyboard:
    assert talk.question is not None  # show() has looked
    question = talk.question
    if question.kind is QuestionKind.CONFIRM:
        return ((press(f"form.{question.id}.yes", "form", question.id, "yes"),),)
    found = conversations.choices(turn.tx, talk)
    if question.kind is QuestionKind.CATEGORY and talk.answers.get(conversations.SEVERAL):
        return _ticks(found, talk.answers[conversations.SEVERAL].split())
    buttons = [
        Button(_label(question.kind, question.id, c), action=f"1:form:{question.id}:{c}") for c in found
    ]
    if question.kind is QuestionKind.CATEGORY and len(found) > 1:
        buttons.append(press("button.several", "form.tick"))
    return column(buttons)


def _ticks(found: Sequence[str], chosen: Sequence[str]) -> Keyboard:
    rows = [
        replace(
            press("button.ticked" if c in chosen else "button.tick", "form.tick", c),
            params={"need": f"@category.{c}"},
        )
        for c in found
    ]
    return column([*rows, *([press("button.these", "form.ticked")] if chosen else [])])


def _label(kind: QuestionKind, question: str, choice: str) -> str:
    if kind is QuestionKind.CATEGORY:
        return f"category.{choice}"
    return f"language.{choice}" if kind is QuestionKind.LANGUAGE else f"form.{question}.{choice}"
