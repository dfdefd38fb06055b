from __future__ import annotations

from config import show
from config.settings import Settings
from tests.unit.config.conftest import Read


def test_every_setting_is_shown_without_its_secrets(read: Read) -> None:
    """What is printed can be pasted into a public bug report."""
    ours = read(
        MONGODB_URI="mongodb://user:hidden@host/shop",
        CELERY_BROKER_URL="redis://:hidden@host/0",
        SMTP_CONNECTION_URI="smtp://user:hidden@host",
        SMTP_PASSWORD="hidden",
        SENDGRID_API_KEY="hidden",
        CLIENT_SECRET="hidden",
        REFRESH_TOKEN="hidden",
        TLS_OPTIONS='{"minVersion": "TLSv1.3"}',
        LEASE_SECONDS="30",
    )

    rows = {row.variable: row for row in show.rows(ours)}

    assert list(rows) == [name.upper() for name in Settings.model_fields]
    assert not [row for row in rows.values() if "hidden" in row.value]
    assert rows["MONGODB_URI"].value == "mongodb://user:***@host/shop"
    assert rows["MONGODB_DATABASE"].value == "shop"
    assert rows["TLS_OPTIONS"].value == '{"minVersion":"TLSv1.3"}'
    assert (rows["LEASE_SECONDS"].value, rows["LEASE_SECONDS"].source) == ("30", "environment")
    assert rows["BATCH_SIZE"].source == "default"
