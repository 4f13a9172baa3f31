"""What an operator may choose, with the values a vault runs with when nothing was chosen.

Knows: numbers, places and rates. Refuses to know: secrets, but one that the environment may bring and no repr shows;
and it reads no environment but the one it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import parse_many

from crypto_core.errors import MalformedError, TemoinError
from crypto_core.receipts.note import ED25519, VerifierKey
from crypto_core.receipts.signatures import PUBLIC_SIZE

MINUTE, HOUR, DAY = 60, 3600, 86_400
MAX_CHECK_WAIT = 50
"""Seconds: a device gives up a connection on which nothing comes for 60."""
MAX_ORIGIN = 100
"""Characters of a ledger's name, which stands twice in each receipt."""


class ConfigRefused(TemoinError):
    """A setting can't be used. `detail` names the variable, never its value."""

    code = "config_refused"
    sentence = "A setting of this vault can't be used. Read which one is named here, and set it again."


@dataclass(frozen=True)
class S3Settings:
    """A bucket for blobs, at a server that speaks S3; addressed as endpoint/bucket/prefix…"""

    bucket: str
    prefix: str
    """Before every name in the bucket; empty, or ending with a slash."""
    endpoint: str
    region: str
    key_id: str
    secret_file: Path | None
    secret: str = field(default="", repr=False)
    """What a file is read for, unless the environment brought it."""

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket) or not _PREFIX.fullmatch(self.prefix):
            raise ConfigRefused("TEMOIN_STORE is s3://bucket or s3://bucket/prefix, in lower-case letters and digits")
        endpoint = urlsplit(self.endpoint)
        if endpoint.scheme not in ("https", "http") or not endpoint.hostname or self.endpoint != (
            f"{endpoint.scheme}://{endpoint.netloc}"
        ) or "@" in endpoint.netloc:
            raise ConfigRefused("TEMOIN_S3_ENDPOINT is the address of the S3 server, https://host or https://host:port")
        if not self.key_id:
            raise ConfigRefused("TEMOIN_S3_KEY_ID has to name the key")
        if (self.secret_file is None) == (not self.secret):
            raise ConfigRefused("TEMOIN_S3_SECRET_FILE, or else TEMOIN_S3_SECRET, has to bring the key's secret")


