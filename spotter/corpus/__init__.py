"""An index of many videos that is searched with one clip."""
