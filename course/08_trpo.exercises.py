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
# # 08 Exercises: write TRPO
#
# Four functions, about 75 minutes. Each is one sentence of the algorithm: the direction that solves $Fx = g$, the product with
# $F$ that this needs, the length that the limit allows, and the search that makes the limit hold. At the end they train an agent
# on CartPole together. The lesson is [08 TRPO](../notebooks/08_trpo.ipynb).
#
# As before: write, run, check. `hint("conjugate_gradient")` gives the next hint, `solution("conjugate_gradient")` says how to
# see a solution; the [exercises of unit 00](00_welcome.ipynb) explain the checks.

# %%
import torch
from torch.distributions import kl_divergence

from pgcourse.checks import check, hint, solution
from pgcourse.show import finale

# %% [markdown]
# ## Fill in the shapes
#
# *No points, 4 minutes.* A policy has 4,610 parameters, a batch 1,024 observations of 4 numbers, and two actions. Write down the
# shape of each, and how many numbers it holds.
#
# | what | shape |
# |---|---|
# | the gradient $g$ of the surrogate, flat | ? |
# | the Fisher matrix $F$ | ? |
# | the product $Fv$ | ? |
# | the mean KL divergence of which $F$ is the second derivative | ? |
# | the natural gradient $x = F^{-1}g$ | ? |
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# `[4610]`, `[4610, 4610]`, `[4610]`, a scalar, `[4610]`. Only $F$ is large: 21 million numbers, 85 MB in float32, for a network
# that is tiny. With a million parameters it would be 4 TB. Everything else is a vector, and conjugate gradient asks for vectors
# only. That is why $F$ never appears in the code below.
#
# </details>
#
# ## Exercise 1: conjugate gradient
#
# *3 points, about 20 minutes, difficulty 3 of 3.*
#
# You are given a function that multiplies by a matrix $A$, and a vector $b$ (in TRPO the gradient $g$). Find $x$ with $Ax = b$.
# Start at 0, where the residual $e = b - Ax$ is $b$ itself, and walk along a search direction $p$, at first $e$. Each round,
#
# $$\eta = \frac{e \cdot e}{p \cdot A p}, \qquad x \leftarrow x + \eta p, \qquad e' = e - \eta A p, \qquad
# p \leftarrow e' + \frac{e' \cdot e'}{e \cdot e}\, p .$$
#
# The lesson shows where this comes from. With pen and paper: do two rounds for $A = \mathrm{diag}(1, 3)$ and $b = (1, 1)$.


# %% nbgrader={"grade": false, "grade_id": "conjugate_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conjugate_gradient(matvec, b, *, iterations, tolerance):
    """Solve A x = b for a symmetric positive definite matrix A that is known only through matvec(v) = A v.

    matvec: function of a tensor [P] that returns a tensor [P]. b: [P], float32 or float64. iterations: int, 0 or more: at most
    so many rounds are done, each with one product. tolerance: float; stop as soon as the norm of the residual b - A x is at
    most tolerance times the norm of b.
    Returns x [P], in the dtype of b; the start is x = 0. For b = 0 the answer is 0, and nothing is divided. b stays as it is.

    Example: A = diag(1, 3) and b = [1, 1] give [0.5, 0.5] after one iteration and [1, 0.333] after two.
    """
    ### BEGIN SOLUTION
    x = torch.zeros_like(b)
    residual, search = b, b
    squared = residual @ residual
    for _ in range(iterations):
        if residual.norm() <= tolerance * b.norm():
            break
        product = matvec(search)
        step = squared / (search @ product)
        x = x + step * search
        residual = residual - step * product
        previous, squared = squared, residual @ residual
        search = residual + (squared / previous) * search
    return x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-conjugate_gradient", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("conjugate_gradient", conjugate_gradient)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("conjugate_gradient", conjugate_gradient).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: the Fisher-vector product
#
# *4 points, about 25 minutes, difficulty 3 of 3.*
#
# How far has a policy moved? Not by the distance of its parameters, but by the divergence of its distributions. Near the current
# policy the mean divergence is $\tfrac12\, \Delta \cdot F \Delta$: its value and its slope are 0 there, and $F$ is its second
# derivative. The product with a vector costs two backward passes: the slope is a vector, its dot product with $v$ is a number, and
# the slope of that number is $Fv$. {{# mathematics}}


# %% nbgrader={"grade": false, "grade_id": "fisher_vector_product", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fisher_vector_product(policy, obs, vector, *, damping):
    """F v + damping v, where F is the second derivative of the mean KL divergence from the current policy.

    policy: nn.Module; policy(obs) gives a distribution for each observation (Categorical, or Independent(Normal, 1)), and
    torch.distributions.kl_divergence(first, second) the divergence of each row. Every parameter has a part in it. obs: [B, D].
    vector: [P], flat, in the order of policy.parameters(). damping: float. obs and vector stay as they are.

    The divergence is between the policy as it is, held fixed, and the same policy as a function of its parameters; the mean is
    over the B observations. F is taken at the current parameters, which stay as they are.
    Returns a flat tensor [P], in the same order. It is called many times in a row, so nothing may be left behind that changes the
    next result.

    Example: two actions with logits equal to a bias [0, 0] (all weights and observations 0), vector [0, 0, 1, -1] (two weights,
    two biases) and damping 0 give [0, 0, 0.5, -0.5]: the probabilities are 1/2, and F of the biases is [[1/4, -1/4], [-1/4, 1/4]].
    """
    ### BEGIN SOLUTION
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    slopes = torch.autograd.grad(kl, parameters, create_graph=True)
    along = torch.cat([slope.reshape(-1) for slope in slopes]) @ vector
    product = torch.autograd.grad(along, parameters)
    return torch.cat([part.reshape(-1) for part in product]) + damping * vector
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-fisher_vector_product", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("fisher_vector_product", fisher_vector_product)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("fisher_vector_product", fisher_vector_product).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the length of the step
#
# *1 point, about 8 minutes, difficulty 1 of 3.*
#
# Conjugate gradient gives a direction $x$. A step of *scale* times $x$ has a divergence of about
# $\tfrac12\, \text{scale}^2\, x \cdot F x$. Solve for the scale at which that is the limit.


