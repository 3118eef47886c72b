"""Reads a catalogue folder and network files from disk; what they mean is decided in `referrals/`."""

from __future__ import annotations

from pathlib import Path

from referrals.catalogue import Catalogue
from referrals.catalogue_parsing import CATEGORIES, FOLDERS, LANGUAGES, parse_catalogue
from referrals.errors import ConfigurationError
from referrals.network_file import NetworkFile, parse_network


def read_catalogue(folder: Path) -> Catalogue:
    """The checked catalogue of a folder; ConfigurationError names every file and key that is wrong."""
    if not folder.is_dir():
        raise ConfigurationError(str(folder), "there is no such folder", "name the catalogue's folder")
    paths = [folder / name for name in (LANGUAGES, CATEGORIES) if (folder / name).exists()]
    paths += [path for name in FOLDERS for path in sorted((folder / name).glob("*.toml"))]
    return parse_catalogue({path.relative_to(folder).as_posix(): _read(path) for path in paths})


def read_network(path: Path, catalogue: Catalogue) -> NetworkFile:
    """The checked network file; ConfigurationError names every block and key that is wrong."""
    return parse_network(_read(path), str(path), catalogue)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(str(path), "this is not UTF-8 text", "save the file as UTF-8") from error
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise ConfigurationError(str(path), what, "check the path and who may read it") from error
