"""From a user name, a password and a PIN to what signs a person up, in, and in once more; then to forgetting them.

Knows: which value of protocol §1 goes into which request. Refuses to know: sockets and disks.
Nothing it keeps after an opening allows an offline test of the PIN: see `Keyring` for what stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from marshmallow import ValidationError

from client_sdk.errors import ArgonChanged
from client_sdk.home import Pin
from crypto_core.derivation import KEY_SIZE
from crypto_core.encoding import format_json, is_number, parse_json
from crypto_core.errors import CryptoCoreError, MalformedError, TamperedError, UnsupportedVersion
from crypto_core.labels import Kind
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing import keyring as keyrings
from crypto_core.sealing import keys, passphrase
from crypto_core.sealing.keyring import Keyring
from crypto_core.sealing.records import open_account_record, seal_account_record
from crypto_core.sealing.recovery import Language, derive_recovery, format_words, make_recovery_key
from crypto_core.signed_requests import confirm_message, login_message, register_message
from schemas.documents import VERSION, AccountRecord

_ACCOUNT_RECORD = AccountRecord()
_NUMBERS = 4096
"""How far back an account record is looked for under another number than the vault says."""


@dataclass(frozen=True)
class Credentials:
    """What a person types. Held as short as can be."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    pin: str = field(repr=False)

    def require_new(self, this_year: int, *, present_pin: str | None = None) -> None:
        """Raises SecretRefused, which names the rule, for what a new account may not have; a PIN that stays is none of
        that, and whoever mistypes it is told so by the vault."""
        passphrase.normalise_username(self.username, sign_up=True)
        passphrase.normalise_password(self.password, sign_up=True)
        stays = present_pin is not None and passphrase.normalise_pin(present_pin) == passphrase.normalise_pin(self.pin)
        passphrase.normalise_pin(self.pin, sign_up=not stays, this_year=this_year)

    def stretch(self, vault_id: bytes) -> passphrase.LoginKeys:
        """Argon2id, then every key that login derives. Raises NotEnoughMemory."""
        return passphrase.derive_login(passphrase.stretch(self.username, self.password, vault_id))


@dataclass
class NewAccount:
    """A new account, made here and not yet sent. The sheet with the words is written before it is."""

    account: bytes
    recovery_words: str = field(repr=False)
    login: passphrase.LoginKeys = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    """The sign-up body but for its challenge."""
    sent: bytes | None = field(default=None, repr=False)
    """The exact bytes once sent: the same go again after a lost answer."""

    def sign(self, host: str) -> bytes:
        """The signature that travels beside the bytes in `sent`."""
        assert self.sent is not None
        challenge = self.fields["challenge"]
        return passphrase.sign_with_seed(self.login.login_seed, register_message(host, challenge, self.sent))


@dataclass(frozen=True)
class RecoveryWords:
    """A recovery code, 32 bytes, and the words that spell it."""

    code: bytes = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True)
class AccountState:
    """An account record as it is kept, and what it says: nothing (an empty `facts`) if that could not be read here."""

    n: int
    blob: bytes = field(repr=False)
    facts: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def hash(self) -> bytes:
        """SHA-256 of the sealed bytes."""
        return sha256(self.blob).digest()


def require_argon(newest: int) -> None:
    """Raises ArgonChanged if the vault expects parameters that this version doesn't know."""
    if newest > passphrase.NEWEST_ARGON:
        raise ArgonChanged()


def make_account(credentials: Credentials, pin: Pin, language: Language, this_year: int) -> NewAccount:
    """Every key, wrap and share of a new account (protocol §1, §3, §8). Raises SecretRefused."""
    credentials.require_new(this_year)
    account, login, recovery_key = make_id(), credentials.stretch(pin.vault_id), make_recovery_key()
    share_n, share_s, share_r = (make_bytes(KEY_SIZE) for _ in range(3))
    pin_login = passphrase.derive_pin_login(login.k_pl, account, credentials.pin)
    pin_step = passphrase.derive_pin_step(login.k_ps, account, 1, credentials.pin)
    made = keyrings.make_keyring(
        account, keyrings.Credentials(login, pin_login, pin_step, share_n, share_s), recovery_key, share_r
    )
    facts = _account_facts(made.keyring, pin, made.pk_sign, made.pk_box)
    fields = {
        "k_id": login.k_id, "login_pk": passphrase.derive_public(login.login_seed), "account": account,
        "epoch": 1, "pin_epoch": 1, "tag_l": pin_login.tag, "tag_s": pin_step.tag, "share_n": share_n,
        "share_s": share_s, "w_n": made.w_n, "w_s": made.w_s,
        "account_record": seal_account_state(made.keyring.mk_n, account, facts),
        "identity": {"sign": made.identity_sign, "box": made.identity_box}, "drop_box": made.drop_box,
        "recovery": _recovery_fields(recovery_key, share_r, made.w_rn, made.w_rs),
    }
    made.keyring.forget()
    return NewAccount(account, format_words(recovery_key, language), login, fields)


