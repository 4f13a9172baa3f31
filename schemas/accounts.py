"""Sign-up, login, PIN, confirmation, sessions and the account record, as they travel.

Knows: protocol §1 and §3 on the wire; names on the wire are those of the protocol.
Refuses to know: how anything in it was derived.
"""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from schemas import limits
from schemas.fields import Bytes, Hash, Id, Strict, Time, U32, Whole, one_of


def _key(name: str) -> Bytes:
    return Bytes(limits.KEY, required=True, data_key=name)


def _sealed_key(name: str) -> Bytes:
    return Bytes(limits.SEALED_KEY, required=True, data_key=name)


def _first() -> Whole:
    """What counts from 1, at its beginning."""
    return Whole(1, 1, required=True)


def _account_record() -> Bytes:
    return Bytes(least=1024, most=limits.ACCOUNT_RECORD, required=True)


class Identity(Strict):
    """The sealed seeds of a person's signing and box keys."""

    sign = Bytes(limits.SEALED_KEY, required=True)
    box = Bytes(limits.SEALED_KEY, required=True)


class Recovery(Strict):
    """What the recovery code opens: its id, login key, share and the two wraps."""

    rid = _key("rid")
    login_pk = _key("login_pk")
    share_r = _key("share_R")
    w_rn = _sealed_key("W_RN")
    w_rs = _sealed_key("W_RS")


class Register(Strict):
    """`POST /v1/accounts`. The signature over the exact body travels in the header `Temoin-Signature`."""

    k_id = _key("K_id")
    login_pk = _key("login_pk")
    account = Id(required=True)
    epoch = _first()
    pin_epoch = _first()
    tag_l = _key("tag_L")
    tag_s = _key("tag_S")
    share_n = _key("share_N")
    share_s = _key("share_S")
    w_n = _sealed_key("W_N")
    w_s = _sealed_key("W_S")
    account_record = _account_record()
    identity = fields.Nested(Identity, required=True)
    drop_box = Bytes(limits.SEALED_PAIR, required=True)
    recovery = fields.Nested(Recovery, required=True)
    challenge = _key("challenge")


class ChangeCredentials(Register):
    """`POST /v1/account/credentials`: what a sign-up says, of the same account, for its next epoch.

    `recovery` null keeps what the recovery code opens as it is. `n` is the account record's number: one more than the
    vault holds. Both login keys sign the exact body, in `Temoin-Signature` (old) and `Temoin-Signature-New`.
    """

    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    recovery = fields.Nested(Recovery, required=True, allow_none=True)
    expected_epoch = U32(required=True)
    n = Whole(2, required=True)

    @validates_schema
    def _follows(self, data: dict[str, Any], **_: Any) -> None:
        if data["epoch"] != data["expected_epoch"] + 1:
            raise ValidationError("An epoch is the one after what was expected.", "epoch")


class CredentialsChanged(Strict):
    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    n = Whole(2, required=True)


class Registered(Strict):
    account = Id(required=True)
    created = Time(required=True)


class LoginStart(Strict):
    k_id = _key("K_id")


class Challenge(Strict):
    """Used once, within 60 seconds; the same for an account that does not exist."""

    challenge = _key("challenge")
    expires = Time(required=True)


class LoginFinish(Strict):
    k_id = _key("K_id")
    challenge = _key("challenge")
    sig = Bytes(limits.SIGNATURE, required=True)


class PasswordStage(Strict):
    """The password was right. The token is good for the PIN and nothing else, for five minutes."""

    account = Id(required=True)
    pin_epoch = U32(required=True)
    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)


class Pin(Strict):
    """A PIN tag: for `login` with a token of stage `password`, for `step` with one of stage `open`."""

    purpose = fields.String(required=True, validate=one_of("login", "step"))
    x = _key("x")


class OpenStage(Strict):
    """Answer to `purpose: login`: what opens the normal tier, and what the person should know."""

    share_n = _key("share_N")
    w_n = _sealed_key("W_N")
    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)
    wrong_pins = Whole(required=True)
    """Wrong PINs since the last opening."""
    wrong_total = Whole(required=True)
    last_opened = Time(required=True, allow_none=True)
    advise_change = fields.Boolean(required=True)


