"""Ctrl-\\ at a question, or a fault in a library, left a copy of the memory on the disk: password, keys, text; and
where a vault runs, the pepper."""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import signal
import subprocess
import termios
from pathlib import Path

from tests.fakes.processes import BIN, RealVault, clean_environment, descendants, running


def test_a_program_that_is_made_to_dump_its_memory_leaves_none(tmp_path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]

    def begin() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # whoever runs these tests in the background ignores it

    keyboard, terminal = pty.openpty()
    environment = clean_environment(TEMOIN_HOME=str(tmp_path / "home"), TEMOIN_SERVER="http://127.0.0.1:9")
    process = subprocess.Popen(
        [BIN / "temoin", "journal", "add", "ana", "--text", "x"], env=environment, cwd=tmp_path,
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, preexec_fn=begin,
    )  # fmt: skip
    os.close(terminal)
    try:
        said = b""
        while b"Password: " not in said:
            said += os.read(keyboard, 4096)
        limit = resource.prlimit(process.pid, resource.RLIMIT_CORE)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        os.close(keyboard)
    assert limit == (0, 0)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_neither_do_the_processes_of_a_vault(tmp_path: Path) -> None:
    allowed = "sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"
    with running(RealVault(tmp_path / "data", prefix=allowed)) as vault:
        assert vault.process is not None
        limits = [resource.prlimit(pid, resource.RLIMIT_CORE)[0] for pid in descendants(vault.process.pid)]
        assert len(limits) >= 1 + vault.workers and set(limits) == {0}
