"""Reads what a request brings and spells what an answer says: strictly, with limits, and counting every byte.

Knows: HTTP bodies, strict JSON, RFC 9530 digests. Refuses to know: what a message means.
On the WSGI servers that were tried a body cut in the middle looks like a clean end, so nothing here
believes the end of a stream: it counts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any

import http_sf
from flask import Flask, Response, g, request
from marshmallow import Schema
from werkzeug.routing import BaseConverter, ValidationError as NoMatch

from crypto_core.encoding import ID_SIZE, format_b64url, format_json, parse_b64url, parse_json
from crypto_core.errors import MalformedError
from schemas import limits
from schemas.endpoints import JSON, OCTETS
from server.problems import Refusal

PIECE = limits.UNIT
"""Bytes that are read at once: the units of a body come in one piece each, but for those after the first 56 bytes."""
HEARD_OUT = 2 * limits.PUT
"""Bytes of a refused body that are still read, where a session or a visit was shown."""


class IdConverter(BaseConverter):
    """`<id:…>`: canonical base64url of 16 bytes, whose last character spells no more than two bits."""

    regex = "[A-Za-z0-9_-]{21}[AQgw]"

    def to_python(self, value: str) -> bytes:
        return parse_b64url(value, ID_SIZE)

    def to_url(self, value: bytes) -> str:
        return format_b64url(value)


class U32Converter(BaseConverter):
    """`<u32:…>`: canonical decimal, 0 to 2^32 − 1."""

    regex = "(?:0|[1-9][0-9]{0,9})"

    def to_python(self, value: str) -> int:
        if int(value) > limits.U32:
            raise NoMatch()
        return int(value)


CONVERTERS: dict[str, type[BaseConverter]] = {"id": IdConverter, "u32": U32Converter}


def install_hearing_out(app: Flask) -> None:
    """Whoever is refused in the middle of a body, or before it, is heard out: a WSGI server that is left with bytes
    closes the connection, and the answer, or what the client sends there next, may be lost with it."""

    @app.after_request
    def _hear_out(answer: Response) -> Response:
        if answer.status_code >= 400:
            with suppress(Refusal):  # that it was cut changes nothing any more
                for _ in _read_pieces(_worth_reading()):
                    pass
        return answer


def load(schema: type[Schema], most: int = limits.SMALL_JSON_BODY) -> dict[str, Any]:
    """The message in the body, checked. Raises Refusal, or marshmallow's ValidationError."""
    return parse_message(schema, read_json_body(most))


def read_json_body(most: int = limits.SMALL_JSON_BODY) -> bytes:
    """The exact bytes of a JSON body of up to `most` bytes; for a signature that covers them."""
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != JSON or charset.lower() != "utf-8":
        raise Refusal("media_type")
    return b"".join(_read_pieces(content_length(most)))


def parse_message(schema: type[Schema], body: bytes) -> dict[str, Any]:
    """The message that strict JSON spells. Raises Refusal `malformed`, or marshmallow's ValidationError."""
    try:
        value = parse_json(body)
    except MalformedError:
        raise Refusal("malformed") from None
    if _deeper_than(value, limits.JSON_DEPTH):
        raise Refusal("malformed")
    message: dict[str, Any] = _made(schema).load(value)
    return message


def load_query(schema: type[Schema]) -> dict[str, Any]:
    """The query, checked; a name that stands twice is refused."""
    pairs = list(request.args.items(multi=True))
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Refusal("malformed")
    message: dict[str, Any] = _made(schema).load(query)
    return message


def dump(schema: type[Schema], message: object, status: int = 200) -> Response:
    """The answer, in the schema's spelling."""
    return Response(format_json(_made(schema).dump(message)), status, content_type=JSON)


def content_length(most: int) -> int:
    """The announced length of the body. Raises Refusal `length_required` or `too_large`."""
    length = request.content_length
    if length is None:
        raise Refusal("length_required")
    if length > most:
        raise Refusal("too_large")
    return length


def read_octets(most: int, *, needs_digest: bool = True) -> Iterator[bytes]:
    """The pieces of a binary body of up to `most` bytes, which has to carry its `Content-Digest`, or may.

    Only when the iterator ended without raising did everything arrive, unchanged: what was done with the pieces
    until then has to be undone otherwise. Raises Refusal `body_incomplete` or `digest_mismatch` at the end,
    everything else before the first piece.
    """
    if request.mimetype != OCTETS:
        raise Refusal("media_type")
    pieces = _read_pieces(content_length(most))
    if not needs_digest and "Content-Digest" not in request.headers:
        return pieces
    return _digested(pieces, _content_digest())


def unit_digests() -> list[bytes] | None:
    """What `Temoin-Unit-Digests` announces: the SHA-256 of each unit in the body; None without that header.

    Raises Refusal `malformed`.
    """
    header = request.headers.get("Temoin-Unit-Digests")
    if header is None:
        return None
    digests = sha256_member(header)
    if not digests or len(digests) % limits.HASH or len(digests) > limits.UNITS_PER_PUT * limits.HASH:
        raise Refusal("malformed")
    return [digests[start : start + limits.HASH] for start in range(0, len(digests), limits.HASH)]


def sha256_member(header: str) -> bytes:
    """The bytes under `sha-256` in a dictionary of digests (RFC 9530 §2); what else stands in it means nothing here.

    Raises Refusal `malformed` for what is no dictionary (RFC 9651 §3.2), or has no such bytes.
    """
    with suppress(ValueError):
        members: object = http_sf.parse(header.encode("ascii"), tltype="dictionary")
        match members:
            case {"sha-256": (bytes(value), _)}:
                return value
    raise Refusal("malformed")


def _digested(pieces: Iterator[bytes], digest: bytes) -> Iterator[bytes]:
    seen = hashlib.sha256()
    for piece in pieces:
        seen.update(piece)
        yield piece
    if not hmac.compare_digest(seen.digest(), digest):
        raise Refusal("digest_mismatch")


def _content_digest() -> bytes:
    digest = sha256_member(request.headers.get("Content-Digest", ""))
    if len(digest) != limits.HASH:
        raise Refusal("malformed")
    return digest


def _worth_reading() -> int:
    """How much of a refused body is read to its end: none of one so large that ending it is better, nor of one whose
    sender waits to be told to go on. A stranger can't hold a thread for longer than by any other body."""
    left: int | None = g.get("unread")
    if left is None:  # nothing was read
        left = 0 if "Expect" in request.headers else request.content_length or 0
    return left if left <= (HEARD_OUT if "caller" in g or "entered" in g else limits.SMALL_JSON_BODY) else 0


def _read_pieces(length: int) -> Iterator[bytes]:
    body = request.input_stream  # werkzeug's other stream would count as well, and copy each piece twice
    while length:
        try:
            piece = body.read(min(length, PIECE))
        except OSError:
            piece = b""
        if not piece:
            raise Refusal("body_incomplete")
        length -= len(piece)
        g.unread = length
        yield piece


@cache
def _made(schema: type[Schema]) -> Schema:
    """One of each for all requests: making one copies every field."""
    return schema()


def _deeper_than(value: Any, depth: int) -> bool:
    """Whether lists and objects stand in one another more than `depth` deep."""
    level = [value] if isinstance(value, (dict, list)) else []
    while level and depth:
        inner = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in level)
        level = [one for one in inner if isinstance(one, (dict, list))]
        depth -= 1
    return bool(level)
