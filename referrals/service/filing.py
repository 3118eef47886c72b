"""From a need to a filed request: the draft, the plan that the person reads, and the yes that binds it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from referrals import consent as consents
from referrals import routing
from referrals.access import Action, allow
from referrals.catalogue import Catalogue, Pathway, Question, QuestionKind
from referrals.directory import OrganizationKind
from referrals.errors import BadAnswer, Refused, TooLong
from referrals.lifecycle import STAGE_WAITS, Step, move
from referrals.limits import Doing
from referrals.model import (
    NETWORK,
    SYSTEM,
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
from referrals.service import desk_first, doors, limits, matching, matter_codes, tell
from referrals.views import Choice, FiledView, PlanLine, PlanView


class PlanChanged(Refused):
    """The plan is not the one that was read (a partner closed): shown again, nothing filed."""

    code = "error.plan_changed"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person chose on the page; checked against catalogue and directory."""

    area: str
    urgency: Urgency
    exclusions: routing.Exclusions


@dataclass(frozen=True, slots=True)
class Filing:
    """The yes: the digest of the words that were shown, and the sealed texts."""

    wishes: Wishes
    consent_digest: str
    story: str = ""
    contact: str = ""


def start_draft(
    tx: Tx, actor: Actor, pathway_id: str, category: str, age: AgeGroup, language: str
) -> Referral:
    """A new draft; it is purged after seven days unless it is filed."""
    allow(actor, Action.REFERRAL_FILE)
    pathway = tx.catalogue.pathways[pathway_id]
    if category not in pathway.categories:
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


def read_wishes(tx: Tx, body: Mapping[str, object]) -> Wishes:
    """The page's choices as values; BadAnswer for what is not in catalogue or directory."""
    area = str(body.get("area") or "")
    if area and area not in tx.directory.areas:
        raise BadAnswer
    try:
        urgency = Urgency(str(body.get("urgency") or Urgency.NORMAL))
        kinds = frozenset(OrganizationKind(k) for k in _strings(body.get("exclude_kinds")))
    except ValueError:
        raise BadAnswer from None
    organizations = frozenset(_strings(body.get("exclude_organizations")))
    if not organizations <= set(tx.directory.organizations):
        raise BadAnswer
    return Wishes(area, urgency, routing.Exclusions(organizations, kinds))


def plan_view(tx: Tx, person_id: str, referral_id: str, wishes: Wishes | None = None) -> PlanView:
    """Page 'plan': what can be chosen, who would be asked and why, and the exact words of the consent."""
    referral = doors.own_referral(tx, doors.as_author(person_id), referral_id, Action.REFERRAL_FILE)
    if wishes is None:
        wishes = _standing_wishes(tx, referral)
    language = doors.person_by_id(tx, person_id).language
    plan = _plan(tx, referral, _with_unseen(tx, referral, wishes))
    text = consent_text(tx, referral, plan, language) if wishes.area else ""
    return PlanView(
        category_key=f"category.{referral.category}",
        areas=_area_choices(tx, language, wishes.area),
        urgencies=tuple(
            Choice(u, label_key=f"urgency.{u}", chosen=u is wishes.urgency) for u in reversed(Urgency)
        ),
        organizations=_organization_choices(tx, referral, language, wishes),
        kinds=tuple(
            Choice(k, label_key=f"kind.{k}", chosen=k in wishes.exclusions.kinds)
            for k in matching.pathway_of(tx, referral).receivers
        ),
        plan=_plan_lines(tx, plan, language) if wishes.area else (),
        nobody=bool(wishes.area) and not plan.lines,
        consent_text=text,
        consent_digest=consents.digest(text) if text else "",
        note_limit=_question(matching.pathway_of(tx, referral), "story").max_length,
        emergency_lines=tx.directory.emergency_lines(wishes.area),
    )


def _standing_wishes(tx: Tx, referral: Referral) -> Wishes:
    """What was chosen before. A private wish stands until the person takes it back, not until a new plan."""
    author = doors.as_author(referral.author_id)
    exclusions = routing.Exclusions() if tx.reading_locked else _earlier_exclusions(tx, author, referral)
    return Wishes(referral.area, referral.urgency, exclusions)


def _with_unseen(tx: Tx, referral: Referral, wishes: Wishes) -> Wishes:
    """Without the PIN earlier private wishes do not show, so nobody has taken them back: they hold.

    A plan is chosen and filed without a PIN; who was left out before is read with one.
    """
    if not tx.reading_locked:
        return wishes
    unseen, chosen = _earlier_exclusions(tx, SYSTEM, referral), wishes.exclusions
    both = routing.Exclusions(chosen.organizations | unseen.organizations, chosen.kinds | unseen.kinds)
    return replace(wishes, exclusions=both)


def _earlier_exclusions(tx: Tx, actor: Actor, referral: Referral) -> routing.Exclusions:
    given = max(tx.find(Consent, referral_id=referral.id), key=lambda c: c.given_at, default=None)
    return matching.wishes_of(tx, actor, given) if given else routing.Exclusions()


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
    wishes = _with_unseen(tx, referral, filing.wishes)
    plan = _plan(tx, referral, wishes)
    text = consent_text(tx, referral, plan, language)
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


def forget_conversation(tx: Tx, row: Conversation) -> None:
    """The form is done or given up: its answers are destroyed, what became of them stays."""
    tx.destroy(row.record)
    tx.clear_timers(row.id)
    tx.remove(row)


