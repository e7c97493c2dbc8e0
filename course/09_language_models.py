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
# # 09 Language models: the same gradient, on text (optional)
#
# A language model chooses token after token, and somebody says at the end whether the answer was right. That is an episode, and
# units 01 to 04 hold all that is needed to learn from it: REINFORCE, a baseline, PPO's clip. This unit trains a transformer of
# 30,000 parameters on two cores, takes the methods apart that carry the names RLOO, GRPO and PPO, and measures what each part buys.
#
# **After this lesson you will be able to**
#
# 1. say what state, action, episode and reward are for a language model, and when its answer may count as one action;
# 2. derive leave-one-out and group-relative advantages, and say what each does to the expected gradient;
# 3. compute which constant baseline leaves the least variance, and say why it is near 0 here; {{# mathematics}}
# 4. tell estimators of the KL divergence apart, as values and as gradients;
# 5. recognise a learnt reward that is being exploited, and read pass@1 beside pass@k.
#
# **You need** [lesson 04](04_ppo.ipynb) (ratio, clip, KL divergence) and section 3 of [lesson 02](02_baselines.ipynb) (the optimal
# constant baseline). **Time:** {{minutes:core}} minutes for the core path, {{minutes:further}} more for the folded sections,
# {{minutes:exercises}} for the exercises; all cells together run in about half a minute on two cores. Symbols: [one table for the
# whole course](../docs/symbols.md). {{# design}}
#
# The numbers in the text come from `claims/language.json`: ten training runs of each version, success on 200 prompts with 64 sampled
# answers each. *72 [65, 80]* reads: interquartile mean over the ten runs, and its 95 % bootstrap interval. Words with a dotted
# underline are comparisons decided by the data; hover to see the interval ([the rule](07_trustworthy_experiments.ipynb)).

# %% jupyter={"source_hidden": true}
import importlib.util
from dataclasses import replace

import numpy as np
import torch

from pgcourse.language import advantages, imitation, losses, preferences
from pgcourse.language.config import PRESETS
from pgcourse.language.sampling import answer_log_prob, sample
from pgcourse.language.tasks import DIAL, SORTING, TASKS
from pgcourse.language.text import END, VOCABULARY_SIZE, decode, encode
from pgcourse.language.training import train
from pgcourse.language.transformer import Transformer
from pgcourse.language.update import update
from pgcourse.optim import seeded
from pgcourse.show import page, questions
from pgcourse.show.figures import curves as plots
from pgcourse.show.live.transcripts import Transcripts
from pgcourse.statistics import moving_average
from pgcourse.study.claims import load_claims
from pgcourse.study.imitated import imitated

page.use_style()
torch.set_num_threads(1)  # small networks run faster on one thread
measured = load_claims("language")
curves = measured["curves"]
print("Measured with", ", ".join(f"{name} {version}" for name, version in measured["versions"].items()))

# %% [markdown]
# ## Three questions before you begin

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "09-recall-1",
    "A baseline that depends on the state alone is subtracted from the return. What does it change?",
    [
        "The variance of the gradient, not its mean",
        "The mean of the gradient, not its variance",
        "Both, since good actions now count less",
        "Neither: it is the same for every action",
    ],
    answer=0,
    reasons=[
        "Right: its share of the gradient has mean 0, since the scores have.",
        "It is the other way round.",
        "The mean stays: the scores of a state's actions sum to 0, weighted by their probabilities.",
        "It is the same for every action, and the variance changes all the same.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "09-recall-2",
    "A row of PPO has advantage −1 and a ratio of 1.5; the clip is 0.2. What is the gradient of its loss?",
    [
        "0, because the ratio lies outside of the clip",
        "That of the unclipped loss: the row is still open",
        "That of a ratio of 1.2, where the clip cuts it",
        "0, because its advantage is a negative number",
    ],
    answer=1,
    reasons=[
        "Outside on the side that is bad for the objective: the minimum takes the unclipped term.",
        "Right: the minimum of −1.5 and −1.2 is −1.5, which is not clipped.",
        "The clipped term is −1.2, and the minimum takes the other one.",
        "Negative advantages make actions rarer; they have gradients.",
    ],
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "09-recall-3",
    "A policy's answer to a question is always the same. Whatever the reward, what is its policy gradient?",
    [
        "Large, since its one answer is so probable",
        "That of the reward, times its probability",
        "About 0, as the score of a sure action is 0",
        "Undefined: log-probabilities need chance",
    ],
    answer=2,
    reasons=[
        "The score is the gradient of the logarithm, and at probability 1 there is nothing left to raise.",
        "The gradient of the reward does not appear anywhere.",
        "Right: the gradient of log π is 0 where π is 1. Keep it in mind for section 4.",
        "The logarithm of 1 is 0, and so is its gradient for a softmax.",
    ],
)

# %% [markdown]
# ## Where this ends

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
for (name, label), look in zip(
    {"sorting": "sorting", "dial": "the dial", "turtle": "the turtle"}.items(),
    (("ppo", "-"), ("reinforce", "--"), ("a2c", "-.")),
    strict=True,
):
    plots.claimed_band(ax, curves[f"{name}/leave_one_out"], label=label, colour=look[0], style=look[1])
ax.set(xlabel="updates", ylabel="right answers [%]", xlim=(0, 120), ylim=(0, 102))
ax.legend(loc="center right")
page.figure(
    figure,
    alt="Share of right answers over 120 updates on three tasks. Two curves rise from below 20 percent to above 90; the third rises "
    "slowly and has a wide band.",
    caption="Ten seeds each, moving average of five updates, 95 % bands. An update is 256 answers: eight to each of 32 prompts. Before "
    "the first one, each model has imitated a careless teacher.",
)

# %% [markdown]
# ## 1. From CartPole to tokens
#
# | in CartPole | here |
# |---|---|
# | state $s_t$ | the prompt, and all tokens written so far |
# | action $a_t$ | the next token, one of 46 |
# | $\pi_\theta(a_t \mid s_t)$ | softmax of the transformer's logits behind the text $s_t$ |
# | the environment's step | append the token; no chance, no physics |
# | episode $\tau$ | an answer; it terminates with the token END, or at the longest allowed length, and is marked as it stands |
# | reward | 0 for each token but the last, whose reward is the mark of the answer, 1 or 0 |
# | $\gamma$ | 1: a right answer is worth the same whatever its length {{# design}} |
#
# The tasks are so small that a few lines of Python can verify an answer. Success is a fact here, and no opinion.

# %%
generator = np.random.default_rng(3)
for task in TASKS.values():
    (prompt,) = task.prompts(1, generator)
    right = task.states(prompt)
    print(f"{task.name:8} {prompt!r:14} steps {right}; demonstrated: {task.demonstrate(prompt, generator)!r}")

