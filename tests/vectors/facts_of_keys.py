"""The keys that wrap keys, and the recovery code (protocol §3, §8)."""

from __future__ import annotations

import hmac
from typing import Any

from mnemonic import Mnemonic
from nacl.bindings import crypto_box_seed_keypair, crypto_sign_seed_keypair
from spelled_again import (
    ACCOUNT,
    BLOB,
    ITEM,
    K_PW,
    MALFORMED,
    MK_N,
    MK_S,
    NEEDS_PIN,
    REFUSED,
    SHARE_N,
    SHARE_R,
    SHARE_S,
    TAMPERED,
    box_seal,
    broken,
    ctx,
    derived,
    facts,
    flipped,
    holds,
    kek,
    refuses,
    sealed,
    shake,
    u32,
)


def keys() -> None:
    pin = shake("pin wrapping", 32)
    recovery = shake("recovery key", 32)
    kek_n = kek("temoin/v1/kek-n", K_PW, pin, SHARE_N)
    kek_s = kek("temoin/v1/kek-s", derived(MK_N, "s-gate"), pin, SHARE_S)
    kek_r = kek("temoin/v1/kek-r", derived(recovery, "recovery-wrap"), SHARE_R)
    holds("kek_n", "derive_kek_n", "password, PIN and share", {"k_pw": K_PW, "pin": pin, "share": SHARE_N}, kek=kek_n)
    holds("kek_s", "derive_kek_s", "MK_N, PIN and share", {"mk_n": MK_N, "pin": pin, "share": SHARE_S}, kek=kek_s)
    holds("kek_r", "derive_kek_r", "recovery code and share", {"recovery_key": recovery, "share": SHARE_R}, kek=kek_r)
    for which, key, mk in [
        ("mk-n", kek_n, MK_N),
        ("mk-s", kek_s, MK_S),
        ("rec-n", kek_r, MK_N),
        ("rec-s", kek_r, MK_S),
    ]:
        context = ctx("wrap", which.encode(), ACCOUNT, u32(2))
        wrapped = sealed(key, context, mk, shake(f"salt {which}", 24))
        good = {"kek": key, "which": which, "account": ACCOUNT, "epoch": 2, "wrapped": wrapped}
        name = f"wrap_{which.replace('-', '_')}"
        holds(name, "unwrap_master", "a wrapped master key, 104 bytes", good, mk=mk)
        refuses(f"{name}_epoch", "unwrap_master", TAMPERED, "another epoch", good, epoch=1)
        refuses(
            f"{name}_place",
            "unwrap_master",
            TAMPERED,
            "another place",
            good,
            which="mk-s" if which == "mk-n" else "mk-n",
        )
        refuses(f"{name}_account", "unwrap_master", TAMPERED, "another account", good, account=ITEM)
        refuses(f"{name}_kek", "unwrap_master", TAMPERED, "another KEK", good, kek=K_PW)
        broken(name, "unwrap_master", "wrapped", good)
        short = sealed(key, context, mk[:31], shake(f"salt {which}", 24))
        refuses(f"{name}_short", "unwrap_master", MALFORMED, "sealed well, but not a key", good, wrapped=short)
    for kind in ("sign", "box"):
        seed, context = shake(f"identity {kind}", 32), ctx(f"identity-{kind}", ACCOUNT)
        public = crypto_sign_seed_keypair(seed)[0] if kind == "sign" else crypto_box_seed_keypair(seed)[0]
        blob = sealed(derived(MK_N, "identity"), context, seed, shake(f"salt identity {kind}", 24))
        good = {"mk_n": MK_N, "kind": f"identity-{kind}", "account": ACCOUNT, "sealed": blob}
        holds(f"identity_{kind}", "open_identity", "the seed of an identity key", good, seed=seed, public=public)
        refuses(f"identity_{kind}_account", "open_identity", TAMPERED, "another account", good, account=ITEM)
        refuses(f"identity_{kind}_key", "open_identity", TAMPERED, "another master key", good, mk_n=MK_S)
        broken(f"identity_{kind}", "open_identity", "sealed", good)
        long = sealed(derived(MK_N, "identity"), context, seed + b"\x00", shake(f"salt identity {kind}", 24))
        refuses(f"identity_{kind}_long", "open_identity", MALFORMED, "sealed well, but not a seed", good, sealed=long)
    pk_s, sk_s = crypto_box_seed_keypair(shake("drop-box", 32))
    drop_key, context = derived(MK_S, "drop-box"), ctx("drop-box", ACCOUNT, u32(2))
    box = sealed(drop_key, context, pk_s + sk_s, shake("salt drop-box", 24))
    good = {"mk_s": MK_S, "account": ACCOUNT, "epoch": 2, "sealed": box}
    holds("drop_box", "open_drop_box", "the pair of the drop-box, 136 bytes", good, pk_s=pk_s, sk_s=sk_s)
    refuses("drop_box_epoch", "open_drop_box", TAMPERED, "another epoch", good, epoch=3)
    refuses("drop_box_normal_key", "open_drop_box", TAMPERED, "MK_N doesn't open it", good, mk_s=MK_N)
    refuses("drop_box_account", "open_drop_box", TAMPERED, "another account", good, account=ITEM)
    broken("drop_box", "open_drop_box", "sealed", good)
    refuses(
        "drop_box_half",
        "open_drop_box",
        MALFORMED,
        "one key only",
        good,
        sealed=sealed(drop_key, context, pk_s, shake("h", 24)),
    )
    step = {
        "account": ACCOUNT,
        "mk_n": MK_N,
        "epoch": 2,
        "pk_s": pk_s,
        "kek_s": kek_s,
        "drop_box": box,
        "w_s": sealed(kek_s, ctx("wrap", b"mk-s", ACCOUNT, u32(2)), MK_S, shake("salt mk-s", 24)),
    }
    holds("step_up", "step_up", "W_S and the drop-box open the sensitive tier", step, mk_s=MK_S, sk_s=sk_s)
    refuses("step_up_other_drop_box", "step_up", TAMPERED, "pk_S isn't the one of the account record", step, pk_s=MK_N)
    refuses("step_up_other_share", "step_up", TAMPERED, "another KEK_S", step, kek_s=kek_n)
    refuses("step_up_old_epoch", "step_up", TAMPERED, "wraps of another epoch", step, epoch=1)
    refuses("step_up_no_wrap", "step_up", MALFORMED, "no wrap", step, w_s="")
    refuses("step_up_other_account", "step_up", TAMPERED, "wraps of another account", step, account=ITEM)
    other_box = sealed(drop_key, context, MK_N + sk_s, shake("salt drop-box", 24))
    refuses("step_up_drop_box_exchanged", "step_up", TAMPERED, "a drop-box of another pk_S", step, drop_box=other_box)
    refuses("step_up_wraps_exchanged", "step_up", TAMPERED, "W_S and drop-box exchanged", step, w_s=box)
    broken("step_up_wrap", "step_up", "w_s", step)
    broken("step_up_drop_box", "step_up", "drop_box", step)
    unlocking(pin, recovery)


