"""A secure page's session, from a proven launch to its end: plain functions of a transaction.

The page holds a 256-bit token in memory and sends it in a header; here is only its SHA-256. A session is
bound to one person, one device and one page ('matter/ID'), lasts 30 minutes and is never made longer. Each
request carries a number higher than the last one. `/hide`, a lost phone, an ended device and a blocked chat
end it from the next request on: all of that is looked up in the very turn that does what the page asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from console.init_data import Launch
from referrals import codes
from referrals.errors import SessionOver
from referrals.model import Offer, OfferStage
from referrals.persons import Device, DeviceState, Person, Presence, Session
from referrals.ports import Away, Tx
from referrals.service.people import devices
from referrals.views import ReadingView

LASTS = timedelta(minutes=30)
MENU = "me"  # the one page from which every other can be opened
FALLBACK = "en"

PageVerb = Callable[[Tx, str, str, Mapping[str, object]], Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose signature was checked: the session it belongs to, and its number in it."""

    session_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page needs to know of its reader before it shows anything."""

    language: str
    right_to_left: bool
    timezone: str
    reading: ReadingView
    public_key: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request brought (Away: not yet), and how far reading is open on this device now."""

    what: Any
    reading: ReadingView


def session_id(token: str) -> str:
    """What is stored of a token: its SHA-256 in hex."""
    return codes.digest(token)


def open_session(tx: Tx, launch: Launch, public_key: str, new_id: str, page: str) -> Opened:
    """Exchange a proven launch for a session of this device on one page, once.

    A second use, an account that never wrote to the bot, and somebody who is hidden, lost their phone or has
    blocked the bot: SessionOver, all alike.
    """
    if not tx.first_time(launch.key):
        raise SessionOver
    person = tx.person_of_account(launch.account)
    if person is None or person.presence is not Presence.PRESENT:
        raise SessionOver
    for old in tx.find(Session, person_id=person.id):
        if old.expires_at <= tx.now:
            tx.remove(old)
    device = devices.meet(tx, person.id, public_key)
    tx.add(Session(new_id, person.id, page, tx.now + LASTS, device.id))
    return _opened(tx, person, device, launch.language)


def onward_session(tx: Tx, asked: Asked, new_id: str, page: str) -> Opened:
    """From one page on to another, where it leads there; the new session ends when the current one does.

    Raises SessionOver. Whether the person may see what is on the other page, that page's verb decides.
    """
    here, person, device = _standing(tx, asked.session_id)
    if not _leads_to(tx, here, page):
        raise SessionOver
    _count(tx, here, asked.number)
    tx.add(Session(new_id, person.id, page, here.expires_at, device.id))
    return _opened(tx, person, device, "")


def in_session(tx: Tx, asked: Asked, page: str, verb: PageVerb, body: Mapping[str, object]) -> Shown:
    """Check the session and do what the page asks, in the same transaction. Raises SessionOver."""
    session, _, device = _standing(tx, asked.session_id)
    if session.page != page:
        raise SessionOver
    _count(tx, session, asked.number)
    return _done(tx, device, lambda: verb(tx, session.person_id, page.partition("/")[2], body))


def on_device(tx: Tx, asked: Asked, verb: PageVerb, body: Mapping[str, object]) -> Shown:
    """The same for what concerns the device itself, from any page's session: its id is the subject."""
    session, _, device = _standing(tx, asked.session_id)
    _count(tx, session, asked.number)
    return _done(tx, device, lambda: verb(tx, session.person_id, device.id, body))


def go_on(tx: Tx, current_id: str, then: Callable[[Tx, Any], Any], done: Any) -> Shown:
    """The next turn of a step that had left its turn (ports.Away): the session must still stand.

    The request's number was used up by its first turn, so it is not asked for again.
    """
    _, _, device = _standing(tx, current_id)
    return _done(tx, device, lambda: then(tx, done))


def spend(tx: Tx, asked: Asked) -> None:
    """Use up the number of a request that was refused: its own turn vanished, and the number with it."""
    session = tx.get(Session, asked.session_id, lock=True)
    if session is not None and asked.number > session.number:
        tx.save(replace(session, number=asked.number))


def key_of(tx: Tx, current_id: str) -> str:
    """The public key of the device that a session is bound to; SessionOver where there is none."""
    session = tx.get(Session, current_id)
    device = tx.get(Device, session.device_id) if session is not None else None
    if device is None:
        raise SessionOver
    return device.public_key


def _done(tx: Tx, device: Device, do: Callable[[], Any]) -> Shown:
    """Reading stays locked in this turn unless the device has proved itself lately: see Tx.lock_reading."""
    if not devices.reads(device, tx.now):
        tx.lock_reading()
    what = do()
    return Shown(what, devices.reading(tx, device if isinstance(what, Away) else devices.again(tx, device)))


# Pages that lead on to another one, besides the menu: a code may be of another kind, and what a chat could
# not name is chosen on one page and read out on the next. Their doors look again who may see them.
LEADS: Mapping[str, tuple[str, ...]] = {
    "track": ("word",),
    "desk": ("desk", "matter", "rota"),
    "work": ("work", "matter", "offer"),
    "tasks": ("tasks", "matter"),
    "words": ("words",),
    "members": ("member", "link"),
    "member": ("words", "safety", "matter", "attendance"),
}


def _leads_to(tx: Tx, here: Session, page: str) -> bool:
    """The menu leads everywhere; an offer only to the one matter that this very person accepted with it."""
    if here.page == MENU:
        return True
    if page.partition("/")[0] in LEADS.get(here.page.partition("/")[0], ()):
        return True
    kind, _, offer_id = here.page.partition("/")
    offer = tx.get(Offer, offer_id) if kind == "offer" else None
    if offer is None or offer.stage is not OfferStage.ACCEPTED or offer.decided_by != here.person_id:
        return False
    return page == f"matter/{offer.id}"


def _standing(tx: Tx, current_id: str) -> tuple[Session, Person, Device]:
    """The session (locked), whose it is and on which device; SessionOver when one of them stands no more."""
    session = tx.get(Session, current_id, lock=True)
    if (
        session is None or not timedelta() < session.expires_at - tx.now <= LASTS
    ):  # the clock may have been ahead
        raise SessionOver
    person, device = tx.get(Person, session.person_id), tx.get(Device, session.device_id)
    if person is None or person.presence is not Presence.PRESENT:
        raise SessionOver
    if device is None or device.state is DeviceState.ENDED:
        raise SessionOver
    return session, person, device


def _count(tx: Tx, session: Session, number: int) -> None:
    """Numbers only rise: what comes a second time, or late, is refused."""
    if number <= session.number:
        raise SessionOver
    tx.save(replace(session, number=number))


def _opened(tx: Tx, person: Person, device: Device, guess: str) -> Opened:
    languages = tx.catalogue.languages
    found = (la for la in (person.language, guess.partition("-")[0], FALLBACK) if la in languages)
    language = next(found, FALLBACK)
    return Opened(
        language,
        language in languages and languages[language].right_to_left,
        person.timezone,
        devices.reading(tx, device),
        device.public_key,
    )
