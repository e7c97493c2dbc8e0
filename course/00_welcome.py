# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 Welcome: acting and scoring
#
# A program that knows nothing presses two buttons at random. A few seconds and some two hundred attempts later it
# balances a pole. Nobody showed it how: all that it was told is one point for each step until the pole fell. Methods that
# learn in this way, by adjusting the probabilities of actions, are called **policy-gradient methods**. This course
# builds them from nothing up to PPO, and you write each of them yourself. {{# wording}}
#
# **Goal of this unit:** the words, and the first learning rule, worked out by hand.
#
# **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises. Every symbol of the course stands in [one table](../docs/symbols.md).

# %% jupyter={"source_hidden": true}
# Imports
import codecs
from dataclasses import replace

import gymnasium as gym
import numpy as np
import torch
from torch.distributions import Bernoulli, Categorical
from torch.nn.functional import one_hot

from pgcourse import evaluate, reinforce, returns
from pgcourse.checks import run
from pgcourse.doctor import examine
from pgcourse.show import page, questions
from pgcourse.show.figures.curves import COLOURS, band, new_figure
from pgcourse.show.live.agents import watch
from pgcourse.show.live.explainers.discount import DISCOUNT
from pgcourse.show.live.explainers.napkin import NAPKIN
from pgcourse.show.live.explainers.temperature import TEMPERATURE
from pgcourse.show.live.game import play
from pgcourse.show.live.stages import train_with_stages
from pgcourse.show.page.style import PALETTE

page.use_style()
torch.set_num_threads(1)  # the tensors here are tiny: several threads would mostly wait for each other

# %% [markdown]
# ## 1 Where this is going
#
# This cell trains an agent, here and now, and keeps a copy of it from early on. Below it are three agents from
# starts that none of them has seen: one that acts at random, the early copy and the trained agent. The method
# is called REINFORCE. It is the subject of unit 01.

# %%
config = replace(reinforce.CARTPOLE, num_episodes=200, seed=1)
result, stages = train_with_stages(reinforce.train, config, at=(0, 60), by="episode")

# %% jupyter={"source_hidden": true}
watch(
    stages,
    "CartPole-v1",
    caption="Watch the cart, not the pole: the trained agent corrects a little and often. Push it.",
)

# %%
trained = evaluate(result.policy, "CartPole-v1", num_episodes=100, seed=0)
print(f"the trained agent, 100 new starts: {trained.mean:.0f} steps on average, of 500 that are possible")

# %% [markdown]
# One run proves little. We picked a seed that learns quickly; others need longer, and some fall back on the way.
# {{# description}} How to tell a good method from a lucky seed is a question that comes back in every unit, and for the first
# time in section 6.

