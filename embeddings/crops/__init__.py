"""Pictures for encoders, streamed: cut out of a film while it is decoded, kept as H.264, decoded again where needed.

film ── `film.pictures` ──► one picture at a time ── `views.cut` ──► crops ── `store.write_crops` ──► file of each view
encoder ◄── any frames, in any order ── `store.StoredPictures` ◄──┘

An encoder sees the same pictures whether the file was there or was made for it, and however long the film is.
"""

from .cache import stored_views
from .store import StoredPictures, write_crops
from .views import VIEWS, View

__all__ = ["VIEWS", "StoredPictures", "View", "stored_views", "write_crops"]
