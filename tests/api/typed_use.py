"""A user's script for the type checker: right calls pass, and each wrong one is an error, since an `ignore`
of no error would be one itself. It is not executed."""

import modaloom

run = modaloom.load("demo")
assert isinstance(run, modaloom.TrainedRun)
drawn = run.generate({"caption": "a star"}, want="image", n=2, steps=3, guidance=1.5)
print(drawn[0]["image"].size, modaloom.evaluate(run, "pairs", sampling={"steps": 3})[0].value)
for path in modaloom.restore("run", ["a.png"], out="out"):
    print(path.name)
run.generate(step=3)  # type: ignore[call-arg]
modaloom.evaluate(run, "pairs", sampling={"guidance": "much"})  # type: ignore[arg-type]
modaloom.evalute(run, "pairs")  # type: ignore[attr-defined]
