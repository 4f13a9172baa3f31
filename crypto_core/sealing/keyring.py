"""What an open vault keeps in memory, and the record keys it wraps and unwraps (docs/spec/keys.md).

Knows: MK_N and K_ps while the vault is open; MK_S and sk_S while the sensitive tier is. Refuses to know: password, PIN,
shares and KEKs, which nobody keeps, and what time it is: its owner drops the sensitive tier after two minutes.
Python can't wipe memory: `forget` lets go of the keys, it can't overwrite them.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from nacl.bindings import crypto_box_seal, crypto_box_seal_open
from nacl.exceptions import CryptoError

from crypto_core.derivation import KEY_SIZE, derive, require_key
from crypto_core.encoding import u32
from crypto_core.errors import MalformedError, OutOfOrder, TamperedError, TemoinError
from crypto_core.labels import Kind, context
from crypto_core.randomness import make_bytes
from crypto_core.sealing import keys
from crypto_core.sealing.envelope import open_sealed, seal
from crypto_core.sealing.passphrase import LoginKeys, PinLogin, PinStep, derive_public

RECORD_WRAP_SIZE = 153
"""A record key once wrapped, alike in both tiers."""

_BODY_SIZE = 81
_NORMAL = b"\x00"
_SENSITIVE = b"\x01"
_FILLING = bytes(48)


class NeedsPin(TemoinError):
    """This item is sensitive, and the sensitive tier is closed."""

    code = "pin_needed"
    sentence = "This item is behind your PIN. Type the PIN to open it."


class Keyring:
    """The keys of one open vault. Its repr shows nothing; a forgotten one raises OutOfOrder."""

    def __init__(
        self, account: bytes, mk_n: bytes, k_ps: bytes, epoch: int, pin_epoch: int, pk_s: bytes | None
    ) -> None:
        """`account` is 16 bytes, the keys are 32 each; `pk_s` is the one that the account record names, None while
        that could not be read: then the drop-box itself tells it, once the PIN has opened it."""
        self.account, self.epoch, self.pin_epoch = account, epoch, pin_epoch
        self._pk_s = None if pk_s is None else require_key(pk_s)
        self._normal: tuple[bytes, bytes] | None = (require_key(mk_n), require_key(k_ps))
        self._sensitive: tuple[bytes, bytes] | None = None

    @property
    def mk_n(self) -> bytes:
        """The normal master key: used with `derive` only."""
        return self._kept()[0]

    @property
    def k_ps(self) -> bytes:
        """What the next step-up derives its tag from, with the PIN typed anew."""
        return self._kept()[1]

    @property
    def mk_s(self) -> bytes:
        """The sensitive master key, for a change of credentials. Raises NeedsPin."""
        return self._opened()[0]

    @property
    def pk_s(self) -> bytes:
        """The public key of the drop-box. Raises NeedsPin while neither account record nor PIN has told it."""
        if self._pk_s is None:
            raise NeedsPin
        return self._pk_s

    @pk_s.setter
    def pk_s(self, named: bytes) -> None:
        self._pk_s = require_key(named)

    @property
    def sk_s(self) -> bytes:
        """The secret key of the drop-box. Raises NeedsPin."""
        return self._opened()[1]

    @property
    def sensitive_open(self) -> bool:
        """Whether the sensitive tier is open."""
        return self._sensitive is not None

    def unlock_sensitive(self, kek_s: bytes, w_s: bytes, drop_box: bytes) -> None:
        """Opens the sensitive tier with KEK_S, W_S (104 bytes) and the sealed drop-box (136 bytes).

        Raises TamperedError or MalformedError, also if the drop-box isn't the one of the account record: then
        somebody else could be reading what is dropped into it, and the client stops.
        """
        self.keep_sensitive(keys.unwrap_master(kek_s, "mk-s", self.account, self.epoch, w_s), drop_box)

    def keep_sensitive(self, mk_s: bytes, drop_box: bytes) -> None:
        """The same with the sensitive master key itself (32 bytes)."""
        pk_s, sk_s = keys.open_drop_box(mk_s, self.account, self.epoch, drop_box)
        if self._pk_s is not None and not hmac.compare_digest(pk_s, self._pk_s):
            raise TamperedError("the drop-box is not the one that the account record names")
        self._kept()
        self._pk_s = pk_s
        self._sensitive = (mk_s, sk_s)

    def drop_sensitive(self) -> None:
        """Closes the sensitive tier. Does nothing if it is closed."""
        self._sensitive = None

    def renew(self, k_ps: bytes, epoch: int, pin_epoch: int) -> None:
        """After a change of credentials: the master keys are the same, what wraps them and the PIN's key are not."""
        self._normal = self.mk_n, require_key(k_ps)
        self.epoch, self.pin_epoch = epoch, pin_epoch

    def forget(self) -> None:
        """Lets go of every key. The keyring can't be used again."""
        self._normal = self._sensitive = None

    def _kept(self) -> tuple[bytes, bytes]:
        if self._normal is None:
            raise OutOfOrder("this keyring was forgotten")
        return self._normal

    def _opened(self) -> tuple[bytes, bytes]:
        self._kept()
        if self._sensitive is None:
            raise NeedsPin
        return self._sensitive


