"""Tells what this is in half a minute: one person, one vault that is thrown away afterwards, one stranger.

Knows: the two programs as anybody starts them, and where a vault keeps its bytes. Refuses to know: any module of ours;
what it shows on the server's side is read from the real database and the real folder.

    python docs/demo/tell.py               in this terminal
    python docs/demo/tell.py --svg FILE    also as a picture
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PHOTOGRAPH = HERE / "photograph.jpg"
WIDTH = 110
PERSON, PASSWORD, PIN = "camille", "tortue lavabo quinze nuage", "805193"
ENTRY = "Alex came back at half past nine, broke the cup I was holding, and stood in front of the door until eleven."
PROGRAMS = {"temoin": "client_sdk.cli", "temoin-server": "server.cli"}


def main() -> None:
    arguments = argparse.ArgumentParser(description="Tells what this is, on a vault that is thrown away afterwards.")
    arguments.add_argument("--svg", type=Path, metavar="FILE", help="also write the picture")
    svg: Path | None = arguments.parse_args().svg
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that it cleans up then, too
    console = Console(width=WIDTH, record=True, highlight=False, emoji=False)
    try:
        with tempfile.TemporaryDirectory(prefix="temoin-demo-") as folder:
            tell(console, Path(folder))
    except KeyboardInterrupt:
        sys.exit(1)
    if svg is not None:
        console.save_svg(str(svg), title="temoin", code_format=PICTURE)


def tell(console: Console, folder: Path) -> None:
    vault = Vault(folder / "vault", free_port())
    phone = Device(folder / "phone", vault.url)
    with vault.serving():
        words = folder / "words.txt"
        phone.run("register", PERSON, "--recovery-out", words)

        console.print(chapter("Camille writes down what happened, and adds a photograph"))
        kept = phone.json(
            "journal", "add", PERSON, "-", "--title", "The cup", "--happened", "2024-03-01T21:30",
            "--place", "the kitchen", "--danger", "7", "--attach", PHOTOGRAPH, stdin=ENTRY,
        )  # fmt: skip
        shown = phone.json("journal", "show", PERSON, kept["id"])
        console.print(side_by_side(what_camille_reads(shown), what_the_server_holds(vault, shown)))

        console.print(chapter("Another device, with the same name, password and PIN"))
        laptop = Device(folder / "laptop", vault.url)
        back = folder / "back.jpg"
        listed = laptop.json("journal", "list", PERSON)
        laptop.run("documents", "get", PERSON, kept["id"], "-o", back)
        console.print(on_the_laptop(listed, back))

        export = folder / "for-the-lawyer"
        phone.run("receipts", "export", PERSON, kept["id"], "-o", export)

    console.print(chapter("The server is stopped. A stranger, with no account and no network, checks the receipts"))
    stranger = Device(folder / "stranger", "http://127.0.0.1:9")
    sealed = sorted(export.glob("*.sealed"), key=lambda path: path.stat().st_size)
    console.print(what_the_stranger_sees(stranger, sealed, export / "policy.txt"))


def chapter(title: str) -> RenderableType:
    return Group(Text(), Rule(Text(title, style="bold"), align="left", style="cyan"))


def side_by_side(left: RenderableType, right: RenderableType) -> RenderableType:
    both = Table.grid(expand=True, padding=(0, 1))
    both.add_column(ratio=1)
    both.add_column(ratio=1)
    both.add_row(left, right)
    return both


def what_camille_reads(shown: dict[str, Any]) -> RenderableType:
    photograph = shown["contents"][0]
    lines = [
        Text(shown["title"], style="bold"),
        Text(f"{shown['happened']['words']}, in {shown['place']}. Danger {shown['danger']} of 10.", style="dim"),
        Text(),
        Text(shown["text"]),
        Text(),
        Text.assemble(("photograph  ", "dim"), photograph["name"]),
        Text.assemble(("            ", "dim"), f"{photograph['size']:,} bytes, {photograph['mime']}"),
        Text.assemble(("            ", "dim"), "date and place are in it (EXIF)"),
    ]
    return panel("Camille reads", lines, "green")


def what_the_server_holds(vault: Vault, shown: dict[str, Any]) -> RenderableType:
    lines: list[Text] = []
    for name, sealed in vault.blobs(bytes.fromhex(shown["id"])):
        opaque = " ".join(sealed.start[place : place + 4].hex() for place in range(0, 32, 4))
        lines += [
            Text.assemble(("blob  ", "dim"), name),
            Text.assemble(("size  ", "dim"), f"{sealed.size:,} bytes, padded"),
            Text.assemble(("time  ", "dim"), f"{spell(sealed.time)}, the deposit"),
            Text(opaque[:36], style="red"),
            Text(f"{opaque[36:]}…", style="red"),
            Text(),
        ]
    return panel("The server holds", [*lines, Text("No name, no title, no kind of file.", style="dim")], "red")


def on_the_laptop(listed: list[dict[str, Any]], back: Path) -> RenderableType:
    same = digest_of(back) == digest_of(PHOTOGRAPH)
    assert same, "the photograph came back changed"
    return panel(
        "The laptop reads",
        [
            Text.assemble((listed[0]["title"], "bold"), f"   {listed[0]['happened']['words']}"),
            Text.assemble("photograph.jpg came back, the same to the byte: ", (digest_of(back)[:32] + "…", "dim")),
        ],
        "green",
    )


def what_the_stranger_sees(stranger: Device, files: list[Path], policy: Path) -> RenderableType:
    """The steps for the last file in full, for the others what they come to."""
    lines: list[Text] = []
    for sealed in files:
        receipt = sealed.with_suffix(".tlog-proof")
        words = ("verify", sealed.name, receipt.name, "--policy", policy.name)
        told = [line.rstrip() for line in stranger.run(*words, folder=sealed.parent).splitlines() if line.strip()]
        short = f"{sealed.name[:8]}…"
        lines.append(Text(f"$ temoin verify {short}.sealed {short}.tlog-proof --policy policy.txt", style="dim"))
        if sealed == files[-1]:
            lines += [Text(line, style="green") for line in told if "✓" in line]
        verdict = Text(told[-1])
        verdict.stylize("bold", 0, verdict.plain.index(".") + 1)
        lines += [verdict, Text()]
    return panel("The stranger reads", lines[:-1], "blue")


def panel(title: str, lines: list[Text], colour: str) -> Panel:
    return Panel(Group(*lines), title=Text(title, style="bold"), title_align="left", border_style=colour)


@dataclass(frozen=True)
class Sealed:
    """What the server can see of a blob: its first bytes, its length, when it came."""

    start: bytes
    size: int
    time: int


@dataclass
class Vault:
    """A vault in a folder, served on loopback."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        subprocess.run(
            [*program("temoin-server"), "init", "--data", self.folder], check=True, env=environment(),
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [*program("temoin-server"), "run", "--data", self.folder, "--port", str(self.port), "--workers", "2"],
                env=environment(), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        log, deadline = self.folder / "server.log", time.monotonic() + 30
        while b"ready" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The vault did not start:\n{log.read_text('utf-8', 'replace')}")
            time.sleep(0.05)

    def blobs(self, item: bytes) -> Iterator[tuple[str, Sealed]]:
        """The newest record of an item and the files it names, as the database and the folder have them."""
        database = sqlite3.connect(f"file:{self.folder / 'vault.db'}?mode=ro", uri=True)
        try:
            record, deposited = database.execute(
                "SELECT record, deposited FROM revisions WHERE item = ? ORDER BY revision DESC", (item,)
            ).fetchone()
            yield f"{item.hex()}-1", Sealed(record[:32], len(record), deposited)
            for blob, size, created, data in database.execute(
                "SELECT blob, size, created, data FROM blobs JOIN revision_blobs USING (blob) WHERE item = ?", (item,)
            ):
                yield blob.hex(), Sealed(data[:32] if data is not None else self._file(blob), size, created)
        finally:
            database.close()

    def _file(self, blob: bytes) -> bytes:
        (path,) = (self.folder / "blobs").rglob(blob.hex())
        with path.open("rb") as file:
            return file.read(32)


