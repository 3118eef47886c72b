"""A real network from an empty folder, without `bot demo`: init, network file, invitations, run, SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.demo import ROOT
from tests.support.people import World
from tests.support.story import STORY, asks_for_help, files
from tests.support.warm import run_bot

TOKEN = "7000000002:" + "b" * 35
LONG = os.environ.get("PULANG_LONG", "").lower() not in {"", "0", "false"}
# The demo polls in every other story; here the short form lives by webhook.
MODES = ["polling", "webhook"] if LONG else ["webhook"]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A simulator of its own, as Telegram is one."""
    ready = tmp_path / "simulator.json"
    command = [sys.executable, "-m", "simulator", "--port", "0", "--token", TOKEN, "--watch-stdin"]
    process = subprocess.Popen([*command, "--ready-file", str(ready)], cwd=ROOT, stdin=subprocess.PIPE)
    try:
        _wait_for(ready)
        yield json.loads(ready.read_text())
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=MODES)
def environment(request: pytest.FixtureRequest, simulator: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings as an operator gives them."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("PULANG_")},
        "PULANG_BOT_TOKEN": TOKEN,
        "PULANG_TELEGRAM_API": simulator["url"],
        "PULANG_TELEGRAM_PUBLIC_KEY": simulator["public_key"],
        "PULANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PULANG_LISTEN_PORT": str(port),
        "PULANG_DATA": str(tmp_path / "data"),
        "PULANG_ROOT_KEY_FILE": str(tmp_path / "keys" / "root.key"),
        "PULANG_MODE": request.param,
    }


@pytest_asyncio.fixture
async def world(simulator: dict[str, str], environment: dict[str, str]) -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as http:
        yield World(http, simulator["url"], environment["PULANG_PUBLIC_URL"])


def bot(environment: dict[str, str], *words: str, fails: bool = False) -> str:
    """`python -m bot …`; what it printed."""
    done = run_bot(*words, env=environment)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


async def test_a_network_is_built_and_helps(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    steward_link = payload_in(bot(environment, "init"))
    network = str(ROOT / "catalogue/demo/network.toml")
    shown = bot(environment, "network", "check", network)
    assert "+ organizations bua-house" in shown
    digest = re.search(r"\b[0-9a-f]{12}\b", shown)
    assert digest is not None

    running = subprocess.Popen([sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment)
    try:
        await _ready(world)
        kanya = await world.newcomer("kanya")
        await kanya.opens_link(steward_link)
        await kanya.presses("Join")
        await kanya.presses("English")
        await kanya.opens_link(steward_link)
        await kanya.sees("This link was used, has ended, or never was")

        # A second person applies exactly what the first one was shown.
        bot(environment, "network", "apply", network, "--by", "steward-1", "--shown", digest.group())
        assert "already as the file says" in bot(environment, "network", "check", network)
        ploy = await world.newcomer("ploy")
        await ploy.opens_link(payload_in(bot(environment, "invite", "bua-1", "--by", "steward-1")))
        await ploy.presses("Join")
        await ploy.presses("English")
        # As long as there is nobody else, the one who invited says that it is them.
        number = re.search(r"\d{4}", (await ploy.sees("Your number is"))["text"])
        assert number is not None
        await kanya.sees(f"is their number {number.group()}?")
        await kanya.presses("Yes, it is them")
        await ploy.sees("Welcome. You are in as")
        await ploy.presses("Yes, any time")

        family = await world.newcomer("somchai")
        page = await asks_for_help(family)
        await files(page, urgency="urgent", without=("two-rivers", "open-door"))
        await ploy.presses("Show")
        await ploy.presses("Accept")
        matter = await ploy.reads("Read the story")
        assert matter.view["story"] == STORY
        await matter.does("contacted")
        await matter.does("report", outcome="met")
        await family.presses("Yes, somebody helped")
        await family.sees("This is closed now")
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    assert "The audit is whole." in bot(environment, "audit", "verify")


def test_unsafe_places_and_broken_files_are_refused(environment: dict[str, str], tmp_path: Path) -> None:
    inside = {**environment, "PULANG_ROOT_KEY_FILE": str(tmp_path / "data" / "root.key")}
    assert "PULANG_ROOT_KEY_FILE" in bot(inside, "init", fails=True)
    (tmp_path / "data").mkdir(mode=0o755)
    assert "chmod 700" in bot(environment, "init", fails=True)
    (tmp_path / "data").chmod(0o700)
    bot(environment, "init")
    assert "already" in bot(environment, "init", fails=True)
    broken = tmp_path / "broken.toml"
    broken.write_text('[[area]]\nid = "a"\nnames = { en = "A" }\nparent = "nowhere"\n')
    said = bot(environment, "network", "check", str(broken), fails=True)
    assert "broken.toml" in said
    assert "nowhere" in said
    key = Path(environment["PULANG_ROOT_KEY_FILE"])
    key.chmod(0o644)
    assert "root.key" in bot(environment, "run", fails=True)
    key.chmod(0o600)
    key.write_text(key.read_text()[:-10])
    assert "root.key" in bot(environment, "run", fails=True)


def payload_in(printed: str) -> str:
    """The start payload of the link that was printed."""
    found = re.search(r"start=([A-Za-z0-9_-]+)", printed)
    assert found is not None, printed
    return found.group(1)


async def _ready(world: World) -> None:
    for _ in range(300):
        try:
            async with world.http.get(world.product + "/health/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("the product is not ready")


def _wait_for(path: Path) -> None:
    import time

    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
