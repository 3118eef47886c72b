"""Why a matter goes to whom, and why not to others: for the desk, on its page and by `bot why`.

Of a private wish only that there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from referrals import routing
from referrals.lifecycle import HELD
from referrals.model import Offer, Referral, Stage
from referrals.ports import Tx
from referrals.service.common import complaints
from referrals.service.matter import matching


@dataclass(frozen=True, slots=True)
class Planned:
    """One partner of the standing plan. `mark`: asked | now | next | later.

    `unfit`: why it can no longer be asked. `service_id` of a service that has left the network has neither
    organisation nor reasons.
    """

    service_id: str
    organization_id: str
    mark: str
    reasons: tuple[routing.Reason, ...]
    unfit: str | None
    standing: routing.Standing


@dataclass(frozen=True, slots=True)
class Explained:
    """`others`: services that do this, are not in the plan and do not fit, each with its first reason."""

    planned: tuple[Planned, ...]
    others: tuple[routing.LeftOut, ...]


class _AtDesk(matching.Standings):
    """As a coordinator may count them: without what the desk never sees."""

    def offers(self, organization_id: str) -> list[Offer]:
        found = super().offers(organization_id)
        ids = sorted({offer.referral_id for offer in found})
        shown = {r.id for r in self._tx.find(Referral, id=ids, pathway=complaints.desk_pathways(self._tx))}
        return [offer for offer in found if offer.referral_id in shown]

    def held(self, organization_id: str) -> int:
        where = {"organization_id": organization_id, "stage": (*HELD, Stage.WAITLISTED)}
        return self._tx.count(Referral, pathway=complaints.desk_pathways(self._tx), **where)


def explain(tx: Tx, referral: Referral) -> Explained:
    """The standing plan of a matter as it looks now. The caller has passed a door and written the audit."""
    need = matching.need_of(tx, referral, matching.exclusions_of(tx, referral))
    return Explained(tuple(_planned(tx, referral, need)), tuple(_others(tx, referral, need)))


def _others(tx: Tx, referral: Referral, need: routing.Need) -> Iterator[routing.LeftOut]:
    for service in tx.directory.services_of_category.get(referral.category, ()):
        reason = routing.still_fits(need, service.id, tx.directory)
        if reason is not None and service.id not in referral.plan:
            yield routing.LeftOut(service.id, service.organization_id, reason)


def _planned(tx: Tx, referral: Referral, need: routing.Need) -> Iterator[Planned]:
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    standings = _AtDesk(tx)
    for place, service_id in enumerate(referral.plan):
        service = tx.directory.services.get(service_id)
        organization_id = service.organization_id if service else ""
        mark = "now" if offer is not None and offer.service_id == service_id else _mark(place, referral)
        standing = standings[organization_id] if organization_id else routing.Standing()
        unfit = routing.still_fits(need, service_id, tx.directory)
        reasons = () if unfit else routing.why(need, service_id, tx.directory, standing, tx.now.date())
        yield Planned(service_id, organization_id, mark, reasons, unfit, standing)


def _mark(place: int, referral: Referral) -> str:
    if place < referral.position:
        return "asked"
    return "next" if place == referral.position else "later"
