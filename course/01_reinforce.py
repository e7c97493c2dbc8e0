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
# # 01 REINFORCE: learn from whole episodes
#
# An agent plays an episode, looks at the score, and makes the actions that it took a little more or a little less
# likely. That is all of REINFORCE, the oldest policy-gradient method, and the one that every later unit repairs.
#
# **After this lesson you will be able to**
#
# 1. derive the policy gradient from the definition of an expectation, and say what each step needs;
# 2. turn it into a loss of three lines, and name what that loss drops or approximates;
# 3. prove with a statistical test that a gradient estimate is right, and measure how noisy it is;
# 4. take the REINFORCE that everyone writes first, see why it does not last, and repair it;
# 5. tell which of the usual repairs help here, because you have seen each one measured.
#
# **You need** [lesson 00](00_welcome.ipynb) (return, discount, softmax policies) and one neural network trained in
# PyTorch. **Time:** about 60 minutes to read and play; all cells together run in half a minute on two cores.
#
# The numbers in the text come from `claims/reinforce.json`: ten training runs of each version, measured with this
# package. *289 [274, 301]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval.

# %%
import gymnasium
import numpy as np
import torch
from dataclasses import replace
from torch import nn

from pgcourse import losses, make_envs, reinforce, returns
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.study.claims import load_claims, quote

torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("reinforce")
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# Two versions of the same algorithm on CartPole, ten seeds each. By the end of the lesson you can say what happened
# to the lower one, and which change made the upper one.

# %%
figure = plots.claimed_curves(
    "reinforce",
    {"naive": "naive REINFORCE", "no_baseline": "REINFORCE without baseline"},
    threshold=475,
    title="CartPole: the version everyone writes first, and the repaired one",
)
page.figure(
    figure,
    alt="Two learning curves over 1,000 episodes: the naive version stays below 100 and sinks, the repaired version "
    "climbs to nearly 500 within 400 episodes and stays there.",
    caption="The same idea, the same network, the same number of episodes. The band is the 95 % interval over ten seeds.",
)

# %% [markdown]
# ## 1. The idea in plain words
#
# Supervised learning tells you the right answer, so you push its probability up. In reinforcement learning nobody
# knows the right action. You have a score for what you *did* instead. So:
#
# - sample an action from your own policy, as in unit 00;
# - see how much reward follows;
# - push the log-probability of the action you took, by an amount proportional to that reward.
#
# Good luck and bad luck average out over many episodes, and what is left points uphill. You never need to
# differentiate through the environment: it may be a simulator, a robot, or a person.
#
# ## 2. The mathematics, step by step
#
# Every symbol below has a tensor that carries it. One episode has $T$ steps, an observation has $D$ numbers, there
# are $A$ actions.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $s_t$ | what the agent sees at step $t$ (taken to be the state) | `obs` | `[T, D]` |
# | $a_t$ | the action it took | `actions` | `[T]`, int64 |
# | $r_t$ | the reward that followed | `rewards` | `[T]` |
# | $\theta$ | the weights of the network | `policy.parameters()` | $P$ numbers |
# | $\pi_\theta(a \mid s)$ | probability of an action | `policy(obs)`, a `Categorical` | logits `[T, A]` |
# | $\log \pi_\theta(a_t \mid s_t)$ | log-probability of the action taken | `log_prob` | `[T]` |
# | $G_t$ | reward from step $t$ on, discounted | `returns`, later `weight` | `[T]` |
# | $\tau$ | the whole episode $s_0, a_0, r_0, s_1, \dots$ | `Episode(obs, actions, rewards)` | |
# | $J(\theta)$ | expected return of the policy: what we want to be large | no tensor: only estimates | |
#
# ### 2.1 The score-function trick
#
# Begin without time. A random $x$ takes values with probability $p_\theta(x)$, and $f(x)$ is its score. We want the
# gradient of the expected score:
#
# $$
# \nabla_\theta\, \mathbb{E}[f(x)]
# = \nabla_\theta \sum_x p_\theta(x) f(x)
# = \sum_x \nabla_\theta p_\theta(x)\, f(x).
# $$
#
# The last form is no expectation: the sum does not weigh each $x$ by its probability, so you cannot estimate it by
# drawing samples. Multiply and divide by $p_\theta(x)$, and it becomes one:
#
# $$
# \sum_x \nabla_\theta p_\theta(x)\, f(x)
# = \sum_x p_\theta(x)\, \frac{\nabla_\theta p_\theta(x)}{p_\theta(x)}\, f(x)
# = \mathbb{E}\big[f(x)\, \nabla_\theta \log p_\theta(x)\big],
# $$
#
# because $\nabla \log p = \nabla p / p$. The vector $\nabla_\theta \log p_\theta(x)$ is called the **score** of $x$.
# What did we use? The sum is finite, so the gradient may go inside, and $p_\theta(x) > 0$ for what we draw. We did
# *not* use any derivative of $f$. It may be a step function, a game, or a black box.
#
# Check it: an exact gradient beside the average of a hundred thousand sampled ones.

# %%
logits = torch.tensor([0.5, 0.0, -1.0], requires_grad=True)  # [A]
score_of = torch.tensor([1.0, 5.0, -2.0])  # f(x) for x = 0, 1, 2
distribution = torch.distributions.Categorical(logits=logits)

(exact,) = torch.autograd.grad((distribution.probs * score_of).sum(), logits, retain_graph=True)

torch.manual_seed(0)
x = distribution.sample((100_000,))  # [N]
loss = (score_of[x] * distribution.log_prob(x)).mean()
(sampled,) = torch.autograd.grad(loss, logits)
print("exact  ", exact.numpy().round(3))
print("sampled", sampled.numpy().round(3))

# %% [markdown]
# ### 2.2 Why the logarithm, and does $1/\pi$ favour rare actions?
#
# The logarithm is not decoration. It does two jobs. It turns the gradient into an expectation, as you saw. And it
# turns the probability of an episode, a product of hundreds of factors, into a sum in which the unknown ones drop out
# (next section).
#
# It also brings a worry. $\nabla \log \pi = \nabla \pi / \pi$ divides by the probability: an action with
# $\pi = 0.01$ gets a push a hundred times as strong. Does REINFORCE prefer rare actions? No: the push is a hundred
# times stronger and comes a hundred times less often. Take two actions with logits $0$ and $z$, so that the second
# has $p = \sigma(z)$ and the scores are $\partial_z \log \pi(1) = 1 - p$ and $\partial_z \log \pi(0) = -p$:

# %%
print("     p   push when taken   how often   product   | the other action: push   how often   product")
for p in (0.5, 0.1, 0.01):
    rare, other = (1 - p, p), (-p, 1 - p)  # (score, probability)
    print(
        f"{p:6.2f} {rare[0]:14.2f} {rare[1]:13.2f} {rare[0] * rare[1]:10.4f}   |"
        f"{other[0]:25.2f} {other[1]:11.2f} {other[0] * other[1]:10.4f}"
    )

