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
# An agent plays an episode, looks at the return, and changes the probabilities of the actions that it took. That is
# REINFORCE, one of the first policy-gradient methods. Later units repair parts of it. {{# wording}}
#
# **Goal:** derive its gradient, prove with a test that the code has it, and repair the version that everyone writes first.
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises; all cells together run in about a minute on two cores. All symbols are in one
# table: [symbols](../docs/symbols.md).

# %% jupyter={"source_hidden": true}
# Imports
import gymnasium
import numpy as np
import torch
from dataclasses import replace
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from pgcourse import losses, reinforce, returns
from pgcourse.envs import ShortCorridorVectorEnv
from pgcourse.envs.corridor import exact_gradient
from pgcourse.networks import Categorical, CategoricalPolicy
from pgcourse.optim import seeded
from pgcourse.rollout import collect_episodes
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.live import stages
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.corridor import CORRIDOR
from pgcourse.statistics import bootstrap_interval, moving_average
from pgcourse.study.claims import load_claims
from pgcourse.study.seeds import run_seeds

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("reinforce")

# %% [markdown]
# ## Where this ends
#
# Two versions of one algorithm on CartPole, ten seeds each. By the end you can say what happened to the lower curve, and
# which changes made the upper one. {{# description}}

# %% jupyter={"source_hidden": true}
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
# ## Before you begin
#
# **After this lesson you will be able to**
#
# 1. derive the policy gradient from the definition of an expectation, and say what each step needs;
# 2. turn it into a loss of three lines, and name what that loss drops or approximates;
# 3. prove with a statistical test that a gradient estimate is right, and measure how noisy it is;
# 4. take the REINFORCE that everyone writes first, see why it does not last, and repair it;
# 5. tell for which of the usual repairs ten seeds show an effect, and for which they do not.
#
# **You need** [lesson 00](00_welcome.ipynb) (return, discount, softmax policies) and one neural network trained in
# PyTorch.
#
# The numbers come from `claims/reinforce.json`: ten training runs of each version. *289 [274, 301]* reads: interquartile
# mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted underline are comparisons decided by the
# data; hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)). {{# design}}

# %% jupyter={"source_hidden": true}
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ### Three questions
#
# They ask for ideas of unit 00 that this lesson uses.

