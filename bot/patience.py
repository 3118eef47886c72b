"""Presses that come faster than a person's: told once that it was a lot, and then nobody listens for a while.

A token bucket for each account, in memory: a press costs one, and they come back with time. What is lost at a
restart harms nobody. Only presses are counted here; text must always be taken out of a chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BURST = 40.0
PER_S = 2.0
MOST_KEPT = 20_000  # accounts; a full bucket is forgotten first


class Verdict(Enum):
    """What becomes of a press."""

    HEARD = "heard"
    TOLD = "told"  # the first one too many: answered with kind words
    IGNORED = "ignored"


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    told: bool = False


class Patience:
    """`now` is a monotonic time in seconds."""

    def __init__(self, burst: float = BURST, per_s: float = PER_S, most: int = MOST_KEPT) -> None:
        self._burst, self._per_s, self._most = burst, per_s, most
        self._buckets: dict[int, _Bucket] = {}

    def of(self, account: int, now: float) -> Verdict:
        """Count one press of this account."""
        bucket = self._buckets.get(account)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[account] = _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            bucket.told = False
            return Verdict.HEARD
        verdict = Verdict.IGNORED if bucket.told else Verdict.TOLD
        bucket.told = True
        return verdict

    def _make_room(self, now: float) -> None:
        """Forget those whose bucket has filled up again; all of them, should that not be enough."""
        if len(self._buckets) < self._most:
            return
        full = self._burst / self._per_s
        self._buckets = {a: b for a, b in self._buckets.items() if now - b.at < full}
        if len(self._buckets) >= self._most:
            self._buckets.clear()