# %% [markdown]
# The products are equal and opposite, whatever $p$ is. With equal rewards they cancel, and nothing moves *on average*.
# What a rare action does bring is **variance**: its contribution arrives as one large push, once in a long while.
#
# ### 2.3 From one draw to a whole episode
#
# Now let $x$ be an episode $\tau$ and $f$ its return. Write $R(\tau) = \sum_t r_t$ (no discount yet). The probability
# of an episode is a product of the start, the policy's choices and the environment's answers:
#
# $$
# p_\theta(\tau) = p(s_0) \prod_{t=0}^{T-1} \pi_\theta(a_t \mid s_t)\; p(r_t, s_{t+1} \mid s_t, a_t).
# $$
#
# Take the logarithm, and the product is a sum. Take the gradient, and every term without $\theta$ is gone:
#
# $$
# \nabla_\theta \log p_\theta(\tau)
# = \underbrace{\nabla_\theta \log p(s_0)}_{0}
# + \sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)
# + \sum_t \underbrace{\nabla_\theta \log p(r_t, s_{t+1} \mid s_t, a_t)}_{0}.
# $$
#
# So the trick of section 2.1 reads
#
# $$
# \nabla_\theta J(\theta) = \mathbb{E}_\tau\Big[ R(\tau) \sum_{t=0}^{T-1} \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big].
# \tag{1}
# $$
#
# The dynamics $p(s_{t+1} \mid s_t, a_t)$ have vanished. You need to *sample* from the environment, and never to know it.
#
# ### 2.4 Reward-to-go: the past is not your doing
#
# Equation (1) pushes the action at step $t$ with the return of the whole episode, rewards from *before* step $t$
# included. An action cannot change the past, so those terms should only add noise. Here is the proof.
#
# First, **a score has mean zero**. For any fixed state $s$,
#
# $$
# \mathbb{E}_{a \sim \pi}\big[\nabla_\theta \log \pi_\theta(a \mid s)\big]
# = \sum_a \pi_\theta(a \mid s) \frac{\nabla_\theta \pi_\theta(a \mid s)}{\pi_\theta(a \mid s)}
# = \nabla_\theta \sum_a \pi_\theta(a \mid s) = \nabla_\theta 1 = 0.
# $$
#
# Second, take a reward $r_k$ with $k < t$. Let $h_t$ be everything up to and including $s_t$. Given $h_t$, the reward
# $r_k$ is a known number, so it can stand in front:
#
# $$
# \mathbb{E}\big[ r_k \nabla_\theta \log \pi_\theta(a_t \mid s_t) \big]
# = \mathbb{E}\Big[ r_k \; \mathbb{E}\big[ \nabla_\theta \log \pi_\theta(a_t \mid s_t) \,\big|\, h_t \big] \Big]
# = \mathbb{E}[ r_k \cdot 0 ] = 0.
# $$
#
# Every such term may go. What stays is the **reward-to-go** $G_t = \sum_{k \ge t} r_k$:
#
# $$
# \nabla_\theta J(\theta) = \mathbb{E}_\tau\Big[ \sum_{t=0}^{T-1} G_t \, \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big].
# \tag{2}
# $$
#
# ### 2.5 The policy gradient theorem
#
# In equation (2), average over everything that happens after $(s_t, a_t)$. By definition
# $\mathbb{E}[G_t \mid s_t, a_t] = Q^\pi(s_t, a_t)$, the action value of unit 00. The score at step $t$ is fixed once
# $s_t$ and $a_t$ are, so
#
# $$
# \nabla_\theta J(\theta)
# = \mathbb{E}_\tau\Big[ \sum_t Q^\pi(s_t, a_t)\, \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big]
# = \sum_s d^\pi(s) \sum_a Q^\pi(s, a)\, \nabla_\theta \pi_\theta(a \mid s),
# \tag{3}
# $$
#
# where $d^\pi(s) = \sum_t P(s_t = s)$ is how often an episode visits $s$ on average, and the last step used
# $\pi \nabla \log \pi = \nabla \pi$. This is the **policy gradient theorem**. The surprise in it: changing $\theta$
# also changes which states you visit, and still no derivative of $d^\pi$ appears. It is inside $Q^\pi$ already: the
# value of an action counts where that action leads.
#
# Equations (1), (2) and (3) are the same vector. They differ in how noisy a *sample* of them is, and all of the next
# units (baselines, critics, GAE, PPO) are about replacing $G_t$ by something with the same mean and less noise.
#
# ### 2.6 From the formula to a loss
#
# PyTorch minimises losses and computes gradients by itself. So write down a scalar whose gradient is minus the
# estimate:
#
# $$
# L(\theta) = -\frac{1}{B} \sum_{i=1}^{B} w_i \log \pi_\theta(a_i \mid s_i),
# $$
#
# where the $B$ steps of all episodes stand in one long row and the weight $w_i$ is $G_t$ of that step, a constant.
# Here are the two functions of the package that do it.

# %%
page.source(returns.discounted_returns)
page.source(losses.reinforce_loss)

# %% [markdown]
# Three rewards of 1 and $\gamma = 0.5$, by hand from the back: $G_2 = 1$, $G_1 = 1 + 0.5 \cdot 1 = 1.5$,
# $G_0 = 1 + 0.5 \cdot 1.5 = 1.75$.

# %%
print(returns.discounted_returns(torch.ones(3), gamma=0.5))

# %% [markdown]
# The *value* of this loss means nothing. It is not an error that should fall: with weights of mean zero it hovers
# around zero while the agent goes from hopeless to perfect. Watch the return instead.
#
# ### 2.7 The small print
#
# The code you have seen is what nearly every implementation does, and it is not exactly equation (2). Four
# differences, all on purpose:
#
# 1. **The discount.** With $\gamma < 1$ the objective is $J_\gamma = \mathbb{E}[\sum_t \gamma^t r_t]$. Repeat section
#    2.4 with $\gamma^k r_k$ for $r_k$: what follows step $t$ is $\sum_{k \ge t} \gamma^k r_k = \gamma^t G_t$ with
#    $G_t = \sum_{k \ge t} \gamma^{k-t} r_k$. So the true gradient has $\gamma^t G_t$ as weight, and the usual code
#    **drops the $\gamma^t$**. It then follows a slightly different direction, which is not the gradient of $J_\gamma$
#    (Thomas 2014) and of no other function either (Nota and Thomas 2020). Kept, $\gamma^t$ would all but silence late
#    steps: $0.99^{400} \approx 0.018$. Dropped, $\gamma$ is a way to ignore far-away rewards: less noise for some bias.
# 2. **The mean over steps.** Equation (2) sums over the steps of an episode and averages over episodes. The loss
#    divides by $B$, the number of steps in the batch, and that is a random number: long episodes make it large. Each
#    update points the same way but is longer or shorter by a random factor, and that factor depends on how the
#    episodes went. Section 5 measures how much of this the optimiser undoes.
# 3. **The time limit.** CartPole stops after 500 steps. The agent did not fail, time ran out. The code here
#    treats that as an end, with nothing after it, so the last steps of a perfect episode look worse than
#    they are. Unit 03 does it properly.
# 4. **The state.** We write $s_t$ for what the agent sees. In CartPole that is the state. In the next section it is
#    not, and equation (2) holds all the same: the proof only used that the policy looks at what it is given.

# %% [markdown]
# ## 3. A place where the answer is known: the short corridor
#
# Before trusting an estimate of a gradient, test it where you can compute the exact one. Sutton and Barto (2018,
# example 13.1) give such a place: three squares in a row and a goal. Every step costs 1. The actions are left and
# right, but **in the second square they are switched**. And the agent cannot see where it is: every square looks the same.

# %%
from matplotlib.patches import Rectangle

figure, ax = plots.new_figure(height=1.9)
for square, name in enumerate(("start", "switched", "", "goal")):
    colour = {1: "#f5dcc4", 3: "#cfe8dc"}.get(square, "white")
    ax.add_patch(Rectangle((square, 0), 1, 1, facecolor=colour, edgecolor="black"))
    ax.text(square + 0.5, 0.5, name, ha="center", va="center")
for start, end, height in ((0.5, 1.45, 1.12), (1.5, 0.55, 1.32), (2.5, 3.45, 1.12)):  # where "right" leads
    ax.annotate("", (end, height), (start, height), arrowprops={"arrowstyle": "->", "color": "#0072B2", "lw": 2})
