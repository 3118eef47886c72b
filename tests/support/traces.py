"""What a story leaves behind: nothing private anywhere, and no call that Telegram would not know."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import IN_CI
from tests.support.chats import LONGEST_SCREEN
from tests.support.demo import ROOT, Demo
from tests.support.people import World

PRIVATE = ("Canary", "0812345678")  # of what every story writes: the words, and the phone of whoever is told
VALIDATE = ROOT.parent / "shared" / "telegram" / "validate.py"


async def nothing_private(demo: Demo, world: World, never_said: Iterable[str] = ()) -> None:
    """A canary stands in every private field: none in any Bot API call, in the database or in a log.

    `never_said`: what besides must be in no call, names of places and organisations. No screen over 1 KB.
    """
    traffic = await world.traffic()
    said = json.dumps(traffic, ensure_ascii=False)
    for words in (*PRIVATE, *never_said):
        assert words not in said, words
    texts = [str(call["params"].get("text", "")) for call in traffic]
    assert max(len(text.encode()) for text in texts) <= LONGEST_SCREEN
    assert b"listening" in demo.log.read_bytes()  # the search looks at a log at its most talkative
    for path in [*(p for p in demo.data.rglob("*") if p.is_file()), demo.log]:
        data = path.read_bytes()
        assert not [words for words in PRIVATE if words.encode() in data], path.name


async def traffic_is_valid(world: World, folder: Path) -> None:
    """Every call as Telegram's own description has it; in CI that description must be at hand."""
    if not VALIDATE.exists():
        assert not IN_CI, f"{VALIDATE.name} is missing"
        warnings.warn("shared/telegram/validate.py is not at hand: the traffic was not checked", stacklevel=1)
        return
    log = folder / "traffic.json"
    log.write_text(json.dumps(await world.traffic()))
    checked = subprocess.run(
        [sys.executable, str(VALIDATE), str(log)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout[-2000:]
