"""Steps that stand in a section of a page: pressed with what the section sends along, as its script does."""

from __future__ import annotations

from typing import Any

from tests.support.people import Person, SecurePage


async def again(page: SecurePage) -> SecurePage:
    """The page as it stands now."""
    await page.look()
    return page


async def does(page: SecurePage, step: str, **more: Any) -> dict[str, Any]:
    """A step of one of the page's sections; it must stand there. Returns the page as it is then."""
    found = [part for part in page.view["sections"] if any(one["id"] == step for one in part["steps"])]
    assert found, f"{step} cannot be done here: {page.view['sections']}"
    return await page.does(step, **found[0].get("body", {}), **more)


async def own(person: Person, code: str) -> SecurePage:
    """One of the matters behind 'My things', where what was said in the chat days ago has gone from it."""
    return await _listed(person, "My things", code, ("mine", "queue"))


async def ours(person: Person, code: str) -> SecurePage:
    """One of those behind a worker's 'Our cases', by the partner's own code."""
    return await _listed(person, "Our cases", code, ("sections",))


async def _listed(person: Person, button: str, code: str, where: tuple[str, ...]) -> SecurePage:
    await person.says("/start")
    menu = await person.opens(button)
    rows = [row for name in where for row in menu.view[name]]
    rows = [found for row in rows for found in row.get("matters", [row])]
    (row,) = [row for row in rows if code in (row.get("code"), row.get("member"))]
    return await menu.onward(row.get("page") or f"matter/{row['id']}")
