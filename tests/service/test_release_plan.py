"""A release with a plan: one yes, a part for each partner, a sealed day that moves, nobody left untold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from referrals.access import Action
from referrals.casework import TaskState
from referrals.errors import BadAnswer, NotFound, NotSealedFor, WrongStage
from referrals.model import (
    SYSTEM,
    Actor,
    Consent,
    DataClass,
    Offer,
    Outcome,
    Record,
    Referral,
    Role,
    Stage,
)
from referrals.ports import Tx
from referrals.queues import Queue
from referrals.said import Timer
from referrals.service.common import doors
from referrals.service.desk import desk_queues
from referrals.service.joint import plan_days, tasks
from referrals.service.matter import sharing, tracking
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers
from storage.sql import Sql
from tests.support.chats import Chats
from tests.support.parts import Parts

DAYS = timedelta(days=1)
PARTNERS = ("papers", "roof", "letting_go", "taking_over", "care", "work")
SAFETY = DataClass.SAFETY
_AUDIT = Sql("SELECT action, subject, detail FROM audit")


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def everywhere(request: pytest.FixtureRequest) -> Iterator[Parts]:
    yield from _network(request.getfixturevalue(request.param))


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Parts]:
    yield from _network(sqlite_url)


def _network(url: str) -> Iterator[Parts]:
    with Parts.opened(url) as net:
        net.settle_in()
        yield net


def _day(net: Parts, far: int) -> date:
    return (net.clock.now + far * DAYS).date()


def _sets(net: Parts, plan: str, far: int, by: str = "", subject: str = "") -> date:
    day = _day(net, far)
    net.store.run(plan_days.move_day, by or net.family, subject or plan, day)
    net.passes(timedelta(seconds=1))
    return day


def _reads(net: Parts, actor: Actor, plan: str) -> str:
    """The day, opened with nothing but the reader's own key."""
    return net.store.run(lambda tx: tx.open_sealed(actor, Record("referral", plan), SAFETY))["day"]


def _worker(net: Parts, seat: str, organization: str) -> Actor:
    return Actor(net.workers[seat], Role.WORKER, organization)


