"""The search: windows, tracks, peaks, alignment, judgement."""
