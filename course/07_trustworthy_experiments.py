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
# # 07 Can you trust this curve?
#
# You can write the algorithms now, and you can find the bug when a curve is flat. This lesson is about the other
# case: the curve goes up, it is better than another one, and somebody wants to know whether that means anything. Two
# runs of the same code with two seeds can differ by more than two algorithms do. So the question is never what a run
# did. It is what the next run will do.
#
# **After this lesson you will be able to**
#
# 1. say what an interval band shows, and why a band of standard deviations shows something else;
# 2. derive the bootstrap, and measure how often its interval lies when there are few seeds;
# 3. plan a comparison: how many seeds, which number, which start states, decided before you look;
# 4. read what each setting of PPO does on our tasks, and test a rule of thumb yourself;
# 5. tune by a path instead of by luck, and say when policy gradients are the wrong tool.
#
# **You need** lessons [01](01_reinforce.ipynb) to [06](06_debugging_traps.ipynb), at least up to
# [04](04_ppo.ipynb). **Time:** about 100 minutes to read and play, without the closing project; all cells together run in
# about a minute on two cores.
#
# The numbers in the text come from `claims/comparison.json`, `claims/sensitivity.json` and the files of the lessons
# before: ten training runs of each version, measured with this package. *72 [65, 80]* reads: interquartile mean over
# the ten runs, and its 95 % bootstrap interval. Sections 2 and 3 say what these words mean.

# %%
import base64
import tempfile
import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from pgcourse import evaluate, ppo, statistics
from pgcourse.envs import make_envs
from pgcourse.networks import CategoricalPolicy
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.figures import methods as guide, sampling, seeds as effects
from pgcourse.show.figures.seeds import Panel, level_panels, verdict_figure
from pgcourse.show.live import sliders as widgets, stages
from pgcourse.show.page.progress_page import progress_page
from pgcourse.show.questions.calibration import calibration
from pgcourse.statistics import bootstrap_interval, interquartile_mean, probability_of_improvement
from pgcourse.study import comparison
from pgcourse.study.claims import load_claims, quote
from pgcourse.study.seeds import run_seeds

torch.set_num_threads(1)  # small networks run faster on one thread
compared, moved = load_claims("comparison"), load_claims("sensitivity")
print("Measured with", ", ".join(f"{name} {version}" for name, version in compared["versions"].items()))

# %% [markdown]
# ## Where this ends
#
# The final comparison: the five agents of this course, 1,000 episodes each, ten seeds each, none stopped early.

# %%
AGENTS = ("reinforce_no_baseline", "reinforce", "a2c", "ppo", "ppo_buggy")
figure = plots.claimed_curves("comparison", AGENTS, threshold=475, title="CartPole-v1, 1,000 episodes")
page.figure(
    figure,
    alt="Learning curves of five agents over 1,000 episodes. Both REINFORCE agents and PPO reach 500 first, A2C later; PPO with "
    "three traps climbs slowly and ends lower, in a wide band.",
    caption="Before you read on: which of the five would you use, and what else would you want to see before you decide? "
    "Section 4 comes back to this figure.",
)

# %% [markdown]
# ## 1. A run is one draw
#
# A seed fixes the initial weights, the start states and every sampled action. Change it, and you get another run. So
# the result of a run, say its mean return in the end, is a **random variable** $X$ with a distribution $F$ that
# belongs to the method. One seed is one draw from it. What you want to say something about is $F$.
#
# Nobody has the whole of $F$, but we can get closer than usual. Here are two versions of PPO that differ in one
# number: hidden layers of 32 or of 64. Each was trained with 40 seeds for 40,960 steps, somewhat less than they need.
# The result of a run is the mean return of its last 50 episodes. In this lesson the 40 runs stand for $F$: we draw
# small experiments from them and look at what they would have told us.

# %%
POOLS = {"layers of 32": moved["pool"]["pool_32"], "layers of 64": moved["pool"]["pool_64"]}
lower, higher = sorted(POOLS.values(), key=np.mean)
for label, pool in POOLS.items():
    low, high = bootstrap_interval(pool)
    print(
        f"{label}: interquartile mean {interquartile_mean(pool):.0f} [{low:.0f}, {high:.0f}], "
        f"standard deviation {np.std(pool, ddof=1):.0f}, from {min(pool):.0f} to {max(pool):.0f}, {len(pool)} runs"
    )

# %% jupyter={"source_hidden": true}
upset = probability_of_improvement(lower, higher)
questions.predict(
    "07-one-seed",
    "One of the two has the higher mean over its 40 seeds. You train each version once, with one seed. How often does the other one win?",
    [
        "Hardly ever: in less than 5 % of the cases",
        "In 5 to 20 %",
        "In 20 to 35 %",
        "In more than 35 %: not far from a coin",
    ],
    answer=int(np.searchsorted([0.05, 0.2, 0.35], upset)),
    explanation=f"Of all 1,600 pairs of one run each, the one with the lower mean wins {100 * upset:.0f} %. The difference between the two "
    f"means is {np.mean(higher) - np.mean(lower):.0f}, and the standard deviation between the seeds of one version is "
    f"{np.std(lower, ddof=1):.0f} or {np.std(higher, ddof=1):.0f}.",
)

# %% [markdown]
# The number behind the answer is the **probability of improvement**: if you train once with X and once with Y, how often
# does X win? It is estimated by all pairs of one run each:
#
# $$
# P(X > Y) + \tfrac12 P(X = Y) \;\approx\; \frac{1}{R S} \sum_{i=1}^{R} \sum_{j=1}^{S} \Big( \mathbb 1[x_i > y_j] + \tfrac12 \mathbb 1[x_i = y_j] \Big). \tag{1}
# $$
#
# Each term has the left side as its expectation, since $x_i$ and $y_j$ are one draw each. So the average has it too: the
# estimate is unbiased. But the $RS$ terms share their runs, so 100 pairs are not 100 independent facts. They are ten runs
# on either side, and the uncertainty is that of ten.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $R, S$ | number of runs, one for each seed | `len(x)` | numbers |
# | $x_i$ | result of run $i$: one number of a whole training | `compared["values"]["ppo/last_100"]["per_seed"]` | `[R]` |
# | $F$ | the distribution of results, over all seeds | here: a pool of 40 runs | `[40]` |
# | $\theta = T(F)$ | what we want to know of it: mean, interquartile mean, ... | `interquartile_mean` | a number |
# | $\hat\theta = T(\hat F)$ | the same of the runs we have | `interquartile_mean(x)` | a number |
# | $x^*$ | a resample: $R$ of our runs, drawn with replacement | `x[picks]` | `[R]` |
# | a learning curve | returns by episode, of every run | `returns_by_episode(runs)` | `[R, E]` |

# %%
for count in (1, 3, 5, 10, 20):
    share = sampling.wrong_order(lower, higher, count)
    print(f"{count:2} seeds each: the means come in the wrong order in {100 * share:4.1f} % of the experiments")

# %% [markdown]
# ## 2. What a band shows
#
# ### 2.1 Standard deviation is not uncertainty
#
# Two questions look alike and have different answers.
#
# - *How different are runs?* That is the standard deviation $\sigma$ of $F$. It is a property of the method. More seeds
#   measure it better, and do not make it smaller.
# - *How well do I know the mean?* Runs are independent, so variances add:
#
# $$
# \operatorname{Var}(\bar X) = \operatorname{Var}\Big( \frac1R \sum_{i=1}^R X_i \Big) = \frac{1}{R^2} \sum_{i=1}^R \operatorname{Var}(X_i) = \frac{\sigma^2}{R},
# \qquad \text{so} \qquad \operatorname{sd}(\bar X) = \frac{\sigma}{\sqrt R}. \tag{2}
# $$
#
# Four times the seeds halve it. A band of $\pm \sigma$ answers the first question, and most readers take it for the
# second. Draw experiments, and watch both:

# %%
widgets.explore(
    lambda seeds, experiment: sampling.experiment_figure(
        POOLS, seeds, experiment, x_label="mean return of the last 50 episodes"
    ),
    alt="Two rows, layers of 32 and of 64. In each: the runs of one experiment as grey dots; below them a grey line, mean and "
    "standard deviation; above them the interquartile mean as a large dot with its interval; the pool's value as a dashed line.",
    caption="Grey dots: the runs of your experiment. Grey line: mean ± standard deviation. Coloured: interquartile mean with its 95 % "
    "interval. Dashed: what the whole pool says. Move the experiment with 3 seeds, then with 20: which bar changes its length?",
    seeds=widgets.Slider(2, 40, 5, 1, label="seeds of each"),
    experiment=widgets.Slider(1, 30, 1, 1, label="experiment number"),
)

# %% [markdown]
# Two more things to see there. With 3 seeds the intervals can be apart
# *the wrong way round*. And
# two intervals may overlap although the difference is real: each holds the doubt about one mean, while the doubt about a
# difference is smaller than both together. If a difference is what you claim, compute the interval of the difference.
#
# ### 2.2 The interquartile mean
#
# A mean follows one broken run. A median ignores all runs but one or two. Between them stands the **interquartile
# mean**: leave out the lowest and the highest quarter, average the rest. With ten runs a quarter is 2.5 runs, so the
# third and the eighth count half:

# %%
page.source(statistics.interquartile_mean)

# %%
runs = np.array([488, 491, 493, 494, 495, 496, 497, 498, 499, 500.0])
broken = np.where(runs == 488, 9, runs)  # change me: one run in ten collapses
for name, x in (("ten runs", runs), ("one of them broken", broken)):
    print(
        f"{name:20} mean {x.mean():5.1f}   median {np.median(x):5.1f}   interquartile mean {interquartile_mean(x):5.1f}"
    )

