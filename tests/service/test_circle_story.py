"""A circle as both sides live it: asked, prepared, two yeses each; and stopped, and nobody learns by whom."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing as closed
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest

from referrals import routing
from referrals.casework import Circle, CircleInvitation, CircleSide, CircleState
from referrals.circles import PREPARED, TooEarly
from referrals.errors import NotAllowed, NotFound, PulangError, StaleLink, WrongStage
from referrals.members import Enrolment
from referrals.model import AgeGroup, Record, Referral, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Taken, Tx
from referrals.service import restoring
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.help import working
from referrals.service.pages import PAGES
from referrals.service.request import drafts, filing, plans
from referrals.service.turns import closing, offers
from referrals.views import MatterView, SectionsView
from storage.erasures import took
from tests.support.chat import Chat
from tests.support.chats import Chats
from tests.support.network import STEWARD, Small

LEADS, WORKER = "weaving-hands", "weaving-hands-1"
PATHWAY, CATEGORY = "dialogue-circle", "dialogue.circle"
HOURS, DAYS = timedelta(hours=1), timedelta(days=1)


class Round(Small):
    """The demo's network with whoever leads circles, the desk, somebody who was harmed, and somebody else."""

    def settle_in(self) -> None:
        self.desk, self.worker = self.person(51, "desk-1"), self.person(71, WORKER)
        self.person(72, "south-campus-1")
        self.mentor = self.person(31, "mentor-1")
        self.one, self.other = self.person(81), self.person(82)

    def files(self, person: str, draft: str = "", without: frozenset[str] = frozenset()) -> str:
        if not draft:
            actor = doors.as_author(person)
            args = (PATHWAY, CATEGORY, AgeGroup.ADULT, "en")
            draft = self.store.run(drafts.start_draft, actor, *args).id
        wishes = plans.Wishes("pattani-mueang", Urgency.NORMAL, routing.Exclusions(organizations=without))
        view = self.store.run(plans.plan_view, person, draft, wishes)
        assert {line.service_id for line in view.plan} == {"weaving-circle"}
        yes = filing.Filing(wishes, view.consent_digest, f"words of {person}", f"phone of {person}")
        self.store.run(filing.file_request, person, draft, yes)
        return draft

    def accepted(self, matter: str) -> str:
        self.passes(6 * HOURS)
        offer = self.at_partner(matter)
        self.store.run(offers.accept, self.worker, offer)
        self.store.run(working.contacted, self.worker, offer)
        return offer

    def does(self, person: str, subject: str, step: str, **body: Any) -> SectionsView:
        view = self.store.run(PAGES["circle"].steps[step], person, subject, body)
        assert isinstance(view, SectionsView)
        return view

    def sees(self, person: str, subject: str) -> list[str]:
        """The text keys of the lines that stand on the page."""
        view = self.store.run(PAGES["circle"].view, person, subject, {})
        return [line.key for section in view.sections for line in section.lines]

    def begun(self) -> tuple[str, str]:
        """One side is there and has said yes; its matter, and the offer by which it is known."""
        matter = self.files(self.one, without=frozenset({"south-campus"}))
        offer = self.accepted(matter)
        self.does(self.worker, offer, "circle_begin")
        self.does(self.one, matter, "circle_yes", yes=True)
        return matter, offer

    def link(self, offer: str) -> str:
        (line,) = self.does(self.worker, offer, "circle_invite").lines
        return str(line.params["payload"])

    def invited(self, account: int, payload: str) -> str:
        """Somebody opens the link and wishes to look; the invitation's id."""
        chat = Chat(self, account)
        chat.says(f"/start {payload}")
        chat.presses(chat.hears()[-1].button("button.look"))
        person = chat.person
        (found,) = self.store.run(lambda tx: tx.find(CircleInvitation, taken_by=person))
        return str(found.id)

    def both(self) -> tuple[str, str, str, str]:
        """Both sides are there, and have said yes once: each one's matter, and the offer it is known by."""
        one, lead_one = self.begun()
        invitation = self.invited(82, self.link(lead_one))
        self.store.run(PAGES["invited"].steps["invited_yes"], self.other, invitation, {"reason": "adult"})
        (draft,) = self.store.run(lambda tx: tx.find(Referral, author_id=self.other))
        other = self.files(self.other, draft.id)
        lead_other = self.accepted(other)
        self.does(self.other, other, "circle_yes", yes=True)
        return one, lead_one, other, lead_other

    def ready(self) -> tuple[str, str, str, str]:
        one, lead_one, other, lead_other = self.both()
        for offer in (lead_one, lead_other):
            self.does(self.worker, offer, "circle_prepared", chosen=list(PREPARED))
        self.passes(DAYS)
        self.does(self.one, one, "circle_yes_again", yes=True)
        self.does(self.other, other, "circle_yes_again", yes=True)
        return one, lead_one, other, lead_other

    def state(self) -> CircleState:
        (circle,) = self.store.run(lambda tx: tx.find(Circle))
        return CircleState(circle.state)