ax.text(3.6, 1.12, 'where "right" leads', color="#0072B2", va="center")
ax.set(xlim=(-0.05, 4.9), ylim=(-0.05, 1.5))
ax.axis("off")
page.figure(
    figure,
    alt="Four boxes in a row: start, switched, a third square, goal. The action right leads right from the first and "
    "third box, and left from the second.",
    caption="The short corridor. In the second square the two actions are switched.",
)

# %% [markdown]
# Since all squares look alike, a policy is one number: the probability $p$ of going right.

# %%
questions.predict(
    "01-corridor-best",
    "Right leads towards the goal in two squares of three. Which probability of going right gives the best expected return?",
    [
        "1: always right, because it is right more often than wrong",
        "0.5: with no information, be undecided",
        "about 0.6: mostly right, but not always",
        "0: always left",
    ],
    answer=2,
    explanation="Always right runs back and forth between the first two squares forever, and always left never leaves "
    "the first. Any deterministic policy scores minus infinity. The best is $p = 2 - \\sqrt{2} \\approx 0.586$, with a "
    "return of about $-11.7$. The curve below shows it.",
)

# %% [markdown]
# The exact value takes four lines of algebra. Let $v_0, v_1, v_2$ be the expected returns from the three squares.
# One step ahead (in the second square, right leads back):
#
# $$
# v_0 = -1 + p\, v_1 + (1-p)\, v_0, \qquad
# v_1 = -1 + p\, v_0 + (1-p)\, v_2, \qquad
# v_2 = -1 + p \cdot 0 + (1-p)\, v_1 .
# $$
#
# The first gives $v_0 = v_1 - 1/p$. Put it and the third into the second:
# $v_1 = -1 + p v_1 - 1 - (1-p) + (1-p)^2 v_1$, so $v_1 \big(1 - p - (1-p)^2\big) = p - 3$. The bracket is
# $(1-p)\,p$, hence $v_1 = -(3-p)/\big(p(1-p)\big)$ and
#
# $$
# v_0(p) = v_1 - \frac1p = -\frac{4 - 2p}{p\,(1-p)} .
# $$
#
# The policy's parameter is the logit $z$ with $p = \sigma(z)$ and $\mathrm{d}p/\mathrm{d}z = p(1-p)$, so the exact
# gradient is $v_0'(p)\, p(1-p)$. Both are in `pgcourse.envs.corridor`. Move $p$ and watch the slope:

# %%
from pgcourse.envs.corridor import BEST_RIGHT_PROBABILITY, exact_gradient, exact_value

grid = np.linspace(0.03, 0.97, 200)
values = [exact_value(p) for p in grid]


def draw_value(p):
    figure, ax = plots.new_figure()
    ax.plot(grid, values, color="#0072B2")
    ax.plot(p, exact_value(p), "o", color="black", markersize=9)
    slope = exact_gradient(p) / (p * (1 - p))  # d value / d p
    near = np.array([p - 0.1, p + 0.1])
    ax.plot(near, exact_value(p) + slope * (near - p), color="#D55E00", label="slope at your p")
    ax.axvline(BEST_RIGHT_PROBABILITY, color="#666666", linestyle=":", label="best p")
    ax.set(xlabel="probability of going right, p", ylabel="expected return", xlim=(0, 1), ylim=(-80, 0))
    ax.set_title(f"p = {p:.2f}: value {exact_value(p):.2f}, gradient in the logit {exact_gradient(p):+.2f}")
    ax.legend(loc="lower center")
    return figure


# %%
widgets.explore(
    draw_value,
    alt="Expected return against the probability of going right: an arch that falls to minus infinity at 0 and 1, "
    "highest at about 0.59, with a tangent at the chosen point.",
    caption="Both deterministic policies, p = 0 and p = 1, never reach the goal.",
    p=widgets.Slider(0.05, 0.95, 0.2, 0.01, "probability of going right"),
)

# %% [markdown]
# **No deterministic policy is good here**, and the usual reason to reach for value functions (pick the action with
# the largest value) fails: all squares look the same, so there is one answer for all of them. A policy that is
# trained *as a distribution* finds the mixture.
#
# ### Is the estimate right? A test that can fail
#
# Play many episodes at a fixed $p$, compute one gradient estimate from each, and compare the mean with the
# exact gradient. The standard error says how far a correct estimate may be off:
#
# $$ z = \frac{\text{mean of the estimates} - \text{exact gradient}}{\text{standard deviation} / \sqrt{N}} . $$
#
# If the estimator is unbiased, $z$ is nearly standard normal: within $\pm 2$ about 95 times in a hundred, beyond
# $\pm 3$ three times in a thousand. Here $\gamma = 1$, so nothing is dropped. The policy is a tiny `nn.Module` that
# meets the contract of the package: observations in, distribution out.

# %%
from pgcourse.envs import ShortCorridorVectorEnv
from pgcourse.networks import Categorical
from pgcourse.optim import seeded
from pgcourse.rollout import collect_episodes
from torch.nn.utils.rnn import pad_sequence


class OneLogit(nn.Module):
    """The same probability p of action 1 whatever the observation."""

    def __init__(self, p):
        super().__init__()
        self.z = nn.Parameter(torch.logit(torch.tensor(p)))

    def forward(self, obs):  # [B, 1] -> Categorical with logits [B, 2]
        z = self.z.expand(len(obs))
        return Categorical(torch.stack([torch.zeros_like(z), z], dim=-1))


# %%
def play_corridor(p, num_episodes, seed):
    """Scores and rewards of many episodes, [T, N] each, with zeros after an episode's end."""
    with seeded(seed):
        episodes = collect_episodes(OneLogit(p), ShortCorridorVectorEnv(num_episodes))
    rewards = pad_sequence([episode.rewards for episode in episodes])  # [T, N]
    actions = pad_sequence([episode.actions for episode in episodes])  # [T, N]
    scores = (actions - p) * (rewards != 0)  # d log pi / dz is 1 - p for right, -p for left
    return scores, rewards


# %% [markdown]
# Three weights to choose from: the whole return (equation 1), the reward-to-go (equation 2), and, as a control that
# *should* fail, the reward so far.

# %%
WEIGHTS = {
    "whole return": lambda rewards: rewards.sum(dim=0).expand_as(rewards),
    "reward-to-go": lambda rewards: returns.discounted_returns(rewards, gamma=1.0),
    "reward so far (wrong)": lambda rewards: rewards.cumsum(dim=0) - rewards,
}
points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
estimates = {name: [] for name in WEIGHTS}  # each: a list of [N], one for every p
for i, p in enumerate(points):
    scores, rewards = play_corridor(p, num_episodes=5_000, seed=i)
    for name, weight in WEIGHTS.items():
        estimates[name].append((scores * weight(rewards)).sum(dim=0))  # [N]: one estimate from each episode

print(f"{'p':>22} " + " ".join(f"{p:7.1f}" for p in points))
for name, batches in estimates.items():
    z = [
        (float(g.mean()) - exact_gradient(p)) / (float(g.std()) / len(g) ** 0.5)
        for p, g in zip(points, batches, strict=True)
    ]
    print(f"{name:>22} " + " ".join(f"{number:+7.1f}" for number in z))

# %%
looks = {"whole return": ("#E69F00", "s", -0.006), "reward-to-go": ("#0072B2", "o", 0.006)}
figure, ax = plots.new_figure()
ax.plot(grid, [exact_gradient(p) for p in grid], color="black", label="exact gradient")
for name, (colour, marker, shift) in looks.items():
    mean = [float(g.mean()) for g in estimates[name]]
    error = [1.96 * float(g.std()) / len(g) ** 0.5 for g in estimates[name]]
    ax.errorbar(np.array(points) + shift, mean, error, fmt=marker, color=colour, markersize=4, capsize=3, label=name)
