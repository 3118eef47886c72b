"""Whom a complaint is about: sealed for the process alone, and asked at every door that leads to it.

A complaint is never routed to, visible to, or timed by those concerned. The desk sees none at all (`hidden`),
a plan leaves out wherever somebody concerned works (`too_close`), and no door lets them in (`concerned`). The
sealed words are codes and ids, never names; they end with the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from referrals.errors import BadAnswer
from referrals.members import Enrolment
from referrals.model import NETWORK, SYSTEM, DataClass, Record, Referral, Role, Urgency
from referrals.persons import Seat
from referrals.ports import Tx

# Whom somebody can name without knowing a name. 'unnamed': somebody whom they cannot name, or will not.
WHOM = ("mentor", "worker", "partner", "desk", "unnamed")
AT_PARTNERS = frozenset({"worker", "partner"})  # of whom the organisation says who they are
_NOBODY: frozenset[str] = frozenset()


# What is said where others hear that the desk looks after something, and where it never will.
WITHOUT_DESK: Mapping[str, str] = {
    "matter.contact_overdue": "matter.contact_overdue.no_desk",
    "matter.consent_over": "matter.consent_over.no_desk",
    "matter.consent_over_again": "matter.consent_over_again.no_desk",
    "matter.disputed": "matter.disputed.no_desk",
    "matter.partner_stopped": "matter.partner_stopped.no_desk",
    "matter.there_noted": "matter.there_noted.no_desk",
    "stage.unmatched": "stage.unmatched.no_desk",
    "next.unmatched": "next.unmatched.no_desk",
    "next.disputed": "next.disputed.no_desk",
    "next.unreachable": "next.unreachable.no_desk",
    "consent.nobody": "consent.nobody.no_desk",
    "consent.nobody_child": "consent.nobody_child.no_desk",
    "worker.disputed": "worker.disputed.no_desk",
    "worker.cut_off": "worker.cut_off.no_desk",
    "worker.says_there": "worker.says_there.no_desk",
    "worker.still_unreachable": "worker.still_unreachable.no_desk",
}


@dataclass(frozen=True, slots=True)
class About:
    """Whom a complaint is about, as it was ticked: codes of WHOM, and organisations (ids)."""

    whom: frozenset[str] = _NOBODY
    organizations: frozenset[str] = _NOBODY

    def with_(self, other: About) -> About:
        """Both together: what was said once is not taken back by choosing anew."""
        return About(self.whom | other.whom, self.organizations | other.organizations)


NOBODY_NAMED = About()


def read(tx: Tx, whom: Iterable[str], organizations: Iterable[str]) -> About:
    """What a page brings; BadAnswer for what it never offers."""
    found = About(frozenset(whom), frozenset(organizations))
    if not found.whom <= set(WHOM) or not found.organizations <= set(tx.directory.organizations):
        raise BadAnswer
    return found


def record(referral_id: str) -> Record:
    """Where it is sealed."""
    return Record("complaint", referral_id)


def hidden(tx: Tx, referral: Referral) -> bool:
    """Whether the desk neither sees nor counts this matter."""
    pathway = tx.catalogue.pathways.get(referral.pathway)
    return pathway is not None and not pathway.desk_sees


def said(tx: Tx, referral: Referral, text: str) -> str:
    """A text key as it is said of this matter: whoever complains is not told that the desk looks at it."""
    return WITHOUT_DESK.get(text, text) if hidden(tx, referral) else text


def desk_pathways(tx: Tx) -> tuple[str, ...]:
    """The pathways whose matters the desk may count."""
    return tuple(p.id for p in tx.catalogue.pathways.values() if p.desk_sees)


def urgency(tx: Tx, referral: Referral) -> Urgency:
    """As it was chosen, and urgent at least where the pathway says so of the need."""
    urgent = tx.catalogue.pathways[referral.pathway].urgent
    lifted = referral.category in urgent and referral.urgency is Urgency.NORMAL
    return Urgency.URGENT if lifted else referral.urgency


def clock(tx: Tx, referral: Referral) -> Urgency:
    """By which clock an offer of it runs: round the clock, like an emergency's, where the pathway says so."""
    urgent = tx.catalogue.pathways[referral.pathway].urgent
    return Urgency.EMERGENCY if referral.category in urgent else referral.urgency


