"""The application: runs commands and turns their errors into messages and exit codes."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from modaloom import __version__
from modaloom.cli import printing
from modaloom.core.errors import ModaloomError, RankZeroStopped, WorkFailed
from modaloom.core.renamed import RENAMED

UsageError: Any = typer.BadParameter.__base__
"""Raised by typer for a command line that it cannot parse."""


class Commands(TyperGroup):
    """The command group: reports each error as one line on stderr and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line and exit."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except RankZeroStopped:
            code = 1
        except (UsageError, ModaloomError, WorkFailed, OSError) as error:
            if os.environ.get("MODALOOM_DEBUG"):
                raise
            code = _report(error)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; Ctrl-C ends it without a traceback, with what is kept as the interrupt's message."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            printing.echo(f"error: stopped; {str(stop) or 'continue a training with --resume'}", err=True)
            raise typer.Exit(130) from None


class Command(TyperCommand):
    """A command whose help lists registry entries: it fills placeholders such as `{tasks}`.

    The registries import torch; `modaloom --help` and usage errors do not wait for that.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help with the names of the registries."""
        from modaloom.api import CHOICES

        names = {kind: ", ".join(allowed) for kind, allowed in CHOICES.items()}
        options: Any = self.params
        for option in options:
            option.help = option.help and option.help.format_map(names)
        super().format_help(ctx, formatter)


def _report(error: Exception) -> int:
    """Print an error; returns the exit code."""
    usage = isinstance(error, UsageError)
    message = error.format_message() if usage else str(error)  # type: ignore[attr-defined]
    printing.echo(f"error: {message}" + (f" ({_see(error)})" if usage else ""), err=True)
    return 2 if usage or isinstance(error, ModaloomError) else 1


def _see(error: Any) -> str:
    """Advice for a command line that could not be parsed; names the new name of a renamed option."""
    option = getattr(error, "option_name", "")
    if option in RENAMED:
        return f"{option} is now called {RENAMED[option]}"
    path = error.ctx.command_path if error.ctx else "modaloom"
    return f"see {path} --help"


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train tokenizers and diffusion models on paired files; generate any stream from any others."""
    if version:
        typer.echo(f"modaloom {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
