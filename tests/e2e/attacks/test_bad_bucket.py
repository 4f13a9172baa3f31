"""The bucket is in trouble: out of reach, full, closed to the vault, robbed; and what is not in it goes on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import TestResponse

from crypto_core.randomness import make_bytes, make_id
from schemas import limits
from server.cli import main
from server.folder import SecretExposed
from server.ledger.check import check_vault
from server.parts import open_bucket
from server.stores.bucket import Bucket, StoreInhabited, StoreMissing, StoreRefused
from server.stores.objects import ObjectRecords, StoredObject
from server.uploads.service import collect
from tests.fakes.bad_input import STARTS, expect
from tests.fakes.processes import free_port
from tests.fakes.proxy import Proxy, proxy_to
from tests.fakes.swift import SECRET, Swift
from tests.fakes.vault import FakePerson, FakeVault, b64, fake_vault, open_person, random_b64

SIZE = limits.FIRST_UNIT + 1000
DAY = 86_400


@dataclass
class Scene:
    """A vault whose bucket is reached through a proxy, and a person with an upload that is whole and one that isn't."""

    vault: FakeVault
    person: FakePerson
    bucket: Bucket
    proxy: Proxy
    swift: Swift
    log: pytest.LogCaptureFixture
    whole: str = ""
    half: str = ""
    data: bytes = b""

    def start(self) -> str:
        blob = b64(make_id())
        assert self.person.ask("POST", "/v1/uploads", {"blob": blob, "size": SIZE}).status_code == 201
        return blob

    def put(self, blob: str) -> TestResponse:
        return self.person.ask("PUT", f"/v1/uploads/{blob}/units/0", data=self.data)

    def complete(self, blob: str) -> TestResponse:
        digest = b64(hashlib.sha256(self.data).digest())
        return self.person.ask("POST", f"/v1/uploads/{blob}/complete", {"sha256": digest})

    def get(self, blob: str) -> TestResponse:
        return self.person.ask("GET", f"/v1/blobs/{blob}")

    def expect(self, name: str, answer: TestResponse) -> None:
        expect(name, answer, self.log.text)
        assert SECRET not in self.log.text

    def objects(self) -> list[StoredObject]:
        with self.vault.parts.database.read() as session:
            return list(session.query(StoredObject).order_by(StoredObject.number))

    def goes_on(self) -> None:
        """What is not in the bucket."""
        revision = {
            "item": b64(make_id()), "revision": 1, "replaces": 0, "wrap": random_b64(limits.WRAP),
            "link": random_b64(limits.LINK), "record": random_b64(1096), "blobs": [], "erases": None,
        }  # fmt: skip
        assert self.person.ask("POST", "/v1/items", {"revisions": [revision]}).status_code == 201

    def mends(self) -> None:
        """Once the trouble is over, what was begun can be ended, and all is as it should be."""
        for answer in (self.put(self.half), self.complete(self.half), self.get(self.half), self.get(self.whole)):
            assert answer.status_code in (200, 201), answer.data
        assert check_vault(self.vault.parts).problems == []


@pytest.fixture
def scene(tmp_path: Path, swift: Swift, caplog: pytest.LogCaptureFixture) -> Iterator[Scene]:
    with proxy_to(swift.port) as proxy:
        settings = replace(swift.settings(), endpoint=f"http://127.0.0.1:{proxy.port}")
        bucket = Bucket(settings, SECRET)
        bucket.create()
        with fake_vault(tmp_path, s3=settings) as vault:
            made = Scene(vault, open_person(vault), bucket, proxy, swift, caplog, data=make_bytes(SIZE))
            made.whole, made.half = made.start(), made.start()
            for answer in (made.put(made.whole), made.complete(made.whole)):
                assert answer.status_code in (200, 201)
            caplog.clear()
            caplog.set_level(logging.INFO, "temoin.server")
            yield made
        bucket.close()


def test_an_object_store_out_of_reach(scene: Scene) -> None:
    other = scene.start()
    assert scene.put(other).status_code == 200
    target, scene.proxy.target = scene.proxy.target, free_port()
    scene.proxy.cut()
    scene.expect("the object store can't be reached, writing", scene.put(scene.half))
    scene.expect("the object store can't be reached, reading", scene.get(scene.whole))
    scene.expect("the object store can't be reached, completing", scene.complete(other))
    assert scene.person.ask("DELETE", f"/v1/uploads/{other}").status_code == 200  # its bytes go later
    scene.goes_on()
    scene.proxy.target = target
    scene.mends()


def test_a_full_object_store(scene: Scene) -> None:
    assert scene.vault.parts.config.s3 is not None
    bucket = scene.vault.parts.config.s3.bucket
    scene.swift.set_quota(bucket, 1000)
    scene.expect("the object store is full", scene.put(scene.half))
    scene.goes_on()
    scene.swift.set_quota(bucket, 10**9)
    scene.mends()


