"""On page 'plan', 'what must be so': what somebody does not have, who may help, and whom it is for.

The first two are private wishes, sealed with the yes; whom it is for is a coded fact.
"""

from __future__ import annotations

from collections.abc import Sequence

from referrals.errors import BadAnswer
from referrals.model import Referral
from referrals.ports import Tx
from referrals.routing import Exclusions
from referrals.views import Choice

HELPERS = ("woman", "man")
MUST = ("papers", "fee", "address", *HELPERS)  # 'must.<id>': without papers …, helped by a woman …
FOR = {"for_woman": "woman", "for_man": "man"}


def read(chosen: Sequence[str]) -> tuple[frozenset[str], str]:
    """What was ticked, as `lacks` and `helper` of the exclusions; both genders: either is fine.

    BadAnswer for what no page offers.
    """
    if not set(chosen) <= {*MUST, *FOR}:
        raise BadAnswer
    helpers = [each for each in chosen if each in HELPERS]
    return frozenset(chosen) - {*HELPERS, *FOR}, helpers[0] if len(helpers) == 1 else ""


def gender(chosen: Sequence[str]) -> str:
    """Whom it is for, where it was said of one; '' where of none or of both."""
    found = [FOR[each] for each in chosen if each in FOR]
    return found[0] if len(found) == 1 else ""


def choices(tx: Tx, wished: Referral, exclusions: Exclusions) -> tuple[Choice, ...]:
    """What can be ticked. Whom it is for is asked only where somebody in the network helps only the one."""
    held = {*exclusions.lacks, exclusions.helper}
    here = tx.directory.services_of_category.get(wished.category, ())
    asked = FOR if any(service.genders for service in here) else {}
    return (
        *(Choice(each, label_key=f"must.{each}", chosen=each in held) for each in MUST),
        *(Choice(k, label_key=f"must.{k}", chosen=wished.gender == v) for k, v in asked.items()),
    )
