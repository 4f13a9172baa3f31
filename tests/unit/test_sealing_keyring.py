"""The life of a keyring: made at sign-up, opened at login, stepped up, dropped, forgotten."""

from __future__ import annotations

import pytest

from crypto_core.errors import OutOfOrder, TamperedError
from crypto_core.labels import Kind
from crypto_core.randomness import make_bytes, make_id
from crypto_core.sealing import keys, passphrase
from crypto_core.sealing.keyring import (
    RECORD_WRAP_SIZE,
    Credentials,
    Keyring,
    NeedsPin,
    NewVault,
    is_sensitive,
    make_keyring,
    unwrap_record_key,
    wrap_for_credentials,
    wrap_record_key,
)

ACCOUNT, ITEM = make_id(), make_id()
RECOVERY_KEY, SHARE_R = make_bytes(32), make_bytes(32)


def make_credentials(pin: str = "4927", pin_epoch: int = 1) -> Credentials:
    """Those of a password, without the cost of Argon2id."""
    login = passphrase.derive_login(passphrase.Stretched(make_bytes(32)))
    pin_login = passphrase.derive_pin_login(login.k_pl, ACCOUNT, pin)
    pin_step = passphrase.derive_pin_step(login.k_ps, ACCOUNT, pin_epoch, pin)
    return Credentials(login, pin_login, pin_step, make_bytes(32), make_bytes(32))


def kek_s_of(keyring: Keyring, credentials: Credentials) -> bytes:
    return keys.derive_kek_s(keyring.mk_n, credentials.pin_step.wrapping, credentials.share_s)


CREDENTIALS = make_credentials()


@pytest.fixture
def vault() -> NewVault:
    return make_keyring(ACCOUNT, CREDENTIALS, RECOVERY_KEY, SHARE_R)


def test_sizes_of_what_sign_up_sends(vault: NewVault) -> None:
    wraps = (vault.w_n, vault.w_s, vault.w_rn, vault.w_rs, vault.identity_sign, vault.identity_box)
    assert {len(wrap) for wrap in wraps} == {keys.WRAPPED_KEY_SIZE}
    assert len(vault.drop_box) == keys.DROP_BOX_SIZE


def test_login_and_step_up_open_what_sign_up_made(vault: NewVault) -> None:
    kek_n = keys.derive_kek_n(CREDENTIALS.login.k_pw, CREDENTIALS.pin_login.wrapping, CREDENTIALS.share_n)
    mk_n = keys.unwrap_master(kek_n, "mk-n", ACCOUNT, 1, vault.w_n)
    again = Keyring(ACCOUNT, mk_n, CREDENTIALS.login.k_ps, 1, 1, vault.keyring.pk_s)
    assert (again.mk_n, again.k_ps) == (vault.keyring.mk_n, vault.keyring.k_ps)
    again.unlock_sensitive(kek_s_of(again, CREDENTIALS), vault.w_s, vault.drop_box)
    assert again.sensitive_open and not vault.keyring.sensitive_open
    sign_seed = keys.open_identity(mk_n, Kind.IDENTITY_SIGN, ACCOUNT, vault.identity_sign)
    box_seed = keys.open_identity(mk_n, Kind.IDENTITY_BOX, ACCOUNT, vault.identity_box)
    assert passphrase.derive_public(sign_seed) == vault.pk_sign and keys.derive_box(box_seed)[0] == vault.pk_box


def test_the_recovery_code_opens_both_tiers(vault: NewVault) -> None:
    kek_r = keys.derive_kek_r(RECOVERY_KEY, SHARE_R)
    assert keys.unwrap_master(kek_r, "rec-n", ACCOUNT, 1, vault.w_rn) == vault.keyring.mk_n
    mk_s = keys.unwrap_master(kek_r, "rec-s", ACCOUNT, 1, vault.w_rs)
    assert keys.open_drop_box(mk_s, ACCOUNT, 1, vault.drop_box)[0] == vault.keyring.pk_s