def unlocking(pin: bytes, recovery_key: bytes) -> None:
    """From the secrets to a master key in one step: each secret counts, and its place."""
    other = shake("another secret", 32)
    gate, wrap = derived(MK_N, "s-gate"), derived(recovery_key, "recovery-wrap")
    ways: list[tuple[str, str, str, bytes, list[bytes], dict[str, bytes]]] = [
        ("normal", "mk-n", "kek-n", MK_N, [K_PW, pin, SHARE_N], {"k_pw": K_PW, "pin": pin, "share": SHARE_N}),
        ("sensitive", "mk-s", "kek-s", MK_S, [gate, pin, SHARE_S], {"mk_n": MK_N, "pin": pin, "share": SHARE_S}),
        ("recovery", "rec-n", "kek-r", MK_N, [wrap, SHARE_R], {"recovery_key": recovery_key, "share": SHARE_R}),
    ]
    for name, which, label, mk, parts, given in ways:
        context, salt, op = ctx("wrap", which.encode(), ACCOUNT, u32(2)), shake(f"salt {which}", 24), f"unlock_{name}"
        full = f"temoin/v1/{label}"
        wrapped = sealed(kek(full, *parts), context, mk, salt)
        good = given | {"account": ACCOUNT, "epoch": 2, "wrapped": wrapped}
        holds(op, op, "the secrets give the KEK, the KEK the master key", good, mk=mk)
        for secret in given:
            why = f"another {secret}, all else right"
            refuses(f"{op}_other_{secret}", op, TAMPERED, why, good, **{secret: other})
        refuses(f"{op}_bit_of_share", op, TAMPERED, "one bit of the share", good, share=flipped(given["share"], 31))
        refuses(f"{op}_epoch", op, TAMPERED, "another epoch", good, epoch=3)
        refuses(f"{op}_account", op, TAMPERED, "another account", good, account=ITEM)
        for how, key, why in [
            ("other_order", kek(full, *parts[::-1]), "secrets joined from the last to the first"),
            ("no_share", kek(full, *parts[:-1]), "wrapped without the share"),
            ("other_label", kek("temoin/v1/kek", *parts), "under another label"),
            ("second_half", kek_second_half(full, *parts), "the other half of the extract"),
            ("derived", derived(kek(full, *parts), "wrap"), "derived once more"),
        ]:
            refuses(f"{op}_{how}", op, TAMPERED, why, good, wrapped=sealed(key, context, mk, salt))
        short = sealed(kek(full, *parts), context, mk[:16], salt)
        refuses(f"{op}_short", op, MALFORMED, "sealed well, but half a key", good, wrapped=short)
        broken(op, op, "wrapped", good)
    good, place = facts["unlock_recovery"]["inputs"], ctx("wrap", b"rec-n", ACCOUNT, u32(2))
    for how, part in [
        ("code_itself", recovery_key),
        ("id_as_key", derived(recovery_key, "recovery-id")),
        ("login_seed_as_key", derived(recovery_key, "recovery-login")),
    ]:
        blob = sealed(kek("temoin/v1/kek-r", part, SHARE_R), place, MK_N, shake("salt rec-n", 24))
        refuses(f"unlock_recovery_{how}", "unlock_recovery", TAMPERED, "no wrapping key", good, wrapped=blob)


