"""The directory, its digits, bundles, and links with codes (protocol §7)."""

from __future__ import annotations

import base64
import json
from hashlib import sha256, sha512
from typing import Any

from nacl.bindings import crypto_box_seed_keypair, crypto_sign, crypto_sign_seed_keypair
from spelled_again import (
    BLOB,
    ITEM,
    MALFORMED,
    MK_N,
    MK_S,
    REFUSED,
    TAMPERED,
    VERSION,
    box_seal,
    broken,
    ctx,
    derived,
    flipped,
    holds,
    kek,
    refuses,
    sealed,
    shake,
    u32,
)

BUNDLE, OTHER_BUNDLE, BK = shake("bundle id", 16), shake("another bundle", 16), shake("bundle key", 32)
SIGN_SEED = shake("sender", 32)
PK_SIGN = crypto_sign_seed_keypair(SIGN_SEED)[0]
PK_BOX, SK_BOX = crypto_box_seed_keypair(shake("reader", 32))
NOW, END = 1_795_000_000, "2026-12-25T00:00:00Z"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def padded(message: bytes) -> bytes:
    """As records are; every message here is shorter than the floor."""
    assert len(message) <= 1016
    return (b"TO01" + u32(len(message)) + message).ljust(1024, b"\x00")


def listed(**changed: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "v": 1, "name": "Claire Martin", "org": "Association Rive", "town": "Lyon", "kind": "association",
        "pk_box": b64url(sha256(b"box").digest()), "pk_sign": b64url(sha256(b"sign").digest()),
        "from": "2026-11-25T09:46:40Z", "replaces": None,
    }
    return entry | changed


def vkey(name: str, algorithm: int) -> str:
    """A signed note's verifier key, of the key pair that is drawn from the name."""
    key = bytes([algorithm]) + crypto_sign_seed_keypair(shake(name, 32))[0]
    return f"{name}+{sha256(name.encode() + LINE_END + key).digest()[:4].hex()}+{base64.b64encode(key).decode()}"


LINE_END = b"\n"
WITNESSES = (
    f"log {vkey('ledger.example/directory', 1)}\nwitness one {vkey('one.example/w', 4)}\n"
    f"witness two {vkey('two.example/w', 4)}\ngroup all 2 one two\nquorum all\n"
)


def digits(box: bytes, sign: bytes) -> str:
    digest = sha512(ctx("fingerprint", box, sign)).digest()
    return " ".join(f"{int.from_bytes(digest[at:at + 5], 'big') % 100000:05d}" for at in range(0, 40, 5))


