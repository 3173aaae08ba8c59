"""Files written whole or not at all: the one writer of every package. Imports nothing of this toolkit.

Foreign pickles are read by `safe_files.pickles`, which runs nothing in them.

A file or folder appears under its name when it is complete and on the disk; a full disk, an error or a kill leaves
what was there before.
"""

from .hdf5 import GroupedHDF5, whole_hdf5
from .whole import (
    WriteError,
    inside,
    open_whole,
    previous_folder,
    sweep,
    whole_file,
    whole_folder,
    write_bytes,
    write_json,
    write_npz,
    write_text,
)

__all__ = [
    "GroupedHDF5", "WriteError", "inside", "open_whole", "previous_folder", "sweep", "whole_file", "whole_folder",
    "whole_hdf5", "write_bytes", "write_json", "write_npz", "write_text",
]  # fmt: skip
