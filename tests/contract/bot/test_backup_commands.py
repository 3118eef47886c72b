"""The drill: a running network is backed up, its machine is lost, and it lives again in a fresh folder.

By commands alone, as docs/backup.md says it. Times are printed (pytest -s), none is a limit.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from referrals.model import Referral, Stage
from referrals.persons import Seat
from referrals.service.turns import closing
from storage.keys import load_root_key
from storage.store import Store
from tests.contract.bot.test_commands import NETWORK, Place
from tests.support.network import CATALOGUE, Small
from tests.support.simulator import Telegram
from tests.support.store import SettableClock


@pytest.fixture
def place(tmp_path: Path, telegram: Telegram) -> Place:
    (tmp_path / "first").mkdir(mode=0o700)
    return Place(tmp_path / "first", telegram)


def another_host(place: Place, name: str, *kept: str) -> Place:
    """A fresh folder with what was copied from beside the root key, and nothing else."""
    folder = place.folder.parent / name
    (folder / "keys").mkdir(mode=0o700, parents=True)
    for one in kept:
        source = place.key.parent / one
        if source.is_dir():
            shutil.copytree(source, folder / "keys" / one)
        else:
            shutil.copy2(source, folder / "keys" / one)
    return Place(folder, place.telegram)


@contextmanager
def a_store(place: Place) -> Iterator[Small]:
    """The network's own database, with helpers around it, while or before the product runs."""
    root = load_root_key(place.key, place.data)
    clock = SettableClock(datetime.now(UTC))
    url = f"sqlite:///{place.data}/pulang.sqlite"
    store = Store.open(url, root, CATALOGUE, clock, worker="test")
    try:
        yield Small.around(store, clock)
    finally:
        store.close()


async def founded(place: Place) -> tuple[str, str]:
    """A network with two matters; their ids."""
    await place.bot("init")
    checked = await place.bot("network", "check", str(NETWORK))
    digest = re.search(r"--shown (\w+)", checked)
    assert digest
    await place.bot("network", "apply", str(NETWORK), "--shown", digest.group(1))
    with a_store(place) as net:
        net.person(501, "bua-1")
        return net.filed(net.person(401)), net.filed(net.person(402))


async def ended(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    written = (await asyncio.to_thread(process.communicate, timeout=30))[1]
    assert process.returncode == 0, written
    assert "ledger_failed" not in written


async def test_a_network_lives_again_in_a_fresh_folder(place: Place) -> None:
    kept, withdrawn = await founded(place)
    backups = place.folder.parent / "backups"
    backups.mkdir()
    running = place.runs()
    try:
        await place.is_ready()
        started = time.monotonic()
        said = await place.bot("backup", str(backups))
        print(f"backup: {time.monotonic() - started:.1f} s\n{said}")
        assert "Backed up and read back" in said
        (file,) = backups.iterdir()
        assert "Whole" in await place.bot("backup", "--verify", str(file))
        assert "opens" in await place.bot("backup", "--list", str(backups))
        with a_store(place) as net:
            author = net.referral(withdrawn).author_id
            net.store.run(closing.withdraw, author, withdrawn)
    finally:
        await ended(running)

    fresh = another_host(place, "second", "root.key", "backup-keys", "erased.log")
    shutil.rmtree(place.folder)  # the first machine is gone
    started = time.monotonic()
    said = await fresh.bot("restore", str(file))
    print(f"restore: {time.monotonic() - started:.1f} s\n{said}")
    assert "The audit is whole." in said
    assert "1 withdrawn consents stay withdrawn" in said
    running = fresh.runs()
    try:
        await fresh.is_ready()
        print(f"restored and running: {time.monotonic() - started:.1f} s")
        with a_store(fresh) as net:
            assert net.referral(kept).stage in (Stage.MATCHING, Stage.OFFERED)
            assert net.referral(withdrawn).stage is Stage.WITHDRAWN
            assert net.store.run(lambda tx: tx.count(Referral)) == 2
        assert "Backed up" in await fresh.bot("backup", str(fresh.folder / "next.backup"))
    finally:
        await ended(running)
    assert "The audit is whole." in await fresh.bot("audit", "verify")


async def test_what_the_commands_refuse(place: Place) -> None:
    await founded(place)
    file = place.folder / "x.backup"
    assert "is missing" in await place.bot("backup", status=2)
    assert "There is no ledger" in await place.bot("backup", str(file))
    assert "there is a file already" in await place.bot("backup", str(file), status=2)
    assert "beside the keys" in await place.bot("backup", str(place.key.parent / "y.backup"), status=2)
    assert "not empty" in await place.bot("restore", str(file), "--without-ledger", status=2)
    assert "cannot be read" in await place.bot("restore", str(place.folder / "none"), status=2)

    lost = another_host(place, "no-ledger", "root.key", "backup-keys")
    said = await lost.bot("restore", str(file), status=2)
    assert "the ledger of erasures is not there" in said
    assert "--without-ledger" in said
    said = await lost.bot("restore", str(file), "--without-ledger")
    assert "must be asked again" in said

    keyless = another_host(place, "no-keys", "root.key")
    assert "the key of this backup is not there" in await keyless.bot("restore", str(file), status=2)
    other = Place(place.folder.parent, place.telegram)
    await other.bot("init")
    said = await other.bot("restore", str(file), "--into", f"sqlite:///{place.folder}/o.sqlite", status=2)
    assert "this is a backup of network" in said
    cut = place.folder / "cut.backup"
    cut.write_bytes(file.read_bytes()[:-5])
    assert "cut off" in await place.bot("backup", "--verify", str(cut), status=2)


async def test_who_backs_up_is_named_once_a_steward_has_come(place: Place) -> None:
    await founded(place)
    file = place.folder / "x.backup"
    with a_store(place) as net:
        net.person(701, "steward-1")
        assert net.store.run(lambda tx: tx.find(Seat, id="steward-1"))[0].person_id
    assert "--by" in await place.bot("backup", str(file), status=2)
    assert "not the seat of a steward" in await place.bot("backup", str(file), "--by", "desk-1", status=2)
    assert not file.exists()
    await place.bot("backup", str(file), "--by", "steward-1")
    fresh = another_host(place, "second", "root.key", "backup-keys")
    await fresh.bot("restore", str(file), "--without-ledger", status=2)
    # A refused restore leaves an empty database, and the next one may fill it.
    await fresh.bot("restore", str(file), "--without-ledger", "--by", "steward-1")


async def test_a_ledger_that_cannot_be_written_stops_the_start(place: Place) -> None:
    await place.bot("init")
    (place.key.parent / "erased.log").write_text("not ours\n")
    (place.key.parent / "erased.log").chmod(0o600)
    said = await place.bot("run", status=2)
    assert "not a ledger of erasures" in said
    (place.key.parent / "erased.log").unlink()
    (place.key.parent / "erased.log").mkdir()
    assert "erased.log" in await place.bot("run", status=2)
