"""Nothing is read without a yes and an agreement at that moment, whatever people do with both.

Besides all that the referral machine does: agreements lose and win their purposes, services vanish and come
back, areas are split, matters are filed for somebody who cannot decide, and yeses are taken back in the chat.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from referrals.directory import Area
from referrals.model import DataClass, Referral
from referrals.service.desk import desk
from referrals.service.request import behalf, receipts
from tests.service.test_referral_machine import PARTNERS, ReferralMachine
from tests.support.asking import asked_for
from tests.support.network import NETWORK

PURPOSE = "support of families"  # of the pathway that this machine's matters take
OLD = "pattani-mueang"


class ConsentMachine(ReferralMachine):
    """The same people, with everything that a yes and an agreement can go through."""

    @rule(who=st.integers(0, 1), span=st.sampled_from(sorted(behalf.SPANS)))
    @precondition(lambda self: len(self.ids) < 5 and OLD in self._areas())
    def files_for_somebody(self, who: int, span: str) -> None:
        said = {"behalf": "very_ill", "agreed": "relative", "span": span}
        self.ids.append(asked_for(self.net, self.families[who], **said))

    @rule(data=st.data())
    def the_desk_lets_go_what_it_has_looked_at(self, data: st.DataObject) -> None:
        self.tries(desk.rematch, self.desk, data.draw(st.sampled_from(self.ids)))
        self.net.passes(timedelta(minutes=6))

    @rule(data=st.data())
    def somebody_says_that_it_still_holds(self, data: st.DataObject) -> None:
        who, matter = data.draw(self.anybody()), data.draw(st.sampled_from(self.ids))
        self.tries(behalf.renew, who, matter, "days_30")

    @rule(data=st.data())
    def the_person_says_no(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from([*self.families, self.desk, *self.staff.values()]))
        self.tries(behalf.own_no, who, data.draw(st.sampled_from(self.ids)))

    @rule(data=st.data())
    def a_yes_is_taken_back_in_the_chat(self, data: st.DataObject) -> None:
        self.tries(receipts.take_back, data.draw(self.anybody()), data.draw(st.sampled_from(self.ids)))

    @rule(partner=st.sampled_from(PARTNERS), binds=st.booleans())
    def an_agreement_is_for_something_else(self, partner: str, binds: bool) -> None:
        purposes = (PURPOSE,) if binds else ("work",)
        changed = [
            replace(a, purposes=purposes) if a.organization_id == partner else a for a in self.file.agreements
        ]
        self._apply(replace(self.file, agreements=tuple(changed)))

    @rule(partner=st.sampled_from(PARTNERS), there=st.booleans())
    def services_vanish_and_come_back(self, partner: str, there: bool) -> None:
        others = [s for s in self.file.services if s.organization_id != partner]
        own = [s for s in NETWORK.services if s.organization_id == partner] if there else []
        self._apply(replace(self.file, services=tuple(sorted([*others, *own], key=lambda s: s.id))))

    @rule()
    @precondition(lambda self: OLD in self._areas())
    def an_area_is_split(self) -> None:
        parent = next(a.parent for a in self.file.areas if a.id == OLD)
        halves = (Area(f"pattani-{n}", parent, {"en": n}, formerly=(OLD,)) for n in ("north", "south"))
        self._apply(replace(self.file, areas=(*(a for a in self.file.areas if a.id != OLD), *halves)))

    def _areas(self) -> set[str]:
        return {area.id for area in self.file.areas}

    def _file(self, who: int, urgency: object, without: frozenset[str]) -> None:
        """Whoever asks after the split asks from a new area; here nobody does."""
        if OLD in self._areas():
            super()._file(who, urgency, without)  # type: ignore[arg-type]

    def _rule(self, referral: Referral) -> tuple[str | None, set[DataClass]]:
        """Besides: an agreement must be for what this pathway is for."""
        partner, classes = super()._rule(referral)
        purposes = {p for a in self.file.agreements if a.organization_id == partner for p in a.purposes}
        return partner, classes if PURPOSE in purposes else set()


@pytest.mark.timeout(1800)
def test_nothing_is_read_without_a_yes_and_an_agreement_at_that_moment(
    tmp_path: Path, long_run: bool
) -> None:
    ConsentMachine.url = staticmethod(lambda: f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/pulang.db")
    examples = settings.get_profile("long").max_examples if long_run else 5
    run_state_machine_as_test(
        ConsentMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
