"""A programme changes while people are in it: pinned, kept, shown, applied; and a file that vanished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from referrals.access import Action
from referrals.catalogue import Catalogue
from referrals.catalogue_parsing import parse_catalogue
from referrals.errors import ConfigurationError, NotAllowed
from referrals.members import Enrolment, KeptProgramme
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.service import timers
from referrals.service.members import programmes
from referrals.service.programme import versions
from storage.connection import parse_url
from tests.rules.test_catalogue_parsing import files
from tests.support.network import CATALOGUE, STEWARD, Small
from tests.support.store import SettableClock, open_store

CLUB = "programmes/return-home-club.toml"


def catalogue(*changes: tuple[str, str], version: int | None = None) -> Catalogue:
    """The product's catalogue with some pieces of the club's file changed."""
    texts = files()
    if version is not None:
        changes = (("\nversion = 1\n", f"\nversion = {version}\n"), *changes)
    for old, new in changes:
        assert old in texts[CLUB], old
        texts[CLUB] = texts[CLUB].replace(old, new)
    return replace(parse_catalogue(texts), texts=CATALOGUE.texts)


NEWER = catalogue(
    ('id = "settled"\nevery = "FREQ=MONTHLY"', 'id = "at-home"\nevery = "FREQ=MONTHLY"'),
    ('to = "settled"', 'to = "at-home"'),
    ('every = "FREQ=WEEKLY"\nat = "18:00"', 'every = "FREQ=WEEKLY"\nat = "17:00"'),
    version=2,
)


class Reopened:
    """The demo's network whose product is started again and again, each time with another catalogue."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, SettableClock()
        self.net = Small(open_store(url, self.clock, CATALOGUE), self.clock)
        self.hasna = self.net.person(41, "mentor-1")
        self.net.store.run(timers.begin)

    def with_catalogue(self, found: Catalogue) -> Small:
        """Stop, and start with this one."""
        self.net.store.close()
        self.net = Small.around(open_store(self.url, self.clock, found), self.clock)
        self.net.store.run(timers.begin)
        return self.net

    def member(self, code: str) -> Enrolment:
        (found,) = self.net.store.run(lambda tx: tx.find(Enrolment, code=code))
        return found


@pytest.fixture
def product(database_url: str) -> Iterator[Reopened]:
    assert parse_url(database_url)
    found = Reopened(database_url)
    yield found
    found.net.store.close()


def test_whoever_is_in_a_version_stays_in_it(product: Reopened) -> None:
    net = product.with_catalogue(NEWER)
    member = product.member("K7-29")
    assert member.programme_version == 1
    pinned = net.store.run(lambda tx: programmes.phase_of(tx, member))
    assert pinned.at.hour == 18, "the newer version would ask at five"
    net.passes(timedelta(days=8))  # reminders of both versions go on
    assert product.member("K7-29").programme_version == 1


def test_the_change_is_shown_and_then_applied(product: Reopened) -> None:
    net = product.with_catalogue(NEWER)
    net.said()
    shown = net.store.run(versions.preview, "return-home-club", {})
    assert {g.phase: (g.people, g.landing) for g in shown.groups} == {
        "preparing-release": (1, "preparing-release"),
        "first-90-days": (2, "first-90-days"),
        "settled": (1, ""),
    }
    assert "version 1: phase settled: phase gone: settled -> -" in shown.differences
    assert any("18:00 -> FREQ=WEEKLY at 17:00" in line for line in shown.differences)
    assert not [code for group in shown.groups for code in group.codes], "codes only for a named steward"
    named = net.store.run(versions.preview, "return-home-club", {}, codes=True)
    (line,) = [code for g in named.groups for code in g.codes if code.startswith("K7-29")]
    assert " 18:00 -> " in line
    assert line.endswith(" 17:00")
    assert named.digest == shown.digest
    applied(net, {}, shown.digest)
    assert (product.member("K7-29").programme_version, product.member("K7-29").phase) == (2, "first-90-days")
    assert product.member("M3-04").programme_version == 1, "nobody has said where they go on"
    assert [text for who, text in net.said() if who == product.hasna] == ["mentor.rhythm_changed"]
    renamed = {"settled": "at-home"}
    applied(net, renamed, net.store.run(versions.preview, "return-home-club", renamed).digest)
    assert (product.member("M3-04").programme_version, product.member("M3-04").phase) == (2, "at-home")
    net.passes(timedelta(days=1, minutes=1))
    assert [k.id for k in net.store.run(lambda tx: tx.find(KeptProgramme))] == ["return-home-club@2"]


