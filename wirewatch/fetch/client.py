"""Ask for pages and feeds, and turn whatever happens into a capture.

A request that fails is a finding, not an error: `Fetcher.fetch` raises only what the store raises. One `Fetcher`
belongs to one process and one event loop; building its session for each page costs more than the page does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from wirewatch.clock import Clock
from wirewatch.errors import RetryLater, SourceRefuses, WirewatchError
from wirewatch.fetch.addresses import AddressBook, AddressRefused, host_of, printable, vet
from wirewatch.fetch.bodies import ACCEPTED_CODINGS, Body, read_body
from wirewatch.fetch.connecting import Dropped, sentence, trust
from wirewatch.fetch.headers import kept_headers, request_headers, retry_after_seconds
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.robots import ROBOTS_BYTES, ROBOTS_REDIRECTS, Answer, Robots
from wirewatch.fetch.slots import Lanes, OutOfTime, Slots, Turns
from wirewatch.model import Capture, Check

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PERMANENT: Final = frozenset({301, 308})  # RFC 9110, 15.4: ask the new address from now on
_SAYS_WHEN: Final = frozenset({429, 503})
# A body nobody wants is read to its end if it is this short: cheaper than a new connection with TLS.
_WORTH_DRAINING: Final = 16 * 1024
_DRAINING_SECONDS: Final = 1.0
# News sites send Content-Security-Policy headers of more than the 8190 bytes that aiohttp allows by itself.
_LONGEST_HEADER: Final = 64 * 1024
_MOST_HEADERS: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class TooLate:
    """Say that a check could not start before its lease ends, or the machine missed its slots: hand it back."""

    check: Check
    start: datetime


@dataclass(kw_only=True, slots=True)
class _Request:
    """One request; `reused` is set when it went out on a connection that an earlier one had opened."""

    url: URL
    headers: Mapping[str, str]
    limit: int
    reused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Response:
    """One answer to one request, redirects not followed."""

    status: int
    observed: datetime
    headers: tuple[tuple[str, str], ...]
    location: str | None
    body: Body
    retry_after_seconds: float | None


@dataclass(kw_only=True, slots=True)
class _Trip:
    """What one check has come to so far: where it was sent, and how much of its time is left."""

    redirects: list[str] = field(default_factory=list)
    permanent: bool = True
    seconds_left: float


class Fetcher:
    """Fetch for one process: one session, one set of trusted authorities, one memory of robots.txt.

    May be built anywhere; it is used and closed on one event loop.
    """

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._addresses = AddressBook(policy)
        self._robots = Robots(self._ask_robots)
        self._lanes = Lanes(policy.parallel, policy.parallel_per_host)
        self._open: aiohttp.ClientSession | None = None

    async def fetch(self, check: Check, slots: Slots, clock: Clock) -> Capture | TooLate:
        """Return what came back for `check`, asked in its slot; `TooLate` if its lease ends before that.

        Problems are sentences in the capture. Raises what `slots` raises, and
        `ConfigurationError` for a `ca_file` that cannot be read.
        """
        trip = _Trip(seconds_left=self._policy.total_seconds)
        turns = Turns(check, _host(check.url), slots, clock, self._lanes)
        try:
            response = await self._follow(check, turns, trip)
        except OutOfTime as late:
            return TooLate(check=check, start=late.start)
        except (SourceRefuses, RetryLater) as error:
            return Capture(
                url=check.url,
                observed=clock.now(),
                redirects=tuple(trip.redirects),
                problem=str(error),
                refused=isinstance(error, SourceRefuses),
                feed=check.source.feed,
                guid=check.guid,
            )
        problem = response.body.problem
        if response.status == 304 and not (check.etag or check.last_modified):
            problem = "The answer is HTTP 304, but the request had no condition"
        return Capture(
            url=check.url,
            observed=response.observed,
            final_url=trip.redirects[-1] if trip.redirects else check.url,
            redirects=tuple(trip.redirects[:-1]),
            moved=bool(trip.redirects) and trip.permanent,
            status=response.status,
            headers=response.headers,
            body=response.body.data,
            not_modified=check.content_hash if response.status == 304 and problem is None else None,
            problem=problem,
            retry_after_seconds=response.retry_after_seconds,
            feed=check.source.feed,
            guid=check.guid,
        )

    async def close(self) -> None:
        """Close all connections; nothing can be fetched any more."""
        if self._open is not None:
            await self._open.close()
            self._open = None
        await self._addresses.close()

    async def _follow(self, check: Check, turns: Turns, trip: _Trip) -> _Response:
        headers = request_headers(check)
        limit = self._policy.feed_bytes if check.reason == "feed" else self._policy.article_bytes
        url = vet(check.url)
        been = {url}
        while True:
            await self._robots.permit(url, turns)
            response = await self._ask(_Request(url=url, headers=headers, limit=limit), turns, trip)
            if response.location is None:
                return response
            url = _target(url, response.location)
            trip.redirects.append(str(url))
            trip.permanent = trip.permanent and response.status in _PERMANENT
            if url in been:
                raise RetryLater("The redirects go in a circle", about=check.url)
            if len(trip.redirects) > self._policy.max_redirects:
                raise RetryLater(f"There are more than {self._policy.max_redirects} redirects", about=check.url)
            been.add(url)

    async def _ask_robots(self, url: URL, turns: Turns) -> Answer:
        trip = _Trip(seconds_left=self._policy.total_seconds)
        headers = {"Accept": "text/plain, */*;q=0.5", "Accept-Encoding": ACCEPTED_CODINGS}
        for _ in range(ROBOTS_REDIRECTS + 1):
            response = await self._ask(_Request(url=url, headers=headers, limit=ROBOTS_BYTES), turns, trip)
            if response.location is None:
                break
            url = _target(url, response.location)
        too_long = len(response.body.data) == ROBOTS_BYTES
        if response.body.problem and not too_long:
            raise RetryLater(response.body.problem, about=str(url))
        return Answer(status=response.status, body=response.body.data)

    async def _ask(self, request: _Request, turns: Turns, trip: _Trip) -> _Response:
        """Make one request in one slot; if it fell into an old connection that was closing, another in another."""
        try:
            return await self._ask_once(request, turns, trip)
        except Dropped as error:
            if not request.reused:
                raise _explained(error, request.url, self._policy) from error
        return await self._ask(replace(request, reused=False), turns, trip)

    async def _ask_once(self, request: _Request, turns: Turns, trip: _Trip) -> _Response:
        url, host = request.url, host_of(request.url)
        session = self._session()  # before the slot: to make one takes longer than a slot waits
        loop = asyncio.get_running_loop()
        async with turns.at_slot(host):
            began = loop.time()
            try:
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(asyncio.timeout(trip.seconds_left))
                    stack.enter_context(self._addresses.asking(host))
                    answer = await stack.enter_async_context(
                        session.get(url, headers=request.headers, allow_redirects=False, trace_request_ctx=request)
                    )
                    observed = turns.clock.now()
                    response = await _taken(answer, observed, request.limit)
            except Dropped:
                raise
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise _explained(error, url, self._policy) from error
            finally:
                trip.seconds_left = max(trip.seconds_left - (loop.time() - began), 0.0)
        if response.retry_after_seconds is not None:
            until = response.observed + timedelta(seconds=response.retry_after_seconds)
            await turns.block(host, until)
        return response

    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            policy = self._policy
            traces = aiohttp.TraceConfig()
            traces.on_connection_reuseconn.append(_note_reuse)
            self._open = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # the lanes bound it, before the slot and not behind it
                    resolver=self._addresses,
                    socket_factory=self._addresses.make_socket,
                    ssl=trust(policy.ca_file),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": policy.user_agent},
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=policy.connect_seconds, sock_read=policy.read_seconds
                ),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                max_headers=_MOST_HEADERS,
                middlewares=(_never_again,),
                trace_configs=[traces],
            )
        return self._open


async def _taken(answer: aiohttp.ClientResponse, observed: datetime, limit: int) -> _Response:
    headers = kept_headers(answer.headers.items())
    location = answer.headers.get("Location") if answer.status in _REDIRECTS else None
    body = Body(data=b"")
    if 200 <= answer.status < 300:
        codings = ",".join(answer.headers.getall("Content-Encoding", ()))
        try:
            body = await read_body(answer.content.iter_any(), codings, limit)
        except aiohttp.ClientPayloadError:
            body = Body(data=b"", problem="The answer broke off before its end")
    elif answer.content_length is not None and answer.content_length <= _WORTH_DRAINING:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(_DRAINING_SECONDS):
                await answer.read()
    wait = retry_after_seconds(dict(headers), observed) if answer.status in _SAYS_WHEN else None
    return _Response(
        status=answer.status,
        observed=observed,
        headers=headers,
        location=location,
        body=body,
        retry_after_seconds=wait,
    )


async def _never_again(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a request by itself: the second one would have no slot."""
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Dropped from error