# %% [markdown]
# **Sorting** puts six digits in order. The **dial** is a ring of 24 letters: 1, 2 and 3 turn it on, M mirrors it. The **turtle** walks
# on 5 × 5 fields whose opposite edges are joined, forward, or turning left and right. In the last two an answer may write the states down before `=`, or
# guess the last one at once; the verifier reads only what stands behind the last `=`.
#
# The model reads characters. Two blocks of attention, 32 numbers a position, and a layer that gives 46 logits; all of it is here:

# %%
page.source(Transformer, folded="the transformer, as it is in the package")

# %% [markdown]
# ### 1.1 The probability of an answer
#
# Between prompt and END nothing is random but the model's own choices. So the probability of a whole answer is a product, and its
# logarithm a sum over its $T$ tokens:
#
# $$
# \log \pi_\theta(\tau \mid s_0) = \sum_{t=0}^{T-1} \log \pi_\theta(a_t \mid s_t). \tag{1}
# $$
#
# The logits *at* a place are those of the token that comes *next*. One pass over prompt and answer gives every term, if each is
# read one place early. {{# mathematics}}

# %%
page.source(answer_log_prob, folded="the package's version; open it after you have written your own (exercise 1)")

# %% [markdown]
# ### 1.2 Where the bandit view is exact
#
# Papers on language models write $\nabla \log \pi(\tau \mid s_0)\, G(\tau)$, as if the answer were one action and the prompt a bandit.
# Put (1) in, and it is the REINFORCE of lesson 01: each token's score times the return that follows it. All reward comes at the end
# and $\gamma = 1$, so this return is $G$ for every token. The two are the same formula. {{# mathematics}}
#
# They part as soon as something is said about a *part* of an answer: a ratio or a clip for each token (section 5), a price that a token
# pays where it arises (section 6), a critic that values an unfinished answer. Then tokens are the actions. {{# mathematics}}

# %% [markdown]
# ## 2. Imitation, and its limit
#
# A fresh model answers with noise, every answer is wrong, and a policy gradient of rewards that are all 0 is 0. So language models
# are taught in two steps. First, imitation: given a demonstration, make its tokens the probable ones (minimise the cross entropy,
# minus the mean of the tokens' log-probabilities). The teacher here is careless: nine of ten of its sorted numbers have two neighbours swapped.

# %%
base, _ = imitation.imitate(SORTING, seed=0)
with seeded(0):
    prompts = SORTING.prompts(500, np.random.default_rng(1))
    drawn = decode(sample(base, encode(prompts), max_tokens=SORTING.max_tokens).tokens)
    likely = decode(sample(base, encode(prompts), max_tokens=SORTING.max_tokens, greedy=True).tokens)
for name, answers in {"sampled": drawn, "most probable": likely}.items():
    print(
        f"{name:14} {np.mean([SORTING.verify(p, a) for p, a in zip(prompts, answers, strict=True)]):.0%} right,",
        answers[:3],
    )

# %% [markdown]
# Over ten seeds:
#
# | after imitation | right, sampled | right, most probable tokens | states written down | tokens an answer |
# |---|---|---|---|---|
# | sorting, 120 steps | {{language:sorting/base/success}} % | {{language:sorting/base/greedy}} % | | {{language:sorting/base/length.value}} |
# | dial, 2,000 steps | {{language:dial/base/success}} % | {{language:dial/base/greedy}} % | {{language:dial/base/written.value}} % | {{language:dial/base/length.value}} |
# | turtle, 2,000 steps | {{language:turtle/base/success}} % | {{language:turtle/base/greedy}} % | {{language:turtle/base/written.value}} % | {{language:turtle/base/length.value}} |
#
# Imitation learns the teacher's distribution, mistakes included: of the six numbers that the teacher may write, the right one is the
# least frequent. {{# mathematics}} On sorting the model's most probable tokens are right
# {{more often than sampled ones | language:sorting/base/greedy > language:sorting/base/success}} all the same: at each of the first places
# the right digit is the most frequent one, and after 120 steps the model has not learnt much about swaps. {{# hypothesis}} To be right more
# often than its teacher, a model needs somebody who says which of its own answers are. {{# wording}}

# %% [markdown]
# ## 3. A group of answers
#
# Ask every prompt $M$ times. The first estimator is REINFORCE: the mean of $G(\tau) \nabla \log \pi(\tau \mid s_0)$. To cut its
# variance, subtract what could have been expected of this prompt. In lesson 02 a critic had to learn that. Here the prompt can be asked
# again, and the other answers say it.
#
# ### 3.1 Group mean and leave-one-out
#
# Let $G_1, \dots, G_M$ be the marks of independent answers to one prompt, $\bar G$ their mean, $\psi_i$ the scores of the answers. The
# obvious baseline is $\bar G$. It contains $G_i$ itself, and a baseline must not depend on the action it judges. What does that do?
#
# $$
# \mathbb{E}\big[ (G_i - \bar G)\, \psi_i \big] = \mathbb{E}[G_i \psi_i] - \tfrac1M \sum_j \mathbb{E}[G_j \psi_i] .
# $$
#
# For $j \ne i$ the two are independent, and $\mathbb{E}[\psi_i] = 0$. One term of the sum is left. So the expected gradient is
# the true one times a factor. Write it: {{# mathematics}}

# %%
questions.check_line(
    "09-group-mean",
    lambda M: ...,  # your line in place of the dots
)

# %% [markdown]
# <details><summary>The line</summary>
#
# Of the sum only $j = i$ is left, so the factor is
#
# $$ 1 - \tfrac1M . \tag{2} $$
#
# </details>
#
# A factor is harmless: it is a learning rate. **Leave-one-out** removes it. Take the mean of the *others*,
# $\bar G_{-i} = \tfrac{1}{M-1} \sum_{j \ne i} G_j$. It does not depend on answer $i$, and $G_i - \bar G_{-i} = \tfrac{M}{M-1} (G_i -
# \bar G)$: the same directions, without bias. This is RLOO (Kool et al. 2019; Ahmadian et al. 2024). {{# mathematics}}
#
# ### 3.2 Divided by the deviation
#
# **GRPO** (Shao et al. 2024) divides each group by its standard deviation, $(G_i - \bar G) / \sigma_G$. With marks of 0 and 1 an advantage
# depends on the answer's own mark and on how many of the group are right, so for one prompt the expected gradient is that of its
# success rate $h$ times a number. In a large group the number is $1 / \sqrt{h (1 - h)}$: a prompt that is almost always or almost never
# answered right gets a larger weight than one in the middle. In a small group most answers to such a prompt are alike, their deviation
# is 0, they give nothing, and the weight stays bounded. Each prompt has another number, so the sum over prompts is no longer the gradient of the
# expected mark. {{# mathematics}}
#
# All of this can be seen without sampling. Two prompts with three possible answers each, the first answer right; one prompt is easy,
# the other hard. Every group of eight answers is enumerated and counted with its probability:

