"""Where things are: MongoDB and Redis."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from config import mongodb_uri
from config.fields import BrokerUrl, CollectionName, DatabaseName, KeyPrefix, MongoUri


_DEFAULT_DATABASE = "mailtrigger"


class Places(BaseModel):
    """MONGODB_URI to BROKER_PREFIX."""

    mongodb_uri: MongoUri = Field(examples=["mongodb://127.0.0.1:27017/?replicaSet=rs0"])
    mongodb_database: DatabaseName | None = Field(
        default=None, validate_default=True, examples=["mailtrigger"]
    )
    mail_collection: CollectionName = Field(default="mail", examples=["mail"])
    celery_broker_url: BrokerUrl = Field(examples=["redis://127.0.0.1:6379/0"])
    #: Goes before every key in Redis, so that several applications can share one server.
    broker_prefix: KeyPrefix = Field(default="mailtrigger:", examples=["mailtrigger:"])

    @property
    def database(self) -> str:
        """The database's name: MONGODB_DATABASE, else the URI's, else `mailtrigger`."""
        named = self.mongodb_database or _database_of(self.mongodb_uri)
        return named or _DEFAULT_DATABASE

    @field_validator("mongodb_database")
    @classmethod
    def _database_is_ours(cls, value: str | None, info: ValidationInfo) -> str | None:
        named = _database_of(info.data["mongodb_uri"]) if "mongodb_uri" in info.data else None
        if value is None and named is not None:
            try:
                mongodb_uri.check_database(named)
            except ValueError as error:
                raise ValueError(f"is needed, for the one in MONGODB_URI {error}") from None
        return value


def _database_of(uri: SecretStr) -> str | None:
    return mongodb_uri.parse(uri.get_secret_value()).database
