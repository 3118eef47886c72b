"""Catalogue files: text in, one checked Catalogue out. A mistake is found at start, not in somebody's chat.

Keys of `files` are paths inside the catalogue folder: languages.toml, categories.toml, pathways/ID.toml,
programmes/ID.toml, forms/ID.toml, holidays/ID.toml. Every mistake of every file is reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from referrals.catalogue import Catalogue, Language
from referrals.form_parsing import own_form_keys, parse_form
from referrals.pathway_parsing import parse_pathway, pathway_keys
from referrals.programme_parsing import HOLIDAYS, parse_holidays, parse_programme, programme_keys
from referrals.toml_blocks import Block, Faults, once, read_block

LANGUAGES = "languages.toml"
CATEGORIES = "categories.toml"
FOLDERS = ("pathways", "programmes", "forms", HOLIDAYS)


def parse_catalogue(files: Mapping[str, str]) -> Catalogue:
    """All files of a catalogue folder as one value; ConfigurationError names every mistake in all of them."""
    faults = Faults()
    blocks = {name: read_block(text, name, faults) for name, text in sorted(files.items())}
    broken = len(faults.found)
    for needed in (LANGUAGES, CATEGORIES):
        if needed not in blocks:
            faults.add(needed, "the file is missing", "restore it: every catalogue needs one")
    languages = _languages(blocks[LANGUAGES]) if LANGUAGES in blocks else {}
    categories, private = _categories(blocks[CATEGORIES]) if CATEGORIES in blocks else ((), frozenset())
    if broken:  # a file that could not be read would only bring forth more mistakes in the others
        faults.stop("catalogue")
    holidays = [parse_holidays(block) for block in _inside(blocks, HOLIDAYS)]
    known = [each.id for each in holidays]
    forms = {f.id: f for f in (parse_form(b, categories, private) for b in _inside(blocks, "forms"))}
    programmes = [parse_programme(block, known, forms) for block in _inside(blocks, "programmes")]
    named = {PurePosixPath(block.where).stem for block in _inside(blocks, "programmes")}
    found = Catalogue(
        languages=languages,
        categories=categories,
        private=private,
        pathways={
            p.id: p for p in (parse_pathway(b, categories, private) for b in _inside(blocks, "pathways"))
        },
        programmes={p.id: p for p in programmes},
        programme_sources={p.id: files[f"programmes/{p.id}.toml"] for p in programmes if p.id in named},
        holidays={h.id: h.days for h in holidays},
        holidays_until={h.id: h.until for h in holidays},
        forms=forms,
    )
    faults.stop("catalogue")
    return found


def text_keys(catalogue: Catalogue) -> frozenset[str]:
    """Every text key that the catalogue's own codes need in each language of `locales/`.

    Questions of a secure page have the page's words; a kind of organisation needs one where it may receive.
    """
    keys = {f"category.{category}" for category in catalogue.categories}
    keys |= {f"language.{language}" for language in catalogue.languages}
    for pathway in catalogue.pathways.values():
        keys |= pathway_keys(pathway)
    for programme in catalogue.programmes.values():
        keys |= programme_keys(programme)
    for form in catalogue.forms.values():
        keys |= own_form_keys(form)
    return frozenset(keys)


def _inside(blocks: Mapping[str, Block], folder: str) -> list[Block]:
    return [block for name, block in blocks.items() if PurePosixPath(name).parts[0] == folder]


# -- languages and categories ------------------------------------------------------------------------


def _languages(block: Block) -> dict[str, Language]:
    found: dict[str, Language] = {}
    for each in block.tables("language"):
        right_to_left = each.flag("right_to_left", default=False)
        era = each.whole("years_added", default=0, low=0, high=10_000)
        language = Language(each.id(), each.text("name"), right_to_left, era)
        once(each, language.id, found)
        found[language.id] = language
        each.done()
    if "en" not in found:
        block.wrong("language", "lacks 'en'", 'add [[language]] id = "en": texts fall back to English')
    block.done()
    return found


def _categories(block: Block) -> tuple[tuple[str, ...], frozenset[str]]:
    """All of them, and those that no chat may show."""
    found: list[str] = []
    private: set[str] = set()
    for each in block.tables("category"):
        category = each.id()
        once(each, category, found)
        found.append(category)
        if not each.flag("in_chat", default=True):
            private.add(category)
        each.done()
    block.done()
    return tuple(found), frozenset(private)
