"""Page 'newcomer': the desk brings somebody into a programme, and finds mentors for whoever lacks one.

Nothing here says who somebody is. `propose` and `enrol` take place ('<programme>/<phase>'), language, area,
gender_wish, timezone; `enrol` also mentor and backup. `who` and `ask` take a member.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.member_views import AloneLine, MentorLine, NewcomerView
from referrals.members import Enrolment, EnrolmentState, Part
from referrals.mentor_matching import Fit, Unfit
from referrals.model import Role
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.members import enrolling, enrolments, handing_members, mentoring, programmes
from referrals.service.members.enrolling import Opening
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.request import plans
from referrals.views import Choice, Step

MOST_ALONE = 20  # on one page


def newcomer_view(tx: Tx, person_id: str, subject: str, body: Body) -> NewcomerView:
    """What can be chosen, and who lacks a mentor."""
    doors.as_seat(tx, person_id, Role.COORDINATOR)
    person = doors.person_by_id(tx, person_id)
    language = person.language
    zone = text_of(body, "timezone") or person.timezone
    zones = {person.timezone, *(o.timezone for o in tx.directory.organizations.values())}
    return NewcomerView(
        places=tuple(_places(tx, language, text_of(body, "place"))),
        languages=tuple(
            Choice(la.id, label=la.name, chosen=la.id == (text_of(body, "language") or language))
            for la in tx.catalogue.languages.values()
        ),
        areas=plans.area_choices(tx, language, text_of(body, "area")),
        genders=tuple(
            Choice(
                g, label_key=f"page.newcomer.gender_{g or 'any'}", chosen=g == text_of(body, "gender_wish")
            )
            for g in enrolling.GENDERS
        ),
        zones=tuple(Choice(z, label=z.replace("_", " "), chosen=z == zone) for z in sorted(zones)),
        asked=False,
        mentors=(),
        left_out=(),
        code="",
        alone=tuple(_alone(tx)),
    )


def propose(tx: Tx, person_id: str, subject: str, body: Body) -> NewcomerView:
    """The mentors who fit, with the reasons; and the others, of a private wish only that there is one."""
    opening = _opening(body)
    enrolling.check(tx, opening)
    shown = newcomer_view(tx, person_id, subject, body)
    language = doors.person_by_id(tx, person_id).language
    fits = mentoring.proposals(tx, opening.wish)
    others = mentoring.left_out(tx, opening.wish)
    return replace(
        shown,
        asked=True,
        mentors=tuple(_mentor(tx, fit, language) for fit in fits),
        left_out=tuple(_other(unfit) for unfit in others),
    )


def enrol(tx: Tx, person_id: str, subject: str, body: Body) -> NewcomerView:
    """The code, to be said aloud; both mentors have heard."""
    made = enrolling.enrol(tx, person_id, _opening(body))
    return replace(newcomer_view(tx, person_id, subject, {}), code=made.code)


def who(tx: Tx, person_id: str, subject: str, body: Body) -> NewcomerView:
    """Who could look after a member who lacks somebody: the choices, in that member's line."""
    enrolment = _member(tx, person_id, body)
    fits = mentoring.proposals(tx, mentoring.wish_of(enrolment), enrolment)
    seats = tuple(Choice(fit.seat_id, label=fit.seat_id) for fit in fits)
    ask = Step("ask", "page.step.ask_mentor", needs="reason", choices=seats)
    shown = newcomer_view(tx, person_id, subject, {})
    lines = (
        replace(line, steps=(ask,)) if line.id == enrolment.id and seats else line for line in shown.alone
    )
    return replace(shown, alone=tuple(lines), left_out=tuple(map(_other, _others(tx, enrolment))))


def ask(tx: Tx, person_id: str, subject: str, body: Body) -> NewcomerView:
    """Ask a mentor in the chat; they say yes or no."""
    actor, enrolment = enrolments.for_desk(tx, person_id, text_of(body, "member"), Action.MEMBER_HAND_OVER)
    part = Part.BACKUP if mentoring.holder_of(tx, enrolment.mentor_seat) else Part.MENTOR
    handing_members.hand_over(tx, actor, enrolment, text_of(body, "reason"), part)
    return newcomer_view(tx, person_id, subject, {})


def _member(tx: Tx, person_id: str, body: Body) -> Enrolment:
    return enrolments.for_desk(tx, person_id, text_of(body, "member"), Action.MEMBER_HAND_OVER)[1]


def _others(tx: Tx, enrolment: Enrolment) -> tuple[Unfit, ...]:
    return mentoring.left_out(tx, mentoring.wish_of(enrolment), enrolment)


def _opening(body: Body) -> Opening:
    programme, _, phase = text_of(body, "place").partition("/")
    given = {name: text_of(body, name) for name in ("language", "area", "timezone", "gender_wish")}
    return Opening(programme, phase, mentor=text_of(body, "mentor"), backup=text_of(body, "backup"), **given)


def _places(tx: Tx, language: str, chosen: str) -> list[Choice]:
    found = []
    for programme in tx.catalogue.programmes.values():
        if programme.audience is Role.MEMBER:
            name = tx.catalogue.words(f"programme.{programme.id}", language)
            for phase in programme.phases:
                place = f"{programme.id}/{phase.id}"
                label = f"{name} · {tx.catalogue.words(f'phase.{phase.id}', language)}"
                found.append(Choice(place, label=label, chosen=place == chosen))
    return found


def _mentor(tx: Tx, fit: Fit, language: str) -> MentorLine:
    reasons = []
    for reason in fit.reasons:
        params = dict(reason.params)
        if "area" in params:
            params["area"] = names.named(tx.directory.areas[params["area"]].names, language)
        reasons.append((reason.key, params))
    return MentorLine(fit.seat_id, tuple(reasons))


def _other(unfit: Unfit) -> MentorLine:
    return MentorLine(unfit.seat_id, ((unfit.reason_key, {}),))


def _alone(tx: Tx) -> list[AloneLine]:
    """Members whose mentor's post is empty first, then those without a backup."""
    here = tx.find(Enrolment, state=(EnrolmentState.ACTIVE, EnrolmentState.PAUSED))
    found = []
    for enrolment in here:
        if programmes.of(tx, enrolment).audience is not Role.MEMBER:
            continue  # a family is asked on its own phone, by nobody
        mentor = mentoring.holder_of(tx, enrolment.mentor_seat)
        if mentor and mentoring.holder_of(tx, enrolment.backup_seat):
            continue
        lacks = "page.newcomer.lacks_backup" if mentor else "page.newcomer.lacks_mentor"
        waits = bool(handing_members.waiting(tx, enrolment))
        steps = (Step("who", "page.step.who"),)
        found.append(AloneLine(enrolment.id, enrolment.code, lacks, waits, steps))
    found.sort(key=lambda line: (line.lacks_key != "page.newcomer.lacks_mentor", line.code))
    return found[:MOST_ALONE]


NEWCOMER = Page(
    Verb(Action.MEMBER_ENROL, newcomer_view),
    {
        "propose": Verb(Action.MEMBER_ENROL, propose),
        "enrol": Verb(Action.MEMBER_ENROL, enrol),
        "who": Verb(Action.MEMBER_HAND_OVER, who),
        "ask": Verb(Action.MEMBER_HAND_OVER, ask),
    },
)