def kek_second_half(label: str, *parts: bytes) -> bytes:
    return hmac.digest(label.encode("ascii"), b"".join(parts), "sha512")[32:]


def record_keys() -> None:
    pk_s, sk_s = crypto_box_seed_keypair(shake("drop-box", 32))
    place, items = ctx("wrap", b"record", ITEM, u32(5)), derived(MK_N, "items")
    normal_key, sensitive_key = shake("record key", 32), shake("sensitive record key", 32)
    boxed = box_seal(pk_s, sensitive_key, shake("once", 32))

    other_pair = crypto_box_seed_keypair(MK_N)

    def wrap(body: bytes) -> bytes:
        return sealed(items, place, body, shake("salt record wrap", 24))

    open_vault = {"mk_n": MK_N, "pk_s": pk_s, "sk_s": sk_s, "item": ITEM, "revision": 5}
    closed = open_vault | {"sk_s": None}
    normal, sensitive = wrap(b"\x00" + normal_key + bytes(48)), wrap(b"\x01" + boxed)
    for name, vault in [("", closed), ("_open", open_vault)]:
        holds(
            f"record_key_normal{name}",
            "unwrap_record_key",
            "a normal record key, 153 bytes",
            vault | {"wrap": normal},
            key=normal_key,
            sensitive=False,
        )
    holds(
        "record_key_sensitive",
        "unwrap_record_key",
        "a sensitive one, 153 bytes alike",
        open_vault | {"wrap": sensitive},
        key=sensitive_key,
        sensitive=True,
    )
    refuses(
        "record_key_needs_pin",
        "unwrap_record_key",
        NEEDS_PIN,
        "the sensitive tier is closed",
        closed | {"wrap": sensitive},
    )
    holds("tier_normal", "is_sensitive", "normal, without the PIN", closed | {"wrap": normal}, sensitive=False)
    holds("tier_sensitive", "is_sensitive", "sensitive, without the PIN", closed | {"wrap": sensitive}, sensitive=True)
    refusals: list[tuple[str, str, dict[str, Any], str]] = [
        ("revision", TAMPERED, {"revision": 6}, "another revision"),
        ("item", TAMPERED, {"item": BLOB}, "another item"),
        ("key", TAMPERED, {"mk_n": MK_S}, "another master key"),
        ("bare_box", TAMPERED, {"wrap": boxed}, "a bare box isn't taken"),
        ("tier_byte", MALFORMED, {"wrap": wrap(b"\x02" + bytes(80))}, "no such tier"),
        ("short", MALFORMED, {"wrap": wrap(b"\x00" + normal_key)}, "no filling"),
        ("filling", MALFORMED, {"wrap": wrap(b"\x00" + normal_key + bytes(47) + b"\x01")}, "the filling isn't zero"),
        (
            "other_box",
            TAMPERED,
            {"wrap": wrap(b"\x01" + box_seal(other_pair[0], sensitive_key, MK_S))},
            "boxed for another drop-box",
        ),
        ("broken_box", TAMPERED, {"wrap": wrap(b"\x01" + flipped(boxed, 40))}, "a changed box"),
    ]
    for name, code, changed, why in refusals:
        refuses(f"record_key_{name}", "unwrap_record_key", code, why, open_vault | {"wrap": normal} | changed)
    refusals = [
        ("revision", TAMPERED, {"revision": 4}, "another revision"),
        ("item", TAMPERED, {"item": BLOB}, "another item"),
        ("key", TAMPERED, {"mk_n": MK_S}, "another master key"),
        ("other_pair", TAMPERED, {"pk_s": other_pair[0], "sk_s": other_pair[1]}, "another drop-box"),
        ("cut_box", MALFORMED, {"wrap": wrap(b"\x01" + boxed[:-1])}, "a byte of the box is missing"),
        ("as_normal", MALFORMED, {"wrap": wrap(b"\x00" + boxed)}, "a box where a bare key belongs"),
    ]
    for name, code, changed, why in refusals:
        given = open_vault | {"wrap": sensitive} | changed
        refuses(f"record_key_sensitive_{name}", "unwrap_record_key", code, why, given)
    for tier, wrapped, vault in [("normal", normal, closed), ("sensitive", sensitive, open_vault)]:
        broken(f"record_key_{tier}", "unwrap_record_key", "wrap", vault | {"wrap": wrapped})
        broken(f"tier_{tier}", "is_sensitive", "wrap", closed | {"wrap": wrapped})
    for name in ("revision", "item", "key", "tier_byte", "short", "bare_box"):
        fact = facts[f"record_key_{name}"]
        refuses(f"tier_{name}", "is_sensitive", fact["expect"], fact["why"], fact["inputs"])


