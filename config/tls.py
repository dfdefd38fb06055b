"""TLS_OPTIONS: how the SMTP server's certificate is checked.

The names are Node's, as in the Firebase extension.
"""

from __future__ import annotations

import ssl
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from config.hosts import is_name


_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class TlsOptions(BaseModel):
    """JSON map; an unknown key is an error, so that a typing mistake never weakens the check."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)

    reject_unauthorized: bool = Field(default=True, alias="rejectUnauthorized")
    #: PEM text or the path of a PEM file; replaces the system's authorities.
    ca: str | None = None
    min_version: Literal["TLSv1.2", "TLSv1.3"] = Field(default="TLSv1.2", alias="minVersion")
    #: The name the certificate must carry; None: the host of the URI.
    servername: str | None = None

    @field_validator("ca")
    @classmethod
    def _readable(cls, ca: str | None) -> str | None:
        """Find out at start, not at the first mail."""
        if ca is not None:
            try:
                _trusting(ca)
            except ssl.SSLError:
                raise ValueError("holds no certificate that can be read as PEM") from None
            except OSError as error:
                raise ValueError(f"is a file that cannot be read: {error.strerror}") from None
        return ca

    @field_validator("servername")
    @classmethod
    def _usable(cls, servername: str | None) -> str | None:
        if servername is not None and not is_name(servername):
            raise ValueError("is no host name")
        return servername

    def context(self) -> ssl.SSLContext:
        """Make the context for every connection; raises OSError or ssl.SSLError for a bad `ca`."""
        context = _trusting(self.ca)
        context.minimum_version = _VERSIONS[self.min_version]
        if not self.reject_unauthorized:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _trusting(ca: str | None) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    if "-----BEGIN" in ca:
        return ssl.create_default_context(cadata=ca)
    return ssl.create_default_context(cafile=ca)
