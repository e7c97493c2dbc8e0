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
# # 02 Baselines: praise only what was better than expected
#
# A return of 90 sounds good. It is bad news if you were about to get 100. REINFORCE does not know what to expect, so
# it praises every action of a long episode, the mistakes included. A *baseline* is a number that you subtract from
# the return before you push: what you expected anyway. It may be a constant, or a second network that has learnt to
# predict returns. It must not change the direction of learning on average, and it should take away noise.
#
# **After this lesson you will be able to**
#
# 1. prove that a baseline adds no bias, say what it may depend on, and test it with a check that can fail;
# 2. derive the constant with the least variance, and tell why it is not the mean return;
# 3. train a value network beside a policy: two losses, two optimisers, and the right order of steps;
# 4. read a critic's panels, and name the error that explained variance cannot see;
# 5. say how much a baseline buys here, in variance and in episodes, because you have seen it measured.
#
# **You need** [lesson 01](01_reinforce.ipynb): the score, reward-to-go, standardised weights, the short corridor.
# **Time:** about 50 minutes to read and play; all cells together run in half a minute on two cores.
#
# The numbers in the text come from `claims/baselines.json` and `claims/reinforce.json`: ten training runs of each
# version. *289 [274, 301]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval.

# %%
import numpy as np
import torch
from dataclasses import replace

from pgcourse import diagnostics, losses, make_envs, reinforce, returns
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.figures import gradient_variance as variance, policies as state_map, values as value_map
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.study.claims import load_claims, quote

torch.set_num_threads(1)  # small networks run faster on one thread
first, measured = load_claims("reinforce"), load_claims("baselines")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# Lesson 01 closed with a look ahead: REINFORCE with a baseline gets every seed to a mean return of 475, and the
# slowest ones much sooner. Here are the ten seeds of both versions, one dot a seed.

# %%
figure, ax = plots.new_figure(height=2.6)
rows = {"without critic": "no_baseline", "with a critic": "baseline"}
for row, name in enumerate(rows.values()):
    reached = np.array(first["values"][f"{name}/episodes_to_475"]["per_seed"])
    shift = 0.12 * np.linspace(-1, 1, len(reached))  # so that equal seeds do not hide each other
    colour = plots.COLOURS["reinforce" if name == "baseline" else "reinforce_no_baseline"]
    ax.plot(reached, row + shift, "os"[row], color=colour, markersize=8, alpha=0.8)
    ax.plot(first["figures"][f"{name}/episodes_to_475"]["value"], row, "k|", markersize=28, markeredgewidth=2)
ax.set(yticks=[0, 1], ylim=(1.5, -0.5), xlabel="episodes until the mean of 100 episodes is 475", xlim=(200, 600))
ax.set_yticklabels(list(rows))
page.figure(
    figure,
    alt="Two rows of ten dots each. Without a critic they spread from about 260 to 570 episodes, with a critic from about "
    "220 to 350.",
    caption="Black bars: interquartile means, {{reinforce:no_baseline/episodes_to_475}} and "
    "{{reinforce:baseline/episodes_to_475}} episodes. The middle hardly moves. The right tail goes.",
)

# %% [markdown]
# ## 1. The idea in plain words
#
# In CartPole every reward is 1, so every return is positive, and every action you sampled is pushed *up*. Learning
# comes only from some pushes being larger than others. That works on average, as lesson 00 showed for the bandit, and
# it is noisy: the large common part of all pushes says nothing and shakes everything.
#
# So subtract it. If you expected 80 and got 90, push up by 10. If you got 70, push *down* by 10. What you expected is
# the **baseline** $b$. The weight of a step is no longer the return $G_t$. It is the surprise $G_t - b$.
#
# Two questions decide what $b$ may be. Does subtracting it bend the gradient? And which $b$ leaves the least noise?
#
# ## 2. The mathematics, step by step
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $g$ | the score $\nabla_\theta \log \pi_\theta(a \mid s)$ | rows of `scores` | $P$ numbers |
# | $G_t$ | reward from step $t$ on | `returns` | `[B]` |
# | $b$, $b(s_t)$ | the baseline: a constant, or a function of the state | a number, `values` | `[]`, `[B]` |
# | $V^\pi(s)$ | expected return from $s$ under the policy | what `critic(obs)` estimates | `[B]` |
# | $\phi$ | the weights of the critic | `critic.parameters()` | |
# | $A_t = G_t - b(s_t)$ | the surprise, an estimate of the advantage | `weight` | `[B]` |
#
# ### 2.1 A baseline adds no bias
#
# Lesson 01 proved that the score has mean zero: given the state,
# $\mathbb{E}_{a \sim \pi}[\nabla_\theta \log \pi_\theta(a \mid s)] = \nabla_\theta \sum_a \pi_\theta(a \mid s) = \nabla_\theta 1 = 0$.
# Let $h_t$ be everything up to and including $s_t$, and let $b_t$ be *any* number that is known once $h_t$ is. It
# then stands still while the action is drawn, so it can stand in front:
#
# $$
# \mathbb{E}\big[ b_t \nabla_\theta \log \pi_\theta(a_t \mid s_t) \big]
# = \mathbb{E}\Big[ b_t \; \mathbb{E}\big[ \nabla_\theta \log \pi_\theta(a_t \mid s_t) \,\big|\, h_t \big] \Big]
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
# Read what the proof asks for. $b_t$ may depend on the state, on the clock, on the whole past, even on facts that the
# policy cannot see. It may be a bad guess: *every* $b_t$ is unbiased. It may not depend on the action $a_t$, nor on
# anything that comes after it, because then it no longer stands still while $a_t$ is drawn.
#
# ### 2.2 Small print: the mean of the batch
#
# Standardising the weights, as lesson 01 does, subtracts the mean of the batch. That mean *contains* the episode's
# own return, which depends on its actions. Is the proof broken? Take $M$ independent episodes with whole returns
# $R_i$ and scores $S_i = \sum_t \nabla \log \pi(a_t \mid s_t)$, and subtract the mean return of all $M$:
#
# $$
# \mathbb{E}\Big[ S_i \Big( R_i - \frac1M \sum_{j=1}^{M} R_j \Big) \Big]
# = \mathbb{E}[S_i R_i] - \frac1M \mathbb{E}[S_i R_i] - \frac1M \sum_{j \ne i} \underbrace{\mathbb{E}[S_i]}_{0}\, \mathbb{E}[R_j]
# = \Big(1 - \frac1M\Big) \nabla_\theta J(\theta).
# $$
#
# The gradient becomes shorter by the factor $1 - 1/M$ and keeps its direction. With four episodes that is three
# quarters of its length, which Adam does not even notice. So the common practice is sound for whole returns. With
# reward-to-go and a mean over steps, and after the division by a standard deviation that is random too, it is no
# longer exact. It is an approximation, and this course uses it, because it works.
#
# ### 2.3 Is it so? The corridor again
#
# Back to the one place where we know the exact gradient: the short corridor, three squares that look the same,
# actions switched in the second, every step costs 1. The policy is one number, the probability $p$ of going right,
# and the score of a step is $1 - p$ for right, $-p$ for left. This time the cell also notes the square. The policy
# does not see it. A baseline may.

