"""The axes of a signal: time, or rows and columns; where there are three, time is the first of them."""


def by_axis(axes: int, side: int, frames: int) -> tuple[int, ...]:
    """`side` for each of so many axes, but `frames` for the first of three."""
    return (frames, side, side) if axes == 3 else (side,) * axes
