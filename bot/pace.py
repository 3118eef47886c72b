"""How fast may be sent: token buckets overall and per chat, and the pauses that Telegram asks for. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

CHAT_BURST = 3.0  # 'bursts pass': an answer of three messages is not slowed down
OVERALL_BURST_S = 0.5
MANY_CHATS = 3  # so many flooded chats within a second mean that all are meant
WINDOW_S = 1.0
MOST_CHATS = 20_000


@dataclass
class Pace:
    """`now` is monotonic seconds everywhere."""

    overall_per_s: float
    per_chat_per_s: float
    _level: float = field(default=math.inf, init=False)
    _filled_at: float = field(default=0.0, init=False)
    _chats: OrderedDict[int, float] = field(default_factory=OrderedDict, init=False)
    _paused: dict[int, float] = field(default_factory=dict, init=False)
    _all_paused_until: float = field(default=0.0, init=False)
    _floods: dict[int, float] = field(default_factory=dict, init=False)

    def room(self, now: float) -> int:
        """How many messages may leave now, to whomever."""
        if now < self._all_paused_until:
            return 0
        self._fill(now)
        return int(self._level)

    def until_room(self, now: float) -> float:
        """Seconds until at least one may leave."""
        self._fill(now)
        missing = max(0.0, 1 - self._level) / self.overall_per_s
        return max(missing, self._all_paused_until - now, 0.0)

    def leave(self, now: float) -> None:
        """One message leaves."""
        self._fill(now)
        self._level -= 1

    def chat_wait(self, chat: int, now: float) -> float:
        """Reserve this chat's next place; returns the seconds until it comes.

        A chat's bucket is one number: the instant at which it will be full again.
        """
        paused = self.paused(chat, now)
        if paused:
            return paused
        step = 1 / self.per_chat_per_s
        full_at = max(self._chats.pop(chat, now), now) + step
        self._chats[chat] = full_at
        while len(self._chats) > MOST_CHATS:
            self._chats.popitem(last=False)
        return max(0.0, full_at - now - CHAT_BURST * step)

    def paused(self, chat: int, now: float) -> float:
        """Seconds for which Telegram wants silence in this chat."""
        until = self._paused.get(chat, 0.0)
        if until <= now:
            self._paused.pop(chat, None)
        return max(until - now, self._all_paused_until - now, 0.0)

    def flood(self, chat: int, seconds: float, now: float) -> None:
        """Telegram asked for silence: this chat is paused, and all chats when it asks in several at once."""
        self._paused[chat] = now + seconds
        self._floods = {known: at for known, at in self._floods.items() if at > now - WINDOW_S}
        self._floods[chat] = now
        if len(self._floods) >= MANY_CHATS:
            self.pause_all(seconds, now)

    def pause_all(self, seconds: float, now: float) -> None:
        """Nothing leaves for so many seconds."""
        self._all_paused_until = max(self._all_paused_until, now + seconds)

    def _fill(self, now: float) -> None:
        most = max(1.0, self.overall_per_s * OVERALL_BURST_S)
        self._level = min(most, self._level + max(0.0, now - self._filled_at) * self.overall_per_s)
        self._filled_at = now