# %%
from pgcourse.envs import ShortCorridorVectorEnv
from pgcourse.envs.corridor import exact_gradient
from pgcourse.optim import seeded


def play_corridor(p, num_episodes, seed):
    """Scores, rewards and squares of many episodes, [T, N] each; scores and rewards are 0 after an episode's end."""
    with seeded(seed):
        envs = ShortCorridorVectorEnv(num_episodes)
        envs.reset(seed=seed)
        running, steps = torch.ones(num_episodes, dtype=torch.bool), []
        while running.any():
            squares = envs.state[:, 0].long()  # [N]
            actions = (torch.rand(num_episodes) < p).long()  # [N]
            _, rewards, terminated, truncated, _ = envs.step(actions)
            steps.append(((actions - p) * running, rewards * running, squares))
            running = running & ~(terminated | truncated)
    return [torch.stack(column) for column in zip(*steps, strict=True)]


points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
played = {p: play_corridor(p, num_episodes=5_000, seed=i) for i, p in enumerate(points)}

# %% [markdown]
# Four baselines, from sensible to silly, and a fifth that breaks the rule: it depends on the action. The true values
# of the squares were worked out in lesson 01: $v_1 = -(3-p)/(p(1-p))$, $v_0 = v_1 - 1/p$, $v_2 = -1 + (1-p)\,v_1$.


# %%
def square_values(p):
    v1 = -(3 - p) / (p * (1 - p))
    return torch.tensor([v1 - 1 / p, v1, -1 + (1 - p) * v1])  # [3]


BASELINES = {  # each: (p, scores, squares) -> a number or [T, N]
    "nothing": lambda p, scores, squares: 0.0,
    "a constant, -20": lambda p, scores, squares: -20.0,
    "the true value of the square": lambda p, scores, squares: square_values(p)[squares],
    "a silly function of the square": lambda p, scores, squares: 7.0 * squares**2 - 30.0,
    "10 where the action was right (wrong)": lambda p, scores, squares: 10.0 * (scores > 0),
}


def estimates(p, baseline):
    """One gradient estimate from each episode, [N]: the sum over its steps of score x (reward-to-go - baseline)."""
    scores, rewards, squares = played[p]
    to_go = returns.discounted_returns(rewards, gamma=1.0)  # [T, N]
    return (scores * (to_go - baseline(p, scores, squares))).sum(dim=0)


# %% [markdown]
# The test is that of lesson 01: the distance between the mean of 5,000 estimates and the exact gradient, in standard
# errors. A correct estimator stays within $\pm 2$ about 95 times in a hundred, and beyond $\pm 3$ three times in a
# thousand.

# %%
print(f"{'p':>38}" + "".join(f"{p:7.1f}" for p in points))
for name, baseline in BASELINES.items():
    z = []
    for p in points:
        g = estimates(p, baseline)
        z.append(float((g.mean() - exact_gradient(p)) / (g.std() / len(g) ** 0.5)))
    print(f"{name:>38}" + "".join(f"{number:+7.1f}" for number in z))

# %% [markdown]
# Four baselines pass, the silly one included. (The rows of one $p$ share their episodes, so luck moves them together.) The one that looks at the action fails by dozens of standard errors: it
# tells the policy a lie, that going right is 10 worse than it is.
#
# ### 2.4 The constant with the least variance
#
# All these baselines give the same mean. They do not give the same noise. Take first a single score $g$ (a vector of
# $P$ numbers) with its return $G$, and a constant $b$. An estimate is the vector $g\,(G - b)$. Its variance, summed
# over the $P$ components (the trace of its covariance), is the mean of its squared length minus the squared length of
# its mean:
#
# $$
# \operatorname{Var}(b) = \mathbb{E}\big[ \lVert g \rVert^2 (G-b)^2 \big] - \big\lVert \mathbb{E}[g\,G] \big\rVert^2 .
# $$
#
# The second term does not contain $b$, as section 2.1 proved. Expand the first:
#
# $$
# \mathbb{E}\big[\lVert g \rVert^2 G^2\big] - 2b\, \mathbb{E}\big[\lVert g \rVert^2 G\big] + b^2\, \mathbb{E}\big[\lVert g \rVert^2\big].
# $$
#
# That is a parabola in $b$, open upwards. Its derivative
# $-2\,\mathbb{E}[\lVert g \rVert^2 G] + 2b\,\mathbb{E}[\lVert g \rVert^2]$ is zero at
#
# $$
# b^\ast = \frac{\mathbb{E}\big[\lVert g \rVert^2\, G\big]}{\mathbb{E}\big[\lVert g \rVert^2\big]},
# \qquad\text{and}\qquad
# \operatorname{Var}(b) = \operatorname{Var}(b^\ast) + \mathbb{E}\big[\lVert g \rVert^2\big]\,(b - b^\ast)^2 .
# \tag{2}
# $$
#
# So the best constant is a *weighted* mean of the return: what was sampled with a large score counts more, because
# that is where noise enters. It is the plain mean only if squared scores and returns are uncorrelated. The second
# formula is the price of any other constant. It also says that a bad constant is worse than none: beyond $2b^\ast$
# the parabola is higher than at 0.
#
# Try it on the corridor, with the whole return. There $g$ is the episode's score $S = \sum_t \nabla \log \pi(a_t)$,
# one number, and $G$ its whole return $R$.

# %%
whole = {
    p: (played[p][0].sum(dim=0), played[p][1].sum(dim=0)) for p in (0.2, 0.5, 0.8)
}  # p -> scores, returns, [N] each
mean_return = {p: float(R.mean()) for p, (S, R) in whole.items()}

