"""What each message asks of somebody who answers by text, and which button a typed number presses.

The one door to the outbox for whatever has choices. Buttons are numbered in the turn that queues them, so
that number and message cannot disagree. A number belongs to one standing message alone: two reminders may
have come together, one may still be on its way, and a '2' must never reach the wrong member.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from referrals.errors import StaleNumber
from referrals.persons import Person, Screen
from referrals.ports import Tx
from referrals.said import Button, Keyboard, Notice

LIFE = timedelta(hours=24)  # as long as the message stands
PAGE = "page:"


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a standing message: the button's data, or the page that it opens ('' if none)."""

    data: str
    page: str
    label: str  # a text key


def queue(tx: Tx, notice: Notice, person: Person | None = None) -> None:
    """Queue a notice; for somebody who answers by text its choices get numbers, and nothing is edited.

    Only what is quiet stays an edit: it tells of what is over and asks nothing.
    """
    person = person or tx.get(Person, notice.person_id)
    if person is None or not person.by_text:
        tx.say(notice)
        return
    numbered = _numbered(tx, notice.named())
    if notice.quiet or not notice.text:
        tx.say(numbered)
    else:
        tx.say(replace(numbered, fresh=True, message_id=None))


def chosen(tx: Tx, person_id: str, number: int) -> Choice:
    """What a typed number presses; StaleNumber when no standing message has it."""
    for screen in _standing(tx, person_id):
        if 0 <= number - screen.first < len(screen.choices):
            return _choice(screen, number - screen.first)
    raise StaleNumber


def labelled(tx: Tx, person_id: str) -> tuple[Choice, ...]:
    """Every choice of every standing message, for whoever types a button's words instead of its number."""
    standing = _standing(tx, person_id)
    return tuple(_choice(screen, place) for screen in standing for place in range(len(screen.choices)))


def forget(tx: Tx, person_id: str) -> None:
    """Nothing is asked of this person any more: the chat was cleared, or they press buttons again."""
    for screen in tx.find(Screen, person_id=person_id):
        tx.remove(screen)


def first_free(taken: Iterable[range], size: int) -> int:
    """The lowest number from which on `size` numbers are in none of these ranges."""
    first = 1
    for one in sorted(taken, key=lambda one: one.start):
        if first + size <= one.start:
            break
        first = max(first, one.stop)
    return first


def _numbered(tx: Tx, notice: Notice) -> Notice:
    """The notice with its choices numbered, and the screen of its slot set to them."""
    row_id = f"{notice.person_id}:{notice.slot or tx.new_id()}"
    before = tx.get(Screen, row_id) if notice.slot else None
    buttons = [button for row in notice.buttons for button in row] + ([notice.gist] if notice.gist else [])
    if not buttons:
        if before is not None:
            tx.remove(before)
        return notice
    screen = _screen(tx, notice, row_id, buttons, before)
    if before is None:
        tx.add(screen)
    else:
        tx.save(replace(screen, version=before.version))
    numbers = iter(range(screen.first, screen.first + len(buttons)))
    rows: Keyboard = tuple(tuple(replace(b, number=next(numbers)) for b in row) for row in notice.buttons)
    gist = replace(notice.gist, number=next(numbers)) if notice.gist else None
    return replace(notice, buttons=rows, gist=gist)


def _screen(tx: Tx, notice: Notice, row_id: str, buttons: list[Button], before: Screen | None) -> Screen:
    """Where the same is asked again, the numbers stay: the first message may stand there already."""
    choices = tuple(button.action or f"{PAGE}{button.page}" for button in buttons)
    labels = tuple(button.text for button in buttons)
    until = (notice.not_before or tx.now) + LIFE
    if before is not None and before.choices == choices and before.until > tx.now:
        first = before.first
    else:
        others = [s for s in _standing(tx, notice.person_id) if s.id != row_id]
        first = first_free((range(s.first, s.first + len(s.choices)) for s in others), len(choices))
    return Screen(row_id, notice.person_id, notice.slot, first, choices, labels, until)


def _standing(tx: Tx, person_id: str) -> list[Screen]:
    return [screen for screen in tx.find(Screen, person_id=person_id) if screen.until > tx.now]


def _choice(screen: Screen, place: int) -> Choice:
    data = screen.choices[place]
    page = data.removeprefix(PAGE) if data.startswith(PAGE) else ""
    return Choice("" if page else data, page, screen.labels[place])
