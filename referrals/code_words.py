"""Code words: for each action one that can be typed, in every language, by SMS as well as in a chat.

A word does what a command or a button does, by the same route and with the same rights. Its spellings are
texts ('word.stop' = 'stop, unsubscribe'), so a language brings its own. Only a message that is nothing but
a word (and a code behind it, where one belongs there) is one: who writes 'help me' has written words of
their own. Nothing that a word does at once is beyond repair: what is, asks first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from referrals import case_codes
from referrals.model import Role

Words = Mapping[str, Mapping[str, str]]  # language -> text key -> words
TEXT = "word."  # the text keys of spellings begin so


@dataclass(frozen=True, slots=True)
class CodeWord:
    """One word. `does`: '/command' or a button's data; a code typed behind it is added (`takes_code`).

    `roles` are those to whom it is of use: the help screen names it to them, and nobody else may do it.
    """

    id: str
    does: str
    roles: frozenset[Role]
    takes_code: bool = False


_ALL = frozenset(Role) - {Role.SYSTEM}
_MENTOR, _DESK = frozenset({Role.MENTOR}), frozenset({Role.COORDINATOR})

CODE_WORDS: tuple[CodeWord, ...] = (
    CodeWord("help", "1:words", _ALL),
    CodeWord("menu", "/help", _ALL),
    CodeWord("ask", "1:home:family", _ALL),
    CodeWord("status", "1:status", _ALL),
    CodeWord("answer", "1:answer", _ALL),
    CodeWord("withdraw", "1:take_back", _ALL),
    CodeWord("list", "1:members", _MENTOR),
    CodeWord("in", "1:next", _ALL, takes_code=True),
    CodeWord("meet", "1:group", _MENTOR),
    CodeWord("cases", "1:cases", frozenset({Role.WORKER})),
    CodeWord("danger", "1:danger", _ALL, takes_code=True),
    CodeWord("have", "1:have", _DESK, takes_code=True),
    CodeWord("queue", "/desk", _DESK),
    CodeWord("reminders", "/reminders", _ALL),
    CodeWord("stop", "1:reminders.stop", _ALL),
    CodeWord("start", "/start", _ALL),
    CodeWord("hide", "/hide", _ALL),
    CodeWord("lang", "/language", _ALL),
    CodeWord("text_on", "1:text:on", _ALL),
    CodeWord("text_off", "1:text:off", _ALL),
    CodeWord("off_duty", "/offduty", frozenset({Role.MENTOR, Role.WORKER, Role.COORDINATOR, Role.STEWARD})),
    CodeWord("on_duty", "/onduty", frozenset({Role.MENTOR, Role.WORKER, Role.COORDINATOR, Role.STEWARD})),
    CodeWord("privacy", "/privacy", _ALL),
)
BY_ID: Mapping[str, CodeWord] = {word.id: word for word in CODE_WORDS}


@dataclass(frozen=True, slots=True)
class Typed:
    """What a typed message is: a word (with its code, if one was typed), a number, a line, or '' (none)."""

    word: str = ""
    code: str = ""
    number: int | None = None
    line: str = ""


def read(text: str, words: Words, language: str = "") -> Typed:
    """Number, line or word. `language`: where two languages mean different things by one spelling, theirs."""
    plain = simple(text)
    if re.fullmatch(r"[0-9]{1,3}", plain):
        return Typed(number=int(plain))
    if _begins_with_a_code(plain):
        return Typed(line=plain)
    if found := _word(plain, words, language):
        return Typed(word=found)
    # 'in K7-29': the word before, a code behind it.
    before, _, last = plain.rpartition(" ")
    if before and _code(last):
        found = _word(before, words, language)
        if found and BY_ID[found].takes_code:
            return Typed(word=found, code=case_codes.spoken(last))
    return Typed()


def simple(text: str) -> str:
    """As it is compared: one form of each sign, digits of every script as 0-9, no marks around it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    digits = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in folded)
    spaced = " ".join(digits.split())
    return spaced.strip(" .,;:!?…'\"()[]<>«»“”‘’*_~/\u200b\u200e\u200f")


def spellings(word: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """All spellings of a word in one language, simple ones; the first is the one that is shown."""
    return tuple(filter(None, (simple(one) for one in words.get(TEXT + word, "").split(","))))


def shown(word: str, words: Mapping[str, str]) -> str:
    """How a word is written on the help screen: 'STOP'."""
    return words.get(TEXT + word, word).split(",")[0].strip().upper()


def ambiguous(words: Words) -> Iterator[tuple[str, str, str]]:
    """(spelling, word, other word) wherever one spelling means two things, in whichever languages."""
    known: dict[str, str] = {}
    for language in sorted(words):
        for word in CODE_WORDS:
            for spelling in spellings(word.id, words[language]):
                other = known.setdefault(spelling, word.id)
                if other != word.id:
                    yield spelling, other, word.id


def _word(plain: str, words: Words, language: str) -> str:
    """The word of this spelling: in the person's own language, else in any (STOP is STOP everywhere)."""
    for one in (language, *sorted(words)):
        for word in CODE_WORDS:
            if plain in spellings(word.id, words.get(one, {})):
                return word.id
    return ""


def _begins_with_a_code(plain: str) -> bool:
    """'k7-29 call ok', also with a blank inside the code when an answer stands behind it."""
    return _code(plain.partition(" ")[0]) or bool(re.match(r"[a-z][0-9] [0-9a-z]{2,4} \S", plain))


def _code(typed: str) -> bool:
    """Whether a code was meant: with a digit or hyphen, since 'please' has a code's letters too."""
    meant = "-" in typed or any(sign.isdigit() for sign in typed)
    return meant and case_codes.looks_like_a_code(typed)


def draw(words: Words) -> str:
    """The table of docs/code-words.md: each word, how it is spelled in each language, who may use it."""
    languages = sorted(words)
    head = ["It does", *languages, "For"]
    rows = [head, ["---"] * len(head)]
    for word in CODE_WORDS:
        spelled = [words[one].get(TEXT + word.id, "").upper() for one in languages]
        everybody = Role.FAMILY in word.roles
        whose = "everybody" if everybody else ", ".join(role for role in Role if role in word.roles)
        code = " (a code may follow)" if word.takes_code else ""
        rows.append([words["en"].get(f"word_does.{word.id}", "") + code, *spelled, whose])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
