"""Whatever is forged, replayed, stale or reordered: launches, proofs, sessions, PINs and recovery codes.

Each attack starts from something genuine and bends it. Thousands of them, against the product's own functions
over a real database: 0 accepted, 0 unhandled. What is genuine is tried as well, so that this test can fail.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console import proofs, sessions
from console.init_data import check
from referrals import codes
from referrals.errors import PulangError
from referrals.persons import Device as Row
from referrals.persons import DeviceState, Session
from referrals.ports import Away, Slow, Tx
from referrals.service.pages import PAGES
from referrals.service.pages.device_steps import DEVICE_STEPS
from referrals.service.people import devices, people
from storage import archive
from tests.security.test_init_data import KEY, TOKEN, TRUST, query, signed
from tests.support.device import Device
from tests.support.network import CATALOGUE, Small
from tests.support.pins import QuickPins
from tests.support.store import SettableClock, open_store

ACCOUNT, OTHER, HIDDEN = 5001, 5002, 5003
PIN = "739154"
SLOW = Slow(QuickPins(), archive.pack)
AT_ONCE = 100
BODY = b'{"language": "th"}'
PATH = "/p/api/me/language"
OTHER_KEY = Ed25519PrivateKey.generate()


@dataclass
class Field:
    """People with devices and sessions, and somebody who wants in."""

    net: Small
    clock: SettableClock
    chance: Random
    launches: int = 0
    number: int = 0

    def launch(self, account: int = ACCOUNT, **how: Any) -> str:
        self.launches += 1
        fields = {
            "query_id": f"AAE{self.launches}",
            "user": json.dumps({"id": account, "first_name": "x", "language_code": "en"}),
            "auth_date": str(int(self.clock.now.timestamp()) + how.pop("age", 0)),
        }
        return query(signed(fields, **{"key": KEY, **how}))

    async def turn(self, verb: Any, *args: Any) -> Any:
        return await self.net.store.turn(verb, *args)

    async def opens(self, body: dict[str, str]) -> str:
        """As `POST /p/session` does it; the new session's token."""
        launch = check(body["init_data"], TRUST, self.clock.now)
        proofs.check_opening(proofs.read_key(body["device"]), body["proof"], body["page"], body["init_data"])
        token = self.token()
        await self.turn(
            sessions.open_session, launch, body["device"], sessions.session_id(token), body["page"]
        )
        return token

    async def calls(self, headers: dict[str, str], method: str, path: str, body: bytes) -> Any:
        """As a step of a page does it (console/calls.py, without aiohttp's request)."""
        token = headers["Authorization"].removeprefix("Pulang ")
        session_id = sessions.session_id(token)
        proof = proofs.read_proof(headers["Pulang-Proof"])
        key = proofs.read_key(await self.turn(sessions.key_of, session_id))
        proofs.check_call(key, proof.signature, proofs.Call(token, proof.number, method, path, body))
        asked = sessions.Asked(session_id, proof.number)
        return await self.turn(
            sessions.in_session, asked, "me", PAGES["me"].steps["language"], json.loads(body)
        )

    async def device_does(self, token: str, number: int, step: str, body: dict[str, str]) -> Any:
        asked = sessions.Asked(sessions.session_id(token), number)
        shown = await self.turn(sessions.on_device, asked, DEVICE_STEPS[step], body)
        while isinstance(shown.what, Away):
            done = shown.what.work(SLOW)
            shown = await self.turn(sessions.go_on, asked.session_id, shown.what.then, done)
        if isinstance(shown.what, PulangError):
            raise shown.what
        return shown

    def token(self) -> str:
        return "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123456789-_", k=43))

    def next_number(self) -> int:
        self.number += 1
        return self.number


@dataclass
class Genuine:
    """What is genuine in one round: a phone, its open page, a launch that was used, the code on the paper."""

    device: Device
    device_id: str
    token: str
    used: dict[str, str]
    other_token: str
    other_device: Device
    expired: str
    hidden: str
    code: str


Attack = Callable[[Field, Genuine], Awaitable[Any]]


def bent(chance: Random, text: str) -> str:
    """The text with one letter changed, left out, doubled or put elsewhere: never the same."""
    at = chance.randrange(len(text))
    other = chance.choice("AQgw019-_.%=&~ é\x00")
    ways = (
        text[:at] + other + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[at:] + text[:at],
        text[: at + 1],
        text.swapcase(),
    )
    found = chance.choice(ways)
    return found if found != text else text + other


async def bent_launch(field: Field, it: Genuine) -> Any:
    init_data = bent(field.chance, field.launch())
    return await field.opens(it.device.opening("me", init_data))