def purge_draft(tx: Tx, referral_id: str) -> None:
    """Timer: a draft that nobody finished in seven days is destroyed."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is Stage.DRAFT:
        tx.destroy(referral.record)
        tx.remove(referral)
        tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"referral:{referral.id}", "draft"))


def consent_text(tx: Tx, referral: Referral, plan: routing.Plan, language: str) -> str:
    """The plain words that the yes is given to, in the reader's language, partners in their order."""
    pathway = matching.pathway_of(tx, referral)
    words = tx.catalogue.words
    until = day_in_words(tx.catalogue, (tx.now + timedelta(days=pathway.consent_days)).date(), language)
    if not plan.lines:
        return words("consent.nobody", language, until=until)
    partners = "\n".join(
        f"{n}. {named(tx.directory.organizations[line.organization_id].names, language)}"
        for n, line in enumerate(plan.lines, 1)
    )
    classes = ", ".join(words(f"class.{c}", language) for c in _classes(pathway))
    return words("consent.text", language, partners=partners, classes=classes, until=until)


def day_in_words(catalogue: Catalogue, day: date, language: str) -> str:
    """A day as people say it, in the era in which their language counts its years."""
    spoken = catalogue.languages.get(language)
    year = day.year + (spoken.years_added if spoken else 0)
    month = catalogue.words(f"date.month.{day.month}", language)
    return catalogue.words("date.day", language, day=str(day.day), month=month, year=str(year))


def _after_filing(tx: Tx, filed: Referral) -> None:
    for row in tx.find(Conversation, person_id=filed.author_id):
        forget_conversation(tx, row)
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
        question = _question(pathway, column)
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
    tx: Tx, actor: Actor, referral: Referral, wishes: Wishes, plan: routing.Plan, text: str, language: str
) -> None:
    pathway = matching.pathway_of(tx, referral)
    given = Consent(
        id=tx.new_id(),
        referral_id=referral.id,
        plan=tuple(line.service_id for line in plan.lines),
        classes=_classes(pathway),
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


def _plan(tx: Tx, referral: Referral, wishes: Wishes) -> routing.Plan:
    if not wishes.area:
        return routing.Plan()
    wished = replace(referral, area=wishes.area, urgency=wishes.urgency)
    asked = frozenset(offer.organization_id for offer in matching.refusals(tx, referral))
    without = replace(wishes.exclusions, organizations=wishes.exclusions.organizations | asked)
    need = matching.need_of(tx, wished, without)
    return routing.make_plan(need, tx.directory, matching.Standings(tx), tx.now.date())


def _classes(pathway: Pathway) -> tuple[DataClass, ...]:
    return pathway.classes[Stage.ACCEPTED]


def _plan_lines(tx: Tx, plan: routing.Plan, language: str) -> tuple[PlanLine, ...]:
    lines = []
    for line in plan.lines:
        organization = tx.directory.organizations[line.organization_id]
        lines.append(
            PlanLine(
                service_id=line.service_id,
                service=named(tx.directory.services[line.service_id].names, language),
                organization=named(organization.names, language),
                kind_key=f"kind.{organization.kind}",
                reasons=tuple((r.key, _shown(tx, dict(r.params), language)) for r in line.reasons),
            )
        )
    return tuple(lines)


def _shown(tx: Tx, params: dict[str, str], language: str) -> dict[str, str]:
    """Reasons carry ids of areas and languages; a person reads their names."""
    shown = dict(params)
    area = tx.directory.areas.get(shown.get("area", ""))
    if area is not None:
        shown["area"] = named(area.names, language)
    spoken = tx.catalogue.languages.get(shown.get("language", ""))
    if spoken is not None:
        shown["language"] = spoken.name
    return shown


def _area_choices(tx: Tx, language: str, chosen: str) -> tuple[Choice, ...]:
    """The area tree in reading order: each parent directly before its children."""
    directory = tx.directory
    children: dict[str | None, list[str]] = {}
    for area in directory.areas.values():
        children.setdefault(area.parent, []).append(area.id)
    found: list[Choice] = []

    def walk(parent: str | None, depth: int) -> None:
        below = [(named(directory.areas[a].names, language), a) for a in children.get(parent, ())]
        for name, area_id in sorted(below, key=lambda one: (in_order(one[0]), one[1])):
            found.append(Choice(area_id, label=name, depth=depth, chosen=area_id == chosen))
            walk(area_id, depth + 1)

    walk(None, 0)
    return tuple(found)


def _organization_choices(tx: Tx, referral: Referral, language: str, wishes: Wishes) -> tuple[Choice, ...]:
    """Organisations that have a service for this need: any of them can be left out."""
    offering = {s.organization_id for s in tx.directory.services_of_category.get(referral.category, ())}
    names = ((named(tx.directory.organizations[o].names, language), o) for o in offering)
    found = sorted(names, key=lambda one: (in_order(one[0]), one[1]))
    return tuple(Choice(o, label=name, chosen=o in wishes.exclusions.organizations) for name, o in found)


def _question(pathway: Pathway, column: str) -> Question:
    """The form's question for a sealed text; a pathway without it takes none (limit 0)."""
    for question in pathway.form.questions:
        if question.id == column:
            return question
    return Question(column, QuestionKind.TEXT, "page", data_class=DataClass.STORY, max_length=0)


def in_order(name: str) -> str:
    """To sort names by: Thai puts some vowels before the consonant by which a word is looked up."""
    return re.sub("([เ-ไ])(.)", r"\2\1", name)


def named(names: Mapping[str, str], language: str) -> str:
    """A directory name in somebody's language, else in English, else in whatever there is."""
    return names.get(language) or names.get("en") or next(iter(names.values()), "")


def _strings(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
