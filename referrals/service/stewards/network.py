"""A real network from a file: what it would change, and applying it in one turn.

The file is the whole truth about organisations and posts; people come by invitation. A dry run is shown
first, and what is applied is exactly what was shown: a digest ties the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from referrals import freshness
from referrals.access import Action, allow
from referrals.directory import Agreement, Organization
from referrals.errors import ConfigurationError
from referrals.lifecycle import LIVE_OFFERS, OPEN
from referrals.members import Enrolment
from referrals.model import Actor, AuditEntry, Offer, Referral, Role
from referrals.network_diff import Change, Sign, diff_network
from referrals.network_file import NetworkFile, as_network
from referrals.persons import MentorProfile, Seat, Tally
from referrals.ports import Tx
from referrals.service.desk import swaps
from referrals.service.lasting import agreements, ending
from referrals.service.members import enrolling
from referrals.service.people import handover, joining
from referrals.service.stewards import network_effects

# What a row keeps of its life in the store when the file changes it.
KEPT = ("version", "person_id", "on_duty", "since")
PROPOSED_FOR = timedelta(days=1)
Rows = dict[tuple[str, str], Any]  # (table, id) to the row


def stored(tx: Tx) -> NetworkFile:
    """The network as it stands in the store."""
    return as_network(tx.directory, tx.find(Seat), _by_code(tx), tx.find(MentorProfile))


def preview(tx: Tx, new: NetworkFile) -> tuple[Change, ...]:
    """What applying a file would change, line by line. Changes nothing."""
    old = stored(tx)
    return diff_network(old, _as_said(old, new))


def digest(changes: Sequence[Change]) -> str:
    """A short name for exactly these changes."""
    text = "\n".join(line for change in changes for line in change.lines())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def propose(tx: Tx, actor: Actor, shown: str) -> None:
    """A steward has read the changes with this digest; another one may apply them within a day."""
    allow(actor, Action.NETWORK_APPLY)
    earlier = tx.get(Tally, _proposal(shown, actor.person_id))
    if earlier is not None:
        tx.remove(earlier)
    tx.tally(_proposal(shown, actor.person_id), tx.now + PROPOSED_FOR)
    tx.audit(AuditEntry(actor, Action.NETWORK_APPLY, f"network:{shown}", "proposed"))


def apply(tx: Tx, actor: Actor, new: NetworkFile, shown: str) -> tuple[Change, ...]:
    """Apply a file whose dry run had the digest `shown`; refuses when the network changed meanwhile.

    Where there are two stewards, one proposes and another applies. ConfigurationError otherwise.
    """
    allow(actor, Action.NETWORK_APPLY)
    _demand_second(tx, actor, shown)
    old = stored(tx)
    new = _as_said(old, new)
    changes = diff_network(old, new)
    if digest(changes) != shown:
        raise ConfigurationError("network", "it changed since the dry run", "run 'network check' again")
    _refuse_orphans(tx, changes)
    network_effects.refuse_lost(tx, changes, new)
    before, after = _rows(old), _rows(new)
    for change in changes:
        key = (change.table, change.row)
        if change.sign is Sign.REMOVE:
            tx.remove(before[key])
        elif change.sign is Sign.ADD:
            _add(tx, actor, after[key])
        else:
            tx.save(_merged(before[key], after[key]))
        _empty(tx, actor, before.get(key), after.get(key))
        tx.audit(
            AuditEntry(actor, Action.NETWORK_APPLY, f"{change.table}:{change.row}", change.sign.name.lower())
        )
    _review(tx, changes, before, after)
    if any(change.table == "duties" for change in changes):
        swaps.review(tx)
    return changes


def _as_said(old: NetworkFile, new: NetworkFile) -> NetworkFile:
    """The file with each service's newest word about room: a worker's tap outlives an older file."""
    known = {service.id: service for service in old.services}
    said = (freshness.newest_word(known[s.id], s) if s.id in known else s for s in new.services)
    return replace(new, services=tuple(said))


def _demand_second(tx: Tx, actor: Actor, shown: str) -> None:
    stewards = {s.person_id for s in tx.find(Seat, role=Role.STEWARD) if s.person_id}
    if len(stewards) < 2:
        return
    proposals = (tx.get(Tally, _proposal(shown, other)) for other in sorted(stewards - {actor.person_id}))
    if not any(row is not None and row.expires_at > tx.now for row in proposals):
        raise ConfigurationError(
            "network", "no other steward has proposed exactly these changes within a day",
            "let one read them with 'network check FILE --by THEIR-SEAT' and apply them with your own --by",
        )  # fmt: skip


def _proposal(shown: str, person_id: str) -> str:
    return f"proposal:{shown}:{person_id}"


def _rows(network: NetworkFile) -> Rows:
    return {(t.name, row.id): row for t in fields(NetworkFile) for row in getattr(network, t.name)}


def _merged(old: Any, new: Any) -> Any:
    return replace(new, **{name: getattr(old, name) for name in KEPT if hasattr(old, name)})


def _by_code(tx: Tx) -> list[Enrolment]:
    """Everybody who was ever enrolled, known by the code as in the file: it begins nobody a second time."""
    return [replace(enrolment, id=enrolment.code) for enrolment in tx.find(Enrolment)]


def _add(tx: Tx, actor: Actor, row: Any) -> None:
    """An enrolment begins now; its programme's text is kept and its first reminder set.

    Its id is not the code that the file names it by: ids stand in buttons, which outlive 'Done'.
    """
    if not isinstance(row, Enrolment):
        tx.add(row)
        return
    begun = replace(row, id=tx.new_id(), phase_since=tx.now)
    tx.add(begun)
    tx.audit(AuditEntry(actor, Action.MEMBER_ENROL, f"enrolment:{begun.id}"))
    enrolling.begun(tx, begun)


def _empty(tx: Tx, actor: Actor, old: Any, new: Any) -> None:
    """A post that goes or becomes another one is left: no file gives anybody a post without a second yes."""
    if not isinstance(old, Seat):
        return
    # The first steward's post is made before there is any organisation: the file may say whose it is.
    if new is not None and new.role is old.role and old.organization_id in (None, new.organization_id):
        return
    joining.end_invitations(tx, old)
    if old.person_id is None:
        return
    seat = tx.get(Seat, old.id, lock=True)
    if seat is not None:
        tx.save(replace(seat, person_id=None, on_duty=True, since=tx.now))
    tx.audit(AuditEntry(actor, Action.SEAT_REMOVE, f"seat:{old.id}"))
    handover.departed(tx, old, "join.post_ended")


def _review(tx: Tx, changes: Sequence[Change], before: Rows, after: Rows) -> None:
    """Who may read is settled in this very turn: agreements that came, went or changed, and suspensions."""
    concerned: set[str] = set()
    for change in changes:
        for row in filter(
            None, (before.get((change.table, change.row)), after.get((change.table, change.row)))
        ):
            if isinstance(row, Agreement):
                concerned.add(row.organization_id)
                tx.clear_timer(ending.AGREEMENT, row.id)
                agreements.forget(tx, row)
            elif isinstance(row, Organization):
                concerned.add(row.id)
    for agreement in tx.directory.agreements:
        if agreement.organization_id in concerned:
            ending.watch(tx, agreement)
    for organization_id in sorted(concerned):
        ending.review(tx, organization_id)
    for change in changes:
        if change.table == "services" and change.sign is Sign.REMOVE:
            ending.service_gone(tx, change.row)


def _refuse_orphans(tx: Tx, changes: Sequence[Change]) -> None:
    """An organisation with live matters cannot vanish under the people who wait for it."""
    for change in changes:
        if change.sign is not Sign.REMOVE or change.table != "organizations":
            continue
        held = tx.count(Referral, organization_id=change.row, stage=OPEN)
        asked = tx.count(Offer, organization_id=change.row, stage=LIVE_OFFERS)
        if held or asked:
            raise ConfigurationError(
                f"[[organization]] {change.row}",
                f"it still holds {held} open matters and {asked} offers",
                "keep it in the file with suspended = true until the desk has moved them",
            )
