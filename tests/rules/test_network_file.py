"""Network files: what is read, every mistake with its place and mend, and what applying one would change."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.directory import Capacity, EmergencyLine, Hours, OrganizationKind
from referrals.errors import ConfigurationError
from referrals.model import AgeGroup, DataClass, Role
from referrals.network_diff import Sign, diff_network
from referrals.network_file import NetworkFile, as_network, parse_network
from storage.catalogue_files import read_catalogue, read_network

CATALOGUE = read_catalogue(Path(__file__).parents[2] / "catalogue")
FILE = "network.toml"
SMALL = """\
[[area]]
id = "south"
names = { en = "South", th = "ใต้" }
emergency_lines = [{ number = "1669", names = { en = "Ambulance" } }, "1323"]

[[area]]
id = "town"
parent = "south"
names = { en = "Town" }

[[organization]]
id = "bua"
names = { en = "Bua House" }
kind = "cso"
timezone = "Asia/Bangkok"
hours = ["mon-fri 13:00-16:30", "mon-fri 08:30-12:00", "sun 20:00-24:00"]
holidays = [2026-12-31]

[[service]]
id = "bua-visits"
organization = "bua"
names = { en = "Travelling together" }
categories = ["family.visits"]
areas = ["town"]
languages = ["th"]
capacity = "limited"
capacity_confirmed_on = 2026-11-16

[[agreement]]
id = "bua-2026"
organization = "bua"
purposes = ["support of families"]
pathways = ["family-support"]
classes = ["routing", "contact"]
starts_on = 2026-01-01
ends_on = 2036-12-31
review_on = 2027-01-01
signatories = ["the network", "Bua House"]

[[seat]]
id = "desk-1"
role = "coordinator"

[[seat]]
id = "bua-1"
role = "worker"
organization = "bua"

[[seat]]
id = "mentor-1"
role = "mentor"

[[seat]]
id = "mentor-2"
role = "mentor"

[[duty]]
id = "days"
seat = "desk-1"
days = "sat-mon"
from = "08:00"
to = "24:00"
timezone = "Asia/Bangkok"

[[poster]]
id = "Welcome_1"
pathway = "family-support"
language = "th"

[[mentor]]
id = "mentor-1"
languages = ["th", "en"]
areas = ["south"]
gender = "woman"
most = 8
not_with = ["m3 04"]

