"""A programme changes while people are in it: what a newer version means for whom, and moving them there.

Whoever is in a version stays in it until a steward has seen the change and applies it. What is applied is
exactly what was shown: a digest ties the two. Nobody is moved out of a phase that the newer version has not,
before somebody says where they go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from referrals import programmes as rules
from referrals import rhythm
from referrals.access import Action, allow
from referrals.catalogue import Programme
from referrals.errors import ConfigurationError
from referrals.members import Enrolment, KeptProgramme, Undertaking
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.schedule import local
from referrals.service.common import tell
from referrals.service.members import enrolments, programme_dates, programmes, reminders

DAILY, SUBJECT = "programmes", "daily"  # the timer
EVERY = timedelta(hours=24)
BATCH = 10  # people a turn: each takes a dozen statements, and a turn at most 20 ms
HOLIDAYS_WARNED = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Group:
    """The people of one phase of an older version. `landing` '': the newer version has no such phase.

    `codes`: '<code>: <next contact> -> <next contact>', local; empty unless somebody may see them.
    """

    version: int
    phase: str
    people: int
    landing: str
    before: str
    after: str
    codes: tuple[str, ...] = ()

    def line(self) -> str:
        """As the preview prints it."""
        rhythm_line = self.before if self.before == self.after else f"{self.before} -> {self.after}"
        to = f"{rhythm_line}" if self.landing else "NEEDS A HAND: this phase is gone"
        renamed = f" to {self.landing}" if self.landing not in ("", self.phase) else ""
        return f"version {self.version}, phase {self.phase}{renamed}: {self.people} people, {to}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying the newest version of a programme would do."""

    programme: str
    version: int
    differences: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def digest(self) -> str:
        """A short name for exactly this change."""
        text = "\n".join((self.programme, str(self.version), *self.differences, *self._lines()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def stuck(self) -> tuple[Group, ...]:
        """Whoever cannot be moved before somebody names a phase for them."""
        return tuple(group for group in self.groups if not group.landing)

    def _lines(self) -> list[str]:
        return [group.line() for group in self.groups]


def newest(tx: Tx, programme_id: str) -> Programme:
    """The version that the files have; ConfigurationError where there is no such file."""
    found = tx.catalogue.programmes.get(programme_id)
    if found is None:
        known = ", ".join(sorted(tx.catalogue.programmes)) or "none"
        raise ConfigurationError(
            f"programmes/{programme_id}.toml", "there is no such file", f"the catalogue has: {known}"
        )
    return found


def people_in(tx: Tx, programme_id: str) -> dict[int, int]:
    """How many are in each version that files or database know; empty ones are left out, but the newest."""
    known = {v for p, v in tx.catalogue.kept if p == programme_id}
    known |= {p.version for p in tx.catalogue.programmes.values() if p.id == programme_id}
    counts = {v: tx.count(Enrolment, programme=programme_id, programme_version=v) for v in sorted(known)}
    top = max(known, default=0)
    return {version: count for version, count in counts.items() if count or version == top}


def preview(tx: Tx, programme_id: str, renamed: Mapping[str, str], *, codes: bool = False) -> Preview:
    """What the newest version would change, and for how many. Changes nothing.

    `renamed`: old phase -> new phase, for phases that are gone. `codes` only for whom `look` has allowed it.
    """
    new = newest(tx, programme_id)
    _check_renamed(new, renamed)
    groups: list[Group] = []
    differences: list[str] = []
    for version in people_in(tx, programme_id):
        if version == new.version:
            continue
        old = programmes.in_version(tx, programme_id, version)
        differences += [f"version {version}: {each.line()}" for each in rules.differences(old, new)]
        groups += _groups(tx, old, new, renamed, codes)
    return Preview(programme_id, new.version, tuple(differences), tuple(groups))


def look(tx: Tx, actor: Actor, programme_id: str) -> None:
    """A steward sees the codes of those who are affected: that leaves a row."""
    allow(actor, Action.PROGRAMME_APPLY)
    tx.audit(AuditEntry(actor, Action.PROGRAMME_APPLY, f"programme:{programme_id}", "looked"))


def begin_apply(tx: Tx, actor: Actor, programme_id: str, renamed: Mapping[str, str], shown: str) -> Preview:
    """Whoever applies does what was shown, nothing else; ConfigurationError when it has changed meanwhile."""
    allow(actor, Action.PROGRAMME_APPLY)
    found = preview(tx, programme_id, renamed)
    if found.digest != shown:
        raise ConfigurationError(
            f"programme {programme_id}",
            "who is in it, or what it says, has changed since the check",
            f"run 'programmes check {programme_id}' again",
        )
    programmes.pin(tx, programme_id, found.version)
    tx.audit(AuditEntry(actor, Action.PROGRAMME_APPLY, f"programme:{programme_id}", f"applied {shown}"))
    return found


def apply_some(tx: Tx, actor: Actor, group: Group, programme_id: str, renamed: Mapping[str, str]) -> int:
    """Move a few people of one phase to the newest version; how many. 0: all of them are there."""
    allow(actor, Action.PROGRAMME_APPLY)
    new = newest(tx, programme_id)
    found = tx.find(
        Enrolment, limit=BATCH, programme=programme_id, programme_version=group.version, phase=group.phase
    )
    for each in found:
        enrolment = tx.get(Enrolment, each.id, lock=True)
        if enrolment is not None and enrolment.programme_version == group.version:
            _move(tx, actor, enrolment, new, renamed)
    return len(found)


def begin(tx: Tx) -> None:
    """At each start: the text of every version that somebody is in is kept. ConfigurationError: one is lost.

    The daily look at kept texts and holidays begins, too.
    """
    known = {(p.id, p.version) for p in tx.catalogue.programmes.values()} | set(tx.catalogue.kept)
    there = 0
    for programme_id, version in sorted(known):
        people = tx.count(Enrolment, programme=programme_id, programme_version=version)
        there += people
        if people:
            programmes.pin(tx, programme_id, version)
    if there != tx.count(Enrolment):
        for enrolment in tx.find(Enrolment):
            programmes.of(tx, enrolment)  # says which one is lost, and what to do
    waiting = tx.get(Timer, f"{DAILY}:{SUBJECT}")
    if waiting is None or waiting.due_at > tx.now + EVERY:  # set when the clock was ahead
        tx.set_timer(DAILY, SUBJECT, tx.now)


def daily(tx: Tx, subject: str) -> None:
    """Timer: texts of versions that nobody is in any more go; stewards hear when a file of holidays ends."""
    for kept in tx.find(KeptProgramme):
        programme_id, _, number = kept.id.rpartition("@")
        where: dict[str, Any] = {"programme": programme_id, "programme_version": int(number)}
        if not tx.count(Enrolment, **where) and not tx.count(Undertaking, **where):
            tx.remove(kept)
            tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"programme:{kept.id}", "nobody in it"))
    for holidays_id in ending_holidays(tx):
        _warn(tx, holidays_id)
    tx.set_timer(DAILY, subject, tx.now + EVERY)


