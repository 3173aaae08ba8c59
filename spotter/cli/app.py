"""The application: its commands, its error policy, its exit codes.

Exit codes: 0 all done; 1 something failed (said in one line each); 2 wrong usage; 130 interrupted.
A user's mistake never shows a traceback unless `--debug` is given.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Annotated

import typer

from safe_files.cells import SAFE

from . import (
    cache,
    clips,
    convert,
    corpus,
    demo,
    enroll,
    gallery,
    pose,
    project,
    reproduce,
    review,
    serve,
    spot,
    training,
)
from . import data as benchmarks
from . import embed as encoding
from .console import err, say_warning, shown, state
from .evaluation import spotting as evaluate
from .phonology import commands as linguistics

__all__ = ["app", "main"]

app = typer.Typer(
    name="spotter",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="One-shot sign spotting: show it one example of a sign, it finds the sign in hours of signing.",
    epilog="Start with [bold]spotter demo[/bold]; then [bold]spotter enroll[/bold] and [bold]spotter spot[/bold].",
)

pose.register(app)
enroll.register(app)
spot.register(app)
gallery.register(app)
clips.register(app)
demo.register(app)
encoding.register(app)
corpus.register(app)
evaluate.register(app)
linguistics.register(app)
benchmarks.register(app)
convert.register(app)
training.register(app)
project.register(app)
review.register(app)
reproduce.register(app)
serve.register(app)
cache.register(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("oneshot-sign-spotter"))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show Python tracebacks.")] = False,
    threads: Annotated[
        int, typer.Option("--threads", min=0, help="CPU threads for the encoders (0: as many as there are cores).")
    ] = 0,
    csv_safe: Annotated[
        bool,
        typer.Option(
            "--csv-safe/--no-csv-safe",
            help="Write names that a spreadsheet would compute (=…, +…, -…, @…) with an apostrophe before them.",
        ),
    ] = True,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    state.debug = debug
    SAFE.set(csv_safe)
    if threads:
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[variable] = str(threads)
    if not context.resilient_parsing:
        context.default_map = project.defaults(context.command)
    warnings.showwarning = say_warning  # type: ignore[assignment]
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING)


INTERRUPTED = 130
USER_ERRORS = (ValueError, KeyError, OSError, ImportError)
"""What the library raises on a caller's mistake; its message says what was expected and how to fix it."""


def main() -> None:
    """Entry point of the console command."""
    # Quiet the native logs of the pose estimator before anything loads it.
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except typer.Exit as stop:
        code = stop.exit_code
    except USER_ERRORS as error:
        if state.debug:
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        err.print(f"[red]error:[/red] {_escape(text)}")
        code = 1
    except Exception as error:
        # click's own usage errors know how to show themselves
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            code = error.exit_code
        elif type(error).__name__ == "Abort":
            code = INTERRUPTED
        elif state.debug:
            raise
        else:
            err.print(f"[red]unexpected {type(error).__name__}:[/red] {_escape(error)}\n(--debug shows where)")
            code = 1
    if code == INTERRUPTED:  # typer makes this number of Ctrl-C, too
        err.print("interrupted; what was finished is kept, the same command goes on from there")
    sys.exit(code if isinstance(code, int) else 0)


def _escape(text: object) -> str:
    from rich.markup import escape

    return escape(shown(text))