@dataclass
class Device:
    """A place of its own for what a device keeps; the secrets go through a descriptor."""

    home: Path
    server: str
    calls: list[str] = field(default_factory=list)

    def run(self, *words: str | Path, stdin: str = "", folder: Path = ROOT) -> str:
        reading, writing = os.pipe()
        given = [] if words[0] == "verify" else ["--secrets-fd", str(reading)]  # it asks for nothing
        with os.fdopen(writing, "w", encoding="utf-8") as lines:
            lines.write(f"{PASSWORD}\n{PIN}\n")
        try:
            ended = subprocess.run(
                [*program("temoin"), *map(str, words), *given], input=stdin.encode(), cwd=folder, capture_output=True,
                pass_fds=[reading],
                env=environment(TEMOIN_HOME=str(self.home), TEMOIN_SERVER=self.server, COLUMNS="400"),
            )  # fmt: skip
        finally:
            os.close(reading)
        if ended.returncode != 0:
            raise SystemExit(f"temoin {words[0]} ended with {ended.returncode}: {ended.stderr.decode()}")
        return ended.stdout.decode()

    def json(self, *words: str | Path, stdin: str = "") -> Any:
        return json.loads(self.run(*words, "--json", stdin=stdin))


def program(name: str) -> list[str]:
    """As installed beside this Python; else from this folder, so that the demo runs before anything is installed."""
    installed = shutil.which(name, path=str(Path(sys.executable).parent))
    return [installed] if installed else [sys.executable, "-c", f"from {PROGRAMS[name]} import main\nmain()"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMOIN_")}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "TZ": "UTC", **more}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def spell(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# rich's own picture asks another site for its font; this one asks nobody for anything.
PICTURE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>A person writes an entry, the server holds opaque bytes, a stranger verifies the receipts</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

if __name__ == "__main__":
    main()
