"""The folder of checkpoints: the notes of each day are laid there, for a copier that carries them out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from referrals.errors import ConfigurationError, StoreError
from referrals.model import Checkpoint
from referrals.ports import Turns, Tx
from referrals.service.stewards import witnessing
from storage.note_files import write_note

EVERY_S = 60.0
_AT_ONCE = 50  # of what is missing, in one look

log = structlog.get_logger("bot.checkpoints")


class CheckpointFolder:
    """Lays out whatever is missing, again and again: a full disk or a lost mount is made up for later."""

    def __init__(self, store: Turns, folder: Path | None) -> None:
        self._store, self._folder = store, folder
        self._laid = 0  # every note up to this number lies there, as far as this process knows
        if folder is not None and not folder.is_dir():
            raise ConfigurationError(
                "PULANG_CHECKPOINTS", f"{folder} is not a folder", "make it, or leave it out"
            )

    async def run(self) -> None:
        """Look every minute, as long as the product runs."""
        while self._folder is not None:
            try:
                await self.lay_out()
            except (OSError, StoreError) as error:
                log.warning("checkpoints_not_written", kind=type(error).__name__)
            await asyncio.sleep(EVERY_S)
        await asyncio.Event().wait()

    async def lay_out(self) -> int:
        """Write what is missing; how many notes that were. OSError, StoreError."""
        written = 0
        while self._folder is not None:
            notes = await self._store.turn(_after, self._laid)
            if not notes:
                break
            for note in notes:
                new = await asyncio.to_thread(write_note, self._folder, int(note.id), note.note)
                written += new is not None
                self._laid = int(note.id)
        return written


def _after(tx: Tx, number: int) -> list[Checkpoint]:
    """A turn: the next notes after one."""
    wanted = [witnessing.name_of(n) for n in range(number + 1, number + 1 + _AT_ONCE)]
    return tx.find(Checkpoint, id=wanted)
