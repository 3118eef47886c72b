"""What the documents say of the code is drawn from it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bot.texts import read_locales
from referrals import code_words
from referrals.lifecycle import draw
from referrals.service import pages, timers

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")])


def test_the_lifecycle_diagrams_are_those_of_the_tables() -> None:
    assert draw() in (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")


def test_the_table_of_code_words_is_that_of_the_data() -> None:
    table = code_words.draw(read_locales(ROOT / "locales"))
    assert table in (ROOT / "docs/code-words.md").read_text(encoding="utf-8")


def test_the_tables_of_timers_and_pages_are_those_of_the_code() -> None:
    drawn = (ROOT / "docs/timers-and-pages.md").read_text(encoding="utf-8")
    assert timers.draw() in drawn
    assert pages.draw() in drawn


def test_every_field_of_an_export_stands_in_its_format() -> None:
    told = (ROOT / "docs/export-format.md").read_text(encoding="utf-8")
    code = ast.parse((ROOT / "referrals/service/taken_home.py").read_text(encoding="utf-8"))
    keys = (key for node in ast.walk(code) if isinstance(node, ast.Dict) for key in node.keys)
    fields = {key.value for key in keys if isinstance(key, ast.Constant)}
    assert fields
    assert not [field for field in sorted(map(str, fields)) if f"`{field}`" not in told]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize(
    "files",
    [
        "referrals/*.py",
        "referrals/service/**/*.py",
        "handlers/*.py",
        "console/*.py",
        "storage/*.py",
        "bot/*.py",
    ],
)
def test_every_module_has_its_room_in_the_architecture(files: str) -> None:
    rooms = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("```")[1]
    named = re.findall(r"\b[a-z_]+\b\*?", rooms)
    whole, families = set(named), tuple(name[:-1] for name in named if name.endswith("*"))
    found = [file for file in ROOT.glob(files) if file.parent.name != "pages"]
    modules = {file.stem for file in found} - {"__init__", "__main__"}
    assert modules
    assert not [m for m in sorted(modules) if m not in whole and not (families and m.startswith(families))]
