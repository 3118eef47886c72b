"""python -m bot report unmet|stale --by SEAT: what nobody could help with, and what nobody has confirmed.

Both are coded facts without a person. Cells of `unmet` under ten are not said, nor others that would give
one of them away (`referrals/suppression.py`), and each quarter is told alone: months that could be chosen
could be subtracted. Whoever asks leaves an audit row.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, named_one_of, opened, settings_of, tell
from referrals.errors import BadAnswer, ConfigurationError
from referrals.model import AuditEntry, Role
from referrals.ports import Tx

if TYPE_CHECKING:
    from referrals.suppression import Table

ASKS = (Role.COORDINATOR, Role.STEWARD)
UNSAID = "*"
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Unmet [--from --to --csv] | stale; --by, --language, --settings."""
    parser.add_argument("what", choices=("unmet", "stale"))
    parser.add_argument("--by", required=True, metavar="SEAT", help="the coordinator's or steward's seat")
    parser.add_argument("--from", dest="first", metavar="MONTH", help="2026-01: a quarter's first month")
    parser.add_argument("--to", dest="last", metavar="MONTH", help="2026-12: a quarter's last month")
    parser.add_argument("--csv", action="store_true", help="quarter, category, area, reason, count")
    parser.add_argument("--language", default="en", help="of the answer (default en)")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Print one report; leaves an audit row."""
    settings = settings_of(args)
    with opened(settings) as store:
        if args.what == "stale":
            lines = store.run(stale, args.by, args.language)
        else:
            lines = store.run(unmet, args.by, args.language, (args.first, args.last), args.csv)
    for line in lines:
        tell(line)
    return 0


def stale(tx: Tx, by: str, language: str) -> list[str]:
    """A turn: the entries whose word about room is older than a month, the longest silent first."""
    from referrals import freshness
    from referrals.access import Action, allow

    actor = named_one_of(tx, by, ASKS)
    allow(actor, Action.DIRECTORY_STALE)
    tx.audit(AuditEntry(actor, Action.DIRECTORY_STALE, "directory:stale"))
    found = freshness.stale(tx.directory, tx.now.date())
    words = tx.catalogue.words
    lines = [words("report.stale", language, count=str(len(found)))]
    for service in found:
        said = service.capacity_confirmed_on
        day, room = said.isoformat() if said else "-", words(f"room.{service.capacity}", language)
        lines.append(f"  {day:10}  {service.id} ({service.organization_id}): {room}")
    return lines


def unmet(
    tx: Tx, by: str, language: str, asked: tuple[str | None, str | None], as_csv: bool = False
) -> list[str]:
    """A turn: by category, area and reason, quarter by quarter. `asked`: two months as they were typed."""
    from referrals.service import unmet as needs

    actor = named_one_of(tx, by, ASKS)
    lines = ["quarter,category,area,reason,count"] if as_csv else []
    for first, last in period(asked, tx.now):
        try:
            table = needs.counted(tx, actor, first, last)
        except BadAnswer:
            mend = "ask on the fifth of the next month, or once the bot has run again"
            raise ConfigurationError("--to", "is not written down yet", mend) from None
        if as_csv:
            lines += _as_csv(table, f"{first:%Y-%m}")
            continue
        title = {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}"}
        lines += [tx.catalogue.words("report.unmet", language, **title), *_in_words(tx, table, language)]
    return lines


def period(asked: tuple[str | None, str | None], now: datetime) -> list[tuple[date, date]]:
    """The quarters that are meant, each by its first and last month; the last four that are settled."""
    from referrals.service import unmet as needs

    first = _month("--from", asked[0]) if asked[0] else None
    last = _month("--to", asked[1]) if asked[1] else None
    if first and last and first > last:
        raise ConfigurationError("--from", "is after --to", "turn the two round")
    wide = needs.quarters(first or date(now.year - 2, 1, 1), last or now.date().replace(day=1))
    found = [each for each in wide if last or needs.settles_at(each[1]) < now]
    begins, ends = ([each[edge] for each in found] for edge in (0, 1))
    for option, day, edges in (("--from", first, begins), ("--to", last, ends)):
        if day is not None and day not in edges:
            raise ConfigurationError(option, f"is {day:%Y-%m}", "write whole quarters, as 2026-01 to 2026-03")
    return found if first else found[-4:]


def _month(option: str, typed: str) -> date:
    match = _MONTH.fullmatch(typed)
    if match is None or int(match[1]) < 1:
        raise ConfigurationError(option, f"is {typed!r}", "write a month such as 2026-03")
    return date(int(match[1]), int(match[2]), 1)


def _in_words(tx: Tx, table: Table, language: str) -> Iterator[str]:
    """Rows of which something may be said, each reason on a line of its own."""
    from referrals.suppression import TOTAL

    words = tx.catalogue.words
    shown = [row for row in (*table.rows, TOTAL) if any(cell[0] == row for cell in table.said)]
    for row in shown:
        yield f"  {_place(tx, row, language) if row else words('report.total', language)}"
        for column in (*table.columns, TOTAL):
            count = str(table.said.get((row, column), UNSAID))
            reason = words(f"unmet.{column}" if column else "report.total", language)
            yield f"    {count:>6}  {reason}"
    if shown:
        yield f"  {UNSAID}: {words('report.not_said', language)}"
    else:
        yield f"  {words('report.nothing', language)}"


def _place(tx: Tx, row: str, language: str) -> str:
    from referrals.service import names
    from referrals.service.unmet import BETWEEN

    category, _, area_id = row.partition(BETWEEN)
    area = tx.directory.areas.get(area_id)
    named = names.named(area.names, language) if area else area_id
    return f"{tx.catalogue.words(f'category.{category}', language)} · {named}"


def _as_csv(table: Table, quarter: str) -> Iterator[str]:
    """One line for each cell of which something is said in its row; ids, so that lists can be joined."""
    from referrals.service.unmet import BETWEEN
    from referrals.suppression import TOTAL

    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    for row in (*table.rows, TOTAL):
        if not any(cell[0] == row for cell in table.said):
            continue
        category, _, area = row.partition(BETWEEN)
        for column in (*table.columns, TOTAL):
            rows.writerow((quarter, category, area, column, table.said.get((row, column), "")))
    yield from written.getvalue().splitlines()