# %% jupyter={"source_hidden": true}
questions.quiz(
    "01-recall-1",
    "The rewards of an episode are 1, 1, 1 and γ = 0.5. What is the return of the first step?",
    ["1.75", "3", "1.5", "0.25"],
    answer=0,
    reasons=[
        "Backwards: 1, then 1 + 0.5 · 1 = 1.5, then 1 + 0.5 · 1.5 = 1.75.",
        "That is the sum without discount.",
        "That is the return of the second step.",
        "That is the factor of the last reward alone.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-recall-2",
    "The advantage of action a in state s is −2 under the policy π. What does that say?",
    [
        "The action has probability 0 under π",
        "After a, the return will be −2",
        "After a, π expects 2 less than V(s)",
        "The state is a bad one to be in",
    ],
    answer=2,
    reasons=[
        "The advantage compares returns; the probability is another number.",
        "That would be the action value Q(s, a), and only on average.",
        "A(s, a) = Q(s, a) − V(s): the first action is a, and π acts from then on.",
        "How good the state is, is V(s). The advantage is relative to it.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "01-recall-3",
    "A softmax policy took action k. What is the derivative of log π(k) by the logit of k?",
    ["1 − π(k)", "π(k)", "1 / π(k)", "log π(k)"],
    answer=0,
    reasons=[
        "And −π(j) for every other logit j: the score, which pushes the taken action up and the others down.",
        "It is small for a rare action. The derivative is near 1 there.",
        "That is the derivative of log π by π itself, before the softmax.",
        "That is the function, and not its derivative.",
    ],
)

# %% [markdown]
# ## 1. The idea in plain words
#
# In supervised learning you know the right answer and raise its probability. Here nobody knows the right action. You have
# a return for what you *did*. So:
#
# - sample an action from your own policy, as in unit 00;
# - see how much reward follows;
# - push the log-probability of the action you took, by an amount proportional to that reward.
#
# Over many episodes luck averages out, and on average the pushes point uphill. You never differentiate through the
# environment: it may be a simulator, a robot, or a person.
#
# ## 2. The mathematics, step by step
#
# New in this unit:
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\tau$ | an episode: $s_0, a_0, r_0, s_1, \dots$ | `Episode(obs, actions, rewards)` | |
#
# ### 2.1 The score-function trick
#
# Begin without time: one action $a$, drawn with probability $\pi_\theta(a)$, and its reward $r(a)$. We want the
# gradient of the expected reward:
#
# $$
# \nabla_\theta\, \mathbb{E}[r(a)]
# = \nabla_\theta \sum_a \pi_\theta(a)\, r(a)
# = \sum_a \nabla_\theta \pi_\theta(a)\, r(a).
# $$
#
# The last form is no expectation: the sum does not weigh each $a$ by its probability, so drawing samples does not
# estimate it. It should become one. What must a *sampled* action contribute, so that the mean over samples is this sum?
# Fill in the line: `pi` is the probability of the action, `slope` is $\partial \pi_\theta(a) / \partial \theta$ for one
# weight, `reward` is $r(a)$.


# %%
def contribution(pi, slope, reward):
    return ...  # your line


questions.check_line("01-score-function", contribution)

# %% [markdown]
# <details><summary>The line, and how it goes on</summary>
#
# Multiply and divide by $\pi_\theta(a)$:
#
# $$
# \sum_a \nabla_\theta \pi_\theta(a)\, r(a)
# = \sum_a \pi_\theta(a)\, \frac{\nabla_\theta \pi_\theta(a)}{\pi_\theta(a)}\, r(a).
# $$
#
# Each sample contributes `slope / pi * reward`.
#
# </details>
#
# Since $\nabla \log \pi = \nabla \pi / \pi$, the result is written
#
# $$
# \nabla_\theta\, \mathbb{E}[r(a)] = \mathbb{E}\big[r(a)\, \nabla_\theta \log \pi_\theta(a)\big].
# $$
#
# The vector $\psi = \nabla_\theta \log \pi_\theta(a)$ is the **score** of unit 00. What did we use? The sum is finite, so
# the gradient may go inside, and $\pi_\theta(a) > 0$ for what we draw. We did *not* use a derivative of $r$: it may be
# a step function, a game, or a black box. Check it, an exact gradient beside the mean of a hundred thousand sampled ones:

# %%
logits = torch.tensor([0.5, 0.0, -1.0], requires_grad=True)  # [A]
reward_of = torch.tensor([1.0, 5.0, -2.0])  # r(a) for a = 0, 1, 2
distribution = torch.distributions.Categorical(logits=logits)

(exact,) = torch.autograd.grad((distribution.probs * reward_of).sum(), logits, retain_graph=True)

torch.manual_seed(0)
a = distribution.sample((100_000,))  # [M]
(sampled,) = torch.autograd.grad((reward_of[a] * distribution.log_prob(a)).mean(), logits)
print("exact  ", exact.numpy().round(3))
print("sampled", sampled.numpy().round(3))

# %% [markdown]
# ### 2.2 Does $1/\pi$ favour rare actions? · further
#
# $\nabla \log \pi = \nabla \pi / \pi$ divides by the probability. Does REINFORCE prefer rare actions? No: of two actions, one
# with $\pi = 0.01$ gets 99 times the other action's push when it is taken, and it is taken 99 times less often. Take
# two actions with logits $0$ and $\theta$, so that the second has $p = 1/(1 + e^{-\theta})$. The scores are
# $\partial_\theta \log \pi(1) = 1 - p$ and $\partial_\theta \log \pi(0) = -p$: {{# mathematics}}

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
# What grows is the noise *relative to the mean*: the pushes of the rare action have the mean $p(1-p)$ and the standard
# deviation $(1-p)\sqrt{p(1-p)}$, for small $p$ about $1/\sqrt p$ times the mean. {{# mathematics}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-rare-action",
    "An action of probability 0.01 and one of 0.99 earn the same reward. Compare the sum of all pushes from draws of the rare "
    "one with the sum from draws of the other, on average.",
    ["99 times, the same way", "as large, the other way", "as large, the same way", "a 99th, the other way"],
    answer=1,
    reasons=[
        "A single push is 99 times as strong, but comes 99 times less often.",
        "Size times frequency is p(1 − p) for both, with opposite signs. Together they move nothing on average.",
        "The probabilities add up to 1: what pushes one up pushes the other down.",
        "It is drawn 99 times less often, but each of its pushes is 99 times as strong.",
    ],
)

# %% [markdown]
# ### 2.3 From one draw to a whole episode
#
# Now draw an episode $\tau$, and let its return be $G_0 = \sum_t r_t$ (no discount yet). The probability of an episode is
# a product of the start, the policy's choices and the environment's answers:
#
# $$
# \Pr_\theta(\tau) = \Pr(s_0) \prod_{t=0}^{T-1} \pi_\theta(a_t \mid s_t)\; \Pr(r_t, s_{t+1} \mid s_t, a_t).
# $$
#
# Take the logarithm, and the product is a sum. Take the gradient, and every term without $\theta$ is gone:
#
# $$
# \nabla_\theta \log \Pr_\theta(\tau)
# = \underbrace{\nabla_\theta \log \Pr(s_0)}_{0}
# + \sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)
# + \sum_t \underbrace{\nabla_\theta \log \Pr(r_t, s_{t+1} \mid s_t, a_t)}_{0}.
# $$
#
# So the trick of section 2.1 reads (there the sum was finite; the gradient may go inside the sum over all episodes too where, as
# in CartPole, their length is bounded and $\pi$ is smooth in $\theta$)
#
# $$
# \nabla_\theta J(\theta) = \mathbb{E}_\tau\Big[ G_0 \sum_{t=0}^{T-1} \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big].
# \tag{1}
# $$
#
# The dynamics have vanished. You need to *sample* from the environment, and never to know it.
#
# ### 2.4 Reward-to-go: an action cannot change the past
#
# Equation (1) pushes the action at step $t$ with the return of the whole episode, rewards from *before* step $t$
# included. On average those terms contribute nothing. The proof has two parts.
#
# First, **a score has mean zero**. For any fixed state $s$,
#
# $$
# \mathbb{E}_{a \sim \pi}\big[\nabla_\theta \log \pi_\theta(a \mid s)\big]
# = \sum_a \pi_\theta(a \mid s) \frac{\nabla_\theta \pi_\theta(a \mid s)}{\pi_\theta(a \mid s)}
# = \nabla_\theta \sum_a \pi_\theta(a \mid s) = \nabla_\theta 1 = 0.
# $$
#
# Second, take a reward $r_k$ with $k < t$, and let $h_t$ be everything up to and including $s_t$. An expectation may be
# taken in two stages: first over the action, with the past $h_t$ held fixed, then over the past. (Averaging the class
# means, weighted by class size, gives the mean of the school. This is called the *tower property*.) In the first stage
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
# $\mathbb{E}[G_t \mid s_t, a_t] = Q^\pi(s_t, a_t)$, and the score at step $t$ is fixed once $s_t$ and $a_t$ are, so
#
# $$
# \nabla_\theta J(\theta)
# = \mathbb{E}_\tau\Big[ \sum_t Q^\pi(s_t, a_t)\, \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Big]
# = \sum_s d^\pi(s) \sum_a Q^\pi(s, a)\, \nabla_\theta \pi_\theta(a \mid s),
# \tag{3}
# $$
#
# where $d^\pi(s) = \sum_t \Pr(s_t = s)$ is how often an episode visits $s$ on average (here $\gamma = 1$). This is the
# **policy gradient theorem**. Changing $\theta$ also changes which states you visit, and still no derivative of $d^\pi$
# appears: the value $Q^\pi$ of an action already counts where that action leads.
#
# Equations (1), (2) and (3) are the same vector. They differ in the noise of a *sample*. The next units replace $G_t$
# by something less noisy. A baseline (unit 02) keeps the mean. A critic's estimate in its place (unit
# 03) accepts some bias for less noise. {{# mathematics}}
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
# where the `B` steps of all episodes stand in one long row, $B$ is their number, and the weight $w_i$ is $G_t$ of that
# step, a constant. Returns come from the back: with three rewards of 1 and $\gamma = 0.5$, $G_2 = 1$,
# $G_1 = 1 + 0.5 \cdot 1 = 1.5$, $G_0 = 1 + 0.5 \cdot 1.5 = 1.75$. The package has both as functions, and you write them
# yourself in the exercises:

# %%
weight = returns.discounted_returns(torch.ones(3), gamma=0.5)  # [B]
log_prob = torch.tensor([-0.5, -1.0, -0.5])  # [B]
print(weight, losses.reinforce_loss(log_prob, weight))

# %% [markdown]
# The *value* of this loss means nothing. It is no error that should fall: with weights of mean zero it hovers around zero
# for bad and good agents. Watch the return instead.
#
# ### 2.7 The small print
#
# The loss is not exactly equation (2). Two differences, both on purpose, and two remarks:
#
# 1. **The discount.** With $\gamma < 1$ the gradient of the expected discounted return has the weight $\gamma^t G_t$. The
#    usual code **drops the $\gamma^t$**, and what it follows is the gradient of no function (Thomas 2014, Nota and Thomas
#    2020). Kept, $\gamma^t$ would all but silence late steps: $0.99^{400} \approx 0.018$.
# 2. **The mean over steps.** Equation (2) sums over the steps of an episode and averages over episodes. The loss
#    divides by $B$, the number of steps in the batch, which is random. Each update is scaled by a random factor, and a
#    batch of long episodes is divided by more. Section 5.5 measures it. {{# mathematics}}
# 3. **The time limit.** CartPole stops after 500 steps. The agent did not fail, time ran out. The code treats that as an
#    end with nothing after it, so the last steps of a perfect episode get small weights. Unit 03 mends it.
# 4. **The state.** $s_t$ is what the agent sees. In CartPole that is the state. In the next section it is not, and
#    equation (2) holds all the same: the proof only used that the policy looks at what it is given.

# %% [markdown]
# ## 3. A place where the answer is known: the short corridor
#
# Test an estimate of a gradient where you can compute the exact one. Sutton and Barto (2018, example 13.1) give such a
# place: three squares in a row and a goal. Every step has a reward of −1. The actions are left and right, but **in the
# second square they are switched**. The agent cannot see where it is, so a policy is one number: the probability $p$ of
# going right.

# %% jupyter={"source_hidden": true}
from matplotlib.patches import Rectangle

figure, ax = plots.new_figure(height=1.9)
for square, name in enumerate(("start", "switched", "", "goal")):
    colour = {1: "#f5dcc4", 3: "#cfe8dc"}.get(square, "white")
    ax.add_patch(Rectangle((square, 0), 1, 1, facecolor=colour, edgecolor="black"))
    ax.text(square + 0.5, 0.5, name, ha="center", va="center")
for start, end, height in ((0.5, 1.45, 1.12), (1.5, 0.55, 1.32), (2.5, 3.45, 1.12)):  # where "right" leads
    ax.annotate("", (end, height), (start, height), arrowprops={"arrowstyle": "->", "color": "pg:blue", "lw": 2})
ax.text(3.6, 1.12, 'where "right" leads', color="pg:blue", va="center")
ax.set(xlim=(-0.05, 4.9), ylim=(-0.05, 1.5))
ax.axis("off")
page.figure(
    figure,
    alt="Four boxes in a row: start, switched, a third square, goal. The action right leads right from the first and "
    "third box, and left from the second.",
    caption="The short corridor. In the second square the two actions are switched.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "01-corridor-best",
    "Right leads towards the goal in two squares of three. Which probability of going right has the highest expected return?",
    ["p = 1: always right", "p = 0.5: as often as left", "p near 0.6: mostly right", "p = 0: always left"],
    answer=2,
    explanation="Always right runs back and forth between the first two squares for ever, and always left never leaves "
    "the first: every deterministic policy scores minus infinity. The best is $p = 2 - \\sqrt{2} \\approx 0.586$, with a "
    "return of about $-11.7$. The curve below shows it.",
)

# %% [markdown]
# The expected return of a start in the first square is $-(4 - 2p) / (p\,(1-p))$. The policy's weight is the logit
# $\theta$ with $p = 1/(1 + e^{-\theta})$, so $\mathrm{d}p/\mathrm{d}\theta = p(1-p)$, and the exact gradient is the
# slope of that function times $p(1-p)$.
#
# <details><summary>The algebra</summary>
#
# Let $v_0, v_1, v_2$ be the expected returns from the three squares. One step ahead (in the second square, right leads
# back):
#
# $$
# v_0 = -1 + p\, v_1 + (1-p)\, v_0, \qquad
# v_1 = -1 + p\, v_0 + (1-p)\, v_2, \qquad
# v_2 = -1 + p \cdot 0 + (1-p)\, v_1 .
# $$
#
# The first equation gives $v_0 = v_1 - 1/p$. Put it and the third into the second:
# $v_1 = -1 + p v_1 - 1 - (1-p) + (1-p)^2 v_1$, so $v_1 \big(1 - p - (1-p)^2\big) = p - 3$. The bracket is
# $(1-p)\,p$, hence $v_1 = -(3-p)/\big(p(1-p)\big)$ and $v_0 = v_1 - 1/p$.
#
# </details>
#
# **Move it.** Move $p$ and watch the slope. Then stay near one end, say at $p = 0.1$, and take steps of gradient ascent:
# how many until $p$ hardly moves, and where does it stop?

# %% jupyter={"source_hidden": true}
CORRIDOR.show()

# %% [markdown]
# **No deterministic policy is good here**: to the agent all squares look the same, so it has one answer for all of
# them, and always the same action never arrives. A policy that is trained *as a distribution* can find the mixture, as the
# steps do from either end: large ones where the arch is steep, hardly any near the top.
# {{# mathematics}}
#
# ### Is the estimate right? A test that can fail
#
# Play many episodes at a fixed $p$, compute one gradient estimate from each, and compare the mean of the $M$ estimates
# with the exact gradient:
#
# $$ z = \frac{\text{mean of the estimates} - \text{exact gradient}}{\text{standard deviation} / \sqrt{M}} . $$
#
# If the estimator is unbiased, $z$ is nearly standard normal: within $\pm 2$ about 95 times in a hundred, beyond
# $\pm 3$ three times in a thousand. There are three weights to choose from: the whole return (equation 1), the
# reward-to-go (equation 2), and, as a control that *should* fail, the reward so far.


# %% jupyter={"source_hidden": true}
class OneLogit(nn.Module):
    """The same probability p of action 1 whatever the observation."""

    def __init__(self, p):
        super().__init__()
        self.logit = nn.Parameter(torch.logit(torch.tensor(p)))

    def forward(self, obs):  # [B, 1] -> Categorical with logits [B, 2]
        logit = self.logit.expand(len(obs))
        return Categorical(torch.stack([torch.zeros_like(logit), logit], dim=-1))


def play_corridor(p, num_episodes, seed):
    """Scores and rewards of many episodes, [T, M] each, with zeros after an episode's end."""
    with seeded(seed):
        episodes = collect_episodes(OneLogit(p), ShortCorridorVectorEnv(num_episodes))
    rewards = pad_sequence([episode.rewards for episode in episodes])  # [T, M]
    actions = pad_sequence([episode.actions for episode in episodes])  # [T, M]
    scores = (actions - p) * (rewards != 0)  # the derivative of log pi is 1 - p for right, -p for left
    return scores, rewards


# %%
WEIGHTS = {
    "whole return": lambda rewards: rewards.sum(dim=0).expand_as(rewards),
    "reward-to-go": lambda rewards: returns.discounted_returns(rewards, gamma=1.0),
    "reward so far (wrong)": lambda rewards: rewards.cumsum(dim=0) - rewards,
}
points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
estimates = {name: [] for name in WEIGHTS}  # each: a list of [M], one for every p
for i, p in enumerate(points):
    scores, rewards = play_corridor(p, num_episodes=5_000, seed=i)  # [T, M] each, padded with 0
    for name, weight in WEIGHTS.items():
        estimates[name].append((scores * weight(rewards)).sum(dim=0))  # [M]: one estimate from each episode

print(f"{'p':>22} " + " ".join(f"{p:7.1f}" for p in points))
for name, batches in estimates.items():
    z = [  # exact_gradient(p): the derivative of the expected return by the logit, a number
        (float(g.mean()) - exact_gradient(p)) / (float(g.std()) / len(g) ** 0.5)
        for p, g in zip(points, batches, strict=True)
    ]
    print(f"{name:>22} " + " ".join(f"{number:+7.1f}" for number in z))

# %% [markdown]
# The first two rows stay within the limits. The third is far outside at most values of $p$: the mean of its estimates
# is 0, as section 2.4 proved for rewards of the past, and the exact gradient is not. Where the exact gradient is near 0
# (at $p = 0.6$) even the wrong estimator passes, so test at several values of $p$. A test that cannot fail tells you
# nothing.
#
# **Right on average, and how noisy?** How many episodes do you need before the mean is as large as its own standard
# error? {{# question}}

# %%
for p in (0.2, 0.5, 0.8):
    for name in ("whole return", "reward-to-go"):
        spread = float(estimates[name][points.index(p)].std())
        print(
            f"p = {p}: exact gradient {exact_gradient(p):+6.2f}, {name:>12}: one estimate ± {spread:5.1f}, "
            f"so {(spread / exact_gradient(p)) ** 2:7.1f} episodes"
        )

# %% [markdown]
# REINFORCE is **unbiased and very noisy**. At these three values of $p$, reward-to-go needs fewer episodes than the
# whole return. Baselines (unit 02) and critics (unit 03) are about the rest. {{# description}}

# %% [markdown]
# ## 4. CartPole: the version everyone writes first
#
# Now with a network. Here is REINFORCE as most people type it: one episode an update, raw returns, Adam with a large
# learning rate. Apart from the small print of section 2.7, it follows equation (2).


# %%
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


# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "01-naive-thousand",
    "Ten seeds of the naive version, 1,000 episodes each. What do the ten curves look like at the end?",
    [
        "All have climbed to about 500, and most of them stay there",
        "All stay flat at the level of a random agent from first to last",
        "Most climbed for a while, then fell back to the lowest score",
        "All climb slowly and steadily, and have not arrived by then",
    ],
    answer=2,
    explanation="The peak, the highest mean of 100 episodes in a row, is {{reinforce:naive/best_100}}. The last 100 have "
    "{{reinforce:naive/last_100}}, which is {{lower than a random agent's 22 | reinforce:naive/last_100 < 22}}. "
    "{{reinforce:naive/collapsed/count}} of {{reinforce:naive/collapsed/count.n}} seeds end below 30.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
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
right.set_xticklabels(["peak", "last"])
page.figure(
    figure,
    alt="Left: ten learning curves that rise at different times and fall back. Right: for each seed a line from its peak "
    "down to its last 100.",
    caption="One line a seed. The peak is the highest mean of 100 episodes in a row. The mean of the last 100 is "
    "{{lower than a random agent's 22 | reinforce:naive/last_100 < 22}}.",
)

# %% [markdown]
# Two things go wrong at once.
#
# - **Noise.** Each update follows one episode, and section 3 showed how little one episode says. All rewards are
#   positive, so every sampled action is pushed *up*: only the *differences* between pushes carry information.
# - **No way back.** A large step can make the policy nearly deterministic, for example always left. Then every episode
#   looks nearly the same, and the scores of the actions taken are close to zero, so the next updates hardly move the
#   policy. The entropy at the end is {{reinforce:naive/last_entropy.value}} nats,
#   {{below 0.1 | reinforce:naive/last_entropy < 0.1}}; undecided would be $\log 2 \approx 0.69$. {{# mathematics}}
#
# ## 5. Repairs, one at a time
#
# Each row of the table adds one change to the row above it. Same seeds in every row, 1,000 episodes each. "Reach 475"
# means that the mean of 100 episodes in a row is at least 475, the threshold that Gymnasium gives for CartPole-v1. (The
# early climb is told by 195, the threshold of its predecessor CartPole-v0.) *Never*: more than a
# quarter of the seeds never got there, so their interquartile mean is infinite. {{# design}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "01-repairs",
    "Four changes, added in this order: four episodes an update, standardised weights, a smaller step, clipped gradients. Which "
    "of them raises the peak over the row above it, by data of ten seeds?",
    ["four episodes only", "standardising only", "the smaller step only", "each of the four"],
    answer=0,
    explanation="With four episodes an update the peak is "
    "{{higher | reinforce:four_episodes/best_100 > reinforce:naive/best_100}}. For each later change "
    "{{no difference of the peaks is seen | reinforce:standardized/best_100 ~ reinforce:four_episodes/best_100, "
    "reinforce:small_step/best_100 ~ reinforce:standardized/best_100, reinforce:no_baseline/best_100 ~ reinforce:small_step/best_100}}: "
    "there is little room above, and another order may give another answer. What lasts is another question, in the next columns.",
)

