"""One table of role x action, and nothing beside it: each verb, press, timer, route and command has its row.

What cannot be found here cannot be reached; an action that nothing uses is a right that nobody reviews.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

import bot.__main__ as command_line
from console.app import _routes
from console.guards import GUARDS, Guard
from handlers import router
from referrals.access import ALLOWED, Action
from referrals.model import Role
from referrals.service.pages import PAGES
from referrals.service.pages.device_steps import DEVICE_STEPS
from referrals.service.timers import TIMERS

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("bot", "console", "handlers", "referrals", "storage")


def reached_by_people() -> Iterator[tuple[str, Action]]:
    """Everything that somebody can press, type or open, by name."""
    for name, page in PAGES.items():
        yield f"page {name}", page.view.action
        yield from ((f"page {name}/{step}", verb.action) for step, verb in page.steps.items())
    yield from ((f"device {step}", verb.action) for step, verb in DEVICE_STEPS.items())
    for what, routes in (("command", router.COMMANDS), ("press", router.PRESSES)):
        yield from ((f"{what} {name}", route.action) for name, route in routes.items())
    for name in ("UNKNOWN", "QUIET", "UNASKED_TEXT", "UNASKED_THING"):
        yield f"chat {name}", getattr(router, name).action


def test_every_action_has_its_roles_and_every_row_its_action() -> None:
    assert set(ALLOWED) == set(Action)
    assert not [action for action, roles in ALLOWED.items() if not roles], "an action that nobody may do"
    assert all(isinstance(role, Role) for roles in ALLOWED.values() for role in roles)


@pytest.mark.parametrize(("name", "action"), list(reached_by_people()))
def test_whatever_a_person_reaches_is_a_persons(name: str, action: Action) -> None:
    assert ALLOWED[action] - {Role.SYSTEM}, f"{name} can be reached and nobody may do it"


@pytest.mark.parametrize("kind", TIMERS)
def test_whatever_time_does_is_the_systems(kind: str) -> None:
    assert Role.SYSTEM in ALLOWED[TIMERS[kind].action]


def test_what_is_the_systems_alone_is_reached_by_nobody() -> None:
    alone = {action for action, roles in ALLOWED.items() if roles == {Role.SYSTEM}}
    assert not {action for _, action in reached_by_people()} & alone


def test_every_route_of_the_secure_pages_has_a_guard() -> None:
    app = web.Application()
    app.add_routes(_routes())
    found = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert found == set(GUARDS)


def test_no_other_part_of_the_product_registers_a_route() -> None:
    """Whatever answers HTTP beside the pages, and why it needs no action."""
    known = {
        "bot/health.py": "alive or not, and nothing else",
        "bot/webhook.py": "Telegram's updates: a secret in the header; the router's tables follow",
        "bot/time_machine.py": "a demo's clock; only `bot demo` registers it",
        "console/app.py": "GUARDS",
    }
    registering = {
        str(path.relative_to(ROOT))
        for package in PRODUCT
        for path in (ROOT / package).rglob("*.py")
        if _registers(ast.parse(path.read_text()))
    }
    assert registering == set(known)


def test_open_routes_show_the_same_to_everybody() -> None:
    assert {path for (_, path), guard in GUARDS.items() if guard is Guard.OPEN} == {
        "/static/{version}/{name}",
        "/{page}",
        "/{page}/{subject}",
    }


def test_every_command_names_what_it_needs_or_why_nothing() -> None:
    modules = {path.stem for path in (ROOT / "bot/commands").glob("*.py") if "\ndef run(" in path.read_text()}
    assert modules == set(command_line.COMMANDS)
    for name, command in command_line.COMMANDS.items():
        assert bool(command.needs) is not bool(command.why), name


@pytest.mark.parametrize("name", [n for n, c in command_line.COMMANDS.items() if c.needs])
def test_a_command_that_needs_an_action_asks_for_a_named_actor(name: str) -> None:
    module = importlib.import_module(f"bot.commands.{name}")
    source = Path(str(module.__file__)).read_text()
    assert '"--by"' in source
    assert "steward(" in source or "named_actor(" in source or "named_one_of(" in source


# Written down before what asks for them is built; whoever builds it takes its line out.
NOT_YET: set[str] = set()


def test_every_action_is_asked_for_somewhere() -> None:
    used: set[str] = set()
    for package in PRODUCT:
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "access.py":
                used |= _actions_in(ast.parse(path.read_text()))
    assert {action.name for action in Action} - used == NOT_YET, (
        "an action that nothing uses, or one that is now"
    )


def _actions_in(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Action"
    }


def _registers(tree: ast.AST) -> bool:
    """Whether a file adds a route to an aiohttp application."""
    names = {"add_get", "add_post", "add_put", "add_delete", "add_route", "add_routes", "add_view"}
    return any(isinstance(node, ast.Attribute) and node.attr in names for node in ast.walk(tree))
