"""Mini-batch descent: every row once an epoch, a rate that falls to 0, the same steps from the same seed."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue, WorkFailed
from modaloom.estimators.descent import BATCH_SIZE, descend
from modaloom.estimators.optimizers import OPTIMIZERS, make_optimizer

ROWS = torch.arange(2.0 * BATCH_SIZE + 5)[:, None]


def walk(seed: int, epochs: int = 2) -> tuple[list[Tensor], list[float], list[float], list[float]]:
    """Batches, means, the parameter after each epoch and the rate at each step, for a loss of slope 1."""
    weight, batches, rates, places = (
        nn.Parameter(torch.zeros(())),
        list[Tensor](),
        list[float](),
        list[float](),
    )
    optimizer = torch.optim.SGD([weight], lr=1.0)

    def loss(batch: Tensor, generator: torch.Generator) -> Tensor:
        batches.append(batch.flatten())
        rates.append(optimizer.param_groups[0]["lr"])
        return weight + batch.mean() - weight.detach()

    means = []
    for mean in descend(loss, ROWS, optimizer, epochs=epochs, seed=seed):
        means.append(mean)
        places.append(weight.item())
    return batches, means, places, rates


def test_each_epoch_sees_every_row_once_in_its_own_order() -> None:
    batches = walk(0)[0]
    assert [len(batch) for batch in batches] == [BATCH_SIZE, BATCH_SIZE, 5] * 2
    first, second = torch.cat(batches[:3]), torch.cat(batches[3:])
    assert torch.equal(first.sort().values, ROWS.flatten())
    assert torch.equal(second.sort().values, ROWS.flatten())
    assert not torch.equal(first, second)
    assert torch.equal(first, torch.cat(walk(0)[0][:3]))
    assert not torch.equal(first, torch.cat(walk(1)[0][:3]))


def test_the_mean_of_an_epoch_is_over_rows() -> None:
    assert walk(0)[1] == pytest.approx([float(ROWS.mean())] * 2)


def test_the_rate_falls_linearly_to_0() -> None:
    _, _, places, rates = walk(0)
    assert rates == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert places == pytest.approx([-2.5, -3.5])


def test_a_loss_that_is_not_finite_stops_the_work() -> None:
    weight = nn.Parameter(torch.ones(()))
    steps = descend(
        lambda batch, generator: weight * torch.inf, ROWS, torch.optim.SGD([weight]), epochs=1, seed=0
    )
    with pytest.raises(WorkFailed, match="epoch 1; try an optimizer with a lower learning rate"):
        next(steps)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_down(name: str) -> None:
    module = nn.Linear(1, 1)
    optimizer = make_optimizer(name, module)
    before = module.bias.item()
    module.bias.sum().backward()
    optimizer.step()
    assert module.bias.item() < before


def test_an_unknown_optimizer_is_refused_with_the_near_miss() -> None:
    with pytest.raises(BadValue, match="did you mean 'adam'"):
        make_optimizer("adma", nn.Linear(1, 1))