@dataclass(frozen=True)
class Credentials:
    """What wraps the two master keys: one password, one PIN, and two shares (32 bytes each) made for them."""

    login: LoginKeys
    pin_login: PinLogin
    pin_step: PinStep
    share_n: bytes = field(repr=False)
    share_s: bytes = field(repr=False)


@dataclass(frozen=True)
class MasterWraps:
    """Both master keys wrapped, 104 bytes each: W_N and W_S, or W_RN and W_RS."""

    normal: bytes
    sensitive: bytes


@dataclass(frozen=True)
class NewVault:
    """All that sign-up makes: an open keyring to go on with, and what is sent. Sealed sizes as in docs/spec/keys.md."""

    keyring: Keyring
    w_n: bytes
    w_s: bytes
    w_rn: bytes
    w_rs: bytes
    drop_box: bytes
    identity_sign: bytes
    identity_box: bytes
    pk_sign: bytes
    """The public identity keys, 32 bytes each, for the account record."""
    pk_box: bytes


def make_keyring(
    account: bytes, credentials: Credentials, recovery_key: bytes, share_r: bytes, *, epoch: int = 1, pin_epoch: int = 1
) -> NewVault:
    """New master keys, identity and drop-box for an account of 16 bytes, wrapped for its first credentials."""
    mk_n, mk_s, sign_seed, box_seed = (make_bytes(KEY_SIZE) for _ in range(4))
    pk_s, sk_s = keys.derive_box(make_bytes(KEY_SIZE))
    wraps = wrap_for_credentials(credentials, account, epoch, mk_n, mk_s)
    recovery = wrap_for_recovery(recovery_key, share_r, account, epoch, mk_n, mk_s)
    return NewVault(
        keyring=Keyring(account, mk_n, credentials.login.k_ps, epoch, pin_epoch, pk_s),
        w_n=wraps.normal,
        w_s=wraps.sensitive,
        w_rn=recovery.normal,
        w_rs=recovery.sensitive,
        drop_box=keys.seal_drop_box(mk_s, account, epoch, pk_s, sk_s),
        identity_sign=keys.seal_identity(mk_n, Kind.IDENTITY_SIGN, account, sign_seed),
        identity_box=keys.seal_identity(mk_n, Kind.IDENTITY_BOX, account, box_seed),
        pk_sign=derive_public(sign_seed),
        pk_box=keys.derive_box(box_seed)[0],
    )