# %% [markdown]
# That robustness is a choice, and it hides something. If one run in ten collapses, somebody who trains once wants to
# know. So a figure in this course comes with every seed as a dot, or with the worst run beside it. To see the whole
# distribution at once, draw the **performance profile**: for each level, the share of runs that are above it.

# %%
levels = np.linspace(min(map(min, POOLS.values())) - 5, max(map(max, POOLS.values())) + 5, 120)
figure, ax = plots.new_figure(height=3.4)
for (label, pool), colour in zip(POOLS.items(), ("#009E73", "#CC79A7"), strict=True):
    profile = lambda x, axis: statistics.performance_profile(x, levels)  # noqa: E731
    low, high = bootstrap_interval(pool, statistic=profile, num_resamples=500)
    ax.plot(levels, statistics.performance_profile(pool, levels), color=colour, label=label)
    ax.fill_between(levels, low, high, color=colour, alpha=0.2, linewidth=0)
ax.set(xlabel="mean return of the last 50 episodes", ylabel="share of the runs above it", ylim=(0, 1.02))
ax.legend()
page.figure(
    figure,
    alt="Two falling curves with bands: the share of runs above each return, for layers of 32 and of 64.",
    caption="Read it across: at a share of one half stand the medians. Read it up: pick the return that you need, and see how many runs "
    "have it. Bands: bootstrap over the 40 runs.",
)

# %% [markdown]
# ## 3. How far to trust it
#
# ### 3.1 The bootstrap, and where it lies
#
# How would $\hat\theta$ change if we had run other seeds? We cannot draw again from $F$. But we can draw from our
# best guess of it: $\hat F$, which gives each of the $R$ runs the probability $1/R$. Drawing $R$ runs from $\hat F$
# is drawing from our own runs with replacement. Do it many times, take $T$ of each resample $x^*$, and let the spread
# of $T(x^*)$ around $\hat\theta$ stand for the spread of $\hat\theta$ around $\theta$. That is the whole idea, and
# this is the whole code:

# %%
generator = np.random.default_rng(0)
x = np.array(compared["values"]["ppo_buggy/last_100"]["per_seed"])  # [R], ten runs
picks = generator.integers(len(x), size=(2000, len(x)))  # [K, R], with replacement
results = interquartile_mean(x[picks], axis=-1)  # [K]
print(
    f"by hand {np.quantile(results, [0.025, 0.975]).round(1)}, package {np.round(bootstrap_interval(x), 1)}, from {x.round(0)}"
)

# %% [markdown]
# Two things were bent. First, $\hat F$ is not $F$. How much narrower is it? For the mean there is a formula. Under
# $\hat F$ a single draw has variance $\frac1R \sum_i (x_i - \bar x)^2 = \frac{R-1}{R} s^2$, where $s^2$ is the unbiased
# estimate of $\sigma^2$. So, by (2),
#
# $$
# \operatorname{Var}^*(\bar x^*) = \frac{R-1}{R} \cdot \frac{s^2}{R} .
# $$
#
# The factor $(R-1)/R$ is $2/3$ for three seeds and $0.9$ for ten: the bootstrap's intervals are too narrow, and more
# so with few runs. Second, with few runs there are few resamples: drawing 3 from 3 gives ten different ones, so the
# ends of the interval are the runs themselves. A 95 % interval that is honest holds the true value in 95 of 100
# experiments. Count it:

# %%
SIZES = (2, 3, 5, 10, 20, 40)
covered = {label: [sampling.coverage(pool, size) for size in SIZES] for label, pool in POOLS.items()}
figure = sampling.sizes_figure(SIZES, covered, y_label="share of intervals that hold the truth", level=0.95)
page.figure(
    figure,
    alt="Share of 95 % intervals that contain the pool's interquartile mean, against the number of seeds: far below 0.95 for 2 and 3 "
    "seeds, close to it from 10 seeds on. A dotted line marks 0.95.",
    caption="A thousand experiments for each number of seeds, drawn from the pools. Dotted: what the interval promises. Below five seeds "
    "it does not keep it.",
)

# %% [markdown]
# ### 3.2 How many seeds?
#
# There is no number that fits all. It depends on how large a difference you want to see, beside the spread between
# seeds. From (2), the standard error of a difference of two means of $R$ runs each is $\sigma \sqrt{2/R}$; to see a
# difference $\Delta$ well you want it about three times as large, so $R \approx 18\, \sigma^2 / \Delta^2$. Half the
# difference takes four times the seeds. Here the pools are known. How often does an experiment find their difference,
# in the sense that the interval of the difference lies on the right side of 0? And how often does it "find" one where
# there is none, one pool against itself?

# %%
found = {
    "one pool against the other: found": [sampling.told_apart(lower, higher, size) for size in SIZES],
    "a pool against itself: false alarm": [2 * sampling.told_apart(lower, lower, size, seed=3) for size in SIZES],
}
figure = sampling.sizes_figure(SIZES, found, y_label="share of the experiments", level=0.05)
page.figure(
    figure,
    alt="Against the number of seeds: the share of experiments that find the difference, and the share of false alarms between equal "
    "methods, highest for 2 and 3 seeds and near 0.05 from 10 on.",
    caption="An experiment with two or three seeds is not a weak test. It is a test that cries wolf. (False alarms of either sign; dotted: "
    "the 5 % that a 95 % interval allows.)",
)
spread = np.std(np.concatenate([np.array(pool) - np.mean(pool) for pool in POOLS.values()]))
print(f"the rule of thumb for these two: {18 * spread**2 / (np.mean(higher) - np.mean(lower)) ** 2:,.0f} seeds of each")

# %% [markdown]
# ### 3.3 Your experiment: run it twice
#
# Do what most people do: three seeds of each version, one comparison. Then do it again with three other seeds. Write
# down *in your own words*, before you unfold the answer: what would you have concluded from the first experiment
# alone, what from the second, and what do you say now?

# %%
versions = {"layers of 32": replace(ppo.CARTPOLE, total_timesteps=40_960)}
versions["layers of 64"] = replace(versions["layers of 32"], hidden_sizes=(64, 64))
mine = run_seeds(versions, seeds=range(3), progress=False)  # change me: range(3, 6)

# %%
for label, group in mine.items():
    late = [run.episodes["episodic_return"][-50:].mean() for run in group]
    print(f"{label}: {np.round(late)}, mean {np.mean(late):.0f}, standard deviation {np.std(late, ddof=1):.0f}")
