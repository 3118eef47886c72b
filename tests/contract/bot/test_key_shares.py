"""`bot keys shares` and `from-shares`, as people type them on the day when the key is gone."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from tests.contract.bot.test_commands import Place
from tests.support.simulator import Telegram
from tests.support.warm import run_bot

pytestmark = pytest.mark.timeout(300)  # many programs are started one after the other


@pytest.fixture
def place(tmp_path: Path, telegram: Telegram) -> Place:
    return Place(tmp_path, telegram)


async def pages(place: Place) -> list[Path]:
    await place.bot("init")
    await place.bot("keys", "shares", "--out", str(place.folder / "paper"))
    return [place.folder / "paper" / f"share-{n}.txt" for n in (1, 2, 3)]


async def typed(place: Place, out: Path, text: str) -> tuple[int, str]:
    """What `from-shares` says to somebody who types."""
    words = place.command("keys", "from-shares", "--out", str(out))[3:]
    done = await asyncio.to_thread(run_bot, *words, typed=text)
    return done.returncode, done.stdout + done.stderr


def values(page: Path) -> list[str]:
    """What a person types: the part of each line behind its name."""
    lines = page.read_text().splitlines()[1:]
    return [line.partition(": ")[2] for line in lines if line and not line.startswith("#")]


async def test_two_pages_give_the_very_key_back_and_the_network_starts_with_it(place: Place) -> None:
    one, two, three = await pages(place)
    for page in (one, two, three):
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700
    before = place.key.read_text()
    place.key.unlink()
    again = place.folder / "keys" / "again.key"
    said = await place.bot("keys", "from-shares", str(three), str(one), "--out", str(again))
    assert "PULANG_ROOT_KEY_FILE" in said
    assert again.read_text() == before
    assert stat.S_IMODE(again.stat().st_mode) == 0o600
    place.key = again
    place.write()
    await place.bot("keys", "status")


async def test_they_are_typed_line_by_line_and_a_slip_costs_one_line(place: Place) -> None:
    one, two, _ = await pages(place)
    again = place.folder / "keys" / "again.key"
    first = values(one)
    slip = [*first[:4], first[4][::-1], *first[4:]]
    status, said = await typed(place, again, "\n".join([*slip, *values(two), ""]))
    assert status == 0, said
    assert said.count("paper 1 (part 1)") == 1
    assert again.read_text() == place.key.read_text()
    status, said = await typed(place, place.folder / "keys" / "third.key", "\n".join(first[:3]))
    assert (status, "nothing was typed" in said) == (2, True)


async def test_nothing_is_written_where_it_must_not_be_or_over_anything(place: Place) -> None:
    one, two, _ = await pages(place)
    key = place.key.read_text()
    shown = [page.read_text() for page in (one, two)]
    both = (str(one), str(two))
    assert "already" in await place.bot("keys", "from-shares", *both, "--out", str(place.key), status=2)
    inside = place.data / "again.key"
    assert "data folder" in await place.bot("keys", "from-shares", *both, "--out", str(inside), status=2)
    assert "data folder" in await place.bot("keys", "shares", "--out", str(place.data / "paper"), status=2)
    assert "already" in await place.bot("keys", "shares", "--out", str(one.parent), status=2)
    assert not inside.exists()
    assert place.key.read_text() == key
    assert [page.read_text() for page in (one, two)] == shown
    one.unlink()  # two are left of another printing: a new first one would fit neither
    assert "already" in await place.bot("keys", "shares", "--out", str(one.parent), status=2)
    assert sorted(left.name for left in one.parent.iterdir()) == ["share-2.txt", "share-3.txt"]


async def test_wrong_pages_leave_no_file(place: Place) -> None:
    one, two, _ = await pages(place)
    out = place.folder / "keys" / "again.key"
    words = ("keys", "from-shares", "--out", str(out))
    assert "one share twice" in await place.bot(*words, str(one), str(one), status=2)
    assert "too few" in await place.bot(*words, str(one), status=2)
    two.chmod(0o644)
    assert "chmod 600" in await place.bot(*words, str(one), str(two), status=2)
    two.chmod(0o600)
    two.write_text(two.read_text().replace("part 3: ", "part 3: 0"))
    said = await place.bot(*words, str(one), str(two), status=2)
    assert f"{two}, line 10 (part 3)" in said
    assert not out.exists()


async def test_a_locked_key_is_shared_too_and_comes_back_locked_if_wished(place: Place) -> None:
    passphrase = place.folder / "passphrase"
    passphrase.write_text("seven brown otters cross the river\n")
    passphrase.chmod(0o600)
    await place.bot("init")
    place.write(PASSPHRASE_FILE=str(passphrase))
    plain = place.key.read_text()
    await place.bot("keys", "lock")
    paper, out = place.folder / "paper", place.folder / "keys" / "again.key"
    await place.bot("keys", "shares", "--out", str(paper))
    both = (str(paper / "share-1.txt"), str(paper / "share-2.txt"))
    await place.bot("keys", "from-shares", *both, "--out", str(out), "--passphrase")
    assert out.read_text().startswith("pulang root key 1 locked\n")
    place.key = out
    place.write(PASSPHRASE_FILE=str(passphrase))
    await place.bot("keys", "unlock")
    assert out.read_text() == plain