# %% [markdown]
# | version | seeds that reach 475 | episodes until then | peak | last 100 episodes | seeds that end below 30 |
# |---|---|---|---|---|---|
# | naive | {{reinforce:naive/episodes_to_475/count}} of {{reinforce:naive/episodes_to_475/count.n}} | {{reinforce:naive/episodes_to_475}} | {{reinforce:naive/best_100}} | {{reinforce:naive/last_100}} | {{reinforce:naive/collapsed/count}} |
# | + four episodes an update | {{reinforce:four_episodes/episodes_to_475/count}} of {{reinforce:four_episodes/episodes_to_475/count.n}} | {{reinforce:four_episodes/episodes_to_475}} | {{reinforce:four_episodes/best_100}} | {{reinforce:four_episodes/last_100}} | {{reinforce:four_episodes/collapsed/count}} |
# | + standardised weights | {{reinforce:standardized/episodes_to_475/count}} of {{reinforce:standardized/episodes_to_475/count.n}} | {{reinforce:standardized/episodes_to_475}} | {{reinforce:standardized/best_100}} | {{reinforce:standardized/last_100}} | {{reinforce:standardized/collapsed/count}} |
# | + learning rate 0.01 → 0.003 | {{reinforce:small_step/episodes_to_475/count}} of {{reinforce:small_step/episodes_to_475/count.n}} | {{reinforce:small_step/episodes_to_475}} | {{reinforce:small_step/best_100}} | {{reinforce:small_step/last_100}} | {{reinforce:small_step/collapsed/count}} |
# | + gradient norm clipped at 0.5 | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/episodes_to_475}} | {{reinforce:no_baseline/best_100}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/collapsed/count}} |
# | + a baseline $V(s)$: unit 02 | {{reinforce:baseline/episodes_to_475/count}} of {{reinforce:baseline/episodes_to_475/count.n}} | {{reinforce:baseline/episodes_to_475}} | {{reinforce:baseline/best_100}} | {{reinforce:baseline/last_100}} | {{reinforce:baseline/collapsed/count}} |

