"""Page 'matter': one referral as its person, its partner or the desk may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from referrals.access import Action
from referrals.errors import NotFound
from referrals.lifecycle import ENDED
from referrals.model import Actor, Consent, DataClass, Offer, OfferStage, Referral, Role, Stage, Urgency
from referrals.ports import Tx
from referrals.service import closing, desk, doors, filing, matching, sharing, threads, working
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Choice, FiledView, MatterView, Step


def matter_view(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView:
    """Page 'matter': as its person, its partner or the desk may see it; everybody else: not found."""
    referral = doors.referral_by_id(tx, subject)
    if referral.author_id == person_id:
        return _author_view(tx, person_id, referral)
    if _is_coordinator(tx, person_id):
        return _desk_view(tx, person_id, referral)
    actor, _, referral = doors.served_referral(tx, person_id, subject, Action.REFERRAL_READ)
    return _partner_view(tx, actor, referral)


def _step(action: Action, verb: Callable[[Tx, str, str, Body], object]) -> Verb:
    """A step of a matter: do it, then show the matter as it stands (for whoever may still see it)."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView | FiledView:
        verb(tx, person_id, subject, body)
        try:
            return matter_view(tx, person_id, subject, {})
        except NotFound:  # the partner gave it back: the reader may not see it any more
            referral = doors.referral_by_id(tx, subject)
            return FiledView(referral.code, f"stage.{referral.stage}", None, "", filed=False)

    return Verb(action, step)


_YES = "yes"


AUTHOR_STEPS: Mapping[Stage, tuple[Step, ...]] = {
    Stage.REPORTED: (Step("helped", "page.step.helped"), Step("not_helped", "page.step.not_helped")),
    Stage.CLOSED: (Step("reopen", "page.step.reopen", needs=_YES),),
}


DESK_STEPS: Mapping[Stage, tuple[str, ...]] = {
    Stage.UNMATCHED: ("rematch", "ask_person", "give_up"),
    Stage.DISPUTED: ("resume", "rematch", "give_up"),
    Stage.UNREACHABLE: ("give_up",),
}


def _author_view(tx: Tx, person_id: str, referral: Referral) -> MatterView:
    actor = doors.as_author(person_id)
    steps = AUTHOR_STEPS.get(referral.stage, ())
    if referral.stage not in ENDED:
        steps = (*steps, Step("withdraw", "page.step.withdraw", needs=_YES, danger=True))
    given = doors.consent_in_force(tx, referral)
    consent_text = given.text if given else _last_consent(tx, referral)
    shown = _view(tx, actor, referral, steps, consent_text=consent_text)
    if referral.urgency is Urgency.EMERGENCY and referral.stage not in ENDED:
        return replace(shown, emergency_lines=tx.directory.emergency_lines(referral.area))
    return shown


def _partner_view(tx: Tx, actor: Actor, referral: Referral) -> MatterView:
    reasons = tuple(
        Choice(r, label_key=f"unmet.{r}") for r in matching.pathway_of(tx, referral).unmet_reasons
    )
    report = Step("report", "page.step.report", needs="outcome", choices=reasons)
    back = Step("return", "page.step.return", needs=_YES, danger=True)
    steps = {
        Stage.ACCEPTED: (Step("contacted", "page.step.contacted"), back),
        Stage.UNREACHABLE: (Step("contacted", "page.step.contacted"),),
        Stage.IN_SERVICE: (report, back),
    }.get(referral.stage, ())
    return _view(tx, actor, referral, steps)


def _desk_view(tx: Tx, person_id: str, referral: Referral) -> MatterView:
    """The desk sees where a matter stands and what it may do, and no story."""
    actor, referral = doors.desk_referral(tx, person_id, referral.id, Action.REFERRAL_READ)
    reasons = matching.pathway_of(tx, referral).unmet_reasons
    unmet = tuple(Choice(r, label_key=f"unmet.{r}") for r in reasons)
    steps = tuple(
        Step(
            s,
            f"page.step.{s}",
            needs="reason" if s == "give_up" else "",
            choices=unmet if s == "give_up" else (),
        )
        for s in (("rematch",) if desk.may_move(tx, referral) else DESK_STEPS.get(referral.stage, ()))
    )
    return _view(tx, actor, referral, steps)


def _view(
    tx: Tx, actor: Actor, referral: Referral, steps: tuple[Step, ...], consent_text: str = ""
) -> MatterView:
    language = doors.person_by_id(tx, actor.person_id).language
    sealed = _opened(tx, actor, referral)
    at_desk = actor.role is Role.COORDINATOR
    routing, story = DataClass.ROUTING, DataClass.STORY
    area = tx.directory.areas.get(referral.area)
    helper = tx.directory.organizations.get(referral.organization_id or "")
    return MatterView(
        id=referral.id,
        code=referral.code,
        category_key=f"category.{referral.category}",
        urgency_key=f"urgency.{referral.urgency}",
        stage_key=f"stage.{referral.stage}",
        area=filing.named(area.names, language) if area and _may_open(tx, actor, referral, routing) else "",
        next_by=next_by(tx, referral),
        next_key=f"next.{'desk.' if at_desk else ''}{referral.stage}",
        story=sealed.get("story"),
        contact=sealed.get("contact"),
        organization=filing.named(helper.names, language) if helper else "",
        thread=threads.read(tx, actor, referral, language) if _may_open(tx, actor, referral, story) else (),
        can_write=not at_desk and threads.carries(tx, referral),
        steps=steps,
        consent_text=consent_text,
        readers=_readers(tx, referral, language) if actor.role is not Role.WORKER else (),
        locked=tx.reading_locked and not at_desk,
    )