# %% jupyter={"source_hidden": true}
best_return = {p: float((S**2 * R).mean() / (S**2).mean()) for p, (S, R) in whole.items()}
questions.predict(
    "02-best-constant",
    f"At p = 0.2 the mean return is {mean_return[0.2]:.0f}. Which constant gives the least variance?",
    [
        "The mean return",
        "About half the mean return",
        "About twice the mean return",
        "0: all returns have the same sign anyway",
    ],
    answer=2,
    explanation=f"It is {best_return[0.2]:.0f}, about twice the mean. An episode that wandered for long has a very negative "
    "return and, as a sum of many steps, a large score. So the bad episodes weigh most in b*.",
)

# %%
widgets.explore(
    lambda p, b: variance.baseline_parabola(*whole[p], b, title=f"Corridor, p = {p}, whole return as weight"),
    alt="A parabola: the variance of the gradient estimate against the constant that is subtracted. Its lowest point lies at "
    "about twice the mean return.",
    caption="Move b. Subtracting the mean return helps; the lowest point is elsewhere.",
    p=widgets.Choice([0.2, 0.5, 0.8], 0.2, "probability of going right"),
    b=widgets.Slider(-60, 10, 0, 1, "constant b"),
)

# %% [markdown]
# For reward-to-go an estimate is a sum over steps, $\sum_t g_t (G_t - b) = A - b\,S$ with $A = \sum_t g_t G_t$ and
# $S = \sum_t g_t$. The same three lines of algebra, with
# $\lVert A - bS \rVert^2 = \lVert A \rVert^2 - 2b\, A \cdot S + b^2 \lVert S \rVert^2$, give
# $b^\ast = \mathbb{E}[A \cdot S] / \mathbb{E}[\lVert S \rVert^2]$.
#
# ### 2.5 From a constant to a function of the state
#
# A constant is the same guess everywhere. In CartPole the pole leans a little here and a lot there, and you expect
# different things. So let the baseline depend on the state. Which function? Two answers, and they are not the same.
#
# **The least variance of a step.** In one state, equation (2) holds with all expectations taken in that state:
# $b^\ast(s) = \mathbb{E}[\lVert g \rVert^2 G \mid s] / \mathbb{E}[\lVert g \rVert^2 \mid s]$. Nobody uses it, because
# it needs the norms of scores.
#
# **The least variance of a weight.** Write $V(s) = \mathbb{E}[G \mid s]$ and split
# $G - b(s) = (G - V(s)) + (V(s) - b(s))$. The second part is fixed once $s$ is, and the first has mean zero given
# $s$, so the mixed term vanishes:
#
# $$
# \mathbb{E}\big[(G - b(s))^2\big] = \mathbb{E}\big[(G - V(s))^2\big] + \mathbb{E}\big[(V(s) - b(s))^2\big].
# \tag{3}
# $$
#
# The first term does not depend on $b$, the second is zero for $b = V$ and for nothing else. So $V$ is the best
# *prediction* of the return, and the same line says how to learn it: minimise the squared error, and what you get is
# $V$. With the best constant, $b = \mathbb{E}[G]$, equation (3) reads
#
# $$
# \operatorname{Var}(G) = \underbrace{\mathbb{E}\big[\operatorname{Var}(G \mid s)\big]}_{\text{stays}} + \underbrace{\operatorname{Var}\big(V(s)\big)}_{\text{a value baseline takes away}} .
# $$
#
# Remember this split. A value baseline removes the differences *between* states. What is left is the luck that
# follows *after* the state, and no baseline may touch that.
#
# $V(s)$ agrees with $b^\ast(s)$ where squared score and return are uncorrelated given the state, for instance with
# two equally likely actions. It has a meaning besides:
# $\mathbb{E}[G_t - V(s_t) \mid s_t, a_t] = Q(s_t, a_t) - V(s_t)$ is the advantage of lesson 00. The weight becomes an
# unbiased estimate of "how much better than usual was this action".
#
# How much does each step of this ladder take away? On the corridor, one episode at a time:


# %%
def corridor_ladder(p):
    """Rung -> estimates [N], all with the exact gradient as their mean."""
    scores, rewards, squares = played[p]
    to_go, R, S = returns.discounted_returns(rewards, gamma=1.0), rewards.sum(dim=0), scores.sum(dim=0)
    weighted = (scores * to_go).sum(dim=0)  # the A of the text
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
# Each step by itself helps: a constant makes the whole return quieter and reward-to-go too, and with the same kind of
# constant reward-to-go beats the whole return. (Reward-to-go with nothing subtracted is noisier than the whole return with
# $b^\ast$: it stands on the rung below, and is no better for it.) From the whole return to reward-to-go with a constant, the
# standard deviation falls to about two fifths, so you need about a sixth of the episodes for the same precision.
#
# The last rung is a surprise. The *true* value of the square, which no critic could beat, is no better than a good
# constant. Two reasons. The squares differ little in value here compared with the luck that follows. And equation (3)
# is about one weight, while an estimate is a sum of many. Let us take the two apart at $p = 0.5$, where all squared
# scores are equal:

# %%
scores, rewards, squares = played[0.5]
to_go = returns.discounted_returns(rewards, gamma=1.0)
for name, b in {"mean return": float(rewards.sum(dim=0).mean()), "V(square)": square_values(0.5)[squares]}.items():
    steps = scores * (to_go - b)  # [T, N]
    alone = steps.square().sum(dim=0).mean() - steps.mean(dim=1).square().sum()
    print(
        f"{name:>12}: variances of the steps, summed {float(alone):6.1f};  variance of the sum {float(steps.sum(dim=0).var()):6.1f}"
    )

# %% [markdown]
# Step by step, $V$ is better, as the mathematics says. In the sum it is not. The steps of one episode share the same
# future: their weights err together, and the variance of a sum contains those shared errors. Textbooks call $V(s)$
# "nearly optimal". Nearly is right. It is the best *prediction*, and that is not the same as the best baseline.

# %% [markdown]
# ## 3. CartPole: the ladder with a network
#
# Does the ladder look the same with a network of 4,610 weights? We trained ten agents, kept policy and critic of each
# at three stages (when the mean of the last 20 episodes first reached 50, 150 and 400), and played fresh episodes
# with each. Every episode gives one gradient estimate, a vector of $P = 4{,}610$ numbers, for every choice of weight:
# the sum over its steps. (The package then takes the mean over the steps of four episodes.) All baselines were fitted
# on *other* episodes, so none of them is biased. The figures show the trace of the covariance, as a multiple of that
# of reward-to-go.

# %%
STAGES = (50, 150, 400)


