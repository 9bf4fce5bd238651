"""What the names of version 0.1 are called now: for the message to someone who still uses one."""

from collections.abc import Collection, Mapping

RENAMED: Mapping[str, str] = {
    # settings: whole keys, then last parts of keys
    "vqvae": "tokenizers.image",
    "bpe": "tokenizers.text",
    "task": "restorer.task",
    "loom.depth": "loom.num_layers",
    "loom.heads": "loom.num_heads",
    "loom.separate": "loom.encoder_decoder",
    "loom.roles": "loom.mixture",
    "restorer.drawing": "restorer.sampling",
    "heads": "num_heads",
    "size": "codebook_size",
    "depth": "num_quantizers",
    "grid": "code_grid",
    "blocks": "num_res_blocks",
    "dim": "latent_dim",
    "tint": "global_codes",
    "varied": "augment_prob",
    "dead": "dead_code_threshold",
    "revived": "max_restart_fraction",
    "gradient": "gradient_estimator",
    "adaptive": "adaptive_distortion",
    "vocabulary": "vocab_size",
    "data.limits.side": "data.limits.image.max_side",
    "data.limits.tokens": "data.limits.text.max_tokens",
    "data.limits.bins": "data.limits.record.max_bins",
    "sides": "crop_sizes",
    "scales": "crop_scales",
    "candidates": "crop_candidates",
    "means": "mean_prob",
    "leaps": "mean_flow_prob",
    "octaves": "fourier_frequencies",
    "folds": "space_to_depth_steps",
    "alone": "uncond_prob",
    "joint": "joint_prob",
    "full": "full_noise_prob",
    "power": "noise_power",
    "jitter": "choice_temperature",
    "churn": "remask",
    "opening": "unconditional_sampler",
    "spacing": "timestep_spacing",
    "fault": "degradation",
    "code_dim": "codebook_dim",
    "start": "initial_codes",
    "every": "doubling_steps",
    "target": "target_distortion",
    "balance": "error_weight",
    "clip": "max_grad_norm",
    "batch": "batch_size",
    "ema": "ema_decay",
    # options of the command line
    "--jitter": "--choice-temperature",
    "--churn": "--remask",
    "--opening": "--unconditional-sampler",
    "--spacing": "--timestep-spacing",
    "--information": "--mutual-information",
    # samplers, tasks, tokenizers
    "jump": "mean_flow",
    "dpm": "dpmpp_2m",
    "sde_dpm": "dpmpp_2m_sde",
    "confidence": "maskgit",
    "certainty": "top_probability",
    "revising": "remasking",
    "paint": "image_to_image",
    "direct": "categorical",
    "straight": "straight_through",
}


def new_name(old: str, allowed: Collection[str]) -> str | None:
    """What `old` is called now, if that is allowed; a dotted name by its whole, else by its last part.

    Of a dotted new name only the first part needs to be allowed: it may lie in another section.
    """
    section, _, last = old.rpartition(".")
    for name, prefix in ((old, ""), (last, f"{section}." if section else "")):
        new = RENAMED.get(name)
        if new is not None and {prefix + new, (prefix + new).split(".")[0]} & {*allowed}:
            return prefix + new
    return None
