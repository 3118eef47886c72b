"""What is being written and was not asked for yet: drafts, and the form that they come from."""

from __future__ import annotations

from referrals.access import Action, allow
from referrals.errors import BadAnswer
from referrals.lifecycle import STAGE_WAITS
from referrals.limits import Doing
from referrals.model import SYSTEM, Actor, AgeGroup, AuditEntry, Referral, Stage, Urgency
from referrals.persons import Conversation
from referrals.ports import Tx
from referrals.service.common import doors, limits
from referrals.service.matter import circle_sides, matter_codes


def start_draft(
    tx: Tx, actor: Actor, pathway_id: str, category: str, age: AgeGroup, language: str
) -> Referral:
    """A new draft; it is purged after seven days unless it is filed."""
    allow(actor, Action.REFERRAL_FILE)
    pathway = tx.catalogue.pathways[pathway_id]
    if category not in (pathway.needs if category else ("",)):
        raise BadAnswer
    draft = Referral(
        id=tx.new_id(),
        code=matter_codes.fresh(tx),
        pathway=pathway.id,
        pathway_version=pathway.version,
        author_id=actor.person_id,
        category=category,
        language=language,
        urgency=Urgency.NORMAL,
        area="",
        age_group=age,
        stage=Stage.DRAFT,
        stage_since=tx.now,
        created_at=tx.now,
    )
    tx.add(draft)
    # Counted and not refused: it may become an emergency. What is too much is told at the filing.
    limits.note(tx, Doing.DRAFT, actor.person_id)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{draft.id}", "draft"))
    tx.set_timer("draft_purge", draft.id, tx.now + STAGE_WAITS[Stage.DRAFT].normal)
    return draft


def purge_draft(tx: Tx, referral_id: str) -> None:
    """Timer: a draft that nobody finished in seven days is destroyed."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.DRAFT:
        circle_sides.forget(tx, referral.id)
        tx.destroy(referral.record)
        tx.remove(referral)
        tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"referral:{referral.id}", "draft"))


def forget_conversation(tx: Tx, row: Conversation) -> None:
    """The form is done or given up: its answers are destroyed, what became of them stays."""
    tx.destroy(row.record)
    tx.clear_timers(row.id)
    tx.remove(row)