def test_a_key_that_opens_no_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Bucket(replace(scene.bucket._settings, key_id="test:nobody"), SECRET)
    with monkeypatch.context() as patch:
        patch.setattr(scene.vault.parts.store, "_bucket", other)
        scene.expect("the object store lets the vault in no more", scene.put(scene.half))
        scene.expect("the object store lets the vault in no more", scene.get(scene.whole))
    other.close()
    scene.goes_on()
    scene.mends()


def test_objects_that_were_deleted(scene: Scene) -> None:
    assert scene.put(scene.half).status_code == 200
    names = [f"{one.blob.hex()}/{one.name.hex()}" for one in scene.objects()]
    assert len(names) == 2  # one volume that is kept, one PUT that is staged
    assert scene.bucket.remove(names) == []
    scene.expect("an object was deleted, reading", scene.get(scene.whole))
    scene.expect("an object was deleted, completing", scene.complete(scene.half))
    assert [problem.split(": ")[1] for problem in check_vault(scene.vault.parts).problems] == ["its bytes are missing"]
    assert scene.put(scene.half).status_code == 200
    assert scene.complete(scene.half).status_code == 201


def test_what_nobody_needs_is_removed_by_its_name(scene: Scene) -> None:
    """A body that was cut, an upload that was given up, another that was forgotten, and one that was finished."""
    records = ObjectRecords(scene.vault.parts.database, scene.vault.clock)
    store = scene.vault.parts.store

    def cut() -> Iterator[bytes]:
        yield b"some"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.stage(make_id(), 0, 10, cut())
    (lost,) = records.announce(make_id(), [(0, 5)])  # a process that died between the object and its row
    scene.bucket.put(f"{lost.blob.hex()}/{lost.name.hex()}", 5, [b"bytes"])
    store.discard(lost.blob)
    assert scene.put(scene.half).status_code == 200
    scene.vault.clock.advance(8 * DAY)
    collect(scene.vault.parts)
    (kept,) = scene.objects()
    names = [one.object_name for one in scene.bucket._minio.list_objects(scene.bucket._settings.bucket, recursive=True)]
    assert names == [f"{kept.blob.hex()}/{kept.name.hex()}"]


# at the start


def refuses(name: str, sentence: str, result: Result) -> None:
    assert name in STARTS
    assert result.exit_code == 1, result.output
    assert sentence in result.output and SECRET not in result.output


def call(command: str, data: Path, environment: dict[str, str]) -> Result:
    return CliRunner().invoke(main, [command, "--data", str(data)], env=environment)


def test_a_vault_that_does_not_start(tmp_path: Path, swift: Swift) -> None:
    data, environment = tmp_path / "data", swift.environment()
    assert call("init", data, environment).exit_code == 0
    assert call("check", data, environment).exit_code == 0
    missing = environment | {"TEMOIN_STORE": "s3://nobody-made-this"}
    refused = environment | {"TEMOIN_S3_SECRET": "wrong"}
    for command in ("check", "run"):
        refuses("the bucket is missing", StoreMissing.sentence, call(command, data, missing))
        refuses("the object store does not let the vault in", StoreRefused.sentence, call(command, data, refused))
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o640)
    from_file = environment | {"TEMOIN_S3_SECRET": "", "TEMOIN_S3_SECRET_FILE": str(secret)}
    exposed = call("check", data, from_file)
    refuses("the object store's secret can be read by others", SecretExposed.sentence, exposed)
    secret.chmod(0o600)
    assert call("check", data, from_file).exit_code == 0
    nowhere = call("check", data, environment | {"TEMOIN_S3_ENDPOINT": ""})
    refuses("an object store without an address", "TEMOIN_S3_ENDPOINT", nowhere)


def test_init_alone_makes_a_bucket_and_leaves_an_inhabited_one_alone(tmp_path: Path, swift: Swift) -> None:
    settings = swift.settings()
    environment = swift.environment(settings.bucket)
    assert call("init", tmp_path / "first", environment).exit_code == 0
    bucket = Bucket(settings, SECRET)
    bucket.put("letter", 1, [b"x"])
    assert StoreInhabited.sentence in call("init", tmp_path / "second", environment).output
    assert not (tmp_path / "second").exists()
    beside = environment | {"TEMOIN_STORE": f"s3://{settings.bucket}/second"}
    assert call("init", tmp_path / "second", beside).exit_code == 0
    bucket.close()


def test_no_repr_shows_the_secret(swift: Swift, tmp_path: Path) -> None:
    settings = swift.settings()
    with fake_vault(tmp_path, s3=settings) as vault:
        assert open_bucket(vault.parts.config) is not None
        assert SECRET not in repr(settings) + repr(vault.parts)
