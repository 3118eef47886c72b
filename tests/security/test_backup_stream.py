"""A backup whose parts were cut, swapped, repeated, brought from elsewhere or changed does not open."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.backup_stream import CHUNK, PREFIX_BYTES, Damaged, SealedWriter, read_header, unsealed

KEY, PREFIX = bytes(range(32)), bytes(PREFIX_BYTES)
HEADER = {"format": 1, "made": "2026-11-24"}


def sealed(plain: bytes, key: bytes = KEY, prefix: bytes = PREFIX, header: dict = HEADER) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, key, prefix, header)
    writer.write(plain)
    writer.finish()
    return out.getvalue()


def opened(content: bytes, key: bytes = KEY, prefix: bytes = PREFIX) -> bytes:
    source = io.BytesIO(content)
    header = read_header(source)
    return b"".join(unsealed(source, key, prefix, header))


def parts_of(content: bytes) -> tuple[bytes, list[bytes]]:
    """The header's lines, and each chunk with its length."""
    source = io.BytesIO(content)
    head = read_header(source).raw
    parts = []
    while length := source.read(4):
        parts.append(length + source.read(int.from_bytes(length, "big")))
    return head, parts


def refused(content: bytes) -> None:
    with pytest.raises(Damaged):
        opened(content)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_what_went_in_comes_out(size: int) -> None:
    plain = os.urandom(size)
    assert opened(sealed(plain)) == plain


PLAIN = bytes(range(256)) * 2048  # four chunks exactly
WHOLE = sealed(PLAIN)
HEAD, PARTS = parts_of(WHOLE)
assert len(PARTS) == 4
OTHER = parts_of(sealed(PLAIN, key=KEY, prefix=b"another"))[1]


@given(st.lists(st.integers(0, len(PARTS) - 1), max_size=7))
def test_only_all_parts_in_their_order_open(order: list[int]) -> None:
    """Cut, swapped, left out, repeated: whatever is not 0, 1, 2, 3."""
    content = HEAD + b"".join(PARTS[number] for number in order)
    if order == list(range(len(PARTS))):
        assert opened(content) == PLAIN
    else:
        refused(content)


@given(st.integers(0, len(PARTS) - 1))
def test_a_part_of_another_backup_under_the_same_key_is_found(number: int) -> None:
    parts = list(PARTS)
    parts[number] = OTHER[number]
    refused(HEAD + b"".join(parts))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_is_cut_anywhere_is_found(size: int) -> None:
    refused(WHOLE[:size])


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_found(at: int, by: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= by
    refused(bytes(changed))


@given(st.binary(min_size=1, max_size=64))
def test_something_added_at_the_end_is_found(more: bytes) -> None:
    refused(WHOLE + more)


@given(st.binary(max_size=300))
def test_anything_at_all_is_refused_and_never_breaks(content: bytes) -> None:
    refused(content)
    refused(HEAD + content)


def test_another_header_or_key_is_found() -> None:
    refused(sealed(b"x", header={"format": 1, "made": "2026-11-25"})[: len(HEAD)] + b"".join(PARTS))
    with pytest.raises(Damaged):
        opened(WHOLE, key=bytes(32))
    with pytest.raises(Damaged):
        opened(WHOLE, prefix=b"1234567")
