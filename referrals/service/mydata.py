"""What is held about somebody, in words, and the archive that they take home.

An export holds what is the person's own: settings, devices, their matters with their words and the
partner's answers (as organisation and role), who has read, what they agreed to. Never another person:
no worker, no member whom a mentor accompanies, no matter that somebody serves. A turn reads one matter.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from referrals import codes
from referrals.access import Action
from referrals.casework import Appointment, Attempt, Task
from referrals.errors import NotFound, PinNeeded
from referrals.limits import Doing
from referrals.members import CheckIn, Enrolment, Meeting, WordReceipt
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    Consent,
    DataClass,
    Offer,
    Referral,
    Role,
    Stage,
    ThreadEntry,
    Tracking,
)
from referrals.persons import Device, Download, Person, Recovery
from referrals.ports import Away, Slow, Tx
from referrals.service import (
    attendance_ends,
    circle_sides,
    complaints,
    courses,
    doors,
    export_page,
    limits,
    linking,
    matching,
    meetings,
    names,
    own_checkins,
    readers,
    safety_lists,
)

DOWNLOAD_LIFE = timedelta(minutes=10)
# The first fetch does not use it up: a preview, a retry or a second half must not lose it (decision 0009).
AFTER_FETCH = timedelta(minutes=2)
PASSPHRASE_BYTES = 10  # 80 random bits: five words
FORMAT = "pulang-export-1"
JSON_NAME, PAGE_NAME = "my-data.json", "my-data.html"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """An archive that waits to be fetched. `token` and `passphrase` are shown once and never stored."""

    token: str
    passphrase: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of thing that is held: how many, and until when where that is a date."""

    what: str
    count: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Gathering:
    """What has been read so far, from turn to turn."""

    person_id: str
    left: tuple[str, ...]
    found: Json = field(default_factory=dict)


def held(tx: Tx, person_id: str) -> list[Held]:
    """What is held about somebody: kinds, counts, dates. Opens nothing, so it needs no PIN."""
    person = doors.person_by_id(tx, person_id)
    mine = _mine(tx, person_id)
    ids = [r.id for r in mine]
    until = max((r.retain_until for r in mine if r.retain_until), default=None)
    waiting = any(r.retain_until is None for r in mine)
    dated = None if waiting else until
    found = [
        Held("settings", 1, None if mine or doors.seats_of(tx, person_id) else person.retain_until),
        Held("matters", len(mine), dated),
        Held("words", tx.count(ThreadEntry, referral_id=ids), dated),
        Held("consents", tx.count(Consent, referral_id=ids), dated),
        Held("codes", tx.count(Tracking, referral_id=ids)),
        Held("devices", tx.count(Device, person_id=person_id)),
        Held("messages", len(tx.messages_of(person_id)), None),
        Held("posts", len(doors.seats_of(tx, person_id))),
        Held("membership", len(linking.tied_to(tx, person_id))),
        Held("check_ins", tx.count(CheckIn, saved_by=person_id)),
    ]
    return [line for line in found if line.count]


def export(tx: Tx, person_id: str, then: Callable[[Tx, Made], Any]) -> Away:
    """Read everything in turns of its own, pack it in a thread, keep it ten minutes. PinNeeded, TooOften."""
    if tx.reading_locked:
        raise PinNeeded
    limits.take(tx, Doing.EXPORT, person_id)
    person = doors.person_by_id(tx, person_id)
    tx.audit(AuditEntry(doors.as_author(person_id), Action.DATA_EXPORT, f"person:{person_id}"))
    gathering = _Gathering(person_id, tuple(r.id for r in _mine(tx, person_id)), _about(tx, person))
    return _go_on(tx, gathering, then)


def fetch(tx: Tx, token: str) -> bytes:
    """The archive; NotFound for what has been fetched, is over, or never was."""
    download = tx.get(Download, codes.digest(token))
    if download is None or download.expires_at <= tx.now:
        raise NotFound
    soon = tx.now + AFTER_FETCH
    if soon < download.expires_at:
        download = tx.save(replace(download, expires_at=soon))
        tx.set_timer("download", download.id, soon)
        actor = doors.as_author(download.person_id)
        tx.audit(AuditEntry(actor, Action.DATA_EXPORT, f"download:{download.id}", "fetched"))
    return base64.b64decode(download.content)


def download_over(tx: Tx, download_id: str) -> None:
    """Timer: an archive's time is over."""
    download = tx.get(Download, download_id)
    if download is not None:
        tx.remove(download)
        tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"download:{download_id}"))


def _mine(tx: Tx, person_id: str) -> list[Referral]:
    """What is about themselves: never what a mentor filed for a member."""
    found = tx.find(Referral, author_id=person_id)
    return [r for r in found if r.stage is not Stage.DRAFT and not r.by_word]