figure = plots.learning_curves(mine, x="env_step", window=50, title="three seeds of each")
page.figure(
    figure,
    alt="Learning curves of the two versions over 40,960 steps, three seeds each, with wide bands that overlap for most of the way.",
    caption="Three seeds have bands too. Section 3.1 says what such a band is worth.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# Whatever your six runs say, they are six draws from the two pools of section 1. With three seeds each the order of
# the means is wrong in a share of experiments that the cell below (1) printed, so two experiments that disagree are
# nothing special. The honest sentence after six runs is: "three seeds each; the difference is no larger than the
# spread between seeds; I do not know." After forty of each you can say what section 1 says: a mean with its interval,
# and how often one beats the other. Even that says nothing about the end of training, where both reach 500 (lesson
# 04), nor about another task.
#
# </details>
#
# ### 3.4 One episode is no verdict, and the best of many is worse
#
# So far one number stood for a run. It has to be measured too. Here is the trained agent of the middle run of "PPO
# with three traps", from 100 held-out start states:


# %%
def stored_policy(name):
    """The policy of the run in the middle of the ten, from the claims file."""
    stored = compared["policies"][name]["weights"]
    weights = {
        key: torch.from_numpy(np.frombuffer(base64.b64decode(w["float32"]), "<f4").reshape(w["shape"]).copy())
        for key, w in stored.items()
    }
    policy = CategoricalPolicy(4, 2, comparison.agents(1000)[name].hidden_sizes)
    policy.load_state_dict(weights)
    return policy


trapped = stored_policy("ppo_buggy")
scores = evaluate(trapped, "CartPole-v1", seed=0, num_episodes=100, deterministic=False)
print(f"100 episodes: mean {scores.mean:.0f}, standard error {scores.standard_error:.0f}")
print(
    f"single episodes: from {scores.returns.min():.0f} to {scores.returns.max():.0f}, standard deviation {scores.returns.std():.0f}"
)
for count in (1, 10, 50):
    print(
        f"best of {count:2} single episodes, on average: {sampling.draw(scores.returns, count, 2000, generator).max(axis=1).mean():.0f}"
    )

# %% [markdown]
# The last lines are the trap. Many scripts evaluate one episode every few updates and report the best score, or keep
# the "best" model by it. How far off is that? Let $Z_1, \dots, Z_K$ be scores with mean $\mu$ that are Gaussian with
# standard deviation $\sigma$. For any $t > 0$, since the exponential is convex and a maximum of positive numbers is
# at most their sum,
#
# $$
# e^{t\, \mathbb E[\max_k Z_k]} \;\le\; \mathbb E\big[ e^{t \max_k Z_k} \big] \;\le\; \sum_{k=1}^K \mathbb E\big[ e^{t Z_k} \big] \;=\; K e^{t \mu + t^2 \sigma^2 / 2}.
# $$
#
# Take logarithms, divide by $t$, and choose $t = \sqrt{2 \ln K} / \sigma$:
#
# $$
# \mathbb E[\max_k Z_k] \;\le\; \mu + \sigma \sqrt{2 \ln K}. \tag{3}
# $$
#
# The bound is nearly reached for large $K$. Fifty looks allow an optimism of almost three standard deviations, and
# the agent has not become better by being looked at. The same happens when you pick the best of many *settings*
# (section 7).
#
# **What to do instead.** Decide beforehand when you measure. Use many episodes, from start states that training never
# saw, one episode from each. Lesson 06 has the extreme case: PPO on Pendulum trained from one start state alone. In
# training it ends at {{traps:one_start_state/last_100}}, on held-out starts at {{traps:one_start_state/held_out}},
# and no diagnostic shows it.
#
# ### 3.5 Thresholds are conventions
#
# "Solved" is a number that somebody wrote down. The 195 that many texts still use belongs to CartPole-v0, whose
# episodes ended after 200 steps. CartPole-v1 runs for 500, and its threshold is 475. What the old number is worth
# there:
#
# | agent | episodes to a mean of 195 | to a mean of 475 | seeds that reach 475 |
# |---|---|---|---|
# | REINFORCE | {{comparison:reinforce_no_baseline/episodes_to_195}} | {{comparison:reinforce_no_baseline/episodes_to_475}} | {{comparison:reinforce_no_baseline/episodes_to_475/count}} |
# | REINFORCE with baseline | {{comparison:reinforce/episodes_to_195}} | {{comparison:reinforce/episodes_to_475}} | {{comparison:reinforce/episodes_to_475/count}} |
# | A2C | {{comparison:a2c/episodes_to_195}} | {{comparison:a2c/episodes_to_475}} | {{comparison:a2c/episodes_to_475/count}} |
# | PPO | {{comparison:ppo/episodes_to_195}} | {{comparison:ppo/episodes_to_475}} | {{comparison:ppo/episodes_to_475/count}} |
# | PPO with three traps | {{comparison:ppo_buggy/episodes_to_195}} | {{comparison:ppo_buggy/episodes_to_475}} | {{comparison:ppo_buggy/episodes_to_475/count}} |
#
# A run that never arrives has no number, and may not be left out: an average over the runs that made it gets better
# the more runs fail. Here *never* counts as infinitely late. Where it reaches the middle half of the runs, the figure
# itself is "never".

# %% [markdown]
# ## 4. The final comparison
#
# Now the figure of the beginning, with the questions of the last two sections in mind. All numbers in one table, made
# by the same code as `pgcourse compare --episodes 1000 --seeds 10 --out comparison`, which trains the five agents on
# your machine:


# %%
def numbers(name, value):
    """One number a seed; infinite where it never came."""
    per_seed = compared["values"][f"{name}/{value}"]["per_seed"]
    return np.array([np.inf if number is None else number for number in per_seed])


rows = []
for name in AGENTS:
    last, solved = numbers(name, "last_100"), numbers(name, "episodes_to_475")
    better = probability_of_improvement(last, rows[-1].last) if rows else np.nan
    rows.append(comparison.Row(name, last, numbers(name, "held_out"), solved, numbers(name, "steps"), better))
print(comparison.table_of(rows, plots.LABELS, 1000))

# %% [markdown]
# Read the columns one by one, because they disagree.
#
# - **The end.** Four of the five end near 500, and the ceiling hides what difference there may be. A2C and PPO are at
#   exactly 500 in every seed. The REINFORCE agents still stumble now and then, and on held-out starts one run with
#   baseline scores {{comparison:reinforce/held_out/worst}}, although no run of this agent had a mean below
#   {{comparison:reinforce/last_100/worst}} over its last 100 training episodes. Training return is measured on a
#   policy that keeps changing, this one on the last.
# - **The way.** By episodes REINFORCE with baseline is the first at 475, {{comparison:reinforce/episodes_to_475}};
#   PPO takes {{comparison:ppo/episodes_to_475}}, A2C {{comparison:a2c/episodes_to_475}}. If you came for "REINFORCE
#   is hopeless", this is not the place.
# - **The axis.** An episode of a beginner has about 20 steps, one of a good agent 500. So an agent that learns early
#   pays for its 1,000 episodes with more steps than one that learns late. The same runs by environment steps:

# %%
figure = plots.claimed_curves(
    "comparison",
    {f"{name}/by_step": plots.LABELS[name] for name in AGENTS},
    threshold=475,
    title="The same runs, by environment steps",
)
figure.axes[0].set_xlim(0, 200_000)
page.figure(
    figure,
    alt="The five agents by environment steps up to 200,000. PPO reaches 500 first, then the two REINFORCE agents, then A2C. PPO with three "
    "traps ends early, since its 1,000 episodes are short.",
    caption="Each curve ends where the first of its ten runs ends. By steps PPO is the first at 475, although "
    "REINFORCE is ahead for the first 40,000. And look at PPO with three traps: its 1,000 episodes were over after half of A2C's steps, and fewer "
    "than half of the others'. Much of its flat curve was the budget (lesson 06).",
)

# %%
for count, of in (("episodes_to_475", "episodes"), ("steps_to_475", "environment steps")):
    print(f"chance that a run of the row reaches 475 in fewer {of} than one of the column")
    for first in AGENTS:
        chances = [probability_of_improvement(-numbers(first, count), -numbers(second, count)) for second in AGENTS]
        print(f"  {plots.LABELS[first]:28}" + "".join(f"{chance:6.2f}" for chance in chances))

# %% [markdown]
# What such a table may be used for: these agents, with these settings, on this task. Each preset was tuned on
# CartPole, none of them equally long, and nothing here says how the order looks on a task with pictures, or with a
# thousand times the steps.
#
# The agents at work: of each the run in the middle of its ten, neither the lucky nor the unlucky one, from one
# held-out start.

# %%
with tempfile.TemporaryDirectory() as folder:
    remarks = {
        AGENTS[:3]: " All three hold the pole; they differ in how much they wander.",
        AGENTS[
            3:
        ]: " With the traps the pole stands well too. It is the track that ends: balancing is learned, coming back to the middle is not.",
    }
    titles = dict(zip(AGENTS, ("no baseline", "with baseline", "A2C", "PPO", "PPO with traps"), strict=True))
    for group in remarks:
        path = stages.stages_gif(
            {titles[name]: stored_policy(name) for name in group},
            "CartPole-v1",
            f"{folder}/{group[0]}.gif",
            seed=3,
            max_steps=300,
        )
        page.gif(
            path,
            alt="CartPoles side by side: " + ", ".join(plots.LABELS[name] for name in group) + ".",
            caption="300 steps, 6 seconds, at true speed." + remarks[group],
        )

# %% [markdown]
# ## 5. What each setting does
#
# One setting moved, everything else as in the preset, ten seeds a level, 100,000 steps. The number is the mean return
# over the last fifth of these steps: by then the preset has arrived at 500.

# %% jupyter={"source_hidden": true}
questions.predict(
    "07-learning-rate",
    "The policy's learning rate is divided by ten, and multiplied by ten. CartPole, 100,000 steps. Which does more harm?",
    [
        "Multiplied by ten: the policy falls apart. A small rate is the safe side",
        "Divided by ten: it does not get anywhere within the budget",
        "Both are about equally bad",
        "Neither matters: Adam and the clip take care of it",
    ],
    answer=1,
    explanation=f"Divided by ten, the late return is {quote('sensitivity:lr_tenth/late')}; multiplied by ten it is "
    f"{quote('sensitivity:lr_tenfold/late')}, and the preset has {quote('ppo:cartpole/late')}. "
    + "The clip bounds what one update can do wrong, and Adam's steps are bounded by the rate. Nothing makes up for steps that are too short.",
)

# %% jupyter={"source_hidden": true}
PRESET = "ppo:cartpole/late"
page.figure(
    level_panels(
        [
            Panel(
                "policy_lr",
                {
                    "1.5e-4": "sensitivity:lr_tenth/late",
                    "5e-4": "sensitivity:lr_third/late",
                    "1.5e-3": PRESET,
                    "4.5e-3": "sensitivity:lr_triple/late",
                    "1.5e-2": "sensitivity:lr_tenfold/late",
                },
                "1.5e-3",
            ),
            Panel(
                "clip_coef",
                {
                    "0.05": "sensitivity:clip_005/late",
                    "0.1": "sensitivity:clip_01/late",
                    "0.2": PRESET,
                    "0.5": "ppo:wide_clip/late",
                    "none": "ppo:no_clip/late",
                },
                "0.2",
            ),
            Panel(
                "rows in a rollout",
                {
                    "256": "sensitivity:batch_256/late",
                    "1,024": PRESET,
                    "4,096": "sensitivity:batch_4096/late",
                    "8,192": "sensitivity:batch_8192/late",
                },
                "1,024",
            ),
            Panel(
                "ent_coef",
                {"0": PRESET, "0.01": "sensitivity:entropy_001/late", "0.1": "sensitivity:entropy_01/late"},
                "0",
            ),
            Panel(
                "gae_lambda",
                {"0": "sensitivity:lambda_0/late", "0.95": PRESET, "1": "sensitivity:lambda_1/late"},
                "0.95",
            ),
            Panel(
                "reward_scale",
                {"0.01": "sensitivity:reward_001/late", "1": PRESET, "100": "sensitivity:reward_100/late"},
                "1",
            ),
        ],
        y_label="late return",
        title="PPO on CartPole: settings",
    ),
    alt="Six panels: learning rate, clip, rollout size, entropy coefficient, lambda, reward scale. In each, ten dots a level with the "
    "interquartile mean and its interval; the preset's interval runs through as a band.",
    caption="A dot is a seed, the full circle is the preset, the band its interval. Look for cliffs, not for wiggles: most levels end at the ceiling, "
    "and a few settings have a side on which much is lost.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    level_panels(
        [
            Panel(
                "layers of both networks",
                {
                    "8": "sensitivity:network_8/late",
                    "32": PRESET,
                    "64": "ppo:wide_network/late",
                    "128": "sensitivity:network_128/late",
                },
                "32",
            ),
            Panel(
                "layers of the critic alone",
                {"8": "sensitivity:critic_8/late", "32": PRESET, "128": "sensitivity:critic_128/late"},
                "32",
            ),
            Panel("activation", {"tanh": PRESET, "ReLU": "sensitivity:relu/late"}, "tanh"),
            Panel(
                "trunk",
                {
                    "separate": PRESET,
                    "shared,\n0.5 × value": "sensitivity:shared/late",
                    "shared,\n0.001 × value": "sensitivity:shared_light/late",
                },
                "separate",
            ),
            Panel(
                "initial weights",
                {
                    "orthogonal": PRESET,
                    "torch's own": "ppo:default_init/late",
                    "large last\nlayer": "ppo:large_last_layer/late",
                },
                "orthogonal",
            ),
            Panel(
                "normalised advantages",
                {"minibatch": PRESET, "batch": "ppo:normalize_batch/late", "never": "ppo:normalize_never/late"},
                "minibatch",
            ),
        ],
        y_label="late return",
        title="PPO on CartPole: networks, and what is fed to the loss",
    ),
    alt="Six panels: size of both networks, size of the critic, activation, shared trunk, initial weights, normalisation, drawn alike.",
    caption="The same for networks, and for what is fed to them. Levels fall where the critic is too small, or where it takes the trunk over.",
)