# %% jupyter={"source_hidden": true}
# {{# wording}}
LADDER = {
    "naive": "naive",
    "four_episodes": "+ four episodes",
    "standardized": "+ standardised weights",
    "small_step": "+ smaller step",
    "no_baseline": "+ clipping",
    "baseline": "+ baseline",
}
figure, axes = plots.new_figure(rows=2, columns=3, width=9.5, height=5.0, sharex=True, sharey=True)
before = None
for ax, (name, label) in zip(axes.flat, LADDER.items(), strict=True):
    if before:
        plots.claimed_band(ax, measured["curves"][before], label=LADDER[before], colour="pg:grey")
    plots.claimed_band(ax, measured["curves"][name], label=label, colour="pg:blue")
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
# The last row is a look ahead. Between it and the row above it,
# {{no difference is seen | reinforce:baseline/episodes_to_475 ~ reinforce:no_baseline/episodes_to_475,
# reinforce:baseline/last_100 ~ reinforce:no_baseline/last_100}} in the episodes to 475 or in the last 100. Unit 02
# looks closer. Now the repairs one by one. {{# wording}}
#
# ### 5.1 Batches of complete episodes
#
# Four episodes an update instead of one. All four are played **to the end, under the same policy**, and then thrown
# away. `rollout.collect_episodes` collects them side by side.
# {{More seeds reach 475 | reinforce:four_episodes/episodes_to_475/count > reinforce:naive/episodes_to_475/count}} and
# {{fewer end below 30 | reinforce:four_episodes/collapsed/count < reinforce:naive/collapsed/count}}.
#
# But *two* things have changed. The mean of four independent gradients has half the noise of one. And 1,000 episodes
# are now 250 updates: the policy also takes a quarter as many of Adam's steps, whose size does not depend on the scale of
# the gradients. Which of the two matters? A control run takes the naive version and divides its learning rate by four:
# {{# mathematics}}
#
# | version | seeds that reach 475 | episodes until then | peak | last 100 episodes | seeds that end below 30 |
# |---|---|---|---|---|---|
# | one episode, learning rate 0.01 | {{reinforce:naive/episodes_to_475/count}} of {{reinforce:naive/episodes_to_475/count.n}} | {{reinforce:naive/episodes_to_475}} | {{reinforce:naive/best_100}} | {{reinforce:naive/last_100}} | {{reinforce:naive/collapsed/count}} |
# | one episode, learning rate 0.0025 | {{reinforce:naive_small_step/episodes_to_475/count}} of {{reinforce:naive_small_step/episodes_to_475/count.n}} | {{reinforce:naive_small_step/episodes_to_475}} | {{reinforce:naive_small_step/best_100}} | {{reinforce:naive_small_step/last_100}} | {{reinforce:naive_small_step/collapsed/count}} |
# | four episodes, learning rate 0.01 | {{reinforce:four_episodes/episodes_to_475/count}} of {{reinforce:four_episodes/episodes_to_475/count.n}} | {{reinforce:four_episodes/episodes_to_475}} | {{reinforce:four_episodes/best_100}} | {{reinforce:four_episodes/last_100}} | {{reinforce:four_episodes/collapsed/count}} |
#
# The control has {{a higher peak | reinforce:naive_small_step/best_100 > reinforce:naive/best_100}} than the naive
# version and {{fewer collapsed seeds | reinforce:naive_small_step/collapsed/count < reinforce:naive/collapsed/count}}.
# Between the control and four episodes {{no difference is seen | reinforce:four_episodes/episodes_to_475/count ~
# reinforce:naive_small_step/episodes_to_475/count, reinforce:four_episodes/best_100 ~ reinforce:naive_small_step/best_100,
# reinforce:four_episodes/last_100 ~ reinforce:naive_small_step/last_100, reinforce:four_episodes/collapsed/count ~
# reinforce:naive_small_step/collapsed/count}} in the seeds that reach 475, the peak, the last 100 or the seeds that end below
# 30. So steps of a quarter of the length alone bring {{a higher peak | reinforce:naive_small_step/best_100 >
# reinforce:naive/best_100}} than the naive version's, and whether the batch adds to it ten seeds do not show. A recipe that changes two things at once does not tell you which one worked. A control does.
#
# ### 5.2 Standardise the weights over the batch
#
# In CartPole every weight is positive. Subtract the mean of all weights in the batch: what is above average is pushed
# up, what is below is pushed down. Divide by the standard deviation, and the size of the weights no longer depends on how
# good the agent is. (The mean contains the episode's own returns, so this is not entirely free of bias; unit 02 says how
# much.) {{# mathematics}}
#
# In this row {{reinforce:standardized/collapsed/count}} seeds collapse, against
# {{reinforce:four_episodes/collapsed/count}} in the row above it. Three of ten against none is at the edge of what ten
# seeds can show, and in the last 100 episodes {{no difference is seen | reinforce:standardized/last_100 ~
# reinforce:four_episodes/last_100}}. Unit 02 has a clearer case, at the smaller step and with the division kept: in 400
# episodes, {{more seeds reach 475 | baselines:no_baseline/episodes_to_475/count >
# baselines:uncentred/episodes_to_475/count}} with the mean subtracted than without
# ({{baselines:no_baseline/episodes_to_475/count}} and {{baselines:uncentred/episodes_to_475/count}} of ten).