def directory() -> None:
    box, sign = sha256(b"box").digest(), sha256(b"sign").digest()
    holds(
        "directory_entry", "parse_entry", "an entry that lists somebody", {"data": compact(listed())},
        name="Claire Martin", town="Lyon", since=1_795_600_000, replaces=None, fingerprint=digits(box, sign),
    )
    accents = listed(name="Éloïse d’Aubigné", org="", town="", kind="lawyer", replaces=3)
    holds(
        "directory_entry_accents", "parse_entry", "no organisation, no town, in place of another",
        {"data": compact(accents)}, name=accents["name"], town="", since=1_795_600_000, replaces=3,
        fingerprint=digits(box, sign),
    )
    good = {"data": compact(listed())}
    for name, data, why in [
        ("spaced", json.dumps(listed()).encode(), "spaces between the names"),
        ("order", compact(dict(reversed(listed().items()))), "the names in another order"),
        ("more", compact(listed(phone="1")), "a name that no entry has"),
        ("nameless", compact(listed(name="")), "no name"),
        ("turned", compact(listed(name="Claire \u202enitraM")), "a name that turns the direction of writing"),
        ("invisible", compact(listed(town="Lyon\u200b")), "a character that isn't seen"),
        ("end_space", compact(listed(org="Rive ")), "a space at the end"),
        ("kind", compact(listed(kind="Lawyer")), "a kind with a capital"),
        ("key_short", compact(listed(pk_box=b64url(box[:31]))), "a key of 31 bytes"),
        ("key_padded", compact(listed(pk_box=b64url(box) + "=")), "a key with padding"),
        ("time", compact(listed(**{"from": "2026-11-25T09:46:40+00:00"})), "a time in another spelling"),
        ("replaces_text", compact(listed(replaces="0")), "an index as text"),
        ("replaces_negative", compact(listed(replaces=-1)), "an index below 0"),
        ("replaces_true", compact(listed(replaces=True)), "no number at all"),
        ("escaped", compact(listed()).replace(b"Lyon", b"\\u004cyon"), "an escape that nothing needs"),
        ("both", compact({"v": 1, "revokes": 0, "name": "Claire"}), "half of each kind"),
        ("large", compact(listed(org="a" * 4096)), "more than 4,096 bytes"),
        ("list", b"[]", "no object"),
        ("policy_spaced", compact({"v": 1, "policy": WITNESSES.replace("quorum ", "quorum  ")}), "a policy respelled"),
        ("policy_no_quorum", compact({"v": 1, "policy": WITNESSES[:-11]}), "a policy without a quorum"),
        ("policy_number", compact({"v": 1, "policy": 1}), "a policy that is no text"),
        ("policy_more", compact({"v": 1, "policy": WITNESSES, "from": END}), "a policy and something else"),
        ("no_version", compact({"revokes": 0}), "no version"),
    ]:
        refuses(f"directory_entry_{name}", "parse_entry", MALFORMED, why, good, data=data)
    refuses("directory_entry_version", "parse_entry", VERSION, "a newer version", good, data=compact(listed(v=2)))
    entries = [
        listed(), listed(name="Paul Roux", kind="lawyer"), listed(town="Paris", replaces=0), {"v": 2, "release": "…"},
        {"v": 1, "revokes": 1},
    ]
    spelled = [compact(entry).hex() for entry in entries]
    spelled = [*spelled, compact(listed(pk_box=b64url(box[::-1]))).hex()]
    holds(
        "directory_read", "read_directory", "one moved, one revoked, one of a newer version; two of one name are two",
        {"entries": spelled}, current=[2, 5], unread=1, policy=None,
    )
    fewer = WITNESSES.replace("all 2", "all 1")
    asking = [compact({"v": 1, "policy": one}).hex() for one in (WITNESSES, fewer)]
    holds(
        "directory_read_policy", "read_directory", "the last entry that asks for witnesses counts",
        {"entries": [*spelled, *asking]}, current=[2, 5], unread=1, policy=fewer,
    )
    for name, entry, why in [
        ("revoked_twice", {"v": 1, "revokes": 1}, "ends what is ended"),
        ("replaced_twice", listed(replaces=0), "replaces what is replaced"),
        ("ahead", {"v": 1, "revokes": 9}, "ends what isn't there yet"),
        ("itself", listed(replaces=6), "replaces itself"),
        ("newer", {"v": 1, "revokes": 3}, "ends an entry that can't be read"),
        ("nobody", {"v": 1, "revokes": 7}, "ends an entry that lists nobody"),
        ("nobody_replaced", listed(replaces=7), "replaces an entry that lists nobody"),
        ("policy_broken", {"v": 1, "policy": "quorum one\n"}, "asks for a witness that it doesn't name"),
    ]:
        changed = [*spelled, *asking, compact(entry).hex()]
        refuses(f"directory_read_{name}", "read_directory", MALFORMED, why, {"entries": spelled}, entries=changed)


