"""Generate the JSON Schemas of what Wirewatch reads and writes, from the models that it reads and writes with.

An event's `dataschema` describes its `data` alone; the whole message is described by `event`. Every schema is closed:
a member it does not name is an error, so validate an event against the version that it names itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from wirewatch.events.data import EVENTS, AnyEvent, schema_address, schema_name
from wirewatch.records import Record

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class CaptureLine(BaseModel):
    """One line of a capture file: what one URL answered at one time.

    `body` is text, `bodyPath` names a file of bytes, perhaps `.gz`, relative to the capture file; `notModified` is the
    content hash that an answer without a body confirms. `feed` is the address of the feed that named the URL.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        hide_input_in_errors=True,
        json_schema_extra={"not": {"required": ["body", "bodyPath"]}},
    )

    url: Annotated[str, Field(min_length=1)]
    observed_at: AwareDatetime
    status: Annotated[int, Field(ge=100, le=599)] | None = None  # RFC 9110, 15
    headers: dict[str, str] | None = None
    content_type: str | None = None
    feed: str | None = None
    final_url: str | None = None
    not_modified: Annotated[str, Field(pattern="^(sha256:)?[0-9a-f]{64}$")] | None = None
    body: str | None = None
    body_path: str | None = None

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.body is not None and self.body_path is not None:
            raise ValueError("give either body or bodyPath, not both")
        return self


def schemas(authority: str = "wirewatch.example") -> dict[str, dict[str, Any]]:
    """Return every published schema by name, with the `$id` it has at this installation.

    Names are `record`, `capture`, `event`, and one such as `article-revised` for the data of each type of event.
    """
    described: dict[str, Any] = {"record": Record, "capture": CaptureLine, "event": AnyEvent}
    for event in EVENTS:
        fields = event.model_fields
        described[schema_name(fields["type"].default)] = fields["data"].annotation
    return {name: _schema(authority, name, what) for name, what in described.items()}


def _schema(authority: str, name: str, what: Any) -> dict[str, Any]:
    schema = TypeAdapter(what).json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": DIALECT, "$id": schema_address(authority, name)} | schema | {"title": name}


class _Generator(GenerateJsonSchema):
    """Describe the JSON as it is written: a member without a value is absent, never null; constants are there."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        inner = field["schema"]
        if inner["type"] == "default" and inner.get("default") is not None:
            return True
        return super().field_is_required(field, total)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        union = super().tagged_union_schema(schema)
        union.pop("discriminator", None)  # OpenAPI's word, unknown to JSON Schema
        return union

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
