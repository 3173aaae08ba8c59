"""Seconds to `import spotter` and to show `spotter --help`: median of fresh processes, beside Python's own start.

python scripts/bench/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 9
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import spotter": [sys.executable, "-c", "import spotter"],
    "spotter --help": [sys.executable, "-m", "spotter", "--help"],
}


def median_seconds(command: list[str]) -> float:
    """Median wall time of `RUNS` fresh processes after one that warms the file cache."""
    times = []
    for run in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        if run:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    base = None
    print(f"| command | median of {RUNS}, s | beyond Python's own start, s |\n|---|---|---|")
    for name, command in COMMANDS.items():
        seconds = median_seconds(command)
        base = seconds if base is None else base
        print(f"| `{name}` | {seconds:.3f} | {seconds - base:.3f} |")


if __name__ == "__main__":
    main()
