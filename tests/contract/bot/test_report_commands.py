"""python -m bot report: as somebody at the desk types it, in a process of its own."""

from __future__ import annotations

from bot.commands.common import opened
from bot.settings import load_settings
from tests.contract.bot.test_commands import NETWORK, Place, place
from tests.support.network import Small
from tests.support.simulator import Telegram
from tests.support.store import SettableClock

assert place is not None  # a fixture


async def test_reports_are_printed_for_a_named_seat_alone(place: Place, telegram: Telegram) -> None:
    await place.bot("init")
    await place.bot("network", "apply", str(NETWORK))
    with opened(load_settings(place.settings)) as store:
        net = Small.around(store, SettableClock())
        net.person(31, "steward-1")
        net.person(14, "desk-1")
    stale = await place.bot("report", "stale", "--by", "desk-1")
    assert "Not confirmed for a month:" in stale
    unmet = await place.bot("report", "unmet", "--from", "2026-01", "--to", "2026-03", "--by", "steward-1")
    assert "What nobody could help with, 2026-01 to 2026-03" in unmet
    assert "Nothing that may be said" in unmet
    comma = await place.bot("report", "unmet", "--csv", "--by", "desk-1", "--language", "th")
    assert comma.strip() == "quarter,category,area,reason,count"

    asked = ("--from", "2026-01", "--to", "2026-03", "--by", "steward-1")
    assert "How help was, 2026-01 to 2026-03" in await place.bot("report", "closing", *asked)
    refused = await place.bot("report", "unmet", "--by", "bua-1", status=2)
    assert "is not the seat of a coordinator or steward" in refused
    assert "write a month such as" in await place.bot(
        "report", "unmet", "--from", "May", "--by", "desk-1", status=2
    )
    for words in (("report", "stale"), ("report", "unmet"), ("why", "AAA-AAA"), ("outbox", "dead")):
        unknown = await place.bot(*words, "--language", "xx", "--by", "desk-1", status=2)
        assert "--language xx: has no texts here" in unknown
    assert "nothing has that name or code here" in await place.bot("why", "X", "--by", "desk-1", status=1)
    far = await place.bot("outbox", "drop", "9" * 20, "--by", "desk-1", status=2)
    assert "invalid number value" in far
    misspelt = await place.bot("audit", "show", "--by", "steward-1", "--action", "sealed:raed", status=2)
    assert "did you mean sealed:read?" in misspelt
    audit = await place.bot("audit", "show", "--by", "steward-1")
    assert "unmet:report" in audit
    assert "closing:report" in audit
    assert "directory:stale" in audit
