"""Serve the newsroom by hand: `python -m wirewatch.demo`.

It prints a configuration to save and what to type. Only the newsroom's clock is invented: a `wirewatch run` beside
it goes by the machine's.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from wirewatch.demo.answers import browser_host
from wirewatch.demo.server import PASSES, Newsroom
from wirewatch.demo.stories import at


def configuration(newsroom: Newsroom) -> str:
    """Return a `wirewatch.yaml` with which both newspapers can be watched."""
    addresses = ", ".join(f"{host}: {address}" for host, address in newsroom.connect_to.items())
    feeds = "".join(
        f"  - {{url: {site.feed_url}, publisher: {site.name}, zone: Europe/London, interval: 60s}}\n"
        for site in newsroom.sites
    )
    return f"""\
instance: {{authority: wirewatch.example, since: "2026"}}
store: sqlite:///newsroom.sqlite
fetch:
  contact: you@example.org
  connect_to: {{{addresses}}}
feeds:
{feeds}"""


def greeting(newsroom: Newsroom) -> str:
    """Return what a user is told: where the papers are, a configuration, and how to move the time."""
    papers = "\n".join(f"  {site.name:<15} http://{browser_host(site)}:{newsroom.port}/" for site in newsroom.sites)
    return f"""\
It is {newsroom.now:%H:%M} on Monday 16 March 2026 in the newsroom, at http://{newsroom.address}/

{papers}

Save this as wirewatch.yaml, and type  wirewatch run wirewatch.yaml

{configuration(newsroom)}
Then move the newsroom's time and, a minute later, run again to see what changed:

  curl -d at=15:31 http://{newsroom.address}/_newsroom/time

What the feeds call updated is read again at once, and what changed in silence ten minutes after it was last read.
The hours that matter are {", ".join(PASSES)}. Ctrl-C ends the newsroom.
"""


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout) -> int:
    """Serve until Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wirewatch.demo", description="Serve an invented newsroom.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--at", type=_time, default=PASSES[0], metavar="HH:MM", help="time in the newsroom (14:26)")
    chosen = parser.parse_args(arguments)
    try:
        newsroom = Newsroom(now=chosen.at, port=chosen.port)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"The newsroom cannot listen on port {chosen.port}: {error}. Choose another --port.\n")
        return 1
    with newsroom:
        out.write(greeting(newsroom))
        out.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            out.write("\nThe newsroom is closed.\n")
    return 0


def _time(clock: str) -> datetime:
    try:
        return at(clock)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a time of day such as 15:31: {clock}") from error


if __name__ == "__main__":
    sys.exit(main())
