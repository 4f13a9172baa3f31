"""`python -m bench [NAME…]`: every bench, or the named ones; medians of several runs, byte counts printed.

Knows: how to repeat, take medians and print. Refuses to know: what is measured.
"""

from __future__ import annotations

import sys

from bench import deposits, login, sealing, timing, web
from bench.measure import Bench, print_rows

BENCHES: dict[str, Bench] = {
    "sealing": sealing.measure, "login": login.measure, "deposits": deposits.measure, "timing": timing.measure,
}  # fmt: skip


IN_A_BROWSER: dict[str, Bench] = {"web": web.measure}
"""Asked for by name: they need a browser, and what `make bench-web` builds."""


def main(names: list[str]) -> int:
    """Runs the benches of these names, all if none is given; 2 for a name that there isn't."""
    known = BENCHES | IN_A_BROWSER
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no bench {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        print_rows(name, known[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