# %% [markdown]
# The late return has a ceiling at 500, so levels that arrive early look alike. How long each takes to a mean of 475:
#
# | setting | level | steps to 475 | seeds that get there | KL of an update [0.001 nat] |
# |---|---|---|---|---|
# | the preset | | {{ppo:cartpole/steps_to_475}} | {{ppo:cartpole/steps_to_475/count}} | {{ppo:cartpole/kl}} |
# | `policy_lr` | 1.5e-4 | {{sensitivity:lr_tenth/steps_to_475}} | {{sensitivity:lr_tenth/steps_to_475/count}} | {{sensitivity:lr_tenth/kl}} |
# | | 5e-4 | {{sensitivity:lr_third/steps_to_475}} | {{sensitivity:lr_third/steps_to_475/count}} | {{sensitivity:lr_third/kl}} |
# | | 4.5e-3 | {{sensitivity:lr_triple/steps_to_475}} | {{sensitivity:lr_triple/steps_to_475/count}} | {{sensitivity:lr_triple/kl}} |
# | | 1.5e-2 | {{sensitivity:lr_tenfold/steps_to_475}} | {{sensitivity:lr_tenfold/steps_to_475/count}} | {{sensitivity:lr_tenfold/kl}} |
# | `clip_coef` | 0.05 | {{sensitivity:clip_005/steps_to_475}} | {{sensitivity:clip_005/steps_to_475/count}} | {{sensitivity:clip_005/kl}} |
# | | 0.1 | {{sensitivity:clip_01/steps_to_475}} | {{sensitivity:clip_01/steps_to_475/count}} | {{sensitivity:clip_01/kl}} |
# | | 0.5 | {{ppo:wide_clip/steps_to_475}} | {{ppo:wide_clip/steps_to_475/count}} | {{ppo:wide_clip/kl}} |
# | rows in a rollout | 256 | {{sensitivity:batch_256/steps_to_475}} | {{sensitivity:batch_256/steps_to_475/count}} | {{sensitivity:batch_256/kl}} |
# | | 4,096 | {{sensitivity:batch_4096/steps_to_475}} | {{sensitivity:batch_4096/steps_to_475/count}} | {{sensitivity:batch_4096/kl}} |
# | | 8,192 | {{sensitivity:batch_8192/steps_to_475}} | {{sensitivity:batch_8192/steps_to_475/count}} | {{sensitivity:batch_8192/kl}} |
# | `ent_coef` | 0.01 | {{sensitivity:entropy_001/steps_to_475}} | {{sensitivity:entropy_001/steps_to_475/count}} | {{sensitivity:entropy_001/kl}} |
# | | 0.1 | {{sensitivity:entropy_01/steps_to_475}} | {{sensitivity:entropy_01/steps_to_475/count}} | {{sensitivity:entropy_01/kl}} |
# | `gae_lambda` | 0 | {{sensitivity:lambda_0/steps_to_475}} | {{sensitivity:lambda_0/steps_to_475/count}} | {{sensitivity:lambda_0/kl}} |
# | | 1 | {{sensitivity:lambda_1/steps_to_475}} | {{sensitivity:lambda_1/steps_to_475/count}} | {{sensitivity:lambda_1/kl}} |
# | `reward_scale` | 0.01 | {{sensitivity:reward_001/steps_to_475}} | {{sensitivity:reward_001/steps_to_475/count}} | {{sensitivity:reward_001/kl}} |
# | | 100 | {{sensitivity:reward_100/steps_to_475}} | {{sensitivity:reward_100/steps_to_475/count}} | {{sensitivity:reward_100/kl}} |
# | layers | 8 | {{sensitivity:network_8/steps_to_475}} | {{sensitivity:network_8/steps_to_475/count}} | {{sensitivity:network_8/kl}} |
# | | 64 | {{ppo:wide_network/steps_to_475}} | {{ppo:wide_network/steps_to_475/count}} | {{ppo:wide_network/kl}} |
# | | 128 | {{sensitivity:network_128/steps_to_475}} | {{sensitivity:network_128/steps_to_475/count}} | {{sensitivity:network_128/kl}} |
# | critic's layers | 8 | {{sensitivity:critic_8/steps_to_475}} | {{sensitivity:critic_8/steps_to_475/count}} | {{sensitivity:critic_8/kl}} |
# | | 128 | {{sensitivity:critic_128/steps_to_475}} | {{sensitivity:critic_128/steps_to_475/count}} | {{sensitivity:critic_128/kl}} |
# | activation | ReLU | {{sensitivity:relu/steps_to_475}} | {{sensitivity:relu/steps_to_475/count}} | {{sensitivity:relu/kl}} |
# | shared trunk | 0.5 × value loss | {{sensitivity:shared/steps_to_475}} | {{sensitivity:shared/steps_to_475/count}} | {{sensitivity:shared/kl}} |
# | | 0.001 × value loss | {{sensitivity:shared_light/steps_to_475}} | {{sensitivity:shared_light/steps_to_475/count}} | {{sensitivity:shared_light/kl}} |
#
# Read the cliffs first.
#
# - **Learning rate.** The cliff is on the low side: {{sensitivity:lr_tenth/steps_to_475/count}} of 10 seeds arrive
#   with a tenth of the rate. Ten times the rate moves the policy {{sensitivity:lr_tenfold/kl.value}} thousandths of a
#   nat an update, against {{ppo:cartpole/kl.value}}: the clip holds it back.
# - **Rollout.** The same data make fewer updates. Steps to 475 with 256 rows:
#   {{sensitivity:batch_256/steps_to_475}}, with 4,096: {{sensitivity:batch_4096/steps_to_475}}; with 8,192
#   {{sensitivity:batch_8192/steps_to_475/count}} of 10 seeds arrive within the budget.
# - **Lambda.** With $\lambda = 0$ the policy believes a critic that has only begun to learn:
#   {{sensitivity:lambda_0/late}}, and the seeds lie far apart. With $\lambda = 1$ it arrives, later.
# - **Entropy bonus.** 0.1 ends at {{sensitivity:entropy_01/late}} in training. Its most probable action scores
#   {{sensitivity:entropy_01/held_out}}. The policy is good, and is paid for rolling dice on top.
# - **Reward scale.** Advantages are normalised, so the policy does not notice. The critic does: with rewards of 100
#   its targets are near 10,000, and its steps are as long as ever. {{sensitivity:reward_100/late}}, against
#   {{sensitivity:reward_001/late}} with rewards of 0.01.
# - **Critic.** A critic with layers of 8 holds back a policy with layers of 32: {{sensitivity:critic_8/late}}, and
#   {{sensitivity:critic_8/steps_to_475/count}} of 10 seeds reach 475. With both at 8 it is
#   {{sensitivity:network_8/late}}, and {{sensitivity:network_8/steps_to_475/count}} of 10.
# - **Shared trunk.** With the usual weight of 0.5 on the value loss: {{sensitivity:shared/late}}. With 0.001:
#   {{sensitivity:shared_light/late}}. The value loss has errors of tens of points, squared; unscaled, the trunk is
#   the critic's.
# - **Activation, initial weights, normalisation** move the speed a little, if at all. The most is torch's own initial
#   weights: {{ppo:default_init/steps_to_475}} steps.
#
# And on Pendulum, where actions are continuous and both rates of the preset fall to 0 over the run:

# %% jupyter={"source_hidden": true}
page.figure(
    effects.claimed_effects(
        "pendulum",
        {
            "pendulum": "as it is: clip 0.2, rate 3e-3",
            "learning_rates": "rates 1.5e-3 and 1e-2 (CartPole's)",
            "constant_lr": "rates constant",
            "reward_scale": "reward not scaled (× 1)",
            "gae_lambda": "lambda 0.95",
        },
        reference="pendulum",
        threshold=-200,
        title="Pendulum: what lesson 05 measured",
    ),
    alt="Five rows of held-out returns on Pendulum; all intervals lie between -200 and -165.",
    caption="Held-out return, 100,000 steps, ten seeds a row. None of these makes a difference that the end shows.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    effects.claimed_effects(
        "sensitivity",
        {
            "pendulum_lr_tenth": "policy rate 3e-4",
            "pendulum_lr_tenfold": "policy rate 3e-2",
            "pendulum_clip_05": "clip 0.5",
            "pendulum_never": "advantages never normalised",
        },
        threshold=-200,
        title="Pendulum: more levels",
    ),
    alt="Four rows of held-out returns on Pendulum: policy rate a tenth, ten times, clip 0.5, advantages never normalised.",
    caption="Dotted: -200, which counts as solved here. "
    + "A tenth of the rate has not learned to swing up within the budget. With ten times the rate "
    "{{sensitivity:pendulum_lr_tenfold/solved/count}} of 10 seeds solve the task, and the others lie far out.",
)

