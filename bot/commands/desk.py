"""Small commands of steward and desk: invitations, the audit, and why a referral went where it went."""

from __future__ import annotations

import asyncio
import secrets

from bot.commands.places import acting, opened_store
from bot.settings import Settings
from referrals import routing
from referrals.access import Action
from referrals.errors import ConfigurationError
from referrals.model import AuditEntry, Offer, Referral, Role
from referrals.ports import Tx
from referrals.service import joining, matching


def invite(settings: Settings, seat_id: str, by: str) -> str:
    """Invite somebody to a seat; returns the start payload for their link. Shown once, never stored."""
    with opened_store(settings) as store:
        return store.run(_invite, seat_id, by, secrets.token_urlsafe(16))


def why(settings: Settings, code: str, by: str) -> list[str]:
    """Why a referral went where it went, for a named coordinator; leaves an audit row."""
    with opened_store(settings) as store:
        return store.run(_why, code, by)


def audit_verify(settings: Settings) -> list[str]:
    """Every break in the audit's chains; an empty list when there is none."""
    with opened_store(settings) as store:
        return [str(finding) for finding in asyncio.run(store.verify_audit())]


def _invite(tx: Tx, seat_id: str, by: str, token: str) -> str:
    actor = acting(tx, by, Role.STEWARD)
    joining.invite(tx, actor, seat_id, token)
    return joining.PREFIX + token


def _why(tx: Tx, code: str, by: str) -> list[str]:
    actor = acting(tx, by, Role.COORDINATOR)
    found = tx.find(Referral, code=code.upper())
    if not found:
        raise ConfigurationError(code, "there is no referral of that code", "check it; it looks like 4F7-K2X")
    referral = found[0]
    tx.audit(AuditEntry(actor, Action.REFERRAL_READ, f"referral:{referral.id}", "why"))
    lines = [f"{referral.code}: {referral.stage} since {referral.stage_since:%Y-%m-%d %H:%M} UTC"]
    for offer in sorted(tx.find(Offer, referral_id=referral.id), key=lambda o: o.sent_at):
        reason = f" ({offer.reason})" if offer.reason else ""
        lines.append(f"  asked {offer.service_id}: {offer.stage}{reason}")
    lines += [f"  in the plan: {service_id}" for service_id in referral.plan]
    need = matching.need_of(tx, referral, routing.Exclusions())
    left_out = routing.why_not(need, tx.directory, tx.now.date())
    return lines + [f"  left out {out.service_id}: {out.reason_key}" for out in left_out]
