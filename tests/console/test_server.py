"""The pages over real HTTP: headers, sessions bound and ended, bodies checked, refusals in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from console.headers import secure_headers
from console.sessions import LEADS
from referrals.errors import ConfigurationError, PulangError
from referrals.model import OfferStage
from referrals.persons import Presence
from tests.console.phone import Phone
from tests.console.samples import an_offer
from tests.console.stand import Stand
from tests.security.test_init_data import query, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAST = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/p/plan/ABC"),
        ("GET", "/p/me"),
        ("GET", "/p/nothing"),
        ("GET", "/p/nothing/at/all/here"),
        ("PUT", "/p/session"),
        ("POST", "/p/session"),
        ("GET", "/p/api/matter/ABC"),
        ("POST", "/p/api/matter/ABC/write"),
        ("GET", "/p/static/0000000000000000/main.js"),
    ],
)
async def test_every_answer_has_the_headers(
    stand: Stand, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with http.request(method, stand.origin + path) as answer:
        document = answer.content_type == "text/html"
        policy = set(answer.headers["Content-Security-Policy"].split("; "))
        assert policy == (LEAST if document else {"default-src 'none'", "frame-ancestors 'none'"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "aiohttp" not in answer.headers["Server"]
        assert not document or "camera=()" in answer.headers["Permissions-Policy"]
        assert "Set-Cookie" not in answer.headers


async def test_only_a_list_of_origins_may_frame_the_pages() -> None:
    headers = secure_headers("http://*.localhost:8081 http://127.0.0.1:8081")
    assert headers["Content-Security-Policy"].endswith(
        "frame-ancestors http://*.localhost:8081 http://127.0.0.1:8081"
    )
    for bad in ("*", "https://*", "https://a.example; script-src *", "https://a.example,b", "javascript:"):
        with pytest.raises(ConfigurationError):
            secure_headers(bad)


async def test_the_shell_is_the_same_for_everybody_and_names_its_scripts_by_content(
    stand: Stand, http: aiohttp.ClientSession
) -> None:
    async with http.get(stand.origin + "/p/plan/ABC") as one, http.get(stand.origin + "/p/me") as other:
        assert await one.read() == await other.read()
        shell = await one.text()
    assert "<script>" not in shell
    assert "style=" not in shell
    src = shell.partition('<script type="module" src="')[2].partition('"')[0]
    async with http.get(stand.origin + src) as script:
        assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        etag = script.headers["ETag"]
    async with http.get(stand.origin + src, headers={"If-None-Match": etag}) as again:
        assert again.status == 304


async def test_a_launch_opens_its_page_once(stand: Stand, phone: Phone) -> None:
    proof = query(stand.fields())
    status, opened = await phone.opens("matter/author", proof)
    assert status == 200
    assert len(opened["session"]) == 43
    assert opened["language"] == "en"
    assert opened["direction"] == "ltr"
    assert opened["texts"]["page.matter.next"]
    assert not [key for key in opened["texts"] if key.startswith(("desk.", "family.", "button."))]
    assert (await phone.call("GET", "/p/api/matter/author"))[1]["view"] == "matter"
    assert (await phone.opens("matter/author", proof))[0] == 401
    turned = "&".join(reversed(proof.split("&")))
    assert (await phone.opens("matter/author", turned))[0] == 401


async def test_what_opens_no_page_is_refused_in_the_same_words(stand: Stand, phone: Phone) -> None:
    stranger = query(stand.fields(account=999))
    forged = query({**stand.fields(), "user": '{"id":4711}'})
    stale = signed({"user": '{"id":4711}', "auth_date": "1733584787"})
    answers = [await phone.opens("me", proof) for proof in (stranger, forged, query(stale), "", "x" * 9000)]
    stand.turns.person = replace(stand.turns.person, presence=Presence.HIDDEN)
    answers.append(await phone.opens("me"))
    assert {(status, json.dumps(answer)) for status, answer in answers} == {
        (401, json.dumps(answers[0][1])),
    }
    assert answers[0][1]["error"] == "error.session_over"
    assert answers[0][1]["message"]
    assert not stand.turns.sessions


async def test_a_session_is_bound_to_its_page_and_ends_after_half_an_hour(stand: Stand, phone: Phone) -> None:
    await phone.opens("matter/author")
    assert (await phone.call("GET", "/p/api/matter/author"))[0] == 200
    assert (await phone.call("GET", "/p/api/matter/partner"))[0] == 401
    assert (await phone.call("GET", "/p/api/me"))[0] == 401
    assert phone.token not in repr(stand.turns.sessions)  # only its hash is kept
    stand.passes(minutes=29)
    assert (await phone.call("GET", "/p/api/matter/author"))[0] == 200
    stand.passes(minutes=1)
    assert (await phone.call("GET", "/p/api/matter/author"))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "Zm9v" * 11])
async def test_no_session_no_page(phone: Phone, token: str) -> None:
    phone.token = token
    status, answer = await phone.call("GET", "/p/api/me")
    assert (status, answer["error"]) == (401, "error.session_over")


async def test_only_the_menu_leads_on_and_not_for_longer(stand: Stand, phone: Phone) -> None:
    await phone.opens("me")
    stand.passes(minutes=20)
    status, onward = await phone.call("POST", "/p/session", {"page": "matter/author"})
    assert status == 200
    phone.token = onward["session"]
    assert (await phone.call("GET", "/p/api/matter/author"))[0] == 200
    assert (await phone.call("POST", "/p/session", {"page": "me"}))[0] == 401
    stand.passes(minutes=10)
    assert (await phone.call("GET", "/p/api/matter/author"))[0] == 401


async def test_every_page_that_a_script_opens_from_another_one_may_be_opened_there() -> None:
    """From the menu everything is; `me.js` is left out, and so is words.js, which is told where to go."""
    static = Path(__file__).resolve().parents[2] / "console" / "static"
    opened = re.compile(r"(?:opener\(desk, |desk\.open\(|go\(|\|\| )[`\"](\w+)")
    found = {
        (script, page)
        for script in ("track", "members", "member", "newcomer", "posts", "share", "safety", "link")
        for page in opened.findall((static / f"{script}.js").read_text())
    }
    assert ("members", "link") in found
    assert {(script, page) for script, page in found if page not in LEADS.get(script, ())} == set()


async def test_an_accepted_offer_leads_to_its_matter_alone(stand: Stand, phone: Phone) -> None:
    await phone.opens("offer/O1")
    onward = {"page": "matter/O1"}  # the partner knows it by the offer
    assert (await phone.call("POST", "/p/session", onward))[0] == 401  # not accepted yet
    for offer in (an_offer(OfferStage.ACCEPTED, "a colleague"), an_offer(OfferStage.DECLINED, "mali")):
        stand.turns.offers["O1"] = offer
        assert (await phone.call("POST", "/p/session", onward))[0] == 401
    await phone.call("POST", "/p/api/offer/O1/accept", {})
    for elsewhere in ("matter/author", "matter", "offer/O1", "me"):
        assert (await phone.call("POST", "/p/session", {"page": elsewhere}))[0] == 401
    stand.passes(minutes=20)
    status, answer = await phone.call("POST", "/p/session", onward)
    assert status == 200
    phone.token = answer["session"]
    assert (await phone.call("GET", "/p/api/matter/O1"))[0] == 200
    stand.passes(minutes=10)  # no longer than the session it came from
    assert (await phone.call("GET", "/p/api/matter/O1"))[0] == 401


async def test_hiding_ends_every_session(stand: Stand, phone: Phone) -> None:
    other = Phone(stand, phone.http)
    await other.opens("matter/author")
    await phone.opens("me")
    assert (await phone.call("POST", "/p/api/me/hide", {"yes": True}))[1]["view"] == "filed"
    assert (await other.call("GET", "/p/api/matter/author"))[0] == 401
    assert (await phone.call("GET", "/p/api/me"))[0] == 401


async def test_steps_take_what_they_need(stand: Stand, phone: Phone) -> None:
    await phone.opens("plan/ABC")
    wishes = {"area": "mueang", "urgency": "urgent", "exclude_organizations": ["mosque"], "exclude_kinds": []}
    status, view = await phone.call("POST", "/p/api/plan/ABC/preview", wishes)
    assert status == 200
    assert [line["service_id"] for line in view["plan"]] == ["s1", "s2"]
    assert view["plan"][0]["reasons"][0] == ["why.area_exact", {"area": "Pattani"}]
    filed = {
        **wishes,
        "plan": ["s1", "s2"],
        "consent_digest": view["consent_digest"],
        "story": "x",
        "contact": "",
    }
    status, receipt = await phone.call("POST", "/p/api/plan/ABC/file", filed)
    assert receipt == {
        "view": "filed",
        "code": "K7-29QX",
        "stage_key": "stage.matching",
        "next_by": "2026-11-26T09:30:00Z",
        "consent_text": receipt["consent_text"],
        "filed": True,
        "sections": [],
        "words": receipt["words"],
        "reading": receipt["reading"],
    }
    assert receipt["reading"]["state"] == "enrol"
    assert (await phone.call("POST", "/p/api/plan/ABC/nonsense", {}))[0] == 404


async def test_refusals_are_said_in_the_persons_language(phone: Phone) -> None:
    await phone.opens("odd/1")
    status, english = await phone.call("POST", "/p/api/odd/1/late", {}, **{"Accept-Language": "en"})
    assert (status, english["error"]) == (409, "error.wrong_stage")
    _, thai = await phone.call("POST", "/p/api/odd/1/late", {}, **{"Accept-Language": "th-TH,en;q=0.5"})
    assert thai["message"] != english["message"]
    _, other = await phone.call("POST", "/p/api/odd/1/late", {}, **{"Accept-Language": "xx;;;,\x80"})
    assert other["message"] == english["message"]


async def test_a_broken_verb_says_nothing_of_what_it_read(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    await phone.opens("odd/1")
    status, answer = await phone.call("GET", "/p/api/odd/1")
    assert (status, answer["error"]) == (500, PulangError.code)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + json.dumps(answer)