def applied(net: Small, renamed: dict[str, str], shown: str) -> None:
    """What `programmes apply` does."""
    found = net.store.run(versions.begin_apply, STEWARD, "return-home-club", renamed, shown)
    for group in found.groups:
        while group.landing and net.store.run(versions.apply_some, STEWARD, group, found.programme, renamed):
            pass


def test_only_what_was_shown_is_applied_and_only_by_a_steward(product: Reopened) -> None:
    net = product.with_catalogue(NEWER)
    with pytest.raises(ConfigurationError, match="changed since the check"):
        net.store.run(versions.begin_apply, STEWARD, "return-home-club", {}, "0123456789ab")
    mentor = Actor(product.hasna, Role.MENTOR)
    with pytest.raises(NotAllowed):
        net.store.run(versions.look, mentor, "return-home-club")
    with pytest.raises(ConfigurationError, match="no phase of the newer version"):
        net.store.run(versions.preview, "return-home-club", {"settled": "nowhere"})
    with pytest.raises(ConfigurationError, match="the catalogue has: family-circle"):
        net.store.run(versions.preview, "never", {})
    assert product.member("K7-29").programme_version == 1


def test_the_same_version_with_another_meaning_is_refused_at_the_start(product: Reopened) -> None:
    changed = catalogue(('at = "16:00"', 'at = "15:00"'))
    with pytest.raises(ConfigurationError) as refused:
        product.with_catalogue(changed)
    for words in ("return-home-club.toml", "version 1 says something else", "write version = 2"):
        assert words in str(refused.value)
    product.with_catalogue(catalogue(("# Peers who keep", "# Friends who keep")))  # a comment means nothing


def test_a_file_that_vanished_serves_on(product: Reopened) -> None:
    texts = files()
    del texts[CLUB]
    net = product.with_catalogue(replace(parse_catalogue(texts), texts=CATALOGUE.texts))
    member = product.member("K7-29")
    assert net.store.run(lambda tx: programmes.phase_of(tx, member)).id == "first-90-days"
    net.passes(timedelta(days=15))
    assert net.store.run(versions.people_in, "return-home-club") == {1: 4}


def test_a_lost_version_is_named_at_the_start(product: Reopened) -> None:
    def lose(tx: Tx) -> None:
        for kept in tx.find(KeptProgramme):
            tx.remove(kept)
            tx.audit(AuditEntry(STEWARD, Action.RETENTION, f"programme:{kept.id}"))

    product.net.store.run(lose)
    with pytest.raises(ConfigurationError) as refused:
        product.with_catalogue(NEWER)
    assert "somebody is in version 1" in str(refused.value)
    assert "put the file of that version back" in str(refused.value)


def test_stewards_hear_once_when_holidays_end(product: Reopened) -> None:
    steward = product.net.person(31, "steward-1")
    soon = replace(CATALOGUE, holidays_until={"thailand": date(2027, 1, 10)})
    net = product.with_catalogue(soon)
    net.said()
    assert net.store.run(versions.ending_holidays) == ["thailand"]
    net.passes(timedelta(days=3))
    heard = [text for who, text in net.said() if who == steward]
    assert heard.count("steward.holidays_end") == 1