# %%
# {{# computed}}
logits = torch.tensor([[1.0, 0.0, -1.0], [-4.0, 0.5, 0.0]], requires_grad=True)  # [prompts, answers]
marks = torch.tensor([1.0, 0.0, 0.0])  # of the three answers
groups = torch.cartesian_prod(*[torch.arange(3)] * 8)  # [6561, 8], all of them


def expected_gradient(estimate):
    """The mean gradient over all groups, [prompts, answers]."""
    log_prob = logits.log_softmax(-1)[:, groups]  # [prompts, 6561, 8]
    probability = log_prob.sum(-1).exp().detach()  # of a group
    surrogate = (estimate(marks[groups]) * log_prob).mean(-1)
    return torch.autograd.grad((probability * surrogate).sum(), logits)[0]


success = logits.softmax(-1)[:, 0]
exact = torch.autograd.grad(success.sum(), logits)[0]
print(
    f"easy: {success[0]:.1%} right, hard: {success[1]:.1%}; expected gradient of each answer's logit, relative to the exact one:"
)
for name in ("none", "leave_one_out", "group_mean", "group_normalized"):
    easy, hard = ([round(x, 3) for x in row] for row in (expected_gradient(advantages.BY_NAME[name]) / exact).tolist())
    print(f"{name:17} easy {easy}, hard {hard}")

# %% [markdown]
# Leave-one-out is exact, the group mean is 1 − 1/8 of it, and the normalised advantage weighs the hard prompt more. {{# computed}}
#
# ### 3.3 Groups that say nothing
#
# If all answers of a group are right, or all wrong, every group-relative advantage is 0: the group was paid for and teaches nothing. At
# a success rate of $h$ at this prompt this happens with probability $h^M + (1-h)^M$. On the dial, {{language:dial/leave_one_out/informative_first}} %
# of the groups of eight say something in the first ten updates, and {{language:dial/leave_one_out/informative_last}} % in the last ten;
# of the groups of two, {{language:dial/2_samples/informative_last}} %.
# {{# description}}
#
# Two answers to this: ask prompts of the right difficulty (a **curriculum**), or draw again until a group is mixed (DAPO, Yu et al. 2025). A curriculum on the turtle that begins with three moves, and allows one more every 20 updates, has groups that say something in
# {{more cases | language:turtle/curriculum/informative_first > language:turtle/leave_one_out/informative_first}} at first,
# {{language:turtle/curriculum/informative_first}} % instead of {{language:turtle/leave_one_out/informative_first}} %. At the end
# {{no difference in success is seen | language:turtle/curriculum/success ~ language:turtle/leave_one_out/success}}.

# %% [markdown]
# ## 4. What a baseline buys here
#
# Same budget, several ways to make an advantage. "Critic" is PPO as in lesson 04: a second transformer with the weights of
# the first learns the value of each unfinished answer; GAE with $\lambda = 1$ gives an advantage for each token.

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "09-baseline",
    "The dial: success begins near 5 %, marks are 0 and 1. Which advantages learn well?",
    [
        "Leave-one-out alone; without a baseline nothing is learnt",
        "The critic first, then the groups, then no baseline",
        "All, and no baseline is not behind the others",
        "The normalised one alone: right answers are rare",
    ],
    answer=2,
    explanation="All five learn. Whoever expects a baseline to help is right about many tasks, CartPole among them; the next sections say "
    "what is different here.",
)

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, axes = plots.new_figure(columns=3, width=10.5, height=3.8)
looks = {
    "none": ("no baseline", "#000000", ":"),
    "leave_one_out": ("leave-one-out", plots.COLOURS["ppo"], "-"),
    "group_normalized": ("normalised", plots.COLOURS["reinforce"], "--"),
    "critic": ("critic", plots.COLOURS["a2c"], "-."),
}
for ax, task in zip(axes, ("sorting", "dial"), strict=False):
    for name, (label, colour, style) in looks.items():
        plots.claimed_band(ax, curves[f"{task}/{name}"], label=label, colour=colour, style=style)
    ax.set(title=f"{task}: marks 0 and 1")
for name, suffix in (("none", "none_plus_1"), ("leave_one_out", "leave_one_out_plus_1")):
    label, colour, style = looks[name]
    plots.claimed_band(axes[2], curves[f"dial/{suffix}"], label=label, colour=colour, style=style)
axes[2].set(title="dial: marks 1 and 2")
for ax in axes:
    ax.set(xlabel="updates", xlim=(0, 80), ylim=(0, 102))
axes[0].set_ylabel("right answers [%]")
axes[0].legend(loc="lower right", fontsize=9)
page.figure(
    figure,
    alt="Three panels of success over 80 updates. On sorting and dial with marks 0 and 1 all four curves rise together. On the dial with marks 1 "
    "and 2 leave-one-out rises as before, and no baseline stays far below.",
    caption="Ten seeds each, 95 % bands, moving average of five updates. Compare the dotted line, no baseline, in the middle and on the right.",
)

