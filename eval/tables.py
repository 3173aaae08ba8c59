"""A table of figures in the forms it is needed: terminal, Markdown, LaTeX, CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table"]

SYMBOLS = {"≥": r"$\geq$", "±": r"$\pm$", "–": "--"}
"""What older LaTeX engines cannot read as it is; pandas escapes the rest."""


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

    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self._cells(), columns=list(self.columns), dtype=object)

    def _tabulated(self, cells: pd.DataFrame, form: str) -> str:
        sides = ["right" if self._is_number(i) else "left" for i in range(len(self.columns))]
        options = {"colalign": sides} if self.rows else {}
        return str(cells.to_markdown(index=False, tablefmt=form, disable_numparse=True, **options)) + "\n"

    def text(self) -> str:
        """Aligned columns for a terminal."""
        return self._tabulated(self._frame(), "simple")

    def markdown(self) -> str:
        """A GitHub table."""
        cells = self._frame().map(lambda cell: cell.replace("|", "\\|").replace("\n", " "))
        return self._tabulated(cells, "pipe")

    def latex(self) -> str:
        """A tabular with booktabs rules."""
        form = "".join("r" if self._is_number(i) else "l" for i in range(len(self.columns)))
        text = self._frame().to_latex(index=False, escape=True, column_format=form)
        for symbol, command in SYMBOLS.items():
            text = text.replace(symbol, command)
        return text

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per row, for JSON (NaN as None)."""
        return [
            {name: None if isinstance(v, float) and v != v else v for name, v in zip(self.columns, row, strict=True)}
            for row in self.rows
        ]
