"""How it has been going: the states of the last contacts, as marks. No score, and nothing that is added up.

Pure. A state is a word of the form ('well', 'all_right', 'struggling', 'crisis'); contacts at which nobody
was reached have none, and leave a gap instead of a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

SHOWN = 12  # contacts
IN_A_ROW = 3
_FROM_EASY_TO_HARD = ("well", "all_right", "struggling", "crisis")
_HARD = _FROM_EASY_TO_HARD.index("struggling")


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: its local day, and how it was going; '' where nobody was reached."""

    day: date
    state: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of the trend. `level`: 1 (in crisis) to 4 (doing well); 0 where nobody was reached."""

    day: date
    state: str
    level: int


def marks(contacts: Sequence[Contact]) -> tuple[Mark, ...]:
    """The last twelve contacts, the oldest first."""
    in_order = sorted(contacts, key=lambda contact: contact.day)[-SHOWN:]
    return tuple(Mark(contact.day, contact.state, _level(contact.state)) for contact in in_order)


def getting_harder(states: Sequence[str]) -> bool:
    """Whether the last three contacts at which somebody was met went steadily downhill (oldest first).

    Never better from one to the next, the last one worse than the first, and the last one hard: a single
    'all right' after 'well' is a day like others. Where it has been hard for longer it is no change.
    """
    met = [_FROM_EASY_TO_HARD.index(state) for state in states if state in _FROM_EASY_TO_HARD][-IN_A_ROW:]
    if len(met) < IN_A_ROW:
        return False
    downhill = all(before <= after for before, after in pairwise(met))
    return downhill and met[-1] > met[0] and met[-1] >= _HARD


def may_be_harder(state: str) -> bool:
    """Whether a contact with this state can be the third of such a row: else nothing need be read."""
    return state in _FROM_EASY_TO_HARD[_HARD:]


def _level(state: str) -> int:
    if state not in _FROM_EASY_TO_HARD:
        return 0
    return len(_FROM_EASY_TO_HARD) - _FROM_EASY_TO_HARD.index(state)
