"""A matter is handed to another organisation: with a new yes, warmly, and without a gap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.casework import Transfer
from referrals.directory import Agreement
from referrals.errors import BadAnswer, NotFound, PulangError, TooOften, TurnOver, WrongStage
from referrals.members import WordReceipt
from referrals.model import DESK, Consent, DataClass, Offer, OfferStage, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service import awaited
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.joint import transfers
from referrals.service.pages import PAGES
from referrals.service.request import filing, word_checks
from referrals.service.turns import closing, offers, onward
from referrals.views import MatterView, Section
from tests.service.test_by_word import Club
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

DAY = timedelta(days=1)
TICKS = (word_consent.READ_OUT, word_consent.SAID_YES)


class Handing:
    """A family whom Bua House helps, and Two Rivers, who could."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.family, self.worker = net.person(1), net.person(11, "bua-1")
        self.other, self.desk = net.person(13, "two-rivers-1"), net.person(14, "desk-1")
        self.matter = net.filed(self.family)
        net.passes(timedelta(seconds=5))
        self.offer = net.at_partner(self.matter)
        net.store.run(offers.accept, self.worker, self.offer)
        net.store.run(working.contacted, self.worker, self.offer)
        net.said()

    def page(self, who: str, subject: str) -> MatterView:
        view = self.net.store.run(PAGES["matter"].view, who, subject, {})
        assert isinstance(view, MatterView)
        return view

    def step(self, who: str, subject: str, name: str, body: dict[str, object]) -> object:
        return self.net.store.run(PAGES["matter"].steps[name], who, subject, body)

    def part(self, who: str, subject: str) -> Section | None:
        found = [s for s in self.page(who, subject).sections if s.title_key == "part.transfer.title"]
        return found[0] if found else None

    def asks(self) -> str:
        """The worker chooses the first who could take over; returns that service."""
        part = self.part(self.worker, self.offer)
        assert part is not None
        chosen = next(c for c in part.steps[0].choices if "two-rivers" in c.id)
        self.step(self.worker, self.offer, "transfer", {"reason": chosen.id})
        return chosen.id

    def says_yes(self) -> None:
        part = self.part(self.family, self.matter)
        assert part is not None
        self.step(self.family, self.matter, "transfer_yes", dict(part.body))
        self.net.passes(timedelta(minutes=5))

    def next_offer(self) -> str:
        return self.net.referral(self.matter).next_offer_id or "nothing"


@pytest.fixture
def handing(sqlite_url: str) -> Iterator[Handing]:
    yield from _handing(sqlite_url)


@pytest.fixture
def on_either(database_url: str) -> Iterator[Handing]:
    yield from _handing(database_url)


def _handing(url: str) -> Iterator[Handing]:
    with Small.opened(url) as net:
        yield Handing(net)


def test_a_private_wish_is_not_told_by_who_is_left_out(handing: Handing) -> None:
    """'Not Two Rivers' is the person's own: the partner finds them in the list, and hears a no like any."""
    net = handing.net
    open_to_all = handing.part(handing.worker, handing.offer)
    handing.matter = net.filed(handing.family, without=frozenset({"two-rivers"}))
    net.passes(timedelta(seconds=5))
    handing.offer = net.at_partner(handing.matter)
    net.store.run(offers.accept, handing.worker, handing.offer)
    net.said()
    shown = handing.part(handing.worker, handing.offer)
    assert shown is not None
    assert open_to_all is not None
    assert shown.steps[0].choices == open_to_all.steps[0].choices
    handing.asks()
    waits = handing.part(handing.worker, handing.offer)
    assert waits is not None
    assert waits.lines[0].key == "part.transfer.waits"
    assert handing.part(handing.family, handing.matter) is None, "what they do not want is not put to them"
    net.passes(6 * DAY)
    heard = net.said()
    assert (handing.worker, "worker.stays") in heard
    assert not [text for who, text in heard if who == handing.family and "transfer" in text]
    assert (handing.family, "matter.stays") not in heard
    assert net.referral(handing.matter).organization_id == "bua-house"


