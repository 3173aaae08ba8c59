"""Exemplars and the index that finds them: arrays in, arrays out. Depends on nothing else of this toolkit."""

import _sign_spotter  # noqa: F401  (it finds safe_files beside a user's own module of that name)

from .edit import Merged, merge, rename_sign, same_exemplar
from .gallery import Gallery, GalleryChangedError, GalleryError
from .transfer import Donation, top_k_transfer
from .trim import TrimOptions, signing_span

__all__ = [
    "Donation", "Gallery", "GalleryChangedError", "GalleryError", "Merged", "TrimOptions", "merge", "rename_sign",
    "same_exemplar", "signing_span", "top_k_transfer",
]  # fmt: skip
