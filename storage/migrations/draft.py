"""Draws the tables' part of the first revision anew: `python -m storage.migrations.draft`.

Until the first release there is one revision; after it, each change of a table is a revision of its own.
Only the block between the two marks is written; triggers and roles below it are written by hand.
"""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from storage.tables import metadata

FIRST = Path(__file__).parent / "versions" / "0001_first.py"
BEGIN, END = "    # drawn from storage/tables.py: begin\n", "    # drawn from storage/tables.py: end\n"


def drawn() -> str:
    """The operations that make every table from nothing."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        operations = produce_migrations(context, metadata).upgrade_ops
        if operations is None:
            raise RuntimeError("nothing was drawn")
        lines = render_python_code(operations).splitlines()
        return "".join(f"{line}\n" for line in lines if "###" not in line)


def redraw(path: Path = FIRST) -> None:
    """Replace the drawn block of the first revision."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + drawn() + END + after)


if __name__ == "__main__":
    redraw()