# %% [markdown]
# ## Before you begin
#
# **After this unit you will be able to**
#
# - describe one turn of the loop in Gymnasium's words, and tell *terminated* from *truncated*;
# - work out returns, values and advantages of a small world by hand;
# - treat a policy as a probability distribution: softmax, entropy;
# - derive the score function, make one learning step by hand, and say why learning works when every reward is positive;
# - read a learning curve with its interval band.
#
# **You need** Python, PyTorch enough to have trained one network, and the expected value of a random variable. No
# reinforcement learning.
#
# **How to use it**: run the cells in order with *Shift + Enter*; all together take less than half a minute. Change numbers
# and run them again: nothing here can break, and *Kernel, Restart Kernel* brings everything back. Figures with sliders
# answer as you move them, before you have run anything. Code that imports, draws or asks is folded: select its bar to read
# it. A heading that ends with *further* is folded too: open it when you want it. {{# computed}}
#
# ### Three questions
#
# Every unit opens with three questions on what it builds on. Answer from memory. Here they are
# about what you bring along.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-recall-1",
    "A random variable is 10 with probability 0.2 and 0 with probability 0.8. You average a million draws. What comes out?",
    [
        "about 0, the most frequent value",
        "about 2, the expected value",
        "about 5, the middle of both",
        "about 10, if one waits",
    ],
    answer=1,
    reasons=[
        "The mean does not look for the most frequent value; it weights each value with its probability.",
        "0.2 · 10 + 0.8 · 0 = 2. No single draw is 2, and still the average goes there.",
        "That would need both values to be equally likely.",
        "A mean over many draws approaches 2 and stays there.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-recall-2",
    "f depends on three weights. What is its gradient ∇f at a point?",
    [
        "the weights at which f is largest",
        "the vector of its three partial derivatives",
        "the length of the step to the maximum",
        "the change of f after one training step",
    ],
    answer=1,
    reasons=[
        "The gradient says how f changes nearby. Where the maximum lies, it does not say.",
        "One number for each weight: how fast f grows when this weight alone grows. It points where f grows fastest.",
        "The gradient gives a direction and a slope. How far to go is the learning rate's business.",
        "That change depends on the learning rate as well.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-recall-3",
    "`loss.backward()` is called twice on two batches, without `zero_grad()` in between. What is in `weight.grad`?",
    [
        "the gradient of the first batch",
        "the gradient of the second batch",
        "the sum of the two gradients",
        "the mean of the two gradients",
    ],
    answer=2,
    reasons=[
        "It was there after the first call; the second one added to it.",
        "PyTorch does not overwrite what is there.",
        "PyTorch adds to `.grad`. Whoever wants a fresh gradient empties it first, with `zero_grad()`.",
        "Nothing is divided by two.",
    ],
)

# %% [markdown]
# ## 2 The loop
#
# Everything in this course happens in one loop of two parties. The **agent** chooses. The **environment** answers.
#
# ```text
#                     action a_t
#      ┌───────┐ ───────────────────▶ ┌─────────────┐
#      │ agent │                      │ environment │
#      └───────┘ ◀─────────────────── └─────────────┘
#                 reward r_t, next observation s_{t+1},
#                 terminated? truncated?
# ```
#
# [Gymnasium](https://gymnasium.farama.org) is the Python library that fixed the words. Here they are, with what
# they mean in CartPole, our companion for the first half of the course:
#
# | word | meaning | in CartPole | in code |
# |---|---|---|---|
# | observation $s_t$ | what the agent sees at step $t$ | four numbers: cart position [m], its velocity [m/s], pole angle [rad], its angular velocity [rad/s] | `obs`, float32 `[4]` |
# | action $a_t$ | what the agent does | 0 pushes the cart left, 1 pushes it right | `action`, an integer |
# | reward $r_t$ | how good this step was, one number | 1 for every step, the last one included | `reward`, a float |
# | terminated | the world came to an end | the pole leans more than 12°, or the cart is more than 2.4 m from the middle | `terminated`, a bool |
# | truncated | somebody stopped the clock; the world could have gone on | 500 steps are over | `truncated`, a bool |
# | episode | one run of the loop, from a reset to one of the two ends | at most 500 steps, 10 seconds at true speed | |
#
# {{# design}}
#
# We write $r_t$ for the reward that *follows* action $a_t$ (Sutton and Barto write $R_{t+1}$), because that is the index it
# has in the code. And we write $s$, for *state*, since CartPole's observation holds all there is to know.
#
# In code, the loop is this long:

# %%
env = gym.make("CartPole-v1")
obs, info = env.reset(seed=0)  # obs: [4]
env.action_space.seed(0)
terminated = truncated = False
steps, total_reward = 0, 0.0
while not (terminated or truncated):
    action = env.action_space.sample()  # the agent: a coin
    obs, reward, terminated, truncated, info = env.step(action)
    steps, total_reward = steps + 1, total_reward + reward
print(f"{steps} steps, total reward {total_reward:.0f}, terminated {terminated}, truncated {truncated}")
print(f"at the end: position {obs[0]:+.2f} m, pole angle {obs[2]:+.3f} rad = {np.degrees(obs[2]):+.1f}°")

# %% [markdown]
# The pole is past 12°: *terminated*.
#
# Keep the two ends apart. After a termination no reward can follow. After a truncation rewards could have followed, and nobody
# watched. Both stop the loop, and yet they mean different things to an agent that asks "how good is the place where I
# am?". Many published programs mix them up. Unit 03 measures what that costs. {{# wording}}

# %% [markdown]
# ## 3 Play it yourself
#
# Before you ask a program to do it, try. Press *Start*, then the arrow keys, or the two buttons. The clock waits for your
# first key. The game begins slowly and reaches true speed, 50 steps a second, after 20 seconds; your score is the number of steps.

# %%
play("CartPole-v1")

# %% [markdown]
# Two buttons, and yet it is hard: the pole falls the faster the more it leans, and your hand is a little late.
# {{# design}} How good is an agent that does not even look?

# %% jupyter={"source_hidden": true}
# {{# computed}}
questions.predict(
    "00-random-agent",
    "You have seen one random episode. Of 1,000 such episodes, how long is the longest? The limit is 500 steps.",
    [
        "below 30 steps",
        "30 to 60 steps",
        "60 to 200 steps",
        "500, the limit",
    ],
    answer=2,
    explanation="Most episodes last between 10 and 40 steps. But now and then the coin happens to do what a good "
    "player would, and the pole stays up several times as long. One episode is no measurement.",
)

# %% jupyter={"source_hidden": true}
# {{# computed}}
random_agent = evaluate(None, "CartPole-v1", num_episodes=1000, seed=0)  # None acts at random

fig, ax = new_figure(height=3.2)
ax.hist(random_agent.lengths, bins=range(0, 131, 5), color=COLOURS["random"], edgecolor="white")
ax.axvline(random_agent.mean, color="black", linestyle="--")
ax.annotate(f"mean {random_agent.mean:.1f} steps", (random_agent.mean + 2, ax.get_ylim()[1] * 0.9))
print(f"1,000 random episodes: mean {random_agent.mean:.1f} steps, the longest {max(random_agent.lengths)}")
ax.set_xlabel("length of the episode [steps]")
ax.set_ylabel("number of episodes")
page.figure(
    fig,
    alt="Histogram of 1,000 episode lengths of the random agent: most lie between 10 and 40 steps, "
    "with a thin tail to the right.",
    caption="1,000 episodes of the random agent. Look at the spread: a single episode could have told "
    "you almost anything. The longest is still far from the limit of 500 steps.",
)

# %% [markdown]
# An agent that stays near this mean has learned nothing, whatever its loss curve says.

# %% [markdown]
# ## 4 Keeping score: return and discount
#
# A reward judges one step. A choice matters for longer than that, so we add up what follows it. {{# wording}} The
# **return** from step $t$ is
#
# $$G_t = r_t + \gamma\, r_{t+1} + \gamma^2 r_{t+2} + \dots = \sum_{k=0}^{T-1-t} \gamma^k\, r_{t+k},$$
#
# where $T$ is the number of steps of the episode and $\gamma$, the **discount**, is a number between 0 and 1. Take
# $\gamma$ out of everything after the first term, and what is left in the bracket is the return one step later:
# {{# mathematics}}
#
# $$G_t = r_t + \gamma\,\big(r_{t+1} + \gamma\, r_{t+2} + \dots\big) = r_t + \gamma\, G_{t+1}, \qquad G_T = 0.$$
#
# {{# mathematics}} So you compute returns *backwards*, from the end of the episode, with one multiplication and one addition a
# step. $G_T = 0$ counts a truncated episode as if nothing followed; unit 03 mends that.
#
# What is the discount for? Two readings of the same number:
#
# - **Impatience.** A reward $k$ steps away counts $\gamma^k$ times one now.
# - **A horizon.** A reward of 1 for ever has the return $1 + \gamma + \gamma^2 + \dots = 1/(1-\gamma)$. With $\gamma =
#   0.99$ that is 100: an agent looks about 100 steps ahead, 2 seconds of CartPole.
#
# Scores are reported without discount (CartPole's 500 is a sum of 500 ones); most methods *learn* from discounted returns.

# %% [markdown]
# ### A world that fits on a napkin
#
# Two decisions, then it is over. At the *start* you may go left and take a reward of 1. Or you pay a toll of 1 (a
# reward of −1) and go right, onto the *bridge*. On the bridge, left earns nothing and right earns 4.
#
# ```text
#    start ── left ───▶ end            reward  1
#      │
#      └──── right ──▶ bridge          reward −1
#                        ├── left ───▶ end    reward 0
#                        └── right ──▶ end    reward 4
# ```
#
# Let $\gamma = 0.9$. You watch one episode: right, then right again. The rewards are $(-1, 4)$. Backwards:
#
# - $G_1 = 4$
# - $G_0 = -1 + 0.9 \cdot 4 = 2.6$
#
# The package agrees:

# %% tags=["nbval-check-output"]
rewards = torch.tensor([-1.0, 4.0])  # [T], T = 2
print(returns.discounted_returns(rewards, gamma=0.9))

# %% [markdown]
# **Move it.** Three episodes, each with a total reward of 20. At $\gamma = 1$ they are worth the same at step 0. In what
# order does any other $\gamma$ put them? And what is "20 at the end" worth at 0.9? Answer before you move the slider.

# %% jupyter={"source_hidden": true}
DISCOUNT.show()

# %% [markdown]
# <details><summary>The order, and the worth at 0.9</summary>
#
# For every $\gamma$ between 0 and 1 the order is the same: a reward each second step, then all at the end, then the price
# first. The 20 come 39 steps later: $0.9^{39} \cdot 20 \approx 0.33$. {{# mathematics}}
# </details>
#
# ### V, Q and the advantage
#
# 2.6 is what happened *once*. What may you *expect*? That depends on how you go on choosing. A rule that gives the
# probability of each action in each state is a **policy**, written $\pi(a \mid s)$. Take the policy of a coin: left
# and right with probability ½ each, at the start and on the bridge. Then
#
# - **V**, the value of a state, is the expected return from there: $V^\pi(s) = \mathbb{E}[G_t \mid s_t = s]$.
# - **Q**, the value of an action in a state, is the expected return after that action:
#   $Q^\pi(s, a) = \mathbb{E}[G_t \mid s_t = s, a_t = a]$.
# - **A**, the **advantage**, is the difference: $A^\pi(s, a) = Q^\pi(s, a) - V^\pi(s)$. How much better is this
#   action than what you do here on average? {{# mathematics}}
#
# Take a pencil. Start at the end and work backwards; each line of the table uses the ones above it.
#
# | quantity | how | result |
# |---|---|---|
# | $V(\text{bridge})$ | $\tfrac12 \cdot 0 + \tfrac12 \cdot 4$ | 2 |
# | $Q(\text{start}, \text{left})$ | $1$ | 1 |
# | $Q(\text{start}, \text{right})$ | $-1 + 0.9 \cdot V(\text{bridge}) = -1 + 1.8$ | 0.8 |
# | $V(\text{start})$ | $\tfrac12\, Q(\text{start}, \text{left}) + \tfrac12\, Q(\text{start}, \text{right})$ | yours |
# | $A(\text{start}, \text{left})$ | $Q(\text{start}, \text{left}) - V(\text{start})$ | +0.1 |
# | $A(\text{start}, \text{right})$ | $Q(\text{start}, \text{right}) - V(\text{start})$ | yours |
#
# <details><summary>The two cells that are yours</summary>
#
# $V(\text{start}) = \tfrac12 \cdot 1 + \tfrac12 \cdot 0.8 = 0.9$ and $A(\text{start}, \text{right}) = 0.8 - 0.9 = -0.1$.
# </details>
#
# Look at the last line. The episode that you watched went right and returned 2.6, far above the 0.9 that is usual
# here. And still, going right is the *worse* choice for this policy. You saw a lucky coin on the bridge. **One
# return is a sample; an advantage is an average.** {{# mathematics}}
#
# The line $V(\text{start}) = \tfrac12 Q(\text{start}, \text{left}) + \tfrac12 Q(\text{start}, \text{right})$, with the
# reward and the discounted value of the next state put in for each $Q$, is **Bellman's equation**:
#
# $$V^\pi(s) = \mathbb{E}\big[\,r_t + \gamma\, V^\pi(s_{t+1}) \mid s_t = s\,\big].$$
#
# A second thing to keep: the advantages, weighted with the policy's probabilities, sum to zero, because $V$ *is* the
# weighted mean of $Q$: $\sum_a \pi(a \mid s)\, A(s, a) = \sum_a \pi(a \mid s)\, Q(s, a) - V(s) = 0$. Not every action
# can be better than average. {{# mathematics}}
#
# The aim of the whole course: change the policy so that the value of where you start,
# $J(\pi) = \mathbb{E}[G_0]$, becomes as large as it can. {{# wording}}
#
# Now let the machine check your pencil. It plays the world many times and averages:


# %%
def walk(num_episodes, *, right_at_start=0.5, right_on_bridge=0.5):
    """Play the world `num_episodes` times. Returns: went right at the start, bool [M]; rewards [M, 2]."""
    crossed = torch.rand(num_episodes) < right_at_start  # [M]
    lucky = torch.rand(num_episodes) < right_on_bridge  # [M]
    first = torch.where(crossed, -1.0, 1.0)
    second = torch.where(crossed & lucky, 4.0, 0.0)
    return crossed, torch.stack([first, second], dim=1)


torch.manual_seed(0)
crossed, rewards = walk(1_000_000)
G = returns.discounted_returns(rewards.T, gamma=0.9)[0]  # [M]; time is the first axis, and we want t = 0
V, Q_left, Q_right = G.mean(), G[~crossed].mean(), G[crossed].mean()
print(f"V(start) {V:.2f}   Q(start, left) {Q_left:.2f}   Q(start, right) {Q_right:.2f}")
print(f"A(start, left) {Q_left - V:+.2f}   A(start, right) {Q_right - V:+.2f}")

# %% [markdown]
# **Move it.** Change the probability of going right on the bridge, and the discount. Find the point where going
# right at the start becomes the better choice. {{# mathematics}}

# %% jupyter={"source_hidden": true}
NAPKIN.show()

# %% [markdown]
# <details><summary>Where is the point, and what does it teach?</summary>
#
# Right is better when $-1 + \gamma \cdot 4p > 1$, that is $p > 1/(2\gamma)$: with $\gamma = 0.9$ from about 0.56
# on. With $\gamma \le 0.5$ it never is: such an agent is too impatient for the bridge. {{# mathematics}}
#
# So $V$, $Q$ and $A$ are not properties of the world alone. They belong to a world *and a policy* (and a discount).
# When the agent improves on the bridge, the value of going there changes, and older estimates of it are wrong. This is one
# reason why the methods of this course learn from data of their *current* policy. {{# mathematics}}
# </details>

# %% [markdown]
# ## 5 A policy is a distribution
#
# Why let chance choose at all? For two reasons. An agent that never tries an action never learns what it is worth.
# And a rule such as "take the action with the highest number" jumps when the numbers cross: it has no slope that a
# gradient could follow. Probabilities move smoothly. {{# mathematics}}
#
# A network gives one real number for each action, the **logits** $\theta_1, \dots, \theta_n$. They become probabilities
# through the **softmax**, $\pi(a) = e^{\theta_a} / \sum_k e^{\theta_k}$. Exponentials make everything positive; the
# division makes the sum 1. Only differences of logits matter: add $c$ to all of them, and $e^c$ cancels. If the logits
# are first divided by a number, the **temperature** (1 unless somebody says otherwise), a large one makes the policy
# hotter (more even), a small one colder. {{# mathematics}}
#
# PyTorch has the object ready, and it works on a whole batch at once:

# %%
logits = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 4.0]])  # [B, A]: two states, three actions
policy = Categorical(logits=logits)
actions = torch.tensor([0, 2])  # [B]
print("probabilities [B, A]\n", policy.probs)
print("log-probability of actions 0 and 2, [B] ", policy.log_prob(actions))
print("entropy [B]                             ", policy.entropy())
print("one sample for each state, [B]          ", policy.sample())

