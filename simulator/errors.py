"""The two ways to say no: to the bot in the Bot API's shape, and to whoever plays the people in our own."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A Bot API call that fails: `code` 400-502, Telegram's words, and `parameters` where it has some."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """`{"ok": false, "error_code", "description", "parameters"?}`."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(words: str) -> Refused:
    """400, the most common refusal."""
    return Refused(400, f"Bad Request: {words}")


def forbidden(words: str) -> Refused:
    """403: the person or group does not want the bot."""
    return Refused(403, f"Forbidden: {words}")


def conflict(words: str) -> Refused:
    """409: webhook and polling, or two pollers, at once."""
    return Refused(409, f"Conflict: {words}")


def too_many(seconds: int) -> Refused:
    """429 with `parameters.retry_after`."""
    return Refused(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


class NotPossible(Exception):
    """Something that a person cannot do; `status` is 4xx and the words say what would work."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
