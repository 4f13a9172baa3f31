"""User name, password, PIN, and all that derives from them (protocol §1)."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Any

from nacl.bindings import crypto_pwhash_ALG_ARGON2ID13, crypto_pwhash_alg, crypto_sign, crypto_sign_seed_keypair
from spelled_again import (
    ACCOUNT,
    ITEM,
    REFUSED,
    UNSIGNED,
    VAULT,
    VERSION,
    ctx,
    derived,
    flipped,
    holds,
    refuses,
    shake,
    u32,
)

NOT_IN_UNICODE_14 = ["\U0001fae8", "\u0378", "\ufdd0", "\U0010ffff", "\u2fe0", "\U0001fadc", "\u0530"]
HALVES = ["\ud83d", "\udc00", "\udfff", "\ud800", "\udbff"]
CONTROLS = ["\x00", "\x01", "\t", "\n", "\r", "\x1b", "\x1f", "\x7f", "\x80", "\x85", "\x9f"]


def secrets() -> None:
    usernames = [
        ("plain", "Anna", "anna", "folded"),
        ("sharp_s", "Stra\u00dfe", "strasse", "\u00df folds to ss"),
        ("capital_sharp_s", "STRA\u1e9eE", "strasse", "\u1e9e folds to ss"),
        ("sigma", "\u03a3\u03a3", "\u03c3\u03c3", "\u03a3 folds to \u03c3, also at the end"),
        ("final_sigma", "\u03c3\u03c2", "\u03c3\u03c3", "\u03c2 folds to \u03c3"),
        ("dotted_i", "\u0130", "i\u0307", "\u0130 folds to i and a dot"),
        ("dotless_i", "\u0131", "\u0131", "\u0131 stays"),
        ("ligature", "\ufb01n", "fin", "NFKC takes \ufb01 apart"),
        ("wide", "\uff21\uff41", "aa", "NFKC narrows"),
        ("no_break_space", "\u00a0anna\u00a0", "anna", "U+00A0 becomes a space, and is stripped"),
        ("bom", "\ufeffanna", "\ufeffanna", "U+FEFF is no space"),
        ("spaces", "  an na ", "an na", "stripped at the ends only"),
        ("tab", "\tanna", "\tanna", "only U+0020 is stripped"),
        ("composed", "e\u0301", "\u00e9", "composed"),
        ("iota", "\u1fb3", "\u03b1\u03b9", "iota subscript folds to a letter"),
        ("longest", "a" * 64, "a" * 64, "64 characters"),
        ("cherokee", "\uab70", "\u13a0", "Cherokee folds to capitals"),
        ("armenian", "\u0587", "\u0565\u0582", "a ligature"),
    ]
    for name, text, username, why in usernames:
        holds(f"username_{name}", "normalise_username", why, {"text": text, "sign_up": True}, username=username)
        username_and_changed(name, text, username)
    holds(
        "username_unassigned_at_login",
        "normalise_username",
        "a newer character is asked only at sign-up",
        {"text": "a\U0001fae8", "sign_up": False},
        username="a\U0001fae8",
    )
    for name, text, why in [
        ("empty", "", "empty"),
        ("only_spaces", " \u00a0 ", "only spaces"),
        ("too_long", "a" * 65, "65 characters"),
        ("too_long_folded", "\u00df" * 33, "66 characters once folded"),
        ("unassigned", "a\U0001fae8", "assigned in Unicode 15"),
        ("noncharacter", "a\uffff", "never assigned"),
        ("surrogate", "a\ud800", "a lone surrogate"),
        ("half_reversed", "\udc00\ud83d", "the halves of a pair in the wrong order"),
        ("only_wide_space", "\u3000", "a space that NFKC narrows, and nothing else"),
        ("only_thin_spaces", "\u2009\u200a\u202f", "thin spaces and nothing else"),
        ("too_long_ligatures", "\ufb03" * 22, "22 ligatures are 66 letters"),
        ("too_long_dotted", "\u0130" * 33, "each \u0130 folds to two"),
        ("too_long_phrase", "\ufdfa" * 4, "each is 18 characters once taken apart"),
        ("too_long_emoji", "\U0001f600" * 65, "65 characters, 130 units of UTF-16"),
    ]:
        refuses(f"username_{name}", "normalise_username", REFUSED, why, {"text": text, "sign_up": True})

    passwords = [
        ("plain", "korrekt Pferd", "korrekt Pferd", "as typed"),
        ("composed", "e\u0301e\u0301e\u0301e\u0301", "\u00e9" * 4, "NFC"),
        ("spaces", "eight\u00a0\u2003\u3000.", "eight   .", "every Zs becomes U+0020"),
        ("ends", " eight.. ", " eight.. ", "spaces at the ends stay"),
        ("joiners", "a\u200db\u200ccdef", "a\u200db\u200ccdef", "ZWJ and ZWNJ stay"),
        ("case", "Stra\u1e9ee..", "Stra\u1e9ee..", "not folded"),
        ("compatibility", "\ufb01......", "\ufb01......", "not NFKC"),
        ("bom", "\ufeffeight", "\ufeffeight", "U+FEFF stays"),
        ("angstrom", "\u212b\u212b\u212b\u212b", "\u00e5".upper() * 4, "NFC"),
        ("longest", "x" * 1024, "x" * 1024, "1,024 bytes"),
        ("shortest", "\U0001f600\U0001f600", "\U0001f600\U0001f600", "8 bytes"),
    ]
    for name, text, password, why in passwords:
        holds(f"password_{name}", "normalise_password", why, {"text": text, "sign_up": True}, password=password)
        password_and_changed(name, text)
    for name, text, why in [
        ("short", "seven..", "7 bytes"),
        ("long", "x" * 1025, "1,025 bytes"),
        ("nul", "eight\x00...", "NUL"),
        ("line_end", "eight...\n", "a line end"),
        ("tab", "eight\t...", "a tab"),
        ("delete", "eight\x7f...", "DEL"),
        ("c1", "eight\x85...", "U+0085"),
        ("unassigned", "eight..\U0001fae8", "assigned in Unicode 15"),
        ("surrogate", "eight..\udfff", "a lone surrogate"),
        ("short_composed", "e\u0301e\u0301x", "short once composed"),
    ]:
        refuses(f"password_{name}", "normalise_password", REFUSED, why, {"text": text, "sign_up": True})

    pin_rules = {"sign_up": True, "this_year": 2026}
    for name, text, pin, why in [
        ("four", "4927", "4927", "four digits"),
        ("twelve", "492749274927", "492749274927", "twelve"),
        ("arabic", "\u0664\u0669\u0662\u0667", "4927", "Arabic-Indic digits"),
        ("wide", "\uff14\uff19\uff12\uff17", "4927", "full width"),
        ("bold", "\U0001d7d2\U0001d7d7\U0001d7d0\U0001d7d5", "4927", "mathematical bold"),
        ("mixed", "4\u09ef\u0e52\u0967", "4921", "mixed"),
        ("next_year", "2027", "2027", "next year is nobody's birth"),
        ("old_year", "1899", "1899", "too long ago"),
    ]:
        holds(f"pin_{name}", "normalise_pin", why, {"text": text} | pin_rules, pin=pin)
    pins_in_other_digits(pin_rules)
    holds(
        "pin_common_at_login",
        "normalise_pin",
        "guessable ones are refused at sign-up only",
        {"text": "1234", "sign_up": False, "this_year": 2026},
        pin="1234",
    )
    for name, text, why in [
        ("common", "2580", "the middle of the keys"),
        ("common_long", "159753", "a pattern"),
        ("common_arabic", "\u0662\u0665\u0668\u0660", "the same"),
        ("year", "1987", "a year of birth"),
        ("this_year", "2026", "this year"),
        ("year_1900", "1900", "1900"),
        ("repeated", "88888", "one digit"),
        ("rising", "3456", "rising"),
        ("rising_past_nine", "8901", "rising past nine"),
        ("falling", "987654", "falling"),
        ("falling_past_zero", "2109", "falling past zero"),
        ("year_mixed", "19\u0668\u0667", "a year of birth, half of it in other digits"),
        ("repeated_mixed", "7\u0667\uff17\U0001d7d5", "one digit in four scripts"),
        ("repeated_twelve", "444444444444", "one digit twelve times"),
        ("rising_twelve", "901234567890", "rising all the way"),
    ]:
        refuses(f"pin_{name}", "normalise_pin", REFUSED, why, {"text": text} | pin_rules)
    for name, text, why in [
        ("short", "492", "three digits"),
        ("long", "4927492749274", "thirteen"),
        ("letters", "49z7", "a letter"),
        ("empty", "", "empty"),
        ("space", "4 927", "a space"),
        ("sign", "-4927", "a sign"),
        ("superscript", "49\u00b27", "a superscript is no decimal digit"),
        ("chinese", "\u56db\u4e5d\u4e8c\u4e03", "a number word is no digit"),
        ("surrogate", "492\ud800", "a lone surrogate"),
        ("half_of_a_digit", "492\ud835", "half of a mathematical digit"),
        ("roman", "492\u2163", "a Roman numeral"),
        ("circled", "492\u2466", "a circled digit"),
        ("fraction", "492\u00bd", "a fraction"),
        ("keycap", "492\u20e3", "a keycap without its digit"),
        ("line_end", "4927\n", "a line end"),
        ("bom", "\ufeff4927", "U+FEFF in front"),
        ("joiner", "49\u200d27", "a joiner inside"),
        ("direction", "\u200e4927", "a mark of writing direction"),
        ("point", "49.27", "a point"),
        ("wide_minus", "\uff0d4927", "a wide minus"),
        ("underscore", "4_927", "an underscore, as programs allow"),
        ("hexadecimal", "0x4927", "a prefix of hexadecimal"),
    ]:
        refuses(f"pin_{name}", "normalise_pin", REFUSED, why, {"text": text, "sign_up": False, "this_year": 2026})


def chain() -> None:
    for name, typed, normal, pin in [
        ("plain", ("Anna", "korrekt Pferd", "4927"), ("anna", "korrekt Pferd"), "4927"),
        (
            "unicode",
            (" STRA\u1e9eE\u00a0", "e\u0301t\u00e9 \u00e0 la mer", "\u0664\u0669\u0662\u0667"),
            ("strasse", "\u00e9t\u00e9 \u00e0 la mer"),
            "4927",
        ),
    ]:
        salt = sha256(ctx("pwsalt", VAULT, normal[0].encode())).digest()[:16]
        st = crypto_pwhash_alg(32, normal[1].encode(), salt, 3, 64 << 20, crypto_pwhash_ALG_ARGON2ID13)
        k_pl, k_ps, seed = derived(st, "pin-login-key"), derived(st, "pin-step-key"), derived(st, "login-seed")
        typed_pin = pin.encode()
        inputs = {
            "username": typed[0],
            "password": typed[1],
            "pin": typed[2],
            "vault_id": VAULT,
            "account": ACCOUNT,
            "pin_epoch": 3,
            "argon_set": 1,
        }
        holds(
            f"login_{name}",
            "login_chain",
            "every value of protocol section 1",
            inputs,
            st=st,
            k_id=derived(st, "account-id"),
            login_seed=seed,
            login_pk=crypto_sign_seed_keypair(seed)[0],
            k_pw=derived(st, "pw-wrap"),
            k_pl=k_pl,
            k_ps=k_ps,
            tag_l=derived(k_pl, "pin-login", ACCOUNT, typed_pin),
            pin_l=derived(k_pl, "pin-kek", ACCOUNT, typed_pin),
            tag_s=derived(k_ps, "pin-step", ACCOUNT, u32(3), typed_pin),
            pin_s=derived(k_ps, "pin-kek", ACCOUNT, u32(3), typed_pin),
        )
    good = {
        "username": "Anna",
        "password": "korrekt Pferd",
        "pin": "4927",
        "vault_id": VAULT,
        "account": ACCOUNT,
        "pin_epoch": 3,
        "argon_set": 1,
    }
    refuses("login_argon_unknown", "login_chain", VERSION, "a set this version doesn't know", good, argon_set=2)
    refuses("login_argon_zero", "login_chain", VERSION, "there is no set 0", good, argon_set=0)
    refuses("login_no_name", "login_chain", REFUSED, "no user name", good, username=" ")
    refuses("login_short_password", "login_chain", REFUSED, "a short password", good, password="seven..")
    refuses("login_argon_negative", "login_chain", VERSION, "there is no set -1", good, argon_set=-1)
    refuses("login_name_surrogate", "login_chain", REFUSED, "half a character in the name", good, username="Anna\ud83d")
    refuses("login_long_name", "login_chain", REFUSED, "a name of 65 characters", good, username="a" * 65)
    refuses("login_password_line_end", "login_chain", REFUSED, "a line end", good, password="korrekt Pferd\n")
    refuses("login_no_pin", "login_chain", REFUSED, "no PIN", good, pin="pin!")


def requests() -> None:
    host, challenge, k_id, body = "vault.example:8443", shake("challenge", 32), shake("k-id", 32), b'{"v":1}'
    seed = shake("login seed", 32)
    public, secret = crypto_sign_seed_keypair(seed)
    given = {"host": host, "challenge": challenge, "seed": seed}
    for name, message, more in [
        ("register", ctx("register", host.encode(), challenge, sha256(body).digest()), {"body": body}),
        ("change", ctx("change", host.encode(), challenge, sha256(body).digest()), {"body": body}),
        ("login", ctx("login", host.encode(), k_id, challenge), {"k_id": k_id}),
        ("confirm", ctx("confirm", host.encode(), k_id, challenge), {"k_id": k_id}),
        ("pin_reopen", ctx("pin-reopen", host.encode(), ACCOUNT, challenge), {"account": ACCOUNT}),
        ("recover", ctx("recover", host.encode(), k_id, challenge), {"rid": k_id}),
        ("recover_change", ctx("recover-change", host.encode(), challenge, sha256(body).digest()), {"body": body}),
        ("professional", ctx("professional", host.encode(), ACCOUNT, sha256(body).digest()), {
            "account": ACCOUNT, "body": body}),
    ]:
        holds(
            f"request_{name}",
            "signed_request",
            "what a login key signs, and its signature",
            given | more | {"request": name},
            message=message,
            signature=crypto_sign(message, secret)[:64],
            public=public,
        )
        asked = {"host": host, "challenge": challenge, "public": public, "request": name} | more
        asked["signature"] = crypto_sign(message, secret)[:64]
        if name == "login":
            holds("verify_login", "verify_request", "the server rebuilds the message", asked, message=message)
        request_and_changed(name, asked)
    seen = {"host": host, "challenge": challenge, "public": public}
    by_id, by_body = (host.encode(), k_id, challenge), (host.encode(), challenge, sha256(body).digest())
    by_account = (host.encode(), ACCOUNT, challenge)
    for name, how, message, more in [
        ("login", "signed_as_confirm", ctx("confirm", *by_id), {"k_id": k_id}),
        ("confirm", "signed_as_login", ctx("login", *by_id), {"k_id": k_id}),
        ("login", "order", ctx("login", host.encode(), challenge, k_id), {"k_id": k_id}),
        ("pin_reopen", "signed_as_login", ctx("login", *by_account), {"account": ACCOUNT}),
        ("register", "signed_as_change", ctx("change", *by_body), {"body": body}),
        ("change", "signed_as_register", ctx("register", *by_body), {"body": body}),
        ("change", "body_not_hashed", ctx("change", host.encode(), challenge, body), {"body": body}),
    ]:
        given = seen | more | {"request": name, "signature": crypto_sign(message, secret)[:64]}
        why = "a genuine signature, but over another message"
        refuses(f"verify_{name}_{how}", "verify_request", UNSIGNED, why, given)


def request_and_changed(name: str, good: dict[str, Any]) -> None:
    """One signed request, and everything that it is bound to."""
    signature = good["signature"]
    order = 2**252 + 27742317777372353535851937790883648493
    bigger = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    changes: list[tuple[str, dict[str, Any], str]] = [
        ("host", {"host": "vault.example"}, "the same host without its port"),
        ("public", {"public": crypto_sign_seed_keypair(shake("another login", 32))[0]}, "another login key"),
        ("point", {"signature": flipped(signature, 3)}, "one bit of the signature's first half"),
        ("scalar", {"signature": flipped(signature, 40)}, "one bit of its second half"),
        ("scalar_too_large", {"signature": signature[:32] + bigger}, "a second half beyond the order of the group"),
        ("signature_short", {"signature": signature[:-1]}, "63 bytes of signature"),
        ("small_order", {"public": b"\x01" + bytes(31), "signature": b"\x01" + bytes(63)}, "a key that is no secret"),
    ]
    if good["request"] != "professional":  # repeating it changes nothing, so it takes no challenge
        changes.append(("challenge", {"challenge": flipped(good["challenge"], 31)}, "another challenge"))
    for field, other in [("body", b'{"v":2}'), ("k_id", shake("another k-id", 32)), ("account", ITEM)]:
        if field in good:
            changes.append((field, {field: other}, f"another {field}"))
    for how, changed, why in changes:
        refuses(f"verify_{name}_{how}", "verify_request", UNSIGNED, why, good, **changed)


def username_and_changed(name: str, text: str, username: str) -> None:
    """A good user name with one thing too many, wherever it stands in the text."""
    number, core = len(name) + len(text), text.strip(" \u00a0")
    unknown = NOT_IN_UNICODE_14[number % len(NOT_IN_UNICODE_14)]
    half, other_half = (HALVES[(number + more) % len(HALVES)] for more in (0, 2))
    too_long = text.replace(core, core + "b" * (65 - len(username)))
    for how, given, sign_up, why in [
        ("unassigned", text + unknown, True, "no character of Unicode 14 at its end"),
        ("surrogate", core[:1] + half + core[1:], True, "half a character after the first"),
        ("surrogate_at_login", other_half + text, False, "half a character in front, at login too"),
        ("one_too_long", too_long, False, "65 characters once normalised, at login too"),
    ]:
        refuses(f"username_{name}_{how}", "normalise_username", REFUSED, why, {"text": given, "sign_up": sign_up})


def password_and_changed(name: str, text: str) -> None:
    """A good password with one thing too many, or cut or drawn out past its bounds."""
    number = len(name) + len(text)
    unknown, half, control = (row[number % len(row)] for row in (NOT_IN_UNICODE_14, HALVES, CONTROLS))
    start = text[:16]
    short = next(text[:count] for count in range(len(text), 0, -1) if _password_bytes(text[:count]) < 8)
    for how, given, sign_up, why in [
        ("unassigned", start + unknown, True, "no character of Unicode 14 at its end"),
        ("surrogate", half + start, False, "half a character in front, at login too"),
        ("control", start[:1] + control + start[1:], False, "a control character, at login too"),
        ("too_short", short, True, f"{_password_bytes(short)} bytes once normalised"),
        ("too_long", text + "x" * (1025 - _password_bytes(text)), False, "1,025 bytes once normalised, at login too"),
    ]:
        refuses(f"password_{name}_{how}", "normalise_password", REFUSED, why, {"text": given, "sign_up": sign_up})


def _password_bytes(text: str) -> int:
    spaced = "".join(" " if unicodedata.category(point) == "Zs" else point for point in text)
    return len(unicodedata.normalize("NFC", spaced).encode())


def pins_in_other_digits(rules: dict[str, Any]) -> None:
    """What is no PIN in ASCII digits is none in others; lengths count digits, whatever their units."""
    for name, zero in [("arabic", 0x660), ("wide", 0xFF10), ("bold", 0x1D7CE), ("bengali", 0x9E6)]:
        for how, digits, why in [
            ("short", "492", "three digits"),
            ("long", "4927492749274", "thirteen digits"),
            ("year", "1987", "a year of birth"),
            ("repeated", "88888", "one digit"),
            ("rising", "3456", "rising"),
            ("falling", "2109", "falling past zero"),
        ]:
            text = "".join(chr(zero + int(digit)) for digit in digits)
            refuses(f"pin_{name}_{how}", "normalise_pin", REFUSED, f"{why}, in other digits", {"text": text} | rules)
    for year, this_year, why in [("2027", 2027, "this year, a year later"), ("2099", None, "this year isn't told")]:
        given = {"text": year, "sign_up": True, "this_year": this_year}
        refuses(f"pin_year_{year}", "normalise_pin", REFUSED, why, given)
