"""Pictures of the worlds and what degrades them, broken."""

from mutant import Mutant

FILTERS, PALETTE = "oracles/test_picture_filters.py", "oracles/test_palette.py"
DERIVED, DUO = "world/test_derived.py", "world/test_duo_scene.py"

PICTURES = (
    Mutant(
        "colours of another profile as they are",
        "modalities/image.py",
        "in_srgb(ImageOps.exif_transpose(image))",
        "ImageOps.exif_transpose(image)",
        "modalities/test_image_profile.py",
    ),
    Mutant(
        "surnames are streams",
        "data/names.py",
        "if stream not in doubtful and ",
        "if ",
        "data/test_folder.py",
    ),
    Mutant(
        "names of other Unicode forms are other samples",
        "data/folder.py",
        'unicodedata.normalize("NFC", (path.parent / stem).relative_to(self.root).as_posix())',
        "(path.parent / stem).relative_to(self.root).as_posix()",
        "data/test_folder.py",
    ),
    Mutant(
        "a stream is left out without a word",
        "loom/dataset.py",
        '        notify(f"{message}; it is left out")\n',
        "",
        "loom/test_left_out.py",
    ),
    Mutant(
        "a run among its samples",
        "api/training.py",
        "if path.resolve().is_relative_to(data.resolve()):",
        "if False:",
        "loom/test_left_out.py",
    ),
    Mutant(
        "grey weighted in sRGB instead of linear light",
        "degradations/grey.py",
        "torch.tensor(LUMINANCE).to(image), linear)",
        "torch.tensor(LUMINANCE).to(image), image)",
        FILTERS,
    ),
    Mutant(
        "a smaller picture with aliases",
        "degradations/downsample.py",
        "antialias=True",
        "antialias=False",
        FILTERS,
    ),
    Mutant(
        "brush strokes by the mean square instead of the variance",
        "degradations/kuwahara.py",
        "stride=1) - mean**2)",
        "stride=1))",
        FILTERS,
    ),
    Mutant(
        "tiles that see the pixel's own square alone",
        "degradations/mosaic.py",
        "for right in (-1, 0, 1)",
        "for right in (0,)",
        FILTERS,
    ),
    Mutant(
        "a tile's colour not divided by its own size",
        "degradations/mosaic.py",
        "(sums / count)",
        "(sums / count.mean())",
        FILTERS,
    ),
    Mutant(
        "colours named by the unlikeliest at a level",
        "world/palette.py",
        "sum(max(share.get(level, 0.0)",
        "sum(min(share.get(level, 0.0)",
        PALETTE,
    ),
    Mutant(
        "a pair's chance from all of its scenes",
        "world/palette.py",
        "max(count, commonest.get(place, 0))",
        "count + commonest.get(place, 0)",
        PALETTE,
    ),
    Mutant(
        "edges as soft in pixels of 32 at any side",
        "world/image.py",
        "0.5 - distance * scale",
        "0.5 - distance",
        "world/test_world_image.py",
    ),
    Mutant(
        "the source rendered anew for every stream",
        "world/rule.py",
        "if rule not in made:",
        "if True:",
        DERIVED,
    ),
    Mutant(
        "things above each other stand beside each other",
        "world/duo/scene.py",
        'if relation != "above":',
        'if relation == "above":',
        DUO,
    ),
    Mutant(
        "triples of colours that depend on which object is first",
        "world/duo/splits.py",
        "one + other + 2 *",
        "one - other + 2 *",
        DUO,
    ),
    Mutant(
        "pairs that training must not see in the second object",
        "world/duo/splits.py",
        "if first in LEVEL1 or second in LEVEL1:",
        "if first in LEVEL1:",
        DUO,
    ),
)
