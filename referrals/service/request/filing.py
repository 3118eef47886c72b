"""The yes that binds: what was read is what is agreed to, texts are sealed, and the search begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import consent as consents
from referrals import routing
from referrals.access import Action
from referrals.calling import SafeTimes, write
from referrals.directory import SUPERVISING
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
from referrals.said import Button, Priority
from referrals.service.common import complaints, doors, limits, tell
from referrals.service.matter import matching, offering
from referrals.service.request import (
    behalf,
    desk_first,
    drafts,
    plans,
    safe_times,
    several,
    task_plans,
    young,
)
from referrals.views import FiledView

SOON = "consent_soon"  # the timer
ASK_BEFORE = timedelta(days=14)  # of a yes that ends while somebody helps (`going_on.py`)


class PlanChanged(Refused):
    """The plan is not the one that was read (a partner closed): shown again, nothing filed."""

    code = "error.plan_changed"


class MayFileForNobody(Refused):
    """Whoever works for a body that holds or supervises people says no yes to a plan: a mentor hears it."""

    code = "error.may_file_for_nobody"


@dataclass(frozen=True, slots=True)
class Filing:
    """The yes: the digest of the words that were shown, and the sealed texts."""

    wishes: plans.Wishes
    consent_digest: str
    story: str = ""
    contact: str = ""
    times: SafeTimes | None = None  # when it is safe to call
    assent: str = ""  # somebody under 18: whose yes it is (`young.ASSENTS`)
    home: str = ""  # and whether somebody at home may be spoken with


_STEPS = {
    Stage.DRAFT: Step.FILE,
    Stage.UNMATCHED: Step.REMATCH,
    Stage.AWAITING_CONSENT: Step.CONSENT,
}


@dataclass(frozen=True, slots=True)
class Yes:
    """What somebody has agreed to, in which words; `witness_id`: who read them out, where somebody did."""

    wishes: plans.Wishes
    plan: routing.Plan
    text: str
    language: str
    witness_id: str | None
    assent: str = ""


def file_request(tx: Tx, person_id: str, referral_id: str, filing: Filing) -> FiledView:
    """The person's own yes: a draft, an unmatched matter, or what a mentor wrote for them.

    Pressed twice: the same receipt.
    """
    referral = doors.to_plan(tx, person_id, referral_id)
    if awaits_yes(referral) is None:
        return receipt(tx, referral)
    if _speaks_for_the_held(tx, person_id, referral):
        raise MayFileForNobody
    first = referral.stage is Stage.DRAFT
    if first and filing.wishes.urgency is not Urgency.EMERGENCY:
        limits.check(tx, Doing.DRAFT, person_id, more=0)
        limits.take(tx, Doing.FILING, person_id)
    language = doors.person_by_id(tx, person_id).language
    filed, _ = agree(tx, doors.as_author(person_id), referral, filing, language)
    if first:
        desk_first.count_filing(tx, filed)
    if desk_first.looks_first(tx, referral, filed) or behalf.desk_looks(referral, filed):
        filed = desk_first.hold(tx, filed)
    else:
        offering.start_matching(tx, filed)
    several.carry(tx, doors.as_author(person_id), filed)
    announce(tx, filed)
    return receipt(tx, filed)


def _speaks_for_the_held(tx: Tx, person_id: str, referral: Referral) -> bool:
    """Whether staff of such a body are about to agree to a plan that is made for somebody in their hands."""
    if not task_plans.is_split(tx, referral):
        return False
    held = (tx.directory.organizations.get(s.organization_id or "") for s in doors.seats_of(tx, person_id))
    return any(body is not None and body.kind in SUPERVISING for body in held)


def awaits_yes(referral: Referral) -> Step | None:
    """The step that a yes is now; None where none is asked for."""
    return _STEPS.get(referral.stage)


def agree(
    tx: Tx, actor: Actor, referral: Referral, filing: Filing, language: str, witness_id: str | None = None
) -> tuple[Referral, Consent]:
    """What was read is agreed to: texts are sealed, the consent is written down, the plan stands.

    `referral` as its author may see it, awaiting a yes; `language` of the words; `witness_id`: who read them
    out. PlanChanged where the plan is not the one that was read. The caller starts the search.
    """
    step = _STEPS[referral.stage]
    wishes = plans.with_unseen(tx, referral, filing.wishes)
    wished = wishes.applied(referral)
    if not wished.area or not wished.category:
        raise BadAnswer
    behalf.heed(tx, wished, wishes.behalf)
    wished = replace(wished, urgency=complaints.urgency(tx, wished))
    plan = plans.make(tx, referral, wishes)
    text = plans.consent_text(tx, wished, plan, language, wishes.behalf)
    if consents.digest(text) != filing.consent_digest:
        raise PlanChanged
    assent = young.check(wished, filing.assent, filing.home, read_out=witness_id is not None)
    _seal_texts(tx, actor, referral, filing)
    young.seal_home(tx, actor, wished, filing.home)
    _withdraw_earlier_consents(tx, referral)
    given = _add_consent(tx, actor, wished, Yes(wishes, plan, text, language, witness_id, assent))
    complaints.keep(tx, wished, wishes.about)
    tx.clear_timers(referral.id)
    filed = tx.save(
        replace(
            move(behalf.applied(wished, wishes.behalf, tx.now), step, tx.now),
            plan=tuple(line.service_id for line in plan.lines),
            position=0,
            hops=0,
            escalated=False,
        )
    )
    if task_plans.is_split(tx, filed):
        task_plans.prepare(tx, filed, plan)
    behalf.watch(tx, filed, given)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{filed.id}", filed.urgency.value))
    return filed, given


def receipt(tx: Tx, referral: Referral) -> FiledView:
    """The receipt: code, where it stands, and the exact words that were agreed to."""
    given = doors.consent_in_force(tx, referral)
    offer = offering.live_offer(tx, referral)
    return FiledView(
        code=referral.code,
        stage_key=complaints.said(tx, referral, f"stage.{referral.stage}"),
        next_by=offer.decide_by if offer else None,
        consent_text=given.text if given else "",
    )


def announce(tx: Tx, filed: Referral) -> None:
    """Whoever must look at once hears of it, and whoever asked has it in their chat."""
    if not filed.by_word:
        for row in tx.find(Conversation, person_id=filed.author_id):
            drafts.forget_conversation(tx, row)
    seen = not complaints.hidden(tx, filed)
    if seen and filed.urgency is Urgency.EMERGENCY:
        tell.tell_desk(tx, "desk.emergency_filed", filed, priority=Priority.CRISIS)
    elif matching.pathway_of(tx, filed).tells_desk:
        tell.tell_desk(tx, "desk.safety_filed", filed)
    if seen and filed.age_group is AgeGroup.CHILD:
        young.tell_focal_point(tx, filed)
    # The conversation has come to this: a place of its own, so that it goes when the matter ends.
    tell.quietly(tx, filed.author_id, tell.TALK, "")
    tell.answer(
        tx,
        filed.author_id,
        "family.filed_desk_first" if filed.stage is Stage.UNMATCHED else "family.filed",
        {"code": filed.code},
        buttons=tell.column(
            [
                *_next_need(tx, filed),
                tell.page_button("button.open", f"matter/{filed.id}"),
                tell.page_button("button.receipt", f"receipt/{filed.id}"),
                tell.press("button.withdraw", "take_back", filed.id),
                # A family may wish to be asked how it is; a member is asked by their own programme.
                *([] if filed.enrolment_id else [tell.press("button.circle", "circle")]),
            ]
        ),
        slot=tell.receipt_slot(filed),
    )


def _next_need(tx: Tx, filed: Referral) -> list[Button]:
    """Something else was chosen in the same conversation and waits for its own yes."""
    waits = several.turn(tx, filed)
    return [] if waits == filed else [tell.page_button("button.next_need", f"plan/{waits.id}")]


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
    if filing.times is not None:
        reach = plans.question_of(pathway, "contact")
        if not reach.max_length:
            raise BadAnswer  # this pathway asks nobody how to reach them
        tx.seal(referral.record, DataClass.CONTACT, safe_times.COLUMN, write(filing.times), holders)


def renew(tx: Tx, actor: Actor, referral: Referral, yes: Yes) -> Consent:
    """A new yes takes the place of the one that stood; the caller has seen that its words were read."""
    _withdraw_earlier_consents(tx, referral)
    return _add_consent(tx, actor, referral, yes)


def _withdraw_earlier_consents(tx: Tx, referral: Referral) -> None:
    for given in tx.find(Consent, referral_id=referral.id):
        if given.withdrawn_at is None:
            tx.save(replace(given, withdrawn_at=tx.now))
            tx.clear_timers(given.id)


def _add_consent(tx: Tx, actor: Actor, referral: Referral, yes: Yes) -> Consent:
    pathway = matching.pathway_of(tx, referral)
    given = Consent(
        id=tx.new_id(),
        referral_id=referral.id,
        plan=tuple(line.service_id for line in yes.plan.lines),
        classes=plans.classes_of(pathway),
        text=yes.text,
        language=yes.language,
        given_at=tx.now,
        until=tx.now + timedelta(days=pathway.consent_days),
        witness_id=yes.witness_id,
        category=referral.category,
        pathway_version=pathway.version,
        assent=yes.assent,
    )
    tx.add(given)
    tx.set_timer("consent_end", given.id, given.until)
    tx.set_timer(SOON, given.id, given.until - ASK_BEFORE)
    holders = [person_holder(actor.person_id), NETWORK]
    for column, text in matching.sealed_wishes(yes.wishes.exclusions).items():
        tx.seal(given.record, DataClass.STORY, column, text, holders)
    return given