ax.set(xlabel="probability of going right, p", ylabel="gradient in the logit", ylim=(-30, 45))
ax.legend()
page.figure(
    figure,
    alt="The means of both estimates, with their 95 % intervals, lie on the curve of the exact gradient at nine values of p.",
    caption="Means of 5,000 one-episode estimates with 95 % intervals: both estimators are right on average.",
)

# %% [markdown]
# The two correct estimators stay within the limits. The wrong one is off by dozens of standard errors wherever the
# gradient is not near zero: its mean is 0, as section 2.4 proved for rewards of the past. That row is what makes the
# other two worth something. A test that cannot fail tells you nothing.
#
# ### Right on average, and how noisy?
#
# The bars above are short because 5,000 episodes stand behind each. Here is the spread of a *single* one:

# %%
figure, ax = plots.new_figure()
for name, (colour, marker, _) in looks.items():
    spread = [float(g.std()) for g in estimates[name]]
    ax.plot(points, spread, color=colour, marker=marker, label=f"standard deviation of an estimate, {name}")
ax.plot(grid, [abs(exact_gradient(p)) for p in grid], color="black", label="size of the exact gradient")
ax.set(xlabel="probability of going right, p", ylabel="gradient in the logit", yscale="log", ylim=(0.5, 1500))
ax.legend(loc="upper center")
page.figure(
    figure,
    alt="The standard deviation of a one-episode estimate, on a logarithmic scale, lies far above the size of the exact "
    "gradient for both weights, and is lower for reward-to-go.",
    caption="The scale is logarithmic. A single episode is mostly noise, most of all near the best p, where the gradient "
    "vanishes and the noise does not.",
)

# %% [markdown]
# REINFORCE is **unbiased and very noisy**. How many episodes do you need before the mean is as large as its own
# standard error?

# %%
for p in (0.2, 0.5, 0.8):
    for name in looks:
        spread = float(estimates[name][points.index(p)].std())
        print(
            f"p = {p}: exact gradient {exact_gradient(p):+6.2f}, {name:>12}: one estimate ± {spread:5.1f}, "
            f"so {(spread / exact_gradient(p)) ** 2:7.1f} episodes"
        )

# %% [markdown]
# Reward-to-go needs fewer than the whole return, for free. Far fewer still is what baselines (unit 02) and critics
# (unit 03) are for.

# %% [markdown]
# ## 4. CartPole: the version everyone writes first
#
# Now with a network. Here is REINFORCE as most people type it: one episode, raw returns, Adam with a brisk
# learning rate. Nothing in it is wrong.

# %%
from pgcourse.networks import CategoricalPolicy


