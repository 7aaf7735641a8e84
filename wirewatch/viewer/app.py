"""Answer requests: which address leads to which answer, in which form, and what is said where there is none.

`answers` makes each page's model; whether it leaves as HTML or as JSON is decided here, so the two never say different
things. Work is done in a few threads beside the event loop, as the store and the templates are not
asynchronous.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wirewatch import __version__
from wirewatch.errors import BadContent, StoreError, TookTooLong, WirewatchError
from wirewatch.viewer import answers, memento, safety
from wirewatch.viewer.answers import Asked, Viewer
from wirewatch.viewer.articles import Gone, Moved, NotThere
from wirewatch.viewer.models import Failure, Visit
from wirewatch.viewer.rendering import render

_THREADS: Final = 4  # more of them wait for each other: Python runs one at a time
_LONGEST_QUERY: Final = 8_000  # characters, of an address
_LONGEST_BODY: Final = 4_096  # bytes, of a form
_HTML: Final = "text/html; charset=utf-8"
_NOTICES: Final = {
    "again": "It will be sent again, under the same id, by the next run or send.",
    "replay": "It will be read again by the next run.",
}
_TODO: Final = {
    400: "Go back, or start again from the list of changes.",
    404: "It may have been typed wrongly, or this store never had it. Search the changes for the article.",
    405: "Start again from the list of changes.",
    503: "Reload this page in a moment.",
}
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}

Make = Callable[[Asked], BaseModel]


def application(viewer: Viewer) -> Starlette:
    """Return the server's application."""
    server = _Server(viewer)
    page = server.page
    routes = [
        *page("/", answers.changes, "changes.html", json="/changes.json"),
        Route("/changes", _moved("/")),
        *page("/articles/{key}", answers.article, "article.html"),
        *page("/articles/{key}/revisions/{revision}", answers.revision, "revision.html"),
        *page("/articles/{key}/diff/{pair}", answers.redline, "redline.html"),
        *page("/feeds", answers.feeds, "feeds.html"),
        *page("/feed", answers.feed, "feed.html"),
        *page("/alerts", answers.alerts, "alerts.html", form=True),
        *page("/alerts/{alert}", answers.alert, "alert.html", form=True),
        *page("/dead-letters", answers.letters, "dead_letters.html", form=True),
        *page("/dead-letters/{letter}", answers.letter, "dead_letter.html", form=True),
        *page("/publishers", answers.publishers, "publishers.html"),
        *page("/publishers/{host}", answers.publisher, "publisher.html"),
        *server.others(),
    ]
    # The shorter of two paths that both fit would take `.json` for a part of a name.
    routes.sort(key=lambda route: not route.path.rpartition("}")[2])
    app = Starlette(routes=routes, exception_handlers={HTTPException: server.refused, Exception: server.fault})
    app.router.redirect_slashes = False
    return app


def _moved(to: str) -> Callable[[Request], Awaitable[Response]]:
    async def moved(request: Request) -> Response:
        query = request.url.query
        return RedirectResponse(f"{to}?{query}" if query else to, 308, headers=safety.HEADERS)

    return moved


# The server


