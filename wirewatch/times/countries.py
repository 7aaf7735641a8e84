"""Tell in which country a publisher may sit, from what the configuration, the page and its address say.

It is only ever asked what a zone's name means. A country in which nobody uses the name is passed over, so that the
`en-US` that a template brought along does no harm to an Indian page, and `.tv` none to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from wirewatch.model import Source

_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?:[-_].*)?\Z", re.DOTALL)
_DOMAINS: Final = {"UK": "GB"}  # ISO 3166 keeps UK for the domain; all other countries' domains are their codes
# The countries of `zones.BY_COUNTRY` as an address gives them in English; codes need no list.
_NAMES: Final = {
    "united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "ireland": "IE", "republic of ireland": "IE", "india": "IN", "israel": "IL",
    "bangladesh": "BD", "china": "CN", "taiwan": "TW", "united states": "US", "united states of america": "US",
    "usa": "US", "canada": "CA", "mexico": "MX", "guatemala": "GT", "honduras": "HN", "el salvador": "SV",
    "nicaragua": "NI", "costa rica": "CR", "belize": "BZ", "cuba": "CU", "bermuda": "BM", "puerto rico": "PR",
    "dominican republic": "DO", "barbados": "BB", "trinidad and tobago": "TT", "saudi arabia": "SA", "kuwait": "KW",
    "iraq": "IQ", "bahrain": "BH", "qatar": "QA", "yemen": "YE", "united arab emirates": "AE", "uae": "AE",
    "oman": "OM", "brazil": "BR", "armenia": "AM", "philippines": "PH", "pakistan": "PK", "australia": "AU",
}  # fmt: skip


def countries_of(
    source: Source, *, address: str | None = None, url: str | None = None, language: str | None = None
) -> tuple[str, ...]:
    """Return ISO 3166 codes of the publisher's country, the surest first: what is configured, then the page's evidence.

    `address` is the country of the publisher's postal address, as a code or an English name; `url` the page's address;
    `language` its language tag. Evidence that names no country is left out.
    """
    found = (
        _of_url(source.publisher_url),
        _of_language(source.language),
        _of_address(address),
        _of_url(url),
        _of_url(source.feed),
        _of_language(language),
    )
    return tuple(dict.fromkeys(code for one in found for code in one))


def _of_address(address: str | None) -> Iterator[str]:
    name = " ".join((address or "").split()).removeprefix("The ").removeprefix("the ")
    if len(name) == 2 and name.isascii() and name.isalpha():
        yield _DOMAINS.get(name.upper(), name.upper())
    elif name.lower() in _NAMES:
        yield _NAMES[name.lower()]


def _of_url(url: str | None) -> Iterator[str]:
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:  # brackets that hold no IPv6 address
        return
    top = host.rstrip(".").rpartition(".")[2].upper()
    if len(top) == 2 and top.isascii() and top.isalpha():
        yield _DOMAINS.get(top, top)


def _of_language(language: str | None) -> Iterator[str]:
    if found := _TAG.match(language or ""):
        yield found.group(1).upper()
