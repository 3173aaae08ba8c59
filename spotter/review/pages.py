"""Pages: templates filled with words of one language, and what lies beside them (scripts, styles)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from _sign_spotter import module_name
from safe_files import parse_json

__all__ = ["LANGUAGES", "language_of", "page", "static_files", "words"]

LANGUAGES = ("en", "de")
HOME = files(module_name("spotter.review"))


@cache
def words(language: str) -> dict[str, str]:
    """Every text of the pages in a language, by key (`strings.json`)."""
    table: dict[str, dict[str, str]] = parse_json((HOME / "strings.json").read_text(encoding="utf-8"))
    return {key: said[language] for key, said in table.items()}


def language_of(request: Request, default: str) -> str:
    """The language asked for in the address, chosen before (cookie), of the project, in this order."""
    given = (request.query_params.get("lang"), request.cookies.get("spotter-language"), default)
    return next((one for one in given if one in LANGUAGES), "en")


@cache
def _environment() -> Environment:
    def load(name: str) -> str:
        return (HOME / "templates" / name).read_text(encoding="utf-8")

    return Environment(loader=FunctionLoader(load), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)  # fmt: skip


def page(request: Request, template: str, language: str, **values: Any) -> HTMLResponse:
    """A page in a language; `t(key)` gives the words in its template."""
    said = words(language)
    text = (
        _environment()
        .get_template(template)
        .render(
            t=said.__getitem__,
            words=said,
            language=language,
            other=next(x for x in LANGUAGES if x != language),
            **values,
        )
    )
    answer = HTMLResponse(text)
    if request.query_params.get("lang") == language:
        answer.set_cookie("spotter-language", language, max_age=365 * 86400, samesite="strict", path="/")
    return answer


def static_files() -> StaticFiles:
    """Scripts and styles."""
    return StaticFiles(directory=Path(str(HOME / "static")))
