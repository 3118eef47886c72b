"""docs/secure-pages.md over real HTTP and both databases: what proves itself is served, nothing else is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from referrals.model import Actor, Role
from referrals.persons import Device as DeviceRow
from referrals.persons import DeviceState, Recovery
from referrals.service.people import devices, people
from referrals.service.people.stepup import LAST_TRY
from tests.console.place import Place, a_place
from tests.security.test_init_data import query, signed
from tests.support.device import Device, DeviceSession
from tests.support.people import PIN
from tests.support.pins import QuickPins

FAMILY, OTHER = 5001, 5002
OVER = (401, "error.session_over")
NEW_PIN = "482617"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    # What Argon2id costs is not asked here; tests/console/test_store.py goes through it.
    async with a_place(database_url, QuickPins()) as found:
        yield found


def rows(place: Place, kind: type[Any], **equal: Any) -> list[Any]:
    return place.net.store.run(lambda tx: tx.find(kind, **equal))


def told(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1].get("error", "")


# --- Who asks, and for what ----------------------------------------------------------------------


Bend = Callable[[DeviceSession, dict[str, str]], dict[str, str]]


def _by(device: Device, number: int, method: str, path: str, body: bytes) -> Bend:
    return lambda page, _: device.headers(page.token, number, method, path, body)


GOOD_BODY = b'{"language": "en"}'
PATH = "/p/api/me/language"
STRANGE: dict[str, Bend] = {
    "no proof": lambda page, signed: {"Authorization": signed["Authorization"]},
    "no token": lambda page, signed: {"Pulang-Proof": signed["Pulang-Proof"]},
    "a token that never was": lambda page, signed: {**signed, "Authorization": "Pulang " + "A" * 43},
    "another scheme": lambda page, signed: {**signed, "Authorization": f"Bearer {page.token}"},
    "another device": _by(Device(), 9, "POST", PATH, GOOD_BODY),
    "another body": lambda page, _: page.device.headers(page.token, 9, "POST", PATH, b"{}"),
    "no body signed": lambda page, _: page.device.headers(page.token, 9, "POST", PATH),
    "another path": lambda page, _: page.device.headers(page.token, 9, "POST", "/p/api/me/hide", GOOD_BODY),
    "a query behind the path": lambda page, _: page.device.headers(
        page.token, 9, "POST", PATH + "?", GOOD_BODY
    ),
    "another method": lambda page, _: page.device.headers(page.token, 9, "GET", PATH, GOOD_BODY),
    "another number": lambda page, signed: {
        **signed,
        "Pulang-Proof": "99." + signed["Pulang-Proof"].partition(".")[2],
    },
    "number nought": lambda page, _: page.device.headers(page.token, 0, "POST", PATH, GOOD_BODY),
    "a number below nought": lambda page, _: page.device.headers(page.token, -1, "POST", PATH, GOOD_BODY),
    "a nought before": lambda page, signed: {**signed, "Pulang-Proof": "0" + signed["Pulang-Proof"]},
    "an endless number": lambda page, _: page.device.headers(page.token, 10**40, "POST", PATH, GOOD_BODY),
    "half a signature": lambda page, signed: {**signed, "Pulang-Proof": signed["Pulang-Proof"][:-43]},
    "a padded signature": lambda page, signed: {**signed, "Pulang-Proof": signed["Pulang-Proof"] + "=="},
    "nothing but noughts": lambda page, signed: {**signed, "Pulang-Proof": "9." + "A" * 86},
    "two proofs in one": lambda page, signed: {
        **signed,
        "Pulang-Proof": signed["Pulang-Proof"] + ", " + signed["Pulang-Proof"],
    },
}  # fmt: skip


async def test_what_the_device_did_not_sign_is_refused_alike(sqlite_url: str) -> None:
    async with a_place(sqlite_url) as place:
        place.net.person(FAMILY)
        page = await place.opens(FAMILY, "me")
        answers = []
        for bend in STRANGE.values():
            good = page.device.headers(page.token, 9, "POST", PATH, GOOD_BODY)
            answers.append(await page.send("POST", PATH, GOOD_BODY, bend(page, good)))
        assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
        assert told(answers[0]) == OVER
        good = page.device.headers(page.token, 9, "POST", PATH, GOOD_BODY)
        assert (await page.send("POST", PATH, GOOD_BODY, good))[0] == 200  # the test can fail


async def test_a_copied_token_a_replay_and_a_reordering_are_refused(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.opens(FAMILY, "me")
    thief = DeviceSession(page.http, page.origin, Device(), "me", page.token)
    assert told(await thief.view()) == OVER
    first = page.device.headers(page.token, 1, "GET", "/p/api/me")
    second = page.device.headers(page.token, 2, "GET", "/p/api/me")
    assert (await page.send("GET", "/p/api/me", b"", second))[0] == 200
    assert told(await page.send("GET", "/p/api/me", b"", second)) == OVER  # replayed
    assert told(await page.send("GET", "/p/api/me", b"", first)) == OVER  # reordered
    page.number = 2
    assert (await page.view())[0] == 200


async def test_of_a_request_sent_many_times_at_once_one_is_served(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.opens(FAMILY, "me")
    signed_once = page.device.headers(page.token, 1, "POST", PATH, GOOD_BODY)
    answers = await asyncio.gather(*[page.send("POST", PATH, GOOD_BODY, signed_once) for _ in range(16)])
    assert sorted(status for status, _ in answers) == [200] + [401] * 15


async def test_the_number_of_a_refused_request_is_used_up(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.opens(FAMILY, "me")
    body = b'{"language": "xx"}'
    signed_once = page.device.headers(page.token, 5, "POST", PATH, body)
    assert told(await page.send("POST", PATH, body, signed_once)) == (422, "error.bad_answer")
    assert told(await page.send("POST", PATH, body, signed_once)) == OVER


async def test_a_session_belongs_to_its_page_and_device_and_ends_in_time(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.opens(FAMILY, "plan/absent")
    assert told(await page.call("GET", "/p/api/me")) == OVER
    assert told(await page.call("POST", "/p/session", {"page": "me"})) == OVER
    menu = await place.opens(FAMILY, "me")
    status, onward = await menu.onward("track")
    assert status == 200
    assert (await onward.view())[0] == 200
    place.clock.advance(minutes=30)
    assert told(await onward.view()) == OVER


async def test_a_launch_opens_only_the_page_and_device_that_signed_it(place: Place) -> None:
    place.net.person(FAMILY)
    device, launch = Device(), place.proof(FAMILY)
    good = device.opening("me", launch)
    for bent in (
        {**good, "page": "track"},
        {**good, "device": Device().public_key},
        {**good, "init_data": place.proof(FAMILY)},
        {**good, "proof": Device().opening("me", launch)["proof"]},
        {**good, "proof": "A" * 86},
        {**good, "device": "A" * 87},
        {**good, "device": good["device"][:-1] + "B"},
    ):
        async with place.http.post(f"{place.origin}/p/session", json=bent) as answer:
            assert (answer.status, (await answer.json())["error"]) == OVER
    # A stolen token makes the HMAC of a launch, never Telegram's signature; another bot's launch is no use.
    stolen = query(
        signed({"user": '{"id":5001}', "auth_date": str(int(place.clock.now.timestamp()))}, key=None)
    )
    async with place.http.post(f"{place.origin}/p/session", json=device.opening("me", stolen)) as answer:
        assert answer.status == 401
    async with place.http.post(f"{place.origin}/p/session", json=good) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("how", ["hide", "lost", "blocked", "ended", "gone"])
async def test_what_ends_a_session_is_in_force_at_the_next_request(place: Place, how: str) -> None:
    person = place.net.person(FAMILY)
    page = await place.reads(FAMILY, "me")
    assert (await page.view())[1]["reading"]["state"] == "open"
    desk = Actor(place.net.person(9001, "desk-1"), Role.COORDINATOR)
    ways: dict[str, Any] = {
        "hide": lambda tx: people.hide(tx, person),
        "lost": lambda tx: people.lost_phone(tx, desk, person),
        "blocked": lambda tx: people.blocked(tx, person),
        "ended": lambda tx: devices.end(tx, desk, tx.find(DeviceRow, person_id=person)[0], "test"),
        "gone": lambda tx: devices.forget(tx, person),
    }
    place.net.store.run(ways[how])
    assert told(await page.view()) == OVER
    if how in {"hide", "blocked"}:
        place.net.store.run(people.come_back, person)
        again = await place.opens(FAMILY, "me")
        assert again.opened["reading"]["state"] == "pin"  # the step-up is over, the device is still let in


# --- The PIN -------------------------------------------------------------------------------------


async def test_a_first_device_enrols_and_reads_for_half_an_hour(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.opens(FAMILY, "me")
    assert page.opened["reading"]["state"] == "enrol"
    for weak in ("123456", "000000", "12345", "", "abcdef"):
        assert told(await page.device_does("enrol", pin=weak)) == (422, "error.weak_pin")
    status, answer = await page.device_does("enrol", pin=PIN)
    assert (status, answer["reading"]["state"]) == (200, "open")
    assert set(answer) - {"words"} == {"reading", "recovery"}
    assert len(answer["recovery"].split("-")) == 5
    place.clock.advance(minutes=29)
    later = await place.opens(FAMILY, "me")
    assert later.opened["reading"]["state"] == "open"
    place.clock.advance(minutes=1)
    assert (await later.view())[1]["reading"]["state"] == "pin"
    status, answer = await later.device_does("prove", pin="๗๓๙๑๕๔")
    assert (status, answer["reading"]["state"]) == (200, "open")
    assert set(answer) - {"words"} == {"reading"}


async def test_a_first_device_is_first_only_once_however_many_try(place: Place) -> None:
    place.net.person(FAMILY)
    pages = [await place.opens(FAMILY, "me", Device()) for _ in range(4)]
    answers = await asyncio.gather(*[page.device_does("enrol", pin=PIN) for page in pages])
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert len(rows(place, DeviceRow, state=DeviceState.ACTIVE)) == 1
    assert len(rows(place, Recovery)) == 1


async def test_a_pin_tried_from_many_pages_at_once_gets_no_more_tries(place: Place) -> None:
    person = place.net.person(FAMILY)
    await place.reads(FAMILY, "me")
    place.clock.advance(minutes=31)
    pages = [await place.opens(FAMILY, "me") for _ in range(12)]
    answers = await asyncio.gather(
        *[page.device_does("prove", pin=f"70{n:02}35") for n, page in enumerate(pages)]
    )
    said = sorted(told(answer) for answer in answers)
    assert said == [(409, "error.wrong_pin")] * 5 + [(429, "error.too_often")] * 7
    assert {a["minutes"] for s, a in answers if s == 429} == {1}
    assert told(await pages[0].device_does("prove", pin=PIN)) == (
        429,
        "error.too_often",
    )  # the right one waits too
    place.clock.advance(minutes=1)
    status, answer = await pages[0].device_does("prove", pin=PIN)
    assert (status, answer["reading"]["state"]) == (200, "open")
    (row,) = rows(place, DeviceRow, person_id=person)
    assert (row.tries, row.next_try_at) == (0, None)


async def test_after_ten_wrong_pins_the_device_is_ended_and_files_on(place: Place) -> None:
    place.net.person(FAMILY)
    await place.reads(FAMILY, "me")
    said = []
    page = await place.opens(FAMILY, "me")
    for _ in range(LAST_TRY):
        page = await place.opens(FAMILY, "me")
        _, answer = await page.device_does("prove", pin="700135")
        said.append((answer["error"], answer.get("minutes")))
        place.clock.advance(minutes=61)
    assert said[:-1] == [("error.wrong_pin", minutes) for minutes in (0, 0, 0, 0, 1, 5, 15, 60, 60)]
    assert said[-1] == ("error.device_ended", None)
    assert told(await page.view()) == OVER
    page = await place.opens(FAMILY, "me")
    assert page.opened["reading"]["state"] == "recover"
    assert told(await page.device_does("prove", pin=PIN)) == (409, "error.wrong_pin")  # it has none any more
    assert (await page.does("language", language="th"))[0] == 200


async def test_nobody_locks_another_out(place: Place) -> None:
    """Neither another person, nor another device of the same account."""
    place.net.person(FAMILY)
    place.net.person(OTHER)
    await place.reads(FAMILY, "me")
    place.clock.advance(minutes=31)
    for account, device in ((OTHER, None), (FAMILY, Device())):
        page = await place.opens(account, "me", device)
        for _ in range(7):
            await page.device_does("prove", pin="700135")
            await page.device_does("recover", pin="482617", recovery="lusab-babad-gutih-tugad-lusab")
    page = await place.opens(FAMILY, "me")
    assert (await page.device_does("prove", pin=PIN))[0] == 200


async def test_a_pin_is_changed_by_whoever_knows_it(place: Place) -> None:
    place.net.person(FAMILY)
    page = await place.reads(FAMILY, "me")
    assert told(await page.device_does("change", pin="700135", new=NEW_PIN)) == (409, "error.wrong_pin")
    assert told(await page.device_does("change", pin=PIN, new="123456")) == (422, "error.weak_pin")
    assert (await page.device_does("change", pin=PIN, new=NEW_PIN))[0] == 200
    assert told(await page.device_does("prove", pin=PIN)) == (409, "error.wrong_pin")
    assert (await page.device_does("prove", pin=NEW_PIN))[0] == 200


async def test_where_there_is_no_pin_the_words_are_the_same(place: Place) -> None:
    """A device never let in, and one that is: a wrong PIN sounds alike."""
    for account in (FAMILY, OTHER):
        place.net.person(account)
    await place.reads(FAMILY, "me")
    place.clock.advance(minutes=31)
    known, unknown = await place.opens(FAMILY, "me"), await place.opens(OTHER, "me")
    wrong = await known.device_does("prove", pin="700135")
    nothing = await unknown.device_does("prove", pin="700135")
    assert wrong == nothing
    assert told(await known.device_does("nonsense")) == (404, "error.not_found")


# --- Another device ------------------------------------------------------------------------------


async def test_a_recovery_code_works_once_and_after_a_day(place: Place) -> None:
    person = place.net.person(FAMILY)
    page = await place.opens(FAMILY, "me")
    _, answer = await page.device_does("enrol", pin=PIN)
    code = answer["recovery"]
    new = Device()
    page = await place.opens(FAMILY, "me", new)
    assert page.opened["reading"]["state"] == "recover"
    wrong = await page.device_does("recover", recovery="lusab-babad-gutih-tugad-lusab", pin=NEW_PIN)
    assert told(wrong) == (409, "error.wrong_code")
    status, answer = await page.device_does("recover", recovery=code.upper().replace("-", " "), pin=NEW_PIN)
    assert (status, answer["reading"]["state"]) == (200, "wait")
    assert answer["recovery"] not in ("", code)
    assert (person, "device.waits") in await place.net._said()
    third = await place.opens(FAMILY, "me", Device())
    assert told(await third.device_does("recover", recovery=code, pin=NEW_PIN)) == (409, "error.wrong_code")
    place.net.passes(DAY - MINUTE)
    page = await place.opens(FAMILY, "me", new)
    assert page.opened["reading"]["state"] == "wait"
    assert told(await page.device_does("prove", pin=NEW_PIN)) == (409, "error.wrong_pin")
    place.net.passes(2 * MINUTE)
    page = await place.opens(FAMILY, "me", new)
    assert page.opened["reading"]["state"] == "pin"
    assert (await page.device_does("prove", pin=NEW_PIN))[0] == 200
