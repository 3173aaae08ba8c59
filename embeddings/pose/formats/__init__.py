"""Files of poses, one format a file; `embeddings.pose.files` chooses by the name."""
