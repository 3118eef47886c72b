"""`bot demo`: its powers stay on this machine, nothing outlives it, and its folder goes on later."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.demo import ROOT, Demo
from tests.support.warm import run_bot


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    one = Demo(tmp_path)
    try:
        await one.start()
        yield one
    finally:
        one.sweep()


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return answer.status < 500
    except aiohttp.ClientError:
        return False


async def _is_silent(url: str) -> None:
    end = time.monotonic() + 5
    while await _answers(url):
        assert time.monotonic() < end, f"{url} still answers"
        await asyncio.sleep(0.05)


async def test_it_listens_to_this_machine_and_to_json_only(demo: Demo) -> None:
    product = demo.places["product"]
    body = json.dumps({"advance_s": 1})
    as_json = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http:
        cases = [
            ({**as_json, "Host": "attacker.example"}, body, 421),
            ({**as_json, "Host": "127.0.0.1.attacker.example"}, body, 421),
            ({"Content-Type": "text/plain"}, body, 415),
            (as_json, "{", 400),
            (as_json, '{"advance_s": -1}', 400),
            (as_json, '{"advance_s": NaN}', 400),
            (as_json, '{"advance_s": 1e99}', 400),
            (as_json, body, 200),
            ({**as_json, "Host": "mali.localhost"}, body, 200),
        ]
        for headers, sent, status in cases:
            async with http.post(product + "/demo/clock", data=sent, headers=headers) as answer:
                assert answer.status == status, (headers, sent)
        async with http.get(product + "/p/me") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert f"frame-ancestors {demo.places['simulator']} " in policy


async def test_ctrl_c_ends_both_and_the_next_start_goes_on(demo: Demo) -> None:
    product, simulator = demo.places["product"], demo.places["simulator"]
    async with aiohttp.ClientSession() as http:
        async with http.post(simulator + "/sim/people/aree/open", json={"payload": ""}) as answer:
            assert answer.status == 200
        async with http.post(product + "/demo/clock", json={"advance_s": 3600}) as answer:
            moved = (await answer.json())["now"]
    assert demo.stop() == 0
    await _is_silent(product)
    await _is_silent(simulator)
    assert not demo.ready_file.exists()

    began = time.monotonic()
    await demo.start()
    assert time.monotonic() - began < 5
    async with aiohttp.ClientSession() as http:
        async with http.get(demo.places["simulator"] + "/sim/people/aree/chat") as answer:
            assert any(message["from"] == "bot" for message in await answer.json())
        async with http.post(demo.places["product"] + "/demo/clock", json={"advance_s": 0}) as answer:
            assert (await answer.json())["now"] >= moved


async def test_a_killed_demo_leaves_no_simulator(demo: Demo) -> None:
    demo.kill()
    await _is_silent(demo.places["simulator"])


async def test_two_in_one_folder_and_a_demo_as_a_network_are_refused(demo: Demo, tmp_path: Path) -> None:
    words = ["demo", "--port", "0", "--simulator-port", "0", "--no-browser", "--data", str(demo.data)]
    second = await _bot(*words)
    assert "another demo runs with this folder" in second
    demo.stop()
    settings = tmp_path / "settings"
    lines = {
        "BOT_TOKEN": "123456789:" + "A" * 35,
        "PUBLIC_URL": "https://pulang.example",
        "DATA": demo.data,
        "ROOT_KEY_FILE": demo.data.with_name("demo-key") / "root.key",
    }
    settings.write_text("".join(f"PULANG_{name}={value}\n" for name, value in lines.items()))
    assert "holds a demo" in await _bot("run", "--settings", str(settings))
    assert "DEMO" in {path.name for path in demo.data.iterdir()}
    older = sqlite3.connect(demo.data / "pulang.sqlite")
    older.execute("UPDATE alembic_version SET version_num = 'older'")
    older.commit()
    older.close()
    assert f"begin anew: remove {demo.data} and {demo.data}-key" in await _bot(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "99999"], "argument --port: invalid port value"),
        (["--data", str(Path(__file__))], "is no folder"),
        (["--ready-file", "/nowhere/ready"], "its folder is not there"),
    ],
)
async def test_what_was_typed_wrong_is_named(words: list[str], said: str, tmp_path: Path) -> None:
    places = ["--data", str(tmp_path / "demo"), "--port", "0", "--simulator-port", "0", "--no-browser"]
    refused = await asyncio.to_thread(run_bot, "demo", *places, *words)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


async def _bot(*words: str) -> str:
    """A command that is refused; what it said."""
    command = [sys.executable, "-m", "bot", *words]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr
