"""How the signer is seen: cameras, estimation errors, pictures."""
