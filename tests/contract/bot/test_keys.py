"""`bot keys`, as an operator types it: a passphrase, new keys, a new root key, and what they say."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.contract.bot.test_commands import Place
from tests.support.simulator import ROOT, Telegram

WORDS = "seven brown otters cross the river"

pytestmark = pytest.mark.timeout(300)  # many programs are started one after the other


@pytest.fixture
def place(tmp_path: Path, telegram: Telegram) -> Place:
    return Place(tmp_path, telegram)


def passphrase_file(place: Place, words: str = WORDS) -> Path:
    """As a service manager leaves it: 0600, beside nothing."""
    path = place.folder / "passphrase"
    path.write_text(f"{words}\n")
    path.chmod(0o600)
    return path


def typed(place: Place, *words: str, answers: list[str]) -> tuple[int, str]:
    """Run a command at a terminal of its own; each answer is typed after a prompt has come."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        place.command(*words), cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )  # fmt: skip
    os.close(slave)
    said, waiting, end = "", list(answers), time.monotonic() + 60
    while time.monotonic() < end:
        try:
            said += os.read(master, 4096).decode(errors="replace")
        except OSError:  # the other side has closed it
            break
        if waiting and said.rstrip(" ").endswith(":"):
            os.write(master, f"{waiting.pop(0)}\n".encode())
            said += "\n"
    os.close(master)
    return process.wait(timeout=20), said


async def test_a_passphrase_is_typed_twice_and_never_shown(place: Place) -> None:
    await place.bot("init")
    plain = place.key.read_text()
    status, said = await asyncio.to_thread(typed, place, "keys", "lock", answers=[WORDS, "something else"])
    assert (status, "not the same twice" in said) == (2, True)
    status, said = await asyncio.to_thread(typed, place, "keys", "lock", answers=["short", "short"])
    assert (status, "shorter than 16" in said) == (2, True)
    assert place.key.read_text() == plain
    status, said = await asyncio.to_thread(typed, place, "keys", "lock", answers=[WORDS, WORDS])
    assert status == 0, said
    assert "otters" not in said
    assert place.key.read_text().startswith("pulang root key 1 locked\n")
    assert "locked already" in await place.bot("keys", "lock", status=2)
    # Without a terminal and without a file there is nobody to ask, and the start says what to do.
    done = await asyncio.to_thread(
        subprocess.run, place.command("keys", "status"), cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60, start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, "PULANG_PASSPHRASE_FILE" in done.stderr) == (2, True)
    status, said = await asyncio.to_thread(
        typed, place, "keys", "status", answers=["wrong words, all of them"]
    )
    assert (status, "does not open the key" in said) == (2, True)
    status, said = await asyncio.to_thread(typed, place, "keys", "unlock", answers=[WORDS])
    assert (status, place.key.read_text()) == (0, plain), said


async def test_a_network_begun_with_a_passphrase_starts_unattended_with_its_file(place: Place) -> None:
    secret = passphrase_file(place)
    place.write(PASSPHRASE_FILE=str(secret))
    await place.bot("init", "--passphrase")
    assert place.key.read_text().startswith("pulang root key 1 locked\n")
    assert "Everything is finished." in await place.bot("keys", "status")
    secret.chmod(0o640)
    assert f"chmod 600 {secret}" in await place.bot("keys", "status", status=2)
    secret.chmod(0o600)
    secret.write_text("")
    assert "holds no passphrase" in await place.bot("keys", "status", status=2)
    passphrase_file(place, "not these words at all")
    assert "does not open the key" in await place.bot("keys", "status", status=2)
    inside = place.data / "passphrase"
    passphrase_file(place).rename(inside)
    place.write(PASSPHRASE_FILE=str(inside))
    assert "data folder" in await place.bot("keys", "status", status=2)


async def test_new_keys_and_what_is_said_of_them(place: Place) -> None:
    await place.bot("init")
    assert "holds no such key" in await place.bot("keys", "rotate", "--holder", "org:nobody", status=1)
    status = await place.bot("keys", "status")
    assert "cleared from the database's files: never" in status
    await _somebody_files(place)
    assert "network  contact  v1  active" in await place.bot("keys", "status")
    said = await place.bot("keys", "rotate", "--holder", "network", "--data-class", "contact", "--later")
    assert "New keys: 1." in said
    assert re.search(r"Not finished: \d+ wraps are under retiring keys", said)
    said = await place.bot("keys", "rotate", "--holder", "all")
    assert "Everything is finished." in said
    status = await place.bot("keys", "status", "--holder", "network")
    assert re.search(
        r"network  contact  v1  active .*, retiring .*, retired .*, destroyed .*  0 wraps", status
    )
    assert re.search(r"network  contact  v3  active [^,]*  1 wraps", status)
    assert "never" not in status
    assert "The audit is whole." in await place.bot("audit", "verify")


async def test_a_new_root_key(place: Place) -> None:
    await place.bot("init")
    await _somebody_files(place)
    fresh = place.folder / "keys" / "second.key"
    assert "is the root key in use" in await place.bot("keys", "rotate", "--root", str(place.key), status=2)
    elsewhere = place.folder / "second.key"  # there nobody would end the old backups' keys any more
    said = await place.bot("keys", "rotate", "--root", str(elsewhere), status=2)
    assert "backup-keys" in said
    assert not elsewhere.exists()
    old = place.key.read_text()
    running = place.runs()
    try:
        await place.is_ready()
        said = await place.bot("keys", "rotate", "--root", str(fresh), status=2)
        assert "stop it first" in said
    finally:
        running.terminate()
        running.communicate(timeout=20)
    said = await place.bot("keys", "rotate", "--root", str(fresh))  # the file of the first try is taken
    assert "wrapped by the new root key" in said
    assert (place.key.read_text(), fresh.stat().st_mode & 0o777) == (old, 0o600)
    assert "not the one these data were sealed with" in await place.bot("keys", "status", status=2)
    place.write(ROOT_KEY_FILE=str(fresh))
    assert "network  contact  v1  active" in await place.bot("keys", "status")
    assert "The audit is whole." in await place.bot("audit", "verify")


async def _somebody_files(place: Place) -> None:
    """One sealed account, as the first word to the bot leaves it."""
    from bot.app import open_store
    from bot.clock import Clock
    from bot.settings import load_settings
    from tests.support.rows import add_person

    store, _ = open_store(load_settings(place.settings, {}), Clock())
    await store.turn(add_person, "p1", 1001)
    await store.aclose()
