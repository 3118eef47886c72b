"""Page 'me', behind the permanent menu button: own matters, the queue of a post, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from referrals.access import Action
from referrals.lifecycle import ENDED, OPEN
from referrals.members import Enrolment
from referrals.model import Referral, Role, Stage
from referrals.persons import WritingWindow
from referrals.ports import Tx
from referrals.service.common import complaints, doors, tell
from referrals.service.desk import desk_queues, worker_day
from referrals.service.members import linking
from referrals.service.pages import desk, my_reminders, work
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import people
from referrals.views import Choice, FiledView, MatterLine, MeView, Step

FEW = 12  # of what lies at a partner; page 'work' has it all


def me_view(tx: Tx, person_id: str, subject: str, body: Body) -> MeView:
    """Page 'me', behind the permanent menu button: own matters, the queue of a post, settings."""
    person = doors.person_by_id(tx, person_id)
    own = tx.find(Referral, author_id=person_id, parent_id=None)  # a plan's parts are read on its page
    mine = [r for r in own if r.stage is not Stage.DRAFT and not r.by_word]
    seats = doors.seats_of(tx, person_id)
    return MeView(
        roles=tuple(sorted({f"role.{s.role}" for s in seats})),
        mine=lines_of(tx, mine),
        queue=_queue(tx, person_id),
        language=person.language,
        languages=tuple(
            Choice(la.id, label=la.name, chosen=la.id == person.language)
            for la in tx.catalogue.languages.values()
        ),
        window=person.window,
        windows=tuple(
            Choice(w, label_key=f"form.window.{w}", chosen=w is person.window) for w in WritingWindow
        ),
        timezone=person.timezone,
        steps=(
            Step("language", "page.step.language"),
            Step("window", "page.step.window"),
            Step("reminders", "page.me.reminders"),
            Step("hide", "page.step.hide", needs="yes"),
        ),
        tied=bool(linking.tied_to(tx, person_id)),
        reminders=my_reminders.view(person),
    )


def _step(verb: Callable[[Tx, str, str], object], name: str) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> MeView:
        verb(tx, person_id, text_of(body, name))
        return me_view(tx, person_id, subject, {})

    return Verb(Action.PERSON_SETTINGS, step)


def _reminders(tx: Tx, person_id: str, subject: str, body: Body) -> MeView:
    my_reminders.keep(tx, person_id, body)
    return me_view(tx, person_id, subject, {})


def _hide(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    people.hide(tx, person_id)
    return FiledView("", "page.hidden", None, "", filed=False)


def _queue(tx: Tx, person_id: str) -> tuple[MatterLine, ...]:
    """What a worker's organisation holds, or what the desk must look at; offers are in the alerts."""
    found: dict[str, MatterLine] = {}
    seats = doors.seats_of(tx, person_id)
    for seat in seats:
        if seat.role is Role.COORDINATOR:
            found.update({line.id: line for line in desk.most_urgent(tx, person_id)})
        if seat.role is Role.MENTOR:
            filed = [r for r in tx.find(Referral, author_id=person_id, stage=OPEN) if r.by_word]
            found.update({line.id: line for line in _for_members(tx, filed)})
    if any(seat.role is Role.WORKER for seat in seats):
        few = worker_day.cases(tx, person_id)[:FEW]
        found.update({case.offer.id: work.line(case, person_id) for case in few})
    return tuple(found.values())


def lines_of(tx: Tx, referrals: list[Referral]) -> tuple[MatterLine, ...]:
    """Matters, the open ones first, in a fixed number of statements."""
    promised = desk_queues.promises(tx, referrals)
    return tuple(_line(tx, r, promised.get(r.id)) for r in _in_order(referrals))


def _in_order(referrals: list[Referral]) -> list[Referral]:
    return sorted(referrals, key=lambda r: (r.stage in ENDED, r.created_at, r.id))


def _line(tx: Tx, referral: Referral, next_by: datetime | None) -> MatterLine:
    return MatterLine(
        id=referral.id,
        code=referral.code,
        category_key=f"category.{referral.category}",
        stage_key=complaints.said(tx, referral, f"stage.{referral.stage}"),
        next_by=next_by,
        open=referral.stage not in ENDED,
        page=tell.plan_page(referral) if referral.stage is Stage.AWAITING_CONSENT else "",
    )


def _for_members(tx: Tx, filed: list[Referral]) -> Iterator[MatterLine]:
    """What a mentor filed for members; before the yes it opens where the words are read out."""
    found = tx.find(Enrolment, id=sorted({r.enrolment_id for r in filed if r.enrolment_id}))
    codes = {enrolment.id: enrolment.code for enrolment in found}
    for referral, line in zip(_in_order(filed), lines_of(tx, filed), strict=True):
        yield replace(line, member=codes.get(referral.enrolment_id or "", ""))


ME = Page(
    Verb(Action.HOME, me_view),
    {
        "language": _step(people.choose_language, "language"),
        "window": _step(people.choose_window, "window"),
        "reminders": Verb(Action.REMINDERS_SET, _reminders),
        "hide": Verb(Action.PERSON_HIDE, _hide),
    },
)