def ladder(names, title):
    """Draw rungs of the ladder: label -> figure of the claims."""
    return variance.variance_ladder(
        {label: [measured["figures"][f"ladder/{stage}/{name}"] for stage in STAGES] for label, name in names.items()},
        [f"mean return {stage}" for stage in STAGES],
        title=title,
    )


# %%
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
# Reward-to-go alone takes away three quarters of the variance of the whole return, at every stage. A constant takes
# away half of the rest or more. The best constant is *below* the mean this time,
# {{baselines:ladder/150/undiscounted/constant_over_mean}} times the mean at the second stage: the corridor's factor
# of two was the corridor's. And it buys little more than the mean does.
#
# Now with the discount that training uses, and with the critic that the run had at that moment.

# %% jupyter={"source_hidden": true}
questions.predict(
    "02-own-critic",
    f"γ = 0.99, second stage. Subtracting the mean leaves {quote('baselines:ladder/150/mean.value')} of the variance. What does the run's "
    "own critic leave, as it stands in the middle of training?",
    [
        "About a tenth of that: it knows the state",
        "About a third of that",
        "Nearly as much as a constant leaves",
        "More than 1: it makes things worse",
    ],
    answer=2,
    explanation=f"It leaves {quote('baselines:ladder/150/critic')}; the best constant leaves {quote('baselines:ladder/150/best')}. A "
    f"fresh network, fitted afterwards to 160 episodes of that very policy, leaves {quote('baselines:ladder/150/value')}: a third of "
    "what the constant leaves. The state knows a lot. The critic in the loop has not learnt it yet.",
)

# %%
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
    caption="The large step is from reward-to-go to a constant. Compare the run's own critic with the constants, then with the fitted V.",
)

# %% [markdown]
# Three things to read from it.
#
# - **A constant does most of the work.** It leaves {{baselines:ladder/50/mean}}, {{baselines:ladder/150/mean}} and
#   {{baselines:ladder/400/mean}} of the variance at the three stages.
# - **The critic in the loop is hardly better than the best constant.** It sees four episodes an update, of a policy
#   that has changed since the last ones. It explains {{baselines:ladder/150/critic/explained.value}} of the variance
#   of the returns at the second stage. The network that was fitted afterwards explains
#   {{baselines:ladder/150/value/explained.value}}.
# - **At the last stage something is missing from the state.** Even the fitted network explains only
#   {{baselines:ladder/400/value/explained.value}} there. Tell it the number of the step, and it explains
#   {{baselines:ladder/400/value_clock/explained.value}}. When every episode lasts until the time limit, what is left
#   of the return depends on the clock, and CartPole's observation has no clock.
#
# So at the second stage $V$ *could* cut the variance to a third of what a constant leaves, and in this loop it does
# not. Keep that in mind for section 5, and for unit 03, where the critic gets more to do.

# %% [markdown]
# ## 4. A critic beside the policy
#
# Nobody hands you $V^\pi$. So you learn it, with a second network: the **critic** $V_\phi(s)$. (The policy is then
# called the actor.) It has the body of the policy and one output instead of two.
#
# ### 4.1 What it learns
#
# Equation (3) says that the squared error is smallest at $V$. So draw states from your own episodes and fit the
# returns you have seen:
#
# $$
# L(\phi) = \frac12 \cdot \frac1B \sum_{i=1}^{B} \big(V_\phi(s_i) - G_i\big)^2,
# \qquad \frac{\partial L}{\partial V_\phi(s_i)} = \frac1B \big(V_\phi(s_i) - G_i\big).
# $$
#
# The ½ makes the gradient the plain error. The return $G_i$ is a *target*: a number from the past, not a function of
# $\phi$.

# %%
page.source(losses.value_loss)

# %% [markdown]
# The first line of the body looks fussy. Section 9 shows what happens to those who leave it out.
#
# ### 4.2 The whole update
#
# This is the update of the package again, the one you saw in lesson 01. Now the lines about the critic are yours.

# %%
page.source(reinforce.update)

# %% [markdown]
# Three things in it are easy to get wrong. The next three sections take them one by one: the order, the `no_grad`,
# and the two optimisers.
#
# ### 4.3 First use the critic, then fit it
#
# The values are computed *before* the critic is fitted to this batch. Why does it matter? Once it has been fitted to
# these very returns, $V_\phi(s_t)$ depends on what came after $s_t$, the action $a_t$ included. The proof of section
# 2.1 is gone. In the extreme a large critic memorises the batch: $G_t - V_\phi(s_t) = 0$ everywhere, and there is
# nothing left to learn from. Watch it begin:

# %%
import copy

from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import adam, gradient_step
from pgcourse.rollout import collect_episodes


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
# *Explained variance* is $1 - \operatorname{Var}(G - V) / \operatorname{Var}(G)$: the share of the returns' variance
# that the critic takes away. 1 is perfect, 0 is no better than a constant, below 0 is worse. On its own batch the
# critic ends up nearly perfect. On other episodes of the same policy it first gets better, then worse: it has learnt
# this batch's luck by heart. Used on its own batch, such a critic would erase that luck, and the signal with it. Use
# first, then fit.
#
# ### 4.4 Why `no_grad`
#
# The weight is a number. If you forget to cut it from the graph, the policy loss has a gradient in the critic too:
#
# $$
# \frac{\partial}{\partial V(s_i)} \Big( -\frac1B \sum_i \log \pi(a_i \mid s_i)\,\big(G_i - V(s_i)\big) \Big) = \frac1B \log \pi(a_i \mid s_i) < 0 .
# $$
#
# Following it would push $V$ *up*, everywhere and without end: a larger $V$ makes the policy loss smaller, and that
# has nothing to do with predicting returns. What comes of it depends on the rest of the loop:
#
# - **Two optimisers, each with its own `zero_grad`.** The stray gradient lands in the critic's `.grad` and is wiped
#   before the critic's own step. Nothing happens at all.
# - **One backward over the sum** `policy_loss + c * value_loss`. Now both pull on $V$. Set the sum of the two
#   gradients to zero, $\log \pi(a \mid s) + c\,(V - G) = 0$, and average over actions: the critic settles at
#   $V = \mathbb{E}[G \mid s] + \mathcal{H}(\pi(\cdot \mid s)) / c$. It overestimates by the policy's entropy, divided
#   by $c$.
#
# Check it with the smallest critic there is, one number $v$. The loss is a parabola of curvature $c$ in $v$, so one
# Newton step goes to its lowest point:

