"""Which mentor for which member, in which order, and why; and why not the others.

Hard filters first, each naming its reason, then an order by fit. Same input, same answer. Reasons are text
keys whose parameters are numbers or directory ids; of a private wish only that there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from referrals.directory import Directory
from referrals.persons import MentorProfile

FULL = "mentor_not.full"
PRIVATE = "mentor_not.private"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member needs of a mentor. '' means that nothing was said. `code`: '' while there is none yet."""

    language: str = ""
    area: str = ""
    gender: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mentor's post as it stands now. `profile` None: the network file says nothing about this mentor.

    `load`: members at the moment. `met_at`: when they last had contact with this very member. `part`: they
    are this member's mentor or backup already, or related to them by their own phone (`related`).
    """

    seat_id: str
    profile: MentorProfile | None
    posted: bool = True  # somebody sits there
    reachable: bool = True
    on_duty: bool = True
    load: int = 0
    met_at: datetime | None = None
    part: bool = False
    related: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A text key with its parameters, in pairs."""

    key: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """A mentor who can be asked, and why."""

    seat_id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A mentor who cannot, with the first filter that says so."""

    seat_id: str
    reason_key: str


def propose(wish: Wish, candidates: Iterable[Candidate], directory: Directory) -> tuple[Fit, ...]:
    """Every mentor who can be asked, the best first.

    Order: the nearest area; fewer members; the latest contact with this member; the post's id.
    """
    fitting = [c for c in candidates if unfit(wish, c, directory) is None]
    fitting.sort(key=lambda c: _order(wish, c, directory))
    return tuple(Fit(c.seat_id, tuple(_reasons(wish, c, directory))) for c in fitting)


def why_not(wish: Wish, candidates: Iterable[Candidate], directory: Directory) -> tuple[Unfit, ...]:
    """Every mentor who cannot be asked, with the first reason, by post."""
    found = ((c.seat_id, unfit(wish, c, directory)) for c in candidates)
    return tuple(Unfit(seat_id, reason) for seat_id, reason in sorted(found) if reason is not None)


def unfit(wish: Wish, candidate: Candidate, directory: Directory) -> str | None:
    """The first filter that a mentor fails, as a text key; None where they can be asked."""
    profile = candidate.profile or MentorProfile(candidate.seat_id, (), ())
    return next((key for key, fails in _FILTERS if fails(wish, candidate, profile, directory)), None)


Filter = Callable[[Wish, Candidate, MentorProfile, Directory], bool]

# In an order that tells the least: what anybody can know comes first, private wishes last.
_FILTERS: tuple[tuple[str, Filter], ...] = (
    ("mentor_not.empty", lambda wish, it, can, places: not it.posted),
    ("mentor_not.silent", lambda wish, it, can, places: not it.reachable),
    ("mentor_not.already", lambda wish, it, can, places: it.part),
    ("mentor_not.off_duty", lambda wish, it, can, places: not it.on_duty),
    ("mentor_not.language", lambda wish, it, can, places: _speaks_another(wish, can)),
    ("mentor_not.area", lambda wish, it, can, places: _distance(wish, can, places) is None),
    (FULL, lambda wish, it, can, places: it.load >= can.most),
    (PRIVATE, lambda wish, it, can, places: bool(wish.gender) and can.gender != wish.gender),
    (PRIVATE, lambda wish, it, can, places: it.related or (bool(wish.code) and wish.code in can.not_with)),
)


def _speaks_another(wish: Wish, profile: MentorProfile) -> bool:
    """Where nothing is known of either, nothing speaks against it."""
    return bool(wish.language and profile.languages) and wish.language not in profile.languages


def _distance(wish: Wish, profile: MentorProfile, directory: Directory) -> int | None:
    """Steps up the area tree from the member to the mentor's nearest area; None where none covers them.

    A mentor of whom no area is known is taken to be as far away as one can be, and not excluded.
    """
    line = directory.ancestors.get(wish.area, ())
    if not profile.areas or not line:
        return len(line)
    return next((step for step, area in enumerate(line) if area in profile.areas), None)


def _order(wish: Wish, candidate: Candidate, directory: Directory) -> tuple[int, int, float, str]:
    profile = candidate.profile or MentorProfile(candidate.seat_id, (), ())
    met = candidate.met_at.timestamp() if candidate.met_at else 0.0
    return (_distance(wish, profile, directory) or 0, candidate.load, -met, candidate.seat_id)


def _reasons(wish: Wish, candidate: Candidate, directory: Directory) -> Iterable[Reason]:
    profile = candidate.profile
    if profile is None:
        yield Reason("mentor_why.unknown")
    elif wish.language in profile.languages:
        yield Reason("mentor_why.language")
    if profile is not None:
        line = directory.ancestors.get(wish.area, ())
        covers = next((area for area in line if area in profile.areas), "")
        if covers:
            yield Reason("mentor_why.area", (("area", covers),))
        yield Reason("mentor_why.load", (("load", str(candidate.load)), ("most", str(profile.most))))
    else:
        yield Reason("mentor_why.members", (("load", str(candidate.load)),))
    if candidate.met_at is not None:
        yield Reason("mentor_why.met")
