"""Every setting of the product: frozen, from the environment or one file, checked before anything starts.

A setting is an environment variable `PULANG_<NAME>` or the same line in the file of `--settings FILE`
(the environment wins). A broken one raises ConfigurationError, which names the setting and says the mend.
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from referrals.errors import ConfigurationError

PREFIX = "PULANG_"
HOME = Path(__file__).resolve().parent.parent
TELEGRAM = "https://api.telegram.org"
# Telegram's production key: core.telegram.org/bots/webapps, 'Validating data for third-party use'.
TELEGRAM_KEY = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TOKEN = re.compile(r"[0-9]{3,16}:[A-Za-z0-9_-]{20,64}")
WORD = re.compile(r"[A-Za-z0-9_-]{1,256}")
KEY = re.compile(r"[0-9a-f]{64}")


class Mode(StrEnum):
    """How updates come in."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class LogFormat(StrEnum):
    """One JSON object a line for machines, or coloured lines for people."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """What is written at least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Mend(ValueError):
    """What is wrong with a setting, and how to put it right."""

    def __init__(self, name: str, what: str, mend: str) -> None:
        super().__init__(what)
        self.name, self.what, self.mend = name, what, mend


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    return host in LOOPBACK or host.endswith(".localhost")


def _web_address(url: str) -> str:
    """An address without a trailing slash: https, or http on loopback."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is not a web address")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must be https (http is only accepted on loopback)")
    return url.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """What the operator decides. Secrets never appear in a repr, a log or an error."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    bot_token: SecretStr | None = Field(None, description="The bot's token from BotFather, `NUMBER:SECRET`.")
    bot_token_file: Path | None = Field(
        None, description="A file that holds the token, instead of `bot_token`; readable by the product only."
    )
    telegram_api: WebAddress = Field(
        TELEGRAM,
        description="Address of the Bot API; another one than Telegram's may be http only on loopback.",
    )
    telegram_public_key: str = Field(
        TELEGRAM_KEY,
        description="Hex of the Ed25519 key that signs launch data; another one is accepted only with a Bot "
        "API on loopback.",
    )
    public_url: WebAddress = Field(
        description="The address under which phones reach the product, without a trailing slash; https "
        "except on loopback."
    )
    data: Path = Field(description="The data folder; made by `python -m bot init`, closed to other users.")
    root_key_file: Path = Field(
        description="The file with the root key; outside of the data folder, mode 0600."
    )
    passphrase_file: Path | None = Field(
        None,
        description="The file with the passphrase of a locked root key, for starts without anybody; mode "
        "0600, not beside the key.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="Where the database is, e.g. `postgresql+psycopg://user:password@host/name`; a SQLite "
        "file in the data folder when absent.",
    )
    checkpoints: Path | None = Field(
        None,
        description="A folder into which each day's signed checkpoint of the audit is laid, for whatever "
        "carries it to partners; see docs/audit.md.",
    )
    database_threads: int = Field(
        4, ge=1, le=32, description="Connections that write at once on PostgreSQL; SQLite always has one."
    )
    mode: Mode = Field(
        Mode.POLLING, description="How updates come in: `polling`, or `webhook` behind a proxy with TLS."
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="What Telegram must show with each update, 1 to 256 of `A-Z a-z 0-9 _ -`; made from the "
        "token when absent.",
    )
    listen_host: str = Field(
        "127.0.0.1", description="The address to listen on; a proxy with TLS stands before it."
    )
    listen_port: int = Field(8700, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    log_level: LogLevel = Field(LogLevel.INFO, description="`debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = Field(LogFormat.JSON, description="`json`, one object a line, or `console`.")
    overall_per_s: float = Field(30, gt=0, description="Messages a second to all chats together.")
    per_chat_per_s: float = Field(1, gt=0, description="Messages a second to one chat; short bursts pass.")
    catalogue: Path = Field(
        HOME / "catalogue", description="The folder of pathways, programmes and categories."
    )
    locales: Path = Field(HOME / "locales", description="The folder of the languages' texts.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_token(self)
        _check_telegram(self)
        if self.root_key_file.resolve().is_relative_to(self.data.resolve()):
            raise Mend(
                "root_key_file",
                "lies in the data folder, where a backup would take it along with what it locks",
                "move the key file elsewhere, e.g. to /etc/pulang/root.key, and name that place",
            )
        _check_apart(self)
        return self

    @property
    def token(self) -> str:
        """The bot's token, wherever it was given."""
        if self.bot_token_file is not None:
            return self.bot_token_file.read_text(encoding="utf-8").strip()
        assert self.bot_token is not None  # checked above
        return self.bot_token.get_secret_value().strip()

    @property
    def secret_token(self) -> str:
        """What Telegram must show with each update; the same in every process of one bot."""
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value()
        return hmac.new(self.token.encode(), b"pulang webhook", hashlib.sha256).hexdigest()

    @property
    def database(self) -> str:
        """The database's address."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data.resolve() / 'pulang.sqlite'}"


def _check_apart(settings: Settings) -> None:
    """No one folder holds a lock and its key."""
    keys, url = settings.root_key_file.resolve().parent, urlsplit(settings.database)
    if url.scheme.startswith("sqlite") and keys == Path(url.path[1:]).resolve().parent:
        raise Mend(
            "root_key_file",
            "lies beside the database that it opens, so that one theft would take both",
            "move the key file to a folder of its own, e.g. /etc/pulang/keys, and name that place",
        )
    if settings.passphrase_file is not None and settings.passphrase_file.resolve().parent == keys:
        raise Mend(
            "passphrase_file",
            "lies beside the key that it opens, so that one theft would take both",
            "move it elsewhere, best into memory: docs/deploy.md, 'Keys'",
        )


def _check_token(settings: Settings) -> None:
    file = settings.bot_token_file
    if (settings.bot_token is None) == (file is None):
        raise Mend(
            "bot_token",
            "must be given in exactly one way",
            "set PULANG_BOT_TOKEN_FILE to a file with the token (or PULANG_BOT_TOKEN to the token), not both",
        )
    name = "bot_token" if file is None else "bot_token_file"
    try:
        token = settings.token
    except (OSError, UnicodeDecodeError) as error:
        raise Mend(
            name, f"cannot be read ({type(error).__name__})", "give the product the right to read it"
        ) from error
    if not TOKEN.fullmatch(token):
        raise Mend(name, "is not a bot token", "copy the token, NUMBER:SECRET, from BotFather")
    secret = settings.webhook_secret
    if secret is not None and not WORD.fullmatch(secret.get_secret_value()):
        raise Mend("webhook_secret", "has other characters than allowed", "use 1 to 256 of A-Z a-z 0-9 _ -")


def _check_telegram(settings: Settings) -> None:
    key = settings.telegram_public_key
    if not KEY.fullmatch(key):
        raise Mend(
            "telegram_public_key",
            "is not a key of 64 lower-case hex digits",
            f"leave it out, or use {TELEGRAM_KEY}",
        )
    # Launch data signed by a key of the caller's choice would let anybody be anybody.
    if key != TELEGRAM_KEY and not is_loopback(settings.telegram_api):
        raise Mend(
            "telegram_public_key",
            "is not Telegram's, which is accepted only with a Bot API on loopback",
            "leave it out",
        )


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; raises ConfigurationError."""
    given = os.environ if environment is None else environment
    values = {name.upper(): value for name, value in _from_file(file).items()}
    values.update({name.upper(): value for name, value in given.items() if name.upper().startswith(PREFIX)})
    _refuse_unknown(values, file)
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in values.items() if value != ""}
    try:
        return make_settings(**fields)
    except ConfigurationError as error:
        where = f"{error.where} (in {file} or the environment)" if file else error.where
        raise ConfigurationError(where, error.what, error.mend) from None


def make_settings(**fields: Any) -> Settings:
    """Settings from values alone, never from the environment; raises ConfigurationError."""
    try:
        return _Given(**fields)
    except ValidationError as error:
        raise _explained(error) from None


class _Given(Settings):
    """Settings whose values were already gathered by `load_settings`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in."""
        return (init_settings,)


def _from_file(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    if not file.is_file():
        raise ConfigurationError(
            str(file), "there is no such settings file", "name an existing file after --settings"
        )
    try:
        found = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(file), type(error).__name__, "save it as UTF-8 and readable") from error
    return {name: value or "" for name, value in found.items()}


def _refuse_unknown(values: Mapping[str, str], file: Path | None) -> None:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            mend = f"did you mean {near[0]}?" if near else f"remove it: all settings begin with {PREFIX};"
            raise ConfigurationError(name, "is not a setting", f"{mend} docs/deploy.md lists them all")


def _explained(error: ValidationError) -> ConfigurationError:
    """The first of pydantic's findings in words that name the setting, the others in passing."""
    findings = error.errors(include_url=False, include_input=False)
    first, others = findings[0], findings[1:]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Mend):
        return ConfigurationError(PREFIX + cause.name.upper(), cause.what, cause.mend)
    name = str(first["loc"][0]) if first["loc"] else "settings"
    what = "is missing" if first["type"] == "missing" else str(first["msg"]).removeprefix("Value error, ")
    if others:
        also = ", ".join(sorted({PREFIX + str(other["loc"][0]).upper() for other in others if other["loc"]}))
        what += f" (to be looked at as well: {also})"
    field = Settings.model_fields.get(name)
    return ConfigurationError(PREFIX + name.upper(), what, f"set it: {field.description if field else ''}")