def _go_on(tx: Tx, gathering: _Gathering, then: Callable[[Tx, Made], Any]) -> Away:
    """One matter in this turn, the next in another: no long work holds up an alert."""
    if gathering.left:
        first, *rest = gathering.left
        gathering.found["matters"].append(_matter(tx, gathering.person_id, first))
        left = replace(gathering, left=tuple(rest))
        return Away(lambda _: None, lambda tx, _: _go_on(_unlocked(tx), left, then))
    catalogue, language = tx.catalogue, gathering.found["settings"]["language"]
    passphrase = codes.spell(tx.secret(PASSPHRASE_BYTES))

    def pack(slow: Slow) -> bytes:
        files = {
            PAGE_NAME: export_page.render(
                gathering.found,
                language,
                lambda key: catalogue.words(key, language),
                lambda day: names.day_in_words(catalogue, day, language),
            ),
            JSON_NAME: export_page.as_json(gathering.found),
        }
        return slow.pack(files, passphrase)

    return Away(pack, lambda tx, archive: then(tx, _keep(tx, gathering.person_id, archive, passphrase)))


def _unlocked(tx: Tx) -> Tx:
    """Half an hour of reading may end in the middle."""
    if tx.reading_locked:
        raise PinNeeded
    return tx


def _keep(tx: Tx, person_id: str, archive: bytes, passphrase: str) -> Made:
    for earlier in tx.find(Download, person_id=person_id):
        tx.remove(earlier)
        tx.clear_timers(earlier.id)
    token = _token(tx)
    made = Made(token, passphrase, tx.now + DOWNLOAD_LIFE)
    row = Download(codes.digest(token), person_id, base64.b64encode(archive).decode(), made.until)
    tx.add(row)
    tx.set_timer("download", row.id, made.until)
    tx.audit(AuditEntry(doors.as_author(person_id), Action.DATA_EXPORT, f"download:{row.id}", "made"))
    return made


def _token(tx: Tx) -> str:
    """256 random bits for an address."""
    return base64.urlsafe_b64encode(tx.secret(32)).decode().rstrip("=")


def _about(tx: Tx, person: Person) -> Json:
    """Everything but the matters."""
    seats = doors.seats_of(tx, person.id)
    return {
        "format": FORMAT,
        "made_at": tx.now,
        "settings": _settings(person),
        "devices": [
            {"state": d.state.value, "since": d.since, "last_seen": d.last_seen_at}
            for d in tx.find(Device, person_id=person.id)
        ],
        "recovery_code": tx.get(Recovery, person.id) is not None,
        "posts": [
            {"role": s.role.value, "organization": _name(tx, s.organization_id, person)} for s in seats
        ],
        "membership": [_membership(tx, person, e) for e in linking.tied_to(tx, person.id)],
        "own_check_ins": own_checkins.said_by(tx, person.id),
        "acts": _acts(tx, person, seats),
        "matters": [],
    }


