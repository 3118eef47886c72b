"""A member's own phone, tied to their code by a one-time link and by the yes of two people.

The mentor hands the link over (paper, or another phone); opening it and pressing only asks. Both sides see
the same four digits and compare them by voice; then the mentor says yes. Either of them unties at any time.
Used, expired, unknown and foreign links sound alike, and a GET or a link preview uses up none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import codes
from referrals.access import Action
from referrals.errors import NotAllowed, NotFound, StaleButton, StaleLink
from referrals.limits import Doing
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState, Linking
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Session
from referrals.ports import Tx
from referrals.service.common import limits, tell
from referrals.service.members import enrolments

LIFE = timedelta(hours=24)  # to open it, and once more to get the yes
PREFIX = "m-"  # start payloads of such links
TOKEN_BYTES = 16
SHORT = 16  # hex digits of a link's id in a button: 64 bits
TIMER = "linking"


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asks to be tied. `check`: what both sides read to each other; `slot`: the message's place."""

    check: str
    tied: bool
    slot: str


def make(tx: Tx, person_id: str, enrolment_id: str, token: str) -> Linking:
    """A link for one of the person's members; ends earlier ones. `token`: 128 random bits, shown once."""
    actor, enrolment = enrolments.keeping(tx, person_id, enrolment_id)
    for earlier in open_ones(tx, enrolment.id):
        _end(tx, earlier)
    link = Linking(codes.digest(token), enrolment.id, person_id, tx.now + LIFE)
    tx.add(link)
    tx.set_timer(TIMER, link.id, link.expires_at)
    tx.audit(AuditEntry(actor, Action.MEMBER_LINK, f"enrolment:{enrolment.id}", "link made"))
    return link


def look(tx: Tx, person_id: str, token: str) -> None:
    """Whether a link is open to this person, without using it up. StaleLink, or TooOften for who guesses."""
    limits.check(tx, Doing.LINK, person_id)
    _opened(tx, person_id, token)


def take(tx: Tx, person_id: str, token: str) -> Asked:
    """The press: it asks. Pressed again by the same person: how it stands. Raises as `look`."""
    limits.check(tx, Doing.LINK, person_id)
    link, enrolment = _opened(tx, person_id, token, lock=True)
    if link.taken_by is None:
        link = tx.save(replace(link, taken_by=person_id, expires_at=tx.now + LIFE))
        actor = Actor(person_id, Role.FAMILY)
        tx.audit(AuditEntry(actor, Action.MEMBER_LINK, f"enrolment:{enrolment.id}", "asked"))
        tx.set_timer(TIMER, link.id, link.expires_at)
        _ask_mentor(tx, link, enrolment)
    return Asked(check_number(tx, link), link.used_at is not None, slot(link))


def confirm(tx: Tx, person_id: str, short: str) -> Enrolment:
    """'Yes, the numbers are the same': from this turn on the phone is the member's own.

    NotFound for whoever does not look after them, StaleButton when nothing asks any more.
    """
    link, actor, enrolment = _by_short(tx, person_id, short)
    if not enrolments.keeps(tx, person_id, enrolment):
        raise NotAllowed  # a phone that is tied reads on when nobody stands in any more
    if link.used_at is not None and link.taken_by == enrolment.person_id:
        return enrolment
    if link.taken_by is None or link.used_at is not None or link.expires_at <= tx.now:
        raise StaleButton
    if link.taken_by in enrolments.people_of(tx, enrolment):
        raise NotFound  # nobody is their own mentor
    if enrolment.person_id and enrolment.person_id != link.taken_by:
        enrolment = _loosen(tx, actor, enrolment)
    tx.save(replace(link, used_at=tx.now))
    tx.clear_timer(TIMER, link.id)
    tied = replace(enrolment, person_id=link.taken_by)
    saved = enrolments.change(tx, actor, tied, Action.MEMBER_LINK, "tied")
    tx.set_timer(enrolments.RHYTHM, saved.id, tx.now)
    off = ((tell.press("button.untie", "link.off", saved.id),),)
    tell.tell(tx, link.taken_by, "link.tied", buttons=off, slot=slot(link))
    return saved


def refuse(tx: Tx, person_id: str, short: str) -> None:
    """'No, they differ': the link is no more, and whoever pressed hears that nothing was tied."""
    link, actor, enrolment = _by_short(tx, person_id, short)
    if link.used_at is not None:
        raise StaleButton
    tx.audit(AuditEntry(actor, Action.MEMBER_LINK, f"enrolment:{enrolment.id}", "refused"))
    _end(tx, link)


def untie(tx: Tx, person_id: str, enrolment_id: str) -> Enrolment:
    """By the mentor, or by the phone's own holder. What was written on it stays that person's."""
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        raise NotFound
    if enrolment.person_id == person_id:
        actor = Actor(person_id, Role.MEMBER if enrolment.mentor_seat else Role.FAMILY)
    else:
        actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    if enrolment.person_id is None:
        return enrolment
    if not enrolment.mentor_seat:  # a family's own: without its phone there is nobody to ask
        return enrolments.leave(tx, SYSTEM, enrolment)
    by_mentor = enrolment.person_id != person_id
    loose = _loosen(tx, actor, enrolment, aloud=by_mentor)
    tx.set_timer(enrolments.RHYTHM, loose.id, tx.now)
    if not by_mentor:
        for mentor in enrolments.mentors_of(tx, loose)[:1]:
            tell.tell(tx, mentor, "link.was_untied", {"code": loose.code}, slot=f"member:{loose.id}")
    return loose


