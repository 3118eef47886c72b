"""What nobody planned: each gets a kind answer that says what to do next, and nothing changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.people import World
from tests.support.story import asks_for_help, files

RIGHT_TO_LEFT = "\u200f\u0645\u0631\u062d\u0628\u0627 \u0643\u064a\u0641"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def speaks_english(world: World, name: str) -> Any:
    someone = await world.newcomer(name)
    await someone.says("/start")
    await someone.presses("English")
    await someone.sees("What would you like to do?")
    return someone


async def test_an_unknown_command_shows_what_is_possible(world: World) -> None:
    someone = await speaks_english(world, "unknown")
    await someone.says("/givememoney")
    await someone.sees("I do not know that one")
    await someone.sees_button("Ask for help")


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice", "document", "location", "forward"])
async def test_things_are_taken_out_of_the_chat(world: World, kind: str) -> None:
    someone = await speaks_english(world, f"sends-{kind}")
    more = {"text": "Canary-forward"} if kind == "forward" else {}
    await someone.sends(kind, **more)
    await someone.sees("I took that out of this chat")
    left = [m for m in await someone.chat() if m["from"] == "person" and not m["text"].startswith("/")]
    assert not left


async def test_free_text_is_taken_out_sealed_and_thrown_away(world: World) -> None:
    someone = await speaks_english(world, "talker")
    for text in ("Canary-text my brother", RIGHT_TO_LEFT, "😀" * 1000, "x" * 4096):
        await someone.says(text)
        asked = await someone.sees_button("Throw it away")
        await someone.presses("Throw it away")
        await someone.sees_in(asked["message_id"], "Thrown away")
        await someone.sees_no_more(text[:40])
    assert "Canary-text" not in json.dumps(await world.traffic())


async def test_kept_text_becomes_part_of_the_request(world: World) -> None:
    someone = await world.newcomer("keeper")
    await files(await asks_for_help(someone))
    await someone.says("One thing more: please call in the evening.")
    await someone.presses("Keep it")
    await someone.sees("Kept with your request")
    mine = await someone.reads("Open")
    assert "One thing more" in mine.view["story"]


async def test_an_edited_message_is_taken_out(world: World) -> None:
    someone = await speaks_english(world, "editor")
    await someone.says("first words")
    await someone.sends("edit", text="Canary-edited words")
    await someone.sees("I took that out of this chat")


async def test_a_shared_contact_is_taken_out(world: World) -> None:
    someone = await speaks_english(world, "sharer")
    await world.call("POST", f"/sim/people/{someone.name}/share-contact", {})
    await someone.sees("I took that out of this chat")


@pytest.mark.parametrize(
    "data",
    [
        *["", "1", "1:", "2:hide", "\U0001f600", "0:form:category:family.visits", "1:form:area:pattani"],
        *["1:offer.accept:nothing", "1:offer.show", "1:check.save:a:b:c", "1:check:a", "1:check"],
        "1:matter.helped:x:yes",
        *["1:seat.take:AAAAAAAAAAAAAAAAAAAAAA", "1:scrap.keep:zzz", "1:crisis.hold:x", "1:lang:xx"],
        "1:ask:no-such-pathway",
    ],
)
async def test_a_forged_button_changes_nothing(world: World, data: str) -> None:
    name = f"forger-{abs(hash(data)) % 10**8}"
    someone = await speaks_english(world, name)
    before = await someone.chat()
    people = {p["name"]: p for p in await world.call("GET", "/sim/people")}
    account = people[name]["telegram_id"]
    user = {"id": account, "is_bot": False, "first_name": name}
    message = {
        "message_id": before[-1]["message_id"],
        "date": 1,
        "chat": {"id": account, "type": "private"},
        "text": "x",
    }
    query = {"id": f"q{account}", "from": user, "chat_instance": "1", "message": message, "data": data or " "}
    await world.call("POST", "/sim/updates", {"update": {"callback_query": query}})
    await someone.says("/hide")
    await someone.sees_no_more("What would you like to do?")
    assert not [m for m in await someone.chat() if m["from"] == "bot"]


async def test_another_persons_button_is_refused(world: World) -> None:
    """A family presses a worker's button: not found, and the offer stands as it stood."""
    family = await world.newcomer("family-a")
    await files(await asks_for_help(family), urgency="urgent")
    await world.passes(10)
    asked = await _who_is_asked(world)
    button = asked["buttons"][0][0]["callback_data"]
    stranger = await speaks_english(world, "curious")
    await presses_forged(world, "curious", None, button)
    await stranger.says("/help")
    await stranger.sees("What would you like to do?")
    assert asked["buttons"] == (await _who_is_asked(world))["buttons"]


