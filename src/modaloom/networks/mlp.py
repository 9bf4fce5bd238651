"""Residual MLP for vectors: signals without axes.

Shapes: B batch, C channels, W width.
"""

from torch import Tensor, nn

from modaloom.networks.blocks import MLP


class ResidualMLPBlock(nn.Module):
    """x + MLP(norm x); the identity at initialisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(width), MLP(width)

    def forward(self, x_BW: Tensor) -> Tensor:
        y: Tensor = x_BW + self.mlp(self.norm(x_BW))
        return y


class ResidualMLP(nn.Module):
    """(B, channels) → (B, out): a linear map plus residual blocks; 0 at initialisation.

    The linear map is separate so that it can be initialised with a least-squares solution (`linear.weight`).

    Args:
        channels: input features C.
        out: output features.
        width: W of the residual blocks.
        blocks: number of residual blocks.
    """

    def __init__(self, channels: int, out: int, *, width: int, blocks: int = 1) -> None:
        super().__init__()
        self.linear, self.lift = nn.Linear(channels, out), nn.Linear(channels, width)
        self.blocks = nn.Sequential(*(ResidualMLPBlock(width) for _ in range(blocks)))
        self.head = nn.Linear(width, out, bias=False)
        for zero in (self.linear.weight, self.linear.bias, self.head.weight):
            nn.init.zeros_(zero)

    def forward(self, x_BC: Tensor) -> Tensor:
        y: Tensor = self.linear(x_BC) + self.head(self.blocks(self.lift(x_BC)))
        return y
