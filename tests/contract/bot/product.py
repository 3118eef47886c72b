"""The product as a test wires it: the real store, texts and bot, and doors small enough to see through."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from pathlib import Path
from typing import Any

from bot import app
from bot.clock import Clock
from bot.settings import Settings, make_settings
from handlers.incoming import Did, Incoming, Toast
from referrals.errors import NotFound, PulangError
from referrals.ports import Tx
from referrals.said import Button, Notice
from referrals.service.people import people
from storage.keys import create_root_key
from storage.schema import migrate
from tests.support.simulator import Telegram


class Echo:
    """Says every text again, once for each update. `boom` fails, `boom:N` fails N times, `no` is refused."""

    def __init__(self) -> None:
        self.tries: Counter[int] = Counter()
        self.order: list[str] = []

    def handle(self, tx: Tx, incoming: Incoming) -> Toast:
        if not tx.first_time(f"update:{incoming.update}"):
            return Toast()
        person = people.meet(tx, incoming.account, incoming.language_hint)
        self.tries[incoming.update] += 1
        words = incoming.text or incoming.data
        if words.startswith("boom") and self.tries[incoming.update] <= int(words[5:] or 1_000_000):
            raise ZeroDivisionError(f"canary: {words}")
        if words == "no":
            raise NotFound
        if incoming.did is Did.PRESS:
            tx.say(Notice(person.id, f"pressed {words}", message_id=incoming.message_id))
            return Toast("error.already_handled", alert=True)
        self.order.append(words)
        buttons = ((Button("Go on", action="on"), Button("A page", page="me")),) if words == "buttons" else ()
        tx.say(Notice(person.id, f"echo {words} {incoming.argument}".strip(), buttons=buttons))
        return Toast()

    def refuse(self, tx: Tx, incoming: Incoming, error: PulangError) -> Toast:
        if not tx.first_time(f"update:{incoming.update}"):
            return Toast()
        person = people.meet(tx, incoming.account, incoming.language_hint)
        tx.say(Notice(person.id, error.code))
        return Toast(error.code)


class Product:
    """Start it, look inside, stop it; its data outlive a stop."""

    def __init__(self, folder: Path, telegram: Telegram, database_url: str = "") -> None:
        self.folder = folder
        self.telegram = telegram
        self.echo = Echo()
        self.url = ""
        self.parts: app.Parts | None = None
        self._running: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        data, self.key = folder / "data", folder / "keys" / "root.key"
        data.mkdir(mode=0o700)
        self.key.parent.mkdir(mode=0o700)
        create_root_key(self.key, data)
        self.database_url = database_url
        migrate(database_url or f"sqlite:///{data / 'pulang.sqlite'}")

    def settings(self, mode: str, port: int, **more: Any) -> Settings:
        return make_settings(
            bot_token=self.telegram.token,
            telegram_api=self.telegram.url,
            telegram_public_key=self.telegram.public_key,
            public_url=f"http://127.0.0.1:{port}",
            data=self.folder / "data",
            root_key_file=self.key,
            mode=mode,
            database_url=self.database_url or None,
            **{"overall_per_s": 500, "per_chat_per_s": 100, **more},
        )

    async def start(self, mode: str = "webhook", **more: Any) -> app.Parts:
        """Run it; returns when Telegram knows it."""
        listen = socket.socket()
        listen.bind(("127.0.0.1", 0))
        settings = self.settings(mode, listen.getsockname()[1], **more)
        self.url = settings.public_url
        ready = asyncio.Event()

        async def look(parts: app.Parts, _: object) -> None:
            self.parts = parts

        self._ended = asyncio.Event()
        doors = app.Doors(self.echo.handle, self.echo.refuse, self.fire, {})
        extras = app.Extras(
            clock=Clock(self.folder / "clock.json"),
            listen=listen,
            prepare=look,
            ready=lambda _: ready.set(),
            ended=self._ended,
        )
        self._running = asyncio.create_task(app.run(settings, doors, extras))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([waiting, self._running], return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            waiting.cancel()
            self._running.result()
        assert self.parts is not None
        return self.parts

    async def stop(self) -> None:
        self._ended.set()
        if self._running is not None:
            running, self._running = self._running, None
            await running

    def fire(self, tx: Tx, timer_id: str, due_at: Any) -> None:
        """Timers of the kind 'boom' always fail; others are taken, and tell their subject's person."""
        timer = tx.take_timer(timer_id, due_at)
        if timer is None:
            return
        if timer.kind == "boom":
            raise ZeroDivisionError("canary")
        tx.say(Notice(timer.subject, f"{timer.kind} is due"))

    async def newcomer(self, name: str) -> int:
        """Somebody who has pressed Start and was answered; returns the account."""
        account = await self.telegram.newcomer(name)
        await self.telegram.until_said(name, lambda said: said == ["echo start"])
        return account

    async def tell(self, account: int, notice: Notice) -> None:
        """Queue a notice to an account as a committed turn would."""
        assert self.parts is not None

        def say(tx: Tx) -> None:
            from dataclasses import replace

            person = people.meet(tx, account)
            tx.say(replace(notice, person_id=person.id))

        await self.parts.store.turn(say)
        self.parts.deliverer.wake()