def ending_holidays(tx: Tx) -> list[str]:
    """Files of holidays that a programme uses and that end within 60 days, or have ended."""
    used = {p.holidays for p in tx.catalogue.programmes.values() if p.holidays}
    until = tx.catalogue.holidays_until
    return sorted(h for h in used if h in until and until[h] - tx.now.date() <= HOLIDAYS_WARNED)


def _warn(tx: Tx, holidays_id: str) -> None:
    until = tx.catalogue.holidays_until[holidays_id]
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            once = f"holidays:{holidays_id}:{until}:{seat.person_id}"
            tell.tell(tx, seat.person_id, "steward.holidays_end", {"day": f"{until}"}, dedupe=once)


def _move(tx: Tx, actor: Actor, enrolment: Enrolment, new: Programme, renamed: Mapping[str, str]) -> None:
    phase_id, milestones = rules.moved(enrolment, new, renamed)
    if not phase_id:
        return
    before = programmes.phase_of(tx, enrolment)
    after = replace(enrolment, programme_version=new.version, phase=phase_id, milestones=milestones)
    saved = tx.save(after)
    tx.audit(AuditEntry(actor, Action.PROGRAMME_APPLY, f"enrolment:{saved.id}", f"version {new.version}"))
    if saved.active:
        reminders.schedule_next(tx, saved)
    programme_dates.watch(tx, saved)
    if saved.active and rules.changes_rhythm(before, new.phase(phase_id)):
        for mentor_id in enrolments.mentors_of(tx, saved)[:1]:
            once = f"rhythm:{new.id}:{new.version}:{mentor_id}"
            tell.tell(tx, mentor_id, "mentor.rhythm_changed", dedupe=once)


def _groups(
    tx: Tx, old: Programme, new: Programme, renamed: Mapping[str, str], codes: bool
) -> Iterator[Group]:
    for phase in old.phases:
        where: dict[str, Any] = {"programme": old.id, "programme_version": old.version, "phase": phase.id}
        people = tx.count(Enrolment, **where)
        if not people:
            continue
        landing = rules.landing(new, phase.id, renamed)
        after = rules.rhythm_line(new.phase(landing)) if landing else ""
        named = tuple(_line(tx, e, new, landing) for e in tx.find(Enrolment, **where)) if codes else ()
        yield Group(old.version, phase.id, people, landing, rules.rhythm_line(phase), after, named)


def _line(tx: Tx, enrolment: Enrolment, new: Programme, landing: str) -> str:
    """A code, and when the next contact is now and would be then, by the member's own clock."""
    if not landing or not enrolment.active:
        return f"{enrolment.code}: {'needs a hand' if not landing else enrolment.state.value}"
    moved = replace(enrolment, programme_version=new.version, phase=landing)
    now, then = (rhythm.next_due(reminders.rhythm_of(tx, each), tx.now) for each in (enrolment, moved))
    shown = [f"{local(at, enrolment.timezone):%Y-%m-%d %H:%M}" for at in (now, then)]
    return f"{enrolment.code}: {shown[0]}" if now == then else f"{enrolment.code}: {shown[0]} -> {shown[1]}"


def _check_renamed(new: Programme, renamed: Mapping[str, str]) -> None:
    for old, phase in renamed.items():
        if not rules.knows(new, phase):
            known = ", ".join(each.id for each in new.phases)
            raise ConfigurationError(
                f"--phase {old}={phase}", "is no phase of the newer version", f"use one of: {known}"
            )
