"""Following, moving and taking home over real HTTP, on real devices, with the slow work between two turns."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pyzipper

from tests.console.place import Place, a_place
from tests.support.people import PIN

OLD, NEW = 5001, 7001


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Place]:
    async with a_place(sqlite_url) as found:
        yield found


async def a_code(place: Place, matter: str) -> str:
    page = await place.reads(OLD, f"matter/{matter}")
    status, shown = await page.does("follow", yes=True)
    assert status == 200, shown
    return str(shown["tracking_code"])


async def test_a_matter_moves_by_code_and_pin(place: Place) -> None:
    net = place.net
    matter = net.filed(net.person(OLD))
    new = net.person(NEW)
    code = await a_code(place, matter)
    page = await place.opens(NEW, "track")  # no PIN on the new phone: only the owner's is asked
    _, seen = await page.does("look", code=code)
    assert seen["stage_key"] == "page.track.stage.asking"
    _, wrong = await page.does("move", code=code, pin="314159")
    assert wrong["said_key"] == "page.track.no_fit"
    # What the console finds out cannot be said by a client.
    _, forged = await page.does("move", code=code, pin="314159", fits=True, pin_fits=True)
    assert forged["said_key"] == "page.track.no_fit"
    _, asked = await page.does("move", code=code, pin=PIN)
    assert asked["said_key"] == "page.track.asked"
    assert asked["moves"][0]["due_at"]
    net.passes(timedelta(hours=24))
    assert net.referral(matter).author_id == new


async def test_an_export_is_fetched_as_an_attachment(place: Place) -> None:
    place.net.filed(place.net.person(OLD))
    page = await place.reads(OLD, "mydata")
    status, shown = await page.does("export")
    assert status == 200, shown
    address = place.origin + shown["download"]
    async with place.http.head(address) as answer:
        assert answer.status in (404, 405)  # a look at the address alone changes nothing
    packed = b""
    for _ in range(2):
        async with place.http.get(address) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["Cache-Control"] == "no-store"
            packed = await answer.read()
    assert _opened(packed, shown["passphrase"])["matters"][0]["words"]["story"] == "a story"
    place.net.passes(timedelta(minutes=3))
    async with place.http.get(address) as answer:
        assert answer.status == 404
    async with place.http.get(f"{place.origin}/p/download/{'A' * 43}") as answer:
        assert answer.status == 404


async def test_without_the_pin_nothing_is_exported_and_leaving_waits(place: Place) -> None:
    place.net.person(OLD)
    await place.reads(OLD, "me")  # a PIN was chosen …
    place.clock.advance(hours=1)  # … and asked again since
    page = await place.opens(OLD, "mydata")
    status, refused = await page.does("export")
    assert (status, refused["error"]) == (409, "error.pin_needed")
    _, waits = await page.does("delete", yes=True)
    assert waits["delete_at"]
    _, kept = await page.does("keep")
    assert kept["delete_at"] is None


async def test_leaving_with_the_pin(place: Place) -> None:
    matter = place.net.filed(place.net.person(OLD))
    page = await place.reads(OLD, "mydata")
    status, gone = await page.does("delete", yes=True)
    assert (status, gone["view"]) == (200, "gone")
    place.net.passes(timedelta(seconds=1))
    assert place.net.referral(matter).author_id == ""
    assert (await page.view())[0] == 401


def _opened(packed: bytes, passphrase: str) -> dict[str, Any]:
    with pyzipper.AESZipFile(io.BytesIO(packed)) as found:
        found.setpassword(passphrase.encode())
        read: dict[str, Any] = json.loads(found.read("my-data.json"))
        return read