def test_a_release_from_the_yes_to_the_look_back(everywhere: Parts) -> None:
    net = everywhere
    plan = net.plan("release-plan")
    assert net.referral(plan).stage is Stage.IN_SERVICE
    assert {kind: net.kind_of(plan, kind) for kind in net.tasks(plan)} == {
        **dict.fromkeys((*PARTNERS, "family_ready", "meeting"), "open"),
        "handover": "waiting",  # until both sides are there
        "look_back": "waiting",
    }
    _sets(net, plan, 40)
    net.taken(plan, *PARTNERS)
    assert net.kind_of(plan, "handover") == "open"

    handover = net.tasks(plan)["handover"].id
    for side in ("letting_go", "taking_over"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    assert net.kind_of(plan, "handover") == "done"

    for kind in PARTNERS:
        net.does(plan, kind)
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    # Somebody who is in no programme has no mentor: then the desk sees to it that somebody is there.
    assert _desks_parts(net) == [plan]
    net.store.run(tasks.done, net.desk, net.tasks(plan)["meeting"].id)
    net.passes(timedelta(seconds=1))
    assert _desks_parts(net) == [plan], "the look back is the desk's, too"
    net.store.run(tasks.done, net.desk, net.tasks(plan)["look_back"].id)
    net.passes(timedelta(seconds=1))
    assert _desks_parts(net) == []
    ended = net.referral(plan)
    assert (ended.stage, ended.outcome) == (Stage.REPORTED, Outcome.MET)
    net.store.run(closing.helped, net.family, plan, True)
    assert net.referral(plan).stage is Stage.CLOSED

    net.passes(400 * DAYS)  # the retention date: who did what goes, and with it the day
    assert net.tasks(plan) == {}
    with pytest.raises(NotSealedFor):
        _reads(net, SYSTEM, plan)


def _desks_parts(net: Parts) -> list[str]:
    """The plans that stand in the desk's queue for what is its own to do."""
    found = net.store.run(desk_queues.waiting, net.desk)
    return [one.referral.id for one in found if one.queue is Queue.PART]


def test_one_yes_holds_for_every_part(net: Parts) -> None:
    plan = net.plan("release-plan", without=frozenset({"bua-house"}))
    (given,) = net.store.run(lambda tx: tx.find(Consent, referral_id=plan))
    assert "Two Rivers" in given.text
    assert "Bua House" not in given.text
    for kind in PARTNERS:
        part = net.part(plan, kind)
        (theirs,), asked = net.store.run(_agreed_and_asked, part.id)
        assert (theirs.text, theirs.until, theirs.plan) == (given.text, given.until, part.plan)
        assert part.plan == net.tasks(plan)[kind].plan
        assert "bua-house" not in {offer.organization_id for offer in asked}


def _agreed_and_asked(tx: Tx, part_id: str) -> tuple[list[Consent], list[Offer]]:
    return tx.find(Consent, referral_id=part_id), tx.find(Offer, referral_id=part_id)


def test_the_day_is_read_by_whoever_may_and_by_nobody_else(net: Parts) -> None:
    plan = net.plan("release-plan")
    day = _sets(net, plan, 40)
    corrections = _worker(net, "border-corrections-1", "border-corrections")
    with pytest.raises(NotSealedFor):  # asked, and not accepted yet
        _reads(net, corrections, plan)
    net.taken(plan, "letting_go", "work")
    assert _reads(net, corrections, plan) == day.isoformat()
    assert _reads(net, doors.as_author(net.family), plan) == day.isoformat()
    for actor in (
        _worker(net, "tamarind-works-1", "tamarind-works"),  # finds work; its agreement names no day
        _worker(net, "family-office-1", "family-office"),
        Actor(net.desk, Role.COORDINATOR),
    ):
        with pytest.raises(NotSealedFor):
            _reads(net, actor, plan)
    net.store.run(closing.withdraw, net.family, plan)
    with pytest.raises(NotSealedFor):
        _reads(net, corrections, plan)


def test_a_date_that_moves_is_told_to_all_and_asked_of_whoever_was_done(net: Parts) -> None:
    plan = net.plan("release-plan")
    _sets(net, plan, 40)
    net.taken(plan, *PARTNERS)
    net.does(plan, "papers")
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    net.said()
    side = net.part(plan, "letting_go")
    _sets(net, plan, 61, by=side.accepted_by or "", subject=side.offer_id or "")
    heard = net.said()
    told = {person for person, text in heard if text in ("plan.moved", "plan.still")}
    doing = {net.part(plan, kind).accepted_by for kind in PARTNERS} - {side.accepted_by}
    assert doing | {net.family} <= told
    assert (net.family, "plan.still") in heard
    asked = {kind for kind, task in net.tasks(plan).items() if task.still_asked}
    assert asked == {"papers", "family_ready"}

    papers, ready = net.tasks(plan)["papers"], net.tasks(plan)["family_ready"]
    part = net.part(plan, "papers")
    net.store.run(plan_days.stands, *net.holds(plan, "papers"), papers.id, yes=False)
    net.store.run(plan_days.stands, net.family, plan, ready.id, yes=True)
    net.passes(timedelta(seconds=1))
    assert net.kind_of(plan, "papers") == "open"  # asked anew, from the start of its plan
    assert net.part(plan, "papers").id != part.id
    assert net.kind_of(plan, "family_ready") == "done"


def test_a_date_that_moves_is_asked_of_whoever_has_done_with_it(net: Parts) -> None:
    """A partner whose part is closed, and two sides that have spoken, would not look by themselves."""
    plan = net.plan("release-plan", without=frozenset({"bua-house"}))
    _sets(net, plan, 40)
    net.taken(plan, *PARTNERS)
    net.does(plan, "papers")
    handover = net.tasks(plan)["handover"].id
    for side in ("letting_go", "taking_over"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    net.said()
    mover, moved_by = net.holds(plan, "letting_go")
    _sets(net, plan, 61, by=mover, subject=moved_by)
    heard = net.said()
    papers, taking_over = net.holds(plan, "papers"), net.holds(plan, "taking_over")
    assert (papers[0], "plan.still") in heard
    assert [text for person, text in heard if person == taking_over[0]] == ["plan.still"]
    assert mover not in {person for person, _ in heard}, "nobody is told what they did"

    for worker, offer in (papers, taking_over):
        page = net.store.run(PAGES["matter"].view, worker, offer, {})
        (asked,) = [part for part in page.sections if any(step.id == "task_still" for step in part.steps)]
        net.store.run(plan_days.stands, worker, offer, asked.body["task"], yes=worker == papers[0])
    again = net.tasks(plan)["handover"]
    assert (again.state, again.spoken) == (TaskState.OPEN, ()), "they speak with each other once more"
    assert not [task for task in net.tasks(plan).values() if task.still_asked]
    with pytest.raises(NotFound):  # whoever sees to the papers is no side of it
        net.store.run(plan_days.stands, *papers, handover, yes=True)


def test_one_side_s_yes_to_a_moved_date_is_not_the_other_s(net: Parts) -> None:
    plan = net.plan("release-plan", without=frozenset({"bua-house"}))
    _sets(net, plan, 40)
    net.taken(plan, *PARTNERS)
    handover = net.tasks(plan)["handover"].id
    sides = [net.holds(plan, side) for side in ("letting_go", "taking_over")]

    def asked(worker: str, offer: str) -> bool:
        page = net.store.run(PAGES["matter"].view, worker, offer, {})
        return any(step.id == "task_still" for part in page.sections for step in part.steps)

    for side in sides:
        net.store.run(tasks.spoken, *side, handover)
    _sets(net, plan, 61)
    assert [asked(*side) for side in sides] == [True, True]
    for _ in range(2):  # pressed twice
        net.store.run(plan_days.stands, *sides[0], handover, yes=True)
    assert [asked(*side) for side in sides] == [False, True]
    net.store.run(plan_days.stands, *sides[1], handover, yes=False)
    again = net.tasks(plan)["handover"]
    assert (again.state, again.spoken, again.still_asked) == (TaskState.OPEN, (), False)
    for side in sides:
        net.store.run(tasks.spoken, *side, handover)
    mover, moved_by = sides[0]
    _sets(net, plan, 50, by=mover, subject=moved_by)
    assert [asked(*side) for side in sides] == [False, True], "whoever moved it stands by it"
    net.store.run(plan_days.stands, *sides[1], handover, yes=True)
    done = net.tasks(plan)["handover"]
    assert (done.state, done.still_asked) == (TaskState.DONE, False)


def test_what_is_late_reaches_its_doer_then_the_desk(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.taken(plan, *PARTNERS)
    _sets(net, plan, 10)  # the family's part is due in three days
    net.said()
    net.passes(2 * DAYS)
    assert (net.family, "plan.soon") in net.said()
    net.passes(2 * DAYS)
    assert (net.family, "plan.late") in net.said()
    net.passes(2 * DAYS)
    assert net.referral(plan).escalated
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    net.said()
    net.passes(1 * DAYS)
    assert (net.family, "plan.late") not in net.said()


def test_on_the_day_and_a_week_later_somebody_asks(net: Parts) -> None:
    plan = net.plan("release-plan")
    _sets(net, plan, 3)
    net.said()
    net.passes(2 * DAYS)
    assert (net.family, "plan.did_it_go") not in net.said()
    net.passes(2 * DAYS)
    assert (net.family, "plan.did_it_go") in net.said()
    net.store.run(plan_days.went, net.family, plan, False)
    assert (net.desk, "desk.plan_went_wrong") in net.said()
    net.passes(4 * DAYS)
    assert (net.family, "plan.did_it_go") not in net.said()
    net.passes(4 * DAYS)
    assert (net.family, "plan.did_it_go") in net.said()


def test_no_timer_and_no_plain_column_tells_the_day(net: Parts) -> None:
    """Two plans that differ in nothing but their day: whatever stands in plain words is the same for both."""
    near, far = net.plan("release-plan"), net.plan("release-plan")
    _sets(net, near, 12)
    _sets(net, far, 90)
    waits = {plan: {(t.kind, t.due_at) for t in net.timers() if t.subject == plan} for plan in (near, far)}
    assert waits[near] == waits[far]
    words = (_day(net, 12).isoformat(), _day(net, 90).isoformat())
    rows = net.store.run(lambda tx: [str(row) for kind in (Referral, Timer) for row in tx.find(kind)])
    assert not [row for row in rows if any(word in row for word in words)]


def test_withdrawing_the_plan_ends_every_part_in_that_turn(net: Parts) -> None:
    plan = net.plan("release-plan")
    _sets(net, plan, 40)
    held = net.taken(plan, "papers", "letting_go")
    net.store.run(closing.withdraw, net.family, plan)
    assert net.referral(plan).stage is Stage.WITHDRAWN
    parts = net.store.run(lambda tx: tx.find(Referral, parent_id=plan))
    assert {part.stage for part in parts} == {Stage.WITHDRAWN}
    assert {task.state for task in net.tasks(plan).values()} == {TaskState.DROPPED}
    assert not [t for t in net.timers() if t.subject == plan and t.kind == "plan_day"]
    assert not any(net.store.run(sharing.readable, part) for part in parts)
    assert set(held) == {"papers", "letting_go"}
    shown = net.store.run(PAGES["tasks"].view, net.family, plan, {})
    lines = [line for s in shown.sections if s.title_key == "part.tasks.over" for line in s.lines]
    assert "part.tasks.dropped_alone" in {line.key for line in lines}
    assert "we are asking" not in {line.params["who"] for line in lines if line.key == "part.tasks.dropped"}


def test_a_part_that_nobody_does_leaves_the_rest_and_says_so(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.taken(plan, *PARTNERS)
    net.does(plan, "papers", "unmet")
    assert net.kind_of(plan, "papers") == "dropped"
    for kind in PARTNERS[1:]:
        net.does(plan, kind)
    handover = net.tasks(plan)["handover"]
    assert handover.state is TaskState.OPEN, "both were there; they still have to say that they have spoken"
    for side in ("letting_go", "taking_over"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover.id)
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    for kind in ("meeting", "look_back"):
        net.store.run(tasks.done, net.desk, net.tasks(plan)[kind].id)
        net.passes(timedelta(seconds=1))
    assert (net.referral(plan).stage, net.referral(plan).outcome) == (Stage.REPORTED, Outcome.PARTLY_MET)


def test_guards_stand_in_the_verbs(net: Parts) -> None:
    plan = net.plan("release-plan")
    stranger = net.person(12)
    ready, meeting = net.tasks(plan)["family_ready"].id, net.tasks(plan)["meeting"].id
    for who in (stranger, net.desk, net.workers["bua-1"]):
        with pytest.raises(NotFound):
            net.store.run(tasks.done, who, ready)
    with pytest.raises(NotFound):
        net.store.run(tasks.done, net.family, meeting)
    with pytest.raises(NotFound):
        net.store.run(plan_days.move_day, stranger, plan, _day(net, 9))
    with pytest.raises(BadAnswer):
        net.store.run(plan_days.move_day, net.family, plan, date(1999, 1, 1))
    look_back = net.tasks(plan)["look_back"].id
    with pytest.raises(WrongStage):
        net.store.run(tasks.done, net.desk, look_back)
    net.taken(plan, "papers", "letting_go")
    with pytest.raises(NotFound):  # papers are no side of the handover
        net.store.run(plan_days.move_day, *net.holds(plan, "papers"), _day(net, 9))
    once = net.store.run(tasks.done, net.family, ready)
    assert net.store.run(tasks.done, net.family, ready) == once  # pressed twice


def test_the_page_shows_everybody_their_part(net: Parts) -> None:
    plan = net.plan("release-plan")
    day = _sets(net, plan, 40)
    net.taken(plan, "letting_go", "taking_over", "work")

    def texts(who: str, page: str, subject: str) -> str:
        return str(net.store.run(PAGES[page].view, who, subject, {}).sections)

    own = texts(net.family, "tasks", plan)
    assert f"{day.day} " in own
    assert "task_done" in own
    assert "Border Corrections" in own
    assert "'task': 'Be there on the day', 'who': 'our desk'" in own, "whoever has no mentor is told of none"
    assert _order(net, plan) == ["part.tasks.title", "part.tasks.yours", *_NOW_AND_LATER, "part.tasks.parts"]
    at_desk = texts(net.desk, "tasks", plan)
    assert "part.tasks.day'" not in at_desk
    assert "task_done" in at_desk  # somebody known must be there on the day
    side = net.part(plan, "letting_go")
    there = texts(side.accepted_by or "", "matter", side.offer_id or "")
    assert "task_spoken" in there
    assert "plan_day" in there
    work = net.part(plan, "work")
    assert "part.tasks" not in texts(work.accepted_by or "", "matter", work.offer_id or "")
    with pytest.raises(NotFound):
        net.store.run(PAGES["tasks"].view, net.person(13), plan, {})


_NOW_AND_LATER = ("part.tasks.now", "part.tasks.later")


def _order(net: Parts, plan: str) -> list[str]:
    return [s.title_key for s in net.store.run(PAGES["tasks"].view, net.family, plan, {}).sections]


def test_what_happens_next_is_read_first_and_what_is_over_last(net: Parts) -> None:
    plan = net.plan("release-plan")
    _sets(net, plan, 3)
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    shown = net.store.run(PAGES["tasks"].view, net.family, plan, {})
    heaps = {s.title_key: [line.params.get("task", "") for line in s.lines] for s in shown.sections}
    now = heaps["part.tasks.now"]
    assert (now[0], now[-1]) == ("Papers", "A first talk about work"), "whichever is due first"
    assert heaps["part.tasks.over"] == ["Home is ready"]
    assert next(s for s in shown.sections if s.title_key == "part.tasks.over").folded
    later = heaps["part.tasks.later"]
    assert "Be there on the day" in later, "though somebody is asked for it already"
    net.passes(timedelta(days=3))
    shown = net.store.run(PAGES["tasks"].view, net.family, plan, {})
    going_on = next(s for s in shown.sections if s.title_key == "part.tasks.now")
    assert "Be there on the day" in [line.params["task"] for line in going_on.lines]


def test_a_part_goes_where_its_plan_goes(net: Parts) -> None:
    """A code of a part alone would take it to another phone without what was told for the plan."""
    plan = net.plan("release-plan")
    part = net.part(plan, "papers")
    for matter, may in ((plan, True), (part.id, False)):
        shown = net.store.run(PAGES["matter"].view, net.family, matter, {})
        assert ("follow" in {step.id for step in shown.steps}) is may
    with pytest.raises(WrongStage):
        net.store.run(tracking.follow, net.family, part.id)


def test_what_was_done_is_in_the_audit_without_the_day(net: Parts) -> None:
    plan = net.plan("release-plan")
    day = _sets(net, plan, 40)
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)

    def rows(tx: Tx) -> list[str]:
        found = tx.connection.rows(_AUDIT)  # type: ignore[attr-defined]
        return [f"{action} {subject} {detail}" for action, subject, detail in found]

    said = net.store.run(rows)
    assert f"{Action.TASK_DO} referral:{plan} family_ready" in said
    assert f"{Action.TASK_PLAN} referral:{plan} day" in said
    assert not [row for row in said if day.isoformat() in row]


def test_an_offer_of_a_part_is_as_blind_as_any(net: Parts) -> None:
    plan = net.plan("release-plan")
    _sets(net, plan, 40)
    offer = net.live_offer(net.part(plan, "letting_go").id)
    assert offer is not None
    shown = str(net.store.run(offers.blind_view, offer.told[0], offer.id))
    assert _day(net, 40).isoformat() not in shown
    assert "a story" not in shown


def test_the_day_is_in_no_file_and_in_no_chat(net: Parts, sqlite_url: str) -> None:
    """Day and place are looked for in everything that the database wrote, and in every message."""
    plan = net.plan("release-plan")
    place, day = "the north gate 7QX4", _day(net, 40)
    net.store.run(plan_days.move_day, net.family, plan, day, place)
    net.taken(plan, "letting_go", "taking_over")
    net.store.run(plan_days.move_day, net.family, plan, day + 3 * DAYS)
    net.passes(45 * DAYS)
    heard = " ".join(str((d.text, d.params, d.buttons)) for d in net.deliveries())
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    written = b"".join(f.read_bytes() for f in file.parent.glob(f"{file.name}*"))
    spellings = {each.strftime(form) for each in (day, day + 3 * DAYS) for form in ("%Y-%m-%d", "%d %B %Y")}
    assert not [word for word in (*spellings, place) if word in heard or word.encode() in written]
    assert plan.encode() in written, "the right file was looked at"


def test_how_it_went_is_one_tap_and_a_no_reaches_the_desk(net: Parts) -> None:
    chats = Chats(net)
    mali, desk = chats.phone(11), chats.phone(51)
    plan = net.plan("release-plan")
    _sets(net, plan, 1)
    net.passes(30 * timedelta(hours=1))
    chats.deliver()
    code = net.referral(plan).code
    assert f"{code}: did it go as planned?" in mali.said
    mali.presses("No")
    assert f"{code}: it did not go as planned. Please look." in desk.said
    assert f"{code}: thank you for saying so. Our desk looks at it now." in mali.said
    for words in mali.said:
        assert not [w for w in ("release", "prison", "Border", "Bua", "Pattani") if w in words]
