"""Deposit boxes: address, seed, note, words, and the key that reaches the person (protocol §7)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from facts_of_sharing import b64url, compact, padded
from nacl.bindings import crypto_box_seed_keypair
from spelled_again import (
    BLOB, MALFORMED, MK_N, MK_S, TAMPERED, VERSION, box_seal, broken, ctx, derived, flipped, holds, refuses, sealed,
    shake, u32,
)

BOX, OTHER_BOX, DEPOSIT = shake("box id", 16), shake("another box", 16), shake("deposit id", 16)
SECRET, SEED, KEY = shake("box secret", 32), shake("box seed", 32), shake("deposit key", 32)
PK_BOX, SK_BOX = crypto_box_seed_keypair(SEED)


def addresses() -> None:
    fragment = "#d" + b64url(BOX + SECRET + PK_BOX)
    assert len(fragment) == 109
    holds(
        "box_fragment", "parse_box_fragment", "what follows the address", {"text": fragment}, box=BOX, secret=SECRET,
        pk_box=PK_BOX, cap=derived(SECRET, "deposit-cap", BOX),
    )
    for name, text, why in [
        ("letter", fragment.replace("#d", "#b", 1), "a bundle's letter"),
        ("bare", fragment[1:], "without the sign"),
        ("cut", fragment[:-1], "a character is missing"),
        ("longer", fragment + "A", "a character more"),
        ("padded", fragment + "=", "padding"),
        ("alphabet", fragment[:-1] + "+", "the other alphabet"),
        ("no_key", "#d" + b64url(BOX + SECRET), "as long as a bundle's, without a public key"),
        ("empty", "", "nothing"),
    ]:
        refuses(f"box_fragment_{name}", "parse_box_fragment", "link_malformed", why, {"text": text})


def kept_boxes() -> None:
    good = {"mk_n": MK_N, "box": BOX}
    place = derived(MK_N, "deposit-box"), ctx("box-seed", BOX)
    seed = good | {"sealed": sealed(*place, SEED, shake("salt box", 24))}
    holds("box_seed", "open_box", "a box's key pair", seed, pk_box=PK_BOX, sk_box=SK_BOX)
    broken("box_seed", "open_box", "sealed", seed)
    refuses("box_seed_box", "open_box", TAMPERED, "another box's", seed, box=OTHER_BOX)
    refuses("box_seed_key", "open_box", TAMPERED, "another person's", seed, mk_n=MK_S)
    short = sealed(*place, SEED[:31], shake("salt box", 24))
    refuses("box_seed_short", "open_box", MALFORMED, "sealed well, but no seed", seed, sealed=short)
    json = compact({"v": 1, "name": "Pour ma sœur"})
    place = derived(MK_N, "box-notes"), ctx("box-note", BOX)
    note = good | {"sealed": sealed(*place, padded(json), shake("salt box note", 24))}
    holds("box_note", "open_box_note", "what the box is for", note, json=json)
    broken("box_note", "open_box_note", "sealed", note)
    refuses("box_note_box", "open_box_note", TAMPERED, "another box's", note, box=OTHER_BOX)
    bare = sealed(*place, json, shake("salt box note", 24))
    refuses("box_note_unpadded", "open_box_note", MALFORMED, "not padded", note, sealed=bare)


def deposits() -> None:
    json = compact({"v": 1, "name": "Ana", "message": "Je l’ai vu.", "written": "2026-11-26T00:00:00Z", "contents": []})
    place = ctx("deposit", BOX, DEPOSIT)

    def of(plain: bytes) -> bytes:
        return sealed(KEY, place, plain, shake("salt deposit", 24))

    words = {"key": KEY, "box": BOX, "deposit": DEPOSIT, "sealed": of(padded(json))}
    holds("deposit_words", "open_deposit", "a depositor's words", words, json=json)
    broken("deposit_words", "open_deposit", "sealed", words)
    changes: list[tuple[str, str, str, dict[str, Any]]] = [
        ("box", TAMPERED, "in another box", {"box": OTHER_BOX}),
        ("deposit", TAMPERED, "as another deposit", {"deposit": BLOB}),
        ("swapped", TAMPERED, "the two ids the wrong way round", {"box": DEPOSIT, "deposit": BOX}),
        ("key", TAMPERED, "another key", {"key": MK_S}),
        ("unpadded", MALFORMED, "not padded", {"sealed": of(json)}),
        ("magic", VERSION, "padded in a newer way", {
            "sealed": of((b"TO02" + u32(len(json)) + json).ljust(1024, b"\0"))}),
    ]
    for name, code, why, changed in changes:
        refuses(f"deposit_words_{name}", "open_deposit", code, why, words, **changed)

    def boxed(pk: bytes, plain: bytes) -> bytes:
        return box_seal(pk, plain, shake("once for a deposit", 32))

    mark = sha256(PK_BOX).digest()
    other_pk, other_sk = crypto_box_seed_keypair(MK_S)
    wrap = boxed(PK_BOX, KEY + BOX + mark)
    good = {"pk_box": PK_BOX, "sk_box": SK_BOX, "box": BOX, "wrap": wrap}
    holds("deposit_key", "unwrap_deposit_key", "boxed for the box, 128 bytes", good, key=KEY)
    changes = [
        ("bit", TAMPERED, "a bit of the box", {"wrap": flipped(wrap, 60)}),
        ("once", TAMPERED, "a bit of the one-time key", {"wrap": flipped(wrap, 3)}),
        ("short", MALFORMED, "the last byte is missing", {"wrap": wrap[:-1]}),
        ("longer", MALFORMED, "a byte more", {"wrap": wrap + b"\0"}),
        ("box", TAMPERED, "names another box", {"box": OTHER_BOX}),
        ("reader", TAMPERED, "names another public key", {
            "wrap": boxed(PK_BOX, KEY + BOX + sha256(other_pk).digest())}),
        ("other", TAMPERED, "boxed for another key, by whoever swapped it", {
            "wrap": boxed(other_pk, KEY + BOX + mark)}),
        ("both", TAMPERED, "opened with another pair, which it doesn't name", {
            "pk_box": other_pk, "sk_box": other_sk, "wrap": boxed(other_pk, KEY + BOX + mark)}),
    ]
    for name, code, why, changed in changes:
        refuses(f"deposit_key_{name}", "unwrap_deposit_key", code, why, good, **changed)