def opened(url: str) -> Iterator[Round]:
    with Round.opened(url) as found:
        found.settle_in()
        yield found


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Round]:
    yield from opened(sqlite_url)


@pytest.fixture
def on_both(database_url: str) -> Iterator[Round]:
    yield from opened(database_url)


def test_two_sides_meet_after_two_yeses_each(on_both: Round) -> None:
    net = on_both
    one, lead_one, other, lead_other = net.both()
    assert net.state() is CircleState.PREPARING
    for person, matter in ((net.one, one), (net.other, other)):
        with pytest.raises(TooEarly):
            net.does(person, matter, "circle_yes_again", yes=True)
    for offer in (lead_one, lead_other):
        net.does(net.worker, offer, "circle_prepared", chosen=list(PREPARED))
    with pytest.raises(TooEarly):  # prepared, and still the day of the first yes
        net.does(net.other, other, "circle_yes_again", yes=True)
    net.passes(DAYS)
    net.does(net.one, one, "circle_yes_again", yes=True)
    with pytest.raises(WrongStage):
        net.does(net.worker, lead_one, "circle_held", yes=True)
    before = net.sees(net.one, one)
    net.does(net.other, other, "circle_yes_again", yes=True)
    assert net.state() is CircleState.READY
    assert net.sees(net.one, one) == before, "the other's second yes shows nowhere"
    net.does(net.other, other, "circle_unsay")
    assert net.state() is CircleState.PREPARING
    assert net.sees(net.one, one) == before
    net.does(net.other, other, "circle_yes_again", yes=True)
    net.does(net.worker, lead_other, "circle_held", yes=True)
    for offer, matter, person in ((lead_one, one, net.one), (lead_other, other, net.other)):
        net.store.run(working.report, net.worker, offer, "met")
        net.store.run(closing.helped, person, matter, True)
    assert net.referral(one).stage is Stage.CLOSED
    assert net.state() is CircleState.HELD, "what is closed after they have met stops nothing"
    net.passes(15 * DAYS)
    assert net.state() is CircleState.FOLLOWED
    net.passes(200 * DAYS)
    for kind in (Circle, CircleSide, CircleInvitation):
        assert net.store.run(_count, kind) == 0, kind.__name__


def _count(tx: Tx, kind: type[Any]) -> int:
    return tx.count(kind)


def test_the_invitation_tells_nothing_before_one_looks_and_no_name_after(net: Round) -> None:
    one, lead = net.begun()
    payload = net.link(lead)
    chat = Chat(net, 82)
    chat.says(f"/start {payload}")
    heard = chat.hears()[-1]
    assert (heard.text, heard.params) == ("family.page_waits", {})
    invitation = net.invited(82, payload)
    shown = net.store.run(PAGES["invited"].view, net.other, invitation, {})
    told = str(asdict(shown))
    assert "Weaving Hands" in told
    for secret in (one, net.referral(one).code, net.one, "words of", "phone of"):
        assert secret not in told
    for person in (net.one, net.worker, net.desk):
        with pytest.raises(NotFound):
            net.store.run(PAGES["invited"].view, person, invitation, {})
    for account in (83, 81, 71):  # taken, one's own, and a worker of whoever prepares it
        said = Chat(net, account)
        said.says(f"/start {payload}")
        assert said.hears()[-1].text == StaleLink.code
    net.store.run(PAGES["invited"].steps["invited_no"], net.other, invitation, {})
    assert net.sees(net.one, one)[0] == "part.circle.own.waits", "a no is whoever leads it to know"
    assert net.link(lead) != payload


