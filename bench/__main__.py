"""`python -m bench [NAME…]`: every bench, or the named ones; medians of several runs, byte counts printed.

Knows: how to repeat, take medians and print. Refuses to know: what is measured.
"""

from __future__ import annotations

import sys

from bench import crowd, entries, following, ledger, login, receipts, sealing, timing, transfer, web
from bench.measure import Bench, print_rows
from bench.tools import ToolMissing

BENCHES: dict[str, Bench] = {
    "sealing": sealing.measure, "entries": entries.measure, "login": login.measure, "transfer": transfer.measure,
    "timing": timing.measure, "following": following.measure, "ledger": ledger.measure, "crowd": crowd.measure,
    "receipts": receipts.measure,
}  # fmt: skip


IN_A_BROWSER: dict[str, Bench] = {"web": web.measure}
"""Asked for by name: they need a browser, and what `make bench-web` builds."""


def main(names: list[str]) -> int:
    """Runs the benches of these names, all if none is given; 1 if a tool is missing, 2 for a name that there isn't."""
    known = BENCHES | IN_A_BROWSER
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no bench {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        for name in names or BENCHES:
            print_rows(name, known[name]())
    except ToolMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
