"""What is left of a matter at its end, of whoever leaves, and what of it somebody takes home in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from referrals import casework
from referrals.casework import (
    Appointment,
    Attempt,
    DeskNote,
    DeskShare,
    Task,
    TaskState,
    Transfer,
)
from referrals.consent import OWN_NO
from referrals.ports import Tx
from referrals.service import leaving
from referrals.service.common import names
from referrals.service.people import export_page
from referrals.service.turns import after_help, closing
from tests.service.test_circle_story import Round
from tests.service.test_own_data import _rows_with
from tests.service.test_transfers import DAY, Handing
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


NOT_THEIRS = {"audit", "key_encryption_key", "outbox", "erasure", "tally"}  # as in test_own_data


def test_whoever_looked_at_an_invitation_and_leaves_stands_in_no_row(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Round(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    _, lead = net.begun()
    net.invited(82, net.link(lead))
    net.said()
    net.store.run(leaving.erase, net.other)
    net.passes(timedelta(minutes=1))
    net.said()
    net.passes(timedelta(hours=1))
    assert net.store.run(_rows_with, net.other) <= NOT_THEIRS
    net.store.close()


def test_at_its_date_nothing_hangs_on_a_matter_any_more(net: Small) -> None:
    """A row of every kind that names a matter, whichever there will be: all but what has its own date go."""
    handing = Handing(net)
    run, matter, now = net.store.run, handing.matter, net.clock.now
    rows = (
        Attempt("try-1", matter, handing.offer, now, handing.worker, "call"),
        Appointment("date-1", matter, handing.offer, now + DAY, handing.worker, now),
        DeskNote("note-1", matter, handing.desk, now),
        DeskShare("share-1", matter, handing.offer, now),
        Task("task-1", matter, "roof", "family", TaskState.OPEN, now),
    )
    own_date = {Transfer}
    hangs = {
        kind for kind in vars(casework).values() if "referral_id" in getattr(kind, "__annotations__", {})
    }
    assert {type(row) for row in rows} | own_date == hangs
    for row in rows:
        run(_add, row)
    run(closing.withdraw, handing.family, matter)
    net.passes(400 * DAY)
    left = {type(row).__name__ for row in rows if run(_find, row)}
    assert left == set()
    assert not [t for t in net.timers() if t.subject in {matter, handing.offer, *(row.id for row in rows)}]


def _add(tx: Tx, row: Any) -> None:
    tx.add(row)


def _find(tx: Tx, row: Any) -> Any:
    return tx.get(type(row), row.id)


@pytest.mark.parametrize("language", ["en", "th"])
def test_every_reason_that_a_matter_may_keep_has_words_at_home(language: str) -> None:
    for why in (*after_help.DISPUTED, *after_help.REOPENED, OWN_NO):
        assert CATALOGUE.words(f"not_over.{why}", language) != f"not_over.{why}"


@pytest.mark.parametrize("language", ["en", "th"])
def test_whatever_an_archive_holds_of_the_network_has_words(language: str) -> None:
    """As `mydata` gathers it: of a circle, of somebody who cannot decide, of calls, plans, confirmations."""
    at, day = datetime(2026, 11, 21, 3, tzinfo=UTC), date(2026, 11, 21)
    matter = {
        "words": {
            "safe_times": "weekend;evening;no_message;Asia/Bangkok",
            "home": "not_safe",
            "day": "2026-11-30",
            "place": "the gate",
            "went": "no",
        },
        "outcome_reason": "no_money",
        "not_over": "came_back",
        "for_somebody": [{"why": "very_ill", "agreed": "doctor", "until": at}],
        "consents": [{"assent": "too_small"}],
        "circle": {"first_yes": at, "second_yes": at, "prepared": ["hopes"]},
        "parts": [{"part": "roof", "state": "dropped", "since": at}],
        "about": [{"whom": "unnamed"}, {"organization": "A house"}],
    }
    sent = {
        "organization": "An office",
        "asked_by_them": True,
        "first": day,
        "last": day,
        "asked_at": at,
        "yes_at": at,
        "state": "none",
        "why": "no_yes",
        "number": "7",
    }
    found = {
        "settings": {"timezone": "Asia/Bangkok"},
        "membership": [{"confirmations": [sent]}],
        "matters": [matter],
    }
    page = export_page.render(
        found,
        language,
        lambda key: CATALOGUE.words(key, language),
        lambda when: names.day_in_words(CATALOGUE, when, language),
    )
    body = page.partition("</style>")[2].replace("Asia/Bangkok", "")
    codes = "export. call. task. about. dropped unnamed 2026- not_safe very_ill too_small no_yes no_message"
    for code in (*codes.split(), "no_money", "came_back"):
        assert code not in body
    assert not [c for c in (">hopes<", ">doctor<", ">none<") if c in body]
    assert '"2026-11-21"' in export_page.as_json(found)
