"""Whom a new network file touches: open matters of areas that are split, of what goes from the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from referrals.errors import ConfigurationError
from referrals.lifecycle import LIVE_OFFERS, OPEN
from referrals.model import Offer, OfferStage, Referral
from referrals.network_diff import Change, Sign
from referrals.network_file import NetworkFile
from referrals.ports import Tx

_ASKED = (*LIVE_OFFERS, OfferStage.ACCEPTED)


def lines(tx: Tx, changes: Sequence[Change], new: NetworkFile) -> Iterator[str]:
    """What a dry run says besides the changes, for a terminal: counts, and what becomes of them."""
    for change in changes:
        if change.sign is not Sign.REMOVE:
            continue
        if change.table == "areas":
            yield from _area(tx, change.row, new)
        elif change.table == "services":
            asked = [o for o in tx.find(Offer, service_id=change.row, stage=_ASKED) if _open(tx, o)]
            yield from _counted(len(asked), f"service {change.row} is asked for or helps", "the desk is told")
        elif change.table == "agreements":
            yield from _agreement(tx, change.row)


def refuse_lost(tx: Tx, changes: Sequence[Change], new: NetworkFile) -> None:
    """ConfigurationError where an area goes under open matters, and no other one says that it was that."""
    known = _formerly(new)
    for change in changes:
        if change.sign is Sign.REMOVE and change.table == "areas" and change.row not in known:
            held = tx.count(Referral, area=change.row, stage=OPEN)
            if held:
                raise ConfigurationError(
                    f"[[area]] {change.row}",
                    f"{held} open matters are there, and no area says that it takes its place",
                    f'add formerly = ["{change.row}"] to the areas that it became',
                )


def _area(tx: Tx, area_id: str, new: NetworkFile) -> Iterator[str]:
    now = ", ".join(area.id for area in new.areas if area_id in area.formerly) or "nothing"
    matters = tx.count(Referral, area=area_id, stage=OPEN)
    yield from _counted(matters, f"area {area_id}", f"it is understood as {now}")
    naming = [service.id for service in new.services if area_id in service.areas]
    if naming:
        yield f"area {area_id}: still named by {', '.join(naming)}; understood as {now}"


def _agreement(tx: Tx, agreement_id: str) -> Iterator[str]:
    for agreement in tx.directory.agreements:
        if agreement.id == agreement_id:
            held = tx.count(Referral, organization_id=agreement.organization_id, stage=OPEN)
            becomes = "without another agreement nothing of them is read any more, and the desk is told"
            yield from _counted(held, f"agreement {agreement_id}", becomes)


def _counted(count: int, what: str, becomes: str) -> Iterator[str]:
    if count:
        yield f"{what}: {count} open {'matter' if count == 1 else 'matters'}; {becomes}"


def _open(tx: Tx, offer: Offer) -> bool:
    referral = tx.get(Referral, offer.referral_id)
    return referral is not None and referral.offer_id == offer.id and referral.stage in OPEN


def _formerly(new: NetworkFile) -> set[str]:
    return {old for area in new.areas for old in area.formerly}
