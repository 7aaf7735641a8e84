"""Name articles: the normal form of an address, and every other name that one capture gives its article.

Two names too many cost a join later; one name too few mixes two stories for ever. So whatever *might* tell two
articles apart is kept: only parameters known to be for tracking are dropped, and a redirect or canonical link that
could be a site's catch-all is no evidence. `courlan.clean_url` is not used, for that reason: it drops `gallery=5`,
`cid=7` and `?12345`, and reads `&section=2` as `§ion=2`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from wirewatch.availability import seen
from wirewatch.canonical import storable
from wirewatch.errors import BadContent
from wirewatch.model import Alias, Capture, Seen

RAW_LIMIT: Final = 8192  # characters; servers should take 8,000 octets (RFC 9110, 4.1), tracking included
NAME_LIMIT: Final = 2048  # bytes; PostgreSQL indexes text up to 2,704

# Parameters that follow the reader and never choose the text, wherever they are seen: the union of what Brave's query
# filter, Firefox's query stripping and ClearURLs' global rules drop on *every* site, less what also has other uses.
# `ref`, `source`, `cid`, `campaign`, `cmpid`, `from` and `share` are kept: on some site each of them is an id.
TRACKING_PREFIXES: Final = {
    "utm_": "campaign tags of Google Analytics, and of all who copied them",
    "mtm_": "campaign tags of Matomo",
    "itm_": "internal campaign tags in the manner of utm_",
    "hsa_": "HubSpot's advertising tags",
    "guce_": "the way back from a consent page",
}
TRACKING_PARAMETERS: Final = {
    name: reason
    for reason, names in {
        "Google's advertising clicks": "gclid gclsrc dclid gbraid wbraid srsltid",
        "Google Analytics across domains": "_ga _gl",
        "clicks out of social networks": "fbclid igshid igsh twclid ttclid li_fat_id epik __twitter_impression",
        "actions on Facebook": "fb_action_ids fb_action_types fb_source fb_ref",
        "clicks out of Bing and Yandex": "msclkid yclid ysclid _openstat",
        "Mailchimp's campaign and recipient": "mc_cid mc_eid",
        "HubSpot's visitor and mailing": "_hsenc _hsmi __hssc __hstc __hsfp hsctatracking",
        "other mailing services' recipients": (
            "mkt_tok ml_subscriber ml_subscriber_hash oly_anon_id oly_enc_id vero_id vero_conv"
        ),
        "Adobe's and other advertising campaigns": "s_cid rb_clickid wickedid",
        "Piwik's campaign tags": "pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid",
        "AT Internet's campaign tags": "xtor at_medium at_campaign at_link_id at_link_type at_link_origin at_format",
        "Webtrekk's campaign tags": "wt_mc wt_zmc",
        "comScore's campaign tags": "ns_mchannel ns_source ns_campaign ns_linkname ns_fee",
        "the way back from a consent page": "guccounter",
        "a visitor's session": "jsessionid phpsessid",
    }.items()
    for name in names.split()
}

_SESSION_IN_PATH = re.compile(r";jsessionid=[^/;?]*", re.IGNORECASE)  # Java Servlet 3.1, 7.1.3
_REPEATED_SLASHES = re.compile(r"(?<!:)/{2,}")  # but not those of an address inside a path
_REPEATED_ESCAPE = re.compile(r"&(?:amp;)+")  # a feed that escaped its links twice
_NOTHING_AFTER_NAME = re.compile(r"=(?=&|$)")  # w3lib writes `?12345` as `?12345=`, which some sites do not know
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=4096)
def normalise_url(url: str) -> str:
    """Return the one form of an http(s) address under which its article is known.

    Lower-case ASCII host; no default port, user, fragment, tracking or repeated slashes; parameters sorted; escapes
    as in RFC 3986. Path case, trailing slash and all other parameters stay, and so does a fragment that begins with
    `!`, since pages that are written in the browser tell their stories apart by it. Normalising twice changes nothing.
    Raise BadContent for anything else than an http(s) address, and for one of more than 2,048 bytes.
    """
    if len(url) > RAW_LIMIT:
        raise BadContent(f"An address of {len(url)} characters is none", about=url[:200])
    try:
        normal = _normalise(_REPEATED_ESCAPE.sub("&", url.strip()))
    except ValueError as error:
        raise BadContent(f"This is no web address: {error}"[:300], about=url[:200]) from error
    if len(normal) > NAME_LIMIT:
        raise BadContent(f"An address of {len(normal)} bytes is too long to be an article's name", about=url[:200])
    return normal


def _normalise(url: str) -> str:
    parts = urlsplit(canonicalize_url(url, keep_fragments=True))
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("it does not begin with http:// or https://")
    clean = parts._replace(
        netloc=_host_and_port(parts),
        path=_REPEATED_SLASHES.sub("/", _SESSION_IN_PATH.sub("", parts.path)),
        query="&".join(pair for pair in parts.query.split("&") if pair != "=" and not _is_tracking(pair)),
        fragment=parts.fragment if parts.fragment.startswith("!") else "",
    )
    # Once more: what was taken out may have hidden a dot segment.
    safe = urlsplit(canonicalize_url(urlunsplit(clean), keep_fragments=True))
    return urlunsplit(safe._replace(query=_NOTHING_AFTER_NAME.sub("", safe.query)))


def _host_and_port(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(host):
        raise ValueError("its host name is none")
    return host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _is_tracking(pair: str) -> bool:
    name = unquote_plus(pair.partition("=")[0]).strip().lower()
    return name in TRACKING_PARAMETERS or name.startswith(tuple(TRACKING_PREFIXES))


def registrable_domain(url: str) -> str:
    """Return the domain that one owner holds: `example.co.uk` of `https://news.example.co.uk/…`.

    An IP address is its own. Under an unknown top level it is the last two labels, as publicsuffix.org's algorithm
    has it. The list of suffixes comes with the `tld` package; nothing is downloaded.
    """
    host = urlsplit(url).hostname or ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        from courlan import extract_domain  # noqa: PLC0415 (imports an HTTP client)

        return extract_domain(url) or ".".join(host.rstrip(".").split(".")[-2:])


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a path's words say of the page, in the languages most news is written in. Only whole segments count, hyphens
# and underscores aside, so that `/subscribe-to-hope-says-mayor` remains an article.
_Page = Literal["front page", "section page", "login page", "consent page", "subscription page", "error page"]
_WORDS: Final[dict[_Page, frozenset[str]]] = {
    "login page": _words(
        "login logon signin signup register registration auth authorize oauth oauth2 sso account accounts myaccount "
        "anmelden anmeldung einloggen registrieren konto connexion seconnecter inscription iniciarsesion registro "
        "entrar cadastro accedi registrati inloggen aanmelden loggain logginn logind kirjaudu zaloguj logowanie giris"
    ),
    "consent page": _words(
        "consent consents collectconsent cookieconsent cookiewall cookies cookiepolicy gdpr dsgvo privacygate "
        "privacywall zustimmung einwilligung consentement consentimiento consentimento consenso toestemming samtycke"
    ),
    "subscription page": _words(
        "subscribe subscription subscriptions paywall abo abos abonnieren abonnement abonnements abonnez abonnezvous "
        "sabonner suscripcion suscripciones suscribete suscribirse assine assinatura assinaturas abbonamento "
        "abbonamenti abbonati abonneren prenumerera prenumeration abonner tilaa subskrypcja prenumerata abonelik"
    ),
    "error page": _words(
        "404 410 error errors notfound pagenotfound error404 404error fehler nichtgefunden erreur introuvable "
        "noencontrado noencontrada naoencontrado naoencontrada nontrovato gone expired removed unavailable"
    ),
}
_HOST_WORDS: Final[dict[str, _Page]] = {
    **dict.fromkeys(("login", "signin", "auth", "sso", "accounts", "account", "myaccount"), "login page"),
    "consent": "consent page",
    **dict.fromkeys(("subscribe", "abo"), "subscription page"),
}
_FRONT_WORDS: Final = _words("home homepage start startseite accueil inicio portada frontpage forside etusivu")
_INDEX_FILE = re.compile(r"(?:index|default|home|start|main)\.(?:s?html?|php\d?|aspx?|jspx?|cfm|cms)")
_EXTENSION = re.compile(r"\.(?:s?html?|php\d?|aspx?|jspx?|cfm|cms)$")
_EDITION = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?")  # a language or country: `/en/`, `/pt-br/`
# Parameters with which a site sends a reader to its front page; any other may choose an article (`/?p=123`).
_FRONT_PARAMETERS: Final = _words(
    "404 error err status msg message notfound not_found redirect redirected redirected_from redirect_from edition "
    "lang language hl locale region ref src source from"
)
_SECTION_WORD = re.compile(r"[^\W\d_]{2,20}")  # one word without digits; slugs of articles have several
_SECTION_WORDS: Final = _words(
    "news latest local world national international politics business economy sport sports culture opinion "
    "lifestyle health science tech technology weather video videos live archive "
    "nachrichten lokales politik wirtschaft kultur meinung panorama wetter archiv "
    "actualites actualite actu monde politique economie culture sports meteo "
    "noticias actualidad mundo politica economia deportes cultura opinion ultimas "
    "notizie cronaca mondo esteri nieuws nyheter nyheder uutiset wiadomosci haberler"
)
_LISTING_WORDS: Final = _words(
    "tag tags topic topics category categories section sections author authors search archive "
    "thema themen schlagwort kategorie rubrik ressort autor autoren suche "
    "theme sujet categorie rubrique auteur recherche tema temas etiqueta categoria seccion secao autore sezione "
    "buscar cerca"
)


def is_front_page(url: str) -> bool:
    """Tell whether the address has the shape of a site's front page or of an edition's: `/`, `/en/`, `/index.html`."""
    return _page(url) == "front page"


def is_section_or_login(url: str) -> bool:
    """Tell whether the address has the shape of a section, list, login, consent, subscription or error page.

    A section is one word (`/local/`), words that name sections (`/news/world-news/`), or a list (`/tag/ferries`);
    anything with digits or with the hyphens of a slug is taken for an article.
    """
    return _page(url) not in (None, "front page")


def _page(url: str) -> _Page | None:
    parts = urlsplit(url)
    if parts.fragment.startswith("!"):
        return None
    segments = [unquote_plus(segment).lower() for segment in parts.path.split("/") if segment]
    last = _EXTENSION.sub("", segments[-1]).replace("-", "").replace("_", "") if segments else ""
    for page, words in _WORDS.items():
        if last in words:
            return page
    host_word = (parts.hostname or "").split(".")[0]
    if host_word in _HOST_WORDS:
        return _HOST_WORDS[host_word]
    if segments and _INDEX_FILE.fullmatch(segments[-1]):
        segments.pop()
    while segments and _EDITION.fullmatch(segments[0]):
        segments.pop(0)
    if not segments or (len(segments) == 1 and segments[0] in _FRONT_WORDS):
        return "front page" if _parameter_names(parts.query) <= _FRONT_PARAMETERS else None
    return "section page" if not parts.query and _is_section(segments) else None


def _is_section(segments: list[str]) -> bool:
    if len(segments) == 1 and _SECTION_WORD.fullmatch(_EXTENSION.sub("", segments[0])):
        return True
    if len(segments) == 2 and segments[0] in _LISTING_WORDS:
        return re.fullmatch(r"[^\W\d_]+(?:[-_ ][^\W\d_]+){0,2}", segments[1]) is not None
    return len(segments) <= 3 and all(_names_section(segment) for segment in segments)


def _names_section(segment: str) -> bool:
    words = segment.split("-")
    return len(words) <= 2 and not _SECTION_WORDS.isdisjoint(words)


def _parameter_names(query: str) -> set[str]:
    return {unquote_plus(pair.partition("=")[0]).lower() for pair in _pairs(query)}


def guid_name(feed: str, guid: str) -> str:
    """Return the name that a feed's guid gives an article: `FEED-URL#guid=GUID`, a long guid as its SHA-256.

    A guid means nothing outside its feed, so the feed's address is part of the name.
    """
    prefix = _guid_prefix(feed)
    text = storable(guid.strip())[0]
    if len((prefix + text).encode()) <= NAME_LIMIT:
        return prefix + text
    return prefix + hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def _guid_prefix(feed: str) -> str:
    return f"{_normal_or_none(feed) or storable(feed)[0][:NAME_LIMIT]}#guid="


def capture_aliases(
    capture: Capture, *, canonical_url: str | None, feed: str | None = None, guid: str | None = None
) -> tuple[Alias, ...]:
    """Return every name that this capture gives its article, each once, the address asked for first.

    A redirect counts across domains too, since the old site makes it itself; `rel=canonical` only on the registrable
    domain of the page that states it, since anyone can write it. Neither counts if it leads to a front, section,
    login, consent or error page, or differs from where one came from by parameters that it lost or changed. `feed`
    and `guid` default to the capture's. Raise BadContent if the address asked for is none.
    """
    asked = normalise_url(capture.url)
    aliases = [Alias(kind="asked", name=asked)]
    answered = _answered(capture, asked)
    if seen(capture)[0] is Seen.WORDING and lands_elsewhere(capture) is None:
        if _may_be_same(asked, answered):
            aliases.append(Alias(kind="redirect", name=answered))
        canonical = _canonical(asked, answered, canonical_url) if canonical_url else None
        if canonical:
            aliases.append(Alias(kind="canonical", name=canonical))
    feed, guid = feed or capture.feed, (guid or capture.guid or "").strip()
    if feed and guid:
        aliases.append(Alias(kind="guid", name=guid_name(feed, guid)))
    by_name: dict[str, Alias] = {}
    for alias in aliases:
        by_name.setdefault(alias.name, alias)
    return tuple(by_name.values())


def lands_elsewhere(capture: Capture) -> str | None:
    """Return why the answer is not the page asked for, or None: it came from a front, section, login page or the like.

    Such an answer (a soft 404, a wall) must not be read as the article. A page of the kind that was asked for is not
    elsewhere. Raise BadContent if the address asked for is none.
    """
    asked = normalise_url(capture.url)
    answered = _answered(capture, asked)
    page = _page(answered)
    if page is None or page == _page(asked) or _same_but_for_slash(asked, answered):
        return None
    return f"the answer came from a {page}: {answered[:200]}"


def _answered(capture: Capture, asked: str) -> str:
    return (_normal_or_none(capture.final_url) if capture.final_url else None) or asked


def _canonical(asked: str, answered: str, stated: str) -> str | None:
    try:
        canonical = _normal_or_none(urljoin(answered, stated.strip()))
    except ValueError:
        return None
    if canonical is None or registrable_domain(canonical) != registrable_domain(answered):
        return None
    return canonical if _may_be_same(asked, canonical) and _may_be_same(answered, canonical) else None


def _may_be_same(old: str, new: str) -> bool:
    """Tell whether `new` can be another name of the article at `old`: it is neither a site's page nor a catch-all."""
    return _same_but_for_slash(old, new) or (_page(new) is None and not _loses_parameters(old, new))


def _loses_parameters(old: str, new: str) -> bool:
    """Tell whether `new` may be the catch-all of `old`: the same path or one above it, without all that chose."""
    before, after = urlsplit(old), urlsplit(new)
    if not f"{before.path.rstrip('/')}/".startswith(f"{after.path.rstrip('/')}/"):
        return False
    return before.fragment != after.fragment or not _pairs(before.query) <= _pairs(after.query)


def _pairs(query: str) -> set[str]:
    return set(query.split("&")) - {""}


def _same_but_for_slash(one: str, other: str) -> bool:
    """Tell whether two addresses differ by scheme, `www.` and trailing slash at most."""
    return _address(one) == _address(other)


def _address(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    return parts.netloc.removeprefix("www."), parts.path.rstrip("/"), parts.query, parts.fragment


def _normal_or_none(url: str) -> str | None:
    try:
        return normalise_url(url)
    except BadContent:
        return None
