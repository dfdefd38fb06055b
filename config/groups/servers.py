"""Who takes the mails: an SMTP server, with a password or with OAuth2, or SendGrid."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from config import oauth2, sendgrid, smtp, transports
from config.fields import ApiUrl, HostName, TlsOptionsJson
from config.tls import TlsOptions


class Servers(BaseModel):
    """AUTH_TYPE to TRANSPORT_FALLBACK; see `config.named_transports` for those of a name."""

    auth_type: Literal["UsernamePassword", "OAuth2"] = Field(
        default="UsernamePassword", examples=["UsernamePassword"]
    )
    smtp_password: SecretStr | None = None
    sendgrid_api_key: SecretStr | None = None
    sendgrid_api_url: ApiUrl = Field(
        default=sendgrid.API_URL, examples=["https://api.eu.sendgrid.com"]
    )
    #: Empty: not set, which AUTH_TYPE=OAuth2 and SENDGRID_API_KEY allow.
    smtp_connection_uri: SecretStr = Field(
        default=SecretStr(""), validate_default=True, examples=[smtp.EXAMPLE]
    )
    tls_options: TlsOptionsJson = Field(
        default=TlsOptions(), examples=['{"minVersion": "TLSv1.3", "ca": "/etc/ssl/ours.pem"}']
    )

    # The SMTP server of AUTH_TYPE=OAuth2, and where its access tokens come from.
    oauth_host: HostName | None = Field(
        default=None, validate_default=True, examples=["smtp.gmail.com"]
    )
    oauth_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=465, examples=["465"])
    oauth_secure: bool = Field(default=True, examples=["true"])
    oauth_user: str | None = Field(
        default=None, validate_default=True, examples=["shop@example.com"]
    )
    client_id: str | None = Field(
        default=None, validate_default=True, examples=["1234.apps.googleusercontent.com"]
    )
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = Field(default=None, validate_default=True)
    token_url: str | None = Field(default=None, validate_default=True, examples=["google"])

    #: Names of further transports, which take mails when the server of one is away.
    transport_fallback: str | None = Field(default=None, examples=["default"])

    @field_validator("smtp_connection_uri")
    @classmethod
    def _smtp_uri_is_whole(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("auth_type") != "OAuth2":
            if not value.get_secret_value():
                if info.data.get("sendgrid_api_key") is not None:
                    return value
                raise PydanticKnownError("missing")
            transports.parse(value, info.data.get("smtp_password"))
        return value

    @field_validator("sendgrid_api_key")
    @classmethod
    def _key_is_one(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            smtp.check_key(value.get_secret_value())
        return value

    @field_validator("oauth_host", "oauth_user", "client_id", "refresh_token")
    @classmethod
    def _needed_for_oauth2(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.data.get("auth_type") == "OAuth2":
            raise ValueError("is needed with AUTH_TYPE=OAuth2")
        return value

    @field_validator("token_url")
    @classmethod
    def _token_url_is_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        host = info.data.get("oauth_host")
        if info.data.get("auth_type") == "OAuth2" and host is not None:
            oauth2.token_url(value, host)
        return value
