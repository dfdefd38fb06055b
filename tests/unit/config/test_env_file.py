from __future__ import annotations

from pathlib import Path

from config import env_file
from tests.unit.config.conftest import NEEDED, Problems, Read


def test_env_file_is_read(read: Read, directory: Path) -> None:
    """`.env` in the working directory gives what the environment does not."""
    directory.joinpath(".env").write_text("BATCH_SIZE=7\nexport MAIL_COLLECTION='post'\n")

    ours = read()

    assert (ours.batch_size, ours.mail_collection) == (7, "post")


def test_environment_wins(read: Read, directory: Path) -> None:
    """A variable of the environment beats the line in `.env`."""
    directory.joinpath(".env").write_text("BATCH_SIZE=7\n")

    assert read(BATCH_SIZE="8").batch_size == 8


def test_broken_line(problems: Problems, directory: Path) -> None:
    """A line that cannot be read is named by its number, without its content."""
    directory.joinpath(".env").write_text("BATCH_SIZE=7\nSMTP_PASSWORD='secret\nA=1\nLONELY\n")

    lines = problems()

    assert lines[0].startswith(".env, line 2: is not NAME=value")
    assert lines[-1].startswith(".env, line 4: ")
    assert "secret" not in "".join(lines)


def test_wrong_encoding(problems: Problems, directory: Path) -> None:
    """A file that is not UTF-8 is refused with a reason."""
    directory.joinpath(".env").write_bytes("DEFAULT_FROM=Jürgen <j@example.com>".encode("latin-1"))

    assert problems() == [".env: cannot be read: it is not UTF-8"]


def test_directory_in_its_place(problems: Problems, directory: Path) -> None:
    """Docker makes a directory of a bind mount whose file is missing."""
    directory.joinpath(".env").mkdir()

    assert problems() == [".env: cannot be read: Is a directory"]


def test_sources(read: Read, directory: Path) -> None:
    """For each setting we know where it came from."""
    directory.joinpath(".env").write_text("BATCH_SIZE=7\nLOG_LEVEL=DEBUG\nQUEUE_LIMIT=\n")
    read(LOG_LEVEL="INFO")

    assert env_file.source("LOG_LEVEL") == "environment"
    assert env_file.source("BATCH_SIZE") == ".env"
    assert env_file.source("QUEUE_LIMIT") == "default"
    assert {env_file.source(name) for name in NEEDED} == {"environment"}
