"""Pose estimators, one a file; `embeddings.pose.estimate.ESTIMATORS` names them."""
