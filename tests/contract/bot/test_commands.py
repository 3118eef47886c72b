"""A real network from an empty folder, by commands alone, against the simulator."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.simulator import ROOT, Telegram
from tests.support.warm import run_bot

NETWORK = ROOT / "catalogue" / "demo" / "network.toml"


class Place:
    """A folder with settings, and the commands in it."""

    def __init__(self, folder: Path, telegram: Telegram) -> None:
        self.folder, self.telegram = folder, telegram
        self.settings = folder / "settings"
        self.data, self.key = folder / "data", folder / "keys" / "root.key"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.write()

    def write(self, **more: str) -> None:
        lines = {
            "BOT_TOKEN": self.telegram.token,
            "TELEGRAM_API": self.telegram.url,
            "TELEGRAM_PUBLIC_KEY": self.telegram.public_key,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "LISTEN_PORT": str(self.port),
            "DATA": str(self.data),
            "ROOT_KEY_FILE": str(self.key),
            **more,
        }
        self.settings.write_text("".join(f"PULANG_{name}={value}\n" for name, value in lines.items()))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bot", *words, "--settings", str(self.settings)]

    async def bot(self, *words: str, status: int = 0) -> str:
        """Run a command to its end; what it said."""
        done = await asyncio.to_thread(run_bot, *self.command(*words)[3:])
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said
        return said

    def runs(self) -> subprocess.Popen[str]:
        """Start `bot run`."""
        return subprocess.Popen(self.command("run"), cwd=ROOT, stderr=subprocess.PIPE, text=True)

    async def is_ready(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                async with self.telegram.http.get(f"http://127.0.0.1:{self.port}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError("not ready")


@pytest.fixture
def place(tmp_path: Path, telegram: Telegram) -> Place:
    return Place(tmp_path, telegram)


def payload_in(said: str) -> str:
    found = re.search(r"https://t\.me/\w+\?start=(\S+)", said)
    assert found, said
    return found.group(1)


async def test_a_network_is_made_applied_joined_and_run(place: Place, telegram: Telegram) -> None:
    steward = payload_in(await place.bot("init"))
    assert place.key.stat().st_mode & 0o777 == 0o600
    assert place.data.stat().st_mode & 0o777 == 0o700
    checked = await place.bot("network", "check", str(NETWORK))
    digest = re.search(r"--shown (\w+)", checked)
    assert digest
    assert "Nothing was changed" in checked
    assert "Applied." in await place.bot("network", "apply", str(NETWORK), "--shown", digest.group(1))
    again = await place.bot("network", "check", str(NETWORK))
    assert "already as the file says" in again
    assert "To apply it" not in again
    assert "not the seat of a steward" in await place.bot("invite", "desk-1", "--by", "desk-1", status=2)

    running = place.runs()
    try:
        await place.is_ready()
        await telegram.call("POST", "/sim/people", {"name": "kanya", "language": "en"})
        await telegram.open("kanya", steward)
        await telegram.until_said("kanya", lambda said: any("steward" in one.lower() for one in said))
        await telegram.press("kanya", "Join")
        await telegram.until_called("answerCallbackQuery")
        await telegram.until_said("kanya", lambda said: any("Welcome" in one for one in said))
        # A steward has come, so from now on somebody must be named.
        assert "--by" in await place.bot("invite", "desk-1", status=2)
        desk = payload_in(await place.bot("invite", "desk-1", "--by", "steward-1"))
        await telegram.call("POST", "/sim/people", {"name": "dao", "language": "en"})
        await telegram.open("dao", desk)
        await telegram.until_said("dao", lambda said: any("invited to join" in one for one in said))
        assert "The audit is whole." in await place.bot("audit", "verify")
    finally:
        running.send_signal(signal.SIGTERM)
        written = running.communicate(timeout=20)[1]
    assert running.returncode == 0, written
    assert '"event": "stopped"' in written
    for private in (telegram.token, "kanya", "dao", steward, desk):
        assert private not in written


async def test_init_refuses_what_is_unsafe_or_there(place: Place) -> None:
    place.data.mkdir(mode=0o755)
    place.data.chmod(0o755)
    assert f"chmod 700 {place.data}" in await place.bot("init", status=2)
    place.data.chmod(0o700)
    place.write(ROOT_KEY_FILE=str(place.data / "root.key"))
    assert "lies in the data folder" in await place.bot("init", status=2)
    place.write()
    place.key.parent.mkdir(mode=0o777)
    place.key.parent.chmod(0o777)
    assert "chmod go-w" in await place.bot("init", status=2)
    place.key.parent.chmod(0o700)
    (place.folder / ".git").mkdir()
    assert "git checkout" in await place.bot("init", status=2)
    await place.bot("init", "--force")
    assert "there is a key already" in await place.bot("init", "--force", status=2)
    place.write(ROOT_KEY_FILE=str(place.folder / "keys" / "other.key"))
    assert "is not empty" in await place.bot("init", "--force", status=2)
    assert not (place.folder / "keys" / "other.key").exists()


async def test_what_is_broken_stops_the_start_with_its_mend(place: Place) -> None:
    assert "cannot be read" in await place.bot("run", status=2)
    await place.bot("init")
    place.key.chmod(0o644)
    assert "chmod 600" in await place.bot("run", status=2)
    place.key.chmod(0o600)
    place.write(BOT_TOKEN="123456789:" + "A" * 35)
    assert "Telegram does not know this token" in await place.bot("run", status=2)
    place.write(LOCALES=str(place.folder))
    assert "no texts in English" in await place.bot("run", status=2)
    place.write(CATALOGUE=str(place.folder / "none"))
    assert "no such folder" in await place.bot("run", status=2)
    place.write(LISTENPORT="1")
    assert "did you mean PULANG_LISTEN_PORT?" in await place.bot("run", status=2)
    place.write()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", place.port))
        taken.listen()
        assert "PULANG_LISTEN_PORT" in await place.bot("run", status=2)
    broken = place.folder / "network.toml"
    broken.write_text('[[area]]\nid = "x"\nparent = "nowhere"\n')
    assert "network.toml" in await place.bot("network", "check", str(broken), status=2)
    (place.data / "pulang.sqlite").write_bytes(os.urandom(8192))
    assert "pulang.sqlite" in await place.bot("run", status=2)


async def test_a_demo_stays_a_demo(place: Place) -> None:
    await place.bot("init")
    (place.data / "DEMO").write_text("")
    assert "holds a demo" in await place.bot("run", status=2)
    (place.data / "DEMO").unlink()
    connection = sqlite3.connect(place.data / "pulang.sqlite")
    connection.execute("UPDATE meta SET value = 'yes' WHERE key = 'demo'")
    connection.commit()
    connection.close()
    assert "these are demo data" in await place.bot("run", status=2)
