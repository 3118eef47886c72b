"""The mentor's week, lived over HTTP: a reminder, a need, a yes by word, a plan, an alarm, a week away."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.demo import Demo
from tests.support.people import Person, SecurePage, World
from tests.support.story import DAY, HOUR, MINUTE, is_reminded
from tests.support.traces import nothing_private, traffic_is_valid

STORY = "Canary-story: he was a welder, and his hands remember it."
CONTACT = "Canary-contact 0812345678"
PLAN = "Canary-plan: when he does not sleep, his sister comes."
WISHES = {"area": "pattani-mueang", "urgency": "urgent", "language": "en", "age": "adult"}
# Who works at the partners that help with work, in the demo's network; their own words for the same buttons.
PARTNERS = {"joy": ("Show", "Accept", "Read the story"), "prem": ("ดู", "รับ", "อ่านเรื่อง")}


async def test_a_mentors_week(running: tuple[Demo, World], tmp_path: Path) -> None:
    demo, world = running
    nadia = world.person("nadia")

    # Three taps; what is hard asks what would help, and the tick becomes a request that waits for a yes.
    due = await is_reminded(world, nadia)
    code = (await nadia.sees("time for a check-in"))["text"].partition(":")[0]
    for label in ("In person", "Struggling", "A job"):
        await nadia.presses(label, due)
    await nadia.sees_button("✓ A job")
    await nadia.presses("Save", due)
    await nadia.sees_in(due, "Done. Thank you.")
    await world.passes(MINUTE + 1)
    assert code not in (await nadia.sees_in(due, "Done. Thank you."))["text"]
    await nadia.sees(f"{code}: what you ticked waits for their yes")

    # The mentor reads the exact words out, and the member says yes: a code takes it back.
    words = await nadia.opens("Read it out")
    said = await words.does("preview", **WISHES)
    plan = said["plan"]
    assert plan["consent_text"]
    given = await words.does(
        "yes",
        **WISHES,
        consent_digest=plan["consent_digest"],
        story=STORY,
        contact=CONTACT,
        read_out=True,
        said_yes=True,
    )
    receipt = given["receipt"]
    assert len(receipt.split()) >= 4 or len(receipt) >= 12

    # A partner is asked, sees nothing of who it is, accepts, and reads.
    await world.passes(10)
    partner, matter = await _accepts(world)
    assert matter.view["story"] == STORY
    await matter.does("contacted")

    # A safety plan, written beforehand with the member.
    await world.passes(HOUR)
    await nadia.says("list")
    members = await nadia.opens("See all")
    member = await members.onward(f"member/{_id_of(members, code)}")
    safety = await member.onward(f"safety/{_id_of(members, code)}")
    await safety.does("save", signs=PLAN, people="Canary-plan: his sister")
    assert safety.view["written_at"]

    # Somebody is in danger, and nobody answers, until the ladder's end.
    dao, rin = world.person("dao"), world.person("rin")
    await nadia.says(f"danger {code}")
    await nadia.presses(f"About {code}")
    await nadia.sees("The desk has been told")
    await _hears(dao, rin, f"{code}: ")
    for minutes in (5, 5, 5):
        await world.passes(minutes * MINUTE + 1)
    await nadia.sees("The desk has not answered yet. Please call")
    await dao.says(f"have {code}")
    await nadia.sees("A coordinator has it and will call you")
    await dao.presses("It is handled")
    await nadia.sees("the desk has looked after it")

    # A week away: whoever stands in is asked, and only for that week.
    await nadia.says("list")
    await nadia.presses("Somebody else for a while")
    await nadia.presses("One week")
    await nadia.sees("somebody else is asked")
    krit = world.person("krit")
    await krit.sees(code)
    await world.passes(8 * DAY)
    await nadia.says("list")
    await nadia.sees_button("Somebody else for a while")

    # The receipt's code, brought by anybody, takes the yes back: the partner reads no more.
    friend = await world.newcomer("a-friend")
    await friend.says("/start")
    await friend.presses("English")
    track = await friend.opens("I have a code")
    word = await track.onward("word")
    await word.does("take_back", code=receipt)
    await matter.refused("write", text="still there?")
    assert partner.name in PARTNERS
    await nothing_private(demo, world)
    await traffic_is_valid(world, tmp_path)


async def _accepts(world: World) -> tuple[Person, SecurePage]:
    """Whichever partner was asked takes it and reads."""
    for name, (show, accept, read) in PARTNERS.items():
        person = world.person(name)
        if any("1:offer.show:" in json.dumps(m.get("buttons") or []) for m in await person.chat()):
            await person.presses(show)
            assert STORY not in json.dumps(await person.chat())
            await person.presses(accept)
            return person, await person.reads(read)
    raise AssertionError("no partner was asked")


def _id_of(members: SecurePage, code: str) -> str:
    found = [line for line in members.view["lines"] if line["code"] == code]
    return str(found[0]["id"])


async def _hears(first: Person, second: Person, words: str) -> None:
    """One of the two coordinators is on call, and hears at once."""
    for person in (first, second):
        if any(words in m["text"] for m in await person.chat()):
            return
    await first.sees(words)
