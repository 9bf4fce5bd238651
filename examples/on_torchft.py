"""modaloom on torchft: replicas train a Loom, are lost and come back, and nothing is repeated or left out.

    python examples/on_torchft.py prepare FOLDER --out RUN --steps 1000   # tokenizers, a step of the Loom
    torchft_lighthouse --min_replicas 1 --bind [::]:29510                 # on HOST
    export TORCHFT_LIGHTHOUSE=http://HOST:29510
    python examples/on_torchft.py replica RUN                             # any number of them, at any time
    modaloom train --resume --out RUN                                     # scores, and the finished model

Needs `pip install 'modaloom[torchft]'`. RUN and FOLDER must be at the same place for all replicas, and their
host names known to each other.
"""

import argparse
import signal
import socket
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.distributed import ReduceOp, TCPStore
from torchft import Manager, ProcessGroupGloo

import modaloom
from modaloom.data.atomic_io import digest
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.files import LOOM
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.checkpoint import Checkpoint, newest, pack_tensors, save
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.collectives import Collectives
from modaloom.training.interrupts import Interrupted
from modaloom.training.loop import Step, Training
from modaloom.training.stages import run_stages

PATIENCE = timedelta(seconds=30)
"""The longest that a replica waits for an exchange with the others."""


class ReplicaLost(Exception):
    """An exchange of this step failed; the step is taken again by those that are left."""


class Replicas(Collectives):
    """The replicas that take a step together: as many as torchft's manager finds before it."""

    size, rank = 1, 0

    def __init__(self, manager: Manager) -> None:
        self.manager = manager

    def meet(self) -> None:
        """Before a step: agree on who takes it. A replica that is behind gets the state of another."""
        self.manager.start_quorum()
        self.size, self.rank = self.manager.num_participants(), self.manager.participating_rank()

    def commit(self, *_: Any) -> None:
        """Before weights change, once a step: raises `ReplicaLost` if an exchange of the step has failed."""
        if not self.manager.should_commit():
            raise ReplicaLost

    def all_reduce(self, value: Tensor) -> Tensor:
        self.manager.allreduce(value, reduce_op=ReduceOp.SUM).wait()
        if self.manager.errored():
            self.commit()
        return value

    def all_gather(self, value: Tensor) -> list[Tensor]:
        every = value.new_zeros(self.size, *value.shape)
        every[self.rank] = value
        return [*self.all_reduce(every)]

    def broadcast(self, value: Tensor) -> Tensor:
        return self.all_gather(value)[0]

    def barrier(self) -> None:
        self.numbers(0)

    def first(self) -> AbstractContextManager[None]:
        return nullcontext()  # each prepares by itself: who is rank 0 may change

    in_turn = first

    def answered(self, operation: str) -> AbstractContextManager[None]:
        return nullcontext()


def prepare(folder: str, out: str, steps: int, **options: Any) -> None:
    """Train the tokenizers and the first step of the Loom, in one process; `options` of `modaloom.train`."""

    def stop(step: Step) -> None:
        if step.stage == LOOM:
            signal.raise_signal(signal.SIGINT)

    with suppress(Interrupted):
        callbacks = modaloom.TrainCallbacks(on_step=stop)
        modaloom.train(folder, out=out, steps=steps, device="cpu", callbacks=callbacks, **options)


def replica(run: str) -> None:
    """Train the Loom to its end with the replicas that come; the first of them saves checkpoints."""
    host = socket.gethostname()
    store = TCPStore(host, 0, is_master=True, wait_for_workers=False)
    manager = Manager(
        pg=ProcessGroupGloo(timeout=PATIENCE),
        load_state_dict=None,
        state_dict=None,
        min_replica_size=1,
        use_async_quorum=False,  # nothing is computed with a state that is behind
        timeout=PATIENCE,
        rank=0,
        world_size=1,
        store_addr=host,
        store_port=store.port,
    )
    replicas, folder = Replicas(manager), RunFolder.follow(Path(run), LoomRunConfig)
    training = begun(folder, replicas)
    manager.load_state_dict({"step": training.step, "batches_committed": 0})
    manager.register_state_dict_fn(
        "training", lambda state: training.restore(Checkpoint(**state)), lambda: vars(training.checkpoint())
    )
    next(iter(training.optimizers.members.values())).register_step_pre_hook(replicas.commit)
    saved, seconds = time.monotonic(), folder.run().training.checkpoint_seconds
    while training.step < training.total:
        replicas.meet()
        with suppress(ReplicaLost):
            training.advance()
            print(f"step {training.step} of {training.total}: {replicas.size} replicas", flush=True)
            last = training.step == training.total
            if replicas.leads and (last or time.monotonic() - saved >= seconds):
                save(folder.checkpoints(LOOM), training.checkpoint())
                saved = time.monotonic()
    print("weights", digest(pack_tensors(training.stage.module.state_dict())), flush=True)
    manager.shutdown()


def begun(folder: RunFolder[LoomRunConfig], replicas: Replicas) -> Training:
    """The training of the Loom, from its newest checkpoint."""
    config = folder.run()
    alone = Accelerator("cpu", config.training.precision)
    together = Accelerator("cpu", config.training.precision, replicas)
    index = config.data.open(Path(folder.data()["folder"]))
    *tokenizers, loom = LoomTrainer(folder, index, together, notify=print).plans()
    for _ in run_stages(tokenizers, folder, alone, notify=print):
        raise SystemExit("the tokenizers are not trained; see `prepare`")
    stage = loom.build()
    schedule = config.training.schedule_of(LOOM, stage.optimizer)
    training = Training(stage, together, schedule, seed=config.seed, ema=config.training.ema_decay)
    found = newest(folder.checkpoints(LOOM)).checkpoint
    if not found:
        raise SystemExit("the Loom is not begun; see `prepare`")
    training.restore(found)
    return training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    command = verbs.add_parser("prepare")
    command.add_argument("folder")
    command.add_argument("--out", required=True)
    command.add_argument("--steps", type=int, required=True)
    verbs.add_parser("replica").add_argument("run")
    asked = vars(parser.parse_args())
    {"prepare": prepare, "replica": replica}[asked.pop("verb")](**asked)


if __name__ == "__main__":
    main()
