"""Plans of several parts in a small network: whoever is asked takes it, helps, and says how it ended."""

from __future__ import annotations

from datetime import timedelta

from referrals import routing
from referrals.casework import Task
from referrals.model import AgeGroup, Referral, Stage, Urgency
from referrals.service.common import doors
from referrals.service.help import working
from referrals.service.matter import task_people
from referrals.service.request import drafts, filing, plans
from referrals.service.turns import closing, offers
from tests.support.network import Small

SEATS = (
    "bua-1",
    "two-rivers-1",
    "open-door-1",
    "shore-clinic-1",
    "tamarind-works-1",
    "craft-school-1",
    "lamp-study-1",
    "south-campus-1",
    "weaving-hands-1",
    "border-corrections-1",
    "border-probation-1",
    "family-office-1",
)


class Parts(Small):
    """The demo's network with somebody on each seat that a plan may need, and the desk."""

    def settle_in(self) -> None:
        self.desk = self.person(51, "desk-1")
        self.workers = {seat: self.person(100 + n, seat) for n, seat in enumerate(SEATS)}
        self.family = self.person(11)

    def plan(self, pathway: str, without: frozenset[str] = frozenset(), author: str = "") -> str:
        """A plan that its author has agreed to; returns its id."""
        who = author or self.family
        category = self.store.run(lambda tx: tx.catalogue.pathways[pathway].needs[0])
        actor = doors.as_author(who)
        draft = self.store.run(drafts.start_draft, actor, pathway, category, AgeGroup.ADULT, "en")
        wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions(organizations=without))
        shown = self.store.run(plans.plan_view, who, draft.id, wishes)
        yes = filing.Filing(wishes, shown.consent_digest, "a story", "a contact")
        self.store.run(filing.file_request, who, draft.id, yes)
        self.passes(timedelta(seconds=1))
        return draft.id

    def tasks(self, plan_id: str) -> dict[str, Task]:
        return {t.kind: t for t in self.store.run(lambda tx: tx.find(Task, referral_id=plan_id))}

    def part(self, plan_id: str, kind: str) -> Referral:
        """The matter of a partner's part."""
        return self.referral(self.tasks(plan_id)[kind].child_id or "nothing")

    def taken(self, plan_id: str, *kinds: str) -> dict[str, str]:
        """Whoever is asked for these parts takes them; the offers, by part."""
        return {kind: self.takes(plan_id, kind) for kind in kinds}

    def takes(self, plan_id: str, kind: str) -> str:
        offer = self.live_offer(self.part(plan_id, kind).id)
        assert offer is not None, f"nobody is asked for {kind}"
        self.store.run(offers.accept, offer.told[0], offer.id)
        self.passes(timedelta(seconds=1))
        return offer.id

    def does(self, plan_id: str, kind: str, outcome: str = "met") -> None:
        """The partner of a part has helped and says so, and its person confirms."""
        part = self.part(plan_id, kind)
        worker, offer = part.accepted_by or "", part.offer_id or ""
        self.store.run(working.contacted, worker, offer)
        self.store.run(working.report, worker, offer, outcome, "too_late" if outcome == "unmet" else "")
        self.store.run(closing.helped, part.author_id, part.id, True)
        self.passes(timedelta(seconds=1))
        assert self.referral(part.id).stage is Stage.CLOSED

    def holds(self, plan_id: str, kind: str) -> tuple[str, str]:
        """The worker who took a part, and the offer by which they know it."""
        part = self.part(plan_id, kind)
        assert part.accepted_by, f"nobody has taken {kind}"
        assert part.offer_id
        return part.accepted_by, part.offer_id

    def kind_of(self, plan_id: str, kind: str) -> str:
        return self.tasks(plan_id)[kind].state.value

    def mentors(self, plan_id: str) -> tuple[str, ...]:
        return self.store.run(lambda tx: task_people.mentors(tx, doors.referral_by_id(tx, plan_id)))
