"""Observer for a factory of categorical policies: what the network predicts at the start, and whether it can be trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical

from pgcourse.checks.observe.asking import Ask, kind_of_error
from pgcourse.checks.observe.network_facts import (
    driven_apart,
    frozen,
    inert,
    misfit,
    more_than_parameters,
    sensitivity,
    shared,
    slopes,
)
from pgcourse.checks.observe.record import Arrays, Case, record
from pgcourse.checks.observe.remote_networks import Factory, RemoteNetwork, kind_of, plain

# Probabilities made in float32 and handed over as such keep log-odds below 15.9; logits squeezed to -3 to 3, below 6.
FAR = 12.0
SURE = 0.9  # of the right action, after training: who is not is driven nowhere, which takes seconds


@dataclass(frozen=True)
class PolicyFactory(Factory):
    """Build a categorical policy, look at what it predicts at the start, then train it on an easy rule.

    The case holds `obs_dim`, `num_actions`, `obs` [B, D], for the training `training_obs` [M, D] with `targets` [M],
    actions that follow from the observation, and `judge_seed`, which the attempt never sees. Recorded are facts;
    `unit_01/policy_network.py` judges them.
    """

    signature: str = "obs_dim, num_actions"
    training_steps: int = 80

    def drive(self, ask: Ask, case: Case) -> Arrays:
        arrays, policy = self.begin(ask, case)
        if policy is None:
            return arrays
        outputs = policy(case["obs"])
        arrays["distribution"] = policy.said["distribution"]
        if "logits" not in outputs:
            if "values" in outputs:
                record(arrays, "probs", plain(outputs["values"]))
            elif "batch shape" in policy.said:
                arrays["batch shape"] = policy.said["batch shape"]
            return arrays
        record(arrays, "probs", _probs(outputs["logits"]))
        if arrays["probs"].shape != (len(case["obs"]), case["num_actions"]):
            return arrays
        begun = slopes(policy, case["training_obs"]) if outputs["logits"].requires_grad else np.empty((0, 2))
        misfits = [misfit(ask, policy, case["obs"], _distribution)]
        self._observe_row(arrays, policy, case["obs"], "")
        try:
            (one,) = policy.looks([case["obs"][:1]])
            record(arrays, "batch of one", _probs(one["logits"]))
        except Exception as error:
            arrays["batch of one error"] = kind_of_error(error)
        parameters = [value for value in policy.values if value.requires_grad]
        arrays["parameters"] = np.array(len(policy.names))
        log_prob = _log_prob(policy, case["training_obs"], case["targets"]).mean()
        arrays["differentiable"] = np.array(bool(parameters) and log_prob.requires_grad)
        if arrays["differentiable"]:
            reached = torch.autograd.grad(log_prob, parameters, allow_unused=True)
            arrays["unreached"] = np.array(sum(1 for gradient in reached if gradient is None))
            arrays["inert"] = np.array(inert(policy, case["obs"], _against_the_first))
            arrays["frozen"] = np.array(frozen(policy))
            arrays |= sensitivity(policy, case["obs"], _against_the_first)
            self._train(arrays, policy, case["training_obs"], case["targets"])
            misfits.append(misfit(ask, policy, case["obs"], _distribution))
            later = [slopes(policy, case["training_obs"], alone=True)]
            if "row error" not in arrays:
                later.append(slopes(policy, case["training_obs"][0]))
            arrays["slopes"] = np.concatenate([begun, *later])
        another = self.build(ask, case)
        if "names" not in another:  # the second call gives no network, or one that is too large
            return arrays | kind_of(another)
        arrays["shared"] = np.array(shared(ask, policy, case["obs"], {1: another}))
        second = RemoteNetwork(ask, 1, another, policy.source)
        # First others than the first network: it may set itself by none of them.
        _, later_outputs = second.looks([case["training_obs"], case["obs"]])
        record(arrays, "later probs", _probs(later_outputs["logits"]))
        if arrays["differentiable"] and not arrays["shared"]:
            arrays |= more_than_parameters(ask, policy, second, case["obs"], _against_the_first)
        if arrays["differentiable"] and float(arrays["trained"]) > SURE:
            self._push(arrays, policy, case["training_obs"], case["targets"])
            misfits.append(misfit(ask, policy, case["obs"], _distribution, samples=0))
        arrays["misfit"] = np.array(next(filter(None, misfits), ""))
        arrays["mutated"] = np.array(["obs"] * policy.changed, dtype=str)
        return arrays

    def _observe_row(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, when: str) -> None:
        """The first observation inside its batch and alone. After training, what mixes rows shows far more clearly."""
        try:
            batch, single = policy.looks([obs, obs[0]])
            record(arrays, f"{when}batch row", _probs(batch["logits"])[0])
            record(arrays, f"{when}single row", _probs(single["logits"]))
        except Exception as error:  # a policy that takes batches only: recorded, judged later
            arrays["row error"] = kind_of_error(error)

    def _train(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, targets: Tensor) -> None:
        for rate in (0.03, 0.3, 1.0, 3.0):  # the larger ones for logits that are small by construction: times 0.02, say
            optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
            for _ in range(self.training_steps):
                optimizer.zero_grad()
                loss = -_log_prob(policy, obs, targets).mean()
                if loss.item() < 0.05:  # sure enough: the right action has a probability above 0.95
                    break
                loss.backward()
                optimizer.step()
        # Only rows of one kind: in a balanced batch, a softmax over the wrong axis normalises all columns alike and
        # hides.
        self._observe_row(arrays, policy, obs[::2], "trained ")
        try:
            large = obs[::2].repeat(200, 1)[:200] + 0.1 * torch.randn(200, obs.shape[1], generator=policy.source)
            one, many = policy.looks([obs[:1], torch.cat([obs[:1], large])])
            record(arrays, "trained batch of one", _probs(one["logits"]))
            record(arrays, "large batch row", _probs(many["logits"])[0])
        except Exception as error:
            arrays["batch of one error"] = kind_of_error(error)
        record(arrays, "trained", float(_log_prob(policy, obs, targets).detach().exp().mean()))

    def _push(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, targets: Tensor) -> None:
        """How far the log-odds of each action against all others get, to both sides, when large steps drive them."""
        actions = int(targets.max()) + 1
        direction = torch.where(targets[:, None] == torch.arange(actions), 1.0, -1.0)

        def log_odds() -> Tensor:
            logits = policy(obs)["logits"]
            if logits.shape != direction.shape:
                raise ValueError("logits of another shape than before")
            others = logits[:, None].masked_fill(torch.eye(logits.shape[1], dtype=torch.bool), -torch.inf).logsumexp(-1)
            return logits - others

        record(arrays, "pushed", driven_apart(log_odds, policy.parameters(), direction, FAR))


def _against_the_first(outputs: dict[str, Tensor]) -> Tensor:
    """[B, A - 1]: the log-odds of each action against the first."""
    logits = outputs["logits"]
    return logits[:, 1:] - logits[:, :1]


def _distribution(outputs: dict[str, Tensor]) -> Categorical:
    return Categorical(logits=plain(outputs["logits"]), validate_args=False)


def _probs(logits: Tensor) -> Tensor:
    return plain(logits).softmax(-1)


def _log_prob(policy: RemoteNetwork, obs: Tensor, actions: Tensor) -> Tensor:
    return Categorical(logits=policy(obs)["logits"], validate_args=False).log_prob(actions)
