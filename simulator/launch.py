"""Launch data of a Mini App, signed as Telegram signs it (core.telegram.org/bots/webapps). Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from simulator.identity import Identity
from simulator.journal import encode
from simulator.model import Json

THEME = {
    "bg_color": "#ffffff", "text_color": "#1c1c1e", "hint_color": "#707579", "link_color": "#1a6f5c",
    "button_color": "#1a6f5c", "button_text_color": "#ffffff", "secondary_bg_color": "#f1f2f0",
}  # fmt: skip
VERSION = "9.1"
PLATFORM = "android"


def init_data(identity: Identity, user: Json, query_id: str, now: float) -> str:
    """The query string `query_id=…&user=…&auth_date=…&signature=…&hash=…`.

    The Ed25519 signature covers `<bot_id>:WebAppData`, a line end, and every field but signature and hash;
    the HMAC covers every field but itself, the signature included.
    """
    fields = {
        "query_id": query_id,
        "user": encode({k: v for k, v in user.items() if k != "is_bot"} | {"allows_write_to_pm": True}),
        "auth_date": str(int(now)),
    }
    signed = f"{identity.bot_id}:WebAppData\n{_lines(fields)}"
    signature = base64.urlsafe_b64encode(identity.key.sign(signed.encode()))
    fields["signature"] = signature.decode().rstrip("=")
    secret = hmac.new(b"WebAppData", identity.token.encode(), hashlib.sha256).digest()
    fields["hash"] = hmac.new(secret, _lines(fields).encode(), hashlib.sha256).hexdigest()
    return urlencode(fields, quote_via=quote, safe="")


def _lines(fields: dict[str, str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields))


def launch_url(url: str, data: str) -> str:
    """The page's address with the launch data in its fragment, as clients open it."""
    fragment = urlencode(
        {
            "tgWebAppData": data,
            "tgWebAppVersion": VERSION,
            "tgWebAppPlatform": PLATFORM,
            "tgWebAppThemeParams": encode(THEME),
        },
        quote_via=quote,
        safe="",
    )
    return f"{url}{'&' if '#' in url else '#'}{fragment}"
