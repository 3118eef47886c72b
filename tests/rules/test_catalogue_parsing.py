"""Catalogue files: what is read, and that every mistake is named with file, key and mend."""

from __future__ import annotations

from contextlib import suppress
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.catalogue import Catalogue, QuestionKind, Span
from referrals.catalogue_parsing import parse_catalogue, text_keys
from referrals.errors import ConfigurationError
from referrals.model import DataClass, Role, Stage, Urgency
from storage.catalogue_files import read_catalogue

CATALOGUE_FOLDER = Path(__file__).parents[2] / "catalogue"
PATHWAY = "pathways/family-support.toml"
PROGRAMME = "programmes/return-home-club.toml"
CHECK_IN = "forms/check-in.toml"


def files() -> dict[str, str]:
    """The files of the shipped catalogue: tests break one line of them at a time."""
    paths = [p for p in CATALOGUE_FOLDER.rglob("*.toml") if p.parent.name != "demo"]
    return {p.relative_to(CATALOGUE_FOLDER).as_posix(): p.read_text(encoding="utf-8") for p in paths}


def broken(name: str, old: str, new: str) -> ConfigurationError:
    """What the catalogue says when one piece of one file is another."""
    texts = files()
    assert texts[name].count(old) >= 1, f"{old!r} does not stand in {name}"
    texts[name] = texts[name].replace(old, new, 1)
    with pytest.raises(ConfigurationError) as refused:
        parse_catalogue(texts)
    return refused.value


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return read_catalogue(CATALOGUE_FOLDER)


def test_family_support_says_what_the_domain_says(shipped: Catalogue) -> None:
    pathway = shipped.pathways["family-support"]
    assert Role.FAMILY in pathway.may_file
    assert {"police", "corrections", "probation"}.isdisjoint(pathway.receivers)
    assert len(pathway.receivers) == 8
    assert pathway.categories == (
        "family.visits",
        "family.letters",
        "family.income",
        "family.children",
        "family.talk",
    )
    assert pathway.max_hops == 3
    assert pathway.classes == {
        Stage.OFFERED: (DataClass.ROUTING,),
        Stage.ACCEPTED: (DataClass.ROUTING, DataClass.CONTACT, DataClass.STORY),
    }
    assert "full" in pathway.decline_reasons
    assert "not_entitled" in pathway.unmet_reasons


@pytest.mark.parametrize(
    ("urgency", "acknowledge", "decide", "first_contact_h", "unmatched_h"),
    [
        (Urgency.EMERGENCY, Span(hours=0.5), Span(hours=2), 24, 1),
        (Urgency.URGENT, Span(hours=4), Span(hours=24), 72, 24),
        (Urgency.NORMAL, Span(working_days=1), Span(working_days=2), 14 * 24, 3 * 24),
    ],
)
def test_deadlines_are_those_of_the_domain(
    shipped: Catalogue,
    urgency: Urgency,
    acknowledge: Span,
    decide: Span,
    first_contact_h: float,
    unmatched_h: float,
) -> None:
    deadlines = shipped.pathways["family-support"].deadlines[urgency]
    assert (deadlines.acknowledge, deadlines.decide) == (acknowledge, decide)
    assert deadlines.first_contact == Span(hours=first_contact_h)
    assert deadlines.unmatched == Span(hours=unmatched_h)


def test_the_form_asks_in_the_chat_only_what_may_stand_there(shipped: Catalogue) -> None:
    form = shipped.pathways["family-support"].form
    in_chat = [q.id for q in form.questions if q.where == "chat"]
    assert in_chat == ["language", "privacy", "age_group", "window", "category"]
    assert [q.id for q in form.questions if q.where == "page"] == [
        "area",
        "urgency",
        "exclusions",
        "story",
        "contact",
        "consent",
    ]
    assert [q.id for q in form.questions if q.skip_if_known] == ["language"]
    assert form.expires_after == timedelta(hours=24)
    assert form.questions[0].kind is QuestionKind.LANGUAGE


def test_the_club_has_its_phases(shipped: Catalogue) -> None:
    club = shipped.programmes["return-home-club"]
    means, state = parse_catalogue(files()).forms["check-in"].questions[:2]
    assert means.choices == ("in_person", "call", "message", "not_reached")
    assert state.choices == ("well", "all_right", "struggling", "crisis")
    assert state.when == {"means": ("in_person", "call", "message")}
    assert (club.phase("first-90-days").every, club.phase("first-90-days").at) == ("FREQ=WEEKLY", time(18))
    with pytest.raises(KeyError):
        club.phase("never")


