"""A unique token in every private field, through a whole referral; then a search of every byte on disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from referrals import routing
from referrals.casework import Confirmation
from referrals.directory import OrganizationKind
from referrals.members import CheckIn, Crisis, Enrolment
from referrals.model import AgeGroup, Urgency
from referrals.ports import Tx
from referrals.service.alarm import crisis, safety_plans, safety_sharing
from referrals.service.common import doors
from referrals.service.contact import checkins
from referrals.service.help import attempts, thread_share, threads, working
from referrals.service.joint import plan_days
from referrals.service.matter import desk_notes
from referrals.service.members import linking
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.request import drafts, filing, plans, same_need
from referrals.service.turns import closing, offers
from tests.service.test_attendance_story import tie
from tests.support.asking import agreed, asked_for
from tests.support.network import CATALOGUE, Small
from tests.support.postgres import PostgresServer
from tests.support.store import SettableClock, open_store

CANARIES = {
    "story": "Canary-7f3a-story",
    "contact": "Canary-91bc-contact 0812345678",
    "thread": "Canary-5d20-thread",
    "answer": "Canary-e881-answer",
    "scrap": "Canary-3c4d-scrap",
    "added": "Canary-aa17-added",
    # The mentor's week.
    "note": "Canary-b1c2-note",
    "late note": "Canary-b2d9-late",
    "plan": "Canary-c3e8-plan",
    "told": "Canary-d4f1-told",
    "heard": "Canary-e5a7-heard",
    "reach": "Canary-f6b3-reach 0898765432",
    # The network: the desk's notes and what it reads along, a new way, a release, confirmations, a complaint.
    "desk note": "Canary-a7c4-desk-note",
    "shared": "Canary-b8d5-shared",
    "new way": "Canary-c9e6-new-way 0811112222",
    "more": "Canary-d1f7-more",
    "last word": "Canary-e2a8-last-word",
    "gate": "Canary-f3b9-gate",
    "number": "Canary-a4c1-number",
    "typed": "Canary-b5d2-typed",
    "number by word": "Canary-d7f4-number",
    "reached by desk": "Canary-e8a5-reach",
    "complaint": "Canary-c6e3-complaint",
}
LINK = "Canary-9d0e-link-token"
# Chosen and not typed, and as private: how to call, that it is not safe at home, whom a complaint is about.
CHOSEN = ("no_message,say_shop", "not_safe", "desk partner")
CALLS = {"call_days": ["weekdays"], "call_parts": ["evening"], "call_how": ["no_message", "say_shop"]}
RELEASED_ON = date(2027, 2, 17)
ACCOUNT = 7_918_273_645


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> tuple[str, Callable[[], bytes]]:
    """A fresh database, and every byte that it keeps: files, write-ahead log, heap."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        return f"sqlite:///{folder / 'pulang.db'}", lambda: _bytes_of(folder)
    server: PostgresServer = request.getfixturevalue("postgres")
    return request.getfixturevalue("postgres_url"), lambda: _postgres_bytes(server)


def test_nothing_private_stands_on_disk(place: tuple[str, Callable[[], bytes]]) -> None:
    url, everything = place
    clock = SettableClock()
    store = open_store(url, clock, CATALOGUE)
    net = Small(store, clock)
    family, worker = net.person(ACCOUNT), net.person(501, "bua-1")
    mentor = net.person(502, "mentor-1")
    _live(net, family, worker)
    _check_in(net, mentor)
    receipt = _week(net, mentor)
    _network(net)
    found = everything()  # while it is open: the write-ahead log counts too
    store.close()
    for data in (found, everything()):
        assert b"family.visits" in data  # what is not sealed is found: the search looks at the right bytes
        for name, canary in CANARIES.items():
            for token in canary.split():
                assert token.encode() not in data, name
        assert str(ACCOUNT).encode() not in data, "account"
        assert receipt.encode() not in data, "receipt"
        assert LINK.encode() not in data, "link"
        for moment in (RELEASED_ON.isoformat(), f"{RELEASED_ON:%d %B %Y}"):
            assert moment.encode() not in data, "the day of a release"
        for words in CHOSEN:
            assert words.encode() not in data, words
        for answer in (b'"struggling"', b'"heavy"', b'"came"', b'"means"'):
            assert answer not in data, "wellbeing"


def _live(net: Small, family: str, worker: str) -> None:
    draft = net.draft(family)
    exclusions = routing.Exclusions(frozenset({"open-door"}), frozenset({OrganizationKind.FAITH}))
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, exclusions)
    view = net.store.run(plans.plan_view, family, draft, wishes)
    yes = filing.Filing(wishes, view.consent_digest, CANARIES["story"], CANARIES["contact"])
    net.store.run(filing.file_request, family, draft, yes)
    scrap = net.store.run(people.keep_scrap_moment, family, CANARIES["scrap"])
    net.store.run(people.drop_scrap_of, family, scrap.id)
    kept = net.store.run(people.keep_scrap_moment, family, CANARIES["added"])
    net.store.run(people.keep_scrap, family, kept.id)
    net.passes(timedelta(seconds=10))
    offer = net.live_offer(draft)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(threads.write, worker, net.at_partner(draft), CANARIES["thread"])
    net.store.run(threads.write, family, draft, CANARIES["answer"])
    net.store.run(working.contacted, worker, net.at_partner(draft))
    net.store.run(working.report, worker, net.at_partner(draft), "met")
    net.store.run(closing.helped, family, draft, True)