@dataclass(frozen=True)
class ServerConfig:
    """One vault's settings. Spans are in seconds, sizes in bytes; rates are spelled as flask-limiter reads them."""

    data: Path
    host: str = ""
    """The public host, lower case, with the port unless it is the default: what login keys sign. Empty: the vault
    serves this machine alone, by any loopback name."""
    pepper_file: Path = field(default=Path())
    """Where the pepper lies; in the data folder unless the operator keeps it elsewhere, which is better."""
    journal_file: Path = field(default=Path())
    """Where the journal lies, which no copy of the database brings back; in the data folder unless the operator keeps
    it on another disk, which is better."""
    origin: str = ""
    """The ledger's name, used by `init` alone; empty: one that names nobody is made."""
    quota: int = 20 * 1024**3
    login_rate: str = "10 per minute; 100 per day"
    """Wrong passwords and taken accounts, per network."""
    confirm_rate: str = "10 per hour; 20 per day"
    """Wrong passwords and recovery codes in one session; and taken accounts at a change of credentials, per network."""
    visit_rate: str = "120 per minute"
    """Visits to one box, per network."""
    signup_rate: str = "30 per hour"
    """New accounts, per network."""
    limiter_url: str = ""
    """Where tries are counted; empty: in the vault's own database."""
    proxies: int = 0
    """How many proxies of the operator's own stand in front: that many addresses of X-Forwarded-For are believed."""
    challenge_life: int = MINUTE
    password_life: int = 5 * MINUTE
    open_life: int = 12 * HOUR
    """A day's work at the longest, however busy."""
    open_idle: int = 30 * MINUTE
    """The page locks itself far earlier; this ends what a closed lid left behind."""
    confirmed_life: int = 2 * MINUTE
    checkpoint_interval: int = MINUTE
    tsa_url: str = ""
    """Where an authority gives RFC 3161 tokens over checkpoints; empty: nobody is asked."""
    tsa_roots: Path | None = None
    """The authority's certificates in PEM: its root, and what stands between where its tokens don't bring it."""
    anchor_interval: int = DAY
    deletion_delay: int = 7 * DAY
    recovery_wait: int = 3 * DAY
    """How long whoever shows a recovery code waits, while every open session is told."""
    recovery_open: int = 7 * DAY
    """How long after that it may be used."""
    recovery_life: int = 10 * MINUTE
    upload_age: int = 7 * DAY
    check_wait: int = 20
    """How long a request waits while a whole upload is checked, which may take minutes: less than the shortest patience
    of a proxy or a device with a connection on which nothing comes."""
    unnamed_blob_age: int = 30 * DAY
    site_title: str = "Carnet"
    """What the pages call themselves, in the tab and in the history: a word that tells nothing."""
    exit_url: str = "https://meteofrance.com/"
    """Where the way out leads: an everyday site that answers fast."""
    operator: str = ""
    """Who answers for this vault, as the page about it says: name, address, how to write, who hosts it; in lines."""
    s3: S3Settings | None = None
    """Where large blobs lie; None: in the data folder."""

    def __post_init__(self) -> None:
        if self.pepper_file == Path():
            object.__setattr__(self, "pepper_file", self.data / "pepper")
        if self.journal_file == Path():
            object.__setattr__(self, "journal_file", self.data / "journal.db")
        if self.host and (not _HOST.fullmatch(self.host) or self.host.endswith(":443")):
            raise ConfigRefused("TEMOIN_HOST has to be the public host: lower case, with the port if it is unusual")
        if self.origin:
            _require_origin(self.origin)
        if not _EXIT.fullmatch(self.exit_url):
            raise ConfigRefused("TEMOIN_EXIT_URL is an address that begins with https://")
        if not 1 <= self.check_wait <= MAX_CHECK_WAIT:
            raise ConfigRefused(f"TEMOIN_CHECK_WAIT is 1 to {MAX_CHECK_WAIT} seconds")
        _require_authority(self.tsa_url, self.tsa_roots)
        if self.anchor_interval < 1:
            raise ConfigRefused("TEMOIN_ANCHOR_INTERVAL is a second or more")
        for name in ("login_rate", "confirm_rate", "visit_rate", "signup_rate"):
            _require_rate(f"TEMOIN_{name.upper()}", getattr(self, name))
        if not 1 <= len(self.site_title.strip()) <= 40 or _CONTROL.search(self.site_title):
            raise ConfigRefused("TEMOIN_SITE_TITLE is a short name")
        if len(self.operator) > 600:
            raise ConfigRefused("TEMOIN_OPERATOR is a few lines, 600 characters at most")

    @property
    def database_file(self) -> Path:
        """Where the database is."""
        return self.data / "vault.db"

    @property
    def database_url(self) -> str:
        """The same, as SQLAlchemy spells it."""
        return f"sqlite:///{self.database_file}"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], data: Path, *, host: str = "") -> ServerConfig:
        """The settings that an environment names. `host` is used where TEMOIN_HOST is not set. Raises ConfigRefused."""
        chosen: dict[str, Any] = {
            name: (_number if variable in _NUMBERS else _text)(variable, environ[variable])
            for variable, name in _VARIABLES.items()
            if environ.get(variable)
        }
        if "TEMOIN_PEPPER_FILE" in environ:
            chosen["pepper_file"] = Path(environ["TEMOIN_PEPPER_FILE"])
        if environ.get("TEMOIN_JOURNAL_FILE"):
            chosen["journal_file"] = Path(environ["TEMOIN_JOURNAL_FILE"])
        if environ.get("TEMOIN_TSA_ROOTS"):
            chosen["tsa_roots"] = Path(environ["TEMOIN_TSA_ROOTS"])
        if environ.get("TEMOIN_STORE"):
            chosen["s3"] = _s3(environ)
        return cls(data=data, **{"host": host, **chosen})


