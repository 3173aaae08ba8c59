"""`spotter serve`: search corpora with a clip, in the browser, read-only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import err, out
from .options import EncoderName, Estimator, EstimatorName

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter serve corpus/ other-corpus/[/bold]")(serve)


def serve(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Corpora, or projects (default: the project around here).", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (default: a free one).")] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Name under which other machines ask for this one; may be repeated."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate (.pem); browsers give cameras to other machines only with it.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key (.pem).")] = None,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    language: Annotated[str, typer.Option(help="Of the page: en or de.")] = "en",
    browser: Annotated[bool, typer.Option(help="Open the page in your browser.")] = True,
    encoder: EncoderName = "default",
    estimator: EstimatorName = Estimator.holistic,
) -> None:
    """Let colleagues search corpora with a clip or their camera, in the browser; nothing is changed or kept."""
    import secrets

    from ..review.pages import LANGUAGES
    from ..review.server import HOST, Address, free_port, run
    from ..review.serving import SearchDesk, search_app, served

    if language not in LANGUAGES:
        raise ValueError(f"--language {language}: expected {' or '.join(LANGUAGES)}")
    if (certificate is None) != (key is None):
        raise ValueError("--certificate and --key belong together; one is missing")
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise ValueError(f"{file}: no such file")
    open_to_all = host not in (HOST, "localhost", "::1")
    if open_to_all and not name:
        raise ValueError(f"--host {host}: say under which --name other machines ask for this one, e.g. --name lab-pc")
    corpora = served(_folders(folders))
    address = Address(
        host, free_port(8331 if port is None else port, host), secrets.token_urlsafe(32), name or (), bool(certificate)
    )
    desk = SearchDesk(corpora, encoder, estimator.value)
    app = search_app(desk, address, title, language)

    def announce(_: str) -> None:
        for shown in name or [host]:
            out.print(f"search page: [link={address.url(shown)}]{address.url(shown)}[/link]")
        err.print("whoever has this address can search; nothing is changed or kept; Ctrl+C ends it")

    tls = (certificate, key) if certificate is not None and key is not None else None
    run(app, address, announce, browser, tls)


def _folders(given: list[Path] | None) -> list[Path]:
    from ..project.folder import Project

    if given:
        return given
    project = Project.around()
    if project is None:
        raise ValueError(f"no project around {Path.cwd()}; name a corpus, e.g. spotter serve corpus/")
    return [project.folder]