def test_a_sensitive_key_is_added_without_the_pin_and_read_with_it(vault: NewVault) -> None:
    keyring, record_key = vault.keyring, make_bytes(32)
    wrap = wrap_record_key(keyring, ITEM, 1, record_key, sensitive=True)
    assert len(wrap) == RECORD_WRAP_SIZE and is_sensitive(keyring, ITEM, 1, wrap)
    with pytest.raises(NeedsPin) as refusal:
        unwrap_record_key(keyring, ITEM, 1, wrap)
    assert refusal.value.code == "pin_needed"
    keyring.unlock_sensitive(kek_s_of(keyring, CREDENTIALS), vault.w_s, vault.drop_box)
    assert unwrap_record_key(keyring, ITEM, 1, wrap) == (record_key, True)
    keyring.drop_sensitive()
    with pytest.raises(NeedsPin):
        unwrap_record_key(keyring, ITEM, 1, wrap)


def test_new_credentials_leave_the_master_keys(vault: NewVault) -> None:
    keyring, changed = vault.keyring, make_credentials("8350", 2)
    keyring.unlock_sensitive(kek_s_of(keyring, CREDENTIALS), vault.w_s, vault.drop_box)
    wraps = wrap_for_credentials(changed, ACCOUNT, 2, keyring.mk_n, keyring.mk_s)
    drop_box = keys.seal_drop_box(keyring.mk_s, ACCOUNT, 2, keyring.pk_s, keyring.sk_s)
    kek_n = keys.derive_kek_n(changed.login.k_pw, changed.pin_login.wrapping, changed.share_n)
    mk_n = keys.unwrap_master(kek_n, "mk-n", ACCOUNT, 2, wraps.normal)
    later = Keyring(ACCOUNT, mk_n, changed.login.k_ps, 2, 2, keyring.pk_s)
    with pytest.raises(TamperedError):
        later.unlock_sensitive(kek_s_of(later, CREDENTIALS), wraps.sensitive, drop_box)
    later.unlock_sensitive(kek_s_of(later, changed), wraps.sensitive, drop_box)
    assert (later.mk_n, later.mk_s, later.sk_s) == (keyring.mk_n, keyring.mk_s, keyring.sk_s)


def test_a_failed_step_up_leaves_the_tier_closed(vault: NewVault) -> None:
    for kek_s, w_s in [(bytes(32), vault.w_s), (kek_s_of(vault.keyring, CREDENTIALS), vault.w_n)]:
        with pytest.raises(TamperedError):
            vault.keyring.unlock_sensitive(kek_s, w_s, vault.drop_box)
        assert not vault.keyring.sensitive_open


def test_another_drop_box_than_the_account_records_stops_the_client(vault: NewVault) -> None:
    keyring = Keyring(ACCOUNT, vault.keyring.mk_n, CREDENTIALS.login.k_ps, 1, 1, make_bytes(32))
    with pytest.raises(TamperedError, match="account record"):
        keyring.unlock_sensitive(kek_s_of(keyring, CREDENTIALS), vault.w_s, vault.drop_box)
    assert not keyring.sensitive_open


def test_a_forgotten_keyring_gives_nothing(vault: NewVault) -> None:
    keyring = vault.keyring
    kek_s = kek_s_of(keyring, CREDENTIALS)
    keyring.unlock_sensitive(kek_s, vault.w_s, vault.drop_box)
    keyring.forget()
    assert not keyring.sensitive_open
    for use in (
        lambda: keyring.mk_n,
        lambda: keyring.k_ps,
        lambda: keyring.mk_s,
        lambda: keyring.sk_s,
        lambda: wrap_record_key(keyring, ITEM, 1, bytes(32), sensitive=True),
        lambda: keyring.unlock_sensitive(kek_s, vault.w_s, vault.drop_box),
    ):
        with pytest.raises(OutOfOrder):
            use()


def test_nothing_shows_a_key(vault: NewVault) -> None:
    vault.keyring.unlock_sensitive(kek_s_of(vault.keyring, CREDENTIALS), vault.w_s, vault.drop_box)
    shown = repr([vault, vault.keyring, CREDENTIALS])
    for secret in (vault.keyring.mk_n, vault.keyring.mk_s, vault.keyring.sk_s, vault.keyring.k_ps, CREDENTIALS.share_n):
        assert repr(secret) not in shown and secret.hex() not in shown
