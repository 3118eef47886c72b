"""Page 'safety': a plan written with a member, and what the holder of an open alarm may ask to be shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from referrals import safety
from referrals.access import Action
from referrals.members import Crisis, SafetyPlan, SafetyShare
from referrals.persons import Presence
from referrals.ports import Tx
from referrals.safety_views import AskView, SafetyView, Section, SharedLine
from referrals.service.alarm import alarm_numbers, safety_lists, safety_plans, safety_sharing
from referrals.service.alarm.safety_plans import Reader
from referrals.service.common import doors, emergency, names
from referrals.service.matter import member_keys
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import handover
from referrals.views import Choice, Step

_YES = "yes"


def safety_view(tx: Tx, person_id: str, subject: str, body: Body) -> SafetyView:
    """The plan as this reader may see it; the texts only with the PIN."""
    reader = safety_plans.door(tx, person_id, subject)
    plan = tx.get(SafetyPlan, reader.enrolment.id)
    wait = safety_plans.wait(tx, reader) if plan is not None and not tx.reading_locked else 0
    hidden = plan is not None and bool(tx.reading_locked or wait)
    texts = {} if hidden else safety_plans.read(tx, reader)
    language = doors.person_by_id(tx, person_id).language
    left = alarm_numbers.left_with(tx, reader.enrolment, person_id) if reader.crisis is not None else []
    return SafetyView(
        code=reader.enrolment.code,
        role_key=f"page.safety.for.{reader.actor.role}",
        written_at=plan.written_at if plan is not None else None,
        sections=sections(tx, texts, hidden),
        may_write=reader.writes and not hidden,
        emergency_lines=emergency.lines(tx, reader.enrolment.area, language),
        shared=tuple(_shared(tx, reader, language)),
        steps=_steps(reader, plan),
        ask=_asking(tx, reader, language, plan is not None),
        locked=(plan is not None or bool(left)) and tx.reading_locked,
        wait_minutes=wait,
        mentors=_mentors(tx, reader) if reader.crisis is not None else (),
        number="" if tx.reading_locked else _number(tx, reader, left, language),
    )


def _number(tx: Tx, reader: Reader, left: Sequence[Crisis], language: str) -> str:
    """What was left with an alarm; above it, that whoever left it has hidden this from somebody since."""
    text = alarm_numbers.read(tx, reader.actor, left)
    away = any(handover.presence_of(tx, crisis.raised_by) is not Presence.PRESENT for crisis in left)
    return f"{tx.catalogue.words('page.safety.number_care', language)}\n{text}" if text and away else text


def _mentors(tx: Tx, reader: Reader) -> tuple[str, ...]:
    """The posts that look after the member: whoever stands in first."""
    them = reader.enrolment
    seats = (member_keys.standing_in(tx, them), them.mentor_seat, them.backup_seat)
    return tuple(dict.fromkeys(seat for seat in seats if seat))


def sections(tx: Tx, texts: Mapping[str, str], hidden: bool) -> tuple[Section, ...]:
    """Every section of the form, in its order; what stands under no section of it any more comes last."""
    asked = safety_plans.sections(tx).questions
    found = [(q.id, f"page.safety.of.{q.id}", q.max_length) for q in asked]
    known = {q.id for q in asked}
    found += [(name, "page.safety.of.other", 0) for name in sorted(texts) if name not in known]
    return tuple(Section(i, key, None if hidden else texts.get(i, ""), limit) for i, key, limit in found)


def line(tx: Tx, share: SafetyShare, language: str, steps: tuple[Step, ...] = ()) -> SharedLine:
    """One sharing, in codes."""
    organization = tx.directory.organizations.get(share.organization_id)
    return SharedLine(
        id=share.id,
        organization=names.named(organization.names, language) if organization else share.organization_id,
        reason_key=f"page.share.why.{share.reason}",
        state_key=f"page.share.state.{_state(tx, share)}",
        silent_key=f"page.share.silent.{share.silence_reason}" if share.silence_reason else "",
        with_plan=share.with_plan,
        asked_at=share.asked_at,
        until=share.until if _state(tx, share) == "open" else None,
        steps=steps,
    )


def _state(tx: Tx, share: SafetyShare) -> str:
    if safety.waits(share):
        return "waits"
    if safety.is_open(share, tx.now):
        return "open"
    return "refused" if share.refused_at is not None else "over"


def _shared(tx: Tx, reader: Reader, language: str) -> list[SharedLine]:
    """The holder sees what they asked for; the person and their mentors what was not withheld from them."""
    if reader.crisis is None:
        return [line(tx, share, language) for share in safety_lists.about(tx, reader.enrolment.id)]
    asked = tx.find(SafetyShare, crisis_id=reader.crisis.id, asked_by=reader.actor.person_id)
    stop = (Step("stop", "page.step.share_stop", needs=_YES),)
    return [line(tx, share, language, () if share.ended_at else stop) for share in asked]


def _steps(reader: Reader, plan: SafetyPlan | None) -> tuple[Step, ...]:
    return (Step("same", "page.step.plan_same"),) if reader.writes and plan is not None else ()


def _asking(tx: Tx, reader: Reader, language: str, has_plan: bool) -> AskView | None:
    if reader.crisis is None:
        return None
    possible = safety.possible(tx.directory, tx.now)
    return AskView(
        organizations=tuple(Choice(o.id, label=names.named(o.names, language)) for o in possible),
        reasons=tuple(Choice(r, label_key=f"page.share.why.{r}") for r in safety.REASONS),
        silences=tuple(Choice(s, label_key=f"page.share.silent.{s}") for s in ("", *safety.SILENT)),
        may_plan=has_plan,
        limit=safety_sharing.TEXT_LIMIT,
    )


def _write(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    known = {question.id for question in safety_plans.sections(tx).questions}
    texts = {name: text for name, text in body.items() if name in known and isinstance(text, str)}
    safety_plans.write(tx, person_id, subject, texts)


def _ask(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    wish = safety_sharing.Wish(
        organization_id=text_of(body, "organization"),
        reason=text_of(body, "reason"),
        text=text_of(body, "text"),
        with_plan=body.get("plan") is True,
        silence=text_of(body, "silence"),
    )
    safety_sharing.ask(tx, person_id, subject, wish)


def _stop(tx: Tx, person_id: str, subject: str, body: Body) -> None:
    reader = safety_plans.door(tx, person_id, subject)
    safety_sharing.stop_of(tx, person_id, reader.enrolment.id, text_of(body, "share"))


def _step(action: Action, verb: Callable[[Tx, str, str, Body], object]) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SafetyView:
        verb(tx, person_id, subject, body)
        return safety_view(tx, person_id, subject, {})

    return Verb(action, step)


SAFETY = Page(
    Verb(Action.SAFETY_SEE, safety_view),
    {
        "save": _step(Action.SAFETY_PLAN, _write),
        "same": _step(Action.SAFETY_PLAN, lambda tx, who, it, body: safety_plans.looked_through(tx, who, it)),
        "ask": _step(Action.SAFETY_ASK, _ask),
        "stop": _step(Action.SAFETY_END, _stop),
    },
)
