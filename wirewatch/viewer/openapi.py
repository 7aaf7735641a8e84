"""Describe the API in OpenAPI 3.1, from the very models that the answers are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wirewatch import __version__
from wirewatch.model import WORDING_FIELDS
from wirewatch.viewer import filters, lists, models, watching

_HEX16: Final = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_HEX32: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_KEY: Final = ("key", _HEX16, "The article's key.")
_MOMENT: Final = {
    "type": "string",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
    "pattern": r"^(19[7-9]|20[0-9])[0-9]-",
}
_FILTERS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    (
        "q",
        {"type": "string", "pattern": "^[A-Za-z]{1,30}( [A-Za-z]{1,30}){0,9}$"},
        'Words, "phrases", -without, begin*.',
    ),
    ("publisher", {"type": "string", "maxLength": 300}, "The publisher's host."),
    ("feed", {"type": "string", "maxLength": 4096}, "The feed's address."),
    ("language", {"type": "string", "maxLength": 44}, "A language tag, as the page states it."),
    ("field", {"enum": list(WORDING_FIELDS)}, "The field that changed."),
    *(
        (name, {"enum": list(filters.CLOSED[name])}, f"The change's {name}.")
        for name in ("class", "disclosure", "signal")
    ),
    ("from", _MOMENT, "Seen at that time or later; UTC unless it says otherwise."),
    ("to", _MOMENT, "Seen before that time; a bare day is included."),
)
_AFTER: Final = (
    "after",
    {"type": "string", "pattern": "^[0-9a-f]{1,16}-[0-9a-f]{4}$"},
    "Where the list goes on: `next` of the answer before.",
)
_DAYS: Final = ("days", {"type": "integer", "minimum": 1, "maximum": watching.MOST_DAYS}, "How many days are counted.")


def _limit(most: int) -> tuple[str, dict[str, Any], str]:
    return "limit", {"type": "integer", "minimum": 1, "maximum": most}, "How many are answered at most."


# Path, operation, model, what it says, parameters in the path, parameters in the query.
_PAGES: Final[tuple[tuple[str, type[BaseModel], str, tuple[Any, ...], tuple[Any, ...]], ...]] = (
    (
        "/changes.json",
        models.Changes,
        "The latest changes, newest first",
        (),
        (*_FILTERS, _AFTER, _limit(lists.MOST_LINES)),
    ),
    ("/articles/{key}.json", models.Article, "One article with its history", (_KEY,), ()),
    (
        "/articles/{key}/revisions/{revision}.json",
        models.RevisionPage,
        "One revision: its text, hashes and evidence",
        (_KEY, ("revision", _HEX32, "The revision's id.")),
        (),
    ),
    (
        "/articles/{key}/diff/{pair}.json",
        models.Redline,
        "What changed between any two revisions",
        (_KEY, ("pair", {"type": "string", "pattern": r"^[0-9a-f]{32}\.\.[0-9a-f]{32}$"}, "Two ids: OLD..NEW.")),
        (),
    ),
    ("/feeds.json", models.Feeds, "All feeds with their health", (), ()),
    (
        "/feed.json",
        models.FeedPage,
        "One feed",
        (),
        (("url", {"type": "string", "pattern": r"\S", "maxLength": 4096}, "The feed's address.", True),),
    ),
    (
        "/alerts.json",
        models.Alerts,
        "What channels were told, newest first",
        (),
        (
            ("state", {"enum": ["waiting", "sent", "dead"]}, "Those of one state only."),
            ("channel", {"type": "string"}, "Those of one channel only."),
            ("after", _HEX32, "Where the list goes on."),
        ),
    ),
    ("/alerts/{alert}.json", models.AlertPage, "One alert", (("alert", _HEX32, "The alert's id."),), ()),
    (
        "/dead-letters.json",
        models.DeadLetters,
        "What could not be used, newest first",
        (),
        (("replayed", {"enum": ["yes", "no"]}, "Those that were replayed, too."), _AFTER),
    ),
    (
        "/dead-letters/{letter}.json",
        models.DeadLetterPage,
        "One dead letter",
        (("letter", {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}, "Its number."),),
        (),
    ),
    ("/publishers.json", models.Publishers, "How each publisher edits", (), (_DAYS,)),
    (
        "/publishers/{host}.json",
        models.PublisherPage,
        "How one publisher edits",
        (("host", {"type": "string", "pattern": r"^[a-z0-9.-]{1,100}$"}, "Its host."),),
        (_DAYS,),
    ),
    (
        "/api/changes",
        models.Events,
        "What happened since a cursor, as CloudEvents, in the order it was recorded",
        (),
        (("since", _AFTER[1], "`next` of the answer before; left out, all."), _limit(1000)),
    ),
)


def description(base: str) -> bytes:
    """Return the description as JSON; `base` is where the server is reached."""
    return orjson.dumps({**_description(), "servers": [{"url": base}]})


@lru_cache(maxsize=1)
def _description() -> dict[str, Any]:
    kinds: dict[type[BaseModel], None] = dict.fromkeys([*(page[1] for page in _PAGES), models.Failure])
    _, schemas = models_json_schema(
        [(kind, "serialization") for kind in kinds], by_alias=True, ref_template="#/components/schemas/{model}"
    )
    paths = {page[0]: {"get": _operation(*page)} for page in _PAGES}
    event = _operation("/events/{event}.json", None, "One CloudEvent, as it left", (("event", _HEX32, "Its id."),), ())
    paths["/events/{event}.json"] = {"get": event}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wirewatch",
            "version": __version__,
            "description": "Every page of the viewer as JSON. Times are UTC. Each page's own address answers the same"
            " for `Accept: application/json`.",
        },
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(
    path: str, kind: type[BaseModel] | None, says: str, of_path: tuple[Any, ...], of_query: tuple[Any, ...]
) -> dict[str, Any]:
    media = "application/json" if kind else "application/cloudevents+json"
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"} if kind else {"type": "object"}
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    wrong = {
        "400": "Something in the address means nothing.",
        "404": "There is no such thing.",
        "410": "It was kept once; its words are not kept any more.",
        "414": "The address is too long.",
        "503": "The store cannot be read now, or it took too long.",
    }
    return {
        "operationId": "".join(part.capitalize() for part in path.replace("{", "").replace("}", "").split("/")),
        "summary": says,
        "parameters": [
            *(_parameter("path", name, schema, about, required=True) for name, schema, about in of_path),
            *(_parameter("query", *one[:3], required=len(one) > 3) for one in of_query),
        ],
        "responses": {
            "200": {"description": says, "content": {media: {"schema": schema}}},
            **({"301": {"description": "The article is part of another one by now."}} if "key" in path else {}),
            **{status: {"description": about, "content": failure} for status, about in wrong.items()},
        },
    }


def _parameter(where: str, name: str, schema: Any, about: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": schema, "description": about}
