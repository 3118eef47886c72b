"""Page 'matter': one referral as its person, its partner or the desk may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

from referrals import queues
from referrals.access import Action
from referrals.errors import NotFound
from referrals.lifecycle import ENDED
from referrals.members import Enrolment
from referrals.model import Actor, Consent, DataClass, Move, Offer, Referral, Role, Stage, Urgency
from referrals.ports import Tx
from referrals.service.common import complaints, doors, emergency, names
from referrals.service.desk import desk
from referrals.service.help import threads
from referrals.service.matter import (
    asked,
    desk_notes,
    matching,
    moving,
    plan_parts,
    reading,
    sharing,
    tracking,
)
from referrals.service.pages import course_step, desk_steps, matter_parts, yes_check
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import phones, readers
from referrals.service.request import safe_times, task_plans, word_checks
from referrals.service.turns import after_help, beginning, closing
from referrals.views import Choice, FiledView, MatterView, MoveLine, Section, Step


def matter_view(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView:
    """Page 'matter': as its person, its partner or the desk may see it; everybody else: not found.

    `subject` is the referral's id, for a partner that of its offer.
    """
    if tx.get(Offer, subject) is not None:
        actor, offer, referral = doors.served_referral(tx, person_id, subject, Action.REFERRAL_READ)
        return replace(_partner_view(tx, actor, referral), id=offer.id, code=offer.code)
    referral = doors.referral_by_id(tx, subject)
    if referral.author_id == person_id:
        return _author_view(tx, person_id, referral)
    return _desk_view(tx, person_id, referral)


def _step(action: Action, verb: Callable[[Tx, str, str, Body], object]) -> Verb:
    """A step of a matter: do it, then show the matter as it stands (for whoever may still see it).

    A section that the verb returns stands above it this once.
    """

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView | FiledView:
        said = verb(tx, person_id, subject, body)
        try:
            shown = matter_view(tx, person_id, subject, {})
            return replace(shown, sections=(said, *shown.sections)) if isinstance(said, Section) else shown
        except NotFound:  # the partner gave it back: the reader may not see it any more
            _, offer, referral = doors.offer_for(tx, person_id, subject, Action.OFFER_SEE)
            stage_key = complaints.said(tx, referral, f"stage.{referral.stage}")
            return FiledView(offer.code, stage_key, None, "", filed=False)

    return Verb(action, step)


_YES = "yes"


AUTHOR_STEPS: Mapping[Stage, tuple[Step, ...]] = {
    Stage.REPORTED: (
        Step("helped", "page.step.helped"),
        Step("partly_helped", "page.step.partly_helped"),
        Step("not_helped", "page.step.not_helped"),
    ),
    Stage.CLOSED: (
        Step(
            "reopen",
            "page.step.reopen",
            needs="reason",
            choices=tuple(Choice(r, label_key=f"not_over.{r}") for r in after_help.REOPENED),
        ),
    ),
}


def _author_view(tx: Tx, person_id: str, referral: Referral) -> MatterView:
    actor, referral = doors.author_of(tx, person_id, referral.id, Action.REFERRAL_READ)
    begun_anew = referral.stage is Stage.CLOSED and not plan_parts.is_latest(tx, referral)
    steps = AUTHOR_STEPS.get(referral.stage, ()) if not begun_anew else ()
    move = tx.get(Move, referral.id)
    if move is not None:
        steps = (Step("move_stop", "page.step.move_stop"), *steps)
    if tracking.may_follow(referral):
        steps = (*steps, Step("follow", "page.step.follow", needs=_YES))
    if referral.stage not in ENDED:
        steps = (*steps, Step("withdraw", "page.step.withdraw", needs=_YES, danger=True))
    enrolment = tx.get(Enrolment, referral.enrolment_id or "") if referral.by_word else None
    steps = (*steps, *course_step.step(tx, person_id, referral))
    given = doors.consent_in_force(tx, referral)
    consent_text = given.text if given else _last_consent(tx, referral)
    shown = _view(tx, actor, referral, steps, consent_text=consent_text)
    language = doors.person_by_id(tx, person_id).language
    shown = replace(
        shown,
        readers=readers.of(tx, actor, referral, language),
        move=MoveLine("", move.due_at) if move is not None else None,
        member=enrolment.code if enrolment else "",
    )
    if any(asked.waits_for_person(offer) for offer in asked.turns_of(tx, referral)):
        shown = replace(shown, next_key="next.your_word")
    if referral.urgency is Urgency.EMERGENCY and referral.stage not in ENDED:
        return replace(shown, emergency_lines=emergency.lines(tx, referral.area, language))
    return shown


def _partner_view(tx: Tx, actor: Actor, referral: Referral) -> MatterView:
    reasons = tuple(
        Choice(r, label_key=f"unmet.{r}") for r in matching.pathway_of(tx, referral).unmet_reasons
    )
    report = Step("report", "page.step.report", needs="outcome", choices=reasons)
    back = Step("return", "page.step.return", needs=_YES, danger=True)
    begun = beginning.words(tx, referral, "page.step.contacted")
    touch = (Step("contacted", begun),) if sharing.readable(tx, referral) else ()
    steps = {
        Stage.ACCEPTED: (*touch, back),
        Stage.UNREACHABLE: touch,
        Stage.IN_SERVICE: (report, back),
    }.get(referral.stage, ())
    return _view(tx, actor, referral, steps)


def _desk_view(tx: Tx, person_id: str, referral: Referral) -> MatterView:
    """The desk sees where a matter stands and what it may do, and no story."""
    actor, referral = doors.desk_referral(tx, person_id, referral.id, Action.REFERRAL_READ)
    steps = (*desk_steps.of(tx, actor, referral), phones.step(tx, referral.author_id))
    check = word_checks.waiting(tx, referral)
    if check is not None and check.witness_id != person_id and referral.stage not in ENDED:
        shown = _view(tx, actor, referral, (yes_check.STEP, *steps))
        return yes_check.view(tx, replace(shown, read_out=_last_consent(tx, referral)), actor, referral)
    move = tx.get(Move, referral.id)
    if move is None:
        return _view(tx, actor, referral, steps)
    if move.due_at is None:
        steps = (Step("move_allow", "page.step.move_allow", needs=_YES), *steps)
    steps = (Step("move_refuse", "page.step.move_refuse"), *steps)
    line = MoveLine(moving.check_number(tx, move), move.due_at)
    return replace(_view(tx, actor, referral, steps), move=line)


def _next_key(tx: Tx, referral: Referral, at_desk: bool) -> str:
    if referral.stage is Stage.IN_SERVICE and task_plans.is_split(tx, referral):
        return "next.desk.plan" if at_desk else "next.plan"  # it has no helper of its own, its parts have
    if not at_desk and referral.stage is Stage.ACCEPTED:
        return beginning.words(tx, referral, "next.accepted")
    if not at_desk:
        return f"next.{referral.stage}"
    return f"next.desk.{'first_look' if queues.is_held(referral) else referral.stage}"


def _view(
    tx: Tx, actor: Actor, referral: Referral, steps: tuple[Step, ...], consent_text: str = ""
) -> MatterView:
    language = doors.person_by_id(tx, actor.person_id).language
    wait = _wait(tx, actor, referral)
    sealed = _opened(tx, actor, referral) if not wait else {}
    at_desk = actor.role is Role.COORDINATOR
    routing = DataClass.ROUTING
    helper = tx.directory.organizations.get(referral.organization_id or "")
    return MatterView(
        id=referral.id,
        code=referral.code,
        category_key=f"category.{referral.category}",
        urgency_key=f"urgency.{referral.urgency}",
        stage_key=complaints.said(tx, referral, f"stage.{referral.stage}"),
        area=names.place(tx.directory, referral.area, language)
        if _may_open(tx, actor, referral, routing)
        else "",
        next_by=tracking.next_by(tx, referral),
        next_key=complaints.said(tx, referral, _next_key(tx, referral, at_desk)),
        story=sealed.get("story"),
        contact=safe_times.above(tx, sealed, language),
        organization=names.named(helper.names, language) if helper else "",
        thread=() if wait else threads.read(tx, actor, referral, language),
        can_write=threads.may_write(tx, actor, referral),
        steps=steps,
        consent_text=consent_text,
        locked=tx.reading_locked and (not at_desk or _desk_reads(tx, referral)),
        wait_minutes=wait,
        sections=tuple(matter_parts.sections_of(tx, actor, referral)),
    )


def _desk_reads(tx: Tx, referral: Referral) -> bool:
    """Whether anything stands here that a coordinator reads with the PIN."""
    return threads.desk_reads(tx, referral) or desk_notes.has_notes(tx, referral)


def _opened(tx: Tx, actor: Actor, referral: Referral) -> dict[str, str]:
    """What this reader holds a key for. Consent is checked again at every read by a partner."""
    found: dict[str, str] = {}
    if tx.reading_locked:
        return found  # the PIN comes first; where the matter stands and what may be done shows without it
    # A part of a plan: what is told for all of them, and what was added to this one alone.
    records = dict.fromkeys((referral.told, referral.record))
    for record, data_class in product(records, _written(tx, referral)):
        if _may_open(tx, actor, referral, data_class) and tx.sealed_exists(record, data_class):
            try:
                found.update(reading.open_for(tx, actor, referral, record, data_class))
            except NotFound:
                continue  # consent or agreement does not give this class to this reader
    added = "\n\n".join(text for column, text in sorted(found.items()) if column.startswith("added."))
    if added:
        found["story"] = "\n\n".join(filter(None, (found.get("story", ""), added)))
    return found


def _wait(tx: Tx, actor: Actor, referral: Referral) -> int:
    """Minutes until something sealed opens for a reader who has opened much today; mostly 0."""
    classes = _written(tx, referral)
    if tx.reading_locked or not any(_may_open(tx, actor, referral, c) for c in classes):
        return 0
    return reading.wait(tx, actor, referral)


def _written(tx: Tx, referral: Referral) -> tuple[DataClass, ...]:
    """The classes in which a person's own words stand: of a worry about safety they are `safety`."""
    return (matching.pathway_of(tx, referral).words, DataClass.CONTACT)