# %% [markdown]
# **How undecided is it?** The **entropy** is the mean surprise $-\log \pi(a)$ of the agent's own choice, in *nats*
# (in this course, $\log$ is always the natural logarithm):
#
# $$H(\pi) = -\sum_a \pi(a) \log \pi(a)$$
#
# It is 0 for a policy that always does the same, and at most $\log n$ for $n$ actions, when all are equally likely.
# {{# mathematics}} An entropy above $\log n$ in your logs is therefore always a bug. For CartPole, $\log 2 \approx 0.69$.
#
# <details><summary>Why not above log n</summary>
#
# Write $\log n$ as $\sum_a \pi(a) \log n$, which is allowed because the probabilities sum to 1, and use $\log x \le x - 1$:
#
# $$H(\pi) - \log n = \sum_a \pi(a) \log \frac{1}{n\,\pi(a)} \le \sum_a \pi(a) \Big(\frac{1}{n\,\pi(a)} - 1\Big)
# = \sum_a \frac1n - \sum_a \pi(a) = 1 - 1 = 0,$$
#
# with equality only where $n\,\pi(a) = 1$ for every $a$. Where $\pi(a) = 0$ the term counts as 0; the sums then run over fewer
# actions, and the bound holds too. {{# mathematics}}
#
# </details>
#
# The policy that you watched above is this distribution with a small network in front of it, which turns the observation into
# logits. As it learns it becomes surer: the differences of its logits grow, and its entropy falls.