def test_it_goes_over_with_a_new_yes_and_the_first_partner_reads_nothing_any_more(on_either: Handing) -> None:
    handing, net = on_either, on_either.net
    service = handing.asks()
    assert (handing.family, "matter.transfer_asked") in net.said()
    part = handing.part(handing.family, handing.matter)
    assert part is not None
    shown = "\n".join(str(line.params) for line in part.lines)
    assert "Two Rivers" in shown
    assert "Bua House" in shown
    assert net.live_offer(handing.matter) is None, "until the yes nothing travels"
    handing.says_yes()
    given = net.store.run(lambda tx: doors.consent_in_force(tx, doors.referral_by_id(tx, handing.matter)))
    assert given is not None
    assert given.plan[0] == service
    assert "Two Rivers" in given.text
    heard = net.said()
    assert (handing.other, "worker.new_offer") in heard
    assert (handing.worker, "worker.transfer_yes") in heard
    net.store.run(threads.write, handing.worker, handing.offer, "see you on Monday all the same")
    assert handing.page(handing.worker, handing.offer).story == "a story", "the first one goes on"
    with pytest.raises(NotFound):
        handing.page(handing.other, handing.next_offer())
    net.store.run(offers.accept, handing.other, handing.next_offer())
    taken = net.referral(handing.matter)
    assert (taken.stage, taken.organization_id, taken.next_offer_id) == (Stage.ACCEPTED, "two-rivers", None)
    with pytest.raises(NotFound):
        handing.page(handing.worker, handing.offer)
    assert handing.page(handing.other, taken.offer_id or "").story == "a story"
    holders = net.store.run(lambda tx: tx.holders(taken.record, DataClass.STORY))
    assert holders == {f"person:{handing.family}", "org:two-rivers"}
    heard = net.said()
    assert (handing.worker, "worker.handed_over") in heard
    assert (handing.family, "matter.accepted") in heard
    assert "first_contact" in {t.kind for t in net.timers() if t.subject == handing.matter}
    assert not [t for t in net.timers() if t.kind == "heartbeat"], "the first one owes nothing any more"


def test_a_person_is_not_asked_again_and_again_who_should_take_over(handing: Handing) -> None:
    """A partner who names one after the other rings the person each time: three a day, and tomorrow again."""
    net = handing.net
    matter = net.referral(handing.matter)
    one, other = (line.service_id for line in net.store.run(transfers.offered, matter)[:2])
    for service in (one, other, one):
        net.store.run(transfers.propose, handing.worker, handing.offer, service)
    with pytest.raises(TooOften):
        net.store.run(transfers.propose, handing.worker, handing.offer, other)
    asked = net.store.run(transfers.standing, net.referral(handing.matter))
    assert asked is not None
    assert asked.service_id == one, "what is asked already stands"
    net.passes(DAY)
    net.store.run(transfers.propose, handing.worker, handing.offer, other)


def test_a_no_changes_nothing_and_both_hear_it(handing: Handing) -> None:
    handing.asks()
    before = handing.net.store.run(lambda tx: tx.find(Consent, referral_id=handing.matter))
    handing.step(handing.family, handing.matter, "transfer_no", {})
    heard = handing.net.said()
    assert (handing.worker, "worker.stays") in heard
    assert (handing.family, "matter.stays") in heard
    assert handing.net.store.run(lambda tx: tx.find(Consent, referral_id=handing.matter)) == before
    assert handing.net.referral(handing.matter).stage is Stage.IN_SERVICE
    with pytest.raises(TurnOver):
        handing.step(handing.family, handing.matter, "transfer_no", {})


@pytest.mark.parametrize("answer", ["declines", "sleeps"])
def test_when_the_other_one_does_not_take_it_the_first_one_goes_on(handing: Handing, answer: str) -> None:
    handing.asks()
    handing.says_yes()
    handing.net.said()
    if answer == "declines":
        handing.net.store.run(offers.decline, handing.other, handing.next_offer(), "full")
    else:
        handing.net.passes(7 * DAY)
    heard = handing.net.said()
    assert (handing.worker, "worker.stays") in heard
    assert (handing.family, "matter.stays") in heard
    stays = handing.net.referral(handing.matter)
    assert (stays.stage, stays.organization_id, stays.next_offer_id) == (Stage.IN_SERVICE, "bua-house", None)
    assert handing.page(handing.worker, handing.offer).story == "a story"


