"""python -m bot audit …: what a steward and a witness type, and what they read."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.checkpoints import CheckpointFolder
from bot.commands.audit import _MEANS, explain
from referrals.errors import ConfigurationError
from referrals.model import Checkpoint
from referrals.service.stewards import witnessing
from storage.audit import Finding
from storage.note_files import write_note
from storage.store import Store
from tests.contract.bot.test_commands import NETWORK, Place, place  # noqa: F401 - a fixture
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store
from tests.support.warm import run_bot


async def alone(*words: str, status: int = 0) -> str:
    """A witness's command: no settings, no network."""
    done = await asyncio.to_thread(run_bot, "audit", *words)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said
    return str(done.stdout if status == 0 else said)


async def test_a_note_goes_out_and_comes_back_countersigned(place: Place, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "notes"
    folder.mkdir()
    place.write(CHECKPOINTS=str(folder))
    await place.bot("init")
    assert "Warning: 0 organisations" not in await place.bot("network", "check", str(NETWORK))
    await place.bot("network", "apply", str(NETWORK))
    key = (await place.bot("audit", "key")).strip()
    made = await place.bot("audit", "checkpoint")
    note = folder / "checkpoint-00000001.txt"
    assert note.read_text() in made
    assert "The four words:" in made

    witness = tmp_path / "witness.key"
    public = (await alone("witness-key", "open-door.example/audit", "--key", str(witness))).splitlines()[-1]
    assert witness.stat().st_mode & 0o777 == 0o600
    line = await alone("cosign", str(note), "--key", str(witness), "--network", key)
    note.write_text(note.read_text() + line)

    plain = await place.bot("audit", "verify", "--checkpoint", str(note))
    assert "The audit is whole." in plain
    assert "1 more signatures whose keys were not given" in plain
    known = await place.bot("audit", "verify", "--checkpoint", str(note), "--witness", public)
    assert "countersigned by open-door.example/audit at " in known

    # The next note goes on from this one; an earlier one after it does not.
    await place.bot("audit", "checkpoint")
    later = folder / "checkpoint-00000002.txt"
    sign = ("--key", str(witness), "--network", key)
    assert (await alone("cosign", str(later), *sign, "--earlier", str(note))).startswith("— open-door")
    assert "NOT signed" in await alone("cosign", str(note), *sign, "--earlier", str(later), status=1)


async def test_what_does_not_fit_is_said_to_whoever_can_mend_it(place: Place, tmp_path: Path) -> None:  # noqa: F811
    await place.bot("init")
    await place.bot("audit", "checkpoint")
    whole = (await place.bot("audit", "checkpoint")).partition("\n\nThe four words")[0] + "\n"
    other = tmp_path / "note"
    for text, words in (
        (whole[:-9], "cut off at its end"),
        (whole.partition("\n\n")[0], "cut off"),
        (whole.replace("number 2", "number 3"), "was changed after it was signed"),
        (whole.replace("pulang/", "pulang/x"), "another network"),
        ("no note at all\n", "no signature"),
    ):
        other.write_text(text)
        said = await place.bot("audit", "verify", "--checkpoint", str(other), status=2)
        assert words in said, said
    other.write_bytes(b"\xff\xfe")
    assert "is no note" in await place.bot("audit", "verify", "--checkpoint", str(other), status=2)
    assert "cannot be read" in await place.bot("audit", "verify", "--checkpoint", "/none", status=2)
    assert "is not a key" in await place.bot("audit", "verify", "--witness", "x+y+z", status=2)
    other.write_text(whole)
    other.chmod(0o644)
    key = (await place.bot("audit", "key")).strip()
    assert "chmod 600" in await alone("cosign", str(other), "--key", str(other), "--network", key, status=2)

    # The database's owner removes a row behind our back.
    with sqlite3.connect(place.data / "pulang.sqlite") as database:
        database.execute("DROP TRIGGER audit_no_delete")
        database.execute("DELETE FROM audit WHERE sequence = 1")
    database.close()
    said = await place.bot("audit", "verify", status=1)
    assert "row 1 of lane sqlite is missing" in said
    assert "tell the other stewards" in said


async def test_who_looks_is_written_down_first(place: Place) -> None:  # noqa: F811
    await place.bot("init")
    assert "not the seat" in await place.bot("audit", "show", "--by", "nobody", status=2)
    assert "nobody has taken" in await place.bot("audit", "show", "--by", "steward-1", status=2)
    with sqlite3.connect(place.data / "pulang.sqlite") as database:
        _seat_somebody(database)
    database.close()
    said = await place.bot("audit", "show", "--by", "steward-1")
    lines = said.splitlines()
    assert lines[0].split() == "when role person organisation action subject detail row".split()
    assert "audit:read" in lines[-1]
    assert "kanya" in lines[-1]
    column = lines[0].index("action")
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    only = await place.bot(
        "audit", "show", "--by", "steward-1", "--action", "seat:invite", "--since", "2020-01-01"
    )
    assert [line.split()[5] for line in only.splitlines()[1:]] == ["seat:invite"]
    assert "is no day" in await place.bot("audit", "show", "--by", "steward-1", "--since", "soon", status=2)


def _seat_somebody(database: sqlite3.Connection) -> None:
    names = [row[1] for row in database.execute("PRAGMA table_info(person)")]
    given = {"id": "kanya", "language": "en", "timezone": "Asia/Bangkok", "window": "any_time", "version": 1}
    given |= {"presence": "present", "created_at": 1, "last_seen_at": 1, "retain_until": 1}
    given |= {"days": "[]", "reminders": 1, "by_text": 0}
    values = [given.get(name) for name in names]
    database.execute(
        f"INSERT INTO person ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values
    )
    database.execute("UPDATE seat SET person_id = 'kanya' WHERE id = 'steward-1'")


def test_every_finding_has_its_words() -> None:
    for what in _MEANS:
        said = explain(Finding("sqlite", 7, what, 3))
        assert "{" not in said
    assert "set the clock" in explain(Finding("", 0, "future", 3))


async def test_the_folder_gets_what_it_missed(sqlite_url: str, tmp_path: Path) -> None:
    store, folder = _with_notes(sqlite_url, 3), tmp_path / "notes"
    with pytest.raises(ConfigurationError, match="is not a folder"):
        CheckpointFolder(store, folder)
    folder.mkdir()
    third = await store.turn(lambda tx: tx.get(Checkpoint, "00000003"))
    assert third is not None
    assert write_note(folder, 3, third.note) is not None
    with (folder / "checkpoint-00000003.txt").open("a") as file:
        file.write("— somebody.example AAAAAA==\n")  # a witness has countersigned it where it lies
    layer = CheckpointFolder(store, folder)
    assert await layer.lay_out() == 2
    assert await layer.lay_out() == 0
    assert await CheckpointFolder(store, folder).lay_out() == 0, "after a start, too"
    assert sorted(p.name for p in folder.iterdir()) == [f"checkpoint-0000000{n}.txt" for n in (1, 2, 3)]
    await asyncio.to_thread(store.close)


async def test_after_a_restore_a_new_note_is_not_lost_behind_an_old_one_of_its_number(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The restored audit counts on from its backup: what was signed since, and lies there, stays."""
    store, folder = _with_notes(sqlite_url, 3), tmp_path / "notes"
    folder.mkdir()
    assert write_note(folder, 2, "signed before the machine was lost\n") is not None
    assert await CheckpointFolder(store, folder).lay_out() == 3
    assert await CheckpointFolder(store, folder).lay_out() == 0
    assert (folder / "checkpoint-00000002.txt").read_text() == "signed before the machine was lost\n"
    (other,) = folder.glob("checkpoint-00000002-*.txt")
    made = await store.turn(lambda tx: tx.get(Checkpoint, "00000002"))
    assert made is not None
    assert other.read_text() == made.note
    await asyncio.to_thread(store.close)


def _with_notes(url: str, count: int) -> Store:
    clock = SettableClock(datetime(2026, 11, 24, tzinfo=UTC))
    store = open_store(url, clock, CATALOGUE)
    net = Small(store, clock)
    store.run(witnessing.begin)
    net.passes(timedelta(days=count - 1))
    return store
