"""A secret's file that others may look at is refused; what is written is whole, and its owner's alone."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from storage.private_files import (
    MOST_BYTES,
    folder_lock,
    private_folder,
    put_private,
    read_apart,
    read_long,
    read_private,
    rewrite_private,
    shred,
)

Read = Callable[[Path], bytes]


def small(path: Path) -> bytes:
    return read_private(path, "the key", "look for it")


def long(path: Path) -> bytes:
    return read_long(path, "the key", "look for it")


def apart(path: Path) -> bytes:
    return read_apart(path, path.parent / "data", "the key")


READS = (small, long, apart)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        act()
    return str(caught.value)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    put_private(tmp_path / "key", b"secret")
    return tmp_path / "key"


@pytest.mark.parametrize("read", READS)
def test_what_is_written_is_read_again_and_only_its_owner_could(key: Path, read: Read) -> None:
    assert read(key) == b"secret"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(key: Path, read: Read, mode: int) -> None:
    key.chmod(mode)

    assert f"chmod 600 {key}" in refused(lambda: read(key))


@pytest.mark.parametrize("read", READS)
def test_what_is_no_plain_file_is_refused_and_never_waited_for(tmp_path: Path, read: Read) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    assert "not a plain file" in refused(lambda: read(tmp_path / "pipe"))
    assert "cannot be read" in refused(lambda: read(tmp_path / "nothing"))


@pytest.mark.parametrize("read", READS)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(key: Path, read: Read) -> None:
    os.chown(key, 4321, -1)

    assert "belongs to another user (number 4321)" in refused(lambda: read(key))


def test_a_secret_in_the_data_folder_is_refused_by_any_way_that_leads_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    private_folder(data)
    put_private(data / "key", b"secret")
    (tmp_path / "link").symlink_to(data / "key")

    for path in (data / "key", tmp_path / "link", data / ".." / "data" / "key"):
        assert "lies in the data folder" in refused(partial(read_apart, path, data, "the key"))


def test_a_small_read_ends_and_a_long_one_does_not(tmp_path: Path) -> None:
    put_private(tmp_path / "long", bytes(3 * MOST_BYTES))

    assert len(small(tmp_path / "long")) == MOST_BYTES
    assert len(long(tmp_path / "long")) == 3 * MOST_BYTES


def test_nothing_that_is_there_is_written_over(key: Path) -> None:
    assert "there is a file already" in refused(lambda: put_private(key, b"another"))
    assert small(key) == b"secret"
    assert "cannot be written" in refused(lambda: put_private(key.parent / "no" / "key", b"another"))


def test_what_cannot_be_written_whole_is_taken_away(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    script = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from storage.private_files import put_private\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "put_private(Path(sys.argv[1]), bytes(100_000))\n"
    )

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "key")],
        cwd=Path(__file__).parents[2],
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "could not be written whole" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_content_takes_the_place_of_another_though_somebody_died_over_it(key: Path) -> None:
    (key.parent / ".key.new").write_bytes(b"hal")

    rewrite_private(key, b"another")

    assert small(key) == b"another"
    assert list(key.parent.iterdir()) == [key]


def test_a_key_that_has_ended_is_overwritten_before_it_goes(key: Path) -> None:
    os.link(key, key.parent / "its-bytes")

    shred(key)
    shred(key)  # it is gone: that is not an error

    assert not key.exists()
    left = (key.parent / "its-bytes").read_bytes()
    assert len(left) == len(b"secret")
    assert left != b"secret"


def test_a_folder_is_its_owners_or_refused(tmp_path: Path) -> None:
    private_folder(tmp_path / "keys")
    private_folder(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700

    (tmp_path / "keys").chmod(0o750)
    assert "chmod 700" in refused(lambda: private_folder(tmp_path / "keys"))
    assert "cannot be made" in refused(lambda: private_folder(tmp_path / "no" / "keys"))


def test_one_process_at_a_time_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from storage.private_files import folder_lock\n"
        "with folder_lock(Path(sys.argv[1])):\n"
        "    print('in', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    root = Path(__file__).parents[2]

    def another() -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with another() as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in\n"
        with another() as second:
            assert second.stdout is not None
            first.kill()
            assert second.stdout.readline() == "in\n"
            second.kill()
    with folder_lock(tmp_path):
        pass
