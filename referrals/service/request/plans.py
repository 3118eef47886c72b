"""The plan that somebody reads before they say yes: who would be asked, why, and the exact words.

A view changes nothing; what is agreed to is filed by `filing.py`, which makes the same plan again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from referrals import consent as consents
from referrals import routing
from referrals.catalogue import Pathway, Question, QuestionKind
from referrals.directory import OrganizationKind
from referrals.errors import BadAnswer
from referrals.model import SYSTEM, Actor, AgeGroup, Consent, DataClass, Referral, Stage, Urgency
from referrals.ports import Tx
from referrals.service.common import complaints, doors, emergency, names
from referrals.service.matter import circle_sides, matching
from referrals.service.request import behalf, must_be, plan_choices, several, task_plans
from referrals.service.request.behalf import DECIDES, Behalf
from referrals.service.turns import onward
from referrals.views import Choice, PlanLine, PlanView


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person chose on the page; checked against catalogue and directory."""

    area: str
    urgency: Urgency
    exclusions: routing.Exclusions
    # '' and None: as it was written before.
    category: str = ""
    language: str = ""
    age: AgeGroup | None = None
    behalf: Behalf = DECIDES  # or for somebody who cannot decide
    about: complaints.About = complaints.NOBODY_NAMED  # whom a complaint is about
    gender: str | None = None  # None: as it was written before

    def applied(self, referral: Referral) -> Referral:
        """The matter as it is wished for."""
        return replace(
            referral,
            area=self.area,
            urgency=self.urgency,
            category=self.category or referral.category,
            language=self.language or referral.language,
            age_group=self.age or referral.age_group,
            gender=referral.gender if self.gender is None else self.gender,
        )


def read_wishes(tx: Tx, body: Mapping[str, object]) -> Wishes:
    """The page's choices as values; BadAnswer for what is not in catalogue or directory."""
    area = str(body.get("area") or "")
    if area and area not in tx.directory.areas:
        raise BadAnswer
    try:
        urgency = Urgency(str(body.get("urgency") or Urgency.NORMAL))
        kinds = frozenset(OrganizationKind(k) for k in _strings(body.get("exclude_kinds")))
        age = AgeGroup(str(body["age"])) if body.get("age") else None
    except ValueError:
        raise BadAnswer from None
    organizations = frozenset(_strings(body.get("exclude_organizations")))
    if not organizations <= set(tx.directory.organizations):
        raise BadAnswer
    category, language = str(body.get("category") or ""), str(body.get("language") or "")
    if category not in ("", *tx.catalogue.categories) or language not in ("", *tx.catalogue.languages):
        raise BadAnswer
    must = _strings(body.get("must"))
    exclusions = routing.Exclusions(organizations, kinds, *must_be.read(must))
    for_them = Behalf(*(str(body.get(name) or "") for name in ("behalf", "agreed", "span")))
    about = complaints.read(tx, _strings(body.get("about")), _strings(body.get("about_organizations")))
    gender = must_be.gender(must) if "must" in body else None
    return Wishes(area, urgency, exclusions, category, language, age, for_them, about, gender)


def plan_view(tx: Tx, person_id: str, referral_id: str, wishes: Wishes | None = None) -> PlanView:
    """Page 'plan': what can be chosen, who would be asked and why, and the exact words of the consent."""
    referral = doors.to_plan(tx, person_id, referral_id)
    language = doors.person_by_id(tx, person_id).language
    return view(tx, referral, wishes, language, language)


