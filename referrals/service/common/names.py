"""Names and days as people say them, in the reader's own language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from referrals.catalogue import Catalogue
from referrals.directory import Directory


def day_in_words(catalogue: Catalogue, day: date, language: str) -> str:
    """A day as people say it, in the era in which their language counts its years."""
    spoken = catalogue.languages.get(language)
    year = day.year + (spoken.years_added if spoken else 0)
    month = catalogue.words(f"date.month.{day.month}", language)
    return catalogue.words("date.day", language, day=str(day.day), month=month, year=str(year))


def in_order(name: str) -> str:
    """To sort names by: Thai puts some vowels before the consonant by which a word is looked up."""
    return re.sub("([เ-ไ])(.)", r"\2\1", name)


def named(names: Mapping[str, str], language: str) -> str:
    """A directory name in somebody's language, else in English, else in whatever there is."""
    return names.get(language) or names.get("en") or next(iter(names.values()), "")


def place(directory: Directory, area_id: str, language: str) -> str:
    """An area by its name; one that was split by all the names that it has now."""
    found = (directory.areas.get(area) for area in directory.now_called(area_id))
    return " / ".join(named(area.names, language) for area in found if area is not None)
