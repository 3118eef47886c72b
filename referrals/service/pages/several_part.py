"""What stands below a receipt: is something else needed too?"""

from __future__ import annotations

from dataclasses import replace

from referrals.model import Referral
from referrals.ports import Tx
from referrals.service.request import several
from referrals.views import Choice, FiledView, Section, Step


def receipt(tx: Tx, shown: FiledView, referral: Referral) -> FiledView:
    """The receipt, with what else can be asked for on the same visit."""
    others = tuple(Choice(c, label_key=f"category.{c}") for c in several.choices(tx, referral))
    if not others:
        return shown
    step = Step("also", "page.step.also", needs="several", choices=others)
    return replace(shown, sections=(Section("part.also.title", steps=(step,)),))
