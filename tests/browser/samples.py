"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

import numpy as np
import torch

from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.optim import seeded
from pgcourse.rollout import Rollout
from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.advantages import advantages_of
from pgcourse.show.live.explainers.baseline_constant import baseline_constant
from pgcourse.show.live.explainers.calibration import calibration_of
from pgcourse.show.live.explainers.cartpole_state import Agent, cartpole_state
from pgcourse.show.live.explainers.critic_offset import critic_offset
from pgcourse.show.live.explainers.experiment import experiment
from pgcourse.show.live.explainers.fault_effects import fault_effects
from pgcourse.show.live.explainers.fork_error import fork_error
from pgcourse.show.live.explainers.phase import phase_of
from pgcourse.show.live.explainers.step_length import step_length
from pgcourse.show.live.explainers.trap_signatures import trap_signatures
from pgcourse.study.claims import load_claims
from pgcourse.study.traps import TRAPS


def predictions() -> Explainer:
    """Fourteen predictions, with three levels of confidence."""
    given = [(0.5, True), (0.5, False), *[(0.75, i < 2) for i in range(4)], *[(0.95, i < 7) for i in range(8)]]
    return calibration_of({f"q{i}": {"confidence": said, "correct": right} for i, (said, right) in enumerate(given)})


def corridor_episodes() -> Explainer:
    """Estimates as of the corridor: long episodes have low returns and large scores."""
    generator = torch.Generator().manual_seed(0)
    length = (60 * torch.rand(2, 400, generator=generator) + 3).round()  # [P, M]
    scores = 0.2 * (length * torch.randn(2, 400, generator=generator)).round()
    return baseline_constant({p: (scores[k], -length[k]) for k, p in enumerate(("0.2", "0.5"))})


def critic_of_a_stage() -> Explainer:
    """Values that know a third of what the returns do."""
    generator = torch.Generator().manual_seed(0)
    returns = 20 + 15 * torch.rand(900, generator=generator)
    return critic_offset(18 + 0.4 * (returns - 27) + torch.randn(900, generator=generator), returns)


def agents_of_cartpole() -> Explainer:
    """Two fresh agents with weights that are large enough to make them decide."""
    agents = {}
    for seed, title in enumerate(("60 episodes", "300 episodes")):
        torch.manual_seed(seed)
        policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
        with torch.no_grad():
            policy.logits[-1].weight *= 200
            critic.values[-1].bias += 40
        agents[title] = Agent(policy, critic, 0.1 * torch.randn(300, 4))
    return cartpole_state(agents)


def advantages() -> Explainer:
    """A rollout with every kind of end."""
    generator = torch.Generator().manual_seed(0)
    rewards, values, next_values = (torch.randn(40, 2, generator=generator) for _ in range(3))
    terminated, truncated = torch.zeros(2, 40, 2, dtype=torch.bool)
    terminated[[7, 20], 1] = truncated[[20, 31], 1] = True
    return advantages_of(
        Rollout(rewards[..., None], rewards, rewards, rewards, values, next_values, terminated, truncated), column=1
    )


def fork() -> Explainer:
    """Two critics, one of them without any noise at λ = 0."""
    lambdas = np.linspace(0, 1, 21)
    critics = {f"{n} updates": (-np.exp(-n * lambdas / 10), 4.5 * lambdas**2 + n / 1000) for n in (10, 0)}
    return fork_error(lambdas, critics, shown="10 updates")


def phase() -> Explainer:
    """Two untrained policies, one of them with torques that matter."""
    with seeded(0):
        weak, strong = GaussianPolicy(3, 1, hidden_sizes=(16,)), GaussianPolicy(3, 1, hidden_sizes=(16,))
    with torch.no_grad():
        list(strong.mean.parameters())[-2].mul_(300)
    return phase_of({"weak": weak, "strong": strong})


def line_search() -> Explainer:
    """A direction on which the models are good nearby only, and the surrogate falls in the end."""
    lengths = np.linspace(0, 11, 111)
    return step_length(
        lengths,
        kl=0.009413 * lengths**2 + 0.000817 * lengths**3,
        improvement=0.01207 * lengths - 0.000913 * lengths**2,
        curvature=0.0188,
        slope=0.012,
        max_kl=0.01,
        backtracks=10,
        shrink=0.8,
    )


def pools() -> Explainer:
    """Two pools of forty runs."""
    draw = np.random.default_rng(1).normal
    return experiment({"narrow": draw(300, 20, 40), "wide": draw(280, 60, 40)}, x_label="mean return")


def effects() -> Explainer:
    """Outcomes of three faults and of five, from the course's claims."""
    values = load_claims("factorial")["values"]
    return fault_effects(
        values,
        {"story": ("story", "late", "return"), "KL": ("course", "early_kl", "KL"), "five": ("five", "late", "return")},
    )


def signatures() -> Explainer:
    """All traps of the course."""
    return trap_signatures(TRAPS, load_claims("traps"), first=TRAPS[1])


SAMPLES: dict[str, Callable[[], Explainer]] = {
    "calibration": predictions,
    "cartpole_state": agents_of_cartpole,
    "baseline_constant": corridor_episodes,
    "critic_offset": critic_of_a_stage,
    "advantages": advantages,
    "fork_error": fork,
    "phase": phase,
    "experiment": pools,
    "fault_effects": effects,
    "step_length": line_search,
    "trap_signatures": signatures,
}
