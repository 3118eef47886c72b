"""Whose a matter is, said independently of the code: what a turn touches and shows, before it is undone.

Nobody changes a matter that they have nothing to do with, and nobody reads the id or code by which others
know one: the person and the desk by the referral's, a partner by its offer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from referrals.casework import CircleSide
from referrals.errors import PulangError
from referrals.lifecycle import LIVE_OFFERS
from referrals.members import Enrolment
from referrals.model import Offer, OfferStage, Record, Referral, Role, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Notice
from referrals.service.common import complaints
from referrals.service.matter import member_keys
from storage.store import Store

_UNASKED = (Stage.DRAFT, Stage.AWAITING_CONSENT)


class Undone(Exception):
    """What was tried was allowed, and is undone."""


@dataclass
class Watching:
    """A transaction that notes what is saved, sealed and said; everything else is the real one's."""

    tx: Tx
    rows: list[Any] = field(default_factory=list)
    said: list[Notice] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tx, name)

    def save(self, row: Any) -> Any:
        self.rows.append(row)
        return self.tx.save(row)

    def add(self, *rows: Any) -> None:
        self.rows += rows
        self.tx.add(*rows)

    def remove(self, row: Any) -> None:
        self.rows.append(row)
        self.tx.remove(row)

    def seal(self, record: Record, *rest: Any) -> None:
        self.rows.append(record)
        self.tx.seal(record, *rest)

    def say(self, notice: Notice) -> None:
        self.said.append(notice)
        self.tx.say(notice)


@dataclass
class Related:
    """Who has to do with which matter (by its group: a plan and its parts, both sides of a circle)."""

    may_change: dict[str, set[str]]
    group_of: dict[str, str]  # of a referral's or an offer's id
    may_read: dict[str, set[str]]  # an id or a code: who knows a matter by it

    @classmethod
    def of(cls, tx: Tx) -> Related:
        found = cls(defaultdict(set), {}, {})
        seats = [seat for seat in tx.find(Seat) if seat.person_id]
        desk = {str(seat.person_id) for seat in seats if seat.role is Role.COORDINATOR}
        offers = tx.find(Offer)
        sides = {side.id: side.circle_id for side in tx.find(CircleSide)}
        for referral in tx.find(Referral):
            group = sides.get(referral.id) or referral.parent_id or referral.onward_from or referral.id
            own = _own(tx, referral)
            if referral.stage not in _UNASKED and not complaints.hidden(tx, referral):
                own |= desk - {referral.author_id}
            found.group_of[referral.id] = group
            found.may_read[referral.id] = found.may_read[referral.code] = own
            found.may_change[group] |= own
            for offer in (each for each in offers if each.referral_id == referral.id):
                there = {str(s.person_id) for s in seats if s.organization_id == offer.organization_id}
                there -= complaints.concerned(tx, referral)
                found.group_of[offer.id] = group
                found.may_read[offer.id] = found.may_read[offer.code] = there
                turn = offer.id in (referral.offer_id, referral.next_offer_id)
                if turn and offer.stage in (*LIVE_OFFERS, OfferStage.ACCEPTED):
                    found.may_change[group] |= there
        return found

    def wrong(self, person: str, turn: Watching, result: Any, typed: str) -> Iterator[str]:
        """What this person changed or read, or somebody was told, and should not. `typed`: by themselves."""
        for row in turn.rows:
            group = self._group(row)
            if group and person not in self.may_change[group]:
                yield f"changes a {type(row).__name__} of somebody else's"
        told = [(n.person_id, repr((n.text, n.params, n.buttons, n.slot))) for n in turn.said if not n.quiet]
        for reader, words in [(person, repr(result)), *told]:
            for word, those in self.may_read.items():
                if word in words and reader not in those and word not in typed:
                    yield f"{'reads' if reader == person else 'tells somebody'} {word}"

    def _group(self, row: Any) -> str:
        if isinstance(row, Record):
            return self.group_of.get(row.row, "") if row.table in ("referral", "thread", "last_word") else ""
        named = (getattr(row, "referral_id", None), getattr(row, "offer_id", None), getattr(row, "id", None))
        return next((self.group_of[each] for each in named if each in self.group_of), "")


def undone(store: Store, person: str, do: Callable[[Tx], Any], typed: str = "") -> list[str]:
    """Run it and take it back; what was wrong with it. A refusal is never wrong."""
    found: list[str] = []

    def turn(tx: Tx) -> None:
        before = Related.of(tx)
        watching: Any = Watching(tx)
        found.extend(before.wrong(person, watching, do(watching), typed))
        raise Undone

    try:
        store.run(_first(do))
    except PulangError:
        return []
    except Undone:
        pass
    with suppress(Undone):
        store.run(turn)
    return found


def _first(do: Callable[[Tx], Any]) -> Callable[[Tx], None]:
    """Whether it is allowed at all: most of what is forged is not, and then nothing else is looked at."""

    def turn(tx: Tx) -> None:
        do(tx)
        raise Undone

    return turn


def _own(tx: Tx, referral: Referral) -> set[str]:
    """Whoever asked, and who walks beside the member whom it is for."""
    member = tx.get(Enrolment, referral.enrolment_id) if referral.enrolment_id else None
    beside = {*member_keys.mentors_of(tx, member), member.person_id or ""} if member else set()
    return {referral.author_id, *beside}