def keep(tx: Tx, referral: Referral, about: About) -> None:
    """Seal whom it is about, with whoever that is at this moment: a post that changes hands frees nobody."""
    if not hidden(tx, referral):
        return
    whole = standing(tx, referral).with_(about)
    written = {
        "whom": whole.whom,
        "organizations": whole.organizations,
        "named": _named(tx, referral.author_id, whole) | _sealed(tx, referral, "named"),
        "people": _people(tx, referral.author_id, whole) | _sealed(tx, referral, "people"),
    }
    for column, words in written.items():
        tx.seal(record(referral.id), DataClass.SAFETY, column, " ".join(sorted(words)), [NETWORK])


def forget(tx: Tx, referral_id: str) -> None:
    """The matter's retention date has come."""
    tx.destroy(record(referral_id))


def standing(tx: Tx, referral: Referral) -> About:
    """Whom it was said to be about so far."""
    return About(_sealed(tx, referral, "whom"), _sealed(tx, referral, "organizations"))


def concerned(tx: Tx, referral: Referral) -> frozenset[str]:
    """The people (ids) whom no door lets in and no message reaches, but for its author.

    Whoever it was when the complaint was made, and whoever holds such a post now; nobody of other matters.
    """
    if not hidden(tx, referral):
        return _NOBODY
    now = _people(tx, referral.author_id, standing(tx, referral))
    return (now | _sealed(tx, referral, "people")) - {referral.author_id}


def may_know(tx: Tx, person_id: str, referral: Referral) -> bool:
    """Whether a list of an organisation's matters may hold this one for somebody who works there.

    Never one's own, nor one past its retention date, nor a complaint that may be about oneself.
    """
    if referral.author_id in ("", person_id):
        return False
    return person_id not in concerned(tx, referral)


def too_close(tx: Tx, referral: Referral, about: About = NOBODY_NAMED) -> frozenset[str]:
    """The organisations (ids) that are never asked: those named, and wherever somebody named works now.

    `about`: what is said besides what was sealed. A mentor whom nobody can name closes no organisation: else
    one word would close them all.
    """
    if not hidden(tx, referral):
        return _NOBODY
    whole = standing(tx, referral).with_(about)
    named = _named(tx, referral.author_id, whole) | _sealed(tx, referral, "named")
    works = {seat.organization_id for each in sorted(named) for seat in tx.find(Seat, person_id=each)}
    return whole.organizations | {each for each in works if each}


# -- who they are ------------------------------------------------------------------------------------


def _people(tx: Tx, author_id: str, about: About) -> frozenset[str]:
    """Everybody who may be meant: all mentors where nobody knows which."""
    found = _named(tx, author_id, about)
    if "mentor" in about.whom and not _own_mentors(tx, author_id):
        found |= _holders(tx.find(Seat, role=Role.MENTOR))
    return found


def _named(tx: Tx, author_id: str, about: About) -> frozenset[str]:
    """Those who are meant for certain: the author's own mentors, who works at a partner, the desk."""
    found = _NOBODY
    if "mentor" in about.whom:
        found |= _holders(_own_mentors(tx, author_id))
    if "desk" in about.whom:
        found |= _holders(tx.find(Seat, role=Role.COORDINATOR))
    for organization_id in sorted(about.organizations):
        found |= _holders(tx.find(Seat, organization_id=organization_id, role=Role.WORKER))
    return found


def _own_mentors(tx: Tx, author_id: str) -> list[Seat]:
    """The posts of whoever looks after the author: mentor, backup, whoever stands in."""
    own = tx.find(Enrolment, person_id=author_id) if author_id else []
    posts = {post for e in own for post in (e.mentor_seat, e.backup_seat, e.stand_in_seat) if post}
    return tx.find(Seat, id=sorted(posts)) if posts else []


def _holders(seats: Sequence[Seat]) -> frozenset[str]:
    return frozenset(seat.person_id for seat in seats if seat.person_id)


def _sealed(tx: Tx, referral: Referral, column: str) -> frozenset[str]:
    if not tx.sealed_exists(record(referral.id), DataClass.SAFETY):
        return _NOBODY
    opened = tx.open_sealed(SYSTEM, record(referral.id), DataClass.SAFETY)
    return frozenset(filter(None, opened.get(column, "").split(" ")))
