"""Writes docs/api.md, the reference of what `import spotter` offers, from the docstrings.

python scripts/make/api.py            # write it
python scripts/make/api.py --check    # only say whether it is up to date (exit code 1: it is not)
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from safe_files import write_text

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "api.md"
GROUPS = {
    "Spot": [
        "enroll",
        "spot",
        "spot_videos",
        "SpottingOptions",
        "Selection",
        "TransferOptions",
        "Ensemble",
        "Member",
        "Gallery",
    ],
    "Results": ["Detection", "Detections", "SpottingResult", "SimilarityTrack", "read", "write", "write_report"],
    "Archives": ["index", "search_corpus", "Corpus", "IndexOptions", "SearchOptions"],
    "Scoring": ["Segment", "read_segments", "score"],
    "Clips, poses, encoders": [
        "Clip",
        "Pose",
        "PoseSource",
        "estimate",
        "read_pose",
        "write_pose",
        "load_encoder",
        "make_estimator",
    ],
}
INTRODUCTION = """# Python reference

What `import spotter` offers, made from the docstrings by `scripts/make/api.py`. [tutorial.md](tutorial.md) shows it at
work. Times are seconds; frame ranges are half-open; left and right are the signer's own.
"""


def page() -> str:
    """The reference in Markdown.

    Raises:
        ValueError: a public name stands in no group, or a name in a group is not public.
    """
    import spotter

    public = set(spotter.__all__) - {"__version__"}
    listed = [name for names in GROUPS.values() for name in names]
    if set(listed) != public or len(listed) != len(public):
        raise ValueError(f"GROUPS and spotter.__all__ differ in {sorted(public ^ set(listed))}")
    parts = [INTRODUCTION]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_entry(name, getattr(spotter, name)) for name in names]
    return "\n".join(parts)


def _definition(value: Any) -> Any:
    loader = griffe.GriffeLoader(search_paths=[REPOSITORY])
    return loader.load(value.__module__)[value.__name__]


def _entry(name: str, value: Any) -> str:
    item = _definition(value)
    heading = _heading("###", f"{name}{_signature(value)}") + "\n" + _text(item)
    if not item.is_class:
        return heading
    methods = [member for member in item.members.values() if _documented(member)]
    rest = [
        _heading("####", f"{name}.{m.name}{_signature(getattr(value, m.name)) if m.is_function else ''}")
        + "\n"
        + _text(m)
        for m in methods
    ]
    return "\n".join([heading, *rest])


def _signature(value: Any) -> str:
    parameters = inspect.signature(value).parameters.values()
    shown = (
        p.name if p.default is p.empty else f"{p.name}={_value(p.default)}" for p in parameters if p.name != "self"
    )
    return f"({', '.join(shown)})"


def _value(default: Any) -> str:
    plain = isinstance(default, str | int | float | tuple | None)
    return repr(default) if plain else getattr(default, "__name__", "…")


def _documented(member: Any) -> bool:
    return (
        not member.is_alias
        and not member.name.startswith("_")
        and member.docstring is not None
        and (member.is_function or "property" in member.labels)
    )


def _heading(level: str, text: str) -> str:
    return f"{level} `{text}`\n"


def _text(item: Any) -> str:
    return "\n".join(_sections(item)) + "\n"


def _sections(item: Any) -> Iterator[str]:
    if item.docstring is None:
        return
    # "start, end: …" is one entry of two names, which the parser takes for one name and a type
    text = re.sub(
        r"^( +)(\w+(?:, \w+)+):", lambda m: m[1] + m[2].replace(", ", ",") + ":", item.docstring.value, flags=re.M
    )
    for section in griffe.Docstring(text, parent=item).parse("google", warnings=False):
        if section.kind.value == "text":
            yield section.value.replace("\n::\n", "\n") + "\n"
        elif section.kind.value in ("parameters", "attributes", "raises"):
            title = {"parameters": "Arguments", "attributes": "Attributes", "raises": "Raises"}[section.kind.value]
            yield f"{title}:\n"
            for entry in section.value:
                label = (getattr(entry, "name", None) or str(entry.annotation)).replace(",", ", ")
                yield f"- `{label}`: {' '.join(str(entry.description).split())}"
            yield ""
        elif section.kind.value == "returns":
            yield "Returns: " + " ".join(" ".join(str(entry.description).split()) for entry in section.value) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = re.sub(r"\n{3,}", "\n\n", page()).rstrip() + "\n"
    if parser.parse_args().check:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            sys.exit("docs/api.md is not what the docstrings say; run scripts/make/api.py")
        return
    write_text(PAGE, text)


if __name__ == "__main__":
    main()
