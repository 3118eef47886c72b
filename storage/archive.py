"""An archive that somebody takes home: a ZIP whose files are encrypted with AES-256 (WinZip AE-2).

Programs that people have open it: 7-Zip, WinZip, Keka, ZArchiver. AE-2 stretches its passphrase with only
1,000 rounds of PBKDF2, which is too little for a word that somebody chose, and no matter for 80 random bits:
so the passphrase is always made here, never chosen. Names and sizes of the files are not encrypted.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import pyzipper


def pack(files: Mapping[str, str], passphrase: str) -> bytes:
    """The archive's bytes. `files`: name to text (UTF-8). Takes milliseconds: not for a turn."""
    out = io.BytesIO()
    with pyzipper.AESZipFile(
        out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(passphrase.encode())
        for name, text in files.items():
            archive.writestr(name, text.encode())
    return out.getvalue()