def _settings(person: Person) -> Json:
    return {
        "language": person.language,
        "timezone": person.timezone,
        "window": person.window.value,
        "reminders": person.reminders,
        "quiet_hours": f"{person.quiet_from:%H:%M}–{person.quiet_to:%H:%M}" if person.quiet_from else "",
        "reminder_days": [("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in person.days],
        "presence": person.presence.value,
        "age_group": person.age_group.value if person.age_group else None,
        "first_seen": person.created_at,
        "last_seen": person.last_seen_at,
        "kept_until": person.retain_until,
    }


def _membership(tx: Tx, person: Person, enrolment: Enrolment) -> Json:
    """One programme that somebody is in: where they stand, and what they came to."""
    return {
        "code": enrolment.code,
        "programme": enrolment.programme,
        "phase": enrolment.phase,
        "since": enrolment.phase_since,
        "milestones": list(enrolment.milestones),
        "state": enrolment.state.value,
        "courses": [
            {"course": u.item, "step": u.step, "state": u.state.value, "since": u.since}
            for u in courses.of(tx, enrolment.id)
        ],
        "evenings": [day.isoformat() for day in meetings.came_to(tx, enrolment.id, date.min)],
        "confirmations": [
            {**sent, "organization": _name(tx, str(sent["organization"]), person)}
            for sent in attendance_ends.taken_home(tx, person.id, enrolment)
        ],
        **safety_lists.taken_home(tx, person.id, enrolment, person.language),
    }


def _acts(tx: Tx, person: Person, seats: list[Any]) -> list[Json]:
    """What a mentor or worker did, by day: no member's code, no matter of somebody else."""
    made = [c for c in tx.find(CheckIn, saved_by=person.id) if c.kind not in own_checkins.ABOUT_ONESELF]
    acts = [{"what": "check_in", "at": c.saved_at} for c in made]
    acts += [{"what": "meeting", "at": m.kept_at} for m in tx.find(Meeting, kept_by=person.id)]
    heard = {r.consent_id: r.made_at for r in tx.find(WordReceipt, witness_id=person.id)}
    acts += [{"what": "yes_heard", "at": at} for at in heard.values()]
    for organization_id in {s.organization_id for s in seats if s.role is Role.WORKER}:
        offers = tx.find(Offer, organization_id=organization_id, decided_by=person.id)
        acts += [{"what": "decision", "at": o.decided_at} for o in offers]
    return sorted(acts, key=lambda act: str(act["at"]))


def _matter(tx: Tx, person_id: str, referral_id: str) -> Json:
    referral = doors.own_referral(tx, doors.as_author(person_id), referral_id, Action.REFERRAL_READ)
    person, actor = doors.person_by_id(tx, person_id), doors.as_author(person_id)
    return {
        "code": referral.code,
        "pathway": referral.pathway,
        "category": referral.category,
        "urgency": referral.urgency.value,
        "area": names.place(tx.directory, referral.area, person.language),
        "age_group": referral.age_group.value,
        "stage": referral.stage.value,
        "filed_at": referral.created_at,
        "since": referral.stage_since,
        "kept_until": referral.retain_until,
        "helper": _name(tx, referral.organization_id, person),
        "outcome": referral.outcome.value if referral.outcome else None,
        "outcome_reason": referral.outcome_reason,
        "confirmed": referral.confirmed,
        "not_over": referral.why,
        "words": _opened(tx, actor, referral),
        "messages": _messages(tx, actor, referral, person),
        "for_somebody": [_for_somebody(referral)] if referral.behalf else [],
        "consents": [_consent(tx, actor, c) for c in tx.find(Consent, referral_id=referral.id)],
        **_on_the_way(tx, referral),
        "circle": circle_sides.taken_home(tx, referral),
        "parts": _parts(tx, referral),
        "about": _about_whom(tx, referral, person),
        "tracking_code_made_at": [t.made_at for t in tx.find(Tracking, referral_id=referral.id)],
        "readers": [
            {"organization": r.organization, "role": r.role_key.partition(".")[2], "at": r.at}
            for r in readers.of(tx, actor, referral, person.language)
        ],
    }


def _on_the_way(tx: Tx, referral: Referral) -> Json:
    """Tries to reach them, set times, and what partners asked: codes and moments."""
    asked = [o for o in tx.find(Offer, referral_id=referral.id) if o.question]
    return {
        "tries": [{"tried": a.how, "at": a.at} for a in tx.find(Attempt, referral_id=referral.id)],
        "appointments": [
            {"appointment": a.state.value, "at": a.at} for a in tx.find(Appointment, referral_id=referral.id)
        ],
        "asked": [
            {"question": o.question, "answer": f"{o.question}.{o.answer}" if o.answer else ""} for o in asked
        ],
    }


def _parts(tx: Tx, referral: Referral) -> list[Json]:
    """Of a plan of several parts: each, and how far it is; what a partner did is a matter of its own."""
    standing = {task.kind: task for task in tx.find(Task, referral_id=referral.id)}
    pathway = tx.catalogue.pathways.get(referral.pathway)
    known = [standing[kind.id] for kind in (pathway.tasks if pathway else ()) if kind.id in standing]
    return [{"part": task.kind, "state": task.state.value, "since": task.since} for task in known]


def _about_whom(tx: Tx, referral: Referral, person: Person) -> list[Json]:
    """Whom a complaint was said to be about: codes, and organisations by name."""
    about = complaints.standing(tx, referral) if complaints.hidden(tx, referral) else complaints.NOBODY_NAMED
    whom: list[Json] = [{"whom": each} for each in complaints.WHOM if each in about.whom]
    return whom + [{"organization": _name(tx, each, person)} for each in sorted(about.organizations)]


def _opened(tx: Tx, actor: Actor, referral: Referral) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for data_class in DataClass:
        if tx.sealed_exists(referral.record, data_class):
            found.update(tx.open_sealed(actor, referral.record, data_class))
    return {column: found[column] for column in sorted(found)}


def _messages(tx: Tx, actor: Actor, referral: Referral, person: Person) -> list[Json]:
    """Both sides of every thread of theirs: a partner is an organisation, never a worker."""
    lines: list[Json] = []
    for offer in tx.find(Offer, referral_id=referral.id):
        entries = tx.find(ThreadEntry, offer_id=offer.id)
        texts: dict[str, str] = {}
        for record in dict.fromkeys(e.record for e in entries):
            texts.update(tx.open_sealed(actor, record, matching.pathway_of(tx, referral).words))
        partner = _name(tx, offer.organization_id, person)
        lines += [
            {"from": _from(e, partner), "at": e.written_at, "text": texts.get(e.id, "")} for e in entries
        ]
    return sorted(lines, key=lambda line: str(line["at"]))


def _from(entry: ThreadEntry, partner: str) -> str:
    if entry.from_desk:
        return Role.COORDINATOR.value
    return partner if entry.from_partner else "me"


def _for_somebody(referral: Referral) -> Json:
    return {"why": referral.behalf, "agreed": referral.behalf_agreed, "until": referral.behalf_until}


def _consent(tx: Tx, actor: Actor, given: Consent) -> Json:
    wishes = tx.open_sealed(actor, given.record, DataClass.STORY)
    return {
        "text": given.text,
        "language": given.language,
        "given_at": given.given_at,
        "until": given.until,
        "withdrawn_at": given.withdrawn_at,
        "assent": given.assent,
        "left_out": sorted(" ".join(wishes.values()).split()),
    }


def _name(tx: Tx, organization_id: str | None, person: Person) -> str:
    found = tx.directory.organizations.get(organization_id or "")
    return names.named(found.names, person.language) if found else ""
