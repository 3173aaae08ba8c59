"""A project folder: videos, gallery, corpus, searches, and every decision that people took about the hits."""