class SensitiveShare(Strict):
    """Answer to `purpose: step`: what opens the sensitive tier."""

    share_s = _key("share_S")
    w_s = _sealed_key("W_S")
    epoch = U32(required=True)
    pin_epoch = U32(required=True)


class PinReopen(Strict):
    """With the password and the recovery code: opens a closed or delayed PIN path at once."""

    rid = _key("rid")
    challenge = _key("challenge")
    sig = Bytes(limits.SIGNATURE, required=True)


class RecoveryStart(Strict):
    rid = _key("rid")


class RecoveryFinish(Strict):
    """With the recovery code alone. `sig` is by its login key."""

    rid = _key("rid")
    challenge = _key("challenge")
    sig = Bytes(limits.SIGNATURE, required=True)


class RecoveryStage(Strict):
    """The code was right: what it opens is given from `due` on, for a week. The token is good for that alone."""

    account = Id(required=True)
    begun = Time(required=True)
    due = Time(required=True)
    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)


class RecoveryKeys(Strict):
    """What opens with the recovery code once the waiting time is over; and what the next credentials follow."""

    share_r = _key("share_R")
    w_rn = _sealed_key("W_RN")
    w_rs = _sealed_key("W_RS")
    wrapped_in = U32(required=True)
    """The epoch of the two wraps; that of the account may be a later one."""
    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    n = Whole(1, required=True)
    account_record = Bytes(most=limits.ACCOUNT_RECORD, required=True)
    identity = fields.Nested(Identity, required=True)
    drop_box = Bytes(limits.SEALED_PAIR, required=True)


class Recovering(Strict):
    """Somebody has begun to get back in with the recovery code."""

    begun = Time(required=True)
    due = Time(required=True)


class PendingRecovery(Strict):
    pending = fields.Nested(Recovering, required=True, allow_none=True)


def _wait() -> Whole:
    """Seconds between the first showing of a recovery code and what it opens."""
    return Whole(most=limits.RECOVERY_WAIT, required=True)


class SetRecoveryWait(Strict):
    """`PUT /v1/recovery/wait`: a longer time holds at once, a shorter one when the present one is over."""

    wait = _wait()


class NextWait(Strict):
    """A waiting time that was shortened, and since when it holds."""

    wait = _wait()
    since = Time(required=True)


class RecoveryWait(Strict):
    """How long whoever shows the recovery code waits; of what waits already, `due` stays as it is."""

    wait = _wait()
    next = fields.Nested(NextWait, required=True, allow_none=True)


class Confirm(Strict):
    """A fresh password signature and the right step tag."""

    challenge = _key("challenge")
    sig = Bytes(limits.SIGNATURE, required=True)
    x = _key("x")


class ConfirmedStage(Strict):
    token = Bytes(limits.TOKEN, required=True)
    expires = Time(required=True)


class Account(Strict):
    """What an open session needs to work with its own keys."""

    account = Id(required=True)
    created = Time(required=True)
    epoch = U32(required=True)
    pin_epoch = U32(required=True)
    n = Whole(1, required=True)
    account_record = Bytes(most=limits.ACCOUNT_RECORD, required=True)
    """Of any length: a client that is given something else keeps it as evidence and goes on."""
    identity = fields.Nested(Identity, required=True)
    drop_box = Bytes(limits.SEALED_PAIR, required=True)
    used = Whole(required=True)
    quota = Whole(required=True)


class PutAccountRecord(Strict):
    """Compare-and-swap: refused with 409 unless the vault holds `n` − 1."""

    n = Whole(2, required=True)
    account_record = _account_record()


class AccountRecordKept(Strict):
    n = Whole(2, required=True)


class Session(Strict):
    session = Hash(required=True)
    stage = fields.String(required=True, validate=one_of("password", "open", "confirmed"))
    opened = Time(required=True)
    last_used = Time(required=True)
    expires = Time(required=True)
    current = fields.Boolean(required=True)


class Sessions(Strict):
    sessions = fields.List(fields.Nested(Session), required=True)


class SessionsEnded(Strict):
    ended = Whole(required=True)


class Nothing(Strict):
    """An empty object."""
