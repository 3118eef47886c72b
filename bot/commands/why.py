"""python -m bot why CODE --by COORDINATOR: who can help with a referral, and why the others cannot."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, named_actor, opened, settings_of, speaks, tell
from referrals.errors import NotFound
from referrals.model import AuditEntry, Referral, Role
from referrals.ports import Tx

if TYPE_CHECKING:
    from referrals.service.desk.why import Planned


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
    """A turn: the lines to print. Of a private constraint only 'private wish' is told.

    Through the desk's own door: what a coordinator may not see (a complaint, a draft) is not found here
    either, and a partner's own code of the matter leads nowhere.
    """
    from referrals.access import Action
    from referrals.service.common import doors
    from referrals.service.desk import why

    actor = named_actor(tx, by, Role.COORDINATOR)
    speaks(tx, language)
    found = tx.find(Referral, code=code.strip().upper())
    if not found:
        raise NotFound
    _, referral = doors.desk_referral(tx, actor.person_id, found[0].id, Action.REFERRAL_READ)
    tx.audit(AuditEntry(actor, Action.REFERRAL_READ, f"referral:{referral.id}", "why"))
    explained = why.explain(tx, referral)
    lines = [f"{referral.code}: {referral.stage.value}"]
    for planned in explained.planned:
        lines += _planned(tx, planned, language)
    words = tx.catalogue.words
    lines += [f"  not    {out.service_id}: {words(out.reason_key, language)}" for out in explained.others]
    elsewhere = len(tx.directory.services) - len(explained.planned) - len(explained.others)
    return [*lines, f"  ({elsewhere} other services do something else, or fit and came later)"]


def _planned(tx: Tx, planned: Planned, language: str) -> Iterator[str]:
    """A partner of the plan: its turn, why it is there, and how it stands."""
    from referrals.service.request import plans

    words = tx.catalogue.words
    yield f"  {planned.mark:6} {planned.service_id} ({planned.organization_id or 'gone'})"
    if planned.unfit:
        yield f"           cannot be asked now: {words(planned.unfit, language)}"
    for reason in planned.reasons:
        yield f"           {words(reason.key, language, **plans.shown(tx, dict(reason.params), language))}"
    has = planned.standing
    yield (
        f"           holds {has.live}, asked {has.recent} times lately, {has.seats} work there; "
        f"promises kept {has.kept:g}, missed {has.missed:g} (older ones count less)"
    )
