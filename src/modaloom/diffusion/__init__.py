"""Diffusion over codes and over signals. Knows no network: only a denoiser."""

from modaloom.diffusion.continuous import Continuous
from modaloom.diffusion.flow import Flow
from modaloom.diffusion.gaussian import Gaussian
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.process import Process
from modaloom.diffusion.uniform import Uniform

PROCESSES: dict[str, type[Process]] = {"masked": Masked, "uniform": Uniform}
CONTINUOUS: dict[str, type[Continuous]] = {"flow": Flow, "gaussian": Gaussian}
