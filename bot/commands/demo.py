"""python -m bot demo: the whole product on this machine, a stand-in for Telegram, a made-up network."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.commands.common import tell
from bot.commands.simulator import Simulator
from referrals.errors import ConfigurationError

if TYPE_CHECKING:
    from aiohttp import web

    from bot.app import Parts
    from bot.settings import Settings

PRODUCT_PORT = 8700
SIMULATOR_PORT = 8600
DATA = Path("demo-data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Ports, places, and whether to open a browser."""
    parser.add_argument(
        "--port",
        type=port,
        default=PRODUCT_PORT,
        help=f"the product's port (default {PRODUCT_PORT}); 0 takes a free one",
    )
    parser.add_argument(
        "--simulator-port",
        type=port,
        default=SIMULATOR_PORT,
        help=f"that of the phones (default {SIMULATOR_PORT}); 0 takes a free one",
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help=f"a folder that outlives a restart (default {DATA})"
    )
    parser.add_argument("--ready-file", type=Path, help="written when everything answers")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def port(typed: str) -> int:
    """A port's number; ValueError for none."""
    found = int(typed)
    if not 0 <= found < 2**16:
        raise ValueError(typed)
    return found


def run(args: argparse.Namespace) -> int:
    """Run both until Ctrl-C."""
    data: Path = args.data.resolve()
    if args.ready_file is not None:
        if not args.ready_file.parent.is_dir():
            mend = "make it first, or name a file elsewhere"
            raise ConfigurationError(f"--ready-file {args.ready_file}", "its folder is not there", mend)
        args.ready_file.unlink(missing_ok=True)
    with _one_at_a_time(data), _listening(args.port) as listen:
        url = f"http://127.0.0.1:{listen.getsockname()[1]}"
        people = data / "simulator" / "people.json"
        write_phones(people)
        simulator = Simulator(data / "simulator", args.simulator_port, people, f"{url}/demo/clock")
        try:
            # The simulator starts in another process while our own libraries are loaded here.
            prepared = prepare(data, simulator, url)
            asyncio.run(_run(args, prepared, simulator, listen, data))
        except ConfigurationError as error:
            if error.where == "simulator" or not (data / "DEMO").exists():
                raise
            # What an older version of the product made cannot be mended by whoever only wants to look.
            anew = f"{error.mend}; or begin anew: remove {data} and {data}-key, or name another with --data"
            raise ConfigurationError(error.where, error.what, anew) from None
        finally:
            simulator.end()
            if args.ready_file is not None:
                args.ready_file.unlink(missing_ok=True)
    return 0


async def _run(
    args: argparse.Namespace, settings: Settings, simulator: Simulator, listen: socket.socket, data: Path
) -> None:
    from bot.app import Extras, product_doors
    from bot.app import run as run_product
    from bot.clock import Clock
    from bot.time_machine import TimeMachine, loopback_only

    clock = Clock(data / "clock.json")
    ended = asyncio.Event()

    async def add_powers(parts: Parts, app: web.Application) -> None:
        app.middlewares.append(loopback_only)
        machine = TimeMachine(
            clock, parts.heartbeat, parts.deliverer.drain, _next_due(parts), simulator.advance
        )
        machine.add_to(app)
        await simulator.catch_up(clock)

    def ready(_: str) -> None:
        places = {"product": settings.public_url, "simulator": simulator.url, "data": str(data)}
        if args.ready_file is not None:
            write_at_once(args.ready_file, places)
        tell("Pulang is running on this machine.")
        tell(f"  The phones:  {simulator.url}/")
        tell(f"  The product: {settings.public_url}")
        tell(f"  The data:    {data}")
        tell("Ctrl-C ends both; the next start goes on from here.")
        if not args.no_browser:
            webbrowser.open(f"{simulator.url}/")

    origins = f"{simulator.url} {simulator.url.replace('127.0.0.1', 'localhost')}"
    extras = Extras(
        clock=clock,
        demo=True,
        frame_ancestor=origins,
        listen=listen,
        prepare=add_powers,
        ready=ready,
        ended=ended,
    )
    watching = asyncio.create_task(simulator.watch(ended))
    try:
        await run_product(settings, product_doors(), extras)
    finally:
        watching.cancel()


