"""Bring a store's schema up to date, however many processes start at once.

The whole upgrade is one transaction that holds the store's lock from before it looks at the version; Alembic itself
would look first and change later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from wirewatch.errors import StoreError

HEAD: Final = "0008"
"""The newest revision in `versions/`; revisions are named by counting."""

# Any fixed number does, as long as nobody else in the database uses it.
_UPGRADE_LOCK = 0x77697265


def bring_up_to_date(engine: Engine) -> None:
    """Upgrade the schema to `HEAD` unless it is there already; refuse a newer one."""
    with engine.connect().execution_options(wirewatch_reading=True) as connection:
        if _version(connection) == HEAD:
            return
    migrate(engine, HEAD)


def migrate(engine: Engine, target: str) -> None:
    """Upgrade or downgrade the schema to `target`, a revision or `base`, in one transaction under the store's lock."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Rebuilding a table would break its references; the setting is heard outside transactions only.
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF").close()
        try:
            with connection.begin():
                _migrate(connection, target)
        finally:
            if connection.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys = ON").close()


def _migrate(connection: Connection, target: str) -> None:
    from alembic import command  # noqa: PLC0415 - 0.2 s that a store which is up to date does not pay

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    version = _version(connection)
    if version is not None and version > HEAD:
        raise StoreError(
            f"The store was written by a newer Wirewatch (schema {version}, this one knows {HEAD}):"
            " install that version or a later one."
        )
    if version == target or (version is None and target == "base"):
        return
    forward = target != "base" and (version is None or target > version)
    (command.upgrade if forward else command.downgrade)(configuration(connection), target)


def numbers() -> list[str]:
    """Return the number of each schema that there ever was, oldest first."""
    return sorted(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def configuration(connection: Connection | None = None) -> Any:
    """Return Alembic's configuration, working on `connection` if one is given."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version
