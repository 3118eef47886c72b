"""What code words do that no button does: the list of words, text on and off, where matters stand."""

from __future__ import annotations

from dataclasses import replace

from handlers import crisis as alarms
from handlers import home, members, mentor
from handlers.reply import Reply, Turn
from referrals import code_words, schedule
from referrals.code_words import CODE_WORDS, CodeWord
from referrals.lifecycle import ENDED
from referrals.members import CheckIn, Crisis, Enrolment
from referrals.model import Referral, Role, Stage
from referrals.service.common import complaints, names
from referrals.service.common.tell import column, press
from referrals.service.matter import tracking
from referrals.service.members import enrolments
from referrals.service.people import people

MOST = 5  # matters in one short message
SLOT = "words"  # beside the talk: a form that is open stays where it is, and so do its numbers


def known(turn: Turn) -> Reply:
    """HELP: a post's words first, and everybody's on a second screen: each fits a short message."""
    posts = set(home.roles_of(turn)) - {Role.FAMILY}
    work = [w for w in CODE_WORDS if w.roles & posts and (w.takes_code or Role.FAMILY not in w.roles)]
    if posts and turn.word(0) != "more":
        more = ((press("button.more", "words", "more"),),)
        return Reply("words.work", {"words": _lines(turn, work)}, more, SLOT)
    own = [word for word in CODE_WORDS if Role.FAMILY in word.roles]
    return Reply("words.own", {"words": _lines(turn, own)}, (), SLOT)


def text(turn: Turn) -> Reply:
    """TEXT ON and TEXT OFF: choices as numbers in the message, or as buttons."""
    on = turn.word(0) == "on"
    people.choose_text(turn.tx, turn.person.id, on)
    return Reply("text.on" if on else "text.off", {}, home.buttons(turn))


def status(turn: Turn) -> Reply:
    """STATUS: where one's own matters stand and until when, by code: what a follower of a code would see."""
    own = turn.tx.find(Referral, author_id=turn.person.id, parent_id=None)  # a plan stands for its parts
    mine = sorted(own, key=lambda r: (r.created_at, r.id))
    still = [r for r in mine if r.stage not in ENDED and r.stage is not Stage.DRAFT][-MOST:]
    if not still:
        return Reply("home.status_none", slot=SLOT)
    return Reply("home.status", {"lines": "\n".join(_standing(turn, r) for r in still)}, slot=SLOT)


def _standing(turn: Turn, referral: Referral) -> str:
    """One matter in one line, with the day until which the next thing is promised."""
    catalogue, language = turn.tx.catalogue, turn.person.language
    said = catalogue.words(complaints.said(turn.tx, referral, f"stage.{referral.stage}"), language)
    by = tracking.next_by(turn.tx, referral)
    if by is None:
        return f"{referral.code}: {said}"
    day = names.day_in_words(catalogue, schedule.local(by, turn.person.timezone).date(), language)
    return f"{referral.code}: {said} ({catalogue.words('home.status_by', language, day=day)})"


def next_due(turn: Turn) -> Reply:
    """IN: what has waited longest, whoever is asked; for a mentor with a code that member, else the list."""
    if turn.word(0):
        subject = enrolments.by_code(turn.tx, turn.person.id, turn.word(0)).id
    else:
        mine = turn.tx.find(CheckIn, asked_of=turn.person.id, saved_at=None, missed=False)
        due = sorted((c for c in mine if c.waits), key=lambda c: (c.due_at, c.id))
        if not due:
            is_mentor = Role.MENTOR in home.roles_of(turn)
            return members.listing(turn) if is_mentor else Reply("home.none_due", slot=SLOT)
        subject = due[0].id
    return mentor.check(replace(turn, incoming=replace(turn.incoming, data=f"1:check:{subject}")))


def have(turn: Turn) -> Reply:
    """HAVE: which alarms nobody has yet. The word alone takes none of them; with a code it takes that one."""
    if turn.word(0):
        return alarms.have(turn)
    waiting = turn.tx.find(Crisis, held_by=None, ended_at=None)
    if not waiting:
        return Reply("home.no_alarm", slot=SLOT)
    found = {e.id: e.code for e in turn.tx.find(Enrolment, id=[c.enrolment_id for c in waiting])}
    buttons = [
        replace(press("button.take", "crisis.hold", c.id), params={"code": found.get(c.enrolment_id, "")})
        for c in waiting
    ]
    return Reply("home.alarms", {}, column(buttons), SLOT)


def _lines(turn: Turn, words: list[CodeWord]) -> str:
    said = turn.tx.catalogue.texts.get(turn.person.language or "en", {})
    return "\n".join(f"{code_words.shown(w.id, said)}: {said.get(f'word_does.{w.id}', '')}" for w in words)
