"""A program that backs up, or restores, until it is killed.

`python -m tests.support.killed_backup backup URL FOLDER` prints the path of each backup that it made;
`… unnamed URL FOLDER` prints 'ready' when a whole one is written, and waits before it gets its name;
`python -m tests.support.killed_backup restore FILE URL FOLDER` prints 'ready', and 'done' at its end;
`… wait FILE URL FOLDER` the same, but it prints 'ready' with every row in place and waits before the commit.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from referrals.ports import Tx
from storage import backup_file
from tests.support.backups import Place
from tests.support.store import SettableClock


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # one write, so that a kill leaves no half a line unread


def back_up(url: str, folder: Path) -> None:
    place = Place(folder, SettableClock())
    say("ready")
    while True:
        place.clock.now += timedelta(seconds=1)
        out = place.folder / "backups" / f"{place.clock.now:%Y%m%d-%H%M%S}.backup"
        if not out.exists():  # one that was made by a program that was killed
            say(str(place.backup(url).path))


def wait_before_the_name(url: str, folder: Path) -> None:
    def wait(part: Path, out: Path) -> None:
        say("ready")
        signal.pause()

    backup_file._give_name = wait  # this process ends by a kill
    Place(folder, SettableClock()).backup(url)


def put_back(path: Path, url: str, folder: Path) -> None:
    place = Place(folder, SettableClock())
    say("ready")
    place.restore(path, url)
    say("done")


def wait_in_the_middle(path: Path, url: str, folder: Path) -> None:
    def after(_: Tx) -> None:
        say("ready")
        signal.pause()

    Place(folder, SettableClock()).restore(path, url, after=after)


if __name__ == "__main__":
    if sys.argv[1] == "backup":
        back_up(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1] == "unnamed":
        wait_before_the_name(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1] == "wait":
        wait_in_the_middle(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        put_back(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
