"""Read RSS, RDF, Atom and CDF with feedparser's two parsers.

`feedparser.parse` is not called: given bytes it first tries to open a file of that name, it asks chardet only where
that happens to be installed, it reads `dc:date` as "updated", and an error in a callback loses all entries read
before. Its parsers are driven here instead, the strict one first, then the loose one.
"""

from __future__ import annotations

import html
import io
import re
import xml.sax
from typing import Any, Final
from xml.sax.handler import feature_external_ges, feature_external_pes, feature_namespaces
from xml.sax.xmlreader import InputSource

from feedparser.api import LooseFeedParser, StrictFeedParser

from wirewatch.errors import BadContent
from wirewatch.feeds.raw import ENTRY_LIMIT, NAME_LIMIT, SUMMARY_LIMIT, TITLE_LIMIT, RawEntry, RawFeed
from wirewatch.feeds.text import plain, tidy

MARKUP_LIMIT: Final = 500_000  # `<` in one document; the largest of 2,260 test feeds has 13,805
ENTITY_LIMIT: Final = 300  # HTML's own three sets, written out in full, declare 252
DECLARATION_LIMIT: Final = 100_000  # characters: room for 300 declarations of 300
EXPANSION_LIMIT: Final = 1_000_000  # characters that all uses of declared entities may become

_ANY_FEED_TAG = re.compile(r"<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel|item|entry)[\s/>]", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_RSS_IN_RDF = re.compile(r"purl\.org/(?:rss|net/rss)|netscape\.com/rdf", re.IGNORECASE)
_NAME = re.compile(r"<(?:[\w.-]{1,40}:)?([\w.-]{1,40})")
_PROLOGUE = {"<!--": "-->", "<?": "?>", "<!": ">"}
_DOCTYPE_HEAD = re.compile(r"<!DOCTYPE[^>\[]*", re.IGNORECASE)
_SUBSET_END = re.compile(r"\]\s*>")
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.-]{1,100})\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_REFERENCE = re.compile(r"&([A-Za-z_][\w.-]{0,99});")
_CHARACTER = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_PREDEFINED = frozenset({"lt", "gt", "amp", "quot", "apos"})
# RSS 2.0: `ada@courier.example (Ada Brook)`; also `Ada Brook <ada@courier.example>` and `Ada Brook (ada@…)`.
_NAME_BESIDE_MAIL = re.compile(r"\S+@\S+\s+\((?P<after>[^()]+)\)|(?P<before>[^<(]+?)\s*[<(][^\s<>()]+@[^\s<>()]+[>)]")
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class _AsWritten:
    """Keep dates and names as written and apart, and stay quick where feedparser's time grows with the square.

    feedparser would read the dates, take Dublin Core's only date for `updated`, and look for a mail address in names.
    """

    def _end_published(self: Any) -> None:
        self.pop("published")

    def _end_updated(self: Any) -> None:
        self.pop("updated")

    def _end_created(self: Any) -> None:
        self.pop("created")

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated

    def _start_dc_date(self: Any, _attributes: dict[str, str]) -> None:
        self.push("dc_date", 1)

    def _end_dc_date(self: Any) -> None:
        self.pop("dc_date")

    def _end_author(self: Any) -> None:
        name = self.pop("author")
        self.inauthor = 0
        authors = self._get_context().get("authors")
        if authors and name:
            authors[-1].setdefault("name", name)

    _end_managingeditor = _end_author

    def _sync_author_detail(self, key: str = "author") -> None:
        pass  # its search for a mail address took 6 s for a name of 40,000 characters

    def _add_tag(self: Any, *words: str | None) -> None:
        if len(self._get_context().get("tags") or ()) < 2:  # more than one is as good as none; 20,000 took 8 s
            super()._add_tag(*words)  # type: ignore[misc]

    def track_namespace(self: Any, prefix: str | None, uri: str) -> None:
        """Note a namespace, up to a hundred: each element is looked for among all of them."""
        if len(self.namespaces_in_use) < 100:
            super().track_namespace(prefix, uri)  # type: ignore[misc]

    def handle_charref(self: Any, ref: str) -> None:
        """Read a character reference; one to no character (`&#0;`, `&#xD800;`, `&#x;`) becomes U+FFFD."""
        try:
            super().handle_charref(ref)  # type: ignore[misc]
        except (ValueError, OverflowError):
            self.handle_data("\ufffd")


class _FewAttributes:
    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:  # noqa: N802 - SAX's name
        """Begin an element, unless it has more attributes than any feed's: the loose parser takes those."""
        if len(attrs) > 100:
            raise BadContent("An element has more than 100 attributes")
        super().startElementNS(name, qname, attrs)  # type: ignore[misc]


_Strict: Any = type("_Strict", (_FewAttributes, _AsWritten, StrictFeedParser), {})
_Loose: Any = type("_Loose", (_AsWritten, LooseFeedParser), {})


