"""The thread between a person and the partner who accepted: relayed, sealed, read on secure pages only.

Who may write at which stage is a table (`thread_rules.WRITES`). The desk joins with the person's yes alone
(`thread_share.py`). Once the matter is closed the thread is read-only; the person has one last word, which
has keys of its own, since those of the thread have gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from referrals import thread_rules
from referrals.access import Action, allow
from referrals.errors import BadAnswer, NotFound, NoThread, TooLong, WrongStage
from referrals.limits import Doing
from referrals.model import (
    LAST_WORD,
    SYSTEM,
    Actor,
    AuditEntry,
    Offer,
    Record,
    Referral,
    Role,
    Stage,
    ThreadEntry,
    person_holder,
)
from referrals.persons import SILENT, Person
from referrals.ports import Tx
from referrals.service.common import doors, limits, tell
from referrals.service.help import thread_share
from referrals.service.matter import matching, reading, sharing
from referrals.thread_rules import Side
from referrals.views import ThreadLine

LIMIT = 4000
OPENED = "thread_opened"  # the timer of a read mark


def write(tx: Tx, person_id: str, matter_id: str, text: str) -> ThreadEntry:
    """Write to the other side; the chats there only say that something waits. TooOften for a flood."""
    side, actor, offer, referral = _side(tx, person_id, matter_id, Action.THREAD_WRITE)
    if not thread_rules.may_write(referral.stage, side):
        raise WrongStage
    if not _carried(tx, referral):
        raise NoThread
    if referral.stage is Stage.CLOSED and _had_last_word(tx, offer, referral):
        raise WrongStage
    if not text.strip():
        raise BadAnswer
    if len(text) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(text))
    limits.take(tx, Doing.WRITING, person_id)
    entry = ThreadEntry(
        id=tx.new_id(),
        offer_id=offer.id,
        referral_id=referral.id,
        from_partner=side is Side.PARTNER,
        author_id=person_id,
        written_at=tx.now,
        part=_part(tx, offer, referral),
        from_desk=side is Side.DESK,
    )
    tx.add(entry)
    words = matching.pathway_of(tx, referral).words
    tx.seal(entry.record, words, entry.id, text.strip(), [person_holder(referral.author_id)])
    sharing.settle(tx, referral)
    tx.audit(AuditEntry(actor, Action.THREAD_WRITE, f"thread:{offer.id}"))
    _tell_others(tx, referral, side)
    return entry


def write_once(tx: Tx, person_id: str, matter_id: str, text: str, once: str) -> None:
    """`write`, unless a message with the same mark was taken before: its answer was lost on the way.

    `once` is made by the page for each message that is begun; '' stands for none.
    """
    _side(tx, person_id, matter_id, Action.THREAD_WRITE)
    if not once or tx.first_time(f"written:{person_id}:{tx.fingerprint('written', once)}"):
        write(tx, person_id, matter_id, text)


def carries(tx: Tx, referral: Referral) -> bool:
    """Whether person and partner write here now: the partner must be given what is written here."""
    return referral.stage in thread_rules.TALKING and _carried(tx, referral)


def may_write(tx: Tx, actor: Actor, referral: Referral) -> bool:
    """Whether this reader of a matter finds a field to write in."""
    side = _side_of(actor)
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None or not thread_rules.may_write(referral.stage, side) or not _carried(tx, referral):
        return False
    if side is Side.DESK:
        return desk_reads(tx, referral)
    return referral.stage is not Stage.CLOSED or not _had_last_word(tx, offer, referral)


def desk_reads(tx: Tx, referral: Referral) -> bool:
    """Whether the desk reads along now."""
    return thread_share.possible(tx, referral) and thread_share.of_offer(tx, referral.offer_id) is not None


def read(tx: Tx, actor: Actor, referral: Referral, language: str) -> tuple[ThreadLine, ...]:
    """What all sides wrote, oldest first, as far as this reader has keys.

    Empty while nobody has accepted, for a reader who has opened much today, and before the device has proved
    itself by PIN. What the other side wrote is marked as opened, some hours later.
    """
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    allow(actor, Action.THREAD_READ)
    if offer is None or tx.reading_locked:
        return ()
    entries = tx.find(ThreadEntry, offer_id=offer.id)
    texts = _texts(tx, actor, referral, entries)
    shown = sorted((e for e in entries if e.id in texts), key=lambda e: (e.written_at, e.id))
    _note_opened(tx, actor, shown)
    found = tx.directory.organizations.get(offer.organization_id)
    name = "" if found is None else found.names.get(language, found.id)
    mine = _side_of(actor)
    return tuple(
        ThreadLine(
            mine=_writer(entry) is mine,
            who_key=f"who.{_writer(entry)}",
            organization=name if entry.from_partner else "",
            text=texts[entry.id],
            at=entry.written_at,
            opened=entry.read and _writer(entry) is mine,
        )
        for entry in shown
    )


def mark_opened(tx: Tx, subject: str) -> None:
    """Timer: what somebody opened some hours ago shows as opened, unless they have hidden since.

    `subject` is '<entry>:<who opened it>': that entry and all that its side had written before it.
    """
    entry_id, _, reader_id = subject.partition(":")
    last, reader = tx.get(ThreadEntry, entry_id), tx.get(Person, reader_id)
    if last is None or reader is None or reader.presence in SILENT:
        return
    for entry in tx.find(ThreadEntry, offer_id=last.offer_id, from_partner=last.from_partner, read=False):
        if (entry.written_at, entry.id) <= (last.written_at, last.id) and not entry.from_desk:
            tx.save(replace(entry, read=True))
    tx.audit(AuditEntry(SYSTEM, Action.WAIT_OVER, f"thread:{last.offer_id}", "opened"))


def _note_opened(tx: Tx, actor: Actor, shown: list[ThreadEntry]) -> None:
    other = {Side.PERSON: Side.PARTNER, Side.PARTNER: Side.PERSON}.get(_side_of(actor))
    unread = [entry for entry in shown if _writer(entry) is other and not entry.read]
    if unread:
        subject = f"{unread[-1].id}:{actor.person_id}"
        if not tx.timers_of(subject):
            tx.set_timer(OPENED, subject, thread_rules.shows_at(tx.now))


def _texts(tx: Tx, actor: Actor, referral: Referral, entries: list[ThreadEntry]) -> Mapping[str, str]:
    """Entry to text: of each record of the thread that this reader may open now, and holds a key for."""
    found: dict[str, str] = {}
    records = dict.fromkeys(entry.record for entry in entries)
    for record in [r for r in records if _open_to(tx, actor, referral, r)]:
        if reading.wait(tx, actor, referral):
            break
        try:
            words = matching.pathway_of(tx, referral).words
            found.update(reading.open_for(tx, actor, referral, record, words))
        except NotFound:
            continue  # no key, as after the end of what gave it
    return found


def _open_to(tx: Tx, actor: Actor, referral: Referral, record: Record) -> bool:
    side = _side_of(actor)
    if side is Side.PERSON:
        return True
    if side is Side.DESK:
        standing = thread_share.of_offer(tx, referral.offer_id)
        return standing is not None and standing.record == record and desk_reads(tx, referral)
    if record.table == LAST_WORD:
        return sharing.hears_last_word(tx, referral)
    return sharing.words_open(tx, referral)


def _carried(tx: Tx, referral: Referral) -> bool:
    """Whether the partner may be given words now: at the end by what held until then."""
    if referral.stage is Stage.CLOSED:
        return sharing.hears_last_word(tx, referral)
    return sharing.words_open(tx, referral)


def _part(tx: Tx, offer: Offer, referral: Referral) -> str:
    if referral.stage is Stage.CLOSED:
        return LAST_WORD
    share = thread_share.of_offer(tx, offer.id)
    return share.id if share is not None else ""


def _had_last_word(tx: Tx, offer: Offer, referral: Referral) -> bool:
    said = tx.find(ThreadEntry, offer_id=offer.id, part=LAST_WORD)
    return any(entry.written_at >= referral.stage_since for entry in said)


def _side_of(actor: Actor) -> Side:
    if actor.role is Role.COORDINATOR:
        return Side.DESK
    return Side.PARTNER if actor.role is Role.WORKER else Side.PERSON


def _writer(entry: ThreadEntry) -> Side:
    if entry.from_desk:
        return Side.DESK
    return Side.PARTNER if entry.from_partner else Side.PERSON


def _side(tx: Tx, person_id: str, matter_id: str, action: Action) -> tuple[Side, Actor, Offer, Referral]:
    """The person and the desk come by the referral's id, the partner by its offer's."""
    if tx.get(Offer, matter_id) is not None:
        return Side.PARTNER, *doors.served_referral(tx, person_id, matter_id, action)
    if doors.referral_by_id(tx, matter_id).author_id != person_id:
        return Side.DESK, *thread_share.joined(tx, person_id, matter_id, action)
    actor, referral = doors.author_of(tx, person_id, matter_id, action)
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None:
        raise NotFound
    return Side.PERSON, actor, offer, referral


def _tell_others(tx: Tx, referral: Referral, writer: Side) -> None:
    if writer is not Side.PARTNER:
        desk_helps = referral.stage is not Stage.CLOSED  # a last word asks nobody to do anything
        tell.tell_partner(
            tx, referral, "thread.waiting", opens="button.read", slot=":thread", or_desk=desk_helps
        )
    if writer is not Side.PERSON:
        buttons = ((tell.page_button("button.read", f"matter/{referral.id}"),),)
        slot = f"thread:{referral.id}"
        tell.tell(
            tx, referral.author_id, "thread.waiting", {"code": referral.code}, buttons=buttons, slot=slot
        )
    if writer is not Side.DESK and desk_reads(tx, referral):
        tell.tell_desk(tx, "thread.waiting", referral, slot=thread_share.slot(referral))
