"""python -m bot audit …: is the audit whole, who did what, and notes that others keep. See docs/audit.md."""

from __future__ import annotations

import argparse
import asyncio
import difflib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.commands.common import add_settings, named_actor, opened, settings_of, steward, tell
from referrals.errors import ConfigurationError
from referrals.model import AuditEntry, Role
from referrals.persons import Person
from referrals.ports import Tx

if TYPE_CHECKING:
    from storage.audit import Asked, Finding, Written
    from storage.checkpoints import Body
    from storage.notes import Note, Verifier

_MEANS = {
    "changed": "row {row} of lane {lane} was changed, or a row before it: trust nothing from there on",
    "missing": "row {row} of lane {lane} is missing: somebody took it out",
    "cut": "lane {lane} does not end where its head says (row {row}): its last rows were cut off or added",
    "stray lane": "lane {lane} has rows and no head: they were not written by this program",
    "differs": "row {row} of lane {lane} is not the one that checkpoint {note} was signed over: the audit "
    "was written anew after that day",
    "shorter": "lane {lane} ends before row {row}, which checkpoint {note} was signed over: rows were "
    "removed, or an older copy of the database was restored",
    "no such lane": "lane {lane} is gone; checkpoint {note} was signed over its row {row}",
    "future": "checkpoint {note} was made later than this machine's clock says it is now: set the clock (or "
    "find out why it was wrong that day); nothing else follows from this",
    "bad note": "the stored checkpoint {note} is not what was signed: compare it with a witness's copy",
    "note missing": "checkpoint {note} is missing among the stored ones: ask the witnesses for their copy",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """verify, show, checkpoint, key, cosign, witness-key."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify = verbs.add_parser("verify", help="read every row and compare with what was signed")
    verify.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a note that a witness kept",
    )
    verify.add_argument(
        "--witness", action="append", default=[], metavar="KEY", help="a witness's public key line"
    )
    show = verbs.add_parser("show", help="rows of the audit: who did what, in codes")
    show.add_argument("--by", required=True, metavar="STEWARD", help="the seat of the steward who looks")
    show.add_argument("--subject", default="", metavar="TABLE:ID", help="e.g. referral:…")
    show.add_argument("--person", default="", metavar="ID", help="what this person did")
    show.add_argument("--action", default="", metavar="ACTION", help="e.g. sealed:read")
    show.add_argument("--since", default="", metavar="DAY", help="e.g. 2026-11-24, in the steward's own zone")
    show.add_argument("--limit", type=int, default=100, metavar="N", help="the newest N (default 100)")
    make = verbs.add_parser("checkpoint", help="sign where the audit stands now")
    make.add_argument("--by", metavar="STEWARD", help="the seat of the steward who does this")
    key = verbs.add_parser("key", help="the public key line that witnesses check notes with")
    for sub in (verify, show, make, key):
        add_settings(sub)
    cosign = verbs.add_parser("cosign", help="for a witness, without settings: countersign a note")
    cosign.add_argument("note", type=Path, metavar="NOTE")
    cosign.add_argument("--key", type=Path, required=True, metavar="FILE", help="from 'witness-key'")
    cosign.add_argument("--network", required=True, metavar="KEY", help="the network's public key line")
    cosign.add_argument("--earlier", type=Path, metavar="NOTE", help="the last note you have countersigned")
    new = verbs.add_parser("witness-key", help="for a witness, without settings: make a key")
    new.add_argument("name", metavar="NAME", help="e.g. open-door.example/audit")
    new.add_argument("--key", type=Path, required=True, metavar="FILE", help="where to keep it")


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 all is well, 1 something is wrong with the audit, 2 something with what was typed."""
    verbs = {"verify": _verify, "show": _show, "checkpoint": _checkpoint, "key": _key, "cosign": _cosign}
    return verbs.get(args.verb, _witness_key)(args)


def _verify(args: argparse.Namespace) -> int:
    from storage.note_files import read_checkpoint, read_key_line

    witnesses = [read_key_line(line) for line in args.witness]
    with opened(settings_of(args)) as store:
        given = [(path, *read_checkpoint(path, store.checkpoint_key)) for path in args.checkpoint]
        findings = asyncio.run(store.verify_audit([body for _, _, body in given]))
    for path, note, body in given:
        tell(_about(path, note, body, witnesses))
    for finding in findings:
        tell(explain(finding))
    broken = [finding for finding in findings if finding.what != "future"]
    if broken:
        tell(
            f"Findings: {len(broken)}. Change nothing, make a copy of the data, and tell the other stewards."
        )
    else:
        tell("The audit is whole. No row was changed, taken out or put in between.")
    return 1 if findings else 0


def explain(finding: Finding) -> str:
    """A finding in plain words."""
    return _MEANS[finding.what].format(lane=finding.lane, row=finding.sequence, note=finding.checkpoint)


def _about(path: Path, note: Note, body: Body, witnesses: list[Verifier]) -> str:
    """A note that was given, and who has countersigned it."""
    from storage.note_files import wrong
    from storage.notes import BadNote, verify

    said = []
    for witness in witnesses:
        try:
            at = verify(note, witness)
        except BadNote as error:
            if error.what == "forged":
                raise wrong(str(path), error.what) from None
            continue
        when = "" if at is None else f" at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
        said.append(f"countersigned by {witness.name}{when}")
    unchecked = len(note.lines) - 1 - len(said)
    if unchecked:
        said.append(f"{unchecked} more signatures whose keys were not given (--witness)")
    return f"{path}: checkpoint {body.number} of {body.at:%Y-%m-%d %H:%M} UTC, {body.rows} rows; " + (
        "; ".join(said) or "no countersignature"
    )


def _show(args: argparse.Namespace) -> int:
    from storage.audit import Asked

    with opened(settings_of(args)) as store:
        zone = store.run(_zone_of, args.by)
        since = _day(args.since, zone) if args.since else None
        _known(args.action)
        asked = Asked(args.subject, args.person, args.action, since, max(1, min(args.limit, 10_000)))
        store.run(_looked, args.by, asked)  # committed before anything is shown
        for line in table(asyncio.run(store.show_audit(asked)), zone):
            tell(line)
    return 0


def _zone_of(tx: Tx, by: str) -> ZoneInfo:
    person = tx.get(Person, named_actor(tx, by, Role.STEWARD).person_id)
    assert person is not None  # named_actor has looked
    return ZoneInfo(person.timezone)


def _looked(tx: Tx, by: str, asked: Asked) -> None:
    """A turn: the row that says who looked at what."""
    from referrals.access import Action, allow

    actor = named_actor(tx, by, Role.STEWARD)
    allow(actor, Action.AUDIT_READ)
    about = asked.subject or (f"person:{asked.person_id}" if asked.person_id else "audit:all")
    tx.audit(AuditEntry(actor, Action.AUDIT_READ, about, asked.action or "show"))


def _known(action: str) -> None:
    """A misspelt action would find nothing, and be read as 'nobody did that'."""
    from referrals.access import Action

    if action and action not in list(Action):
        near = difflib.get_close_matches(action, list(Action), n=1)
        mend = f"did you mean {near[0]}?" if near else "leave it out, and see which there are"
        raise ConfigurationError(f"--action {action}", "is no action of the audit", mend)


def _day(text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--since", f"{text!r} is no day", "write it as 2026-11-24") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def table(rows: list[Written], zone: ZoneInfo) -> list[str]:
    """Rows as aligned lines under a heading, times in a zone."""
    lines = [("when", "role", "person", "organisation", "action", "subject", "detail", "row")]
    lines += [
        (
            f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            row.role,
            row.person_id,
            row.organization_id or "-",
            row.action,
            row.subject,
            row.detail or "-",
            f"{row.lane}/{row.sequence}",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _checkpoint(args: argparse.Namespace) -> int:
    from referrals.service.stewards import witnessing
    from storage.note_files import write_note

    settings = settings_of(args)
    with opened(settings) as store:
        made = store.run(lambda tx: witnessing.make(tx, steward(tx, args.by)))
    tell(made.note)
    tell(f"The four words: {witnessing.mark_of(made.note)}")
    if settings.checkpoints is not None:
        try:
            tell(f"Written to {write_note(settings.checkpoints, int(made.id), made.note)}")
        except OSError as error:
            mend = "the running product will try again; see the folder's rights and free space"
            raise ConfigurationError(
                "PULANG_CHECKPOINTS", f"cannot be written ({error.strerror})", mend
            ) from None
    return 0


def _key(args: argparse.Namespace) -> int:
    with opened(settings_of(args)) as store:
        tell(str(store.checkpoint_key))
    return 0


def _cosign(args: argparse.Namespace) -> int:
    """Prints the line to add to the note. Nothing is signed that contradicts an earlier note."""
    from storage.checkpoints import follows
    from storage.note_files import read_checkpoint, read_key_line, read_witness_key

    network = read_key_line(args.network)
    note, body = read_checkpoint(args.note, network)
    if args.earlier is not None and not follows(read_checkpoint(args.earlier, network)[1], body):
        tell(
            f"{args.note} contradicts {args.earlier}: it was NOT signed. Keep both, and call another witness."
        )
        return 1
    signer = read_witness_key(args.key)
    tell(str(signer.cosign(note, int(datetime.now(UTC).timestamp()))).rstrip("\n"))
    return 0


def _witness_key(args: argparse.Namespace) -> int:
    from storage.note_files import write_witness_key
    from storage.notes import COSIGNATURE

    signer = write_witness_key(args.key, args.name)
    tell("Keep the file to yourself. Give this line to the network's stewards:")
    tell(str(signer.verifier(COSIGNATURE)))
    return 0
