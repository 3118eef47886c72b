"""One network in which every situation of a matter stands at once, each with its own cast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from referrals import routing
from referrals.access import Action
from referrals.casework import Attempt
from referrals.model import SYSTEM, AuditEntry, Consent, DataClass, Offer, Role, Urgency, person_holder
from referrals.network_file import NetworkFile
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service import retention
from referrals.service.common import doors
from referrals.service.help import appointments, attempts, threads, working
from referrals.service.matter import asked, sharing
from referrals.service.request import filing, plans
from referrals.service.stewards import network
from referrals.service.turns import closing, offers, questions, waiting
from tests.support.network import NETWORK, STEWARD, Small

PERSONAS = (
    "author",
    "helper",
    "colleague",
    "earlier",
    "foreign",
    "former",
    "coordinator",
    "steward",
    "mentor",
    "other_family",
    "stranger",
)
VISITS, TALK, INCOME = "family.visits", "family.talk", "family.income"
OTHERS = {
    VISITS: {"bua-house", "two-rivers", "open-door"},
    TALK: {"bua-house", "open-door", "an-noor"},
    INCOME: {"two-rivers", "family-office"},
}
SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Situation:
    """A matter, and who stands how to it: persona to person id."""

    name: str
    matter: str
    cast: dict[str, str]


class Network(Small):
    """The demo's network with every post filled that the casts need, and every situation."""

    def build(self) -> dict[str, Situation]:
        self.organization = {"bua-house": ("bua-1", "bua-2"), "two-rivers": ("two-rivers-1", "two-rivers-2")}
        for name in ("open-door", "an-noor", "family-office"):
            self.store.run(_second_seat, name)
            self.organization[name] = (f"{name}-1", f"{name}-2")
        self.former = {}
        for number, (name, seats) in enumerate(self.organization.items()):
            self.former[name] = self.person(300 + number, seats[1])  # the seat goes to the next in a moment
        self.workers = {
            seat: self.person(100 + n, seat)
            for n, seat in enumerate(s for seats in self.organization.values() for s in seats)
        }
        self.everybody = {
            "coordinator": self.person(1, "desk-1"),
            "steward": self.person(2, "steward-1"),
            "mentor": self.person(3, "mentor-1"),
            "other_family": self.person(4),
            "stranger": self.person(5),
        }
        self.filed(self.everybody["other_family"], without=frozenset(OTHERS[VISITS]))
        self.authors = 500
        found = [self._tell(name, story) for name, story in STORIES.items()]
        found += [self._returned(), self._unmatched(), self._drafted()]
        self._end_what_binds()
        return {s.name: s for s in (*found, self._matching())}

    def _tell(self, name: str, story: Story) -> Situation:
        author, matter = self.asked(story.category, story.organization)
        situation = self._situation(name, author, matter, story.organization)
        story.tells(self, situation)
        return situation

    def asked(self, category: str, organization: str, then: str = "") -> tuple[str, str]:
        """A request of somebody new that this organisation is asked about (and then another)."""
        self.authors += 1
        author = self.person(self.authors)
        draft = self.draft(author, category)
        without = frozenset(OTHERS[category] - {organization, then})
        wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions(organizations=without))
        view = self.store.run(plans.plan_view, author, draft, wishes)
        yes = filing.Filing(wishes, view.consent_digest, "a story", "a contact")
        self.store.run(filing.file_request, author, draft, yes)
        self.store.run(_seal_the_rest, draft)
        self.passes(6 * SECONDS)
        return author, draft

    def _returned(self) -> Situation:
        """Whoever came first in the plan had it and gave it back; now the other one is asked."""
        author, matter = self.asked(VISITS, "bua-house", then="two-rivers")
        offer = self.live_offer(matter)
        assert offer is not None
        other = {"bua-house": "two-rivers", "two-rivers": "bua-house"}[offer.organization_id]
        found = self._situation("returned", author, matter, other)
        found.cast["earlier"] = earlier = self.workers[self.organization[offer.organization_id][0]]
        found.cast["foreign"] = self.workers["open-door-2"]
        self.store.run(offers.accept, earlier, offer.id)
        self.store.run(threads.write, earlier, offer.id, "we cannot after all")
        self.store.run(working.give_back, earlier, offer.id)
        self.passes(6 * SECONDS)
        now = self.live_offer(matter)
        assert now is not None
        assert now.organization_id == other
        return found

    def _unmatched(self) -> Situation:
        author, matter = self.asked(VISITS, "nobody")
        return self._situation("unmatched", author, matter, "bua-house")

    def _drafted(self) -> Situation:
        self.authors += 1
        author = self.person(self.authors)
        return self._situation("draft", author, self.draft(author), "bua-house")

    def _matching(self) -> Situation:
        """Last of all, so that no time passes over it."""
        self.authors += 1
        author = self.person(self.authors)
        matter = self.filed(author, without=frozenset(OTHERS[VISITS] - {"bua-house"}))
        self.store.run(_seal_the_rest, matter)
        return self._situation("matching", author, matter, "bua-house")

    def _situation(self, name: str, author: str, matter: str, organization: str) -> Situation:
        first, second = (self.workers[seat] for seat in self.organization[organization])
        foreign = "two-rivers" if organization == "bua-house" else "bua-house"
        return Situation(
            name,
            matter,
            {
                **self.everybody,
                "author": author,
                "helper": first,
                "colleague": second,
                "foreign": self.workers[self.organization[foreign][1]],
                "earlier": self.workers[self.organization[foreign][0]],
                "former": self.former[organization],
            },
        )

    def _end_what_binds(self) -> None:
        """An agreement that is over and an organisation that is suspended, by a network file as in life."""
        yesterday = self.clock.now.date() - timedelta(days=1)
        file = replace(
            self._file(),
            agreements=tuple(
                replace(a, ends_on=yesterday) if a.organization_id == "open-door" else a
                for a in NETWORK.agreements
            ),
            organizations=tuple(
                replace(o, suspended=True) if o.id == "an-noor" else o for o in NETWORK.organizations
            ),
        )
        changes = self.store.run(network.preview, file)
        self.store.run(network.apply, STEWARD, file, network.digest(changes))

    def _file(self) -> NetworkFile:
        return self.store.run(network.stored)


