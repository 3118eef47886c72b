"""The same need asked for twice is proposed as one, and never made one without the person's word.

While a request for the same need is open, whoever begins another is asked: add to that one, or ask anew? What
is added is sealed with what was written first, and whoever helps hears that there is something new.
"""

from __future__ import annotations

from datetime import timedelta

from referrals.access import Action
from referrals.errors import BadAnswer, NotFound, TooLong, TooOften, WrongStage
from referrals.lifecycle import OPEN
from referrals.members import Enrolment
from referrals.model import AuditEntry, Referral, Stage, person_holder
from referrals.persons import Tally
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.matter import matching, sharing
from referrals.service.request import drafts

LIMIT = 4000
MOST_A_DAY = 20
FILED = tuple(stage for stage in OPEN if stage not in (Stage.DRAFT, Stage.AWAITING_CONSENT))
_DAY = timedelta(days=1)


def standing(tx: Tx, draft: Referral) -> Referral | None:
    """The open request for the same need by the same person (or for the same member); None after 'anew'.

    One that waits for this person's yes counts too. What a mentor looks after by word is the mentor's to see.
    """
    if draft.stage is not Stage.DRAFT or not draft.category or tx.get(Tally, _key(draft.id)) is not None:
        return None
    waits = Stage.AWAITING_CONSENT
    found = tx.find(Referral, author_id=draft.author_id, category=draft.category, stage=(*FILED, waits))
    mine = [r for r in found if not r.by_word and r.parent_id is None]
    for tied in tx.find(Enrolment, person_id=draft.author_id):
        mine += tx.find(Referral, enrolment_id=tied.id, category=draft.category, stage=waits)
    return max(mine, key=lambda r: (r.created_at, r.id), default=None)


def anew(tx: Tx, person_id: str, draft_id: str) -> Referral:
    """'No, ask anew': the draft goes its own way, and the question is not put again."""
    draft = _draft(tx, person_id, draft_id)
    tx.tally(_key(draft.id), tx.now + 7 * _DAY)
    return draft


def add_instead(tx: Tx, person_id: str, draft_id: str, text: str) -> Referral:
    """The words go to the request that stands, and the draft is gone."""
    draft = _draft(tx, person_id, draft_id)
    found = standing(tx, draft)
    if found is None or found.stage not in FILED:
        raise WrongStage
    after = add(tx, person_id, found.id, text)
    tx.clear_timers(draft.id)
    drafts.purge_draft(tx, draft.id)
    return after


def add(tx: Tx, person_id: str, referral_id: str, text: str) -> Referral:
    """The person adds to what they wrote. BadAnswer for nothing, TooLong, TooOften; WrongStage at the end."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.MATTER_ADD)
    if referral.stage not in FILED:
        raise WrongStage
    if not text.strip():
        raise BadAnswer
    if len(text) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(text))
    if tx.tally(f"added:{referral.id}:{tx.now:%Y-%m-%d}", tx.now + _DAY) > MOST_A_DAY:
        raise TooOften(minutes=int(_DAY / timedelta(minutes=1)))
    column = f"added.{tx.now:%Y%m%d%H%M%S}.{tx.new_id()}"  # in the order in which it was written
    words = matching.pathway_of(tx, referral).words
    tx.seal(referral.record, words, column, text.strip(), [person_holder(referral.author_id)])
    sharing.settle(tx, referral)
    tx.audit(AuditEntry(actor, Action.MATTER_ADD, f"referral:{referral.id}"))
    tell.tell_partner(tx, referral, "worker.added", opens="button.read", slot=":added", or_desk=False)
    return referral


def _draft(tx: Tx, person_id: str, draft_id: str) -> Referral:
    draft = doors.own_referral(tx, doors.as_author(person_id), draft_id, Action.REFERRAL_FILE)
    if draft.stage is not Stage.DRAFT:
        raise NotFound
    return draft


def _key(draft_id: str) -> str:
    return f"anew:{draft_id}"
