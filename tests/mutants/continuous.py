"""Diffusion of signals: processes, walks and what trains them, broken."""

from mutant import Mutant

PROCESSES = "oracles/test_signal_processes.py"
WALKS = "oracles/test_signal_samplers.py"
SPACING = "oracles/test_spacing.py"
EDM = "oracles/test_preconditioning.py"
MEAN_FLOW = "oracles/test_mean_flow.py"
GUIDANCE = "oracles/test_signal_guidance.py"
STANDARD = "oracles/test_standard.py"
D = "diffusion/"
W = "diffusion/samplers/continuous/"

CONTINUOUS = (
    Mutant("β starts late", D + "angle.py", "self.first * t +", "self.first * t.square() +", PROCESSES),
    Mutant(
        "β twice its integral",
        D + "angle.py",
        "(self.last - self.first) / 2 * t",
        "(self.last - self.first) * t",
        PROCESSES,
    ),
    Mutant("ᾱ for √ᾱ", D + "angle.py", ".expm1().sqrt()", ".expm1()", PROCESSES),
    Mutant(
        "linear's speed doubled", D + "angle.py", "/ (2 * self._tangent(t))", "/ self._tangent(t)", PROCESSES
    ),
    Mutant(
        "time past the end",
        D + "angle.py",
        ".clamp_max(1)\n\n    def _tangent",
        "\n\n    def _tangent",
        SPACING,
    ),
    Mutant("wrong root of the time", D + "angle.py", "(self.first + root)", "(root - self.first)", PROCESSES),
    Mutant(
        "zero-terminal keeps its end",
        D + "angle.py",
        "- last) / (1 - last)).asin()",
        ") / (1 - last)).asin()",
        PROCESSES,
    ),
    Mutant(
        "zero-terminal only shifted",
        D + "angle.py",
        "- last) / (1 - last)).asin()",
        "- last)).asin()",
        PROCESSES,
    ),
    Mutant(
        "zero-terminal angle without √2",
        D + "angle.py",
        "(math.sqrt(2) * self._half(torch",
        "(1.4 * self._half(torch",
        PROCESSES,
    ),
    Mutant(
        "zero-terminal speed unscaled",
        D + "angle.py",
        "((1 - last) * self.angle(t).sin())",
        "self.angle(t).sin()",
        PROCESSES,
    ),
    Mutant("signal grows", D + "gaussian.py", "-level.noise * speed", "level.noise * speed", PROCESSES),
    Mutant("time of the ratio itself", D + "gaussian.py", "ratio.atan()", "ratio", PROCESSES),
    Mutant("flow's time inverted", D + "flow.py", "1 / (1 + 1 / ratio)", "1 / (1 + ratio)", PROCESSES),
    Mutant(
        "flow's rate is 0",
        D + "flow.py",
        "Level(-torch.ones_like(t),",
        "Level(torch.zeros_like(t),",
        PROCESSES,
    ),
    Mutant(
        "velocity forgets ε",
        D + "continuous.py",
        "drift + rate.noise * level",
        "drift + 0 * level",
        PROCESSES,
    ),
    Mutant(
        "velocity not finite at data",
        D + "continuous.py",
        "torch.where(level.noise > 0, drift",
        "torch.where(level.noise >= 0, drift * 0 / level.noise + drift",
        WALKS,
    ),
    Mutant(
        "v by no power",
        D + "prediction.py",
        "level.noise * output) / _power(level)",
        "level.noise * output)",
        PROCESSES,
    ),
    Mutant("velocity's sign", D + "prediction.py", "return noise - data", "return data - noise", PROCESSES),
    Mutant(
        "velocity of a flow alone",
        D + "prediction.py",
        "output) / (level.signal + level.noise)",
        "output)",
        PROCESSES,
    ),
    Mutant(
        "velocity's gain without square",
        D + "prediction.py",
        "(level.noise / (level.signal + level.noise)).square()",
        "level.noise / (level.signal + level.noise)",
        PROCESSES,
    ),
    Mutant(
        "ratio upside down",
        D + "level.py",
        "return self.noise / self.signal\n",
        "return self.signal / self.noise\n",
        PROCESSES,
    ),
    Mutant("euler backwards", W + "euler.py", "over(s - t, x)", "over(t - s, x)", WALKS),
    Mutant(
        "heun is euler",
        W + "heun.py",
        "denoise(ahead, s), s)) / 2",
        "denoise(ahead, s), s) * 0 + slope) / 2",
        WALKS,
    ),
    Mutant(
        "heun looks from the old state",
        W + "heun.py",
        "process.velocity(ahead, denoise(ahead, s), s)",
        "process.velocity(x, denoise(x, s), s)",
        WALKS,
    ),
    Mutant(
        "heun evaluates data",
        W + "heun.py",
        "if bool((process.level(s, x).noise > 0).all()):",
        "if True:",
        WALKS,
    ),
    Mutant("dpm looks a whole step ahead", W + "dpm.py", "size / (2 * last_size)", "size / last_size", WALKS),
    Mutant("dpm looks back", W + "dpm.py", "* (mean - last)", "* (last - mean)", WALKS),
    Mutant(
        "dpm forgets unequal steps",
        W + "dpm.py",
        "size / (2 * last_size)",
        "torch.full_like(size, 0.5)",
        WALKS,
    ),
    Mutant(
        "dpm not finite at the ends",
        W + "dpm.py",
        "torch.where(bounded, size / (2 * last_size), 0)",
        "size / (2 * last_size)",
        WALKS,
    ),
    Mutant(
        "dpm remembers the look-ahead", W + "dpm.py", "before = mean, now\n", "before = aim, now\n", WALKS
    ),
    Mutant("ddpm keeps no ε", W + "ddpm.py", "kept * now.noise_of", "0 * now.noise_of", WALKS),
    Mutant(
        "ddpm with noise to spare", W + "ddpm.py", "(1 - kept.square()).sqrt()", "(1 - kept).sqrt()", WALKS
    ),
    Mutant("ddpm without fresh noise", W + "ddpm.py", ".sqrt() * fresh", ".sqrt() * 0", WALKS),
    Mutant(
        "ddpm keeps the square",
        W + "ddpm.py",
        "kept = then.ratio / now.ratio",
        "kept = (then.ratio / now.ratio).square()",
        WALKS,
    ),
    Mutant(
        "sde_dpm without fresh noise", W + "sde_dpm.py", "noise.normal(*x.shape[1:]).to(x)", "x * 0", WALKS
    ),
    Mutant(
        "noise walks up",
        W + "walk.py",
        'bool((times.diff() < 0).all()):\n        raise BadValue(f"times must all fall within',
        'True:\n        raise BadValue(f"times must all fall or',
        WALKS,
    ),
    Mutant(
        "samples share their noise",
        D + "noise.py",
        "normals(self.each, *shape, generator=g) for g in self.generators",
        "normals(self.each, *shape, generator=self.generators[0]) for g in self.generators",
        WALKS,
    ),
    Mutant(
        "karras the other way",
        W + "spacing.py",
        "(first + parts * (last - first))",
        "(last + parts * (first - last))",
        SPACING,
    ),
    Mutant(
        "karras without its power",
        W + "spacing.py",
        "* (last - first)) ** rho",
        "* (last - first)) ** 6",
        SPACING,
    ),
    Mutant("logit without a mean", W + "spacing.py", "(mean + scale *", "(scale *", SPACING),
    Mutant("logit without a scale", W + "spacing.py", "(mean + scale *", "(mean +", SPACING),
    Mutant(
        "no steps",
        W + "spacing.py",
        '    check_range("steps", steps, 1)\n    check_range("low"',
        '    check_range("low"',
        SPACING,
    ),
    Mutant(
        "guidance from the wrong side",
        D + "guidance.py",
        "low + scale * (conditional(state, t) - low)",
        "conditional(state, t) + scale * (conditional(state, t) - low)",
        GUIDANCE,
    ),
    Mutant(
        "guidance's ends swapped",
        D + "guidance.py",
        "conditional if scale else free",
        "free if scale else conditional",
        GUIDANCE,
    ),
    Mutant(
        "c_skip of deviation 1",
        D + "prediction.py",
        "level.signal * share / root(level).square() * state",
        "level.signal / root(level).square() * state",
        EDM,
    ),
    Mutant(
        "c_out without d",
        D + "prediction.py",
        "return deviation * level.noise / root(level)",
        "return level.noise / root(level)",
        EDM,
    ),
    Mutant(
        "c_in of the power",
        D + "prediction.py",
        "return state / root(level), level",
        "return state / root(level).square(), level",
        EDM,
    ),
    Mutant("c_noise not a quarter", D + "prediction.py", ".reshape(-1) / 4", ".reshape(-1)", EDM),
    Mutant(
        "target's sign",
        D + "prediction.py",
        "level.noise * data - level.signal",
        "level.noise * data + level.signal",
        EDM,
    ),
    Mutant("weight without d", D + "weights.py", "level.snr + deviation**-2", "level.snr + 1", EDM),
    Mutant("SNR kept above", D + "weights.py", "clamp_max(most)", "clamp_min(most)", EDM),
    Mutant(
        "derivative of t left out",
        D + "mean_flow.py",
        "torch.ones_like(t))",
        "torch.zeros_like(t))",
        MEAN_FLOW,
    ),
    Mutant(
        "derivative by r",
        D + "mean_flow.py",
        "(flow, torch.zeros_like(r)",
        "(flow, torch.ones_like(r)",
        MEAN_FLOW,
    ),
    Mutant(
        "derivative along the sample's line",
        D + "mean_flow.py",
        "along = (flow,",
        "along = (velocity,",
        MEAN_FLOW,
    ),
    Mutant("target with a gradient", D + "mean_flow.py", "* slope).detach()", "* slope)", MEAN_FLOW),
    Mutant(
        "target's sign", D + "mean_flow.py", "(velocity - over(t - r", "(velocity + over(t - r", MEAN_FLOW
    ),
    Mutant(
        "velocity to the data", D + "mean_flow.py", "noise - data, r, t)", "data - noise, r, t)", MEAN_FLOW
    ),
    Mutant(
        "weight with a gradient", D + "mean_flow.py", "(error.detach() + TINY)", "(error + TINY)", MEAN_FLOW
    ),
    Mutant("always apart", D + "mean_flow.py", "< share\n", "< 1\n", MEAN_FLOW),
    Mutant(
        "denoiser of the wrong sign",
        D + "mean_flow.py",
        "state - over(t, state) *",
        "state + over(t, state) *",
        MEAN_FLOW,
    ),
    Mutant("jump the whole way", W + "jump.py", "over(t - r, x)", "over(t, x)", MEAN_FLOW),
    Mutant(
        "deviation in float32",
        D + "standard.py",
        "data.double().transpose",
        "data.half().transpose",
        STANDARD,
    ),
    Mutant(
        "back without the mean",
        D + "standard.py",
        "signal) + self._over(self.mean, signal)",
        "signal)",
        STANDARD,
    ),
    Mutant(
        "constant channels divide by 0",
        D + "standard.py",
        "torch.where(deviation > 0, deviation, 1)",
        "deviation",
        STANDARD,
    ),
    Mutant(
        "scale not stored",
        D + "standard.py",
        'self.register_buffer("deviation", torch.ones(channels))',
        'self.register_buffer("deviation", torch.ones(channels), persistent=False)',
        STANDARD,
    ),
)