# %% [markdown]
# ### Temperature · further
#
# Cool the policy down, then heat it up.

# %% jupyter={"source_hidden": true}
TEMPERATURE.show()

# %% [markdown]
# Cold, the policy becomes the argmax, and its entropy goes to 0. Hot, it forgets its logits and goes to log 3. *Two
# rivals* need much more cold to decide than *one favourite* does: what counts is the difference of the logits,
# divided by the temperature. And *all equal* stays undecided at any temperature. A learning agent becomes sure in the same way:
# the differences of its logits grow. {{# mathematics}}

# %% [markdown]
# ### Two actions: a Bernoulli distribution · further
#
# With two logits, divide the numerator and the denominator of the softmax by $e^{\theta_1}$:
#
# $$\pi(1) = \frac{e^{\theta_1}}{e^{\theta_0} + e^{\theta_1}} = \frac{1}{1 + e^{-(\theta_1 - \theta_0)}}.$$
#
# That is the sigmoid of a single number, as in logistic regression: a `Bernoulli` distribution with the *difference* of the
# logits. CartPole's policy may be written either way, with two outputs or with one.

# %% tags=["nbval-check-output"]
two_logits = torch.tensor([0.3, -1.1])
as_categorical = Categorical(logits=two_logits).probs[1]
as_bernoulli = Bernoulli(logits=two_logits[1] - two_logits[0]).probs
print(f"Categorical {as_categorical:.6f}, Bernoulli {as_bernoulli:.6f}")

# %% [markdown]
# ## 6 The first learning rule: a three-armed bandit
#
# Strip the problem to its core: one state, one step an episode. A gambling machine has three arms. You pull one and
# get a reward. Then it starts again. Some arms pay better, and nobody says which. {{# design}}
#
# The return is the one reward, $G = r$. So $Q(a) = q_a$ is the mean reward of arm $a$, and
# $V = \sum_a \pi(a)\, q_a$. Every reward of our machine is **positive**:

# %%
ARM_MEANS = torch.tensor([1.0, 1.5, 2.0])  # [A], known to the machine, not to the agent


def pull(arms, *, shift=0.0):
    """Rewards of the pulled arms, same shape: the arm's mean, give or take up to 0.5, plus `shift`."""
    return ARM_MEANS[arms] + shift + torch.rand(arms.shape) - 0.5


