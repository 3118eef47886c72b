"""What people read: `say(key, language, …)` from `locales/*.po`, times in the reader's language and zone.

A key that a language lacks is said in English, and one that English lacks as the key itself, so that nobody
is left without an answer; both are logged once. A parameter that begins with '@' is itself a text key, one
that is an instant (ISO 8601 with an offset) is shown as a date and time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.messages.pofile import PoFileError, read_po

from referrals.errors import ConfigurationError

FALLBACK = "en"
ELLIPSIS = "…"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")

KEY = re.compile(r"[a-z0-9_.-]{1,80}")

log = structlog.get_logger("bot.texts")


class Texts:
    """The words of every language. `zone` is used for people whose zone is not known."""

    def __init__(self, words: Mapping[str, Mapping[str, str]], zone: str = "UTC") -> None:
        self._words = words
        self._zone = zone
        self._missed: set[tuple[str, str]] = set()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have texts, the fallback first."""
        return tuple(sorted(self._words, key=lambda language: (language != FALLBACK, language)))

    def of(self, language: str) -> Mapping[str, str]:
        """All words of one language."""
        return self._words.get(language, {})

    def nearest(self, hint: str) -> str:
        """The language to speak for an IETF tag ('th-TH'), or the fallback."""
        language = hint.partition("-")[0].lower()
        return language if language in self._words else FALLBACK

    def say(
        self, key: str, language: str = "", zone: str = "", params: Mapping[str, str] | None = None
    ) -> str:
        """The words of a key, with its placeholders filled."""
        language = self.nearest(language)
        words = self._find(key, language)
        if not params:
            return words
        return _fill(words, {name: self._shown(value, language, zone) for name, value in params.items()})

    def _find(self, key: str, language: str) -> str:
        words = self.of(language).get(key)
        if words is None:
            if key and (key, language) not in self._missed:
                self._missed.add((key, language))
                shown = key if KEY.fullmatch(key) else "not a key"
                log.warning("text_missing", key=shown, language=language)
            words = self.of(FALLBACK).get(key, key)
        return words

    def _shown(self, value: str, language: str, zone: str) -> str:
        if value.startswith("@"):
            return self._find(value[1:], language)
        if INSTANT.fullmatch(value):
            return show_instant(datetime.fromisoformat(value), language, _zone(zone or self._zone))
        return value


class _Kept(dict[str, str]):
    """Placeholders nobody filled stay as they are written: a gap is better than no answer."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def _fill(words: str, params: Mapping[str, str]) -> str:
    """As str.format_map, but only plain `{name}`: a text must not reach into attributes of values."""
    known = _Kept(params)
    return re.sub(r"\{([a-z_]+)\}", lambda found: known[found.group(1)], words)


def show_instant(at: datetime, language: str, zone: tzinfo) -> str:
    """'Sat 21 Nov, 14:30' in the reader's own way of writing it."""
    locale = _locale(language)
    local = at.astimezone(zone)
    skeleton = locale.datetime_skeletons.get("MMMEd")
    day = format_datetime(local, str(skeleton) if skeleton else "EEE d MMM", locale=locale)
    return f"{day}, {format_datetime(local, 'HH:mm', locale=locale)}"


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        # English dates as most of the world writes them: '24 Nov', not 'Nov 24'.
        return Locale.parse("en_GB" if language == "en" else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK)


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def utf16_length(text: str) -> int:
    """How long Telegram thinks a text is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, never half a character."""
    if utf16_length(text) <= limit:
        return text
    # Dropping a half pair at the cut is what 'ignore' is for.
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    return cut.decode("utf-16-le", "ignore").rstrip() + ELLIPSIS


def read_locales(folder: Path) -> dict[str, dict[str, str]]:
    """Language to key to words, from every `.po` file of a folder; raises ConfigurationError."""
    files = sorted(folder.glob("*.po"))
    if not any(file.stem == FALLBACK for file in files):
        raise ConfigurationError(
            str(folder), "holds no texts in English (en.po)", "set PULANG_LOCALES to the right folder"
        )
    return {file.stem: _read(file) for file in files}


def _read(file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as opened:
            catalog = read_po(opened, locale=None, abort_invalid=True)
    except (OSError, PoFileError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            str(file), str(error) or type(error).__name__, "mend the file at this place"
        ) from error
    return {
        message.id: message.string
        for message in catalog
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id and message.string
    }
