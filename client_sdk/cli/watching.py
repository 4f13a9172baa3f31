"""A folder that is watched: a file is taken once it has stopped changing.

Knows: how a folder looked at each look, by a clock that is handed in. Refuses to know: what becomes of a file, and
what was deposited before (client_sdk.taken does, also after a restart).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from client_sdk.gathering import Chosen

LOOK_EVERY = 2.0
"""Seconds between two looks."""
SETTLED = 5.0
"""Seconds for which a file has to have stayed the same."""
STAY_EVERY = 600.0
"""Seconds between two requests that keep the session open while nothing happens."""
TRY_AGAIN = 30.0
"""Seconds until the next try after the vault could not be reached."""

_State = tuple[int, int, int]
"""Size in bytes, and in nanoseconds when its bytes were changed, and when anything of it was: whose file may be read
from now on is looked at again."""
_CLOSED: _State = (-1, -1, -1)
"""Of a file in a folder that may be listed and not entered: whoever is given it says that it can't be read."""


class Watch:
    """What was seen of each file, and whether it was given out as it is now. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[_State, float]] = {}
        self._given: dict[Path, _State] = {}

    def look(self, files: Iterable[Chosen]) -> list[Chosen]:
        """Those of `files` that have stayed the same for long enough and were not given out yet."""
        now, seen, ready = self._clock(), dict[Path, tuple[_State, float]](), list[Chosen]()
        for chosen in files:
            state = _state(chosen.path)
            if state is None:
                continue
            before, since = self._seen.get(chosen.path, (None, now))
            seen[chosen.path] = state, since if state == before else now
            if now - seen[chosen.path][1] >= SETTLED and self._given.get(chosen.path) != state:
                self._given[chosen.path] = state
                ready.append(chosen)
        self._seen = seen
        return ready

    def put_back(self, files: Iterable[Chosen]) -> None:
        """These were not taken after all, through no fault of theirs."""
        for chosen in files:
            self._given.pop(chosen.path, None)


def _state(path: Path) -> _State | None:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):  # gone since it was found
        return None
    except OSError:
        return _CLOSED
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
