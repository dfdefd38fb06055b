"""The environment file of Firebase's extension → ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from config.firebase import parameters
from config.firebase.translate import translate
from config.settings import Settings


ROOT = Path(__file__).parents[3]
#: As `firebase ext:install` writes it, every parameter of version 0.2.8.
WHOLE = """\
ALLOWED_EVENT_TYPES=firebase.extensions.firestore-send-email.v1.onError
AUTH_TYPE=UsernamePassword
DATABASE=(default)
DATABASE_REGION=eur3
DEFAULT_FROM=Shop, Berlin <shop@example.com>
DEFAULT_REPLY_TO=help@example.com
EVENTARC_CHANNEL=projects/p/locations/us-west1/channels/firebase
MAIL_COLLECTION=mail
OAUTH_PORT=465
OAUTH_SECURE=true
SMTP_CONNECTION_URI=smtps://shop@gmail.com@smtp.gmail.com:465
SMTP_PASSWORD=projects/${param:PROJECT_NUMBER}/secrets/firestore-send-email-SMTP_PASSWORD/versions/2
TEMPLATES_COLLECTION=templates
TLS_OPTIONS={"rejectUnauthorized":false}
TTL_EXPIRE_TYPE=day
TTL_EXPIRE_VALUE=7
USERS_COLLECTION=users
firebaseextensions.v1beta.v2function/location=us-central1
"""
OAUTH2 = """\
AUTH_TYPE=OAuth2
HOST=smtp.gmail.com
USER=shop@gmail.com
OAUTH_PORT=587
OAUTH_SECURE=false
CLIENT_ID=1234.apps.googleusercontent.com
CLIENT_SECRET=projects/p/secrets/ext-CLIENT_SECRET/versions/1
REFRESH_TOKEN=1//token
SMTP_CONNECTION_URI=
DEFAULT_FROM=shop@gmail.com
MAIL_COLLECTION=mail
"""


def result(text: str, tmp_path: Path) -> tuple[dict[str, str | None], list[str], Path]:
    """What the written file says, what was remarked, and the file."""
    draft = translate(parameters.read(text).values)
    file = tmp_path / ".env"
    file.write_text("\n".join(draft.lines) + "\n", encoding="utf-8")
    return dotenv_values(file), draft.remarks, file


def written(tmp_path: Path, **given: str) -> tuple[dict[str, str | None], list[str]]:
    lines = "".join(f"{name}={value}\n" for name, value in given.items())
    values, remarks, _ = result(lines, tmp_path)
    return values, remarks


def test_every_parameter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our settings accept the file, once the secret is there; nothing is passed over in silence."""
    values, remarks, file = result(WHOLE, tmp_path)
    monkeypatch.setenv("SMTP_PASSWORD", "secret")

    settings = Settings(_env_file=file)

    assert settings.smtp_server.username == "shop@gmail.com"
    assert (settings.smtp_server.host, settings.smtp_server.port) == ("smtp.gmail.com", 465)
    assert settings.default_from == '"Shop, Berlin" <shop@example.com>'
    assert settings.default_reply_to == "help@example.com"
    assert (settings.mail_collection, settings.users_collection) == ("mail", "users")
    assert not settings.tls_options.reject_unauthorized
    assert (settings.ttl_expire_type, settings.ttl_expire_value) == ("day", 7)
    assert values["TEMPLATES_COLLECTION"] == "templates"
    assert (
        "# gcloud secrets versions access 2 --secret=firestore-send-email-SMTP_PASSWORD"
        in file.read_text()
    )
    assert [remark.partition(":")[0] for remark in remarks] == [
        "MONGODB_URI, CELERY_BROKER_URL",
        "SMTP_PASSWORD",
        "TTL_EXPIRE_TYPE",
        "ALLOWED_EVENT_TYPES",
        "DATABASE_REGION",
        "EVENTARC_CHANNEL",
        "firebaseextensions.v1beta.v2function/location",
    ]