def test_silence_for_a_week_is_no_yes(handing: Handing) -> None:
    handing.asks()
    handing.net.passes(8 * DAY)
    assert handing.net.store.run(lambda tx: tx.count(Transfer)) == 0
    assert (handing.worker, "worker.stays") in handing.net.said()
    assert handing.net.store.run(lambda tx: tx.count(Offer, referral_id=handing.matter)) == 1


def test_who_has_lost_the_message_finds_the_question_by_the_word_answer(handing: Handing) -> None:
    net = handing.net

    def asked() -> list[str]:
        return [ask.text for ask in net.store.run(awaited.of_person, handing.family)]

    assert asked() == []
    net.store.run(onward.propose, handing.worker, handing.offer, "family.income")
    net.passes(onward.ASK_AFTER)
    handing.asks()
    assert sorted(asked()) == ["matter.transfer_asked", "onward.waits"]
    handing.says_yes()
    assert asked() == ["onward.waits"]


def test_words_that_were_not_read_are_not_agreed_to(handing: Handing) -> None:
    handing.asks()
    with pytest.raises(filing.PlanChanged):
        handing.step(handing.family, handing.matter, "transfer_yes", {"consent_digest": "of other words"})


@pytest.mark.parametrize("end", ["withdraws", "reports", "returns", "void"])
def test_what_ends_takes_the_question_and_the_offer_with_it(handing: Handing, end: str) -> None:
    handing.asks()
    handing.says_yes()
    asked = handing.next_offer()
    run = handing.net.store.run
    if end == "withdraws":
        run(closing.withdraw, handing.family, handing.matter)
    elif end == "reports":
        run(working.report, handing.worker, handing.offer, "met")
    elif end == "returns":
        run(working.give_back, handing.worker, handing.offer)
    else:
        run(closing.void, handing.desk, handing.matter)
    found = run(lambda tx: tx.get(Offer, asked))
    assert found is not None
    assert found.stage is OfferStage.RECALLED
    with pytest.raises(PulangError):
        run(offers.accept, handing.other, asked)
    with pytest.raises((TurnOver, PulangError)):
        handing.step(handing.family, handing.matter, "transfer_yes", {})


