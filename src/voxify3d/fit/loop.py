"""optimize(): the one loop, a generator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class FitStep:
    """One step that was taken.

    Attributes:
        index: Its number, from 0.
        steps: Steps in all.
        losses: Weighted terms by name, and their sum as `total`.
    """

    index: int
    steps: int
    losses: dict[str, float]


def optimize(
    step_losses: Callable[[int], dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    steps: int,
) -> Iterator[FitStep]:
    """Minimize the sum of `step_losses(i)`, yielding after every step.

    Args:
        step_losses: Step number to weighted loss terms by name.
        optimizer: Of the parameters that the losses depend on.
        steps: How many.

    Raises:
        FloatingPointError: The loss is not finite. The parameters are left as they
            were before that step.
    """
    for index in range(steps):
        losses = step_losses(index)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise FloatingPointError(
                f"loss at step {index} is {total.item()}: {losses}"
            )
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        values = {name: loss.item() for name, loss in losses.items()}
        yield FitStep(index, steps, values | {"total": total.item()})
