"""What all tests share."""

from collections.abc import Iterator

import pytest

from modaloom.restorer import trainer

MANY = trainer.NUM_MEASURED_PAIRS


@pytest.fixture(scope="session", autouse=True)
def few_measured_pairs() -> Iterator[None]:
    """Filters and scales of Restorers are fitted to few examples: trainings here are many and short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "NUM_MEASURED_PAIRS", MANY // 10)
        yield


@pytest.fixture
def many_measured_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are fitted to as many as a user's."""
    monkeypatch.setattr(trainer, "NUM_MEASURED_PAIRS", MANY)
