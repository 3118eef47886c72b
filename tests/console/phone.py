"""Calls as the page's own script makes them: each signed by a key of this phone's (docs/secure-pages.md)."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tests.console.stand import Stand
from tests.security.test_init_data import query
from tests.support.device import Device, whole


class Phone:
    """One page, opened or not."""

    def __init__(self, stand: Stand, http: aiohttp.ClientSession) -> None:
        self.stand, self.http, self.token = stand, http, ""
        self.device, self.number = Device(), 0

    async def opens(self, page: str, init_data: str | None = None) -> tuple[int, Any]:
        launch = query(self.stand.fields()) if init_data is None else init_data
        self.token, self.number = "", 0
        status, answer = await self.call("POST", "/p/session", self.device.opening(page, launch))
        self.token = answer.get("session", "")
        return status, answer

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        if self.token:
            self.number += 1
            headers = {**self.device.headers(self.token, self.number, method, path, raw), **headers}
        url = self.stand.origin + path
        async with self.http.request(method, url, data=raw or None, headers=headers) as answer:
            return answer.status, whole(await answer.json())
