"""How the signer moves: bodies, postures, movements, performances."""
