"""A pathway is one file: a new one is dropped in, and a whole referral lives along it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from referrals import routing
from referrals.model import SYSTEM, AgeGroup, Outcome, Role, Stage, Urgency
from referrals.service.common import doors
from referrals.service.help import threads, working
from referrals.service.people import joining, people
from referrals.service.request import drafts, filing, plans
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from storage.catalogue_files import read_catalogue, read_network
from tests.support.network import ROOT, STEWARD, Small
from tests.support.store import SettableClock, open_store

BICYCLES = """
id = "bicycles"
version = 1
may_file = ["family"]
receivers = ["cso"]
categories = ["bicycle.repair"]
max_hops = 2
consent_days = 30
retention_days = 60
decline_reasons = ["full", "other"]
unmet_reasons = ["no_money", "other"]

[classes]
offered = ["routing"]
accepted = ["routing", "story"]

[deadlines.emergency]
acknowledge = "30 min"
decide = "2 h"
first_contact = "24 h"
unmatched = "1 h"

[deadlines.urgent]
acknowledge = "4 h"
decide = "24 h"
first_contact = "72 h"
unmatched = "24 h"

[deadlines.normal]
acknowledge = "1 working day"
decide = "2 working days"
first_contact = "14 d"
unmatched = "3 d"

[form]
version = 1
expires_after_hours = 24

[[form.question]]
id = "category"
kind = "category"

[[form.question]]
id = "area"
kind = "area"
where = "page"

[[form.question]]
id = "story"
kind = "text"
where = "page"
data_class = "story"
required = false
max_length = 500

[[form.question]]
id = "consent"
kind = "consent"
where = "page"
"""

NETWORK = """
[[area]]
id = "town"
names = { en = "Town", th = "เมือง" }

[[organization]]
id = "wheels"
names = { en = "Wheels" }
kind = "cso"
timezone = "Asia/Bangkok"
hours = ["mon-fri 09:00-17:00"]
vetted_on = 2026-01-15

[[service]]
id = "wheels-repair"
organization = "wheels"
names = { en = "Repairs" }
categories = ["bicycle.repair"]
areas = ["town"]
languages = ["en", "th"]
capacity = "open"
capacity_confirmed_on = 2026-11-20

[[agreement]]
id = "wheels-2026"
organization = "wheels"
purposes = ["support"]
pathways = ["bicycles"]
classes = ["routing", "story"]
starts_on = 2026-01-01
ends_on = 2027-12-31
review_on = 2027-06-30
signatories = ["network", "wheels"]

[[seat]]
id = "steward-1"
role = "steward"

[[seat]]
id = "wheels-1"
role = "worker"
organization = "wheels"
"""


@pytest.fixture
def bicycles(tmp_path: Path) -> Path:
    """The product's catalogue with one more pathway in it."""
    folder = tmp_path / "catalogue"
    shutil.copytree(ROOT / "catalogue", folder)
    (folder / "pathways" / "bicycles.toml").write_text(BICYCLES, encoding="utf-8")
    categories = folder / "categories.toml"
    categories.write_text(
        categories.read_text(encoding="utf-8") + '\n[[category]]\nid = "bicycle.repair"\n', "utf-8"
    )
    (tmp_path / "network.toml").write_text(NETWORK, encoding="utf-8")
    return folder


def test_a_referral_lives_along_a_new_pathway(bicycles: Path, database_url: str) -> None:
    catalogue = read_catalogue(bicycles)
    file = read_network(bicycles.parent / "network.toml", catalogue)
    clock = SettableClock()
    store = open_store(database_url, clock, catalogue)
    try:
        # The network from an empty store, by file and invitation.
        changes = store.run(network.preview, file)
        store.run(network.apply, STEWARD, file, network.digest(changes))
        assert store.run(network.preview, file) == ()
        worker = store.run(people.meet, 501).id
        store.run(joining.invite, SYSTEM, "wheels-1", "a-token-of-128-bits-xx")
        store.run(joining.ask, worker, "a-token-of-128-bits-xx")

        family = store.run(people.meet, 502).id
        actor = doors.as_author(family)
        draft = store.run(drafts.start_draft, actor, "bicycles", "bicycle.repair", AgeGroup.ADULT, "en")
        wishes = plans.Wishes("town", Urgency.NORMAL, routing.Exclusions())
        view = store.run(plans.plan_view, family, draft.id, wishes)
        assert [line.service_id for line in view.plan] == ["wheels-repair"]
        yes = filing.Filing(wishes, view.consent_digest, "the chain is broken")
        store.run(filing.file_request, family, draft.id, yes)

        small = Small.around(store, clock)
        small.passes(timedelta(minutes=5))
        offer = small.live_offer(draft.id)
        assert offer is not None
        assert offer.told == (worker,)
        store.run(offers.accept, worker, offer.id)
        store.run(threads.write, worker, offer.id, "bring it on Friday")
        store.run(working.contacted, worker, offer.id)
        store.run(working.report, worker, offer.id, "met")
        store.run(closing.helped, family, draft.id, True)
        closed = small.referral(draft.id)
        assert (closed.stage, closed.outcome, closed.confirmed) == (Stage.CLOSED, Outcome.MET, True)

        # The retention date comes: keys go, coded facts stay.
        small.passes(timedelta(days=61))
        retired = small.referral(draft.id)
        assert (retired.author_id, retired.category) == ("", "bicycle.repair")
        # The code goes as well: somebody may have it on paper.
        assert retired == replace(
            closed,
            author_id="",
            accepted_by=None,
            plan=(),
            code=retired.id,
            retain_until=None,
            version=retired.version,
        )
        assert store.run(lambda tx: doors.as_seat(tx, worker, Role.WORKER).organization_id) == "wheels"
    finally:
        store.close()
