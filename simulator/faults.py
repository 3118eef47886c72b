"""Faults on request: which call or delivery misbehaves next, by count or by a seeded share. No I/O."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from simulator.errors import NotPossible

CALL_KINDS = ("429", "500", "timeout", "drop-reply")
KINDS = (*CALL_KINDS, "duplicate-update")
NUMBERS = ("count", "rate", "retry_after", "latency_ms")


@dataclass
class Fault:
    """`left` is None for a fault with a rate: it stays until a reset or `{"kind", "rate": 0}`."""

    kind: str
    method: str | None
    left: int | None
    rate: float
    retry_after: int
    latency_ms: float | None
    dice: random.Random = field(repr=False, default_factory=random.Random)

    def strikes(self) -> bool:
        """Whether this one is hit; uses up one of a count."""
        if self.rate < 1 and self.dice.random() >= self.rate:
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def public(self) -> dict[str, Any]:
        """As the page shows it."""
        return {"kind": self.kind, "method": self.method, "left": self.left, "rate": self.rate}


class Faults:
    """All that are set; the oldest that strikes wins."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, body: dict[str, Any]) -> None:
        """Set one: `{"kind", "method"?, "count"?, "rate"?, "seed"?, "retry_after"?, "latency_ms"?}`.

        A rate or count of 0 lifts that kind.
        """
        fault = parse(body)
        if fault.rate == 0:
            same = (fault.kind, fault.method)
            self._set = [f for f in self._set if (f.kind, f.method if fault.method else None) != same]
            return
        self._set.append(fault)

    def for_call(self, method: str) -> Fault | None:
        """The fault that hits this call of the Bot API."""
        return self._draw(CALL_KINDS, method) if self._set else None

    def for_delivery(self) -> bool:
        """Whether this update is delivered twice."""
        return bool(self._set) and self._draw(("duplicate-update",), None) is not None

    def _draw(self, kinds: tuple[str, ...], method: str | None) -> Fault | None:
        for fault in self._set:
            concerned = fault.kind in kinds and (not fault.method or fault.method == (method or "").lower())
            if concerned and fault.strikes():
                self._set = [f for f in self._set if f.left is None or f.left > 0]
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """What is set now."""
        return [fault.public() for fault in self._set]

    def clear(self) -> None:
        """No more faults."""
        self._set.clear()


def parse(body: dict[str, Any]) -> Fault:
    """Check what was asked for; NotPossible (400) names what is wrong."""
    unknown = set(body) - {"kind", "method", "seed", *NUMBERS}
    kind = str(body.get("kind"))
    if unknown or kind not in KINDS:
        raise NotPossible(
            400, f"a fault is one of {', '.join(KINDS)}" + (f"; unknown: {unknown}" if unknown else "")
        )
    for name in NUMBERS:
        value = body.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0
        ):
            raise NotPossible(400, f"{name} must be a number, 0 or more")
    rate, count = body.get("rate"), body.get("count")
    if rate is not None and rate > 1:
        raise NotPossible(400, "rate is a share between 0 and 1")
    if rate is None and count is None:
        count = 1
    method = body.get("method")
    return Fault(
        kind=kind,
        method=str(method).lower() if method else None,
        left=None if count is None else int(count),
        rate=0.0 if count == 0 else 1.0 if rate is None else float(rate),
        retry_after=int(body.get("retry_after") or 1),
        latency_ms=body.get("latency_ms"),
        dice=random.Random(body.get("seed")),
    )