def read_syndication(text: str, base: str) -> RawFeed:
    """Return the feed in `text`, links made absolute from `base`. Raise BadContent saying why where there is none."""
    _refuse_other_things(text)
    document, entities = _without_doctype(text)
    parser, flags = _parsed(document, entities, base)
    feed, entries = parser.feeddata, parser.entries
    if flags and _ROOT_END.search(document) is None:
        if not entries:
            raise BadContent("The feed is cut short before its first whole entry")
        flags += ("truncated",)
    if not entries or not parser.version:
        _refuse_lookalikes(document, has_entries=bool(entries))
    return RawFeed(
        title=_plain(feed, "title", limit=TITLE_LIMIT, one_line=True),
        language=_string(feed, "language"),
        entries=tuple(_entry(entry) for entry in entries[:ENTRY_LIMIT]),
        ttl=_string(feed, "ttl"),
        period=_string(feed, "sy_updateperiod"),
        frequency=_string(feed, "sy_updatefrequency"),
        flags=flags + ("too_many_entries",) * (len(entries) > ENTRY_LIMIT),
    )


def _refuse_other_things(text: str) -> None:
    """Say what it is that was sent in place of a feed, before any parser sees it."""
    root = _root(text)
    if _ANY_FEED_TAG.search(text) is None:
        if root == "html" or text[:200].lower().startswith("<!doctype html"):
            raise BadContent("An HTML page came in place of a feed")
        if root == "opml":
            raise BadContent("This is a list of feeds (OPML), not a feed")
        raise BadContent("This is no feed: neither RSS, RDF, Atom, CDF nor JSON Feed")
    if text.count("<") > MARKUP_LIMIT:
        raise BadContent(f"The feed has more than {MARKUP_LIMIT} tags")


def _refuse_lookalikes(text: str, *, has_entries: bool) -> None:
    """Tell an empty feed, which is none the worse for it, from what only looks like a feed."""
    root = _root(text)
    if root == "html":
        raise BadContent("An HTML page came in place of a feed")
    if has_entries:
        return
    if root == "rdf" and _RSS_IN_RDF.search(text[:20_000]) is None:
        raise BadContent("This is RDF, but not a feed")
    if root not in {"rss", "feed", "rdf", "channel"}:
        raise BadContent("This is no feed: neither RSS, RDF, Atom, CDF nor JSON Feed")


def _root(text: str) -> str:
    """Return the local name of the first element, in small letters, or nothing."""
    name = _NAME.match(text, _first(text, ""))
    return name[1].lower() if name else ""


def _first(text: str, mark: str) -> int:
    """Return where, before the first element, `<` and `mark` stand; where that element begins if they do not."""
    at = text.find("<")
    while at >= 0 and not (mark and text[at + 1 : at + 1 + len(mark)].upper() == mark):
        end = next((end for start, end in _PROLOGUE.items() if text.startswith(start, at)), None)
        if end is None:
            break
        close = text.find(end, at)
        at = text.find("<", close) if close >= 0 else -1
    return at if at >= 0 else len(text)


def _without_doctype(text: str) -> tuple[str, dict[str, str]]:
    """Return the document with a doctype of our own in place of its own, and the entities that were declared there.

    What is outside the document is never loaded. Entities that are made of entities, or would grow too large, are
    refused: no feed needs them, and every known bomb is made of them.
    """
    start = _first(text, "!DOCTYPE")
    head = _DOCTYPE_HEAD.match(text, start)
    if head is None:
        return text, {}
    subset, end = "", head.end()
    if text[end : end + 1] == "[":
        close = _SUBSET_END.search(text, end)
        if close is None:
            raise BadContent("The feed's document type declaration never ends")
        subset, end = text[end : close.start()], close.end() - 1
    rest = text[end + 1 :]
    entities = _entities(subset, rest)
    ours = "".join(f'<!ENTITY {name} "{_escaped(value)}">' for name, value in entities.items())
    return f"{text[:start]}{f'<!DOCTYPE feed [{ours}]>' if ours else ''}{rest}", entities


def _entities(subset: str, rest: str) -> dict[str, str]:
    if len(subset) > DECLARATION_LIMIT:
        raise BadContent(f"The feed's document type declaration has more than {DECLARATION_LIMIT} characters")
    if subset.upper().count("<!ENTITY") > ENTITY_LIMIT:
        raise BadContent(f"The feed declares more than {ENTITY_LIMIT} entities")
    entities: dict[str, str] = {}
    for match in _ENTITY.finditer(subset):
        value = match[2] if match[2] is not None else match[3]
        if re.search(r"%[\w.-]+;", value) or not _PREDEFINED.issuperset(_REFERENCE.findall(value)):
            raise BadContent("The feed's entities are made of other entities")
        entities.setdefault(match[1], html.unescape(value))
    uses = sum(len(entities.get(match[1], "")) for match in _REFERENCE.finditer(rest))
    if uses > EXPANSION_LIMIT:
        raise BadContent(f"The feed's entities would grow to more than {EXPANSION_LIMIT} characters")
    return entities