# %% [markdown]
# ### The score function
#
# The agent has three logits $\theta = (\theta_0, \theta_1, \theta_2)$ and the policy
# $\pi_\theta = \mathrm{softmax}(\theta)$. It wants the mean reward to be large:
#
# $$J(\theta) = \sum_a \pi_\theta(a)\, q_a .$$
#
# *Gradient ascent* would do: $\theta \leftarrow \theta + \alpha \nabla J(\theta)$, with a learning rate $\alpha$. Here
# $\nabla J$ is the gradient, the vector of the partial derivatives $\partial J / \partial \theta_k$, one for each logit.
# But the agent does not know $q_a$. It can only pull and look. So we rewrite the gradient until nothing unknown is
# left in it, except what a pull reveals.
#
# $$
# \begin{aligned}
# \nabla J(\theta)
# &= \sum_a q_a\, \nabla \pi_\theta(a) && q_a \text{ does not depend on } \theta\\
# &= \sum_a \pi_\theta(a)\, q_a\, \frac{\nabla \pi_\theta(a)}{\pi_\theta(a)} && \text{multiply and divide by } \pi_\theta(a) > 0\\
# &= \sum_a \pi_\theta(a)\, q_a\, \nabla \log \pi_\theta(a) && \text{the chain rule for } \log\\
# &= \mathbb{E}_{a \sim \pi_\theta}\big[\, q_a\, \nabla \log \pi_\theta(a) \,\big] && \text{the definition of an expectation}\\
# &= \mathbb{E}\big[\, r\, \nabla \log \pi_\theta(a) \,\big] && \text{given } a\text{, the mean of } r \text{ is } q_a
# \end{aligned}
# $$
#
# The last line can be sampled: pull once, note $a$ and $r$, and $r\, \nabla \log \pi_\theta(a)$ is an estimate whose
# mean is the gradient. The vector $\nabla \log \pi_\theta(a)$ is
# called the **score function**. For a softmax it can be written down. With
# $\log \pi_\theta(a) = \theta_a - \log \sum_b e^{\theta_b}$,
#
# $$\frac{\partial \log \pi_\theta(a)}{\partial \theta_k} = \mathbf{1}[k = a] - \frac{e^{\theta_k}}{\sum_b e^{\theta_b}} = \mathbf{1}[k = a] - \pi_\theta(k).$$
#
# The **indicator** $\mathbf{1}[k = a]$ is 1 where $k = a$ and 0 elsewhere. In words: *one for the arm you pulled, minus the
# probabilities*. The entries sum to $1 - 1 = 0$: what the pulled arm gains, the others lose.
#
# **One step by hand.** All logits are 0, so each arm has probability ⅓. You pull arm 2 and get 1.8. The score is
# $(-\tfrac13, -\tfrac13, +\tfrac23)$. With $\alpha = 0.5$ the step is $0.5 \cdot 1.8 = 0.9$ times that: the new
# logits are $(-0.3, -0.3, +0.6)$. Autograd must find the same:

# %% tags=["nbval-check-output"]
logits = torch.zeros(3, requires_grad=True)
arm, reward, learning_rate = torch.tensor(2), 1.8, 0.5

by_hand = one_hot(arm, 3) - logits.softmax(dim=-1)  # the score, [A]
(by_autograd,) = torch.autograd.grad(Categorical(logits=logits).log_prob(arm), logits)
stepped = (logits + learning_rate * reward * by_hand).detach()
print("score by hand    ", [round(x, 4) for x in by_hand.tolist()])
print("score by autograd", [round(x, 4) for x in by_autograd.tolist()])
print("new logits       ", [round(x, 4) for x in stepped.tolist()])
print("new probabilities", [round(x, 3) for x in stepped.softmax(dim=-1).tolist()])

# %% [markdown]
# The arm that paid became more likely. But had you pulled arm 0, the worst one, and got its 1.0, *that* arm would have
# become more likely. All rewards are positive, so every pull raises the very arm that was pulled, good or bad.
# {{# mathematics}}

# %% jupyter={"source_hidden": true}
# {{# computed}}
questions.predict(
    "00-positive-rewards",
    "All rewards lie between 0.5 and 2.5, so each pull makes the pulled arm more likely. The learning rate is 0.05. Where are 20 "
    "such agents after 600 pulls?",
    [
        "Each settles on the arm it pulled first",
        "Nearly all have the best arm in front",
        "All stay at one third: pushes cancel",
        "A third of them settles on each arm",
    ],
    answer=1,
    explanation="With these rewards and this learning rate they nearly all find the best arm; section 7 changes the rewards. The "
    "curves below show it, and the text after them says why: a push up for one arm is a push down for the others, and the best "
    "arm pushes hardest.",
)

# %% [markdown]
# Here is the agent. It runs R times side by side, each run with logits of its own, so that we can see luck as well
# as learning:


# %%
def run_bandit(*, num_runs=20, num_pulls=600, learning_rate=0.05, shift=0.0, make_policy=None, seed=0):
    """Let R agents learn side by side. Returns: their probabilities after each of T pulls, [T, R, A]."""
    torch.manual_seed(seed)
    make_policy = make_policy or (lambda logits: Categorical(logits=logits))
    logits, history = torch.zeros(num_runs, 3), []  # [R, A]
    for _ in range(num_pulls):
        policy = make_policy(logits.requires_grad_())
        arms = policy.sample()  # [R]
        rewards = pull(arms, shift=shift)  # [R]
        # Each run has its own logits, so the gradient of the sum holds each run's own gradient.
        (gradient,) = torch.autograd.grad((rewards * policy.log_prob(arms)).sum(), logits)  # [R, A]
        logits = (logits + learning_rate * gradient).detach()
        history.append(make_policy(logits).probs)
    return torch.stack(history)


history = run_bandit()  # [T, R, A]


