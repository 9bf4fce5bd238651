"""Diffusion over codes. Knows no network: only a denoiser."""

from modaloom.diffusion.masked import Masked
from modaloom.diffusion.process import Process
from modaloom.diffusion.uniform import Uniform

PROCESSES: dict[str, type[Process]] = {"masked": Masked, "uniform": Uniform}
