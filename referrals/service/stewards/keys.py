"""Looking after keys: who asked for a new one, and who looked. The keys themselves are the store's."""

from __future__ import annotations

from referrals.access import Action, allow
from referrals.model import Actor, AuditEntry, DataClass
from referrals.ports import Tx

EVERY = "all"


def look(tx: Tx, actor: Actor) -> None:
    """A steward looks at the states of all keys; nothing is opened by that."""
    allow(actor, Action.KEYS_STATUS)
    tx.audit(AuditEntry(actor, Action.KEYS_STATUS, f"keys:{EVERY}"))


def rotate(tx: Tx, actor: Actor, holder: str, data_class: DataClass | None = None) -> int:
    """New keys for a holder, of all classes or one; how many. 0: it holds nothing."""
    allow(actor, Action.KEYS_ROTATE)
    count = tx.rotate_holder(holder, data_class)
    if count:
        tx.audit(AuditEntry(actor, Action.KEYS_ROTATE, f"keys:{holder}", data_class or EVERY))
    return count
