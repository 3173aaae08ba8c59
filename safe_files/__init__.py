"""Files: written whole or not at all, and read without trust. Imports nothing of this toolkit.

What others wrote is read by `read_json`, `read_npz`, `open_hdf5` and `safe_files.pickles`, which run nothing, follow
nothing out of the file and bound what they allocate; `reader` is the boundary behind which every error has one kind.

A file or folder appears under its name when it is complete and on the disk; a full disk, an error or a kill leaves
what was there before.
"""

from .boundary import boundary, reader
from .cells import plain_cell, safe_cell
from .content import content_hash
from .foreign_hdf5 import HDF5Error, open_hdf5
from .hdf5 import GroupedHDF5, whole_hdf5
from .locks import BusyError, locked
from .npz import ArraysError, array_names, read_npz
from .strict_json import JSONError, parse_json, read_json
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
    "ArraysError", "BusyError", "GroupedHDF5", "HDF5Error", "JSONError", "WriteError", "array_names", "boundary",
    "content_hash", "inside", "locked", "open_hdf5", "open_whole", "parse_json", "plain_cell", "previous_folder",
    "read_json", "read_npz", "reader", "safe_cell", "sweep", "whole_file", "whole_folder", "whole_hdf5", "write_bytes",
    "write_json", "write_npz", "write_text",
]  # fmt: skip
