"""python -m bot run: the product, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio

from bot.commands.common import add_settings, settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--settings."""
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C."""
    settings = settings_of(args)
    from bot.app import product_doors
    from bot.app import run as run_product

    asyncio.run(run_product(settings, product_doors()))
    return 0
