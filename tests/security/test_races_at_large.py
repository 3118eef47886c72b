"""Every two verbs that move a stage, at once, on PostgreSQL: whoever comes second is told kindly.

Whatever came first, the network is sound afterwards: a matter and its offers say the same, somebody owes the
next step of whatever is open, what has ended has no yes in force and no live offer, and no key is in wrong
hands. In `make test` one pair of each situation is raced, in the long run each pair twenty times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from referrals.access import Action
from referrals.casework import Transfer
from referrals.errors import PulangError
from referrals.lifecycle import ENDED, LIVE_OFFERS
from referrals.members import Enrolment
from referrals.model import SYSTEM, AuditEntry, Consent, Offer, OfferStage, Stage
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import retention
from referrals.service.common import doors
from referrals.service.desk import desk, desk_work, worker_hands
from referrals.service.help import appointments, attempts, working
from referrals.service.joint import plan_days, tasks, transfers
from referrals.service.lasting import ending
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.request import behalf, needs, receipts
from referrals.service.turns import closing, offers, onward
from tests.security.test_forged_in_network import _keys_in_wrong_hands
from tests.security.test_races_of_turns import at_once
from tests.service.test_questions import Turns
from tests.support.asking import asked_for
from tests.support.network import CATALOGUE
from tests.support.parts import Parts
from tests.support.store import SettableClock, open_store

HELD = (Stage.ACCEPTED, Stage.UNREACHABLE, Stage.IN_SERVICE, Stage.REPORTED)
CUT = (Stage.WITHDRAWN, Stage.VOID, Stage.EXPIRED)
Verb = tuple[Any, ...]
MINUTE = timedelta(minutes=1)


class Racing(Turns):
    """Each race is about a matter of somebody new, so that none is stopped by a limit."""

    families = 1000
    mentor = ""

    def newly(self) -> None:
        Racing.families += 1
        self.family = self.person(Racing.families)

    def offered(self) -> None:
        self.newly()
        self.asked(alone=True)
        self.turn = self.offer.id

    def accepted(self) -> None:
        self.newly()
        self.matter = self.filed(self.family)
        self.passes(MINUTE)
        self.turn = self.offer.id
        self.holder = self.workers_of(self.offer.organization_id)[0]
        self.store.run(offers.accept, self.holder, self.turn)

    def in_service(self) -> None:
        self.accepted()
        self.store.run(working.contacted, self.holder, self.turn)

    def reported(self) -> None:
        self.in_service()
        self.store.run(working.report, self.holder, self.turn, "met")

    def disputed(self) -> None:
        self.reported()
        self.store.run(closing.helped, self.family, self.matter, False)

    def closed(self) -> None:
        self.reported()
        self.store.run(closing.helped, self.family, self.matter, True)

    def unmatched(self) -> None:
        self.newly()
        everybody = frozenset({"bua-house", "two-rivers", "open-door"})
        self.matter = self.filed(self.family, without=everybody)
        self.passes(MINUTE)

    def held(self) -> None:
        self.newly()
        for_them = {"behalf": "very_ill", "agreed": "doctor", "span": "days_30"}
        self.matter = asked_for(self, self.family, **for_them)

    def to_hand_over(self) -> None:
        self.in_service()
        lines = self.store.run(lambda tx: transfers.offered(tx, doors.referral_by_id(tx, self.matter)))
        self.to = self.workers_of(lines[0].organization_id)[0]
        self.store.run(transfers.propose, self.holder, self.turn, lines[0].service_id)
        (self.transfer,) = self.store.run(lambda tx: tx.find(Transfer, referral_id=self.matter))

    def agreed_to_hand_over(self) -> None:
        self.to_hand_over()
        self.store.run(_agrees, self.family, self.matter)

    def going_over(self) -> None:
        self.agreed_to_hand_over()
        self.passes(MINUTE)
        self.next_turn = self.referral(self.matter).next_offer_id

    def proposed(self) -> None:
        """A mentor has proposed it, and the member has a phone of their own."""
        self.newly()
        self.matter = self.store.run(_proposed, self.mentor, self.family, Racing.families)

    # -- who does what -------------------------------------------------------------------------------

    def by(self, name: str) -> Verb:
        """A verb by its name in RACES, for the matter as it stands."""
        worker, family, it = getattr(self, "holder", self.worker), self.family, self.matter
        turn = getattr(self, "turn", "none")
        table: dict[str, Callable[[], Verb]] = {
            "accept": lambda: (offers.accept, self.worker, turn),
            "decline": lambda: (offers.decline, self.colleague, turn, "full"),
            "lapse": lambda: (offers.lapse, turn),
            "recall": lambda: (desk_work.recall, self.desk, it),
            "withdraw": lambda: (closing.withdraw, family, it),
            "take back": lambda: (receipts.take_back, family, it),
            "the yes ends": lambda: (ending.consent_over, self._consent()),
            "void": lambda: (closing.void, self.desk, it),
            "contacted": lambda: (working.contacted, worker, turn),
            "third try": lambda: (_third_try, worker, turn),
            "report": lambda: (working.report, worker, turn, "met"),
            "report unmet": lambda: (working.report, worker, turn, "unmet", "no_place"),
            "give back": lambda: (working.give_back, worker, turn),
            "appoint": lambda: (appointments.make, worker, turn, self.clock.now + timedelta(days=3)),
            "hand": lambda: (_hand, worker, turn),
            "helped": lambda: (closing.helped, family, it, True),
            "not helped": lambda: (closing.helped, family, it, False),
            "a week is over": lambda: (closing.close_unconfirmed, it),
            "resume": lambda: (desk.resume, self.desk, it),
            "rematch": lambda: (desk.rematch, self.desk, it),
            "give up": lambda: (closing.give_up, self.desk, it, "no_place"),
            "ask anew": lambda: (_files, family, it),
            "reopen": lambda: (closing.reopen, family, it),
            "retire": lambda: (retention.retire, it),
            "own no": lambda: (behalf.own_no, self.desk, it),
            "still so": lambda: (behalf.renew, family, it, "days_60"),
            "the day comes": lambda: (behalf.over, self._consent()),
            "agree": lambda: (_agrees, family, it),
            "refuse": lambda: (transfers.refuse, family, it),
            "send": lambda: (transfers.send, self.transfer.id),
            "over": lambda: (transfers.over, self.transfer.id),
            "take over": lambda: (offers.accept, self.to, self.next_turn),
            "onward": lambda: (onward.ask, f"{turn}:family.letters:1"),
            "yes by word": lambda: (_hears, self.mentor, it),
            "yes by phone": lambda: (_files, family, it),
            "no by phone": lambda: (PAGES["plan"].steps["no"], family, it, {}),
            "expires": lambda: (needs.over, it),
        }
        return table[name]()

    def _consent(self) -> str:
        given = self.store.run(lambda tx: doors.consent_in_force(tx, doors.referral_by_id(tx, self.matter)))
        return given.id if given else "none"


RACES: dict[str, list[tuple[str, str]]] = {
    "offered": [
        ("accept", "recall"), ("accept", "decline"), ("accept", "void"), ("accept", "the yes ends"),
        ("decline", "lapse"), ("recall", "withdraw"), ("lapse", "void"), ("accept", "ask anew"),
    ],
    "accepted": [
        ("give back", "third try"), ("contacted", "third try"), ("contacted", "withdraw"),
        ("give back", "void"), ("hand", "give back"), ("contacted", "the yes ends"),
    ],
    "in_service": [
        ("onward", "give back"), ("report", "report unmet"), ("report", "give back"), ("report", "withdraw"),
        ("appoint", "give back"), ("onward", "onward"), ("report", "the yes ends"),
        ("give back", "take back"),
    ],
    "reported": [
        ("helped", "not helped"), ("helped", "a week is over"), ("not helped", "a week is over"),
        ("helped", "withdraw"), ("not helped", "not helped"),
    ],
    "disputed": [
        ("resume", "rematch"), ("resume", "give up"), ("rematch", "withdraw"), ("helped", "resume"),
    ],
    "closed": [("reopen", "retire"), ("reopen", "reopen"), ("reopen", "take back")],
    "unmatched": [
        ("rematch", "give up"), ("rematch", "void"), ("ask anew", "give up"), ("rematch", "withdraw"),
    ],
    "held": [
        ("own no", "rematch"), ("own no", "still so"), ("the day comes", "still so"), ("rematch", "void"),
    ],
    "to_hand_over": [
        ("agree", "give back"), ("agree", "refuse"), ("agree", "agree"), ("agree", "report"),
        ("agree", "over"), ("agree", "take back"),
    ],
    "agreed_to_hand_over": [
        ("send", "withdraw"), ("send", "refuse"), ("send", "give back"), ("send", "void"),
    ],
    "going_over": [
        ("take over", "give back"), ("take over", "report"), ("take over", "withdraw"),
        ("take over", "take over"), ("take over", "recall"), ("take over", "the yes ends"),
    ],
    "proposed": [
        ("yes by word", "yes by phone"), ("yes by word", "no by phone"), ("yes by phone", "expires"),
        ("yes by word", "expires"), ("yes by phone", "withdraw"),
    ],
}  # fmt: skip


@pytest.fixture
def net(postgres_url: str) -> Iterator[Racing]:
    store = open_store(postgres_url, clock := SettableClock(), CATALOGUE)
    found = Racing(store, clock)
    found.people()
    found.mentor = found.person(31, "mentor-1")
    for n, seat in enumerate(("two-rivers-2", "open-door-1")):
        found.person(40 + n, seat)
    yield found
    store.close()


@pytest.mark.timeout(1800)
def test_whatever_comes_first_the_network_is_sound(net: Racing, long_run: bool) -> None:
    raced = refused = 0
    for situation, pairs in RACES.items():
        for one, other in pairs if long_run else pairs[:1]:
            for _ in range(20 if long_run else 1):
                getattr(net, situation)()
                ends = at_once(net, net.by(one), net.by(other))
                raced, refused = raced + 1, refused + sum(isinstance(end, PulangError) for end in ends)
                wrong = net.store.run(_unsound, net.matter)
                assert not wrong, f"{situation}: {one} against {other}: {wrong}, {ends}"
    assert net.store.run(_keys_in_wrong_hands) == []
    print(f"\n{raced} races, {refused} told kindly, all sound")
    assert refused > raced / 5


def test_what_does_not_fit_is_seen(sqlite_url: str) -> None:
    net = Racing(open_store(sqlite_url, clock := SettableClock(), CATALOGUE), clock)
    net.people()
    for situation, broken in (
        ("accepted", {"organization_id": None}),
        ("offered", {"offer_id": None}),
        ("in_service", {"stage": Stage.WITHDRAWN}),
        ("accepted", {"stage": Stage.MATCHING}),
    ):
        getattr(net, situation)()
        assert net.store.run(_unsound, net.matter) == []
        assert net.store.run(_broken, net.matter, broken)
    net.store.close()


def test_a_plan_of_parts_moved_done_and_taken_back_at_once(postgres_url: str) -> None:
    store = open_store(postgres_url, clock := SettableClock(), CATALOGUE)
    net = Parts(store, clock)
    net.settle_in()
    for number, (one, other) in enumerate((("done", "done"), ("done", "withdraw"), ("move", "withdraw"))):
        net.family = net.person(500 + number)
        plan = net.plan("release-plan")
        task = net.tasks(plan)["family_ready"].id
        table: dict[str, Verb] = {
            "done": (tasks.done, net.family, task),
            "withdraw": (closing.withdraw, net.family, plan),
            "move": (plan_days.move_day, net.family, plan, date(2027, 3, 15), "the gate"),
        }
        at_once(net, table[one], table[other])  # type: ignore[arg-type]
        net.passes(MINUTE)
        children = [t.child_id for t in net.tasks(plan).values() if t.child_id]
        ended = net.referral(plan).stage in ENDED
        assert ended is ("withdraw" in (one, other))
        assert all(net.referral(child).stage in ENDED for child in children) or not ended
    assert store.run(_keys_in_wrong_hands) == []
    store.close()


def _unsound(tx: Tx, referral_id: str) -> list[str]:
    """What does not fit together about a matter now."""
    it = doors.referral_by_id(tx, referral_id)
    all_offers = tx.find(Offer, referral_id=it.id)
    live = [o for o in all_offers if o.stage in LIVE_OFFERS]
    taken = [o.id for o in all_offers if o.stage is OfferStage.ACCEPTED]
    given = [c for c in tx.find(Consent, referral_id=it.id) if c.withdrawn_at is None]
    waits = {t.subject for t in tx.find(Timer)}
    held = it.stage in (*HELD, Stage.DISPUTED)
    wrong = {
        "two live offers": len(live) > 1,
        "a live offer that is nobody's turn": any(o.id not in (it.offer_id, it.next_offer_id) for o in live),
        "offered without an offer": it.stage is Stage.OFFERED and not live,
        "held without an offer": held and (it.offer_id not in taken or it.organization_id is None),
        "held by two": len(taken) > 1,
        "taken, and nobody's": bool(taken) and not held and it.stage is not Stage.CLOSED,
        "to go over, and nobody has it": it.next_offer_id is not None and bool(live) and not held,
        "over, with a live offer": it.stage in ENDED and bool(live),
        "cut, with a yes": it.stage in CUT and bool(given),
        "two yeses": len(given) > 1,
        "nobody owes the next step": it.stage not in (*ENDED, Stage.UNMATCHED)
        and not waits & {it.id, *(o.id for o in live)},
    }
    return [name for name, found in wrong.items() if found]


def _broken(tx: Tx, referral_id: str, broken: Any) -> list[str]:
    """The test's own hand breaks it."""
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral_id}", "broken by a test"))
    tx.save(replace(doors.referral_by_id(tx, referral_id), **broken))
    return _unsound(tx, referral_id)


