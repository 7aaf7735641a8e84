"""Edit pages as editors and as publishers' machines do, for the benchmark and the tests of the short cut.

An edit changes a page's tree and returns whether there was anything to change. What it inserts is invented.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from lxml import etree
from lxml.html import HTMLParser, document_fromstring, fragment_fromstring, tostring

from wirewatch.extract.furniture import key
from wirewatch.model import Reading

Edit = Callable[[Any, Reading, random.Random], bool]
SENTENCE: Final = "The harbour master said on Tuesday that the second boat would not sail before the end of the month."
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg", "head", "title", "select", "option"})
_HOLDING: Final = frozenset({"p", "li", "div", "section", "article"})
_COUNTER = re.compile(r"\s*\d[\d.,]*\s?[^\W\d]{0,12}\s*\Z")


def tree_of(text: bytes | str) -> Any:
    """Return the tree that edits are made to; bytes are UTF-8."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return document_fromstring(data, parser=HTMLParser(encoding="utf-8"))


def page_of(tree: Any) -> bytes:
    """Return a tree as the bytes of a page in UTF-8."""
    body: bytes = tostring(tree, encoding="utf-8")
    return b"<!doctype html>" + body


def texts(element: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield what is printed in an element, in order: the element, `text` or `tail`, and the words."""
    if not isinstance(element.tag, str) or element.tag in _SILENT:
        return
    if (element.text or "").strip():
        yield element, "text", element.text
    for child in element:
        yield from texts(child)
        if (child.tail or "").strip():
            yield child, "tail", child.tail


def _in_body(tree: Any, reading: Reading) -> list[tuple[Any, str, str]]:
    body = key(reading.wording.body or "") if reading.wording else ""
    return [one for one in texts(tree) if len(key(one[2])) >= 20 and key(one[2]) in body]


def _paragraphs(tree: Any, reading: Reading) -> list[Any]:
    found = []
    for element, _, _ in _in_body(tree, reading):
        above = (one for one in (element, *element.iterancestors()) if one.tag in _HOLDING)
        if (holder := next(above, None)) is not None and holder.tag == "p" and holder not in found:
            found.append(holder)
    return found


def word(pattern: str, to: Callable[[re.Match[str]], str]) -> Edit:
    """Return an edit that changes one place in the text where the pattern fits."""
    compiled = re.compile(pattern)

    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        fitting = [one for one in _in_body(tree, reading) if compiled.search(one[2])]
        if not fitting:
            return False
        element, where, text = chance.choice(fitting)
        match = chance.choice(list(compiled.finditer(text)))
        setattr(element, where, text[: match.start()] + to(match) + text[match.end() :])
        return True

    return edit


def _in_scripts(pattern: str, to: str) -> Edit:
    compiled = re.compile(pattern)

    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        done = False
        for script in tree.iter("script"):
            if "ld+json" in script.get("type", "") and script.text and compiled.search(script.text):
                script.text = compiled.sub(to, script.text)
                done = True
        return done

    return edit


def _in_metas(names: str, to: Callable[[str], str]) -> Edit:
    compiled = re.compile(names, re.IGNORECASE)

    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        done = False
        for meta in tree.iter("meta"):
            name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
            if compiled.search(name) and meta.get("content"):
                meta.set("content", to(meta.get("content")))
                done = True
        return done

    return edit


def _later(text: str) -> str:
    return re.sub(r"(\d{2}):(\d{2})", lambda m: f"{(int(m[1]) + 1) % 24:02}:{m[2]}", text, count=1)


def _printed_stamp(tree: Any, reading: Reading, chance: random.Random) -> bool:
    done = False
    for element in tree.iter("time"):
        if element.get("datetime"):
            element.set("datetime", _later(element.get("datetime")))
            done = True
    return done


def _appears(markup: str, where: str) -> Edit:
    """Return an edit that inserts markup: above the headline, before or after the text, at the end of its element."""

    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        new = fragment_fromstring(markup)
        paragraphs = _paragraphs(tree, reading)
        if where == "above":
            headline = next(tree.iter("h1"), None)
            if headline is None:
                return False
            headline.addprevious(new)
            return True
        if not paragraphs:
            return False
        if where == "first":
            paragraphs[0].addprevious(new)
        elif where == "last":
            new.tail, paragraphs[-1].tail = paragraphs[-1].tail, None
            paragraphs[-1].addnext(new)
        elif where == "middle":
            chance.choice(paragraphs).addprevious(new)
        else:  # the end of the element around the text
            paragraphs[-1].getparent().append(new)
        return True

    return edit


def _removed(tree: Any, reading: Reading, chance: random.Random) -> bool:
    paragraphs = _paragraphs(tree, reading)
    if len(paragraphs) < 3:
        return False
    chance.choice(paragraphs).drop_tree()
    return True


def _swapped(tree: Any, reading: Reading, chance: random.Random) -> bool:
    paragraphs = _paragraphs(tree, reading)
    if len(paragraphs) < 3:
        return False
    one, other = paragraphs[0], paragraphs[2]
    other.addnext(one)
    return True


def _divided(tree: Any, reading: Reading, chance: random.Random) -> bool:
    fitting = [one for one in _in_body(tree, reading) if one[0].tag == "p" and one[1] == "text" and ". " in one[2]]
    if not fitting:
        return False
    element, _, text = chance.choice(fitting)
    element.text, rest = text.split(". ", 1)
    element.text += "."
    new = fragment_fromstring("<p></p>")
    new.text = rest
    for child in list(element):
        new.append(child)
    element.addnext(new)
    return True


def _united(tree: Any, reading: Reading, chance: random.Random) -> bool:
    for one in _paragraphs(tree, reading):
        other = one.getnext()
        if other is not None and other.tag == "p" and not len(one) and other.text:
            one.text = f"{one.text} {other.text}"
            for child in list(other):
                one.append(child)
            other.drop_tree()
            return True
    return False


def _headline(tree: Any, reading: Reading, chance: random.Random) -> bool:
    headline = next(tree.iter("h1"), None)
    if headline is None:
        return False
    for element in headline.iter():
        if (element.text or "").strip():
            element.text = f"{element.text.rstrip()} again"
            return True
    return False


def _caption(tree: Any, reading: Reading, chance: random.Random) -> bool:
    for element in tree.iter("figcaption"):
        for inner in element.iter():
            if (inner.text or "").strip():
                inner.text = f"At dawn, {inner.text.strip()}"
                return True
    return False


def _caption_moved(tree: Any, reading: Reading, chance: random.Random) -> bool:
    captions, paragraphs = list(tree.iter("figcaption")), _paragraphs(tree, reading)
    if not captions or not paragraphs:
        return False
    paragraphs[-1].addnext(captions[0])
    return True


def _hidden(names: str) -> Edit:
    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        paragraphs = _paragraphs(tree, reading)
        if not paragraphs:
            return False
        chance.choice(paragraphs).set("class", names)
        return True

    return edit


def _paywall(tree: Any, reading: Reading, chance: random.Random) -> bool:
    head = next(tree.iter("head"), None)
    if head is None:
        return False
    head.append(fragment_fromstring('<meta name="article:content_tier" content="locked">'))
    return True


def _canonical(tree: Any, reading: Reading, chance: random.Random) -> bool:
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "") and link.get("href"):
            link.set("href", link.get("href").rstrip("/") + "-b")
            return True
    return False


def _in_list(text: str) -> Edit:
    """Return an edit that has one of the links around the article say something else."""

    def edit(tree: Any, reading: Reading, chance: random.Random) -> bool:
        links = list(_links(tree, reading))
        if not links:
            return False
        link = chance.choice(links)
        for child in list(link):
            child.drop_tree()
        link.text = text
        link.tag = "span"
        return True

    return edit


def _links(tree: Any, reading: Reading) -> Iterator[Any]:
    whole = key(" ".join(reading.wording.present().values())) if reading.wording else ""
    for link in tree.iter("a"):
        text = key(link.text_content())
        if len(text) >= 12 and text not in whole and (link.text or "").strip():
            yield link


NUMBER: Final = word(r"\d", lambda m: str((int(m[0]) + 1) % 10))
INSIDE: Final[dict[str, Edit]] = {
    "a number": NUMBER,
    "a name": word(r"\b[A-Z][a-z]{3,}\b", lambda m: m[0] + "son"),
    "an ordinary word": word(r"\b[a-z]{4,}\b", lambda m: m[0][::-1]),
    "a word more": word(r"(?<=\w) (?=\w)", lambda m: " not "),
    "a word less": word(r" \w{3,}(?= )", lambda m: ""),
    "a letter": word(r"\w", lambda m: "x" if m[0] != "x" else "y"),
    "a capital": word(r"\b[a-z](?=[a-z]{3})", lambda m: m[0].upper()),
    "a full stop": word(r"(?<=\w)\.", lambda m: "?"),
    "a comma": word(r",", lambda m: ""),
    "a decimal point": word(r"(?<=\d)[.,](?=\d)", lambda m: ""),
    "a sign": word(r"(?<= )(?=\d)", lambda m: "-"),
    "a quotation mark": word(r"[“”\"]", lambda m: "«"),
    "the stamp in data": _in_scripts(r"(\"date(?:Modified|Published)\"\s*:\s*\"\d{4}-\d\d-\d\dT)\d\d", r"\g<1>03"),
    "the stamp in meta tags": _in_metas(r"time|date", _later),
    "the printed stamp": _printed_stamp,
    "the headline": _headline,
    "the headline in data": _in_scripts(r"\"headline\"\s*:\s*\"", '"headline": "Again: '),
    "the title in meta tags": _in_metas(r"title$", lambda text: f"Again: {text}"),
    "the description": _in_metas(r"description$", lambda text: f"Again: {text}"),
    "the authors": _in_metas(r"author|byl", lambda text: f"{text} Quill"),
    "the section": _in_metas(r"section$", lambda text: f"{text} Desk"),
    "a caption": _caption,
    "a caption moved": _caption_moved,
    "a paragraph at the beginning": _appears(f"<p>{SENTENCE}</p>", "first"),
    "a paragraph in the middle": _appears(f"<p>{SENTENCE}</p>", "middle"),
    "a paragraph at the end": _appears(f"<p>{SENTENCE}</p>", "last"),
    "a short paragraph": _appears("<p>Nobody was hurt.</p>", "middle"),
    "a paragraph in an element of its own": _appears(f"<div><p>{SENTENCE}</p></div>", "end"),
    "a list": _appears("<ul><li>Two boats instead of one</li><li>A later start</li></ul>", "middle"),
    "a sub-heading": _appears("<h2>What the council said</h2>", "middle"),
    "a paragraph less": _removed,
    "two paragraphs swapped": _swapped,
    "a paragraph divided": _divided,
    "two paragraphs united": _united,
    "a correction under the text": _appears(f"<p>Correction: An earlier version was wrong. {SENTENCE}</p>", "last"),
    "a correction at the end of the element": _appears(
        f"<div>Correction: An earlier version erred. {SENTENCE}</div>", "end"
    ),
    "a correction in a box": _appears(f'<div class="correction"><p>{SENTENCE}</p></div>', "end"),
    "a note above the headline": _appears(
        f"<p>Correction, 3 June: an earlier version was wrong. {SENTENCE}</p>", "above"
    ),
    "a standfirst": _appears(f'<p class="standfirst">{SENTENCE}</p>', "first"),
    "a byline": _appears('<p class="byline">By Marta Quill</p>', "first"),
    "a printed stamp": _appears("<p>Updated: 4 June 2024 15:24</p>", "first"),
    "a live time": _appears('<p><time class="updated" datetime="2024-06-04T15:24:00Z">15:24</time></p>', "above"),
    "a paragraph becomes an advert": _hidden("advert"),
    "a paragraph becomes a share line": _hidden("share related"),
    "a paywall": _paywall,
    "the canonical address": _canonical,
    "a sentence in place of a link": _in_list(SENTENCE),
    "a correction in place of a link": _in_list(f"Correction: An earlier version was wrong. {SENTENCE}"),
    "a stamp in place of a link": _in_list("Updated: 4 June 2024 15:24"),
    "a byline in place of a link": _in_list("By Marta Quill"),
}


def _related_links(tree: Any, reading: Reading, chance: random.Random) -> bool:
    """Have one box of links to other stories, outside of the article, lead to others of the page's stories."""
    outside = _around(tree, reading)
    if not outside:
        return False
    box = next(
        one for one in chance.choice(outside).iterancestors() if sum(one in s.iterancestors() for s in outside) > 1
    )
    stories = [one.text for one in _stories(tree, reading)]
    for link in (one for one in outside if box in one.iterancestors()):
        link.text = chance.choice(stories)
        link.set("href", f"/story-{chance.randrange(10**6)}")
    return True


def _other_links(tree: Any, reading: Reading, chance: random.Random) -> bool:
    """Have all links to other stories outside of the article change places, whatever they stand in."""
    return _rotated(_around(tree, reading), chance)


def _around(tree: Any, reading: Reading) -> list[Any]:
    """Return the links to other stories outside of the article, if there are several."""
    home = _home(tree, reading)
    found = [one for one in _stories(tree, reading) if home not in one.iterancestors()]
    return found if len(found) > 1 else []


def _links_within(tree: Any, reading: Reading, chance: random.Random) -> bool:
    """Have links to other stories change places that stand in the article's own element, among its paragraphs."""
    home = _home(tree, reading)
    return _rotated([one for one in _stories(tree, reading) if home in one.iterancestors()], chance)


def _home(tree: Any, reading: Reading) -> Any:
    """Return the smallest element around all paragraphs of the article."""
    around = [list(one.iterancestors()) for one in _paragraphs(tree, reading)]
    return next((one for one in around[0] if all(one in other for other in around)), tree) if around else tree


def _stories(tree: Any, reading: Reading) -> list[Any]:
    """Return the links to other stories: those as long as a headline, outside of paragraphs and of menus."""
    return [one for one in _links(tree, reading) if len(one.text.strip()) >= 25 and not _in_text(one)]


def _rotated(links: list[Any], chance: random.Random) -> bool:
    words = [link.text for link in links]
    for link, text in zip(links, words[1:] + words[:1], strict=True):
        link.text = text
        link.set("href", f"/story-{chance.randrange(10**6)}")
    return len(links) > 1


def _in_text(link: Any) -> bool:
    above = link.getparent()
    return above is not None and len(above.text_content()) > 2 * len(link.text_content())


def _counters(tree: Any, reading: Reading, chance: random.Random) -> bool:
    """Count on where a number stands alone or with one word, in what the markup calls a counter."""
    done = False
    for element, where, text in list(texts(tree)):
        around = (element, element.getparent())
        named = " ".join(one.get("class") or "" for one in around if one is not None and isinstance(one.tag, str))
        if _COUNTER.match(text) and re.search(r"count|comment|share|like|view|social", named, re.IGNORECASE):
            setattr(element, where, re.sub(r"\d+", lambda m: str(int(m[0]) + chance.randrange(1, 9)), text, count=1))
            done = True
    return done


def _adverts(tree: Any, reading: Reading, chance: random.Random) -> bool:
    number = chance.randrange(10**6)
    slots = (
        f'<div class="ad-slot" id="ad-{number}"><iframe src="https://ads.example/{number}"></iframe></div>',
        f'<div class="advert"><a href="https://ads.example/{number}"><img src="/{number}.png"></a>Advertisement</div>',
        f'<script>show("{number}")</script>',
    )
    paragraphs = _paragraphs(tree, reading)
    for slot in slots:
        new = fragment_fromstring(slot)
        if paragraphs:
            chance.choice(paragraphs).addprevious(new)
    body = next(tree.iter("body"), None)
    if body is not None:
        body.insert(0, fragment_fromstring(slots[0]))
        body.append(fragment_fromstring(slots[1]))
    return body is not None


def _nonces(tree: Any, reading: Reading, chance: random.Random) -> bool:
    for script in tree.iter("script"):
        script.set("nonce", f"{chance.getrandbits(64):x}")
        if script.text and "ld+json" not in script.get("type", ""):
            script.text += f"\n//{chance.getrandbits(64):x}"
    for head in tree.iter("head"):
        head.append(fragment_fromstring(f'<meta name="csrf-token" content="{chance.getrandbits(64):x}">'))
    for form in tree.iter("form"):
        form.append(fragment_fromstring(f'<input type="hidden" name="token" value="{chance.getrandbits(64):x}">'))
    return True


def _html_comments(tree: Any, reading: Reading, chance: random.Random) -> bool:
    for body in tree.iter("body"):
        body.append(etree.Comment(f" rendered by web-{chance.randrange(99)} in {chance.randrange(999)} ms "))
        body.insert(0, etree.Comment(f" {chance.getrandbits(64):x} "))
    return True


def _reader_comments(tree: Any, reading: Reading, chance: random.Random) -> bool:
    number = chance.randrange(2, 99)
    said = "".join(
        f"<li><b>reader {n}</b><p>I have taken that boat for years, and it was late.</p></li>" for n in range(2)
    )
    new = f'<section class="comments" id="comments"><h3>{number} comments</h3><ol>{said}</ol></section>'
    body = next(tree.iter("body"), None)
    if body is None:
        return False
    body.append(fragment_fromstring(new))
    return True


OUTSIDE: Final[dict[str, Edit]] = {
    "nonces": _nonces,
    "comments in the source": _html_comments,
    "a box of related links": _related_links,
    "counters": _counters,
    "adverts": _adverts,
    "readers' comments": _reader_comments,
}


STRESS: Final[dict[str, Edit]] = {
    "all links around it change places": _other_links,
    "links among its paragraphs change places": _links_within,
}


def all_outside(tree: Any, reading: Reading, chance: random.Random) -> bool:
    """Make all edits that are outside the article."""
    return bool([edit(tree, reading, chance) for edit in OUTSIDE.values()])
