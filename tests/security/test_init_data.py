"""Launch data: only what Telegram signed for this bot, just now, opens a page; all else is refused alike."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.init_data import MAX_LENGTH, Trust, check
from referrals.errors import SessionOver

LONG = os.environ.get("PULANG_LONG", "").lower() not in {"", "0", "false"}
EXAMPLES = 100_000 if LONG else 1_500

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TOKEN = "7100000001:AAtestTokenOfNobody_1234567890abcdefg"
TRUST = Trust(TOKEN, 7100000001, KEY.public_key().public_bytes_raw().hex())
USER = json.dumps({"id": 4711, "first_name": "Mali", "language_code": "th"}, separators=(",", ":"))

# A launch that Telegram itself signed and a library's documentation publishes, with the token of its bot; so
# neither half of the check is only compared with our own idea of it.
PUBLISHED = (
    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name"
    "%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22"
    "%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2F"
    "userpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D"
    "&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787"
    "&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ"
    "&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6"
)
PUBLISHED_TRUST = Trust("7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ", 7342037359)
PUBLISHED_AT = datetime.fromtimestamp(1733584787, UTC)


def fresh_fields(**changed: str) -> dict[str, str]:
    return {"query_id": "AAE1", "user": USER, "auth_date": str(int(NOW.timestamp())), **changed}


def signed(
    fields: dict[str, str],
    *,
    token: str = TOKEN,
    bot_id: int = TRUST.bot_id,
    key: Ed25519PrivateKey | None = KEY,
) -> dict[str, str]:
    """The fields with signature and hash, made here once more by the words of Telegram's documentation."""
    done = dict(fields)
    if key is not None:
        text = f"{bot_id}:WebAppData\n" + "\n".join(f"{k}={done[k]}" for k in sorted(done))
        done["signature"] = base64.urlsafe_b64encode(key.sign(text.encode())).decode().rstrip("=")
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    lines = "\n".join(f"{k}={done[k]}" for k in sorted(done))
    done["hash"] = hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()
    return done


def query(fields: dict[str, str]) -> str:
    return urlencode(fields, quote_via=quote, safe="")


GOOD = query(signed(fresh_fields()))


def refused(init_data: str, now: datetime = NOW, trust: Trust = TRUST) -> None:
    with pytest.raises(SessionOver) as refusal:
        check(init_data, trust, now)
    assert str(refusal.value) == SessionOver.code  # the same words, whatever was wrong
    assert refusal.value.__cause__ is None


def test_a_launch_that_telegram_itself_signed_is_believed() -> None:
    launch = check(PUBLISHED, PUBLISHED_TRUST, PUBLISHED_AT)
    assert launch.account == 279058397
    assert launch.language == "ru"
    assert launch.key == "init:1733584787:2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6"


def test_a_fresh_launch_names_its_account() -> None:
    launch = check(GOOD, TRUST, NOW)
    assert (launch.account, launch.language) == (4711, "th")


@pytest.mark.parametrize("seconds", [-60, 0, 300])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    assert check(GOOD, TRUST, NOW + timedelta(seconds=seconds)).account == 4711


@pytest.mark.parametrize("seconds", [-61, 301, 86_400, -86_400])
def test_stale_and_future_launches_are_refused(seconds: int) -> None:
    refused(GOOD, NOW + timedelta(seconds=seconds))


def test_fields_in_another_order_are_the_same_launch_with_the_same_key() -> None:
    turned = "&".join(reversed(GOOD.split("&")))
    assert turned != GOOD
    assert check(turned, TRUST, NOW) == check(GOOD, TRUST, NOW)


def test_the_same_fields_written_otherwise_have_the_same_key() -> None:
    """Else a launch could be used again by escaping one more letter."""
    written = GOOD.replace("AAE1", "%41AE1")
    assert check(written, TRUST, NOW).key == check(GOOD, TRUST, NOW).key


