"""Writes docs/api/openapi.json from the table of endpoints and the schemas; `--check` says whether it is up to date.

Knows: OpenAPI 3.1 and apispec. Refuses to know: Flask.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.field_converter import FieldConverterMixin
from marshmallow import Schema

from client_sdk import __version__
from schemas import fields, limits
from schemas.endpoints import ENDPOINTS, Endpoint, Stage
from schemas.problems import MEDIA_TYPE, PROBLEMS
from schemas.vault import Problem

TARGET = Path(__file__).with_name("openapi.json")
EVERYWHERE = ("malformed", "invalid", "not_found", "method_not_allowed", "unavailable", "internal")
"""Refusals that any endpoint may give."""
AUTHORISED = ("unauthorized", "stage_insufficient")
WITH_BODY = ("body_incomplete", "length_required", "too_large", "media_type")


def describe_text(_self: FieldConverterMixin, field: Any, **_: Any) -> dict[str, Any]:
    """The text that spells the bytes of a `fields.Bytes`, with its length, or a `fields.Time`."""
    if isinstance(field, fields.Hex):
        return _text(field, "^([0-9a-f]{2})*$", **_lengths(field, lambda size: 2 * size))
    if isinstance(field, fields.Bytes) and field.least == field.most:
        return _text(field, base64url_of(field.least))
    if isinstance(field, fields.Bytes):
        return _text(field, "^[A-Za-z0-9_-]*$", **_lengths(field, lambda size: -(-size * 4 // 3)))
    if isinstance(field, fields.Time):
        return _text(field, r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", format="date-time")
    return {}


def base64url_of(size: int) -> str:
    """What the canonical text of so many bytes looks like: in its last letter the bits that are over are zero."""
    letters, over = -(-size * 4 // 3), size % 3
    if not over:
        return f"^[A-Za-z0-9_-]{{{letters}}}$"
    return f"^[A-Za-z0-9_-]{{{letters - 1}}}[{'AQgw' if over == 1 else 'AEIMQUYcgkosw048'}]$"


def _text(field: Any, pattern: str, **more: Any) -> dict[str, Any]:
    return {"type": ["string", "null"] if field.allow_none else "string", "pattern": pattern, **more}


def _lengths(field: fields.Bytes, length: Any) -> dict[str, int]:
    found = {"minLength": length(field.least)}
    return found if field.most is None else {**found, "maxLength": length(field.most)}


def build() -> dict[str, Any]:
    """The whole document."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: _class(schema).__name__)
    spec = APISpec("Témoin", __version__, "3.1.0", plugins=[plugin], info={"license": {"name": "AGPL-3.0-or-later"}})
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(describe_text)
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for path in dict.fromkeys(endpoint.path for endpoint in ENDPOINTS):
        rows = [endpoint for endpoint in ENDPOINTS if endpoint.path == path]
        spec.path(
            re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), operations={row.method.lower(): _operation(row) for row in rows}
        )
    document: dict[str, Any] = spec.to_dict()
    return document


def _class(schema: Any) -> type[Schema]:
    return schema if isinstance(schema, type) else type(schema)


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": row.summary, "parameters": _parameters(row), "responses": _answers(row)}
    if row.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content((row.takes,))}
    if row.stage is not Stage.NONE:
        operation["security"] = [{"token": []}]
        operation["description"] = f"Needs a token of stage `{row.stage}`."
    return operation


def _parameters(row: Endpoint) -> list[dict[str, Any]]:
    kinds = {
        "id": {"type": "string", "pattern": base64url_of(limits.ID)},
        "u32": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "path": {"type": "string"},
    }
    found: list[dict[str, Any]] = [
        {"in": "path", "name": name, "required": True, "schema": kinds[kind]}
        for kind, name in re.findall(r"<(\w+):(\w+)>", row.path)
    ]
    if row.query is not None:
        found.append({"in": "query", "schema": row.query})
    required = {"Content-Digest", "Temoin-Signature"}
    if "Temoin-Unit-Digests" in row.headers:  # one of the two has to be there
        required.remove("Content-Digest")
    found.extend(
        {"in": "header", "name": name, "required": name in required, "schema": {"type": "string"}}
        for name in row.headers
    )
    return found


def _content(kinds: tuple[Any, ...]) -> dict[str, Any]:
    media = [kind for kind in kinds if isinstance(kind, str)]
    models = [kind for kind in kinds if not isinstance(kind, str)]
    content: dict[str, Any] = {name: {"schema": {"type": "string", "format": "binary"}} for name in media}
    if models:
        content["application/json"] = {"schema": models[0] if len(models) == 1 else {"oneOf": models}}
    return content


def _answers(row: Endpoint) -> dict[str, Any]:
    answers: dict[str, Any] = {str(row.status): {"description": "Done", "content": _content(row.gives)}}
    if "Range" in row.headers:
        answers["206"] = {"description": "The range asked for", "content": _content(row.gives)}
    codes = {*row.refuses, *EVERYWHERE}
    codes |= set(AUTHORISED) if row.stage not in (Stage.NONE, Stage.BUNDLE, Stage.DEPOSITOR) else set()
    codes |= set(WITH_BODY) if row.takes is not None else set()
    for code in PROBLEMS:  # in the order of the table
        if code in codes:
            kind = PROBLEMS[code]
            answer = answers.setdefault(
                str(kind.status), {"description": "", "content": {MEDIA_TYPE: {"schema": Problem}}}
            )
            answer["description"] += f"{', ' if answer['description'] else ''}`{code}`"
    return answers


def spell() -> str:
    """The file's text."""
    return json.dumps(build(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    text = spell()
    if "--check" in arguments:
        if TARGET.read_text("utf-8") == text:
            return 0
        print("docs/api/openapi.json is not what the schemas say; run: python docs/api/generate.py", file=sys.stderr)
        return 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
