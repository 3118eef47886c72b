"""Telegram's sending limits as token buckets. Pure: `now` is passed in, so moving the clock refills them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from simulator.errors import NotPossible


@dataclass(slots=True)
class Bucket:
    """`level` tokens at time `at`."""

    level: float
    at: float


@dataclass
class Limits:
    """Messages a second, overall and in one chat; None lifts. A burst of `*_burst` passes (default: 1 s)."""

    overall_per_s: float | None = None
    per_chat_per_s: float | None = None
    overall_burst: float | None = None
    per_chat_burst: float | None = None
    _overall: Bucket | None = None
    _chats: dict[Any, Bucket] = field(default_factory=dict)

    def change(self, body: dict[str, Any]) -> None:
        """What is named changes, the rest stays; NotPossible (400) on all but positive numbers and null."""
        names = ("overall_per_s", "per_chat_per_s", "overall_burst", "per_chat_burst")
        for name, value in body.items():
            good = value is None or (
                isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
            )
            if name not in names or not good:
                raise NotPossible(400, f"{name}: known are {', '.join(names)}, each a number above 0 or null")
        for name, value in body.items():
            setattr(self, name, value)
        self._overall = None
        self._chats.clear()

    def take(self, chat: Any, now: float) -> int:
        """Take one message's token: 0 when it may pass, else the whole seconds to wait."""
        wait = 0.0
        overall = own = None
        if self.overall_per_s:
            self._overall = overall = _filled(self._overall, self.overall_per_s, self.overall_burst, now)
            wait = (1 - overall.level) / self.overall_per_s
        if self.per_chat_per_s:
            own = _filled(self._chats.get(chat), self.per_chat_per_s, self.per_chat_burst, now)
            self._chats[chat] = own
            wait = max(wait, (1 - own.level) / self.per_chat_per_s)
        if wait > 0:
            return max(1, math.ceil(wait))
        for bucket in (overall, own):
            if bucket is not None:
                bucket.level -= 1
        return 0


def _filled(bucket: Bucket | None, rate: float, burst: float | None, now: float) -> Bucket:
    size = max(1.0, burst or rate)
    if bucket is None:
        return Bucket(size, now)
    bucket.level = min(size, bucket.level + max(0.0, now - bucket.at) * rate)
    bucket.at = now
    return bucket