def make_words(language: Language) -> RecoveryWords:
    """A new recovery code; it opens nothing until a change of credentials has brought it to the vault."""
    code = make_recovery_key()
    return RecoveryWords(code, format_words(code, language))


def make_change(
    typed: Credentials, keyring: Keyring, state: AccountState, pin: Pin, heads: Sequence[bytes], *, same_pin: bool,
    words: RecoveryWords | None = None,
) -> tuple[passphrase.LoginKeys, dict[str, Any]]:
    """The new login keys, and the body of a change of credentials but for challenge and identity (protocol §8).

    Master keys and identity stay, and what the recovery code opens unless there are new `words`. Raises NeedsPin unless
    the sensitive tier is open.
    """
    login = typed.stretch(pin.vault_id)
    vkeys = pin.ledger_vkey, pin.directory_vkey
    return login, _next_fields(login, typed.pin, keyring, state, vkeys, heads, same_pin=same_pin, words=words)


def _next_fields(
    login: passphrase.LoginKeys, pin: str, keyring: Keyring, state: AccountState, vkeys: tuple[str, str],
    heads: Sequence[bytes], *, same_pin: bool, words: RecoveryWords | None
) -> dict[str, Any]:
    account, epoch = keyring.account, keyring.epoch + 1
    pin_epoch = keyring.pin_epoch if same_pin else keyring.pin_epoch + 1
    share_n, share_s = make_bytes(KEY_SIZE), make_bytes(KEY_SIZE)
    pin_login = passphrase.derive_pin_login(login.k_pl, account, pin)
    pin_step = passphrase.derive_pin_step(login.k_ps, account, pin_epoch, pin)
    wraps = keyrings.wrap_for_credentials(
        keyrings.Credentials(login, pin_login, pin_step, share_n, share_s), account, epoch, keyring.mk_n, keyring.mk_s
    )
    facts = {
        **state.facts, "n": state.n + 1, "previous": state.hash, "epoch": epoch, "pin_epoch": pin_epoch,
        "argon": passphrase.NEWEST_ARGON, "ledger_vkey": vkeys[0], "directory_vkey": vkeys[1],
        "heads": list(heads),
    }
    fields = {
        "k_id": login.k_id, "login_pk": passphrase.derive_public(login.login_seed), "account": account,
        "epoch": epoch, "expected_epoch": keyring.epoch, "pin_epoch": pin_epoch, "n": facts["n"],
        "tag_l": pin_login.tag, "tag_s": pin_step.tag, "share_n": share_n, "share_s": share_s,
        "w_n": wraps.normal, "w_s": wraps.sensitive,
        "account_record": seal_account_state(keyring.mk_n, account, facts),
        "drop_box": keys.seal_drop_box(keyring.mk_s, account, epoch, keyring.pk_s, keyring.sk_s), "recovery": None,
    }
    if words is not None:
        share_r = make_bytes(KEY_SIZE)
        made = keyrings.wrap_for_recovery(words.code, share_r, account, epoch, keyring.mk_n, keyring.mk_s)
        fields["recovery"] = _recovery_fields(words.code, share_r, made.normal, made.sensitive)
    return fields


def open_recovered(
    account: bytes, code: bytes, given: dict[str, Any], pin: Pin
) -> tuple[Keyring, AccountState]:
    """What a recovery code (32 bytes) opens of an account (16 bytes), from a RecoveryKeys answer: both tiers, and the
    account record, put together anew where it can't be read.

    Raises TamperedError or MalformedError if share, wraps or drop-box are not the account's, UnsupportedVersion if a
    newer version wrote the record.
    """
    wraps = keyrings.MasterWraps(given["w_rn"], given["w_rs"])
    keyring = keyrings.open_with_recovery(
        code, given["share_r"], wraps, given["wrapped_in"], account, given["epoch"], given["pin_epoch"],
        given["drop_box"],
    )
    n, blob = given["n"], given["account_record"]
    try:
        state = open_account_state(keyring.mk_n, account, n, blob)
    except (TamperedError, MalformedError):
        return keyring, AccountState(n, blob, restore_account_facts(keyring, pin, given["identity"]))
    if state.facts["pk_s"] != keyring.pk_s:
        raise TamperedError("the drop-box is not the one that the account record names")
    return keyring, state


def make_recovered(
    login: passphrase.LoginKeys, pin: str, words: RecoveryWords, keyring: Keyring, state: AccountState
) -> dict[str, Any]:
    """The body that takes the place of what was lost, but for challenge and identity (protocol §8). The ledger's and
    the directory's keys stay those that the account knew: this device may have met others."""
    vkeys = state.facts["ledger_vkey"], state.facts["directory_vkey"]
    return _next_fields(login, pin, keyring, state, vkeys, state.facts["heads"], same_pin=False, words=words)


