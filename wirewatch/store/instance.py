"""The installation's name, chosen at the first run and never changed: it stands in every URI that was given out."""

from __future__ import annotations

import sqlalchemy as sa

from wirewatch.canonical import canonical_json
from wirewatch.encoding import revive_json
from wirewatch.errors import ConfigurationError
from wirewatch.model import Instance
from wirewatch.store import Store
from wirewatch.store.sql import insert_new
from wirewatch.store.tables import meta

_KEY = "instance"


def claim_instance(store: Store, instance: Instance) -> None:
    """Name the store's installation at the first run; raise ConfigurationError if it was named otherwise before."""
    known = known_instance(store)
    if known is None:
        with store.begin() as conn:
            insert_new(conn, meta, {"key": _KEY, "value": canonical_json(instance).decode()})
        known = known_instance(store)
    if known is not None and known != instance:
        raise ConfigurationError(
            f"This store belongs to the installation {known.authority},{known.since}: write that under `instance`,"
            " or use another store.",
            about="instance",
        )


def known_instance(store: Store) -> Instance | None:
    """Return the store's installation, or None before the first run."""
    with store.reading() as conn:
        value = conn.scalar(sa.select(meta.c.value).where(meta.c.key == _KEY))
    return None if value is None else revive_json(Instance, value)
