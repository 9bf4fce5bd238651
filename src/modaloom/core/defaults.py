"""What is taken where nothing is said: the one place of every default that several verbs share.

Nothing is imported here, so that the command line can show them without loading torch.
"""

DEVICE = "auto"
"""The best device that there is."""
SEED = 0
DEMO_OUT = "runs/demo"
DEMO_MINUTES = 8.0
"""Of the demo's training."""
DRAWS = 4
"""Without inputs."""
FOLDER_DRAWS = 1
"""Of each sample of a folder."""
EVALUATION_SAMPLES = 500
"""Most samples a direction and split."""
AUDIT_SAMPLES = 500
"""Most samples whose pairs are looked at."""
INFORMATION_SAMPLES = 200
"""Most samples that a pair of streams is asked about."""
WORLD = "solo"
WORLD_SAMPLES = 1000
"""Of the training split."""
WORLD_SIDE = 32
"""Of the world's pictures, pixels."""
SHARD_SAMPLES = 10_000
"""Most of a tar shard."""
SHARD_MEGABYTES = 1000.0
"""Of a tar shard."""
LAYOUT = "auto"
"""Of a data folder: recognised."""
PRESET = "auto"
"""Of a training that is given neither a preset nor a configuration: chosen for data, device and time."""
TRAIN_SAMPLES = 200
"""Test samples that a direction is scored on at the end of a training."""
SHOT = 2.0
"""Seconds that a shot of a film should last."""
TRAIN_MINUTES = 15.0
"""Of a training that is given neither minutes nor steps."""
EXPLAIN_ORDERS = 8
"""In which the parts of a given stream are shown."""
OUTPUT = "files"
"""Form of generated samples."""
FORMAT = "modaloom"
"""Of an export: a smaller run."""
