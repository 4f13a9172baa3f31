"""Real processes for end-to-end tests: a vault served by `temoin-server`, and devices that run `temoin`.

Knows: how a person starts them. Refuses to know: what is inside.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ORDERS = "TEST_ORDERS_FOLDER"
"""Environment variable of a server that a test gives orders to (tests/fakes/orders.py)."""
BIN = Path(sys.executable).parent
USER, PASSWORD, PIN = "ana", "a long walk by the quiet river", "805193"


_PORTS = 1000
_turn = itertools.count(os.getpid())


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at.

    It is none of those that a system gives out by itself, and each process that runs tests has a thousand of its own:
    a port that the system chose may be somebody else's before the server for which it was asked is there.
    """
    first = 20_000 + _PORTS * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12)
    while True:
        port = first + next(_turn) % _PORTS
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without any setting of ours, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMOIN_")}
    return {**kept, **extra}


def peak_memory(pid: int) -> int:
    """VmHWM of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def count_listeners(port: int) -> int:
    """How many sockets listen on a port of 127.0.0.1: each worker has its own."""
    place = f"0100007F:{port:04X}"
    fields = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
    return sum(1 for _, local, _, state, *_ in fields if (local, state) == (place, "0A"))


@contextlib.contextmanager
def watched_memory(pid: int) -> Iterator[list[int]]:
    """Fills a list with VmHWM of a process, in bytes, every 20 ms until it is gone: the last one is its peak."""
    peaks, over = list[int](), threading.Event()

    def watch() -> None:
        with contextlib.suppress(OSError, AssertionError):  # gone
            while not over.wait(0.02):
                peaks.append(peak_memory(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def descendants(pid: int) -> list[int]:
    """The process and all below it; below one that is gone meanwhile there is nobody."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return [pid]
    return [pid, *(found for child in children for found in descendants(int(child)))]


@contextlib.contextmanager
def held(pid: int) -> Iterator[int]:
    """A descriptor that can be read once the process is gone; it is killed in the end if it isn't."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload([
    *(f"client_sdk.cli.{path.stem}" for path in (ROOT / "client_sdk/cli").glob("[!_]*.py")),
    "server.cli", "server.wsgi", "tests.fakes.wsgi",
])  # fmt: skip


_one_at_a_time = threading.Lock()
"""Of two threads that wait for such a process each may take the other's exit code."""


def run_warm(words: list[str], secrets: Sequence[str] | None, environment: dict[str, str], stdin: bytes) -> Answer:
    """`temoin` in a process of its own, a copy of one that has loaded the program and done nothing."""
    assert _one_at_a_time.acquire(blocking=False), "several at once have to be `apart`"
    try:
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("in", "out", "err")]
            streams[0].write_bytes(stdin)
            process = _WARM.Process(target=_be_temoin, args=(words, secrets, environment, streams))
            process.start()
            process.join(1800)
            process.kill()  # if it goes on
            process.join()
            code = process.exitcode
            process.close()
            assert code is not None
            return Answer(code, streams[1].read_text("utf-8"), streams[2].read_text("utf-8"))
    finally:
        _one_at_a_time.release()


def _be_temoin(
    words: list[str], secrets: Sequence[str] | None, environment: dict[str, str], streams: list[Path]
) -> None:
    from client_sdk.cli import main  # it is there already

    _settle(environment, streams)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    with contextlib.ExitStack() as stack:
        given = [] if secrets is None else ["--secrets-fd", str(stack.enter_context(given_secrets(secrets)))]
        sys.argv = ["temoin", *words, *given]
        main()


def _settle(environment: dict[str, str], streams: Sequence[Path]) -> None:
    """In a copy: the environment and the standard streams that it was given."""
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)


