"""The envelope: whole, in pieces, as a stream, by range (protocol §2)."""

from __future__ import annotations

from typing import Any

from spelled_again import (
    CHUNK,
    HEADER,
    MALFORMED,
    SEALED_CHUNK,
    TAG,
    TAMPERED,
    broken,
    flipped,
    holds,
    refuses,
    sealed,
    shake,
    told_by_length,
)


def envelope() -> None:
    key, context, salt = shake("envelope key", 32), b"temoin/v1/content\x00", shake("envelope salt", 24)
    place = {"key": key, "context": context}
    for name, size in [
        ("empty", 0),
        ("one_byte", 1),
        ("one_chunk", 16_383),
        ("border", 16_384),
        ("past_border", 16_385),
        ("two_chunks_border", 32_768),
        ("one_run", 262_144),
        ("past_run", 262_145),
        ("multi", 300_000),
    ]:
        given = place | {"salt": salt, "message": {"shake": f"message {size}", "size": size}}
        whole = sealed(key, context, shake(f"message {size}", size), salt)
        holds(f"seal_{name}", "seal", f"{size} bytes", given, sealed=whole)
        sealed_and_changed(name, given, whole)
    message = b"what happened"
    good = sealed(key, context, message, salt)
    holds("open_short", "open_sealed", "one short chunk", place | {"sealed": good}, message=message)
    empty = place | {"sealed": sealed(key, context, b"", salt)}
    holds("open_empty", "open_sealed", "one empty chunk", empty, message=b"")
    broken("open_empty", "open_sealed", "sealed", empty)
    bare = {"key": key, "context": "", "sealed": sealed(key, b"", message, salt)}
    holds("open_no_context", "open_sealed", "an empty context", bare, message=message)
    broken("open_no_context", "open_sealed", "sealed", bare)
    refuses("open_no_context_some", "open_sealed", TAMPERED, "a context where there was none", bare, context=context)
    other = shake("another key", 32)
    for name, changed, why in [
        ("other_key", {"key": other}, "another key"),
        ("other_context", {"context": context + b"\x00"}, "another context"),
        ("salt", {"sealed": flipped(good, 0)}, "a changed salt"),
        ("commitment", {"sealed": flipped(good, 30)}, "a changed commitment"),
        ("chunk", {"sealed": flipped(good, 56)}, "a changed byte"),
        ("tag", {"sealed": flipped(good, -1 % len(good))}, "a changed tag"),
        ("cut", {"sealed": good[:-1]}, "the last byte is missing"),
        ("longer", {"sealed": good + b"\x00"}, "a byte more"),
        (
            "swapped_commitment",
            {"sealed": salt + sealed(other, context, message, salt)[24:]},
            "commitment of another key",
        ),
    ]:
        refuses(f"open_{name}", "open_sealed", TAMPERED, why, place | {"sealed": good} | changed)
    for name, length, why in [
        ("nothing", 0, "nothing"),
        ("half_header", 40, "half a header"),
        ("header_only", 56, "no chunk"),
        ("half_tag", 71, "shorter than a tag"),
    ]:
        refuses(f"open_{name}", "open_sealed", MALFORMED, why, place | {"sealed": good[:length]})

    end = {1: HEADER + 16, 2: HEADER + SEALED_CHUNK + 116, 3: HEADER + 2 * SEALED_CHUNK + 116}
    head, first, second = (
        [0, HEADER],
        [HEADER, HEADER + SEALED_CHUNK],
        [HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK],
    )
    last = [HEADER + 2 * SEALED_CHUNK, end[3]]
    size = 2 * CHUNK + 100
    three = place | {"salt": salt, "message": {"shake": "three chunks", "size": size}}
    whole = shake("three chunks", size)
    holds("pieces_whole", "open_pieces", "three chunks, whole", three | {"pieces": [[0, end[3]]]}, message=whole)
    holds(
        "stream_whole",
        "open_stream",
        "three chunks as a stream, cut anyhow",
        three | {"pieces": [[0, 10], [10, 57], [57, 20_000], [20_000, end[3]]]},
        message=whole,
    )
    for name, pieces, why in [
        ("swapped", [head, second, first, last], "two chunks swapped"),
        ("doubled", [head, first, first, last], "one twice"),
        ("left_out", [head, first, last], "one left out"),
        ("last_early", [head, last], "the last one alone"),
        ("overlong", [[0, end[3]], last], "the last one twice"),
    ]:
        refuses(f"pieces_{name}", "open_pieces", TAMPERED, why, three | {"pieces": pieces})
        refuses(f"stream_{name}", "open_stream", TAMPERED, why, three | {"pieces": pieces})
    for name, pieces, why in [
        ("cut_at_border", [head, first, second], "ends after a whole chunk"),
        ("cut_in_tag", [[0, end[3] - 105]], "ends inside a tag"),
        ("no_chunk", [head], "no chunk"),
    ]:
        refuses(
            f"pieces_{name}",
            "open_pieces",
            MALFORMED,
            why + ": no sealed message has this length",
            three | {"pieces": pieces},
        )
        refuses(f"stream_{name}", "open_stream", TAMPERED, why, three | {"pieces": pieces})
    refuses("stream_no_header", "open_stream", MALFORMED, "ends inside the header", three | {"pieces": [[0, 55]]})

    for start, stop in [(0, 0), (0, 1), (16_383, 16_385), (16_384, 32_768), (32_768, size), (0, size), (5, 20_000)]:
        holds(
            f"range_{start}_{stop}",
            "open_range",
            "a range is the slice",
            three | {"pieces": [[0, end[3]]], "start": start, "stop": stop},
            data=whole[start:stop],
            sealed_start=HEADER + start // CHUNK * SEALED_CHUNK,
            sealed_stop=HEADER + (-(-stop // CHUNK) if stop > start else start // CHUNK) * SEALED_CHUNK,
        )
        range_and_changed(three | {"start": start, "stop": stop}, sealed(key, context, whole, salt))
    for start in (0, CHUNK, 2 * CHUNK, size):
        past = {"pieces": [[0, end[3]]], "start": start, "stop": size + 1}
        refuses(f"range_{start}_past_end", "open_range", MALFORMED, "leaves the message", three | past)
    for plain, whole_size in [
        (0, 72),
        (1, 73),
        (16_383, 16_455),
        (16_384, 16_472),
        (16_385, 16_473),
        (2**52 - 1, 2**52 + 2**42 + 55),
    ]:
        holds(f"size_{plain}", "plain_size", "the length of a sealed message", {"sealed": whole_size}, size=plain)
    for whole_size, why in [
        (0, "nothing"),
        (55, "half a header"),
        (56, "no chunk"),
        (71, "half a tag"),
        (16_456, "cut at a border"),
        (16_471, "half a tag"),
        (2**52 + 2**42 + 72, "beyond 2^38 chunks"),
        (2**53 - 1, "far beyond"),
        (-1, "less than nothing"),
        (1, "one byte"),
        (57, "a byte of a tag"),
        (16_457, "a byte of a tag after one chunk"),
        *(
            (HEADER + chunks * SEALED_CHUNK + rest, f"{rest} bytes of a tag after {chunks} chunks")
            for chunks in (2, 16, 2**20, 2**38 - 1)
            for rest in (0, 1, TAG - 1)
        ),
    ]:
        refuses(f"size_sealed_{whole_size}", "plain_size", MALFORMED, why, {"sealed": whole_size})


def sealed_and_changed(name: str, given: dict[str, Any], whole: bytes) -> None:
    """The same message sealed, then changed: a piece is a part of what was sealed, or other bytes."""
    end = len(whole)

    def bent(at: int, bit: int) -> list[Any]:
        return [[0, at], bytes([whole[at] ^ bit]).hex(), [at + 1, end]]

    last = HEADER + (end - HEADER) // SEALED_CHUNK * SEALED_CHUNK
    for how, pieces, size, why in [
        ("salt", bent(23, 0x01), end, "one bit of the salt"),
        ("commitment", bent(55, 0x80), end, "one bit of the commitment"),
        ("chunk", bent(HEADER, 0x01), end, "one bit of the first chunk"),
        ("tag", bent(end - 1, 0x80), end, "the last bit of the last tag"),
        ("cut", [[0, end - 1]], end - 1, "the last byte is missing"),
        ("longer", [[0, end], "00"], end + 1, "a byte more"),
        ("no_end", [[0, last]], last, "the last chunk, always a short one, is missing"),
    ]:
        refuses(f"sealed_{name}_{how}", "open_pieces", told_by_length(size), why, given, pieces=pieces)
    if end > HEADER + 15 * SEALED_CHUNK:  # streams work in runs of sixteen chunks
        for how, pieces, why in [
            ("tag", bent(end - 1, 0x80), "the last bit of the last tag"),
            ("first_run", bent(HEADER + 15 * SEALED_CHUNK, 0x01), "one bit of the sixteenth chunk"),
            ("cut", [[0, end - 1]], "the last byte is missing"),
            ("no_end", [[0, last]], "the last chunk is missing"),
        ]:
            refuses(f"streamed_{name}_{how}", "open_stream", TAMPERED, why, given, pieces=pieces)


def range_and_changed(given: dict[str, Any], whole: bytes) -> None:
    """A range of a changed message. What it does not touch but the header, it does not tell."""
    start, stop, end = given["start"], given["stop"], len(whole)
    name = f"range_{start}_{stop}"

    def refused(how: str, code: str, why: str, *pieces: Any) -> None:
        refuses(f"{name}_{how}", "open_range", code, why, given, pieces=list(pieces))

    def bent(how: str, at: int, why: str) -> None:
        refused(how, TAMPERED, why, [0, at], flipped(whole[at : at + 1], 0).hex(), [at + 1, end])

    bent("salt", 0, "one bit of the salt")
    bent("commitment", 24, "one bit of the commitment")
    if start == stop:
        refused("half_header", MALFORMED, "ends inside the header", [0, HEADER - 1])
        refused("header_only", MALFORMED, "no chunk", [0, HEADER])
        return
    first, last = start // CHUNK, (stop - 1) // CHUNK
    begin, after = HEADER + first * SEALED_CHUNK, min(HEADER + (last + 1) * SEALED_CHUNK, end)
    bent("chunk", begin, "one bit of the first chunk of the range")
    bent("tag", after - 1, "one bit of the last tag of the range")
    left = after - 1 - HEADER
    held = left // SEALED_CHUNK * CHUNK + left % SEALED_CHUNK - TAG
    refused("cut", TAMPERED if stop <= held else MALFORMED, "the message ends within the range's last tag",
            [0, after - 1])
    middle = begin + SEALED_CHUNK
    if middle + SEALED_CHUNK <= end:
        refused("swapped", TAMPERED, "its first chunk and the next one swapped",
                [0, begin], [middle, middle + SEALED_CHUNK], [begin, middle], [middle + SEALED_CHUNK, end])
