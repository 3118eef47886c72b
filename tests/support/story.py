"""The parts of the family's story that many tests share, told once."""

from __future__ import annotations

from tests.support.people import Person, SecurePage, World

MINUTE, HOUR, DAY = 60, 3600, 86400

STORY = "Canary-story: the bus costs more than we have, and my son waits."
CONTACT = "Canary-contact 0812345678, after six"


async def asks_for_help(family: Person, need: str = "Visits and what they cost") -> SecurePage:
    """From the poster's link to the secure page: six taps for somebody new."""
    await family.opens_link("welcome")
    await family.presses("English")
    await family.presses("All right")
    await family.presses("25 to 59")
    await family.presses("Yes, any time")
    await family.presses(need)
    return await family.opens("Open the page")


async def files(
    page: SecurePage,
    area: str = "pattani-mueang",
    without: tuple[str, ...] = (),
    urgency: str = "normal",
    story: str = STORY,
    contact: str = CONTACT,
) -> dict[str, object]:
    """Choose, read the plan, and say yes; returns the receipt."""
    wishes = {"area": area, "urgency": urgency, "exclude_organizations": list(without), "exclude_kinds": []}
    plan = await page.does("preview", **wishes)
    return await page.does(
        "file", **wishes, consent_digest=plan["consent_digest"], story=story, contact=contact
    )


async def filed_matter(world: World, name: str = "somchai", **wishes: object) -> tuple[Person, str]:
    """A newcomer who has filed; returns them and the referral's code."""
    family = await world.newcomer(name)
    receipt = await files(await asks_for_help(family), **wishes)  # type: ignore[arg-type]
    return family, str(receipt["code"])


async def shows_an_offer(person: Person) -> bool:
    """Whether an offer waits in this worker's chat now: a partner's code tells nothing about whose it is."""
    buttons = [b for m in await person.chat() for row in m.get("buttons") or [] for b in row]
    return any(str(b.get("callback_data", "")).startswith("1:offer.show:") for b in buttons)


async def is_reminded(world: World, mentor: Person) -> int:
    """Days pass until one reminder stands in the mentor's chat; its message.

    The day depends on the case code. Where several fall on one day they come as one message: not that one.
    """
    for _ in range(15):
        await world.passes(DAY)
        due = [m for m in await mentor.chat() if "time for a check-in" in m["text"]]
        if due:
            return int(due[-1]["message_id"])
    raise AssertionError(f"{mentor.name} is reminded of nobody")