async def _note_reuse(_session: aiohttp.ClientSession, context: Any, _params: object) -> None:
    context.trace_request_ctx.reused = True


def _host(url: str) -> str:
    try:
        return host_of(url)
    except ValueError:
        return ""


def _target(url: URL, location: str) -> URL:
    try:
        joined = urljoin(str(url), location.strip())
    except ValueError as error:
        raise SourceRefuses("The page redirects to something that cannot be read as a URL", about=str(url)) from error
    try:
        return vet(joined)
    except SourceRefuses as error:
        raise SourceRefuses(f"The page redirects to {printable(joined)}: {error}", about=str(url)) from error


def _explained(error: Exception, url: URL, policy: FetchPolicy) -> WirewatchError:
    """Return the error to raise for what a request met, in a sentence without the URL's query or credentials."""
    host, about = host_of(url), str(url)
    cause = getattr(error, "os_error", None)
    if isinstance(cause, AddressRefused):
        return SourceRefuses(
            f"{host} leads to {cause.address}, which is not a public address;"
            " name it under fetch.allow_addresses if it may be asked",
            about=about,
        )
    if isinstance(error, aiohttp.InvalidURL):
        return SourceRefuses(f"{host} is neither a host name nor an address in its usual form", about=about)
    return RetryLater(sentence(error, host, policy), about=about)
