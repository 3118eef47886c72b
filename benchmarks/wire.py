"""Just enough HTTP/1.1 for a load generator and a stub that cost far less than what they measure."""

from __future__ import annotations


def take_message(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Cut one whole message (head, body) off the front; None while it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end])
    whole = end + 4 + _length(head)
    if len(buffer) < whole:
        return None
    body = bytes(buffer[end + 4 : whole])
    del buffer[:whole]
    return head, body


def request(path: str, body: bytes, **headers: str) -> bytes:
    """A POST with a JSON body; headers by name with '_' for '-'."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def response(body: bytes) -> bytes:
    """A 200 with a JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _length(head: bytes) -> int:
    low = head.lower()
    at = low.find(b"content-length:")
    if at < 0:
        return 0
    return int(low[at + 15 :].split(b"\r\n", 1)[0])
