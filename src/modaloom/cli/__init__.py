"""The command line: parses arguments, calls `modaloom.api`, prints. Results go to stdout, the rest to stderr.

Exit codes: 0 success; 1 the work failed; 2 wrong usage; 130 stopped by Ctrl-C outside of training.
MODALOOM_DEBUG=1 prints the traceback of an error.
"""

from modaloom.cli.app import Command, app
from modaloom.cli.audit import audit
from modaloom.cli.chat import chat
from modaloom.cli.cut import cut
from modaloom.cli.draw import detokenize, generate, tokenize
from modaloom.cli.explain import explain
from modaloom.cli.export import export
from modaloom.cli.look import bench, evaluate, inspect, report
from modaloom.cli.probabilities import probabilities
from modaloom.cli.restore import restore
from modaloom.cli.shard import shard
from modaloom.cli.train import demo, train, world

COMMANDS = (
    demo,
    inspect,
    shard,
    train,
    generate,
    probabilities,
    restore,
    tokenize,
    detokenize,
    cut,
    evaluate,
    audit,
    explain,
    chat,
    report,
    export,
    world,
    bench,
)
"""In the order of the help."""

for _command in COMMANDS:
    app.command(cls=Command)(_command)

main = app

__all__ = ["COMMANDS", "app", "main"]
