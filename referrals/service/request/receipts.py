"""The receipt of a yes: every yes that was given for a matter, its exact words, from when until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from referrals import schedule
from referrals.access import Action
from referrals.errors import WrongStage
from referrals.lifecycle import ENDED, Step, move
from referrals.model import Consent, Offer, Referral, Stage
from referrals.ports import Tx
from referrals.service.common import doors, names, tell
from referrals.service.turns import closing
from referrals.views import Said, Section


def given_for(tx: Tx, referral: Referral) -> list[Consent]:
    """Every yes, the newest first."""
    return sorted(tx.find(Consent, referral_id=referral.id), key=lambda c: c.given_at, reverse=True)


def sections(tx: Tx, person_id: str, referral: Referral) -> Iterator[Section]:
    """What was agreed to, and what taking it back can do and what it cannot."""
    for place, given in enumerate(given_for(tx, referral)):
        title = "part.receipt.earlier" if place else "part.receipt.yes"
        words = [Said("part.receipt.line", {"line": line}) for line in given.text.splitlines() if line]
        yield Section(title, (*dates(tx, person_id, given), *words))
    key = "part.receipt.was_read" if _was_read(tx, referral) else "part.receipt.not_read"
    yield Section("part.receipt.back", (Said(key), Said("part.receipt.cannot")))


def dates(tx: Tx, person_id: str, given: Consent) -> Iterator[Said]:
    """From when, until when, and how it was given."""
    reader = doors.person_by_id(tx, person_id)

    def on(at: datetime) -> dict[str, str]:
        """With its year: a yes may hold until next spring."""
        day = schedule.local(at, reader.timezone).date()
        return {"day": names.day_in_words(tx.catalogue, day, reader.language)}

    yield Said("part.receipt.from", on(given.given_at))
    if given.withdrawn_at is not None:
        yield Said("part.receipt.ended", on(given.withdrawn_at))
    elif given.until <= tx.now:
        yield Said("part.receipt.ran_out", on(given.until))
    else:
        yield Said("part.receipt.until", on(given.until))
    if given.witness_id is not None:
        yield Said("part.receipt.by_word")
    if given.assent:
        yield Said(f"part.receipt.assent_{given.assent}")


def to_take_back(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """A matter whose yes this person may take back now; NotFound, WrongStage where it has ended."""
    _, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_WITHDRAW)
    if referral.stage is not Stage.WITHDRAWN:
        move(referral, Step.WITHDRAW, tx.now)
    return referral


def take_back(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """One's own yes is taken back in the chat, where it is answered; what else stands there goes still."""
    after = closing.withdraw(tx, person_id, referral_id, aloud=False)
    tell.quietly(tx, person_id, f"matter:{after.id}", "matter.withdrawn", {"code": after.code})
    return after


def can_take_back(tx: Tx, person_id: str) -> list[Referral]:
    """One's own matters that have not ended, the newest last."""
    found = [r for r in tx.find(Referral, author_id=person_id) if r.stage not in (*ENDED, Stage.DRAFT)]
    return sorted(found, key=lambda r: (r.created_at, r.id))


def own(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """A matter of which there is a receipt for this person; WrongStage before there was a yes."""
    _, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_READ)
    if not tx.count(Consent, referral_id=referral.id):
        raise WrongStage
    return referral


def _was_read(tx: Tx, referral: Referral) -> bool:
    """Whether an organisation has opened any of it."""
    records = [referral.record, *(offer.thread for offer in tx.find(Offer, referral_id=referral.id))]
    return any(reading.organization_id is not None for reading in tx.readings(*records))
