"""Part of a matter's page: whether the desk reads along in the thread, and the last word after the end."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action
from referrals.model import Actor, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.help import thread_share, threads
from referrals.service.pages.page import Verb
from referrals.service.pages.part import Part
from referrals.views import Said, Section, Step

_TITLE = "part.desk_reads.title"
_ON = Step("desk_share_on", "page.step.desk_share_on", needs="yes")
_OFF = Step("desk_share_off", "page.step.desk_share_off", needs="yes")


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """What this reader sees of who reads along."""
    own = actor.role not in (Role.WORKER, Role.COORDINATOR)
    if own and referral.stage is Stage.CLOSED and threads.may_write(tx, actor, referral):
        yield Section("part.last_word.title", (Said("part.last_word.you"),))
    if not thread_share.possible(tx, referral):
        return
    standing = thread_share.of_offer(tx, referral.offer_id)
    if standing is not None:
        reader = "you" if own else "partner" if actor.role is Role.WORKER else "desk"
        line = Said(f"part.desk_reads.{reader}", at=standing.since)
        yield Section(_TITLE, (line,), (_OFF,) if own else ())
    elif own and threads.carries(tx, referral):
        yield Section(_TITLE, (Said("part.desk_reads.nobody"),), (_ON,))


PART = Part(
    sections,
    {
        "desk_share_on": Verb(Action.DESK_SHARE, lambda tx, who, it, body: thread_share.begin(tx, who, it)),
        "desk_share_off": Verb(Action.DESK_SHARE, lambda tx, who, it, body: thread_share.end(tx, who, it)),
    },
)
