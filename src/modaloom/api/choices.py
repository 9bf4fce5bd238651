"""Valid names of arguments, from the registries."""

from collections.abc import Mapping

from modaloom.api.exporting import FORMATS
from modaloom.bench import BENCHES
from modaloom.core.defaults import PRESET
from modaloom.data.layout import LAYOUTS
from modaloom.data.outputs import OUTPUTS
from modaloom.diffusion.samplers import AUTO, CODE_SAMPLERS
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS
from modaloom.engines import ENGINES
from modaloom.restorer.config import MEAN_FLOW
from modaloom.restorer.inference import MODES
from modaloom.training.accelerator import DEVICES
from modaloom.world.worlds import WORLDS

CHOICES: Mapping[str, tuple[str, ...]] = {
    "benches": (*BENCHES,),
    "code_samplers": (AUTO, *CODE_SAMPLERS),
    "formats": (*FORMATS,),
    "devices": ("auto", *DEVICES),
    "layouts": (*LAYOUTS,),
    "modes": (*MODES,),
    "outputs": (*OUTPUTS,),
    "presets": (PRESET, *dict.fromkeys(name for engine in ENGINES.values() for name in engine.presets)),
    "signal_samplers": (AUTO, MEAN_FLOW, *SIGNAL_SAMPLERS),
    "tasks": (*(name for engine in ENGINES.values() for name in engine.tasks),),
    "timestep_spacings": (*TIMESTEP_SPACINGS,),
    "worlds": (*WORLDS,),
}
"""Argument type → valid names; `{tasks}` in an option's help is replaced by them."""
