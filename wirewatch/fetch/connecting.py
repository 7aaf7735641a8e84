"""Connect to a server: whom to trust, and what to say when it did not work.

Every sentence is fit for a log: it names the host, and neither path nor query nor credentials.
"""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import Protocol

import aiohttp
import certifi

from wirewatch.errors import ConfigurationError


class Waits(Protocol):
    """How long a request may take, in seconds."""

    @property
    def connect_seconds(self) -> float: ...
    @property
    def read_seconds(self) -> float: ...
    @property
    def total_seconds(self) -> float: ...


class Dropped(aiohttp.ClientError):
    """The connection was lost before an answer came. Not one of the errors after which aiohttp asks again by itself."""


def sentence(error: Exception, host: str, waits: Waits) -> str:
    """Return what went wrong with a request, in a sentence without the URL's query or credentials."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"No connection to {host} within {waits.connect_seconds:g} seconds"
    if isinstance(error, aiohttp.SocketTimeoutError):
        return f"Nothing came from {host} for {waits.read_seconds:g} seconds"
    if isinstance(error, TimeoutError):
        return f"{host} was not done within {waits.total_seconds:g} seconds"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name {host} could not be resolved: {_words(error.os_error)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"The certificate of {host} is not valid: {_words(error.certificate_error)}"
    if isinstance(error, (aiohttp.ClientConnectorSSLError, ssl.SSLError)):
        return f"TLS with {host} failed: {_words(getattr(error, 'os_error', error))}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"No connection to {host}: {_words(error.os_error)}"
    if isinstance(error, Dropped):
        return f"{host} closed the connection without an answer"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"The answer of {host} is not HTTP that can be read"
    return f"The request to {host} failed: {type(error).__name__}"


def _words(error: BaseException) -> str:
    """Return what an error of the system says, short and on one line."""
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(str(words).split())[:200] or type(error).__name__


@cache  # loading the authorities takes 20 ms, more than a page does
def trust(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that verifies, with the system's authorities, or certifi's where the system has none."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not has_authorities(paths.cafile, paths.capath):
        context.load_verify_locations(certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError among them
            raise ConfigurationError(f"The ca_file {ca_file} cannot be read: {_words(error)}", about=ca_file) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def has_authorities(cafile: str | None, capath: str | None) -> bool:
    """Tell whether the system brings authorities: python.org's Python for macOS and slim containers do not."""
    return cafile is not None or (capath is not None and any(Path(capath).iterdir()))
