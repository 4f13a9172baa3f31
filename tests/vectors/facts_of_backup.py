"""A sealed backup: its key, its seal, and a padding that ends with a mark (docs/spec/backup.md)."""

from __future__ import annotations

from typing import Any

from facts_of_records import padme
from mnemonic import Mnemonic
from spelled_again import (
    HEADER,
    MALFORMED,
    SEALED_CHUNK,
    TAMPERED,
    VERSION,
    ctx,
    derived,
    flipped,
    holds,
    refuses,
    sealed,
    shake,
)

WORDS_KEY, OTHER_WORDS = shake("backup words", 32), shake("other backup words", 32)
SALT = shake("salt backup", 24)
KEY, CONTEXT = derived(WORDS_KEY, "backup-seal"), ctx("backup")
BACKUP_REFUSED = "backup_refused"
MAGIC, MARK, FLOOR = b"TB01", b"\x80", 32_768


def padded(pack: bytes) -> bytes:
    bare = MAGIC + pack + MARK
    return bare.ljust(padme(max(len(bare), FLOOR)), b"\x00")


def spelled(pack: Any, size: int) -> list[Any]:
    """The same in the words of a fact."""
    bare = len(MAGIC) + size + len(MARK)
    return [MAGIC.hex(), pack, MARK.hex(), {"zeros": padme(max(bare, FLOOR)) - bare}]


def backups() -> None:
    holds("backup_words", "format_words", "the words of a backup", {"key": WORDS_KEY, "language": "english"},
          words=Mnemonic("english").to_mnemonic(WORDS_KEY))
    holds("backup_derived", "derive", "the key that seals it", {
        "key": WORDS_KEY, "kind": "backup-seal", "fields": []}, key=KEY)
    for name, size, why in [
        ("short", 25, "of a few bytes"),
        ("floor", FLOOR - 5, "that just fits into the smallest file"),
        ("past_floor", FLOOR - 4, "one byte larger than fits"),
        ("past_run", 262_144, "of more than one run of chunks"),
    ]:
        pack = {"shake": f"pack {size}", "size": size}
        plain = padded(shake(f"pack {size}", size))
        whole = sealed(KEY, CONTEXT, plain, SALT)
        holds(f"backup_seal_{name}", "seal_backup", f"a pack {why}", {
            "words_key": WORDS_KEY, "salt": SALT, "pack": pack}, sealed=whole)
        opened_and_changed(name, pack, size, whole)
    paddings()


def opened_and_changed(name: str, pack: Any, size: int, whole: bytes) -> None:
    """A file opened however it is cut, then changed."""
    end = len(whole)
    good = {
        "words_key": WORDS_KEY, "key": KEY, "context": CONTEXT, "salt": SALT, "message": spelled(pack, size),
    }
    cut = [[0, 10], [10, HEADER + 1], [HEADER + 1, 20_000], [20_000, end]]
    holds(f"backup_open_{name}", "open_backup", "cut anyhow", good | {"pieces": cut}, pack=shake(f"pack {size}", size))

    def bent(at: int, bit: int = 0x80) -> list[Any]:
        return [[0, at], flipped(whole[at : at + 1], 0, bit).hex(), [at + 1, end]]

    last = HEADER + (end - HEADER) // SEALED_CHUNK * SEALED_CHUNK
    changes: list[tuple[str, str, str, dict[str, Any]]] = [
        ("words", BACKUP_REFUSED, "the words of another backup", {"words_key": OTHER_WORDS}),
        ("key", BACKUP_REFUSED, "sealed with the words' own bytes", {"key": WORDS_KEY}),
        ("context", BACKUP_REFUSED, "sealed as something else", {"context": ctx("backup-seal")}),
        ("salt", BACKUP_REFUSED, "one bit of the salt", {"pieces": bent(0)}),
        ("commitment", BACKUP_REFUSED, "one bit of the commitment", {"pieces": bent(HEADER - 1)}),
        ("half_header", MALFORMED, "ends inside the header", {"pieces": [[0, HEADER - 1]]}),
        ("header_only", TAMPERED, "no chunk", {"pieces": [[0, HEADER]]}),
        ("chunk", TAMPERED, "one bit of the first chunk", {"pieces": bent(HEADER)}),
        ("tag", TAMPERED, "the last bit of the last tag", {"pieces": bent(end - 1)}),
        ("cut", TAMPERED, "the last byte is missing", {"pieces": [[0, end - 1]]}),
        ("longer", TAMPERED, "a byte more", {"pieces": [[0, end], "00"]}),
        ("no_end", TAMPERED, "the last chunk, always a short one, is missing", {"pieces": [[0, last]]}),
        ("doubled", TAMPERED, "the first chunk twice", {
            "pieces": [[0, HEADER + SEALED_CHUNK], [HEADER, end]]}),
        ("bare", MALFORMED, "a pack that was not padded", {
            "message": [pack], "pieces": [[0, 2**24]]}),
    ]
    for how, code, why, changed in changes:
        refuses(f"backup_open_{name}_{how}", "open_backup", code, why, good | {"pieces": [[0, end]]}, **changed)