def naive_reinforce(seed, num_episodes, learning_rate=1e-2, gamma=0.99):
    torch.manual_seed(seed)
    env = gymnasium.make("CartPole-v1")
    policy = CategoricalPolicy(obs_dim=4, num_actions=2)
    optimizer = torch.optim.Adam(policy.parameters(), lr=learning_rate)
    episodic_returns = []
    for episode in range(num_episodes):
        obs, _ = env.reset(seed=seed if episode == 0 else None)
        log_probs, rewards, over = [], [], False
        while not over:
            distribution = policy(torch.as_tensor(obs)[None])  # obs [1, 4]
            action = distribution.sample()  # [1]
            log_probs.append(distribution.log_prob(action))
            obs, reward, terminated, truncated, _ = env.step(action.item())
            rewards.append(reward)
            over = terminated or truncated
        weight = returns.discounted_returns(torch.tensor(rewards, dtype=torch.float32), gamma=gamma)  # [T]
        loss = losses.reinforce_loss(torch.cat(log_probs), weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        episodic_returns.append(sum(rewards))
    return episodic_returns


# %%
for seed in (1, 2, 3):
    played = naive_reinforce(seed, num_episodes=150)
    print(
        f"seed {seed}: mean return of episodes 1-50: {np.mean(played[:50]):5.1f}, 51-100: {np.mean(played[50:100]):5.1f}, "
        f"101-150: {np.mean(played[100:]):5.1f}"
    )

# %% [markdown]
# Three seeds, three stories. What happens in a thousand episodes?

# %%
questions.predict(
    "01-naive-thousand",
    "Ten seeds of the naive version, 1,000 episodes each. What do the ten curves look like at the end?",
    [
        "All have climbed to about 500 and stay there",
        "All are flat at the level of a random agent throughout",
        "Most climbed for a while and then fell back, some to the lowest score there is",
        "All climb slowly and are still climbing",
    ],
    answer=2,
    explanation=f"The best stretch of 100 episodes has a mean return of {quote('reinforce:naive/best_100')}, the last 100 "
    f"have {quote('reinforce:naive/last_100')}, and {quote('reinforce:naive/collapsed/count')} of "
    f"{quote('reinforce:naive/collapsed/count.n')} seeds end below 30, where the random agent is. What was won is lost again.",
)

# %%
naive = measured["curves"]["naive"]
best, last = (measured["values"][f"naive/{name}"]["per_seed"] for name in ("best_100", "last_100"))
figure, (left, right) = plots.new_figure(columns=2, width=9.5, sharey=True, width_ratios=[2, 1])
for curve in naive["per_seed"]:
    left.plot(naive["x"], curve, color=plots.COLOURS["reinforce_naive"], linewidth=1.2, alpha=0.8)
for start, end in zip(best, last, strict=True):
    right.plot([0, 1], [start, end], "o-", color=plots.COLOURS["reinforce_naive"], linewidth=1.2, markersize=5)
left.set(
    xlabel="episode",
    ylabel="return, moving average of 50 episodes",
    ylim=(0, 510),
    title="Ten seeds of the naive version",
)
right.set(xticks=[0, 1], xlim=(-0.3, 1.3), title="Mean of 100 episodes")
right.set_xticklabels(["best", "last"])
page.figure(
    figure,
    alt="Left: ten learning curves that rise at different times and fall back. Right: for each seed a line from its best "
    "100 episodes down to its last 100.",
    caption="One line a seed. Look at any one of them alone and you could tell any story about REINFORCE.",
)

# %% [markdown]
# Two things go wrong at once.
#
# - **Noise.** Each update follows one episode. Section 3 showed how little one episode says. And since all rewards
#   are positive, every sampled action is pushed *up*: only the *differences* between pushes carry information.
# - **No way back.** A large step in a wrong direction can make the policy nearly deterministic: always left, say. Then
#   every episode is alike, the scores $\nabla \log \pi$ of the actions taken are close to zero, and the policy that
#   collects the data is the one that would have to be corrected. The entropy at the end of the naive runs is
#   {{reinforce:naive/last_entropy.value}} nats, out of $\log 2 \approx 0.69$.
#
# ## 5. Repairs, one at a time
#
# Each row below adds one change to the row above it. Ten seeds, 1,000 episodes each, the same seeds in every row.
#
# | version | seeds that reach 475 | episodes until then | best 100 episodes | last 100 episodes | worst seed, last 100 | seeds that end below 30 |
# |---|---|---|---|---|---|---|
# | naive | {{reinforce:naive/episodes_to_475/count}} of {{reinforce:naive/episodes_to_475/count.n}} | {{reinforce:naive/episodes_to_475}} | {{reinforce:naive/best_100}} | {{reinforce:naive/last_100}} | {{reinforce:naive/last_100/worst}} | {{reinforce:naive/collapsed/count}} |
# | + four episodes an update | {{reinforce:four_episodes/episodes_to_475/count}} of {{reinforce:four_episodes/episodes_to_475/count.n}} | {{reinforce:four_episodes/episodes_to_475}} | {{reinforce:four_episodes/best_100}} | {{reinforce:four_episodes/last_100}} | {{reinforce:four_episodes/last_100/worst}} | {{reinforce:four_episodes/collapsed/count}} |
# | + standardised weights | {{reinforce:standardized/episodes_to_475/count}} of {{reinforce:standardized/episodes_to_475/count.n}} | {{reinforce:standardized/episodes_to_475}} | {{reinforce:standardized/best_100}} | {{reinforce:standardized/last_100}} | {{reinforce:standardized/last_100/worst}} | {{reinforce:standardized/collapsed/count}} |
# | + learning rate 0.01 → 0.003 | {{reinforce:small_step/episodes_to_475/count}} of {{reinforce:small_step/episodes_to_475/count.n}} | {{reinforce:small_step/episodes_to_475}} | {{reinforce:small_step/best_100}} | {{reinforce:small_step/last_100}} | {{reinforce:small_step/last_100/worst}} | {{reinforce:small_step/collapsed/count}} |
# | + gradient norm clipped at 0.5 | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/episodes_to_475}} | {{reinforce:no_baseline/best_100}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/last_100/worst}} | {{reinforce:no_baseline/collapsed/count}} |
# | + a baseline $V(s)$: unit 02 | {{reinforce:baseline/episodes_to_475/count}} of {{reinforce:baseline/episodes_to_475/count.n}} | {{reinforce:baseline/episodes_to_475}} | {{reinforce:baseline/best_100}} | {{reinforce:baseline/last_100}} | {{reinforce:baseline/last_100/worst}} | {{reinforce:baseline/collapsed/count}} |
#
# "Reach 475" means that the mean of 100 episodes in a row is at least 475, the threshold that Gymnasium gives for
# CartPole-v1. *Never* in a place means that too many seeds never got there for the number to exist.

# %%
LADDER = {
    "naive": "naive",
    "four_episodes": "+ four episodes",
    "standardized": "+ standardised weights",
    "small_step": "+ smaller step",
    "no_baseline": "+ clipping",
    "baseline": "+ baseline",
}

# %%
figure, axes = plots.new_figure(rows=2, columns=3, width=9.5, height=5.0, sharex=True, sharey=True)
before = None
for ax, (name, label) in zip(axes.flat, LADDER.items(), strict=True):
    if before:
        plots.claimed_band(ax, measured["curves"][before], label=LADDER[before], colour="#999999")
    plots.claimed_band(ax, measured["curves"][name], label=label, colour="#0072B2")
    ax.set(title=label, ylim=(0, 510))
    before = name
for ax in axes[1]:
    ax.set_xlabel("episode")
for ax in axes[:, 0]:
    ax.set_ylabel("episodic return")
page.figure(
    figure,
    alt="Six panels, one for each version. In each, the version in blue with its interval, and the one before it in grey.",
    caption="Blue: this version. Grey: the one before it. Lines are interquartile means of ten seeds, bands their 95 % "
    "intervals, moving average of 50 episodes.",
)

# %% [markdown]
# The last row is a look ahead. A baseline makes the slowest seed reach 475 at episode
# {{reinforce:baseline/episodes_to_475/worst}} instead of {{reinforce:no_baseline/episodes_to_475/worst}}. The level at the
# end is no higher: what it buys is the slow seeds. Unit 02 says why. Now the repairs one by one.
#
# ### 5.1 Batches of complete episodes
#
# Four episodes an update instead of one. All four are played **to the end, under the same policy**, and then thrown
# away. The package collects them side by side:

# %%
from pgcourse.rollout import collect_episodes

page.source(collect_episodes)

# %% [markdown]
# No other row of the table lifts the best 100 episodes as much. But look closely: *two* things have changed. The average of four
# gradients has half the noise of one. And 1,000 episodes are now 250 updates instead of 1,000. Adam makes steps of about
# the same length whatever the gradient (section 5.5), so the policy also travels a quarter as far. Which of the two helped? A
# control run takes the naive version and divides its learning rate by four:
#
# | version | seeds that reach 475 | best 100 episodes | last 100 episodes | seeds that end below 30 |
# |---|---|---|---|---|
# | one episode, learning rate 0.01 | {{reinforce:naive/episodes_to_475/count}} of {{reinforce:naive/episodes_to_475/count.n}} | {{reinforce:naive/best_100}} | {{reinforce:naive/last_100}} | {{reinforce:naive/collapsed/count}} |
# | one episode, learning rate 0.0025 | {{reinforce:naive_small_step/episodes_to_475/count}} of {{reinforce:naive_small_step/episodes_to_475/count.n}} | {{reinforce:naive_small_step/best_100}} | {{reinforce:naive_small_step/last_100}} | {{reinforce:naive_small_step/collapsed/count}} |
# | four episodes, learning rate 0.01 | {{reinforce:four_episodes/episodes_to_475/count}} of {{reinforce:four_episodes/episodes_to_475/count.n}} | {{reinforce:four_episodes/best_100}} | {{reinforce:four_episodes/last_100}} | {{reinforce:four_episodes/collapsed/count}} |
#
# Both did. Smaller steps alone are enough to keep every seed alive, and {{reinforce:naive_small_step/episodes_to_475/count}} of
# {{reinforce:naive_small_step/episodes_to_475/count.n}} reach 475. With four episodes to an update {{reinforce:four_episodes/episodes_to_475/count}} do,
# though at this learning rate {{reinforce:four_episodes/collapsed/count}} collapse all the same. A recipe that changes two things at
# once does not tell you which one worked. A control does.
#
# ### 5.2 Standardise the weights over the batch
#
# In CartPole every weight is positive. Subtract the mean of all weights in the batch, and what is better than
# average is pushed up, what is worse is pushed down. Divide by the standard deviation, and the size of the weights
# no longer depends on how good the agent is. This is the row that ended the collapses:
# {{reinforce:four_episodes/collapsed/count}} seeds without it, {{reinforce:standardized/collapsed/count}} with it. Small
# print: the mean contains the episode's own returns, so this is not entirely free of bias; the more episodes in a batch,
# the smaller the bias.
#
# Over *the batch*, not each episode by itself. What does the second one erase? Take two episodes, one of 20 steps
# and one of 200:

# %%
episodes = [returns.discounted_returns(torch.ones(length), gamma=0.99) for length in (20, 200)]  # [20], [200]
over_batch = returns.normalize(torch.cat(episodes)).split([20, 200])
each_alone = [returns.normalize(episode) for episode in episodes]

figure, axes = plots.new_figure(columns=2, width=9.5, height=3.6, sharey=True)
panels = {"standardised over the batch": over_batch, "each episode by itself": each_alone}
for ax, (title, weights) in zip(axes, panels.items(), strict=True):
    for weight, colour in zip(weights, ("#D55E00", "#0072B2"), strict=True):
        ax.plot(
            weight, color=colour, label=f"{len(weight)} steps: mean weight {round(float(weight.mean()), 2) + 0:.2f}"
        )
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(xlabel="step in the episode", title=title)
    ax.legend(loc="upper right")
axes[0].set_ylabel("weight of the step")
page.figure(
    figure,
    alt="Two panels of weights against step. Over the batch, the short episode lies below zero throughout and the long one "
    "mostly above. Each by itself, both go from above to below zero and have mean zero.",
    caption="Standardised alone, the bad episode gets as much praise as the good one: which of the two was better is gone.",
)

# %% [markdown]
# That sounds fatal. Measured, with every other setting that of the repaired version:
#
# | weights | seeds that reach 475 | episodes until then | last 100 episodes | worst seed |
# |---|---|---|---|---|
# | standardised over the batch | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/episodes_to_475}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/last_100/worst}} |
# | each episode by itself | {{reinforce:each_alone/episodes_to_475/count}} of {{reinforce:each_alone/episodes_to_475/count.n}} | {{reinforce:each_alone/episodes_to_475}} | {{reinforce:each_alone/last_100}} | {{reinforce:each_alone/last_100/worst}} |
#
# Every seed of both learns, and both end at the same level. Each episode by itself is slower: a mean of 195 takes
# {{reinforce:each_alone/episodes_to_195}} episodes instead of {{reinforce:no_baseline/episodes_to_195}}. A loss, and no disaster.
#
# Why? In CartPole the message is *within* an episode: what came early was followed by a long life, what came late by the
# fall. Standardising alone keeps that contrast. It would be fatal where the whole message is in comparing episodes:
# with one reward at the very end and $\gamma = 1$, all weights of an episode are equal, and standardised alone they are
# all zero. An argument that sounds fatal has to be measured, and a measurement on one task does not settle another.
#
# ### 5.3 A smaller step
#
# Look at the worst seeds. With a learning rate of 0.01 the typical run ends high, and the worst one has lost
# {{reinforce:standardized/lost/worst}} between its best 100 episodes and its last 100. With 0.003 the worst one has lost
# {{reinforce:small_step/lost/worst}}. There is a price: a mean of 195 takes {{reinforce:small_step/episodes_to_195}} episodes instead of
# {{reinforce:standardized/episodes_to_195}}. A policy gradient is a statement about the policy *as it is*. The
# further you step, the less it says about where you land. Unit 04 (PPO) is built on that sentence.
#
# ### 5.4 Clipping the gradient
#
# The row for clipping nearly repeats the row above it. That is no misprint: look at the single seeds.

# %%
without, clipped = (measured["values"][f"{name}/last_100"]["per_seed"] for name in ("small_step", "no_baseline"))
acted = measured["values"]["no_baseline/clipped"]["per_seed"]
print("seed   last 100 without   with clipping   share of updates clipped")
for seed, one, other, share in zip(measured["seeds"], without, clipped, acted, strict=True):
    print(f"{seed:4d} {one:18.2f} {other:15.2f} {share:26.4f}")

# %% [markdown]
# A gradient is clipped where its norm is above 0.5. After standardising the weights and taking a mean over steps it
# hardly ever is, and where clipping never acts, the run is the same bit for bit. Where it acted once, everything after
# that update differs, for better or worse: a different draw, and no evidence about clipping.
#
# Before standardising, the norm was above 0.5 in a share of {{reinforce:four_episodes/clipped}} of the updates. Clipping belongs
# to the recipe as a safety belt, and on this road the belt stayed slack. When you read that it is essential, ask how
# often it acted. Log the norm *before* clipping, as the package does, and you can answer.
#
# ### 5.5 "An episode of 500 pushes 500 times harder"
#
# You will read that long episodes dominate the update: their weights are larger, and there are more of them. Is
# it so? Take policies at three stages of training, play episodes of many lengths, and compute the gradient of each
# episode alone, as the *sum* over its steps with the whole return as weight (equation 1, word for word).

# %%
stage_policies = {}


def keep_stages(progress):
    recent = progress.episodes["episodic_return"][-20:].mean()
    for level in (40, 100, 200):
        if recent >= level and level not in stage_policies:
            stage_policies[level] = CategoricalPolicy(4, 2)
            stage_policies[level].load_state_dict(progress.policy.state_dict())
    return len(stage_policies) == 3


reinforce.train(replace(reinforce.CARTPOLE_NO_BASELINE, seed=5), on_iteration=keep_stages)

lengths, gradients = [], []
for level, policy in stage_policies.items():
    for episode in collect_episodes(policy, make_envs("CartPole-v1", 40, seed=level)):
        objective = (policy(episode.obs).log_prob(episode.actions) * episode.rewards.sum()).sum()
        parts = torch.autograd.grad(objective, list(policy.parameters()))
        gradients.append(torch.cat([part.flatten() for part in parts]))  # [P]
        lengths.append(len(episode.rewards))
print(f"{len(lengths)} episodes of {min(lengths)} to {max(lengths)} steps")

# %% [markdown]
# Now hand these gradients, in random order, to two optimisers, and measure how far each one moves the weights.


# %%
def update_sizes(make_optimizer, order):
    weights = nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer, sizes = make_optimizer([weights], lr=1e-2), []
    for i in order:
        before = weights.detach().clone()
        weights.grad = gradients[i].clone()
        optimizer.step()
        sizes.append(float((weights.detach() - before).norm()))
    return np.array(sizes)


# %%
order = np.random.default_rng(0).permutation(len(lengths))
steps = np.array(lengths)[order]
figure, ax = plots.new_figure()
for make_optimizer, colour, marker in ((torch.optim.SGD, "#D55E00", "o"), (torch.optim.Adam, "#0072B2", "^")):
    sizes = update_sizes(make_optimizer, order)[20:]  # Adam's averages need a few gradients first
    slope, offset = np.polyfit(np.log10(steps[20:]), np.log10(sizes / np.median(sizes)), 1)
    ax.loglog(steps[20:], sizes / np.median(sizes), marker, color=colour, alpha=0.5, markersize=5)
    ends = np.array([steps.min(), steps.max()])
    ax.loglog(
        ends,
        10 ** (offset + slope * np.log10(ends)),
        color=colour,
        label=f"{make_optimizer.__name__}: ten times as long moves {10**slope:.1f} times as far",
    )
ax.set(xlabel="length of the episode [steps]", ylabel="size of the update / median")
ax.set_xticks([20, 50, 100, 200, 500], ["20", "50", "100", "200", "500"])
ax.set_xticks([], minor=True)
ax.legend(loc="upper left")
page.figure(
    figure,
    alt="Size of the update against episode length, both logarithmic: under SGD a steep rising cloud, under Adam a nearly "
    "flat one.",
    caption="One dot is one episode's update. Under SGD the step grows faster than the episode; Adam divides by its running "
    "average of gradient sizes, and little is left of the difference.",
)

# %% [markdown]
# The same for ten training runs, with policies at four stages each: how much larger is the update when the episode is
# **ten times** as long?
#
# | loss | SGD | Adam |
# |---|---|---|
# | sum over steps, whole return (equation 1) | {{reinforce:step/whole_sum/sgd}} | {{reinforce:step/whole_sum/adam}} |
# | sum over steps, reward-to-go with $\gamma = 0.99$ | {{reinforce:step/to_go_sum/sgd}} | {{reinforce:step/to_go_sum/adam}} |
# | mean over steps, reward-to-go with $\gamma = 0.99$ (the package, before standardising) | {{reinforce:step/to_go_mean/sgd}} | {{reinforce:step/to_go_mean/adam}} |
#
# Proportion would be a factor of 10. So the sentence is true of textbook REINFORCE with SGD, and even too modest: the
# weights grow in proportion, and there are more steps to sum. Two things undo it. A mean over steps leaves little, even
# under SGD. Adam leaves little, even of the sum: it divides each gradient by the size that gradients have had lately.
# With Adam, the random factor of small print number 2 hardly matters, and neither does multiplying every weight by 100.
#
# ### 5.6 What must stay: fresh episodes
#
# One more way to write it, popular because it keeps 16 environments busy: update as soon as *any* of them finishes
# an episode. Two things are then wrong. The other 15 are in the middle of an episode, and go on with a new policy: when
# they finish, their early actions are those of an older policy, but `log_prob` is of the current one. And the first
# to finish are the *short* episodes, so the bad ones come first.
#
# | episodes come from | seeds that reach 475 | last 100 episodes | worst seed | seeds that end below 30 |
# |---|---|---|---|---|
# | four environments, each played to the end | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/last_100/worst}} | {{reinforce:no_baseline/collapsed/count}} |
# | 16 environments, update when four have finished | {{reinforce:stale_four/episodes_to_475/count}} of {{reinforce:stale_four/episodes_to_475/count.n}} | {{reinforce:stale_four/last_100}} | {{reinforce:stale_four/last_100/worst}} | {{reinforce:stale_four/collapsed/count}} |
# | 16 environments, update when any has finished | {{reinforce:stale/episodes_to_475/count}} of {{reinforce:stale/episodes_to_475/count.n}} | {{reinforce:stale/last_100}} | {{reinforce:stale/last_100/worst}} | {{reinforce:stale/collapsed/count}} |
#
# Updating at every finished episode usually starts *faster*: a mean of 195 after {{reinforce:stale/episodes_to_195}} episodes instead of
# {{reinforce:no_baseline/episodes_to_195}}, since it makes almost four times as many updates. Then it does not hold: the worst
# seed ends at {{reinforce:stale/last_100/worst}}. Waiting for four is milder. With small steps, the policy that acted and the policy
# that is updated are nearly the same one. That is the trouble with stale data: nothing raises an error, short runs look
# good, and the price comes due later or with larger steps. Unit 04 shows the honest way to use data of a slightly older
# policy, which is to correct for the difference.

# %%
figure = plots.claimed_curves(
    "reinforce",
    {
        "no_baseline": "REINFORCE without baseline",
        "stale_four": "stale, four at a time",
        "stale": "stale, any that finishes",
    },
    threshold=475,
    title="Fresh and stale episodes, the same settings otherwise",
)
page.figure(
    figure,
    alt="Learning curves with fresh episodes, with stale ones four at a time, and with stale ones as they finish.",
    caption="On-policy means: the log-probability is of the policy that acted.",
)

# %% [markdown]
# ## 6. The whole algorithm
#
# Here is the update of the package, the real code. The lines about the critic belong to unit 02; without a critic,
# `weight` is the return. `episode_returns` is `discounted_returns` of all episodes of the batch. Everything else you
# have met.

# %%
page.source(reinforce.update)

# %% [markdown]
# Around it, `reinforce.train` repeats: collect complete episodes, update, record. Its settings are a frozen dataclass,
# and the measured ones have names:

# %%
for name in ("CARTPOLE_NAIVE", "CARTPOLE_NO_BASELINE"):
    config = getattr(reinforce, name)
    print(
        f"{name:>21}: num_envs={config.num_envs}, normalize_weights={config.normalize_weights}, "
        f"policy_lr={config.policy_lr}, max_grad_norm={config.max_grad_norm}, gamma={config.gamma}"
    )

# %% [markdown]
# ## 7. Watch it learn
#
# Train once, live, and keep copies of the policy on the way. Then draw this run on the band of the ten measured ones. It
# should look like one of them, not like their mean.

# %%
result, policies = stages.train_with_stages(
    reinforce.train, replace(reinforce.CARTPOLE_NO_BASELINE, seed=7, num_episodes=300), at=(0, 100), by="episode"
)
from pgcourse.statistics import moving_average

figure, ax = plots.new_figure()
plots.claimed_band(ax, measured["curves"]["no_baseline"], label="ten measured runs", colour="reinforce_no_baseline")
ax.plot(moving_average(result.episodes["episodic_return"], 50), color=plots.COLOURS["learner"], label="your run")
ax.set(xlabel="episode", ylabel="return, moving average of 50 episodes", ylim=(0, 510))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="The live run's learning curve over 300 episodes, on the band of ten measured runs over 1,000 episodes.",
    caption="Change the seed and run again: the band is for the mean of many seeds, a single run may leave it.",
)

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = stages.stages_gif(policies, "CartPole-v1", f"{folder}/stages.gif", seed=1, max_steps=200)
    page.gif(
        path,
        alt="Three CartPoles side by side: the random agent drops the pole at once, the agent after 100 episodes keeps it up "
        "longer, the one at the end longest.",
        caption="The same held-out start state for all three, at true speed: 200 steps are 4 seconds.",
    )

