"""A matter at its partner: who of the organisation has it, and ready-made replies."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action
from referrals.lifecycle import ENDED
from referrals.model import Actor, Offer, Referral, Role
from referrals.ports import Tx
from referrals.service.desk import worker_hands
from referrals.service.help import threads
from referrals.service.pages.page import Verb, text_of
from referrals.service.pages.part import Part
from referrals.views import Choice, Said, Section, Step


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For the workers of the organisation that holds it."""
    if actor.role is not Role.WORKER or referral.stage in ENDED:
        return
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None:
        return
    if threads.may_write(tx, actor, referral):
        choices = tuple(Choice(one, label_key=key) for one, key in worker_hands.replies(tx).items())
        reply = Step("reply", "page.step.reply", "reason", choices)
        yield Section("part.work.replies", (Said("part.work.replies_hint"),), (reply,))
    yield _whose(tx, actor, offer, referral)


def _whose(tx: Tx, actor: Actor, offer: Offer, referral: Referral) -> Section:
    there = worker_hands.people_there(tx, offer, referral)
    held = next((seat for seat in there if seat.person_id == referral.accepted_by), None)
    mine = held is not None and held.person_id == actor.person_id
    steps: list[Step] = []
    own = next((seat for seat in there if seat.person_id == actor.person_id), None)
    if own is not None and not mine:
        choice = (Choice(own.id, label_key="part.work.to_me"),)
        steps.append(Step("hand_to_me", "page.step.hand_to_me", "", choice))
    others = [seat for seat in there if seat.person_id not in (actor.person_id, referral.accepted_by)]
    if others:
        choices = tuple(Choice(seat.id, label=seat.id) for seat in others)
        steps.append(Step("hand", "page.step.hand", "reason", choices))
    said = Said("part.work.you") if mine else Said("part.work.colleague", {"post": held.id if held else "–"})
    return Section("part.work.whose", (said,), tuple(steps), {"reason": own.id} if own else {})


PART = Part(
    sections,
    {
        "hand": Verb(
            Action.SERVICE_HAND,
            lambda tx, who, it, body: worker_hands.hand(tx, who, it, text_of(body, "reason")),
        ),
        "hand_to_me": Verb(
            Action.SERVICE_HAND,
            lambda tx, who, it, body: worker_hands.hand(tx, who, it, text_of(body, "reason")),
        ),
        "reply": Verb(
            Action.THREAD_WRITE,
            lambda tx, who, it, body: worker_hands.reply(tx, who, it, text_of(body, "reason")),
        ),
    },
)