def _agrees(tx: Tx, person: str, matter: str) -> None:
    shown: Any = PAGES["matter"].view(tx, person, matter, {})
    body: Any = next((s.body for s in shown.sections if s.title_key == "part.transfer.title"), {})
    PAGES["matter"].steps["transfer_yes"](tx, person, matter, dict(body))


def _files(tx: Tx, person: str, matter: str) -> None:
    plan, body = PAGES["plan"], {"area": "pattani-mueang", "urgency": "urgent"}
    shown = plan.steps["preview"](tx, person, matter, body)
    plan.steps["file"](tx, person, matter, {**body, "consent_digest": getattr(shown, "consent_digest", "")})


def _hears(tx: Tx, mentor: str, matter: str) -> None:
    words = PAGES["words"]
    body = {"area": "pattani-mueang", "urgency": "urgent", "language": "th", "age": "adult"}
    shown: Any = words.steps["preview"](tx, mentor, matter, body)
    digest = shown.plan.consent_digest if shown.plan else ""
    yes = {**body, "consent_digest": digest, "read_out": True, "said_yes": True}
    words.steps["yes"](tx, mentor, matter, yes)


def _third_try(tx: Tx, worker: str, offer_id: str) -> None:
    for _ in range(3):
        attempts.tried(tx, worker, offer_id, "call")


def _hand(tx: Tx, worker: str, offer_id: str) -> None:
    _, offer, referral = doors.served_referral(tx, worker, offer_id, Action.SERVICE_HAND)
    there = worker_hands.people_there(tx, offer, referral)
    worker_hands.hand(tx, worker, offer_id, there[-1].id)


def _proposed(tx: Tx, mentor: str, phone: str, number: int) -> str:
    like = tx.find(Enrolment, mentor_seat="mentor-1")[0]
    tx.add(replace(like, id=f"race-{number}", code=f"race-{number}", person_id=phone, backup_seat=None))
    actor, enrolment = enrolments.mine(tx, mentor, f"race-{number}")
    return needs.file(tx, actor, enrolment, "member.housing")[0].id
