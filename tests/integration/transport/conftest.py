"""A server to send to, and a certificate authority."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import pytest
import trustme

from tasks.transport import SmtpTransport
from tests.support.sink import Sink
from tests.support.smtp import transport_to


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A server that takes every mail, until its script is changed."""
    with Sink() as sink:
        yield sink


@pytest.fixture
def transport(sink: Sink) -> Iterator[SmtpTransport]:
    """A transport to `sink`."""
    with transport_to(sink.uri) as transport:
        yield transport


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of the tests."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca(authority: trustme.CA) -> str:
    """The authority's certificate in PEM, as TLS_OPTIONS takes it."""
    return authority.cert_pem.bytes().decode()


@pytest.fixture
def certified(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """Make the TLS context of a server of some name."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make