def test_a_partner_whom_the_person_does_not_want_is_never_asked(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = Small(store, clock)
    family, worker = net.person(1), net.person(11, "bua-1")
    net.person(13, "two-rivers-1")
    matter = net.filed(family, without=frozenset({"two-rivers"}))
    net.passes(timedelta(seconds=5))
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    lines = net.store.run(lambda tx: transfers.candidates(tx, doors.referral_by_id(tx, matter)))
    assert not {"two-rivers", "bua-house"} & {line.organization_id for line in lines}
    shown = net.store.run(lambda tx: transfers.offered(tx, doors.referral_by_id(tx, matter)))
    (theirs,) = (line.service_id for line in shown if line.organization_id == "two-rivers")
    net.store.run(transfers.propose, worker, offer, theirs)
    net.store.run(transfers.agree, family, matter, "whatever was forged")
    net.passes(6 * DAY)
    assert net.referral(matter).next_offer_id is None
    assert not net.store.run(lambda tx: tx.find(Offer, referral_id=matter, organization_id="two-rivers"))
    store.close()


# -- by word -----------------------------------------------------------------------------------------


class ByWord:
    """A member whom one partner helps; another could. The mentor reads out whatever is asked."""

    def __init__(self, club: Club) -> None:
        self.net = club
        club.settle_in()
        self.workers = {"bua-house": club.worker, "family-office": club.person(43, "family-office-1")}
        self.matter = club.ticked()
        self.code = club.hears_yes(self.matter, exclude_organizations=[])
        club.passes(timedelta(minutes=6))
        live = club.live_offer(self.matter)
        assert live is not None
        self.first, self.offer = live.organization_id, live.id
        (self.other,) = self.workers.keys() - {self.first}
        club.store.run(offers.accept, self.workers[self.first], self.offer)
        lines = club.store.run(lambda tx: transfers.offered(tx, doors.referral_by_id(tx, self.matter)))
        (self.service,) = (line.service_id for line in lines if line.organization_id == self.other)
        club.said()
        club.store.run(transfers.propose, self.workers[self.first], self.offer, self.service)

    def asked(self, who: str) -> Section | None:
        sections = self.net.store.run(PAGES["matter"].view, who, self.matter, {}).sections
        return next((s for s in sections if s.title_key == "part.transfer.title"), None)

    def says(self, who: str, step: str = "transfer_yes", ticked: tuple[str, ...] = TICKS) -> MatterView:
        part = self.asked(self.net.mentor)
        assert part is not None
        body = {**part.body, "chosen": list(ticked)}
        view = self.net.store.run(PAGES["matter"].steps[step], who, self.matter, body)
        assert isinstance(view, MatterView)
        return view

    def hears_yes(self) -> str:
        """The mentor has read it out and heard a yes; the code that the page shows this once."""
        self.net.clock.advance(minutes=1)
        top = self.says(self.net.mentor).sections[0]
        assert top.title_key == "part.transfer.code_title"
        return str(top.lines[0].params["code"])

    def consents(self) -> list[Consent]:
        found = self.net.store.run(lambda tx: tx.find(Consent, referral_id=self.matter))
        return sorted(found, key=lambda given: given.given_at)


@pytest.fixture
def by_word(sqlite_url: str) -> Iterator[ByWord]:
    with Club.opened(sqlite_url) as club:
        yield ByWord(club)


@pytest.fixture
def all_asked(database_url: str) -> Iterator[ByWord]:
    """The same where the desk asks about each yes."""
    ours = replace(CATALOGUE.pathways["member-support"], asked_percent=100)
    catalogue = replace(CATALOGUE, pathways={**CATALOGUE.pathways, ours.id: ours})
    store = open_store(database_url, clock := SettableClock(), catalogue)
    yield ByWord(Club(store, clock))
    store.close()


def test_by_word_the_mentor_reads_out_the_new_words_and_it_goes_over(by_word: ByWord) -> None:
    net = by_word.net
    assert (net.mentor, "matter.transfer_asked") in net.said()
    part = by_word.asked(net.mentor)
    assert part is not None
    assert part.lines[0].key == "part.transfer.read_out"
    read_out = "\n".join(str(line.params["words"]) for line in part.lines[1:])
    assert CATALOGUE.words("consent.by_word", "th") in read_out, "in the member's language"
    net.clock.advance(minutes=1)
    for ticked in ((), TICKS[:1], TICKS[1:]):
        with pytest.raises(BadAnswer):
            by_word.says(net.mentor, ticked=ticked)
    by_word.says(net.mentor)
    before, given = by_word.consents()
    assert (given.witness_id, given.language) == (net.mentor, "th")
    assert [line for line in given.text.splitlines() if line] == read_out.splitlines()
    assert before.withdrawn_at is not None
    net.passes(timedelta(minutes=6))
    asked = net.referral(by_word.matter).next_offer_id or "nothing"
    net.store.run(offers.accept, by_word.workers[by_word.other], asked)
    taken = net.referral(by_word.matter)
    assert (taken.organization_id, taken.by_word) == (by_word.other, True)
    holders = net.store.run(lambda tx: tx.holders(taken.record, DataClass.STORY))
    assert f"org:{by_word.first}" not in holders
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].view, by_word.workers[by_word.first], by_word.offer, {})


def test_by_word_nobody_hears_that_yes_who_gains_by_it(by_word: ByWord) -> None:
    net = by_word.net
    there, here = word_consent.NoNeutralPartner, word_consent.MayNotWitness
    assert by_word.first == "bua-house"
    for seat, refused in ((f"{by_word.other}-1", there), ("bua-2", there), ("border-probation-1", here)):
        freed = net.store.run(_sits, seat, net.mentor)
        with pytest.raises(refused):
            by_word.says(net.mentor)
        net.store.run(_sits, seat, freed)
    for who in (net.backup, net.desk, net.worker, net.steward):
        for step in ("transfer_yes", "transfer_no"):
            with pytest.raises(NotFound):
                by_word.says(who, step)
    assert len(by_word.consents()) == 1
    by_word.says(net.mentor, "transfer_no")
    assert net.referral(by_word.matter).organization_id == by_word.first