class _Server:
    """Turn requests into answers."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="viewer")
        self._static = _static()

    def page(self, path: str, make: Make, template: str, *, json: str = "", form: bool = False) -> list[Route]:
        """Return the routes of one page: as the reader's program wants it, and as JSON."""

        def both(asked: Asked, visit: Visit, *, as_json: bool) -> Response:
            page = make(asked)
            response = answers.as_json(page) if as_json else Response(render(template, page, visit), media_type=_HTML)
            response.headers["vary"] = "accept"
            if not as_json and template == "revision.html":
                response.headers["memento-datetime"] = memento.date(page.memento_datetime)  # type: ignore[attr-defined]
                response.headers["link"] = memento.links_of_revision(page, asked.base)  # type: ignore[arg-type]
            return response

        async def answer(request: Request) -> Response:
            return await self._answer(request, both, form=form)

        return [Route(path, answer), Route(json or f"{path}.json", answer)]

    def others(self) -> Iterable[Route]:
        """Return the routes of all else."""

        def route(path: str, make: Callable[[Asked], Response], *, post: bool = False) -> Route:
            def only(asked: Asked, _visit: Visit, *, as_json: bool) -> Response:
                return make(asked)

            async def answer(request: Request) -> Response:
                return await self._answer(request, only, post=post)

            return Route(path, answer, methods=["POST"] if post else ["GET"])

        yield route("/changes.atom", answers.atom)
        yield route("/changes.feed.json", answers.json_feed)
        yield route("/api/changes", answers.events)
        yield route("/events/{event}", answers.event)
        yield route("/events/{event}.json", answers.event)
        yield route("/revisions/{revision}", answers.revision_alone)
        yield route("/revisions/{revision}.json", answers.revision_alone)
        yield route("/find", answers.found)
        yield route("/articles/{key}/diff/{pair}.txt", answers.plain_redline)
        yield route("/articles/{key}/revisions/{revision}/record.json", answers.record)
        yield route("/articles/{key}/revisions/{revision}/page", answers.kept_page)
        yield route("/articles/{key}/timemap", answers.timemap)
        yield route("/articles/{key}/timegate", answers.timegate)
        yield route("/openapi.json", answers.described)
        yield route("/alerts/{alert}/again", answers.send_again, post=True)
        yield route("/dead-letters/{letter}/replay", answers.replay, post=True)
        yield Route("/static/{name:path}", self._file)
        yield Route("/{rest:path}", self._nothing, methods=["GET", "POST"])

    async def _file(self, request: Request) -> Response:
        found = self._static.get(request.path_params["name"])
        if found is None:
            return await self._nothing(request)
        body, kind, tag = found
        for_good = request.url.query == f"v={tag}"
        headers = {
            **safety.HEADERS,
            "etag": f'"{tag}"',
            "cache-control": "public, max-age=31536000, immutable" if for_good else "no-cache",
        }
        if request.headers.get("if-none-match") == f'"{tag}"':
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=kind, headers=headers)

    async def _nothing(self, request: Request) -> Response:
        def nowhere(asked: Asked, _visit: Visit, *, as_json: bool) -> Response:
            raise NotThere("There is no page at this address.")

        return await self._answer(request, nowhere)

    async def refused(self, request: Request, error: Exception) -> Response:
        """Say why the server itself refused a request: a method that an address does not know, for one."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        told = "This address is only read." if status == HTTPStatus.METHOD_NOT_ALLOWED else HTTPStatus(status).phrase
        asked = self._asked(request)
        response = _failure(asked, self._visit(asked, None, None), status, told)
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})
        return _finished(response)

    async def fault(self, request: Request, error: Exception) -> Response:
        """Say that the program is at fault; the server's log has the rest."""
        asked = self._asked(request)
        visit = self._visit(asked, None, None)
        told = "This page could not be made. The fault is Wirewatch's; its log says more."
        return _finished(_failure(asked, visit, 500, told))

    async def _answer(
        self, request: Request, make: Callable[..., Response], *, form: bool = False, post: bool = False
    ) -> Response:
        """Answer a request: guard it, look whether the answer is known, make it in a thread, and finish it."""
        asked = self._asked(request)
        user = self._user(request)
        cookie = request.cookies.get(safety.COOKIE) if form or post else None
        fresh = safety.new_cookie() if form and not cookie else None
        visit = self._visit(asked, user, cookie or fresh)
        if (refused := self._refused(asked, visit, request, user)) is not None:
            return _finished(refused)
        if post and (refused := await self._refused_form(asked, visit, request, cookie, user)) is not None:
            return _finished(refused)
        as_json = answers.wants_json(asked)
        loop = asyncio.get_running_loop()
        known = None if form or post else (request.url.path, asked.query, asked.base, user, asked.headers.get("accept"))
        response: Response = await loop.run_in_executor(
            self._threads, lambda: self._made(asked, visit, make, known, as_json=as_json)
        )
        response = _finished(response, request)
        if fresh and response.status_code == HTTPStatus.OK and not as_json:
            secure = asked.base.startswith("https://")
            response.set_cookie(safety.COOKIE, fresh, httponly=True, samesite="strict", secure=secure)
        return response

    def _made(
        self, asked: Asked, visit: Visit, make: Callable[..., Response], known: Any, *, as_json: bool
    ) -> Response:
        try:
            state = self._viewer.shelf.state() if known else ""
            if known and (told := self._viewer.memory.get(known, state)) is not None:
                body, kind, headers = told
                return Response(body, media_type=kind, headers=headers)
            response = make(asked, visit, as_json=as_json)
        except Moved as error:
            old, new = f"/articles/{asked.named['key']}", f"/articles/{error.key}"
            whole = asked.path == old or asked.path.startswith((f"{old}.", f"{old}/time"))
            return RedirectResponse(asked.path.replace(old, new, 1) if whole else new, 301)
        except WirewatchError as error:
            return _failure(asked, visit, _status(error), _told(error))
        except NotThere as error:
            return _failure(asked, visit, 404, str(error))
        except Gone as error:
            return _failure(asked, visit, 410, str(error))
        if known and response.status_code == HTTPStatus.OK:
            headers = {name: value for name, value in response.headers.items() if name != "content-length"}
            body = bytes(response.body)
            self._viewer.memory.put(known, state, (body, response.media_type, headers), len(body))
        return response

    def _refused(self, asked: Asked, visit: Visit, request: Request, user: str | None) -> Response | None:
        guard = self._viewer.guard
        if not guard.knows(request.headers.get("host", "")):
            return _failure(asked, visit, 421, "This server is not known by the name that it was asked for.")
        if guard.user_header is not None and not user:
            return _failure(
                asked, visit, 401, "Nobody is logged in: ask for this page through the proxy in front of it."
            )
        if len(asked.query) > _LONGEST_QUERY:
            told = f"An address has at most {_LONGEST_QUERY:,} characters behind its question mark."
            return _failure(asked, visit, 414, told)
        return None

    async def _refused_form(
        self, asked: Asked, visit: Visit, request: Request, cookie: str | None, user: str | None
    ) -> Response | None:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LONGEST_BODY:
                return _failure(asked, visit, 413, "The form is larger than any form of ours.")
        token = dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", "")
        if not safety.same_origin(request.headers) or not self._viewer.guard.accepts(token, cookie, user):
            told = "This form was not sent from a page of this server, or the page was too old: open it again."
            return _failure(asked, visit, 403, told)
        return None

    def _user(self, request: Request) -> str | None:
        header = self._viewer.guard.user_header
        return request.headers.get(header, "").strip()[:200] or None if header else None

    def _asked(self, request: Request) -> Asked:
        base = self._viewer.public_url or f"{request.url.scheme}://{request.url.netloc}"
        query = request.url.query
        return Asked(
            viewer=self._viewer,
            path=request.url.path,
            parameters=dict(parse_qsl(query[: _LONGEST_QUERY + 1], errors="replace")),
            named=dict(request.path_params),
            base=base.rstrip("/"),
            query=query,
            headers=request.headers,
        )

    def _visit(self, asked: Asked, user: str | None, cookie: str | None) -> Visit:
        return Visit(
            path=asked.path.removesuffix(".json"),
            query=asked.query[:_LONGEST_QUERY],
            base=asked.base,
            user=user,
            token=self._viewer.guard.token(cookie, user) if cookie else "",
            notice=_NOTICES.get(asked.parameters.get("done", "")),
            now=self._viewer.clock.now(),
            version=__version__,
        )


