"""Rows go in and come out as the same values, on both databases."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from referrals.casework import (
    Appointment,
    Attempt,
    Circle,
    CircleInvitation,
    CircleSide,
    CircleState,
    ClosingAnswer,
    Confirmation,
    DeskNote,
    DeskShare,
    Task,
    TaskState,
    Transfer,
    UnmetNeed,
)
from referrals.directory import Agreement, Area, Duty, DutySwap, EmergencyLine, Hours, Poster
from referrals.errors import BadAnswer, StaleRow, StoreError
from referrals.members import (
    Attendance,
    CheckIn,
    CheckInKind,
    Crisis,
    Danger,
    Enrolment,
    HandOver,
    KeptProgramme,
    Linking,
    Meeting,
    Part,
    SafetyPlan,
    SafetyShare,
    Undertaking,
    UndertakingState,
    WordReceipt,
)
from referrals.model import (
    AgeGroup,
    Checkpoint,
    Consent,
    DataClass,
    Move,
    Outcome,
    Referral,
    Role,
    Stage,
    ThreadEntry,
    Tracking,
)
from referrals.persons import (
    Conversation,
    Device,
    DeviceState,
    Download,
    Invitation,
    MentorProfile,
    Person,
    Presence,
    Recovery,
    Scrap,
    Screen,
    Seat,
    Session,
    Switch,
    Tally,
)
from referrals.ports import Message, Tx
from referrals.said import Timer
from storage.store import Store
from storage.tables import TABLE_OF
from tests.support.rows import DAY, NINE, NOW, a_person, a_referral, a_service, an_offer, an_organization

FULL = a_referral(
    "r1",
    plan=("s1", "s2"),
    outcome=Outcome.PARTLY_MET,
    confirmed=False,
    retain_until=NOW + timedelta(days=1, microseconds=1),
    organization_id="o1",
)
EVERY_KIND: list[Any] = [
    a_person("p1", age_group=AgeGroup.CHILD),
    Seat("desk-1", Role.COORDINATOR, None, "p1", on_duty=False, since=NOW),
    Invitation("hash", "desk-1", "p1", NOW),
    FULL,
    an_offer("of1", "r1", told=("p1", "p2"), seen_at=NOW),
    Consent("c1", "r1", ("s1",), (DataClass.STORY, DataClass.CONTACT), "ฉันยินยอม", "th", NOW, NOW),
    ThreadEntry("t1", "of1", "r1", True, "p1", NOW),
    Conversation("v1", "p1", "form", 1, 0, "family-support", NOW, NOW),
    Scrap("x1", "p1", NOW),
    Enrolment("e1", "K7-29", "return-home-club", 1, "settled", NOW, "m1", None, "Asia/Manila", days=(0, 4)),
    CheckIn("i1", CheckInKind.MEMBER, "e1", NOW, None, "check-in", 1, day=NOW.date()),
    Meeting("me1", "return-home-club", "circle", NOW.date(), "p1", NOW),
    Attendance("at1", "me1", "e1"),
    Undertaking("u1", "e1", "return-home-club", 1, "sewing", "", NOW, None, UndertakingState.OPEN),
    KeptProgramme("return-home-club@1", "id = ...", NOW),
    Crisis("c1", "e1", "i1", "p1", NOW, Danger.UNKNOWN),
    SafetyPlan("e1", "p1", NOW),
    SafetyShare("s1", "c1", "e1", "o1", "p1", NOW, "danger", tell_person=True),
    WordReceipt("ab", "r1", "k1", "p1", NOW),
    WordReceipt("cd", None, "cf2", "p1", NOW),
    Linking("l1", "e1", "p1", NOW),
    HandOver("h1", "e1", Part.MENTOR, "mentor-1", "mentor-2", "p1", NOW, taken_at=NOW),
    Screen("p1:check:c1", "p1", "check:c1", 1, ("1:a:b",), ("button.undo",), NOW),
    MentorProfile("m1", ("th",), ("pattani",), "woman", not_with=("K7-29",)),
    Session("hash", "p1", "plan", NOW, "d1", 7),
    Device("d1", "p1", "key", DeviceState.WAITING, NOW, NOW, tries=2, active_from=NOW),
    Recovery("p1", "fingerprint", NOW),
    Tally("filed:p1:0", 3, NOW),
    Switch("desk_first", True, NOW, "c1"),
    Download("hash", "p1", "YQ==", NOW),
    Tracking("fingerprint", "r1", NOW),
    Attempt("a1", "r1", "of1", NOW, "p1", "call"),
    Appointment("ap1", "r1", "of1", NOW, "p1", NOW),
    Task("t1", "r1", "housing", "partner", TaskState.OPEN, NOW, child_id="r2"),
    Circle("c1", "o1", CircleState.PREPARING, NOW),
    CircleSide("r1", "c1", harmed=True, first_yes_at=NOW, steps=("met",), over_at=NOW, shown="preparing"),
    CircleInvitation("ci1", "c1", "f" * 64, "w1", NOW),
    DeskNote("n1", "r1", "p1", NOW),
    DeskShare("ds1", "r1", "of1", NOW, NOW),
    Transfer("tr1", "r1", "of1", "s1", "p1", NOW, NOW),
    ClosingAnswer("ca1", "family-support", "family.visits", "o1", "kind", "yes", NOW.date()),
    UnmetNeed("u1", "family.visits", "pattani", "no_money", DAY, AgeGroup.ADULT, "woman"),
    Move("r1", "p1", "p2", NOW, None),
    Checkpoint("00000001", NOW, "a note\n", ("o1", "o2")),
    Timer("kind:subject", "kind", "subject", NOW, 3),
    Area("a1", None, {"en": "South", "th": "ใต้"}, (EmergencyLine("1669", {"en": "Ambulance"}),)),
    an_organization("o1", hours=(Hours(0, NINE, NINE),), holidays=(DAY,), vetted_on=DAY, witness=True),
    Confirmation("cf1", "o1", None, "p1", True, DAY, DAY, NOW, NOW),
    Confirmation(
        "cf2", "o1", "e1", "p1", False, DAY, DAY, NOW, NOW, language="th", text="x", witness_id="p1"
    ),
    a_service("s1", "o1"),
    Agreement("g1", "o1", ("help",), ("family-support",), (DataClass.STORY,), DAY, DAY, DAY, ("A", "B")),
    Duty("d1", "desk-1", 6, NINE, NINE, "Asia/Bangkok"),
    DutySwap("ds1", "d1", date(2026, 11, 28), "desk-1", "d2", date(2026, 11, 29), "desk-2", NOW, NOW),
    DutySwap("ds2", "d1", date(2026, 11, 28), "desk-1", None, None, "desk-2", NOW),
    Poster("welcome", "family-support"),
    Message("m1", "p1", 2**40, "offer:1", False, NOW, NOW),
]


def test_every_kind_comes_back_as_it_went_in(store: Store) -> None:
    assert {type(row) for row in EVERY_KIND} == set(TABLE_OF)
    store.run(lambda tx: tx.add(*EVERY_KIND))
    for row in EVERY_KIND:
        assert store.run(_get, row, lock=False) == row
        assert store.run(_get, row, lock=True) == row


def _get(tx: Tx, row: Any, lock: bool) -> Any:
    return tx.get(type(row), row.id, lock=lock)


def test_save_counts_versions_and_refuses_what_is_stale(store: Store) -> None:
    store.run(lambda tx: tx.add(FULL))
    saved = store.run(lambda tx: tx.save(replace(FULL, stage=Stage.OFFERED)))
    assert (saved.version, saved.stage) == (2, Stage.OFFERED)
    assert store.run(lambda tx: tx.get(Referral, "r1")) == saved
    with pytest.raises(StaleRow):
        store.run(lambda tx: tx.save(FULL))
    with pytest.raises(StaleRow):
        store.run(lambda tx: tx.remove(FULL))
    store.run(lambda tx: tx.remove(saved))
    assert store.run(lambda tx: tx.get(Referral, "r1")) is None


def test_find_by_equality_none_and_one_of(store: Store) -> None:
    def fill(tx: Tx) -> None:
        tx.add(*[a_referral(f"r{n}", organization_id="o1" if n % 2 else None) for n in range(9)])
        tx.add(a_referral("r9", stage=Stage.CLOSED))

    store.run(fill)

    def ids(limit: int | None = None, **equal: Any) -> list[str]:
        return [r.id for r in store.run(lambda tx: tx.find(Referral, limit=limit, **equal))]

    assert ids(organization_id="o1") == ["r1", "r3", "r5", "r7"]
    assert ids(organization_id=None) == ["r0", "r2", "r4", "r6", "r8", "r9"]
    assert ids(id=("r5", "r2", "r9")) == ["r2", "r5", "r9"]
    assert ids(id={"r5"}, stage=[Stage.MATCHING, Stage.CLOSED]) == ["r5"]
    assert ids(id=()) == []
    assert ids(limit=2, stage=Stage.MATCHING) == ["r0", "r1"]
    assert ids(created_at=NOW.astimezone(timezone(timedelta(hours=7)))) == [f"r{n}" for n in range(10)]
    assert store.run(lambda tx: tx.count(Referral, stage=Stage.MATCHING)) == 9
    assert store.run(lambda tx: tx.count(Referral)) == 10


def test_thread_entries_stand_in_the_order_they_were_written(store: Store) -> None:
    def fill(tx: Tx) -> None:
        tx.add(FULL, an_offer("of1", "r1"))
        for row_id, minute in (("b", 1), ("c", 0), ("a", 1)):
            at = NOW + timedelta(minutes=minute)
            tx.add(ThreadEntry(row_id, "of1", "r1", True, "p1", at))

    store.run(fill)
    assert [t.id for t in store.run(lambda tx: tx.find(ThreadEntry, offer_id="of1"))] == ["c", "a", "b"]


@pytest.mark.parametrize("bad", ["nul\x00", "half \ud83d"])
def test_texts_that_no_database_holds(store: Store, bad: str) -> None:
    """From a forged button: absent when asked for, refused when written."""
    assert store.run(lambda tx: tx.get(Person, bad)) is None
    assert store.run(lambda tx: tx.find(Person, id=bad)) == []
    assert store.run(lambda tx: tx.count(Person, id=(bad, "p1"))) == 0
    for verb in (
        lambda tx: tx.add(a_person("p1", language=bad)),
        lambda tx: tx.first_time(bad),
    ):
        with pytest.raises(BadAnswer):
            store.run(verb)


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store.run(lambda tx: tx.add(a_person("p1", created_at=datetime(2026, 1, 1))))  # noqa: DTZ001


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
)
def test_the_ends_of_time(store: Store, at: datetime) -> None:
    store.run(lambda tx: tx.add(a_person("p1", created_at=at)))
    found = store.run(lambda tx: tx.get(Person, "p1"))
    assert found is not None
    assert found.created_at == at


def test_what_a_row_points_to_must_be_there(store: Store) -> None:
    with pytest.raises(StoreError):
        store.run(lambda tx: tx.add(an_offer("of1", "nowhere")))


def test_an_error_swallowed_by_a_verb_still_undoes_the_turn(store: Store) -> None:
    def careless(tx: Tx) -> None:
        tx.add(a_person("p1"))
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver raises
            tx.add(a_person("p1"))

    with pytest.raises(StoreError):
        store.run(careless)
    assert store.run(lambda tx: tx.count(Person)) == 0


def test_a_refused_row_is_not_quoted_in_a_traceback(store: Store) -> None:
    """PostgreSQL's own errors say 'Key (id)=(…) already exists' and more."""
    for verb in (
        lambda tx: tx.add(a_person("canary-1"), a_person("canary-1")),
        lambda tx: tx.add(an_offer("canary-1", "canary-2")),
    ):
        with pytest.raises(StoreError) as caught:
            store.run(verb)
        assert "canary" not in "".join(traceback.format_exception(caught.value)).replace("test_rows", "")


