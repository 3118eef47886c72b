"""Text and its entities: HTML mode as the Bot API reads it, and the commands in what a person types. Pure."""

from __future__ import annotations

import html
import re
from typing import Any

from simulator.errors import bad_request
from simulator.facts import utf16_length

TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z-]*)((?:\s[^<>]*)?)>")
ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")
KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip

Entities = list[dict[str, Any]]


def parse(text: str, mode: str | None, given: Entities | None = None) -> tuple[str, Entities]:
    """What is shown and its entities; refuses (400) a mode other than HTML, and tags that do not fit."""
    if not mode:
        stripped = text.strip()
        return stripped, shifted(given, text, stripped) if given else []
    if mode.lower() != "html":
        raise bad_request(f"unsupported parse_mode: the simulator reads HTML only, not {mode}")
    return parse_html(text)


def shifted(given: Entities, before: str, after: str) -> Entities:
    """Entities moved by the white space that was cut at the front."""
    cut = utf16_length(before) - utf16_length(before.lstrip())
    limit = utf16_length(after)
    return [{**e, "offset": e["offset"] - cut} for e in given if 0 <= e["offset"] - cut < limit]


def parse_html(text: str) -> tuple[str, Entities]:
    """`<b>hi</b>` -> ("hi", [{"type": "bold", "offset": 0, "length": 2}])."""
    parts: list[str] = []
    units = position = 0
    opened: list[tuple[str, int, dict[str, Any]]] = []
    found: Entities = []
    for tag in TAG.finditer(text):
        piece = _plain(text[position : tag.start()], position)
        parts.append(piece)
        units += utf16_length(piece)
        position = tag.end()
        name = tag[2].lower()
        if tag[1]:
            found += _closed(opened, name, units, tag.start())
        else:
            opened.append((name, units, _entity(name, tag[3], tag.start())))
    if opened:
        raise bad_request(
            f"can't parse entities: Can't find end tag corresponding to start tag \"{opened[-1][0]}\""
        )
    parts.append(_plain(text[position:], position))
    whole = "".join(parts)
    stripped = whole.strip()
    return stripped, shifted(sorted(found, key=lambda e: (e["offset"], -e["length"])), whole, stripped)


def _plain(piece: str, at: int) -> str:
    if "<" in piece:
        raise bad_request(
            f"can't parse entities: Unsupported start tag at byte offset {at + piece.index('<')}"
        )
    return html.unescape(piece) if "&" in piece else piece


def _entity(name: str, attributes: str, at: int) -> dict[str, Any]:
    if name not in KINDS:
        raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {at}')
    given = {m[1].lower(): html.unescape(m[2] or m[3] or "") for m in ATTRIBUTE.finditer(attributes)}
    if name == "span" and given.get("class") != "tg-spoiler":
        raise bad_request(
            f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {at}'
        )
    kind = "expandable_blockquote" if name == "blockquote" and "expandable" in given else KINDS[name]
    entity: dict[str, Any] = {"type": kind}
    if name == "a" and given.get("href"):
        entity["url"] = given["href"]
    return entity


def _closed(opened: list[tuple[str, int, dict[str, Any]]], name: str, end: int, at: int) -> Entities:
    if not opened:
        raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {at}")
    expected, start, entity = opened.pop()
    if expected != name:
        raise bad_request(
            f"can't parse entities: Unmatched end tag at byte offset {at}, "
            f'expected "</{expected}>", found "</{name}>"'
        )
    if end == start or entity == {"type": "text_link"}:
        return []
    return [{"type": entity["type"], "offset": start, "length": end - start, **entity}]


def commands_in(text: str) -> Entities:
    """The bot_command entities of what a person typed."""
    if "/" not in text:
        return []
    return [
        {"type": "bot_command", "offset": utf16_length(text[: m.start()]), "length": utf16_length(m[0])}
        for m in COMMAND.finditer(text)
    ]