def bundles() -> None:
    def manifest(**changed: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "v": 1, "bundle": b64url(BUNDLE), "created": "2026-11-26T00:00:00Z", "expires": END,
            "sender": b64url(PK_SIGN), "reader": b64url(sha256(PK_BOX).digest()), "message": "Voilà.", "items": [],
        }
        return facts | changed

    def of(facts: Any, *, seed: bytes = SIGN_SEED, signed: Any = None) -> bytes:
        text = compact(facts)
        covered = text if signed is None else compact(signed)
        signature = crypto_sign(ctx("bundle-sig", sha256(covered).digest()), crypto_sign_seed_keypair(seed)[1])[:64]
        plain = padded(text + signature)
        return sealed(derived(BK, "bundle-seal"), ctx("bundle", BUNDLE), plain, shake("salt bundle", 24))

    good = {"bundle_key": BK, "bundle": BUNDLE, "sealed": of(manifest()), "reader": PK_BOX, "now": NOW}
    cap = derived(BK, "bundle-cap", BUNDLE)
    out: dict[str, Any] = {"json": compact(manifest()), "sender": PK_SIGN, "expires": 1_798_156_800, "cap": cap}
    holds("bundle", "open_bundle", "for a professional", good, **out)
    link = manifest(reader=None)
    by_link = good | {"sealed": of(link), "reader": None}
    holds("bundle_link", "open_bundle", "for a link", by_link, **out | {"json": compact(link)})
    broken("bundle", "open_bundle", "sealed", good)
    changes: list[tuple[str, str, str, dict[str, Any]]] = [
        ("key", TAMPERED, "another key", {"bundle_key": MK_S}),
        ("place", TAMPERED, "asked for as another bundle", {"bundle": OTHER_BUNDLE}),
        ("replayed", "bundle_other", "an older manifest under this bundle's key", {
            "sealed": of(manifest(bundle=b64url(OTHER_BUNDLE)))}),
        ("reader", "bundle_other_reader", "for another professional", {"reader": PK_SIGN}),
        ("reader_link", "bundle_other_reader", "for a professional, by a link", {"reader": None}),
        ("link_reader", "bundle_other_reader", "for a link, to a professional", {"sealed": of(link)}),
        ("signer", "bundle_signature", "signed by another key", {"sealed": of(manifest(), seed=MK_N)}),
        ("extended", "bundle_signature", "a later end than was signed", {
            "sealed": of(manifest(expires="2027-12-25T00:00:00Z"), signed=manifest())}),
        ("sender", "bundle_signature", "names another sender than signed", {
            "sealed": of(manifest(sender=b64url(PK_BOX)))}),
        ("expired", "bundle_expired", "the second in which it ends", {"now": 1_798_156_800}),
        ("no_reader", MALFORMED, "says nothing of its reader", {
            "sealed": of({name: value for name, value in manifest().items() if name != "reader"})}),
        ("time", MALFORMED, "an end in another spelling", {"sealed": of(manifest(expires="2026-12-25"))}),
        ("list", MALFORMED, "no object", {"sealed": of([])}),
        ("unpadded", MALFORMED, "not padded", {
            "sealed": sealed(derived(BK, "bundle-seal"), ctx("bundle", BUNDLE), compact(manifest()), shake("s", 24))}),
    ]
    for name, code, why, changed in changes:
        refuses(f"bundle_{name}", "open_bundle", code, why, good, **changed)

    wrap = box_seal(PK_BOX, BK + BUNDLE + sha256(PK_BOX).digest(), shake("once", 32))
    boxed = {"pk_box": PK_BOX, "sk_box": SK_BOX, "bundle": BUNDLE, "wrap": wrap}
    holds("bundle_wrap", "unwrap_for_professional", "boxed for a professional, 128 bytes", boxed, bundle_key=BK)
    changes = [
        ("bit", TAMPERED, "a bit of the box", {"wrap": flipped(wrap, 60)}),
        ("once", TAMPERED, "a bit of the one-time key", {"wrap": flipped(wrap, 3)}),
        ("short", MALFORMED, "the last byte is missing", {"wrap": wrap[:-1]}),
        ("bundle", "bundle_other", "another bundle's", {"bundle": OTHER_BUNDLE}),
        ("reader", "bundle_other_reader", "names another reader", {
            "wrap": box_seal(PK_BOX, BK + BUNDLE + sha256(PK_SIGN).digest(), shake("once", 32))}),
        ("secret", TAMPERED, "another secret key", {"sk_box": MK_N}),
    ]
    for name, code, why, changed in changes:
        refuses(f"bundle_wrap_{name}", "unwrap_for_professional", code, why, boxed, **changed)

    note = compact({"v": 1, "name": None, "items": [{"item": b64url(ITEM), "revision": 1}]})
    kept = sealed(derived(MK_N, "bundle-notes"), ctx("bundle-note", BUNDLE), padded(note), shake("salt note", 24))
    noted = {"mk_n": MK_N, "bundle": BUNDLE, "sealed": kept}
    holds("bundle_note", "open_bundle_note", "what the person sees later", noted, json=note)
    broken("bundle_note", "open_bundle_note", "sealed", noted)
    refuses("bundle_note_bundle", "open_bundle_note", TAMPERED, "another bundle's", noted, bundle=OTHER_BUNDLE)
    refuses("bundle_note_key", "open_bundle_note", TAMPERED, "another person's", noted, mk_n=MK_S)


