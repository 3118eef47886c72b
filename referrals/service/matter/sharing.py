"""Which organisation can open what of a matter: exactly what consent and agreement allow at this moment.

`settle` is the only place that gives an organisation a key and the only one that takes it away. Whatever can
change the answer (a step, a yes that ends, an agreement, a suspension, a new sealed text) calls it in the
same turn, after it has saved. Reading asks the same rule again (`readable`), so that between an instant and
its timer nothing stands open either.
"""

from __future__ import annotations

from collections.abc import Iterator

from referrals import consent as consents
from referrals.access import Action
from referrals.casework import DeskShare
from referrals.catalogue import Handling
from referrals.errors import NoConsent
from referrals.lifecycle import ENDED
from referrals.model import (
    DESK,
    SYSTEM,
    AuditEntry,
    DataClass,
    Offer,
    OfferStage,
    Record,
    Referral,
    Stage,
    organization_holder,
    person_holder,
)
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import circle_sides, matching

SEALED = tuple(c for c in DataClass if c not in (DataClass.ROUTING, DataClass.AGGREGATE))
_ACCEPTED_ONCE = (OfferStage.ACCEPTED, OfferStage.RECALLED)
# Whose wraps are given and taken here; the process itself is none of this rule's business, and the desk only
# where it reads along in a thread. Of what has ended it reaches nobody either (`word_checks.py`).
_GOVERNED = (organization_holder(""), person_holder(""))


def settle(tx: Tx, referral: Referral) -> None:
    """Make the holders of a matter's keys what the rule says now; every change leaves an audit row.

    The person keeps their own copy in every stage; of the organisations only the one that holds the matter
    gets any. A matter past its retention date belongs to nobody and has no keys.
    """
    if not referral.author_id:
        return
    for record, data_class, rightful in _rightful(tx, referral):
        desk_too = record.table == "thread_part" or referral.stage in ENDED
        governed = (*_GOVERNED, DESK) if desk_too else _GOVERNED
        held = {h for h in tx.holders(record, data_class) if h.startswith(governed)}
        if not held:
            continue  # nothing was ever sealed in this class
        for holder in sorted(rightful - held):
            tx.share(record, data_class, holder)
            _note(tx, Action.ACCESS_GIVE, record, data_class, holder)
        for holder in sorted(held - rightful):
            tx.unshare(record, holder, data_class)
            _note(tx, Action.ACCESS_CUT, record, data_class, holder)
    plan = tx.get(Referral, referral.parent_id) if referral.parent_id else None
    if plan is not None:  # whoever does a part reads what is told to all of them there
        settle(tx, plan)
    circle_sides.follow(tx, referral)


def readable(tx: Tx, referral: Referral) -> tuple[DataClass, ...]:
    """What the partner that holds a matter may read at this moment; perhaps nothing.

    Consent and agreement are asked at every read, for each class.
    """
    offer = _held_offer(tx, referral)
    if offer is None:
        return ()
    try:
        return granted(tx, referral, offer, referral.stage)
    except NoConsent:
        return ()


def words_open(tx: Tx, referral: Referral) -> bool:
    """Whether the partner that holds a matter may read and write words in it at this moment.

    Words are of the class of the story: what is written about a threat, designated contacts alone read.
    """
    return matching.pathway_of(tx, referral).words in readable(tx, referral)


def hears_last_word(tx: Tx, referral: Referral) -> bool:
    """Whether the partner of a closed matter may be given a last word: where words were theirs before."""
    offer = _held_offer(tx, referral)
    if referral.stage is not Stage.CLOSED or offer is None:
        return False
    try:
        return matching.pathway_of(tx, referral).words in granted(tx, referral, offer, Stage.REPORTED)
    except NoConsent:
        return False


def granted(tx: Tx, referral: Referral, offer: Offer, stage: Stage) -> tuple[DataClass, ...]:
    """What the organisation of an offer may be given at a stage; NoConsent where nothing binds at all."""
    given = doors.consent_in_force(tx, referral)
    organization = tx.directory.organizations.get(offer.organization_id)
    if given is None or organization is None or organization.suspended:
        raise NoConsent
    day = consents.day_of(organization, tx.now)
    pathway = matching.pathway_of(tx, referral)
    agreement = consents.agreement_for(tx.directory, organization.id, pathway.id, day, pathway.purposes)
    if agreement is None or not consents.covers(given, offer.service_id, tx.now):
        raise NoConsent
    if not set(pathway.needs_classes) <= set(agreement.classes):
        raise NoConsent  # no designated contact any more
    return consents.classes_for(pathway, agreement, organization, given, stage, tx.now)


def _rightful(tx: Tx, referral: Referral) -> Iterator[tuple[Record, DataClass, set[str]]]:
    """Each (record, class) of a matter and who may hold its key: an earlier thread is the person's alone."""
    person, held, classes = (
        person_holder(referral.author_id),
        _held_offer(tx, referral),
        readable(tx, referral),
    )
    partner = {organization_holder(held.organization_id)} if held is not None else set()
    doing = _doing_parts(tx, referral)
    for data_class in SEALED:
        theirs_too = doing.get(data_class, set()) | (partner if data_class in classes else set())
        yield referral.record, data_class, {person} | theirs_too
    words = matching.pathway_of(tx, referral).words
    reads = partner if words in classes else set()
    for offer in tx.find(Offer, referral_id=referral.id):
        theirs = held is not None and offer.id == held.id
        yield offer.thread, words, {person} | (reads if theirs else set())
        if offer.stage in _ACCEPTED_ONCE:
            hears = theirs and hears_last_word(tx, referral)
            yield offer.last_word, words, {person} | (partner if hears else set())
    for share in tx.find(DeskShare, referral_id=referral.id):
        theirs = held is not None and share.offer_id == held.id
        desk = {DESK} if theirs and share.ended_at is None and referral.stage not in ENDED else set()
        yield share.record, words, {person} | (reads if theirs else set()) | desk


def _doing_parts(tx: Tx, plan: Referral) -> dict[DataClass, set[str]]:
    """Of a plan of several parts: who does one of them, by the classes that may be opened to each now."""
    found: dict[DataClass, set[str]] = {}
    if plan.task or matching.pathway_of(tx, plan).handling is not Handling.TASKS:
        return found
    for part in tx.find(Referral, parent_id=plan.id):
        for data_class in readable(tx, part):
            found.setdefault(data_class, set()).add(organization_holder(part.organization_id or ""))
    return found


def _held_offer(tx: Tx, referral: Referral) -> Offer | None:
    """The accepted offer of the organisation that holds the matter, if one does."""
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None or offer.stage is not OfferStage.ACCEPTED:
        return None
    return offer if offer.organization_id == referral.organization_id else None


def _note(tx: Tx, action: Action, record: Record, data_class: DataClass, holder: str) -> None:
    tx.audit(AuditEntry(SYSTEM, action, f"{record.table}:{record.row}", f"{data_class}:{holder}"))
