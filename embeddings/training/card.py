"""A model card beside a trained checkpoint: what it is, what it was trained on, what it scored, how to use it.

The headings are those of Mitchell et al., "Model Cards for Model Reporting" (2019), as far as a program can fill them;
what only its maker knows stands there as a question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open

from safe_files import parse_json, write_text

__all__ = ["write_model_card"]

FIGURES = {
    "one_shot": "one-shot top-1 on the validation clips",
    "top1": "top-1 of its classifier on the validation clips",
    "validation_loss": "loss on the validation clips",
}
LISTED = 40
"""Most labels that are written out."""


def write_model_card(checkpoint: Path, target: Path | None = None) -> Path:
    """Writes `<name>.md` beside a checkpoint, or another file, from the facts in its header.

    Raises:
        ValueError: it is no safetensors file.
    """
    try:
        with safe_open(str(checkpoint), "pt") as file:
            head = dict(file.metadata() or {})
            weights = sum(_size(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    except Exception as error:  # safetensors raises its own type
        raise ValueError(f"{checkpoint}: not readable as a checkpoint ({error})") from None
    target = checkpoint.with_suffix(".md") if target is None else target
    write_text(target, _card(checkpoint.name, head, weights))
    return target


def _size(shape: list[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _card(name: str, head: Mapping[str, str], weights: int) -> str:
    training = _json(head, "training")
    labels, recipe = _json(head, "label_set") or [], training.get("recipe", {}) if isinstance(training, dict) else {}
    kind = head.get("encoder") or recipe.get("network", "network")
    lines = [f"# {kind}: {name}", "", "## Model", "", f"- network `{kind}`, {weights:,} weights"]
    lines += [f"- configuration: `{head['config']}`"] if "config" in head else []
    if labels:
        shown = ", ".join(map(str, labels[:LISTED])) + (", …" if len(labels) > LISTED else "")
        lines.append(f"- names {len(labels)} signs: {shown}")
    lines += ["", "## Training", ""]
    lines += [f"- {key}: {_words(value)}" for key, value in training.items() if key not in (*FIGURES, "recipe")]
    lines += [f"- recipe `{recipe['name']}`; all settings are in `recipe.json`"] if recipe.get("name") else []
    scored = [f"- {words}: {_words(training[key])}" for key, words in FIGURES.items() if key in training]
    lines += ["", "## Evaluation", "", *(scored or ["- not evaluated: no validation clips"])]
    lines += [
        "- The validation clips chose these weights. Report figures on test data: `spotter eval isolated`,",
        "  `spotter eval compare`.",
        "", "## Use", "", "```", f"spotter enroll dictionary/ -e {name} -o gallery/",
        f"spotter spot lecture.mp4 -g gallery/ -e {name} -o lecture.eaf",
        *([f"spotter classify clips/ -m {name} -o labels.csv"] if labels else []), "```", "",
        "## To be filled in by whoever passes it on", "",
        "- Who signs in the training data, in which sign language, and did they agree to this use?",
        "- What may others use it for (licence), and what should they not use it for?",
        "- For which signers, cameras and ways of signing was it never tested?", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _json(head: Mapping[str, str], key: str) -> Any:
    try:
        return parse_json(head.get(key, "{}"), finite=False)
    except ValueError:
        return {}


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