# %% [markdown]
# ## 6. Rules of thumb, put to the test
#
# Sentences that you will hear, read in forum answers, or be told by a colleague. Each was measured on what this
# course has. The verdict is one of three: **holds**, **fails**, **depends**. It is a verdict about these tasks, and
# sixteen tests make it likely that one of them is wrong: a 95 % interval is wrong one time in twenty. Where we
# measured nothing, it says so.
#
# The code of these figures is folded, but for the first: it is a list of what was measured under which name. Each row
# is a version. Small dots are seeds, crosses in the column "never" those that did not get there, the large dot is the
# interquartile mean, the bar its interval.
#
# ### 6.1 About the update

# %%
page.figure(
    verdict_figure(
        "Advantages must be normalised in each minibatch",
        "fails",
        {
            "CartPole: each minibatch": "ppo:cartpole/steps_to_475",
            "once in the batch": "ppo:normalize_batch/steps_to_475",
            "never": "ppo:normalize_never/steps_to_475",
        },
        x_label="environment steps to 475",
    ),
    alt="Steps to 475 for advantages normalised by minibatch, by batch and never: three rows that lie over each other.",
    caption="On CartPole the three are alike. On Pendulum without any: {{sensitivity:pendulum_never/held_out}}, with: {{pendulum:pendulum/held_out}}. Adam "
    "divides by the gradient's size, so much of what normalising does is done anyway. It may matter where the scale of the advantages changes by orders "
    "of magnitude, or where the loss has a second term of another scale, such as an entropy bonus: we measured neither.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "A small learning rate replaces normalisation",
        "fails",
        {
            "normalised": "ppo:cartpole/late",
            "never normalised": "ppo:normalize_never/late",
            "normalised, rate / 10": "sensitivity:lr_tenth/late",
            "never normalised, rate / 10": "sensitivity:never_slow/late",
        },
        x_label="late return (steps 80,000 to 100,000)",
    ),
    alt="Late return of four versions: normalised or not, with the usual rate or a tenth of it.",
    caption="There is nothing to replace: without normalising the usual rate works as well. And the small rate takes it away from both: "
    "{{sensitivity:never_slow/steps_to_475/count}} and {{sensitivity:lr_tenth/steps_to_475/count}} of 10 seeds reach 475 in 100,000 steps.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "A clip of 0.5 learns faster",
        "fails",
        {
            "clip 0.05": "sensitivity:clip_005/steps_to_475",
            "clip 0.1": "sensitivity:clip_01/steps_to_475",
            "clip 0.2": "ppo:cartpole/steps_to_475",
            "clip 0.5": "ppo:wide_clip/steps_to_475",
            "no clip": "ppo:no_clip/steps_to_475",
        },
        x_label="environment steps to 475",
    ),
    alt="Steps to 475 for five widths of the clip.",
    caption="The preset's 0.2 is ahead on both sides: narrower is slower, wider loses seeds, and without a clip {{ppo:no_clip/steps_to_475/count}} of 10 arrive. The other settings were tuned with 0.2, "
    "which helps it. On Pendulum a clip of 0.5 ends at {{sensitivity:pendulum_clip_05/held_out}}, {{sensitivity:pendulum_clip_05/solved/count}} of 10 "
    "solve it; with 0.2 {{pendulum:pendulum/held_out}}, {{pendulum:pendulum/solved/count}} of 10.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "Clipping the gradients of actor and critic together freezes the policy",
        "fails",
        {
            "apart": "factorial:adam_32_fast_separate/late",
            "together": "factorial:adam_32_fast_joint/late",
            "apart, slow critic": "factorial:adam_32_slow_separate/late",
            "together, slow critic": "factorial:adam_32_slow_joint/late",
        },
        x_label="return, steps 80,000 to 100,000",
    ),
    alt="Return late in training of four versions. With the fast critic both clippings end near 500; with the slow critic both near 230.",
    caption="Under Adam the slow critic does the harm, with either clipping. Clipped together, early learning is slower (area under "
    "the first 1,000 episodes {{factorial:alone/adam/area/clipping}}), and nothing freezes. Under plain gradient descent it comes near to "
    "the saying: {{factorial:alone/sgd/at_60k/clipping}} of return after 60,000 steps. Lesson 06 has all eight combinations.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "The policy loss must be positive",
        "fails",
        {plots.LABELS[name]: f"comparison:{name}/positive_policy_loss" for name in AGENTS},
        x_label="share of updates with a positive policy loss, while it learns",
        colours={plots.LABELS[name]: name for name in AGENTS},
    ),
    alt="Share of updates with positive policy loss for the five agents, all far below one half; PPO's lowest.",
    caption="It is no loss in the sense of an error: its value is minus the mean of advantage times something, and the advantages have mean 0. "
    "Negative is the usual sign, since an update raises what it measures. PPO, the fastest here by steps, has the fewest positive ones.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "The value loss must fall, or the critic is not learning",
        "fails",
        {
            plots.LABELS[name]: f"comparison:{name}/value_loss_rise"
            for name in AGENTS
            if name != "reinforce_no_baseline"
        },
        x_label="highest value loss while it learns, as a multiple of the first",
        colours={plots.LABELS[name]: name for name in AGENTS if name != "reinforce_no_baseline"},
        logarithmic=True,
    ),
    alt="Highest value loss over the first one for four agents: between 1.2 and 7, above 1 in every seed.",
    caption="In every seed of every agent it rises above its start while the agent learns. The targets are returns of a policy that "
    "gets better: the critic chases them. Watch the explained variance, and the means of V and of the returns (lesson 06).",
)

# %% [markdown]
# ### 6.2 About settings

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "A bigger batch is always better",
        "fails",
        {
            "256 rows": "sensitivity:batch_256/steps_to_475",
            "1,024 rows (preset)": "ppo:cartpole/steps_to_475",
            "4,096 rows": "sensitivity:batch_4096/steps_to_475",
            "8,192 rows": "sensitivity:batch_8192/steps_to_475",
        },
        x_label="environment steps to 475",
    ),
    alt="Steps to 475 for rollouts of 256, 1,024, 4,096 and 8,192 rows.",
    caption="For the same number of steps a rollout eight times as large makes an eighth of the updates. The smallest is no worse than the preset here. "
    "Large ones pay where gradients are noisier than CartPole's, or where thousands of environments run at the price of one.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "A small learning rate is the safe choice",
        "fails",
        {
            "rate / 10": "sensitivity:lr_tenth/late",
            "rate / 3": "sensitivity:lr_third/late",
            "preset": "ppo:cartpole/late",
            "rate × 3": "sensitivity:lr_triple/late",
            "rate × 10": "sensitivity:lr_tenfold/late",
        },
        x_label="late return (steps 80,000 to 100,000)",
    ),
    alt="Late return on CartPole for five learning rates of the policy.",
    caption="Safe from falling, yes; it does not climb either. On Pendulum a tenth of the rate ends at {{sensitivity:pendulum_lr_tenth/held_out}}, with "
    "{{sensitivity:pendulum_lr_tenth/solved/count}} of 10 solved; ten times the rate at {{sensitivity:pendulum_lr_tenfold/held_out}}, "
    "{{sensitivity:pendulum_lr_tenfold/solved/count}} of 10. Both sides have a price. Only one of them looks like caution.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "The policy should become deterministic",
        "fails",
        {plots.LABELS[name]: f"comparison:{name}/end_entropy" for name in AGENTS},
        x_label="entropy at the end [nats]; 0.69 is a coin, 0 is deterministic",
        colours={plots.LABELS[name]: name for name in AGENTS},
        threshold=float(np.log(2)),
    ),
    alt="Entropy at the end of training of the five agents, between 0.2 and 0.5 nats; a line at 0.69.",
    caption="Agents that score exactly 500 in every seed still roll dice: where both actions are fine there is nothing to decide. In the "
    "corridor of lesson 01 the best policy is random, and every deterministic one never arrives. An entropy that falls to 0 early is "
    "a symptom (lesson 06), and one that stays at 0.69 is another.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "An entropy bonus solves sparse rewards",
        "fails",
        {
            "paid from step 150 on, no bonus": "sensitivity:paid_late/held_out",
            "with bonus 0.05": "sensitivity:paid_late_entropy/held_out",
        },
        x_label="held-out return, CartPole's ordinary reward",
    ),
    alt="Held-out return of agents trained on a CartPole that pays from step 150 on, without and with entropy bonus.",
    caption="A random agent is never paid (below). Seeds that were paid at least once in training: {{sensitivity:paid_late/any_goal/count}} of 10 without "
    "bonus, {{sensitivity:paid_late_entropy/any_goal/count}} with it. That is no difference that ten seeds can show, and no solution either: a bonus "
    "keeps the policy near a coin, it does not look for anything. MountainCar, the textbook's case: {{sensitivity:mountain_car/goals}} goals in "
    "training without, {{sensitivity:mountain_car_entropy/goals}} with it. A likely reason that it is found at all (not measured): all returns are "
    "negative, the critic starts near 0, so the unseen looks good.",
)

# %%
longest = evaluate(None, "CartPole-v1", num_episodes=2000, seed=0).lengths.max()
print(f"The longest of 2,000 episodes of a random agent has {longest} steps: it would never be paid.")