# file, what stands there, what is written instead, and three words that the message must hold:
# the place, the mistake, the mend.
MISTAKES = [
    (PATHWAY, "max_hops = 3", "max_hops = 4", (PATHWAY, "'max_hops' is 4", "from 1 to 3")),
    (PATHWAY, "max_hops = 3", 'max_hops = "3"', (PATHWAY, "'max_hops' is '3'", "max_hops = 1")),
    (PATHWAY, "max_hops = 3", "max_hops = true", (PATHWAY, "'max_hops' is True", "max_hops = 1")),
    (PATHWAY, "max_hops = 3", "", (PATHWAY, "'max_hops' is missing", "add a whole number")),
    (PATHWAY, "max_hops", "max_hop", (PATHWAY, "'max_hop' is not known", "did you mean 'max_hops'")),
    (PATHWAY, '"family.talk"]', '"family.tolk"]', (PATHWAY, "'family.tolk'", "did you mean 'family.talk'")),
    (PATHWAY, '"family.talk"]', '"family.visits"]', (PATHWAY, "twice", "take one of them out")),
    (PATHWAY, "[deadlines.urgent]", "[deadlines.hurry]", (PATHWAY, "'urgent' is missing", "[urgent]")),
    (PATHWAY, '"30 min"', '"1 working day"', ("[emergency]", "counts working days", "write 'h' or 'd'")),
    (PATHWAY, '"14 d"', '"14 working days"', ("[normal]", "counts working days", "round the clock")),
    (PATHWAY, '"30 min"', '"half an hour"', ("acknowledge", "half an hour", "'30 min'")),
    (PATHWAY, '"30 min"', '"0 min"', ("acknowledge", "'0 min'", "'30 min'")),
    (PATHWAY, 'offered = ["routing"]', 'offered = ["routing", "story"]', ("[classes]", "more than", "blind")),
    (
        PATHWAY,
        'offered = ["routing"]',
        'waitlisted = ["routing"]',
        ("[classes]", "lacks routing", "offered ="),
    ),
    (PATHWAY, "accepted = [", "expired = [", ("[classes]", "'expired' is not known", "use one of")),
    (PATHWAY, '"employer", ', '"employers", ', ("receivers", "'employers'", "did you mean 'employer'")),
    (PATHWAY, 'id = "family-support"', 'id = "family"', (PATHWAY, "is 'family'", "family.toml")),
    (PATHWAY, '"cannot_in_time"', '"Cannot in time"', ("decline_reasons", "Cannot in time", "small letters")),
    (PATHWAY, 'kind = "confirm"', 'kind = "confirms"', ("[[question]] privacy", "'confirms'", "'confirm'")),
    (PATHWAY, 'id = "window"', 'id = "privacy"', ("[[question]] privacy", "second time", "another id")),
    (PATHWAY, '"any_time"', '"anytime"', ("[[question]] window", "'anytime'", "did you mean 'any_time'")),
    (PATHWAY, 'kind = "area"\nwhere = "page"', 'kind = "area"', ("area", "is the chat", 'where = "page"')),
    (PATHWAY, 'where = "page"', 'where = "paper"', ("area", "is 'paper'", "'chat' or 'page'")),
    (PATHWAY, "in_chat = true", "in_chat = false", ("category", "asked in the chat", 'where = "page"')),
    (
        PATHWAY,
        '[[form.question]]\nid = "language"',
        '[[form.query]]\nid = "language"',
        ("[form]", "'query'", "use one of"),
    ),
    (PATHWAY, "version = 1", "version = ", (f"{PATHWAY}:5", "not TOML", "correct the line")),
    (CHECK_IN, '"not_reached"', '"missed"', ("[[question]] means", "lacks 'not_reached'", "add it")),
    (CHECK_IN, '"crisis"', '"bad"', ("[[question]] danger: [when]", "'crisis' is not known", "use one of")),
    (CHECK_IN, "{ means =", "{ way =", ("[[question]] state: [when]", "'way' is not known", "means")),
    (CHECK_IN, '"work.job"', '"work.jobs"', ("[[question]] needs", "'work.jobs'", "work.job")),
    (CHECK_IN, '"work.job"', '"member.health"', ("needs", "shows 'member.health' in the chat", "on a page")),
    (CHECK_IN, "required = false", "required = true", ("[[question]] needs", "nobody must need anything")),
    (PROGRAMME, '"10:00"', '"25:00"', ("[[phase]] in-custody", "25:00", '"08:30"')),
    (PROGRAMME, 'every = "FREQ=MONTHLY"', "every = 30", ("[[phase]] in-custody", "every")),
    (PROGRAMME, 'id = "settled"', 'id = "in-custody"', ("[[phase]] in-custody", "second time", "another id")),
    ("languages.toml", 'id = "en"', 'id = "eng"', ("languages.toml", "lacks 'en'", "fall back")),
    ("languages.toml", 'name = "English"', 'name = ""', ("[[language]] en", "is empty", "take the line out")),
    (
        "categories.toml",
        'id = "family.talk"',
        'id = "Family talk"',
        ("categories.toml:15", "Family talk", "small"),
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES)
def test_a_mistake_is_named_with_place_and_mend(name: str, old: str, new: str, said: tuple[str, ...]) -> None:
    message = str(broken(name, old, new))
    for words in said:
        assert words in message
    assert "To mend it:" in message


def test_all_mistakes_of_all_files_come_together() -> None:
    texts = files()
    texts[PATHWAY] = texts[PATHWAY].replace("max_hops = 3", "max_hops = 9").replace('"2 h"', '"2 hours"')
    texts[PROGRAMME] = texts[PROGRAMME].replace("version = 1", 'version = "1"')
    with pytest.raises(ConfigurationError) as refused:
        parse_catalogue(texts)
    assert refused.value.what.startswith("3 mistakes")
    assert str(refused.value).count("To mend it:") == 4  # one for each, and one for all


def test_a_missing_file_is_named() -> None:
    texts = files()
    del texts["languages.toml"]
    with pytest.raises(ConfigurationError, match=r"languages\.toml: the file is missing"):
        parse_catalogue(texts)


def test_the_catalogue_says_which_words_it_needs(shipped: Catalogue) -> None:
    keys = text_keys(shipped)
    assert {
        "category.family.visits",
        "pathway.family-support",
        "form.privacy",
        "form.privacy.yes",
        "form.window.only_answers",
        "kind.faith",
        "decline.cannot_in_time",
        "unmet.too_late",
        "class.story",
        "means.not_reached",
        "state.crisis",
        "language.th",
    } <= keys
    assert not keys & {"form.story", "kind.police", "class.wellbeing"}
    assert len(keys) >= 73


def test_one_more_pathway_is_one_more_file() -> None:
    texts = files()
    texts["pathways/another.toml"] = texts[PATHWAY].replace('id = "family-support"', 'id = "another"')
    assert set(parse_catalogue(texts).pathways) == {*parse_catalogue(files()).pathways, "another"}


def test_a_form_of_its_own_is_read() -> None:
    texts = files()
    texts["forms/mentor.toml"] = """
        id = "mentor"
        version = 2
        [[question]]
        id = "mood"
        kind = "choice"
        choices = ["good", "tired"]
    """
    form = parse_catalogue(texts).forms["mentor"]
    assert (form.version, form.questions[0].choices) == (2, ("good", "tired"))


# -- from disk ---------------------------------------------------------------------------------------


def test_folders_and_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        read_catalogue(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="2 mistakes"):
        read_catalogue(tmp_path)
    (tmp_path / "languages.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="save the file as UTF-8"):
        read_catalogue(tmp_path)
    (tmp_path / "languages.toml").unlink()
    (tmp_path / "languages.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_catalogue(tmp_path)


toml_values = st.sampled_from(["1", '"x"', "[]", "true", "2026-01-01", "{ a = 1 }", "[[1]]", '""', "1.5"])


@given(st.sampled_from(sorted(files())), st.integers(0, 200), toml_values)
def test_no_line_of_any_file_can_break_more_than_the_start(name: str, line: int, value: str) -> None:
    """Whatever stands behind a '=' is read or refused as configuration, never an accident."""
    texts = files()
    lines = texts[name].splitlines()
    at = [n for n, text in enumerate(lines) if "=" in text and not text.startswith("#")]
    chosen = at[line % len(at)]
    lines[chosen] = lines[chosen].split("=")[0] + "= " + value
    texts[name] = "\n".join(lines)
    with suppress(ConfigurationError):
        parse_catalogue(texts)


def test_what_no_chat_may_show_is_chosen_on_the_page() -> None:
    texts = files()
    name = "pathways/member-support.toml"
    texts[name] = texts[name].replace('kind = "category"\nwhere = "page"', 'kind = "category"')
    with pytest.raises(ConfigurationError, match=r"member\.health.*may not be in a chat"):
        parse_catalogue(texts)


def test_at_least_one_in_ten_is_asked_whether_their_yes_is_true() -> None:
    texts = files()
    name = "pathways/vocational.toml"
    texts[name] = texts[name].replace("asked_percent = 20", "asked_percent = 9")
    with pytest.raises(ConfigurationError, match="asked_percent"):
        parse_catalogue(texts)


@pytest.mark.parametrize(
    ("written", "instead", "named"),
    [
        ('needs_classes = ["safety"]', 'needs_classes = ["secret"]', "needs_classes"),
        ('urgent = ["complaint.abuse"]', 'urgent = ["family.visits"]', "urgent"),
        ("desk_sees = false", 'desk_sees = "no"', "desk_sees"),
    ],
)
def test_who_must_be_designated_and_what_is_urgent_is_checked(written: str, instead: str, named: str) -> None:
    texts = files()
    name = "pathways/complaint.toml"
    assert written in texts[name]
    texts[name] = texts[name].replace(written, instead)
    with pytest.raises(ConfigurationError, match=named):
        parse_catalogue(texts)


def test_what_can_be_asked_for_is_never_a_part_that_partners_do() -> None:
    pathways = parse_catalogue(files()).pathways
    assert pathways["release-plan"].needs == ("release.plan",)
    assert pathways["dialogue-circle"].needs == ("dialogue.circle",)
    assert pathways["complaint"].needs == pathways["complaint"].categories