@dataclass(frozen=True)
class Story:
    """How a situation comes about after the organisation was asked."""

    tells: Callable[[Network, Situation], object]
    category: str = VISITS
    organization: str = "bua-house"


def accepted(net: Network, it: Situation) -> str:
    offer = net.at_partner(it.matter)
    net.store.run(offers.accept, it.cast["helper"], offer)
    if it.name != "state_body":
        net.store.run(threads.write, it.cast["author"], it.matter, "are you there?")
        net.store.run(threads.write, it.cast["helper"], offer, "we are")
    return offer


def in_service(net: Network, it: Situation) -> str:
    offer = accepted(net, it)
    net.store.run(working.contacted, it.cast["helper"], offer)
    if it.name not in ("withdrawn", "voided"):
        _dates(net, it, offer)
    return offer


def _dates(net: Network, it: Situation, offer: str) -> None:
    """One time that was missed, one that nobody has spoken of yet, one to come."""
    helper = it.cast["helper"]
    for seconds in (1, 2, 90 * 24 * 3600):
        net.store.run(appointments.make, helper, offer, net.clock.now + seconds * SECONDS)
    net.passes(3 * SECONDS)
    missed = net.store.run(appointments.of, offer)[0]
    mark = net.store.run(asked.partner_mark, missed.id)
    net.store.run(appointments.happened, helper, offer, mark, False)


def questioned(net: Network, it: Situation) -> None:
    net.store.run(questions.ask, it.cast["helper"], net.at_partner(it.matter), "travel")


