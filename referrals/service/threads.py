"""The thread between a person and the partner who accepted: relayed, sealed, read on secure pages only."""

from __future__ import annotations

from referrals.access import Action, allow
from referrals.errors import BadAnswer, NotFound, NoThread, TooLong, WrongStage
from referrals.model import (
    Actor,
    AuditEntry,
    DataClass,
    Offer,
    Referral,
    Stage,
    ThreadEntry,
    person_holder,
)
from referrals.ports import Tx
from referrals.service import doors, reading, sharing, tell
from referrals.views import ThreadLine

LIMIT = 4000
WRITABLE = (Stage.ACCEPTED, Stage.UNREACHABLE, Stage.IN_SERVICE, Stage.REPORTED, Stage.DISPUTED)


def write(tx: Tx, person_id: str, matter_id: str, text: str) -> ThreadEntry:
    """Write to the other side; the chat there only says that something waits."""
    actor, offer, referral = _either_side(tx, person_id, matter_id, Action.THREAD_WRITE)
    if referral.stage not in WRITABLE:
        raise WrongStage
    if not carries(tx, referral):
        raise NoThread
    if not text.strip():
        raise BadAnswer
    if len(text) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(text))
    from_partner = actor.organization_id is not None
    entry = ThreadEntry(tx.new_id(), offer.id, referral.id, from_partner, person_id, tx.now)
    tx.add(entry)
    tx.seal(offer.thread, DataClass.STORY, entry.id, text.strip(), [person_holder(referral.author_id)])
    sharing.settle(tx, referral)
    tx.audit(AuditEntry(actor, Action.THREAD_WRITE, f"thread:{offer.id}"))
    _tell_other_side(tx, referral, from_partner)
    return entry


def write_once(tx: Tx, person_id: str, matter_id: str, text: str, once: str) -> None:
    """`write`, unless a message with the same mark was taken before: its answer was lost on the way.

    `once` is made by the page for each message that is begun; '' stands for none.
    """
    _either_side(tx, person_id, matter_id, Action.THREAD_WRITE)
    if not once or tx.first_time(f"written:{person_id}:{tx.fingerprint('written', once)}"):
        write(tx, person_id, matter_id, text)


def carries(tx: Tx, referral: Referral) -> bool:
    """Whether both sides may write here now: words are a story, so the partner must be given that class."""
    return referral.stage in WRITABLE and DataClass.STORY in sharing.readable(tx, referral)


def read(tx: Tx, actor: Actor, referral: Referral, language: str) -> tuple[ThreadLine, ...]:
    """What both sides wrote, oldest first.

    Empty while nobody has accepted, when the reader has no key, or has yet to prove the device by PIN.
    """
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    allow(actor, Action.THREAD_READ)
    if offer is None or tx.reading_locked:
        return ()
    entries = tx.find(ThreadEntry, offer_id=offer.id)
    if not entries:
        return ()
    texts = reading.open_for(tx, actor, referral, offer.thread, DataClass.STORY)
    organization = tx.directory.organizations.get(offer.organization_id)
    name = "" if organization is None else organization.names.get(language, organization.id)
    partner_reads = actor.organization_id is not None
    return tuple(
        ThreadLine(
            mine=entry.from_partner == partner_reads,
            who_key="who.partner" if entry.from_partner else "who.person",
            organization=name if entry.from_partner else "",
            text=texts.get(entry.id, ""),
            at=entry.written_at,
        )
        for entry in sorted(entries, key=lambda e: (e.written_at, e.id))
    )


def _either_side(tx: Tx, person_id: str, matter_id: str, action: Action) -> tuple[Actor, Offer, Referral]:
    """The person comes by the referral's id, the partner by its offer's."""
    if tx.get(Offer, matter_id) is not None:
        return doors.served_referral(tx, person_id, matter_id, action)
    actor, referral = doors.author_of(tx, person_id, matter_id, action)
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None:
        raise NotFound
    return actor, offer, referral


def _tell_other_side(tx: Tx, referral: Referral, from_partner: bool) -> None:
    if not from_partner:
        tell.tell_partner(tx, referral, "thread.waiting", opens="button.read", slot=":thread", or_desk=True)
        return
    buttons = ((tell.page_button("button.read", f"matter/{referral.id}"),),)
    code = {"code": referral.code}
    slot = f"thread:{referral.id}"
    tell.tell(tx, referral.author_id, "thread.waiting", code, buttons=buttons, slot=slot)
