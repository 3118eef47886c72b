"""Tries to reach somebody after acceptance; three that count, and the matter is 'unreachable'.

Then whoever can help is asked: the person's own phone, for a member by word their mentor, else the desk. One
tap ('they will answer') or a new way to reach them, written on the page, and the partner tries once more.
"""

from __future__ import annotations

from dataclasses import replace

from referrals import turns
from referrals.access import Action
from referrals.casework import Attempt
from referrals.errors import BadAnswer, NoConsent, TooLong, WrongStage
from referrals.lifecycle import HELD, STAGE_WAITS, TRYING, Step, move
from referrals.limits import Doing
from referrals.model import Actor, AuditEntry, DataClass, Offer, Referral, Stage, Urgency, person_holder
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import doors, limits, tell
from referrals.service.help import working
from referrals.service.matter import matching, sharing
from referrals.service.request import plans
from referrals.service.turns import beginning

TIMER = "unreachable"


def tried(tx: Tx, person_id: str, offer_id: str, how: str) -> Referral:
    """A worker tried to reach the person: 'call', 'message' or 'visit' (where that was agreed).

    The same way twice within half an hour is one try: buttons are pressed twice.
    """
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_TRY)
    if how not in turns.HOW_TRIED:
        raise BadAnswer
    if referral.stage not in TRYING:
        raise WrongStage
    if not sharing.readable(tx, referral):
        raise NoConsent  # whoever may not work on calls nobody
    if not beginning.reaches(tx, referral):
        raise WrongStage  # nor does whoever is given no way to
    before = tx.find(Attempt, offer_id=offer.id)
    again = turns.APART[Urgency.EMERGENCY]
    if any(one.how == how and tx.now - one.at < again for one in before):
        return referral
    tx.add(Attempt(tx.new_id(), referral.id, offer.id, tx.now, person_id, how))
    tx.audit(AuditEntry(actor, Action.SERVICE_TRY, f"offer:{offer.id}", how))
    zone = tx.directory.organizations[offer.organization_id].timezone
    enough = turns.unreached([tx.now, *(one.at for one in before)], referral.urgency, zone)
    if referral.stage is Stage.ACCEPTED and enough:
        return _unreachable(tx, actor, referral)
    tell.tell_author(tx, referral, "matter.tried", buttons=buttons(referral))
    return referral


def to_try(tx: Tx, person_id: str, offer_id: str) -> Offer:
    """The offer of a matter that this worker's organisation holds; NotFound for every other one."""
    return doors.served_referral(tx, person_id, offer_id, Action.SERVICE_TRY)[1]


def of(tx: Tx, offer_id: str) -> list[Attempt]:
    """The tries of one turn, oldest first."""
    return sorted(tx.find(Attempt, offer_id=offer_id), key=lambda one: (one.at, one.id))


def try_again(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """'They will answer' (or 'I will'): the partner tries once more. Pressed twice: as once."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.MATTER_ADD)
    if referral.stage not in TRYING:
        raise WrongStage
    if tx.first_time(f"reach:{referral.id}:{tx.now.date().isoformat()}"):
        _helped(tx, actor, referral, "worker.try_again")
    opens = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
    words, slot = {"code": referral.code}, f"matter:{referral.id}"
    tell.answer(tx, person_id, "matter.will_try", words, buttons=opens, slot=slot)
    return referral


def new_way(tx: Tx, person_id: str, referral_id: str, text: str) -> Referral:
    """Another phone, another hour, another place: written on the page, sealed like the first one."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.MATTER_ADD)
    limit = plans.question_of(matching.pathway_of(tx, referral), "contact").max_length
    if referral.stage not in HELD:
        raise WrongStage
    if not text.strip() or not limit:
        raise BadAnswer
    if len(text) > limit:
        raise TooLong(limit=limit, length=len(text))
    limits.take(tx, Doing.WRITING, person_id)
    holder = person_holder(referral.author_id)
    tx.seal(referral.record, DataClass.CONTACT, "contact", text.strip(), [holder])
    sharing.settle(tx, referral)
    _helped(tx, actor, referral, "worker.new_way")
    return referral


def still(tx: Tx, referral_id: str) -> None:
    """Timer: three days, and still nobody has been reached. The desk decides; the partner is reminded."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.UNREACHABLE:
        return
    again = referral.escalated
    working.escalate(tx, referral, "desk.unreachable")
    if again:
        tell.tell_desk(tx, "desk.unreachable", referral, everybody=True)
    tell.tell_partner(tx, referral, "worker.still_unreachable", opens="button.open")
    tx.set_timer(TIMER, referral.id, tx.now + STAGE_WAITS[Stage.UNREACHABLE].of(referral.urgency))


def _unreachable(tx: Tx, actor: Actor, referral: Referral) -> Referral:
    after = tx.save(replace(move(referral, Step.NOT_REACHED, tx.now), escalated=False))
    tx.audit(AuditEntry(actor, Action.SERVICE_TRY, f"referral:{referral.id}", "unreachable"))
    tx.clear_timer("first_contact", after.id)
    tx.set_timer(TIMER, after.id, tx.now + STAGE_WAITS[Stage.UNREACHABLE].of(after.urgency))
    sharing.settle(tx, after)
    tell.settle_desk(tx, after)
    text = "matter.unreachable_member" if after.by_word else "matter.unreachable"
    told = tell.tell_author(tx, after, text, buttons=buttons(after))
    if not told or not after.by_word:
        # Whoever could not be reached may not read this either: somebody else must look now.
        working.escalate(tx, after, "desk.unreachable")
        return doors.referral_by_id(tx, after.id)
    return after


def buttons(referral: Referral) -> Keyboard:
    """Whoever knows how to reach them: one tap, or a page to write another way."""
    return tell.column(
        [
            tell.press("button.they_answer" if referral.by_word else "button.i_answer", "reach", referral.id),
            tell.page_button("button.new_way", f"matter/{referral.id}"),
        ]
    )


def _helped(tx: Tx, actor: Actor, referral: Referral, text: str) -> None:
    tx.audit(AuditEntry(actor, Action.MATTER_ADD, f"referral:{referral.id}", text.partition(".")[2]))
    if referral.stage is Stage.UNREACHABLE:
        tx.set_timer(TIMER, referral.id, tx.now + STAGE_WAITS[Stage.UNREACHABLE].of(referral.urgency))
    tell.tell_partner(tx, referral, text, opens="button.open", or_desk=True)
