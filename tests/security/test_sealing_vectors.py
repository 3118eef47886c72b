"""Our AES-256-GCM and HMAC calls against published vectors, and our own format against a frozen example."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from referrals.model import DataClass, Record
from storage.keyring import Field, Kek, Keyring, SealBroken, Wrap, bound, decrypt, encrypt
from storage.secret import LastingSecret, RootKey

# McGrew and Viega, 'The Galois/Counter Mode of Operation', appendix B, test cases 13, 14 and 16.
_KEY_16 = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
_PLAIN_16 = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
    "b16aedf5aa0de657ba637b39"
)
_CIPHER_16 = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
    "c5f61e6393ba7a0abcc9f662"
)
_ABOUT_16 = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
_TAG_16 = "76fc6ece0f4e1768cddf8853bb2d551b"
_CIPHER_14 = "cea7403d4d606b6e074ec5d3baf39d18"
# NIST CAVP, gcmEncryptExtIV256.rsp: IV of 96 and tag of 128 bits, Count 0 of three sections.
NIST = [
    (
        "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
        "516c33929df5a3284ff463d7",
        "",
        "",
        "",
        "bdc1ac884d332457a1d2664f168c76f0",
    ),
    (
        "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
        "0d18e06c7c725ac9e362e1ce",
        "2db5168e932556f8089a0622981d017d",
        "",
        "fa4362189661d163fcd6a56d8bf0405a",
        "d636ac1bbedd5cc3ee727dc2ab4a9489",
    ),
    (
        "92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
        "ac93a1a6145299bde902f21a",
        "2d71bcfa914e4ac045b2aa60955fad24",
        "1e0889016f67601c8ebea4943bc23ad6",
        "8995ae2e6df3dbf96fac7b7137bae67f",
        "eca5aa77d51d4a0a14d9c51e1da474ab",
    ),
]
VECTORS = [
    *NIST,
    ("00" * 32, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    ("00" * 32, "00" * 12, "00" * 16, "", _CIPHER_14, "d0d1c8a799996bf0265b98b5d48ab919"),
    (_KEY_16, "cafebabefacedbaddecaf888", _PLAIN_16, _ABOUT_16, _CIPHER_16, _TAG_16),
]


@pytest.mark.parametrize(("key", "nonce", "plain", "about", "ciphertext", "tag"), VECTORS)
def test_published_vectors(key: str, nonce: str, plain: str, about: str, ciphertext: str, tag: str) -> None:
    aes = AESGCM(bytes.fromhex(key))
    sealed = bytes.fromhex(nonce + ciphertext + tag)
    assert decrypt(aes, sealed, bytes.fromhex(about)) == bytes.fromhex(plain)
    assert aes.encrypt(sealed[:12], bytes.fromhex(plain), bytes.fromhex(about)) == sealed[12:]
    for broken in (sealed[:-1], sealed[:12], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealBroken):
            decrypt(aes, broken, bytes.fromhex(about))


def test_argon2id_agrees_with_rfc_9106() -> None:
    """Section 5.3: 32 KiB, 3 passes, 4 lanes, with secret and associated data."""
    slow = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        secret=b"\x03" * 8,
        ad=b"\x04" * 12,
    )
    assert slow.derive(b"\x01" * 32).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


def test_derivation_agrees_with_rfc_5869() -> None:
    """HKDF-SHA256, appendix A.1, by the call that `Secret.derive` makes."""
    made = HKDF(SHA256(), 42, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA))).derive(b"\x0b" * 22)
    assert made.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_nonces_are_never_repeated() -> None:
    key = AESGCM(bytes(32))
    assert len({encrypt(key, b"x", b"")[:12] for _ in range(10_000)}) == 10_000


def test_associated_data_cannot_be_shifted() -> None:
    """Each part has its length before it: no two lists of parts give the same bytes."""
    lists = [("a", "bc"), ("ab", "c"), ("abc",), ("", "abc"), ("abc", ""), ("a", "b", "c"), ("\x00\x00", "")]
    assert len({bound(*parts) for parts in lists}) == len(lists)
    assert bound("ab", 7) == b"\x00\x00\x00\x02ab\x00\x00\x00\x017"


def test_what_was_sealed_once_opens_for_ever() -> None:
    """Bytes of the first version of the format: whoever changes it must migrate what stands."""
    secret = bytes(range(32))
    keyring = Keyring(RootKey("frozen-network", secret), LastingSecret("frozen-network", secret))
    record = Record("referral", "r1")
    kek = Kek("kek1", bytes.fromhex(FROZEN_KEK), 1, "story", "org:o1")
    key = keyring.unwrap(record, DataClass.STORY, Wrap("org:o1", "key1", bytes.fromhex(FROZEN_WRAP), *kek))
    field = Field("note", "key1", 1, bytes.fromhex(FROZEN_FIELD))
    assert keyring.open_field(record, DataClass.STORY, AESGCM(key), field) == "เรื่องของฉัน"
    assert keyring.account_lookup(1001) == FROZEN_LOOKUP


FROZEN_KEK = (
    "23541013802a69c91e1e6cdaf8d8db1a6de93d10907995810e47cb1902353a06883a402268e248bb6c4776243c2cf5b5"
    "e84c6a80b772e8098b8b04f2"
)
FROZEN_WRAP = (
    "b3c7d47b49792e6d54bd7c8fbc6354a748c443ad87893e08c744175f43702b81d66a202d0e9ce4f2fd93ce578dd51144"
    "6da86d26df021de0fd646943"
)
FROZEN_FIELD = (
    "4754fc9603ca77abb7be0a6de2567464cca70e3f163340fb242cf3c46fde93b4240010d700291529ef2badce2cea97e2"
    "75c89c8097674c30a34ffb2845b9fa92"
)
FROZEN_LOOKUP = "fe0c07745a3b1a6a1344d10b53afeec3c970a6b5eac71ae32883433640e79ff0"