# %% [markdown]
# ## 8. Your experiment: how far should the agent look ahead?
#
# With discount $\gamma$, rewards beyond about $1/(1-\gamma)$ steps hardly count: 2 steps for $\gamma = 0.5$, 100 for
# $0.99$. A step of CartPole is a fiftieth of a second.
#
# **Change one thing** (the discount), run three seeds of each, and write down *in your own words*, before you unfold
# the answer: what happened, and which weights does a step in the middle of an episode get with $\gamma = 0.5$?

# %%
from pgcourse.study.seeds import run_seeds

gammas = (0.5, 0.99)
configs = {f"γ = {gamma}": replace(reinforce.CARTPOLE_NO_BASELINE, gamma=gamma, num_episodes=150) for gamma in gammas}
runs = run_seeds(configs, seeds=range(3), progress=False)

figure = plots.learning_curves(runs, window=20, title="One change: the discount")
page.figure(
    figure,
    alt="Learning curves of three seeds for each discount: with 0.99 the return climbs, with 0.5 it stays low.",
    caption="Three seeds are enough for a difference as large as this one, and for no smaller one.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# With γ = 0.5 the agent hardly learns, with 0.99 it climbs. A reward-to-go with γ = 0.5 is close to
# 1 + 0.5 + 0.25 + … = 2 at every step except the last few before the fall. After standardising, nearly all steps
# carry the same small positive weight, and only the last three or four carry a large negative one. So the agent is
# told one thing: "what you did in the last fifteenth of a second was bad". By then the pole is often beyond saving,
# and the push that caused the trouble came earlier, where all weights are alike. With γ = 0.99 the whole fall is in view.
#
# Going to γ = 1 is no free lunch: the weight is then the number of steps still to come, including those with which this
# action has nothing to do. Try `gammas = (0.99, 1.0)`, and say how many seeds you would need to call a winner.
#
# </details>
#
# ## 9. A patient
#
# Someone's REINFORCE does not learn. No error, no NaN, no warning; the settings are those of the repaired version. Here
# are its panels over ten seeds, beside the healthy version. Symptom first: what do you see, and what could cause it?

# %%
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
panels = {"": "episodic return", "/losses/policy_grad_norm": "gradient norm", "/losses/entropy": "entropy [nats]"}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("no_baseline", "healthy", "#56B4E9"), ("patient", "patient", "#000000")):
        plots.claimed_band(ax, measured["curves"][name + metric], label=who, colour=colour)
    ax.set(xlabel=measured["curves"]["patient" + metric]["x_unit"], ylabel=label)