# %% [markdown]
# #### Over the batch, or each episode by itself? · further
#
# What does standardising each episode by itself erase? Take two episodes, one of 20 steps and one of 200:

# %% jupyter={"source_hidden": true}
# {{# computed}}
episodes = [returns.discounted_returns(torch.ones(length), gamma=0.99) for length in (20, 200)]  # [20], [200]
over_batch = returns.normalize(torch.cat(episodes)).split([20, 200])
each_alone = [returns.normalize(episode) for episode in episodes]

figure, axes = plots.new_figure(columns=2, width=9.5, height=3.6, sharey=True)
panels = {"standardised over the batch": over_batch, "each episode by itself": each_alone}
for ax, (title, weights) in zip(axes, panels.items(), strict=True):
    for weight, colour in zip(weights, ("pg:vermillion", "pg:blue"), strict=True):
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
    caption="Each by itself, both episodes have a mean weight of 0: which of the two was better is gone.",
)

# %% [markdown]
# That sounds fatal. Measured, with every other setting that of the repaired version:
#
# | weights | seeds that reach 475 | episodes until then | peak | last 100 episodes | seeds that end below 30 |
# |---|---|---|---|---|---|
# | standardised over the batch | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/episodes_to_475}} | {{reinforce:no_baseline/best_100}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/collapsed/count}} |
# | each episode by itself | {{reinforce:each_alone/episodes_to_475/count}} of {{reinforce:each_alone/episodes_to_475/count.n}} | {{reinforce:each_alone/episodes_to_475}} | {{reinforce:each_alone/best_100}} | {{reinforce:each_alone/last_100}} | {{reinforce:each_alone/collapsed/count}} |
#
# Every seed of both reaches 475, and in the last 100 episodes {{no difference is seen | reinforce:each_alone/last_100 ~
# reinforce:no_baseline/last_100}}. Each by itself is slower at first: a mean of 195 takes
# {{more | reinforce:each_alone/episodes_to_195 > reinforce:no_baseline/episodes_to_195}} episodes,
# {{reinforce:each_alone/episodes_to_195}} against {{reinforce:no_baseline/episodes_to_195}}.
#
# A likely reason: in CartPole much of the message is *within* an episode. What came early was followed by a long life,
# what came late by the fall, and standardising alone keeps that contrast. It would be fatal where the whole message is
# in comparing episodes: with one reward at the very end and $\gamma = 1$, all weights of an episode are equal, and
# standardised alone they are all zero. {{# hypothesis}}

