"""What is said once a partner has said yes: that it gets in touch, or, where it is given no way to, begins.

Who lets somebody in or lets somebody go reads neither story nor phone (its agreement names neither): nobody
is promised that a body of the state calls, and its worker is not asked for what cannot be done.
"""

from __future__ import annotations

from collections.abc import Mapping

from referrals.model import DataClass, Referral
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import tell
from referrals.service.matter import sharing

# A text key, and the one that stands in its place where nobody is called.
_WITHOUT_A_CALL: Mapping[str, str] = {
    "matter.accepted": "matter.taken",
    "matter.in_service": "matter.under_way",
    "worker.accepted": "worker.taken",
    "worker.contact_overdue": "worker.begin_overdue",
    "button.in_touch": "button.begun",
    "page.step.contacted": "page.step.begun",
    "next.accepted": "next.taken",
}


def reaches(tx: Tx, referral: Referral) -> bool:
    """Whether the partner that holds a matter is given a way to its person: their contact, or words.

    One that may read nothing at all just now is as it was: other rules speak of that.
    """
    given = sharing.readable(tx, referral)
    return not given or DataClass.CONTACT in given or sharing.words_open(tx, referral)


def words(tx: Tx, referral: Referral, key: str) -> str:
    """The text key to say for `key`, one of the table's."""
    return key if reaches(tx, referral) else _WITHOUT_A_CALL[key]


def keyboard(tx: Tx, referral: Referral, offer_id: str) -> Keyboard:
    """Below what a worker has just accepted: the way to it, and what can be said of it from the chat."""
    read = tell.page_button("button.read_story", f"matter/{offer_id}")
    tried = tell.press("button.not_reached", "try", offer_id)
    begun = tell.press("button.begun", "end.touch", offer_id)
    return tell.column([read, tried if reaches(tx, referral) else begun])