def test_oauth2(tmp_path: Path) -> None:
    """HOST and USER have other names here."""
    values, remarks, file = result(OAUTH2, tmp_path)

    assert {name: value for name, value in values.items() if "_URI" not in name} == {
        "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
        "AUTH_TYPE": "OAuth2",
        "OAUTH_HOST": "smtp.gmail.com",
        "OAUTH_USER": "shop@gmail.com",
        "OAUTH_PORT": "587",
        "OAUTH_SECURE": "false",
        "CLIENT_ID": "1234.apps.googleusercontent.com",
        "CLIENT_SECRET": "",
        "REFRESH_TOKEN": "1//token",
        "MAIL_COLLECTION": "mail",
        "DEFAULT_FROM": "shop@gmail.com",
    }
    assert "--secret=ext-CLIENT_SECRET --project=p" in file.read_text()
    assert Settings(_env_file=file).smtp_server.host == "smtp.gmail.com"
    assert any(remark.startswith("HOST, USER: ") for remark in remarks)


@pytest.mark.parametrize(("host", "url"), [("mail.example.com", "google"), ("a.outlook.com", None)])
def test_token_endpoint(tmp_path: Path, host: str, url: str | None) -> None:
    """The extension asks Google's, whatever the host; we know those of two by their hosts."""
    values, _ = written(tmp_path, AUTH_TYPE="OAuth2", HOST=host)

    assert values.get("TOKEN_URL") == url


URIS: list[tuple[dict[str, str], dict[str, str | None], str]] = [
    ({"SMTP_CONNECTION_URI": "smtp://10.0.0.1:25"}, {}, ""),
    (
        {"SMTP_CONNECTION_URI": "smtps://me:p%40s@smtp.example.com:465"},
        {
            "SMTP_CONNECTION_URI": "smtps://me@smtp.example.com:465",
            "SMTP_PASSWORD": "p%40s",
        },
        "held the password",
    ),
    (
        {"SMTP_CONNECTION_URI": "smtps://me:old@smtp.example.com:465", "SMTP_PASSWORD": "it's new"},
        {"SMTP_PASSWORD": "it's new"},
        "held the password",
    ),
    (
        {"SMTP_CONNECTION_URI": "smtps://smtp.sendgrid.net:465", "SMTP_PASSWORD": "SG.key"},
        {"SMTP_CONNECTION_URI": "smtps://apikey@smtp.sendgrid.net:465", "SMTP_PASSWORD": "SG.key"},
        "apikey",
    ),
    (
        {"SMTP_CONNECTION_URI": "smtps://me@smtp.office365.com:465", "SMTP_PASSWORD": "x"},
        {"SMTP_CONNECTION_URI": "smtp://me@smtp.office365.com:587"},
        "the extension used smtp-mail.outlook.com:587",
    ),
    (
        {
            "SMTP_CONNECTION_URI": "smtp://me@h.example:587?pool=true&requireTLS=true&name=c",
            "SMTP_PASSWORD": "x",
        },
        {"SMTP_CONNECTION_URI": "smtp://me@h.example:587?requireTLS=true&name=c"},
        "its option pool has no counterpart",
    ),
    (
        {
            "SMTP_CONNECTION_URI": "smtp://me@h.example:587?tls.rejectUnauthorized=false",
            "SMTP_PASSWORD": "x",
        },
        {"TLS_OPTIONS": '{"rejectUnauthorized": false}'},
        "in clear",
    ),
    (
        {"SMTP_CONNECTION_URI": "smtp://me@h.example:587?requireTLS=false", "SMTP_PASSWORD": "x"},
        {"SMTP_CONNECTION_URI": "smtp://me@h.example:587"},
        "its option requireTLS",
    ),
    ({"SMTP_PASSWORD": "x"}, {"SMTP_PASSWORD": None}, "without a user"),
    (
        {"TLS_OPTIONS": '{"ciphers": "SSLv3", "minVersion": "TLSv1.3"}'},
        {"TLS_OPTIONS": '{"minVersion": "TLSv1.3"}'},
        "ciphers has no counterpart",
    ),
    ({"TLS_OPTIONS": "{rejectUnauthorized: true}"}, {"TLS_OPTIONS": None}, "checks no certificate"),
    ({"MAIL_COLLECTION": "shops/a/mail"}, {"MAIL_COLLECTION": "shops.a.mail"}, "below documents"),
    ({"DATABASE": "second"}, {"MONGODB_DATABASE": "second"}, ""),
    ({"TTL_EXPIRE_TYPE": "never", "TTL_EXPIRE_VALUE": "1"}, {"TTL_EXPIRE_TYPE": None}, ""),
    ({"TESTING": "true"}, {}, "TESTING: is no parameter"),
]


