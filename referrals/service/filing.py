"""The yes that binds: what was read is what is agreed to, texts are sealed, and the search begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import consent as consents
from referrals import routing
from referrals.access import Action
from referrals.errors import BadAnswer, Refused, TooLong
from referrals.lifecycle import Step, move
from referrals.limits import Doing
from referrals.model import (
    NETWORK,
    Actor,
    AgeGroup,
    AuditEntry,
    Consent,
    DataClass,
    Referral,
    Stage,
    Urgency,
    person_holder,
)
from referrals.persons import Conversation
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service import desk_first, doors, drafts, limits, matching, plans, tell
from referrals.views import FiledView


class PlanChanged(Refused):
    """The plan is not the one that was read (a partner closed): shown again, nothing filed."""

    code = "error.plan_changed"


@dataclass(frozen=True, slots=True)
class Filing:
    """The yes: the digest of the words that were shown, and the sealed texts."""

    wishes: plans.Wishes
    consent_digest: str
    story: str = ""
    contact: str = ""


def file_request(tx: Tx, person_id: str, referral_id: str, filing: Filing) -> FiledView:
    """File a draft (or give a new yes for an unmatched matter). Pressed twice: the same receipt."""
    actor = doors.as_author(person_id)
    referral = doors.own_referral(tx, actor, referral_id, Action.REFERRAL_FILE)
    step = {Stage.DRAFT: Step.FILE, Stage.UNMATCHED: Step.REMATCH}.get(referral.stage)
    if step is None:
        return receipt(tx, referral)
    if not filing.wishes.area:
        raise BadAnswer
    if step is Step.FILE and filing.wishes.urgency is not Urgency.EMERGENCY:
        limits.check(tx, Doing.DRAFT, person_id, more=0)
        limits.take(tx, Doing.FILING, person_id)
    language = doors.person_by_id(tx, person_id).language
    wishes = plans.with_unseen(tx, referral, filing.wishes)
    plan = plans.make(tx, referral, wishes)
    text = plans.consent_text(tx, referral, plan, language)
    if consents.digest(text) != filing.consent_digest:
        raise PlanChanged
    _seal_texts(tx, actor, referral, filing)
    _withdraw_earlier_consents(tx, referral)
    _add_consent(tx, actor, referral, wishes, plan, text, language)
    tx.clear_timers(referral.id)
    filed = tx.save(
        replace(
            move(referral, step, tx.now),
            area=wishes.area,
            urgency=wishes.urgency,
            plan=tuple(line.service_id for line in plan.lines),
            position=0,
            hops=0,
            escalated=False,
        )
    )
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{filed.id}", filed.urgency.value))
    if step is Step.FILE:
        desk_first.count_filing(tx, filed)
    if desk_first.looks_first(tx, referral, filed):
        filed = desk_first.hold(tx, filed)
    else:
        matching.start_matching(tx, filed)
    _after_filing(tx, filed)
    return receipt(tx, filed)


def receipt(tx: Tx, referral: Referral) -> FiledView:
    """The receipt: code, where it stands, and the exact words that were agreed to."""
    given = doors.consent_in_force(tx, referral)
    offer = matching.live_offer(tx, referral)
    return FiledView(
        code=referral.code,
        stage_key=f"stage.{referral.stage}",
        next_by=offer.decide_by if offer else None,
        consent_text=given.text if given else "",
    )


def _after_filing(tx: Tx, filed: Referral) -> None:
    for row in tx.find(Conversation, person_id=filed.author_id):
        drafts.forget_conversation(tx, row)
    if filed.urgency is Urgency.EMERGENCY:
        tell.tell_desk(tx, "desk.emergency_filed", filed, priority=Priority.CRISIS)
    if filed.age_group is AgeGroup.CHILD:
        # In a place of its own: it must not push an emergency's alert out of the outbox.
        tell.tell_desk(tx, "desk.young_person", filed, slot=f"young:{filed.id}")
    tell.answer(
        tx,
        filed.author_id,
        "family.filed_desk_first" if filed.stage is Stage.UNMATCHED else "family.filed",
        {"code": filed.code},
        buttons=((tell.page_button("button.open", f"matter/{filed.id}"),),),
    )


def _seal_texts(tx: Tx, actor: Actor, referral: Referral, filing: Filing) -> None:
    """Story and contact are the person's own copy first; a partner gets wraps at acceptance."""
    pathway = matching.pathway_of(tx, referral)
    holders = [person_holder(actor.person_id)]
    for column, text in (("story", filing.story), ("contact", filing.contact)):
        question = plans.question_of(pathway, column)
        if len(text) > question.max_length:
            raise TooLong(limit=question.max_length, length=len(text))
        if text.strip():
            tx.seal(referral.record, question.data_class, column, text.strip(), holders)


def _withdraw_earlier_consents(tx: Tx, referral: Referral) -> None:
    for given in tx.find(Consent, referral_id=referral.id):
        if given.withdrawn_at is None:
            tx.save(replace(given, withdrawn_at=tx.now))
            tx.clear_timers(given.id)


def _add_consent(
    tx: Tx,
    actor: Actor,
    referral: Referral,
    wishes: plans.Wishes,
    plan: routing.Plan,
    text: str,
    language: str,
) -> None:
    pathway = matching.pathway_of(tx, referral)
    given = Consent(
        id=tx.new_id(),
        referral_id=referral.id,
        plan=tuple(line.service_id for line in plan.lines),
        classes=plans.classes_of(pathway),
        text=text,
        language=language,
        given_at=tx.now,
        until=tx.now + timedelta(days=pathway.consent_days),
    )
    tx.add(given)
    tx.set_timer("consent_end", given.id, given.until)
    holders = [person_holder(actor.person_id), NETWORK]
    organizations = " ".join(sorted(wishes.exclusions.organizations))
    kinds = " ".join(sorted(wishes.exclusions.kinds))
    tx.seal(given.record, DataClass.STORY, "exclude_organizations", organizations, holders)
    tx.seal(given.record, DataClass.STORY, "exclude_kinds", kinds, holders)
