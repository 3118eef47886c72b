"""A secure page's session, from a proven launch to its end: plain functions of a transaction.

The page holds a 256-bit token in memory and sends it in a header; here is only its SHA-256. A session is
bound to one person and one page ('matter/ID'), lasts 30 minutes and is never made longer; `/hide` ends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.init_data import Launch
from referrals.errors import SessionOver
from referrals.model import Offer, OfferStage
from referrals.persons import SILENT, Person, Session
from referrals.ports import Tx

LASTS = timedelta(minutes=30)
MENU = "me"  # the one page from which every other can be opened
FALLBACK = "en"

PageVerb = Callable[[Tx, str, str, Mapping[str, object]], Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page needs to know of its reader before it shows anything."""

    language: str
    right_to_left: bool
    timezone: str


def session_id(token: str) -> str:
    """What is stored of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def open_session(tx: Tx, launch: Launch, new_id: str, page: str) -> Opened:
    """Exchange a proven launch for a session on one page, once.

    A second use, an account that never wrote to the bot, and somebody who is hidden: SessionOver, all alike.
    """
    if not tx.first_time(launch.key):
        raise SessionOver
    person = tx.person_of_account(launch.account)
    if person is None or person.presence in SILENT:
        raise SessionOver
    for old in tx.find(Session, person_id=person.id):
        if old.expires_at <= tx.now:
            tx.remove(old)
    tx.add(Session(new_id, person.id, page, tx.now + LASTS, ""))
    return _opened(tx, person, launch.language)


def onward_session(tx: Tx, current_id: str, new_id: str, page: str) -> Opened:
    """From one page on to another, where it leads there; the new session ends when the current one does.

    Raises SessionOver. Whether the person may see what is on the other page, that page's verb decides.
    """
    here = tx.get(Session, current_id)
    if here is None or here.expires_at <= tx.now or not _leads_to(tx, here, page):
        raise SessionOver
    person = tx.get(Person, here.person_id)
    if person is None:
        raise SessionOver
    tx.add(Session(new_id, person.id, page, here.expires_at, here.device_id))
    return _opened(tx, person, "")


def in_session(tx: Tx, current_id: str, page: str, verb: PageVerb, body: Mapping[str, object]) -> Any:
    """Check the session and do what the page asks, in the same transaction. Raises SessionOver."""
    session = _standing(tx, current_id, page)
    demand_step_up(tx, session)
    return verb(tx, session.person_id, page.partition("/")[2], body)


def go_on(tx: Tx, current_id: str, page: str, then: Callable[[Tx, Any], Any], done: Any) -> Any:
    """The next turn of a step that had left its turn (ports.Away): the session must still stand.

    The request's number was used up by its first turn, so it is not asked for again.
    """
    session = _standing(tx, current_id, page)
    demand_step_up(tx, session)
    return then(tx, done)


def demand_step_up(tx: Tx, session: Session) -> None:
    """The place where reading will ask for PIN and device key (security.md, 'Secure pages').

    Not built yet, so nothing is asked. It will look when this device last proved itself, and raise an error
    of its own that the page answers with a PIN field; filing ('plan') and writing never need it.
    """


def _leads_to(tx: Tx, here: Session, page: str) -> bool:
    """The menu leads everywhere; an offer only to the one matter that this very person accepted with it."""
    if here.page == MENU:
        return True
    kind, _, offer_id = here.page.partition("/")
    offer = tx.get(Offer, offer_id) if kind == "offer" else None
    if offer is None or offer.stage is not OfferStage.ACCEPTED or offer.decided_by != here.person_id:
        return False
    return page == f"matter/{offer.referral_id}"


def _standing(tx: Tx, current_id: str, page: str) -> Session:
    session = tx.get(Session, current_id)
    if session is None or session.page != page or session.expires_at <= tx.now:
        raise SessionOver
    return session


def _opened(tx: Tx, person: Person, guess: str) -> Opened:
    languages = tx.catalogue.languages
    for wanted in (person.language, guess.partition("-")[0], FALLBACK):
        if wanted in languages:
            return Opened(wanted, languages[wanted].right_to_left, person.timezone)
    return Opened(FALLBACK, False, person.timezone)