def _next_due(parts: Parts) -> Any:
    """When something is due next: a timer or a message."""

    async def earliest() -> Any:
        found = [await parts.store.next_timer(), await parts.store.outbox.next_due(parts.clock.now())]
        return min((at for at in found if at is not None), default=None)

    return earliest


def prepare(data: Path, simulator: Simulator, url: str) -> Settings:
    """Folder, key, database and network of the demo: made the first time, kept afterwards."""
    from bot.app import product_doors
    from bot.logs import set_up_logs
    from bot.settings import LogFormat, LogLevel, Mode, make_settings
    from storage.keys import create_root_key

    key_file = data.with_name(f"{data.name}-key") / "root.key"
    key_file.parent.mkdir(mode=0o700, exist_ok=True)
    level = LogLevel(os.environ.get("PULANG_LOG_LEVEL", "warning"))
    set_up_logs(level, LogFormat.CONSOLE)
    fresh = not (data / "pulang.sqlite").exists()
    if fresh and not key_file.exists():
        create_root_key(key_file, data)
    # Loading takes as long as the simulator's own start, so it is done meanwhile.
    for library in ("console.app", "bot.time_machine"):
        importlib.import_module(library)
    product_doors()
    place = simulator.ready()
    settings = make_settings(
        bot_token=place["token"],
        telegram_api=place["url"],
        telegram_public_key=place["public_key"],
        public_url=url,
        data=data,
        root_key_file=key_file,
        mode=Mode.WEBHOOK,
        log_level=level,
        log_format=LogFormat.CONSOLE,
        # The simulator enforces limits when asked to; otherwise a day should pass in a second.
        overall_per_s=1000,
        per_chat_per_s=100,
    )
    _make_network(settings, data)
    return settings


def _make_network(settings: Settings, data: Path) -> None:
    from bot.app import DEMO_MARK, open_store
    from bot.clock import Clock
    from bot.commands.demo_network import people_of, settle_in
    from bot.settings import HOME

    if (data / DEMO_MARK).exists():
        return
    from storage.catalogue_files import read_catalogue, read_network
    from storage.schema import migrate

    migrate(settings.database)
    folder = HOME / "catalogue" / "demo"
    network = read_network(folder / "network.toml", read_catalogue(settings.catalogue))
    store, _ = open_store(settings, Clock(data / "clock.json"), demo=True)
    try:
        store.run(settle_in, network, people_of(folder / "people.toml"))
    finally:
        store.close()
    (data / DEMO_MARK).write_text("This folder holds a demo, for life: `python -m bot run` refuses it.\n")


def write_phones(file: Path) -> None:
    """The demo's people as the simulator reads them."""
    from bot.commands.demo_network import people_of, phones
    from bot.settings import HOME

    folder = HOME / "catalogue" / "demo"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(
        json.dumps(phones(people_of(folder / "people.toml"), folder / "network.toml"), ensure_ascii=False)
    )


def write_at_once(file: Path, content: dict[str, str]) -> None:
    """In one step, so that nobody reads half of it."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(content) + "\n")
    fresh.replace(file)


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """The product's port, taken before anything else starts."""
    with socket.socket() as listen:
        listen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listen.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"--port {port}", f"is not free ({error.strerror})", "use --port 0 for a free one"
            ) from None
        yield listen


@contextlib.contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    """Two demos in one folder would fight over its chats."""
    import fcntl

    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        mend = "name a folder that this user may write"
        raise ConfigurationError(f"--data {data}", f"is no folder ({error.strerror})", mend) from None
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            mend = "end it with Ctrl-C, or name another folder with --data"
            raise ConfigurationError(f"--data {data}", "another demo runs with this folder", mend) from None
        yield
    sys.stdout.flush()