FORGERIES: dict[str, Callable[[], str]] = {
    "another account": lambda: GOOD.replace("4711", "4712"),
    "another date": lambda: GOOD.replace("auth_date=1", "auth_date=2"),
    "a field more": lambda: GOOD + "&can_send_after=1",
    "a field less": lambda: GOOD.replace("query_id=AAE1&", ""),
    "a field twice": lambda: GOOD + "&query_id=AAE1",
    "a user twice": lambda: GOOD + "&user=" + quote(USER.replace("4711", "4712"), safe=""),
    "another bot's token": lambda: query(signed(fresh_fields(), token="7100000002:AAother")),
    "another bot's signature": lambda: query(signed(fresh_fields(), bot_id=7100000002)),
    "a stolen token without Telegram's key": lambda: query(
        signed(fresh_fields(), key=Ed25519PrivateKey.generate())
    ),
    "no signature": lambda: query(signed(fresh_fields(), key=None)),
    "an empty signature": lambda: query(signed(fresh_fields(signature=""), key=None)),
    "no hash": lambda: GOOD.partition("&hash=")[0],
    "an empty hash": lambda: GOOD.partition("&hash=")[0] + "&hash=",
    "a hash in capitals": lambda: "=".join([*GOOD.split("=")[:-1], GOOD.split("=")[-1].upper()]),
    "half a hash": lambda: GOOD[:-32],
    "no user": lambda: query(signed({"auth_date": str(int(NOW.timestamp()))})),
    "no date": lambda: query(signed({"user": USER})),
    "a date in words": lambda: query(signed(fresh_fields(auth_date="today"))),
    "a date in other digits": lambda: query(signed(fresh_fields(auth_date="١٧٣٣٥٨٤٧٨٧"))),
    "a negative date": lambda: query(signed(fresh_fields(auth_date="-1733584787"))),
    "a bot": lambda: query(signed(fresh_fields(user='{"id":4711,"is_bot":true}'))),
    "an account in words": lambda: query(signed(fresh_fields(user='{"id":"4711"}'))),
    "an account that is true": lambda: query(signed(fresh_fields(user='{"id":true}'))),
    "an account below zero": lambda: query(signed(fresh_fields(user='{"id":-4711}'))),
    "an account too large": lambda: query(signed(fresh_fields(user='{"id":99999999999999999999}'))),
    "a user that is a list": lambda: query(signed(fresh_fields(user="[4711]"))),
    "a user that is no JSON": lambda: query(signed(fresh_fields(user="{"))),
    "a user without a bottom": lambda: query(signed(fresh_fields(user="[" * 2000))),
    "fields hidden in a value": lambda: query(signed(fresh_fields(query_id="AAE1\nuser={}"))),
    "a name with a line break": lambda: query(signed(fresh_fields(**{"a\nb": "1"}))),
    "half a letter": lambda: GOOD + "&x=%ff",
    "half a surrogate pair": lambda: GOOD.replace("AAE1", "\ud800"),
    "too long": lambda: query(signed(fresh_fields(start_param="a" * MAX_LENGTH))),
    "too many fields": lambda: query(signed(fresh_fields(**{"f" + "x" * n: "1" for n in range(40)}))),
    "nothing": lambda: "",
    "no query": lambda: "hello",
    "only hashes": lambda: "hash=" + "0" * 64,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(name: str) -> None:
    refused(FORGERIES[name]())


def test_telegrams_own_key_does_not_open_our_test_launches_and_the_other_way_round() -> None:
    refused(GOOD, trust=Trust(TOKEN, TRUST.bot_id))
    refused(PUBLISHED, PUBLISHED_AT, Trust(PUBLISHED_TRUST.bot_token, 1))
    refused(PUBLISHED, PUBLISHED_AT, Trust("7342037359:another", 7342037359))


# --- Fuzz: nothing that is not signed is accepted, and nothing breaks -------------------------------

_NAMES = st.sampled_from(["user", "auth_date", "hash", "signature", "query_id", "start_param", "chat", ""])
_VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([USER, str(int(NOW.timestamp())), "0" * 64, "A" * 86, "{}", "[]", "null"]),
)
_LOOSE = st.lists(st.tuples(_NAMES, _VALUES), max_size=8).map(
    lambda pairs: "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs)
)


@st.composite
def _bent(draw: st.DrawFn) -> str:
    """A good launch with one stretch cut out, doubled or written over."""
    start = draw(st.integers(0, len(GOOD)))
    end = draw(st.integers(start, min(len(GOOD), start + 12)))
    return GOOD[:start] + draw(st.text(max_size=6)) + GOOD[end:]


@pytest.mark.timeout(900)  # the long run takes two minutes
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=400), _LOOSE, _bent()))
def test_fuzz_nothing_unsigned_is_accepted(init_data: str) -> None:
    try:
        launch = check(init_data, TRUST, NOW)
    except SessionOver:
        return
    # Only another spelling of the very same fields may pass, and then it is the same single use.
    assert dict(parse_qsl(init_data, keep_blank_values=True)) == dict(parse_qsl(GOOD, keep_blank_values=True))
    assert launch == check(GOOD, TRUST, NOW)
