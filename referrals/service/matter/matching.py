"""What a matter needs, whom that fits, and who has said no: what every plan and every offer is made from.

Private wishes are opened here, by the matching process alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from referrals import consent as consents
from referrals import freshness, routing, tasks
from referrals.catalogue import Pathway
from referrals.directory import Capacity, OrganizationKind
from referrals.lifecycle import HELD
from referrals.members import Enrolment
from referrals.model import (
    SYSTEM,
    Actor,
    Consent,
    DataClass,
    Offer,
    OfferStage,
    Outcome,
    Referral,
    Role,
    Stage,
)
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import complaints, doors

# Why an accepted offer was taken back: a yes or an agreement had ended, and that is nobody's no.
CUT_OFF = "cut_off"
FULL = "full"
_NOT_THEIRS = (OfferStage.DECLINED, OfferStage.RECALLED)
LATELY = timedelta(days=14)  # whoever was asked within these days is asked after others that are as fit
NEWEST = 50


class Standings(Mapping[str, routing.Standing]):
    """Load and kept promises of an organisation, counted when a plan asks; nothing older than two years."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def __getitem__(self, organization_id: str) -> routing.Standing:
        now, offers = self._tx.now, self.offers(organization_id)
        kept, missed = freshness.promises(offers, now)
        seats = self._tx.find(Seat, organization_id=organization_id, role=Role.WORKER)
        return routing.Standing(
            live=self.held(organization_id),
            kept=kept,
            missed=missed,
            recent=sum(now - offer.sent_at <= LATELY for offer in offers),
            seats=sum(seat.person_id is not None for seat in seats),
        )

    def offers(self, organization_id: str) -> list[Offer]:
        """Its newest offers: so many that a plan stays quick."""
        start = self._tx.now - freshness.REMEMBERED
        return self._tx.since(Offer, "sent_at", start, NEWEST, organization_id=organization_id)

    def held(self, organization_id: str) -> int:
        """How many matters it has."""
        return self._tx.count(Referral, organization_id=organization_id, stage=(*HELD, Stage.WAITLISTED))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tx.directory.organizations)

    def __len__(self) -> int:
        return len(self._tx.directory.organizations)


def pathway_of(tx: Tx, referral: Referral) -> Pathway:
    """The pathway that the referral was filed under."""
    return tx.catalogue.pathways[referral.pathway]


def need_of(tx: Tx, referral: Referral, exclusions: routing.Exclusions) -> routing.Need:
    """What the rules need to know of a referral in order to match it."""
    return routing.Need(
        pathway=pathway_of(tx, referral),
        category=referral.category,
        area=referral.area,
        urgency=referral.urgency,
        language=referral.language,
        age_group=referral.age_group,
        exclusions=exclusions,
        author_organizations=_too_close(tx, referral) | rivals(tx, referral),
        now=tx.now,
        gender=referral.gender,
        receivers=_receivers(tx, referral),
    )


def may_ask(tx: Tx, referral: Referral, service_id: str) -> bool:
    """Whether a service of a plan can be asked now, by every rule and by the person's own wishes."""
    need = need_of(tx, referral, exclusions_of(tx, referral))
    return routing.still_fits(need, service_id, tx.directory) is None


def rivals(tx: Tx, referral: Referral) -> frozenset[str]:
    """Who does a part of the same plan that the same must not do too: an evaluator is never the provider."""
    if not referral.parent_id:
        return frozenset()
    others = set(tasks.rivals(pathway_of(tx, referral).tasks, referral.task))
    parts = tx.find(Referral, parent_id=referral.parent_id)
    return frozenset(p.organization_id for p in parts if p.task in others and p.organization_id)


def _receivers(tx: Tx, referral: Referral) -> tuple[OrganizationKind, ...]:
    """Of a part of a plan the kinds that its task names; () where it names none."""
    kinds = pathway_of(tx, referral).tasks if referral.task else ()
    return next((kind.receivers for kind in kinds if kind.id == referral.task), ())


