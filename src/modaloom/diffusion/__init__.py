"""Diffusion of codes and of signals. Depends on no network, only on a denoiser."""

from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.process import Process
from modaloom.diffusion.uniform import Uniform

PROCESSES: dict[str, type[Process]] = {"masked": Masked, "uniform": Uniform}
GAUSSIAN_PROCESSES: dict[str, type[GaussianProcess]] = {"flow": RectifiedFlow, "gaussian": VariancePreserving}
