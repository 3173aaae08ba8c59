"""The `spotter` command. Each module of this package holds the commands of one job."""

from .app import main

__all__ = ["main"]
