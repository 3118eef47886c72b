"""Page 'share': what an organisation may read for safety; for stewards what waits for their yes, in codes.

A steward reads no word of it. Without a subject it lists to the stewards what waits, what is open, and what
somebody was not told of in the last month.
"""

from __future__ import annotations

from collections.abc import Callable

from referrals import safety
from referrals.access import Action, allow
from referrals.errors import NotFound
from referrals.members import SafetyShare
from referrals.model import Role
from referrals.ports import Tx
from referrals.safety_views import ShareView
from referrals.service.alarm import safety_lists, safety_sharing
from referrals.service.common import doors
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.pages.safety import line, sections
from referrals.service.people import phones
from referrals.views import Step

_YES = "yes"


def share_view(tx: Tx, person_id: str, subject: str, body: Body) -> ShareView:
    """For a worker of the organisation the words, with the PIN; for whoever decides codes; or NotFound."""
    share = tx.get(SafetyShare, subject) if subject else None
    if share is not None and _works_there(tx, person_id, share):
        return _for_worker(tx, person_id, share.id)
    return _in_codes(tx, person_id, subject)


def _works_there(tx: Tx, person_id: str, share: SafetyShare) -> bool:
    seats = doors.seats_of(tx, person_id)
    return any(s.role is Role.WORKER and s.organization_id == share.organization_id for s in seats)


def _for_worker(tx: Tx, person_id: str, share_id: str) -> ShareView:
    actor, share = safety_sharing.for_worker(tx, person_id, share_id)
    wait = 0 if tx.reading_locked else safety_sharing.wait(tx, actor, share)
    if tx.reading_locked or wait:
        return ShareView((), until=share.until, reads=True, locked=tx.reading_locked, wait_minutes=wait)
    told, plan = safety_sharing.read(tx, actor, share)
    shown = tuple(s for s in sections(tx, plan, hidden=False) if s.text) if plan else ()
    return ShareView((), told=told, sections=shown, until=share.until, reads=True)


def _in_codes(tx: Tx, person_id: str, subject: str) -> ShareView:
    """For the stewards one or all of them, for the coordinator who asked their own."""
    found = tx.get(SafetyShare, subject) if subject else None
    if found is not None and found.asked_by == person_id:
        doors.as_seat(tx, person_id, Role.COORDINATOR)
        listed = [found]
    else:
        allow(doors.as_seat(tx, person_id, Role.STEWARD), Action.SAFETY_LIST)
        listed = _listed(tx, subject, found)
    language = doors.person_by_id(tx, person_id).language
    ordered = sorted(listed, key=lambda share: share.asked_at, reverse=True)
    return ShareView(tuple(line(tx, share, language, _steps(person_id, share)) for share in ordered))


def _listed(tx: Tx, subject: str, found: SafetyShare | None) -> list[SafetyShare]:
    if found is not None:
        return [found]
    if subject:
        raise NotFound
    withheld = safety_lists.withheld(tx, tx.now - safety_lists.EVERY)
    return list({share.id: share for share in (*safety_lists.current(tx), *withheld)}.values())


def _steps(person_id: str, share: SafetyShare) -> tuple[Step, ...]:
    """Whoever asked does not agree, whatever other posts they hold."""
    if share.ended_at is not None:
        return ()
    if not safety.waits(share) or share.asked_by == person_id:
        return (Step("stop", "page.step.share_stop", needs=_YES),)
    return (Step("agree", "page.step.share_agree", needs=_YES), Step("refuse", "page.step.share_refuse"))


def _agree(tx: Tx, person_id: str, share_id: str) -> None:
    phones.prove(tx)  # it opens something to others
    safety_sharing.agree(tx, person_id, share_id)


def _step(action: Action, verb: Callable[[Tx, str, str], object]) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> ShareView:
        verb(tx, person_id, text_of(body, "share"))
        return _in_codes(tx, person_id, subject)

    return Verb(action, step)


SHARE = Page(
    Verb(Action.SAFETY_READ, share_view),
    {
        "agree": _step(Action.SAFETY_AGREE, _agree),
        "refuse": _step(Action.SAFETY_AGREE, safety_sharing.refuse),
        "stop": _step(Action.SAFETY_END, safety_sharing.stop),
    },
)
