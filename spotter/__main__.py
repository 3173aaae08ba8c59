"""`python -m spotter`: the same as the `spotter` command."""

import sys
from pathlib import Path

# `python -m` puts the working folder first, where a user's own numpy.py or random.py would be taken for the real one.
if not sys.flags.safe_path and sys.path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    sys.path.pop(0)

from .cli import main

if __name__ == "__main__":
    main()
