"""What stands before each route of the secure pages: one row for each, and a test walks the routes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Guard(StrEnum):
    OPEN = "open"  # the same bytes for everybody, nothing of anybody
    LAUNCH = "launch"  # a proven launch, or the session of a page that leads on
    PAGES = "pages"  # a session, and the action of its verb in PAGES
    DEVICE = "device"  # a session, and the action of its verb in DEVICE_STEPS
    TOKEN = (
        "token"  # a random address, used once; what is fetched is encrypted to words that only a page showed
    )


GUARDS: Mapping[tuple[str, str], Guard] = {
    ("GET", "/static/{version}/{name}"): Guard.OPEN,
    ("GET", "/{page}"): Guard.OPEN,
    ("GET", "/{page}/{subject}"): Guard.OPEN,
    ("POST", "/session"): Guard.LAUNCH,
    ("POST", "/device/{step}"): Guard.DEVICE,
    ("GET", "/api/{page}"): Guard.PAGES,
    ("GET", "/api/{page}/{subject}"): Guard.PAGES,
    ("POST", "/api/{page}/{step}"): Guard.PAGES,
    ("POST", "/api/{page}/{subject}/{step}"): Guard.PAGES,
    ("GET", "/download/{token}"): Guard.TOKEN,
}
