"""Calls as the page's own script makes them."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.console.stand import Stand
from tests.security.test_init_data import query


class Phone:
    """One page, opened or not."""

    def __init__(self, stand: Stand, http: aiohttp.ClientSession) -> None:
        self.stand, self.http, self.token = stand, http, ""

    async def opens(self, page: str, init_data: str | None = None) -> tuple[int, Any]:
        proof = query(self.stand.fields()) if init_data is None else init_data
        status, answer = await self.call("POST", "/p/session", {"init_data": proof, "page": page})
        self.token = answer.get("session", "")
        return status, answer

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        if self.token:
            headers = {"Authorization": f"Pulang {self.token}", **headers}
        url = self.stand.origin + path
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()
