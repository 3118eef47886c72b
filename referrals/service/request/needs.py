"""A need of a member becomes a matter that waits for their yes; until then nobody is asked for anything.

The mentor proposes. The member says yes by word (`word_consent.py`) or on a phone of their own (page 'plan'):
from that yes on the matter is the member's, and the mentor only hears that something has moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from referrals.access import Action, allow
from referrals.catalogue import ON_PAGE, Handling, Pathway
from referrals.errors import BadAnswer
from referrals.lifecycle import OPEN, STAGE_WAITS, Step, move
from referrals.members import Enrolment
from referrals.model import Actor, AgeGroup, AuditEntry, Referral, Role, Stage, Urgency
from referrals.persons import Person
from referrals.ports import Tx
from referrals.said import Button, Keyboard
from referrals.service.common import doors, tell
from referrals.service.matter import matter_codes, member_keys
from referrals.service.request import behalf
from referrals.service.turns import closing

NUDGE = timedelta(hours=24)
_FILED = "for a member"


def categories(tx: Tx) -> tuple[str, ...]:
    """Every need that a mentor may file for a member, in the catalogue's order: everyday needs come first."""
    filed = {category for pathway in _pathways(tx) for category in pathway.needs}
    return tuple(category for category in tx.catalogue.categories if category in filed)


def in_chat(tx: Tx) -> tuple[str, ...]:
    """Those that a chat's button may name, and ON_PAGE for the others. Text keys: 'category.<id>'."""
    found = categories(tx)
    named = tuple(c for c in found if c not in tx.catalogue.private)
    return (*named, ON_PAGE) if len(named) < len(found) else named


def from_check_in(tx: Tx, actor: Actor, enrolment: Enrolment, ticked: Iterable[str]) -> tuple[Referral, ...]:
    """The matters that stand for what a mentor ticked, new or not: one open need is one matter.

    ON_PAGE among them: the mentor gets a button to the page on which to choose. BadAnswer for what no
    pathway lets a mentor file. Everything is said in one quiet message.
    """
    chosen = list(dict.fromkeys(ticked))
    found = [file(tx, actor, enrolment, category) for category in chosen if category != ON_PAGE]
    _ask(tx, actor, enrolment, [r for r, new in found if new], len(found), ON_PAGE in chosen)
    return tuple(referral for referral, _ in found)


def file(
    tx: Tx, actor: Actor, enrolment: Enrolment, category: str, along: Pathway | None = None
) -> tuple[Referral, bool]:
    """The open matter of this need, and whether it is new. A phone of the member's own is asked at once.

    `along`: a pathway that was proposed for them; else the first along which a mentor may file.
    """
    allow(actor, Action.REFERRAL_FILE)
    tx.get(Enrolment, enrolment.id, lock=True)  # two who tick the same come one after the other
    for open_one in tx.find(Referral, enrolment_id=enrolment.id, category=category, stage=OPEN):
        return open_one, False
    pathway = along or next((p for p in _pathways(tx) if category in p.needs), None)
    if pathway is None:
        raise BadAnswer
    draft = Referral(
        id=tx.new_id(),
        code=matter_codes.fresh(tx),
        pathway=pathway.id,
        pathway_version=pathway.version,
        author_id=actor.person_id,
        category=category,
        language=language_of(tx, actor, enrolment),
        urgency=Urgency.NORMAL,
        area=enrolment.area,
        age_group=_age(tx, enrolment),
        stage=Stage.DRAFT,
        stage_since=tx.now,
        created_at=tx.now,
        enrolment_id=enrolment.id,
    )
    waiting = move(draft, Step.ASK_CONSENT, tx.now)
    tx.add(waiting)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{waiting.id}", _FILED))
    tx.set_timer("consent_nudge", waiting.id, tx.now + NUDGE)
    tx.set_timer("consent_wait", waiting.id, tx.now + STAGE_WAITS[Stage.AWAITING_CONSENT].normal)
    if enrolment.person_id:
        _ask_phone(tx, enrolment.person_id, waiting, "member.page_waits")
    return waiting, True


def undone(tx: Tx, actor: Actor, enrolment: Enrolment, saved_at: datetime) -> None:
    """The check-in of that moment was taken back: what it proposed, and nobody agreed to, vanishes."""
    for referral in tx.find(Referral, enrolment_id=enrolment.id, stage=Stage.AWAITING_CONSENT):
        if referral.created_at == saved_at and referral.author_id == actor.person_id:
            drop(tx, actor, referral, enrolment)
    tell.quietly(tx, actor.person_id, slot(enrolment), "")


def drop(tx: Tx, actor: Actor, referral: Referral, enrolment: Enrolment) -> None:
    """Nothing of it stays but the audit's row."""
    if enrolment.person_id:
        tell.quietly(tx, enrolment.person_id, f"matter:{referral.id}", "")
    tx.clear_timers(referral.id)
    tx.destroy(referral.record)
    tx.remove(referral)
    tx.audit(AuditEntry(actor, Action.REFERRAL_FILE, f"referral:{referral.id}", "taken back"))


def nudge(tx: Tx, referral_id: str) -> None:
    """Timer: a day without an answer. Whoever can ask for the yes, or give it, is reminded once."""
    referral = doors.referral_by_id(tx, referral_id)
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    if referral.stage is not Stage.AWAITING_CONSENT or enrolment is None:
        return
    if enrolment.person_id:
        _ask_phone(tx, enrolment.person_id, referral, "member.page_still_waits")
        return
    button = tell.page_button("button.read_out", f"words/{referral.id}")
    code = {"code": enrolment.code}
    asked = next(iter(member_keys.mentors_of(tx, enrolment)), referral.author_id)  # who stands in, meanwhile
    tell.tell(tx, asked, "needs.still_waiting", code, buttons=((button,),), slot=slot(enrolment))


