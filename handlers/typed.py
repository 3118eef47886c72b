"""What a typed message means: a number, a code word, a button's own words, a line; else it is unasked text.

What is understood becomes the very press or command that a button would have been, and goes through the same
routes with the same rights. The typed message leaves the chat at once, whatever comes of it.
"""

from __future__ import annotations

from dataclasses import replace

from handlers.incoming import Did, Incoming
from handlers.reply import Reply, Turn
from referrals import code_words
from referrals.code_words import BY_ID, Typed
from referrals.errors import StaleNumber
from referrals.model import Role
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import doors, screens
from referrals.service.common.screens import Choice
from referrals.service.common.tell import page_button

LINE = "1:line"  # a check-in in one line; what was typed travels as the text
STALE = "1:number.stale"


def understood(tx: Tx, person: Person, incoming: Incoming) -> Incoming:
    """The press or command that was typed, or what came in as it is."""
    if incoming.did is not Did.TEXT:
        return incoming
    typed = code_words.read(incoming.text, tx.catalogue.texts, person.language or incoming.language_hint)
    if typed.number is not None:
        return _number(tx, person, incoming, typed.number)
    if typed.line and _is_a_mentor(tx, person):  # anybody else's 'a5 300 baht' is words of their own
        return _pressed(incoming, LINE)
    if typed.word:
        return _word(incoming, typed)
    return _label(tx, person, incoming)


def page(turn: Turn) -> Reply:
    """A number whose button opens a page: a page cannot be opened by text, but its button comes again."""
    opens = page_button("button.open_page", ":".join(turn.words))
    return Reply("text.press_the_button", {}, ((opens,),))


def stale(turn: Turn) -> Reply:
    """A number that no standing message has."""
    raise StaleNumber


def _number(tx: Tx, person: Person, incoming: Incoming, number: int) -> Incoming:
    """A number answers what was asked; from whoever presses buttons it is words like any other."""
    if not person.by_text:
        return incoming
    try:
        return _choice(incoming, screens.chosen(tx, person.id, number))
    except StaleNumber:
        return _pressed(incoming, STALE)


def _word(incoming: Incoming, typed: Typed) -> Incoming:
    does = BY_ID[typed.word].does
    if does.startswith("/"):
        return replace(incoming, did=Did.COMMAND, text=does[1:], argument="", typed=True)
    return _pressed(incoming, f"{does}:{typed.code}" if typed.code else does)


def _label(tx: Tx, person: Person, incoming: Incoming) -> Incoming:
    """A button's own words, where exactly one that stands has them: 'doing well'."""
    if not person.by_text:
        return incoming
    words = tx.catalogue.texts.get(person.language, {})
    said = code_words.simple(incoming.text)
    found = [c for c in screens.labelled(tx, person.id) if code_words.simple(words.get(c.label, "")) == said]
    return _choice(incoming, found[0]) if said and len(found) == 1 else incoming


def _choice(incoming: Incoming, choice: Choice) -> Incoming:
    return _pressed(incoming, choice.data or f"1:page:{choice.page}")


def _is_a_mentor(tx: Tx, person: Person) -> bool:
    return any(seat.role is Role.MENTOR for seat in doors.seats_of(tx, person.id))


def _pressed(incoming: Incoming, data: str) -> Incoming:
    return replace(incoming, did=Did.PRESS, data=data, typed=True)
