"""Each screen is at most 1 KB of text, in each language; labels fit a button.

Texts are filled with the longest things that the demo's network could put into them. Whole screens (with
their choices as numbers) are walked in tests/service/test_by_text.py.
"""

from __future__ import annotations

import re

import pytest

from bot.telegram_out import LONGEST_BUTTON
from bot.texts import Texts, utf16_length
from tests.support.chats import LONGEST_SCREEN
from tests.support.network import CATALOGUE, NETWORK, ROOT

TEXTS = Texts(CATALOGUE.texts)
LANGUAGES = sorted(CATALOGUE.texts)
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# What no chat shows: pages, exports, the words of a yes (on a page, or in the mentor's voice), and spellings.
NOT_IN_CHATS = ("page.", "export.", "consent.", "words_consent.", "word.", "class.", "reason.", "bot.")
# What stands on a button, or behind a number.
LABELS = (
    *(
        "button.",
        "category.",
        "pathway.",
        "decline.",
        "means.",
        "state.",
        "language.",
        "as.",
        "need.",
        "area.",
    ),
)


def longest(name: str, language: str) -> str:
    """The longest thing that may come into a place of this name."""
    if name in ("need", "category"):
        return max((TEXTS.say(f"category.{c}", language) for c in CATALOGUE.categories), key=len)
    if name == "lines":
        organizations = [name for o in NETWORK.organizations for name in o.names.values()]
        return " / ".join([f"{max(organizations, key=len)} 0812345678"] * 3)
    if name in ("at", "by", "until", "when", "day"):
        return "2026-11-25T17:30+07:00"
    return "K7-29W29" + "9" * 8


def sayings() -> list[str]:
    return [key for key in CATALOGUE.texts["en"] if not key.startswith(NOT_IN_CHATS)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_a_chat_is_longer_than_a_short_screen(language: str) -> None:
    too_long = {}
    for key in sayings():
        names = PLACEHOLDER.findall(CATALOGUE.texts[language][key])
        shown = TEXTS.say(key, language, "Asia/Bangkok", {n: longest(n, language) for n in names})
        if len(shown.encode()) > LONGEST_SCREEN:
            too_long[key] = len(shown.encode())
    assert not too_long


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_is_cut(language: str) -> None:
    choices = [k for k in CATALOGUE.texts["en"] if re.fullmatch(r"form\.[^.]+\.[^.]+", k)]
    labels = [k for k in CATALOGUE.texts["en"] if k.startswith(LABELS)]
    labels += [k for k in choices if k.split(".")[1] not in CATALOGUE.forms]  # else it is a question
    cut = {k for k in labels if utf16_length(CATALOGUE.texts[language][k]) > LONGEST_BUTTON}
    assert not cut


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_written_twice(language: str) -> None:
    """Of two texts with one key a reader of the file sees the first, and a person on the phone the other."""
    keys = re.findall(r'^msgid "(.+)"$', (ROOT / f"locales/{language}.po").read_text("utf-8"), re.MULTILINE)
    assert sorted({key for key in keys if keys.count(key) > 1}) == []
