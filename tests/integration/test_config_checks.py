"""`python -m config`'s questions, put to real servers."""

from __future__ import annotations

import base64
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr
from pymongo import MongoClient

from config import checks, env_file, named_transports
from config.checks import Finding, Level, attachments, broker, mongodb, smtp
from config.settings import Settings
from config.tls import TlsOptions
from local import mongo as local_mongo
from local import ports
from tests.support.application import eventually
from tests.support.sendgrid import KEY, Reply, SendGrid
from tests.support.sink import Script, Sink
from tests.support.token_endpoint import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TokenEndpoint
from tests.support.token_smtp import USER, TokenServer, serving


_SECRET = ("mongodb_uri", "celery_broker_url", "smtp_connection_uri", "smtp_password")
NOBODY = 1  # a port on which nobody listens


def _changed(settings: Settings, **values: Any) -> Settings:
    secret = {
        name: SecretStr(value) if name in _SECRET else value for name, value in values.items()
    }
    return settings.model_copy(update=secret)


def _text(findings: list[Finding]) -> str:
    return "\n".join(str(finding) for finding in findings)


class _Server(Controller):
    """An SMTP server on a free port; knows one user."""

    def __init__(self, **options: Any) -> None:
        self._implicit: ssl.SSLContext | None = options.pop("ssl_context", None)
        super().__init__(
            object(),
            hostname="127.0.0.1",
            port=ports.free(),
            ssl_context=self._implicit,
            authenticator=self._authenticate,
            **options,
        )

    @staticmethod
    def _authenticate(_server: SMTP, _session: Any, _env: Any, _kind: str, data: Any) -> AuthResult:
        known = (data.login, data.password) == (b"me", b"right")
        return AuthResult(success=known, handled=known)