# %% [markdown]
# ### 6.3 About measuring

# %% jupyter={"source_hidden": true}
leaving_room = ("ppo_buggy", "reinforce")
at_least_as_good = sum(int((numbers(name, "held_out") >= numbers(name, "sampled")).sum()) for name in leaving_room)
page.figure(
    verdict_figure(
        "Evaluating the most probable action is worse than sampling",
        "fails",
        {
            "traps: most probable action": "comparison:ppo_buggy/held_out",
            "traps: sampled": "comparison:ppo_buggy/sampled",
            "baseline: most probable action": "comparison:reinforce/held_out",
            "baseline: sampled": "comparison:reinforce/sampled",
        },
        x_label="mean return of 100 held-out episodes",
        colours={
            "traps: most probable action": "ppo_buggy",
            "traps: sampled": "ppo_buggy",
            "baseline: most probable action": "reinforce",
            "baseline: sampled": "reinforce",
        },
    ),
    alt="Held-out return of two agents with the most probable action and with sampled actions: the most probable action is ahead.",
    caption="The two agents of the five that leave room at the top. The most probable action is at least as good in "
    f"{at_least_as_good} of their 20 runs: on CartPole the dice of training only cost. It is no law: in lesson 01's corridor the most "
    "probable action never arrives. Report which of the two you used.",
)

# %% [markdown]
# ### 6.4 About methods


# %%
def ahead(first, second, count):
    """Share of all pairs in which a run of the first reaches 475 earlier."""
    return probability_of_improvement(-numbers(first, count), -numbers(second, count))


# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "REINFORCE is too slow to be of use",
        "depends",
        {plots.LABELS[name]: f"comparison:{name}/steps_to_475" for name in AGENTS},
        x_label="environment steps to 475",
        colours={plots.LABELS[name]: name for name in AGENTS},
    ),
    alt="Steps to 475 of the five agents. PPO is first, the REINFORCE agents close behind it, A2C later, PPO with traps never.",
    caption=f"By steps PPO is ahead of REINFORCE with baseline in {ahead('ppo', 'reinforce', 'steps_to_475'):.0%} of all pairs, by "
    f"episodes REINFORCE is ahead in {ahead('reinforce', 'ppo', 'episodes_to_475'):.0%}. What is slow is the naive version: it reaches 475 "
    "in {{reinforce:naive/episodes_to_475/count}} of {{reinforce:naive/episodes_to_475/count.n}} seeds (lesson 01). On CartPole whole episodes are a fine batch; where an episode has "
    "100,000 steps they are not. And REINFORCE's end is rougher: one of its runs scores {{comparison:reinforce/held_out/worst}} on held-out starts.",
)

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "TRPO is better than PPO",
        "depends",
        {
            "TRPO": "trpo:cartpole/steps_to_475",
            "PPO's step in TRPO's loop": "trpo:clipped_step/steps_to_475",
            "PPO": "ppo:cartpole/steps_to_475",
        },
        x_label="environment steps to 475",
        colours={"TRPO": "trpo", "PPO's step in TRPO's loop": "ppo", "PPO": "ppo"},
    ),
    alt="Steps to 475 of TRPO, of TRPO's loop with PPO's policy step, and of PPO: the first two lie over each other.",
    caption="Fewer steps with the settings of lesson 08, more seconds (below). The row in the middle has TRPO's rollouts and critic and PPO's "
    "policy step: as many steps as TRPO. So the lead in steps is not the trust region's. Nor does the other saying hold, that PPO has "
    "95 % of TRPO's return: both end at 500.",
)

# %%
speed = load_claims("speed")["summary"]
for name, label in (("cartpole/ours", "PPO"), ("trpo/cartpole", "TRPO")):
    entry = speed[name]
    low, high = entry["seconds_interval"]
    print(
        f"{label:5} {entry['median_seconds']:.1f} s [{low:.1f}, {high:.1f}] to 475, median of {entry['runs']} seeds, one thread"
    )

# %% jupyter={"source_hidden": true}
page.figure(
    verdict_figure(
        "Value methods are better for everything",
        "depends",
        {
            "DQN, 50,000 steps": "dqn:dqn/held_out",
            "PPO, 100,000 steps": "ppo:cartpole/held_out",
        },
        x_label="mean return of 100 held-out episodes, most probable or most valuable action",
        colours={"DQN, 50,000 steps": "#777777"},
    ),
    alt="Held-out return of ten DQN runs, from 16 to 500, and of ten PPO runs, all at 500.",
    caption="Stable-Baselines3's DQN with the settings that its authors publish for CartPole, and with their budget; it is not ours, and was "
    "not tuned here. Half of PPO's steps are enough for most seeds, and some hold nothing at the end.",
)

# %% [markdown]
# DQN's runs score {{dqn:dqn/held_out}} on held-out starts, the worst of them {{dqn:dqn/held_out/worst.value}}. In
# training, with 4 % random actions, their last 100 episodes were at {{dqn:dqn/last_100}}. What needs no measurement is what each kind of
# method asks for. DQN takes the maximum over actions, so they must be few and discrete; on Pendulum it would have to
# bin the torques first. Binning alone costs little with five bins, {{pendulum:bins_5/held_out}} against
# {{pendulum:pendulum/held_out}}, and more with eleven (lesson 05). It learns from old data, so where steps are dear it
# has the better cards. And it has no random optimum: in lesson 01's corridor the best greedy policy never arrives.

# %% [markdown]
# ### 6.5 About the machine
#
# Two claims need no seeds: they are arithmetic, and time on a clock.
#
# **"Clamping `log_std` at -20 protects."** The clamp is there so that log-probabilities stay meaningful. Look at what
# is left of them in float32 at the clamp: a sample, its log-probability, and the same after the mean has moved by the
# smallest amount that float32 can express near 1:

# %%
print("log_std        std   log_prob of a sample   after the mean moved by 1.2e-7   ratio")
for log_std in (-1.0, -5.0, -10.0, -14.0, -20.0):
    mean, std = torch.tensor(1.0), torch.tensor(log_std).exp()
    action = mean + std  # one standard deviation from the mean, as float32 can hold it
    before = torch.distributions.Normal(mean, std).log_prob(action)
    after = torch.distributions.Normal(mean + torch.finfo(torch.float32).eps, std).log_prob(action)
    print(f"{log_std:7.0f} {std:10.1e} {before:22.2f} {after:32.2f} {(after - before).exp():7.2g}")

# %% [markdown]
# ✗ **fails.** At -20 the standard deviation is 2e-9: the sample *is* the mean, and a change of the mean in its last
# bit changes the log-probability by more than a thousand. Ratio, KL and gradient are numbers without a meaning long
# before. This package clamps at -5 (`networks.LOG_STD_RANGE`), where the ratio still is 1. SAC's -20 comes with a
# tanh and a network output, and a policy that gets there is lost as well.
#
# **"Mixed precision and in-place operations speed this up."** One gradient step of PPO, forwards, backwards and Adam,
# as it is, with `autocast` to bfloat16, and with the tanh in place:


# %%
class InplaceTanh(nn.Module):
    """tanh that writes over its input."""

    def forward(self, x):
        return x.tanh_()


def seconds_a_step(network, *, autocast, repeats=150):
    """Median seconds of one gradient step on a minibatch of 512 rows."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    obs, taken = torch.randn(512, 4), []
    for _ in range(repeats):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            loss = network(obs).float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def layers(activation):
    """CartPole's policy network."""
    return nn.Sequential(nn.Linear(4, 32), activation(), nn.Linear(32, 32), activation(), nn.Linear(32, 2))


steps = {"as it is": (nn.Tanh, False), "bfloat16 autocast": (nn.Tanh, True), "tanh in place": (InplaceTanh, False)}
usual = seconds_a_step(layers(nn.Tanh), autocast=False)  # also warms up
for label, (activation, autocast) in steps.items():
    print(f"{label:18} {seconds_a_step(layers(activation), autocast=autocast) / usual:5.2f} times the usual step")

# %% [markdown]
# ✗ **fails** at this size, on a CPU. The work is in starting operations, not in the numbers. Casting adds operations,
# and the step gets slower. Writing in place saves memory that nobody lacks; what it does to the time is about what
# the clock does by itself (run the cell twice, and look at the first line). What helps here is fewer and larger
# gradient steps, more environments in one tensor, and one thread. With layers of thousands on a GPU the answer is
# another one; we did not measure it.

# %% [markdown]
# ## 7. A tuning path
#
# 1. **Start from settings that were measured** on something alike: a preset here, or the table below. Not from a
#    paper about another task.
# 2. **Run the simplest task first.** CartPole, or a probe environment with a known answer (lesson 06). A bug looks
#    like a bad setting.
# 3. **Diagnose before you tune.** KL, clip fraction, entropy, explained variance: they say which knob. A low return
#    says nothing.
# 4. **Change one thing**, with at least three seeds while you explore, and write down what you expected.
# 5. **Then search at random**, over the few settings that matter, with seeds of their own.
# 6. **Confirm** the best few on fresh seeds, ten at least, beside the settings you began with. Report those numbers.
#
# Why at random and not on a grid? Say two of six settings matter. A grid with three levels each takes $3^6 = 729$
# runs and tries three values of each setting that matters. 729 random points try 729 values of each. The runner of
# this package takes any number of settings, so a search is a dictionary. A small one, live:


# %%
def drawn(generator):
    """One point: rates on a logarithmic scale, since a rate that is twice as high is one step, wherever it starts."""
    return {
        "policy_lr": float(10 ** generator.uniform(-4, -2)),
        "critic_lr": float(10 ** generator.uniform(-3, -1.5)),
        "clip_coef": float(generator.uniform(0.1, 0.4)),
        "update_epochs": int(generator.integers(2, 13)),
    }


