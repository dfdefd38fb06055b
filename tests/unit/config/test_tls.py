from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from config.tls import TlsOptions


def test_default_checks_the_certificate() -> None:
    """Without options: TLS 1.2 or later, the certificate and its name checked."""
    context = TlsOptions().context()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_reject_unauthorized_false() -> None:
    """The check is off only when it is switched off by name."""
    context = TlsOptions.model_validate({"rejectUnauthorized": False}).context()

    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


@pytest.mark.parametrize("as_file", [True, False])
def test_ca_replaces_the_systems(tmp_path: Path, as_file: bool) -> None:  # noqa: FBT001
    """`ca`, as PEM text or as a file, is the only authority trusted then."""
    pem = trustme.CA().cert_pem.bytes().decode()
    file = tmp_path / "ca.pem"
    file.write_text(f"# Our own authority, für uns\n{pem}", encoding="utf-8")

    context = TlsOptions(ca=str(file) if as_file else pem, min_version="TLSv1.3").context()

    assert len(context.get_ca_certs()) == 1
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_ca_without_a_certificate(tmp_path: Path) -> None:
    """A file that holds something else is found at start, not at the first mail."""
    file = tmp_path / "ca.pem"
    file.write_text("nothing")

    with pytest.raises(ValidationError, match="holds no certificate"):
        TlsOptions(ca=str(file))


@pytest.mark.parametrize("name", ["", ".example.com", "a..b"])
def test_servername_that_is_none(name: str) -> None:
    """A name no certificate can carry is refused at start."""
    with pytest.raises(ValidationError, match="is no host name"):
        TlsOptions(servername=name)
