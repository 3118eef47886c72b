"""What a matter's page shows of the yes: its versions; for whom it was given; a child's safety at home."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action
from referrals.errors import NotFound
from referrals.lifecycle import ENDED
from referrals.model import Actor, AgeGroup, DataClass, Referral, Role
from referrals.ports import Tx
from referrals.service import behalf, doors, reading, receipts, safe_times, sharing, young
from referrals.service.pages.page import Verb, text_of
from referrals.service.pages.part import Part
from referrals.views import Choice, Said, Section, Step

_AGAIN = Step(
    "behalf_again",
    "page.step.behalf_again",
    needs="reason",
    choices=tuple(Choice(span, label_key=f"span.{span}") for span in behalf.SPANS),
)
_OWN_NO = Step("own_no", "page.step.own_no", needs="yes", danger=True)


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For whoever wrote it, for the desk, and for the partner that holds it: each what concerns them."""
    if referral.behalf and (actor.role is not Role.WORKER or sharing.readable(tx, referral)):
        yield _behalf(tx, actor, referral)
    if referral.age_group is AgeGroup.CHILD and actor.role is Role.WORKER:
        yield from _home(tx, actor, referral)
    mine = actor.role not in (Role.WORKER, Role.COORDINATOR)
    given = receipts.given_for(tx, referral) if mine else []
    if len(given) > 1:
        lines = [line for each in given for line in receipts.dates(tx, actor.person_id, each)]
        yield Section("part.receipt.all", tuple(lines))


def _behalf(tx: Tx, actor: Actor, referral: Referral) -> Section:
    language = doors.person_by_id(tx, actor.person_id).language
    words = tx.catalogue.words
    said = {
        "reason": words(f"behalf.{referral.behalf}", language),
        "agreed": words(f"agreed.{referral.behalf_agreed}", language),
    }
    open_ = referral.stage not in ENDED and actor.role is not Role.WORKER
    steps = (_OWN_NO,) if actor.role is Role.COORDINATOR else (_AGAIN, _OWN_NO)
    lines = (Said("part.behalf.why", said), Said("part.behalf.until", at=referral.behalf_until))
    return Section("part.behalf.title", lines, steps if open_ else ())


def _home(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """'It is not safe', for a partner that agreement and consent name for `safety`."""
    if tx.reading_locked or DataClass.SAFETY not in sharing.readable(tx, referral):
        return
    if not tx.sealed_exists(referral.told, DataClass.SAFETY) or reading.wait(tx, actor, referral):
        return
    try:
        opened = reading.open_for(tx, actor, referral, referral.told, DataClass.SAFETY)
    except NotFound:
        return
    if opened.get(safe_times.HOME) == young.NOT_SAFE:
        yield Section("part.young.title", (Said("part.young.not_safe"),))


PART = Part(
    sections,
    {
        "behalf_again": Verb(
            Action.REFERRAL_FILE, lambda tx, who, it, body: behalf.renew(tx, who, it, text_of(body, "reason"))
        ),
        "own_no": Verb(Action.CONSENT_CUT, lambda tx, who, it, body: behalf.own_no(tx, who, it)),
    },
)
