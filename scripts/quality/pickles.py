"""Damaged pickles for the reader of pickles: how many are read, refused, and whether anything else happens.

    PYTHONPATH=. python scripts/quality/pickles.py [--mutants 1000000] [--seed 0]

Ends with an error at the first mutant that gives anything but values or a `PickleError`; a crash ends the process.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import time

from safe_files.pickles import PickleError, read_stream
from tests.safe_files.mutants import mutants


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = refused = 0
    slowest, begin = 0.0, time.process_time()
    for number, raw in enumerate(mutants(options.mutants, options.seed)):
        start = time.process_time()
        try:
            read_stream(io.BytesIO(raw), len(raw), "mutant")
            read += 1
        except PickleError:
            refused += 1
        except BaseException:
            print(f"mutant {number} of seed {options.seed}: {raw!r}", file=sys.stderr)
            raise
        slowest = max(slowest, time.process_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{read + refused} mutants: {read} read, {refused} refused, nothing else")
    print(f"{time.process_time() - begin:.0f} s of CPU, the slowest {slowest * 1000:.1f} ms")
    print(f"the process grew by {grown / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
