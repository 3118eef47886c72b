"""python -m bot audit verify: is the audit whole, and in its order?"""

from __future__ import annotations

import argparse
import asyncio

from bot.commands.common import add_settings, opened, settings_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """verify, --settings."""
    parser.add_argument("verb", choices=("verify",))
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 1 when something is wrong."""
    settings = settings_of(args)
    with opened(settings) as store:
        findings = asyncio.run(store.verify_audit())
    for finding in findings:
        tell(str(finding))
    tell(
        "The audit is whole." if not findings else f"{len(findings)} findings: the audit was changed or cut."
    )
    return 1 if findings else 0
