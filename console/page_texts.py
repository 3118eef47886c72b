"""Which words travel with a page: those that it can show and no others, because a first page weighs little.

Keys of `page.` belong to the part that they name ('page.plan.area' to 'plan') if there is such a part, and
to every page if there is not ('page.send'). A page takes the parts and the catalogue words named here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# What a page can show besides its own part: parts of `page.`, and whole prefixes ending with a dot.
_ACTS = ("pin", "step", "hint", "confirm")
_MATTER = (
    *_ACTS, "matter", "filed", "track", "category.", "urgency.", "stage.", "next.", "who.", "unmet.",
    "outcome.", "class.", "role.",
)  # fmt: skip

TAKES: Mapping[str, Sequence[str]] = {
    "plan": ("filed", "pin", "category.", "urgency.", "why.", "kind.", "stage."),
    "offer": (*_MATTER, "offer_stage.", "decline.", "form.age_group."),
    "matter": _MATTER,
    "me": (*_ACTS, "category.", "stage.", "role.", "form.window.", "hidden"),
    "devices": (*_ACTS, "role."),
    "posts": (*_ACTS, "role."),
    "track": (
        *_ACTS,
        "category.",
        "stage.",
        "next.",
    ),
    "mydata": (*_ACTS, "category.", "stage.", "role.", "class.", "held", "hidden"),
    "witness": _ACTS,
}

# Parts that only those pages get which name them.
_PARTS = frozenset(TAKES) | {
    part for takes in TAKES.values() for part in takes if not part.endswith(".")
}  # fmt: skip


def page_texts(words: Mapping[str, str], page: str) -> dict[str, str]:
    """The words for a page, by its name ('matter'); a page that is not in the table gets every one."""
    if page not in TAKES:
        return {key: text for key, text in words.items() if key.startswith("page.")}
    takes = {page, *TAKES[page]}
    whole = tuple(part for part in takes if part.endswith("."))
    return {key: text for key, text in words.items() if key.startswith(whole) or _on_page(key, takes)}


def _on_page(key: str, takes: set[str]) -> bool:
    root, _, rest = key.partition(".")
    part = rest.partition(".")[0]
    return root == "page" and part != "boot" and (part in takes or part not in _PARTS)
