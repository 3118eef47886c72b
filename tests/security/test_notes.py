"""Signed notes as others write them, and all that is nearly one: read back letter by letter, or refused."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import checkpoints, notes
from storage.checkpoints import Body, Head
from storage.notes import COSIGNATURE, BadNote, Signer, read_note, read_verifier, verify
from storage.secret import LastingSecret

# From the documentation of golang.org/x/mod/sumdb/note, the format's first implementation.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FF"
    "YC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# From C2SP's tlog-cosignature.md.
COSIGNED = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9n"
    "To+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
NETWORK = LastingSecret("test-network", bytes(range(32)))
SIGNER = checkpoints.signer(NETWORK)
KEY = SIGNER.verifier()
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEADS = (Head("main-0", 12, b"\1" * 32), Head("main-1", 30, b"\2" * 32))
BODY = Body("test-network", 3, NOON, HEADS)
MADE = str(checkpoints.make(SIGNER, "test-network", 3, NOON, HEADS))


def test_a_note_of_the_first_implementation_verifies() -> None:
    assert verify(read_note(QUOTE.encode()), read_verifier(NEUMANN)) is None
    assert str(read_verifier(NEUMANN)) == NEUMANN
    with pytest.raises(BadNote, match="forged"):
        verify(read_note(QUOTE.replace("know", "knew").encode()), read_verifier(NEUMANN))
    with pytest.raises(BadNote, match="unknown"):
        verify(read_note(QUOTE.encode()), KEY)


def test_the_specifications_cosigned_checkpoint_reads_as_it_is_written() -> None:
    note = read_note(COSIGNED.encode())
    assert str(note) == COSIGNED
    assert [line.name for line in note.lines] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    # The time that the specification's own text names for this cosignature.
    assert int.from_bytes(note.lines[1].signature[:8], "big") == 1679315147
    assert len(note.lines[1].signature) == 8 + 64


def test_a_cosignature_is_over_time_and_text() -> None:
    witness = Signer.of("open-door.example/audit", b"w" * 32)
    note = read_note(MADE.encode())
    both = read_note((MADE + str(witness.cosign(note, 1679315147))).encode())
    key = witness.verifier(COSIGNATURE)
    assert verify(both, key) == 1679315147
    assert verify(both, KEY) is None
    public = Ed25519PrivateKey.from_private_bytes(b"w" * 32).public_key()
    public.verify(both.lines[1].signature[8:], f"cosignature/v1\ntime 1679315147\n{note.text}".encode())
    name = b"open-door.example/audit"
    assert key.key_id == hashlib.sha256(name + b"\n\x04" + public.public_bytes_raw()).digest()[:4]
    with pytest.raises(BadNote, match="unknown"):
        verify(both, witness.verifier())  # the same key for another kind of signature is another key


def test_a_checkpoint_says_what_the_document_says() -> None:
    lanes = "".join(f"lane {h.lane} {h.sequence} {base64.b64encode(h.hash).decode()}\n" for h in HEADS)
    root = base64.b64encode(hashlib.sha256(lanes.encode()).digest()).decode()
    assert MADE.startswith(
        f"pulang/test-network\n42\n{root}\nnumber 3\ntime 2026-11-24T12:00:00Z\n{lanes}\n"
        "— pulang/test-network "
    )
    assert checkpoints.read(MADE.encode(), KEY)[1] == BODY


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (MADE[:-1], "cut off"),
        (MADE[:-30], "cut off"),
        (MADE.partition("\n\n")[0] + "\n", "unsigned"),
        (MADE.replace("42", "43"), "forged"),
        (MADE.replace("number 3", "number 4"), "forged"),
        (MADE.replace("test-network", "rest-network"), "network"),
        (MADE.replace("\n", "\r\n"), "text"),
        (MADE.replace("— ", "- "), "signature"),
        (MADE + "— nobody !!!!\n", "signature"),
        (MADE + "x" * notes.MAX_BYTES, "large"),
        (str(SIGNER.sign("pulang/test-network\nnot a checkpoint\n")), "body"),
        (str(SIGNER.sign(str(BODY).replace("\n42\n", "\n042\n"))), "body"),
        (str(SIGNER.sign(str(BODY).replace("lane main-1", "lane main-0"))), "body"),
        (str(Signer.of("pulang/test-network", b"x" * 32).sign(str(BODY))), "unknown"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(content: str, what: str) -> None:
    with pytest.raises(BadNote) as refused:
        checkpoints.read(content.encode(), KEY)
    assert refused.value.what == what


def test_a_later_note_goes_on_from_the_earlier_one() -> None:
    later = Body(
        "test-network", 4, NOON, (Head("main-0", 13, b"\3" * 32), HEADS[1], Head("new", 1, b"\4" * 32))
    )
    assert checkpoints.follows(BODY, later)
    assert checkpoints.follows(BODY, BODY)
    assert not checkpoints.follows(later, BODY)
    other = Body("test-network", 4, NOON, (HEADS[0], Head("main-1", 30, b"\5" * 32)))
    assert not checkpoints.follows(BODY, other), "the same row with another hash"
    assert not checkpoints.follows(BODY, Body("test-network", 4, NOON, HEADS[:1])), "a lane has gone"


# --- Fuzz ----------------------------------------------------------------------------------------


def _cases(long_run: bool) -> settings:
    return settings(max_examples=100_000 if long_run else 700, deadline=None)


def test_changed_bytes_are_never_accepted(long_run: bool) -> None:
    """Any change of a signed note: refused, or (in signatures of nobody we know) the same body as before."""
    whole = MADE.encode()

    @_cases(long_run)
    @given(
        at=st.integers(0, len(whole) - 1),
        take=st.integers(0, 40),
        put=st.one_of(
            st.binary(max_size=40), st.sampled_from([b"\n", b"\n\n", "— ".encode(), b" ", b"+", b"="])
        ),
    )
    def fuzz(at: int, take: int, put: bytes) -> None:
        changed = whole[:at] + put + whole[at + take :]
        if changed == whole:
            return
        try:
            _, body = checkpoints.read(changed, KEY)
        except BadNote:
            return
        assert body == BODY

    fuzz()


def test_anything_at_all_is_read_or_refused(long_run: bool) -> None:
    lines = st.sampled_from(
        ["lane a 1 ", "number 1", "time 2026-11-24T12:00:00Z", "— x AAAAAAA=", "", "42", "pulang/abcd"]
    )
    texts = st.lists(st.one_of(lines, st.text(max_size=20)), max_size=12).map("\n".join)

    @_cases(long_run)
    @given(content=st.one_of(texts.map(str.encode), st.binary(max_size=200)), text=texts)
    def fuzz(content: bytes, text: str) -> None:
        for reading in (
            lambda: str(read_note(content)).encode(),
            lambda: str(checkpoints.parse(text)).encode(),
        ):
            try:
                again = reading()
            except BadNote:
                continue
            assert again in (content, text.encode())
        try:
            assert str(read_verifier(text)) == text.strip()
        except BadNote:
            return

    fuzz()


@given(
    st.lists(
        st.builds(
            Head,
            st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True),
            st.integers(0, 10**17),
            st.binary(min_size=32, max_size=32),
        ),
        max_size=6,
        unique_by=lambda head: head.lane,
    ),
    st.integers(0, 10**8),
)
def test_every_checkpoint_comes_back(heads: list[Head], number: int) -> None:
    note = checkpoints.make(SIGNER, "test-network", number, NOON, heads)
    body = checkpoints.read(str(note).encode(), KEY)[1]
    assert (body.number, set(body.heads)) == (number, set(heads))