# %% [markdown]
# | dial | right at the end [%] | right over all 80 updates [%] |
# |---|---|---|
# | no baseline | {{language:dial/none/success}} | {{language:dial/none/mean_success}} |
# | batch mean | {{language:dial/batch_mean/success}} | {{language:dial/batch_mean/mean_success}} |
# | leave-one-out | {{language:dial/leave_one_out/success}} | {{language:dial/leave_one_out/mean_success}} |
# | group, normalised | {{language:dial/group_normalized/success}} | {{language:dial/group_normalized/mean_success}} |
# | critic, $\lambda = 1$ | {{language:dial/critic/success}} | {{language:dial/critic/mean_success}} |
# | no baseline, marks 1 and 2 | {{language:dial/none_plus_1/success}} | {{language:dial/none_plus_1/mean_success}} |
# | leave-one-out, marks 1 and 2 | {{language:dial/leave_one_out_plus_1/success}} | {{language:dial/leave_one_out_plus_1/mean_success}} |
#
# With marks of 0 and 1, {{no difference is seen between leave-one-out and the critic | language:dial/leave_one_out/success ~
# language:dial/critic/success, language:sorting/leave_one_out/success ~ language:sorting/critic/success}}, on the dial and on sorting: a second
# network as large as the first is not seen to help where the only reward is the mark at the end. And no baseline at all ends
# {{higher than leave-one-out | language:sorting/none/success > language:sorting/leave_one_out/success}} on sorting, at
# {{language:sorting/none/success}} % against {{language:sorting/leave_one_out/success}} %; on the dial {{no
# difference is seen | language:dial/none/success ~ language:dial/leave_one_out/success}}.
#
# The bands of the dial reach far down: {{language:dial/leave_one_out/updates_to_most/count}} of ten runs get to 90 %,
# {{language:dial/none/updates_to_most/count}} without a baseline and {{language:dial/critic/updates_to_most/count}} with a critic. What the
# imitation of these seeds left out, no advantage brings. {{# hypothesis}}
#
# ### 4.1 Why no baseline is a good baseline here
#
# Lesson 02 derived the constant that leaves the least variance. It is not the mean of the marks, but a mean weighted by squared scores:
#
# $$
# b^* = \frac{\mathbb{E}\big[\lVert \psi \rVert^2\, G\big]}{\mathbb{E}\big[\lVert \psi \rVert^2\big]} . \tag{3}
# $$
#
# After training, a right answer is one that the model is sure of: its tokens have probabilities near 1, and its score is short (the third
# question at the beginning). A wrong answer holds an improbable token, and its score is long. Measured on the dial, over 2,048 answers of
# each model; variances over 100 batches: {{# mathematics}}
#
# | | before training | after 80 updates |
# |---|---|---|
# | mean mark | {{language:gradients/start/mean_reward}} | {{language:gradients/late/mean_reward}} |
# | mean squared score of right answers | {{language:gradients/start/score_of_right}} | {{language:gradients/late/score_of_right}} |
# | mean squared score of wrong answers | {{language:gradients/start/score_of_wrong}} | {{language:gradients/late/score_of_wrong}} |
# | $b^*$ of equation (3) | {{language:gradients/start/best_baseline}} | {{language:gradients/late/best_baseline}} |
# | variance with leave-one-out, relative to none | {{language:gradients/start/variance_leave_one_out}} | {{language:gradients/late/variance_leave_one_out}} |
# | variance with marks 1 and 2, relative to 0 and 1 | {{language:gradients/start/variance_none_plus_1}} | {{language:gradients/late/variance_none_plus_1}} |
#
# Before training $b^*$ is about the mean mark, and that is near 0, since right answers are rare. In the end most marks are 1, and the
# best constant is still near 0, because the long scores belong to the wrong answers. To subtract the mean is to reward right answers with
# almost nothing and to punish the rare wrong ones with almost −1: the variance is
# {{larger | language:gradients/late/variance_leave_one_out > 1}} than with nothing subtracted. With marks of 0 and 1, "no baseline"
# means that wrong answers have no gradient at all, which is imitation of one's own right answers. {{# mathematics}}
#
# So is a baseline useless? Add 1 to every mark, which changes no comparison between answers. Without a baseline the variance at the
# start becomes {{language:gradients/start/variance_none_plus_1}} times as large; after 80 updates {{fewer |
# language:dial/none_plus_1/success < language:dial/none/success}} answers are right, {{language:dial/none_plus_1/success}} %.
# Leave-one-out sees no difference by construction: an offset cancels.
# A baseline makes you independent of where somebody put the zero. {{# mathematics}}

# %% [markdown]
# ## 5. Several steps on the same answers
#
# At scale, answers are dear (section 12), and a batch of them is used more than once; here twice. From the second step on, the model that
# is trained is not the one that answered, and the ratio of lesson 04 corrects for it, token by token: {{# design}}
#
# $$
# \ell_t = -\min\big( \rho_t \hat A,\; \operatorname{clip}(\rho_t, 1 - \epsilon, 1 + \epsilon)\, \hat A \big), \qquad
# \rho_t = \frac{\pi_\theta(a_t \mid s_t)}{\pi_{\text{old}}(a_t \mid s_t)} . \tag{4}
# $$
#
# The numbers of $\pi_{\text{old}}$ are those with which the tokens were sampled; they are kept with the answers. A ratio for each token is
# not the ratio of the answers, which is their product. GSPO (Zheng et al. 2025) takes the geometric mean of an answer's ratios in place
# of each. The loss is the sum of (4) over all tokens, divided by a constant; section 5.1 is about other averages.

# %%
page.source(update, folded="the package's update: ratio, clip, average, step")

# %% [markdown]
# | dial | right at the end [%] | right over all 80 updates [%] |
# |---|---|---|
# | 1 step on each batch | {{language:dial/1_epoch/success}} | {{language:dial/1_epoch/mean_success}} |
# | **2 steps** | {{language:dial/leave_one_out/success}} | {{language:dial/leave_one_out/mean_success}} |
# | 4 steps | {{language:dial/4_epochs/success}} | {{language:dial/4_epochs/mean_success}} |
# | 4 steps, not clipped | {{language:dial/4_epochs_unclipped/success}} | {{language:dial/4_epochs_unclipped/mean_success}} |
# | 2 steps, geometric mean of the ratios | {{language:dial/sequence_ratio/success}} | {{language:dial/sequence_ratio/mean_success}} |
#
# A second step on the same answers pays: over all updates {{more answers are right | language:dial/leave_one_out/mean_success >
# language:dial/1_epoch/mean_success}} than with one. With four {{more again | language:dial/4_epochs/mean_success >
# language:dial/leave_one_out/mean_success}}. Four steps without the clip end {{farther from the model after imitation: a larger
# distance | language:dial/4_epochs_unclipped/reference_kl > language:dial/4_epochs/reference_kl}},
# {{language:dial/4_epochs_unclipped/reference_kl}} nats an answer against {{language:dial/4_epochs/reference_kl}}, and with {{fewer right answers |
# language:dial/4_epochs_unclipped/success < language:dial/4_epochs/success}}. The geometric mean in place of a ratio for each token ends
# {{lower | language:dial/sequence_ratio/success < language:dial/leave_one_out/success}}, by a few points. {{# description}}

# %% [markdown]
# ### 5.1 How tokens are averaged · further
#
# (4) is a loss for each token. Three ways to make one number of it are in use: the mean over each answer's tokens and then over answers
# (GRPO), the mean over all tokens of the batch (DAPO), the sum over all tokens divided by a constant (Dr. GRPO, Liu et al. 2025). Only
# the last gives a multiple of the policy gradient. It is what all other runs of this lesson use, and exercise 4. The first divides each answer's push by its length $T$. A wrong answer of 20 tokens is pushed
# down with a fifth of the force per token that a wrong answer of 4 gets, so among wrong answers long ones survive; among right ones,
# short ones are pulled up harder. Liu et al. blame this for wrong answers that grow longer and longer during training. {{# mathematics}}
#
# Is it seen here? The turtle's answers have up to 23 tokens. Its wrong answers have {{language:turtle/average_answer/wrong_length_first}}
# tokens in the first ten updates and {{language:turtle/average_answer/wrong_length_last}} in the last ten with the mean over each
# answer; with the constant they have {{language:turtle/leave_one_out/wrong_length_first}} and
# {{language:turtle/leave_one_out/wrong_length_last}}: {{no difference is seen in how long they get |
# language:turtle/average_answer/wrong_length_last ~ language:turtle/leave_one_out/wrong_length_last}}. Wrong answers do grow, under both
# averages, because answers that write states down are right more often and take the others with them. The bias is in the formula, and
# on this task it is small beside what the marks say. {{# hypothesis}}

