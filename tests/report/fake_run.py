"""A run folder as a finished training leaves it, with pictures and figures made up."""

import json
import math
from pathlib import Path
from typing import Any

from PIL import Image

CAPTION = "a <b>red</b> circle & a \"small\" 'square'"


def write_run(folder: Path, *, steps: int = 400, size: int = 16, finished: bool = True) -> Path:
    """Every file that a report reads."""
    folder.mkdir()
    put(folder / "config.json", {"version": 1, "seed": 7, "loom": {"depth": 6}})
    put(folder / "data.json", data())
    put(
        folder / "scores.json",
        {
            "n": 600,
            "rows": scores(),
            "notes": ["3 of 9 directions are scored"],
            "headline": ["Words → pictures: 93%."],
            "warnings": ["x < y"],
            "diagnosis": [{"row": "image->caption", "sentence": "Train < longer."}],
        },
    )
    put(folder / "information.json", {"pairs": mutual_information()})
    put(folder / "usage.json", {"image": usage(64)})
    lines = [json.dumps(record) for record in metrics(steps)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    write_samples(folder / "samples", size)
    if finished:
        (folder / "model").mkdir()
    return folder


def put(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def data() -> dict[str, Any]:
    return {
        "folder": "my pairs",
        "streams": {
            "image": {"modality": "image", "tokenizer": "vqvae-image", "grid": [4, 4]},
            "caption": {"modality": "text", "tokenizer": "bpe", "grid": [14]},
        },
        "counts": {"train": 8000, "test-seen": 500},
        "split": "Samples are kept apart by their keys.",
        "skipped": [f"{i:04}.png: is empty" for i in range(30)],
    }


def scores() -> list[dict[str, Any]]:
    def row(name: str, split: str, metric: str, value: float, **beside: float | None) -> dict[str, Any]:
        known = {"floor": 0.25, "baseline": 0.33, "retrieval": 0.7, "ceiling": 0.99, "n": 500, **beside}
        return {"row": name, "split": split, "metric": metric, "value": value, **known}

    return [
        row("image->caption", "test-seen", "slot.shape", 0.97),
        row("image->caption", "test-seen", "slot.mean", 0.941),
        row("image->caption", "level1", "slot.mean", 0.62),
        row("caption->image", "test-seen", "slot.mean", 0.31),
        row("caption->image", "level1", "psnr", 21.5, floor=None, ceiling=None),
        row("->image+caption", "test-seen", "exact", 0.82),
        row("tokenizer.image", "test-seen", "psnr", 31.25, floor=12.0, ceiling=None),
    ]


def mutual_information() -> list[dict[str, Any]]:
    def pair(given: str, want: str, bits: float, **beside: float | None) -> dict[str, Any]:
        known = {"low": bits - 0.5, "high": bits + 0.5, "entropy": 10.0, "exact": None, "n": 200, **beside}
        return {"given": given, "want": want, "bits": bits, **known}

    return [pair("image", "caption", 7.0, exact=7.25), pair("caption", "image", -0.125)]


def usage(codes: int) -> dict[str, Any]:
    counts = [[round(4000 / (1 + i)) for i in range(codes)], [100] * (codes - 3) + [0] * 3]
    return {"size": codes, "depth": 2, "counts": counts, "perplexity": [20.5, codes - 3.0]}


def metrics(steps: int) -> list[dict[str, Any]]:
    tokenizer = [
        {"stage": "vqvae-image", "step": i, "total": steps, "loss": 1.0, "loss.reconstruction": 0.5 / i**0.7}
        for i in range(1, steps + 1)
    ]
    loom = [
        {
            "stage": "loom",
            "step": i,
            "total": steps,
            "loss": 3.0,
            "loss.bits.image": 2 + 5 * math.exp(-i / 80) + 0.2 * math.sin(1.7 * i),
            "loss.bits.caption": 0.3 + 4 * math.exp(-i / 60),
            "samples_per_second": 900.0,
        }
        for i in range(1, steps)
    ]
    bounds = [
        {"stage": "loom", "step": i, "val.bits.image": 2.2 + 5 * math.exp(-i / 80), "val.bits.caption": None}
        for i in range(0, steps, max(1, steps // 10))
    ]
    return tokenizer + loom + bounds


def write_samples(folder: Path, size: int) -> None:
    """A block with a good sample and a bad one, and an atlas of three codes."""
    folder.mkdir()
    (folder / "given.caption.txt").write_text(CAPTION)
    roles = {"wanted": 40, "truth": 90, "nearest": 140}
    for name, shade in roles.items():
        gradient = (
            Image.radial_gradient("L").resize((size, size)).point(lambda v, shade=shade: (v + shade) % 256)
        )
        gradient.convert("RGB").save(folder / f"{name}.image.png")
    row = {"given": {"caption": "given.caption.txt"}} | {
        role: {"image": f"{role}.image.png"} for role in roles
    }
    block = {
        "given": ["caption"],
        "want": ["image"],
        "drawn": 48,
        "command": "modaloom generate run given --want image",
        "rows": [row],
        "worst": [{**row, "note": "slot.mean 0.50, wrong: shape"}],
    }
    put(folder / "index.json", {"split": "level2", "blocks": [block]})
    Image.linear_gradient("L").resize((16 * 16, 32)).convert("RGBA").save(folder / "atlas.image.png")
    shares = {"codes": [5, 0, 9], "shares": [0.7, 0.2, 0.1], "used": 3, "columns": 16}
    put(folder / "atlas.json", {"image": {"file": "atlas.image.png", **shares}})
