"""The story of test_canaries, backed up: backup, key and ledger show nothing, not even what is unsealed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from storage.ledger import Ledger
from tests.security.test_canaries import ACCOUNT, CANARIES, _check_in, _live
from tests.support.backups import Place
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store


def test_a_backup_a_ledger_and_a_key_show_nothing(database_url: str, tmp_path: Path) -> None:
    clock = SettableClock()
    store = open_store(database_url, clock, CATALOGUE)
    net = Small(store, clock)
    family, worker = net.person(ACCOUNT), net.person(501, "bua-1")
    _live(net, family, worker)
    _check_in(net, net.person(502, "mentor-1"))
    place = Place(tmp_path, clock)
    ledger: Ledger = place.ledger(store)
    erased = asyncio.run(store.unwritten_erasures(1000))
    ledger.write(erased, clock.now)
    path = place.backup(database_url).path
    assert place.found(path).made.contents.counts["thread_entry"] == 2
    store.close()
    files = [path, *(tmp_path / "keys").rglob("*.*")]
    assert len(files) == 3  # the backup, the day's key, the ledger
    content = b"".join(file.read_bytes() for file in files)
    for name, canary in CANARIES.items():
        for token in canary.split():
            assert token.encode() not in content, name
    in_the_clear = (
        str(ACCOUNT),
        "family.visits",
        "bua-1",
        "pattani-mueang",
        family,
        worker,
        "org:",
        "person:",
    )
    for token in in_the_clear:
        assert token.encode() not in content, token
