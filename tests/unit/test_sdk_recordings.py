"""How a recording that a page made is read: docs/spec/records.md."""

from __future__ import annotations

from hashlib import sha256

import pytest

from client_sdk.reader import opened, parse_record
from client_sdk.replica import Row
from crypto_core.encoding import format_json
from crypto_core.sealing.records import derive_segment
from schemas.documents import KINDS, VERSION

KEY, HASH = bytes(range(32)), sha256(b"a second of it").digest()
FILE = {"name": "1.webm", "mime": "audio/webm"}
UNSAID = dict.fromkeys(("happened", "place", "danger", "mood", "category", "after"))


@pytest.mark.parametrize(("numbers", "has_gap"), [((0, 1, 2), False), ((0, 2), True), ((1,), True), ((), False)])
def test_a_recording_has_a_gap_where_its_last_segment_is_a_later_one_than_it_counts(
    numbers: tuple[int, ...], has_gap: bool
) -> None:
    derived = [derive_segment(KEY, number) for number in numbers]
    whole = {"count": len(numbers), "sha256": HASH} if numbers else {"count": None, "sha256": None}
    record = format_json(KINDS["recording"]().dump({
        "v": VERSION, "kind": "recording", "title": "Son", "text": "", "written": 0, "people": [], "tags": [], **UNSAID,
        "contents": [
            {"blob": blob, "key": key, "sealed": HASH, "sha256": HASH, **FILE, "size": 14} for blob, key in derived
        ],
        "segments": {"key": KEY, **FILE, **whole},
    }))
    row = Row(1, bytes(16), 1, 0, b"", bytes(32), record, tuple(blob for blob, _ in derived), None, False, 1)
    (recording,) = opened(row, False, parse_record(record)).contents
    assert (recording.size, recording.has_gap) == (14 * len(numbers), has_gap)