# %% [markdown]
# ### 5.3 Step size
#
# With a learning rate of 0.003 instead of 0.01, a mean of 195 takes {{more | reinforce:small_step/episodes_to_195 >
# reinforce:standardized/episodes_to_195}} episodes: {{reinforce:small_step/episodes_to_195}} against
# {{reinforce:standardized/episodes_to_195}}. That is the price. The benefit should be that fewer runs lose what they
# had won. In what is lost between the peak and the last 100, {{no difference is seen | reinforce:small_step/lost ~
# reinforce:standardized/lost}}: most seeds of both lose next to nothing, two of the larger rate lose much, and two of
# ten are no evidence. What is seen: the policy stays {{more random | reinforce:small_step/last_entropy >
# reinforce:standardized/last_entropy}}, at an entropy of {{reinforce:small_step/last_entropy}} nats against
# {{reinforce:standardized/last_entropy}}. A policy gradient is a statement about the policy *as it is* and says
# nothing about one far away, so unit 04 (PPO) limits how far an update goes. {{# description}}

# %% [markdown]
# ### 5.4 Clipping the gradient · further
#
# The row for clipping nearly repeats the row above it. Look at the single seeds.

# %%
without, clipped = (measured["values"][f"{name}/last_100"]["per_seed"] for name in ("small_step", "no_baseline"))
acted = measured["values"]["no_baseline/clipped"]["per_seed"]
print("seed   last 100 without   with clipping   share of updates clipped")
for seed, one, other, share in zip(measured["seeds"], without, clipped, acted, strict=True):
    print(f"{seed:4d} {one:18.2f} {other:15.2f} {share:26.4f}")

# %% [markdown]
# A gradient is clipped where its norm is above 0.5. After standardising the weights and taking a mean over steps it
# hardly ever is, and where clipping never acts, the run is the same bit for bit. Where it acted once, everything after
# that update differs: another draw, and no evidence about clipping. {{# description}}
#
# Before standardising, the norm was {{more often above 0.5 | reinforce:four_episodes/clipped >
# reinforce:standardized/clipped}}: in a share of {{reinforce:four_episodes/clipped}} of the updates. When you read that
# clipping is essential, ask how often it acted. Log the norm *before* clipping, as the package does, and you can
# answer.

# %% [markdown]
# ### 5.5 "An episode of 500 pushes 500 times harder"
#
# You will read that long episodes dominate the update, since their weights are larger and there are more of them, and
# that Adam removes this, since it divides by the size that gradients have had lately. We measured both. Policies at
# four stages of ten training runs played 240 episodes a run. The gradient of each single episode went through SGD and
# through Adam, in random order; the gradients stay the same whatever the weights. {{# saying}}

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "01-adam",
    "A ten times longer episode moves the weights some 45 times as far under SGD. Set its gradient to zero and train again with Adam: "
    "how much more do the *final* weights differ than for a short episode?",
    [
        "About as much: all of Adam's steps are alike",
        "About 4 times: it averages ten gradients",
        "About 45 times: as much as under SGD",
        "About 10 times: in proportion to the steps",
    ],
    answer=2,
    explanation="Adam: {{optimizers:whole_sum/adam/weights}} times, SGD: {{optimizers:whole_sum/sgd/weights}} times. {{No difference is seen | optimizers:whole_sum/adam/weights ~ optimizers:whole_sum/sgd/weights}}. "
    "Only the single step with Adam is nearly as large, {{optimizers:whole_sum/adam/step}} times.",
)

# %% [markdown]
# A number of the table is the *factor* by which the effect grows when the episode is **ten times** as long. *At once*: in the
# update in which it comes. *In the end*: how far the final weights shift when its gradient alone is set to zero.
#
# | loss | optimiser | at once | in the end |
# |---|---|---|---|
# | sum over steps, whole return (equation 1) | SGD | {{optimizers:whole_sum/sgd/step}} | {{optimizers:whole_sum/sgd/weights}} |
# | | Adam | {{optimizers:whole_sum/adam/step}} | {{optimizers:whole_sum/adam/weights}} |
# | mean over steps, reward-to-go, $\gamma = 0.99$ | SGD | {{optimizers:to_go_mean/sgd/step}} | {{optimizers:to_go_mean/sgd/weights}} |
# | | Adam | {{optimizers:to_go_mean/adam/step}} | {{optimizers:to_go_mean/adam/weights}} |
#
# - With equation (1) the factor under SGD is {{larger than 10 | optimizers:whole_sum/sgd/step > 10}}: the weights are ten times
#   as large, and ten times as many scores are summed, which partly cancel.
# - Adam makes the single steps {{less than twice as large | optimizers:whole_sum/adam/step < 2}}, but in the end the long
#   episode has moved the weights {{more than thirty times | optimizers:whole_sum/adam/weights > 30}} as far: its momentum
#   spreads a large gradient over many steps.
# - What does reduce the factor is the loss: with the mean over steps and discounted reward-to-go it is
#   {{smaller | optimizers:to_go_mean/adam/weights < optimizers:whole_sum/adam/weights}}, under Adam too. (Here each update is
#   one episode, so the mean divides by its own length. In a batch, all episodes are divided by the same $B$.)

# %% [markdown]
# #### Which part of Adam does what · further
#
# Two further optimisers take Adam apart. Its average of gradients keeps the share $\beta_1 = 0.9$ of the old average and adds
# a tenth of the new gradient. *Divides only* is Adam with $\beta_1 = 0$. *Averages only* is SGD with momentum 0.9 and dampening
# 0.9, which is the same average without the division.
#
# | loss | optimiser | at once | in the end |
# |---|---|---|---|
# | sum over steps, whole return (equation 1) | divides only | {{optimizers:whole_sum/adam_no_momentum/step}} | {{optimizers:whole_sum/adam_no_momentum/weights}} |
# | | averages only | {{optimizers:whole_sum/momentum/step}} | {{optimizers:whole_sum/momentum/weights}} |
# | sum over steps, reward-to-go, $\gamma = 0.99$ | SGD | {{optimizers:to_go_sum/sgd/step}} | {{optimizers:to_go_sum/sgd/weights}} |
# | | Adam | {{optimizers:to_go_sum/adam/step}} | {{optimizers:to_go_sum/adam/weights}} |
#
# - The division alone changes {{nothing that is seen | optimizers:whole_sum/adam_no_momentum/step ~
#   optimizers:whole_sum/sgd/step}} at once. The average alone makes the steps
#   {{less than twice as large | optimizers:whole_sum/momentum/step < 2}}: each holds a tenth of the newest gradient and nine
#   tenths of older ones. In the end {{no difference is seen | optimizers:whole_sum/adam/weights ~
#   optimizers:whole_sum/sgd/weights}} between Adam and SGD.
# - Discounted reward-to-go leaves {{less than the whole return | optimizers:to_go_sum/adam/weights <
#   optimizers:whole_sum/adam/weights}}. Two things change there at once: the past rewards are gone, and $\gamma$ is 0.99 and
#   no longer 1. The mean over steps leaves {{less than the sum | optimizers:to_go_mean/adam/weights <
#   optimizers:to_go_sum/adam/weights}}.
# - What Adam does cancel is a *constant* factor, such as 100 times every weight. {{# mathematics}}

# %% [markdown]
# ### 5.6 What must stay: fresh episodes
#
# One more way to write it keeps 16 environments busy: update as soon as *any* of them finishes an episode. Two things are
# then wrong. The other 15 are in the middle of an episode and go on with a new policy: when they finish, their early
# actions are those of an older policy, but `log_prob` is of the current one. And the first to finish are the *short*
# episodes, so bad episodes come first. The proof of section 2 covers neither. {{# mathematics}}

