"""python -m bot programmes: what a steward sees before a programme changes for anybody, and doing it."""

from __future__ import annotations

import re
import shutil

from bot.commands.common import opened
from bot.settings import load_settings
from referrals.members import Enrolment
from referrals.service import timers
from tests.contract.bot.test_commands import NETWORK, Place, place
from tests.support.network import ROOT, Small
from tests.support.simulator import Telegram
from tests.support.store import SettableClock

assert place is not None  # a fixture

BAD_WORDS = [
    (("check",), "which programme?"),
    (("check", "never"), "there is no such file"),
    (("check", "return-home-club", "--phase", "settled"), "write --phase OLD=NEW"),
    (("check", "return-home-club", "--phase", "settled=moon"), "is no phase of the newer version"),
    (("check", "return-home-club", "--by", "nobody-1"), "is not the seat of a steward"),
]


async def test_a_newer_version_is_listed_checked_and_applied(place: Place, telegram: Telegram) -> None:
    catalogue = place.folder / "catalogue"
    shutil.copytree(ROOT / "catalogue", catalogue)
    place.write(CATALOGUE=str(catalogue))
    await place.bot("init")
    await place.bot("network", "apply", str(NETWORK))
    with opened(load_settings(place.settings)) as store:  # as the product's start does
        store.run(timers.begin)
        Small.around(store, SettableClock()).person(31, "steward-1")
    listed = await place.bot("programmes", "list")
    assert "return-home-club: version 1; people: 4 in version 1" in listed

    club = catalogue / "programmes" / "return-home-club.toml"
    changed = club.read_text().replace(
        'every = "FREQ=WEEKLY"\nat = "18:00"', 'every = "FREQ=DAILY"\nat = "18:00"'
    )
    club.write_text(changed)
    refused = await place.bot("programmes", "list", status=2)
    assert "version 1 says something else" in refused
    assert "write version = 2" in refused
    club.write_text(changed.replace("\nversion = 1", "\nversion = 2"))

    checked = await place.bot("programmes", "check", "return-home-club")
    assert "phase first-90-days: 2 people, FREQ=WEEKLY at 18:00 -> FREQ=DAILY at 18:00" in checked
    assert "K7-29" not in checked
    assert "Nothing was changed" in checked
    named = await place.bot("programmes", "check", "return-home-club", "--by", "steward-1")
    assert re.search(r"K7-29: \S+ 18:00 -> \S+ 18:00", named)
    audit = await place.bot("audit", "show", "--by", "steward-1")
    assert "programme:apply" in audit
    digest = re.search(r"--shown (\w+)", checked)
    assert digest

    assert "--by: is missing" in await place.bot("programmes", "apply", "return-home-club", status=2)
    wrong = await place.bot("programmes", "apply", "return-home-club", "--by", "mentor-1", status=2)
    assert "is not the seat of a steward" in wrong
    old = ("programmes", "apply", "return-home-club", "--by", "steward-1", "--shown")
    assert "changed since the check" in await place.bot(*old, "0123456789ab", status=2)
    assert "4 people are in version 2" in await place.bot(*old, digest.group(1))
    assert "already" in await place.bot("programmes", "check", "return-home-club")
    with opened(load_settings(place.settings)) as store:
        versions = [e.programme_version for e in store.run(lambda tx: tx.find(Enrolment))]
    assert versions == [2, 2, 2, 2]


async def test_bad_words_are_answered_kindly(place: Place) -> None:
    await place.bot("init")
    for words, said in BAD_WORDS:
        assert said in await place.bot("programmes", *words, status=2)
