"""'This person also needs …': a partner proposes a further referral, and it waits for the person's own yes.

Nothing of the story travels with it; the person writes what they want to. The partner who proposed it hears
only that it has moved on, at an hour that was set when it proposed: whatever the answer was, and whether
anybody was asked at all. The rule of chains is in `referrals/onward.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from referrals import onward
from referrals.access import Action
from referrals.catalogue import Handling, Pathway
from referrals.errors import BadAnswer, NoConsent, OnwardLoop, TooOften
from referrals.lifecycle import HELD, OPEN, STAGE_WAITS, Step, move
from referrals.members import Enrolment
from referrals.model import SYSTEM, AuditEntry, Offer, Referral, Role, Stage, Urgency
from referrals.onward import Link
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.matter import matter_codes, sharing

FROM = (*HELD, Stage.REPORTED)
NUDGE, AFTER = "onward_nudge", timedelta(hours=24)
ANSWER_WITHIN = STAGE_WAITS[Stage.AWAITING_CONSENT].normal
MOST, WITHIN = 3, timedelta(days=7)  # proposals from one matter: so many in such a stretch of time
# Timers of a proposal, 'offer:category:id': the person is asked; whoever proposed it hears that it moved on.
ASK, OVER = "onward_ask", "onward_over"
ASK_AFTER = timedelta(minutes=1)  # what stands is looked for then, and not while somebody waits for an answer


def propose(tx: Tx, person_id: str, offer_id: str, category: str) -> None:
    """A further need, for which the person is asked. OnwardLoop, BadAnswer, TooOften.

    Where such a need is open already, or came before this one, nobody is bothered again, and the partner does
    not learn of it: nothing is looked for in this turn, and it hears the same a week later, when there is an
    answer or will be none.
    """
    actor, _, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_ONWARD)
    if not sharing.readable(tx, referral):
        raise NoConsent  # whoever may not work on with a matter begins nothing from it either
    if category == referral.category:
        raise OnwardLoop
    if _along(tx, referral, category) is None or referral.stage not in FROM:
        raise BadAnswer
    tx.audit(AuditEntry(actor, Action.SERVICE_ONWARD, f"referral:{referral.id}", "proposed"))
    _count(tx, referral)
    subject = f"{offer_id}:{category}:{tx.new_id()}"
    over = tx.now + ASK_AFTER + ANSWER_WITHIN
    tx.set_timers(((ASK, subject, tx.now + ASK_AFTER), (OVER, subject, over)))


def ask(tx: Tx, subject: str) -> None:
    """Timer: the person is asked, unless they need it already or their matter has moved on meanwhile."""
    offer_id, category, _ = subject.split(":")
    referral = _origin(tx, offer_id)
    if referral is None or referral.stage not in FROM or not sharing.readable(tx, referral):
        return
    pathway = _along(tx, referral, category)
    _in_turn(tx, referral)
    if pathway is None or _stands(tx, referral, category):
        return
    if not onward.may_go_on(chain_of(tx, referral), category):
        return  # of what came before it this partner knows nothing
    waiting = move(_draft(tx, referral, pathway, category), Step.ASK_CONSENT, tx.now)
    tx.add(waiting)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{waiting.id}", "onward"))
    tx.set_timer("consent_wait", waiting.id, tx.now + ANSWER_WITHIN)
    tx.set_timer(NUDGE, waiting.id, tx.now + AFTER)
    _ask(tx, waiting, "onward.waits")


def choices(tx: Tx, referral: Referral) -> tuple[str, ...]:
    """The needs that its partner may propose now, in the pathways' order: all but the one it helps with."""
    if referral.stage not in FROM or not sharing.readable(tx, referral):
        return ()
    offered = dict.fromkeys(c for pathway in _pathways(tx, referral) for c in pathway.categories)
    return tuple(category for category in offered if category != referral.category)


def nudge(tx: Tx, referral_id: str) -> None:
    """Timer: a day without an answer. Whoever can give or ask for the yes is reminded once.

    Not where they have asked for the same on their own meanwhile.
    """
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.AWAITING_CONSENT and not _stands(tx, referral, referral.category):
        _ask(tx, referral, "onward.still_waits")


def moved_on(tx: Tx, subject: str) -> None:
    """Timer: there was an answer, or there will be none; whoever proposed it hears the same words."""
    origin = _origin(tx, subject.partition(":")[0])
    if origin is not None and origin.stage in (*FROM, Stage.DISPUTED, Stage.CLOSED):
        tell.tell_partner(tx, origin, "worker.onward_moved", slot=":onward")


def _origin(tx: Tx, offer_id: str) -> Referral | None:
    """The matter from which it was proposed, as long as it is with whoever proposed it."""
    offer = tx.get(Offer, offer_id)
    referral = tx.get(Referral, offer.referral_id, lock=True) if offer is not None else None
    if referral is None or not referral.author_id or referral.offer_id != offer_id:
        return None
    return referral