@pytest.mark.parametrize(("given", "wanted", "remark"), URIS)
def test_what_differs(
    tmp_path: Path, given: dict[str, str], wanted: dict[str, str | None], remark: str
) -> None:
    """It means here what it meant there, and where it cannot, that is said."""
    needed = {"SMTP_CONNECTION_URI": "smtp://h.example:25", "DEFAULT_FROM": "a@example.com"}

    values, remarks = written(tmp_path, **{**needed, **given})

    assert {name: values.get(name) for name in wanted} == wanted
    assert any(remark in each for each in remarks)
    assert Settings(_env_file=tmp_path / ".env")


@pytest.mark.parametrize(
    "secret", ["plain", "it's", 'a "b" \\ c', "a#b c", "$a $(b)", "back\\", " edges "]
)
def test_values_survive(tmp_path: Path, secret: str) -> None:
    """Whatever a password holds; the file is read as our settings read theirs."""
    draft = translate({"SMTP_CONNECTION_URI": "smtps://me@h.example:465", "SMTP_PASSWORD": secret})
    file = tmp_path / ".env"
    file.write_text("\n".join(draft.lines), encoding="utf-8")

    assert dotenv_values(file)["SMTP_PASSWORD"] == secret


def test_what_no_env_file_can_hold() -> None:
    """python-dotenv takes ${ for a variable: the value is left to the environment."""
    draft = translate({"SMTP_CONNECTION_URI": "smtps://me@h.example:465", "SMTP_PASSWORD": "a${b}"})

    assert not any(line.startswith("SMTP_PASSWORD=") for line in draft.lines)
    assert any(remark.startswith("SMTP_PASSWORD: has ${ in it") for remark in draft.remarks)


def test_the_file_is_read_as_firebase_reads_it() -> None:
    """Quotes, comments and lines that are none."""
    found = parameters.read(
        "# a comment\r\nA = 1 # of no interest\nB='x # y'\n"
        'C="two\\nlines"\nD=\n  E=a b  \nnothing\nF="over\nlines"\nG=a#b\nH/i.j=1'
    )

    assert found.values == {
        "A": "1",
        "B": "x # y",
        "C": "two\nlines",
        "D": "",
        "E": "a b",
        "F": "over\nlines",
        "G": "a",
        "H/i.j": "1",
    }
    assert found.unread == [7]
    assert found.cut == ["A", "G"]


def test_the_command(tmp_path: Path) -> None:
    """The file on stdout, the remarks on stderr; settings of ours are not needed."""
    file = tmp_path / "firestore-send-email.env"
    file.write_text(WHOLE + "nonsense\n")

    ended, missing = (_run(tmp_path, name) for name in (file.name, "missing.env"))

    assert ended.returncode == 0
    assert "SMTP_CONNECTION_URI=smtps://shop%40gmail.com@smtp.gmail.com:465\n" in ended.stdout
    assert "line 19: is not NAME=value: left out\n" in ended.stderr
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "missing.env: No such file or directory\n"


def _run(directory: Path, name: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "config", "import-firebase", name],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
