"""A matter at the desk: who has it, what coordinators noted, and whom looking again would ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from referrals.access import Action
from referrals.lifecycle import ENDED
from referrals.model import Actor, Referral, Role, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.routing import Line, Reason
from referrals.service.common import doors, names
from referrals.service.desk import desk, desk_work, plan_preview
from referrals.service.matter import desk_notes, offering, reading
from referrals.service.pages.page import Body, Verb, text_of
from referrals.service.pages.part import Part
from referrals.service.request import plans
from referrals.views import Choice, Said, Section, Step


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For coordinators alone."""
    if actor.role is not Role.COORDINATOR:
        return
    if referral.stage not in ENDED:
        yield _whose(tx, actor, referral)
    if can_look_again(tx, referral):
        yield _plan(tx, actor, referral)
    yield _notes(tx, actor, referral)


def _whose(tx: Tx, actor: Actor, referral: Referral) -> Section:
    held = desk_work.holder(tx, referral)
    mine = held is not None and held.person_id == actor.person_id
    steps: list[Step] = []
    if held is None:
        steps.append(Step("desk_take", "page.step.desk_take"))
    if mine:
        steps.append(Step("desk_let_go", "page.step.desk_let_go"))
    others = desk_work.colleagues(tx, actor.person_id, referral) if held is None or mine else []
    if others:
        steps.append(Step("desk_assign", "page.step.desk_assign", "reason", tuple(map(_post, others))))
    if offering.live_offer(tx, referral) is not None:
        steps.append(Step("desk_recall", "page.step.desk_recall", "yes"))
    return Section("part.desk.whose", (_holder(held, mine),), tuple(steps))


def _holder(held: Seat | None, mine: bool) -> Said:
    if held is None:
        return Said("part.desk.nobody")
    return Said("part.desk.you") if mine else Said("part.desk.colleague", {"post": held.id})


def _post(seat: Seat) -> Choice:
    """A post is called by its name in the network's file; who fills it is not said."""
    return Choice(seat.id, label=seat.id)


def _notes(tx: Tx, actor: Actor, referral: Referral) -> Section:
    steps: list[Step] = []
    if referral.stage not in desk_notes.CUT:
        steps.append(Step("desk_note", "page.step.desk_note", "text"))
    if not tx.reading_locked and desk_notes.has_earlier(tx, referral):
        steps.append(Step("desk_earlier", "page.step.desk_earlier"))
    return Section("part.desk.notes", tuple(_noted(tx, actor, referral)), tuple(steps))


def _noted(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Said]:
    if not desk_notes.has_notes(tx, referral):
        yield Said("part.desk.no_notes")
    elif tx.reading_locked or reading.wait(tx, actor, referral):
        yield Said("part.desk.notes_locked")
    else:
        yield from map(_note, desk_notes.notes(tx, actor, referral))


def _note(note: desk_notes.Noted) -> Said:
    return Said("part.desk.note_mine" if note.mine else "part.desk.note_theirs", {"text": note.text}, note.at)


def _earlier(tx: Tx, person_id: str, subject: str, body: Body) -> Section | None:
    """Older notes, shown this once above the matter."""
    found = desk_notes.earlier(tx, person_id, subject)
    return Section("part.desk.notes_earlier", tuple(map(_note, found))) if found else None


def can_look_again(tx: Tx, referral: Referral) -> bool:
    """Whether the desk may have the plan walked once more: then what that would bring is shown."""
    return referral.stage in (Stage.UNMATCHED, Stage.DISPUTED) or desk.may_move(tx, referral)


def _plan(tx: Tx, actor: Actor, referral: Referral) -> Section:
    """Who would be asked, who could be with another yes, and who would not: each with its reason."""
    language = doors.person_by_id(tx, actor.person_id).language
    found = plan_preview.preview(tx, referral)
    lines = [Said("part.desk.asked_person")] if desk.asked_today(tx, referral) else []
    if not found.consented:
        lines.append(Said("part.desk.plan_no_yes"))
    elif not found.asked:
        lines.append(Said("part.desk.plan_nobody"))
    else:
        lines += [
            _line(tx, "part.desk.plan_asks", n, each, language) for n, each in enumerate(found.asked, 1)
        ]
    lines += [
        _line(tx, "part.desk.plan_could", n, each, language) for n, each in enumerate(found.with_a_yes, 1)
    ]
    for out in found.left_out:
        who = {"who": _named(tx, out.organization_id, language)}
        lines.append(Said("part.desk.plan_not", who | {"why": tx.catalogue.words(out.reason_key, language)}))
    return Section("part.desk.plan", tuple(lines))


def _line(tx: Tx, key: str, number: int, line: Line, language: str) -> Said:
    why = ", ".join(_reason(tx, reason, language) for reason in line.reasons)
    return Said(key, {"n": str(number), "who": _named(tx, line.organization_id, language), "why": why})


def _reason(tx: Tx, reason: Reason, language: str) -> str:
    words = tx.catalogue.words(reason.key, language)
    for name, value in plans.shown(tx, dict(reason.params), language).items():
        words = words.replace("{" + name + "}", value)
    return words


def _named(tx: Tx, organization_id: str, language: str) -> str:
    found = tx.directory.organizations.get(organization_id)
    return names.named(found.names, language) if found else organization_id


def _step(
    verb: Callable[[Tx, str, str, str], object], field: str = ""
) -> Callable[[Tx, str, str, Body], object]:
    return lambda tx, who, it, body: verb(tx, who, it, text_of(body, field))


PART = Part(
    sections,
    {
        "desk_take": Verb(Action.DESK_TAKE, lambda tx, who, it, body: desk_work.take(tx, who, it)),
        "desk_let_go": Verb(Action.DESK_TAKE, lambda tx, who, it, body: desk_work.let_go(tx, who, it)),
        "desk_assign": Verb(Action.DESK_ASSIGN, _step(desk_work.assign, "reason")),
        "desk_note": Verb(Action.DESK_NOTE, _step(desk_notes.note, "text")),
        "desk_earlier": Verb(Action.DESK_NOTE, _earlier),
        "desk_recall": Verb(Action.DESK_RECALL, lambda tx, who, it, body: desk_work.recall(tx, who, it)),
    },
)
