"""How an export looks: one HTML file without script, and the same as JSON (docs/export-format.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from referrals import calling

Words = Callable[[str], str]
Days = Callable[[date], str]

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #bbb}dt{font-weight:600;margin-top:.6rem}dd{margin:0}"
    "pre{white-space:pre-wrap;font:inherit;background:#f5f3ee;padding:.6rem;margin:.2rem 0}"
)
# Values that are codes have words of their own: field, or what it stands in / field -> prefix of the key.
_CODES: Mapping[str, str] = {
    "category": "category.",
    "urgency": "urgency.",
    "stage": "stage.",
    "role": "role.",
    "window": "form.window.",
    "age_group": "form.age_group.",
    "outcome": "outcome.",
    "outcome_reason": "unmet.",
    "not_over": "not_over.",
    "language": "language.",
    "pathway": "pathway.",
    "presence": "export.presence.",
    "state": "export.state.",
    "how": "state.",
    "what": "export.what.",
    "programme": "programme.",
    "phase": "phase.",
    "milestones": "milestone.",
    "course": "course.",
    "step": "course_step.",
    "why": "page.share.why.",
    "tried": "export.tried.",
    "appointment": "export.appointment.",
    "question": "ask.",
    "answer": "ask.",
    "assent": "assent.",
    "agreed": "agreed.",
    "for_somebody/why": "behalf.",
    "prepared": "part.circle.step.",
    "part": "task.",
    "parts/state": "export.part.",
    "whom": "about.",
    "confirmations/state": "export.confirmation.",
    "confirmations/why": "part.attendance.why.",
    "words/home": "call.home_",
    "words/went": "export.went.",
}


@dataclass(frozen=True, slots=True)
class _Voice:
    """How this person is spoken to: words of a text key, a day in words, their clock."""

    words: Words
    day: Days
    zone: ZoneInfo

    def moment(self, when: datetime) -> str:
        there = when.astimezone(self.zone)
        return f"{self.day(there.date())}, {there:%H:%M}"


def as_json(found: Mapping[str, Any]) -> str:
    """The machine's half: UTF-8, instants in ISO 8601 with their zone (UTC)."""
    return json.dumps(found, ensure_ascii=False, indent=1, default=_instant)


def render(found: Mapping[str, Any], language: str, words: Words, day: Days) -> str:
    """The reader's half, in the person's language and time; everything that anybody wrote is escaped."""
    voice = _Voice(words, day, ZoneInfo(found["settings"]["timezone"]))
    title = escape(words("export.title"))
    parts = [
        f'<!doctype html><html lang="{escape(language or "en")}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        f"<p>{escape(words('export.intro'))}</p>",
    ]
    for name, value in found.items():
        if name not in ("format", "made_at") and value not in ([], None):
            parts.append(f"<h2>{escape(words(f'export.{name}'))}</h2>{_shown(name, value, voice)}")
    return "".join([*parts, "</body></html>"])


def _shown(name: str, value: Any, voice: _Voice, within: str = "") -> str:
    if isinstance(value, Mapping):
        rows = [(k, v) for k, v in value.items() if v not in (None, "", [], {})]
        return (
            "<dl>"
            + "".join(
                f"<dt>{_label(k, voice.words)}</dt><dd>{_shown(k, v, voice, name)}</dd>" for k, v in rows
            )
            + "</dl>"
        )
    if isinstance(value, list):
        return "".join(f"<section>{_shown(name, item, voice, within)}</section>" for item in value)
    if isinstance(value, bool):
        return escape(voice.words("page.yes" if value else "export.no"))
    if isinstance(value, datetime):
        return escape(voice.moment(value))
    return f"<pre>{escape(_text(name, value, voice, within))}</pre>"


def _text(name: str, value: Any, voice: _Voice, within: str) -> str:
    if isinstance(value, date):
        return voice.day(value)
    if name == "from" and value == "me":
        return voice.words("page.matter.you")
    if within == "words" and name == "day":
        return voice.day(date.fromisoformat(value))
    if within == "words" and name == "safe_times":
        times = calling.read(value)
        return ", ".join(voice.words(key) for key in times.keys) if times else ""
    if within == "words" and value == "not_safe":  # whoever may call reads 'never', and so it is said here
        value = "never"
    prefix = _CODES.get(f"{within}/{name}") or _CODES.get(name)
    return voice.words(prefix + str(value)) if prefix else str(value)


def _label(name: str, words: Words) -> str:
    """The word for a field; sealed columns that were added later ('added.…') have one word."""
    return escape(words(f"export.field.{name.partition('.')[0]}"))


def _instant(value: Any) -> str:
    if isinstance(value, date):  # or an instant
        return value.isoformat()
    raise TypeError(type(value).__name__)