def view(tx: Tx, referral: Referral, wishes: Wishes | None, language: str, words_in: str) -> PlanView:
    """The same for whoever has passed a door: names in `language`, the words of the consent in `words_in`."""
    if wishes is None:
        wishes = standing_wishes(tx, referral)
    pathway = matching.pathway_of(tx, referral)
    wished = wishes.applied(referral)
    chosen = bool(wishes.area and wished.category)
    plan = make(tx, referral, with_unseen(tx, referral, wishes))
    text = consent_text(tx, wished, plan, words_in, wishes.behalf) if chosen else ""
    return PlanView(
        category_key=f"category.{wished.category}" if wished.category else f"pathway.{pathway.id}",
        categories=_category_choices(pathway, wished.category),
        areas=area_choices(tx, language, wishes.area),
        urgencies=tuple(
            Choice(u, label_key=f"urgency.{u}", chosen=u is wishes.urgency)
            for u in plan_choices.urgencies(pathway)
        ),
        organizations=_organization_choices(tx, wished, language, wishes),
        kinds=tuple(
            Choice(k, label_key=f"kind.{k}", chosen=k in wishes.exclusions.kinds) for k in pathway.kinds
        ),
        must=must_be.choices(tx, wished, wishes.exclusions),
        plan=_plan_lines(tx, plan, language) if chosen else (),
        nobody=chosen and not plan.lines,
        consent_text=text,
        consent_digest=consents.digest(text) if text else "",
        note_limit=question_of(pathway, "story").max_length,
        emergency_lines=emergency.lines(tx, wishes.area, language),
        call_now=pathway.tells_desk,
        parted=task_plans.is_split(tx, wished),
        changes=plan_choices.changes(tx, wished, plan, language) if chosen else (),
        **plan_choices.of(tx, wished, wishes.behalf),
        **plan_choices.whom(tx, wished, wishes.about, language),
    )


def standing_wishes(tx: Tx, referral: Referral) -> Wishes:
    """What was chosen before. A private wish stands until the person takes it back, not until a new plan."""
    author = doors.as_author(referral.author_id)
    for_them = DECIDES if referral.stage is Stage.AWAITING_CONSENT else behalf.standing(referral)
    exclusions = routing.Exclusions() if tx.reading_locked else _earlier_exclusions(tx, author, referral)
    return Wishes(referral.area, referral.urgency, exclusions, behalf=for_them)


def with_unseen(tx: Tx, referral: Referral, wishes: Wishes) -> Wishes:
    """Without the PIN earlier private wishes do not show, so nobody has taken them back: they hold.

    A plan is chosen and filed without a PIN; who was left out before is read with one.
    """
    if not tx.reading_locked:
        return wishes
    unseen, chosen = _earlier_exclusions(tx, SYSTEM, referral), wishes.exclusions
    return replace(wishes, exclusions=chosen.joined(unseen))


def _earlier_exclusions(tx: Tx, actor: Actor, referral: Referral) -> routing.Exclusions:
    """Of this matter, else of those of the same conversation, or of the one from which it was proposed."""
    found = tx.find(Consent, referral_id=referral.id)
    if not found and referral.asked_with:
        found = tx.find(Consent, referral_id=[r.id for r in several.beside(tx, referral)])
    if not found and referral.onward_from:
        origin = tx.get(Referral, referral.onward_from)
        same = origin is not None and origin.author_id == referral.author_id
        found = tx.find(Consent, referral_id=referral.onward_from) if same else []
    given = max(found, key=lambda c: c.given_at, default=None)
    return matching.wishes_of(tx, actor, given) if given else routing.Exclusions()


def consent_text(
    tx: Tx, referral: Referral, plan: routing.Plan, language: str, for_them: Behalf = DECIDES
) -> str:
    """The plain words that the yes is given to, in the reader's language, partners in their order.

    `referral` as it is wished for: somebody under 18 gets words that a child reads.
    """
    pathway = matching.pathway_of(tx, referral)
    words = tx.catalogue.words
    until = names.day_in_words(tx.catalogue, (tx.now + timedelta(days=pathway.consent_days)).date(), language)
    code = behalf.words(tx, for_them, language)
    code += "\n\n" + words("consent.by_word", language) if referral.by_word else ""
    young = "_child" if referral.age_group is AgeGroup.CHILD else ""
    classes = ", ".join(words(f"class.{c}", language) for c in classes_of(pathway))
    if task_plans.is_split(tx, referral):
        parts = task_plans.words(tx, referral, plan, language)
        return words(f"consent.parts{young}", language, parts=parts, classes=classes, until=until) + code
    if not plan.lines:
        return words(complaints.said(tx, referral, f"consent.nobody{young}"), language, until=until) + code
    partners = "\n".join(
        f"{n}. {names.named(tx.directory.organizations[line.organization_id].names, language)}"
        for n, line in enumerate(plan.lines, 1)
    )
    return words(f"consent.text{young}", language, partners=partners, classes=classes, until=until) + code


