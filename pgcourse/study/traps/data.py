"""Bugs in the data: what is collected, where episodes end, and where they start."""

from dataclasses import dataclass, field
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from ...algorithms import reinforce
from ...envs import CartPoleVectorEnv, PendulumVectorEnv, env_seeds
from ...envs.pendulum import MAX_TORQUE
from ...returns import gae, normalize
from ...rollout import Episode, Rollout, collect_rollout
from .trap import CARTPOLE, FAR_SIGHTED, PENDULUM, REINFORCE, SIXTEEN_EPISODES, Trap


@dataclass
class StaleCollector:
    """Hands over an episode as soon as one environment has finished; the others go on under the next policy."""

    envs: VectorEnv | None = field(default=None, repr=False, compare=False)

    def __call__(self, policy: nn.Module, envs: VectorEnv) -> list[Episode]:
        if envs is not self.envs:  # another run
            self.envs = envs
            self.obs, _ = envs.reset()
            self.steps: list[list[tuple[Tensor, Tensor, Tensor]]] = [[] for _ in range(envs.num_envs)]
        finished: list[Episode] = []
        with torch.no_grad():
            while not finished:  # on-policy would be: until every environment has finished
                actions = policy(self.obs).sample()
                next_obs, rewards, terminated, truncated, _ = envs.step(actions)
                for n, ended in enumerate((terminated | truncated).tolist()):
                    self.steps[n].append((self.obs[n], actions[n], rewards[n]))
                    if ended:
                        finished.append(Episode(*(torch.stack(column) for column in zip(*self.steps[n], strict=True))))
                        self.steps[n] = []
                self.obs = next_obs
        return finished


def truncation_as_termination(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **numbers: float
) -> Tensor:
    """`gae` with one flag for both ends: nothing is expected after the time limit."""
    done = terminated | truncated
    return gae(rewards, values, next_values, done, done, **numbers)