def _check_in(net: Small, mentor: str) -> None:
    net.passes(timedelta(days=8))
    due = net.store.run(lambda tx: [c for c in tx.find(CheckIn) if c.saved_at is None])
    mine = net.store.run(lambda tx: {e.id for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1"})
    one = next(c for c in due if c.enrolment_id in mine)
    net.store.run(checkins.save, mentor, one.id, {"means": "call", "state": "struggling"})


def _week(net: Small, mentor: str) -> str:
    """Notes, a plan for hard days, an alarm and what was told for it, a yes by word; the receipt's code."""
    them = net.store.run(lambda tx: tx.find(Enrolment, mentor_seat="mentor-1")[0])
    desk, steward = net.person(503, "desk-1"), net.person(504, "steward-1")
    saved = net.store.run(lambda tx: next(c for c in tx.find(CheckIn, saved_by=mentor)))
    net.store.run(checkins.add_note, mentor, saved.id, CANARIES["note"])
    net.store.run(safety_plans.write, mentor, them.id, {"helps": CANARIES["plan"]})
    net.store.run(linking.make, mentor, them.id, LINK)
    yesterday = net.clock.now.date() - timedelta(days=1)
    hard = {"means": "call", "state": "crisis", "danger": "yes"}
    net.store.run(checkins.late, mentor, them.id, yesterday, hard, CANARIES["late note"])
    alarm = net.store.run(lambda tx: tx.find(Crisis, enrolment_id=them.id)[0])
    net.store.run(crisis.hold, desk, alarm.id)
    wish = safety_sharing.Wish("bua-house", "life", CANARIES["told"], with_plan=True)
    asked = net.store.run(safety_sharing.ask, desk, them.id, wish)
    net.store.run(safety_sharing.agree, steward, asked.id)
    return net.store.run(_by_word, mentor, them.id)


def _network(net: Small) -> None:
    """A matter at which the desk reads along, up to its last word; then what has pages of its own."""
    family, worker, desk = net.person(601), net.person(501, "bua-1"), net.person(503, "desk-1")
    run, matter = net.store.run, net.filed(family)
    net.passes(timedelta(seconds=10))
    run(desk_notes.note, desk, matter, CANARIES["desk note"])
    offer = net.live_offer(matter)
    assert offer is not None
    run(offers.accept, worker, offer.id)
    run(thread_share.begin, family, matter)
    run(threads.write, family, matter, CANARIES["shared"])
    run(attempts.new_way, family, matter, CANARIES["new way"])
    run(same_need.add, family, matter, CANARIES["more"])
    run(working.contacted, worker, offer.id)
    run(working.report, worker, offer.id, "met")
    run(closing.helped, family, matter, True)
    run(threads.write, family, matter, CANARIES["last word"])
    plan = _asks(net, net.person(602), "release-plan", "a story")
    run(plan_days.move_day, net.person(602), plan, RELEASED_ON, CANARIES["gate"])
    attendance, member = PAGES["attendance"].steps, net.person(603)
    run(tie, "K7-29", member)
    run(attendance["send_begin"], member, "", {"organization": "border-probation", "reason": "month"})
    (begun,) = run(lambda tx: tx.find(Confirmation))
    run(attendance["send_refer"], member, "", {"confirmation": begun.id, "code": CANARIES["number"]})
    (other,) = run(lambda tx: tx.find(Enrolment, code="M3-04"))
    mentor, by_word = net.person(502), {"organization": "border-probation", "reason": "month"}
    run(attendance["word_begin"], mentor, other.id, by_word)
    (heard,) = run(lambda tx: tx.find(Confirmation, enrolment_id=other.id))
    for step, name in (("word_refer", "number by word"), ("word_reach", "reached by desk")):
        run(attendance[step], mentor, other.id, {"confirmation": heard.id, "code": CANARIES[name]})
    typed: dict[str, object] = {"code": CANARIES["typed"], "reason": "month"}
    run(attendance["body_ask"], net.person(604, "border-probation-1"), "body", typed)
    net.person(605, "plain-ear-1")
    _asks(net, net.person(606), "complaint", CANARIES["complaint"])
    asked_for(net, net.person(607), AgeGroup.CHILD, assent="heard", home="not_safe", **CALLS)
    about = {
        "about": ["partner", "desk"],
        "about_organizations": ["two-rivers"],
        "category": "complaint.privacy",
    }
    draft = _drafted(net, net.person(608), "complaint")
    agreed(net, net.person(608), draft, **about)


def _asks(net: Small, person: str, pathway: str, story: str) -> str:
    """A request along a pathway that no chat names; its id."""
    draft = _drafted(net, person, pathway)
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())
    view = net.store.run(plans.plan_view, person, draft, wishes)
    net.store.run(filing.file_request, person, draft, filing.Filing(wishes, view.consent_digest, story))
    return draft


def _drafted(net: Small, person: str, pathway: str) -> str:
    need, who = CATALOGUE.pathways[pathway].needs[0], doors.as_author(person)
    return net.store.run(drafts.start_draft, who, pathway, need, AgeGroup.ADULT, "en").id


def _by_word(tx: Tx, mentor: str, member: str) -> str:
    words = PAGES["words"].steps
    matter = words["choose"](tx, mentor, member, {"category": "member.housing"}).go_on.removeprefix("words/")
    yes: dict[str, object] = {
        "area": "pattani-mueang", "urgency": "urgent", "language": "th", "age": "adult",
        "read_out": True, "said_yes": True, "story": CANARIES["heard"], "contact": CANARIES["reach"],
    }  # fmt: skip
    plan = words["preview"](tx, mentor, matter, yes).plan
    receipt: str = words["yes"](tx, mentor, matter, {**yes, "consent_digest": plan.consent_digest}).receipt
    assert receipt
    return receipt


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def _postgres_bytes(server: PostgresServer) -> bytes:
    """Heap, indexes and write-ahead log of a whole server, after everything in memory was written down."""
    with server.connect() as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    folders = [Path(row[0]) / name for name in ("base", "pg_wal")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"".join(path.read_bytes() for path in files)