def make(tx: Tx, referral: Referral, wishes: Wishes) -> routing.Plan:
    """Whom these wishes lead to, in order; whoever has said no before is not asked again."""
    wished = wishes.applied(referral)
    if not wished.area or not wished.category:
        return routing.Plan()
    pathway = matching.pathway_of(tx, referral)
    if wished.category not in pathway.categories:
        raise BadAnswer
    if wished.urgency not in (referral.urgency, *plan_choices.urgencies(pathway)):
        raise BadAnswer  # an emergency goes past limits and first looks
    behalf.check(pathway, wishes.behalf)
    asked = frozenset(offer.organization_id for offer in matching.refusals(tx, referral))
    asked |= onward.not_again(tx, referral) | circle_sides.others(tx, referral)
    without = replace(wishes.exclusions, organizations=wishes.exclusions.organizations | asked)
    if task_plans.is_split(tx, wished):
        return task_plans.make(tx, wished, without)
    need = matching.need_of(tx, wished, without)
    too_close = need.author_organizations | complaints.too_close(tx, wished, wishes.about)
    need = replace(need, author_organizations=too_close)
    return routing.make_plan(need, tx.directory, matching.Standings(tx), tx.now.date())


def classes_of(pathway: Pathway) -> tuple[DataClass, ...]:
    """What the yes names: the classes that a partner is given once it has accepted."""
    return pathway.classes[Stage.ACCEPTED]


def _plan_lines(tx: Tx, plan: routing.Plan, language: str) -> tuple[PlanLine, ...]:
    lines = []
    for line in plan.lines:
        organization = tx.directory.organizations[line.organization_id]
        lines.append(
            PlanLine(
                service_id=line.service_id,
                service=names.named(tx.directory.services[line.service_id].names, language),
                organization=names.named(organization.names, language),
                kind_key=f"kind.{organization.kind}",
                reasons=tuple((r.key, shown(tx, dict(r.params), language)) for r in line.reasons),
                task_key=f"task.{line.task}" if line.task else "",
            )
        )
    return tuple(lines)


def shown(tx: Tx, params: dict[str, str], language: str) -> dict[str, str]:
    """Reasons carry ids of areas and languages; a person reads their names."""
    shown = dict(params)
    area = tx.directory.areas.get(shown.get("area", ""))
    if area is not None:
        shown["area"] = names.named(area.names, language)
    spoken = tx.catalogue.languages.get(shown.get("language", ""))
    if spoken is not None:
        shown["language"] = spoken.name
    return shown


def area_choices(tx: Tx, language: str, chosen: str) -> tuple[Choice, ...]:
    """The area tree in reading order: each parent directly before its children."""
    directory = tx.directory
    children: dict[str | None, list[str]] = {}
    for area in directory.areas.values():
        children.setdefault(area.parent, []).append(area.id)
    found: list[Choice] = []

    def walk(parent: str | None, depth: int) -> None:
        below = [(names.named(directory.areas[a].names, language), a) for a in children.get(parent, ())]
        for name, area_id in sorted(below, key=lambda one: (names.in_order(one[0]), one[1])):
            found.append(Choice(area_id, label=name, depth=depth, chosen=area_id == chosen))
            walk(area_id, depth + 1)

    walk(None, 0)
    return tuple(found)


def _category_choices(pathway: Pathway, chosen: str) -> tuple[Choice, ...]:
    """What can be asked for, where the pathway has it chosen on the page and not in the chat."""
    if not any(q.kind is QuestionKind.CATEGORY and q.where == "page" for q in pathway.form.questions):
        return ()
    return tuple(Choice(c, label_key=f"category.{c}", chosen=c == chosen) for c in pathway.needs)


def _organization_choices(tx: Tx, referral: Referral, language: str, wishes: Wishes) -> tuple[Choice, ...]:
    """Organisations that have a service for this need: any of them can be left out."""
    offering = {
        s.organization_id
        for category in task_plans.offered(tx, referral)
        for s in tx.directory.services_of_category.get(category, ())
    }
    named = ((names.named(tx.directory.organizations[o].names, language), o) for o in offering)
    found = sorted(named, key=lambda one: (names.in_order(one[0]), one[1]))
    return tuple(Choice(o, label=name, chosen=o in wishes.exclusions.organizations) for name, o in found)


def question_of(pathway: Pathway, column: str) -> Question:
    """The form's question for a sealed text; a pathway without it takes none (limit 0)."""
    for question in pathway.form.questions:
        if question.id == column:
            return question
    return Question(column, QuestionKind.TEXT, "page", data_class=DataClass.STORY, max_length=0)


def _strings(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