def test_by_word_the_first_code_still_takes_everything_back(by_word: ByWord) -> None:
    """The member was given it before: what they carry home goes on to hold, whatever was agreed to since."""
    net = by_word.net
    by_word.says(net.mentor)
    net.passes(timedelta(minutes=6))
    asked = net.referral(by_word.matter).next_offer_id or "nothing"
    assert net.store.run(word_consent.withdraw_by_code, net.person(99), by_word.code)
    assert net.referral(by_word.matter).stage is Stage.WITHDRAWN
    assert all(given.withdrawn_at is not None for given in by_word.consents())
    with pytest.raises(PulangError):
        net.store.run(offers.accept, by_word.workers[by_word.other], asked)


def test_by_word_the_new_yes_has_a_code_of_its_own(by_word: ByWord) -> None:
    net = by_word.net
    code = by_word.hears_yes()
    assert len(code.split("-")) == 4
    assert code != by_word.code
    net.passes(timedelta(minutes=6))
    assert net.store.run(word_consent.withdraw_by_code, net.person(99), code)
    assert net.referral(by_word.matter).stage is Stage.WITHDRAWN
    assert net.store.run(word_consent.withdraw_by_code, net.person(99), by_word.code), "it is taken back"


def test_by_word_the_first_code_ends_the_newer_yes_of_what_is_closed_too(by_word: ByWord) -> None:
    """Else whoever brought it would be told that it is taken back, and a mentor could open it again."""
    net = by_word.net
    by_word.hears_yes()
    net.passes(timedelta(minutes=6))
    worker, asked = by_word.workers[by_word.other], net.referral(by_word.matter).next_offer_id or "nothing"
    net.store.run(offers.accept, worker, asked)
    net.store.run(working.contacted, worker, asked)
    net.store.run(working.report, worker, asked, "met")
    net.store.run(closing.helped, net.mentor, by_word.matter, True)
    assert net.store.run(word_consent.withdraw_by_code, net.person(99), by_word.code)
    assert all(given.withdrawn_at is not None for given in by_word.consents())


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_by_word_the_desk_asks_about_the_new_yes_too(all_asked: ByWord, answer: str) -> None:
    net, matter = all_asked.net, all_asked.matter
    net.store.run(word_checks.answer, net.desk, matter, "yes")  # about the first one
    assert net.store.run(PAGES["matter"].view, net.desk, matter, {}).contact is None
    net.said()
    all_asked.hears_yes()
    assert (net.desk, "desk.ask_whether_true") in net.said()
    shown = net.store.run(PAGES["matter"].view, net.desk, matter, {})
    assert shown.steps[0].id == "check"
    assert shown.read_out == all_asked.consents()[-1].text
    assert "08 1234" in (shown.contact or ""), "how to reach them was written down at the first yes"
    assert shown.story is None
    net.store.run(word_checks.answer, net.desk, matter, answer)
    contact = net.referral(matter).record
    assert DESK not in net.store.run(lambda tx: tx.holders(contact, DataClass.CONTACT))
    ended = net.referral(matter).stage is Stage.WITHDRAWN
    assert ended is (answer == "no")


def test_by_word_the_desk_cannot_reach_them_any_more_once_it_is_taken_back(all_asked: ByWord) -> None:
    net, matter = all_asked.net, all_asked.matter
    net.store.run(word_checks.answer, net.desk, matter, "yes")
    all_asked.hears_yes()
    contact = net.referral(matter).record
    assert DESK in net.store.run(lambda tx: tx.holders(contact, DataClass.CONTACT))
    net.store.run(closing.withdraw, net.mentor, matter)
    assert DESK not in net.store.run(lambda tx: tx.holders(contact, DataClass.CONTACT)), "in the same turn"
    net.said()
    net.passes(9 * DAY)
    assert (net.desk, "desk.ask_whether_true") not in net.said()


def test_by_word_the_desk_asks_once_about_all_that_was_heard(all_asked: ByWord) -> None:
    net, matter = all_asked.net, all_asked.matter
    all_asked.hears_yes()
    receipts = net.store.run(lambda tx: tx.find(WordReceipt, referral_id=matter))
    assert [receipt.sampled for receipt in receipts] == [True, True]
    net.store.run(word_checks.answer, net.desk, matter, "yes")
    with pytest.raises(WrongStage):
        net.store.run(word_checks.answer, net.desk, matter, "no")


