"""What Telegram is told at every start: who the bot is, what it can be asked, and how updates should come."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, MenuButtonWebApp, WebAppInfo
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError

from bot.settings import Mode, Settings
from bot.telegram_in import ALLOWED_UPDATES
from bot.texts import FALLBACK, Texts, shorten
from bot.webhook import PATH
from referrals.errors import ConfigurationError

COMMANDS = ("start", "help", "language", "reminders", "privacy", "export", "delete", "hide", "cancel")
CONNECTIONS = 40
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

log = structlog.get_logger("bot.introduction")


async def introduce(bot: Bot, settings: Settings, texts: Texts) -> None:
    """Returns when Telegram knows all; waits for it as long as it is away. InvalidToken ends the start."""
    await _until_done(bot.initialize)
    await asyncio.gather(
        *(_until_done(say) for language in texts.languages for say in _words(bot, texts, language)),
        _until_done(lambda: _menu(bot, settings, texts)),
    )
    # Last, so that nothing comes in before everything stands.
    await _until_done(lambda: _way_in(bot, settings))


def _words(bot: Bot, texts: Texts, language: str) -> list[Callable[[], Awaitable[object]]]:
    """One language's calls; the fallback's words are for everybody whose language has none."""
    code = None if language == FALLBACK else language
    commands = [BotCommand(name, shorten(texts.say(f"command.{name}", language), 256)) for name in COMMANDS]
    scope = BotCommandScopeAllPrivateChats()
    return [
        lambda: bot.set_my_commands(commands, scope=scope, language_code=code),
        lambda: bot.set_my_description(
            shorten(texts.say("bot.description", language), 512), language_code=code
        ),
        lambda: bot.set_my_short_description(
            shorten(texts.say("bot.short_description", language), 120), language_code=code
        ),
    ]


async def _menu(bot: Bot, settings: Settings, texts: Texts) -> None:
    """What stands in every chat whose language nobody has chosen yet."""
    await bot.set_chat_menu_button(menu_button=_button(settings, texts, FALLBACK))


async def speak_in_menu(bot: Bot, settings: Settings, texts: Texts, account: int, language: str) -> None:
    """One chat's menu button in its person's own language (Telegram translates commands, but not this)."""
    await bot.set_chat_menu_button(account, _button(settings, texts, language))


def _button(settings: Settings, texts: Texts, language: str) -> MenuButtonWebApp:
    return MenuButtonWebApp(texts.say("menu.button", language), WebAppInfo(f"{settings.public_url}/p/me"))


async def _way_in(bot: Bot, settings: Settings) -> None:
    """What waits at Telegram is kept: it is the durable inbox."""
    if settings.mode is Mode.POLLING:
        await bot.delete_webhook(drop_pending_updates=False)
        return
    await bot.set_webhook(
        settings.public_url + PATH,
        secret_token=settings.secret_token,
        allowed_updates=ALLOWED_UPDATES,
        max_connections=CONNECTIONS,
        drop_pending_updates=False,
    )


async def _until_done(call: Callable[[], Awaitable[object]]) -> None:
    """Try one call until it succeeds; what Telegram refuses for good is told and left."""
    pause = FIRST_PAUSE_S
    while True:
        try:
            await call()
            return
        except InvalidToken:
            raise ConfigurationError(
                "PULANG_BOT_TOKEN", "Telegram does not know this token", "copy the token from BotFather"
            ) from None
        except BadRequest as refusal:
            log.error("introduction_refused", why=refusal.message, exc_info=False)
            return
        except RetryAfter as flood:
            pause = max(pause, float(flood._retry_after.total_seconds()))
        except TelegramError as error:
            log.warning("telegram_away", code=type(error).__name__, seconds=round(pause))
        await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - only spreads tries
        pause = min(pause * 2, LONGEST_PAUSE_S)
