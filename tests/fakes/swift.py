"""A real S3 server of its own: OpenStack Swift (PyPI) with its s3api, as four processes on loopback.

Knows: how to start and end them, in a folder that holds all they write. Refuses to know: what is kept there.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from server.config import S3Settings
from tests.fakes.processes import BIN, clean_environment, count_listeners, free_port

KEY_ID, SECRET, REGION = "test:tester", "testing-canary-secret", "us-east-1"
PART_POWER = 4
SERVERS = ("account", "container", "object")
COMMON = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {etc}
devices = {devices}
mount_check = false
disable_fallocate = true
log_level = ERROR
log_udp_host = 127.0.0.1
log_udp_port = 9
"""
PATIENCE = "conn_timeout = 20\nnode_timeout = 60\nrecoverable_node_timeout = 60\ncontainer_update_timeout = 60"
"""Seconds that its processes wait for each other: a machine that is busy with tests is no broken one. The last is how
long a PUT or a DELETE waits until the container lists it so; Swift's own second is a list that is older than the answer
on such a machine."""
PIPELINE = "catch_errors gatekeeper healthcheck bulk s3api tempauth copy container_quotas slo dlo versioned_writes"
PROXY = """
[pipeline:main]
pipeline = {pipeline} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
{patience}
[filter:s3api]
use = egg:swift#s3api
location = {region}
check_bucket_owner = no
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
"""
RINGS = """
import sys
from swift.common.ring import RingBuilder
for path, port in zip(sys.argv[2::2], sys.argv[3::2]):
    ring = RingBuilder(int(sys.argv[1]), 1, 0)
    ring.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=int(port), device="d1", weight=1))
    ring.rebalance()
    ring.get_ring().save(path)
"""
"""One device is all of each ring. In a process of its own: Swift changes the modules it is imported beside."""


@dataclass
class Swift:
    """A server that runs, or was stopped and keeps its objects."""

    folder: Path
    port: int
    ports: dict[str, int]
    """Of the servers behind it."""
    processes: list[subprocess.Popen[bytes]]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, bucket: str = "", secret: str = SECRET) -> S3Settings:
        """Of a bucket that nobody else has named."""
        return S3Settings(bucket or f"b-{uuid4().hex}", "", self.endpoint, REGION, KEY_ID, None, secret)

    def environment(self, bucket: str = "", secret: str = SECRET) -> dict[str, str]:
        """The same, as a vault's environment."""
        return {
            "TEMOIN_STORE": f"s3://{bucket or f'b-{uuid4().hex}'}",
            "TEMOIN_S3_ENDPOINT": self.endpoint,
            "TEMOIN_S3_REGION": REGION,
            "TEMOIN_S3_KEY_ID": KEY_ID,
            "TEMOIN_S3_SECRET": secret,
        }

    def set_quota(self, bucket: str, size: int) -> None:
        """From now on the bucket is full at `size` bytes: said to the container server itself, as only a proxy may."""
        path = f"/AUTH_{KEY_ID.partition(':')[0]}/{bucket}"
        partition = hashlib.md5(f"test{path}test".encode()).digest()[0] >> 8 - PART_POWER
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['container']}/d1/{partition}{path}", method="POST",
            headers={"X-Timestamp": f"{time.time():.5f}", "X-Container-Meta-Quota-Bytes": str(size)},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 204

    def start(self) -> None:
        """Until it answers. Raises AssertionError with what it said if it does not."""
        etc = self.folder / "etc"
        environment = clean_environment(SWIFT_DIR=str(etc), XDG_CACHE_HOME=str(self.folder))
        for name in (*SERVERS, "proxy"):
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes.append(subprocess.Popen(
                    [BIN / f"swift-{name}-server", etc / f"{name}-server.conf"],
                    stdout=log, stderr=log, env=environment,
                ))  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(process.poll() for process in self.processes):
            if all(map(count_listeners, self.ports.values())):  # the proxy says that it is well without them
                with suppress(OSError), urllib.request.urlopen(f"{self.endpoint}/healthcheck", timeout=5):
                    return
            time.sleep(0.05)
        self.stop()
        raise AssertionError("".join(path.read_text() for path in self.folder.glob("*.log")))

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)
        self.processes.clear()


def store_environment(place: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of a vault whose blobs lie in its "folder", or in a new bucket of the session's server ("s3")."""
    if place == "folder":
        return {}
    server: Swift = request.getfixturevalue("swift")
    return server.environment()


@contextmanager
def swift_server(folder: Path) -> Iterator[Swift]:
    """A new server in `folder`; stopped at the end."""
    server = Swift(folder, free_port(), {name: free_port() for name in SERVERS}, [])
    _configure(server)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _configure(server: Swift) -> None:
    etc, devices = server.folder / "etc", server.folder / "srv"
    for folder in (etc, devices / "d1"):
        folder.mkdir(parents=True)
    common = {"user": pwd.getpwuid(os.getuid()).pw_name, "etc": etc, "devices": devices}
    (etc / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_prefix = test\nswift_hash_path_suffix = test\n"
        "[storage-policy:0]\nname = gold\ndefault = yes\n"
    )
    rings = list[str]()
    for name, port in server.ports.items():
        text = COMMON.format(port=port, **common)
        text += f"[pipeline:main]\npipeline = {name}-server\n"
        text += f"[app:{name}-server]\nuse = egg:swift#{name}\n{PATIENCE}\n"
        (etc / f"{name}-server.conf").write_text(text)
        rings += [str(etc / f"{name}.ring.gz"), str(port)]
    subprocess.run([sys.executable, "-c", RINGS, str(PART_POWER), *rings], check=True)
    text = COMMON.format(port=server.port, **common)
    text += PROXY.format(
        pipeline=PIPELINE, patience=PATIENCE, region=REGION, user=KEY_ID.replace(":", "_"), secret=SECRET
    )  # fmt: skip
    text += "".join(
        f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PIPELINE.split() if f"[filter:{name}]" not in text
    )
    (etc / "proxy-server.conf").write_text(text)
