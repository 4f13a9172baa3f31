"""Under which name a vault is spoken to: the operator's, or, for a vault without one, any name of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_core.encoding import format_b64url
from schemas.endpoints import ENDPOINTS
from server.host import is_loopback
from tests.fakes.vault import fake_vault


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "127.9.9.9:1", "localhost", "localhost:80", "[::1]:8080", "[::1]"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "carnet.example", "127.0.0.1.example", "localhost.example:80", "10.0.0.1:8080", "a:b", "[::2]"]
)
def test_other_names(host: str) -> None:
    assert not is_loopback(host)


def test_a_vault_without_a_name_takes_the_loopback_name_that_was_used(tmp_path: Path) -> None:
    with fake_vault(tmp_path, host="") as vault:
        client = vault.app.test_client()
        for name in ("127.0.0.1:5000", "localhost:81"):
            assert client.get("/v1/vault", base_url=f"http://{name}").get_json()["host"] == name
        refused = client.get("/v1/vault", base_url="http://carnet.example")
        assert (refused.status_code, refused.get_json()["code"]) == (400, "host_unknown")


def test_a_vault_with_a_name_goes_by_no_other(tmp_path: Path) -> None:
    with fake_vault(tmp_path, host="carnet.example") as vault:
        answer = vault.app.test_client().get("/v1/vault", base_url="http://127.0.0.1:5000")
        assert answer.get_json()["host"] == "carnet.example"


def test_whoever_may_be_told_of_an_unknown_host_reads_so_in_the_table(tmp_path: Path) -> None:
    """Where its name is told, and where it is signed."""
    told = {endpoint.path for endpoint in ENDPOINTS if "host_unknown" in endpoint.refuses}
    assert told == {
        "/v1/vault", "/v1/login/finish", "/v1/accounts", "/v1/pin/reopen", "/v1/confirm", "/v1/account/credentials",
        "/v1/professional", "/v1/recovery/finish", "/v1/recovery/credentials",
    }
    with fake_vault(tmp_path, host="") as vault:
        client, k_id = vault.app.test_client(), format_b64url(bytes(32))
        elsewhere = "http://carnet.example"
        started = client.post("/v1/login/start", json={"K_id": k_id}, base_url=elsewhere).get_json()
        proof = {"K_id": k_id, "challenge": started["challenge"], "sig": format_b64url(bytes(64))}
        refused = client.post("/v1/login/finish", json=proof, base_url=elsewhere)
        assert (refused.status_code, refused.get_json()["code"]) == (400, "host_unknown")
