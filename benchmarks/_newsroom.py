"""Serve invented articles of 129 KB from a process of its own, so that its work is not counted as ours.

Every answer has a nonce, other most-read links and other counters. What the articles say is set by `GET /set/STATE`:
`1` as they were first, `2` with every third touched, and `304` the same as `2` with conditional requests honoured.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Final, Self

HOSTS: Final = tuple(f"paper{n}.example" for n in range(4))
BYTES: Final = 129_000
_TEXT: Final = (
    "harbour council ferry subsidy winter boats islands crossing operator vote member motion tender landing stage "
    "money ticket storm pier lighthouse library roof school bridge market tram museum budget year month evening"
)
_WORDS: Final = _TEXT.split()
_TITLES: Final = tuple(
    f"{one.title()} {two} {three} after the {four}"
    for one, two, three, four in zip(_WORDS, _WORDS[7:], _WORDS[3:], _WORDS[11:], strict=False)
)
_SCRIPT: Final = "window.data=window.data||{};" + "function f(a,b){return a.map(function(c){return c[b]})};" * 900


def kind(number: int) -> str:
    """Return what happens to an article between the states 1 and 2: 31 of 100 are touched."""
    place = number % 100
    return (
        "body" if place < 10 else "headline" if place < 18 else "stamp" if place < 28 else "gone" if place < 31 else ""
    )


def article(number: int, state: str, nonce: int) -> bytes:
    """Return an article's page."""
    chance = random.Random(number)
    touched = kind(number) if state != "1" else ""
    title = f"Council {number}: {chance.choice(_WORDS)} and {chance.choice(_WORDS)} are one" + (
        " again" if touched == "headline" else ""
    )
    stamp = "2026-03-16T15:24:00Z" if touched in ("stamp", "headline") else "2026-03-16T10:21:00Z"
    paragraphs = [_paragraph(chance) for _ in range(24)]
    if touched == "body":
        paragraphs[7] = f"The vote was {number} to 4, and not as it was first said. {paragraphs[7]}"
    menus = "".join(
        f'<li class="menu-item"><a class="menu-link" href="/{one}/{two}">{one.title()} {two}</a></li>'
        for one in _WORDS[:12]
        for two in _WORDS[:6]
    )
    visit = random.Random(nonce)
    read = "".join(
        f'<li class="title"><a href="/story-{visit.randrange(999)}">{visit.choice(_TITLES)}</a></li>' for _ in range(10)
    )
    cards = "".join(
        f'<div class="card teaser"><a href="/s/{visit.randrange(999)}"><img src="/i.jpg" alt="">'
        f"<h3>{visit.choice(_TITLES)}</h3></a></div>"
        for _ in range(24)
    )
    text = "\n".join(
        f"<p>{one}</p>"
        if n % 6
        else f'<h2>What the {chance.choice(_WORDS)} is for</h2><p>{one}</p><div class="ad-slot" id="ad-{n}"></div>'
        for n, one in enumerate(paragraphs)
    )
    page = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} | Paper</title>
<script nonce="{nonce:x}">{_SCRIPT}</script><meta name="csrf-token" content="{nonce:x}">
<link rel="canonical" href="/news/{number}"><meta property="og:title" content="{title}">
<meta property="og:type" content="article">
<meta name="description" content="What the council said of {chance.choice(_WORDS)}.">
<script type="application/ld+json">{{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "{title}",
"datePublished": "2026-03-16T10:21:00Z", "dateModified": "{stamp}",
"author": {{"@type": "Person", "name": "Marta Quill"}}}}
</script></head><body class="visit-{nonce}">
<header class="site-header"><nav class="menu"><ul>{menus}</ul></nav></header>
<div class="latest"><ul class="list-titles">{read}</ul></div><main><article class="story"><header><h1>{title}</h1>
<p class="byline">By Marta Quill</p><time datetime="2026-03-16T10:21:00Z">16 March 2026, 10:21</time></header>
<figure><img src="/boat.jpg" alt=""><figcaption>The last boat of the day</figcaption></figure>
<div class="story-body">{text}</div></article><aside class="most-read"><h2>Most read</h2><ol>{read}</ol></aside>
<div class="social"><span class="share-count">{visit.randrange(900)} shares</span></div></main>
<section class="related">{cards}</section><footer class="site-footer"><ul>{menus}</ul></footer>
<!-- made by web-{nonce % 7} in {nonce % 97} ms --><script nonce="{nonce:x}">/* PAD */</script></body></html>"""
    return page.replace("PAD", "x" * max(0, BYTES - len(page))).encode()


def _paragraph(chance: random.Random) -> str:
    sentences = (" ".join(chance.choices(_WORDS, k=chance.randrange(9, 20))).capitalize() for _ in range(4))
    return ". ".join(sentences) + "."


class Newsroom:
    """The serving process; stopped at the end of the `with`."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def set(self, state: str) -> None:
        """Have the articles say another thing from now on."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/set/{state}", timeout=30) as answer:
            answer.read()


async def _serve() -> None:
    state = "1"
    nonces = itertools.count(1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal state
        while head := await _head(reader):
            path = head.split(" ", 2)[1]
            found = re.match(r"/news/(\d+)", path)
            status, body, more = "404 Not Found", b"", ""
            if path.startswith("/set/"):
                state, status = path.removeprefix("/set/"), "200 OK"
            elif found and kind(int(found[1])) == "gone" and state != "1":
                status = "410 Gone"
            elif found and state == "304" and "if-none-match" in head.lower():
                status = "304 Not Modified"
            elif found:
                nonce = next(nonces)
                status, body, more = "200 OK", article(int(found[1]), state, nonce), f'ETag: "{nonce}"\r\n'
            length = "" if status.startswith("304") else f"Content-Length: {len(body)}\r\n"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n{more}{length}\r\n".encode())
            writer.write(body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


if __name__ == "__main__":
    asyncio.run(_serve())