def _escaped(value: str) -> str:
    """Return text as an entity's value, each special character as a reference that is read twice."""
    return "".join(f"&#38;#{ord(c)};" if c in "&<>" else f"&#{ord(c)};" if c in '"%' else c for c in value)


def _parsed(document: str, entities: dict[str, str], base: str) -> tuple[Any, tuple[str, ...]]:
    """Return the parser that read the document and, if that was the loose one, the flag `malformed`."""
    strict = _prepared(_Strict(base, None, "utf-8"))
    reader = xml.sax.make_parser(["xml.sax.expatreader"])  # noqa: S317 - nothing external, entities already bounded
    reader.setFeature(feature_namespaces, True)
    reader.setFeature(feature_external_ges, False)
    reader.setFeature(feature_external_pes, False)
    reader.setContentHandler(strict)
    reader.setErrorHandler(strict)
    source = InputSource()
    source.setByteStream(io.BytesIO(document.encode()))
    try:
        reader.parse(source)
    except Exception:  # noqa: BLE001 - expat's errors, and whatever feedparser's callbacks raise on hostile elements
        loose = _prepared(_Loose(base, None, "utf-8", entities))
    else:
        return strict, ()
    try:
        loose.feed(document)
    except Exception:  # noqa: BLE001 - as above; the entries read so far are good
        return loose, ("malformed", "truncated")
    return loose, ("malformed",)


def _prepared(parser: Any) -> Any:
    parser.sanitize_html = False  # only plain text is taken
    parser.resolve_relative_uris = False  # those inside HTML; links are resolved in any case
    return parser


def _entry(entry: Any) -> RawEntry:
    return RawEntry(
        guid=_string(entry, "id"),
        link=_link(entry),
        title=_plain(entry, "title", limit=TITLE_LIMIT, one_line=True),
        summary=_plain(entry, "summary", limit=SUMMARY_LIMIT) or _plain(entry, "content", limit=SUMMARY_LIMIT),
        byline=_byline(entry),
        section=_section(entry),
        published=_string(entry, "published") or _string(entry, "dc_date") or _string(entry, "created"),
        modified=_string(entry, "updated"),
    )


def _value(mapping: Any, key: str) -> Any:
    """Look a key up as it is, past FeedParserDict's renaming: there, `updated` falls back on `published`."""
    return dict.get(mapping, key)


def _string(mapping: Any, key: str) -> str | None:
    value = _value(mapping, key)
    return value.strip() or None if isinstance(value, str) else None


def _plain(mapping: Any, key: str, *, limit: int, one_line: bool = False) -> str | None:
    value, detail = _value(mapping, key), _value(mapping, f"{key}_detail")
    contents = _value(mapping, "content")
    if key in {"summary", "content"} and detail is None and isinstance(contents, list) and contents:
        detail = contents[0]
        value = value if isinstance(value, str) else _value(detail, "value")
    if not isinstance(value, str):
        return None
    if isinstance(detail, dict) and _value(detail, "type") in _HTML_TYPES:
        return plain(value, limit=limit, one_line=one_line) or None
    # Many call HTML "text" and so write `&amp;rsquo;`: its characters are read, what looks like tags is left alone.
    return tidy(_CHARACTER.sub(lambda match: html.unescape(match[0]), value), limit=limit, one_line=one_line) or None


def _link(entry: Any) -> str | None:
    """Return where the entry's page is: FeedBurner's note of it, the entry's link, or any other that is the page's."""
    links = [link for link in _value(entry, "links") or () if isinstance(link, dict)]
    pages = [_string(link, "href") for link in links if _value(link, "rel") in {None, "alternate"}]
    original = _string(entry, "feedburner_origlink")
    return next((link for link in (original, _string(entry, "link"), *pages) if link), None)


def _byline(entry: Any) -> str | None:
    authors = [author for author in _value(entry, "authors") or () if isinstance(author, dict)]
    text = ", ".join(dict.fromkeys(name for author in authors if (name := _author_name(author))))
    return plain(text, limit=NAME_LIMIT, one_line=True) or None


def _author_name(author: Any) -> str | None:
    """Return an author's name without the mail address beside it; the address, where there is no more."""
    name = _string(author, "name") or _string(author, "email") or ""
    beside_mail = _NAME_BESIDE_MAIL.fullmatch(name[:NAME_LIMIT])
    return (beside_mail["after"] or beside_mail["before"]) if beside_mail else name


def _section(entry: Any) -> str | None:
    """Return the category, if there is just one: several are keywords, and their order means nothing."""
    tags = [tag for tag in _value(entry, "tags") or () if isinstance(tag, dict)]
    if len(tags) != 1:
        return None
    return plain(_string(tags[0], "label") or _string(tags[0], "term") or "", limit=NAME_LIMIT, one_line=True) or None