generator = np.random.default_rng(1)  # change me
points = {f"point {number}": drawn(generator) for number in range(4)}
short = replace(ppo.CARTPOLE, total_timesteps=8 * 1024)
search = run_seeds({name: replace(short, **point) for name, point in points.items()}, range(50, 52), progress=False)
for name, group in search.items():
    late = np.mean([run.episodes["episodic_return"][-50:].mean() for run in group])
    print(f"{late:5.0f}  " + "  ".join(f"{key} {value:.3g}" for key, value in points[name].items()))

# %% [markdown]
# Two seeds and 8,192 steps, so these four numbers are mostly noise. The same with twelve points, three seeds and
# 40,960 steps was measured, and then step 6: the three best, and the preset, on ten fresh seeds.

# %%
found, fresh = moved["search"]["scores"], moved["search"]["fresh_scores"]
best = sorted(found, key=lambda name: -np.mean(found[name]))
figure, ax = plots.new_figure(width=8.4, height=4.6)
for height, name in enumerate([*best, "preset"]):
    if name in found:
        ax.plot(found[name], np.full(len(found[name]), height - 0.12), ".", color=plots.COLOURS["random"], markersize=8)
        ax.plot(
            np.mean(found[name]), height - 0.12, "|", color=plots.COLOURS["random"], markersize=14, markeredgewidth=2.5
        )
    if name in fresh:
        ax.plot(
            bootstrap_interval(fresh[name]), [height + 0.15] * 2, color=plots.COLOURS["ppo"], linewidth=4, alpha=0.5
        )
        ax.plot(interquartile_mean(fresh[name]), height + 0.15, "o", color=plots.COLOURS["ppo"], markersize=8)
point = {name: moved["search"]["points"][name] for name in best}
ax.set_yticks(
    range(len(best) + 1),
    [f"{point[name]['policy_lr']:.1e}, {point[name]['update_epochs']} epochs" for name in best] + ["the preset"],
)
ax.set(xlabel="mean return of the last 50 episodes, 40,960 steps", ylim=(len(best) + 0.6, -0.6))
page.figure(
    figure,
    alt="Thirteen rows. Twelve random points sorted by the mean of their three search seeds; for the best three, and the preset, the "
    "interquartile mean and interval of ten fresh seeds.",
    caption="Grey: three seeds of the search, the bar is their mean; rows are named by policy rate and epochs, other settings differ too. "
    "Coloured: ten fresh seeds.",
)
for name in fresh:
    low, high = bootstrap_interval(fresh[name])
    seen = f"{np.mean(found[name]):.0f} in the search, " if name in found else ""
    print(
        f"{name:10} {seen}fresh seeds: {interquartile_mean(fresh[name]):.0f} [{low:.0f}, {high:.0f}]",
        moved["search"]["points"].get(name, ""),
    )

# %% [markdown]
# All three fall on fresh seeds: what the search saw is a maximum over twelve noisy means, and equation (3) is about
# such numbers. The best point of the search would have been announced as better than the preset. On fresh seeds,
# where both had the same chance, it is not. Look at the grey dots too: with three seeds the order of the first few
# rows is mostly chance, while the last rows are out of the question. A search finds the region; it does not find the
# winner.
#
# **Settings by kind of environment.** Starting points, not truths. The first two rows are presets that this course
# measured, the third is a preset of the package; the others are common in the literature, and we measured nothing in
# them.
#
# | kind | rollout | epochs, minibatch | rates | $\gamma$, $\lambda$ | what else |
# |---|---|---|---|---|---|
# | small, discrete, dense reward (CartPole) | 32 × 32 | 6, 512 | 1.5e-3, critic 1e-2 | 0.99, 0.95 | no entropy bonus |
# | small, continuous, no ends (Pendulum) | 12 × 200, whole episodes | 15, 400 | 3e-3 both, falling | 0.9, 0.98 | reward × 0.1, std 1.5 at the start |
# | shaped reward in the hundreds (LunarLander: `ppo.LUNAR_LANDER`) | 32 × 128 | 4, 512 | 1e-3, critic 2e-3 | 0.995, 0.97 | reward × 0.05, entropy 0.01 |
# | robots (MuJoCo) | 1 × 2,048 to 16 × 128 | 10, 64 to 256 | 3e-4, falling | 0.99, 0.95 | normalise observations and rewards |
# | pixels (Atari) | 8 × 128 | 3 to 4, 256 | 2.5e-4, falling | 0.99, 0.95 | clip 0.1, entropy 0.01, stacked frames |
# | thousands of simulated robots | 4,096 × 24 | 5, 24,576 | adapted to a KL of 0.01 | 0.99, 0.95 | everything on the GPU |
#
# ## 8. A patient: the evaluation that depends on the machine
#
# **Symptom.** You evaluate one trained agent, "PPO with three traps", over 100 episodes. Your colleague runs the same
# function with the same weights on a machine with more cores, and therefore more environments side by side. The more
# environments, the worse the agent.


# %%
def quick_evaluate(policy, *, num_envs, num_episodes=100):
    """Mean return of 100 episodes, fast."""
    envs = make_envs("CartPole-v1", num_envs, seed=12345)
    obs, _ = envs.reset()
    running, finished = torch.zeros(num_envs), []
    with torch.no_grad():
        while len(finished) < num_episodes:
            obs, rewards, terminated, truncated, _ = envs.step(policy(obs).mode)
            running += rewards
            ended = terminated | truncated
            finished += running[ended].tolist()
            running[ended] = 0
    return np.mean(finished[:num_episodes])


