"""Write the next migration after a change of `tables.py`: `python -m wirewatch.store.migrations "what changes"`.

What comes out is a draft: Alembic does not see renamed columns or moved data. Read it, then set `HEAD` to it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from wirewatch.store import Store, migrations


def main(message: str) -> None:
    """Compare the tables with a store at `HEAD` and write what is missing into `versions/`."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'head.sqlite'}")
        with store.begin() as connection:
            config = migrations.configuration(connection)
            command.revision(config, message, autogenerate=True, rev_id=f"{int(migrations.HEAD) + 1:04}")
        store.close()


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("Say in a few words what changes."))
