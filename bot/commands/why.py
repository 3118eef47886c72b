"""python -m bot why CODE --by COORDINATOR: who can help with a referral, and why the others cannot."""

from __future__ import annotations

import argparse

from bot.commands.common import add_settings, named_actor, opened, settings_of, tell
from referrals.errors import NotFound
from referrals.model import AuditEntry, Referral, Role
from referrals.ports import Tx


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """CODE, --by, --language, --settings."""
    parser.add_argument("code", help="the referral's code")
    parser.add_argument(
        "--by", required=True, metavar="COORDINATOR", help="the seat of the coordinator who asks"
    )
    parser.add_argument("--language", default="en", help="of the answer (default en)")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Print the plan and what is left out; leaves an audit row."""
    settings = settings_of(args)
    with opened(settings) as store:
        for line in store.run(explain, args.by, args.code, args.language):
            tell(line)
    return 0


def explain(tx: Tx, by: str, code: str, language: str) -> list[str]:
    """A turn: the lines to print. Of a private constraint only 'private wish' is told."""
    from referrals import routing
    from referrals.access import Action, allow
    from referrals.service import matching

    actor = named_actor(tx, by, Role.COORDINATOR)
    allow(actor, Action.REFERRAL_READ)
    found = tx.find(Referral, code=code.upper()) or tx.find(Referral, code=code)
    if not found:
        raise NotFound
    referral = found[0]
    tx.audit(AuditEntry(actor, Action.REFERRAL_READ, f"referral:{referral.id}", "why"))
    names = tx.directory.organizations
    lines = [f"{referral.code}: {referral.stage.value}"]
    for position, service_id in enumerate(referral.plan):
        service = tx.directory.services.get(service_id)
        organization = names.get(service.organization_id) if service else None
        mark = (
            "asked" if position < referral.position else "next" if position == referral.position else "later"
        )
        lines.append(f"  {mark:6} {service_id} ({organization.id if organization else 'gone'})")
    need = matching.need_of(tx, referral, matching.exclusions_of(tx, referral))
    left_out = routing.why_not(need, tx.directory)
    words = tx.catalogue.words
    return lines + [f"  not    {out.service_id}: {words(out.reason_key, language)}" for out in left_out]