[[enrolment]]
code = "K7-29"
programme = "return-home-club"
phase = "settled"
mentor = "mentor-1"
backup = "mentor-2"
timezone = "Asia/Bangkok"
"""


def read(text: str = SMALL) -> NetworkFile:
    return parse_network(text, FILE, CATALOGUE)


def test_what_a_file_says_stands_in_the_directory() -> None:
    network = read()
    directory = network.directory()
    assert directory.ancestors["town"] == ("town", "south")
    ambulance = EmergencyLine("1669", {"en": "Ambulance"})
    assert directory.areas["south"].emergency_lines == (ambulance, EmergencyLine("1323"))
    bua = directory.organizations["bua"]
    assert (bua.kind, bua.names, bua.holidays) == (
        OrganizationKind.CSO,
        {"en": "Bua House"},
        (date(2026, 12, 31),),
    )
    assert bua.hours[:2] == (Hours(0, time(8, 30), time(12)), Hours(0, time(13), time(16, 30)))
    assert bua.hours[-1] == Hours(6, time(20), time(23, 59))
    visits = directory.services["bua-visits"]
    assert visits.capacity is Capacity.LIMITED
    assert visits.ages == (AgeGroup.YOUNG, AgeGroup.ADULT, AgeGroup.OLDER)
    assert directory.agreements[0].classes == (DataClass.ROUTING, DataClass.CONTACT)
    assert [(s.id, s.role, s.organization_id, s.person_id) for s in network.seats[:2]] == [
        ("desk-1", Role.COORDINATOR, None, None),
        ("bua-1", Role.WORKER, "bua", None),
    ]
    assert [(d.id, d.weekday, d.ends) for d in network.duties] == [
        ("days.sat", 5, time(23, 59)),
        ("days.sun", 6, time(23, 59)),
        ("days.mon", 0, time(23, 59)),
    ]
    assert directory.posters["Welcome_1"].language == "th"
    assert (network.enrolments[0].id, network.enrolments[0].backup_seat) == ("K7-29", "mentor-2")
    mentor = network.mentors[0]
    assert (mentor.id, mentor.gender, mentor.most, mentor.not_with) == ("mentor-1", "woman", 8, ("M3-04",))


def test_a_service_vetted_for_children_serves_everybody_unless_it_says_otherwise() -> None:
    network = read(SMALL.replace('languages = ["th"]', 'languages = ["th"]\nchildren_vetted = true'))
    assert network.services[0].ages == tuple(AgeGroup)


def test_an_empty_file_is_an_empty_network() -> None:
    assert read("") == NetworkFile()


# What stands there, what is written instead, and words of the place, the mistake and the mend.
MISTAKES = [
    ("[[area]]", "[[area]", ("network.toml:1", "not TOML", "correct the line")),
    ("[[poster]]", "[[posters]]", (FILE, "'posters' is not known", "did you mean 'poster'")),
    ('id = "south"', 'id = "south"\nformerly = ["town"]', ("[[area]] south", "'town'", "still stands")),
    ('parent = "south"', 'parent = "sout"', ("[[area]] town", "'sout'", "did you mean 'south'")),
    ('id = "south"', 'id = "south"\nparent = "town"', ("[[area]] south", "circle: south in town", "outside")),
    (
        'id = "south"',
        'id = "south"\nparent = "south"',
        ("[[area]] south", "circle: south in south", "outside"),
    ),
    ('{ en = "Town" }', '{ th = "เมือง" }', ("[[area]] town: [names]", "'en' is missing", "fall back")),
    ('{ en = "Town" }', '{ en = "Town", ms = "Bandar" }', ("[names]", "'ms'", "languages.toml")),
    ('{ en = "Town" }', '"Town"', ("[[area]] town", "'names' is 'Town'", "a table")),
    ('kind = "cso"', 'kind = "ngo"', ("[[organization]] bua", "'ngo'", "did you mean 'ingo'")),
    ('kind = "cso"', "", ("[[organization]] bua", "'kind' is missing", 'kind = "')),
    ('zone = "Asia/Bangkok"\nhours', 'zone = "Asia/Pattani"\nhours', ("bua", "Asia/Pattani", "IANA name")),
    ('zone = "Asia/Bangkok"\nhours', 'zone = "../secret"\nhours', ("bua", "../secret", "IANA name")),
    ('zone = "Asia/Bangkok"\nhours', 'zone = "Asia"\nhours', ("bua", "'Asia'", "IANA name")),
    ("mon-fri 08:30-12:00", "mon-fri 8:30-12:00", ("bua", "8:30", "'mon-fri 08:30-12:00'")),
    ("mon-fri 08:30-12:00", "mon-fri 12:30-08:00", ("bua", "12:30-08:00", "write days and times")),
    ("mon-fri 08:30-12:00", "mon-fry 08:30-12:00", ("bua", "mon-fry", "write days and times")),
    ("mon-fri 08:30-12:00", "wed 16:00-17:00", ("bua", "overlaps", "join them")),
    ("hours = [", "# [", ("[[organization]] bua", "'holidays' means nothing", "add hours")),
    ("[2026-12-31]", '["2026-12-31"]', ("[[organization]] bua", "'holidays'", "holidays = [2026-01-31]")),
    (
        '["family.visits"]',
        '["family.visit"]',
        ("[[service]] bua-visits", "'family.visit'", "'family.visits'"),
    ),
    ('["family.visits"]', "[]", ("[[service]] bua-visits", "is empty", "at least one")),
    ('areas = ["town"]', 'areas = ["twon"]', ("[[service]] bua-visits", "'twon'", "did you mean 'town'")),
    ('languages = ["th"]', 'languages = ["ms"]', ("[[service]] bua-visits", "'ms'", "use one of: en, th")),
    ('languages = ["th"]', 'languages = "th"', ("[[service]] bua-visits", "'languages' is 'th'", '["…"]')),
    ('"limited"', '"few"', ("[[service]] bua-visits", "'few'", "full, limited, open, paused")),
    ('"limited"', '"open"\nages = ["child"]', ("[[service]] bua-visits", "names children", "vet")),
    (
        '"limited"',
        '"open"\nnot_needed = ["fees"]',
        ("[[service]] bua-visits", "'fees'", "did you mean 'fee'"),
    ),
    ('"limited"', '"open"\nopen = true', ("[[service]] bua-visits", "key 'open' is not known", "use one of")),
    ('organization = "bua"\nnames', 'organization = "b"\nnames', ("[[service]] bua-visits", "'b'", "bua")),
    ('organization = "bua"\npur', 'organization = "bau"\npur', ("[[agreement]] bua-2026", "'bau'", "'bua'")),
    ("ends_on = 2036-12-31", "ends_on = 2025-12-31", ("[[agreement]]", "before starts_on", "two dates")),
    ("review_on = 2027-01-01", "review_on = 2040-01-01", ("[[agreement]]", "'review_on'", "choose a day")),
    ("ends_on = 2036-12-31", 'ends_on = "2036"', ("[[agreement]]", "'ends_on' is '2036'", "without quotes")),
    ("ends_on = 2036-12-31", "ends_on = 2036-12-31T09:00:00Z", ("[[agreement]]", "'ends_on'", "a date")),
    ('"routing", "contact"', '"routing", "name"', ("[[agreement]]", "'name'", "use one of")),
    ('"family-support"]', '"family"]', ("[[agreement]]", "'family'", "family-support")),
    ('role = "worker"', 'role = "family"', ("[[seat]] bua-1", "is 'family'", "[[poster]]")),
    ('role = "worker"\norganization = "bua"', 'role = "worker"', ("[[seat]] bua-1", "missing", "belongs")),
    ('seat = "desk-1"', 'seat = "desk-9"', ("[[duty]] days", "'desk-9'", "did you mean 'desk-1'")),
    ('seat = "desk-1"', 'seat = "bua-1"', ("[[duty]] days", "no coordinator", "coordinators only")),
    ('days = "sat-mon"', 'days = "weekend"', ("[[duty]] days", "'weekend'", "'mon-fri'")),
    ('to = "24:00"', 'to = "07:00"', ("[[duty]] days", "not after 'from'", "two blocks")),
    ('to = "24:00"', 'to = "24:30"', ("[[duty]] days", "'24:30'", '"08:30"')),
    ('"Welcome_1"', '"Welcome!"', ("[[poster]] Welcome!", "'Welcome!'", "at most 64")),
    ('pathway = "family-support"', 'pathway = "help"', ("[[poster]]", "'help'", "family-support")),
    ('language = "th"', 'language = "ms"', ("[[poster]]", "'ms'", "use one of: en, th")),
    ('"K7-29"', '"Somchai"', ("[[enrolment]] Somchai", "'Somchai'", "looks like K7-29")),
    ('"return-home-club"', '"club"', ("[[enrolment]] K7-29", "'club'", "return-home-club")),
    ('phase = "settled"', 'phase = "setled"', ("[[enrolment]] K7-29", "'setled'", "did you mean 'settled'")),
    ('mentor = "mentor-1"', 'mentor = "bua-1"', ("[[enrolment]] K7-29", "no mentor", "seat of a mentor")),
    ('backup = "mentor-2"', 'backup = "mentor-1"', ("[[enrolment]] K7-29", "is the mentor", "another")),
    ('id = "mentor-2"', 'id = "mentor-1"', ("[[seat]] mentor-1", "second time", "another id")),
    ("most = 8", "most = 0", ("[[mentor]] mentor-1", "is 0", "from 1 to 100")),
    ('gender = "woman"', 'gender = "x"', ("[[mentor]] mentor-1", "'x'", "woman or man")),
    ('"m3 04"', '"Somchai"', ("[[mentor]] mentor-1", "'Somchai'", "such as K7-29")),
    ('id = "mentor-1"\nlanguages', 'id = "bua-1"\nlanguages', ("[[mentor]] bua-1", "no mentor", "seat of")),
    ('areas = ["south"]\ngender', 'areas = ["soth"]\ngender', ("[[mentor]]", "'soth'", "mean 'south'")),
    ('id = "town"', 'id = "Town 1"', ("[[area]] Town 1", "'Town 1'", "small letters")),
    ('id = "town"', 'id = "' + "t" * 41 + '"', ("[[area]]", "ttt", "at most 40")),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES)
def test_a_mistake_is_named_with_place_and_mend(old: str, new: str, said: tuple[str, ...]) -> None:
    assert old in SMALL
    with pytest.raises(ConfigurationError) as refused:
        read(SMALL.replace(old, new, 1))
    for words in said:
        assert words in str(refused.value)


def test_a_block_is_named_with_its_line() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(SMALL.replace('"limited"', '"few"'))
    assert refused.value.where == "network.toml:19: [[service]] bua-visits, capacity"


def test_all_mistakes_come_together_each_once() -> None:
    text = SMALL.replace('seat = "desk-1"', 'seat = "desk-9"').replace('"limited"', '"few"')
    with pytest.raises(ConfigurationError) as refused:
        read(text.replace('"K7-29"', '""'))
    assert refused.value.what.startswith("3 mistakes")  # though the duty stands for three weekdays


def test_a_large_circle_names_everybody_in_it() -> None:
    text = "".join(
        f'[[area]]\nid = "a{n}"\nparent = "a{(n + 1) % 4}"\nnames = {{ en = "x" }}\n' for n in range(4)
    )
    with pytest.raises(ConfigurationError, match="4 mistakes"):
        read(text + '[[area]]\nid = "b"\nparent = "a0"\nnames = { en = "x" }\n')


toml_values = st.sampled_from(["1", '"x"', "[]", "true", "2026-01-01", "{ a = 1 }", '["x"]', "[[1]]", '""'])


@given(st.integers(0, 200), toml_values)
def test_no_line_can_break_more_than_the_start(line: int, value: str) -> None:
    lines = SMALL.splitlines()
    at = [n for n, text in enumerate(lines) if "=" in text]
    chosen = at[line % len(at)]
    lines[chosen] = lines[chosen].split("=")[0] + "= " + value
    with suppress(ConfigurationError):
        read("\n".join(lines))


# -- what would change -------------------------------------------------------------------------------


def lines_of(old: NetworkFile, new: NetworkFile) -> list[str]:
    return [line for change in diff_network(old, new) for line in change.lines()]


def test_the_same_file_changes_nothing() -> None:
    assert diff_network(read(), read()) == ()


def test_what_lives_in_the_store_only_is_no_difference() -> None:
    network = read()
    filled = [replace(seat, person_id="p1", on_duty=False, version=9) for seat in network.seats]
    stored = as_network(network.directory(), filled, network.enrolments, network.mentors)
    assert diff_network(stored, network) == ()


def test_changes_are_told_line_by_line() -> None:
    other = SMALL.replace('"limited"', '"full"').replace("2026-11-16", "2026-11-20")
    other = other.replace('id = "mentor-2"', 'id = "mentor-3"').replace('"mentor-2"', '"mentor-3"')
    other = (
        other.replace('th = "ใต้" }', 'th = "ภาคใต้" }').replace("hours = ", "# ").replace("holidays = ", "# ")
    )
    hours = '"mon-fri 13:00-16:30", "mon-fri 08:30-12:00", "sun 20:00-24:00"'
    assert lines_of(read(SMALL.replace(hours, '"sat 09:00-12:00"')), read(other)) == [
        "~ areas south",
        "    names: en South, th ใต้ -> en South, th ภาคใต้",
        "~ organizations bua",
        "    hours: sat 09:00-12:00 -> none",
        "    holidays: 2026-12-31 -> none",
        "~ services bua-visits",
        "    capacity: limited -> full",
        "    capacity_confirmed_on: 2026-11-16 -> 2026-11-20",
        "- seats mentor-2",
        "+ seats mentor-3",
        "    role: mentor",
    ]  # and nothing of K7-29: who has begun lives in the store alone


def test_an_enrolment_only_begins_with_the_file() -> None:
    network, without = read(), replace(read(), enrolments=())
    assert [(c.sign, c.row) for c in diff_network(without, network)] == [(Sign.ADD, "K7-29")]
    assert diff_network(network, without) == ()


def test_what_is_private_about_a_mentor_is_not_said_in_a_dry_run() -> None:
    said = lines_of(NetworkFile(), read())
    assert not [line for line in said if "M3-04" in line]
    assert [line for line in said if "not_with" in line]


def test_everything_is_new_to_an_empty_network_and_gone_without_a_file() -> None:
    network = read()
    count = sum(len(getattr(network, name)) for name in network.__slots__)
    added, removed = diff_network(NetworkFile(), network), diff_network(network, NetworkFile())
    assert {c.sign for c in added} == {Sign.ADD}
    assert {c.sign for c in removed} == {Sign.REMOVE}
    assert len(added) == count == 15
    begun = [(c.table, c.row) for c in added if c.table != "enrolments"]
    assert begun == [(c.table, c.row) for c in removed]


def test_a_network_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read"):
        read_network(tmp_path / "none.toml", CATALOGUE)
    path = tmp_path / "network.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert read_network(path, CATALOGUE) == read()
