"""From video to vectors: clips, poses, skeletons, encoders, training, phonology, the procedural signer."""

import _sign_spotter  # noqa: F401  (its packages find each other beside a user's own modules of their names)