def open_with_recovery(
    recovery_key: bytes, share_r: bytes, wraps: MasterWraps, wrapped_in: int, account: bytes, epoch: int,
    pin_epoch: int, drop_box: bytes
) -> Keyring:
    """Both tiers of the account of 16 bytes, from a recovery code of 32 bytes, the share that waited for it, and the
    two wraps made in epoch `wrapped_in`; the drop-box is of the account's own epoch. No PIN steps up with it: it is
    there for a change of credentials.

    Raises TamperedError or MalformedError.
    """
    kek_r = keys.derive_kek_r(recovery_key, share_r)
    mk_n = keys.unwrap_master(kek_r, "rec-n", account, wrapped_in, wraps.normal)
    mk_s = keys.unwrap_master(kek_r, "rec-s", account, wrapped_in, wraps.sensitive)
    keyring = Keyring(account, mk_n, make_bytes(KEY_SIZE), epoch, pin_epoch, None)
    keyring.keep_sensitive(mk_s, drop_box)
    return keyring


def wrap_for_credentials(
    credentials: Credentials, account: bytes, epoch: int, mk_n: bytes, mk_s: bytes
) -> MasterWraps:
    """W_N and W_S, at sign-up and at each change of user name, password or PIN (with the next epoch)."""
    kek_n = keys.derive_kek_n(credentials.login.k_pw, credentials.pin_login.wrapping, credentials.share_n)
    kek_s = keys.derive_kek_s(mk_n, credentials.pin_step.wrapping, credentials.share_s)
    return MasterWraps(
        keys.wrap_master(kek_n, "mk-n", account, epoch, mk_n), keys.wrap_master(kek_s, "mk-s", account, epoch, mk_s)
    )


def wrap_for_recovery(
    recovery_key: bytes, share_r: bytes, account: bytes, epoch: int, mk_n: bytes, mk_s: bytes
) -> MasterWraps:
    """W_RN and W_RS, for a recovery code of 32 bytes and the share that waits for it."""
    kek_r = keys.derive_kek_r(recovery_key, share_r)
    return MasterWraps(
        keys.wrap_master(kek_r, "rec-n", account, epoch, mk_n), keys.wrap_master(kek_r, "rec-s", account, epoch, mk_s)
    )


def wrap_record_key(keyring: Keyring, item: bytes, revision: int, key: bytes, sensitive: bool) -> bytes:
    """A record key (32 bytes) for one revision of an item (16 bytes): 153 bytes, alike in both tiers.

    A sensitive one is put into the drop-box: that takes no PIN, reading it does.
    """
    if sensitive:
        body = _SENSITIVE + crypto_box_seal(require_key(key), keyring.pk_s)
    else:
        body = _NORMAL + require_key(key) + _FILLING
    return seal(derive(keyring.mk_n, Kind.ITEMS), _wrap_context(item, revision), body)


def unwrap_record_key(keyring: Keyring, item: bytes, revision: int, wrap: bytes) -> tuple[bytes, bool]:
    """(record key, whether it is sensitive).

    Raises NeedsPin if it is sensitive and that tier is closed, TamperedError, or MalformedError.
    """
    body = _open_body(keyring, item, revision, wrap)
    if body[:1] == _NORMAL:
        if body[1 + KEY_SIZE :] != _FILLING:
            raise MalformedError("a normal record key is followed by zeros")
        return body[1 : 1 + KEY_SIZE], False
    try:
        return crypto_box_seal_open(body[1:], keyring.pk_s, keyring.sk_s), True
    except CryptoError:
        raise TamperedError("the drop-box does not open this") from None


def is_sensitive(keyring: Keyring, item: bytes, revision: int, wrap: bytes) -> bool:
    """Whether a record key is behind the PIN; asks for no PIN. Raises TamperedError or MalformedError."""
    return _open_body(keyring, item, revision, wrap)[:1] == _SENSITIVE


def _open_body(keyring: Keyring, item: bytes, revision: int, wrap: bytes) -> bytes:
    body = open_sealed(derive(keyring.mk_n, Kind.ITEMS), _wrap_context(item, revision), wrap)
    if len(body) != _BODY_SIZE or body[:1] not in (_NORMAL, _SENSITIVE):
        raise MalformedError("not a wrapped record key")
    return body


def _wrap_context(item: bytes, revision: int) -> bytes:
    return context(Kind.WRAP, b"record", item, u32(revision))
