"""The ledger of erasures: nothing in it can be changed or taken out unseen, and half a line loses nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.errors import ConfigurationError
from referrals.model import Record
from referrals.ports import Erasure, Taken
from storage import erasures
from storage.ledger import KEEP, Ledger
from storage.secret import LastingSecret
from tests.support.store import START

SECRET = LastingSecret("test-network", bytes(range(32)))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "erased.log", SECRET)


def taken(number: int, days: int = 0) -> Erasure:
    at = START + timedelta(days=days)
    return erasures.took(at, Taken.UNSHARED, Record("referral", f"r{number}"), "story", "org:open-door")


def refused(path: Path, secret: LastingSecret = SECRET) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Ledger(path, secret).read()
    return str(caught.value)


def test_what_was_written_is_read_in_its_order(ledger: Ledger) -> None:
    some = [taken(n) for n in range(5)]
    ledger.write(some[:2], START)
    Ledger(ledger.path, SECRET).write(some[2:4], START)  # another process
    ledger.write(some[4:], START)
    told = ledger.read()
    assert list(told.erasures) == some
    assert told.sequence == 5
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    content = ledger.path.read_text()
    # Nothing shorter: two letters come by chance in that much base64.
    for private in ("open-door", "referral", "story"):
        assert private not in content


def test_a_mark_says_until_when_it_reaches(ledger: Ledger) -> None:
    ledger.write([taken(1)], START)
    ledger.write([], START + timedelta(hours=5))
    assert ledger.read().until == START + timedelta(hours=5)
    assert len(ledger.read().erasures) == 1


def test_a_line_cut_by_a_power_cut_is_left_out_and_written_over(ledger: Ledger) -> None:
    first, second = taken(1), taken(2)
    ledger.write([first], START)
    whole = ledger.path.read_bytes()
    ledger.write([second], START)
    longer = ledger.path.read_bytes()
    for size in range(len(whole) + 1, len(longer)):
        ledger.path.write_bytes(longer[:size])
        assert list(Ledger(ledger.path, SECRET).read().erasures) == [first]
    fresh = Ledger(ledger.path, SECRET)
    fresh.write([second], START)
    assert list(fresh.read().erasures) == [first, second]


def test_old_lines_go_and_the_chain_still_holds(ledger: Ledger) -> None:
    ledger.write([taken(n, days=n) for n in range(10)], START)
    assert ledger.prune(START + KEEP) == 0
    now = START + KEEP + timedelta(days=6, seconds=1)
    assert ledger.prune(now) == 7
    told = Ledger(ledger.path, SECRET).read()
    assert [e.record.row for e in told.erasures] == ["r7", "r8", "r9"]
    assert told.sequence == 10
    ledger.write([taken(10, days=10)], now)
    assert Ledger(ledger.path, SECRET).read().sequence == 11
    assert ledger.prune(now + timedelta(days=100)) == 4
    ledger.write([taken(11)], now)
    assert Ledger(ledger.path, SECRET).read().sequence == 12


def test_another_networks_ledger_and_other_files_are_refused(ledger: Ledger) -> None:
    ledger.write([taken(1)], START)
    assert "another network" in refused(ledger.path, LastingSecret("other-network", bytes(32)))
    assert "changed or damaged" in refused(ledger.path, LastingSecret("test-network", bytes(32)))
    ledger.path.write_text("hello\n")
    assert "not a ledger" in refused(ledger.path)
    ledger.path.write_text("")
    assert "not a ledger" in refused(ledger.path)
    ledger.path.chmod(0o640)
    assert "chmod 600" in refused(ledger.path)
    ledger.path.unlink()
    assert "cannot be read" in refused(ledger.path)


@given(data=st.data())
def test_lines_that_were_moved_taken_out_or_changed_are_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "erased.log", SECRET)
    ledger.write([taken(n) for n in range(6)], START)
    title, base, *lines = ledger.path.read_text().splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
    ledger.path.write_text("".join([title, base, *(lines[n] for n in order)]))
    if order == list(range(len(order))):  # only a tail can be cut unseen: backups know how far it reached
        assert len(ledger.read().erasures) == len(order)
    else:
        assert "changed or damaged" in refused(ledger.path)


def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Ledger) -> None:
    """A child process that may write no larger file: as on a disk that is full."""
    ledger.write([taken(n) for n in range(20)], START)
    before = ledger.path.stat().st_size
    program = (
        "import resource, sys\n"
        "from tests.security.test_ledger import *\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({before + 100}, {before + 100}))\n"
        "ledger = Ledger(Path(sys.argv[1]), SECRET)\n"
        "try:\n    ledger.write([taken(n) for n in range(20)], START)\n"
        "except OSError as error:\n    print('refused', error.strerror)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ledger.path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "refused File too large" in done.stdout, done.stderr
    again = Ledger(ledger.path, SECRET)
    assert len(again.read().erasures) == 20
    again.write([taken(99)], START)
    assert len(again.read().erasures) == 21
