"""From a request of a session to what its turn may rely on: it was signed by the session's own device.

The signature is checked here, on the event loop (65 µs), before any turn: inside the turn it would make a
look at a small page half as long again (measured: 0.25 ms without, 0.43 ms with it), and the database's
threads are the scarce thing. So what is not signed never reaches them. The key of a session's device is kept
in memory, which is safe because it never changes: whether session, device and person still stand is for the
turn to say, each time. A key that is not in memory (after a restart, in another process) is looked up once.
"""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import hdrs, web

from console import proofs, sessions
from referrals.errors import SessionOver
from referrals.ports import Turns

SCHEME = "Pulang "
PROOF = "Pulang-Proof"
KEPT = 10_000  # keys; some 300 bytes each


class Calls:
    """Checks the requests of sessions. One for each running console."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._keys: OrderedDict[str, proofs.PublicKey] = OrderedDict()

    def remember(self, session_id: str, key: proofs.PublicKey) -> None:
        """Keep the key of a session; the one unused for longest makes room."""
        self._keys[session_id] = key
        self._keys.move_to_end(session_id)
        if len(self._keys) > KEPT:
            self._keys.popitem(last=False)

    async def asked(self, request: web.Request, body: bytes) -> sessions.Asked:
        """The session and number of a request that its device has signed; SessionOver for all others."""
        token = _token(request)
        session_id = sessions.session_id(token)
        proof = proofs.read_proof(request.headers.get(PROOF, ""))
        path = request.rel_url.raw_path
        call = proofs.Call(token, proof.number, request.method, path, body)
        proofs.check_call(await self._key(session_id), proof.signature, call)
        return sessions.Asked(session_id, proof.number)

    async def _key(self, session_id: str) -> proofs.PublicKey:
        known = self._keys.get(session_id)
        if known is None:
            known = proofs.read_key(await self._turns.turn(sessions.key_of, session_id))
        self.remember(session_id, known)
        return known


def _token(request: web.Request) -> str:
    """The token in the header; SessionOver when there is none, or two."""
    found = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(found) != 1 or len(request.headers.getall(PROOF, [])) != 1:
        raise SessionOver
    token = found[0].removeprefix(SCHEME)
    if token == found[0] or not 40 <= len(token) <= 64 or not token.isascii():
        raise SessionOver
    return token
