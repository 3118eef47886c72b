"""Random people do random things, on both databases: nothing is lost, read or moved that must not be.

Yeses run out, agreements end, change and come back, organisations are suspended and taken up again. After
every step: each open referral has a timer or a person who owes something; every move was in the table; and
whoever holds a key of anything is exactly whom the rule says, in words of its own.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.errors import NotFound, Refused
from referrals.lifecycle import ENDED, LIVE_OFFERS, REFERRAL_STEPS
from referrals.model import (
    Actor,
    Consent,
    DataClass,
    Offer,
    OfferStage,
    Record,
    Referral,
    Role,
    Stage,
    Urgency,
)
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.said import Button
from referrals.service import pages, timers
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.joint import transfers
from referrals.service.matter import offering
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.pressed import filled, offered_by
from tests.support.store import SettableClock, open_store

WORKERS = ("bua-1", "bua-2", "two-rivers-1", "two-rivers-2", "open-door-1", "an-noor-1", "family-office-1")
RUNS = {"sqlite": 5_000, "postgresql": 500}  # of the long form
PARTNERS = ("bua-house", "two-rivers", "open-door")


class ReferralMachine(RuleBasedStateMachine):
    """One small network and everything that can happen in it."""

    url: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.clock = SettableClock()
        self.database = type(self).url()
        self.store = open_store(self.database, self.clock, CATALOGUE)
        self.net = Small(self.store, self.clock)
        self.families = [self.net.person(9000 + n) for n in range(2)]
        self.staff = {seat: self.net.person(9100 + n, seat) for n, seat in enumerate(WORKERS)}
        self.desk = self.net.person(9200, "desk-1")
        self.accounts = {person: 9000 + n for n, person in enumerate(self.families)}
        self.accounts |= {person: 9100 + n for n, person in enumerate(self.staff.values())}
        self.accounts[self.desk] = 9200
        self.ids: list[str] = []
        self.stages: dict[str, Stage] = {}
        self.file = NETWORK
        self.offered: list[tuple[str, Button]] = []  # every button that was ever said to somebody
        self.updates = self.restarts = 0

    def teardown(self) -> None:
        self.store.close()

    def anybody(self) -> st.SearchStrategy[str]:
        return st.sampled_from([*self.families, *self.staff.values(), self.desk])

    def tries(self, verb: Callable[..., Any], *args: Any) -> None:
        """Do it or be refused; anything else is a fault of ours."""
        with contextlib.suppress(Refused):
            self.store.run(verb, *args)

    @initialize()
    def one_is_filed_and_taken(self) -> None:
        self._file(0, Urgency.URGENT, frozenset())
        self.net.passes(timedelta(seconds=6))
        offer = self.net.live_offer(self.ids[0])
        assert offer is not None
        self.tries(offers.accept, offer.told[0], offer.id)

    @rule(
        who=st.integers(0, 1),
        urgency=st.sampled_from(list(Urgency)),
        without=st.frozensets(st.sampled_from(["bua-house", "two-rivers", "open-door"]), max_size=3),
    )
    @precondition(lambda self: len(self.ids) < 4)
    def files(self, who: int, urgency: Urgency, without: frozenset[str]) -> None:
        self._file(who, urgency, without)

    def _file(self, who: int, urgency: Urgency, without: frozenset[str]) -> None:
        referral_id = self.net.filed(self.families[who], urgency, without=without)
        self.ids.append(referral_id)
        for service_id in self.net.referral(referral_id).plan:
            assert not any(service_id.startswith(name.split("-")[0]) for name in without), "an exclusion lost"

    @rule(minutes=st.sampled_from([1, 6, 45, 150, 600, 3000, 12000]))
    def time_passes(self, minutes: int) -> None:
        self.net.passes(timedelta(minutes=minutes))

    @rule(data=st.data(), verb=st.sampled_from([offers.see, offers.accept]))
    def somebody_presses_an_offer(self, data: st.DataObject, verb: Any) -> None:
        self.tries(verb, data.draw(self.anybody()), self._an_offer(data))

    @rule(data=st.data())
    def the_asked_one_accepts(self, data: st.DataObject) -> None:
        offer = self.net.live_offer(data.draw(st.sampled_from(self.ids)))
        if offer is not None:
            self.tries(offers.accept, offer.told[0], offer.id)

    @rule(data=st.data(), reason=st.sampled_from(["full", "conflict", "no such reason"]))
    def the_asked_one_declines(self, data: st.DataObject, reason: str) -> None:
        offer = self.net.live_offer(data.draw(st.sampled_from(self.ids)))
        if offer is not None:
            self.tries(offers.decline, offer.told[-1], offer.id, reason)

    @rule(
        data=st.data(),
        verb=st.sampled_from(
            [
                working.contacted,
                working.give_back,
                closing.withdraw,
                closing.reopen,
                desk.rematch,
                desk.resume,
                desk.ask_person,
            ]
        ),
    )
    def somebody_takes_a_step(self, data: st.DataObject, verb: Any) -> None:
        self.tries(verb, self._likely(data, verb), self._a_matter(data, verb))

    @rule(data=st.data(), outcome=st.sampled_from(["met", "partly_met", "unmet", "nonsense"]))
    def somebody_reports(self, data: st.DataObject, outcome: str) -> None:
        referral_id = data.draw(st.sampled_from(self.ids))
        who = self.net.referral(referral_id).accepted_by or data.draw(self.anybody())
        self.tries(
            working.report,
            who,
            self.net.at_partner(referral_id),
            outcome,
            "no_money" if outcome != "met" else "",
        )

    @rule(data=st.data(), lately=st.booleans())
    def somebody_presses_what_stands_in_their_chat(self, data: st.DataObject, lately: bool) -> None:
        """Questions, waiting lists, tries, set times, transfers: whatever a message asks, new or over."""
        found = [(who, b) for who, b in self.offered if b.action]
        if found:
            who, button = data.draw(st.sampled_from(found[-6:] if lately else found))
            self.updates += 1
            number = 10**9 + self.updates  # of a message that stands in no other chat
            press = Incoming(number, self.accounts[who], Did.PRESS, data=button.action, message_id=number)
            self.tries(router.handle, press)

    @rule(data=st.data(), answers=st.data())
    def somebody_takes_a_step_of_a_page(self, data: st.DataObject, answers: st.DataObject) -> None:
        """Any step that the page of a matter or an offer offers this reader, filled in somehow."""
        found = [(who, b.page) for who, b in self.offered if b.page.startswith(("matter/", "offer/"))]
        if not found:
            return
        who, path = data.draw(st.sampled_from(found[-12:]))
        page, subject = pages.PAGES[path.partition("/")[0]], path.partition("/")[2]
        with contextlib.suppress(Refused):
            steps = offered_by(self.store.run(page.view, who, subject, {}))
            step, body = data.draw(st.sampled_from(steps)) if steps else (None, {})
            if step is not None:
                more = filled(step, self.clock.now, answers.draw(st.integers(0, 9)))
                self.store.run(page.steps[step.id], who, subject, {**body, **more})

    @rule()
    def the_product_is_restarted(self) -> None:
        """Nothing but the database outlives it."""
        self.store.close()
        self.restarts += 1  # with the seed it had before, its ids would come again
        self.store = open_store(self.database, self.clock, CATALOGUE, seed=1000 + self.restarts)
        messages = getattr(self.net, "messages", 0)
        self.net = Small.around(self.store, self.clock)
        self.net.messages = messages  # Telegram goes on counting
        self.store.run(timers.begin)

    @rule(data=st.data(), yes=st.booleans())
    def somebody_confirms(self, data: st.DataObject, yes: bool) -> None:
        self.tries(closing.helped, data.draw(self.anybody()), data.draw(st.sampled_from(self.ids)), yes)

    @rule(data=st.data())
    def the_desk_gives_up(self, data: st.DataObject) -> None:
        self.tries(closing.give_up, self.desk, data.draw(st.sampled_from(self.ids)), "no_place")

    @rule(data=st.data())
    def somebody_writes(self, data: st.DataObject) -> None:
        self.tries(threads.write, data.draw(self.anybody()), self._a_matter(data, None), "hello")

    @rule(
        partner=st.sampled_from(PARTNERS),
        days=st.sampled_from([-1, 0, 1, 3000]),
        classes=st.sampled_from(["routing contact story", "routing contact", "routing story", "routing"]),
    )
    def an_agreement_changes(self, partner: str, days: int, classes: str) -> None:
        last_day = self.clock.now.astimezone(ZoneInfo("Asia/Bangkok")).date() + timedelta(days=days)
        named = tuple(DataClass(c) for c in classes.split())
        changed = [
            replace(a, ends_on=last_day, classes=named) if a.organization_id == partner else a
            for a in self.file.agreements
        ]
        self._apply(replace(self.file, agreements=tuple(changed)))

    @rule(partner=st.sampled_from(PARTNERS), suspended=st.booleans())
    def an_organisation_is_suspended_or_taken_up_again(self, partner: str, suspended: bool) -> None:
        changed = [replace(o, suspended=suspended) if o.id == partner else o for o in self.file.organizations]
        self._apply(replace(self.file, organizations=tuple(changed)))

    def _apply(self, file: NetworkFile) -> None:
        changes = self.store.run(network.preview, file)
        self.store.run(network.apply, STEWARD, file, network.digest(changes))
        self.file = file

    @rule(data=st.data(), hours=st.sampled_from([1, 30, 300]))
    def a_yes_is_for_a_short_time(self, data: st.DataObject, hours: int) -> None:
        until = self.clock.now + timedelta(hours=hours)
        self.store.run(_shorten, data.draw(st.sampled_from(self._held() or self.ids)), until)

    @rule(data=st.data())
    def a_yes_runs_out(self, data: st.DataObject) -> None:
        self.a_yes_is_for_a_short_time(data, 1)
        self.net.passes(timedelta(hours=1))

    @rule(data=st.data(), verb=st.sampled_from([working.contacted, working.give_back]))
    def whoever_holds_it_goes_on(self, data: st.DataObject, verb: Any) -> None:
        for referral_id in self._held()[:1]:
            holder = self.net.referral(referral_id).accepted_by
            self.tries(verb, holder, self.net.at_partner(referral_id))

    def _held(self) -> list[str]:
        """Matters that some worker has taken."""
        return [one for one in self.ids if self.net.referral(one).accepted_by]

    def _an_offer(self, data: st.DataObject) -> str:
        found = self.store.run(lambda tx: tx.find(Offer))
        return data.draw(st.sampled_from([o.id for o in found])) if found else "none"

    def _a_matter(self, data: st.DataObject, verb: Any) -> str:
        """By the id under which whoever takes this step knows it; now and then by the wrong one."""
        referral_id = data.draw(st.sampled_from(self.ids))
        partners = verb in (working.contacted, working.give_back)
        if (verb is None and data.draw(st.booleans())) or partners is not (data.draw(st.integers(0, 9)) == 0):
            return self.net.at_partner(referral_id)
        return referral_id

    def _likely(self, data: st.DataObject, verb: Any) -> str:
        """Half of the time somebody who has a right to the step, so that the machine gets anywhere."""
        if data.draw(st.booleans()):
            return data.draw(self.anybody())
        if verb in (desk.rematch, desk.resume, desk.ask_person):
            return self.desk
        if verb in (closing.withdraw, closing.reopen):
            return data.draw(st.sampled_from(self.families))
        return data.draw(st.sampled_from(list(self.staff.values())))

    @invariant()
    def whoever_waits_is_told_once(self) -> None:
        """What is said at one moment is said once to each: no message leaves twice, and none to nobody."""
        heard = self.net.deliveries()
        for delivery in heard:
            self.offered += [(delivery.person_id, b) for row in delivery.buttons for b in row]
        told = Counter(
            (d.person_id, d.text, tuple(sorted(d.params.items())), d.slot) for d in heard if d.text
        )
        at_once = [(who, text) for (who, text, _, slot), times in told.items() if times > 1 and slot]
        assert not at_once, f"told twice: {at_once}"

    @invariant()
    def every_matter_is_watched(self) -> None:
        """Further needs, parts and matters filed anew count as much as those that the test has filed."""
        known = self.store.run(lambda tx: [r.id for r in tx.find(Referral) if r.stage is not Stage.DRAFT])
        self.ids += [one for one in known if one not in self.ids]

    @invariant()
    def no_open_referral_is_forgotten(self) -> None:
        waiting = {t.subject for t in self.net.timers()}
        for referral_id in self.ids:
            referral = self.net.referral(referral_id)
            if referral.stage in ENDED:
                assert self.store.run(offering.live_offer, referral) is None
                continue
            held = {referral.id, referral.offer_id} & waiting
            assert held, f"{referral.stage} waits for nobody"

    @invariant()
    def an_offered_referral_has_exactly_one_live_offer(self) -> None:
        for referral_id in self.ids:
            referral = self.net.referral(referral_id)
            found = self.store.run(_live_offers, referral_id)
            beside = self.store.run(transfers.on_its_way, referral)  # somebody else is asked to take it over
            turns = 1 if beside or referral.stage in (Stage.OFFERED, Stage.WAITLISTED) else 0
            assert len(found) == turns, referral.stage
            for offer in found:
                assert offer.service_id in referral.plan, "offered outside the consented plan"

    @invariant()
    def whoever_holds_a_key_is_whom_the_rule_says(self) -> None:
        for referral_id in self.ids:
            referral, found = self.net.referral(referral_id), self.store.run(_keys_and_offers, referral_id)
            partner, classes = self._rule(referral)
            for (table, row, data_class), holders in found.keys.items():
                current = table == "referral" or row == referral.offer_id
                others = {f"org:{partner}"} if current and data_class in classes else set()
                rightful = {f"person:{referral.author_id}"} | others
                assert holders in (frozenset(), rightful), (referral.stage, table, data_class)

    @invariant()
    def a_worker_opens_what_the_organisation_holds_and_nothing_else(self) -> None:
        for referral_id in self.ids:
            referral = self.net.referral(referral_id)
            partner, classes = self._rule(referral)
            for organization in PARTNERS:
                actor = Actor(self.staff[WORKERS[0]], Role.WORKER, organization)
                may = organization == partner and DataClass.STORY in classes
                assert self._opens(actor, referral) == may, (referral.stage, organization)

    def _rule(self, referral: Referral) -> tuple[str | None, set[DataClass]]:
        """Who helps now, and what they may read: a yes for this service, an agreement today, no suspension.

        Written from the rules as people say them, without the product's own functions.
        """
        found = self.store.run(_keys_and_offers, referral.id)
        partner = referral.organization_id
        accepted = [o for o in found.offers if o.id == referral.offer_id and o.stage is OfferStage.ACCEPTED]
        helping = ("accepted", "unreachable", "in_service", "reported", "disputed")
        if partner is None or not accepted or referral.stage not in helping:
            return partner, set()
        now, today = self.clock.now, self.clock.now.astimezone(ZoneInfo("Asia/Bangkok")).date()
        yes = [c for c in found.consents if c.withdrawn_at is None and c.until > now]
        binding = [
            a
            for a in self.file.agreements
            if a.organization_id == partner and a.starts_on <= today <= a.ends_on
        ]
        suspended = any(o.suspended for o in self.file.organizations if o.id == partner)
        if not yes or not binding or suspended or accepted[0].service_id not in yes[-1].plan:
            return partner, set()
        return partner, {DataClass.CONTACT, DataClass.STORY} & set(binding[0].classes) & set(yes[-1].classes)

    def _opens(self, actor: Actor, referral: Referral) -> bool:
        try:
            self.store.run(lambda tx: tx.open_sealed(actor, referral.record, DataClass.STORY))
        except NotFound:
            return False
        return True

    @invariant()
    def every_move_was_in_the_table(self) -> None:
        for referral_id in self.ids:
            now, before = self.net.referral(referral_id).stage, self.stages.get(referral_id)
            if before is not None and before is not now:
                assert now in _reachable(before), f"{before} -> {now}"
            self.stages[referral_id] = now


@dataclass(frozen=True)
class Found:
    """What the store holds about one matter. `keys`: (table, row, class) to the holders of its key."""

    offers: list[Offer]
    consents: list[Consent]
    keys: dict[tuple[str, str, DataClass], frozenset[str]]


def _keys_and_offers(tx: Tx, referral_id: str) -> Found:
    found, yes = tx.find(Offer, referral_id=referral_id), tx.find(Consent, referral_id=referral_id)
    records = [Record("referral", referral_id), *(offer.thread for offer in found)]
    keys = {(r.table, r.row, c): tx.holders(r, c) for r in records for c in DataClass}
    return Found(found, sorted(yes, key=lambda c: c.given_at), keys)


def _shorten(tx: Tx, referral_id: str, until: datetime) -> None:
    """The test's own hand: a yes that was given for less time."""
    for given in tx.find(Consent, referral_id=referral_id, withdrawn_at=None):
        if given.until > until:
            tx.save(replace(given, until=until))
            tx.set_timer("consent_end", given.id, until)


def _live_offers(tx: Tx, referral_id: str) -> list[Offer]:
    return tx.find(Offer, referral_id=referral_id, stage=LIVE_OFFERS)


def _reachable(stage: Stage) -> set[Stage]:
    """Every stage that some steps of the table lead to (several can happen while time passes)."""
    found: set[Stage] = set()
    todo = [stage]
    while todo:
        for target in REFERRAL_STEPS[todo.pop()].values():
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


@pytest.mark.timeout(7200)  # the long run takes an hour
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_people_cannot_lose_a_referral(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "sqlite":
        ReferralMachine.url = staticmethod(lambda: f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/pulang.db")
    else:
        ReferralMachine.url = staticmethod(request.getfixturevalue("postgres").create_database)
    examples = RUNS[kind] if _long() else {"sqlite": 5, "postgresql": 1}[kind]
    run_state_machine_as_test(
        ReferralMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _long() -> bool:
    import os

    return bool(os.environ.get("PULANG_LONG"))