class Copy:
    """A server in a process of its own, a copy of one that has loaded it and done nothing; so much of `Popen` as is
    asked of servers. One thread waits for it."""

    def __init__(
        self, begin: Callable[[list[str]], None], words: list[str], environment: dict[str, str], log: Path
    ) -> None:
        self._process = _WARM.Process(target=_serve, args=(begin, words, environment, log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutExpired, as Popen does."""
        self._process.join(timeout)
        code = self.returncode
        if code is None:
            raise subprocess.TimeoutExpired("a copy of the server", timeout or 0)
        return code

    def kill(self) -> None:
        self._process.kill()


def _serve(begin: Callable[[list[str]], None], words: list[str], environment: dict[str, str], log: Path) -> None:
    os.chdir(ROOT)
    _settle(environment, [Path(os.devnull), log, log])
    begin(words)


def _be_temoin_server(words: list[str]) -> None:
    from server.cli import main  # it is there already

    sys.argv = ["temoin-server", *words]
    main()


def _obey(words: list[str]) -> None:
    from tests.fakes.wsgi import main  # it is there already

    os.setsid()
    main(*words)


@dataclass
class RealVault:
    """A vault in `data`, served by real processes on loopback while `start` holds."""

    data: Path
    workers: int = 2
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    orders: Path | None = None
    """The folder of a test's orders, if it gives any: the same server, with its clock and its deaths
    (tests/fakes/wsgi.py)."""
    module: str = ""
    """What serves it instead of the command, if anything: `python -m MODULE DATA PORT WORKERS`."""
    prefix: tuple[str, ...] = ()
    """What the command is started by, such as `unshare`; it has to become the command in the end."""
    apart: bool = False
    """Whether all is started as people start it: the server itself, and each command of the operator."""
    process: subprocess.Popen[bytes] | Copy | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`temoin-server` with these arguments, to its end; in this process, which has learnt it already, where nothing
        speaks for another one."""
        words = [*arguments, "--data", str(self.data)]
        if not (self.apart or self.prefix):
            from click.testing import CliRunner  # witnesses that die at a step start from here, and need none of it

            from server.cli import main

            settings: dict[str, str | None] = {name: None for name in os.environ if name.startswith("TEMOIN_")}
            settings.update(self.environment)
            ran = CliRunner().invoke(main, words, env=settings, catch_exceptions=False)
            return subprocess.CompletedProcess(words, ran.exit_code, ran.stdout, ran.stderr)
        return subprocess.run(
            [*self.prefix, BIN / "temoin-server", *words],
            capture_output=True, text=True, env=clean_environment(**self.environment), timeout=120,
        )  # fmt: skip

    def init(self) -> None:
        run = self.command("init")
        assert run.returncode == 0, run.stderr

    def start(self) -> None:
        words = ["run", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port),
                 "--workers", str(self.workers)]  # fmt: skip
        ordered = [str(self.data), str(self.port), str(self.workers)]
        environment = clean_environment(**self.environment)
        if self.orders is not None:
            environment[ORDERS] = str(self.orders)
        module = self.module or (self.orders and "tests.fakes.wsgi")
        with (self.data / "server.log").open("ab") as log:
            if not (self.apart or self.prefix or self.module):
                begin, given = (_obey, ordered) if self.orders else (_be_temoin_server, words)
                self.process = Copy(begin, given, environment, Path(log.name))
            else:
                self.process = subprocess.Popen(
                    [*self.prefix, *([sys.executable, "-m", module, *ordered] if module else
                                     [BIN / "temoin-server", *words])],
                    stdout=log, stderr=log, env=environment, cwd=ROOT, start_new_session=self.orders is not None,
                )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if count_listeners(self.port) == self.workers:  # else whoever kills the first kills the only one
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/v1/health", timeout=2):
                    return
            time.sleep(0.05)
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.process = None
        raise AssertionError((self.data / "server.log").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        running = descendants(self.process.pid) if how is signal.SIGKILL else [self.process.pid]
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        self.process.wait(60)  # longer than granian waits for its workers
        if how is signal.SIGKILL:
            self._wait_until_closed()
        self.process = None

    def wait_for_death(self) -> None:
        """Until a server that was killed is gone."""
        assert self.process is not None
        assert self.process.wait(30) == -signal.SIGKILL
        self._wait_until_closed()
        self.process = None

    def _wait_until_closed(self) -> None:
        """Until no worker that was killed listens any more: who starts again would count it among its own."""
        deadline = time.monotonic() + 30
        while count_listeners(self.port):
            assert time.monotonic() < deadline, "a worker outlived its server"
            time.sleep(0.01)

    def workers_peak(self) -> int:
        """The largest VmHWM among the server's processes, in bytes."""
        assert self.process is not None
        return max(peak_memory(pid) for pid in descendants(self.process.pid))


@dataclass
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str
    peak: int = 0
    """The program's largest VmHWM that was seen, in bytes, where it was `apart`."""

    @property
    def json(self) -> Any:
        return json.loads(self.out)


ASK_NOTHING = "verify", "verify-pack"


@contextlib.contextmanager
def given_secrets(lines: Sequence[str]) -> Iterator[int]:
    """A descriptor that gives these lines."""
    reading, writing = os.pipe()
    os.write(writing, "".join(f"{line}\n" for line in lines).encode())
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


@dataclass
class Device:
    """One TEMOIN_HOME and the person who holds it."""

    home: Path
    server: str
    user: str = USER
    password: str = PASSWORD
    pin: str = PIN
    apart: bool = False
    """Whether the program is started anew for each command, as it is for people."""

    def run(self, *arguments: str | Path, stdin: bytes = b"", secrets: Sequence[str] | None = None) -> Answer:
        """`temoin` with these arguments; secrets go through a descriptor of their own, where any are asked for."""
        words, lines = list(map(str, arguments)), (self.password, self.pin) if secrets is None else secrets
        environment = clean_environment(TEMOIN_HOME=str(self.home), TEMOIN_SERVER=self.server)
        if not self.apart:
            return run_warm(words, None if words[0] in ASK_NOTHING else lines, environment, stdin)
        with given_secrets(lines) as reading:
            given = [] if words[0] in ASK_NOTHING else ["--secrets-fd", str(reading)]
            process = subprocess.Popen(
                [BIN / "temoin", *words, *given], env=environment, pass_fds=[reading],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            with watched_memory(process.pid) as peaks:
                out, err = process.communicate(stdin, timeout=1800)
        return Answer(process.returncode, out.decode(), err.decode(), max(peaks, default=0))

    def ok(self, *arguments: str | Path, stdin: bytes = b"") -> Answer:
        """The same, for a command that must succeed."""
        answer = self.run(*arguments, stdin=stdin)
        assert answer.code == 0, (arguments, answer)
        return answer

    def register(self) -> Path:
        """Makes the account; returns the file with the recovery words."""
        words = self.home.with_name(f"{self.home.name}-recovery.txt")
        self.ok("register", self.user, "--recovery-out", words)
        return words


@contextlib.contextmanager
def serving(data: Path, *, workers: int = 2, apart: bool = False, **environment: str) -> Iterator[RealVault]:
    """A new vault, served; stopped at the end if the test has not stopped it."""
    with running(RealVault(data, workers, environment=environment, apart=apart)) as vault:
        yield vault


@contextlib.contextmanager
def running(vault: RealVault) -> Iterator[RealVault]:
    """The same, of a vault that was described elsewhere."""
    vault.init()
    vault.start()
    try:
        yield vault
    finally:
        if vault.process is not None:
            vault.stop()


def run_with_room(program: str, out: Path, room: int, *, unbuffered: bool) -> subprocess.CompletedProcess[str]:
    """`program --help` on a disk that takes `room` bytes; `unbuffered` as Python's streams are in many containers."""
    with out.open("wb") as file:
        return subprocess.run(
            [BIN / program, "--help"], stdout=file, stderr=subprocess.PIPE, text=True,
            env=clean_environment(PYTHONUNBUFFERED="1" if unbuffered else ""),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        )  # fmt: skip
