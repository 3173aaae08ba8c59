"""A table of figures in the forms it is needed: terminal, Markdown, LaTeX, CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Table"]

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "–": "--",
}


@dataclass(frozen=True)
class Table:
    """Rows under named columns. Numbers are right-aligned; floats are shown with `digits` decimals.

    Raises:
        ValueError: a row has another number of cells than there are columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    digits: int = 4

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells; expected {len(self.columns)}")

    def _cells(self) -> list[list[str]]:
        return [[self._cell(value) for value in row] for row in self.rows]

    def _cell(self, value: Any) -> str:
        if value is None:
            return "–"
        if isinstance(value, float):
            return "–" if value != value else f"{value:.{self.digits}f}"
        return str(value)

    def _is_number(self, column: int) -> bool:
        values = [row[column] for row in self.rows if row[column] is not None]
        return bool(values) and all(isinstance(value, int | float) for value in values)

    def text(self) -> str:
        """Aligned columns for a terminal."""
        cells = [list(self.columns), *self._cells()]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        numeric = [self._is_number(i) for i in range(len(self.columns))]
        lines = [
            "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True)).rstrip()
            for row in cells
        ]
        lines.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """A GitHub table."""
        ruler = ["---:" if self._is_number(i) else "---" for i in range(len(self.columns))]
        rows = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in self._cells()]
        return "".join(f"| {' | '.join(row)} |\n" for row in [list(self.columns), ruler, *rows])

    def latex(self) -> str:
        """Rows `a & b \\\\` in a tabular with booktabs rules."""
        form = "".join("r" if self._is_number(i) else "l" for i in range(len(self.columns)))
        escape = str.maketrans(LATEX)
        rows = [" & ".join(cell.translate(escape) for cell in row) + r" \\" for row in self._cells()]
        head = " & ".join(name.translate(escape) for name in self.columns) + r" \\"
        lines = [
            rf"\begin{{tabular}}{{{form}}}",
            r"\toprule",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per row, for JSON (NaN as None)."""
        return [
            {name: None if isinstance(v, float) and v != v else v for name, v in zip(self.columns, row, strict=True)}
            for row in self.rows
        ]