# %%
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
# wrong by several times the return. A bug that depends on the scale of your rewards is the worst kind. Cut the graph.
# The package cuts it twice, with `no_grad` around the values and with `detach` inside `reinforce_loss`.
#
# ### 4.5 Two optimisers
#
# Actor and critic do different jobs. The policy may take *one* small step per batch, because the data speak only of
# the policy that acted. The critic solves a regression: it may take five steps, and larger ones, on the same data.
# One optimiser with one rate for both serves neither. And look at the sizes of the two gradients:

# %%
figure, ax = plots.new_figure(height=3.4)
for name, label, colour in (("critic", "critic", "#D55E00"), ("policy", "policy", "#0072B2")):
    plots.claimed_band(ax, measured["curves"][f"baseline/losses/{name}_grad_norm"], label=label, colour=colour)
ax.axhline(0.5, color="black", linestyle=":", label="clipped above 0.5")
ax.set(xlabel="update", ylabel="norm of the gradient", yscale="log")
ax.legend(loc="center right")
page.figure(
    figure,
    alt="Two curves on a logarithmic scale: the critic's gradient norm lies between 10 and 200, the policy's near 0.1.",
    caption="The same runs, the same batches. Clipped together at 0.5, the policy's gradient would be divided by twice the critic's norm.",
)

# %% [markdown]
# The critic's gradient is hundreds of times as large, because its error is counted in steps and the policy's weights
# are standardised. Clip the norm of both together at 0.5, and both are divided by twice the joint norm, which is the
# critic's: the policy's part becomes 20 to 400 times smaller, for a reason that has nothing to do with the policy. What that costs with Adam, which rescales afterwards, is measured in unit
# 06. Here it is enough to keep them apart.
#
# ### 4.6 A critic that starts near 0
#
# A fresh critic says about 0, and the returns are 20, soon 80. How long does it take to catch up, and does it matter
# until then? Here are the critic of the course (learning rate 0.005) and a slow one (0.0003), ten seeds each.

# %%
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
# The course's critic needs most of the way up to meet the returns: while the policy improves, its target runs away.
# The slow one never gets there.
#
# Now compare upper and lower panels. Could you have told the gap from explained variance alone? No. It is made of
# variances, and a variance ignores a constant. Move the offset below: a critic that was fitted to 200 episodes, plus
# a constant.

# %%
with seeded(1):
    fitted = ValueNetwork(4)
optimizer = adam(fitted.parameters(), 5e-3)
for _ in range(300):
    gradient_step(losses.value_loss(fitted(fresh_obs), fresh_G), fitted, optimizer, max_grad_norm=None)
fitted_values = fitted(fresh_obs).detach()  # [B]

widgets.explore(
    lambda offset: value_map.offset_panels(fitted_values, fresh_G, offset),
    alt="Left: returns against values, a cloud that moves sideways with the offset. Right: bars for the mean of G, the mean of V and "
    "the typical error. The explained variance in the title stays the same at every offset.",
    caption="The typical error is the root of the mean squared error. Explained variance does not move.",
    offset=widgets.Slider(-60, 60, 0, 5, "offset added to V"),
)

# %% [markdown]
# Does the gap hurt? That depends on a line you might not suspect. `normalize(weight)` subtracts the mean of the
# weights, and with it any constant error of the critic. With standardised weights the policy never learns of the
# offset. Without the centring it does. Ten seeds each:
#
# | critic | weights | seeds that reach 475 in 400 episodes | episodes to 195 | episodes 301 to 400 | worst seed there |
# |---|---|---|---|---|---|
# | rate 0.005 | standardised | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} | {{baselines:baseline/last_100/worst}} |
# | rate 0.0003 | standardised | {{baselines:slow_critic/episodes_to_475/count}} of {{baselines:slow_critic/episodes_to_475/count.n}} | {{baselines:slow_critic/episodes_to_195}} | {{baselines:slow_critic/last_100}} | {{baselines:slow_critic/last_100/worst}} |
# | rate 0.005 | scaled, not centred | {{baselines:uncentred_critic/episodes_to_475/count}} of {{baselines:uncentred_critic/episodes_to_475/count.n}} | {{baselines:uncentred_critic/episodes_to_195}} | {{baselines:uncentred_critic/last_100}} | {{baselines:uncentred_critic/last_100/worst}} |
# | rate 0.0003 | scaled, not centred | {{baselines:uncentred_slow_critic/episodes_to_475/count}} of {{baselines:uncentred_slow_critic/episodes_to_475/count.n}} | {{baselines:uncentred_slow_critic/episodes_to_195}} | {{baselines:uncentred_slow_critic/last_100}} | {{baselines:uncentred_slow_critic/last_100/worst}} |
#
# A critic that catches up needs no centring. A slow one with centring is a constant baseline, no worse. A slow one
# without centring is nearly no baseline. So standardising does not only scale: it covers up for a critic that is off.
# Convenient, and a reason why broken critics live long.

# %% [markdown]
# ## 5. What does it buy?
#
# Now train. A word about names first. The version that this course calls "without baseline" standardises its weights,
# and so subtracts the batch's own mean: it *has* a constant baseline, as you know since section 2.2. To see what
# subtracting anything is worth, we need versions that divide by the standard deviation and subtract nothing but what
# they say.

# %% jupyter={"source_hidden": true}
questions.predict(
    "02-what-it-buys",
    "Ten seeds each: nothing subtracted, a running mean of earlier batches, a value network. Which step buys more?",
    [
        "From nothing to the constant",
        "From the constant to the value network",
        "Both about the same",
        "Neither: Adam undoes the difference",
    ],
    answer=0,
    explanation="Nothing subtracted: "
    f"{quote('baselines:uncentred/episodes_to_195')} episodes to a mean of 195, {quote('baselines:uncentred/episodes_to_475/count')} of ten seeds at 475 "
    f"by episode 400. A running mean: {quote('baselines:running_mean/episodes_to_195')} and {quote('baselines:running_mean/episodes_to_475/count')}. "
    f"A value network: {quote('baselines:baseline/episodes_to_195')} and {quote('baselines:baseline/episodes_to_475/count')}.",
)

# %%
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
    alt="Four learning curves over 400 episodes: with nothing subtracted the curve climbs late and ends near 420; the other three lie "
    "close together and end near 480 to 500, the one with V(s) on top.",
    caption="The large step is from nothing to anything. Look at the bands near the end for what V(s) adds.",
)