axes[1].set_yscale("log")
axes[2].set_ylim(0, 0.75)
axes[0].legend()
page.figure(
    figure,
    alt="Three panels for patient and healthy version: the patient's return stays flat, its gradient norm is many orders of "
    "magnitude below the healthy one, and its entropy never leaves its highest value.",
    caption="The middle panel is logarithmic. The patient's entropy lies at log 2, its highest possible value, from first to last.",
)

# %%
questions.quiz(
    "01-patient",
    "Which of these explains all three panels?",
    [
        "The learning rate is ten times too small",
        "The sign of the loss is wrong",
        "Weights of shape `[B, 1]` were multiplied with log-probabilities of shape `[B]`",
        "The returns are not discounted",
    ],
    answer=2,
    reasons=[
        "A small learning rate makes small steps, but the gradient norm is measured before the step and would be healthy.",
        "A wrong sign would move the policy, in the wrong direction: the return would fall, and the entropy with it.",
        "Broadcasting pairs every weight with every log-probability. Their mean is (mean weight) x (mean log-probability), "
        "and standardised weights have mean zero. So loss and gradient are zero up to rounding: nothing moves.",
        "Without discount the weights are larger and noisier, and their gradient is certainly not zero.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# def paired_loss(log_prob, weight):
#     return -(weight[:, None] * log_prob).mean()      # [B, 1] * [B] -> [B, B]
# ```
#
# One stray axis, from a critic's output or an `unsqueeze`. PyTorch broadcasts without a word. The cure is
# `weight * log_prob` with equal shapes. The package's `reinforce_loss` refuses unequal ones, so that this mistake costs you
# a line of text instead of an afternoon. The cell below shows the arithmetic.
#
# </details>

# %%
torch.manual_seed(0)
log_prob, weight = torch.randn(1000), returns.normalize(torch.randn(1000))  # [B], [B]
print(f"paired by mistake: {-(weight[:, None] * log_prob).mean().item():+.7f}")
print(f"as meant:          {-(weight * log_prob).mean().item():+.7f}")
try:
    losses.reinforce_loss(log_prob, weight[:, None])
except ValueError as error:
    print("the package says: ", error)

# %% [markdown]
# ## 10. Common mistakes, and how they look
#
# Each was put into the repaired version and tried with two seeds of 240 episodes.
#
# | mistake | what you see |
# |---|---|
# | the minus sign of the loss is missing | the return falls to the lowest there is, far below the random agent's, and the entropy falls with it |
# | `[B, 1]` against `[B]` | nothing moves: gradient norm of rounding size, entropy constant |
# | `softmax` before `Categorical(logits=...)` | slow learning that stops early, entropy stuck around 0.6: two logits between 0 and 1 allow no probability above 0.73, so it cannot fall below 0.58 |
# | returns accumulated from the front (reward so far) | the return drifts *down*: what came late is praised, and what came late led to the fall |
# | returns computed over the concatenated batch, not episode by episode | it learns, at a fraction of the speed: the next episode's rewards hide the fall at the end of this one |
# | `zero_grad` forgotten | the gradient norm grows from update to update; it learns, then swings, and the entropy falls early |
# | acting with `argmax` while training | the return falls to the lowest there is: no action is ever compared with another |
# | updating while other episodes are running | section 5.6 |
# | judging by the loss | it hovers around zero for good and bad agents alike |
# | judging by one seed | section 4: ten seeds, ten stories |
#
# ## 11. Quiz

# %%
questions.quiz(
    "01-loss-value",
    "During training the policy loss rises from -0.02 to +0.01. What does that tell you?",
    [
        "The agent is getting worse",
        "The agent is getting better",
        "Nothing: look at the return",
        "The learning rate is too large",
    ],
    answer=2,
    reasons=[
        "The loss is no error. Its value depends on which weights happened to meet which log-probabilities.",
        "Neither: only the gradient of this loss has a meaning.",
        "Right: it is a device whose gradient is the estimate. With standardised weights its value hovers around zero.",
        "A step that is too large shows in the return and in the entropy, not in the sign of the loss.",
    ],
)

# %%
questions.quiz(
    "01-past-rewards",
    "Why may the rewards before step t be left out of the weight of step t?",
    [
        "They are small compared with the rest",
        "Given the past, the score of the next action has mean zero, so they contribute zero on average",
        "The discount makes them vanish",
        "The environment forgets them",
    ],
    answer=1,
    reasons=[
        "Late in an episode they are the larger part. They are left out because they add noise and nothing else.",
        "Right: the past reward is a constant in front of a score, and the expected score is the gradient of 1.",
        "The discount reduces rewards in the future, and the argument holds for a discount of 1.",
        "The dynamics play no part in the argument: it is about the policy's own probabilities.",
    ],
)

# %%
questions.quiz(
    "01-rare-action",
    "An action has probability 0.01. Compared with an action of probability 0.99 and the same reward, on average it is pushed",
    ["up more", "equally: the products of size and frequency cancel", "down", "not at all, because it never happens"],
    answer=1,
    reasons=[
        "A single push is 99 times as strong, but comes 99 times less often.",
        "Right: size times frequency is p(1 - p) for both, with opposite signs. What the rare one adds is variance.",
        "Nothing in the gradient prefers frequent actions; with equal rewards both stay where they are on average.",
        "It happens once in a hundred steps, and then pushes hard.",
    ],
)

# %%
questions.quiz(
    "01-perfect-batch",
    "All four episodes of a batch last the full 500 steps. The standardised weights are",
    [
        "all zero, so nothing changes",
        "positive early and negative near the end of each episode, so the policy is still pushed about",
        "all equal to 1",
        "undefined, because the standard deviation is zero",
    ],
    answer=1,
    reasons=[
        "The four returns are equal, but the reward-to-go falls from about 99 at the start to 1 at the last step.",
        "Right: the code takes the time limit for an end, so late steps look bad. A perfect policy is still being pushed, "
        "and can be pushed off. Unit 02 takes away much of this and unit 03 the rest.",
        "Standardised weights have mean zero.",
        "It would be if all weights were equal; within an episode they are not.",
    ],
)

# %%
questions.quiz(
    "01-stale",
    "Sixteen environments run side by side, and you update whenever one of them finishes. What is wrong?",
    [
        "Nothing, as long as the optimiser is Adam",
        "The episodes that are still running mix several policies, and short episodes come first",
        "Sixteen environments need sixteen policies",
        "The batch is too large",
    ],
    answer=1,
    reasons=[
        "No optimiser can repair log-probabilities of a policy that did not act.",
        "Right: the data are no longer of the policy that is updated, and bad episodes are counted early.",
        "One policy can act in all of them, as long as all of them finish before it changes.",
        "An update then often rests on a single episode: the batch is too small, if anything.",
    ],
)

# %% [markdown]
# ## 12. What to remember
#
# 1. $\nabla J = \mathbb{E}\big[\sum_t G_t \nabla \log \pi(a_t \mid s_t)\big]$: sample, score, push. No model of the environment is needed.
# 2. The score has mean zero. That is why past rewards, and soon any baseline, may be subtracted without bias.
# 3. The estimate is right on average and very noisy. Prove the first with a test that can fail, and measure the second.
# 4. The gradient is only about the policy that acted: complete, fresh episodes, then throw them away.
# 5. Of the usual repairs, several episodes to an update got every seed off the ground, standardised weights ended the
#    collapses, a smaller step held the worst seed up, and clipping hardly ever acted. Change one thing at a time, over seeds.
#
# ## Further reading
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement learning*,
#   Machine Learning 8. Sections 3 to 5: the name, the algorithm, the first baseline.
# - R. S. Sutton, D. McAllester, S. Singh and Y. Mansour (1999), *Policy gradient methods for reinforcement learning with
#   function approximation*, NeurIPS 12. Theorem 1 is equation (3).
# - R. S. Sutton and A. G. Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition, chapter 13. Sections 13.1
#   to 13.3 go with this lesson, the corridor is example 13.1.
# - P. Thomas (2014), *Bias in natural actor-critic algorithms*, ICML. Read the introduction: what dropping $\gamma^t$ does.
# - C. Nota and P. Thomas (2020), *Is the policy gradient a gradient?*, AAMAS. Six pages that answer no, with a
#   counterexample to look at.
# - D. P. Kingma and J. Ba (2015), *Adam: a method for stochastic optimization*, ICLR. Section 2.1: why rescaling the
#   gradient changes nothing.
# - R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical precipice*, NeurIPS. Where the
#   interquartile mean and its interval come from.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/01_reinforce.ipynb) build returns, standardising, loss, network
# and update one after the other, and then train CartPole with *your* functions.
