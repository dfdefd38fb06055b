"""Settings → the ways mails can go out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from config import oauth2, sendgrid, smtp
from config.named_transports import DEFAULT, SENDGRID, TransportSettings
from config.sendgrid import SendGridApi
from config.smtp import SmtpServer


if TYPE_CHECKING:
    from config.settings import Settings


def all_of(settings: Settings) -> list[TransportSettings]:
    """Give all of them, the default one first."""
    server = smtp_server(settings)
    default: SmtpServer | SendGridApi = sendgrid.api_of(server, settings.sendgrid_api_url) or server
    found = []
    if key := settings.sendgrid_api_key:
        api = SendGridApi(settings.sendgrid_api_url, key.get_secret_value())
        if _names_no_server(settings):
            default = api
        else:
            found.append(
                TransportSettings(
                    SENDGRID,
                    api,
                    settings.tls_options,
                    settings.default_from,
                    rate_limit_domains=settings.rate_limit_domains,
                )
            )
    first = TransportSettings(
        DEFAULT,
        default,
        settings.tls_options,
        settings.default_from,
        settings.rate_limit,
        settings.rate_limit_domains,
    )
    named = (each.settings(name, settings) for name, each in settings.named.items())
    return [first, *found, *named]


def smtp_server(settings: Settings) -> SmtpServer:
    """Take SMTP_CONNECTION_URI and SMTP_PASSWORD apart; or OAUTH_HOST and its kin."""
    if settings.auth_type == "OAuth2":
        return _with_tokens(settings)
    if _names_no_server(settings):
        return parse(SecretStr(sendgrid.URI), settings.sendgrid_api_key)
    return parse(settings.smtp_connection_uri, settings.smtp_password)


def parse(uri: SecretStr, password: SecretStr | None) -> SmtpServer:
    """Take a URI and its password apart. Raises ValueError, without the secrets."""
    return smtp.parse(uri.get_secret_value(), _text(password) or None)


def _names_no_server(settings: Settings) -> bool:
    return settings.auth_type != "OAuth2" and not settings.smtp_connection_uri.get_secret_value()


def _with_tokens(settings: Settings) -> SmtpServer:
    # The settings were checked: what is needed is there.
    host = settings.oauth_host or ""
    client = oauth2.OAuth2Client(
        token_url=oauth2.token_url(settings.token_url, host),
        client_id=settings.client_id or "",
        client_secret=_text(settings.client_secret) or None,
        refresh_token=_text(settings.refresh_token),
    )
    return smtp.with_tokens(
        host,
        settings.oauth_port,
        secure=settings.oauth_secure,
        user=settings.oauth_user or "",
        client=client,
    )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
