"""Which processes train together: those of torchrun, or N of this machine. Wrong calls start none."""

import os
import re
import subprocess

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.training.launch import LOCAL_RANK, MAX_PROCESSES_PER_CORE, RANK, SIZE, _own_device, joined


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*args: object, **options: object) -> None:
        raise AssertionError("a process is started")

    monkeypatch.setattr(subprocess, "Popen", start)
    for name in (RANK, SIZE, LOCAL_RANK):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({RANK: "1"}, "RANK is set alone; torchrun sets RANK and WORLD_SIZE"),
        ({SIZE: "2"}, "WORLD_SIZE is set alone"),
        ({RANK: "2", SIZE: "2"}, "RANK is 2 and WORLD_SIZE is 2; ranks are counted from 0"),
        ({RANK: "0", SIZE: "0"}, "RANK is 0 and WORLD_SIZE is 0"),
        ({RANK: "-1", SIZE: "2"}, "RANK is '-1'; it must be a whole number"),
    ],
)
def test_variables_that_contradict_each_other(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadValue, match=re.escape(says)), joined(1, "cpu", ()):
        pass


@pytest.mark.parametrize("devices", [0, -2, 10**6])
def test_numbers_of_processes_that_no_machine_has(devices: int) -> None:
    most = MAX_PROCESSES_PER_CORE * (os.cpu_count() or 1)
    says = "must be at least 1" if devices < 1 else f"start one for each core of this machine, at most {most}"
    with pytest.raises(BadValue, match=says), joined(devices, "cpu", ()):
        pass


def test_every_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(BadValue, match="devices is 3; this machine has 2 GPUs"):
        _own_device(torch.device("cuda"), 2)