def test_the_invited_side_is_asked_in_its_chat_and_no_button_leads_nowhere(net: Round) -> None:
    _, lead = net.begun()
    payload = net.link(lead)
    chats = Chats(net)
    phone = chats.phone(82)
    phone.says(f"/start {payload}")
    phone.presses("Look")

    def leads_there() -> list[str]:
        chats.deliver()
        buttons = (b for shown in phone.standing.values() for b in shown.buttons.values())
        return [leads.rpartition("invited/")[2] for leads in buttons if "invited/" in leads]

    (invitation,) = leads_there()
    net.store.run(PAGES["invited"].steps["invited_yes"], net.other, invitation, {"reason": "adult"})
    assert not leads_there()
    (draft,) = net.store.run(lambda tx: tx.find(Referral, author_id=net.other))
    matter = net.files(net.other, draft.id)
    net.said()
    net.accepted(matter)
    asked = [text for person, text in net.said() if person == net.other]
    assert asked.count("matter.circle_asks") == 1


def test_whoever_has_heard_that_it_is_over_is_asked_nothing_any_more(net: Round) -> None:
    one, lead = net.begun()
    invitation = net.invited(82, net.link(lead))
    net.store.run(PAGES["invited"].steps["invited_yes"], net.other, invitation, {"reason": "adult"})
    (draft,) = net.store.run(lambda tx: tx.find(Referral, author_id=net.other))
    other = net.files(net.other, draft.id)
    net.passes(6 * HOURS)
    offer = net.at_partner(other)
    net.store.run(offers.accept, net.worker, offer)
    net.does(net.one, one, "circle_stop")
    net.passes(DAYS)
    assert (net.other, "matter.circle_over") in net.said()
    net.store.run(working.contacted, net.worker, offer)
    assert "matter.circle_asks" not in [text for person, text in net.said() if person == net.other]


def test_nobody_is_asked_before_the_first_side_has_said_yes(net: Round) -> None:
    matter = net.files(net.one, without=frozenset({"south-campus"}))
    offer = net.accepted(matter)
    net.does(net.worker, offer, "circle_begin")
    with pytest.raises(WrongStage):
        net.does(net.worker, offer, "circle_invite")
    net.does(net.one, matter, "circle_yes", yes=True)
    net.does(net.one, matter, "circle_yes", yes=True)  # pressed twice
    assert net.link(offer).startswith("d-")


@pytest.mark.parametrize("way", ["tap", "lead", "withdraw", "gives_back"])
def test_whoever_stops_and_however_the_other_side_sees_the_same_words_later(net: Round, way: str) -> None:
    one, lead_one, other, _ = net.ready()
    net.said()
    before = net.store.run(PAGES["circle"].view, net.other, other, {})
    match way:
        case "tap":
            assert net.does(net.one, one, "circle_stop").sections[0].lines[0].key == "part.circle.own.over"
            net.does(net.one, one, "circle_stop")  # pressed twice
        case "lead":
            net.does(net.worker, lead_one, "circle_end")
        case "withdraw":
            net.store.run(closing.withdraw, net.one, one)
        case _:
            net.store.run(working.give_back, net.worker, lead_one)
    assert net.state() is CircleState.STOPPED
    assert net.other not in {person for person, _ in net.said()}
    assert net.store.run(PAGES["circle"].view, net.other, other, {}) == before
    net.passes(29 * timedelta(minutes=1))
    assert net.other not in {person for person, _ in net.said()}, "never at once"
    net.passes(8 * HOURS)
    heard = [text for person, text in net.said() if person == net.other]
    assert heard == ["matter.circle_over"]
    assert net.sees(net.other, other) == ["part.circle.own.over"]
    sides = net.store.run(lambda tx: tx.find(CircleSide))
    assert all(side.over_at is None for side in sides), "nor do the rows tell who it was"
    with pytest.raises(WrongStage):
        net.does(net.worker, net.at_partner(other), "circle_held", yes=True)


