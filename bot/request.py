"""An aiohttp transport for python-telegram-bot: one pool of kept connections, errors as telegram's own.

Nothing here logs or repeats an address: the bot's token stands in it.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import aiohttp
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.warnings import PTBDeprecationWarning

# Its announcement of a change that `silence_s` is ready for.
warnings.filterwarnings("ignore", category=PTBDeprecationWarning, message=".*retry_after.*")
CONNECT_S = 5.0
READ_S = 15.0
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Unreachable(NetworkError):
    """No connection came about, so nothing was done: Telegram or the way to it is away."""

    __slots__ = ()


class AiohttpRequest(BaseRequest):
    """`connections` is how many calls may be under way at once; more wait for a free one."""

    __slots__ = ("_connections", "_read_s", "_session")

    def __init__(self, connections: int = 64, read_s: float = READ_S) -> None:
        self._connections = connections
        self._read_s = read_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for an answer."""
        return self._read_s

    async def initialize(self) -> None:
        """Open the pool; a second call changes nothing."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(
                connector=connector, headers={"User-Agent": "pulang"}, auto_decompress=True
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One call: its status and body. TimedOut and NetworkError stand for everything else."""
        if self._session is None:
            raise NetworkError("the transport is closed")
        timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=_seconds(connect_timeout, CONNECT_S),
            connect=_seconds(pool_timeout, None),
            sock_read=_seconds(read_timeout, self._read_s),
        )
        try:
            async with self._session.request(
                method, url, timeout=timeout, allow_redirects=False, **_body(request_data)
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise Unreachable(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            # Only the kind of error: aiohttp's words can repeat the address.
            raise NetworkError(type(error).__name__) from None

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """As telegram's, without writing the payload to a log."""
        try:
            return json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            raise TelegramError("the answer is not JSON") from None


class LeanBot(Bot):
    """telegram.Bot, and a send that reads one number of the answer instead of the whole message.

    Telegram repeats what was sent; making a Message of it took a quarter of the time of a send.
    """

    async def tell(self, account: int, text: str, markup: InlineKeyboardMarkup | None) -> int:
        """Send a protected message without a preview; the new message's id. telegram's own errors."""
        data = {
            "chat_id": account,
            "text": text,
            "reply_markup": markup,
            "protect_content": True,
            "link_preview_options": NO_PREVIEW,
        }
        return int((await self._post("sendMessage", data))["message_id"])


def silence_s(flood: RetryAfter) -> float:
    """For how long Telegram asks for silence; the library's public attribute is changing its type."""
    return float(flood._retry_after.total_seconds())


def _seconds(wish: Any, usual: float | None) -> float | None:
    """The caller's wish (None: wait for ever), or what is usual when it has none."""
    return usual if wish is BaseRequest.DEFAULT_NONE else wish


def _body(request_data: RequestData | None) -> dict[str, Any]:
    """JSON where there are no files: half the bytes of a form for texts that are not Latin."""
    if request_data is None:
        return {}
    if not request_data.contains_files:
        return {
            "data": json.dumps(request_data.parameters, ensure_ascii=False).encode(),
            "headers": {"Content-Type": "application/json"},
        }
    form = aiohttp.FormData(request_data.json_parameters)
    for field, (name, content, kind) in request_data.multipart_data.items():
        form.add_field(field, content, filename=name, content_type=kind)
    return {"data": form}
