"""What page 'plan' offers besides the plan: safe times, a child's own yes, on behalf; what has changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from referrals import calling, consent, routing
from referrals.catalogue import Pathway
from referrals.model import AgeGroup, Consent, DataClass, Referral, Stage, Urgency
from referrals.ports import Tx
from referrals.service.common import complaints, names
from referrals.service.matter import matching
from referrals.service.request import behalf, safe_times, young
from referrals.service.request.behalf import Behalf
from referrals.views import Choice


def of(tx: Tx, referral: Referral, said: Behalf) -> dict[str, Any]:
    """The fields of a PlanView with choices, for a matter as it is wished for."""
    pathway = matching.pathway_of(tx, referral)
    child = referral.age_group is AgeGroup.CHILD
    asks = any(q.id == "contact" for q in pathway.form.questions)
    some = bool(pathway.behalf)
    return {
        "days": _choices("call", calling.DAYS if asks else ()),
        "parts": _choices("call", calling.PARTS if asks else ()),
        "how": _choices("call", calling.HOW if asks else ()),
        "assents": _choices("assent", young.ASSENTS if child and not referral.by_word else ()),
        "homes": _choices("home", safe_times.HOMES if child else ()),
        "behalf": _choices("behalf", pathway.behalf, said.reason),
        "agreed": _choices("agreed", behalf.AGREED_BY if some else (), said.agreed),
        "spans": _choices("span", behalf.SPANS if some else (), said.span),
    }


def urgencies(pathway: Pathway) -> tuple[Urgency, ...]:
    """How soon it may be asked for, in the order in which it is read; a pathway may leave some out."""
    asked = next((q.choices for q in pathway.form.questions if q.id == "urgency"), (Urgency.NORMAL,))
    return tuple(u for u in reversed(Urgency) if u in asked)


def whom(tx: Tx, referral: Referral, about: complaints.About, language: str) -> dict[str, Any]:
    """Whom it is about, for a complaint alone. What was said before is sealed, and not shown again."""
    if not complaints.hidden(tx, referral):
        return {}
    partners = tx.directory.organizations.values() if about.whom & complaints.AT_PARTNERS else ()
    named = sorted((names.named(o.names, language), o.id) for o in partners)
    return {
        "about": tuple(
            Choice(each, label_key=f"about.{each}", chosen=each in about.whom) for each in complaints.WHOM
        ),
        "about_organizations": tuple(
            Choice(o, label=name, chosen=o in about.organizations) for name, o in named
        ),
    }


def changes(tx: Tx, referral: Referral, plan: routing.Plan, language: str) -> tuple[tuple[str, str], ...]:
    """What is new since an earlier yes, and what no longer stands in it: text key, and what it names."""
    before = latest(tx, referral)
    if before is None:
        return ()
    classes = matching.pathway_of(tx, referral).classes[Stage.ACCEPTED]
    asked = tuple(line.organization_id for line in plan.lines)
    found = consent.difference(before, _partners(tx, before), asked, classes, referral.category)
    words = tx.catalogue.words
    lines = [("plan.other_need", words(f"category.{found.category}", language))] if found.category else []
    lines += [("plan.new", _named(tx, o, language)) for o in found.new_partners]
    lines += [("plan.new", words(f"class.{c}", language)) for c in _worth_saying(found.new_classes)]
    lines += [("plan.no_longer", _named(tx, o, language)) for o in found.gone_partners]
    lines += [("plan.no_longer", words(f"class.{c}", language)) for c in _worth_saying(found.gone_classes)]
    return tuple(lines)


def latest(tx: Tx, referral: Referral) -> Consent | None:
    """The newest yes that was ever given for a matter, whatever became of it."""
    return max(tx.find(Consent, referral_id=referral.id), key=lambda c: c.given_at, default=None)


def _partners(tx: Tx, given: Consent) -> tuple[str, ...]:
    """The organisations of a plan; a service that is gone by now has none."""
    found = (tx.directory.services.get(service_id) for service_id in given.plan)
    return tuple(dict.fromkeys(service.organization_id for service in found if service is not None))


def _named(tx: Tx, organization_id: str, language: str) -> str:
    return names.named(tx.directory.organizations[organization_id].names, language)


def _worth_saying(classes: Iterable[DataClass]) -> list[DataClass]:
    return [c for c in classes if c is not DataClass.ROUTING]


def _choices(root: str, codes: Iterable[str], chosen: str = "") -> tuple[Choice, ...]:
    return tuple(Choice(code, label_key=f"{root}.{code}", chosen=code == chosen) for code in codes)
