"""Blobs and uploads over HTTP.

Knows: the rows of schemas.endpoints below /v1/blobs and /v1/uploads. Refuses to know: how bytes are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, request

from crypto_core.encoding import format_b64
from schemas import limits
from schemas.accounts import Nothing
from schemas.endpoints import OCTETS
from schemas.receipts import ReceiptAnswer
from schemas.uploads import CompleteUpload, KeptBlob, StartUpload, Upload
from server.accounts.service import current_account
from server.parts import parts
from server.problems import Refusal
from server.requests import content_length, dump, load, read_octets, unit_digests
from server.uploads import service
from server.uploads.kept import Content, keep_blob, open_blob, prove_blob
from server.uploads.ranges import parse_range

blueprint = Blueprint("uploads", __name__)


@blueprint.put("/v1/blobs/<id:blob>")
def put_blob(blob: bytes) -> Response:
    data = b"".join(read_octets(limits.FIRST_UNIT))
    return dump(KeptBlob, keep_blob(parts(), current_account(), blob, data), 201)


@blueprint.get("/v1/blobs/<id:blob>")
def get_blob(blob: bytes) -> Response:
    return answer_content(open_blob(parts(), current_account(), blob))


@blueprint.get("/v1/blobs/<id:blob>/receipt")
def get_receipt(blob: bytes) -> Response:
    deposit = prove_blob(parts(), current_account(), blob)
    return dump(ReceiptAnswer, {"deposited": deposit.time, "receipt": deposit.receipt})


@blueprint.post("/v1/uploads")
def start() -> Response:
    message = load(StartUpload)
    return dump(Upload, service.start_upload(parts(), current_account(), message["blob"], message["size"]), 201)


@blueprint.get("/v1/uploads/<id:blob>")
def read(blob: bytes) -> Response:
    return dump(Upload, service.read_upload(parts(), current_account(), blob))


@blueprint.put("/v1/uploads/<id:blob>/units/<u32:first>")
def put_units(blob: bytes, first: int) -> Response:
    return dump(Upload, service.put_units(parts(), current_account(), blob, first, *read_units()))


@blueprint.post("/v1/uploads/<id:blob>/complete")
def complete(blob: bytes) -> Response:
    message = load(CompleteUpload)
    return dump(KeptBlob, service.complete(parts(), current_account(), blob, message["sha256"]), 201)


@blueprint.delete("/v1/uploads/<id:blob>")
def give_up(blob: bytes) -> Response:
    service.give_up(parts(), current_account(), blob)
    return dump(Nothing, {})


def read_units() -> tuple[int, Iterator[bytes], list[bytes] | None]:
    """What `put_units` takes of a request's body: its length, its pieces, and the digests that it announces."""
    length, announced = content_length(limits.PUT), unit_digests()
    return length, read_octets(limits.PUT, needs_digest=announced is None), announced


def answer_content(content: Content) -> Response:
    """The whole, or the range that the request asks for."""
    whole = request.method == "HEAD" or "If-Range" in request.headers  # RFC 9110 §14.2; nothing here has a validator
    header = None if whole else request.headers.get("Range")
    try:
        wanted = parse_range(header, content.size)
    except Refusal as refusal:
        answer = refusal.response()
        answer.headers["Content-Range"] = f"bytes */{content.size}"
        return answer
    return _whole(content) if wanted is None else _part(content, *wanted)


def _whole(content: Content) -> Response:
    answer = _stream(content, 0, content.size, 200)
    if content.data is not None:
        answer.headers["Content-Digest"] = f"sha-256=:{format_b64(content.sha256)}:"
    return answer


def _part(content: Content, start: int, stop: int) -> Response:
    answer = _stream(content, start, stop, 206)
    answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    return answer


def _stream(content: Content, start: int, stop: int, status: int) -> Response:
    headers = {"Content-Length": str(stop - start), "Accept-Ranges": "bytes"}
    return Response(content.read(start, stop), status, headers, content_type=OCTETS)
