"""Which words travel with a page: those that it can show and no others, because a first page weighs little.

A page's session brings the words of the page itself: keys of `page.` belong to the part that they name
('page.plan.area' to 'plan') if there is such a part, and to every page if there is not ('page.send').
What a view is about (categories, stages, steps) brings its words along with the view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# What a page can show besides its own part: parts of `page.`, and whole prefixes ending with a dot.
_MATTER = ("pin", "enrol", "matter", "follow", "outcome.")

TAKES: Mapping[str, Sequence[str]] = {
    "plan": ("filed",),
    "choose": (),
    "offer": _MATTER,
    "matter": _MATTER,
    "me": ("part.row.",),
    "desk": ("part.row.",),
    "work": (),
    "member": ("pin", "enrol"),
    "devices": ("pin", "enrol"),
    "posts": ("pin", "enrol"),
    "track": ("pin",),
    "tasks": ("pin", "enrol"),
    "mydata": ("pin", "enrol"),
    "witness": (),
    "safety": ("pin", "enrol", "share"),
    "share": ("pin", "enrol", "safety"),
    "words": ("plan",),
    "word": (),
    "members": (),
    "newcomer": (),
    "link": ("pin", "enrol"),
    "room": (),
    "rota": (),
    "receipt": (),
    "number": (),
    "agreements": (),
    "attendance": ("pin", "enrol"),
    "circle": (),
    "invited": (),
}

# Parts that only those get who name them. Steps and what is held come with the views that speak of them.
_PARTS = frozenset(TAKES) | {part for takes in TAKES.values() for part in takes}
_WITH_VIEWS = frozenset(
    {"boot", "step", "hint", "which", "confirm", "ask", "held", "hidden", "check", "said_no"}
)

# Keys that a page makes of one that its view names.
_OF_KEYS = (".you", ".partner", ".title")
_OF_STEPS = ("page.hint.", "page.confirm.", "page.ask.", "page.which.")


def page_texts(words: Mapping[str, str], page: str, reading: str = "") -> dict[str, str]:
    """The words for a page, by its name ('matter'), and by how far reading is open on the device."""
    takes = {page, *TAKES.get(page, ())}
    if page == "plan" and reading == "enrol":
        takes |= {"pin", "enrol"}  # below the receipt a PIN is offered
    elif page != "devices" and reading in ("open", "pin"):
        takes.discard("enrol")
    whole = tuple(part for part in takes if part.endswith("."))
    return {key: text for key, text in words.items() if key.startswith(whole or "\0") or _on_page(key, takes)}


def view_texts(words: Mapping[str, str], view: Any) -> dict[str, str]:
    """The words of every text key that a view (as JSON) names and its page does not bring."""
    return {key: words[key] for key in _keys(view) if key in words and not _on_page(key, _PARTS)}


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from (value + ending for ending in _OF_KEYS)
    elif isinstance(value, Mapping):
        if "needs" in value and "id" in value:  # a step
            yield from (f"{start}{value['id']}" for start in _OF_STEPS)
        for item in value.values():
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _on_page(key: str, takes: frozenset[str] | set[str]) -> bool:
    root, _, rest = key.partition(".")
    part = rest.partition(".")[0]
    return root == "page" and part not in _WITH_VIEWS and (part in takes or part not in _PARTS)