def _sits(tx: Tx, seat_id: str, person_id: str | None) -> str | None:
    """The test's own hand: somebody else sits there; who sat there before."""
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=person_id))
    return seat.person_id


# -- two at once, and the desk -----------------------------------------------------------------------


def test_a_yes_against_a_withdrawal_at_the_same_moment(postgres_url: str) -> None:
    """Whoever comes second finds what the first one did: nothing is offered after a withdrawal."""
    clock = SettableClock()
    store = open_store(postgres_url, clock, CATALOGUE)
    handing = Handing(Small(store, clock))
    handing.asks()
    part = handing.part(handing.family, handing.matter)
    assert part is not None
    digest = part.body["consent_digest"]
    both = threading.Barrier(2)

    def together(verb: object, *args: object) -> None:
        both.wait()
        with suppress(PulangError):
            store.run(verb, *args)  # type: ignore[arg-type]

    racing = [
        threading.Thread(target=together, args=(transfers.agree, handing.family, handing.matter, digest)),
        threading.Thread(target=together, args=(closing.withdraw, handing.family, handing.matter)),
    ]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    handing.net.passes(8 * DAY)
    ended = handing.net.referral(handing.matter)
    assert ended.stage is Stage.WITHDRAWN
    assert not handing.net.store.run(lambda tx: doors.consent_in_force(tx, ended))
    offered = store.run(lambda tx: tx.find(Offer, referral_id=handing.matter))
    assert [offer.organization_id for offer in offered] == ["bua-house"]
    holders = store.run(lambda tx: tx.holders(ended.record, DataClass.STORY))
    assert holders == {f"person:{handing.family}"}
    store.close()


def test_the_desk_moves_on_what_was_to_be_handed_over(handing: Handing) -> None:
    handing.asks()
    handing.says_yes()
    handing.net.store.run(working.give_back, handing.worker, handing.offer)
    handing.net.passes(timedelta(minutes=10))
    again = handing.net.referral(handing.matter)
    assert again.stage in (Stage.OFFERED, Stage.UNMATCHED)
    if again.stage is Stage.UNMATCHED:
        handing.net.store.run(desk.rematch, handing.desk, handing.matter)
        handing.net.passes(timedelta(minutes=10))
    live = handing.net.live_offer(handing.matter)
    assert live is not None
    assert live.organization_id != "bua-house", "who gave it back is not asked again"


@pytest.mark.parametrize("asked_already", [True, False])
def test_whom_the_person_said_yes_to_comes_next_when_the_first_one_gives_it_back(
    handing: Handing, asked_already: bool
) -> None:
    """In the minutes before the other one is asked, or before it has answered: it is not passed over."""
    handing.asks()
    part = handing.part(handing.family, handing.matter)
    assert part is not None
    handing.step(handing.family, handing.matter, "transfer_yes", dict(part.body))
    if asked_already:
        handing.net.passes(timedelta(minutes=5))
        assert handing.net.referral(handing.matter).next_offer_id
    handing.net.store.run(working.give_back, handing.worker, handing.offer)
    handing.net.passes(timedelta(minutes=6))
    live = handing.net.live_offer(handing.matter)
    assert live is not None
    assert live.organization_id == "two-rivers"


def test_who_may_not_be_asked_any_more_is_not_asked_to_take_over(handing: Handing) -> None:
    """Everything is looked at again when the other one's turn comes, as at every offer."""
    service = handing.asks()
    part = handing.part(handing.family, handing.matter)
    assert part is not None
    handing.step(handing.family, handing.matter, "transfer_yes", dict(part.body))
    handing.net.store.run(_without_agreement, service)
    handing.net.said()
    handing.net.passes(timedelta(minutes=6))
    assert not handing.net.store.run(lambda tx: tx.find(Offer, service_id=service))
    heard = handing.net.said()
    assert (handing.worker, "worker.stays") in heard
    assert (handing.family, "matter.stays") in heard
    assert handing.other not in {who for who, _ in heard}


def _without_agreement(tx: Tx, service_id: str) -> None:
    """It ends on a day that has gone by, and nothing else is said of it."""
    organization = tx.directory.services[service_id].organization_id
    for agreement in tx.find(Agreement, organization_id=organization):
        tx.save(replace(agreement, ends_on=(tx.now - 2 * DAY).date()))