# %% [markdown]
# ## 6. Near the reference
#
# Training may ruin what the model could do before. The usual remedy is a price on the distance from the model after imitation, the
# **reference** $\pi_{\text{ref}}$: maximise $\mathbb{E}[G] - w_{\text{KL}}\, \text{KL}(\pi_\theta \,\|\, \pi_{\text{ref}})$.
#
# | symbol | meaning | in code | shape |
# |---|---|---|---|
# | $\pi_{\text{ref}}$ | the reference: the model before policy gradients | `reference` | a distribution |
# | $w_{\text{KL}}$ | price of a nat of distance from the reference | `kl_coef` | a number |
# | $\zeta_t$ | $\log \pi_\theta(a_t \mid s_t) - \log \pi_{\text{ref}}(a_t \mid s_t)$ of a token that $\pi_\theta$ chose | `log_prob - reference` | `[B, T]` |
#
# The divergence is estimated from the tokens at hand. Three estimators (Schulman 2020) have been told apart in lesson 04: $k_1 =
# \zeta$, $k_2 = \zeta^2 / 2$, and $k_3 = e^{-\zeta} - 1 + \zeta$. As *values*, $k_1$ and $k_3$ are unbiased, $k_2$ is not.
#
# ### 6.1 A right value can have a wrong gradient
#
# Now put one of them into the loss and let autograd differentiate it, with tokens that were drawn from $\pi_\theta$ and stay. In one state,
# with the score $\psi$ of its token:
#
# $$
# \mathbb{E}[\nabla k_1] = \mathbb{E}[\psi] = 0, \qquad
# \mathbb{E}[\nabla k_2] = \mathbb{E}[\zeta\, \psi] = \nabla\, \text{KL}(\pi_\theta \,\|\, \pi_{\text{ref}}), \qquad
# \mathbb{E}[\nabla k_3] = \mathbb{E}\big[(1 - e^{-\zeta})\, \psi\big] = \nabla\, \text{KL}(\pi_{\text{ref}} \,\|\, \pi_\theta). \tag{5}
# $$
#
# $k_1$, whose value is right, has a gradient of pure noise. $k_2$, whose value is biased, has the right gradient. $k_3$ has the gradient
# of the *other* divergence, since $\mathbb{E}[e^{-\zeta} \psi] = \sum \pi_{\text{ref}}\, \psi$ is minus the gradient of
# $\text{KL}(\pi_{\text{ref}} \,\|\, \pi_\theta)$. (In a second step on the same answers the tokens come from the policy before, and (5) holds
# nearly.) Enumerated on five tokens: {{# mathematics}}

# %%
# {{# computed}}
theta = torch.tensor([1.0, 0.2, -0.5, 0.0, -1.5], requires_grad=True)
log_q = torch.tensor([0.0, 0.5, 0.3, -1.0, 0.2]).log_softmax(-1)


def value_and_gradient(of):
    """The value of a function of log p, and its gradient with respect to theta."""
    value = of(theta.log_softmax(-1))
    return value.item(), torch.autograd.grad(value, theta)[0]


to_p = value_and_gradient(lambda log_p: (log_p.exp() * (log_p - log_q)).sum())
to_q = value_and_gradient(lambda log_p: (log_q.exp() * (log_q - log_p)).sum())
print(f"KL(p, q) = {to_p[0]:.4f}, KL(q, p) = {to_q[0]:.4f}")
p = theta.softmax(-1).detach()  # the tokens were drawn, and stay
for name, estimator in losses.KL_BY_NAME.items():
    value, slope = value_and_gradient(lambda log_p, estimator=estimator: (p * estimator(log_p, log_q)).sum())
    print(
        f"{name}: value {value:.4f}; gradient {slope.norm():.3f} long, {(slope - to_p[1]).norm():.3f} from that of KL(p, q), "
        f"{(slope - to_q[1]).norm():.3f} from that of KL(q, p)"
    )

# %% [markdown]
# For a whole answer one thing is missing in all three: a token also changes which states come after it, and what they cost. The way that has
# this too is to subtract $w_{\text{KL}}\, k_1$ from the *reward* of each token, as data, and to let the policy gradient weigh each token by all
# that follows, as it does with any reward. InstructGPT (2022) does so. {{# mathematics}}
#
# ### 6.2 What they do in training
#
# The dial, $w_{\text{KL}} = 0.05$, everything else equal:

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.predict(
    "09-k1",
    "Which of the four keeps the model nearest to its reference?",
    ["k1 in the loss", "k2 in the loss", "k3 in the loss", "k1 in the reward"],
    answer=2,
    explanation="Its value, e to the power of minus ζ, explodes for tokens that the reference would choose and the model no longer "
    "does: the other divergence forbids to give anything up.",
)

# %% [markdown]
# | | distance at the end [nats an answer] | right, sampled [%] | right at least once in 64 [%] |
# |---|---|---|---|
# | no price | {{language:dial/leave_one_out/reference_kl}} | {{language:dial/leave_one_out/success}} | {{language:dial/leave_one_out/pass_64}} |
# | $k_1$ in the loss | {{language:dial/k1/reference_kl}} | {{language:dial/k1/success}} | {{language:dial/k1/pass_64}} |
# | $k_2$ in the loss | {{language:dial/k2/reference_kl}} | {{language:dial/k2/success}} | {{language:dial/k2/pass_64}} |
# | $k_1$ in the reward | {{language:dial/kl_in_reward/reference_kl}} | {{language:dial/kl_in_reward/success}} | {{language:dial/kl_in_reward/pass_64}} |
# | $k_3$ in the loss | {{language:dial/k3/reference_kl}} | {{language:dial/k3/success}} | {{language:dial/k3/pass_64}} |
#
# As (5) says, $k_1$ in the loss does nothing: {{no difference in distance is seen | language:dial/k1/reference_kl ~
# language:dial/leave_one_out/reference_kl}} to no price at all. $k_3$ holds {{the model nearest, with a smaller distance than each of the
# others | language:dial/k3/reference_kl < language:dial/k2/reference_kl, language:dial/k3/reference_kl <
# language:dial/kl_in_reward/reference_kl, language:dial/k3/reference_kl < language:dial/k1/reference_kl}}. It pays with {{fewer right
# answers | language:dial/k3/success < language:dial/leave_one_out/success}}. A price of 0.05 is not of the same strength in the four:
# compare estimators at equal distance, not at an equal coefficient. {{# advice}}