# %% [markdown]
# | what is subtracted | explained variance | seeds that reach 475 in 400 episodes | episodes to 195 | episodes 301 to 400 | worst seed there |
# |---|---|---|---|---|---|
# | nothing | 0, by definition | {{baselines:uncentred/episodes_to_475/count}} of {{baselines:uncentred/episodes_to_475/count.n}} | {{baselines:uncentred/episodes_to_195}} | {{baselines:uncentred/last_100}} | {{baselines:uncentred/last_100/worst}} |
# | a running mean of earlier batches | 0, by definition | {{baselines:running_mean/episodes_to_475/count}} of {{baselines:running_mean/episodes_to_475/count.n}} | {{baselines:running_mean/episodes_to_195}} | {{baselines:running_mean/last_100}} | {{baselines:running_mean/last_100/worst}} |
# | the batch's own mean (the course's "without baseline") | 0, by definition | {{baselines:no_baseline/episodes_to_475/count}} of {{baselines:no_baseline/episodes_to_475/count.n}} | {{baselines:no_baseline/episodes_to_195}} | {{baselines:no_baseline/last_100}} | {{baselines:no_baseline/last_100/worst}} |
# | $V(s)$, not centred | {{baselines:uncentred_critic/explained}} | {{baselines:uncentred_critic/episodes_to_475/count}} of {{baselines:uncentred_critic/episodes_to_475/count.n}} | {{baselines:uncentred_critic/episodes_to_195}} | {{baselines:uncentred_critic/last_100}} | {{baselines:uncentred_critic/last_100/worst}} |
# | $V(s)$, then centred (the course's "with baseline") | {{baselines:baseline/explained}} | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} | {{baselines:baseline/last_100/worst}} |
#
# **From nothing to a constant** is the large step. The running mean owes nothing to the batch it is used on, so it is
# unbiased, and it does what the batch's own mean does. It hardly matters which constant.
#
# **From a constant to $V(s)$** the typical seed gains little: the intervals of the episodes to 195 overlap. The gain
# is in the tail. Every seed with a critic that sees the state gets to 475 within 400 episodes; of those with a
# constant, some do not.
#
# Is that luck? Two versions of ten seeds would not settle it. More versions help. Here are three ways to train a
# critic that we have not looked at yet, or only half:
#
# | critic | explained variance | seeds that reach 475 in 400 episodes | episodes to 195 | episodes 301 to 400 | worst seed there |
# |---|---|---|---|---|---|
# | the course's: rate 0.005, five steps, used first | {{baselines:baseline/explained}} | {{baselines:baseline/episodes_to_475/count}} of {{baselines:baseline/episodes_to_475/count.n}} | {{baselines:baseline/episodes_to_195}} | {{baselines:baseline/last_100}} | {{baselines:baseline/last_100/worst}} |
# | fitted to the batch before it is used on it | {{baselines:fitted_first/explained}} | {{baselines:fitted_first/episodes_to_475/count}} of {{baselines:fitted_first/episodes_to_475/count.n}} | {{baselines:fitted_first/episodes_to_195}} | {{baselines:fitted_first/last_100}} | {{baselines:fitted_first/last_100/worst}} |
# | one step an update instead of five | {{baselines:one_critic_step/explained}} | {{baselines:one_critic_step/episodes_to_475/count}} of {{baselines:one_critic_step/episodes_to_475/count.n}} | {{baselines:one_critic_step/episodes_to_195}} | {{baselines:one_critic_step/last_100}} | {{baselines:one_critic_step/last_100/worst}} |
# | rate 0.0003 (section 4.6) | {{baselines:slow_critic/explained}} | {{baselines:slow_critic/episodes_to_475/count}} of {{baselines:slow_critic/episodes_to_475/count.n}} | {{baselines:slow_critic/episodes_to_195}} | {{baselines:slow_critic/last_100}} | {{baselines:slow_critic/last_100/worst}} |
#
# Look at the first two columns of numbers. One step an update, or a small rate, and the critic explains nothing: it
# is a constant in effect. (The figure for "fitted before" is flattered, because it is taken on the batch that the
# critic was fitted to. With five steps that does no harm you could see here. Section 9 tries a hundred.) So sort all
# versions with something subtracted by what their baseline explains. The patient of section 8 also belongs to the
# first group.


# %%
def late_runs(names):
    """How many runs of these versions had not reached 475 by episode 400, and how many runs there are."""
    reached = [episode for name in names for episode in measured["values"][f"{name}/episodes_to_475"]["per_seed"]]
    return sum(episode is None for episode in reached), len(reached)


subtracting = [name for name in measured["configs"] if name not in ("uncentred", "uncentred_slow_critic")]
explains = {name: measured["figures"][f"{name}/explained"]["value"] for name in subtracting}
constants = [name for name in subtracting if explains[name] < 0.05]
critics = [name for name in subtracting if explains[name] >= 0.05]
for label, names in (("explains nothing", constants), ("explains something", critics)):
    late, runs_in_all = late_runs(names)
    print(f"{label:>18}: {late:2d} of {runs_in_all} runs late   ({', '.join(names)})")

# %%
rng = np.random.default_rng(0)
(late, num_constant), (late_critic, num_critic) = late_runs(constants), late_runs(critics)
cards = np.arange(num_constant + num_critic) < late + late_critic  # True: a late run
dealt = [rng.permutation(cards)[:num_constant].sum() for _ in range(20_000)]
print(
    f"dealt out at random, the first group would get {late} late runs or more in {100 * np.mean(np.array(dealt) >= late):.2f} % of cases"
)

# %% [markdown]
# The tail is real, as far as this goes. (The versions share their seeds, so the runs are not quite independent and
# the percentage is a rough one.) A critic that explains {{baselines:baseline/explained.value}} of the variance is
# enough for it. Why so little is enough, these measurements do not say.
#
# **The end is no higher.** Over 1,000 episodes, lesson 01 measured {{reinforce:no_baseline/last_100}} for the last
# 100 without a critic and {{reinforce:baseline/last_100}} with one. A baseline changes the noise of the estimate, not
# the place it leads to.

# %% [markdown]
# ## 6. Watch it, and look inside
#
# Train once, live, and keep the critic. Your run is drawn on the band of the ten measured ones.

# %%
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

# %%
from pgcourse.statistics import moving_average

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

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif(policies, "CartPole-v1", f"{folder}/stages.gif", seed=1, max_steps=200)
    page.gif(
        path,
        alt="Three CartPoles side by side: agents after 60 and 120 episodes, and at the end of training. The later, the steadier.",
        caption="The same held-out start state for all three, at true speed: 200 steps are 4 seconds.",
    )

