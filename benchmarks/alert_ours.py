"""The product while fifty urgent requests a second are filed: the whole of it, in a process of its own.

`python -m benchmarks.alert_ours TELEGRAM TOKEN DATABASE COUNT`: prepares as many drafts, files one each 20 ms
through the turns that a page's step uses, and says when each was tapped, by the code under which its partner
hears of it. The yes is to a plan that was read before.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace

from benchmarks import ours
from benchmarks.filing import FIRST_ACCOUNT, STEWARD
from benchmarks.processes import ROOT, say
from bot.app import Extras, Parts, WakingTurns
from bot.settings import Settings
from referrals import routing
from referrals.model import AgeGroup, Offer, Role, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.people import people
from referrals.service.request import drafts, filing, plans
from referrals.service.stewards import network
from storage.catalogue_files import read_network
from storage.store import Store

A_SECOND = 50
IN_ONE_TURN = 50
COLD = 100  # those of the first two seconds after a start: caches, connections and their statements are new
SETTLES_S = 5.0
WISHES = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())
WORKERS_FROM = FIRST_ACCOUNT - 1_000

Draft = tuple[str, str, str]  # person, referral, digest of the words that were read


def prepare(store: Store, number: int) -> list[Draft]:
    """The demo's network with every post filled, and strangers who have read their plans."""
    store.run(_build)
    found: list[Draft] = []
    for first in range(0, number, IN_ONE_TURN):
        found += store.run(_drafts, range(first, min(first + IN_ONE_TURN, number)))
    return found


def _build(tx: Tx) -> None:
    file = read_network(ROOT / "catalogue/demo/network.toml", tx.catalogue)
    network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file)))
    for n, seat in enumerate(tx.find(Seat)):
        if seat.role in (Role.WORKER, Role.COORDINATOR):
            person = people.meet(tx, WORKERS_FROM + n)
            people.choose_language(tx, person.id, "en")
            tx.save(replace(seat, person_id=person.id))


def _drafts(tx: Tx, numbers: range) -> list[Draft]:
    found = []
    for n in numbers:
        person = people.meet(tx, FIRST_ACCOUNT + n).id
        people.choose_language(tx, person, "en")
        actor, adult = doors.as_author(person), AgeGroup.ADULT
        draft = drafts.start_draft(tx, actor, "family-support", "family.visits", adult, "en")
        found.append((person, draft.id, plans.plan_view(tx, person, draft.id, WISHES).consent_digest))
    return found


async def _file_all(parts: Parts, waiting: list[Draft]) -> dict[str, float]:
    """One every 20 ms, whether the one before is done or not; referral to when it was tapped."""
    turns, tapped = WakingTurns(parts.store, parts.committed), dict[str, float]()

    async def one(draft: Draft) -> None:
        person, referral_id, digest = draft
        tapped[referral_id] = time.time()
        yes = filing.Filing(WISHES, digest, "the bus costs more than we have", "after six")
        while True:
            try:
                await turns.turn(filing.file_request, person, referral_id, yes)
                return
            except filing.PlanChanged:  # read again, as a page does it, and agreed to
                view = await turns.turn(plans.plan_view, person, referral_id, WISHES)
                tapped[referral_id] = time.time()
                yes = replace(yes, consent_digest=view.consent_digest)

    begin, filing_now = time.monotonic(), list[asyncio.Task[None]]()
    for n, draft in enumerate(waiting):
        await asyncio.sleep(max(0.0, begin + n / A_SECOND - time.monotonic()))
        filing_now.append(asyncio.create_task(one(draft)))
    await asyncio.gather(*filing_now)
    await asyncio.sleep(SETTLES_S)
    return tapped


def _codes(tx: Tx) -> dict[str, str]:
    """Referral to the code of its first offer."""
    first = sorted(tx.find(Offer), key=lambda o: o.sent_at, reverse=True)
    return {offer.referral_id: offer.code for offer in first}


async def serve(settings: Settings, waiting: list[Draft]) -> None:
    """Run the product, file everything, tell; it ends when the parent is gone."""
    made: list[Parts] = []
    up = asyncio.Event()

    async def look(parts: Parts, _: object) -> None:
        made.append(parts)

    extras = Extras(ready=lambda _: up.set(), prepare=look)

    async def work() -> None:
        await up.wait()
        first = await _file_all(made[0], waiting[:COLD])
        tapped = await _file_all(made[0], waiting[COLD:])
        codes = await made[0].store.turn(_codes)
        say(cold={codes[r]: at for r, at in first.items()}, taps={codes[r]: at for r, at in tapped.items()})

    await ours.serve(settings, extras, work())


def main() -> None:
    telegram, token, url, number = sys.argv[1:]
    # Telegram's own limit is thirty a second: ours is measured here, not theirs.
    with ours.settings(telegram, token, url, overall_per_s=10_000, per_chat_per_s=1_000) as settings:
        waiting = ours.filled(settings, lambda store: prepare(store, int(number)))
        asyncio.run(serve(settings, waiting))


if __name__ == "__main__":
    main()