def paddings() -> None:
    for name, pack, why in [
        ("nothing", b"", "a pack of no bytes"),
        ("mark", b"PK\x80", "a pack that ends as padding begins"),
        ("marks", b"\x80\x00\x80\x80\x00\x00", "a pack that looks like padding"),
        ("zeros", bytes(40_000), "a pack of zeros, larger than the smallest file"),
        ("inside", b"\x80" + bytes(300_000) + b"\x01", "a long run of zeros inside"),
    ]:
        whole = padded(pack)
        bare = len(MAGIC) + len(pack) + 1
        good = {"padded": parts(pack, len(whole) - bare)}
        holds(f"backup_unpad_{name}", "unpad_backup", why, good, pack=pack)
        following = padme(len(whole) + 1)
        for how, code, changed, told in [
            ("one_less", MALFORMED, parts(pack, len(whole) - bare - 1), "one zero too few"),
            ("one_more", MALFORMED, parts(pack, len(whole) - bare + 1), "one zero too many"),
            ("next_step", MALFORMED, parts(pack, following - bare), "the next Padmé length"),
            ("unmarked", MALFORMED, [*parts(pack, 0)[:-2], {"zeros": len(whole) - bare + 1}], "no mark"),
            ("other_mark", MALFORMED, [*parts(pack, 0)[:-2], "c0", {"zeros": len(whole) - bare}], "another mark"),
            ("after", MALFORMED, [*parts(pack, len(whole) - bare - 1), "01"], "a last byte that isn't zero"),
            ("newer", VERSION, ["54423032", *parts(pack, len(whole) - bare)[1:]], "a newer version"),
            ("content", MALFORMED, ["544f3031", *parts(pack, len(whole) - bare)[1:]], "the first bytes of a content"),
        ]:
            if how == "unmarked" and pack.rstrip(b"\x00").endswith(MARK):
                continue  # the pack's own byte is then the mark of a shorter one
            refuses(f"backup_unpad_{name}_{how}", "unpad_backup", code, told, good, padded=changed)
    for how, data, told in [("empty", b"", "nothing"), ("half", b"TB0", "less than the first bytes"), (
            "magic", MAGIC, "the first bytes alone")]:
        refuses(f"backup_unpad_{how}", "unpad_backup", MALFORMED, told, {"padded": data})


def parts(pack: bytes, zeros: int) -> list[Any]:
    """A padded pack in the words of a fact; long runs of zeros are counted."""
    start, run, rest = pack.partition(bytes(10_000))
    length = len(run) + len(rest) - len(rest.lstrip(b"\x00"))
    return [MAGIC.hex(), start.hex(), {"zeros": length}, rest.lstrip(b"\x00").hex(), MARK.hex(), {"zeros": zeros}]
