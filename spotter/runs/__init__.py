"""Runs: many videos in one command that can be stopped, goes on where it was, and says what became of each.

recordings ── identified ──► names ── Outputs.check ──► (before the first frame)
    │
    └─ batch: pose (cache) ► search ► RunFolder.keep ► Outputs.video        for each video when it is done
                                         └► run.json
       at the end: tables and report of all videos
"""