# %% [markdown]
# ### What the critic thinks
#
# The state of CartPole has four numbers. Hold the cart's position and velocity fixed, and the other two make a map.
# On the left is what the critic expects, on the right what the policy does. The dots are states that the agent
# visits. Choose a stage, then move the cart.

# %%
agents = {}
for title, its_critic in critics_at.items():
    visited, _, to_go = collect_batch(policies[title], num_episodes=16, seed=5)
    agents[title] = value_map.Agent(policies[title], its_critic, visited)
    with torch.no_grad():
        values, track = its_critic(visited), its_critic(torch.tensor([[x, 0.0, 0.0, 0.0] for x in (-2.0, 0.0, 2.0)]))
    print(
        f"{title:>18}: V over visited states {values.mean():5.1f} ± {values.std():4.1f},  G {to_go.mean():5.1f} ± {to_go.std():4.1f}"
    )
    low, high = visited[:, 0].quantile(torch.tensor([0.05, 0.95])).tolist()
    print(
        f"{'':>20}cart mostly between {low:+.1f} and {high:+.1f} m;  V at -2, 0, +2 m: "
        + ", ".join(f"{v:.0f}" for v in track)
    )

value_map.explore_value_map(
    agents,
    alt="Two heat maps over pole angle and angular velocity with dots for visited states. Left: the value, nearly the same all over the "
    "dots. Right: the probability of pushing right, which changes from 0 to 1 across a nearly level line.",
    caption="Black line: the policy is undecided. Dots: states that the agent visits, wherever the cart is. Far from the dots both maps are guesses.",
)

# %% [markdown]
# The policy is simple: if the pole swings to the right, push right, and the angle matters less. The critic's map is a
# surprise if you expected a landscape. Over the dots it is nearly flat, and the printed spreads say the same: $V$
# varies much less than $G$. This is what an explained variance of {{baselines:baseline/explained.value}} looks like
# from inside.
#
# Now move the cart along the track, and compare with the second line of each printout. Where the agent goes, the
# critic has learnt something. Where it hardly ever goes, the map says what the network happens to say there, be it
# far too high or below zero. No state of CartPole has a value below zero.
#
# The maps hide two of the four numbers. Here you set all of them, and see one state at a time:

# %%
state_map.explore_state(
    agents,
    caption="Put the cart at rest in the middle and lean the pole: the policy pushes under it. Now give the pole a swing "
    "the other way.",
)

# %% [markdown]
# Now let the trained agent play one episode, and look at it through its critic's eyes.

# %%
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
    caption="Green: better than expected, pushed up. Pink: worse than expected, pushed down.",
)

# %% [markdown]
# Nothing went wrong in the last hundred steps. The clock ran out, and the code takes that for an end (small print 3
# of lesson 01). The critic sees no clock, so it cannot know, and settles for the average. Good actions early in the
# episode are pushed up, good actions late in it are pushed down. That is most of what the critic of a good policy
# fails to explain, as the last rung of section 3 showed. Unit 03 ends it.

# %% [markdown]
# ## 7. Your experiment: how fast should a critic learn?
#
# **Change one thing**, the critic's learning rate, and look at three panels: the two means, the explained variance,
# and the return. Three seeds of 120 episodes each. Before you unfold the answer, write down *in your own words*: what
# does each panel say about a critic that is too slow, and about one that is too fast? And does the return care?

# %%
from pgcourse.study.seeds import run_seeds

rates = (3e-4, 5e-3, 1e-1)
configs = {f"{rate:g}": replace(reinforce.CARTPOLE, critic_lr=rate, num_episodes=120) for rate in rates}
runs = run_seeds(configs, seeds=range(3), progress=False)

# %%
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
for (rate, group), colour in zip(runs.items(), ("#E69F00", "#0072B2", "#CC79A7"), strict=True):
    length = min(len(run.metrics["charts/value_mean"]) for run in group)
    gap, explained = (
        np.stack([f(run.metrics)[:length] for run in group])
        for f in (lambda m: m["charts/value_mean"] - m["charts/return_mean"], lambda m: m["losses/explained_variance"])
    )
    played_returns = [moving_average(run.episodes["episodic_return"][:120], 20) for run in group]
    for ax, curves in zip(axes, (gap, explained, np.stack(played_returns)), strict=True):
        ax.plot(curves.T, color=colour, linewidth=1, alpha=0.35)
        ax.plot(np.median(curves, axis=0), color=colour, label=f"critic lr {rate}")