async def forged_launch(field: Field, it: Genuine) -> Any:
    how: dict[str, Any] = field.chance.choice([
        {"token": "7100000002:AAother"}, {"bot_id": 7100000002}, {"key": OTHER_KEY}, {"key": None},
        {"token": TOKEN[:-1]}, {"token": "7100000002:AAother", "bot_id": 7100000002},
    ])  # fmt: skip
    return await field.opens(it.device.opening("me", field.launch(**how)))


async def stale_launch(field: Field, it: Genuine) -> Any:
    age = field.chance.choice([-1, 1]) * field.chance.randrange(301, 10**6)
    return await field.opens(it.device.opening("me", field.launch(age=age)))


async def replayed_launch(field: Field, it: Genuine) -> Any:
    """Used before; its fields in another order, and signed by whichever device, are the same launch."""
    pairs = it.used["init_data"].split("&")
    field.chance.shuffle(pairs)
    device = field.chance.choice([it.device, Device()])
    return await field.opens(device.opening("me", "&".join(pairs)))


async def nobodys_launch(field: Field, it: Genuine) -> Any:
    return await field.opens(it.device.opening("me", field.launch(field.chance.choice([HIDDEN, 777]))))


async def bent_opening(field: Field, it: Genuine) -> Any:
    body = it.device.opening("me", field.launch())
    name = field.chance.choice(["device", "proof", "page"])
    changed = {"device": Device().public_key, "page": "devices", "proof": it.used["proof"]}
    value = field.chance.choice([bent(field.chance, body[name]), changed[name]])
    return await field.opens({**body, name: value})


async def bent_call(field: Field, it: Genuine) -> Any:
    """Signed for one request, sent as another."""
    number = field.next_number()
    headers = it.device.headers(it.token, number, "POST", PATH, BODY)
    name = field.chance.choice(["Authorization", "Pulang-Proof"])
    method, path, body = field.chance.choice([
        ("POST", PATH, BODY.replace(b"th", b"en")), ("POST", "/p/api/me/window", BODY),
        ("GET", PATH, BODY), ("POST", PATH, BODY + b" "), ("", "", BODY),
    ])  # fmt: skip
    if not method:
        headers[name] = bent(field.chance, headers[name])
        if headers[name].removeprefix("Pulang ") == it.token:  # only its scheme was bent: HTTP refuses that
            headers[name] = ""
        method, path = "POST", PATH
    return await field.calls(headers, method, path, body)


async def anothers_call(field: Field, it: Genuine) -> Any:
    """A copied token on another device, or another's token on this one."""
    number = field.next_number()
    device, token = field.chance.choice([
        (Device(), it.token), (it.other_device, it.token), (it.device, it.other_token),
        (it.device, field.token()), (it.device, it.expired), (it.device, it.hidden),
    ])  # fmt: skip
    return await field.calls(device.headers(token, number, "POST", PATH, BODY), "POST", PATH, BODY)


async def late_call(field: Field, it: Genuine) -> Any:
    """A number that was used, or that a later one has overtaken."""
    number = field.chance.randrange(-3, 2)
    headers = it.device.headers(it.token, number, "POST", PATH, BODY)
    return await field.calls(headers, "POST", PATH, BODY)


async def elsewhere(field: Field, it: Genuine) -> Any:
    """A session on one page, used for another."""
    asked = sessions.Asked(sessions.session_id(it.token), field.next_number())
    page = field.chance.choice(["plan/x", "matter/x", "devices", "me/", "", "me/me", "\x00"])
    return await field.turn(sessions.in_session, asked, page, PAGES["devices"].view, {})


async def wrong_pin(field: Field, it: Genuine) -> Any:
    guess = field.chance.choice([
        f"{field.chance.randrange(10**6):06}", bent(field.chance, PIN), PIN[::-1], PIN + "0", "", "0" * 10**4,
    ])  # fmt: skip
    if guess.replace(" ", "") == PIN:
        guess = "700135"
    return await field.device_does(it.token, field.next_number(), "prove", {"pin": guess})


async def wrong_code(field: Field, it: Genuine) -> Any:
    guess = field.chance.choice([
        codes.spell(field.chance.randbytes(codes.RECOVERY_BYTES)), bent(field.chance, it.code), "",
        "x" * 10**4, codes.spell(field.chance.randbytes(codes.TRACKING_BYTES)),
    ])  # fmt: skip
    if codes.normal(guess, codes.RECOVERY_BYTES) == it.code:
        guess = ""
    body = {"pin": "482617", "recovery": guess}
    return await field.device_does(it.other_token, field.next_number(), "recover", body)


