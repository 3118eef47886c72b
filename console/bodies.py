"""What comes in and what goes out: requests checked for size and shape, views as JSON."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import hdrs, web

from referrals.errors import BadAnswer
from referrals.views import Choice, Said, Section, Step, Way

MAX_BODY = 64 * 1024  # bytes
MAX_KEYS = 32
MAX_ITEMS = 200
SUBJECT = r"[A-Za-z0-9_-]{1,64}"
_SMALL = (Choice, Said, Section, Step, Way)
_PATH = re.compile(rf"[a-z_]{{1,32}}(/{SUBJECT})?")


async def read_raw(request: web.Request) -> bytes:
    """The body of a request as it came; BadAnswer unless it says that it is JSON, and is small."""
    if request.content_type != "application/json":
        raise BadAnswer  # also keeps other sites' plain forms out
    raw = bytearray()
    async for chunk in request.content.iter_chunked(8192):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise BadAnswer
    return bytes(raw)


def parse_body(raw: bytes) -> Mapping[str, object]:
    """The JSON object that a body holds: strings, booleans, lists of strings. BadAnswer for anything else.

    A name that stands twice, or half a surrogate pair, is no answer either.
    """
    try:
        body = json.loads(raw, object_pairs_hook=_once)
        raw.decode("utf-8")
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadAnswer from None
    if not isinstance(body, dict) or len(body) > MAX_KEYS or not all(map(_plain, body.values())):
        raise BadAnswer
    return body


def page_of(body: Mapping[str, object]) -> str:
    """The body's page path, 'me' or 'matter/ID'; BadAnswer unless it looks like one."""
    page = body.get("page")
    if not isinstance(page, str) or not _PATH.fullmatch(page):
        raise BadAnswer
    return page


def as_json(view: Any) -> dict[str, Any]:
    """A view as the page reads it; `view` says which one it is: PlanView -> 'plan'."""
    return {"view": type(view).__name__.removesuffix("View").lower(), **plain(view)}


def answer(request: web.Request, words: Mapping[str, str], shown: Mapping[str, object]) -> web.Response:
    """`shown` and `words` as one JSON object. Our own words are packed; what people wrote is not.

    The length of packed text tells what stands in it twice, so nothing private may share a window with
    anything that somebody else could choose. Two blocks of one gzip stream: the second is merely stored.
    Sections that hold keys and the directory's names alone go with the words, as `parts` by their place.
    """
    ours, theirs = _ours(shown)
    packed = {"words": words, "parts": ours} if ours else {"words": words}
    opening, rest = _dumps(packed)[:-1] + b",", _dumps(theirs)[1:]
    headers: dict[str, str] = {hdrs.VARY: "Accept-Encoding"}
    body = opening + rest
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = packed_and_stored(opening, rest)
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)


def _ours(shown: Mapping[str, object]) -> tuple[dict[str, object], Mapping[str, object]]:
    """Which sections of a view hold nothing that a person wrote or chose, and the view with None for each."""
    sections: Any = shown.get("sections", ())
    ours = {str(place): one for place, one in enumerate(sections) if _is_ours(one)}
    if not ours:
        return {}, shown
    left = [None if str(place) in ours else one for place, one in enumerate(sections)]
    return ours, {**shown, "sections": left}


def _is_ours(section: Mapping[str, Any]) -> bool:
    if "matters" not in section:
        return False  # a safety plan's parts are somebody's own words
    filled = section.get("name") or section["matters"] or any(line.get("params") for line in section["lines"])
    return not filled


def packed_and_stored(packed: bytes, stored: bytes) -> bytes:
    """A gzip stream (RFC 1952) of both: the first compressed, the second not at all."""
    first, second = zlib.compressobj(9, wbits=-15), zlib.compressobj(0, wbits=-15)
    blocks = (
        first.compress(packed) + first.flush(zlib.Z_FULL_FLUSH) + second.compress(stored) + second.flush()
    )
    head = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
    return head + blocks + struct.pack("<II", zlib.crc32(packed + stored), len(packed) + len(stored))


def small_json(value: Mapping[str, object]) -> web.Response:
    """JSON in as few bytes as it takes."""
    return web.Response(body=_dumps(value), content_type="application/json", charset="utf-8")


def _dumps(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def plain(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON takes them: instants in UTC."""
    return {field.name: _jsonable(getattr(value, field.name)) for field in fields(value)}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_ITEMS and all(isinstance(item, str) for item in value)
    return isinstance(value, str | bool)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if is_dataclass(value):
        return {name: _jsonable(item) for name, item in _said(value)}
    return value


def _said(value: Any) -> Iterator[tuple[str, object]]:
    """A dataclass's fields; of the small parts that a page has by the dozen, not those that say nothing.

    A list is always there, and whatever has no default.
    """
    for field in fields(value):
        item = getattr(value, field.name)
        may_lack = field.default is not MISSING or field.default_factory is not MISSING
        if not (may_lack and not item and isinstance(value, _SMALL) and not isinstance(item, tuple)):
            yield field.name, item