def _opened(tx: Tx, actor: Actor, referral: Referral) -> dict[str, str]:
    """What this reader holds a key for. Consent is checked again at every read by a partner."""
    found: dict[str, str] = {}
    if tx.reading_locked:
        return found  # the PIN comes first; where the matter stands and what may be done shows without it
    for data_class in (DataClass.STORY, DataClass.CONTACT):
        if _may_open(tx, actor, referral, data_class) and tx.sealed_exists(referral.record, data_class):
            try:
                found.update(tx.open_sealed(actor, referral.record, data_class))
            except NotFound:
                continue  # consent or agreement does not give this class to this reader
    added = "\n\n".join(text for column, text in sorted(found.items()) if column.startswith("added."))
    if added:
        found["story"] = "\n\n".join(filter(None, (found.get("story", ""), added)))
    return found


def _may_open(tx: Tx, actor: Actor, referral: Referral, data_class: DataClass) -> bool:
    """The person everything, the desk what matching needs, a partner what it is given at this moment."""
    if actor.role is Role.COORDINATOR:
        return data_class is DataClass.ROUTING
    return actor.role is not Role.WORKER or data_class in sharing.readable(tx, referral)


def _readers(tx: Tx, referral: Referral, language: str) -> tuple[str, ...]:
    """Organisations that accepted and so could read: names of organisations, never of workers."""
    accepted = (OfferStage.ACCEPTED, OfferStage.RECALLED)
    found = [o for o in tx.find(Offer, referral_id=referral.id, stage=accepted) if o.decided_by]
    organizations = [tx.directory.organizations.get(o.organization_id) for o in found]
    return tuple(sorted({filing.named(o.names, language) for o in organizations if o}))


def _last_consent(tx: Tx, referral: Referral) -> str:
    given = tx.find(Consent, referral_id=referral.id)
    return max(given, key=lambda c: c.given_at).text if given else ""


def next_by(tx: Tx, referral: Referral) -> Any:
    """Until when the next thing is promised."""
    offer = matching.live_offer(tx, referral)
    if offer is not None:
        return offer.decide_by
    due = [t.due_at for t in tx.timers_of(referral.id) if t.kind in _PROMISES]
    return min(due, default=None)


_PROMISES = ("match", "unmatched", "first_contact", "confirm_wait", "dispute_wait")


def _is_coordinator(tx: Tx, person_id: str) -> bool:
    return any(s.role is Role.COORDINATOR for s in doors.seats_of(tx, person_id))


MATTER = Page(
    Verb(Action.REFERRAL_READ, matter_view),
    {
        "write": _step(
            Action.THREAD_WRITE, lambda tx, who, it, body: threads.write(tx, who, it, text_of(body, "text"))
        ),
        "contacted": _step(Action.SERVICE_CONTACT, lambda tx, who, it, body: working.contacted(tx, who, it)),
        "report": _step(
            Action.SERVICE_REPORT,
            lambda tx, who, it, body: working.report(
                tx, who, it, text_of(body, "outcome"), text_of(body, "reason")
            ),
        ),
        "return": _step(Action.SERVICE_RETURN, lambda tx, who, it, body: working.give_back(tx, who, it)),
        "helped": _step(Action.REFERRAL_CONFIRM, lambda tx, who, it, body: closing.helped(tx, who, it, True)),
        "not_helped": _step(
            Action.REFERRAL_CONFIRM, lambda tx, who, it, body: closing.helped(tx, who, it, False)
        ),
        "withdraw": _step(Action.REFERRAL_WITHDRAW, lambda tx, who, it, body: closing.withdraw(tx, who, it)),
        "reopen": _step(Action.REFERRAL_CONFIRM, lambda tx, who, it, body: closing.reopen(tx, who, it)),
        "rematch": _step(Action.DESK_REMATCH, lambda tx, who, it, body: desk.rematch(tx, who, it)),
        "ask_person": _step(Action.DESK_REMATCH, lambda tx, who, it, body: desk.ask_person(tx, who, it)),
        "resume": _step(Action.DESK_RESOLVE, lambda tx, who, it, body: desk.resume(tx, who, it)),
        "give_up": _step(
            Action.DESK_CLOSE,
            lambda tx, who, it, body: closing.give_up(tx, who, it, text_of(body, "reason")),
        ),
    },
)