# %% [markdown]
# #### Stale episodes, measured · further
#
# | episodes come from | seeds that reach 475 | episodes until then | peak | last 100 episodes | seeds that end below 30 |
# |---|---|---|---|---|---|
# | four environments, each played to the end | {{reinforce:no_baseline/episodes_to_475/count}} of {{reinforce:no_baseline/episodes_to_475/count.n}} | {{reinforce:no_baseline/episodes_to_475}} | {{reinforce:no_baseline/best_100}} | {{reinforce:no_baseline/last_100}} | {{reinforce:no_baseline/collapsed/count}} |
# | 16 environments, update when four have finished | {{reinforce:stale_four/episodes_to_475/count}} of {{reinforce:stale_four/episodes_to_475/count.n}} | {{reinforce:stale_four/episodes_to_475}} | {{reinforce:stale_four/best_100}} | {{reinforce:stale_four/last_100}} | {{reinforce:stale_four/collapsed/count}} |
# | 16 environments, update when any has finished | {{reinforce:stale/episodes_to_475/count}} of {{reinforce:stale/episodes_to_475/count.n}} | {{reinforce:stale/episodes_to_475}} | {{reinforce:stale/best_100}} | {{reinforce:stale/last_100}} | {{reinforce:stale/collapsed/count}} |
#
# At ten seeds {{no difference is seen | reinforce:stale/last_100 ~ reinforce:no_baseline/last_100,
# reinforce:stale_four/last_100 ~ reinforce:no_baseline/last_100}} in the last 100 episodes. A likely reason: with small
# steps, the policy that acted and the policy that is updated are nearly the same one. That does not make it right: the
# interval reaches far to the bad side, and the gradient is wrong by construction. Unit 04 shows how to use data of a
# slightly older policy: correct for the difference. {{# hypothesis}}

# %% jupyter={"source_hidden": true}
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
    caption="On-policy means that the log-probability is of the policy that acted. Bands: 95 % intervals of ten seeds.",
)

# %% [markdown]
# ## 6. The whole algorithm
#
# The package's update is folded below, to compare with yours (exercise 5); its lines about the critic belong to unit 02.
# `reinforce.train` repeats: collect complete episodes, update, record. Its measured settings are
# `reinforce.CARTPOLE_NAIVE` and `reinforce.CARTPOLE_NO_BASELINE`.
#
# <details><summary>Save the log-probabilities while acting, or compute them again?</summary>
#
# Section 4 saves them with their graph, after a forward pass of one row at each step. The package stores observations and
# actions, and computes all log-probabilities again in one pass at the update. While the weights are those that acted, both
# give the same gradient up to rounding. After a step of the optimiser the two differ. So a method that uses a batch again (PPO,
# unit 04) needs both: those of now with their graph, and the saved ones as plain numbers. {{# mathematics}}
#
# </details>

# %% jupyter={"source_hidden": true}
page.source(reinforce.update, folded="The package's update: write yours first")

# %% [markdown]
# ## 7. Watch it learn · further
#
# Train once, live, and keep copies of the policy on the way. Then draw this run on the band of the ten measured ones. It
# should look like one of them, not like their mean. {{# advice}}

# %% jupyter={"source_hidden": true}
# {{# description}}
result, policies = stages.train_with_stages(
    reinforce.train, replace(reinforce.CARTPOLE_NO_BASELINE, seed=7, num_episodes=300), at=(0, 100), by="episode"
)

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

# %% jupyter={"source_hidden": true}
# {{# description}}

watch(
    policies,
    "CartPole-v1",
    seed=1,
    caption="The same held-out start states for all, at true speed. Push them and see who recovers.",
)

# %% [markdown]
# ## 8. Your experiment: how far should the agent look ahead?
#
# With discount $\gamma$, a reward $k$ steps ahead counts $\gamma^k$: half after 1 step for $\gamma = 0.5$, half after 69 steps
# for $0.99$. A step of CartPole is a fiftieth of a second. **Change one thing** (the discount), and write down *in your own
# words* before you unfold the answer: what happened, and which weights does a step in the middle of an episode get with
# $\gamma = 0.5$?

# %%
gammas = (0.5, 0.99)
configs = {f"γ = {gamma}": replace(reinforce.CARTPOLE_NO_BASELINE, gamma=gamma, num_episodes=150) for gamma in gammas}
runs = run_seeds(configs, seeds=range(10), progress=False)

late = [[run.episodes["episodic_return"][-50:].mean() for run in group] for group in runs.values()]
for name, returns_of_seeds in zip(runs, late, strict=True):
    print(f"{name}, last 50 episodes of each seed: {' '.join(f'{number:.0f}' for number in sorted(returns_of_seeds))}")
low, high = bootstrap_interval(np.subtract(*late))
print(f"last 50 episodes, {' minus '.join(runs)}: 95 % interval of the difference [{low:.0f}, {high:.0f}]")