class NextStepCartPole(CartPoleVectorEnv):
    """CartPole that spends a step on each reset: reward 0, action ignored, from the last observation to a first one."""

    scored_on = "CartPole-v1"  # `run_seeds` scores there: what is different here is for training alone

    def reset(self, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        self.waiting = torch.zeros(self.num_envs, dtype=torch.bool)
        return super().reset(**options)

    def step(self, actions: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        waiting, start, started = self.waiting, self.state, (self.episode, self.elapsed)
        _, rewards, terminated, truncated, info = super().step(actions)
        # Who waited for a reset has stood still: it is put back to the start state that it had.
        self.state = torch.where(waiting[:, None], start, self.state)
        self.episode, self.elapsed = (
            torch.where(waiting, before, after)
            for before, after in zip(started, (self.episode, self.elapsed), strict=True)
        )
        terminated, truncated = terminated & ~waiting, truncated & ~waiting
        next_obs = torch.where(waiting[:, None], self.observe(start), info["final_obs"])
        self.waiting = terminated | truncated
        info = {"final_obs": next_obs, "_final_obs": self.waiting}
        return next_obs, rewards * ~waiting, terminated, truncated, info


def next_step_cartpole(seed: int) -> VectorEnv:
    """Environments with reset rows, which the collector does not know of."""
    envs = NextStepCartPole(CARTPOLE.num_envs)
    envs.reset(seed=env_seeds(seed, envs.num_envs))
    return envs


def collect_clipped(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`collect_rollout` that stores the torque as the environment applies it, and that torque's log-probability."""
    rollout, next_obs = collect_rollout(policy, critic, envs, obs, num_steps)
    actions = rollout.actions.clamp(-MAX_TORQUE, MAX_TORQUE)  # [T, N, A], where the sample should stay as it was
    with torch.no_grad():
        log_prob = policy(rollout.obs.flatten(0, 1)).log_prob(actions.flatten(0, 1)).view(rollout.log_prob.shape)
    return rollout._replace(actions=actions, log_prob=log_prob), next_obs


class OneStartPendulum(PendulumVectorEnv):
    """Pendulums of which every episode begins in the same state, as if each reset were given the same seed."""

    scored_on = "Pendulum-v1"  # `run_seeds` scores there: what is different here is for training alone

    def start_states(self, numbers: Tensor) -> Tensor:
        same = numbers.new_tensor([0.4, 0.5]).expand_as(numbers)  # 36 degrees from upright, at rest
        return super().start_states(same)


def one_start_pendulum(seed: int) -> VectorEnv:
    """As many as the preset takes; the seed changes nothing about the start."""
    envs = OneStartPendulum(PENDULUM.num_envs)
    envs.reset(seed=env_seeds(seed, envs.num_envs))
    return envs


def normalized_by_episode_update(
    policy: nn.Module,
    critic: nn.Module | None,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer | None,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`reinforce.update` with the weights of each episode standardised by themselves."""
    lengths = [len(episode.rewards) for episode in episodes]
    policy_loss_fn = functions.pop("policy_loss_fn")

    def loss(log_prob: Tensor, weight: Tensor) -> Tensor:
        # `weight` is standardised over the batch; doing it again for each piece forgets which episode was better.
        return policy_loss_fn(log_prob, torch.cat([normalize(piece) for piece in weight.split(lengths)]))

    return reinforce.update(
        policy, critic, policy_optimizer, critic_optimizer, episodes, config, policy_loss_fn=loss, **functions
    )


STALE_EPISODES = Trap(
    id="stale-episodes",
    title="REINFORCE on stale episodes",
    base=SIXTEEN_EPISODES,
    seams={"collect_fn": StaleCollector()},
    explanation="Sixteen environments, and an update whenever one of them finishes. The others go on, so most actions of a "
    "long episode were chosen by policies that are gone, and short episodes come first: the batch is off-policy and biased.",
    symptom="The entropy jumps from one update to the next; in some runs it falls to 0, and the return to the least there is.",
    fix="Collect a batch of complete episodes under one policy, update, and start anew.",
    shown_by="the log-probabilities at collection against those at the update: they have to be equal",
    alarms=frozenset({"entropy-collapsed", "entropy-jumps"}),
)
TRUNCATION_AS_TERMINATION = Trap(
    id="truncation-as-termination",
    title="The time limit taken for an end",
    base=FAR_SIGHTED,
    seams={"advantage_fn": truncation_as_termination},
    explanation="A pendulum at its time limit goes on hanging or standing; only nobody looks. Treated as an end, its future "
    "counts 0, so the same state is worth more late in an episode than early, and the observation does not tell which it is.",
    symptom="Explained variance stays low: the targets depend on the time, which the critic does not see.",
    fix="Bootstrap with V(next_obs) * (1 - terminated); cut the trace at terminated | truncated.",
    shown_by="a probe with a time limit and a constant reward: V has to be 1 / (1 - gamma)",
    alarms=frozenset({"explained-variance-low"}),
)
RESET_ROWS = Trap(
    id="reset-rows",
    title="Reset rows trained on",
    base=CARTPOLE,
    seams={"envs": next_step_cartpole},
    explanation="In Gymnasium's NEXT_STEP mode, the step after an end only resets: its action is ignored, its reward is 0, and "
    "its two observations belong to different episodes. Rows like this teach the critic that a fallen pole has a future.",
    symptom="Little in the metrics of the update.",
    fix="Use SAME_STEP mode with the true last observation, or drop the row after each end.",
    shown_by="episode lengths: in CartPole the length equals the return, and here it is 1 more",
)
CLIPPED_ACTION_LOG_PROB = Trap(
    id="clipped-action-log-prob",
    title="The log-probability of the clipped action",
    base=PENDULUM,
    seams={"collect_fn": collect_clipped},
    explanation="The sample 3.1 becomes the torque 2. Stored as 2, it looks like a more probable action than it was, and all "
    "samples beyond the bound look alike: the gradient of the standard deviation is biased towards narrow policies.",
    symptom="The standard deviation and the entropy fall faster than in a healthy run, and KL is several times as high.",
    fix="Store the unclipped sample and its log-probability; clipping is the environment's part.",
    shown_by="the largest stored action: with a standard deviation of 1.5, some have to lie beyond the bounds",
    alarms=frozenset({"std-collapsed", "kl-high"}),
)
ONE_START_STATE = Trap(
    id="one-start-state",
    title="One start state for the whole training",
    base=PENDULUM,
    seams={"envs": one_start_pendulum},
    explanation="A reset with the same seed before every episode gives the same start state. The agent learns one trajectory; "
    "training return and every diagnostic look fine, or better than fine.",
    symptom="None while training. On held-out start states the return is far below that of training.",
    fix="Seed once, at the beginning, and let each reset draw a new start state.",
    shown_by="the return on held-out start states",
)
NORMALIZED_BY_EPISODE = Trap(
    id="normalized-by-episode",
    title="Each episode normalised by itself",
    base=REINFORCE,
    seams={"update_fn": normalized_by_episode_update},
    explanation="Weights with mean 0 in every episode say which steps of an episode come early, because the reward-to-go falls "
    "with time, and no longer say which episode was better.",
    symptom="Little in the metrics of the update; the return rises late or not at all.",
    fix="Normalise over all steps of the batch.",
    shown_by="the mean weight of the best episode of a batch: it has to be above that of the worst",
)
