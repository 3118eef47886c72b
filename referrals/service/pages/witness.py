"""Page 'witness': a checkpoint of the audit, for whoever keeps it out of the network's reach."""

from __future__ import annotations

from referrals.access import Action
from referrals.ports import Tx
from referrals.service.pages.page import Body, Page, Verb
from referrals.service.stewards import witnessing
from referrals.views import Step, WitnessView


def witness_view(tx: Tx, person_id: str, subject: str, body: Body) -> WitnessView:
    """Page 'witness': the note, its short mark, and what to do with it. `subject` '' is the newest."""
    actor, found = witnessing.seen_by(tx, person_id, subject)
    kept = actor.organization_id in found.kept_by
    return WitnessView(
        number=int(found.id),
        at=found.at,
        note=found.note,
        mark=tuple(witnessing.mark_of(found.note).split("-")),
        what_key="page.witness.kept" if kept else "page.witness.what",
        kept=kept,
        steps=() if kept else (Step("kept", "page.step.witness_kept"),),
    )


def witness_kept(tx: Tx, person_id: str, subject: str, body: Body) -> WitnessView:
    """'We have put it away.'"""
    witnessing.kept(tx, person_id, subject)
    return witness_view(tx, person_id, subject, {})


WITNESS = Page(Verb(Action.AUDIT_WITNESS, witness_view), {"kept": Verb(Action.AUDIT_WITNESS, witness_kept)})
