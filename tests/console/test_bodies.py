"""What comes in is a small JSON object of plain values, or it is refused."""

from __future__ import annotations

import gzip
import json

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from console.bodies import MAX_BODY, answer, packed_and_stored, parse_body
from referrals.errors import BadAnswer
from tests.conftest import LONG
from tests.console.phone import Phone

served = pytest.mark.asyncio(loop_scope="module")  # in the loop of the server that conftest starts

BAD_BODIES = [
    b"",
    b"[]",
    b"null",
    b'{"a": 1}',
    b'{"a": {"b": "c"}}',
    b'{"a": ["b", 1]}',
    b'{"a": null}',
    b'{"a": "1", "a": "2"}',
    b'{"a": "\\ud800"}',
    b'{"a": "\xff"}',
    b"[" * 5000,
    b'{"a": NaN}',
    json.dumps({str(n): "x" for n in range(33)}).encode(),
    json.dumps({"a": ["x"] * 201}).encode(),
    b'{"a": "' + b"x" * MAX_BODY + b'"}',
]


@served
@pytest.mark.parametrize("raw", BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_bodies_of_another_shape_or_size_are_refused(phone: Phone, raw: bytes) -> None:
    await phone.opens("odd/1")
    path = "/p/api/odd/1/echo"
    url = phone.stand.origin + path
    signed = phone.device.headers(phone.token, 1, "POST", path, raw)
    headers = {**signed, "Content-Type": "application/json"}
    async with phone.http.post(url, data=raw, headers=headers) as answer:
        assert answer.status == 422
        assert (await answer.json())["error"] == "error.bad_answer"
    async with phone.http.post(phone.stand.origin + "/p/session", data=raw, headers=headers) as answer:
        assert answer.status == 422


@served
async def test_a_form_of_another_site_is_no_answer(phone: Phone) -> None:
    await phone.opens("odd/1")
    url = phone.stand.origin + "/p/api/odd/1/echo"
    headers = {"Authorization": f"Pulang {phone.token}", "Content-Type": "text/plain"}
    async with phone.http.post(url, data=b"{}", headers=headers) as answer:
        assert answer.status == 422


@served
@pytest.mark.parametrize(
    "page", ["", "me/", "../me", "nothing", "matter/a b", "matter/" + "x" * 65, "matter/ä", "ME"]
)
async def test_pages_that_are_none_open_nothing(phone: Phone, page: str) -> None:
    status, answer = await phone.opens(page)
    assert status in {404, 422}
    assert "session" not in answer


@settings(max_examples=20_000 if LONG else 400)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps({"a": value}).encode()
    )
)
def test_fuzz_bodies_are_read_or_refused(raw: bytes) -> None:
    try:
        body = parse_body(raw)
    except BadAnswer:
        return
    for value in body.values():
        assert isinstance(value, str | bool | list)


def test_our_words_are_packed_and_what_people_wrote_is_not() -> None:
    """One gzip stream, but the private part costs its full length whatever stands before it."""
    words = b"The same words again and again. " * 20
    for private in (words, b"x" * len(words), bytes(range(256)) * 3, b""):
        stream = packed_and_stored(words, private)
        assert gzip.decompress(stream) == words + private
        assert len(private) < len(stream) < len(private) + 120
    assert len(packed_and_stored(words, words)) == len(packed_and_stored(words, b"z" * len(words)))


def test_only_our_own_wording_travels_packed() -> None:
    """Whatever holds a parameter, a name or somebody's matter is stored: its packed length would tell."""
    ours = {"title_key": "part.tries.title", "lines": [{"key": "part.tries.hint"}], "matters": []}
    dated = {**ours, "lines": [{"key": "part.tries.last", "params": {"note": "what a person wrote"}}]}
    named = {**ours, "lines": [], "name": "A house"}
    request = make_mocked_request("GET", "/p/api/matter/M1", headers={"Accept-Encoding": "gzip"})
    answered = answer(request, {}, {"story": "mine", "sections": [ours, dated, ours, named]})
    raw = answered.body
    assert isinstance(raw, bytes)
    assert all(stored in raw for stored in (b"what a person wrote", b"A house", b'"story":"mine"'))
    assert b"part.tries.hint" not in raw, "our own is packed"
    read = json.loads(gzip.decompress(raw))
    assert read["sections"] == [None, dated, None, named]
    assert read["parts"] == {"0": ours, "2": ours}
