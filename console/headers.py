"""The headers of every answer (security.md, 'Secure pages')."""

from __future__ import annotations

import re
from collections.abc import Mapping

from referrals.errors import ConfigurationError

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
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": ", ".join(f"{power}=()" for power in _POWERS),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