# %% jupyter={"source_hidden": true}
# {{# description}}
figure = plots.learning_curves(runs, window=20, title="One change: the discount")
page.figure(
    figure,
    alt="Learning curves of ten seeds for each discount: with 0.99 the return climbs, with 0.5 it climbs less.",
    caption="Ten seeds of each discount, 150 episodes.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# With γ = 0.5 the return stays lower: the printed interval of the difference leaves out 0, and about half of the seeds end
# below twice a random agent's 22. A reward-to-go with γ =
# 0.5 is close to 1 + 0.5 + 0.25 + … = 2 at every step except the last few before the fall. After standardising, nearly
# all steps carry the same small positive weight, and only the last three or four carry a large negative one. So the
# agent is told one thing: "what you did in the last fifteenth of a second was bad". The push that caused the fall often
# came earlier, where all weights are the same. With γ = 0.99 the whole fall is in view. {{# description}}
#
# γ = 1 has its price too: the weight is then the number of steps still to come, including those with which this action
# has nothing to do. Try `gammas = (0.99, 1.0)`.
#
# </details>
#
# ## 9. A patient
#
# Someone's REINFORCE does not learn. No error, no NaN, no warning; the settings are those of the repaired version. Here
# are its panels over ten seeds, beside the healthy version. What do you see, and what could cause it?

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, axes = plots.new_figure(columns=3, width=9.5, height=3.4)
panels = {"": "episodic return", "/losses/policy_grad_norm": "gradient norm", "/losses/entropy": "entropy [nats]"}
for ax, (metric, label) in zip(axes, panels.items(), strict=True):
    for name, who, colour in (("no_baseline", "healthy", "pg:sky"), ("patient", "patient", "#000000")):
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

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-patient",
    "Which of these explains all three panels?",
    [
        "A learning rate that is far too small, by a factor of a hundred",
        "A loss with the wrong sign, so that good actions are pushed down",
        "Weights `[B, 1]` that were multiplied with log-probabilities `[B]`",
        "Returns that were not discounted before they were standardised",
    ],
    answer=2,
    reasons=[
        "A small learning rate makes small steps, but the gradient norm is measured before the step and would be healthy.",
        "A wrong sign would move the policy, in the wrong direction: the return would fall, and the entropy with it.",
        "Broadcasting pairs every weight with every log-probability. Their mean is (mean weight) x (mean log-probability), "
        "and standardised weights have mean zero. So loss and gradient are zero up to rounding: nothing moves.",
        "Without discount the weights are other ones, and their gradient is certainly not zero.",
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
# `weight * log_prob` with equal shapes. The package's `reinforce_loss` refuses unequal ones. The cell below shows the
# arithmetic.
#
# </details>

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
log_prob, weight = torch.randn(1000), returns.normalize(torch.randn(1000))  # [B], [B]
print(f"paired by mistake: {-(weight[:, None] * log_prob).mean().item():+.7f}")
print(f"as meant:          {-(weight * log_prob).mean().item():+.7f}")
try:
    losses.reinforce_loss(log_prob, weight[:, None])
except ValueError as error:
    print("the package says: ", error)

# %% [markdown]
# ## 10. Common mistakes, and three questions · further
#
# Each was put into the repaired version and tried with two seeds of 240 episodes: enough to see what it looks like, and
# no measurement.
#
# | mistake | what you see |
# |---|---|
# | the minus sign of the loss is missing | the return falls to the lowest there is, far below the random agent's, and the entropy falls with it |
# | `[B, 1]` against `[B]` | nothing moves: gradient norm of rounding size, entropy constant |
# | `softmax` before `Categorical(logits=...)` | slow learning that stops early, entropy stuck around 0.6: two logits between 0 and 1 allow no probability above 0.73, so it cannot fall below 0.58 |
# | returns accumulated from the front (reward so far) | the return drifts *down*: what came late is praised, and what came late led to the fall |
# | returns computed over the concatenated batch, not episode by episode | it learns slowly: the next episode's rewards hide the fall at the end of this one |
# | `zero_grad` forgotten | the gradient norm grows from update to update; it learns, then swings, and the entropy falls early |
# | acting with `argmax` while training | the return falls to the lowest there is: no action is ever compared with another |
# | updating while other episodes are running | section 5.6 |
# | judging by the loss | it hovers around zero for good and bad agents |
# | judging by one seed | section 4: ten seeds, ten curves {{# description}} |

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-perfect-batch",
    "All four episodes of a batch last the full 500 steps. What are the standardised weights?",
    ["All zero", "High early, low late", "All equal to 1", "Not defined"],
    answer=1,
    reasons=[
        "The four returns are equal, but the reward-to-go falls from about 99 at the start to 1 at the last step.",
        "The code takes the time limit for an end, so late steps look bad. These weights depend on the step alone, so they push "
        "a perfect policy in no direction on average; their noise still moves it. Units 02 and 03 come back to it.",
        "Standardised weights have mean zero.",
        "They would be 0/0 if all weights were equal; within an episode they are not.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-past-rewards",
    "Why may the rewards before step t be left out of the weight of step t?",
    [
        "They are small beside the rewards that are still to come",
        "Given the past, the score of the next action has mean zero",
        "The discount has made them vanish by the time of step t",
        "The environment forgets them as soon as the state changes",
    ],
    answer=1,
    reasons=[
        "Late in an episode they are the larger part. They are left out because they add noise and nothing else.",
        "The past reward is a constant in front of a score, and the expected score is the gradient of 1.",
        "The discount reduces rewards in the future, and the argument holds for a discount of 1.",
        "The dynamics play no part in the argument: it is about the policy's own probabilities.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-stale",
    "Sixteen environments run side by side, and you update whenever one of them finishes. What is wrong?",
    [
        "Nothing is wrong as long as the optimiser is Adam",
        "Running episodes mix policies, and short ones come first",
        "Sixteen environments would need sixteen policies",
        "A batch of sixteen episodes at once is too large",
    ],
    answer=1,
    reasons=[
        "No optimiser can repair log-probabilities of a policy that did not act.",
        "The data are no longer of the policy that is updated, and bad episodes are counted early.",
        "One policy can act in all of them, as long as all of them finish before it changes.",
        "An update then often rests on a single episode: the batch is too small, if anything.",
    ],
)

# %% [markdown]
# ## 11. A question to end with

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "01-loss-value",
    "During training the policy loss rises from −0.02 to +0.01. What does that tell you?",
    ["The agent gets worse", "The agent gets better", "Nothing about the agent", "The step size is too large"],
    answer=2,
    reasons=[
        "The loss is no error. Its value depends on which weights happened to meet which log-probabilities.",
        "Only the gradient of this loss has a meaning.",
        "It is a device whose gradient is the estimate. With standardised weights its value hovers around zero. Look at the return.",
        "A step that is too large shows in the return and in the entropy, not in the sign of the loss.",
    ],
)

# %% [markdown]
# ## 12. What to remember
#
# 1. $\nabla J = \mathbb{E}\big[\sum_t G_t \nabla \log \pi(a_t \mid s_t)\big]$. No model of the environment is needed.
# 2. The score has mean zero. That is why past rewards, and soon any baseline, may be subtracted without bias.
# 3. The estimate is right on average and very noisy. Prove the first with a test that can fail, and measure the second.
# 4. The gradient is only about the policy that acted: complete, fresh episodes, then throw them away.
# 5. Steps of a quarter of the length alone led to {{fewer collapses | reinforce:naive_small_step/collapsed/count <
#    reinforce:naive/collapsed/count}}. Clipping hardly ever acted. Change one thing at a time, over seeds.
# 6. Adam's momentum spreads a large gradient over many steps, and its effect in the end remains.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/01_reinforce.ipynb) build returns, standardising,
# loss, network and update one after the other, and then train CartPole with *your* functions.
#
# **Where you stand** shows on the home page that `pgcourse lab` opens, and in `pgcourse progress` on the command line.

# %% [markdown]
# ## Further reading · further
#
# - R. J. Williams (1992), *Simple statistical gradient-following algorithms for connectionist reinforcement learning*,
#   Machine Learning 8. Sections 3 to 5: the name, the algorithm, the first baseline.
# - R. S. Sutton, D. McAllester, S. Singh and Y. Mansour (1999), *Policy gradient methods for reinforcement learning with
#   function approximation*, NeurIPS 12. Theorem 1 is equation (3).
# - R. S. Sutton and A. G. Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition, chapter 13. Sections 13.1
#   to 13.3 go with this lesson, the corridor is example 13.1.
# - P. Thomas (2014), *Bias in natural actor-critic algorithms*, ICML. Read the introduction: what dropping $\gamma^t$
#   does.
# - C. Nota and P. Thomas (2020), *Is the policy gradient a gradient?*, AAMAS. Six pages that answer no, with a
#   counterexample to look at.
# - D. P. Kingma and J. Ba (2015), *Adam: a method for stochastic optimization*, ICLR. Section 2.1: why rescaling all
#   gradients changes nothing.
# - R. Agarwal et al. (2021), *Deep reinforcement learning at the edge of the statistical precipice*, NeurIPS. Where the
#   interquartile mean and its interval come from.
