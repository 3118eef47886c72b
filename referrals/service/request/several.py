"""Several needs in one conversation: each is a request of its own, with its own plan and its own yes.

They are agreed to one after the other on one visit of the page, whose subject is the first of them; where,
and whom not to ask, stand there already from the one before. Who has one need taps no more than ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from referrals.access import Action
from referrals.catalogue import Handling
from referrals.errors import BadAnswer, WrongStage
from referrals.lifecycle import OPEN
from referrals.model import Actor, AuditEntry, Referral, Stage
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import matching
from referrals.service.request import drafts


def alongside(tx: Tx, actor: Actor, first: Referral, categories: Iterable[str]) -> None:
    """Make the drafts beside the first one those of `categories`; others are dropped."""
    wanted = [c for c in dict.fromkeys(categories) if c != first.category]
    for draft in _drafts(tx, first):
        if draft.category in wanted:
            wanted.remove(draft.category)
        else:
            tx.clear_timers(draft.id)
            drafts.purge_draft(tx, draft.id)
    for category in wanted:
        _begin(tx, actor, first, category)


def also(tx: Tx, person_id: str, referral_id: str, categories: Iterable[str]) -> None:
    """After one was filed: these are needed too. BadAnswer for none, or for what cannot be chosen here."""
    referral = doors.own_referral(tx, doors.as_author(person_id), referral_id, Action.REFERRAL_FILE)
    first = first_of(tx, referral)
    chosen = list(dict.fromkeys(categories))
    if not chosen or not set(chosen) <= set(choices(tx, first)):
        raise BadAnswer
    if referral.stage is Stage.DRAFT:
        raise WrongStage
    for category in chosen:
        _begin(tx, doors.as_author(person_id), first, category)


def choices(tx: Tx, referral: Referral) -> tuple[str, ...]:
    """What else can be asked for along the same pathway: nothing that is being asked for already."""
    pathway = matching.pathway_of(tx, referral)
    if pathway.handling is not Handling.OFFER or referral.by_word or referral.behalf:
        return ()
    asked = {r.category for r in tx.find(Referral, author_id=referral.author_id, stage=OPEN)}
    return tuple(category for category in pathway.needs if category not in asked)


def turn(tx: Tx, referral: Referral) -> Referral:
    """The request whose turn it is on a page: this one until it is filed, then the drafts beside it."""
    if referral.stage in (Stage.DRAFT, Stage.AWAITING_CONSENT, Stage.UNMATCHED):
        return referral  # it waits for a yes itself
    return next(iter(_drafts(tx, first_of(tx, referral))), referral)


def carry(tx: Tx, actor: Actor, filed: Referral) -> None:
    """One was agreed to: the drafts beside it begin where it was."""
    for draft in _drafts(tx, first_of(tx, filed)):
        tx.save(replace(draft, area=filed.area))
        tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{draft.id}", "beside"))


def beside(tx: Tx, referral: Referral) -> list[Referral]:
    """All of one conversation but this one."""
    if not referral.asked_with and referral.stage is Stage.DRAFT:
        return []  # whoever is the first has nobody before them
    first = first_of(tx, referral)
    return [r for r in (first, *tx.find(Referral, asked_with=first.id)) if r.id != referral.id]


def first_of(tx: Tx, referral: Referral) -> Referral:
    """The first request of this one's conversation; itself where it is the first."""
    found = tx.get(Referral, referral.asked_with) if referral.asked_with else None
    return found if found is not None and found.author_id == referral.author_id else referral


def _begin(tx: Tx, actor: Actor, first: Referral, category: str) -> Referral:
    draft = drafts.start_draft(tx, actor, first.pathway, category, first.age_group, first.language)
    return tx.save(replace(draft, asked_with=first.id, area=first.area, gender=first.gender))


def _drafts(tx: Tx, first: Referral) -> list[Referral]:
    """In the pathway's order."""
    order = matching.pathway_of(tx, first).needs
    found = tx.find(Referral, asked_with=first.id, stage=Stage.DRAFT)
    mine = [draft for draft in found if draft.author_id == first.author_id]
    return sorted(mine, key=lambda draft: (order.index(draft.category), draft.id))
