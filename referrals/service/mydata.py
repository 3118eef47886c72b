"""What is held about somebody, in words, and the archive that they take home: made, fetched, over.

What stands in it is said in `taken_home.py`. A turn reads one matter.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from referrals import codes
from referrals.access import Action
from referrals.errors import NotFound, PinNeeded
from referrals.limits import Doing
from referrals.members import CheckIn
from referrals.model import SYSTEM, AuditEntry, Consent, Referral, Stage, ThreadEntry, Tracking
from referrals.persons import Device, Download
from referrals.ports import Away, Slow, Tx
from referrals.service import taken_home
from referrals.service.common import doors, limits, names
from referrals.service.members import linking
from referrals.service.people import export_page

DOWNLOAD_LIFE = timedelta(minutes=10)
# The first fetch does not use it up: a preview, a retry or a second half must not lose it (decision 0009).
AFTER_FETCH = timedelta(minutes=2)
PASSPHRASE_BYTES = 10  # 80 random bits: five words
JSON_NAME, PAGE_NAME = "my-data.json", "my-data.html"


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
    found: taken_home.Json = field(default_factory=dict)


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
    gathering = _Gathering(person_id, tuple(r.id for r in _mine(tx, person_id)), taken_home.about(tx, person))
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
        gathering.found["matters"].append(taken_home.matter(tx, gathering.person_id, first))
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
