"""Part of a matter's page: what a partner asks, a waiting list, tries to reach somebody, appointments."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from referrals import turns
from referrals.access import Action
from referrals.casework import Appointment, AppointmentState
from referrals.errors import BadAnswer
from referrals.lifecycle import HELD, TRYING
from referrals.model import Actor, Offer, OfferStage, Referral, Role
from referrals.ports import Tx
from referrals.service.help import appointment_answers, appointments, attempts
from referrals.service.matter import asked
from referrals.service.pages.page import Body, Verb, text_of
from referrals.service.pages.part import Part
from referrals.service.turns import beginning, questions, waiting
from referrals.views import Choice, Said, Section, Step

_STATE = AppointmentState


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For the person (or mentor) what they are asked, for the partner what they do, for the desk what was."""
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None:
        return
    if actor.role is Role.COORDINATOR:
        yield from _for_desk(tx, offer, referral)
    elif actor.role is Role.WORKER:
        yield from _for_partner(tx, offer, referral)
    else:
        for each in asked.turns_of(tx, referral):
            yield from _question(tx, each, referral)
        yield from _for_person(tx, actor, offer, referral)


def _question(tx: Tx, offer: Offer, referral: Referral) -> Iterator[Section]:
    if offer.stage is OfferStage.QUESTION:
        coded = next((q for q in questions.questions_of(tx, referral) if q.id == offer.question), None)
        if coded is not None:
            choices = tuple(Choice(c, label_key=f"ask.{coded.id}.{c}") for c in coded.choices)
            step = Step("turn_answer", f"ask.{coded.id}", needs="reason", choices=choices)
            turn = {"turn": asked.mark(tx, offer.id)}
            yield Section("part.turn.asks", (Said("part.turn.asks_hint"),), (step,), turn)


def _for_person(tx: Tx, actor: Actor, offer: Offer, referral: Referral) -> Iterator[Section]:
    turn = {"turn": asked.mark(tx, offer.id)}
    if offer.stage is OfferStage.WAITLISTED:
        yes, no = Step("wait_yes", "page.step.wait_yes"), Step("wait_no", "page.step.wait_no")
        day = {"day": waiting.day_for(tx, actor.person_id, offer)}
        if offer.wait_yes_at is None:
            yield Section("part.wait.title", (Said("part.wait.asks", day),), (yes, no), turn)
        else:
            yield Section("part.wait.title", (Said("part.wait.waiting", day),), (no,), turn)
    if referral.stage in TRYING and attempts.of(tx, offer.id):
        yield _reach(referral)
    if offer.stage is OfferStage.ACCEPTED:
        for each in appointments.of(tx, offer.id):
            yield from _own_date(tx, each)


def _reach(referral: Referral) -> Section:
    who = "member" if referral.by_word else "you"
    steps = (
        Step("reach", f"page.step.reach_{who}"),
        Step("new_way", "page.step.new_way", needs="text"),
    )
    return Section("part.reach.title", (Said(f"part.reach.{who}"),), steps)


def _own_date(tx: Tx, each: Appointment) -> Iterator[Section]:
    turn = {"turn": asked.mark(tx, each.id)}
    if each.state is _STATE.SET and each.at > tx.now:
        lines = [Said("part.meet.at", at=each.at), Said("part.meet.where")]
        if each.said == "coming":
            lines.append(Said("part.meet.coming"))
        coming = () if each.said == "coming" else (Step("meet_coming", "button.can_come"),)
        cannot = Step("meet_cannot", "button.cannot_come", needs="yes")
        yield Section("part.meet.title", tuple(lines), (*coming, cannot), turn)
    elif each.state is _STATE.MISSED and each.said in ("", "absent"):
        ways = tuple(Choice(way, label_key=f"in_the_way.{way}") for way in turns.IN_THE_WAY)
        there = () if each.said else (Step("meet_there", "button.was_there"),)
        steps = (*there, Step("meet_way", "page.step.meet_way", needs="reason", choices=ways))
        yield Section("part.meet.missed_title", (Said("part.meet.missed", at=each.at),), steps, turn)


def _for_partner(tx: Tx, offer: Offer, referral: Referral) -> Iterator[Section]:
    reaches = beginning.reaches(tx, referral)
    if referral.stage in TRYING and reaches:
        steps = tuple(Step(f"tried_{how}", f"button.tried_{how}") for how in turns.HOW_TRIED)
        yield Section("part.tries.title", (Said("part.tries.hint"), *_tries(tx, offer)), steps)
    if referral.stage not in HELD:
        return
    for each in appointments.of(tx, offer.id):
        yield from _partners_date(tx, each)
    if not reaches:
        return  # where they meet could not be written to anybody
    make = Step("appoint", "page.step.appoint", needs="moment")
    yield Section("part.meet.new_title", (Said("part.meet.new_hint"),), (make,))