def over(tx: Tx, referral_id: str) -> None:
    """Timer: nobody said yes in seven days."""
    referral = doors.referral_by_id(tx, referral_id)
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    if enrolment is not None and enrolment.person_id and referral.stage is Stage.AWAITING_CONSENT:
        tell.quietly(tx, enrolment.person_id, f"matter:{referral.id}", "member.page_over")
    closing.expire(tx, referral_id)


def refuse(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """The member's own 'no', on their phone: nobody was asked, and the mentor hears only that it is no."""
    referral = doors.to_plan(tx, person_id, referral_id)
    if referral.stage is not Stage.AWAITING_CONSENT:
        return closing.withdraw(tx, person_id, referral_id)
    standing = doors.referral_by_id(tx, referral_id)
    cut = closing.cut(tx, doors.as_author(person_id), standing, Action.REFERRAL_WITHDRAW, "no")
    after = behalf.heard_no(tx, cut)
    tell.answer(tx, person_id, "member.said_no", slot=f"matter:{after.id}")
    enrolment = tx.get(Enrolment, after.enrolment_id or "")
    if enrolment is not None and after.by_word:
        tell.tell(tx, after.author_id, "needs.said_no", {"code": enrolment.code}, slot=slot(enrolment))
    return after


def of_member(tx: Tx, enrolment: Enrolment) -> list[Referral]:
    """What was filed for a member by word, or is waiting for their yes; the newest first.

    What they have agreed to on their own phone is theirs, and does not show here.
    """
    found = [r for r in tx.find(Referral, enrolment_id=enrolment.id) if r.by_word and r.author_id]
    return sorted(found, key=lambda r: (r.created_at, r.id), reverse=True)


def ways_of(tx: Tx, role: Role) -> Keyboard:
    """The same by role: a member's own pathways, a family's those of the posters.

    What no chat may name stands behind one button, on a page.
    """
    known = tx.catalogue.pathways
    pathways = {poster.pathway for poster in tx.directory.posters.values()} & set(known)
    if role is Role.MEMBER:
        own = (p for p in known.values() if p.handling is not Handling.CONFIRMATION)  # that has a page
        pathways = {p.id for p in own if Role.MEMBER in p.may_file}
    named = [p for p in sorted(pathways) if known[p].in_chat]
    buttons = [tell.press(f"pathway.{pathway}", "ask", pathway) for pathway in named]
    if len(named) < len(pathways):
        buttons.append(tell.page_button("button.something_else", "choose"))
    return tell.column(buttons)


def pathways_of(tx: Tx, roles: Iterable[Role]) -> tuple[str, ...]:
    """The pathways along which these roles may ask on their own, and whose names a chat may show."""
    own = frozenset(roles) - {Role.MENTOR}
    return tuple(p.id for p in tx.catalogue.pathways.values() if p.in_chat and own & set(p.may_file))


def slot(enrolment: Enrolment) -> str:
    """The one message in a mentor's chat about what a member waits to be asked."""
    return f"needs:{enrolment.id}"


def _pathways(tx: Tx) -> list[Pathway]:
    """Along which a mentor may file for a member: a family's own are not among them."""
    both = {Role.MEMBER, Role.MENTOR}
    return [p for p in tx.catalogue.pathways.values() if both <= set(p.may_file)]


def language_of(tx: Tx, actor: Actor, enrolment: Enrolment) -> str:
    """The member's, as far as anybody knows it; it is asked again before the words are read out."""
    phone = tx.get(Person, enrolment.person_id) if enrolment.person_id else None
    known = (enrolment.language, phone.language if phone else "")
    spoken = (*known, doors.person_by_id(tx, actor.person_id).language)
    return next((la for la in spoken if la in tx.catalogue.languages), "en")


def _age(tx: Tx, enrolment: Enrolment) -> AgeGroup:
    """As their own phone has said it; else a mentor is asked for it before the words are read out."""
    phone = tx.get(Person, enrolment.person_id) if enrolment.person_id else None
    return (phone.age_group if phone else None) or AgeGroup.ADULT


def _ask(tx: Tx, actor: Actor, enrolment: Enrolment, new: list[Referral], asked: int, on_page: bool) -> None:
    """One quiet message for all of them; a button for each, numbered where there are several."""
    pages = [f"words/{referral.id}" for referral in new] + ([f"words/{enrolment.id}"] if on_page else [])
    if not asked and not pages:
        return
    several = len(pages) > 1
    buttons = [
        Button("button.read_out_number" if several else "button.read_out", page=page, params={"n": str(n)})
        for n, page in enumerate(pages, 1)
    ]
    text = "needs.already" if not pages else "needs.phone" if enrolment.person_id else "needs.waiting"
    shown = {"code": enrolment.code}
    tell.answer(tx, actor.person_id, text, shown, buttons=tell.column(buttons), slot=slot(enrolment))


def still_asks_phone(tx: Tx, referral: Referral) -> None:
    """Somebody has agreed on a member's behalf: their own phone, if there is one, can still say no."""
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    if enrolment is not None and enrolment.person_id:
        _ask_phone(tx, enrolment.person_id, referral, "member.page_still_waits")


def _ask_phone(tx: Tx, person_id: str, referral: Referral, text: str) -> None:
    """Neutral: that a page waits for an answer, and no word of what it is about."""
    page = ((tell.page_button("button.read_plan", f"plan/{referral.id}"),),)
    tell.tell(tx, person_id, text, buttons=page, slot=f"matter:{referral.id}")