def _s3(environ: Mapping[str, str]) -> S3Settings:
    bucket, _, prefix = environ["TEMOIN_STORE"].removeprefix("s3://").partition("/")
    if not environ["TEMOIN_STORE"].startswith("s3://"):
        bucket = ""
    return S3Settings(
        bucket=bucket,
        prefix=f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else "",
        endpoint=environ.get("TEMOIN_S3_ENDPOINT", "").rstrip("/"),
        region=environ.get("TEMOIN_S3_REGION") or "us-east-1",
        key_id=environ.get("TEMOIN_S3_KEY_ID", ""),
        secret_file=Path(environ["TEMOIN_S3_SECRET_FILE"]) if environ.get("TEMOIN_S3_SECRET_FILE") else None,
        secret=environ.get("TEMOIN_S3_SECRET", ""),
    )


def _require_origin(origin: str) -> None:
    """Raises ConfigRefused: a key of this name could sign nothing, or what nobody reads."""
    try:
        VerifierKey(origin, ED25519, bytes(PUBLIC_SIZE))
    except MalformedError:
        origin = ""
    if not 1 <= len(origin) <= MAX_ORIGIN:
        raise ConfigRefused("TEMOIN_ORIGIN is the name of a ledger: 1 to 100 characters without a space or a plus")


def _require_authority(url: str, roots: Path | None) -> None:
    """Raises ConfigRefused: a token that nobody can verify would be worth nothing."""
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ConfigRefused("TEMOIN_TSA_URL is the address of a time-stamping authority, https://… or http://…")
    if roots is None:
        raise ConfigRefused("TEMOIN_TSA_ROOTS has to name the file with the authority's certificates")


def _require_rate(variable: str, text: str) -> None:
    """Raises ConfigRefused: what can't be read would limit nothing, in silence."""
    try:
        parse_many(text)
    except ValueError:
        raise ConfigRefused(f'{variable} is a rate, or several, as in "10 per minute; 100 per day"') from None


_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_EXIT = re.compile(r"https?://[^\s/]\S*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"([a-z0-9-]{1,40}/){0,3}", re.ASCII)
_VARIABLES = {
    "TEMOIN_HOST": "host",
    "TEMOIN_ORIGIN": "origin",
    "TEMOIN_QUOTA": "quota",
    "TEMOIN_LOGIN_RATE": "login_rate",
    "TEMOIN_CONFIRM_RATE": "confirm_rate",
    "TEMOIN_VISIT_RATE": "visit_rate",
    "TEMOIN_SIGNUP_RATE": "signup_rate",
    "TEMOIN_LIMITER_URL": "limiter_url",
    "TEMOIN_PROXIES": "proxies",
    "TEMOIN_CHECKPOINT_INTERVAL": "checkpoint_interval",
    "TEMOIN_CHECK_WAIT": "check_wait",
    "TEMOIN_TSA_URL": "tsa_url",
    "TEMOIN_ANCHOR_INTERVAL": "anchor_interval",
    "TEMOIN_SITE_TITLE": "site_title",
    "TEMOIN_EXIT_URL": "exit_url",
    "TEMOIN_OPERATOR": "operator",
}
_NUMBERS = {
    "TEMOIN_QUOTA", "TEMOIN_CHECKPOINT_INTERVAL", "TEMOIN_CHECK_WAIT", "TEMOIN_ANCHOR_INTERVAL", "TEMOIN_PROXIES",
}


def _number(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ConfigRefused(f"{variable} is a whole number")
    return int(text)


def _text(variable: str, text: str) -> str:
    """Raises ConfigRefused: of what isn't UTF-8 no page can be made."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigRefused(f"{variable} is text in UTF-8") from None
    return text