for count in (5, 25, 100, 400):
    print(f"{count:3} environments: mean return {quick_evaluate(trapped, num_envs=count):.0f}")

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-patient",
    "The weights are the same, and so are the 100 episodes in number. What is it?",
    [
        "More environments have other start states, and these are harder",
        "The first 100 episodes to finish hold too many short ones",
        "The policy is still exploring: actions are sampled",
        "Rounding differs between batch sizes, and the pole is chaotic",
    ],
    answer=1,
    reasons=[
        "Other ones, yes; harder ones, no: all start states come from the same distribution. A hundred of them are enough to see that.",
        "Right. With 400 environments the first hundred to finish are the shortest quarter; the long episodes are still running when the "
        "loop stops. With few environments nearly every episode is waited for.",
        "Look again: the function takes `.mode`, the most probable action. And sampling would do the same to any number of environments.",
        "Single episodes may differ by rounding. But it has no direction, and this has one.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the cure</summary>
#
# The line is `while len(finished) < num_episodes`: stop at the first hundred. Whoever finishes early is counted
# early, and again. The cure is to decide *which* episodes count before they begin: one from each of 100 start states,
# all waited for. That is what `pgcourse.evaluate` does:
#
# ```python
# returns += torch.where(running, rewards, 0.0)
# running &= ~(terminated | truncated)     # and the loop goes on while any of them is running
# ```
#
# On Pendulum, where every episode has 200 steps, nobody would ever notice. That is how it survives.
#
# </details>

# %%
right = evaluate(trapped, "CartPole-v1", seed=0, num_episodes=100)
print(f"one episode from each of 100 start states: {right.mean:.0f}, standard error {right.standard_error:.0f}")

# %% [markdown]
# ## 9. When not to use policy gradients
#
# They are local, hungry for data, and blind to what they were not paid for. Five questions, in the order in which a
# way out is cheap:

# %%
guide.explore_guide()

# %% [markdown]
# Three remarks on the boxes. *Steps are cheap* is about your clock and your hardware, not about the algorithm: the
# same arm is on one side in the simulator and on the other in the workshop. *Many optima*: a policy gradient improves
# the policy that it has. Two good policies with bad ones between them are a valley that it does not cross; restarts
# with other seeds are the first remedy, and the spread of your seeds tells you whether you need one. And *the reward
# turns up at random* is a question for a random agent and an afternoon, not for a debate.
#
# ## 10. Common mistakes, and how they look
#
# | mistake | what you see |
# |---|---|
# | one seed, the best of several, or "seed 42 works" | a curve without a band; the next reader cannot repeat it |
# | a band of ± standard deviation, or of min and max, called confidence | bands that do not get narrower with more seeds |
# | seeds that crashed or never learned are left out | a method whose mean gets better the more often it fails |
# | more seeds run only where the result is disappointing | a result that is significant after the fifth look |
# | best checkpoint, best evaluation, best of several settings, on the seeds that chose it | a number that falls on fresh seeds: equation (3) |
# | the first K episodes to finish | an agent that gets worse with the number of environments |
# | evaluation on the training's start states | a training curve and an evaluation that agree, and a robot that does not |
# | one method tuned for weeks, the other with defaults | "ours" wins |
# | episodes on the x axis where agents have different lengths of episode | an order that turns round by environment steps |
# | curves of runs of different length averaged over the runs that are left | a jump at the end, usually upwards |
# | smoothing over 500 episodes, or forwards and backwards | curves that rise before the agent has learned |
# | a threshold of another version of the task | "solved" at 195 |
#
# ## 11. Every algorithm in one table
#
# All of them move $\theta$ along
#
# $$
# \frac1B \sum_{i=1}^B w_i \, \nabla_\theta \log \pi_\theta(a_i \mid s_i),
# $$
#
# and differ in the weight $w$ `[B]`, in where the rows come from, and in how far they go.
#
# | algorithm | weight $w_t$ | what it adds | what it costs |
# |---|---|---|---|
# | score function on a bandit (unit 00) | $R$ | learning from a number, without its gradient | variance |
# | REINFORCE (01) | $G_t = \sum_{k \ge t} \gamma^{k-t} R_{k+1}$, standardised over the batch | time: only what comes after an action counts for it | whole episodes, one update each batch |
# | with baseline (02) | $G_t - V(s_t)$ | what was to be expected is taken off: no bias, less variance | a second network |
# | online actor-critic (03) | $\delta_t = R_{t+1} + \gamma V(s_{t+1}) - V(s_t)$ | no waiting for the end | bias, while $V$ is wrong; one row an update |
# | A2C with GAE (03) | $\hat A_t = \sum_k (\gamma \lambda)^k \delta_{t+k}$ | many environments, and a dial between the two rows above | a rollout is used once |
# | PPO (04) | $r_t \hat A_t$ where the clip lets it, 0 beyond; $r_t = \pi_\theta / \pi_{\text{old}}$ | several epochs on one rollout | one more number, the clip |
# | PPO on boxes (05) | the same, $\nabla \log \pi = (a - \mu) / \sigma^2 \cdot \nabla \mu + \dots$ | continuous actions | a standard deviation to look after |
# | TRPO (08) | $\hat A_t$, the sum then multiplied by $F^{-1}$ and scaled to a KL of $\delta$ | the step is measured in policies, not in weights | conjugate gradient and a line search |
#
# In PPO's row: the gradient of $\min(r \hat A, \text{clip}(r) \hat A)$ is $r \hat A \nabla \log \pi$ where the first
# term is the smaller one or $r$ is inside the clip, and 0 elsewhere, since $\nabla r = r \nabla \log \pi$. One line
# for seven lessons.
#
# ## 12. Quiz

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-quiz-band",
    "You double the number of seeds. What happens to a band of ± standard deviation, and to the interval of the mean?",
    [
        "Both get narrower by a factor of about 1.4",
        "The first stays about as wide, the second gets narrower by about 1.4",
        "The first gets narrower by about 2, the second stays",
        "Neither changes: the method is the same",
    ],
    answer=1,
    reasons=[
        "The standard deviation describes runs. More of them describe it better, and it does not shrink.",
        "Right: equation (2). A band that does not shrink cannot be the doubt about the mean.",
        "The other way round, and with a square root.",
        "The method is the same, and that is what the first band shows. What you know about its mean has grown.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-quiz-three",
    "Three seeds each. The two bootstrap intervals do not touch. What do you conclude?",
    [
        "The difference is significant at 5 %",
        "Intervals of three seeds are too narrow: run more before you conclude anything",
        "Nothing can ever be concluded from seeds",
        "The better one is better in every run",
    ],
    answer=1,
    reasons=[
        "That is what the intervals promise, and section 3.1 counted how often three seeds keep the promise.",
        "Right. The bootstrap takes three runs for all the runs there could be, and its interval ends at the runs themselves.",
        "More seeds make the doubt smaller, with the square root of their number.",
        "It may be so for these six runs. About the next ones it says little.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-quiz-best",
    "A script keeps the checkpoint with the best of 200 single-episode evaluations and reports that score. What is wrong?",
    [
        "Nothing, if all methods are treated alike",
        "A maximum of noisy numbers is high for any agent, and higher for the noisier one",
        "200 evaluations cost too much time",
        "A single episode always underestimates",
    ],
    answer=1,
    reasons=[
        "Then the method with the noisier episodes wins: the optimism of (3) is a multiple of its standard deviation.",
        "Right. Measure the kept checkpoint again, on fresh start states, and report that.",
        "It may, but it would be wrong for free too.",
        "One episode is unbiased. Taking the best of many is not.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-quiz-never",
    "Of ten runs, seven reach 475, after about 70,000 steps each; three never do. What do you report?",
    [
        "70,000 steps, over the seven that made it",
        "The three as the length of the budget, 100,000, and the mean of all ten",
        "How many made it, and a statistic that takes never as infinitely late",
        "That the method does not work",
    ],
    answer=2,
    reasons=[
        "The more runs fail, the better this number can get.",
        "Then the number depends on the budget that you happened to choose.",
        "Right: 7 of 10, and an interquartile mean or a median, which is finite as long as the middle half arrives.",
        "Seven runs say that it can. How often is the number that matters.",
    ],
)

# %% jupyter={"source_hidden": true}
questions.quiz(
    "07-quiz-search",
    "The best of 50 random settings scores 20 above the preset on the search's own three seeds. What do you expect on fresh seeds?",
    [
        "Also 20 above it",
        "Less than 20 above it, perhaps nothing: it was chosen for its luck too",
        "More, since it has been tuned",
        "20 below it",
    ],
    answer=1,
    reasons=[
        "The search saw quality plus luck and took the maximum of the sum.",
        "Right. Only the quality repeats itself. Measure on fresh seeds, and report that.",
        "The search is over: nothing gets better between its seeds and yours.",
        "Bad luck is not due either. What remains is its true quality.",
    ],
)

# %% [markdown]
# ## 13. What to remember
#
# 1. A run is one draw. Say what the next run will do: a statistic over seeds, its interval, and every seed as a dot.
# 2. A standard deviation describes runs, an interval describes what you know. Below five seeds the interval itself is
#    not to be trusted.
# 3. Decide seeds, budget, number and start states before you look; what was chosen for its score is measured again on
#    fresh seeds.
# 4. Most settings have a plateau and a cliff. Here the cliffs were a learning rate too small, $\lambda = 0$, rewards
#    too large for the critic, a critic too small, and a trunk that the value loss took over. The rest moved the
#    speed.
# 5. Rules of thumb are measurements that somebody made once, on something. Make your own: it is a dictionary and a
#    cup of coffee.
#
# ## 14. The closing project
#
# Write a small environment of your own, train an agent on it, find out what goes wrong, and report it so that a
# stranger believes you. Plan about six hours.
#
# 1. **Environment.** A Gymnasium environment with a flat Box as observation, Discrete or Box actions, at most 500
#    steps an episode: a lift, a thermostat, a parking car, a juggler. Something where you know what good behaviour
#    looks like. Say which ends are terminations and which are time limits. Register it (`gymnasium.register`), and
#    `ppo.train(replace(ppo.CARTPOLE, env_id=...))` takes it, as `pgcourse train ppo` does.
# 2. **Baselines.** A random agent, and a rule of five lines by hand. An agent that does not beat the rule has learned
#    nothing you needed.
# 3. **Training.** Two algorithms of this course, at least ten seeds each, through `run_seeds`.
# 4. **Diagnosis.** The panels of lesson 06. Break something on purpose, and show that a panel sees it, or that none does.
# 5. **Report.** Two pages: the question, what was fixed beforehand, the figure with its band, the table, what you do
#    not know.
#
# | | 0 points | 1 point | 2 points |
# |---|---|---|---|
# | environment | does not pass `gymnasium.utils.env_checker.check_env` | passes; ends and reward described | and a probe: a case with a known answer that the agent finds |
# | boundaries | terminated and truncated mixed up | told apart | and shown: what changes if they are not |
# | baselines | none | a random agent | and a rule by hand, on the same start states |
# | seeds | fewer than five | ten, chosen beforehand | and a sentence on how large a difference ten can show |
# | intervals | standard deviation or nothing | bootstrap intervals, never counted as never | and the interval of the difference, or the probability of improvement |
# | evaluation | training return, or one episode | held-out starts, one episode each | and mode against samples |
# | diagnosis | "it works" | panels with what they show | and a bug put in, and found or declared invisible |
# | reward | what was easy to write | says what it pays for | and what an agent did that was paid and not meant |
# | one change | none, or several at once | one, with the same seeds | predicted before it was run, with what happened |
# | report | cannot be repeated | one command repeats it | and it says what was not measured |
#
# Sixteen of twenty points are a piece of work to show around. The last row is the one that most papers lose.
#
# ## How well do you know what you know?
#
# In every lesson you guessed before you ran, and said how sure you were. Here are your guesses by how sure you were,
# and your way through the course. Of the answers that you gave 80 %, four in five should have been right.

# %%
calibration()
progress_page()

# %% [markdown]
# ## Further reading
#
# - R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville and M. G. Bellemare (2021), *Deep reinforcement learning at
#   the edge of the statistical precipice*, NeurIPS. Section 3 is a case study of what few runs did to published
#   claims; section 4 has interquartile mean, stratified bootstrap, performance profiles, probability of improvement.
# - P. Henderson et al. (2018), *Deep reinforcement learning that matters*, AAAI. Its figure with two groups of five
#   seeds of one method is section 1 of this lesson.
# - C. Colas, O. Sigaud and P.-Y. Oudeyer (2018), *How many random seeds?* Power and false alarms of the usual tests,
#   measured on deep reinforcement learning.
# - M. Andrychowicz et al. (2021), *What matters for on-policy deep actor-critic methods?*, ICLR. Section 5 here, at a
#   scale of 250,000 runs.
# - L. Engstrom et al. (2020), *Implementation matters in deep policy gradients*, ICLR. Where a lead really came from.
# - S. Huang et al. (2022), *The 37 implementation details of proximal policy optimization*, ICLR blog track. Beside
#   your own settings.
# - J. Bergstra and Y. Bengio (2012), *Random search for hyper-parameter optimization*, JMLR. Figure 1 is the argument
#   against the grid.
# - B. Efron and R. Tibshirani (1993), *An introduction to the bootstrap*. Chapters 6 and 13: where it comes from, and
#   when percentiles fail.
# - A. Patterson, S. Neumann, M. White and A. White (2024), *Empirical design in reinforcement learning*, JMLR. The
#   long version of sections 3 and 7.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/07_trustworthy_experiments.ipynb) build the
# interquartile mean, the bootstrap interval, the probability of improvement and the episodes to a threshold, and take
# a report apart.
