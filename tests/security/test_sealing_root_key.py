"""The root key's file is refused wherever it is not safe, and a wrong key before anything is read with it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from referrals.catalogue import Catalogue
from referrals.errors import ConfigurationError
from storage.keys import RootKey, create_root_key, load_root_key
from storage.store import Store
from tests.support.store import KEY, open_store


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """(key file, data folder), side by side."""
    (tmp_path / "data").mkdir()
    (tmp_path / "keys").mkdir()
    return tmp_path / "keys" / "root.key", tmp_path / "data"


def mends(path: Path, data: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_root_key(path, data)
    assert str(path) in caught.value.where
    return str(caught.value)


def test_a_key_comes_back_as_it_was_made(places: tuple[Path, Path]) -> None:
    path, data = places
    made = create_root_key(path, data)
    assert load_root_key(path, data) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.secret) == 32
    assert made.secret.hex() not in repr(made)
    assert repr(made.secret) not in repr(made)


def test_an_existing_key_is_never_written_over(places: tuple[Path, Path]) -> None:
    path, data = places
    made = create_root_key(path, data)
    with pytest.raises(ConfigurationError):
        create_root_key(path, data)
    assert load_root_key(path, data) == made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_rights_wider_than_the_owners_are_refused(places: tuple[Path, Path], mode: int) -> None:
    path, data = places
    create_root_key(path, data)
    path.chmod(mode)
    assert f"chmod 600 {path}" in mends(path, data)


def test_another_users_key_is_refused(places: tuple[Path, Path]) -> None:
    path, data = places
    create_root_key(path, data)
    if os.geteuid() == 0:  # only root can give a file away
        os.chown(path, 65534, 65534)
        assert "another user" in mends(path, data)


def test_the_data_folder_is_no_place_for_it(places: tuple[Path, Path]) -> None:
    path, data = places
    (data / "deep").mkdir()
    for bad in (data / "root.key", data / "deep" / "root.key"):
        with pytest.raises(ConfigurationError, match="data folder"):
            create_root_key(bad, data)
        assert not bad.exists()
    create_root_key(path, data)
    real = data / "root.key"
    path.rename(real)
    path.symlink_to(real)  # a link from outside is no way around
    assert "data folder" in mends(path, data)
    assert "data folder" in mends(data / ".." / "data" / "root.key", data)


@pytest.mark.parametrize("keep", [0, 1, 10, 30, 60, 80, 90, 105])
def test_a_file_that_was_cut_off(places: tuple[Path, Path], keep: int) -> None:
    path, data = places
    create_root_key(path, data)
    content = path.read_bytes()
    assert len(content) > 105
    path.write_bytes(content[:keep])
    assert "restore this file" in mends(path, data)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_of_the_wrong_size(places: tuple[Path, Path], size: int) -> None:
    path, data = places
    create_root_key(path, data)
    lines = path.read_text().splitlines()
    lines[2] = "key: " + base64.b64encode(bytes(size)).decode()
    path.write_text("\n".join(lines))
    assert "restore this file" in mends(path, data)


def test_damage_is_found_in_the_file_and_not_blamed_on_the_data(places: tuple[Path, Path]) -> None:
    path, data = places
    create_root_key(path, data)
    content = bytearray(path.read_bytes())
    at = content.index(b"key: ", 25) + 10
    content[at] = ord("A") if content[at] != ord("A") else ord("B")
    path.write_bytes(content)
    assert "damaged" in mends(path, data)


def test_what_is_no_key_file(places: tuple[Path, Path]) -> None:
    path, data = places
    assert "cannot be read" in mends(path, data)
    path.write_bytes(os.urandom(200))
    path.chmod(0o600)
    assert "not a root key file" in mends(path, data)
    path.unlink()
    path.mkdir(mode=0o700)
    assert "plain file" in mends(path, data) or "cannot be read" in mends(path, data)
    path.rmdir()
    os.mkfifo(path, 0o600)  # must not wait for a writer
    assert "plain file" in mends(path, data)


def test_the_data_know_their_key_and_network(database_url: str) -> None:
    open_store(database_url).close()
    for wrong in (RootKey("another-network", KEY.secret), RootKey(KEY.network_id, bytes(32))):
        with pytest.raises(ConfigurationError, match="key"):
            Store.open(database_url, wrong, Catalogue())
    open_store(database_url).close()


def test_a_demo_stays_one_for_life(database_url: str) -> None:
    open_store(database_url, demo=True).close()
    with pytest.raises(ConfigurationError, match="demo"):
        open_store(database_url)
    open_store(database_url, demo=True).close()


def test_a_real_network_never_becomes_a_demo(database_url: str) -> None:
    open_store(database_url).close()
    with pytest.raises(ConfigurationError, match="real"):
        open_store(database_url, demo=True)


def test_every_purpose_has_a_key_of_its_own() -> None:
    labels = ("kek-wrap", "account-index", "key-check")
    derived = {KEY.derive(label) for label in labels}
    derived |= {RootKey("another-network", KEY.secret).derive(label) for label in labels}
    assert len(derived | {KEY.secret}) == 7