def _count(tx: Tx, referral: Referral) -> None:
    """One more proposal, whatever stands already: who could count would know what does."""
    stretch = int(tx.now.timestamp() // WITHIN.total_seconds())
    ends = datetime.fromtimestamp((stretch + 1) * WITHIN.total_seconds(), UTC)
    if tx.tally(f"onward:{referral.id}:{stretch}", ends) > MOST:
        raise TooOften(minutes=max(1, -((tx.now - ends) // timedelta(minutes=1))))


def chain_of(tx: Tx, referral: Referral) -> tuple[Link, ...]:
    """How it came to this referral, the oldest first, itself last."""
    return tuple(
        reversed([Link(r.category, r.organization_id or "") for r in (referral, *_before(tx, referral))])
    )


def not_again(tx: Tx, referral: Referral) -> frozenset[str]:
    """The organisations that its chain has been to, before it or after it: none of them is asked again."""
    near = (*_before(tx, referral), *_after(tx, referral))
    return onward.not_again([Link(r.category, r.organization_id or "") for r in near])


def _before(tx: Tx, referral: Referral) -> Iterator[Referral]:
    for _ in range(onward.DEEPEST):
        origin = tx.get(Referral, referral.onward_from) if referral.onward_from else None
        if origin is None:
            return
        yield origin
        referral = origin


def _after(tx: Tx, referral: Referral, depth: int = onward.DEEPEST) -> Iterator[Referral]:
    for further in tx.find(Referral, onward_from=referral.id) if depth else ():
        yield further
        yield from _after(tx, further, depth - 1)


def _pathways(tx: Tx, referral: Referral) -> list[Pathway]:
    """Along which whoever asked could ask on their own; none that goes past the desk or wakes it."""
    needed = {Role.MEMBER, Role.MENTOR} if referral.by_word else {_role(referral)}
    return [
        p
        for p in tx.catalogue.pathways.values()
        if p.handling is Handling.OFFER
        and needed <= set(p.may_file)
        and p.desk_sees
        and not p.tells_desk
        and p.audience in ("", _role(referral).value)
    ]


def _along(tx: Tx, referral: Referral, category: str) -> Pathway | None:
    """The pathway along which this need may be proposed from here, if there is one."""
    return next((p for p in _pathways(tx, referral) if category in p.categories), None)


def _role(referral: Referral) -> Role:
    return Role.MEMBER if referral.enrolment_id else Role.FAMILY


def _in_turn(tx: Tx, referral: Referral) -> None:
    """What is proposed from two matters of one person comes one by one: the second finds the first."""
    if referral.enrolment_id:
        tx.get(Enrolment, referral.enrolment_id, lock=True)
    phone = _phone(tx, referral)
    if phone:
        tx.get(Person, phone, lock=True)


def _phone(tx: Tx, referral: Referral) -> str:
    """Who has their own phone here: the author, or the member for whom a mentor speaks; '' for nobody."""
    if not referral.by_word:
        return referral.author_id
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    return (enrolment.person_id if enrolment is not None else None) or ""


def _stands(tx: Tx, referral: Referral, category: str) -> bool:
    """Whether the same person has asked for it, or is asked about it, in whichever of their matters."""
    phone = _phone(tx, referral)
    found = tx.find(Referral, author_id=phone, category=category, stage=OPEN) if phone else []
    found = [r for r in found if not r.by_word]  # what they look after as a mentor is somebody else's
    if referral.enrolment_id:
        found += tx.find(Referral, enrolment_id=referral.enrolment_id, category=category, stage=OPEN)
    return any(r.stage is not Stage.DRAFT and r.id != referral.id for r in found)


def _draft(tx: Tx, referral: Referral, pathway: Pathway, category: str) -> Referral:
    """The same person, language and place, and no word of what they wrote."""
    return Referral(
        id=tx.new_id(),
        code=matter_codes.fresh(tx),
        pathway=pathway.id,
        pathway_version=pathway.version,
        author_id=referral.author_id,
        category=category,
        language=referral.language,
        urgency=Urgency.NORMAL,
        area=referral.area,
        age_group=referral.age_group,
        stage=Stage.DRAFT,
        stage_since=tx.now,
        created_at=tx.now,
        enrolment_id=referral.enrolment_id,
        referrer_id=referral.referrer_id,
        gender=referral.gender,
        onward_from=referral.id,
    )


def _ask(tx: Tx, referral: Referral, text: str) -> None:
    """The person on their own phone; a member without one through whoever looks after them."""
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    if not referral.by_word or enrolment is None:
        page = ((tell.page_button("button.read_plan", f"plan/{referral.id}"),),)
        tell.tell_author(tx, referral, text, buttons=page)
        return
    page = ((tell.page_button("button.read_out", f"words/{referral.id}"),),)
    slot = f"needs:{enrolment.id}"
    tell.tell(tx, referral.author_id, f"{text}_mentor", {"code": enrolment.code}, buttons=page, slot=slot)