def tied_to(tx: Tx, person_id: str) -> list[Enrolment]:
    """What this phone is tied to, by code; enrolments that ended left out."""
    found = tx.find(Enrolment, person_id=person_id)
    return sorted((e for e in found if e.state is not EnrolmentState.LEFT), key=lambda e: e.code)


def forget_phone(tx: Tx, person_id: str) -> None:
    """The person is no more: members go on with their mentor, a family's own enrolment ends."""
    for found in tx.find(Enrolment, person_id=person_id):
        enrolment = tx.get(Enrolment, found.id, lock=True)
        if enrolment is None:
            continue
        ended = enrolment if enrolment.mentor_seat else enrolments.leave(tx, SYSTEM, enrolment)
        _loosen(tx, SYSTEM, ended, aloud=False)
    for check_in in tx.find(CheckIn, saved_by=person_id):
        if check_in.kind is CheckInKind.OWN:  # what they said of themselves is theirs to destroy
            tx.destroy(check_in.record)
            tx.clear_timers(check_in.id)
            tx.remove(check_in)
            tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"check_in:{check_in.id}"))
    for link in tx.find(Linking, taken_by=person_id):
        _end(tx, link, aloud=False)


def open_ones(tx: Tx, enrolment_id: str) -> list[Linking]:
    """Links of a member that still lead somewhere."""
    return list(tx.find(Linking, enrolment_id=enrolment_id, used_at=None))


def over(tx: Tx, link_id: str) -> None:
    """Timer: nobody has opened it, or nobody has said yes."""
    link = tx.get(Linking, link_id, lock=True)
    if link is None or link.used_at is not None:
        return
    if link.expires_at > tx.now:
        tx.set_timer(TIMER, link_id, link.expires_at)
        return
    _end(tx, link)


def check_number(tx: Tx, link: Linking) -> str:
    """Four digits, of this link and of the one who asks: with a stolen link they are others."""
    if link.taken_by is None:
        return ""
    return codes.check_number(tx.fingerprint("link-check", f"{link.id}:{link.taken_by}"))


def slot(link: Linking) -> str:
    """The place in both chats of what is said about a link."""
    return f"link:{link.id[:SHORT]}"


def _opened(tx: Tx, person_id: str, token: str, *, lock: bool = False) -> tuple[Linking, Enrolment]:
    link = tx.get(Linking, codes.digest(token), lock=lock)
    enrolment = tx.get(Enrolment, link.enrolment_id) if link is not None else None
    if link is None or enrolment is None or enrolment.state is EnrolmentState.LEFT:
        raise StaleLink
    if link.taken_by not in (None, person_id) or person_id in enrolments.people_of(tx, enrolment):
        raise StaleLink
    if link.used_at is not None and enrolment.person_id != person_id:
        raise StaleLink
    if link.used_at is None and link.expires_at <= tx.now:
        raise StaleLink
    return link, enrolment


def _by_short(tx: Tx, person_id: str, short: str) -> tuple[Linking, Actor, Enrolment]:
    """The link of a button, among those of the person's own members: they are few."""
    for own in enrolments.of_person(tx, person_id):
        for found in tx.find(Linking, enrolment_id=own.id):
            if len(short) == SHORT and found.id.startswith(short):
                actor, enrolment = enrolments.active(tx, person_id, own.id)
                link = tx.get(Linking, found.id, lock=True)
                if link is not None:
                    return link, actor, enrolment
    raise StaleButton


def _ask_mentor(tx: Tx, link: Linking, enrolment: Enrolment) -> None:
    asked = enrolments.people_of(tx, enrolment)
    to = link.made_by if link.made_by in asked else next(iter(enrolments.mentors_of(tx, enrolment)), None)
    if to is None:
        return
    yes = tell.press("button.it_is_them", "link.yes", link.id[:SHORT])
    no = tell.press("button.no", "link.no", link.id[:SHORT])
    params = {"code": enrolment.code, "check": check_number(tx, link)}
    tell.tell(tx, to, "link.is_it_them", params, buttons=((yes,), (no,)), slot=slot(link))


def _loosen(tx: Tx, actor: Actor, enrolment: Enrolment, *, aloud: bool = True) -> Enrolment:
    """The phone is tied no more: what stands there about it goes, and it hears so once."""
    former = enrolment.person_id
    saved = enrolments.change(tx, actor, replace(enrolment, person_id=None), Action.MEMBER_LINK, "untied")
    if former is None:
        return saved
    enrolments.leave_chat(tx, former, saved)
    for session in tx.find(Session, person_id=former):
        tx.remove(session)
    if aloud:
        tell.tell(tx, former, "link.untied", slot=f"member:{saved.id}")
    return saved


def _end(tx: Tx, link: Linking, *, aloud: bool = True) -> None:
    tx.clear_timer(TIMER, link.id)
    tx.remove(link)
    tx.audit(AuditEntry(SYSTEM, Action.MEMBER_LINK, f"enrolment:{link.enrolment_id}", "link ended"))
    if link.taken_by is None or link.used_at is not None or not aloud:
        return
    tell.quietly(tx, link.made_by, slot(link), "")
    tell.tell(tx, link.taken_by, "link.ended", slot=slot(link))
