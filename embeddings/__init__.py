"""From video to vectors: clips, poses, skeletons, encoders, training, phonology, the procedural signer."""
