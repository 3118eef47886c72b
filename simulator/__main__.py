"""python -m simulator: a stand-in for Telegram on loopback, for demos, training and tests."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from simulator.app import WORLD, Options, build
from simulator.journal import encode
from simulator.markup import is_loopback


def read_options(arguments: list[str]) -> Options:
    """The command line; ends with a message when something in it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", help="the bot's token, NUMBER:SECRET; one is made up if none is given")
    parser.add_argument(
        "--people", type=Path, help='JSON list of {"name", "telegram_id", "role", "language"}'
    )
    parser.add_argument("--state", type=Path, help="a folder that outlives a restart")
    parser.add_argument("--ready-file", type=Path, help="written when the simulator listens")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    parser.add_argument("--clock-url", help='the page moves the clock by POST {"advance_s"} there')
    parser.add_argument("--traffic-limit", type=int, default=200_000, help="calls kept for GET /sim/traffic")
    options = Options(**vars(parser.parse_args(arguments)))
    if not is_loopback(options.host):
        parser.error("--host: the simulator binds to loopback only")
    if options.token and not options.token.partition(":")[0].isdecimal():
        parser.error("--token: a token is NUMBER:SECRET")
    if options.clock_url and not is_loopback(urlsplit(options.clock_url).hostname):
        parser.error("--clock-url: must be on loopback")
    return options


def write_ready(path: Path, ready: dict[str, object]) -> None:
    """In one step, so that nobody reads half of it; it holds the token, so nobody else may read it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(encode(ready))
    fresh.replace(path)


def watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Whoever started us holds the other end of standard input: when it dies, so do we."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True, name="stdin").start()


async def run(options: Options) -> None:
    """Serve until told to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.watch_stdin:
        watch_stdin(loop, ended)
    app = build(options)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
        address = runner.addresses[0]
        identity = app[WORLD].identity
        ready: dict[str, object] = {
            "url": f"http://{options.host}:{address[1]}",
            "token": identity.token,
            "bot_id": identity.bot_id,
            "username": identity.username,
            "public_key": identity.public_key,
        }
        if options.ready_file:
            write_ready(options.ready_file, ready)
        sys.stdout.write(f"The phones are at {ready['url']}/\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """The command."""
    try:
        asyncio.run(run(read_options(sys.argv[1:])))
    except (ValueError, OSError) as error:
        sys.exit(f"simulator: {error}")


if __name__ == "__main__":
    main()
