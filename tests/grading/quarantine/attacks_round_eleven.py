"""Round eleven: methods and names that a notebook shares with torch and with the exercises.

`CELLS` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_four_networks import _RIGHT, _gaussian, _policy
from tests.grading.quarantine.attacks_round_three import _PPO

P, G, U = ("01_reinforce", "policy_network"), ("05_continuous_pendulum", "gaussian_policy"), ("04_ppo", "ppo_update")
_TRAIN = "def train(self, env, episodes=100):\n        return [env.step(0) for _ in range(episodes)]"
_ORDER = "torch.randperm(size, generator=generator)"
_FORWARD = _PPO.replace("ORDER", _ORDER).replace("policy(", "policy.forward(").replace("critic(", "critic.forward(")

CELLS: dict[str, tuple[str, str, str, str, float]] = {}
RIGHT = {
    "an update by way of forward": (*U, _FORWARD, (), ()),
    "a policy with a method train": (*P, _policy(_TRAIN), (), ()),
    "a Gaussian with a method train": (*G, _gaussian(_TRAIN), (), ()),
    "the function's name for a network, below": (*P, f"{_RIGHT}def policy_network(d, a):\n    return Policy(d, a)", (), ("policy_network = policy_network(4, 2)\nprint(policy_network)",)),
    "the function's name for a network, in its cell": (*P, f"{_RIGHT}def policy_network(d, a):\n    return Policy(d, a)\npolicy_network = policy_network(4, 2)", (), ()),
}  # fmt: skip