def link_codes() -> None:
    secret, share, code = shake("link secret", 32), shake("link share", 32), "04711250"
    fragment = "#b" + b64url(BUNDLE + secret)
    shown = {"text": fragment}
    holds("link_fragment", "parse_fragment", "what follows the address", shown, bundle=BUNDLE, secret=secret)
    for name, text, why in [
        ("letter", fragment.replace("#b", "#c", 1), "another letter"),
        ("bare", fragment[1:], "without the sign"),
        ("cut", fragment[:-1], "a character is missing"),
        ("longer", fragment + "A", "a character more"),
        ("padded", fragment + "==", "padding"),
        ("alphabet", fragment[:-1] + "+", "the other alphabet"),
        ("space", fragment + " ", "a space behind it"),
        ("empty", "", "nothing"),
    ]:
        refuses(f"link_fragment_{name}", "parse_fragment", "link_malformed", why, {"text": text})
    holds("link_code", "parse_code", "a code as somebody types it", {"text": "04-71\u202f1 250"}, code=code)
    for name, text, why in [
        ("short", "0471125", "seven digits"), ("long", "047112500", "nine digits"), ("letter", "0471125O", "a letter"),
        ("arabic", "٠٤٧١١٢٥٠", "other digits"), ("line", "04711250\n", "a line end"),
    ]:
        refuses(f"link_code_{name}", "parse_code", REFUSED, why, {"text": text})

    link_key = derived(secret, "bundle-link", BUNDLE)
    x = derived(derived(link_key, "link-code"), "code", BUNDLE, code.encode())
    wrapping = kek("temoin/v1/kek-link", derived(link_key, "link-wrap"), share)
    wrap = sealed(wrapping, ctx("bundle-wrap", BUNDLE), BK, shake("salt link", 24))
    good = {"secret": secret, "bundle": BUNDLE, "code": code, "share": share, "wrap": wrap}
    holds("link_open", "open_by_link", "link, code and share", good, x=x, bundle_key=BK)
    broken("link_open", "open_by_link", "wrap", good)
    refuses("link_open_secret", "open_by_link", TAMPERED, "another link's secret", good, secret=MK_N)
    refuses("link_open_share", "open_by_link", TAMPERED, "another share", good, share=MK_N)
    refuses("link_open_bundle", "open_by_link", TAMPERED, "another bundle", good, bundle=BLOB)
    short = sealed(wrapping, ctx("bundle-wrap", BUNDLE), BK[:31], shake("salt link", 24))
    refuses("link_open_short", "open_by_link", MALFORMED, "sealed well, but not a key", good, wrap=short)
