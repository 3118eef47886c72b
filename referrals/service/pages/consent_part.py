"""What a matter's page shows of the yes: its versions; for whom it was given; a child's safety at home."""

from __future__ import annotations

from collections.abc import Iterator

from referrals import consent as consents
from referrals.access import Action
from referrals.errors import NotFound
from referrals.lifecycle import ENDED
from referrals.model import Actor, AgeGroup, DataClass, Referral, Role
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.lasting import going_on
from referrals.service.matter import reading, sharing
from referrals.service.pages import heard
from referrals.service.pages.page import Body, Verb, chosen_of, text_of
from referrals.service.pages.part import Part
from referrals.service.request import behalf, receipts, safe_times, young
from referrals.views import Choice, Said, Section, Step

_AGAIN = Step(
    "behalf_again",
    "page.step.behalf_again",
    needs="reason",
    choices=tuple(Choice(span, label_key=f"span.{span}") for span in behalf.SPANS),
)
_GOES_ON = Step("goes_on", "page.step.goes_on", needs="yes")
_OWN_NO = Step("own_no", "page.step.own_no", needs="yes", danger=True)


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For whoever wrote it, for the desk, and for the partner that holds it: each what concerns them."""
    if referral.behalf and (actor.role is not Role.WORKER or sharing.readable(tx, referral)):
        yield _behalf(tx, actor, referral)
    if referral.age_group is AgeGroup.CHILD and actor.role is Role.WORKER:
        yield from _home(tx, actor, referral)
    mine = actor.role not in (Role.WORKER, Role.COORDINATOR)
    if mine:
        yield from _goes_on(tx, actor, referral)
    given = receipts.given_for(tx, referral) if mine else []
    if len(given) > 1:
        lines = [line for each in given for line in receipts.dates(tx, actor.person_id, each)]
        yield Section("part.receipt.all", tuple(lines))


def _goes_on(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """The yes ends soon, or has just ended: the words of the next one, and its step."""
    ends = going_on.asked(tx, referral)
    if ends is None:
        return
    language = referral.language if referral.by_word else doors.person_by_id(tx, actor.person_id).language
    text = going_on.words(tx, referral, language)
    over = "part.goes_on.over" if ends.until <= tx.now else "part.goes_on.soon"
    lines = [Said(over, at=ends.until)]
    lines += [Said("part.transfer.read_out")] if referral.by_word else []
    lines += [Said("part.words", {"words": line}) for line in text.splitlines() if line]
    step = heard.step(_GOES_ON, referral, _GOES_ON.label_key)
    yield Section("part.goes_on.title", tuple(lines), (step,), {"consent_digest": consents.digest(text)})


def _agree(tx: Tx, person_id: str, subject: str, body: Body) -> Section | None:
    """By word the code that takes the yes back, shown this once."""
    _, code = going_on.agree(tx, person_id, subject, text_of(body, "consent_digest"), chosen_of(body))
    return heard.code(code)


def _behalf(tx: Tx, actor: Actor, referral: Referral) -> Section:
    language = doors.person_by_id(tx, actor.person_id).language
    words = tx.catalogue.words
    said = {
        "reason": words(f"behalf.{referral.behalf}", language),
        "agreed": words(f"agreed.{referral.behalf_agreed}", language),
    }
    open_ = referral.stage not in ENDED and actor.role is not Role.WORKER
    steps = (_OWN_NO,) if actor.role is Role.COORDINATOR else (_AGAIN, _OWN_NO)
    lines = (Said("part.behalf.why", said), Said("part.behalf.until", at=referral.behalf_until))
    return Section("part.behalf.title", lines, steps if open_ else ())


def _home(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """'It is not safe', for a partner that agreement and consent name for `safety`."""
    if tx.reading_locked or DataClass.SAFETY not in sharing.readable(tx, referral):
        return
    if not tx.sealed_exists(referral.told, DataClass.SAFETY) or reading.wait(tx, actor, referral):
        return
    try:
        opened = reading.open_for(tx, actor, referral, referral.told, DataClass.SAFETY)
    except NotFound:
        return
    if opened.get(safe_times.HOME) == young.NOT_SAFE:
        yield Section("part.young.title", (Said("part.young.not_safe"),))


PART = Part(
    sections,
    {
        "goes_on": Verb(Action.REFERRAL_FILE, _agree),
        "behalf_again": Verb(
            Action.REFERRAL_FILE, lambda tx, who, it, body: behalf.renew(tx, who, it, text_of(body, "reason"))
        ),
        "own_no": Verb(Action.CONSENT_CUT, lambda tx, who, it, body: behalf.own_no(tx, who, it)),
    },
)
