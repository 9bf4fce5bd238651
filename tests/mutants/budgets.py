"""Time budgets, numbers of threads and the choice of a preset, broken."""

from mutant import Mutant

PACE, THREADS, AUTO = "training/test_pace.py", "training/test_threads.py", "loom/test_auto.py"
FORM = "modalities/test_image_form.py"

BUDGETS = (
    Mutant(
        "a new aim that changes the learning rates before it",
        "runs/schedule.py",
        "(*kept, (done, total + 1))",
        "(*kept[:-1], (done, total + 1))",
        "runs/test_schedule.py",
    ),
    Mutant(
        "a fall that is aimed at the last step, not past it",
        "runs/schedule.py",
        "share * (end - until) / (end - begin)",
        "share * (end - 1 - until) / (end - 1 - begin)",
        "runs/test_schedule.py",
    ),
    Mutant(
        "a decay that is never taken back",
        "runs/schedule.py",
        "if done < MIN_PROGRESS * due:",
        "if done < 0:",
        "training/test_pace.py",
    ),
    Mutant(
        "a fall that forgets what was before",
        "runs/schedule.py",
        "(*self._before(done), (done, total + 1))",
        "((done, total + 1),)",
        "runs/test_schedule.py",
    ),
    Mutant(
        "a budget that trusts the first pace",
        "training/pace.py",
        "self.pace = 1 / (kept / self.pace + (1 - kept) * steps / seconds)  # an average of steps per second",
        "",
        "training/test_pace.py",
    ),
    Mutant(
        "an error that is compared with that of the step before",
        "training/plateau.py",
        "abs(other - step / 2)",
        "abs(other - step / 2**0.5)",
        "training/test_plateau.py",
    ),
    Mutant(
        "a pace of the last moments alone",
        "training/pace.py",
        "kept = math.exp(-seconds / min(self.smoothing, now - self._begun))",
        "kept = 0.5",
        PACE,
    ),
    Mutant(
        "a pace measured past the end of its schedule",
        "training/pace.py",
        "trapezoid(2 * (WARMUP_STEPS + MAX_TIMED_STEPS), warmup=0.5, decay=0.5)",
        "trapezoid(MAX_TIMED_STEPS // 2, warmup=0.5, decay=0.5)",
        PACE,
    ),
    Mutant(
        "a trial of other threads that is never taken back",
        "training/threads.py",
        "if pace >= GAIN * before:",
        "if pace < 0:",
        THREADS,
    ),
    Mutant(
        "fewer threads for ever",
        "training/threads.py",
        " or (fewer and self._since_trial > self.retry_seconds)",
        "",
        THREADS,
    ),
    Mutant(
        "threads of the next change",
        "training/threads.py",
        "in reversed(changes) if first <= step",
        "in changes if first >= step",
        THREADS,
    ),
    Mutant(
        "recorded threads for another schedule",
        "runs/config.py",
        "return self.threads.get(stage, ()) if self._is_recorded(stage) else ()",
        "return self.threads.get(stage, ())",
        THREADS,
    ),
    Mutant(
        "minutes beside the steps of the configuration",
        "api/configuring.py",
        "training=replace(training, steps=steps, schedule={}, threads={})",
        "training=training",
        "api/test_configuring.py",
    ),
    Mutant(
        "the best stage decides on a preset",
        "loom/auto.py",
        "return min(max(1, count)",
        "return max(max(1, count)",
        AUTO,
    ),
    Mutant(
        "a ladder climbed past the data",
        "loom/auto.py",
        "        if not missing:\n            break\n",
        "",
        AUTO,
    ),
    Mutant(
        "a trial on samples of all splits",
        "loom/auto.py",
        'if split_of[sample.key] == "train"]',
        'if split_of[sample.key] != "nowhere"]',
        AUTO,
    ),
    Mutant(
        "a time that is up, divided by",
        "training/pace.py",
        "least = max(seconds, MIN_STEPS * pace)",
        "least = seconds",
        PACE,
    ),
    Mutant(
        "transparency that darkens",
        "modalities/image_form.py",
        "255 - (255 - on_white) / share",
        "on_white",
        FORM,
    ),
    Mutant(
        "broken files that are forgotten",
        "loom/generation.py",
        'raise PartlyFailed(failures, f"{count:,} samples are in {out}")',
        "pass",
        "cli/test_cli_partial.py",
    ),
)