# %% [markdown]
# ## 7. A reward that was learnt
#
# Most questions have no verifier. Then people compare two answers, and a model of the reward is fitted so that it explains what they
# preferred (Christiano et al. 2017). Bradley and Terry (1952): the first answer is preferred with probability
# $\operatorname{sigmoid}(r_1 - r_2)$, so the loss of a pair is $-\log \operatorname{sigmoid}(r_1 - r_2)$ with the preferred one first.

# %%
page.source(preferences.fit_reward_model, folded="the package's version")

# %% [markdown]
# Here a judge compares two answers of the model after imitation on sorting, by the digits that stand at their right places; 5,000 pairs.
# A transformer learns a reward from them, and replaces the verifier; of two equal answers the judge takes either. We know what the judge
# wanted, so we can watch both: the learnt reward, which is trained on, and the digits in place, which are not.

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, (left, right) = plots.new_figure(columns=2, width=9.8, height=3.8)
prices = {
    "0": ("no price", "#000000", ":"),
    "0.1": ("0.1", plots.COLOURS["reinforce"], "--"),
    "0.5": ("0.5", plots.COLOURS["ppo"], "-"),
    "2": ("2", plots.COLOURS["a2c"], "-."),
}
for name, (label, colour, style) in prices.items():
    plots.claimed_band(left, curves[f"hacked/{name}/score"], label=label, colour=colour, style=style)
    plots.claimed_band(right, curves[f"hacked/{name}/quality"], label=label, colour=colour, style=style)
left.set(ylabel="learnt reward")
right.set(ylabel="digits in their places [%]", ylim=(0, 100))
for ax in (left, right):
    ax.set(xlabel="updates", xlim=(0, 80))
left.legend(loc="upper left", title="price of a nat", fontsize=9)
page.figure(
    figure,
    alt="Left: the learnt reward rises in all four versions, the more the lower the price. Right: digits in place rise at first in all, then fall far "
    "below the start without a price and with a low one, and stay up with 0.5.",
    caption="Ten seeds, 95 % bands. Left what training sees, right what the judge wanted. Look at the dotted lines.",
)

# %% [markdown]
# Without a price the digits in place go from {{language:hacked/0/quality_first}} % to {{language:hacked/0/quality_best}} % at best, after
# {{language:hacked/0/best_update}} updates, and then to {{language:hacked/0/quality_last}} %,
# {{lower than before training | language:hacked/0/quality_last < language:hacked/0/quality_first}}. The learnt reward rises all the while.
# The policy has moved to answers that nobody ever compared, and goes where the guess is high. This is called **over-optimisation** or
# reward hacking; Gao et al. (2023) measured the same rise and fall with large models. {{# description}}
#
# **The distance from the reference is the brake.** The best moment lies {{language:hacked/0/kl_at_best}} nats from the reference. A price of 0.5 keeps the
# model at {{language:hacked/0.5/kl_last}} nats and the digits at {{language:hacked/0.5/quality_last}} %,
# {{higher | language:hacked/0.5/quality_last > language:hacked/0/quality_last}} than without; a price of 0.1 slows the fall
# ({{language:hacked/0.1/quality_last}} %), and with 2 it learns {{less | language:hacked/2/quality_last <
# language:hacked/0.5/quality_last}} ({{language:hacked/2/quality_last}} %). Nothing in the training curve says which price is right. Only
# answers judged anew do. {{# advice}}

# %% [markdown]
# ## 8. New answers, or surer ones?
#
# **pass@k** is the probability that at least one of $k$ answers to a prompt is right, on average over prompts. pass@1 is success. How to estimate it from $n$ answers of which
# some are right is exercise 8.

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, (left, right) = plots.new_figure(columns=2, width=9.8, height=3.8)
plots.claimed_band(left, curves["turtle/base/tries"], label="after imitation", colour="#000000", style=":")
plots.claimed_band(left, curves["turtle/leave_one_out/tries"], label="after training", colour="ppo", style="-")
left.set(
    title="turtle", xlabel="answers k to each prompt", ylabel="right at least once [%]", xscale="log", ylim=(0, 102)
)
left.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
left.legend(loc="lower right")
for task, marker, colour in (("dial", "o", plots.COLOURS["reinforce"]), ("turtle", "^", plots.COLOURS["a2c"])):
    of = {
        name: measured["values"][f"{task}/leave_one_out/{name}"]["per_seed"] for name in ("success", "pass_64_change")
    }
    right.scatter(of["success"], of["pass_64_change"], marker=marker, color=colour, label=task)
right.axhline(0, color=plots.COLOURS["threshold"], linestyle=(0, (1, 3)))
right.set(title="each run", xlabel="pass@1 after training [%]", ylabel="change of pass@64 [%]", xlim=(0, 102))
right.legend(loc="lower right")
page.figure(
    figure,
    alt="Left: pass at k of the turtle over k from 1 to 64; the trained model starts far higher and the two lines meet at 64, with wide bands. "
    "Right: twenty points, change of pass at 64 over pass at 1 at the end: below zero for the runs on the left, at or above it for those on "
    "the right.",
    caption="200 prompts, 64 answers each. Left: ten seeds, 95 % bands. Right: a point is a run with leave-one-out. Look at the runs that "
    "learnt little.",
)

# %% [markdown]
# On the turtle pass@1 rises from {{language:turtle/base/success}} to {{language:turtle/leave_one_out/success}} %; for pass@64
# {{no difference is seen | language:turtle/leave_one_out/pass_64 ~ language:turtle/base/pass_64}}: {{language:turtle/base/pass_64}} before,
# {{language:turtle/leave_one_out/pass_64}} after. Given 64 tries, the models before and after training
# are not told apart: training has made answers sure that were given now and then. It **sharpens**. {{# description}}
#
# The runs are of two kinds. In {{language:turtle/leave_one_out/stuck/count}} of ten on the turtle and
# {{language:dial/leave_one_out/stuck/count}} of ten on the dial fewer than 60 % are right in the end, and pass@64 fell in
# {{language:turtle/leave_one_out/stuck_and_lost/count}} and {{language:dial/leave_one_out/stuck_and_lost/count}} of these; of the other
# runs it fell in {{language:turtle/leave_one_out/learnt_and_lost/count}} and {{language:dial/leave_one_out/learnt_and_lost/count}}. A run that
# settles on wrong answers gives up the right ones it had. {{# description}} Yue et al. (2025) report for large models that pass@1 rises
# while pass@k for large k falls, and ask whether training finds anything new. {{# cited}}
#
# Sure answers have little entropy; where it is 0 before the task is learnt, this is **entropy collapse**. On the dial the entropy of a token falls from {{language:dial/leave_one_out/entropy_first}}
# to {{language:dial/leave_one_out/entropy_last}} nats. As it falls, groups become uniform, and there is less and less to learn from
# (section 3.3). {{# description}}

