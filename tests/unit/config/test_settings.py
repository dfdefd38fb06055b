from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from config import settings
from config.settings import Settings
from tests.unit.config.conftest import NEEDED, Problems, Read


def test_needed_settings_are_enough(read: Read) -> None:
    """Four variables are needed; everything else has a default."""
    ours = read()

    assert ours.mail_collection == "mail"
    assert ours.database == "mailtrigger"
    assert ours.lease_seconds == 60
    assert ours.ttl is None


def test_every_missing_variable_has_its_line(problems: Problems) -> None:
    """All missing variables are named at once, each with an example."""
    lines = problems(**dict.fromkeys(NEEDED, ""))

    assert [line.split(":")[0] for line in lines] == list(NEEDED)
    assert all("is missing. Example: " in line for line in lines)


def test_examples_are_valid(read: Read) -> None:
    """The example in an error can be used as it stands."""
    for name, field in Settings.model_fields.items():
        for example in field.examples or []:
            value = str(example)
            if name == "tls_options":
                value = '{"minVersion": "TLSv1.3"}'  # its file is not here
            password = "secret" if name == "smtp_connection_uri" else ""
            read(**{"SMTP_PASSWORD": password, name.upper(): value})


def test_similar_name_is_offered(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets SMTP_CONNECTION_URL is told that it is called SMTP_CONNECTION_URI."""
    monkeypatch.setenv("SMTP_CONNECTION_URL", "smtp://user:secret@example.com")

    [line] = problems(SMTP_CONNECTION_URI="")

    assert "did you mean SMTP_CONNECTION_URI?" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("BATCH_SIZE", "many", "must be a whole number"),
        ("BATCH_SIZE", "0", "must be at least 1"),
        ("LEASE_SECONDS", "4", "must be at least 5"),
        ("LEASE_SECONDS", "nan", "must be at"),
        ("SMTP_TIMEOUT_SECONDS", "0", "must be more than 0"),
        ("SMTP_IDLE_SECONDS", "inf", "must be a finite number"),
        ("TTL_EXPIRE_TYPE", "months", "must be never, hour, day, week, month or year"),
        ("LEASE_EXPIRED", "ignore", "must be error or retry"),
        ("LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING or ERROR"),
        ("WORKER_POOL", "gevent", "must be threads, prefork or solo; gevent is not offered"),
        ("BROKER_PREFIX", "a*b", "must match"),
        ("MAIL_COLLECTION", "system.mail", "must not begin with system."),
        ("MAIL_COLLECTION", "mail.watcher", "must not end with .watcher"),
        ("MAIL_COLLECTION", "ma$il", "must not hold $"),
        ("MONGODB_DATABASE", "local", "which is the server's own database"),
        ("MONGODB_DATABASE", "a.b", "must not hold"),
        ("DEFAULT_FROM", "nobody", "it has no @"),
        ("RATE_LIMIT", "14", "must be a number of mails per second, minute, hour or day"),
        ("RATE_LIMIT_DOMAINS", "a=1/second,b", "must be domain=rate"),
        ("CIRCUIT_FAILURES", "-1", "must be at least 0"),
        ("TLS_OPTIONS", "{", "is not JSON"),
        ("TLS_OPTIONS", "[]", "must be a JSON map"),
        ("TLS_OPTIONS", '{"rejectUnauthorised": false}', "rejectUnauthorised is not a known key"),
        ("TLS_OPTIONS", '{"rejectUnauthorized": "no"}', "rejectUnauthorized must be true or false"),
        ("TLS_OPTIONS", '{"ca": "/nowhere.pem"}', "ca is a file that cannot be read: No such file"),
    ],
)
def test_wrong_value_is_explained(
    problems: Problems, variable: str, value: str, words: str
) -> None:
    """One line says which variable is wrong, and why."""
    [line] = problems(**{variable: value})

    assert line.startswith(f"{variable}: ")
    assert words in line


def test_many_problems_are_told_at_once(problems: Problems) -> None:
    """Nobody has to start the process once for each of his mistakes."""
    lines = problems(BATCH_SIZE="x", LEASE_SECONDS="1", DEFAULT_FROM="")

    assert sorted(line.split(":")[0] for line in lines) == [
        "BATCH_SIZE",
        "DEFAULT_FROM",
        "LEASE_SECONDS",
    ]


def test_no_problem_tells_a_secret(problems: Problems) -> None:
    """Passwords stay out of the lines, whichever way the URI is broken."""
    lines = problems(
        MONGODB_URI="mongodb://user:sec/ret@host",
        CELERY_BROKER_URL="redis://:sec/ret@host/0",
        SMTP_CONNECTION_URI="smtp://user:sec?ret@host",
        TLS_OPTIONS="sec ret",
        BATCH_SIZE="secret",
    )

    assert len(lines) == 5
    assert not [line for line in lines if "sec" in line or "ret@" in line]


def test_secrets_are_not_in_the_repr(read: Read) -> None:
    """Printing the settings, by mistake or in a traceback, gives nothing away."""
    ours = read(
        MONGODB_URI="mongodb://user:hidden1@host/",
        CELERY_BROKER_URL="redis://:hidden2@host/0",
        SMTP_CONNECTION_URI="smtp://user:hidden3@host",
        SMTP_PASSWORD="hidden4",
    )

    assert "hidden" not in repr(ours) + str(ours) + repr(ours.smtp_server)


def test_settings_cannot_be_changed(read: Read) -> None:
    """One object, the same for everybody, as long as the process lives."""
    ours = read()

    with pytest.raises(ValidationError):
        ours.batch_size = 1  # type: ignore[misc]
    assert settings.load() is ours


@pytest.mark.parametrize(
    ("uri", "variable", "expected"),
    [
        ("mongodb://host/", "", "mailtrigger"),
        ("mongodb://host/shop", "", "shop"),
        ("mongodb://host/shop", "post", "post"),
        ("mongodb+srv://user:pw@cluster.example.net/shop?retryWrites=true", "", "shop"),
        ("mongodb://host/admin", "post", "post"),
    ],
)
def test_database(read: Read, uri: str, variable: str, expected: str) -> None:
    """MONGODB_DATABASE beats the URI, which beats the default; DNS is not asked."""
    assert read(MONGODB_URI=uri, MONGODB_DATABASE=variable).database == expected


def test_servers_own_database_in_the_uri(problems: Problems) -> None:
    """A URI that ends in /admin, for the sake of authSource, does not put the mails there."""
    [line] = problems(MONGODB_URI="mongodb://user:pw@host/admin")

    assert line.startswith("MONGODB_DATABASE: is needed")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("never", 7, None),
        ("hour", 2, timedelta(hours=2)),
        ("day", 1, timedelta(days=1)),
        ("week", 2, timedelta(days=14)),
        ("month", 3, timedelta(days=90)),
        ("year", 1, timedelta(days=365)),
    ],
)
def test_ttl(read: Read, kind: str, value: int, expected: timedelta | None) -> None:
    """TTL_EXPIRE_TYPE times TTL_EXPIRE_VALUE; a month is 30 days, a year 365."""
    assert read(TTL_EXPIRE_TYPE=kind, TTL_EXPIRE_VALUE=str(value)).ttl == expected


def test_ttl_is_bounded(problems: Problems) -> None:
    """No date is computed that MongoDB or Python cannot hold."""
    assert problems(TTL_EXPIRE_TYPE="year", TTL_EXPIRE_VALUE="101")[0].startswith("TTL_EXPIRE_VAL")


def test_smtp_timeout_follows_the_lease(read: Read) -> None:
    """Unset, it is a third of the lease, at most 20 s."""
    assert read().smtp_timeout_seconds == 20
    assert read(LEASE_SECONDS="15").smtp_timeout_seconds == 5
    assert read(LEASE_SECONDS="600").smtp_timeout_seconds == 20


def test_smtp_timeout_is_below_the_lease(problems: Problems) -> None:
    """One reply may not take longer than the worker holds the mail."""
    [line] = problems(LEASE_SECONDS="30", SMTP_TIMEOUT_SECONDS="30")

    assert "must be less than LEASE_SECONDS (30)" in line


def test_log_level_in_any_case(read: Read) -> None:
    """LOG_LEVEL=info is understood."""
    assert read(LOG_LEVEL="info").log_level == "INFO"


def test_exit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A process with bad settings prints the lines to stderr and leaves with 78 (EX_CONFIG)."""
    for name in NEEDED:
        monkeypatch.setenv(name, "")

    with pytest.raises(SystemExit) as left:
        settings.load_or_exit()

    assert left.value.code == 78
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == len(NEEDED)
