"""The simulator's own table of facts against the Bot API's description, where that is at hand."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from simulator import facts
from tests.contract.simulator.playing import REPOSITORY, Sim

DESCRIPTION = REPOSITORY.parent / "shared" / "telegram"
LENGTH = re.compile(r"\b(\d+)-(\d+) (characters|bytes)")
# Subtypes that the product does not use are left out of unions; nothing else may differ.
OPTIONAL_HERE = {("editMessageText", "text")}


def api() -> Any:
    """The description; its absence is a word outside CI and a failure in CI."""
    file = DESCRIPTION / "api.json"
    if not file.exists():
        if os.environ.get("CI"):
            pytest.fail("../shared/telegram/api.json must be at hand in CI")
        pytest.skip("../shared/telegram/api.json is not at hand, so the table is compared with nothing")
    return json.loads(file.read_text(encoding="utf-8"))


def differences(name: str, ours: Any, theirs: list[dict[str, Any]]) -> list[str]:
    described = {field["name"]: field for field in theirs}
    found = [f"{name}: {extra} does not exist" for extra in ours.keys() - described.keys()]
    found += [f"{name}: {f['name']} is required" for f in theirs if f["required"] and f["name"] not in ours]
    for field in ours.values():
        other = described.get(field.name)
        if other is None:
            continue
        if list(field.kinds) != other["types"]:
            found.append(f"{name}.{field.name}: {field.kinds} is {other['types']}")
        if field.required != other["required"]:
            found.append(f"{name}.{field.name}: required is {other['required']}")
        limit = LENGTH.search(other["description"])
        expected = (int(limit[1]), int(limit[2]), limit[3]) if limit else (0, None, "characters")
        if (field.low, field.high, field.unit) != expected:
            found.append(f"{name}.{field.name}: length {expected}")
        if field.constant and field.constant not in other["description"]:
            found.append(f"{name}.{field.name}: not always {field.constant}")
    return found


def test_the_table_says_nothing_that_the_description_does_not() -> None:
    described, ours = api(), facts.load()
    assert ours.version == described["version"]
    found = []
    for method in ours.methods.values():
        found += differences(method.name, method.fields, described["methods"][method.name].get("fields", []))
    for name, fields in ours.types.items():
        found += differences(name, fields, described["types"][name].get("fields", []))
    for name, members in ours.unions.items():
        found += [f"{name}: no {m}" for m in members if m not in described["types"][name]["subtypes"]]
    assert found == []


def test_every_method_of_the_contract_is_there() -> None:
    contract = """getMe getUpdates setWebhook deleteWebhook getWebhookInfo sendMessage sendPhoto sendDocument
    getFile sendChatAction editMessageText editMessageReplyMarkup editMessageMedia deleteMessage
    deleteMessages answerCallbackQuery answerWebAppQuery setMyCommands getMyCommands setChatMenuButton getChat
    leaveChat setMyDescription setMyShortDescription"""
    assert {name.lower() for name in contract.split()} <= facts.load().methods.keys()


@pytest.mark.parametrize("spec", ["", "string", "String 1-64", "required", "String 1-64 apples", "String is"])
def test_a_line_that_is_not_understood_stops_the_start(spec: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        facts.parse_field("x", spec)


def validator() -> Any:
    api()
    spec = importlib.util.spec_from_file_location("validate", DESCRIPTION / "validate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_traffic_has_the_shape_that_the_validator_reads(sim: Sim, tmp_path: Path) -> None:
    validate = validator()
    message = await sim.offer(1001, "Yes")
    form = {"chat_id": "1001", "message_id": str(message["message_id"]), "text": "Done"}
    async with sim.session.post(f"{sim.url}/bot{sim.token}/editMessageText", data=form) as answer:
        assert answer.status == 200
    await sim.done("setMyCommands", commands=[{"command": "hide", "description": "Hide"}])
    await sim.done("deleteMessages", chat_id=1001, message_ids=[message["message_id"]])
    traffic = await sim.look("traffic")
    assert [call["n"] for call in traffic] == [1, 2, 3, 4]
    assert [e for call in traffic for e in validate.errors(call["method"], call["params"])] == []