def recovery() -> None:
    keys = {"zeros": bytes(32), "ones": b"\xff" * 32, "made": shake("recovery key", 32)}
    for name, key in keys.items():
        for language in ("english", "french"):
            words = Mnemonic(language).to_mnemonic(key)
            words_and_changed(f"{language}_{name}", language, words)
            composed = words.replace("e\u0301", "\u00e9").replace("e\u0300", "\u00e8")
            holds(
                f"words_{language}_{name}",
                "format_words",
                "24 words of BIP-39",
                {"key": key, "language": language},
                words=composed,
            )
            holds(
                f"parse_{language}_{name}",
                "parse_words",
                "the inverse, decomposed letters too",
                {"words": words},
                key=key,
            )
    key = keys["made"]
    english, french = (Mnemonic(language).to_mnemonic(key) for language in ("english", "french"))
    numbered = "\n".join(f"{number}. {word.upper()}," for number, word in enumerate(english.split(), 1))
    holds(
        "parse_numbered",
        "parse_words",
        "numbers, commas, capitals and lines don't matter",
        {"words": numbered},
        key=key,
    )
    bare = french.replace("e\u0301", "e").replace("e\u0300", "e")
    holds("parse_no_accents", "parse_words", "accents don't matter", {"words": bare}, key=key)
    holds("parse_spaces", "parse_words", "any spacing", {"words": "\u00a0" + english.replace(" ", "\u3000\t")}, key=key)
    some = english.split()
    for name, words, why in [
        ("few", " ".join(some[:23]), "23 words"),
        ("many", english + " zoo", "25 words"),
        ("none", "", "none"),
        ("unknown", " ".join([*some[:23], "qwerty"]), "a word that is in neither list"),
        ("mixed", " ".join([*some[:12], *french.split()[12:]]), "two languages"),
        ("checksum", " ".join(["abandon"] * 24), "the checksum"),
        ("swapped", " ".join([some[1], some[0], *some[2:]]), "two words swapped"),
        ("prefix", " ".join(word[:4] for word in some), "first letters only"),
        ("run_together", "".join(some), "no spaces"),
        ("numbered_few", "\n".join(numbered.split("\n")[:23]), "23 numbered lines"),
        ("numbered_heading", "My words:\n" + numbered, "the words of a heading count, too"),
        ("numbered_only", "\n".join(f"{number}." for number in range(1, 25)), "numbers without words"),
        ("no_accents_swapped", " ".join([*bare.split()[:22], *bare.split()[:21:-1]]), "the last two swapped"),
        ("no_accents_few", bare.partition(" ")[2], "23 words without accents"),
        ("no_accents_typing_error", bare.replace("e", "3", 1), "a digit in place of a letter"),
        ("soft_hyphen", english[:2] + "\u00ad" + english[2:], "a soft hyphen cuts a word in two"),
        ("wide", english.replace("a", "\u03b1"), "Greek letters that look alike"),
        ("twice", f"{english} {english}", "48 words"),
        ("surrogate", english[:2] + "\ud800" + english[3:], "a lone surrogate"),
    ]:
        refuses(f"parse_{name}", "parse_words", REFUSED, why, {"words": words})
    holds(
        "recovery_keys",
        "derive_recovery",
        "id, login seed and wrapping key",
        {"key": key},
        rid=derived(key, "recovery-id"),
        login_seed=derived(key, "recovery-login"),
        wrap_key=derived(key, "recovery-wrap"),
    )