@contextmanager
def _serving(**options: Any) -> Iterator[int]:
    server = _Server(**options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the servers' certificates."""
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server with a certificate for mx.example.com."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("mx.example.com").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> TlsOptions:
    """TLS_OPTIONS that trust that certificate."""
    pem = authority.cert_pem.bytes().decode()
    return TlsOptions(ca=pem, servername="mx.example.com")


def test_everything_is_well(settings: Settings) -> None:
    """With servers that answer there is no failure, and each of the three is mentioned."""
    with _serving() as port:
        findings = checks.run(_changed(settings, smtp_connection_uri=f"smtp://127.0.0.1:{port}"))

    assert not [f for f in findings if f.level is Level.FAILED]
    assert {f.subject for f in findings} == {"MongoDB", "Broker", "SMTP server"}
    assert "replica set" in _text(findings)
    assert "can be read and watched" in _text(findings)


def test_a_root_that_can_be_read_from(settings: Settings, tmp_path: Path) -> None:
    """Mentioned when it is set."""
    [finding] = attachments.check(_changed(settings, attachment_root=str(tmp_path)))

    assert (finding.level, finding.text) == (Level.OK, f"{tmp_path} can be read from")
    assert attachments.check(_changed(settings, attachment_root=None)) == []


@pytest.mark.parametrize("name", ["absent", "file", "closed", "loop"])
def test_a_root_that_cannot(
    settings: Settings, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absent, no directory, or not this user's to enter: it fails, and says which."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "closed").mkdir(mode=0o600)
    (tmp_path / "loop").symlink_to("loop")
    if os.geteuid() == 0:  # whom no mode keeps out
        monkeypatch.setattr(os, "access", lambda path, *_, **__: bool(path.stat().st_mode & 0o100))

    [finding] = attachments.check(_changed(settings, attachment_root=str(tmp_path / name)))

    assert finding.level is Level.FAILED
    assert str(tmp_path / name) in finding.text
    said = {
        "absent": "no such file or directory",
        "file": "is no directory",
        "closed": "may not be entered",
        "loop": "ymbolic link",
    }
    assert said[name] in finding.text


def test_nobody_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server that does not answer fails for itself, with what to do, without a password."""
    monkeypatch.setattr("config.checks.mongodb.TIMEOUT_SECONDS", 0.2)
    ours = _changed(
        settings,
        mongodb_uri=f"mongodb://u:hidden@127.0.0.1:{NOBODY}/",
        celery_broker_url=f"redis://:hidden@127.0.0.1:{NOBODY}/0",
        smtp_connection_uri=f"smtp://u:hidden@127.0.0.1:{NOBODY}",
    )

    findings = checks.run(ours)

    assert [f.level for f in findings] == [Level.FAILED] * 3
    assert all("does not answer" in f.text and f.advice for f in findings)
    assert "hidden" not in _text(findings)


@pytest.mark.parametrize("member", [False, True])
def test_lone_mongod_is_not_enough(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    member: bool,  # noqa: FBT001
) -> None:
    """A mongod outside a replica set, or in one not yet initiated: said, with the way out."""
    monkeypatch.setattr("config.checks.mongodb.TIMEOUT_SECONDS", 0.5)
    program = local_mongo.find_program()
    assert program is not None
    port = ports.free()
    server = local_mongo.member(
        program, port=port, directory=tmp_path / "data", log=tmp_path / "log"
    )
    if not member:
        place = server.command.index("--replSet")
        server.command = [*server.command[:place], *server.command[place + 2 :]]
    server.start()
    try:
        findings = mongodb.check(_changed(settings, mongodb_uri=f"mongodb://127.0.0.1:{port}/"))
    finally:
        server.kill()

    [finding] = findings
    assert finding.level is Level.FAILED
    assert "rs.initiate()" in (finding.advice or "")


def test_mongodb_password(settings: Settings, mongodb_uri: str) -> None:
    """A refused password is told apart from a server that is not there."""
    uri = mongodb_uri.replace("mongodb://", "mongodb://nobody:hidden@")

    [finding] = mongodb.check(_changed(settings, mongodb_uri=uri))

    assert finding.text == "refused user or password"


def test_rights(settings: Settings, tmp_path: Path) -> None:
    """A user who may not watch the collection is told which role is lacking."""
    with _guarded_mongod(tmp_path) as admin:
        port = admin.address[1] if admin.address else 0
        uri = f"mongodb://mailer:pw@127.0.0.1:{port}/{settings.database}"
        ours = _changed(settings, mongodb_uri=uri)
        roles: list[dict[str, str]] = []
        admin[settings.database].command("createUser", "mailer", pwd="pw", roles=roles)
        before = mongodb.check(ours)
        roles = [{"role": "readWrite", "db": settings.database}]
        admin[settings.database].command("updateUser", "mailer", roles=roles)
        after = mongodb.check(ours)

    assert before[-1].advice == f"grant the user the role readWrite on {settings.database}"
    assert [finding.level for finding in after] == [Level.OK, Level.OK]


@contextmanager
def _guarded_mongod(directory: Path) -> Iterator[MongoClient[dict[str, Any]]]:
    """A replica set that asks for passwords, and its administrator."""
    program = local_mongo.find_program()
    assert program is not None
    key = directory / "key"
    key.write_text("onlymembersknowthis0")
    key.chmod(0o400)
    port = ports.free()
    server = local_mongo.member(
        program, port=port, directory=directory / "data", log=directory / "log"
    )
    server.command = [*server.command, "--auth", "--keyFile", str(key)]
    server.ready = lambda _: ports.accepts(port)
    server.start()
    try:
        # Until there is a user, whoever comes over loopback may do this much.
        with MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) as first:
            member = {"_id": 0, "host": f"127.0.0.1:{port}"}
            first.admin.command("replSetInitiate", {"_id": "mailtrigger", "members": [member]})
            eventually("a primary", lambda: first.admin.command("hello")["isWritablePrimary"])
            first.admin.command("createUser", "root", pwd="pw", roles=["root"])
        with MongoClient[dict[str, Any]](f"mongodb://root:pw@127.0.0.1:{port}/") as admin:
            yield admin
    finally:
        server.kill()


def test_broker_that_forgets(settings: Settings) -> None:
    """Eviction and a missing append-only file are warnings: mails go out all the same."""
    client = redis.Redis.from_url(settings.celery_broker_url.get_secret_value())
    before = str(client.config_get("maxmemory-policy")["maxmemory-policy"])
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        findings = broker.check(settings)
    finally:
        client.config_set("maxmemory-policy", before)
        client.close()

    assert "maxmemory-policy is allkeys-lru" in _text(findings)
    assert not [f for f in findings if f.level is Level.FAILED]


def test_broker_password(settings: Settings, broker_url: str) -> None:
    """A refused password is told apart from a server that is not there."""
    url = broker_url.replace("redis://", "redis://nobody:hidden@")

    [finding] = broker.check(_changed(settings, celery_broker_url=url))

    assert finding.text == "refused user or password"


@pytest.mark.parametrize(("password", "level"), [("right", Level.OK), ("wrong", Level.FAILED)])
def test_smtp_login(
    settings: Settings,
    server_tls: ssl.SSLContext,
    trusting: TlsOptions,
    password: str,
    level: Level,
) -> None:
    """The user is logged in over STARTTLS; a wrong password is found before the first mail."""
    with _serving(tls_context=server_tls) as port:
        ours = _changed(
            settings,
            smtp_connection_uri=f"smtp://me:{password}@127.0.0.1:{port}?requireTLS=true",
            tls_options=trusting,
        )
        findings = smtp.check(ours)

    assert [f.level for f in findings] == [Level.OK, Level.OK, level]
    assert "certificate good" in findings[1].text
    assert password not in _text(findings)


def test_smtp_server_that_repeats_the_password(settings: Settings) -> None:
    """It is not quoted: what the check prints may be pasted into a ticket."""
    said = base64.b64encode(b"\0me\0hidden-word").decode()
    script = Script(extensions=("AUTH PLAIN",), auth=f"535 5.5.2 Not understood: AUTH PLAIN {said}")
    with Sink(script=script) as sink:
        uri = sink.uri.replace("smtp://", "smtp://me:hidden-word@")
        findings = smtp.check(_changed(settings, smtp_connection_uri=uri))

    assert findings[-1].text == "refused user or password: its words hold the password"
    assert said not in _text(findings)


@pytest.mark.parametrize(
    ("options", "level", "words"),
    [
        ({}, Level.FAILED, "certificate that is not good"),
        ({"rejectUnauthorized": False}, Level.WARNING, "certificate not checked"),
    ],
)
def test_smtp_certificate(
    settings: Settings,
    server_tls: ssl.SSLContext,
    options: dict[str, Any],
    level: Level,
    words: str,
) -> None:
    """A certificate of an unknown authority fails, unless the check is switched off."""
    with _serving(tls_context=server_tls) as port:
        ours = _changed(
            settings,
            smtp_connection_uri=f"smtp://127.0.0.1:{port}?requireTLS=true",
            tls_options=TlsOptions.model_validate(options),
        )
        findings = smtp.check(ours)

    assert findings[-1].level is level
    assert words in findings[-1].text


@pytest.mark.parametrize(
    ("days", "level", "advice"), [(90, Level.OK, None), (9, Level.WARNING, "renew it")]
)
def test_smtp_certificate_that_ends_soon(
    settings: Settings,
    authority: trustme.CA,
    trusting: TlsOptions,
    days: int,
    level: Level,
    advice: str | None,
) -> None:
    """The day is named; three weeks before it is a warning."""
    end = datetime.now(UTC) + timedelta(days=days)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("mx.example.com", not_after=end).configure_cert(context)
    with _serving(tls_context=context) as port:
        uri = f"smtp://127.0.0.1:{port}?requireTLS=true"
        finding = smtp.check(_changed(settings, smtp_connection_uri=uri, tls_options=trusting))[1]

    assert finding.level is level
    assert f"certificate good until {end:%Y-%m-%d}" in finding.text
    assert (finding.advice is None) == (advice is None)


def test_smtp_tls_from_the_start(settings: Settings, trusting: TlsOptions) -> None:
    """smtps:// to a server that speaks plain SMTP fails with a hint at the two ports."""
    with _serving() as port:
        uri = f"smtps://127.0.0.1:{port}"
        [finding] = smtp.check(_changed(settings, smtp_connection_uri=uri, tls_options=trusting))

    assert finding.level is Level.FAILED
    assert "smtps:// in SMTP_CONNECTION_URI is for port 465" in (finding.advice or "")


def test_smtp_without_starttls(settings: Settings) -> None:
    """A server that lacks the STARTTLS we require is refused."""
    with _serving() as port:
        uri = f"smtp://127.0.0.1:{port}?requireTLS=true"
        findings = smtp.check(_changed(settings, smtp_connection_uri=uri))

    assert findings[-1].level is Level.FAILED
    assert "STARTTLS" in findings[-1].text


def test_silent_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and then says nothing ends in a time-out, not in a hang."""
    monkeypatch.setattr("config.checks.smtp.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        uri = f"smtp://127.0.0.1:{port}"
        [finding] = smtp.check(_changed(settings, smtp_connection_uri=uri))

    assert "does not answer" in finding.text


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_oauth2(settings: Settings, mechanism: str) -> None:
    """An access token is fetched and shown to the SMTP server; neither it nor a secret is told."""
    with TokenEndpoint() as endpoint, serving(TokenServer(endpoint, mechanism)) as port:
        findings = smtp.check(_with_tokens(settings, endpoint, port))

    assert [f.level for f in findings] == [Level.OK] * 4, _text(findings)
    assert "gives access tokens, good for 60 min" in _text(findings)
    assert "takes the access token for shop@example.com" in _text(findings)
    assert not [s for s in ("our-client-secret", "token-1") if s in _text(findings)]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_oauth2_refused(settings: Settings) -> None:
    """A revoked refresh token, a refused access token, a server without OAuth2: each is said."""
    with TokenEndpoint() as endpoint:
        server = TokenServer(endpoint)
        server.refuses_all = True
        with serving(server) as port:
            refused = smtp.check(_with_tokens(settings, endpoint, port))
            endpoint.refresh_token = "another"
            revoked = smtp.check(_with_tokens(settings, endpoint, port))
        endpoint.refresh_token = REFRESH_TOKEN
        with _serving() as port:
            lacking = smtp.check(_with_tokens(settings, endpoint, port))

    assert refused[-1].level is revoked[-1].level is lacking[-1].level is Level.FAILED
    assert "refused the access token: 535" in refused[-1].text
    assert "OAUTH_USER" in (refused[-1].advice or "")
    assert "does not accept REFRESH_TOKEN any more" in revoked[-1].text
    assert "lacks what is asked of it: AUTH XOAUTH2 or OAUTHBEARER" in lacking[-1].text


def test_named_servers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transport's server is asked, and named in what is found."""
    with _serving() as port:
        monkeypatch.setenv("SMTP_CONNECTION_URI_NEWS", f"smtp://127.0.0.1:{NOBODY}")
        monkeypatch.setenv("SMTP_CONNECTION_URI_OTHER", f"smtp://127.0.0.1:{port}")
        named, _ = named_transports.read(env_file.variables())
        ours = _changed(settings, smtp_connection_uri=f"smtp://127.0.0.1:{port}")
        ours._named.update(named)
        findings = smtp.check(ours)

    found = {finding.subject: finding for finding in findings}
    assert list(found) == ["SMTP server", "SMTP server news", "SMTP server other"]
    assert found["SMTP server news"].level is Level.FAILED
    assert "is SMTP_CONNECTION_URI_NEWS right" in (found["SMTP server news"].advice or "")
    assert found["SMTP server other"].level is found["SMTP server"].level is Level.OK


def test_sendgrid(settings: Settings) -> None:
    """SendGrid is asked what the key is good for; a wrong key, a wrong right, nobody there."""
    with SendGrid() as server:
        ours = _changed(settings, smtp_connection_uri="", sendgrid_api_url=server.url)
        good = smtp.check(ours.model_copy(update={"sendgrid_api_key": SecretStr(KEY)}))
        wrong = smtp.check(ours.model_copy(update={"sendgrid_api_key": SecretStr("SG.wrong")}))
        server.script = Reply(200, raw=b'{"scopes": ["mail.read"]}')
        reader = smtp.check(ours.model_copy(update={"sendgrid_api_key": SecretStr(KEY)}))
    gone = smtp.check(ours.model_copy(update={"sendgrid_api_key": SecretStr(KEY)}))

    assert _text(good) == f"✓ SendGrid: {server.api} answers, and the key may send"
    assert [each[0].level for each in (wrong, reader, gone)] == [Level.FAILED] * 3
    assert wrong[0].advice == "check SENDGRID_API_KEY"
    assert "Mail Send" in (reader[0].advice or "")
    assert "cannot be reached" in gone[0].text


def _with_tokens(settings: Settings, endpoint: TokenEndpoint, port: int) -> Settings:
    return settings.model_copy(
        update={
            "auth_type": "OAuth2",
            "oauth_host": "127.0.0.1",
            "oauth_port": port,
            "oauth_secure": False,
            "oauth_user": USER,
            "client_id": CLIENT_ID,
            "client_secret": SecretStr(CLIENT_SECRET),
            "refresh_token": SecretStr(REFRESH_TOKEN),
            "token_url": endpoint.url,
        }
    )
