"""Observer for a gradient step of a network with two heads on one trunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pgcourse.checks.observe import call, ours
from pgcourse.checks.observe.networks import Watched, running
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations

LAYERS = ("trunk", "policy_head", "value_head")


@ours
class TwoHeads(nn.Module):
    """The smallest network of two heads: all linear. forward: [B, D] -> logits [B, A], values [B]."""

    def __init__(self, trunk: Tensor, policy_head: Tensor, value_head: Tensor) -> None:
        super().__init__()
        weights = (trunk, policy_head, value_head)
        self.trunk, self.policy_head, self.value_head = (nn.Parameter(weight.clone()) for weight in weights)

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        features = obs @ self.trunk.T  # [B, H]
        return features @ self.policy_head.T, features @ self.value_head


@dataclass(frozen=True)
class TrunkSteps:
    """Call the attempt `U` times in a row with the losses of one forward pass each, SGD, and gradients left of ones.

    The case holds the weights `trunk` [H, D], `policy_head` [A, H] and `value_head` [H], `learning_rate`, `momentum` (0:
    none; else it runs already), the settings of the step, and for each update `obs` [U, B, D], `actions`, `advantages` and
    `returns` [U, B]. The attempt may ask for `network`, `optimizer`, `policy_loss`, `value_loss` and `entropy`, scalars, and
    for every other entry by its name.
    """

    signature: str

    makes_optimizers: ClassVar[bool] = True

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        network = TwoHeads(*(inputs[layer] for layer in LAYERS))
        # Two groups, as where a head has a rate of its own: who asks the first group alone misses the heads.
        groups = [[network.trunk], [network.policy_head, network.value_head]]
        optimizer = running(groups, inputs["learning_rate"], inputs["momentum"])
        steps: list[int] = []
        optimizer.register_step_post_hook(lambda *_: steps.append(1))
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)  # of whatever came before
        watched = Watched({"network": network}, [optimizer])
        for update in range(len(inputs["obs"])):
            steps.clear()
            obs, actions, advantages, returns = (
                inputs[name][update] for name in ("obs", "actions", "advantages", "returns")
            )
            logits, values = network(obs)
            log_probs = logits.log_softmax(-1)
            losses = {
                "policy_loss": -(log_probs.gather(1, actions[:, None])[:, 0] * advantages).mean(),
                "value_loss": 0.5 * (values - returns).square().mean(),
                "entropy": -(log_probs.exp() * log_probs).sum(-1).mean(),
            }
            known = {**inputs, **losses, "network": network, "optimizer": optimizer}
            when = f"update {update + 1}/"
            record(arrays, f"{when}result", call(attempt, self.signature, known))
            record(arrays, f"{when}optimiser steps", len(steps))
            for name, parameter in network.named_parameters():
                record(arrays, f"{when}{name}", parameter.detach())
        record_mutations(arrays, case, inputs)
        watched.record(arrays)
        return arrays
