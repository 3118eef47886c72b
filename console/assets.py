"""The pages' own scripts and style, read once. Their address holds a hash of them all: they may be cached."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.bundle import bundled, lean

FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed."""

    content_type: str
    plain: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by name, and the version that stands in their addresses."""

    version: str
    files: Mapping[str, Asset]


def load_assets(folder: Path = FOLDER) -> Assets:
    """Read every script and style in the folder."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in _TYPES)
    texts = {path.name: lean(path.read_text(encoding="utf-8"), path.suffix) for path in paths}
    scripts = {name: text for name, text in texts.items() if name.endswith(".js")}
    texts = {name: text for name, text in texts.items() if name not in scripts} | bundled(scripts)
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for name, text in texts.items():
        plain = text.encode()
        digest.update(f"{name}:{len(plain)}:".encode() + plain)
        files[name] = Asset(_TYPES[Path(name).suffix], plain, gzip.compress(plain, 9, mtime=0))
    return Assets(digest.hexdigest()[:16], files)


def shell(base: str, assets: Assets, words: Mapping[str, Mapping[str, str]]) -> bytes:
    """The one static document of every page: no data, only the few words needed before the server answers.

    `base` is the address of the assets' folder; `words`: language id -> text key -> words.
    """
    boot = html.escape(json.dumps(words, ensure_ascii=False, separators=(",", ":")), quote=True)
    closed = " · ".join(html.escape(texts.get("page.boot.no_script", "")) for texts in words.values())
    return f"""<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Pulang</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/pulang.css">
<script type="module" src="{base}/main.js"></script>
</head>
<body data-boot="{boot}">
<noscript><p class="card">{closed}</p></noscript>
<main id="page" tabindex="-1" aria-busy="true"></main>
<p id="live" class="unseen" role="status" aria-live="polite"></p>
</body>
</html>
""".encode()
