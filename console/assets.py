"""The pages' own scripts and style, read once. Their address holds a hash of them all: they may be cached."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
_IMPORT = re.compile(r'(?m)^import [^;]*? from "\./([a-z_]+\.js)";')
_COMMENTS = {
    ".js": re.compile(r"(?m)^\s*(//[^\n]*|/\*\*.*?\*/)\n", re.DOTALL),
    ".css": re.compile(r"/\*.*?\*/\n?", re.DOTALL),
}
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
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in _TYPES:
            plain = lean(path.read_text(encoding="utf-8"), path.suffix).encode()
            digest.update(f"{path.name}:{len(plain)}:".encode() + plain)
            files[path.name] = Asset(_TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0))
    return Assets(digest.hexdigest()[:16], files)


def lean(text: str, suffix: str) -> str:
    """What the browser needs of a file: whole lines of comment and indentation stay at home.

    Our scripts have no text that runs over several lines, so nothing that is shown can change.
    """
    if suffix not in _COMMENTS:
        return text
    return re.sub(r"(?m)^\s+", "", _COMMENTS[suffix].sub("", text))


def first_scripts(assets: Assets) -> Sequence[str]:
    """What main.js imports before it shows anything, asked for at once: a chain of imports costs a round trip
    for each link. A page's own script comes when it is shown.
    """
    found: list[str] = ["main.js"]
    for name in found:
        for imported in _IMPORT.findall(assets.files[name].plain.decode()):
            if imported not in found:
                found.append(imported)
    return sorted(found[1:])


def shell(base: str, assets: Assets, words: Mapping[str, Mapping[str, str]]) -> bytes:
    """The one static document of every page: no data, only the few words needed before the server answers.

    `base` is the address of the assets' folder; `words`: language id -> text key -> words.
    """
    boot = html.escape(json.dumps(words, ensure_ascii=False, separators=(",", ":")), quote=True)
    preload = "\n".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in first_scripts(assets))
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
{preload}
<script type="module" src="{base}/main.js"></script>
</head>
<body data-boot="{boot}">
<noscript><p class="card">{closed}</p></noscript>
<main id="page" tabindex="-1" aria-busy="true"></main>
<p id="live" class="unseen" role="status" aria-live="polite"></p>
</body>
</html>
""".encode()
