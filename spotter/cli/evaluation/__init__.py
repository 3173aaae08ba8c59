"""Commands that score: `spotter eval`."""