def words_and_changed(name: str, language: str, words: str) -> None:
    """What goes wrong when 24 words are copied by hand."""
    typed, listed = words.split(" "), Mnemonic(language).wordlist
    other = next(word for word in Mnemonic("french" if language == "english" else "english").wordlist[100:]
                 if word.isascii() and word not in listed)
    pair = next(n for n in range(22, -1, -1) if typed[n] != typed[n + 1])

    def neighbour(word: str) -> str:
        return listed[listed.index(word) ^ 1]

    for how, changed, why in [
        ("first_missing", typed[1:], "the first word is missing"),
        ("last_twice", [*typed, typed[-1]], "the last word twice"),
        ("last_other", [*typed[:-1], neighbour(typed[-1])], "another last word: the checksum tells"),
        ("first_other", [neighbour(typed[0]), *typed[1:]], "another first word: the checksum tells"),
        ("exchanged", [*typed[:pair], typed[pair + 1], typed[pair], *typed[pair + 2 :]], "two words exchanged"),
        ("other_language", [*typed[:11], other, *typed[12:]], "one word of the other language"),
        ("joined", [typed[0] + typed[1], *typed[2:]], "two words run together"),
        ("unknown", [*typed[:5], "q" + typed[5], *typed[6:]], "a letter too many"),
    ]:
        refuses(f"parse_{name}_{how}", "parse_words", REFUSED, why, {"words": " ".join(changed)})
