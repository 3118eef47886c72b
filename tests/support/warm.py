"""`python -m bot …` without waiting for its imports: a process that has them loaded forks for each command.

The command runs in a process of its own, with its own arguments, environment, folder, input and output, by
the same `main`. Only the start of the interpreter and the libraries is shared.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_one = threading.Lock()
_address: list[Path] = []


def run_bot(
    *words: str, env: Mapping[str, str] | None = None, typed: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """What `python -m bot WORDS` does and says, in the project's folder. TimeoutError after `timeout` s."""
    folder = Path(tempfile.mkdtemp(prefix="pulang-command-"))
    try:
        (folder / "in").write_text(typed, encoding="utf-8")
        asked = {"words": words, "env": dict(os.environ if env is None else env), "folder": str(folder)}
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(str(_server()))
            client.sendall(json.dumps(asked).encode() + b"\n")
            status = int(client.makefile().readline())
        said, errors = ((folder / name).read_text(encoding="utf-8") for name in ("out", "err"))
        return subprocess.CompletedProcess(list(words), status, said, errors)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server() -> Path:
    """Where the warm process listens; started when first asked for, one for each test process."""
    with _one:
        if not _address:
            folder = Path(tempfile.mkdtemp(prefix="pulang-warm-"))
            command = [sys.executable, "-m", "tests.support.warm", str(folder / "socket")]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()  # it listens
            atexit.register(_end, process, folder)
            _address.append(folder / "socket")
        return _address[0]


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _serve(path: str) -> None:
    import bot.__main__
    import bot.app
    import bot.commands

    for module in pkgutil.iter_modules(bot.commands.__path__):
        importlib.import_module(f"bot.commands.{module.name}")
    importlib.import_module("referrals.service.pages")
    importlib.import_module("handlers.router")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # How dear a guess at a passphrase is, is asked in security/test_locked_root_key. Here each is the
    # cheapest that the product opens, or every command with one would take a second.
    from storage.locked_key import LEAST, Cost

    Cost.__new__.__defaults__ = tuple(LEAST)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(client)
            os._exit(0)
        client.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _answer(client: socket.socket) -> None:
    """In a process of its own: one more for the command, and its status for whoever asked."""
    asked = json.loads(client.makefile().readline())
    child = os.fork()
    if child == 0:
        os._exit(_command(asked["words"], asked["env"], Path(asked["folder"])))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    client.sendall(f"{status}\n".encode())


def _command(words: list[str], env: dict[str, str], folder: Path) -> int:
    """As `python -m bot` would: everything that a new process has of its own is set before `main` runs."""
    import bot.__main__

    os.setsid()
    for number, name in enumerate(("in", "out", "err")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(folder / name, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (_text(number) for number in range(3))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    sys.argv = ["bot", *words]
    try:
        status: object = bot.__main__.main()
    except SystemExit as left:
        status = left.code
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
            status = 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(status or 0) if isinstance(status, int | None) else 1


def _text(number: int) -> IO[str]:
    return open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)


if __name__ == "__main__":
    _serve(sys.argv[1])
