"""Real witnesses for end-to-end tests: `temoin witness serve` on loopback, and one that dies at a step.

Knows: how a partner starts one. Refuses to know: what it signs.

`python -m tests.fakes.witnesses STATE VKEY [STEP]` answers the one submission on its standard input, over a real state
on a real disk, and is killed by kill -9 when it reaches STEP; nothing is written to standard output before that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto_core.receipts.note import parse_vkey
from tests.fakes.processes import BIN, ROOT, Answer, clean_environment, count_listeners, free_port, run_warm
from client_sdk.witness.folder import EvidenceFolder, open_folder
from client_sdk.witness.service import Refused, Witness
from client_sdk.witness.steps import SystemClock


@dataclass
class RealWitness:
    """A witness in `folder`, served by a real process while `start` holds."""

    folder: Path
    name: str
    port: int = field(default_factory=free_port)
    vkey: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> Answer:
        """`temoin witness` with these arguments, to its end."""
        return run_warm(["witness", *arguments, "--state", str(self.folder)], None, clean_environment(), b"")

    def init(self) -> None:
        run = self.command("init", self.name)
        assert run.code == 0, run.err
        self.vkey = run.out.strip()

    def start(self, vkeys: Sequence[str], records: Sequence[Path] = ()) -> None:
        logs: list[str | Path] = [word for vkey in vkeys for word in ("--log", vkey)]
        logs += [word for path in records for word in ("--rotations", path)]
        self.process = subprocess.Popen(
            [BIN / "temoin", "witness", "serve", "--state", self.folder, "--port", str(self.port), *logs],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment(), cwd=ROOT,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not count_listeners(self.port):
            assert self.process.poll() is None and time.monotonic() < deadline, "the witness did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process = None


@contextlib.contextmanager
def witnessing(folder: Path, count: int) -> Iterator[list[RealWitness]]:
    """New witnesses, not started yet; stopped at the end."""
    made = [RealWitness(folder / f"witness-{number}", f"witness.example/{number}") for number in range(1, count + 1)]
    try:
        for one in made:
            one.init()
        yield made
    finally:
        for one in made:
            if one.process is not None:
                one.stop()


class _Deadly:
    def __init__(self, step: str) -> None:
        self._step = step

    def reach(self, name: str) -> None:
        if name == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def main(state: str, vkey: str, step: str = "") -> None:
    folder = Path(state)
    signer, store = open_folder(folder)
    one = Witness(signer, [parse_vkey(vkey)], store, EvidenceFolder(folder), SystemClock(), _Deadly(step))
    try:
        sys.stdout.buffer.write(one.add_checkpoint(sys.stdin.buffer.read()))
    except Refused as refused:
        sys.exit(refused.answer.status)  # more than an exit status holds: the low byte is what a test sees


if __name__ == "__main__":
    main(*sys.argv[1:])
