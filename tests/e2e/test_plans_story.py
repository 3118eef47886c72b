"""Plans of several parts, lived over HTTP: somebody comes home, and a programme is held inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.demo import Demo, a_demo
from tests.support.pages import again, does
from tests.support.people import Person, SecurePage, World
from tests.support.story import DAY, MINUTE
from tests.support.traces import nothing_private, traffic_is_valid
from tests.support.workers import Worker, asked

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORY = "Canary-story: my brother comes home, and there is one bed for four of us."
CONTACT = "Canary-contact 0812345678, in the morning"
PLACE = "Canary-place: the small gate, beside the tea stall"
PAPERS, ROOF, CARE = "category.member.documents", "category.member.housing", "category.member.health"
LETTING_GO, TAKING_OVER = "category.release.letting_go", "category.release.taking_over"
WORK = "category.work.job"
MOVED = {"en": "a date has moved. Please look.", "th": "มีวันที่เปลี่ยน โปรดดู"}
MOVED_STILL = {"en": "a date has moved. Does what you did", "th": "มีวันที่เปลี่ยน สิ่งที่คุณทำไว้"}
# No chat says who helps, where, or what it is about.
NEVER_SAID = ("Border Corrections", "Bua House", "ราชทัณฑ์", "Pattani", "ปัตตานี", "release", "prison", "custody")
HERE = {"area": "pattani-mueang", "urgency": "urgent"}
YES = "Yes, somebody helped"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Demo, World]]:
    """One demo for both: the second one finds the traces of the first."""
    async with a_demo(tmp_path_factory.mktemp("plans")) as found:
        yield found


async def test_somebody_comes_home(running: tuple[Demo, World], tmp_path: Path) -> None:
    demo, world = running
    somchai = await world.newcomer("somchai")
    await somchai.opens_link("bridge")
    for label in ("English", "All right", "25 to 59", "Yes, any time"):
        await somchai.presses(label)
    page = await somchai.opens("Open the page")
    wishes = {**HERE, "exclude_organizations": ["tamarind-works"], "exclude_kinds": []}
    plan = await page.does("preview", **wishes)
    assert {line["organization"] for line in plan["plan"]} >= {"Border Corrections", "Bua House"}
    filed = await page.does(
        "file", **wishes, consent_digest=plan["consent_digest"], story=STORY, contact=CONTACT
    )
    assert "Border Corrections" in filed["consent_text"]
    assert "Tamarind Works" not in filed["consent_text"]
    code = filed["code"]
    await world.passes(10)
    begun = await somchai.sees(f"{code}: it has begun")
    mine = await somchai.reads("Open", begun["message_id"])
    day = await _today(world) + timedelta(days=24)
    await mine.does("plan_day", day=day.isoformat())
    await mine.does("plan_place", text=PLACE)

    held = await _all_take_it(world, hidden=(STORY, PLACE, code, _in_words(day)))
    assert set(held) == {PAPERS, ROOF, LETTING_GO, TAKING_OVER, CARE, WORK}
    await world.passes(1)
    letting_go, taking_over = held[LETTING_GO][1], held[TAKING_OVER][1]
    assert letting_go.view["story"] is None, "whoever lets go is told the day, and nobody's story"
    assert PLACE in str(letting_go.view["sections"])
    assert taking_over.view["story"] == STORY
    assert PLACE not in str(held[WORK][1].view)
    promised = [m["text"] for m in await somchai.chat() if "will be in touch" in m["text"]]
    assert len(promised) == len(held) - 1, "nobody is promised that the side that lets go calls"
    for _, matter in held.values():
        await matter.does("contacted")
    await taking_over.does("write", text="Canary-thread: a room is there from the evening before.")

    # Papers are there, and home is ready; then the day moves, and whoever had done theirs is asked again.
    await held[PAPERS][1].does("report", outcome="met")
    await _confirms(somchai)
    await does(await again(mine), "task_done")
    await world.passes(1)
    moved = day + timedelta(days=3)
    await letting_go.does("plan_day", day=moved.isoformat())
    await somchai.sees(f"{code}: a date has moved. Does what you did still stand?")
    await does(await again(mine), "task_still")
    assert _in_words(moved) in str(mine.view)
    papers, worker = held[PAPERS][1], held[PAPERS][0]
    await worker.person.sees(MOVED_STILL[worker.language])
    await does(await again(papers), "task_still")
    for part in (ROOF, TAKING_OVER, CARE, WORK):
        await held[part][0].person.sees(MOVED[held[part][0].language])

    # The two sides speak with each other; each does its part and says so.
    for matter in (letting_go, taking_over):
        await does(await again(matter), "task_spoken")
    for part in (ROOF, LETTING_GO, TAKING_OVER, CARE, WORK):
        await held[part][1].does("report", outcome="met")
    await _confirms(somchai)

    # Six codes stand in the chat: the plan's page says which is which, and leads to each.
    (rows,) = [part["matters"] for part in (await mine.look())["sections"] if part.get("matters")]
    assert {row["category_key"] for row in rows} == set(held)
    (work,) = [row for row in rows if row["category_key"] == WORK]
    help_with_work = await mine.onward(f"matter/{work['id']}")
    assert "ask." not in str(help_with_work.view["sections"]), "how it was is asked of the whole"

    # The day has come. Nobody of a programme walks beside him, so the desk sees that somebody is there.
    await world.passes(27 * DAY)
    asked_how = await somchai.sees(f"{code}: did it go as planned?")
    await somchai.presses("Yes", asked_how["message_id"])
    await somchai.sees(f"{code}: thank you. Good to hear.")
    dao = world.person("dao")
    await dao.says(f"/matter {code}")
    desk = await dao.opens("Look")
    assert PLACE not in str(desk.view)
    assert _in_words(moved) not in str(desk.view)
    for _ in ("somebody is there", "what was kept is written down"):
        await does(desk, "task_done")
        await world.passes(1)
        await desk.look()
    await _confirms(somchai)
    ended = await somchai.sees(f"{code}: thank you for telling us. This is closed now")
    whole = await somchai.reads("Open", ended["message_id"])
    assert whole.view["stage_key"] == "stage.closed"
    assert "part.tasks.done" in str(whole.view)
    for _ in ("were promises kept", "was it in time"):
        await does(whole, "afterwards", reason="yes")
    await nothing_private(demo, world, NEVER_SAID)
    await traffic_is_valid(world, tmp_path)


async def test_a_programme_is_held_inside(running: tuple[Demo, World], tmp_path: Path) -> None:
    demo, world = running
    somsak, nadia = world.person("somsak"), world.person("nadia")

    # Staff propose it by a case code, and learn nothing of whether there is one; only a mentor hears the yes.
    await somsak.says("/start")
    proposing = await somsak.opens("เสนอแผน")
    proposed = await proposing.does("propose", pathway="custody-programme", code="K7-29")
    nobody = await proposing.does("propose", pathway="custody-programme", code="Z9-99")
    assert proposed == nobody
    await world.passes(MINUTE + 1)
    await nadia.sees("K7-29: something was proposed for them")
    words = await nadia.opens("Read it out")
    wishes = {**HERE, "language": "en", "age": "adult"}
    plan = (await words.does("preview", **wishes))["plan"]
    by_part = _by_part(plan["plan"])
    assert by_part["task.clearance"] == {"Border Corrections"}
    assert "Open Door Pattani" not in by_part["task.delivery"], "vetted too long ago"
    assert by_part["task.evaluation"], "somebody looks at how it went"
    assert not by_part["task.delivery"] & by_part["task.evaluation"]
    given = await words.does(
        "yes",
        **wishes,
        consent_digest=plan["consent_digest"],
        story=STORY,
        contact=CONTACT,
        read_out=True,
        said_yes=True,
    )
    assert len(given["receipt"]) >= 16

    # Let in first: by whoever asked for it, who reads no story. Then held; then looked at by somebody else.
    who: dict[str, str] = {}
    for need, reads in (("clearance", None), ("delivery", STORY), ("evaluation", STORY)):
        await world.passes(10)
        held = await _all_take_it(world, hidden=(STORY, "K7-29"))
        ((category, (worker, matter)),) = held.items()
        assert category == f"category.custody.{need}"
        assert matter.view["story"] == reads
        who[need] = matter.view["organization"]
        await (somsak.presses("เริ่มแล้ว") if need == "clearance" else matter.does("contacted"))
        await world.passes(1)
        await matter.does("report", outcome="met")
        assert (worker.person is somsak) == (need == "clearance")
    assert len(set(who.values())) == 3
    await world.passes(10)
    await _confirms(nadia)
    await world.passes(10)
    await _confirms(nadia)
    await nothing_private(demo, world, NEVER_SAID)
    await traffic_is_valid(world, tmp_path)


async def _all_take_it(world: World, hidden: tuple[str, ...]) -> dict[str, tuple[Worker, SecurePage]]:
    """Whoever is asked looks at a blind offer and takes it; by need, who has it and their page."""
    held: dict[str, tuple[Worker, SecurePage]] = {}
    for worker, message in await asked(world):
        text, blind = await worker.looks(message)
        assert not [words for words in hidden if words in f"{text} {blind.view}"]
        matter = await worker.takes(message)
        held[matter.view["category_key"]] = (worker, matter)
    return held


async def _confirms(person: Person) -> None:
    """Every 'did somebody help you?' is answered with yes, once all of them are there."""
    await person.world.passes(1)
    await person.sees_button(YES)
    asked = [
        message["message_id"]
        for message in await person.chat()
        if any(button["text"] == YES for row in message.get("buttons") or [] for button in row)
    ]
    for message in asked:
        await person.presses(YES, message)
        await person.sees_in(message, "This is closed now")


def _by_part(lines: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        found.setdefault(line["task_key"], set()).add(line["organization"])
    return found


async def _today(world: World) -> date:
    clock = await world.call("GET", "/sim/clock")
    return datetime.fromtimestamp(clock["now"], UTC).date()


def _in_words(day: date) -> str:
    """As an English page writes it."""
    return f"{day.day} {day:%B %Y}"
