"""Words in the reader's language, times in the reader's zone, and never nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.texts import Texts, read_locales, shorten, utf16_length
from referrals.errors import ConfigurationError

PO = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "hello"\nmsgstr "{words} {{x}}"\n'
)


def made(tmp_path: Path, **files: str) -> Texts:
    for name, content in files.items():
        (tmp_path / f"{name}.po").write_text(content)
    return Texts(read_locales(tmp_path))


def test_languages_and_what_they_lack(tmp_path: Path) -> None:
    english = PO.replace("{words} {{x}}", "Hello {name}") + '\nmsgid "only"\nmsgstr "Only here"\n'
    texts = made(tmp_path, en=english, th=PO.replace("{words} {{x}}", "สวัสดี {name}"))
    assert texts.languages == ("en", "th")
    assert texts.say("hello", "th", params={"name": "K7"}) == "สวัสดี K7"
    assert texts.say("hello", "th-TH", params={"name": "K7"}) == "สวัสดี K7"
    assert texts.say("hello", "xx", params={"name": "K7"}) == "Hello K7"
    assert texts.say("only", "th") == "Only here"
    assert texts.say("nowhere", "th") == "nowhere"
    assert texts.say("hello", "en", params={"other": "x"}) == "Hello {name}"


def test_a_parameter_fills_only_plain_placeholders(tmp_path: Path) -> None:
    texts = made(tmp_path, en=PO.replace("{words} {{x}}", "{name.__class__} {0} {name!r} {name}"))
    assert texts.say("hello", "en", params={"name": "{secret}"}) == "{name.__class__} {0} {name!r} {secret}"


def test_instants_and_keys_as_parameters(tmp_path: Path) -> None:
    texts = made(tmp_path, en=PO.replace("{words} {{x}}", "By {by}: {what}"), th=PO)
    params = {"by": "2026-11-21T20:30+00:00", "what": "@hello"}
    said = texts.say("hello", "en", "Asia/Bangkok", params)
    assert said.startswith("By Sun")
    assert all(part in said for part in ("22", "Nov", "03:30: By {by}: {what}"))
    assert "20:30" in texts.say("hello", "en", "Nowhere/At_all", params)
    assert "20:30" in texts.say("hello", "en", "", params)
    assert texts.say("hello", "en", "", {"by": "2026-11-21", "what": "-"}) == "By 2026-11-21: -"


def test_lengths_are_telegrams() -> None:
    assert utf16_length("a😀") == 3
    assert shorten("a" * 10, 10) == "a" * 10
    for limit in range(2, 12):
        short = shorten("ก😀" * 10, limit)
        assert utf16_length(short) <= limit
        short.encode()  # no half characters
    assert shorten("\ud83d" * 20, 5).endswith("…")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.po").write_text('msgid "a"\nrubbish "b"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_locales(tmp_path)
    assert "en.po" in caught.value.where
    with pytest.raises(ConfigurationError, match="no texts in English"):
        read_locales(tmp_path / "none")