def _may_open(tx: Tx, actor: Actor, referral: Referral, data_class: DataClass) -> bool:
    """The person everything, the desk what matching needs, a partner what it is given at this moment."""
    if actor.role is Role.COORDINATOR:
        return data_class is DataClass.ROUTING
    return actor.role is not Role.WORKER or data_class in sharing.readable(tx, referral)


def _last_consent(tx: Tx, referral: Referral) -> str:
    given = tx.find(Consent, referral_id=referral.id)
    return max(given, key=lambda c: c.given_at).text if given else ""


def _follow(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView:
    """A new tracking code, shown this once."""
    words = tracking.follow(tx, person_id, subject)
    return replace(matter_view(tx, person_id, subject, {}), tracking_code=words)


MATTER = Page(
    Verb(Action.REFERRAL_READ, matter_view),
    {
        **{name: _step(verb.action, verb.do) for name, verb in matter_parts.steps().items()},
        "write": _step(
            Action.THREAD_WRITE,
            lambda tx, who, it, body: threads.write_once(
                tx, who, it, text_of(body, "text"), text_of(body, "once")
            ),
        ),
        "helped": _step(Action.REFERRAL_CONFIRM, lambda tx, who, it, body: closing.helped(tx, who, it, True)),
        "not_helped": _step(
            Action.REFERRAL_CONFIRM, lambda tx, who, it, body: closing.helped(tx, who, it, False)
        ),
        "withdraw": _step(Action.REFERRAL_WITHDRAW, lambda tx, who, it, body: closing.withdraw(tx, who, it)),
        "follow": Verb(Action.TRACK_MAKE, _follow),
        "move_stop": _step(Action.MOVE_STOP, lambda tx, who, it, body: moving.stop(tx, who, it)),
        "move_allow": _step(Action.MOVE_ALLOW, lambda tx, who, it, body: moving.allow(tx, who, it)),
        "move_refuse": _step(Action.MOVE_ALLOW, lambda tx, who, it, body: moving.refuse(tx, who, it)),
        "reopen": _step(
            Action.REFERRAL_CONFIRM,
            lambda tx, who, it, body: closing.reopen(tx, who, it, text_of(body, "reason")),
        ),
        "void": _step(Action.DESK_VOID, lambda tx, who, it, body: closing.void(tx, who, it)),
        "lost_phone": _step(Action.PHONE_LOST, lambda tx, who, it, body: phones.lost_by_matter(tx, who, it)),
        "found": _step(Action.PHONE_LOST, lambda tx, who, it, body: phones.found_by_matter(tx, who, it)),
        "rematch": _step(
            Action.DESK_REMATCH, lambda tx, who, it, body: desk.rematch(tx, who, it, text_of(body, "reason"))
        ),
        "check": _step(
            Action.CONSENT_CHECK,
            lambda tx, who, it, body: word_checks.answer(tx, who, it, text_of(body, "reason")),
        ),
        "course": _step(Action.COURSE_FOLLOW, course_step.start),
        "ask_person": _step(Action.DESK_REMATCH, lambda tx, who, it, body: desk.ask_person(tx, who, it)),
        "resume": _step(Action.DESK_RESOLVE, lambda tx, who, it, body: desk.resume(tx, who, it)),
        "give_up": _step(
            Action.DESK_CLOSE,
            lambda tx, who, it, body: closing.give_up(tx, who, it, text_of(body, "reason")),
        ),
    },
)
