import pytest
import torch

from voxify3d.fit.loop import optimize


def bowl(start=3.0):
    value = torch.nn.Parameter(torch.tensor(start))
    return value, torch.optim.SGD([value], lr=0.25)


def test_it_yields_each_step_with_its_terms_and_their_sum():
    value, optimizer = bowl()
    losses = {"near": lambda: value**2, "flat": lambda: 0 * value + 1.0}
    steps = list(optimize(lambda i: {n: f() for n, f in losses.items()}, optimizer, 3))
    assert [(step.index, step.steps) for step in steps] == [(0, 3), (1, 3), (2, 3)]
    # x ← x − 0.25 · 2x halves x: losses are those before each step
    near = [9.0, 2.25, 0.5625]
    assert [step.losses for step in steps] == [
        {"near": n, "flat": 1.0, "total": n + 1.0} for n in near
    ]
    assert value.item() == 3 / 8


def test_nothing_happens_before_the_first_step_is_asked_for():
    value, optimizer = bowl()
    steps = optimize(lambda i: {"near": value**2}, optimizer, 3)
    assert value.item() == 3
    next(steps)
    assert value.item() == 1.5
    assert list(optimize(lambda i: {"near": value**2}, optimizer, 0)) == []


def test_the_step_number_reaches_the_losses():
    value, optimizer = bowl()
    asked = []

    def losses(step):
        asked.append(step)
        return {"near": value**2}

    list(optimize(losses, optimizer, 4))
    assert asked == [0, 1, 2, 3]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_before_the_step(bad):
    value, optimizer = bowl()

    def losses(step):
        return {"near": value**2, "far": value * (bad if step == 2 else 0.0)}

    steps = optimize(losses, optimizer, 9)
    next(steps)
    next(steps)
    before = value.item()
    with pytest.raises(FloatingPointError, match=r"step 2 is (nan|inf).*far"):
        next(steps)
    assert value.item() == before
