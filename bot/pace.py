"""How fast may be sent: what Telegram permits overall (an estimate), a chat's own rate, asked silence. Pure.

Rules: what leaves within any t seconds is at most the burst and t times the configured rate; a part of the
burst is kept for what is urgent; a 429 that only one chat can mean pauses that chat, one that all must mean
cuts the estimate to a part of itself (once for each event), and it creeps up again by equal steps.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

CHAT_BURST = 3.0  # 'bursts pass': an answer of three messages is not slowed down
OVERALL_BURST_S = 0.5
RESERVE = 1 / 3  # of the burst, for what is urgent; what is not leaves the bucket at least so full
MANY_CHATS = 2  # so many flooded chats within the window mean that all are meant
WINDOW_S = 1.0
CUT = 0.85
LEAST = 0.2  # of the configured rate: a 429 for another reason must not stop everything
CREEP_S = 300.0  # from nothing to the configured rate
MOST_CHATS = 20_000
HAIR = 1e-6  # of a message: rounding must not find a bucket not quite full enough for ever


@dataclass
class Pace:
    """`now` is monotonic seconds everywhere. `overall_per_s` is the most that is ever believed."""

    overall_per_s: float
    per_chat_per_s: float
    _estimate: float = field(default=0.0, init=False)
    _level: float = field(default=math.inf, init=False)
    _filled_at: float = field(default=-math.inf, init=False)
    _chats: OrderedDict[int, float] = field(default_factory=OrderedDict, init=False)
    _paused: dict[int, float] = field(default_factory=dict, init=False)
    _all_paused_until: float = field(default=-math.inf, init=False)
    _floods: dict[int, float] = field(default_factory=dict, init=False)
    _cut_at: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        self._estimate = self.overall_per_s

    @property
    def estimate(self) -> float:
        """Messages a second that Telegram seems to permit."""
        return self._estimate

    def room(self, now: float, *, urgent: bool = True) -> int:
        """How many messages may leave now, to whomever; fewer for what is not urgent."""
        if now < self._all_paused_until:
            return 0
        self._fill(now)
        return max(0, int(self._level - (0.0 if urgent else self._reserve) + HAIR))

    def until_room(self, now: float, *, urgent: bool = True) -> float:
        """Seconds until at least one may leave."""
        self._fill(now)
        wanted = 1 + (0.0 if urgent else self._reserve)
        missing = max(0.0, wanted - self._level) / self._estimate
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
        until = self._paused.get(chat, -math.inf)
        if until <= now:
            self._paused.pop(chat, None)
        return max(until - now, self._all_paused_until - now, 0.0)

    def flood(self, chat: int, seconds: float, now: float) -> None:
        """Telegram answered 429. The chat is paused; the estimate is cut where all may be meant.

        A chat that was spoken to a moment ago may itself be meant. One that was calm cannot, so the rate was
        too high: it is cut at once, and when several chats say so all are paused.
        """
        self._paused[chat] = max(self._paused.get(chat, -math.inf), now + seconds)
        self._floods = {known: at for known, at in self._floods.items() if at > now - WINDOW_S}
        self._floods[chat] = now
        many = len(self._floods) >= MANY_CHATS
        if many or self._was_calm(chat, now):
            self._cut(now)
        if many:
            self.pause_all(seconds, now)

    def pause_all(self, seconds: float, now: float) -> None:
        """Nothing leaves for so many seconds, and no burst comes right after them."""
        self._fill(now)
        self._level = min(self._level, 0.0)
        until = now + seconds
        self._all_paused_until = max(self._all_paused_until, until)
        self._filled_at = max(self._filled_at, self._all_paused_until)

    def _was_calm(self, chat: int, now: float) -> bool:
        """Whether what was refused was the only thing said there for a while."""
        step = 1 / self.per_chat_per_s
        return self._chats.get(chat, now) - now <= step

    def _cut(self, now: float) -> None:
        """Once for each event: what was on its way during a cut says nothing new."""
        if now - self._cut_at >= WINDOW_S:
            self._fill(now)
            self._estimate = max(self.overall_per_s * LEAST, self._estimate * CUT)
            self._level = min(self._level, self._reserve)
            self._cut_at = now

    @property
    def _burst(self) -> float:
        return max(1.0, self._estimate * OVERALL_BURST_S)

    @property
    def _reserve(self) -> float:
        """Never so much that what is not urgent could not leave at all."""
        return min(self._burst * RESERVE, self._burst - 1)

    def _fill(self, now: float) -> None:
        passed = now - self._filled_at
        if passed <= 0:
            return
        self._filled_at = now
        if math.isfinite(passed):
            grown = self._estimate + passed * self.overall_per_s / CREEP_S
            self._estimate = min(self.overall_per_s, grown)
        self._level = min(self._burst, self._level + passed * self._estimate)