def _static() -> dict[str, tuple[bytes, str, str]]:
    found = {}
    for one in (files("wirewatch.viewer") / "static").iterdir():
        if (kind := _TYPES.get(PurePath(one.name).suffix)) is not None:
            body = one.read_bytes()
            found[one.name] = body, kind, hashlib.sha256(body).hexdigest()[:16]
    return found


def _finished(response: Response, request: Request | None = None) -> Response:
    """Return an answer with what every answer carries, or 304 where the reader has it already."""
    for name, value in safety.HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("cache-control", "private, no-cache")
    if request is None or response.status_code != HTTPStatus.OK:
        return response
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:24]}"'
    response.headers["etag"] = tag
    if tag in request.headers.get("if-none-match", ""):
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return Response(status_code=304, headers=headers)
    return response


def _failure(asked: Asked, visit: Visit, status: int, detail: str) -> Response:
    title = HTTPStatus(status).phrase
    failure = Failure(status=status, title=title, detail=detail, todo=_TODO.get(status))
    if answers.wants_json(asked):
        response = answers.as_json(failure)
        response.status_code = status
    else:
        response = Response(render("error.html", failure, visit), status, media_type=_HTML)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["retry-after"] = "5"
    return response


def _status(error: WirewatchError) -> int:
    if isinstance(error, (StoreError, TookTooLong)):
        return 503
    return 400 if isinstance(error, BadContent) else 500


def _told(error: WirewatchError) -> str:
    """Return what went wrong for whoever reads pages, who need not know where the store lies."""
    if isinstance(error, TookTooLong):
        return f"{error} Ask for less: a shorter period, one publisher, or rarer words."
    told = str(error).replace(f" {error.about}", "") if error.about else str(error)
    return told.replace("start again", "reload this page") if isinstance(error, StoreError) else told
