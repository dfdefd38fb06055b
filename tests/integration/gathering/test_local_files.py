"""Files below ATTACHMENT_ROOT, on a real file system."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from tasks.errors import Transient
from tasks.gathering import local_files
from tasks.gathering.errors import Unobtainable
from tasks.gathering.local_files import LocalFiles
from tasks.mail.gathered import File


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, beside a secret that is not below it."""
    root = tmp_path / "root"
    (root / "2024").mkdir(parents=True)
    (root / "2024" / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "b").write_bytes(b"secret")
    return root


def read(root: Path, path: str, limit: int = 100) -> File:
    return LocalFiles(root).read(path, limit)


def fault(root: Path, path: str, limit: int = 100) -> str:
    with pytest.raises(Unobtainable) as caught:
        read(root, path, limit)
    return str(caught.value)


@pytest.mark.parametrize("path", ["2024/a.pdf", "./2024/../2024//a.pdf", "{root}/2024/a.pdf"])
def test_files(root: Path, path: str) -> None:
    """A path is relative to the root, or absolute and below it."""
    assert read(root, path.format(root=root)) == File(b"%PDF", name="a.pdf")


@pytest.mark.parametrize(
    "path",
    [
        *("../secret", "2024/../../secret", "{root}/../secret", "/etc/passwd", "../root2/b"),
        *("{root}2/b", "no", "2024/no", "2024/a.pdf/b", "", ".", "/", "{root}", "\0", "a\0b"),
    ],
)
def test_nothing_outside(root: Path, path: str) -> None:
    """What is outside is as good as absent: the error does not tell whether it exists."""
    assert fault(root, path.format(root=root)) == "does not exist below ATTACHMENT_ROOT"


def test_links(root: Path) -> None:
    """A symbolic link may lead somewhere below the root, and nowhere else."""
    (root / "inside").symlink_to("2024")
    (root / "file").symlink_to(root / "2024" / "a.pdf")
    (root / "outside").symlink_to("..")
    (root / "secret").symlink_to("../secret")
    (root / "loop").symlink_to("loop")

    assert read(root, "inside/a.pdf").data == b"%PDF"
    assert read(root, "file") == File(b"%PDF", name="a.pdf")
    for path in ("outside/secret", "secret", "loop", "loop/a"):
        assert fault(root, path) == "does not exist below ATTACHMENT_ROOT"


def test_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    """The root itself is the settings' own affair."""
    (tmp_path / "link").symlink_to(root)

    assert read(tmp_path / "link", "2024/a.pdf").data == b"%PDF"
    assert read(tmp_path / "link", f"{tmp_path}/link/2024/a.pdf").data == b"%PDF"


@pytest.mark.parametrize("swapped", ["2024", "2024/a.pdf"])
def test_a_link_that_appears_too_late(
    root: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    """A link put in place between the check and the opening is not followed."""
    resolve = local_files._names
    (root.parent / "a.pdf").write_bytes(b"secret")

    def names(*given: object) -> list[str]:
        found = resolve(*given)  # type: ignore[arg-type]
        (root / swapped).rename(root / "moved")
        (root / swapped).symlink_to(root.parent if swapped == "2024" else root.parent / "secret")
        return found

    monkeypatch.setattr(local_files, "_names", names)

    assert fault(root, "2024/a.pdf") == "does not exist below ATTACHMENT_ROOT"


def test_regular_files_only(root: Path) -> None:
    """A directory, a named pipe or a socket is no attachment, and nothing waits for them."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket"))

        for path in ("2024", "pipe", "socket"):
            assert fault(root, path) == "is no regular file"


def test_size(root: Path) -> None:
    """A file of more bytes than are left is not read."""
    (root / "big").write_bytes(bytes(101))
    os.truncate(root / "big", 2**40)

    assert read(root, "2024/a.pdf", limit=4).data == b"%PDF"
    expected = "has more than the 100 bytes that MAX_MESSAGE_BYTES leaves for it"
    assert fault(root, "big") == expected
    assert read(root, "2024/a.pdf", limit=4).data == b"%PDF"


def test_a_growing_file() -> None:
    """A file that says it is empty (as those of /proc do) is still bounded."""
    with pytest.raises(Unobtainable, match="has more than the 10 bytes"):
        read(Path("/proc/self"), "status", limit=10)


def test_root_of_links_in_a_circle(tmp_path: Path) -> None:
    """The same: no internal error."""
    (tmp_path / "root").symlink_to("root")

    with pytest.raises(Transient, match=r"^ATTACHMENT_ROOT cannot be opened: Too many levels"):
        read(tmp_path / "root", "a")


def test_missing_root(tmp_path: Path) -> None:
    """A root that is not there is the machine's fault: a later attempt may work."""
    with pytest.raises(Transient, match=r"^ATTACHMENT_ROOT cannot be opened: No such file"):
        read(tmp_path / "no", "a")


def test_nothing_stays_open(root: Path) -> None:
    """No descriptor is left, whatever happens."""
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))

    read(root, "2024/a.pdf")
    for path in ("2024", "2024/no", "../secret"):
        fault(root, path)

    assert len(list(descriptors.iterdir())) == before


def test_a_file_system_that_hangs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail waits for another attempt; no thread of the worker waits for ever."""
    go_on, content = threading.Event(), local_files._content
    monkeypatch.setattr(local_files, "_content", lambda *both: go_on.wait(30) and content(*both))
    files = LocalFiles(root)

    with pytest.raises(Transient, match="cannot be read: ATTACHMENT_ROOT does not answer"):
        files.read_until(time.monotonic() + 0.05, "2024/a.pdf", 100)

    go_on.set()
    assert files.read_until(time.monotonic() + 30, "2024/a.pdf", 100).data == b"%PDF"
