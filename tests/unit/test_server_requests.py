"""Bad input: each row of the table is refused with its code, and nothing else happens."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from crypto_core.encoding import format_b64, format_json
from crypto_core.randomness import make_id
from schemas import accounts, items, limits
from schemas.problems import MEDIA_TYPE, PROBLEMS
from server.problems import Refusal, install_problems
from server.requests import CONVERTERS, HEARD_OUT, dump, load, load_query, parse_message, read_octets, sha256_member
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, said

K_ID = b64(bytes(range(32)))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVault]:
    with fake_vault(tmp_path_factory.mktemp("vault")) as made:
        yield made


def send(vault: FakeVault, body: bytes, content_type: str = "application/json") -> TestResponse:
    return vault.ask("POST", "/v1/login/start", data=body, headers={"Content-Type": content_type})


def assert_problem(answer: TestResponse, code: str) -> None:
    problem = said(answer)
    assert (problem["code"], answer.status_code) == (code, PROBLEMS[code].status)
    assert answer.content_type == MEDIA_TYPE
    assert problem["status"] == answer.status_code
    assert problem["detail"] == PROBLEMS[code].sentence
    assert {"type", "title"} <= problem.keys()


GOOD = b'{"K_id":"%s"}' % K_ID.encode()


def test_the_good_one_is_good(vault: FakeVault) -> None:
    assert send(vault, GOOD).status_code == 200
    assert send(vault, b" " + GOOD + b"\n").status_code == 200
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8"):
        assert send(vault, GOOD, content_type).status_code == 200


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_what_is_nested_deeper_than_the_limit_is_no_message(opened: str, closed: str) -> None:
    levels = opened.count("[") + opened.count("{")

    def nested(depth: int) -> bytes:
        """An object in which others stand, `depth` of them in each other with the first."""
        times, one_more = divmod(depth - 1, levels)
        return f'{{"K_id":{opened * times}{"[]" if one_more else "1"}{closed * times}}}'.encode()

    with pytest.raises(ValidationError):
        parse_message(accounts.LoginStart, nested(limits.JSON_DEPTH))
    with pytest.raises(Refusal) as refused:
        parse_message(accounts.LoginStart, nested(limits.JSON_DEPTH + 1))
    assert refused.value.code == "malformed"


BAD = {
    "spaces": (b"  ", "malformed"),
    "cut": (GOOD[:-1], "malformed"),
    "two values": (GOOD + GOOD, "malformed"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, "malformed"),
    "not UTF-8": (b'{"K_id":"\xff"}', "malformed"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "malformed"),
    "a name twice": (GOOD[:-1] + b"," + GOOD[1:], "malformed"),
    "a lone surrogate": (b'{"K_id":"\\ud800"}', "malformed"),
    "a lone surrogate as a name": (b'{"\\udc00":1}', "malformed"),
    "NaN": (b'{"K_id":NaN}', "malformed"),
    "Infinity": (b'{"K_id":-Infinity}', "malformed"),
    "an integer beyond 2^53-1": (b'{"K_id":9007199254740992}', "malformed"),
    "an integer of 5000 digits": (b'{"K_id":' + b"9" * 5000 + b"}", "malformed"),
    "a float that overflows": (b'{"K_id":1e999}', "malformed"),
    "too deep": (b"[" * 33 + b"]" * 33, "malformed"),
    "far too deep": (b"[" * 200_000 + b"]" * 200_000, "malformed"),
    "a list": (b"[]", "invalid"),
    "a text": (b'"K_id"', "invalid"),
    "null": (b"null", "invalid"),
    "nothing in it": (b"{}", "invalid"),
    "an unknown name": (GOOD[:-1] + b',"k_id":"x"}', "invalid"),
    "null for a value": (b'{"K_id":null}', "invalid"),
    "a number for a text": (b'{"K_id":1}', "invalid"),
    "a list for a text": (b'{"K_id":["A"]}', "invalid"),
    "padded": (b'{"K_id":"%s="}' % K_ID.encode(), "invalid"),
    "spare bits": (b'{"K_id":"%s"}' % (b"A" * 42 + b"B"), "invalid"),
    "the other alphabet": (b'{"K_id":"%s"}' % (b"+/" * 21 + b"A"), "invalid"),
    "31 bytes": (format_json({"K_id": b64(bytes(31))}), "invalid"),
    "33 bytes": (format_json({"K_id": b64(bytes(33))}), "invalid"),
    "beyond ASCII": ('{"K_id":"é"}'.encode(), "invalid"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD.keys())
def test_bad_json_is_refused(vault: FakeVault, body: bytes, code: str) -> None:
    assert_problem(send(vault, body), code)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "x"]
)
def test_another_content_type_is_refused(vault: FakeVault, content_type: str) -> None:
    assert_problem(send(vault, GOOD, content_type), "media_type")


def test_a_body_that_ends_early_is_refused(vault: FakeVault) -> None:
    answer = vault.app.test_client().open(
        "/v1/login/start", method="POST", content_type="application/json", input_stream=io.BytesIO(GOOD),
        environ_overrides={"CONTENT_LENGTH": str(len(GOOD) + 1)},
    )
    assert_problem(answer, "body_incomplete")


def test_a_body_that_does_not_say_how_long_it_is_is_refused(vault: FakeVault) -> None:
    answer = vault.app.test_client().open(
        "/v1/login/start", method="POST", content_type="application/json", input_stream=io.BytesIO(GOOD),
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert_problem(answer, "length_required")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(vault: FakeVault) -> None:
    class Untouched(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise AssertionError("it was read")

    answer = vault.app.test_client().open(
        "/v1/login/start", method="POST", content_type="application/json", input_stream=Untouched(),
        environ_overrides={"CONTENT_LENGTH": str(limits.SMALL_JSON_BODY + 1)},
    )
    assert_problem(answer, "too_large")


class Body(io.BytesIO):
    """A body that is as long as is asked for, and how many of its bytes were read."""

    was_read = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None and size > 0
        self.was_read += size
        return bytes(size)


@pytest.mark.parametrize(
    ("is_known", "size", "more", "is_read"),
    [
        (True, 33 * limits.UNIT, {}, True),
        (True, HEARD_OUT + 1, {}, False),
        (True, 300_000, {"Expect": "100-continue"}, False),
        (False, limits.SMALL_JSON_BODY, {}, True),
        (False, limits.SMALL_JSON_BODY + 1, {}, False),
    ],
    ids=["too many units", "far too much", "who waits to be told", "a stranger's", "too much for a stranger"],
)
def test_a_refused_body_is_read_to_its_end_if_that_costs_little(
    vault: FakeVault, person: FakePerson, is_known: bool, size: int, more: dict[str, str], is_read: bool
) -> None:
    body, authorization = Body(), {"Authorization": f"Bearer {person.token}"} if is_known else {}
    answer = vault.app.test_client().put(
        f"/v1/uploads/{b64(make_id())}/units/0", input_stream=body, content_type="application/octet-stream",
        headers=authorization | more, environ_overrides={"CONTENT_LENGTH": str(size)},
    )
    assert answer.status_code >= 400
    assert body.was_read == (size if is_read else 0)


def test_of_a_body_that_is_refused_half_way_the_rest_is_read_and_no_more(vault: FakeVault, person: FakePerson) -> None:
    blob, size, body = b64(make_id()), limits.FIRST_UNIT + 3 * limits.UNIT, Body()
    assert person.ask("POST", "/v1/uploads", {"blob": blob, "size": size}).status_code == 201
    wrong = {"Temoin-Unit-Digests": f"sha-256=:{format_b64(bytes(4 * limits.HASH))}:"}
    answer = vault.app.test_client().put(
        f"/v1/uploads/{blob}/units/0", input_stream=body, content_type="application/octet-stream",
        headers={"Authorization": f"Bearer {person.token}"} | wrong, environ_overrides={"CONTENT_LENGTH": str(size)},
    )
    assert_problem(answer, "digest_mismatch")
    assert body.was_read == size


def test_a_refusal_names_fields_and_never_values(vault: FakeVault) -> None:
    answer = send(vault, format_json({"K_id": "my secret", "other": "my diary"}))
    assert set(said(answer)["fields"]) == {"K_id", "other"}
    assert b"secret" not in answer.data
    assert b"diary" not in answer.data


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/nothing", "not_found"),
        ("GET", "/v1//vault", "not_found"),
        ("GET", "/v1/vault/", "not_found"),
        ("DELETE", "/v1/vault", "method_not_allowed"),
        ("OPTIONS", "/v1/vault", "method_not_allowed"),
        ("GET", "/v1/blobs/AAAAAAAAAAAAAAAAAAAAAB", "not_found"),  # spare bits
        ("GET", "/v1/blobs/AAAA", "not_found"),
        ("GET", "/v1/items/AAAAAAAAAAAAAAAAAAAAAA/revisions/01/receipt", "not_found"),
        ("GET", "/v1/items/AAAAAAAAAAAAAAAAAAAAAA/revisions/4294967296/receipt", "not_found"),
        ("GET", "/v1/items/AAAAAAAAAAAAAAAAAAAAAA/revisions/-1/receipt", "not_found"),
    ],
)
def test_what_is_not_there_is_a_problem_too(vault: FakeVault, method: str, path: str, code: str) -> None:
    answer = vault.ask(method, path)
    assert_problem(answer, code)
    if code == "method_not_allowed":
        assert "GET" in answer.headers["Allow"]


def test_a_head_request_is_answered_like_a_get(vault: FakeVault) -> None:
    assert vault.ask("HEAD", "/v1/vault").status_code == 200
    assert vault.ask("HEAD", "/v1/account").status_code == 401


def test_what_is_whole_is_handed_over_whole(vault: FakeVault) -> None:
    person, blob = open_person(vault), b64(make_id())

    def body_of(method: str, path: str) -> Any:
        headers = Headers({"Authorization": f"Bearer {person.token}"})
        environ = EnvironBuilder(path, method=method, headers=headers).get_environ()
        return vault.app(environ, lambda *_: lambda _: None)

    assert person.ask("PUT", f"/v1/blobs/{blob}", data=bytes(100)).status_code == 201
    account = body_of("GET", "/v1/account")
    assert isinstance(account, list) and json.loads(b"".join(account))["n"] == 1
    refused = body_of("GET", "/v1/nothing")
    assert isinstance(refused, list) and json.loads(b"".join(refused))["code"] == "not_found"
    assert body_of("HEAD", "/v1/account") == []
    streamed = body_of("GET", f"/v1/blobs/{blob}")
    assert not isinstance(streamed, list) and b"".join(streamed) == bytes(100)
    streamed.close()


# a small application of its own, for what the vault's routes show only in passing

@pytest.fixture
def app() -> Flask:
    app = Flask("small", static_folder=None)
    app.url_map.converters.update(CONVERTERS)
    install_problems(app)

    @app.post("/start")
    def start() -> Response:
        return dump(accounts.LoginStart, load(accounts.LoginStart))

    @app.get("/sync")
    def sync() -> str:
        return str(load_query(items.SyncQuery)["limit"])

    @app.put("/octets/<id:blob>")
    def octets(blob: bytes) -> str:
        return str(sum(len(piece) for piece in read_octets(1_000_000)))

    @app.get("/mistake")
    def mistake() -> str:
        raise RuntimeError("somebody's secret")

    @app.get("/wait")
    def wait() -> str:
        raise Refusal("pin_locked", retry_after=0, hint="extra")

    return app


def digest_of(data: bytes) -> str:
    return f"sha-256=:{format_b64(hashlib.sha256(data).digest())}:"


def put(app: Flask, data: bytes, **headers: str) -> TestResponse:
    sent = {"Content-Type": "application/octet-stream", "Content-Digest": digest_of(data)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().put("/octets/AAAAAAAAAAAAAAAAAAAAAA", data=data, headers=sent | named)


@pytest.mark.parametrize("size", [1, 262_143, 262_144, 262_145, 1_000_000])
def test_octets_are_read_whole_and_their_digest_checked(app: Flask, size: int) -> None:
    data = b"x" * size
    assert put(app, data).text == str(size)
    assert_problem(put(app, data, Content_Digest=digest_of(data + b"y")), "digest_mismatch")


@pytest.mark.parametrize(
    "digest",
    ["{}", "{};x=1", "{};x;y=:AAAA:", "  {}  ", "sha-512=:AAAA:, {}", "{},\tsha-512=:AAAA:;x=1", "{}, unixsum=30637",
     "a, {}", "sha-256=:AAAA:, {}", "b=(1 \"{}\" x);q=0.5,{}", 'c=@-1, d=%"%c3%a9", e=?1 , {}'],
)  # fmt: skip
def test_a_digest_stands_in_a_dictionary(digest: str) -> None:
    assert sha256_member(digest.replace("{}", digest_of(b"a"))) == hashlib.sha256(b"a").digest()


@pytest.mark.parametrize(
    "digest",
    ["", "sha-256", "sha-256=AAAA", "sha-256=:AAAA:", "sha-512=:AAAA:", "SHA-256=" + digest_of(b"a")[8:],
     digest_of(b"a")[:-1],
     digest_of(b"a") + ",", digest_of(b"a") + " sha-512=:AAAA:", digest_of(b"a") + ";", digest_of(b"a") + ";X=1", "é",
     digest_of(b"a") + ", a=é", digest_of(b"a") + ", sha-256=1", "sha-256=(" + digest_of(b"a")[8:] + ")",
     digest_of(b"a").replace(":", ""), digest_of(b"a").replace("=:", "=: ")],
)  # fmt: skip
def test_octets_without_a_sound_digest_are_refused(app: Flask, digest: str) -> None:
    assert_problem(put(app, b"a", Content_Digest=digest), "malformed")


def test_of_two_digests_the_last_holds_and_that_of_the_representation_means_nothing(app: Flask) -> None:
    right, wrong = digest_of(b"a"), digest_of(b"b")
    assert put(app, b"a", Content_Digest=f"{wrong}, {right}", Repr_Digest=wrong).text == "1"
    assert_problem(put(app, b"a", Content_Digest=f"{right}, {wrong}", Repr_Digest=right), "digest_mismatch")


@given(header=st.text(alphabet='sha-256=:;, ()"?@%*.\\1AQé\t', max_size=60) | st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_header_is_a_digest_or_malformed(header: str) -> None:
    for digest in (header, f"{digest_of(b'a')};{header}", f"{header}, {digest_of(b'a')}"):
        try:
            assert isinstance(sha256_member(digest), bytes)
        except Refusal as refusal:
            assert refusal.code == "malformed"


def test_octets_that_end_early_are_refused_even_if_the_rest_matches(app: Flask) -> None:
    data = b"x" * 300_000
    answer = app.test_client().put(
        "/octets/AAAAAAAAAAAAAAAAAAAAAA", input_stream=io.BytesIO(data),
        headers={"Content-Type": "application/octet-stream", "Content-Digest": digest_of(data)},
        environ_overrides={"CONTENT_LENGTH": str(len(data) + 1)},
    )
    assert_problem(answer, "body_incomplete")


def test_octets_are_limited_and_have_their_own_type(app: Flask) -> None:
    assert_problem(put(app, b"x" * 1_000_001), "too_large")
    assert_problem(put(app, b"x", Content_Type="application/json"), "media_type")


def test_a_query_is_as_strict_as_a_body(app: Flask) -> None:
    ask = app.test_client().get
    assert ask("/sync?limit=7").text == "7"
    assert_problem(ask("/sync?limit=7&limit=8"), "malformed")
    assert_problem(ask("/sync?limit=0"), "invalid")
    assert_problem(ask("/sync?other=1"), "invalid")


def test_a_mistake_of_ours_tells_nobody_anything(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    answer = app.test_client().get("/mistake")
    assert_problem(answer, "internal")
    assert caplog.messages == ["RuntimeError in mistake"]
    assert "somebody" not in caplog.text + answer.text


def test_a_refusal_says_when_to_come_back(app: Flask) -> None:
    answer = app.test_client().get("/wait")
    assert_problem(answer, "pin_locked")
    assert answer.headers["Retry-After"] == "1"
    assert said(answer)["retry_after"] == 1
    assert said(answer)["hint"] == "extra"


@given(body=st.binary(max_size=200) | st.text(alphabet='{}[]",:\\ud800eE+-.0129null', max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_message_or_one_of_two_refusals(body: bytes) -> None:
    from marshmallow import ValidationError

    try:
        message = parse_message(accounts.LoginStart, body)
    except Refusal as refusal:
        assert refusal.code == "malformed"
    except ValidationError:
        pass
    else:
        assert set(message) == {"k_id"}


def test_every_code_of_the_table_makes_a_problem(app: Flask) -> None:
    for code, kind in PROBLEMS.items():
        with app.test_request_context("/"):
            answer = Refusal(code).response()
        assert answer.status_code == kind.status
        assert ("WWW-Authenticate" in answer.headers) == (kind.status == 401)
