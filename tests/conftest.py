"""What every test may ask for: a fresh database of either kind, a real browser, and how much is enough.

Nothing is skipped silently: with CI set, a skipped test is a failed one.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.chromium import find_chromium
from tests.support.postgres import PostgresServer, postgres_server

IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}
LONG = os.environ.get("PULANG_LONG", "").lower() not in {"", "0", "false"}

# No deadlines: a slow moment of a shared machine says nothing about the code.
_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("desk", max_examples=50, deadline=None, suppress_health_check=_SLOW_IS_FINE)
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True, print_blob=True)
settings.register_profile(
    "long", settings.get_profile("desk"), max_examples=1000, stateful_step_count=100, print_blob=True
)
settings.load_profile("long" if LONG else "ci" if IN_CI else "desk")


@pytest.fixture(scope="session")
def long_run() -> bool:
    """Whether larger numbers are wanted (`make test-long`)."""
    return LONG


# --- Databases -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for this session (for each xdist worker), started when first asked for."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'pulang.db'}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database without rows; with the mark `unmigrated`, of an empty one."""
    if request.node.get_closest_marker("unmigrated"):
        url = postgres.create_database()
        yield url
        postgres.drop_database(url)
    else:
        url = postgres.take_migrated()
        yield url
        postgres.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without rows (on SQLite, of no file yet): the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`pytestmark = pytest.mark.on_both("test_a", …)`: of this file these run on both kinds of database, and
    the rest on PostgreSQL only in the long run. For files whose many stories differ in rules, not in rows."""
    found = {item: item.get_closest_marker("on_both") for item in items if isinstance(item, pytest.Function)}
    for item, marker in found.items():
        unknown = [name for name in marker.args if not hasattr(item.module, name)] if marker else []
        if unknown:
            raise pytest.UsageError(f"{item.fspath}: on_both names what is not there: {', '.join(unknown)}")
    left = [] if LONG else [item for item, marker in found.items() if marker and _spared(item, marker.args)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def _spared(item: pytest.Function, on_both: tuple[str, ...]) -> bool:
    kind = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
    return kind == "postgresql" and item.originalname not in on_both


# --- A browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real Chromium. Start it with tests.support.chromium.launch_options()."""
    return find_chromium()


# --- Nothing is skipped in CI --------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and in CI nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and in CI nothing may be: {report.longrepr}"
    return report
