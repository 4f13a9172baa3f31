"""Padding, records, contents and links; and that none passes for another (protocol §4)."""

from __future__ import annotations

from typing import Any

from spelled_again import (
    ACCOUNT,
    BLOB,
    CHUNK,
    ITEM,
    MALFORMED,
    MK_N,
    MK_S,
    TAMPERED,
    VERSION,
    broken,
    ctx,
    derived,
    facts,
    holds,
    refuses,
    sealed,
    shake,
    u32,
    u64,
)


def padme(length: int) -> int:
    """As the paper writes it (protocol section 4)."""
    e = length.bit_length() - 1
    z = e - e.bit_length()
    step: int = 2**z
    return (length + step - 1) // step * step


def head_and_changed(size: int) -> None:
    """The head of a content in every spelling but its own."""
    right = b'{"size":%d}' % size

    def spelled(text: bytes, *, length: int | None = None, total: int = CHUNK, last: str = "") -> list[Any]:
        start = b"TO01" + u32(len(text) if length is None else length) + text
        return [start.hex(), {"zeros": total - len(start) - len(last) // 2}, last]

    for name, given, why in [
        ("leading_zero", spelled(b'{"size":0%d}' % size), "a leading zero"),
        ("exponent", spelled(b'{"size":%de0}' % size), "an exponent"),
        ("line_end", spelled(right + b"\n"), "a line end behind it"),
        ("length_more", spelled(right, length=len(right) + 1), "a length one too long"),
        ("last_byte", spelled(right, last="01"), "the last byte before the border isn't zero"),
        ("byte_missing", spelled(right, total=CHUNK - 1), "a byte before the border is missing"),
    ]:
        refuses(f"content_head_{size}_{name}", "parse_content_head", MALFORMED, why, {"head": given})


def padding_and_changed(op: str, name: str, head: list[Any], before: int, length: int, floor: int) -> None:
    """`length` bytes after a head of `before` bytes, padded to every total but the right one."""
    bare = before + length
    right = padme(max(bare, floor))

    def padded(total: int) -> list[Any]:
        kept = min(length, total - before)
        return [*head, {"shake": name, "size": kept}, {"zeros": total - before - kept}]

    totals = {
        "one_less": right - 1,
        "one_more": right + 1,
        "next_step": padme(right + 1),
        "power_of_two": 1 << (right - 1).bit_length(),
        "whole_kibibytes": -(-bare // 1024) * 1024,
        "bare": bare,
    }
    told = {right}
    for how, total in totals.items():
        if total not in told:
            why = f"{total} bytes where {right} belong"
            refuses(f"{name}_{how}", op, MALFORMED, why, {"padded": padded(total)})
        told.add(total)
    if right > bare:
        dirty = [*padded(right - 1), "01"]
        refuses(f"{name}_not_zero", op, MALFORMED, "the last byte of the padding isn't zero", {"padded": dirty})


def padding() -> None:
    for length in [2, 7, 8, 9, 31, 33, 1024, 1025, 32_769, 100_000, 2**20, 2**20 + 1, 10**9, 2**40 + 1, 2**52]:
        holds(f"padme_{length}", "padme", "at most 12 % more", {"length": length}, padded=padme(length))
    for size in [0, 1, 16_384, 16_385, 50_000, 2**30 + 5]:
        head = b'{"size":%d}' % size
        message = (b"TO01" + u32(len(head)) + head).ljust(CHUNK, b"\x00")
        whole = padme(max(CHUNK + size, 32_768))
        holds(
            f"content_head_{size}",
            "content_head",
            "magic, length, size, zeros",
            {"size": size},
            head=message,
            whole=whole,
        )
        holds(
            f"content_head_{size}_parsed",
            "parse_content_head",
            "the inverse",
            {"head": [message.rstrip(b"\x00").hex(), {"zeros": CHUNK - len(message.rstrip(b"\x00"))}]},
            size=size,
        )
        head_and_changed(size)

    def head_of(
        text: bytes, *, magic: bytes = b"TO01", length: int | None = None, fill: int | None = None
    ) -> list[Any]:
        start = magic + u32(len(text) if length is None else length) + text
        return [start.hex(), {"zeros": CHUNK - len(start) if fill is None else fill}]

    for name, code, head_value, why in [
        ("magic", MALFORMED, head_of(b'{"size":5}', magic=b"PK\x03\x04"), "another kind of file"),
        ("version", VERSION, head_of(b'{"size":5}', magic=b"TO02"), "a newer version"),
        ("leading_zero", MALFORMED, head_of(b'{"size":05}'), "a leading zero"),
        ("space", MALFORMED, head_of(b'{"size": 5}'), "a space"),
        ("negative", MALFORMED, head_of(b'{"size":-5}'), "a negative size"),
        ("float", MALFORMED, head_of(b'{"size":5.0}'), "a float"),
        ("huge", MALFORMED, head_of(b'{"size":9007199254740992}'), "2^53"),
        ("more", MALFORMED, head_of(b'{"size":5,"v":1}'), "another field"),
        ("text", MALFORMED, head_of(b'{"size":"5"}'), "a number in quotes"),
        ("twice", MALFORMED, head_of(b'{"size":5,"size":5}'), "the size twice"),
        ("upper_case", MALFORMED, head_of(b'{"Size":5}'), "a name in capitals"),
        ("length", MALFORMED, head_of(b'{"size":5}', length=11), "a length too long"),
        ("short", MALFORMED, head_of(b'{"size":5}', fill=99), "no border"),
        ("long", MALFORMED, head_of(b'{"size":5}', fill=CHUNK), "past the border"),
        ("nothing", MALFORMED, [], "nothing"),
        ("not_zero", MALFORMED, [*head_of(b'{"size":5}', fill=CHUNK - 19), "01"], "the zeros aren't zero"),
    ]:
        refuses(f"content_head_{name}", "parse_content_head", code, why, {"head": head_value})

    five, content = head_of(b'{"size":5}'), b"hello"
    holds(
        "content_five",
        "unpad_content",
        "five bytes in 32 KiB",
        {"padded": [*five, content.hex(), {"zeros": CHUNK - 5}]},
        content=content,
    )
    holds(
        "content_empty",
        "unpad_content",
        "an empty content",
        {"padded": [*head_of(b'{"size":0}'), {"zeros": CHUNK}]},
        content=b"",
    )
    big = 40_000
    holds(
        "content_big",
        "unpad_content",
        "40,000 bytes",
        {
            "padded": [
                *head_of(b'{"size":40000}'),
                {"shake": "big", "size": big},
                {"zeros": padme(CHUNK + big) - CHUNK - big},
            ]
        },
        content=shake("big", big),
    )
    tails: list[tuple[str, list[Any], str]] = [
        ("cut_content", ["68"], "ends inside the content"),
        ("cut_zeros", [content.hex(), {"zeros": CHUNK - 6}], "a zero too few"),
        ("more_zeros", [content.hex(), {"zeros": CHUNK - 4}], "a zero too many"),
        ("not_zero", [content.hex(), {"zeros": CHUNK - 6}, "01"], "the padding isn't zero"),
        ("longer", [content.hex(), "21", {"zeros": CHUNK - 6}], "content beyond its size"),
        ("no_content", [], "the head alone"),
    ]
    for name, tail, why in tails:
        refuses(f"content_{name}", "unpad_content", MALFORMED, why, {"padded": [*five, *tail]})
    refuses(
        "content_wrong_version",
        "unpad_content",
        VERSION,
        "a newer version",
        {"padded": [*head_of(b'{"size":5}', magic=b"TO99"), content.hex(), {"zeros": CHUNK - 5}]},
    )

    for name, text, total in [
        ("floor", b'{"v":1}', 1024),
        ("exact", b"x" * 1016, 1024),
        ("past", b"x" * 1017, padme(1025)),
        ("empty", b"", 1024),
        ("longer", b"y" * 5000, padme(5008)),
    ]:
        holds(
            f"pad_record_{name}",
            "pad_record",
            f"{len(text)} bytes",
            {"json": text},
            padded=b"TO01" + u32(len(text)) + text + bytes(total - 8 - len(text)),
        )
    record = b'{"v":1}'
    start = (b"TO01" + u32(7) + record).hex()
    holds("unpad_record", "unpad_record", "the inverse", {"padded": [start, {"zeros": 1009}]}, json=record)
    for length in [0, 7, 1016, 1017, 2041, 5000, 32_761, 99_992, 2**20 - 8, 2**20 - 7]:
        padding_and_changed("unpad_record", f"record_of_{length}", [(b"TO01" + u32(length)).hex()], 8, length, 1024)
    for length in [0, 1, 1000, 16_384, 16_385, 50_000, 10**6]:
        head_parts = head_of(b'{"size":%d}' % length)
        padding_and_changed("unpad_content", f"content_of_{length}", head_parts, CHUNK, length, 32_768)
    for name, code, padded, why in [
        ("short", MALFORMED, [start, {"zeros": 1008}], "a zero too few"),
        ("long", MALFORMED, [start, {"zeros": 1010}], "a zero too many"),
        ("not_zero", MALFORMED, [start, {"zeros": 1008}, "20"], "padded with a space"),
        ("bare", MALFORMED, [start], "not padded"),
        ("too_large", MALFORMED, ["544f3031ffffffff", {"zeros": 1016}], "a length beyond the end"),
        ("nothing", MALFORMED, [], "nothing"),
        ("prefix", MALFORMED, ["544f303100"], "half a prefix"),
        ("magic", MALFORMED, ["00000000", {"zeros": 1020}], "no magic"),
        ("version", VERSION, ["544f303200000007", record.hex(), {"zeros": 1009}], "a newer version"),
        ("over_padded", MALFORMED, [start, {"zeros": 2033}], "more padding than needed"),
    ]:
        refuses(f"unpad_record_{name}", "unpad_record", code, why, {"padded": padded})


def records() -> None:
    key, json_text = shake("record key", 32), b'{"v":1,"kind":"journal","text":"tonight"}'
    padded = (b"TO01" + u32(len(json_text)) + json_text).ljust(1024, b"\x00")
    blob = sealed(key, ctx("record", ITEM, u32(5)), padded, shake("salt record", 24))
    good = {"key": key, "item": ITEM, "revision": 5, "blob": blob}
    holds("record", "open_record", "one revision's record", good, json=json_text)
    refuses("record_revision", "open_record", TAMPERED, "another revision", good, revision=4)
    refuses("record_item", "open_record", TAMPERED, "another item", good, item=BLOB)
    refuses("record_key", "open_record", TAMPERED, "another key", good, key=MK_N)
    broken("record", "open_record", "blob", good)
    bare = sealed(key, ctx("record", ITEM, u32(5)), json_text, shake("salt record", 24))
    refuses("record_bare", "open_record", MALFORMED, "sealed without padding", good, blob=bare)
    newer = sealed(key, ctx("record", ITEM, u32(5)), b"TO02" + padded[4:], shake("salt record", 24))
    refuses("record_newer", "open_record", VERSION, "a newer padding", good, blob=newer)

    account = sealed(
        derived(MK_N, "account-record"), ctx("account-record", ACCOUNT, u64(9)), padded, shake("salt account", 24)
    )
    given = {"mk_n": MK_N, "account": ACCOUNT, "n": 9, "blob": account}
    holds("account_record", "open_account_record", "account record number 9", given, json=json_text)
    refuses("account_record_older", "open_account_record", TAMPERED, "passed off as number 10", given, n=10)
    refuses("account_record_account", "open_account_record", TAMPERED, "of another account", given, account=ITEM)
    refuses("account_record_key", "open_account_record", TAMPERED, "another master key", given, mk_n=MK_S)
    broken("account_record", "open_account_record", "blob", given)

    state = sealed(
        derived(MK_N, "device-state"), ctx("device-state", b"outbox", ACCOUNT), b"kept", shake("salt device", 24)
    )
    kept = {"mk_n": MK_N, "name": "outbox", "account": ACCOUNT, "sealed": state}
    holds("device_state", "open_device_state", "what a device keeps", kept, data=b"kept")
    refuses("device_state_name", "open_device_state", TAMPERED, "another name", kept, name="journal")
    refuses("device_state_account", "open_device_state", TAMPERED, "another account", kept, account=ITEM)
    refuses("device_state_key", "open_device_state", TAMPERED, "another master key", kept, mk_n=MK_S)
    broken("device_state", "open_device_state", "sealed", kept)

    content = sealed(shake("content key", 32), ctx("content", BLOB), b"bytes", shake("salt content", 24))
    shown = {"key": shake("content key", 32), "blob_id": BLOB, "blob": content}
    holds("content", "open_content", "a content under its blob id", shown, plain=b"bytes")
    refuses("content_blob", "open_content", TAMPERED, "another blob id", shown, blob_id=ITEM)
    refuses("content_key", "open_content", TAMPERED, "another key", shown, key=MK_N)
    broken("content_sealed", "open_content", "blob", shown)
    segments = shake("segments key", 32)
    for number in (0, 1, 999):
        holds(
            f"derive_segment_{number}", "derive_segment", "the name and key of a recording's segment",
            {"key": segments, "number": number},
            blob_id=derived(segments, "segment-id", u32(number))[:16],
            content_key=derived(segments, "segment", u32(number)),
        )
    refuses("content_header", "open_content", MALFORMED, "half a header", shown, blob=content[:30])


def links() -> None:
    def plain(account_n: int, *hashes: bytes, version: int = 1, count: int | None = None) -> bytes:
        start = bytes([version, len(hashes) - 1 if count is None else count]) + u64(account_n)
        return (start + b"".join(hashes)).ljust(554, b"\x00")

    record_hash, parents = shake("record hash", 32), [shake(f"parent {n}", 32) for n in range(16)]
    for name, account_n, chosen in [("first", 1, []), ("one", 7, parents[:1]), ("sixteen", 2**64 - 1, parents)]:
        data = plain(account_n, record_hash, *chosen)
        blob = sealed(derived(MK_N, "link"), ctx("link", ITEM, u32(5)), data, shake("salt link", 24))
        holds(
            f"link_{name}",
            "open_link",
            "a link, 626 bytes whatever it holds",
            {"mk_n": MK_N, "item": ITEM, "revision": 5, "sealed": blob},
            plain=data,
            account_n=str(account_n),
            record_hash=record_hash,
            parents=[parent.hex() for parent in chosen],
        )
        broken(f"link_{name}", "open_link", "sealed", {"mk_n": MK_N, "item": ITEM, "revision": 5, "sealed": blob})
    one = plain(7, record_hash, parents[0])
    for name, code, data, why in [
        ("version", VERSION, plain(7, record_hash, version=2), "a newer version"),
        ("too_many", MALFORMED, plain(7, record_hash, count=17), "17 parents"),
        ("filling", MALFORMED, one[:-1] + b"\x01", "the filling isn't zero"),
        ("undercount", MALFORMED, plain(7, record_hash, parents[0], count=0), "a parent too many"),
        ("short", MALFORMED, one[:-1], "553 bytes"),
        ("long", MALFORMED, one + b"\x00", "555 bytes"),
        ("empty", MALFORMED, b"", "nothing"),
    ]:
        refuses(f"link_{name}", "parse_link", code, why, {"plain": data})
    blob = sealed(derived(MK_N, "link"), ctx("link", ITEM, u32(5)), one, shake("salt link", 24))
    good = {"mk_n": MK_N, "item": ITEM, "revision": 5, "sealed": blob}
    refuses("link_revision", "open_link", TAMPERED, "another revision", good, revision=6)
    refuses("link_item", "open_link", TAMPERED, "another item", good, item=BLOB)
    refuses("link_key", "open_link", TAMPERED, "another master key", good, mk_n=MK_S)
    for name, code, data, why in [
        ("version", VERSION, plain(7, record_hash, version=2), "sealed well, but of a newer version"),
        ("too_many", MALFORMED, plain(7, record_hash, count=17), "sealed well, but with 17 parents"),
        ("filling", MALFORMED, one[:-1] + b"\x01", "sealed well, but the filling isn't zero"),
        ("short", MALFORMED, one[:-1], "sealed well, but not filled"),
    ]:
        sealed_well = sealed(derived(MK_N, "link"), ctx("link", ITEM, u32(5)), data, shake("salt link", 24))
        refuses(f"link_sealed_{name}", "open_link", code, why, good, sealed=sealed_well)


def confusions() -> None:
    """What was sealed for one place never opens in another, even under the same master key."""
    openers = ["identity_sign", "identity_box", "record_key_normal", "account_record", "device_state", "link_one"]
    field = {
        "open_identity": "sealed",
        "unwrap_record_key": "wrap",
        "open_account_record": "blob",
        "open_device_state": "sealed",
        "open_link": "sealed",
    }
    for into in openers:
        fact = facts[into]
        for other in openers:
            if other != into:
                moved = facts[other]["inputs"][field[facts[other]["op"]]]
                refuses(
                    f"confused_{other}_as_{into}",
                    fact["op"],
                    TAMPERED,
                    f"{other} offered as {into}",
                    fact["inputs"] | {field[fact["op"]]: moved},
                )
