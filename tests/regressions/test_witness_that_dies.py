"""A witness whose first process is killed is gone as a whole, and starts again at the same port, alone."""

from __future__ import annotations

import os
import select
import signal
from contextlib import ExitStack
from pathlib import Path

from crypto_core.receipts.note import SignerKey, format_vkey
from tests.fakes.processes import count_listeners, descendants
from tests.fakes.witnesses import witnessing


def test_the_worker_of_a_witness_ends_with_its_first_process(tmp_path: Path) -> None:
    ledger = format_vkey(SignerKey("ledger.example", bytes(32)).verifier)
    with witnessing(tmp_path, 1) as (one,), ExitStack() as last:
        one.start([ledger])
        process = one.process
        assert process is not None
        workers = [os.pidfd_open(pid) for pid in descendants(process.pid)[1:]]
        for worker in workers:
            last.callback(os.close, worker)
        assert workers
        process.kill()
        process.wait(30)
        for worker in workers:
            outlived = not select.select([worker], [], [], 60)[0]
            if outlived:
                signal.pidfd_send_signal(worker, signal.SIGKILL)
            assert not outlived, "a worker outlived the process that started it"
        assert count_listeners(one.port) == 0
        one.start([ledger])