ATTACKS: tuple[Attack, ...] = (
    bent_launch, forged_launch, stale_launch, replayed_launch, nobodys_launch, bent_opening,
    bent_call, bent_call, anothers_call, late_call, elsewhere, wrong_pin, wrong_code,
)  # fmt: skip


@pytest.mark.timeout(1800)
async def test_nothing_forged_replayed_stale_or_guessed_is_accepted(sqlite_url: str, long_run: bool) -> None:
    cases = 120_000 if long_run else 2_500
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = await asyncio.to_thread(Small, store, clock)
    field = Field(net, clock, Random(20261124))
    seen: Counter[str] = Counter()
    try:
        for _ in range(cases // AT_ONCE):
            it = await _round(field)
            chosen = field.chance.choices(ATTACKS, k=AT_ONCE)
            ends = await asyncio.gather(*[a(field, it) for a in chosen], return_exceptions=True)
            for attack, end in zip(chosen, ends, strict=True):
                if isinstance(end, PulangError):
                    seen[f"{attack.__name__}: {end.code}"] += 1
                elif isinstance(end, BaseException):
                    raise AssertionError(f"{attack.__name__} was not handled") from end
                else:
                    raise AssertionError(f"{attack.__name__} was accepted: {end}")
            await _genuine_is_accepted(field, it)
            clock.advance(hours=2)
    finally:
        await store.aclose()
    print(f"\n{sum(seen.values())} attacks, 0 accepted, 0 unhandled", dict(sorted(seen.items())))
    assert {key.partition(":")[0] for key in seen} == {a.__name__ for a in ATTACKS}
    assert sum(seen.values()) == cases


async def _round(field: Field) -> Genuine:
    """Everything fresh, as after a new launch: the PIN is asked, and no try is counted."""
    device, other = Device(), Device()
    person, relative = [await asyncio.to_thread(field.net.person, a) for a in (ACCOUNT, OTHER)]
    await asyncio.to_thread(field.net.person, HIDDEN)
    await asyncio.to_thread(field.net.store.run, _clean)
    used = device.opening("me", field.launch())
    token = await field.opens(used)
    enrolled = await field.device_does(token, 1, "enrol", {"pin": PIN})
    field.number = 1
    tokens = {}
    for name, account in (("other", OTHER), ("expired", ACCOUNT), ("hidden", HIDDEN)):
        key = other if name == "other" else device
        await field.turn(people.come_back, await _person(field, account))
        tokens[name] = await field.opens(key.opening("me", field.launch(account)))
    await field.device_does(tokens["other"], 1, "enrol", {"pin": PIN})
    second = await field.opens(other.opening("me", field.launch()))  # a second phone of the same account
    await field.turn(_expire, sessions.session_id(tokens["expired"]))
    await field.turn(people.hide, await _person(field, HIDDEN))
    await field.turn(_lock, person)
    row = next(
        d
        for d in await field.turn(lambda tx: tx.find(Row, person_id=person))
        if d.public_key == device.public_key
    )
    assert relative != person
    return Genuine(
        device, row.id, token, used, second, other, tokens["expired"], tokens["hidden"],
        enrolled.what["recovery"],
    )  # fmt: skip


async def _person(field: Field, account: int) -> str:
    return str(await field.turn(lambda tx: tx.person_of_account(account).id))


def _clean(tx: Tx) -> None:
    for person_id in {d.person_id for d in tx.find(Row)}:
        devices.forget(tx, person_id)


def _expire(tx: Tx, session_id: str) -> None:
    session = tx.get(Session, session_id)
    assert session is not None
    tx.save(replace(session, expires_at=tx.now))


def _lock(tx: Tx, person_id: str) -> None:
    for device in tx.find(Row, person_id=person_id, state=DeviceState.ACTIVE):
        tx.save(replace(device, proved_until=None))


async def _genuine_is_accepted(field: Field, it: Genuine) -> None:
    """The same ways with nothing bent do open; and however many guessed at once, five were looked at."""
    row = await field.turn(lambda tx: tx.get(Row, it.device_id))
    assert row.tries <= 5  # no time has passed: after the fifth, none was looked at
    field.number += 1
    headers = it.device.headers(it.token, field.number, "POST", PATH, BODY)
    assert (await field.calls(headers, "POST", PATH, BODY)).what.language == "th"
    field.clock.advance(minutes=2)
    shown = await field.device_does(it.token, field.next_number(), "prove", {"pin": PIN})
    assert shown.reading.state == "open"
    body = {"pin": "482617", "recovery": it.code}
    shown = await field.device_does(it.other_token, field.next_number(), "recover", body)
    assert shown.reading.state == "wait"
