"""The operator's hand at a test's vault: who asked to be listed is.

Knows: the operator's command. Refuses to know: whether somebody is who they say, which an operator has to find out.
"""

from __future__ import annotations

import json

from client_sdk.client import VaultClient
from tests.fakes.processes import RealVault
from tests.fakes.visitor import PASSWORD, PIN


def approve(vault: RealVault, digits: str) -> None:
    """Lists whoever asked with these digits."""
    rows = json.loads(vault.command("professionals", "list", "--json").stdout)
    (account,) = [row["account"] for row in rows if row["asked"] and row["asked"]["fingerprint"] == digits]
    run = vault.command("professionals", "approve", account, "--fingerprint", digits)
    assert run.returncode == 0, run.stderr


def become_listed(
    vault: RealVault, client: VaultClient, username: str, *, name: str, org: str, town: str, kind: str = "lawyer"
) -> str:
    """A new account at a client, which stays open, under this name in the directory; gives its digits."""
    client.register(client.make_account(username, PASSWORD, PIN))
    client.log_in(username, PASSWORD, PIN)
    confirmed = client.account.confirm(PASSWORD, PIN)
    asked = client.office.ask_to_be_listed(confirmed, name=name, org=org, town=town, kind=kind)
    approve(vault, asked.fingerprint)
    return asked.fingerprint
