"""When and how somebody may be called: codes, chosen on a page, sealed with the number as `contact`.

Nothing chosen means no wish: any day, any hour. Hours are those of the person's own zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals.errors import BadAnswer
from referrals.schedule import local

DAYS: Mapping[str, range] = {"weekdays": range(5), "weekend": range(5, 7)}
# From the first hour on, until the second one begins.
PARTS: Mapping[str, tuple[int, int]] = {"morning": (8, 12), "afternoon": (12, 17), "evening": (17, 21)}
# 'Leave no message', 'speak to nobody but me', 'say that you call from the shop'.
HOW = ("no_message", "only_me", "say_shop")


@dataclass(frozen=True, slots=True)
class SafeTimes:
    """What was chosen, in the order of the tables above."""

    days: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def keys(self) -> tuple[str, ...]:
        """The text keys of what was chosen: 'call.weekdays', 'call.evening', 'call.no_message'."""
        return tuple(f"call.{code}" for code in (*self.days, *self.parts, *self.how))


def chosen(days: Iterable[str], parts: Iterable[str], how: Iterable[str], timezone: str) -> SafeTimes | None:
    """What was ticked; None where nothing was. BadAnswer for a code that is in no table."""
    found = SafeTimes(_known(days, DAYS), _known(parts, PARTS), _known(how, HOW), timezone)
    return found if found.keys else None


def write(times: SafeTimes) -> str:
    """As it is sealed; `read` reads it again."""
    return ";".join([",".join(times.days), ",".join(times.parts), ",".join(times.how), times.timezone])


def read(text: str) -> SafeTimes | None:
    """What `write` has written; None for ''."""
    if not text:
        return None
    days, parts, how, timezone = text.split(";")
    return chosen(_codes(days), _codes(parts), _codes(how), timezone)


def safe_now(times: SafeTimes | None, now: datetime) -> bool:
    """Whether this instant is within the chosen days and hours, by the person's own clock."""
    if times is None:
        return True
    here = local(now, times.timezone)
    day = not times.days or any(here.weekday() in DAYS[code] for code in times.days)
    spans = [PARTS[code] for code in times.parts]
    return day and (not spans or any(first <= here.hour < end for first, end in spans))


def _known(codes: Iterable[str], table: Iterable[str]) -> tuple[str, ...]:
    asked, known = set(codes), tuple(table)
    if not asked <= set(known):
        raise BadAnswer
    return tuple(code for code in known if code in asked)


def _codes(text: str) -> list[str]:
    return [code for code in text.split(",") if code]