# %% jupyter={"source_hidden": true}
def draw_runs(ax, history, arm, *, label, colour, style="-"):
    """One arm's probability: a thin line for each run, one line with a band for all; each tenth pull is drawn."""
    pulls = range(1, len(history) + 1, 10)
    probability = history[::10, :, arm]  # [T / 10, R]
    ax.plot(pulls, probability, color=colour, linewidth=0.5, alpha=0.4)
    band(ax, pulls, probability.T, label=label, colour=colour, style=style)
    ax.set(xlabel="pulls", ylabel="probability of the arm", ylim=(-0.02, 1.02))


# %% jupyter={"source_hidden": true}
# {{# computed}}
fig, ax = new_figure()
for arm, style in enumerate([":", "--", "-"]):
    label = f"arm {arm}, mean reward {ARM_MEANS[arm]:.1f}"
    draw_runs(ax, history, arm, label=label, colour=PALETTE[arm], style=style)
ax.legend(loc="center right")
page.figure(
    fig,
    alt="Probability of each arm against the number of pulls. All start at one third. Arm 2 rises "
    "towards 1, arms 0 and 1 fall towards 0; arm 1 falls later. Thin lines of single runs scatter.",
    caption="20 runs. Thin: single runs. Thick, with a band: their interquartile mean and its 95 % "
    "interval. Arm 1, the second best, holds on longer than arm 0: it is below average as soon as "
    "arm 2 is more likely than arm 0, but always by 0.5 less than arm 0.",
)

# %% [markdown]
# > **How to read a band.** A thin line is one run: luck as much as method. The thick line is the *interquartile mean*:
# > sort the 20 values, drop the lowest and the highest quarter, average the middle half. One freak run cannot move it
# > far. The band is its *95 % bootstrap interval*: where might the thick line of endlessly many seeds lie? It does **not**
# > say where single runs lie. More seeds make the band thinner; they do not make the runs more alike. {{# mathematics}}
# >
# > Two bands that overlap do not say that there is no difference, nor do two that part say how large it is. So the course
# > decides every comparison by one rule, the interval of the *difference* ([unit
# > 07](07_trustworthy_experiments.ipynb)), over ten seeds or more. From unit 01 on, words with a dotted underline are such
# > comparisons; hover to see the interval. {{# wording}}

# %% [markdown]
# ### Why it learns all the same
#
# Look at the *expected* push on the logit of arm $k$, averaged over which arm is pulled:
#
# $$
# \mathbb{E}\big[\,r\,(\mathbf{1}[k = a] - \pi(k))\,\big]
# = \sum_a \pi(a)\, q_a\, \mathbf{1}[k = a] \;-\; \pi(k) \sum_a \pi(a)\, q_a = \;?
# $$
#
# **The last line is yours.** In the first sum the indicator leaves one term; the second sum is $V$. Write the expected push with
# $\pi(k)$, $q_k$ and $V$, and run the cell.

# %%
expected_push = lambda probability, q, value: ...  # put your line in place of the dots
questions.check_line("00-expected-push", expected_push)

# %% [markdown]
# <details><summary>The line, and what it says</summary>
#
# $\pi(k)\, q_k - \pi(k)\, V = \pi(k)\,(q_k - V) = \pi(k)\, A(k)$: the advantage, weighted with the arm's probability.
#
# </details>
#
# You did not have to subtract $V$: the score does, because its entries sum to zero. An arm rises when *it* is pulled, and sinks a
# little each time *another* arm is pulled and paid. {{# mathematics}}
#
# Check the formula against a million pulls of the undecided agent, for which $V = 1.5$:

# %%
policy = Categorical(logits=torch.zeros(3))
exact = policy.probs * (ARM_MEANS - (policy.probs * ARM_MEANS).sum())  # pi(k) A(k), [A]


def sampled_pushes(num_pulls, *, shift=0.0):
    """What each pull would add to each logit, per unit of learning rate: [M, A]."""
    arms = policy.sample((num_pulls,))  # [M]
    return pull(arms, shift=shift)[:, None] * (one_hot(arms, 3) - policy.probs)


torch.manual_seed(0)
pushes = sampled_pushes(1_000_000)
print("expected push, by the formula  ", [f"{x: .3f}" for x in exact])
print("mean of a million pushes       ", [f"{x: .3f}" for x in pushes.mean(dim=0)])
print("standard deviation of one push ", [f"{x: .3f}" for x in pushes.std(dim=0)])

# %% [markdown]
# The means agree. Now read the last line: the standard deviation of a single push is several times the size of the mean. A
# small learning rate lets the noise of many pushes average out. {{# computed}}

# %% [markdown]
# ## 7 Your experiment: ten more for everybody
#
# Suppose that the machine pays 10 more on *every* pull, whatever the arm. The best arm is still the best, by the
# same 0.5. Does the agent care? {{# question}}
#
# Write down what you expect, for the expected push and for the curve. Then run the two cells; the second, folded, draws.
# They change one thing, over 20 seeds. Then try other shifts.

# %%
# {{# computed}}
shifts = [0.0, 10.0]  # change me
learning_rate = 0.05  # or me

shifted = {}  # shift -> probabilities after each pull, [T, R, A]
for shift in shifts:
    shifted[shift] = run_bandit(shift=shift, learning_rate=learning_rate)
    push = sampled_pushes(1_000_000, shift=shift)[:, 2]
    found = (shifted[shift][-1].argmax(dim=-1) == 2).sum()
    print(f"shift {shift:+5.1f}   mean push on arm 2 {push.mean():+.3f}   standard deviation {push.std():.3f}")
    print(f"              runs that end with the best arm in front: {found} of 20")

# %% jupyter={"source_hidden": true}
# {{# computed}}
fig, ax = new_figure()
for number, (shift, probabilities) in enumerate(shifted.items()):
    style = ["-", "--", ":", "-."][number % 4]
    draw_runs(ax, probabilities, 2, label=f"every reward {shift:+g}", colour=PALETTE[number % 4], style=style)
