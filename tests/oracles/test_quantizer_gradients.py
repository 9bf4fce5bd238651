"""The rotation trick against rotations written out as matrices."""

import pytest
import torch
from draws import normal, seeded
from torch import Tensor

from modaloom.quantizers import build
from modaloom.quantizers.gradients import GRADIENT_ESTIMATORS, rotation_trick


def rotation(a: Tensor, b: Tensor) -> Tensor:
    """The rotation in the plane of a and b that turns a's direction to b's, from its angle (Rodrigues)."""
    u = a / a.norm()
    angle = torch.acos((u @ b / b.norm()).clamp(-1, 1))
    v = b - (b @ u) * u
    v = v / v.norm()
    turn = torch.outer(v, u) - torch.outer(u, v)
    return torch.eye(len(a)).double() + angle.sin() * turn + (1 - angle.cos()) * turn @ turn


def test_the_gradient_is_turned_back_and_scaled() -> None:
    """λRᵀg, where λR turns z to q; R from its angle, in float64."""
    z, q, g = (normal(20, 5, seed=seed).double() for seed in range(3))
    z.requires_grad_()
    (rotation_trick(z, q) * g).sum().backward()
    for one_z, one_q, one_g, found in zip(z.detach(), q, g, z.grad):
        scaled = one_q.norm() / one_z.norm() * rotation(one_z, one_q)
        torch.testing.assert_close(scaled @ one_z, one_q)
        torch.testing.assert_close(found, scaled.T @ one_g)


@pytest.mark.parametrize("opposite", [False, True])
def test_where_there_is_no_rotation_the_gradient_passes_as_it_is(opposite: bool) -> None:
    z = normal(3, 4).requires_grad_()
    q = -2 * z.detach() if opposite else torch.zeros(3, 4)
    weight = normal(3, 4, seed=1)
    (rotation_trick(z, q) * weight).sum().backward()
    assert torch.equal(z.grad, weight)
    zero = torch.zeros(3, 4, requires_grad=True)
    (rotation_trick(zero, normal(3, 4)) * weight).sum().backward()
    assert torch.equal(zero.grad, weight)


def test_a_zero_residue_passes_the_gradient_as_it_is() -> None:
    """q = z: the identity."""
    z, weight = normal(6, 4).requires_grad_(), normal(6, 4, seed=1)
    (rotation_trick(z, z.detach()) * weight).sum().backward()
    torch.testing.assert_close(z.grad, weight)


@pytest.mark.parametrize("name", GRADIENT_ESTIMATORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_q9_forward_is_bitwise_the_code_and_no_gradient_reaches_it(name: str, dtype: torch.dtype) -> None:
    z, q = normal(50, 4).to(dtype).requires_grad_(), normal(50, 4, seed=1).requires_grad_()
    out = GRADIENT_ESTIMATORS[name](z, q)
    assert torch.equal(out.detach().view(torch.int32), q.detach().view(torch.int32))
    out.sum().backward()
    assert q.grad is None
    assert z.grad.dtype == dtype


@pytest.mark.parametrize("depth", [1, 3])
def test_a_quantizer_passes_it_from_the_whole_of_what_it_decodes(depth: int) -> None:
    quantizer = build("vq", 4, 16, depth, gradient_estimator="rotation")
    quantizer(normal(200, 4), generator=seeded())
    z = normal(30, 4, seed=1).requires_grad_()
    weight, out = normal(30, 4, seed=2), quantizer.eval()(z)
    (out.z_q * weight).sum().backward()
    again = z.detach().clone().requires_grad_()
    (rotation_trick(again, out.z_q.detach()) * weight).sum().backward()
    assert torch.equal(z.grad, again.grad)
    assert not torch.allclose(z.grad, weight, atol=0.1)
