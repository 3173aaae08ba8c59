"""What candidates are judged by: the names of the evidence."""

from __future__ import annotations

__all__ = ["EVIDENCE", "PACE"]

EVIDENCE: tuple[str, ...] = (
    "match", "lead", "chance", "behind_best", "path", "length_ratio", "length",
)  # fmt: skip
"""What a candidate is judged by, apart from the video's pace.

*match*: cosine of its span with the exemplar minus the cost of aligning the exemplar there. *lead*: by how much both
exceed the best other sign there, of the gallery or of the cohort. *chance*: logarithm of how many peaks as high as
this one the video, or three minutes of a longer one, would hold by chance. *behind_best*: match minus that of the
sign's best candidate in the video. *path*: IoU of the span with the path of its alignment. *length_ratio*: logarithm
of its length over the exemplar's; *length*: logarithm of the exemplar's length in frames.

By how many standard deviations a match exceeds the cohort's, or what the exemplar gets all over the video, is left out:
with either the judge was surer of frequent signs than of rare ones, whose true places it turned down."""

PACE: tuple[str, ...] = ("pace", "off_pace")
"""What is added when the video's pace is known: *pace*: the usual `length_ratio` of the signs in it; *off_pace*:
`length_ratio` minus that."""
