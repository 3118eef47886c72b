"""Where the Chromium for tests is, and how it is started. Playwright's own download is never used."""

from __future__ import annotations

import os
import shutil
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Quiet: no first-run page, no calls home, and nothing that a closed network would make it wait for.
_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


class ChromiumMissing(RuntimeError):
    """No Chromium is here; the message names the package."""


def find_chromium() -> str:
    """The path of a Chromium: $PULANG_CHROMIUM, or the first known name on PATH. Raises ChromiumMissing."""
    if chosen := os.environ.get("PULANG_CHROMIUM"):
        if not os.access(chosen, os.X_OK):
            raise ChromiumMissing(f"PULANG_CHROMIUM names {chosen!r}, which cannot be run")
        return chosen
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise ChromiumMissing("no Chromium is here: install the package 'chromium', or run `make browser`")


def launch_options() -> dict[str, Any]:
    """For Playwright: ``playwright.chromium.launch(**launch_options())``."""
    # Chromium's sandbox cannot start as root, and tests open nothing but our own pages.
    unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": find_chromium(), "args": [*_ARGUMENTS, *unboxed], "headless": True}
