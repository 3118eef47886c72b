"""A broken setting stops the start with its name and the mend, and never shows a secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import PREFIX, Settings, load_settings
from referrals.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "123456789:AAcanary-canary-canary-canary-canar"


def good(folder: Path) -> dict[str, str]:
    return {
        "PULANG_BOT_TOKEN": TOKEN,
        "PULANG_PUBLIC_URL": "https://pulang.example/",
        "PULANG_DATA": str(folder / "data"),
        "PULANG_ROOT_KEY_FILE": str(folder / "keys" / "root.key"),
        "HOME": "/somewhere",
    }


def test_from_the_environment(tmp_path: Path) -> None:
    settings = load_settings(None, good(tmp_path))
    assert settings.token == TOKEN
    assert settings.public_url == "https://pulang.example"
    assert settings.database.startswith("sqlite:///")
    assert re.fullmatch(r"[0-9a-f]{64}", settings.secret_token)
    assert TOKEN not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.listen_port = 1


def test_from_a_file_and_the_environment_wins(tmp_path: Path) -> None:
    file, token = tmp_path / "settings", tmp_path / "token"
    token.write_text(TOKEN + "\n")
    lines = {**good(tmp_path), "PULANG_LISTEN_PORT": "1", "PULANG_LOG_LEVEL": "debug"}
    del lines["HOME"], lines["PULANG_BOT_TOKEN"]
    lines["PULANG_BOT_TOKEN_FILE"] = str(token)
    file.write_text("\n".join(f"{name}={value}" for name, value in lines.items()))
    settings = load_settings(file, {"PULANG_LISTEN_PORT": "2"})
    assert (settings.listen_port, settings.log_level, settings.token) == (2, "debug", TOKEN)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PULANG_BOT_TOKEN", "canary-secret", "is not a bot token"),
        ("PULANG_BOT_TOKEN", "", "exactly one way"),
        ("PULANG_BOT_TOKEN_FILE", "/nowhere/canary", "exactly one way"),
        ("PULANG_PUBLIC_URL", "http://pulang.example", "must be https"),
        ("PULANG_PUBLIC_URL", "pulang.example", "is not a web address"),
        ("PULANG_PUBLIC_URL", "", "is missing"),
        ("PULANG_TELEGRAM_API", "http://telegram.example", "must be https"),
        ("PULANG_TELEGRAM_PUBLIC_KEY", "ab" * 32, "accepted only with a Bot API on loopback"),
        ("PULANG_TELEGRAM_PUBLIC_KEY", "xyz", "64 lower-case hex digits"),
        ("PULANG_WEBHOOK_SECRET", "canary secret!", "other characters"),
        ("PULANG_MODE", "pigeon", "polling"),
        ("PULANG_LISTEN_PORT", "99999", "65535"),
        ("PULANG_OVERALL_PER_S", "0", "greater than 0"),
        ("PULANG_DATABASE_THREADS", "many", "integer"),
        ("PULANG_LISTENPORT", "1", "PULANG_LISTEN_PORT"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {**good(tmp_path), name: value})
    words = str(caught.value)
    assert says in words
    assert "canary" not in words
    assert "To mend it" in words
    assert PREFIX in caught.value.where


def test_a_key_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    inside = str(tmp_path / "data" / "root.key")
    with pytest.raises(ConfigurationError, match="lies in the data folder"):
        load_settings(None, {**good(tmp_path), "PULANG_ROOT_KEY_FILE": inside})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such settings file"):
        load_settings(tmp_path / "none", {})


def test_every_setting_is_described_and_stands_in_the_documents() -> None:
    told = (ROOT / "docs" / "deploy.md").read_text()
    example = (ROOT / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        row = f"| `{PREFIX}{name.upper()}` | {field.description} |"
        assert row in told, f"docs/deploy.md lacks the row: {row}"
        assert f"{PREFIX}{name.upper()}=" in example, name
    for name in re.findall(rf"{PREFIX}[A-Z_]+", told + example):
        assert name == "PULANG_NAME" or name.removeprefix(PREFIX).lower() in Settings.model_fields, name