def waitlisted(net: Network, it: Situation) -> None:
    offer = net.at_partner(it.matter)
    day = net.clock.now.date() + timedelta(days=90)
    net.store.run(waiting.propose, it.cast["helper"], offer, day)
    net.store.run(waiting.answer, it.cast["author"], it.matter, net.store.run(asked.mark, offer), True)


def unreachable(net: Network, it: Situation) -> None:
    offer = accepted(net, it)
    net.store.run(_tried_before, offer)
    net.store.run(attempts.tried, it.cast["helper"], offer, "call")


def _tried_before(tx: Tx, offer_id: str) -> None:
    """The test's own hand: two tries earlier in the day, over which no time is to pass here."""
    offer = tx.get(Offer, offer_id)
    assert offer is not None
    for n, hours in enumerate((5, 10)):
        at = tx.now - timedelta(hours=hours)
        tx.add(Attempt(f"try-{n}", offer.referral_id, offer.id, at, offer.decided_by or "", "visit"))


def reported(net: Network, it: Situation) -> None:
    offer = in_service(net, it)
    net.store.run(working.report, it.cast["helper"], offer, "met")


def disputed(net: Network, it: Situation) -> None:
    reported(net, it)
    net.store.run(closing.helped, it.cast["author"], it.matter, False)


def closed(net: Network, it: Situation) -> None:
    reported(net, it)
    net.store.run(closing.helped, it.cast["author"], it.matter, True)


def retired(net: Network, it: Situation) -> None:
    closed(net, it)
    net.store.run(_retire, it.matter)


def withdrawn(net: Network, it: Situation) -> None:
    in_service(net, it)
    net.store.run(closing.withdraw, it.cast["author"], it.matter)


def voided(net: Network, it: Situation) -> None:
    in_service(net, it)
    net.store.run(closing.void, it.cast["coordinator"], it.matter)


def consent_over(net: Network, it: Situation) -> None:
    in_service(net, it)
    net.store.run(_shorten, it.matter, net.clock.now + 1 * SECONDS)
    net.passes(2 * SECONDS)


def nothing(net: Network, it: Situation) -> None:
    """It stands where it was left."""


STORIES: dict[str, Story] = {
    "offered": Story(nothing),
    "accepted": Story(accepted),
    "questioned": Story(questioned),
    "waitlisted": Story(waitlisted),
    "unreachable": Story(unreachable),
    "in_service": Story(in_service),
    "reported": Story(reported),
    "disputed": Story(disputed),
    "closed": Story(closed),
    "retired": Story(retired),
    "withdrawn": Story(withdrawn),
    "voided": Story(voided),
    "consent_over": Story(consent_over),
    "agreement_over": Story(in_service, organization="open-door"),
    "suspended": Story(in_service, category=TALK, organization="an-noor"),
    "state_body": Story(accepted, category=INCOME, organization="family-office"),
}


def _second_seat(tx: Tx, organization: str) -> None:
    tx.add(Seat(f"{organization}-2", Role.WORKER, organization, None))


def _seal_the_rest(tx: Tx, matter: str) -> None:
    """The test's own hand: classes that this pathway gives to nobody."""
    referral = doors.referral_by_id(tx, matter)
    for data_class in (DataClass.IDENTITY, DataClass.SAFETY):
        tx.seal(referral.record, data_class, "x", "y", [person_holder(referral.author_id)])
    sharing.settle(tx, referral)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{matter}", "sealed by a test"))


def _retire(tx: Tx, matter: str) -> None:
    referral = doors.referral_by_id(tx, matter)
    tx.save(replace(referral, retain_until=tx.now))
    retention.retire(tx, matter)


def _shorten(tx: Tx, matter: str, until: datetime) -> None:
    for given in tx.find(Consent, referral_id=matter):
        tx.save(replace(given, until=until))
        tx.set_timer("consent_end", given.id, until)