ax.set_ylabel("probability of the best arm")
ax.legend(loc="center right")
page.figure(
    fig,
    alt="Probability of the best arm against pulls, without and with 10 added to every reward. "
    "Without, it rises to 1 in a narrow band. With, the runs part: some go to 1, others to 0, and "
    "the band is very wide.",
    caption="20 runs each. Look at the thin lines of the shifted agents: they do not dither, they "
    "commit, and often to the wrong arm.",
)

# %% [markdown]
# Explain in two or three sentences what you see: what stayed the same, what changed, and why the wrong arm can stay
# in front for so long.
#
# <details><summary>A model answer</summary>
#
# The *expected* push does not change: the shift adds $10 \cdot \mathbb{E}[\text{score}]$, and the score's mean is
# zero (its $k$-th entry averages to $\pi(k) - \pi(k)$). What changes is the *size of a single push*: it is now
# around 11.5 times the score rather than 1.5 times. The same learning rate takes steps that are several times as
# long, in directions that are mostly luck. A few lucky pulls of one arm raise it so far that the agent hardly ever
# tries another; and what is not pulled is not learned. Such an agent comes back very slowly, since the expected push
# $\pi(k)\, A(k)$ is tiny for an arm that is almost never pulled: the wrong arm can stay in front for tens of thousands of pulls.
# {{# computed}}
#
# So "it learns all the same" is a statement about the average step. Whether *your run* arrives depends on the noise. Another
# shift makes the noise smaller: with −1.5 the rewards are centred at the undecided agent's V. Set `shifts = [0.0, -1.5]` and
# `learning_rate = 0.5`, and compare the counts. Subtracting a number that does not depend on the action is called a
# **baseline**, and unit 02 is about it. {{# computed}}
# </details>

# %% [markdown]
# ## 8 A mini-patient · further
#
# Throughout the course you meet *patients*: programs with one silent bug. You see the symptom first, and you make a
# guess before you look at the code.
#
# **The history.** A colleague takes your bandit and writes the policy again. It runs without errors. The
# probability of the best arm rises at first. Then it levels off, in *every* run, at the same height. With more pulls it
# creeps a few thousandths higher, and a larger learning rate does not lift it either. {{# computed}}
# The code below is sealed with ROT13, the way newsgroups used to hide the end of a film.

# %%
# {{# computed}}
SEALED = "qrs cngvrag(ybtvgf): erghea Pngrtbevpny(ybtvgf=ybtvgf.fbsgznk(qvz=-1))"
unsealed = {"Categorical": Categorical}
exec(codecs.decode(SEALED, "rot13"), unsealed)  # defines patient(logits)

healthy = run_bandit(learning_rate=0.5, shift=-1.5)
ill = run_bandit(learning_rate=0.5, shift=-1.5, make_policy=unsealed["patient"])
entropy = Categorical(ill[-1]).entropy().mean()
print(f"the patient's best arm at the end: {ill[-1, :, 2].mean():.3f}, entropy {entropy:.3f} nats")

# %% jupyter={"source_hidden": true}
# {{# computed}}
fig, ax = new_figure()
draw_runs(ax, healthy, 2, label="healthy", colour=PALETTE[0])
draw_runs(ax, ill, 2, label="patient", colour=PALETTE[3], style="--")
ax.set_ylabel("probability of the best arm")
ax.legend(loc="center right")
page.figure(
    fig,
    alt="Probability of the best arm for the healthy agents, which reach 1, and for the patients, "
    "which all level off at the same height a little below 0.6.",
    caption="20 runs each, the same settings. The patient's band is thin: this is no bad luck.",
)

# %% [markdown]
# Answer before you unfold: is it noise, the learning rate, or the policy itself? And which quantity in a policy
# would have to be bounded to put a ceiling on a probability?
#
# <details><summary>A hint</summary>
#
# For the best arm to have probability near 1, its logit must lead by a lot. With leads of at most 1, what is the
# largest probability that softmax can give? Work out $e / (e + 2)$. {{# mathematics}}
# </details>
#
# <details><summary>The code and the answer</summary>
#
# ```python
# def patient(logits):
#     return Categorical(logits=logits.softmax(dim=-1))
# ```
#
# (`print(codecs.decode(SEALED, "rot13"))` shows that this is what ran.)
#
# **Softmax is applied twice.** The colleague's code applies a softmax to the logits, and `Categorical(logits=...)`
# applies another one. What arrives there are probabilities: numbers between 0 and 1. The best lead is $1 - 0 = 1$,
# so the largest probability for three arms is $e^1 / (e^1 + e^0 + e^0) = e/(e+2) \approx 0.576$. With two actions
# the ceiling is $e/(e+1) \approx 0.731$: a CartPole agent that presses the wrong button at least once in about four steps.
# {{# mathematics}}
#
# *The repair*: give `Categorical` either `logits=` (any real numbers) or `probs=` (numbers that sum to 1), and say
# which. *The signature*: an entropy that levels off at the same height in every run.
# </details>

# %% [markdown]
# ## 9 Common mistakes, and what you would see · further
#
# | mistake | symptom |
# |---|---|
# | `obs = env.reset()`, or `obs, reward, done, info = env.step(action)`, from tutorials older than Gymnasium | the observation is a tuple; `too many values to unpack` |
# | the loop runs `while not terminated` | CartPole never stops at 500 steps once the agent is good; returns above 500 |
# | a logits tensor given as `Categorical(logits)` | the first argument is `probs`: negative logits raise an error, positive ones are *silently* divided by their sum |
# | softmax before `logits=` | entropy and probabilities stop at a ceiling, as in the patient |
# | `logits.softmax(-1).log()` in place of `log_softmax` | fine on small logits; `-inf`, then `nan`, when the policy becomes sure |
# | the most probable action is taken while training | the data never show what the other actions would have earned; our bandit pulls its first arm for ever |
# | the sign of the loss: an optimiser *minimises*, and you want more reward | probabilities go to the worst arm, in every run |
# | softmax over the wrong axis of `[B, A]` | each row sums to something other than 1; results change with the batch size |
# | one run, one conclusion | the next seed says the opposite |
#
# {{# wording}}

