"""Codes by which people name a matter to each other: the person and the desk by one, each partner by another.

So nobody who holds two phones, or reads two chats, finds the same word in both.
"""

from __future__ import annotations

from referrals.model import Offer, Referral
from referrals.ports import Tx

# No vowels and nothing that is mistaken for another: a code is said on the phone and spells no word.
CODE_LETTERS = "23456789CDFGHJKMNPQRTVWX"


def fresh(tx: Tx) -> str:
    """A code that no matter and no offer has, e.g. '3H2-F34'."""
    while True:
        letters = "".join(CODE_LETTERS[int(tx.draw(0, len(CODE_LETTERS) - 0.001))] for _ in range(6))
        code = f"{letters[:3]}-{letters[3:]}"
        if not tx.count(Referral, code=code) and not tx.count(Offer, code=code):
            return code
