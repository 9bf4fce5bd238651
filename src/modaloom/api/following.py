"""The processes that `train` starts for `devices`: all ranks but the first."""

import os
import sys
import traceback

from modaloom.api.fitting import follow
from modaloom.core.errors import ModaloomError, RankZeroStopped, WorkFailed
from modaloom.training.interrupts import Interrupted
from modaloom.training.launch import joined

CODE = "from modaloom.api.following import main; main()"


def follower(device: str) -> list[str]:
    """The command line of such a process."""
    return [sys.executable, "-c", CODE, device]


def main() -> None:
    """Train as a rank other than 0, on the device of the command line; rank 0 tells the rest.

    The process ends without Python's clean-up, in which threads of torch can be caught.
    """
    (device,) = sys.argv[1:]
    code = 1
    try:
        with joined(1, device, ()) as ranks:
            follow(ranks, device)
        code = 0
    except (RankZeroStopped, Interrupted):
        pass
    except (ModaloomError, WorkFailed) as error:
        print(f"error: {error}", file=sys.stderr)
    except Exception:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)
