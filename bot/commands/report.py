"""python -m bot report unmet|closing|stale --by SEAT: what nobody could help with, how it was, what is stale.

All are coded facts without a person. Of `unmet` and `closing` cells under ten are not said, nor others that
would give one of them away (`referrals/suppression.py`), and each quarter is told alone: months that could be
chosen could be subtracted. Whoever asks leaves an audit row.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, named_one_of, opened, settings_of, speaks, tell
from referrals.errors import BadAnswer, ConfigurationError
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx

if TYPE_CHECKING:
    from referrals.suppression import Table

ASKS = (Role.COORDINATOR, Role.STEWARD)
UNSAID = "*"
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
Asked = tuple[str | None, str | None]  # two months as they were typed


@dataclass(frozen=True, slots=True)
class Quarterly:
    """What is counted by the quarter, as one table or several, each by a name ('' for the only one).

    `heads` of a CSV between quarter and count; `ids` what stands below them for a table's name, row, column.
    """

    title: str  # a text key
    heads: str
    counted: Callable[[Tx, Actor, date, date], Mapping[str, Table]]
    ids: Callable[[str, str, str], tuple[str, ...]]
    row: Callable[[Tx, str, str], str]  # a row in words, in a language
    column: Callable[[str, str], str]  # the text key of a column, by the table's name
    above: Callable[[str], str] = lambda name: ""  # the text key of what stands above a table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """unmet|closing [--from --to --csv] | stale; --by, --language, --settings."""
    parser.add_argument("what", choices=("unmet", "closing", "stale"))
    parser.add_argument("--by", required=True, metavar="SEAT", help="the coordinator's or steward's seat")
    parser.add_argument("--from", dest="first", metavar="MONTH", help="2026-01: a quarter's first month")
    parser.add_argument("--to", dest="last", metavar="MONTH", help="2026-12: a quarter's last month")
    parser.add_argument("--csv", action="store_true", help="one line for each count, in ids")
    parser.add_argument("--language", default="en", help="of the answer (default en)")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Print one report; leaves an audit row."""
    settings = settings_of(args)
    with opened(settings) as store:
        if args.what == "stale":
            lines = store.run(stale, args.by, args.language)
        else:
            told = closing if args.what == "closing" else unmet
            lines = store.run(told, args.by, args.language, (args.first, args.last), args.csv)
    for line in lines:
        tell(line)
    return 0


def stale(tx: Tx, by: str, language: str) -> list[str]:
    """A turn: the entries whose word about room is older than a month, the longest silent first."""
    from referrals import freshness
    from referrals.access import Action, allow

    actor = named_one_of(tx, by, ASKS)
    speaks(tx, language)
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


def unmet(tx: Tx, by: str, language: str, asked: Asked, as_csv: bool = False) -> list[str]:
    """A turn: what nobody could help with, by category, area and reason."""
    from referrals.service.matter import unmet as needs

    kind = Quarterly(
        title="report.unmet",
        heads="category,area,reason",
        counted=lambda tx, actor, first, last: {"": needs.counted(tx, actor, first, last)},
        ids=lambda _, row, reason: (*row.partition(needs.BETWEEN)[::2], reason),
        row=_place,
        column=lambda _, reason: f"unmet.{reason}",
    )
    return _told(tx, kind, by, language, asked, as_csv)


def closing(tx: Tx, by: str, language: str, asked: Asked, as_csv: bool = False) -> list[str]:
    """A turn: how help was, by closing question, pathway and answer; no organisation."""
    from referrals.service.turns import after_help

    kind = Quarterly(
        title="report.closing",
        heads="question,pathway,answer",
        counted=after_help.counted,
        ids=lambda question, pathway, answer: (question, pathway, answer),
        row=lambda tx, pathway, language: tx.catalogue.words(f"pathway.{pathway}", language),
        column=lambda question, answer: f"ask.{question}.{answer}",
        above=lambda question: f"ask.{question}",
    )
    return _told(tx, kind, by, language, asked, as_csv)


def _told(tx: Tx, kind: Quarterly, by: str, language: str, asked: Asked, as_csv: bool) -> list[str]:
    """Quarter by quarter, each alone."""
    actor = named_one_of(tx, by, ASKS)
    speaks(tx, language)
    lines = [f"quarter,{kind.heads},count"] if as_csv else []
    for first, last in period(asked, tx.now):
        try:
            tables = kind.counted(tx, actor, first, last)
        except BadAnswer:
            mend = "ask on the fifth of the next month, or once the bot has run again"
            raise ConfigurationError("--to", "is not written down yet", mend) from None
        if as_csv:
            lines += _as_csv(kind, tables, f"{first:%Y-%m}")
            continue
        title = {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}"}
        lines += [tx.catalogue.words(kind.title, language, **title), *_in_words(tx, kind, tables, language)]
    return lines


def period(asked: Asked, now: datetime) -> list[tuple[date, date]]:
    """The quarters that are meant, each by its first and last month; the last four that are settled."""
    from referrals.quarters import quarters, settles_at

    first = _month("--from", asked[0]) if asked[0] else None
    last = _month("--to", asked[1]) if asked[1] else None
    if first and last and first > last:
        raise ConfigurationError("--from", "is after --to", "turn the two round")
    wide = quarters(first or date(now.year - 2, 1, 1), last or now.date().replace(day=1))
    found = [each for each in wide if last or settles_at(each[1]) < now]
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


def _in_words(tx: Tx, kind: Quarterly, tables: Mapping[str, Table], language: str) -> Iterator[str]:
    """Rows of which something may be said, each column on a line of its own."""
    from referrals.suppression import TOTAL

    words, nothing = tx.catalogue.words, True
    for name, table in tables.items():
        shown = _shown(table)
        nothing = nothing and not shown
        if shown and kind.above(name):
            yield f" {words(kind.above(name), language)}"
        for row in shown:
            yield f"  {kind.row(tx, row, language) if row else words('report.total', language)}"
            for column in (*table.columns, TOTAL):
                count = str(table.said.get((row, column), UNSAID))
                said = words(kind.column(name, column) if column else "report.total", language)
                yield f"    {count:>6}  {said}"
    if nothing:
        yield f"  {words('report.nothing', language)}"
    else:
        yield f"  {UNSAID}: {words('report.not_said', language)}"


def _shown(table: Table) -> list[str]:
    """The rows of which something may be said, that of the sums last."""
    from referrals.suppression import TOTAL

    return [row for row in (*table.rows, TOTAL) if any(cell[0] == row for cell in table.said)]


def _place(tx: Tx, row: str, language: str) -> str:
    from referrals.service.common import names
    from referrals.service.matter.unmet import BETWEEN

    category, _, area_id = row.partition(BETWEEN)
    area = tx.directory.areas.get(area_id)
    named = names.named(area.names, language) if area else area_id
    return f"{tx.catalogue.words(f'category.{category}', language)} · {named}"


def _as_csv(kind: Quarterly, tables: Mapping[str, Table], quarter: str) -> Iterator[str]:
    """One line for each cell of which something is said in its row; ids, so that lists can be joined."""
    from referrals.suppression import TOTAL

    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    for name, table in tables.items():
        for row in _shown(table):
            for column in (*table.columns, TOTAL):
                rows.writerow((quarter, *kind.ids(name, row, column), table.said.get((row, column), "")))
    yield from written.getvalue().splitlines()