# %% [markdown]
# ## 10 Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-quiz-truncated",
    "CartPole, step 500. The pole is upright and the cart in the middle. What does `step` return?",
    [
        "terminated = True, truncated = False",
        "terminated = False, truncated = True",
        "terminated = False, truncated = False",
        "terminated = True, truncated = True",
    ],
    answer=1,
    reasons=[
        "Terminated is for ends inside the world: the pole fell, or the cart left. Neither happened.",
        "The clock ran out while the world could go on. That is what truncated means.",
        "The loop has to stop somewhere: CartPole-v1 has a limit of 500 steps.",
        "The clock ran out, and nothing fell. Gymnasium has no flag for winning either.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-quiz-advantage",
    "In a world that you do not know, an episode took action a in state s and returned 2.6, while V(s) is 0.9. What do you know "
    "about A(s, a)?",
    [
        "It is 1.7: that is G − V.",
        "It is positive, as G is above V.",
        "Little: 1.7 is one sample of it.",
        "It is below 1.7: luck came on top.",
    ],
    answer=2,
    reasons=[
        "2.6 − 0.9 = 1.7 is a sample. The advantage is the average over all that can follow.",
        "The average over episodes decides, not one of them. In the napkin world the numbers were the same, 2.6 and 0.9, and the "
        "advantage was −0.1.",
        "An advantage is an expectation. G − V of one episode is right on average, and may be far off in a single case.",
        "The luck may have been good or bad. One episode does not say which.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "00-quiz-entropy",
    "A policy over four actions reports an entropy of 1.6 nats. log 4 is about 1.386. What do you conclude?",
    ["It is nearly uniform.", "It is nearly certain.", "It is too hot.", "It has a bug."],
    answer=3,
    reasons=[
        "Nearly uniform means a little below 1.386. Nothing lies above it.",
        "A sure policy has an entropy near 0.",
        "A high temperature brings the entropy near log n. It cannot carry it above.",
        "Entropy is at most log n. Suspects: an entropy of some other distribution, a base-2 logarithm, a sum over the batch.",
    ],
)

# %% [markdown]
# ## 11 How exercises, checks and progress work · further
#
# Each unit has a notebook of exercises. You fill in a function, and the cell below it calls `check`. The answer has
# three states: *not attempted*, *not yet* or *correct*. "Not yet" shows the smallest input that fails, what your
# function gave, and, where your numbers match a known slip, its name. {{# design}}
#
# Here is an attempt at this unit's `bandit_step` that looks reasonable: it raises the pulled arm and leaves the
# others alone. (`run` is `check` without an entry in your progress.)


# %% tags=["nbval-check-output"]
def bandit_step(logits, action, reward, *, learning_rate):
    new_logits = logits.clone()
    new_logits[action] += learning_rate * reward
    return new_logits


print(run("bandit_step", bandit_step).message)

# %% [markdown]
# In the exercise notebooks, and in any notebook of yours:
#
# - `check("bandit_step", bandit_step)` judges your function and notes the result.
# - `hint("bandit_step")` gives the next of three hints. Taking hints costs nothing.
# - `solution("bandit_step", show=True)` shows a solution when you want to see one. {{# wording}}
# - `pgcourse progress` on the command line shows where you stand.
#
# Your answers are kept in one file in the folder `.pgcourse` of your home folder. Nothing leaves your machine.
# Checks accept every correct style: loops, one-liners, library calls. What the numbers say counts.

# %% [markdown]
# ## 12 What to remember
#
# 1. The agent acts, the environment answers with a reward, an observation and two flags. *Terminated* ends the
#    world, *truncated* stops the clock.
# 2. $G_t = r_t + \gamma\, G_{t+1}$. V is its mean in a state, Q its mean after an action, A = Q − V. All three
#    belong to a policy.
# 3. A policy is a distribution. Softmax turns logits into probabilities, and its entropy lies between 0 and
#    $\log n$.
# 4. The first rule: $\theta \leftarrow \theta + \alpha\, r\, (\text{onehot}(a) - \pi)$. Its mean is $\alpha$
#    times the gradient of the expected reward: $\alpha\, \pi(k)\, A(k)$ for arm $k$.
# 5. The mean step is right; a single step is mostly noise. Look at many seeds, and at bands, before you believe a
#    curve. {{# computed}}

# %% [markdown]
# ## 13 Further reading · further
#
# - R. S. Sutton and A. G. Barto, *Reinforcement Learning: An Introduction*, 2nd edition (2018), free on the
#   authors' page. Read chapter 3 for the loop, returns and values, and section 2.8 for the gradient bandit; its
#   proof is the one you followed above.
# - R. J. Williams, *Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning*
#   (1992). Read sections 1 to 4: where REINFORCE got its name.
# - M. Towers and others, *Gymnasium: A Standard Interface for Reinforcement Learning Environments* (2024). Read the
#   part on termination and truncation.
# - R. Agarwal and others, *Deep Reinforcement Learning at the Edge of the Statistical Precipice* (2021). Read the
#   introduction: why a few seeds without an interval mislead.

# %% [markdown]
# ## 14 What comes next
#
# **Now the exercises**: [exercises/00_welcome.ipynb](../exercises/00_welcome.ipynb). You write the log-probability,
# the entropy and the bandit's step, which later units build on. Then comes [unit 01](01_reinforce.ipynb), where one
# step becomes an episode. {{# wording}}
#
# **Where you stand** shows on the home page that `pgcourse lab` opens, and in `pgcourse progress` on the command line.

# %% [markdown]
# ## One last thing: is your machine ready?
#
# The doctor looks over your installation. A line with ✓ is fine; a line with ✗ says what to do. The same report,
# with more detail, comes from `pgcourse doctor` on the command line. {{# wording}}

# %%
for finding in examine():
    print(f"✓ {finding.subject}" if finding.works else finding)
