"""Keep the viewer safe to have open beside other pages, and to put behind a reverse proxy.

Whoever reaches the port is trusted to read, so it listens on this machine only, unless a proxy in front says who is
asking; and a page of somebody else's that points its own name at 127.0.0.1 is turned away by the name it asks for.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from wirewatch.errors import ConfigurationError

COOKIE: Final = "wirewatch"
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer: nothing of others is loaded, nothing inline is run, and nobody learns what was looked at."""

DOWNLOAD: Final = {"content-security-policy": "sandbox; default-src 'none'", "x-download-options": "noopen"}
"""On a kept page, which is hostile whatever it says it is."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Who may ask: the names under which the viewer is asked for, and the header that names the user, if one must.

    `secret` is this process's own; tokens that it made end with it.
    """

    hosts: frozenset[str] | None  # None: whatever name a proxy hands on
    user_header: str | None = None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def knows(self, host: str) -> bool:
        """Tell whether the viewer may be asked for by the name in a Host header."""
        return self.hosts is None or _name(host) in self.hosts

    def token(self, cookie: str, user: str | None) -> str:
        """Return the token that a form carries, made for the browser that holds the cookie."""
        return hmac.new(self.secret, f"{cookie}\n{user or ''}".encode(), hashlib.sha256).hexdigest()

    def accepts(self, token: str, cookie: str | None, user: str | None) -> bool:
        """Tell whether a form came from a page of ours in the same browser."""
        return bool(cookie) and hmac.compare_digest(self.token(cookie or "", user).encode(), token.encode())


def guard(address: str, public_url: str | None, user_header: str | None) -> Guard:
    """Return who may ask a viewer that listens on an address.

    Raise ConfigurationError where others could reach it and nothing would say who they are.
    """
    local = is_loopback(address)
    if not local and user_header is None:
        raise ConfigurationError(
            f"On {address} everybody who reaches this machine could read everything: put a reverse proxy in front that"
            " logs people in, and name the header in which it hands on who they are, viewer: {user_header: …}; or"
            " listen on 127.0.0.1",
            about=address,
        )
    public = urlsplit(public_url).hostname if public_url else None
    if not local and public is None:
        return Guard(hosts=None, user_header=user_header)
    own = {address.strip("[]").lower()} if not local else set()
    return Guard(hosts=frozenset(_LOOPBACK | own | ({public} if public else set())), user_header=user_header)


def is_loopback(address: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def same_origin(headers: Mapping[str, str]) -> bool:
    """Tell whether a post comes from a page of this very server, as far as the browser says."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def new_cookie() -> str:
    """Return what tells a browser from others, for its forms."""
    return secrets.token_urlsafe(18)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
