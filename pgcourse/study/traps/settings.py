"""Bugs in settings: rollouts, learning rates, scales."""

from .trap import CARTPOLE, EPISODE_BUDGET, PENDULUM, Trap

LONG_ROLLOUTS = Trap(
    id="long-rollouts",
    title="Long rollouts against a budget of episodes",
    base=EPISODE_BUDGET,
    config_changes={"num_steps": 128},
    explanation="In the beginning episodes are short, so a rollout of 128 steps of 32 environments swallows 200 of them for one "
    "update. A budget counted in episodes is used up before the policy has been updated often enough.",
    symptom="Many episodes, few updates: 200 episodes an update at the start, where a healthy run has 50.",
    fix="Count the updates that a budget allows before you start; shorten the rollout, or count environment steps.",
    shown_by="episodes divided by updates",
    alarms=frozenset({"few-updates"}),
)
SLOW_CRITIC = Trap(
    id="slow-critic",
    title="A critic that cannot keep up",
    base=CARTPOLE,
    config_changes={"critic_lr": 3e-4},
    explanation="Returns grow from 10 to 100 within a few updates. A critic with a small learning rate stays behind, so its "
    "values are no baseline, and advantages are returns with noise.",
    symptom="The mean of V stays far below the mean of the returns; explained variance stays near 0.",
    fix="Give the critic its own optimiser with a larger learning rate: it is a regression, and a large step does little harm.",
    shown_by="the means of V and of the returns side by side",
    alarms=frozenset({"explained-variance-low", "value-offset"}),
)
STD_TOO_SMALL = Trap(
    id="std-too-small",
    title="Too small an initial standard deviation",
    base=PENDULUM,
    config_changes={"initial_std": 0.05},
    explanation="Torques go up to 2. With a standard deviation of 0.05 the pendulum never swings high enough to earn a reward "
    "that would teach it to swing higher, and the standard deviation grows only if larger actions paid.",
    symptom="Standard deviation and entropy far below a healthy run from the first update on; the return hardly moves.",
    fix="Start near half the action's range, or scale the actions.",
    shown_by="a histogram of the actions against their bounds",
    alarms=frozenset({"std-low", "std-collapsed"}),
)
STD_TOO_LARGE = Trap(
    id="std-too-large",
    title="Too large an initial standard deviation",
    base=PENDULUM,
    config_changes={"initial_std": 7.0},
    explanation="Nearly every sample lies outside the bounds and is clipped by the environment: actions are full left or full "
    "right, and the mean has next to no influence.",
    symptom="Standard deviation and entropy far above a healthy run.",
    fix="Start near half the action's range, or scale the actions.",
    shown_by="the share of the actions that lie outside the bounds",
    alarms=frozenset({"std-high"}),
)
REWARD_SCALE = Trap(
    id="reward-scale",
    title="Rewards on a scale that the critic cannot follow",
    base=CARTPOLE,
    config_changes={"reward_scale": 100.0},
    explanation="Values are 100 times as large, and Adam's steps are not: the critic needs 100 times as many to get there. "
    "Normalised advantages hide the scale from the policy's loss, but not what a useless critic makes of them.",
    symptom="The critic's loss and gradient norm are hundreds of times as large; V stays near 0 beside the returns.",
    fix="Scale rewards so that returns are of the order of 1 to 100, or divide by their running standard deviation.",
    shown_by="the standard deviation of the returns",
    alarms=frozenset({"explained-variance-low", "value-offset", "critic-gradient-huge"}),
)