# %% [markdown]
# ## 9. Watch it learn
#
# The model that imitated the dial's teacher, from the middle seed of the study, and 60 updates with leave-one-out. Before you run it: will
# answers that write their states down become rarer, or more frequent? {{# question}}

# %%
base = imitated("dial")
seen = Transcripts(DIAL, base, ["k 3M2   >", "a 11M3  >", "x 2M31M >", "e M32121>"], every=6)
config = replace(PRESETS["dial"], num_updates=60, seed=7)
result = train(config, base, on_iteration=seen)
print("right in the last ten updates:", f"{result.metrics['charts/success'][-10:].mean():.0%}")

# %% jupyter={"source_hidden": true}
seen.show()

# %% [markdown]
# After imitation {{language:dial/base/written}} % of the answers write their states down, after training
# {{language:dial/leave_one_out/written}} %, {{more | language:dial/leave_one_out/written > language:dial/base/written}}. Nobody rewarded
# that. Answers that take one step after another are right more often, so they were made likelier. {{# hypothesis}}

# %% [markdown]
# ## 10. Your experiment: how many answers to a prompt?
#
# 256 answers an update: 32 prompts with 8 answers each. What about 8 prompts with 32? Write down your guess first: a better baseline for
# each prompt, or too few prompts? Then change the line. {{# question}}

# %%
changed = replace(PRESETS["dial"], num_prompts=8, num_samples=32, num_updates=50, seed=3)  # change me
run = train(changed, base)

# %% jupyter={"source_hidden": true}
figure, ax = plots.new_figure()
plots.claimed_band(ax, curves["dial/leave_one_out"], label="32 × 8, ten seeds", colour="ppo", style="-")
ax.plot(
    np.arange(1, len(run.metrics["charts/success"]) + 1),
    100 * moving_average(run.metrics["charts/success"], 5),
    color=plots.COLOURS["learner"],
    label="yours, one seed",
)
ax.set(xlabel="updates", ylabel="right answers [%]", xlim=(0, 80), ylim=(0, 102))
ax.legend(loc="lower right")
page.figure(
    figure,
    alt="Your learning curve on the band of ten measured runs with 32 prompts of 8 answers.",
    caption="The band is for the mean of ten runs with models of ten seeds; yours is one run from one of them.",
)

# %% [markdown]
# <details><summary>A model answer (write yours first)</summary>
#
# Over ten seeds and 80 updates, {{language:dial/32_samples/mean_success}} % of the answers are right with 8 × 32,
# {{language:dial/leave_one_out/mean_success}} % with 32 × 8, and {{language:dial/2_samples/mean_success}} % with 128 × 2. Eight prompts give
# {{fewer right answers | language:dial/32_samples/mean_success < language:dial/leave_one_out/mean_success}} than 32: each has a better
# baseline, and the batch says less about other prompts. With 128 prompts it is {{fewer too | language:dial/2_samples/mean_success <
# language:dial/leave_one_out/mean_success}}: most groups of two are alike (section 3.3). {{# hypothesis}}
#
# </details>

# %% [markdown]
# ## 11. A patient
#
# Someone trains on the dial without a baseline, "since the lesson says that it is not needed", with a verifier of their own. It runs
# without an error. Ten seeds beside the healthy version. Symptom first: what do you see, and what could do this?

# %% jupyter={"source_hidden": true}
# {{# description}}
figure, axes = plots.new_figure(columns=2, width=9.5, height=3.6)
for ax, metric, label in zip(
    axes, ("success", "entropy"), ("right answers [%]", "entropy [nats a token]"), strict=True
):
    plots.claimed_band(ax, curves[f"dial/none/{metric}"], label="healthy", colour="ppo", style="-")
    for number, line in enumerate(curves[f"dial/none_minus_1/{metric}"]["per_seed"]):
        ax.plot(
            range(1, len(line) + 1), line, color="#000000", linewidth=0.9, label=None if number else "patient, a run"
        )
    ax.set(xlabel="updates", ylabel=label, xlim=(0, 80))
axes[0].set_ylim(0, 102)
axes[0].legend(loc="center left", fontsize=9)
page.figure(
    figure,
    alt="Two panels. The healthy version's success rises early and its entropy falls to nearly 0. Of the patient's ten runs "
    "four rise, three of them late, and six stay near the start and keep a high entropy.",
    caption="Moving average of five updates. Band: ten healthy seeds, 95 %. Lines: ten runs of the patient.",
)

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "09-patient",
    "Which of these explains both panels?",
    [
        "Its learning rate is too small to change anything",
        "Its verifier gives −1 to wrong answers and 0 to right ones",
        "Its mask leaves out END, so that answers never stop",
        "Its ratio uses the log-probabilities of the reference",
    ],
    answer=1,
    reasons=[
        "Then the entropy would stay where it was as well.",
        "Right. Whatever it answers is pushed down, right answers alone are left in peace: probability flows to all that was not said.",
        "Then answers would be cut off at the longest length; the entropy of their tokens would not rise for that.",
        "At the start the two are the same model, and the curve would begin as the healthy one does.",
    ],
)

# %% [markdown]
# <details><summary>Open the patient: the code, and the cure</summary>
#
# ```python
# reward_fn = lambda prompts, answers: verifier(task)(prompts, answers) - 1      # -1 and 0 in place of 0 and 1
# ```
#
# {{language:dial/none_minus_1/updates_to_half/count}} of ten runs ever have half of their answers right, {{fewer answers are right at the end |
# language:dial/none_minus_1/success < language:dial/none/success}}. The cure is to leave out the $-1$, or any baseline from a group, in which
# the offset cancels. Print the marks of one batch before you train. {{# advice}}
#
# </details>

# %% [markdown]
# ## 12. At scale · further
#
# What stays: all formulas of this lesson, and the loop. `pgcourse.language` asks a model for logits and for nothing else, so a model of
# Hugging Face's library will do. Here a tiny GPT-2 with random weights imitates and is trained, if `transformers` is installed (the
# extra `language`); nothing is downloaded.

