"""Damaged and hostile files for every reader: `readers` is the registry, `mutate` damages, `campaign` runs.

`scripts/quality/fuzz.py` runs it for long; `test_fuzz.py` a little of it with a fixed seed, and `finds/`, the files
that once did harm.
"""
