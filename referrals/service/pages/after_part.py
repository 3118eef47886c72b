"""Part of a matter's page: how it was, question by question, and why somebody says that it is not over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from referrals.access import Action
from referrals.catalogue import Coded
from referrals.model import Actor, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.common import complaints, doors
from referrals.service.pages.page import Verb, text_of
from referrals.service.pages.part import Part
from referrals.service.turns import after_help, closing
from referrals.views import Choice, Said, Section, Step


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """The person is asked; the desk reads why they disputed it; the partner sees none of it."""
    if actor.role is Role.WORKER:
        return
    if actor.role is Role.COORDINATOR:
        if referral.why and referral.stage is Stage.DISPUTED:
            language = doors.person_by_id(tx, actor.person_id).language
            said = tx.catalogue.words(f"not_over.{referral.why}", language)
            yield Section("part.not_over.title", (Said("part.not_over.said", {"why": said}),))
        return
    if referral.stage is Stage.DISPUTED and not referral.why and not complaints.hidden(tx, referral):
        reasons = tuple(Choice(r, label_key=f"not_over.{r}") for r in after_help.DISPUTED)
        step = Step("why", "page.step.why", needs="reason", choices=reasons)
        yield Section("part.not_over.title", (Said("part.not_over.ask"),), (step,))
    for question in after_help.left(tx, referral):
        yield how_it_was(question, (), {})


def how_it_was(question: Coded, lines: tuple[Said, ...], about: Mapping[str, str]) -> Section:
    """A closing question as a section with its step; `about` goes along with the answer."""
    choices = tuple(Choice(c, label_key=f"ask.{question.id}.{c}") for c in question.choices)
    step = Step("afterwards", "page.step.afterwards", needs="reason", choices=choices)
    return Section(f"ask.{question.id}", lines, (step,), {**about, "question": question.id})


PART = Part(
    sections,
    {
        "partly_helped": Verb(
            Action.REFERRAL_CONFIRM,
            lambda tx, who, it, body: closing.helped(tx, who, it, True, partly=True),
        ),
        "why": Verb(
            Action.REFERRAL_CONFIRM,
            lambda tx, who, it, body: after_help.why(tx, who, it, text_of(body, "reason")),
        ),
        "afterwards": Verb(
            Action.REFERRAL_CONFIRM,
            lambda tx, who, it, body: after_help.answer(
                tx, who, it, text_of(body, "question"), text_of(body, "reason")
            ),
        ),
    },
)
