"""The lasting secret as the database holds it (`meta`, key 'lasting'): sealed by the root key, base64."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.keyring import SealBroken, bound, decrypt, encrypt
from storage.secret import KEY_BYTES, LastingSecret, RootKey


def new_lasting(network_id: str) -> LastingSecret:
    """For a network that has just begun; there is never a second one."""
    return LastingSecret(network_id, os.urandom(KEY_BYTES))


def seal_lasting(root: RootKey, lasting: LastingSecret) -> str:
    """What `meta` keeps."""
    return base64.b64encode(encrypt(_key(root), lasting.secret, _about(root))).decode()


def open_lasting(root: RootKey, sealed: str) -> LastingSecret:
    """Raises SealBroken when it does not open with this root key."""
    try:
        return LastingSecret(root.network_id, decrypt(_key(root), base64.b64decode(sealed), _about(root)))
    except (binascii.Error, ValueError) as error:
        raise SealBroken("the lasting secret is damaged") from error


def _key(root: RootKey) -> AESGCM:
    return AESGCM(root.derive("lasting-wrap"))


def _about(root: RootKey) -> bytes:
    return bound("lasting", root.network_id)
