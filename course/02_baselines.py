# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Baselines: praise only what was above expectation
#
# A return of 90 sounds good. It is bad news if you were about to get 100. REINFORCE does not know what to expect, so
# it praises every action of a long episode, the mistakes included. A *baseline* is a number that you subtract from
# the return before you push: what you expected anyway. It may be a constant, or a second network that has learnt to
# predict returns. It must not change the mean of the gradient estimate, and it should take away noise.
#
# **Goal:** know what may be subtracted and why, train a critic, and measure what it buys.
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises; all cells together run in about a minute on two cores. All symbols are in one
# table: [symbols](../docs/symbols.md). {{# design}}

# %% jupyter={"source_hidden": true}
# Imports
import copy
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch

from pgcourse import diagnostics, losses, make_envs, reinforce, returns
from pgcourse.envs import ShortCorridorVectorEnv
from pgcourse.envs.corridor import exact_gradient
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import adam, gradient_step, seeded
from pgcourse.rollout import collect_episodes
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.figures import gradient_variance as variance, values as value_map
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.baseline_constant import baseline_constant
from pgcourse.show.live.explainers.cartpole_state import Agent, cartpole_state
from pgcourse.show.live.explainers.critic_offset import critic_offset
from pgcourse.statistics import bootstrap_interval, moving_average
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

torch.set_num_threads(1)  # small networks run faster on one thread
first, measured = load_claims("reinforce"), load_claims("baselines")

# %% [markdown]
# ## Where this ends
#
# The same algorithm twice, ten seeds each: once nothing is subtracted from the return, once what a second network
# expects. (As in lesson 01, *475* and *195* are thresholds for the mean of 100 episodes in a row.) {{# design}}

# %% jupyter={"source_hidden": true}
figure = plots.claimed_curves(
    "baselines",
    {"uncentred": "nothing subtracted", "uncentred_critic": "V(s) subtracted"},
    threshold=475,
    title="CartPole: with and without a baseline",
)
page.figure(
    figure,
    alt="Two learning curves over 400 episodes. The one with V(s) subtracted climbs first and ends near 490, the other ends near 460.",
    caption="With V(s) subtracted, the last 100 episodes have a "
    "{{higher | baselines:uncentred_critic/last_100 > baselines:uncentred/last_100}} mean return, and 195 is reached "
    "{{sooner | baselines:uncentred_critic/episodes_to_195 < baselines:uncentred/episodes_to_195}}.",
)

# %% [markdown]
# ## Before you begin
#
# **After this lesson you will be able to**
#
# 1. prove that a baseline adds no bias, say what it may depend on, and test it with a check that can fail;
# 2. derive the constant with the least variance, and tell why it is not the mean return;
# 3. train a value network beside a policy: two losses, two optimisers, and the right order of steps;
# 4. read a critic's panels, and name the error that explained variance cannot see;
# 5. say which step of the ladder shows in training at ten seeds, and which does not. {{# wording}}
#
# **You need** [lesson 01](01_reinforce.ipynb): the score, reward-to-go, standardised weights, the short corridor.
#
# The numbers come from `claims/baselines.json` and `claims/reinforce.json`: ten training runs of each
# version. *289 [274, 301]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval. Words with a
# dotted underline are comparisons decided by the data; hover to see the interval
# ([the rule](07_trustworthy_experiments.ipynb)).

