"""Every answer carries the headers, and every log line holds only what it may."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from server.headers import headers_for
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVault]:
    with fake_vault(tmp_path_factory.mktemp("vault")) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/vault"),
        ("GET", "/v1/health"),
        ("GET", "/v1/account"),
        ("POST", "/v1/pin"),
        ("POST", "/v1/login/start"),
        ("GET", "/nothing"),
        ("DELETE", "/v1/vault"),
        ("GET", "/ledger/checkpoint"),
        ("GET", "/ledger/tile/9/000"),
    ],
)
def test_every_answer_has_every_header(vault: FakeVault, method: str, path: str) -> None:
    answer = vault.ask(method, path)
    for name, value in headers_for(answer.mimetype or "", secure=False).items():
        assert answer.headers.getlist(name) == [value]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert len(answer.headers.getlist("Cache-Control")) == 1
    if not path.startswith("/ledger/checkpoint"):
        assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert "X-Request-Id" not in answer.headers


def test_what_a_session_reads_is_never_kept_by_anybody(vault: FakeVault) -> None:
    person = open_person(vault)
    for path in ("/v1/account", "/v1/sessions", "/v1/items"):
        answer = person.ask("GET", path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_log_line_names_the_route_and_never_the_path(
    vault: FakeVault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = open_person(vault)
    caplog.clear()
    blob = b64(person.account)
    person.ask("GET", f"/v1/blobs/{blob}?q=canary")
    person.ask("GET", "/canary")
    person.try_pin("step", person.token, right=False)
    FakePerson(vault).finish_login()
    assert caplog.messages == [
        "GET /v1/blobs/<id:blob> 404 not_found",
        "GET - 404 not_found",
        "POST /v1/pin 403 pin_wrong",
        "POST /v1/login/start 200 -",
        "POST /v1/login/finish 401 login_refused",
    ]
    for canary in (blob, "canary", person.token, "192.0.2.1", b64(person.k_id)):
        assert canary not in caplog.text
