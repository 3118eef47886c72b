"""Every word that a person can read: in both languages, same placeholders, neutral on a lock screen."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bot.texts import Texts, read_locales
from handlers.router import PRESSES
from referrals.catalogue import Catalogue
from referrals.network_file import NetworkFile
from storage.catalogue_files import read_catalogue, read_network

ROOT = Path(__file__).resolve().parents[2]
LOCALES = read_locales(ROOT / "locales")
CATALOGUE: Catalogue = read_catalogue(ROOT / "catalogue")
NETWORK: NetworkFile = read_network(ROOT / "catalogue/demo/network.toml", CATALOGUE)
PLACEHOLDER = re.compile(r"\{[a-z_]+\}")

# security.md, 'Neutral words': nothing about prison, release or violence, in no language.
NEVER_ON_A_LOCK_SCREEN = {
    "en": (
        "prison jail custody released detention detained inmate offender extremis terror violen attack"
        " police crime criminal parole probation suspect convict sentence bail weapon threat"
    ).split(),
    "th": [
        *["เรือนจำ", "คุก", "นักโทษ", "ผู้ต้องขัง", "ปล่อยตัว", "พ้นโทษ", "ความรุนแรง"],
        *["ก่อการร้าย", "สุดโต่ง", "ตำรวจ", "คดี", "อาชญา"],
        *["ผู้ต้องหา", "จับกุม", "อาวุธ", "ข่มขู่"],
    ],
}
# Words that nobody may ever read here, lock screen or not (style.md).
NEVER_AT_ALL = ("ex-prisoner", "offender", "extremist", "terrorist", "suspect", "inmate")
# What can notify: every message of the chat. Buttons do not show on a lock screen.
MESSAGES = (
    "form",
    "family",
    "home",
    "join",
    "matter",
    "thread",
    "worker",
    "desk",
    "steward",
    "mentor",
    "group",
    "chat",
    "privacy",
    "leaving",
    "move",
    "alarm",
    "error",
    "words",
    "text",
    *["circle", "device", "line", "link", "member", "members", "needs", "own", "phone"],
    *["remind", "reminders", "wellbeing"],
)
# Shown only as a quiet edit of the message that was just pressed (Reply(details=True)).
DETAILS = {
    "worker.blind_offer",
    "mentor.how_is_it",
    "mentor.save",
    "mentor.save_crisis",
    "mentor.course_step",
}


def message_keys() -> list[str]:
    """Keys of whole messages: not the choices below a question, which are buttons."""
    keys = [k for k in LOCALES["en"] if k.split(".")[0] in MESSAGES and k not in DETAILS]
    return [k for k in keys if not (k.startswith("form.") and k.count(".") > 1)]


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
def test_every_language_has_every_key_with_the_same_placeholders(language: str) -> None:
    english, words = LOCALES["en"], LOCALES[language]
    assert set(words) == set(english)
    for key, text in english.items():
        assert words[key].strip(), key
        assert sorted(PLACEHOLDER.findall(words[key])) == sorted(PLACEHOLDER.findall(text)), key
        assert "\\" not in words[key], f"{key}: a backslash would be shown as one"


def test_every_key_that_the_code_names_has_words() -> None:
    missing = [key for key in _keys_in_code() if key not in LOCALES["en"]]
    assert not missing


def test_every_value_of_the_catalogue_has_words() -> None:
    pathways, programmes = CATALOGUE.pathways.values(), CATALOGUE.programmes.values()
    wanted = {f"category.{c}" for c in CATALOGUE.categories} | {
        f"language.{la}" for la in CATALOGUE.languages
    }
    for pathway in pathways:
        wanted |= {f"pathway.{pathway.id}"} | {f"kind.{k}" for k in pathway.receivers}
        wanted |= {f"decline.{r}" for r in pathway.decline_reasons} | {
            f"unmet.{r}" for r in pathway.unmet_reasons
        }
        for question in pathway.form.questions:
            if question.where == "chat":
                wanted |= {f"form.{question.id}"} | {f"form.{question.id}.{c}" for c in question.choices}
    for programme in programmes:
        wanted |= {f"phase.{phase.id}" for phase in programme.phases}
    assert not wanted - set(LOCALES["en"])


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
@pytest.mark.parametrize("key", message_keys())
def test_what_can_notify_is_neutral(key: str, language: str) -> None:
    shown = (
        Texts(LOCALES)
        .say(key, language, "Asia/Bangkok", dict.fromkeys(_all_placeholders(), "7K2-94F"))
        .lower()
    )
    for word in NEVER_ON_A_LOCK_SCREEN[language]:
        assert word not in shown, f"{key}: {word}"
    for name in _names_of_the_network() | _needs(language):
        assert name.lower() not in shown, f"{key}: {name}"


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
def test_every_first_reminder_says_how_to_stop_it(language: str) -> None:
    first = ["mentor.check_in_due", "mentor.several_due", "form.wellbeing.state"]
    first += [f"form.{form}.state" for form in ("own-check-in", "family-check-in")]
    assert [key for key in first if "STOP" not in LOCALES[language][key]] == []


@pytest.mark.parametrize("key", sorted(LOCALES["en"]))
def test_no_word_that_brands_a_person(key: str) -> None:
    for word in NEVER_AT_ALL:
        assert word not in LOCALES["en"][key].lower()


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
@pytest.mark.parametrize("key", ["bot.description", "bot.short_description", "menu.button"])
def test_the_bots_own_name_and_description_are_neutral(key: str, language: str) -> None:
    assert not [w for w in NEVER_ON_A_LOCK_SCREEN[language] if w in LOCALES[language][key].lower()]


def test_details_are_only_ever_edits() -> None:
    """A text that shows more than a lock screen may stands in a Reply with details=True, nowhere else."""
    found: dict[str, list[bool]] = {}
    for path in [*(ROOT / "handlers").glob("*.py"), *(ROOT / "referrals/service").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                details = any(k.arg == "details" for k in node.keywords) or _calls(node, "_reply")
                for value in node.args:
                    if isinstance(value, ast.Constant) and value.value in DETAILS:
                        found.setdefault(str(value.value), []).append(details)
    assert all(all(quiet) for quiet in found.values()), found


def _calls(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name


def _keys_in_code() -> set[str]:
    """String constants of handlers and services that look like text keys."""
    prefixes = {key.split(".")[0] for key in LOCALES["en"]}
    found = set()
    for path in [*(ROOT / "handlers").glob("*.py"), *(ROOT / "referrals").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            # What ends with '_' is the beginning of a key that is put together ('button.weeks_1').
            if isinstance(value, str) and re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.[a-z_]*[a-z]", value):
                found.add(value)
    return {key for key in found if key.split(".")[0] in prefixes and key not in _NOT_TEXTS}


# Button verbs that look like text keys.
_NOT_TEXTS = set(PRESSES)


def _all_placeholders() -> set[str]:
    return {p[1:-1] for words in LOCALES["en"].values() for p in PLACEHOLDER.findall(words)}


def _names_of_the_network() -> set[str]:
    areas = {name for area in NETWORK.areas for name in area.names.values()}
    services = {name for service in NETWORK.services for name in service.names.values()}
    return areas | services | {name for o in NETWORK.organizations for name in o.names.values()}


def _needs(language: str) -> set[str]:
    return {LOCALES[language][f"category.{c}"] for c in CATALOGUE.categories}
