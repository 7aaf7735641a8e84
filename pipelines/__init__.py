"""The jobs one starts: configuration, graphs, engines and the command line.

Beam says on import, to whoever listens, that it lacks a library of Google's which nothing here needs. Nobody who runs
a pass can do anything about that, so it is not passed on.
"""

from __future__ import annotations

import logging

logging.getLogger().addFilter(lambda record: "apitools not found" not in str(record.msg))
