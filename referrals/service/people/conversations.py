"""Where a person is in a form: a row, so that it survives a restart, and expires kindly.

One conversation per person. Answers are sealed for the process alone; they become a draft at the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from referrals import forms
from referrals.access import Action
from referrals.catalogue import Pathway, Question, QuestionKind
from referrals.errors import BadAnswer, StaleButton, StaleLink
from referrals.model import NETWORK, SYSTEM, AgeGroup, AuditEntry, DataClass, Referral, Role, Stage
from referrals.persons import Conversation, Person
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.people import people
from referrals.service.request import drafts, several

# Kept among the answers and never asked: the draft's id while the person is on the page, and whether the
# language was known before the form began (else 'Back' could not ask for it again).
DRAFT = "_draft"
KNEW_LANGUAGE = "_knew_language"
SEVERAL = "_several"  # the needs that are ticked, where there are several; ' ' as long as there are none


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with its form and answers. `question` is None when the secure page's turn has come."""

    row: Conversation
    pathway: Pathway
    answers: Mapping[str, str]
    question: Question | None
    step: int
    steps: int

    @property
    def draft_id(self) -> str:
        return self.answers.get(DRAFT, "")


def begin(tx: Tx, person: Person, pathway_id: str) -> Talk:
    """Start a form from its first open question; an earlier conversation of this person is given up."""
    pathway = tx.catalogue.pathways.get(pathway_id)
    if pathway is None or not may_ask(tx, person, pathway):
        raise StaleLink
    drop(tx, person.id)
    form = pathway.form
    row = Conversation(
        id=tx.new_id(),
        person_id=person.id,
        form=form.id,
        form_version=form.version,
        step=0,
        subject=pathway.id,
        started_at=tx.now,
        expires_at=tx.now + form.expires_after,
    )
    tx.add(row)
    return _advance(tx, row, pathway, {KNEW_LANGUAGE: "yes"} if person.language else {})


def current(tx: Tx, person: Person) -> Talk | None:
    """The person's open conversation, as it stood before any restart."""
    for row in tx.find(Conversation, person_id=person.id):
        pathway = tx.catalogue.pathways.get(row.subject)
        if pathway is not None and row.expires_at > tx.now and row.form_version == pathway.form.version:
            return _talk(tx, row, pathway, _answers(tx, row))
    return None


def reply(tx: Tx, person: Person, question_id: str, value: str) -> Talk:
    """Take one answer. StaleButton when another question is open; BadAnswer when it does not fit."""
    talk = _needed(tx, person)
    if talk.question is None or talk.question.id != question_id:
        raise StaleButton
    accepted = forms.accept(talk.question, value, choices(tx, talk))
    _remember(tx, person, talk.question, accepted)
    return _advance(tx, talk.row, talk.pathway, {**talk.answers, question_id: accepted})


def tick(tx: Tx, person: Person, category: str) -> Talk:
    """Several needs: this one is one of them, or no more; '' begins to tick. StaleButton elsewhere."""
    talk = _needed(tx, person)
    if talk.question is None or talk.question.kind is not QuestionKind.CATEGORY:
        raise StaleButton
    if category and category not in choices(tx, talk):
        raise BadAnswer
    ticked = set(talk.answers.get(SEVERAL, "").split()) ^ ({category} - {""})
    said = " ".join(c for c in choices(tx, talk) if c in ticked) or " "
    return _advance(tx, talk.row, talk.pathway, {**talk.answers, SEVERAL: said})


def ticked(tx: Tx, person: Person) -> Talk:
    """These are all: the first of them answers the question, and the others go beside it."""
    talk = _needed(tx, person)
    chosen = talk.answers.get(SEVERAL, "").split()
    if talk.question is None or not chosen:
        raise StaleButton
    return reply(tx, person, talk.question.id, chosen[0])


def back(tx: Tx, person: Person) -> Talk:
    """One question back; what was answered before stays."""
    talk = _needed(tx, person)
    kept = {k: v for k, v in talk.answers.items() if k.startswith("_") and k != SEVERAL}
    return _advance(
        tx, talk.row, talk.pathway, {**forms.back(talk.pathway.form, _asked(talk.answers)), **kept}
    )


def drop(tx: Tx, person_id: str) -> None:
    """End the conversation and destroy its answers; an unfiled draft goes with it."""
    for row in tx.find(Conversation, person_id=person_id):
        answers = _answers(tx, row)
        draft = tx.get(Referral, answers.get(DRAFT, ""))
        if draft is not None and draft.stage is Stage.DRAFT:
            drafts.purge_draft(tx, draft.id)
            tx.clear_timers(draft.id)
        drafts.forget_conversation(tx, row)


