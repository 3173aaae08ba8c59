"""Commands on the form of signs: `spotter phonology`."""