def spoken_by_the_system(url: str, subject: str) -> list[str]:
    asked = (
        "SELECT detail FROM audit WHERE subject = ? AND action = 'referral:step' ORDER BY at, lane, sequence"
    )
    with closed(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        return [row[0] for row in database.execute(asked, (subject,))]


def test_what_a_side_does_before_it_has_heard_is_taken_as_ever(net: Round, sqlite_url: str) -> None:
    one, _, other, lead_other = net.both()
    net.does(net.worker, lead_other, "circle_prepared", chosen=list(PREPARED))
    net.passes(DAYS)
    net.does(net.one, one, "circle_stop")
    net.does(net.other, other, "circle_yes_again", yes=True)
    assert net.sees(net.other, other)[0] == "part.circle.own.said"
    net.does(net.other, other, "circle_unsay")
    net.does(net.other, other, "circle_stop")  # both stop: the one who taps sees it at once
    assert net.sees(net.other, other) == ["part.circle.own.over"]
    first, second = (spoken_by_the_system(sqlite_url, f"circle_side:{each}") for each in (one, other))
    assert "over" in first
    assert first == second, "nor does the audit say who was the second, and so who was the first"
    net.passes(9 * HOURS)
    assert "matter.circle_over" not in {text for _, text in net.said()}, "nobody is told what they did"


def test_one_side_reads_nothing_of_the_other(net: Round) -> None:
    one, lead_one, other, lead_other = net.both()
    for reader, theirs in ((net.one, other), (net.other, one)):
        for page in ("circle", "matter"):
            with pytest.raises(NotFound):
                net.store.run(PAGES[page].view, reader, theirs, {})
        for step in ("circle_yes", "circle_stop", "circle_unsay"):
            with pytest.raises((NotFound, NotAllowed)):
                net.does(reader, theirs, step, yes=True)
    for reader, own, author in ((net.one, one, net.other), (net.other, other, net.one)):
        for page in ("circle", "matter"):
            assert author not in str(asdict(net.store.run(PAGES[page].view, reader, own, {})))
    shown = net.store.run(PAGES["matter"].view, net.worker, lead_one, {})
    assert isinstance(shown, MatterView)
    assert shown.story == f"words of {net.one}", "each side's words are its own and the facilitator's"
    assert f"words of {net.other}" not in str(asdict(shown))
    assert "part.circle.lead.preparing" in net.sees(net.worker, lead_other)
    stranger = net.person(99, "south-campus-1")
    for reader in (net.desk, net.mentor, stranger):
        for subject in (one, lead_one):
            with pytest.raises((NotFound, NotAllowed)):
                net.sees(reader, subject)


def test_through_a_mentor_the_other_side_is_asked_by_word(net: Round) -> None:
    _, lead = net.begun()
    invitation = net.invited(31, net.link(lead))
    (member,) = net.store.run(lambda tx: tx.find(Enrolment, code="K7-29"))
    step = PAGES["invited"].steps["invited_for"]
    net.store.run(step, net.mentor, invitation, {"reason": member.id})
    (waits,) = net.store.run(lambda tx: tx.find(Referral, enrolment_id=member.id, category=CATEGORY))
    assert waits.stage is Stage.AWAITING_CONSENT
    shown = net.store.run(PAGES["words"].view, net.mentor, waits.id, {"area": "pattani-mueang"})
    assert [line.service_id for line in shown.plan.plan] == ["weaving-circle"]
    (side,) = net.store.run(lambda tx: tx.find(CircleSide, invited=True))
    assert (side.id, side.harmed) == (waits.id, False)


@pytest.mark.parametrize("seat", ["border-probation-1", "weaving-hands-1"])
def test_a_members_yes_is_not_said_by_whoever_gains_by_it(net: Round, seat: str) -> None:
    """A mentor with a post at a body that supervises people, or where the circle is prepared."""
    _, lead = net.begun()
    invitation = net.invited(31, net.link(lead))
    (member,) = net.store.run(lambda tx: tx.find(Enrolment, code="K7-29"))
    invited = PAGES["invited"].steps["invited_for"]
    net.store.run(invited, net.mentor, invitation, {"reason": member.id})
    (waits,) = net.store.run(lambda tx: tx.find(Referral, enrolment_id=member.id, category=CATEGORY))
    net.store.run(_also_on, net.mentor, seat)
    with pytest.raises(word_consent.MayNotWitness):
        net.does(net.mentor, waits.id, "circle_yes", yes=True)
    net.does(net.mentor, waits.id, "circle_stop")  # to stop is always free


def _also_on(tx: Tx, person_id: str, seat_id: str) -> None:
    (seat,) = tx.find(Seat, id=seat_id)
    tx.save(replace(seat, person_id=person_id))


def test_a_circle_that_rests_is_asked_about_and_no_side_is_hurried(net: Round) -> None:
    matter, _ = net.begun()
    net.said()
    net.passes(15 * DAYS)
    heard = net.said()
    assert (net.worker, "worker.circle_waits") in heard
    assert not [text for person, text in heard if person == net.one and "circle" in text]
    net.passes(15 * DAYS)
    assert (net.desk, "desk.circle_waits") in net.said()
    assert net.sees(net.one, matter)[0] == "part.circle.own.waits"


def test_a_restored_backup_begins_nothing_again(net: Round) -> None:
    """What was stopped, and a second yes that was taken back, after the backup."""
    one, _, other, _ = net.ready()
    unsaid = took(net.clock.now, Taken.STATE, Record("circle_side", other), holder="no second yes")
    net.store.run(restoring.after_restore, STEWARD, net.clock.now, [unsaid])
    assert net.state() is CircleState.PREPARING
    (circle,) = net.store.run(lambda tx: tx.find(Circle))
    stopped = took(net.clock.now, Taken.STATE, circle.record, holder="stopped")
    net.store.run(restoring.after_restore, STEWARD, net.clock.now, [stopped])
    assert net.state() is CircleState.STOPPED
    net.passes(9 * HOURS)
    assert net.sees(net.one, one) == net.sees(net.other, other) == ["part.circle.own.over"]


def test_one_link_is_one_persons_and_a_no_without_a_yes_stops_nothing(net: Round) -> None:
    one, lead = net.begun()
    invitation = net.invited(82, net.link(lead))
    net.store.run(PAGES["invited"].steps["invited_yes"], net.other, invitation, {"reason": "adult"})
    (draft,) = net.store.run(lambda tx: tx.find(Referral, author_id=net.other))
    with pytest.raises(NotFound):
        net.store.run(PAGES["invited"].steps["invited_yes"], net.other, invitation, {"reason": "adult"})
    with pytest.raises(WrongStage):
        net.does(net.worker, lead, "circle_invite")
    net.files(net.other, draft.id)
    net.store.run(closing.withdraw, net.other, draft.id)
    assert net.state() is CircleState.ONE_SIDE
    assert net.link(lead).startswith("d-")
    net.passes(9 * HOURS)
    assert net.sees(net.one, one)[0] == "part.circle.own.waits"


def test_both_sides_at_once(postgres_url: str) -> None:
    """On PostgreSQL turns overlap: two second yeses make it ready, and a stop wins against whatever else."""
    for net in opened(postgres_url):
        one, lead_one, other, lead_other = net.both()
        for offer in (lead_one, lead_other):
            net.does(net.worker, offer, "circle_prepared", chosen=list(PREPARED))
        net.passes(DAYS)
        yes = PAGES["circle"].steps["circle_yes_again"]
        asyncio.run(_together(net, (yes, net.one, one), (yes, net.other, other)))
        assert net.state() is CircleState.READY
        steps = PAGES["circle"].steps
        held, stop = steps["circle_held"], steps["circle_stop"]
        asyncio.run(_together(net, (held, net.worker, lead_one), (stop, net.other, other)))
        assert net.state() is CircleState.STOPPED


async def _together(net: Round, *turns: tuple[Any, str, str]) -> None:
    does = (net.store.turn(verb, who, subject, {"yes": True}) for verb, who, subject in turns)
    ends = await asyncio.gather(*does, return_exceptions=True)
    assert not [end for end in ends if isinstance(end, Exception) and not isinstance(end, PulangError)], ends