def sign_login(login: passphrase.LoginKeys, host: str, challenge: bytes) -> bytes:
    """For `login/finish`."""
    return passphrase.sign_with_seed(login.login_seed, login_message(host, login.k_id, challenge))


def sign_confirm(login: passphrase.LoginKeys, host: str, challenge: bytes) -> bytes:
    """For `confirm`."""
    return passphrase.sign_with_seed(login.login_seed, confirm_message(host, login.k_id, challenge))


def open_master(
    login: passphrase.LoginKeys, pin_login: passphrase.PinLogin, account: bytes, opened: dict[str, Any]
) -> bytes:
    """MK_N from an OpenStage answer. Raises TamperedError if the vault's share or wrap is not the account's."""
    kek_n = keys.derive_kek_n(login.k_pw, pin_login.wrapping, opened["share_n"])
    return keys.unwrap_master(kek_n, "mk-n", account, opened["epoch"], opened["w_n"])


def open_sensitive(keyring: Keyring, step: passphrase.PinStep, answer: dict[str, Any], drop_box: bytes) -> None:
    """The sensitive tier from a SensitiveShare answer. Raises TamperedError."""
    kek_s = keys.derive_kek_s(keyring.mk_n, step.wrapping, answer["share_s"])
    keyring.unlock_sensitive(kek_s, answer["w_s"], drop_box)


def seal_account_state(mk_n: bytes, account: bytes, facts: dict[str, Any]) -> bytes:
    """An account record from its facts, by the names of schemas.documents.AccountRecord."""
    return seal_account_record(mk_n, account, facts["n"], format_json(_ACCOUNT_RECORD.dump(facts)))


def open_account_state(mk_n: bytes, account: bytes, n: int, blob: bytes) -> AccountState:
    """An account record, opened and checked.

    Raises TamperedError or MalformedError if it is not number `n` of this account, UnsupportedVersion if a newer
    version wrote it.
    """
    value = parse_json(open_account_record(mk_n, account, n, blob))
    if isinstance(value, dict) and not is_number(value.get("v"), VERSION):
        raise UnsupportedVersion()
    try:
        facts: dict[str, Any] = _ACCOUNT_RECORD.load(value)
    except ValidationError:
        raise MalformedError("not an account record") from None
    if facts["n"] != n:
        raise MalformedError("another number inside than outside")
    return AccountState(n, blob, facts)


def is_earlier_account_state(mk_n: bytes, account: bytes, n: int, blob: bytes) -> bool:
    """Whether `blob` is an account record of this account with one of the thousands of numbers below `n`."""
    for number in range(n - 1, max(0, n - _NUMBERS), -1):
        try:
            open_account_record(mk_n, account, number, blob)
        except TamperedError:
            continue
        except CryptoCoreError:
            return False
        return True
    return False


def restore_account_facts(keyring: Keyring, pin: Pin, identity: Mapping[str, bytes]) -> dict[str, Any]:
    """What the record of an account says, from what else is sealed for it: where that record is lost.

    `identity` by the names of schemas.accounts.Identity. Raises TamperedError, or NeedsPin if the drop-box's key is
    not known.
    """
    account, mk_n = keyring.account, keyring.mk_n
    sign = keys.open_identity(mk_n, Kind.IDENTITY_SIGN, account, identity["sign"])
    box = keys.open_identity(mk_n, Kind.IDENTITY_BOX, account, identity["box"])
    return _account_facts(keyring, pin, passphrase.derive_public(sign), keys.derive_box(box)[0])


def _recovery_fields(recovery_key: bytes, share_r: bytes, w_rn: bytes, w_rs: bytes) -> dict[str, Any]:
    """By the names of schemas.accounts.Recovery."""
    recovery = derive_recovery(recovery_key)
    return {
        "rid": recovery.rid, "login_pk": passphrase.derive_public(recovery.login_seed), "share_r": share_r,
        "w_rn": w_rn, "w_rs": w_rs,
    }


def _account_facts(keyring: Keyring, pin: Pin, pk_sign: bytes, pk_box: bytes) -> dict[str, Any]:
    return {
        "v": VERSION, "n": 1, "previous": None, "vault_id": pin.vault_id, "epoch": keyring.epoch,
        "pin_epoch": keyring.pin_epoch, "argon": passphrase.NEWEST_ARGON, "pk_s": keyring.pk_s,
        "identity_sign": pk_sign, "identity_box": pk_box, "ledger_vkey": pin.ledger_vkey,
        "directory_vkey": pin.directory_vkey, "heads": [],
    }