# %%
if importlib.util.find_spec("transformers"):
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = {"vocab_size": VOCABULARY_SIZE, "n_positions": 48, "n_embd": 32, "n_layer": 2, "n_head": 4}
    silent = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}  # dropout would change the ratios
    generator = np.random.default_rng(0)
    with seeded(0):
        gpt2 = GPT2LMHeadModel(GPT2Config(**shape, **silent, bos_token_id=END, eos_token_id=END))
        imitation.fit(
            gpt2,
            lambda: imitation.imitation_loss(gpt2, imitation.demonstrations(SORTING, 64, generator)),
            steps=200,
            learning_rate=1e-2,
        )
    trained = train(replace(PRESETS["sorting"], num_updates=30), gpt2, device="cpu").metrics["charts/success"]
    print(
        f"GPT-2, {gpt2.num_parameters():,} parameters: right at first {trained[0]:.0%}, in update 30 {trained[-1]:.0%}"
    )
else:
    print('not run: pip install "pgcourse[language]", or make extras in a clone')

# %% [markdown]
# What is different, and cannot be seen in this small world:
#
# - **Sampling is most of the cost**, and is done by another program (vLLM, SGLang). Its numbers differ by rounding from those of the
#   trainer, so even the first ratio is not 1; Yao et al. (2025) measure what this does. {{# cited}}
# - **Weights are late.** Where sampling and training run side by side, answers come from a policy that is some updates old, and the ratio
#   of section 5 has work to do in the first step already.
# - **Memory speaks against the critic**: it is a second network as large as the policy, which is one reason that Shao et al. (2024)
#   give for groups. {{# cited}}
# - **Verifiers have holes.** Baker et al. (2025) show models that pass the tests of a program without writing the program.
# - **Answers have thousands of tokens**, and the averages of section 5.1 decide who is pushed how hard.
# - **What the base model can do** is set by pretraining; how far training gets beyond it is the question of section 8.
#
# InstructGPT (Ouyang et al. 2022) is PPO with a critic and a learnt reward, $k_1$ in the reward. DeepSeek-R1 (2025) is GRPO with
# verifiers, $k_3$ in the loss. DAPO (2025) and Dr. GRPO (2025) drop the KL and change the average. The parts of all four are in this lesson, but for DAPO's wider clip and its drawing again. {{# wording}}

# %% [markdown]
# ## 13. Common mistakes, and how they look · further
#
# | mistake | what you see |
# |---|---|
# | logits and tokens not shifted by one | the ratio before the first step is not 1, as long as the old numbers are those of the sampler; computed anew by the same wrong function, they hide it |
# | END left out of the mask | the model is never rewarded for stopping; answers drift to the longest length |
# | temperature in sampling, not in the log-probabilities | the ratio before the first step is not 1, under the same condition |
# | KL as `k1` in the loss, "because it is unbiased" | {{no difference in distance | language:dial/k1/reference_kl ~ language:dial/leave_one_out/reference_kl}} to no KL at all (section 6.2) |
# | group statistics over the batch, or reshaped the wrong way: prompts repeated as `abcabc`, grouped as `aabbcc` | learning with advantages of other prompts: noise |
# | an offset in the marks, and no baseline | section 11 |
# | groups that are all right counted as success of training | success rises, the share of groups that say something falls, and the policy stands still |
# | judged by the reward that is trained on | section 7: it rises by construction {{# design}} |

# %% [markdown]
# ## 14. Quiz

# %% jupyter={"source_hidden": true}
# {{# question}}
questions.quiz(
    "09-quiz-kl",
    "You want the gradient of KL(policy, reference) in one state, on average over tokens of the policy. What do you differentiate?",
    ["k1 in the loss", "k2 in the loss", "k3 in the loss", "any of the three"],
    answer=1,
    reasons=[
        "Its gradient is the score, whose mean is 0.",
        "Right: the gradient of half the square is ζ times the score.",
        "That is the gradient of the divergence taken the other way round.",
        "Their gradients are of three different things.",
    ],
)

# %% [markdown]
# ## 15. What to remember
#
# 1. An answer is an episode whose only chance is the policy's own. With one mark at the end and $\gamma = 1$ the bandit view is exact.
# 2. The mean of a group as baseline scales the expected gradient by $1 - 1/M$; leave-one-out does not; dividing by the deviation turns it.
# 3. With marks of 0 and 1 the best constant baseline was near 0 on the dial, before training and after. A baseline protects against offsets.
#    {{# description}}
# 4. An estimator of KL in the loss is known by its gradient, in each state: $k_1$ none, $k_2$ the right one, $k_3$ that of the other
#    divergence. Only a price in the reward counts what a token does to later states. {{# mathematics}}
# 5. A learnt reward is right where answers were compared. Pay for distance, and judge by something that is not trained on.
#
# **Now write it yourself:** [the exercises of this unit](../exercises/09_language_models.ipynb) build the parts, and train a model with
# *your* functions.

# %% [markdown]
# ## Further reading · further
#
# - L. Ouyang et al. (2022), *Training language models to follow instructions with human feedback*. The three steps: imitation, reward model, PPO.
# - W. Kool, H. van Hoof and M. Welling (2019), *Buy 4 REINFORCE samples, get a baseline for free!* Leave-one-out, two pages.
# - A. Ahmadian et al. (2024), *Back to basics*. REINFORCE with leave-one-out beside PPO, for language models.
# - Z. Shao et al. (2024), *DeepSeekMath*. Section 4: GRPO. DeepSeek-AI (2025), *DeepSeek-R1*: the same with verifiers, at scale.
# - Z. Liu et al. (2025), *Understanding R1-Zero-like training: a critical perspective*. The biases of length and deviation.
# - Q. Yu et al. (2025), *DAPO*. Mean over tokens, a clip that is wider above, groups drawn again until they are mixed. {{# cited}}
# - C. Zheng et al. (2025), *Group sequence policy optimization*. A ratio for the answer.
# - J. Schulman (2020), *Approximating KL divergence*. k1, k2 and k3 as values.
# - P. Christiano et al. (2017), *Deep reinforcement learning from human preferences*. L. Gao, J. Schulman and J. Hilton (2023), *Scaling laws
#   for reward model overoptimization*.
# - M. Chen et al. (2021), *Evaluating large language models trained on code*. pass@k without bias.
# - B. Baker et al. (2025), *Monitoring reasoning models for misbehavior and the risks of promoting obfuscation*. Rewards that are hacked.
# - Y. Yue et al. (2025), *Does reinforcement learning really incentivize reasoning capacity in LLMs beyond the base model?*
# - F. Yao et al. (2025), *Your efficient RL framework secretly brings you off-policy RL training*. Rounding between sampler and trainer.