def expire(tx: Tx, conversation_id: str) -> None:
    """Timer: the form rested too long. The chat says so quietly; a draft keeps its own time."""
    row = tx.get(Conversation, conversation_id)
    if row is None:
        return
    if row.expires_at > tx.now:
        tx.set_timer("conversation", row.id, row.expires_at)
        return
    tell.quietly(tx, row.person_id, tell.TALK, "form.expired")
    drafts.forget_conversation(tx, row)


def choices(tx: Tx, talk: Talk) -> tuple[str, ...]:
    """What can be answered to the open question."""
    if talk.question is None:
        return ()
    return forms.choices_of(talk.question, tx.catalogue, talk.pathway.categories)


def may_ask(tx: Tx, person: Person, pathway: Pathway) -> bool:
    """Whether this person may file along this pathway: a button's data can be forged."""
    allowed = set(pathway.may_file)
    if Role.MEMBER in allowed:  # a mentor files for a member (needs.py), never for themselves
        allowed.discard(Role.MENTOR)
    return bool(doors.roles_of(tx, person.id) & allowed)


def _needed(tx: Tx, person: Person) -> Talk:
    talk = current(tx, person)
    if talk is None:
        raise StaleButton
    return talk


def _advance(tx: Tx, row: Conversation, pathway: Pathway, answers: Mapping[str, str]) -> Talk:
    talk = _talk(tx, row, pathway, answers)
    if talk.question is None:
        answers = {**answers, DRAFT: _draft(tx, talk)}
    saved = tx.save(replace(row, step=talk.step, expires_at=tx.now + pathway.form.expires_after))
    tx.seal(saved.record, DataClass.STORY, "answers", json.dumps(dict(answers)), [NETWORK])
    tx.set_timer("conversation", saved.id, saved.expires_at)
    return _talk(tx, saved, pathway, answers)


def _talk(tx: Tx, row: Conversation, pathway: Pathway, answers: Mapping[str, str]) -> Talk:
    known = _known(doors.person_by_id(tx, row.person_id), answers)
    asked = _asked(answers)
    question = forms.next_question(pathway.form, asked, known)
    chat = question if question is not None and question.where == "chat" else None
    step, steps = forms.steps(pathway.form, asked, known)
    return Talk(row, pathway, answers, chat, step, steps)


def _asked(answers: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in answers.items() if not k.startswith("_")}


def _known(person: Person, answers: Mapping[str, str]) -> Mapping[str, str]:
    """What the person's settings answered before this form began."""
    return {"language": person.language} if KNEW_LANGUAGE in answers else {}


def _draft(tx: Tx, talk: Talk) -> str:
    """The draft for the page: made once, and changed when the person went back and answered anew."""
    person = doors.person_by_id(tx, talk.row.person_id)
    age = AgeGroup(talk.answers.get("age_group") or person.age_group or AgeGroup.ADULT)
    category = talk.answers.get("category") or _only_one(talk.pathway)  # else it is chosen on the page
    actor = doors.as_author(person.id)
    draft = tx.get(Referral, talk.draft_id) if talk.draft_id else None
    if draft is not None and draft.stage is Stage.DRAFT:
        tx.save(replace(draft, category=category, age_group=age, language=person.language))
        tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{draft.id}", "draft"))
        draft = replace(draft, category=category)
    else:
        draft = drafts.start_draft(tx, actor, talk.pathway.id, category, age, person.language)
    several.alongside(tx, actor, draft, talk.answers.get(SEVERAL, "").split())
    return draft.id


def _only_one(pathway: Pathway) -> str:
    """What a pathway is about whose form does not ask for it."""
    asks = any(question.kind is QuestionKind.CATEGORY for question in pathway.form.questions)
    return "" if asks else pathway.needs[0]


def _remember(tx: Tx, person: Person, question: Question, value: str) -> None:
    """Language, window and age group are settings of the person, not only of this form."""
    if question.kind is QuestionKind.LANGUAGE:
        people.choose_language(tx, person.id, value)
    elif question.id == "window":
        people.choose_window(tx, person.id, value)
    elif question.id == "age_group":
        people.choose_age_group(tx, person.id, value)


def _answers(tx: Tx, row: Conversation) -> dict[str, str]:
    opened = tx.open_sealed(SYSTEM, row.record, DataClass.STORY)
    return {str(k): str(v) for k, v in json.loads(opened["answers"]).items()}