def _partners_date(tx: Tx, each: Appointment) -> Iterator[Section]:
    turn = {"turn": asked.partner_mark(tx, each.id)}
    lines = [Said("part.meet.at", at=each.at)]
    if each.said in ("coming", "cannot", "there"):
        lines.append(Said(f"part.meet.says_{each.said}"))
    how = (Step("meet_kept", "button.meet_kept"), Step("meet_missed", "button.meet_missed"))
    if each.state is _STATE.SET and each.at > tx.now:
        off = Step("call_off", "page.step.call_off", needs="yes", danger=True)
        yield Section("part.meet.title", tuple(lines), (off,), turn)
    elif each.state is _STATE.SET:
        yield Section("part.meet.how_title", tuple(lines), how, turn)
    elif each.state is _STATE.MISSED:
        yield Section("part.meet.missed_title", tuple(lines), how[:1], turn)


def _for_desk(tx: Tx, offer: Offer, referral: Referral) -> Iterator[Section]:
    """When was tried, and which times were missed: codes and moments, no words."""
    if offer.stage is not OfferStage.ACCEPTED:
        return
    tries = _tries(tx, offer) if referral.stage in HELD else ()
    if tries:
        yield Section("part.tries.title", tries)
    missed = [a for a in appointments.of(tx, offer.id) if a.state is _STATE.MISSED]
    if missed:
        yield Section("part.meet.missed_title", tuple(Said("part.meet.at", at=a.at) for a in missed))


def _tries(tx: Tx, offer: Offer) -> tuple[Said, ...]:
    return tuple(Said(f"part.tries.{one.how}", at=one.at) for one in attempts.of(tx, offer.id))


def _tried(how: str) -> Callable[[Tx, str, str, Body], object]:
    return lambda tx, who, it, body: attempts.tried(tx, who, it, how)


def _waits(yes: bool) -> Callable[[Tx, str, str, Body], object]:
    return lambda tx, who, it, body: waiting.answer(tx, who, it, text_of(body, "turn"), yes)


def _says(word: str) -> Callable[[Tx, str, str, Body], object]:
    return lambda tx, who, it, body: appointment_answers.answer(tx, who, it, text_of(body, "turn"), word)


def _way(tx: Tx, who: str, it: str, body: Body) -> object:
    reason = text_of(body, "reason")
    if reason not in turns.IN_THE_WAY:
        raise BadAnswer
    return appointment_answers.answer(tx, who, it, text_of(body, "turn"), reason)


def _how(kept: bool) -> Callable[[Tx, str, str, Body], object]:
    return lambda tx, who, it, body: appointments.happened(tx, who, it, text_of(body, "turn"), kept)


def _appoint(tx: Tx, who: str, it: str, body: Body) -> object:
    return appointments.make(tx, who, it, appointments.moment_of(tx, who, text_of(body, "moment")))


PART = Part(
    sections,
    {
        "turn_answer": Verb(
            Action.OFFER_ANSWER,
            lambda tx, who, it, body: questions.answer(
                tx, who, it, text_of(body, "turn"), text_of(body, "reason")
            ),
        ),
        "wait_yes": Verb(Action.WAIT_AGREE, _waits(True)),
        "wait_no": Verb(Action.WAIT_AGREE, _waits(False)),
        "reach": Verb(Action.MATTER_ADD, lambda tx, who, it, body: attempts.try_again(tx, who, it)),
        "new_way": Verb(
            Action.MATTER_ADD,
            lambda tx, who, it, body: attempts.new_way(tx, who, it, text_of(body, "text")),
        ),
        **{f"tried_{how}": Verb(Action.SERVICE_TRY, _tried(how)) for how in turns.HOW_TRIED},
        "appoint": Verb(Action.SERVICE_APPOINT, _appoint),
        "call_off": Verb(
            Action.SERVICE_APPOINT,
            lambda tx, who, it, body: appointments.call_off(tx, who, it, text_of(body, "turn")),
        ),
        "meet_kept": Verb(Action.SERVICE_APPOINT, _how(True)),
        "meet_missed": Verb(Action.SERVICE_APPOINT, _how(False)),
        "meet_coming": Verb(Action.APPOINTMENT_SAY, _says("coming")),
        "meet_cannot": Verb(Action.APPOINTMENT_SAY, _says("cannot")),
        "meet_there": Verb(Action.APPOINTMENT_SAY, _says("there")),
        "meet_way": Verb(Action.APPOINTMENT_SAY, _way),
    },
)