# %% nbgrader={"grade": false, "grade_id": "step_scale", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step_scale(natural_gradient, fisher_times_it, *, max_kl):
    """The scale of x at which 1/2 scale^2 (x . F x) reaches max_kl: sqrt(2 max_kl / (x . F x)).

    natural_gradient: x, [P]. fisher_times_it: the product F x, [P]. Both stay as they are. max_kl: float, in nats.
    Returns one number, as a 0-d tensor or a Python float. Where x . F x is 0 or negative (there is nothing to gain, and what is
    left are rounding errors) it is exactly 0, so that the policy stays where it is.

    Example: x = [3, 4], F x = [6, 8] and max_kl 0.01 give 0.02, because x . F x = 50 and sqrt(0.02 / 50) = 0.02.
    """
    ### BEGIN SOLUTION
    curvature = natural_gradient @ fisher_times_it
    if curvature <= 0:
        return torch.zeros_like(curvature)
    return (2 * max_kl / curvature).sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-step_scale", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("step_scale", step_scale)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("step_scale", step_scale).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the line search
#
# *2 points, about 12 minutes, difficulty 2 of 3.*
#
# Direction and length rest on an approximation that is right only nearby. So measure: does this step improve the surrogate, and
# does it stay within the limit? If not, try a shorter one. This is what makes the constraint hard: a step that breaks it is never
# taken. {{# advice}}


# %% nbgrader={"grade": false, "grade_id": "line_search", "locked": false, "schema_version": 3, "solution": true, "task": false}
def line_search(evaluate, step, *, max_kl, backtracks, shrink):
    """The first of step, step * shrink, step * shrink**2, ... that improves the surrogate within the limit.

    evaluate: function of a step [P] that returns (improvement, kl), two Python floats: by how much the surrogate would improve,
    and how large the mean KL divergence would be. step: [P], the full step, tried first. max_kl: float. backtracks: int, so many
    steps are tried at most, the full one included. shrink: float between 0 and 1.

    A step qualifies if improvement > 0 and kl <= max_kl. Either may be NaN where a network breaks down; such a step never
    qualifies.
    Returns the first step that qualifies, [P], and zeros [P] where none does. The tensor `step` stays as it is.

    Example: step [4, -8], max_kl 0.01, backtracks 3, shrink 0.5. If evaluate gives (0.3, 0.02) for [4, -8] and (0.2, 0.005) for
    [2, -4], the answer is [2, -4].
    """
    ### BEGIN SOLUTION
    for power in range(backtracks):
        candidate = step * shrink**power
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            return candidate
    return torch.zeros_like(step)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-line_search", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("line_search", line_search)
### BEGIN HIDDEN TESTS
from pgcourse.checks import run

assert run("line_search", line_search).status == "correct"
### END HIDDEN TESTS

# %% [markdown]
# ## Order the lines
#
# *No points, 5 minutes.* One update of TRPO, in disorder. Put the lines in order. Two of them belong to PPO and must not be used:
# which, and why does TRPO not need them?
#
# ```text
# a  multiply the direction by its scale
# b  x = conjugate_gradient(fisher, g): products with F, no matrix
# c  clip the ratio to 1 - 0.2 ... 1 + 0.2
# d  fit the critic with several gradient steps
# e  g = gradient of the surrogate at the current policy
# f  s = step_scale(x, fisher(x))
# g  compute and normalise the advantages
# h  take ten epochs of minibatches
# i  line_search: measure improvement and divergence, shorten until both are right
# ```
#
# *Your answer: (double-click here and write)*
#
# <details><summary>A model answer</summary>
#
# g, e, b, f, a, i, d; the critic's d may stand anywhere after g. Not used: c and h. TRPO takes one step a batch, and its length
# is limited by the measured divergence, so there is nothing to clip; at the first step of a batch every ratio is 1 anyway. PPO
# trades that one well-measured step for many cheap ones, and the clip is what keeps them together. The critic is fitted after
# g, because the advantages must be those of the critic as it was while the data were collected; nothing after g asks it.
#
# </details>
#
# ## Finale: your TRPO
#
# Your four functions take every step of this agent. Your curve appears on the band of the reference's runs where that has been
# measured, and below it your agent. A function that is not written yet is named; a wrong one gives a curve as far as it got.

# %%
finale.trpo(
    conjugate_gradient=conjugate_gradient,
    fisher_vector_product=fisher_vector_product,
    step_scale=step_scale,
    line_search=line_search,
)

# %% [markdown]
# **Next**: [unit 09](../notebooks/09_language_models.ipynb), the same gradient on text; or the closing project of [unit
# 07](../notebooks/07_trustworthy_experiments.ipynb): an environment of your own, an agent trained on it, and a report with seeds.