def test_accounts_are_found_by_their_index_and_moved(store: Store) -> None:
    def fill(tx: Tx) -> None:
        tx.add(a_person("p1"), a_person("p2"))
        tx.bind_account("p1", 42)

    store.run(fill)
    assert store.run(lambda tx: tx.person_of_account(42)) == a_person("p1")
    assert store.run(lambda tx: tx.person_of_account(43)) is None
    store.run(lambda tx: tx.bind_account("p1", 43))
    assert store.run(lambda tx: tx.person_of_account(42)) is None
    with pytest.raises(StoreError):  # one account is one person's
        store.run(lambda tx: tx.bind_account("p2", 43))
    store.run(lambda tx: tx.unbind_account("p1"))
    assert store.run(lambda tx: tx.person_of_account(43)) is None
    store.run(lambda tx: tx.bind_account("p1", 44))
    store.run(lambda tx: tx.remove(a_person("p1")))
    assert store.run(lambda tx: tx.person_of_account(44)) is None


def test_the_directory_is_the_newest_and_a_turn_sees_its_own_changes(store: Store) -> None:
    first = store.run(lambda tx: tx.directory)
    assert store.run(lambda tx: tx.directory) is first  # nothing changed: nothing is read again

    def change(tx: Tx) -> list[str]:
        tx.add(an_organization("o1"))
        seen = list(tx.directory.organizations)
        tx.add(an_organization("o2"))
        return [*seen, *tx.directory.organizations]

    assert store.run(change) == ["o1", "o1", "o2"]
    assert list(store.run(lambda tx: tx.directory).organizations) == ["o1", "o2"]

    def change_and_fail(tx: Tx) -> None:
        tx.save(replace(an_organization("o1"), suspended=True))
        assert tx.directory.organizations["o1"].suspended
        raise KeyError

    with pytest.raises(KeyError):
        store.run(change_and_fail)
    assert not store.run(lambda tx: tx.directory).organizations["o1"].suspended


def test_presence_is_a_value_not_a_text(store: Store) -> None:
    store.run(lambda tx: tx.add(a_person("p1", presence=Presence.HIDDEN)))
    found = store.run(lambda tx: tx.find(Person, presence=Presence.HIDDEN))
    assert found[0].presence is Presence.HIDDEN