async def test_two_taps_at_once_count_once(world: World) -> None:
    someone = await world.newcomer("double")
    await someone.opens_link("welcome")
    await someone.sees_button("English")
    await asyncio.gather(*(someone.presses("English") for _ in range(2)))
    await someone.presses("All right")
    await someone.sees("How old are you?")


async def test_a_stale_button_says_so_and_the_form_goes_on(world: World) -> None:
    someone = await world.newcomer("stale")
    await someone.opens_link("welcome")
    first = await someone.sees_button("English")
    await someone.presses("English")
    await someone.sees("Before we start")
    label = first["buttons"][0][0]["callback_data"]
    await presses_forged(world, "stale", first["message_id"], label)
    await someone.presses("All right")
    await someone.sees("How old are you?")


@pytest.mark.parametrize("payload", ["nonsense", "i-AAAAAAAAAAAAAAAAAAAAAA", "i-", "welcome-xx"])
async def test_a_link_that_is_not_ours_or_used_sounds_the_same(world: World, payload: str) -> None:
    someone = await speaks_english(world, f"link-{payload.lower()}")
    await someone.opens_link(payload)
    await someone.sees("This link was used, has ended, or never was")


async def test_back_and_cancel(world: World) -> None:
    someone = await world.newcomer("wanderer")
    await someone.opens_link("welcome")
    await someone.presses("English")
    await someone.sees("Step 2 of")
    await someone.presses("Back")
    await someone.presses("English")
    await someone.presses("All right")
    await someone.presses("Cancel")
    await someone.sees("Nothing was kept")


async def test_the_bot_leaves_a_group(world: World) -> None:
    someone = await speaks_english(world, "grouper")
    await someone.sends("group", text="hello bot", event="added")
    for _ in range(100):
        if any(call["method"].lower() == "leavechat" for call in await world.traffic()):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the bot is still in the group")


async def test_hide_clears_the_chat_and_keeps_silent(world: World) -> None:
    someone = await world.newcomer("hider")
    await files(await asks_for_help(someone), urgency="urgent")
    await someone.sees("Its code is")
    await someone.says("/hide")
    for _ in range(200):
        if not [m for m in await someone.chat() if m["from"] == "bot"]:
            break
        await asyncio.sleep(0.05)
    await world.passes(10)
    assert not [m for m in await someone.chat() if m["from"] == "bot"]
    await someone.says("/start")
    await someone.sees("What would you like to do?")


async def test_an_invitation_is_used_once(world: World) -> None:
    """A used link and an unknown one are answered with the same words."""
    someone = await speaks_english(world, "invited")
    await someone.opens_link("i-not-an-invitation")
    await someone.sees("This link was used, has ended, or never was")


async def _who_is_asked(world: World) -> dict[str, Any]:
    for name in ("ploy", "anan", "farida", "wit", "suda"):
        for message in reversed(await world.person(name).chat()):
            if message.get("buttons") and "offer" in str(message["buttons"][0][0].get("callback_data", "")):
                return message
    raise AssertionError("nobody is asked")


async def presses_forged(world: World, name: str, message_id: int | None, data: str) -> None:
    """A press that no button of ours made; without a message id, of a message too old to be shown."""
    people = {p["name"]: p for p in await world.call("GET", "/sim/people")}
    account = people[name]["telegram_id"]
    chat = {"id": account, "type": "private"}
    message: dict[str, Any] = {"message_id": message_id or 1, "date": 1 if message_id else 0, "chat": chat}
    if message_id:
        message["text"] = "x"
    user = {"id": account, "is_bot": False, "first_name": name}
    query = {"id": f"forged{account}", "from": user, "chat_instance": "1", "message": message, "data": data}
    await world.call("POST", "/sim/updates", {"update": {"callback_query": query}})
