"""Everybody of the demo's network at their posts, for stories along the pathways that no chat names."""

from __future__ import annotations

from typing import Any

from referrals.model import AgeGroup, Referral, Role
from referrals.persons import Conversation
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.pages import PAGES
from referrals.service.request import drafts
from tests.support.network import NETWORK, Small, seated

PLACE = "pattani-mueang"


class Private(Small):
    """`at` is who sits on which post; `asks` files along any pathway by its page, as a phone does."""

    def settle_in(self) -> None:
        self.at = self.store.run(_everybody)
        posts = [seat for seat in NETWORK.seats if seat.organization_id and seat.role is Role.WORKER]
        self.works = {seat.organization_id: self.at[seat.id] for seat in reversed(posts)}
        self.mali, self.aree = self.person(1), self.person(2)

    def draft_of(self, person_id: str, pathway: str, age: AgeGroup = AgeGroup.ADULT) -> str:
        return self.store.run(_draft, person_id, pathway, age).id

    def plan(self, person_id: str, draft: str, **body: Any) -> Any:
        return self.store.run(PAGES["plan"].steps["preview"], person_id, draft, {"area": PLACE, **body})

    def asks(self, person_id: str, pathway: str, **body: Any) -> str:
        """The matter's id, filed with the plan that was shown."""
        draft = self.draft_of(person_id, pathway)
        shown = self.plan(person_id, draft, **body)
        yes = {"area": PLACE, "consent_digest": shown.consent_digest, **body}
        self.store.run(PAGES["plan"].steps["file"], person_id, draft, yes)
        return draft

    def does(self, verb: Any, *args: Any) -> Any:
        return self.store.run(verb, *args)

    def looks(self, person_id: str, page: str, subject: str) -> Any:
        return self.store.run(PAGES[page].view, person_id, subject, {})

    def steps(self, person_id: str, page: str, subject: str, step: str, **body: Any) -> Any:
        return self.store.run(PAGES[page].steps[step], person_id, subject, body)

    def asked(self, referral_id: str) -> str:
        """The organisation whose turn it is, or that has taken it."""
        offer = self.live_offer(referral_id)
        return offer.organization_id if offer else self.referral(referral_id).organization_id or ""


def _everybody(tx: Tx) -> dict[str, str]:
    return {seat.id: seated(tx, 900 + n, seat.id) for n, seat in enumerate(NETWORK.seats)}


def _draft(tx: Tx, person_id: str, pathway: str, age: AgeGroup) -> Referral:
    for row in tx.find(Conversation, person_id=person_id):
        drafts.forget_conversation(tx, row)
    needs = tx.catalogue.pathways[pathway].needs
    return drafts.start_draft(tx, doors.as_author(person_id), pathway, needs[0], age, "en")
