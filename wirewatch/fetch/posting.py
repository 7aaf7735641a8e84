"""Post a body to a receiver that the user named, and return the status of what it answers.

Nothing is followed and nothing is repeated here: a redirect is an answer like any other, and whether to try again is
for whoever sends. Of the answer's body, no more is read than keeps a connection usable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp

from wirewatch import __version__
from wirewatch.errors import RetryLater, SourceRefuses
from wirewatch.fetch.addresses import AddressBook, AddressRefused, host_of, vet
from wirewatch.fetch.connecting import sentence, trust
from wirewatch.fetch.headers import kept_headers, retry_after_seconds
from wirewatch.fetch.policy import Reach

# An answer this short is read to its end, so that the next message can use the connection; a longer one is cut off.
_WORTH_READING: Final = 16 * 1024
_READING_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class PostPolicy(Reach):
    """Hold what a receiver is given: how long a request may take in all, and whom to trust beside the system's own."""

    total_seconds: float = 20.0
    ca_file: str | None = None

    @property
    def connect_seconds(self) -> float:
        return self.total_seconds

    @property
    def read_seconds(self) -> float:
        return self.total_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a receiver answered. `retry_after_seconds` is the wait that it asked for, a day at most."""

    status: int
    retry_after_seconds: float | None = None


@dataclass(slots=True)
class _UnderWay:
    """Whether a request has left: before that no receiver can have taken it, whatever goes wrong."""

    begun: bool = False


async def _note_begun(_session: aiohttp.ClientSession, context: Any, _params: object) -> None:
    context.trace_request_ctx.begun = True


class Poster:
    """Post to one receiver, on one event loop, and close there."""

    def __init__(self, policy: PostPolicy) -> None:
        self._policy = policy
        self._addresses = AddressBook(policy)
        self._open: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Reply:
        """Return what `url` answered to a body.

        Raises `RetryLater` where no answer came in time, `perhaps_taken` if the request had gone out; `SourceRefuses`
        for an address that may not be asked, and `ConfigurationError` for a `ca_file` that cannot be read. None of
        them repeats the URL's path or query.
        """
        target = vet(url)
        host = host_of(target)
        session, under_way = self._session(), _UnderWay()
        try:
            async with asyncio.timeout(self._policy.total_seconds):
                with self._addresses.asking(host):
                    async with session.post(
                        target, data=body, headers=headers, allow_redirects=False, trace_request_ctx=under_way
                    ) as answer:
                        await _finish(answer)
                        wait = retry_after_seconds(dict(kept_headers(answer.headers.items())), now)
                        return Reply(status=answer.status, retry_after_seconds=wait)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError among them
            cause = getattr(error, "os_error", None)
            if isinstance(cause, AddressRefused):
                raise SourceRefuses(
                    f"{host} leads to {cause.address}, which is not a public address", about=host
                ) from error
            raise RetryLater(sentence(error, host, self._policy), about=host, perhaps_taken=under_way.begun) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._open is not None:
            await self._open.close()
            self._open = None
        await self._addresses.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_note_begun)
            self._open = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    resolver=self._addresses,
                    socket_factory=self._addresses.make_socket,
                    ssl=trust(self._policy.ca_file),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"Wirewatch/{__version__}"},
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                trace_configs=[tracing],
            )
        return self._open


async def _finish(answer: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end; leave anything else, which closes the connection."""
    length = answer.content_length
    if length is None or length > _WORTH_READING or answer.headers.get("Content-Encoding"):
        answer.close()
        return
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_READING_SECONDS):
            await answer.read()
