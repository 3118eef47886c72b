"""The headers of every answer (security.md, 'Secure pages')."""

from __future__ import annotations

import re
from collections.abc import Mapping

from referrals.errors import ConfigurationError

# What binds a document means nothing beside a script, a style or a piece of JSON, and a poor line pays for it
# with each of them. Should one of these be opened by itself, it may do nothing at all.
_OF_DOCUMENTS = frozenset({"Permissions-Policy", "Cross-Origin-Opener-Policy"})
_ASSETS = frozenset({"text/javascript", "text/css", "image/svg+xml"})
_CLOSED = "default-src 'none'; frame-ancestors 'none'"

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")

# Nothing of the device is needed, so nothing may be asked for.
_POWERS = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "display-capture",
    "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi",
    "payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip


def secure_headers(frame_ancestor: str) -> Mapping[str, str]:
    """Headers by name. `frame_ancestor`: '' for nobody; in a demo the simulator's origins, with spaces."""
    ancestors = frame_ancestor.split()
    if not all(map(_ORIGIN.fullmatch, ancestors)):
        raise ConfigurationError(
            "frame_ancestor",
            f"{frame_ancestor!r} is not a list of origins",
            "write it like 'http://*.localhost:8081', or leave it empty",
        )
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(ancestors) or "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Server": "Pulang",  # and no version of anything
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": ", ".join(f"{power}=()" for power in _POWERS),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def answer_headers(headers: Mapping[str, str], content_type: str) -> Mapping[str, str]:
    """The headers of one answer, from those of a document."""
    if content_type == "text/html":
        return headers
    short = {name: value for name, value in headers.items() if name not in _OF_DOCUMENTS}
    if content_type in _ASSETS:
        return {
            name: short[name] for name in ("Server", "X-Content-Type-Options", "Cross-Origin-Resource-Policy")
        }
    return {**short, "Content-Security-Policy": _CLOSED}
