"""The course's units, and its exercises in order: unit, title, points, minutes, difficulty. Importing it imports no torch.

Each exercise's file, `unit_NN/<id>.py`, holds the rest of it: cases, reference, misconceptions, hints.
"""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from pgcourse.errors import InvalidInput


class Entry(NamedTuple):
    """One line of the catalogue. The id is the learner's function name and the cell's grade_id."""

    id: str
    unit: str  # "00" to "09"
    title: str
    points: int
    minutes: int  # for a first attempt
    difficulty: int  # 1 to 3

    @property
    def module(self) -> str:
        """The module that holds the exercise: `RunningMeanStd` lies in `unit_05/running_mean_std.py`."""
        return f"pgcourse.checks.unit_{self.unit}.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', self.id).lower()}"


class Unit(NamedTuple):
    """One unit of the course: its title, and what the learner can do after it."""

    title: str
    goal: str


UNITS = {
    "00": Unit("Welcome: acting and scoring", "play CartPole, score it, treat a policy as a distribution"),
    "01": Unit("REINFORCE", "derive the policy gradient; repair the version that everyone writes first"),
    "02": Unit("Baselines", "cut the variance and prove that the gradient stays the same"),
    "03": Unit("Actor-critic, A2C and GAE", "trade bias for variance; get episode boundaries right"),
    "04": Unit("PPO", "write PPO and explain each of its parts"),
    "05": Unit("Continuous control: Pendulum", "act with a Gaussian; know what a new task needs"),
    "06": Unit("Debugging traps", "read the panels, name the bug, prove it"),
    "07": Unit("Can you trust this curve?", "compare algorithms over seeds; test what people claim"),
    "08": Unit("TRPO (optional)", "natural gradient, conjugate gradient, line search"),
    "09": Unit(
        "Language models (optional)", "train a small transformer by REINFORCE, GRPO and PPO; see what each part buys"
    ),
}
EXERCISES = (
    Entry("categorical_log_prob", "00", "Log-probability of an action", 2, 12, 2),
    Entry("categorical_entropy", "00", "Entropy of a policy", 2, 15, 2),
    Entry("bandit_step", "00", "One learning step on a bandit", 2, 10, 1),
    Entry("discounted_returns", "01", "Discounted returns", 2, 10, 1),
    Entry("standardize", "01", "Standardise a batch of returns", 1, 8, 1),
    Entry("reinforce_loss", "01", "The REINFORCE loss", 2, 8, 1),
    Entry("policy_network", "01", "A policy network", 2, 15, 2),
    Entry("reinforce_update", "01", "One REINFORCE update", 4, 25, 3),
    Entry("optimal_constant_baseline", "02", "The constant baseline that leaves the least variance", 2, 15, 2),
    Entry("advantages_with_baseline", "02", "Advantages with a baseline", 1, 8, 1),
    Entry("value_loss", "02", "The critic's loss", 1, 8, 1),
    Entry("gradient_variance", "02", "The variance of a gradient estimate", 2, 10, 1),
    Entry("baseline_update", "02", "One update of REINFORCE with baseline", 4, 30, 3),
    Entry("explained_variance", "03", "How much the critic explains", 1, 8, 1),
    Entry("td_errors", "03", "One-step temporal-difference errors", 1, 8, 1),
    Entry("n_step_returns", "03", "n-step returns", 3, 20, 3),
    Entry("gae", "03", "Generalised advantage estimation", 4, 25, 3),
    Entry("true_next_observations", "03", "The true next observations", 1, 8, 1),
    Entry("a2c_losses", "03", "The two losses of A2C", 2, 12, 2),
    Entry("probability_ratio", "04", "The probability ratio", 1, 6, 1),
    Entry("ppo_clip_loss", "04", "The clipped loss", 3, 15, 2),
    Entry("approx_kl", "04", "Approximate KL divergence", 2, 10, 2),
    Entry("clip_fraction", "04", "Clip fraction", 1, 6, 1),
    Entry("minibatches", "04", "Minibatches", 2, 10, 2),
    Entry("ppo_update", "04", "One PPO update", 5, 35, 3),
    Entry("masked_log_prob", "04", "Actions that are not allowed", 2, 10, 2),
    Entry("shared_trunk_step", "04", "One step of a shared trunk", 2, 12, 2),
    Entry("unroll", "04", "A memory through a rollout", 3, 15, 2),
    Entry("gaussian_log_prob", "05", "Log-density of a Gaussian action", 2, 12, 2),
    Entry("gaussian_entropy", "05", "Entropy of a Gaussian policy", 1, 10, 1),
    Entry("gaussian_policy", "05", "A Gaussian policy", 2, 15, 2),
    Entry("tanh_log_prob", "05", "Log-density of a squashed action", 2, 18, 3),
    Entry("RunningMeanStd", "05", "Running mean and variance", 3, 25, 3),
    Entry("diagnose", "06", "From metrics to alarms", 3, 25, 2),
    Entry("shaped_rewards", "06", "Rewards with potential-based shaping", 2, 10, 1),
    Entry("patient_01", "06", "Patient 1", 2, 10, 2),
    Entry("patient_02", "06", "Patient 2", 2, 8, 1),
    Entry("patient_03", "06", "Patient 3", 2, 8, 1),
    Entry("patient_04", "06", "Patient 4", 2, 8, 1),
    Entry("patient_05", "06", "Patient 5", 2, 10, 2),
    Entry("patient_06", "06", "Patient 6", 2, 8, 1),
    Entry("patient_07", "06", "Patient 7", 2, 10, 2),
    Entry("patient_08", "06", "Patient 8", 2, 8, 1),
    Entry("patient_09", "06", "Patient 9", 2, 8, 1),
    Entry("patient_10", "06", "Patient 10", 2, 8, 1),
    Entry("patient_11", "06", "Patient 11", 2, 10, 2),
    Entry("patient_12", "06", "Patient 12", 2, 10, 2),
    Entry("interquartile_mean", "07", "Interquartile mean", 1, 6, 1),
    Entry("bootstrap_interval", "07", "Bootstrap interval", 3, 15, 2),
    Entry("probability_of_improvement", "07", "Probability of improvement", 1, 8, 1),
    Entry("episodes_to_threshold", "07", "Episodes to a threshold", 1, 10, 2),
    Entry("conjugate_gradient", "08", "Conjugate gradient", 3, 20, 3),
    Entry("fisher_vector_product", "08", "Fisher-vector product", 4, 25, 3),
    Entry("step_scale", "08", "The length of the step", 1, 8, 1),
    Entry("line_search", "08", "Line search", 2, 12, 2),
    Entry("answer_log_prob", "09", "Log-probability of an answer's tokens", 2, 12, 2),
    Entry("leave_one_out", "09", "Leave-one-out advantages", 1, 8, 1),
    Entry("group_normalized", "09", "Group-normalised advantages", 2, 10, 1),
    Entry("clipped_token_loss", "09", "The clipped loss of tokens", 3, 15, 2),
    Entry("kl_estimates", "09", "Three estimates of the KL divergence", 2, 12, 2),
    Entry("rewards_with_kl", "09", "Rewards with a KL penalty", 2, 12, 2),
    Entry("bradley_terry_loss", "09", "The loss of Bradley and Terry", 1, 8, 1),
    Entry("pass_at_k", "09", "pass@k without bias", 2, 12, 2),
)
BY_ID = {entry.id: entry for entry in EXERCISES}


def find(id: str) -> Entry:
    """The entry with this id. Raises InvalidInput, with the closest ids, where there is none."""
    if id in BY_ID:
        return BY_ID[id]
    close = difflib.get_close_matches(str(id), BY_ID, n=3)
    help_text = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(BY_ID)}"
    raise InvalidInput(f"no exercise is called {id!r}; {help_text}")
