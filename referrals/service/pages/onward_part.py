"""Part of a matter's page: to hand it to another organisation, and what the person needs besides."""

from __future__ import annotations

from collections.abc import Iterator

from referrals import consent as consents
from referrals.access import Action
from referrals.casework import Transfer
from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.joint import transfers
from referrals.service.pages import heard
from referrals.service.pages.page import Body, Verb, chosen_of, text_of
from referrals.service.pages.part import Part
from referrals.service.turns import onward
from referrals.views import Choice, Said, Section, Step

_TRANSFER = "part.transfer.title"
_YES = Step("transfer_yes", "page.step.transfer_yes", needs="yes")
_NO = Step("transfer_no", "page.step.transfer_no")


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """The person reads what they are asked; the partner sees to whom it could go, and what else there is."""
    asked = transfers.standing(tx, referral)
    language = doors.person_by_id(tx, actor.person_id).language
    if actor.role is Role.WORKER:
        yield from _for_partner(tx, referral, asked, language)
    elif actor.role is not Role.COORDINATOR and asked is not None:
        if asked.agreed_at is not None or not transfers.unwanted(tx, referral, asked.service_id):
            yield _question(tx, referral, asked, referral.language if referral.by_word else language)
    elif actor.role is not Role.COORDINATOR and transfers.on_its_way(tx, referral):
        yield Section(_TRANSFER, (Said("part.transfer.on_its_way"),))


def _question(tx: Tx, referral: Referral, asked: Transfer, language: str) -> Section:
    if asked.agreed_at is not None:
        return Section(_TRANSFER, (Said("part.transfer.on_its_way"),), (_NO,))
    text = transfers.words(tx, referral, asked.service_id, language)
    lines = tuple(Said("part.words", {"words": line}) for line in text.splitlines() if line)
    lead = Said("part.transfer.read_out" if referral.by_word else "part.transfer.asked")
    said = {"consent_digest": consents.digest(text)}
    yes = heard.step(_YES, referral, "page.step.transfer_heard")
    return Section(_TRANSFER, (lead, *lines), (yes, _NO), said)


def _agree(tx: Tx, person_id: str, subject: str, body: Body) -> Section | None:
    """By word the code that takes the yes back, shown this once."""
    _, code = transfers.agree(tx, person_id, subject, text_of(body, "consent_digest"), chosen_of(body))
    return heard.code(code)


def _for_partner(tx: Tx, referral: Referral, asked: Transfer | None, language: str) -> Iterator[Section]:
    if asked is not None or transfers.on_its_way(tx, referral):
        yield Section(_TRANSFER, (Said("part.transfer.waits"),))
    else:
        others = tuple(
            Choice(
                line.service_id, names.named(tx.directory.organizations[line.organization_id].names, language)
            )
            for line in transfers.offered(tx, referral)
        )
        if others:
            step = Step("transfer", "page.step.transfer", needs="reason", choices=others)
            yield Section(_TRANSFER, (Said("part.transfer.why"),), (step,))
    needs = tuple(Choice(c, label_key=f"category.{c}") for c in onward.choices(tx, referral))
    if needs:
        step = Step("onward", "page.step.onward", needs="reason", choices=needs)
        yield Section("part.onward.title", (Said("part.onward.why"),), (step,))


PART = Part(
    sections,
    {
        "transfer": Verb(
            Action.SERVICE_ONWARD,
            lambda tx, who, it, body: transfers.propose(tx, who, it, text_of(body, "reason")),
        ),
        "transfer_yes": Verb(Action.REFERRAL_FILE, _agree),
        "transfer_no": Verb(Action.REFERRAL_FILE, lambda tx, who, it, body: transfers.refuse(tx, who, it)),
        "onward": Verb(
            Action.SERVICE_ONWARD,
            lambda tx, who, it, body: onward.propose(tx, who, it, text_of(body, "reason")),
        ),
    },
)