axes[0].set(xlabel="update", ylabel="mean of V − mean of G", ylim=(-60, 60))
axes[1].set(xlabel="update", ylabel="explained variance", ylim=(-1, 1))
axes[2].set(xlabel="episode", ylabel="return, moving average of 20")
axes[0].legend(loc="upper left")
page.figure(
    figure,
    alt="Three panels for three learning rates of the critic: gap between the means, explained variance, and return.",
    caption="Thick: the median of three seeds. Thin: each seed.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# The slow critic (0.0003) falls further and further behind the returns, and its explained variance stays at 0. The
# fast one (0.1) meets the returns within a few updates and explains more than the course's, which lags behind while
# the policy improves. A lag is what a moving target looks like: the critic fits the returns of yesterday's policy.
# The price of speed is unrest: in single updates the fast critic explains less than nothing.
#
# The return does not rank them. The gap of the slow critic is subtracted by the standardising, and the single seeds
# (thin lines) of all three overlap. If a median looks better at the end, that is a reason to measure, not a result:
# ten seeds, 400 episodes, as in section 5. What three seeds can show is the state of the *critic*.
#
# </details>
#
# ## 8. A patient
#
# Someone's REINFORCE with baseline learns. It reaches 475. Nothing is red. Yet a colleague looks at the panels and
# says: "your critic is broken, it has been broken from the first update." Here are the ten seeds of the patient
# beside the healthy version. Symptom first: what did the colleague see?

# %%
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
    caption="The upper panels look alike. The lower ones do not.",
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-patient",
    "Which of these explains both panels of the patient?",
    [
        "The critic's learning rate is too small",
        "The critic is trained on standardised returns",
        "The value loss compares values of shape `[B, 1]` with returns of shape `[B]`",
        "The values are not cut from the graph in the policy loss",
    ],
    answer=2,
    reasons=[
        "A slow critic lags: the mean of V would stay far below the mean of G. The patient's means meet as they do for the healthy one.",
        "Standardised returns have mean zero, so the mean of V would stay near 0.",
        "Right. Every value is compared with every return of the batch, and the best answer to all of them at once is their mean. "
        "The critic learns one constant: right on average, and blind to the state.",
        "With two optimisers that does nothing; with one it lifts the mean of V by the entropy, and the critic still sees the state.",
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
# Minimise $\frac{1}{2B^2}\sum_i \sum_j (v_i - G_j)^2$ over one $v_i$: the derivative
# $\frac{1}{B^2} \sum_j (v_i - G_j)$ is zero at $v_i = \bar G$, the mean of the batch, whatever the state. The cure is
# `network(obs).squeeze(-1)`, as in the package's `ValueNetwork`. Its `value_loss` refuses unequal shapes. PyTorch's
# `mse_loss` prints a warning at this place; written out by hand, nothing warns you.
#
# </details>
#
# And the agent? It learns as one with a constant baseline does, because that is what it has:
# {{baselines:patient/episodes_to_475/count}} of {{baselines:patient/episodes_to_475/count.n}} seeds reach 475 in 400
# episodes (healthy: {{baselines:baseline/episodes_to_475/count}}), and the worst seed has
# {{baselines:patient/last_100/worst}} in the last hundred (healthy: {{baselines:baseline/last_100/worst}}). The
# return alone would not have told you on one seed. Section 4.6 showed a fault that only the means can see. This is
# one that only explained variance can see.

# %%
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
# ## 9. Common mistakes, and how they look
#
# Each was put into the course's version and tried with two seeds of 240 episodes.
#
# | mistake | what you see |
# |---|---|
# | values subtracted the wrong way round, $V - G$ | the return falls to the lowest there is within 120 episodes, the entropy with it, and explained variance climbs above 0.9: hopeless episodes are all alike, and easy to predict |
# | $V$ added instead of subtracted | with standardised weights, nothing: the curves look healthy. Without centring the return stays near 100 |
# | the critic's step forgotten, or its optimiser holds the wrong parameters | the mean of V stays at 0 and explained variance at 0; the agent learns as with a constant |
# | critic fitted to *standardised* returns, then subtracted from raw ones | the mean of V stays within 0.2 of 0; the agent learns as with a constant |
# | returns standardised first, then a critic in raw units subtracted | the return stalls at 70 to 100 while both panels of the critic look normal: the weight is hardly more than $-V$ |
# | a baseline that looks at the action: 10 where it was right | the return falls to the lowest there is within 120 episodes, the entropy to 0: the lie of section 2.3, at full size |
# | critic fitted to the batch (100 steps) before it is used on it | explained variance above 0.9 from the first updates: too good to be true. It learns all the same, here |
#
# ## 10. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-allowed",
    "Which of these may NOT be used as the baseline of step t?",
    [
        "The number of steps played so far",
        "A fact about the state that the policy cannot see",
        "The return of another episode, played under the same policy",
        "The reward that followed the action",
    ],
    answer=3,
    reasons=[
        "It is known before the action is drawn, so it stands still: allowed.",
        "Allowed. In section 2.3 the baseline saw the square and the policy did not.",
        "Allowed: the other episode does not depend on this action. Averaging such returns is the leave-one-out baseline.",
        "Right: the reward depends on the action. Its product with the score does not average to zero.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-offset",
    "A critic's explained variance is 0.6. You add 50 to its last bias. Which numbers change?",
    [
        "Explained variance falls, the mean of V rises",
        "Only the mean of V and the value loss change",
        "Explained variance rises",
        "Nothing changes, a constant has no effect",
    ],
    answer=1,
    reasons=[
        "Explained variance uses the variance of G - V, and a variance ignores constants.",
        "Right. That is why the means of V and G belong on one panel.",
        "The variance of G - V stays what it was.",
        "The prediction is now wrong by 50 everywhere, and the value loss counts that.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-standardised",
    "With standardised weights, every value of the critic is too low by 60. What does the policy's update notice?",
    [
        "All actions of the batch are pushed up",
        "All actions of the batch are pushed down",
        "Nothing: standardising subtracts the same constant again",
        "The update becomes larger",
    ],
    answer=2,
    reasons=[
        "That happens without centring: all weights would be larger by 60.",
        "Values that are too low make weights too high, and even that is undone here.",
        "Right. Only the differences of V between states get through to the policy.",
        "Standardising also divides by the standard deviation, which ignores a constant.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-perfect-critic",
    "Suppose the critic is exact, V(s) = V^π(s). What is the variance of the gradient estimate?",
    [
        "Zero",
        "Smaller than with any other baseline",
        "The luck after the state remains; often smaller than without a baseline, not always smaller than with a constant",
        "The same as with reward-to-go alone",
    ],
    answer=2,
    reasons=[
        "Actions are still drawn and the future is still random: G - V(s) is not zero.",
        "It is the best prediction of G. The corridor showed a constant that does at least as well as a baseline.",
        "Right. V takes away the differences between states, and nothing of what follows.",
        "On the corridor the standard deviation fell by more than a third.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "02-two-optimisers",
    "Why does the critic take five gradient steps on a batch, and the policy one?",
    [
        "The critic is the larger network",
        "The critic's target, the returns, stays valid while the critic moves; the policy gradient is valid only at the policy that acted",
        "The policy's learning rate is larger",
        "To keep both losses equal",
    ],
    answer=1,
    reasons=[
        "Their bodies are of the same size.",
        "Right: fitting V to given returns is a regression. After one policy step the batch is of an older policy.",
        "It is smaller: 0.003 against 0.005.",
        "The two losses have different units and need not be equal.",
    ],
)

# %% [markdown]
# ## 11. What to remember
#
# 1. $\mathbb{E}[b\, \nabla \log \pi] = 0$ for every $b$ that is known before the action is drawn. What depends on the
#    action bends the gradient.
# 2. The best constant is $\mathbb{E}[\lVert g \rVert^2 G] / \mathbb{E}[\lVert g \rVert^2]$. $V(s)$ is the best
#    prediction of the return, which is not quite the best baseline.
# 3. On CartPole the large step is to subtract *anything* sensible, and standardised weights already do. A critic that
#    sees the state helps the slow seeds; the end is no higher.
# 4. Explained variance cannot see a constant offset, the two means cannot see a critic that is blind to the state.
#    Look at both.
# 5. Use the critic, step the policy, then fit the critic: no graph through the weights, an optimiser for each
#    network, equal shapes in the loss.
#
# ## Further reading
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
#   optimization*, ICML. Baselines with the same variance can learn differently.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/02_baselines.ipynb) build the best constant,
# the advantages, the value loss and the whole update, and then train CartPole with *your* functions.
