"""A real time-stamping authority on loopback: `openssl ts` behind HTTP, and the certificates above it.

Knows: RFC 3161 over HTTP (§3.4), and how such a service fails. Refuses to know: what is stamped. Its time is this
machine's: a test that wants another moves the vault's clock.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto_core.receipts.anchor import make_query

POLICY, OTHER_POLICY = "1.2.3.4.1", "1.2.3.4.5"
Mood = Literal["well", "slow", "dripping", "rubbish", "refusing", "replaying", "endless"]

_CONFIGURATION = f"""\
[tsa]
default_tsa = this
[this]
serial = {{folder}}/serial
signer_digest = sha256
default_policy = {POLICY}
other_policies = {OTHER_POLICY}
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_alg = sha256
"""


@dataclass
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def certify(self, name: str, **how: bool | float | ec.EllipticCurvePrivateKey) -> Certified:
        """One below this; as `certify`."""
        return certify(name, self, **how)  # type: ignore[arg-type]


def certify(
    name: str, issuer: Certified | None = None, *, issues: bool = True, stamps: bool = False, critical: bool = True,
    serves: bool = False, since_days: int = -1, days: float = 30, key: ec.EllipticCurvePrivateKey | None = None,
) -> Certified:
    """A new certificate, signed by itself if there is no issuer: that of an authority (`issues`), of one that `stamps`,
    or of a web server on this machine (`serves`). Valid from `since_days` days from now on, for `days`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) + timedelta(days=since_days)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(issues, None), critical=True)
    )
    purposes = [
        purpose
        for purpose, wanted in ((ExtendedKeyUsageOID.TIME_STAMPING, stamps), (ExtendedKeyUsageOID.SERVER_AUTH, serves))
        if wanted
    ]
    if serves:
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = made.add_extension(names, critical=False)
    if purposes:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    return Certified(made.sign(key if issuer is None else issuer.key, hashes.SHA256()), key)


@dataclass
class Authority:
    """Root, a certificate between, the signer; and the folder that openssl works in."""

    folder: Path
    root: Certified
    between: Certified
    signer: Certified
    mood: Mood = "well"
    brings_chain: bool = False
    """Whether answers bring the certificate between as well."""
    asked: list[bytes] = field(default_factory=list)
    """Every query that came by HTTP."""
    released: threading.Event = field(default_factory=threading.Event, repr=False)
    """Lets go of who waits for a slow answer."""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        self.roots_file.write_bytes(self.root.pem)
        self.chain_file.write_bytes(self.between.pem)
        self.both_file.write_bytes(self.root.pem + self.between.pem)

    @property
    def roots_file(self) -> Path:
        return self.folder / "roots.pem"

    @property
    def chain_file(self) -> Path:
        return self.folder / "chain.pem"

    @property
    def both_file(self) -> Path:
        """What an operator is told to configure: the root, and what stands between where tokens don't bring it."""
        return self.folder / "both.pem"

    def token(self, text: str, *, signer: Certified | None = None, policy: str = POLICY) -> bytes:
        """A token over a checkpoint's text, now."""
        return self.stamp(make_query(text).data, signer=signer, policy=policy)

    def stamp(self, query: bytes, *, signer: Certified | None = None, policy: str = POLICY) -> bytes:
        """`openssl ts -reply`."""
        signer = signer or self.signer
        with self._turn:  # the serial's file
            (self.folder / "query").write_bytes(query)
            (self.folder / "signer.pem").write_bytes(signer.pem)
            (self.folder / "signer.key").write_bytes(signer.key_pem)
            chain = ["-chain", str(self.chain_file)] if self.brings_chain else []
            subprocess.run(
                ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "query",
                 "-signer", self.folder / "signer.pem", "-inkey", self.folder / "signer.key", "-tspolicy", policy,
                 *chain, "-out", self.folder / "reply"],
                check=True, capture_output=True, timeout=60,
            )  # fmt: skip
            return (self.folder / "reply").read_bytes()


def make_authority(folder: Path, name: str = "TSA") -> Authority:
    """A new authority with certificates of its own."""
    root = certify(f"{name} root")
    between = root.certify(f"{name} between")
    return Authority(folder, root, between, between.certify(name, issues=False, stamps=True))


@contextlib.contextmanager
def serving_authority(authority: Authority) -> Iterator[str]:
    """Its address, while it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            is_query = self.headers["Content-Type"] == "application/timestamp-query" and self.path == "/tsr"
            authority.asked.append(query)
            if authority.mood == "slow":
                authority.released.wait(60)
            if not is_query or authority.mood == "refusing":
                self.send_error(503)
                return
            self._answer(authority, query)

        def _answer(self, authority: Authority, query: bytes) -> None:
            asked = authority.asked[0] if authority.mood == "replaying" else query
            body = b"<html>welcome</html>" if authority.mood == "rubbish" else authority.stamp(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            if authority.mood != "endless":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                if authority.mood == "endless":
                    for _ in range(10_000):
                        self.wfile.write(bytes(4096))
                for at in range(0, len(body), 1 if authority.mood == "dripping" else len(body)):
                    self.wfile.write(body[at : at + (1 if authority.mood == "dripping" else len(body))])
                    if authority.mood == "dripping" and authority.released.wait(0.1):
                        return

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        authority.released.set()
        server.shutdown()
        server.server_close()
