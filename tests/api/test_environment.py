"""What importing modaloom asks of torch's libraries, which read it once, when torch loads."""

import json
import os
import subprocess
import sys

import pytest

ASKED = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "20000",
    "LRU_CACHE_CAPACITY": "256",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256",
}


@pytest.mark.parametrize("own", [{}, {"OMP_WAIT_POLICY": "ACTIVE", "LRU_CACHE_CAPACITY": "7"}])
def test_threads_sleep_and_kernels_are_few_unless_the_environment_says_otherwise(own: dict[str, str]) -> None:
    code = "import modaloom, sys, os, json; print('torch' in sys.modules, json.dumps(dict(os.environ)))"
    outside = {name: value for name, value in os.environ.items() if name not in ASKED}
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, env={**outside, **own}, capture_output=True, text=True, check=True).stdout
    loaded, _, environment = said.partition(" ")
    assert loaded == "False"
    expected = {**ASKED, **own}
    if own:
        del expected["GOMP_SPINCOUNT"]  # of a policy that is not ours
    assert {name: value for name, value in json.loads(environment).items() if name in ASKED} == expected
