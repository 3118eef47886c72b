"""What a keyboard may hold, and which web addresses Telegram takes. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from simulator.errors import Refused, bad_request

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ACTIONS = ("url", "callback_data", "web_app", "copy_text")
APP_LINKS = ("tg://", "tel:", "mailto:")
MOST_BUTTONS = 100
STYLES = ("danger", "success", "primary")


def is_loopback(host: str | None) -> bool:
    """127.0.0.1, localhost and *.localhost."""
    return bool(host) and (host in LOOPBACK or str(host).endswith(".localhost"))


def public_address(url: str) -> bool:
    """Whether it is https with a host, or http on loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if any(character.isspace() for character in url):
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def check_markup(markup: dict[str, Any] | None, *, private: bool) -> dict[str, Any] | None:
    """The keyboard without its empty rows; refuses buttons that Telegram would refuse."""
    if markup is None or "inline_keyboard" not in markup:
        return markup
    rows = [row for row in markup["inline_keyboard"] if row]
    if sum(len(row) for row in rows) > MOST_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for row in rows:
        for button in row:
            _check_button(button, private)
    return {"inline_keyboard": rows}


def _check_button(button: dict[str, Any], private: bool) -> None:
    text = button["text"]
    if not text.strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    actions = [name for name in ACTIONS if button.get(name) is not None]
    if len(actions) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.get("style") not in (None, *STYLES):
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    if "url" in actions and not (button["url"].startswith(APP_LINKS) or public_address(button["url"])):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    if "web_app" in actions:
        if not private:
            raise bad_request("BUTTON_TYPE_INVALID")
        check_web_app(button["web_app"]["url"], "inline keyboard button Web App")


def check_web_app(url: str, what: str) -> None:
    """Mini Apps open https only (here also http on loopback)."""
    if not public_address(url):
        raise bad_request(f"{what} URL '{url}' is invalid: Only HTTPS links are allowed")


def bad_webhook(words: str) -> Refused:
    """A refusal of setWebhook."""
    return bad_request(f"bad webhook: {words}")
