"""Whom the desk would have asked if it looked again now, and why the others would not be. Changes nothing.

Of a private wish only 'private wish' shows (domain.md, 'Routing'): the wishes are opened by the matching.
"""

from __future__ import annotations

from dataclasses import dataclass

from referrals import consent as consents
from referrals import routing
from referrals.model import Consent, Referral
from referrals.ports import Tx
from referrals.routing import LeftOut, Line
from referrals.service.common import doors, tell
from referrals.service.matter import matching
from referrals.service.request import task_plans

SAID_NO, NOBODY_THERE = "why_not.said_no", "why_not.nobody_there"
MOST = 12  # of those who would not be asked: the rest is `python -m bot why`


@dataclass(frozen=True, slots=True)
class Preview:
    """`asked`: of the consented plan, in order; `with_a_yes`: they fit, and the person has to agree first."""

    asked: tuple[Line, ...]
    with_a_yes: tuple[Line, ...]
    left_out: tuple[LeftOut, ...]
    consented: bool  # a yes to just this is in force: without one nobody is asked


def preview(tx: Tx, referral: Referral) -> Preview:
    """The caller has passed a door of the desk."""
    need = matching.need_of(tx, referral, matching.exclusions_of(tx, referral))
    found = routing.make_plan(need, tx.directory, matching.Standings(tx), tx.now.date())
    why = {line.service_id: line for line in found.lines}
    given = _yes(tx, referral)
    fits = _asked(tx, referral, need, given) if given else ()
    return Preview(
        asked=tuple(why.get(s) or _bare(tx, s) for s in fits),
        with_a_yes=tuple(
            line for s, line in why.items() if s not in referral.plan and _why_not(tx, need, s) is None
        ),
        left_out=_left_out(tx, referral, need)[:MOST],
        consented=given is not None,
    )


def anybody(tx: Tx, referral: Referral) -> bool:
    """Whether looking again now would ask anybody at all; a plan of parts asks those of its parts."""
    given = _yes(tx, referral)
    if given is None or task_plans.is_split(tx, referral):
        return given is not None
    need = matching.need_of(tx, referral, matching.exclusions_of(tx, referral))
    return bool(_asked(tx, referral, need, given))


def _yes(tx: Tx, referral: Referral) -> Consent | None:
    """The person's yes, as long as it is in force and stands for what the matter is now."""
    given = doors.consent_in_force(tx, referral)
    stands = given and consents.stands_for(given, referral, matching.pathway_of(tx, referral))
    return given if stands else None


def _asked(tx: Tx, referral: Referral, need: routing.Need, given: Consent) -> tuple[str, ...]:
    """The services of the consented plan that would have a turn, in order."""
    _, again = split(tx, referral)
    return tuple(s for s in again if consents.covers(given, s, tx.now) and _why_not(tx, need, s) is None)


def split(tx: Tx, referral: Referral) -> tuple[list[str], list[str]]:
    """The consented plan's services: those who have said no, and those who can still be asked; in order."""
    refused = {offer.service_id for offer in matching.refusals(tx, referral)}
    return [s for s in referral.plan if s in refused], [s for s in referral.plan if s not in refused]


def _why_not(tx: Tx, need: routing.Need, service_id: str) -> str | None:
    """None where it would be asked: it fits, and somebody there hears it."""
    reason = routing.still_fits(need, service_id, tx.directory)
    if reason is None and not tell.workers(tx, tx.directory.services[service_id].organization_id):
        return NOBODY_THERE
    return reason


def _bare(tx: Tx, service_id: str) -> Line:
    return Line(service_id, tx.directory.services[service_id].organization_id, ())


def _left_out(tx: Tx, referral: Referral, need: routing.Need) -> tuple[LeftOut, ...]:
    """Services for this need that would not be asked; those far away only where nobody is near."""
    done, _ = split(tx, referral)
    found: list[LeftOut] = []
    for service in tx.directory.services_of_category.get(referral.category, ()):
        reason = SAID_NO if service.id in done else _why_not(tx, need, service.id)
        if reason is not None:
            found.append(LeftOut(service.id, service.organization_id, reason))
    near = tuple(out for out in found if out.reason_key != "why_not.area")
    return near or tuple(found)
