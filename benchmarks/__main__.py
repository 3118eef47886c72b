"""`python -m benchmarks [NAME …] [--quick]`: all, or what is named, as one table. Nothing passes or fails."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness import Row, print_table, progress

# Each is a module of this package with `measure(quick) -> rows`.
NAMES = ("press", "filing", "alert", "sends", "storm", "memory", "plan", "timers", "due", "start")


def machine() -> str:
    """What this was measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    python, day = platform.python_version(), datetime.now(UTC).date()
    return (
        f"{day}, {os.cpu_count()} cores ({model}), {platform.system()}, Python {python}, load before: {load}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smaller numbers and fewer rounds: a first look")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(NAMES))
    if unknown:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    told, rows = machine(), list[Row]()
    try:
        for name in args.names or NAMES:
            progress(f"{name} …")
            rows += importlib.import_module(f"benchmarks.{name}").measure(args.quick)
    finally:  # what was measured before something broke is worth minutes
        print(f"{told}{', quick' if args.quick else ''}\n")
        print_table(rows)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    main()
