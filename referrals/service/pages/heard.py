"""A further yes on a matter's page: what a mentor who hears it ticks first, and the code shown once."""

from __future__ import annotations

from dataclasses import replace

from referrals.model import Referral
from referrals.service.by_word import word_consent
from referrals.views import Choice, Said, Section, Step

_TICKS = {word_consent.READ_OUT: "part.transfer.was_read", word_consent.SAID_YES: "part.transfer.said_yes"}


def step(yes: Step, referral: Referral, label_key: str) -> Step:
    """The person's own step; by word under this label, with what has to be ticked."""
    ticks = tuple(Choice(tick, label_key=_TICKS[tick]) for tick in word_consent.ticks(referral))
    return replace(yes, label_key=label_key, needs="several", choices=ticks) if ticks else yes


def code(words: str) -> Section | None:
    """The code that takes the yes back; None where none was made."""
    shown = (Said("part.transfer.code", {"code": words}), Said("part.transfer.code_once"))
    return Section("part.transfer.code_title", shown) if words else None