def _too_close(tx: Tx, referral: Referral) -> frozenset[str]:
    """Where somebody works who asks, who filed it for them, or who walks beside the member as a mentor; and
    whom a complaint is about.
    """
    enrolment = tx.get(Enrolment, referral.enrolment_id or "") if referral.enrolment_id else None
    near = {referral.author_id, referral.referrer_id or ""} - {""}
    seats = [seat for person_id in sorted(near) for seat in doors.seats_of(tx, person_id)]
    if enrolment is not None:
        ids = filter(None, (enrolment.mentor_seat, enrolment.backup_seat, enrolment.stand_in_seat))
        seats += [seat for seat_id in ids if (seat := tx.get(Seat, seat_id)) is not None]
    works = frozenset(seat.organization_id for seat in seats if seat.organization_id)
    return works | complaints.too_close(tx, referral)


def exclusions_of(tx: Tx, referral: Referral) -> routing.Exclusions:
    """The private wishes of the consent in force, opened by the matching process alone."""
    given = doors.consent_in_force(tx, referral)
    return wishes_of(tx, SYSTEM, given) if given else routing.Exclusions()


def wishes_of(tx: Tx, actor: Actor, given: Consent) -> routing.Exclusions:
    """The private wishes of one consent, opened by whoever holds a key to them."""
    opened = tx.open_sealed(actor, given.record, DataClass.STORY)
    return routing.Exclusions(
        organizations=frozenset(opened.get("exclude_organizations", "").split()),
        kinds=frozenset(OrganizationKind(k) for k in opened.get("exclude_kinds", "").split()),
        lacks=frozenset(opened.get("lacks", "").split()),
        helper=opened.get("helper", ""),
    )


def sealed_wishes(wishes: routing.Exclusions) -> dict[str, str]:
    """The columns of a consent under which private wishes are sealed; `wishes_of` reads them again."""
    return {
        "exclude_organizations": " ".join(sorted(wishes.organizations)),
        "exclude_kinds": " ".join(sorted(wishes.kinds)),
        "lacks": " ".join(sorted(wishes.lacks)),
        "helper": wishes.helper,
    }


def refusals(tx: Tx, referral: Referral) -> list[Offer]:
    """Offers whose partner said no, or said yes and did not keep it: no means no.

    Of a part of a plan also what was said when it had begun before, as a matter of its own each time.
    """
    ended = tx.find(Offer, referral_id=referral.id, stage=_NOT_THEIRS)
    said = [o for o in ended if o.decided_by is not None and o.reason != CUT_OFF]
    if not referral.parent_id:
        return said
    times = tx.find(Referral, parent_id=referral.parent_id, task=referral.task)
    return said + [o for each in times if each.id != referral.id for o in _earlier(tx, each)]


def refused(tx: Tx, referral: Referral, passes: Collection[str] = ()) -> frozenset[str]:
    """The services of those, but for a no with one of these reasons: it may be a yes by now."""
    return frozenset(no.service_id for no in refusals(tx, referral) if no.reason not in passes)


def from_the_start(referral: Referral, noes: Collection[str]) -> Referral:
    """The referral with its whole plan before it, but for those who have said no: their turn is over."""
    over, left = ([s for s in referral.plan if (s in noes) is said] for said in (True, False))
    return replace(referral, plan=(*over, *left), position=len(over))


def _earlier(tx: Tx, before: Referral) -> Iterator[Offer]:
    """Who said no that time, or tried and could not; who was full may have said since that there is room."""
    could_not = (OfferStage.ACCEPTED,) if before.outcome is Outcome.UNMET else ()
    for offer in tx.find(Offer, referral_id=before.id, stage=(*_NOT_THEIRS, *could_not)):
        decided = offer.decided_by is not None and offer.reason != CUT_OFF
        if decided and not (offer.reason == FULL and _has_room(tx, offer)):
            yield offer


def _has_room(tx: Tx, offer: Offer) -> bool:
    service = tx.directory.services.get(offer.service_id)
    if service is None or service.capacity_confirmed_on is None or offer.decided_at is None:
        return False
    day = consents.day_of(tx.directory.organizations[service.organization_id], offer.decided_at)
    return service.capacity is not Capacity.FULL and service.capacity_confirmed_on > day
