"""Page 'link': a member's own phone. With a member as subject it is their mentor's, without one one's own.

The link is shown once and handed over in person; two people compare a number before anything is tied.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from referrals.access import Action
from referrals.errors import StaleButton
from referrals.member_views import LinkView, TieLine
from referrals.members import Enrolment, Linking
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.members import enrolments, linking
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import phones
from referrals.views import Step

_UNTIE = Step("untie", "page.step.untie", needs="yes", danger=True)


def link_view(tx: Tx, person_id: str, subject: str, body: Body) -> LinkView:
    """How it stands with this member's phone; without a subject what the reader's own phone is tied to."""
    if not subject:
        own = tuple(
            TieLine(e.id, f"programme.{e.programme}", (_UNTIE,)) for e in linking.tied_to(tx, person_id)
        )
        return LinkView("", "page.link.own" if own else "page.link.none_own", None, "", "", (), own)
    enrolment = enrolments.active(tx, person_id, subject)[1]
    waiting = next(iter(linking.open_ones(tx, enrolment.id)), None)
    make = Step("make", "page.step.make_link", needs="yes" if enrolment.person_id else "")
    lasting = enrolments.keeps(tx, person_id, enrolment)
    steps = [*([make] if lasting else []), *([_UNTIE] if enrolment.person_id else [])]
    if waiting is not None and waiting.taken_by is not None and lasting:
        steps = [
            Step("confirm", "page.step.it_is_them", needs="yes"),
            Step("refuse", "page.step.numbers_differ"),
            *steps,
        ]
    return LinkView(
        code=enrolment.code,
        state_key=_state(enrolment, waiting),
        until=waiting.expires_at if waiting and waiting.taken_by is None else None,
        check=linking.check_number(tx, waiting) if waiting else "",
        link="",
        steps=tuple(steps),
    )


def make(tx: Tx, person_id: str, subject: str, body: Body) -> LinkView:
    """A new link, shown this once; earlier ones end. The turn's answer leaves only after its commit."""
    phones.prove(tx)
    token = base64.urlsafe_b64encode(tx.secret(linking.TOKEN_BYTES)).decode().rstrip("=")
    linking.make(tx, person_id, subject, token)
    return replace(link_view(tx, person_id, subject, {}), link=f"{linking.PREFIX}{token}")


def confirm(tx: Tx, person_id: str, subject: str, body: Body) -> LinkView:
    """'The numbers are the same', on the page."""
    asked = _asked(tx, subject)
    linking.confirm(tx, person_id, asked.id[: linking.SHORT])
    # The chat asked the same question; its buttons must not wait for an answer that was given here.
    tell.quietly(tx, asked.made_by, linking.slot(asked), "")
    return link_view(tx, person_id, subject, {})


def refuse(tx: Tx, person_id: str, subject: str, body: Body) -> LinkView:
    """'They differ', on the page."""
    linking.refuse(tx, person_id, _asked(tx, subject).id[: linking.SHORT])
    return link_view(tx, person_id, subject, {})


def untie(tx: Tx, person_id: str, subject: str, body: Body) -> LinkView:
    """By the mentor (the page's subject), or by whoever's phone it is."""
    linking.untie(tx, person_id, subject or text_of(body, "member"))
    return link_view(tx, person_id, subject, {})


def _asked(tx: Tx, subject: str) -> Linking:
    for link in linking.open_ones(tx, subject):
        if link.taken_by is not None:
            return link
    raise StaleButton


def _state(enrolment: Enrolment, waiting: Linking | None) -> str:
    if waiting is not None:
        return "page.link.asked" if waiting.taken_by else "page.link.open"
    return "page.link.tied" if enrolment.person_id else "page.link.none"


LINK = Page(
    Verb(Action.MEMBER_LINK, link_view),
    {
        "make": Verb(Action.MEMBER_LINK, make),
        "confirm": Verb(Action.MEMBER_LINK, confirm),
        "refuse": Verb(Action.MEMBER_LINK, refuse),
        "untie": Verb(Action.MEMBER_LINK, untie),
    },
)
