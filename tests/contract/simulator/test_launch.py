"""Launch data of Mini Apps, checked independently of the code that signs it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.contract.simulator.playing import Program, Sim

PAGE = "http://127.0.0.1:9/page?id=x"


async def launched(sim: Sim) -> tuple[str, dict[str, str]]:
    """Press a Mini App button; the fragment's parameters and the fields of initData."""
    markup = {"inline_keyboard": [[{"text": "Open", "web_app": {"url": PAGE}}]]}
    await sim.done("sendMessage", chat_id=1001, text="A page", reply_markup=markup)
    url = (await sim.act("people/mali/webapp", {"label": "Open"}))["url"]
    assert url.startswith(PAGE + "#")
    fragment = dict(parse_qsl(urlsplit(url).fragment, strict_parsing=True))
    assert fragment["tgWebAppVersion"] == "9.1"
    assert fragment["tgWebAppPlatform"] == "android"
    assert json.loads(fragment["tgWebAppThemeParams"])["bg_color"]
    return url, dict(parse_qsl(fragment["tgWebAppData"], strict_parsing=True))


async def test_both_signatures_hold(program: Program) -> None:
    sim = await program.start()
    _, fields = await launched(sim)
    user = json.loads(fields["user"])
    assert (user["id"], user["first_name"], user["language_code"]) == (1001, "mali", "th")
    given = fields.pop("hash")
    secret = hmac.new(b"WebAppData", sim.token.encode(), hashlib.sha256).digest()
    text = "\n".join(f"{k}={v}" for k, v in sorted(fields.items()))
    assert hmac.new(secret, text.encode(), hashlib.sha256).hexdigest() == given
    signature = fields.pop("signature")
    signed = f"{sim.ready['bot_id']}:WebAppData\n" + "\n".join(f"{k}={v}" for k, v in sorted(fields.items()))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sim.ready["public_key"]))
    key.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())


async def test_auth_date_follows_the_simulated_clock_and_every_launch_is_fresh(sim: Sim) -> None:
    first_url, first = await launched(sim)
    await sim.act("clock", {"advance_s": 3600})
    second_url, second = await launched(sim)
    assert first_url != second_url
    assert first["query_id"] != second["query_id"]
    assert abs(int(second["auth_date"]) - time.time() - 3600) < 5


async def test_a_web_app_query_is_answered_once(sim: Sim) -> None:
    _, fields = await launched(sim)
    result = {
        "type": "article",
        "id": "1",
        "title": "Done",
        "input_message_content": {"message_text": "Done on the page"},
    }
    await sim.done("answerWebAppQuery", web_app_query_id=fields["query_id"], result=result)
    row = (await sim.chat("mali"))[-1]
    assert (row["from"], row["text"]) == ("person", "Done on the page")
    again = await sim.refused("answerWebAppQuery", web_app_query_id=fields["query_id"], result=result)
    assert again[0] == 400