# %% jupyter={"source_hidden": true}
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ### Three questions
#
# They ask for ideas of units 00 and 01 that this lesson uses.

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-recall-1",
    "What is the mean of the score over the policy's own actions, in any fixed state?",
    ["the zero vector", "the entropy", "the policy gradient", "it depends on the state"],
    answer=0,
    reasons=[
        "It is the gradient of the sum of all probabilities, and that sum is 1.",
        "The entropy is minus the mean of log π, and not of its gradient.",
        "That is the mean of score times return.",
        "The proof of unit 01 holds in every state.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-recall-2",
    "A batch has two episodes of CartPole, of 10 and 100 steps, with weights standardised over all steps. What do the weights do?",
    [
        "They push all actions of both episodes up, the long one's further",
        "They push over half of the long one's up, all of the short one's down",
        "They push the first half of both episodes up, the second half down",
        "They push all actions of both equally far, as their mean is zero",
    ],
    answer=1,
    reasons=[
        "That is so before the mean is subtracted.",
        "What is above the batch's mean is pushed up, what is below it down. The last steps of the long one are below it too.",
        "So it would be if each episode were standardised by itself.",
        "A mean of zero says that pushes up and down balance, not that they are equal.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-recall-3",
    "What is V^π(s)?",
    [
        "the reward of the next step from s",
        "the mean return from s under π",
        "the highest return seen from s",
        "the probability of visiting s",
    ],
    answer=1,
    reasons=[
        "A value counts all that follows, and not one step.",
        "An expectation over the actions of π and the answers of the environment, from s on.",
        "A value is a mean. The best return is luck.",
        "That is about how often, not how good.",
    ],
)

# %% [markdown]
# ## 1. The idea in plain words
#
# In CartPole every reward is 1, so every return is positive, and every action you sampled is pushed *up*. Learning
# comes only from differences between pushes. The large common part of all pushes carries no information and adds noise.
#
# So subtract it. If you expected 80 and got 90, push up by 10. If you got 70, push *down* by 10. What you expected is
# the **baseline** $b$. The weight of a step is then the surprise $G_t - b$.
#
# Two questions decide what $b$ may be. Does subtracting it bend the gradient? And which $b$ leaves the least noise?
#
# ## 2. The mathematics, step by step
#
# New in this unit:
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $b$, $b(s)$ | baseline: a constant, or a function of the state | `values` | `[]` or `[B]` |
# | $\phi$ | weights of the critic | `critic.parameters()` | |
# | $V(s)$ | the critic's estimate of $V^\pi(s)$ | `values` | `[B]` |
# | $\hat A_t$ | estimated advantage | `advantages` | `[B]` |
#
# ### 2.1 A baseline adds no bias
#
# Lesson 01 proved that the score has mean zero: given the state, $\mathbb{E}[\psi_t \mid s_t] = 0$.
# Let $h_t$ be everything up to and including $s_t$, and let $b_t$ be *any* number that is known once $h_t$ is. It
# is fixed while the action is drawn, so it can stand in front:
#
# $$
# \mathbb{E}\big[ b_t\, \psi_t \big]
# = \mathbb{E}\Big[ b_t \; \mathbb{E}\big[ \psi_t \,\big|\, h_t \big] \Big]
# = \mathbb{E}[\, b_t \cdot 0 \,] = 0 .
# $$
#
# Subtract this zero, step by step, from the gradient of lesson 01:
#
# $$
# \nabla_\theta J(\theta) = \mathbb{E}_\tau\Big[ \sum_{t=0}^{T-1} \big(G_t - b_t\big)\, \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big].
# \tag{1}
# $$
#
# $b_t$ may depend on the state, on the clock, on the whole past, even on facts that the policy cannot see. It may be a
# bad guess: *every* such $b_t$ is unbiased. It may not depend on the action $a_t$, nor on anything that the action has
# changed. (Noise that the action does not touch, a gust of wind for instance, may be subtracted even if it comes
# later.) {{# mathematics}}

# %% [markdown]
# ### 2.2 Small print: the mean of the batch · further
#
# Standardising the weights, as lesson 01 does, subtracts the mean of the batch. That mean *contains* the episode's
# own return, which depends on its actions. Is the proof broken? Take $M$ independent episodes with whole returns
# $G^{(i)}$ and scores $\Psi^{(i)} = \sum_t \psi_t$, and subtract the mean return of all $M$:
#
# $$
# \mathbb{E}\Big[ \Psi^{(i)} \Big( G^{(i)} - \frac1M \sum_{j=1}^{M} G^{(j)} \Big) \Big]
# = \mathbb{E}[\Psi^{(i)} G^{(i)}] - \frac1M \mathbb{E}[\Psi^{(i)} G^{(i)}] - \frac1M \sum_{j \ne i} \underbrace{\mathbb{E}[\Psi^{(i)}]}_{0}\, \mathbb{E}[G^{(j)}]
# = \Big(1 - \frac1M\Big) \nabla_\theta J(\theta).
# $$
#
# The gradient is multiplied by $1 - 1/M$ and keeps its direction. With four episodes that is three quarters of its
# length, a constant factor, which Adam cancels. So the common practice is sound for whole returns. With reward-to-go
# and a mean over steps, and after the division by a standard deviation that is random too, it is an approximation.

# %% [markdown]
# ### 2.3 Is it so? The corridor again
#
# Back to the place where we know the exact gradient: the short corridor of lesson 01. The policy is one number, the
# probability $p$ of going right, and the score of a step is $1 - p$ for right, $-p$ for left. This time we also note the
# square. The policy does not see it. A baseline may. Its true values are
# $v_1 = -(3-p)/(p(1-p))$, $v_0 = v_1 - 1/p$ and $v_2 = -1 + (1-p)\,v_1$.
#
# Four baselines, from sensible to silly, and a fifth that breaks the rule: it depends on the action.


# %% jupyter={"source_hidden": true}
def play_corridor(p, num_episodes, seed):
    """Scores, rewards and squares of many episodes, [T, M] each; scores and rewards are 0 after an episode's end."""
    with seeded(seed):
        envs = ShortCorridorVectorEnv(num_episodes)
        envs.reset(seed=seed)
        running, steps = torch.ones(num_episodes, dtype=torch.bool), []
        while running.any():
            squares = envs.state[:, 0].long()  # [M]
            actions = (torch.rand(num_episodes) < p).long()  # [M]
            _, rewards, terminated, truncated, _ = envs.step(actions)
            steps.append(((actions - p) * running, rewards * running, squares))
            running = running & ~(terminated | truncated)
    return [torch.stack(column) for column in zip(*steps, strict=True)]


points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
played = {p: play_corridor(p, num_episodes=5_000, seed=i) for i, p in enumerate(points)}


# %%
def square_values(p):
    v1 = -(3 - p) / (p * (1 - p))
    return torch.tensor([v1 - 1 / p, v1, -1 + (1 - p) * v1])  # [3]


BASELINES = {  # each: (p, scores, squares) -> a number or [T, M]
    "nothing": lambda p, scores, squares: 0.0,
    "a constant, -20": lambda p, scores, squares: -20.0,
    "the true value of the square": lambda p, scores, squares: square_values(p)[squares],
    "a silly function of the square": lambda p, scores, squares: 7.0 * squares**2 - 30.0,
    "10 after going right: not allowed": lambda p, scores, squares: 10.0 * (scores > 0),
}


def estimates(p, baseline):
    """One gradient estimate from each episode, [M]: the sum over its steps of score x (reward-to-go - baseline)."""
    scores, rewards, squares = played[p]
    to_go = returns.discounted_returns(rewards, gamma=1.0)  # [T, M]
    return (scores * (to_go - baseline(p, scores, squares))).sum(dim=0)


# %% [markdown]
# The test is that of lesson 01: the distance between the mean of 5,000 estimates and the exact gradient, in standard
# errors. A correct estimator stays within $\pm 2$ about 95 times in a hundred.

# %%
print(f"{'p':>38}" + "".join(f"{p:7.1f}" for p in points))
for name, baseline in BASELINES.items():
    z = []
    for p in points:
        one = estimates(p, baseline)
        z.append(float((one.mean() - exact_gradient(p)) / (one.std() / len(one) ** 0.5)))
    print(f"{name:>38}" + "".join(f"{number:+7.1f}" for number in z))

# %% [markdown]
# Four baselines pass, the silly one included. (The rows of one $p$ share their episodes, so luck moves them together.)
# The one that looks at the action fails at every $p$, by more than 20 standard errors: it says of going right that it
# is worth 10 less. {{# description}}
#
# ### 2.4 The constant with the least variance
#
# All these baselines give the same mean. They do not give the same noise. Take one score $\psi$ (a vector of `P` numbers)
# with its return $G$, and a constant $b$. An estimate is the vector $\psi\,(G - b)$. Its variance, summed
# over the components (the trace of its covariance), is the mean of its squared length minus the squared length of
# its mean:
#
# $$
# \operatorname{Var}(b) = \mathbb{E}\big[ \lVert \psi \rVert^2 (G-b)^2 \big] - \big\lVert \mathbb{E}[\psi\,G] \big\rVert^2 .
# $$
#
# The second term does not contain $b$, as section 2.1 proved. The first is a parabola in $b$, open upwards:
#
# $$
# \mathbb{E}\big[\lVert \psi \rVert^2 G^2\big] - 2b\, \mathbb{E}\big[\lVert \psi \rVert^2 G\big] + b^2\, \mathbb{E}\big[\lVert \psi \rVert^2\big].
# $$
#
# Its slope $-2\,\mathbb{E}[\lVert \psi \rVert^2 G] + 2b\,\mathbb{E}[\lVert \psi \rVert^2]$ is zero at
#
# $$
# b^\ast = \frac{\mathbb{E}\big[\lVert \psi \rVert^2\, G\big]}{\mathbb{E}\big[\lVert \psi \rVert^2\big]}.
# \tag{2}
# $$
#
# And what does any other constant cost? $\operatorname{Var}(b) = \operatorname{Var}(b^\ast) + {}$ a term that you can
# fill in: complete the square. `mean_square` is $\mathbb{E}[\lVert \psi \rVert^2]$, `best` is $b^\ast$. {{# question}}


# %%
def added_variance(mean_square, b, best):
    return ...  # your line


questions.check_line("02-price", added_variance)

# %% [markdown]
# <details><summary>The line</summary>
#
# $$
# \operatorname{Var}(b) = \operatorname{Var}(b^\ast) + \mathbb{E}\big[\lVert \psi \rVert^2\big]\,(b - b^\ast)^2 .
# $$
#
# </details>
#
# So the best constant is a *weighted* mean of the return: what was sampled with a large score counts for more, because
# that is where noise enters. It is the plain mean only if squared scores and returns are uncorrelated. And a bad constant
# is worse than none: outside of the range from 0 to $2b^\ast$ the parabola is higher than at 0. {{# mathematics}}
#
# Try it on the corridor, with the whole return. There the score is that of the whole episode, $\Psi = \sum_t \psi_t$,
# one number.

# %% jupyter={"source_hidden": true}
whole = {
    p: (played[p][0].sum(dim=0), played[p][1].sum(dim=0)) for p in (0.2, 0.5, 0.8)
}  # p -> scores, returns, [M] each
mean_return = {p: float(R.mean()) for p, (_, R) in whole.items()}
best_return = {p: float((score**2 * R).mean() / (score**2).mean()) for p, (score, R) in whole.items()}

# %% jupyter={"source_hidden": true}
# {{# computed}}
questions.predict(
    "02-best-constant",
    f"At p = 0.2 the mean return is {mean_return[0.2]:.0f}. Which constant gives the least variance?",
    ["the mean return", "half of the mean return", "twice the mean return", "the constant 0"],
    answer=2,
    explanation=f"It is {best_return[0.2]:.0f}, about twice the mean. An episode that wandered for long has a very negative "
    "return and, as a sum of many steps, a large score. So the bad episodes weigh most in b*.",
)

# %% jupyter={"source_hidden": true}
# {{# computed}}
baseline_constant({str(p): episodes for p, episodes in whole.items()}).show()

# %% [markdown]
# ### 2.5 From a constant to a function of the state
#
# A constant is the same guess everywhere. In CartPole the pole leans a little here and a lot there, and you expect
# different things. So let the baseline depend on the state. Which function? Write $V^\pi(s) = \mathbb{E}[G \mid s]$ and
# split $G - b(s) = (G - V^\pi(s)) + (V^\pi(s) - b(s))$. The second part is fixed once $s$ is, and the first has mean
# zero given $s$, so the mixed term vanishes:
#
# $$
# \mathbb{E}\big[(G - b(s))^2\big] = \mathbb{E}\big[(G - V^\pi(s))^2\big] + \mathbb{E}\big[(V^\pi(s) - b(s))^2\big].
# \tag{3}
# $$
#
# The first term does not depend on $b$, the second is zero for $b = V^\pi$ and for nothing else. So $V^\pi$ is the best
# *prediction* of the return, and the same line says how to learn it: minimise the squared error. {{# mathematics}}
#
# A value baseline removes the differences *between* states. What is left, the first term, comes *after* the state: the
# action, and luck. No function of the state takes it away. Besides,
# $\mathbb{E}[G_t - V^\pi(s_t) \mid s_t, a_t] = Q^\pi(s_t, a_t) - V^\pi(s_t)$: the weight becomes an unbiased estimate
# of the **advantage** of unit 00, "how much better than usual was this action". A network that learns $V$ is called a
# **critic**; section 4 trains one.
# {{# mathematics}}

# %% [markdown]
# #### Prediction against baseline · further
#
# With all expectations taken in one state, equation (2) says that the least variance of a single step needs
# $b^\ast(s) = \mathbb{E}[\lVert \psi \rVert^2 G \mid s] / \mathbb{E}[\lVert \psi \rVert^2 \mid s]$. It agrees with
# $V^\pi(s)$ where squared score and return are uncorrelated given the state, for instance with two equally likely
# actions. {{# mathematics}}
#
# For a sum over steps it need not be the best either: the steps of an episode share luck. Section 2.6 measures it.
# {{# mathematics}}

# %% [markdown]
# ### 2.6 The ladder on the corridor
#
# With reward-to-go an estimate is a sum over steps, $\sum_t \psi_t (G_t - b) = X - b\,\Psi$ with $X = \sum_t \psi_t G_t$.
# The algebra of section 2.4 gives its best constant, $b^\ast = \mathbb{E}[X \cdot \Psi] / \mathbb{E}[\lVert \Psi \rVert^2]$.
# How much does each kind of weight take away? One estimate from each episode: {{# question}}


# %% jupyter={"source_hidden": true}
def corridor_ladder(p):
    """Rung -> estimates [M]. Their mean is the exact gradient; mean and b* of the same episodes bend it by about 1/M."""
    scores, rewards, squares = played[p]
    to_go, R, S = returns.discounted_returns(rewards, gamma=1.0), rewards.sum(dim=0), scores.sum(dim=0)
    weighted = (scores * to_go).sum(dim=0)  # the X of the text
    return {
        "whole return": S * R,
        "whole return - mean": S * (R - R.mean()),
        "whole return - b*": S * (R - (S**2 * R).mean() / (S**2).mean()),
        "reward-to-go": weighted,
        "reward-to-go - mean return": weighted - S * R.mean(),
        "reward-to-go - b*": weighted - S * (weighted * S).mean() / (S**2).mean(),
        "reward-to-go - V(square)": (scores * (to_go - square_values(p)[squares])).sum(dim=0),
    }


rungs = {p: corridor_ladder(p) for p in (0.2, 0.5, 0.8)}
print(f"{'standard deviation of an estimate, p':>38}" + "".join(f"{p:8.1f}" for p in rungs))
for name in rungs[0.5]:
    print(f"{name:>38}" + "".join(f"{float(rungs[p][name].std()):8.1f}" for p in rungs))

# %% [markdown]
# Subtracting a constant lowers the noise of the whole return and of reward-to-go, in all three columns. From the whole
# return to reward-to-go with a constant, the standard deviation falls to about two fifths, so you need about a sixth of
# the episodes for the same precision. {{# computed}}
#
# The *true* value of the square, which no critic could beat as a prediction, does no better than a good constant. Two
# reasons. The squares differ little in value here compared with the luck that follows. And equation (3) is about one
# weight, while an estimate is a sum of many, whose errors move together: the steps of one episode share the same future.
# {{# computed}}

# %% [markdown]
# #### One weight, and the sum · further
#
# Take the two apart at $p = 0.5$, where all squared scores are equal:

# %%
scores, rewards, squares = played[0.5]
to_go = returns.discounted_returns(rewards, gamma=1.0)
for name, b in {"mean return": float(rewards.sum(dim=0).mean()), "V(square)": square_values(0.5)[squares]}.items():
    steps = scores * (to_go - b)  # [T, M]
    alone = steps.square().sum(dim=0).mean() - steps.mean(dim=1).square().sum()
    print(
        f"{name:>12}: variances of the steps, summed {float(alone):6.1f};  variance of the sum {float(steps.sum(dim=0).var()):6.1f}"
    )

# %% [markdown]
# Step by step, $V^\pi$ leaves less variance, as the mathematics says. In the sum it does not, since the variance of a
# sum contains the errors that the steps share. {{# computed}}

# %% [markdown]
# ## 3. CartPole: the ladder with a network
#
# Does the ladder look the same with a network of 4,610 weights? We trained ten agents, kept policy and critic of each
# at three stages (when the mean of the last 20 episodes first reached 50, 150 and 400), and played fresh episodes
# with each. Every episode gives one gradient estimate for every choice of weight. All baselines were fitted
# on *other* episodes, so none of them is biased. The figures are the trace of the covariance, as a multiple of that
# of reward-to-go with nothing subtracted. The discount is that of training, 0.99.

# %% jupyter={"source_hidden": true}
STAGES = (50, 150, 400)


def ladder(names, title):
    """Draw rungs of the ladder: label -> figure of the claims."""
    return variance.variance_ladder(
        {label: [measured["figures"][f"ladder/{stage}/{name}"] for stage in STAGES] for label, name in names.items()},
        [f"mean return {stage}" for stage in STAGES],
        title=title,
    )


# {{# question}}
questions.predict(
    "02-own-critic",
    "At the second stage, subtracting the mean return leaves {{baselines:ladder/150/mean.value}} of the variance. What does the run's "
    "own critic leave, as it stands in the middle of training?",
    ["about a tenth of that", "about a third of that", "about as much as that", "more than it was before"],
    answer=2,
    explanation="It leaves {{baselines:ladder/150/critic}}: {{no difference | baselines:ladder/150/critic ~ baselines:ladder/150/mean}} to the mean is "
    "seen. A fresh network, fitted afterwards to 160 episodes of that very policy, leaves {{baselines:ladder/150/value}}, "
    "{{less | baselines:ladder/150/value < baselines:ladder/150/critic}}. The state tells a lot. The critic in the loop has not learnt it yet.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
page.figure(
    ladder(
        {
            "reward-to-go": "to_go",
            "− mean return": "mean",
            "− best constant b*": "best",
            "− V(s), the run's own critic": "critic",
            "− V(s), fitted afterwards": "value",
            "− V(s, t), sees the clock": "value_clock",
        },
        "As in training, γ = 0.99",
    ),
    alt="Rows from reward-to-go to a V that sees the clock. A constant and the run's own critic lie close together near 0.3, at the last "
    "stage near 0.13; a fitted V is lower, most of all at the second stage.",
    caption="One marker a stage: interquartile mean of ten seeds with its 95 % interval. The scale is logarithmic.",
)

# %% [markdown]
# Three things to read from it.
#
# - **A constant takes away more than half** of the variance. It leaves {{less than 0.5 of it at every stage |
#   baselines:ladder/50/mean < 0.5, baselines:ladder/150/mean < 0.5, baselines:ladder/400/mean < 0.5}}:
#   {{baselines:ladder/50/mean}}, {{baselines:ladder/150/mean}} and {{baselines:ladder/400/mean}}. The best constant
#   leaves {{less than the mean return | baselines:ladder/50/best < baselines:ladder/50/mean, baselines:ladder/150/best
#   < baselines:ladder/150/mean, baselines:ladder/400/best < baselines:ladder/400/mean}}, and not by much.
#   {{# description}}
# - **The critic in the loop is hardly ahead of the best constant.** At the first two stages
#   {{no difference is seen | baselines:ladder/50/critic ~ baselines:ladder/50/best, baselines:ladder/150/critic ~
#   baselines:ladder/150/best}}, at the last it leaves {{less | baselines:ladder/400/critic <
#   baselines:ladder/400/best}}. It sees four episodes an update, of a policy that has changed since. At the second
#   stage the network that was fitted afterwards explains {{more of the returns | baselines:ladder/150/value/explained >
#   baselines:ladder/150/critic/explained}}: {{baselines:ladder/150/value/explained.value}} of their variance against
#   {{baselines:ladder/150/critic/explained.value}}.
# - **At the last stage something is missing from the state.** Even the fitted network explains only
#   {{baselines:ladder/400/value/explained.value}} there. Told the number of the step, it explains
#   {{more | baselines:ladder/400/value_clock/explained > baselines:ladder/400/value/explained}},
#   {{baselines:ladder/400/value_clock/explained.value}}. When episodes last until the time limit, what is left
#   of the return depends on the clock, and CartPole's observation has no clock.
#
# So at the second stage a value baseline *could* leave {{less than the best constant | baselines:ladder/150/value <
# baselines:ladder/150/best}}, {{baselines:ladder/150/value.value}} against {{baselines:ladder/150/best.value}}, and the
# critic in this loop does not. Unit 03 gives the critic more to do. {{# wording}}

# %% [markdown]
# #### Without discount · further

# %% jupyter={"source_hidden": true}
# {{# description}}
page.figure(
    ladder(
        {
            "whole return": "undiscounted/whole",
            "reward-to-go": "undiscounted/to_go",
            "− mean return": "undiscounted/mean",
            "− best constant b*": "undiscounted/best",
            "− V(s), fitted afterwards": "undiscounted/value",
        },
        "Without discount, γ = 1",
    ),
    alt="Rows from whole return to V(s), three markers each. The variance falls from about 4 to 1 for reward-to-go, about 0.4 for a "
    "constant, and 0.2 to 0.4 for a fitted V.",
    caption="One marker a stage: interquartile mean of ten seeds with its 95 % interval. The scale is logarithmic.",
)

# %% [markdown]
# The whole return has {{more than 2 times the variance | baselines:ladder/50/undiscounted/whole > 2,
# baselines:ladder/150/undiscounted/whole > 2, baselines:ladder/400/undiscounted/whole > 2}} of reward-to-go, at every
# stage. Of the variance of reward-to-go, the mean return leaves {{baselines:ladder/50/undiscounted/mean}},
# {{baselines:ladder/150/undiscounted/mean}} and {{baselines:ladder/400/undiscounted/mean}}. The best constant is
# {{below the mean | baselines:ladder/50/undiscounted/constant_over_mean < 1,
# baselines:ladder/150/undiscounted/constant_over_mean < 1, baselines:ladder/400/undiscounted/constant_over_mean < 1}}
# this time, {{baselines:ladder/150/undiscounted/constant_over_mean}} times the mean at the second stage: the factor of
# two was the corridor's. {{# wording}}

# %% [markdown]
# ## 4. A critic beside the policy
#
# Nobody hands you $V^\pi$. So you learn it, with a second network: the critic $V(s)$ with weights $\phi$. (The
# policy is then called the actor.) It has the body of the policy and one output instead of two.
#
# ### 4.1 What it learns
#
# Equation (3) says that the squared error is least at $V^\pi$. So draw states from your own episodes and fit the
# returns you have seen: {{# mathematics}}
#
# $$
# L(\phi) = \frac12 \cdot \frac1B \sum_{i=1}^{B} \big(V(s_i) - G_i\big)^2,
# \qquad \frac{\partial L}{\partial V(s_i)} = \frac1B \big(V(s_i) - G_i\big).
# $$
#
# The ½ makes the gradient the plain error. The return $G_i$ is a *target*: a number from the past, not a function of
# $\phi$. Values and returns must have the same shape `[B]`; section 8 shows what happens otherwise.
#
# ### 4.2 The whole update
#
# Each update: ask the critic for its values, step the policy on $G_t - V(s_t)$ (standardised), then take five steps of
# the critic. The package's code is folded here; you write your own in exercise 5.

# %% jupyter={"source_hidden": true}
page.source(reinforce.update, folded="The package's update: write yours first")

# %% [markdown]
# ### 4.3 First use the critic, then fit it
#
# The values are computed *before* the critic is fitted to this batch. Once it has been fitted to these very returns,
# $V(s_t)$ depends on what came after $s_t$, the action $a_t$ included, and the proof of section 2.1 is gone. In the
# extreme a large critic memorises the batch: $G_t - V(s_t) = 0$ everywhere, and there is nothing left to learn from.
# Watch it begin. *Explained variance* is $1 - \operatorname{Var}(G - V) / \operatorname{Var}(G)$: the share of the
# returns' variance that the critic takes away. At 1, $V$ is right up to a constant. At 0 it takes away no more than a
# constant does, and below 0 less. {{# mathematics}}


# %% jupyter={"source_hidden": true}
def collect_batch(policy, num_episodes, seed, gamma=0.99):
    """Observations [B, 4], actions [B] and discounted returns [B] of complete episodes."""
    with seeded(seed):
        episodes = collect_episodes(policy, make_envs("CartPole-v1", num_episodes, seed=seed))
    to_go = torch.cat([returns.discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])
    return torch.cat([episode.obs for episode in episodes]), torch.cat([episode.actions for episode in episodes]), to_go


with seeded(0):
    policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
obs, actions, G = collect_batch(policy, num_episodes=4, seed=1)
fresh_obs, _, fresh_G = collect_batch(policy, num_episodes=200, seed=2)

# %%
optimizer = adam(critic.parameters(), 5e-3)
print("steps   explained variance: this batch   200 other episodes of the same policy")
for step in range(1, 201):
    gradient_step(losses.value_loss(critic(obs), G), critic, optimizer, max_grad_norm=0.5)
    if step in (5, 20, 50, 100, 200):
        with torch.no_grad():
            own, fresh = (diagnostics.explained_variance(critic(x), y) for x, y in ((obs, G), (fresh_obs, fresh_G)))
        print(f"{step:5d} {own:32.2f} {fresh:37.2f}")

# %% [markdown]
# The first steps raise $V$ everywhere, and unevenly in a way that does not fit the returns yet: explained variance
# falls below 0. On its own batch the critic ends up nearly perfect. On other episodes of the same policy explained
# variance rises to about 0.3 and then falls below 0: the critic has memorised this batch's luck. Used on its own batch,
# it would erase that luck, and the signal with it. {{# description}}
#
# ### 4.4 Why `no_grad`
#
# The weight is a number. If you forget to cut it from the graph, the policy loss has a gradient in the critic too. With
# raw weights, not standardised, it is
#
# $$
# \frac{\partial}{\partial V(s_i)} \Big( -\frac1B \sum_i \log \pi(a_i \mid s_i)\,\big(G_i - V(s_i)\big) \Big) = \frac1B \log \pi(a_i \mid s_i) < 0 .
# $$
#
# Following it would push $V$ *up*, everywhere and without end, and that has nothing to do with predicting returns. With
# two optimisers, each with its own `zero_grad`, the stray gradient is wiped before the critic's own step. With one
# backward over `policy_loss + c * value_loss` and raw weights both pull on $V$, and it settles too high, by the
# policy's entropy divided by $c$. Standardised weights do not change with a constant in $V$, so they do not push its
# mean, and that offset does not appear. So cut the graph. The package cuts it twice: `no_grad` around the values,
# `detach` inside `reinforce_loss`. {{# mathematics}}

# %% [markdown]
# #### The offset, checked · further
#
# Take raw weights. Set the sum of the two gradients to zero, $\log \pi(a \mid s) + c\,(V - G) = 0$, and average over
# actions: the critic settles at $V = \mathbb{E}[G \mid s] + H(\pi(\cdot \mid s)) / c$. Check it with a critic of one
# number $v$. The loss is a parabola in $v$ of curvature $c$. The lowest point of a parabola lies at its slope divided
# by its curvature away: one step of that length (a *Newton step*) goes there. {{# mathematics}}

# %%
# {{# computed}}
v = torch.zeros((), requires_grad=True)
log_prob = policy(obs).log_prob(actions).detach()  # [B]
for c in (1.0, 0.01):
    for detached in (True, False):
        weight = G - (v.detach() if detached else v)  # [B]
        loss = -(log_prob * weight).mean() + c * losses.value_loss(v.expand_as(G), G)
        (slope,) = torch.autograd.grad(loss, v)
        print(
            f"c = {c:<4}  detached: {detached!s:5}  mean return {G.mean():.2f}, critic settles at {v - slope / c:.2f}"
        )

# %% [markdown]
# With $c = 1$ the critic is off by $\log 2 \approx 0.69$, the entropy of a fair coin. Beside returns of 20 to 100
# nobody would notice. With $c = 0.01$, or with rewards a hundred times smaller, the same slip gives a critic that is
# wrong by several times the return. {{# computed}}

# %% [markdown]
# ### 4.5 Two optimisers
#
# Actor and critic do different jobs. The policy may take *one* small step per batch, because the data speak only of
# the policy that acted. The critic solves a regression: it may take five steps on the same data, with a rate of its own.
# Look at the sizes of the two gradients: {{# wording}}

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, ax = plots.new_figure(height=3.4)
for name, label, colour in (("critic", "critic", "#D55E00"), ("policy", "policy", "#0072B2")):
    plots.claimed_band(ax, measured["curves"][f"baseline/losses/{name}_grad_norm"], label=label, colour=colour)
ax.axhline(0.5, color="black", linestyle=":", label="clipped above 0.5")
ax.set(xlabel="update", ylabel="norm of the gradient", yscale="log")
ax.legend(loc="center right")
page.figure(
    figure,
    alt="Two curves on a logarithmic scale: the critic's gradient norm lies between 40 and 200, the policy's near 0.1.",
    caption="The same runs, the same batches.",
)

# %% [markdown]
# The critic's gradient is hundreds of times as large, because its error is counted in steps and the policy's weights
# are standardised. Clip the norm of both together at 0.5, and both are divided by twice the joint norm, which is the
# critic's. What that costs with Adam is measured in unit 06. {{# description}}
#
# ### 4.6 A critic that starts near 0
#
# A fresh critic says about 0, and the returns are 20, soon 80. How long does it take to catch up, and does it matter
# until then? Here are the critic of the course (learning rate 0.005) and a slow one (0.0003), ten seeds each.
# {{# design}}

# %% jupyter={"source_hidden": true}
# {{# description}}
columns = {}
for name, title in (("baseline", "critic learning rate 0.005"), ("slow_critic", "critic learning rate 0.0003")):
    value, mean, explained = (
        measured["curves"][f"{name}/{key}"]
        for key in ("charts/value_mean", "charts/return_mean", "losses/explained_variance")
    )
    columns[title] = ([(mean, "mean of G", "#D55E00"), (value, "mean of V", "#0072B2")], explained)
page.figure(
    value_map.critic_panels(columns),
    alt="Two columns. On the left the mean of V climbs and meets the mean of G after about 60 updates; on the right it creeps and "
    "is far below to the end. Explained variance, below, is between 0 and 0.25 on the left and about 0 on the right.",
    caption="Upper panels: the two means. Lower panels: explained variance. Lines are interquartile means of ten seeds, bands their "
    "95 % intervals, each point five updates.",
)

# %% [markdown]
# The course's critic needs about 60 updates to meet the returns: while the policy improves, its target moves away. The
# slow one stays below to the end. Its explained variance stays near 0, so that panel too shows a critic that has learnt
# little. But it does not show the gap: it is made of variances, and a variance ignores a constant. Move the offset of a
# critic that was fitted to 200 episodes: {{# description}}

# %% jupyter={"source_hidden": true}
with seeded(1):
    fitted = ValueNetwork(4)
optimizer = adam(fitted.parameters(), 5e-3)
for _ in range(300):
    gradient_step(losses.value_loss(fitted(fresh_obs), fresh_G), fitted, optimizer, max_grad_norm=None)
fitted_values = fitted(fresh_obs).detach()  # [B]

critic_offset(fitted_values, fresh_G).show()

# %% [markdown]
# Does the gap matter? `normalize(weight)` subtracts the mean of the weights, and with it any constant error of the
# critic. Without the centring the policy feels the offset. Ten seeds each:
#
# | critic, weights | explained variance, mean over the updates | seeds that reach 475 in 400 episodes | episodes to 195 | mean return, episodes 301 to 400 |
# |---|---|---|---|---|
# | rate 0.005, standardised | {{baselines:baseline/explained}} | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} |
# | rate 0.0003, standardised | {{baselines:slow_critic/explained}} | {{baselines:slow_critic/episodes_to_475/count}} of {{baselines:slow_critic/episodes_to_475/count.n}} | {{baselines:slow_critic/episodes_to_195}} | {{baselines:slow_critic/last_100}} |
# | rate 0.005, scaled, not centred | {{baselines:uncentred_critic/explained}} | {{baselines:uncentred_critic/episodes_to_475/count}} of {{baselines:uncentred_critic/episodes_to_475/count.n}} | {{baselines:uncentred_critic/episodes_to_195}} | {{baselines:uncentred_critic/last_100}} |
# | rate 0.0003, scaled, not centred | {{baselines:uncentred_slow_critic/explained}} | {{baselines:uncentred_slow_critic/episodes_to_475/count}} of {{baselines:uncentred_slow_critic/episodes_to_475/count.n}} | {{baselines:uncentred_slow_critic/episodes_to_195}} | {{baselines:uncentred_slow_critic/last_100}} |
#
# - With the faster critic, centring makes {{no difference that is seen | baselines:uncentred_critic/last_100 ~
#   baselines:baseline/last_100, baselines:uncentred_critic/episodes_to_195 ~ baselines:baseline/episodes_to_195}}.
# - The slow one ends {{lower without centring | baselines:uncentred_slow_critic/last_100 <
#   baselines:slow_critic/last_100}} than with it.
# - With centring, the slow critic does what a constant does, as far as ten seeds tell: to the version without any
#   critic (section 5) {{no difference is seen | baselines:slow_critic/last_100 ~ baselines:no_baseline/last_100,
#   baselines:slow_critic/episodes_to_195 ~ baselines:no_baseline/episodes_to_195}}. {{# wording}}
#
# So standardising does not only scale: it hides a critic that is off by a constant.

# %% [markdown]
# ## 5. What does it buy?
#
# The version that this course calls "without baseline" standardises its weights, and so subtracts the batch's own mean:
# it *has* a constant baseline (the folded section 2.2 says with what bias). To see what subtracting anything is worth,
# we need versions that divide by the standard deviation and subtract nothing but what they say.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "02-what-it-buys",
    "Ten seeds each, episodes to a mean return of 195: with nothing subtracted, with the batch's mean, with V(s). Which step shows?",
    ["nothing to the mean", "the mean to V(s)", "both of them", "neither of them"],
    answer=0,
    explanation="Nothing subtracted: {{baselines:uncentred/episodes_to_195}} episodes. The batch's mean: {{baselines:no_baseline/episodes_to_195}}, "
    "{{fewer | baselines:no_baseline/episodes_to_195 < baselines:uncentred/episodes_to_195}}. A value network: "
    "{{baselines:baseline/episodes_to_195}}, {{no difference seen | baselines:baseline/episodes_to_195 ~ baselines:no_baseline/episodes_to_195}} to the mean.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
figure = plots.claimed_curves(
    "baselines",
    {
        "uncentred": "nothing subtracted",
        "running_mean": "running mean of earlier batches",
        "no_baseline": "the batch's mean (REINFORCE without critic)",
        "baseline": "V(s) (REINFORCE with baseline)",
    },
    threshold=475,
    title="What is subtracted from the return",
    colours={
        "the batch's mean (REINFORCE without critic)": "reinforce_no_baseline",
        "V(s) (REINFORCE with baseline)": "reinforce",
    },
)
page.figure(
    figure,
    alt="Four learning curves over 400 episodes: with nothing subtracted the curve climbs late and ends near 460; the other three lie "
    "close together and end near 490 to 500.",
    caption="Lines are interquartile means of ten seeds, bands their 95 % intervals, moving average of 50 episodes.",
)

# %% [markdown]
# | what is subtracted | explained variance, mean over the updates | seeds that reach 475 in 400 episodes | episodes to 195 | mean return, episodes 301 to 400 |
# |---|---|---|---|---|
# | nothing | 0, by definition | {{baselines:uncentred/episodes_to_475/count}} of {{baselines:uncentred/episodes_to_475/count.n}} | {{baselines:uncentred/episodes_to_195}} | {{baselines:uncentred/last_100}} |
# | a running mean of earlier batches | 0, by definition | {{baselines:running_mean/episodes_to_475/count}} of {{baselines:running_mean/episodes_to_475/count.n}} | {{baselines:running_mean/episodes_to_195}} | {{baselines:running_mean/last_100}} |
# | the batch's own mean (the course's "without baseline") | 0, by definition | {{baselines:no_baseline/episodes_to_475/count}} of {{baselines:no_baseline/episodes_to_475/count.n}} | {{baselines:no_baseline/episodes_to_195}} | {{baselines:no_baseline/last_100}} |
# | $V(s)$, not centred | {{baselines:uncentred_critic/explained}} | {{baselines:uncentred_critic/episodes_to_475/count}} of {{baselines:uncentred_critic/episodes_to_475/count.n}} | {{baselines:uncentred_critic/episodes_to_195}} | {{baselines:uncentred_critic/last_100}} |
# | $V(s)$, then centred (the course's "with baseline") | {{baselines:baseline/explained}} | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} | {{# wording}}
#
# **From nothing to a constant.** The batch's mean brings
# {{more seeds to 475 | baselines:no_baseline/episodes_to_475/count > baselines:uncentred/episodes_to_475/count}}, and a
# {{higher return | baselines:no_baseline/last_100 > baselines:uncentred/last_100}} in episodes 301 to 400. The running
# mean owes nothing to the batch it is used on, so it is unbiased, and between the two constants
# {{no difference is seen | baselines:running_mean/last_100 ~ baselines:no_baseline/last_100,
# baselines:running_mean/episodes_to_195 ~ baselines:no_baseline/episodes_to_195}}.
#
# **From a constant to $V(s)$.** Beside the batch's mean {{no difference is seen | baselines:baseline/last_100 ~
# baselines:no_baseline/last_100, baselines:baseline/episodes_to_475/count ~
# baselines:no_baseline/episodes_to_475/count}}, in the returns or in the seeds that reach 475. Beside the running mean,
# $V(s)$ with centring has a {{higher return | baselines:baseline/last_100 > baselines:running_mean/last_100}} in
# episodes 301 to 400; in the episodes to 195 {{no difference is seen | baselines:baseline/episodes_to_195 ~
# baselines:running_mean/episodes_to_195}}. This fits section 3, where this critic left about the variance that a constant
# leaves. {{# wording}}
#
# **After 1,000 episodes** (lesson 01) {{no difference is seen | reinforce:baseline/last_100 ~
# reinforce:no_baseline/last_100}} either: {{reinforce:no_baseline/last_100}} without a critic,
# {{reinforce:baseline/last_100}} with one. That is a result on CartPole, and no law. The noise also decides which
# policies a run passes through, and baselines with the same variance can end in different places (Chung et al. 2021).
# {{# cited}}

# %% [markdown]
# #### The slow seeds: an exploratory look · further
#
# In the table every seed with a critic reaches 475, and of those with a constant some do not. Two versions of ten seeds
# do not settle that. Here are three more ways to train a critic: {{# question}}
#
# | critic | explained variance, mean over the updates | seeds that reach 475 in 400 episodes | episodes to 195 | mean return, episodes 301 to 400 |
# |---|---|---|---|---|
# | the course's: rate 0.005, five steps, used first | {{baselines:baseline/explained}} | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} |
# | fitted to the batch before it is used on it | {{baselines:fitted_first/explained}} | {{baselines:fitted_first/episodes_to_475/count}} of {{baselines:fitted_first/episodes_to_475/count.n}} | {{baselines:fitted_first/episodes_to_195}} | {{baselines:fitted_first/last_100}} |
# | one step an update instead of five | {{baselines:one_critic_step/explained}} | {{baselines:one_critic_step/episodes_to_475/count}} of {{baselines:one_critic_step/episodes_to_475/count.n}} | {{baselines:one_critic_step/episodes_to_195}} | {{baselines:one_critic_step/last_100}} |
# | rate 0.0003 (section 4.6) | {{baselines:slow_critic/explained}} | {{baselines:slow_critic/episodes_to_475/count}} of {{baselines:slow_critic/episodes_to_475/count.n}} | {{baselines:slow_critic/episodes_to_195}} | {{baselines:slow_critic/last_100}} | {{# wording}}
#
# With one step an update, or with a small rate, the critic explains
# {{less than a hundredth | baselines:one_critic_step/explained < 0.01, baselines:slow_critic/explained < 0.01}} of the
# variance: its value is nearly the same in every state. (The figure for "fitted before" is flattered, because it is
# taken on the batch that the critic was fitted to. Between fitting before and after
# {{no difference is seen | baselines:fitted_first/last_100 ~ baselines:baseline/last_100,
# baselines:fitted_first/episodes_to_475 ~ baselines:baseline/episodes_to_475}} with five steps.) So sort all versions
# with something subtracted, a constant too, and the patient of section 8 included, by what their baseline explains. A
# run is *late* if it has not reached 475 by episode 400: {{# wording}}


# %% jupyter={"source_hidden": true}
def late_runs(names):
    """How many runs of these versions had not reached 475 by episode 400, and how many runs there are."""
    reached = [episode for name in names for episode in measured["values"][f"{name}/episodes_to_475"]["per_seed"]]
    return sum(episode is None for episode in reached), len(reached)


subtracting = [name for name in measured["configs"] if name != "uncentred"]
titles = {
    "no_baseline": "the batch's mean",
    "running_mean": "running mean",
    "baseline": "the course's critic",
    "uncentred_critic": "the course's, not centred",
    "slow_critic": "rate 0.0003",
    "uncentred_slow_critic": "rate 0.0003, not centred",
    "one_critic_step": "one step",
    "fitted_first": "fitted before",
    "patient": "the patient",
}
explains = {name: measured["figures"][f"{name}/explained"]["value"] for name in subtracting}
constants = [name for name in subtracting if explains[name] < 0.05]
critics = [name for name in subtracting if explains[name] >= 0.05]
for label, names in (("explains nothing", constants), ("explains something", critics)):
    late, runs_in_all = late_runs(names)
    print(f"{label:>18}: {late:2d} of {runs_in_all} runs late   ({'; '.join(titles[name] for name in names)})")

# %% jupyter={"source_hidden": true}
# {{# computed}}
late = {name: late_runs([name])[0] for name in constants + critics}
dealt = [sum(late[name] for name in group) for group in combinations(late, len(critics))]
found = sum(late[name] for name in critics)
print(
    f"{sum(each <= found for each in dealt)} of {len(dealt)} ways to choose {len(critics)} versions have {found} late runs or fewer"
)

# %% [markdown]
# The versions that explain something have no late run. But the versions share their seeds, so the unit is the version,
# and of the 84 ways to pick three of nine even the most extreme one has a share of 1/84. And the grouping was chosen
# after the results were known. This is a hypothesis, to be tested on fresh seeds, and no finding. {{# hypothesis}}

# %% [markdown]
# ## 6. Watch it, and look inside · further
#
# Train once, live, and keep the critic. Your run is drawn on the band of the ten measured ones.

# %% jupyter={"source_hidden": true}
with seeded(7):
    critic = ValueNetwork(4)
critics_at = {}


def keep_critic(progress):
    for count in (60, 120):
        if len(progress.episodes) >= count:
            critics_at.setdefault(f"{count} episodes", copy.deepcopy(critic))


result, policies = stages.train_with_stages(
    reinforce.train, replace(reinforce.CARTPOLE, seed=7, num_episodes=300), at=(60, 120), by="episode",
    critic=critic, on_iteration=keep_critic,
)  # fmt: skip
critics_at[list(policies)[-1]] = result.critic

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, (left, right) = plots.new_figure(columns=2, width=9.5, height=3.8)
plots.claimed_band(left, first["curves"]["baseline"], label="ten measured runs", colour="reinforce")
left.plot(moving_average(result.episodes["episodic_return"], 50), color=plots.COLOURS["learner"], label="your run")
left.set(xlabel="episode", ylabel="return, moving average of 50 episodes", xlim=(0, 300), ylim=(0, 510))
left.legend(loc="upper left")
right.plot(result.metrics["charts/return_mean"], color="#D55E00", label="mean of G")
right.plot(result.metrics["charts/value_mean"], color="#0072B2", label="mean of V")
right.set(xlabel="update", ylabel="mean over the batch [discounted steps]", ylim=(0, 110))
right.legend(loc="lower right")
page.figure(
    figure,
    alt="Left: the live run's learning curve on the band of ten measured runs. Right: the means of G and V over the updates; V "
    "starts at 0, follows G from below and meets it.",
    caption="Change the seed and run again. One run may leave the band, which is for the mean of many.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
watch(
    policies,
    "CartPole-v1",
    seed=1,
    caption="The same held-out start states for all, at true speed. Push them and see who recovers.",
)

# %% [markdown]
# ### What the critic thinks
#
# The state of CartPole has four numbers. Here you set all of them. Above is the cart, and what critic and policy say of it as
# the pole tilts. Below, position and velocity are held fixed, and the other two numbers make a map: on the left what the
# critic expects, on the right what the policy does. Choose a stage, then move the cart.

# %% jupyter={"source_hidden": true}
# {{# description}}
agents = {}
for title, its_critic in critics_at.items():
    visited, _, to_go = collect_batch(policies[title], num_episodes=16, seed=5)
    agents[title] = Agent(policies[title], its_critic, visited)
    with torch.no_grad():
        values, track = its_critic(visited), its_critic(torch.tensor([[x, 0.0, 0.0, 0.0] for x in (-2.0, 0.0, 2.0)]))
    print(
        f"{title:>18}: V over visited states {values.mean():5.1f} ± {values.std():4.1f},  G {to_go.mean():5.1f} ± {to_go.std():4.1f},"
        f"  explained variance {diagnostics.explained_variance(values, to_go):+.2f}"
    )
    low, high = visited[:, 0].quantile(torch.tensor([0.05, 0.95])).tolist()
    print(
        f"{'':>20}cart mostly between {low:+.1f} and {high:+.1f} m;  V at -2, 0, +2 m: "
        + ", ".join(f"{v:.0f}" for v in track)
    )

# %% jupyter={"source_hidden": true}
# {{# description}}
cartpole_state(
    agents,
    caption="Black line: the policy is undecided. White dot: the state. Grey dots: states that the agent visits, wherever the cart "
    "is. Far from them both maps are guesses.",
).show()

# %% [markdown]
# Over the dots the critic's map is nearly flat, and the printed spreads say the same: $V$ varies much less than $G$ in
# this run. This is what the explained variance printed beside them looks like from inside. {{# description}}
#
# Now move the cart along the track, and compare with the second line of each printout. Where the agent goes, the
# critic has learnt something. Where it hardly ever goes, the map says what the network happens to say there, be it
# far too high or below zero. No state of CartPole has a value below zero.
#
# Now put the cart at rest in the middle and lean the pole: the policy pushes under it. Then give the pole a swing the other
# way: from which angular velocity on does the policy change its mind?

# %% [markdown]
# Now let the trained agent play one episode, and look at it through its critic's eyes.

# %% jupyter={"source_hidden": true}
with seeded(3):
    episode = collect_episodes(result.policy, make_envs("CartPole-v1", 1, seed=3))[0]
to_go = returns.discounted_returns(episode.rewards, gamma=0.99)  # [T]
with torch.no_grad():
    values = result.critic(episode.obs)  # [T]

figure, ax = plots.new_figure(height=3.6)
ax.plot(to_go, color="#D55E00", label="return $G_t$ (known afterwards)")
ax.plot(values, color="#0072B2", label="value $V(s_t)$ (known at step t)", linewidth=1.2)
ax.fill_between(range(len(to_go)), values, to_go, where=to_go >= values, color="#009E73", alpha=0.25, label="pushed up")
ax.fill_between(
    range(len(to_go)), values, to_go, where=to_go < values, color="#CC79A7", alpha=0.35, label="pushed down"
)
ax.set(xlabel="step of the episode", ylabel="discounted steps", ylim=(0, 110))
ax.legend(loc="lower left", ncols=2)
page.figure(
    figure,
    alt="Over one episode of 500 steps the return starts near 99 and falls to 1 at the end; the value stays near 80 for most of it. Until about "
    "step 350 the return lies above the value, at the end below.",
    caption="Green: above expectation, pushed up. Pink: below expectation, pushed down.",
)

# %% [markdown]
# Nothing went wrong in the last hundred steps. The clock ran out, and the code takes that for an end (small print 3
# of lesson 01). The critic sees no clock, so it cannot know, and settles for the average. Good actions early in the
# episode are pushed up, good actions late in it are pushed down. Unit 03 ends it.

# %% [markdown]
# ## 7. Your experiment: how fast should a critic learn?
#
# **Change one thing**, the critic's learning rate, and look at three panels: the difference of the two means, the
# explained variance, and the return. Ten seeds of 100 episodes each. Before you unfold the answer, write down *in your
# own words*: what does each panel say about a critic that is too slow, and about one that is too fast? And does the
# return care? {{# question}}

# %%
rates = (3e-4, 5e-3, 1e-1)
configs = {f"{rate:g}": replace(reinforce.CARTPOLE, critic_lr=rate, num_episodes=100) for rate in rates}
runs = run_seeds(configs, seeds=range(10), progress=False)

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
for (rate, group), colour in zip(runs.items(), ("#E69F00", "#0072B2", "#CC79A7"), strict=True):
    length = min(len(run.metrics["charts/value_mean"]) for run in group)
    gap, explained = (
        np.stack([f(run.metrics)[:length] for run in group])
        for f in (lambda m: m["charts/value_mean"] - m["charts/return_mean"], lambda m: m["losses/explained_variance"])
    )
    played_returns = [moving_average(run.episodes["episodic_return"][:100], 20) for run in group]
    for ax, curves in zip(axes, (gap, explained, np.stack(played_returns)), strict=True):
        ax.plot(curves.T, color=colour, linewidth=0.7, alpha=0.25)
        ax.plot(np.median(curves, axis=0), color=colour, label=f"critic lr {rate}")
axes[0].set(xlabel="update", ylabel="mean of V − mean of G", ylim=(-60, 60))
axes[1].set(xlabel="update", ylabel="explained variance", ylim=(-1, 1))
axes[2].set(xlabel="episode", ylabel="return, moving average of 20")
axes[0].legend(loc="upper left")
page.figure(
    figure,
    alt="Three panels for three learning rates of the critic: gap between the means, explained variance, and return.",
    caption="Thick: the median of ten seeds. Thin: each seed.",
)
late = {rate: np.array([run.episodes["episodic_return"][-20:].mean() for run in group]) for rate, group in runs.items()}
for rate in ("0.0003", "0.1"):
    low, high = bootstrap_interval(late[rate] - late["0.005"])
    print(f"return of the last 20 episodes, critic lr {rate} minus 0.005: 95 % interval [{low:+.0f}, {high:+.0f}]")
explained = {
    rate: np.array([run.metrics["losses/explained_variance"][-10:].mean() for run in group])
    for rate, group in runs.items()
}
low, high = bootstrap_interval(explained["0.1"] - explained["0.005"])
print(f"explained variance in the last 10 updates, critic lr 0.1 minus 0.005: 95 % interval [{low:+.2f}, {high:+.2f}]")

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The slow critic (0.0003) stays some 30 below the returns, and its explained variance stays at 0. The fast
# one (0.1) meets the returns within a few updates and explains more of them than the course's, which lags while
# the policy improves: it fits the returns of yesterday's policy. The price of speed is in the single updates: there the
# fast critic's curves jump, some of them below 0. {{# description}}
#
# At ten seeds the return tells neither of the two from the course's critic: both printed intervals of the return hold
# 0. Standardising subtracts the gap of the slow critic. No difference seen is not the same as no difference: the
# intervals are tens of steps wide. What these runs show is the state of the *critic*. {{# description}}
#
# </details>
#
# ## 8. A patient
#
# Someone's REINFORCE with baseline learns: {{baselines:patient/episodes_to_475/count}} of ten seeds reach 475. Nothing is
# red. Yet a colleague looks at the panels and says: "your critic is broken, it has been broken from the first update."
# Here are the ten seeds of the patient beside the healthy version. What did the colleague see?

# %% jupyter={"source_hidden": true}
# {{# description}}
columns = {}
for name, title in (("baseline", "healthy"), ("patient", "patient")):
    value, mean, explained = (
        measured["curves"][f"{name}/{key}"]
        for key in ("charts/value_mean", "charts/return_mean", "losses/explained_variance")
    )
    columns[title] = ([(mean, "mean of G", "#D55E00"), (value, "mean of V", "#0072B2")], explained)
page.figure(
    value_map.critic_panels(columns),
    alt="Two columns. In both, the mean of V climbs and meets the mean of G. Explained variance rises above 0 for the healthy critic and "
    "is exactly 0 for the patient.",
    caption="Upper panels: the two means. Lower panels: explained variance.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-patient",
    "Which of these explains both panels of the patient?",
    [
        "The learning rate of the critic is far too small for the task",
        "The critic is trained on returns that have been standardised",
        "The loss compares values of shape `[B, 1]` with returns of `[B]`",
        "The values are not cut from the graph in the loss of the policy",
    ],
    answer=2,
    reasons=[
        "A slow critic lags: the mean of V would stay far below the mean of G. The patient's means meet as they do for the healthy one.",
        "Standardised returns have mean zero, so the mean of V would stay near 0.",
        "Every value is compared with every return of the batch, and the least error for all of them at once is at their mean. "
        "The critic learns one constant: right on average, and blind to the state.",
        "With two optimisers that does nothing. With one, and raw weights, it lifts the mean of V. The critic sees the state all the same.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# values = network(obs)                                  # [B, 1]: the last layer has one output
# value_loss = 0.5 * (values - returns).square().mean()  # [B, 1] - [B] -> [B, B]
# ```
#
# Minimise $\frac{1}{2B^2}\sum_i \sum_j (V(s_i) - G_j)^2$ over one $V(s_i)$: the derivative
# $\frac{1}{B^2} \sum_j (V(s_i) - G_j)$ is zero at the mean of the batch, whatever the state. The cure is
# `network(obs).squeeze(-1)`, as in the package's `ValueNetwork`. Its `value_loss` refuses unequal shapes. PyTorch's
# `mse_loss` prints a warning at this place; written out by hand, nothing warns you.
#
# </details>
#
# And the agent? It learns like one with a constant baseline, because that is what it has: to the version without critic
# {{no difference is seen | baselines:patient/last_100 ~ baselines:no_baseline/last_100,
# baselines:patient/episodes_to_475/count ~ baselines:no_baseline/episodes_to_475/count}}.
# {{Fewer seeds reach 475 | baselines:patient/episodes_to_475/count < baselines:baseline/episodes_to_475/count}} than
# with the healthy critic: {{baselines:patient/episodes_to_475/count}} against
# {{baselines:baseline/episodes_to_475/count}} of ten. The return of one seed would not have told you. Of the critic's
# two panels, a constant offset (section 4.6) shows in the means alone, and this fault in explained variance alone.
# {{# wording}}

# %% jupyter={"source_hidden": true}
values, G4 = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])  # [B, 1], [B]: a perfect critic
print(
    "paired by mistake:",
    (0.5 * (values - G4).square().mean()).item(),
    " as meant:",
    losses.value_loss(values[:, 0], G4).item(),
)
try:
    losses.value_loss(values, G4)
except ValueError as error:
    print("the package says:", error)

# %% [markdown]
# ## 9. Common mistakes, and four questions · further
#
# Each was put into the course's version and tried with two seeds of 240 episodes: enough to see what it looks like, and
# no measurement.
#
# | mistake | what you see |
# |---|---|
# | values subtracted the wrong way round, $V - G$ | the return falls to the lowest there is within 120 episodes, the entropy with it, and explained variance climbs above 0.9: hopeless episodes are easy to predict |
# | $V$ added instead of subtracted | with standardised weights, nothing: the curves look healthy. Without centring the return stays near 100 |
# | the critic's step forgotten, or its optimiser holds the wrong parameters | the mean of V stays at 0 and explained variance at 0; the agent learns as with a constant |
# | critic fitted to *standardised* returns, then subtracted from raw ones | the mean of V stays within 0.2 of 0; the agent learns as with a constant |
# | returns standardised first, then a critic in raw units subtracted | the return stalls at 70 to 100 while both panels of the critic look normal: the weight is hardly anything but $-V$ |
# | a baseline that looks at the action: 10 where it was right | the return falls to the lowest there is within 120 episodes, the entropy to 0: the bias of section 2.3 at full size |
# | critic fitted to the batch (100 steps) before it is used on it | explained variance above 0.9 from the first updates: too good to be true. It learns all the same, here {{# description}} |

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-standardised",
    "With standardised weights, every value of the critic is too low by 60. What does the policy's update notice?",
    ["a push up everywhere", "a push down everywhere", "nothing at all", "an increase in size"],
    answer=2,
    reasons=[
        "That happens without centring: all weights would be larger by 60.",
        "Values that are too low make weights too high, and even that is undone here.",
        "Standardising subtracts the same constant again. Only the differences of V between states get through to the policy.",
        "Standardising also divides by the standard deviation, which ignores a constant.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-perfect-critic",
    "Suppose the critic is exact, V(s) = V^π(s). What is left in the weight G − V(s)?",
    [
        "Nothing at all: V has taken away everything",
        "What comes after s: the action, and luck",
        "What was there: V changes only the mean of G",
        "The differences in value between states",
    ],
    answer=1,
    reasons=[
        "Actions are still drawn and the future is still random: G − V(s) is not zero.",
        "Given s its mean is 0. It holds how good the action was, and all the luck that follows.",
        "V takes more than a mean away: it differs from state to state.",
        "These are what V takes away.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-two-optimisers",
    "Why may the critic take five gradient steps on a batch, and the policy one?",
    [
        "The critic is the larger one of the two networks",
        "The critic's target stays valid while it moves",
        "The policy has the larger learning rate of the two",
        "Both losses then keep about the same size",
    ],
    answer=1,
    reasons=[
        "Their bodies are of the same size.",
        "Fitting V to given returns is a regression. The policy gradient is valid only at the policy that acted.",
        "It is smaller: 0.003 against 0.005.",
        "The two losses have different units and need not be equal.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-offset",
    "A critic's explained variance is 0.6. You add 50 to its last bias. What happens?",
    [
        "Explained variance falls, and the mean of V rises",
        "The mean of V and the value loss change, no more",
        "Explained variance rises, and the value loss falls",
        "Nothing changes, since a constant has no effect",
    ],
    answer=1,
    reasons=[
        "Explained variance uses the variance of G - V, and a variance ignores constants.",
        "Explained variance stays 0.6. That is why the means of V and G belong on one panel.",
        "The variance of G - V stays what it was.",
        "The prediction is now wrong by 50 everywhere, and the value loss counts that.",
    ],
)

# %% [markdown]
# ## 10. A question to end with

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "02-allowed",
    "Which of these may *not* be used as the baseline of step t?",
    [
        "The number of steps that have been played so far",
        "A fact about the state that the policy cannot see",
        "The return of another episode of the same policy",
        "The reward that followed the action of step t",
    ],
    answer=3,
    reasons=[
        "It is known before the action is drawn: allowed.",
        "Allowed. In section 2.3 the baseline saw the square and the policy did not.",
        "Allowed: the other episode does not depend on this action. Averaging such returns is the leave-one-out baseline.",
        "The reward depends on the action. Its product with the score does not average to zero.",
    ],
)

# %% [markdown]
# ## 11. What to remember
#
# 1. $\mathbb{E}[b\, \psi] = 0$ for every $b$ that the action does not influence. What depends on the action bends the
#    gradient.
# 2. The best constant is $\mathbb{E}[\lVert \psi \rVert^2 G] / \mathbb{E}[\lVert \psi \rVert^2]$. $V^\pi(s)$ is the best
#    prediction of the return, which is not quite the best baseline. {{# mathematics}}
# 3. On CartPole ten seeds show the step from nothing to a constant:
#    {{fewer episodes to 195 | baselines:no_baseline/episodes_to_195 < baselines:uncentred/episodes_to_195}}.
#    Standardised weights already take it. From the batch's mean to $V(s)$
#    {{no difference is seen | baselines:baseline/episodes_to_195 ~ baselines:no_baseline/episodes_to_195}}.
# 4. Explained variance cannot see a constant offset, the two means cannot see a critic that is blind to the state.
#    Look at both.
# 5. Use the critic, step the policy, then fit the critic: no graph through the weights, an optimiser for each
#    network, equal shapes in the loss.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/02_baselines.ipynb) build the best constant,
# the advantages, the value loss and the whole update, and then train CartPole with *your* functions. {{# wording}}
#
# **Where you stand** shows on the home page that `pgcourse lab` opens, and in `pgcourse progress` on the command line.

# %% [markdown]
# ## Further reading · further
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement
#   learning*, Machine Learning 8. Section 4: the "reinforcement baseline", and that any choice keeps the estimate
#   unbiased.
# - E. Greensmith, P. L. Bartlett and J. Baxter (2004), *Variance reduction techniques for gradient estimates in
#   reinforcement learning*, Journal of Machine Learning Research 5. Sections 4 and 5: the best baseline, and by how
#   much the value function misses it.
# - R. S. Sutton and A. G. Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition, section 13.4:
#   REINFORCE with baseline, and figure 13.2, the corridor with and without.
# - L. Weaver and N. Tao (2001), *The optimal reward baseline for gradient-based reinforcement learning*, UAI. Short;
#   the mean reward as baseline.
# - G. Tucker et al. (2018), *The mirage of action-dependent baselines in reinforcement learning*, ICML. How published
#   gains of cleverer baselines came from elsewhere. Read it for its measurements of variance.
# - W. Chung et al. (2021), *Beyond variance reduction: understanding the true impact of baselines on policy
#   optimization*, ICML. Baselines with the same variance can learn differently. {{# cited}}
