"""What a secure page is: a view and its named steps, each with the action that its reader's role must allow.

Every verb is `verb(tx, person_id, subject, body) -> view`; the edge has checked size and shape of `body`,
the verb checks its meaning. Whose matter it is, the doors decide; here only whether the role may at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from referrals.access import Action
from referrals.errors import BadAnswer
from referrals.ports import Tx
from referrals.service.common import doors

Body = Mapping[str, object]
PageVerb = Callable[[Tx, str, str, Body], Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that a page shows or does; NotAllowed for somebody none of whose roles may do it."""

    action: Action
    do: PageVerb

    def __call__(self, tx: Tx, person_id: str, subject: str, body: Body) -> Any:
        doors.may(tx, person_id, self.action)
        return self.do(tx, person_id, subject, body)


@dataclass(frozen=True, slots=True)
class Page:
    """`view` shows the page; `steps` change something and show it again."""

    view: Verb
    steps: Mapping[str, Verb] = field(default_factory=dict)


def text_of(body: Body, name: str) -> str:
    """A text of the body, '' where there is none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def chosen_of(body: Body) -> tuple[str, ...]:
    """What was ticked; () where nothing was."""
    value = body.get("chosen")
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def day_of(body: Body) -> date:
    """The body's `day`; BadAnswer where it is none."""
    try:
        return date.fromisoformat(text_of(body, "day"))
    except ValueError:
        raise BadAnswer from None
