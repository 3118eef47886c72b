"""Every Bot API call, encoded once and kept as text: a storm of 100,000 messages fits into memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

from simulator.journal import Journal, Op, encode


class Traffic:
    """The newest calls: `{"n", "at", "method", "params", "ok", "error_code"?, "fault"?, "files"?}`."""

    def __init__(self, journal: Journal, limit: int) -> None:
        self.n = 0
        self._calls: deque[tuple[int, str]] = deque(maxlen=limit)
        self._journal = journal

    def add(self, call: dict[str, Any]) -> None:
        """Number a call and keep it."""
        self.n += 1
        text = encode({"n": self.n, **call})
        self._calls.append((self.n, text))
        self._journal.note("traffic", self.n, text)

    def restore(self, n: int, text: str) -> None:
        """Take one back from the journal."""
        self.n = max(self.n, n)
        self._calls.append((n, text))

    def everything(self) -> Iterator[Op]:
        """For a fresh journal."""
        return (("traffic", n, text) for n, text in self._calls)

    def since(self, n: int, limit: int | None = None) -> str:
        """Calls numbered above `n` as a JSON list, oldest first; with `limit` only the newest so many."""
        if n >= self.n:
            return "[]"
        # From the newest backwards, so that asking often for little costs little.
        newest = islice(takewhile(lambda call: call[0] > n, reversed(self._calls)), limit)
        return "[" + ",\n".join([text for _, text in newest][::-1]) + "]"

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The last calls, decoded, newest first."""
        return [json.loads(text) for _, text in list(self._calls)[-limit:]][::-1]

    def clear(self) -> None:
        """Forget the calls, not the count."""
        self._calls.clear()
