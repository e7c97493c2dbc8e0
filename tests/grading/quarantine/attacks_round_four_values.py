"""A fifth round of submissions, on answers that are values: what no input reaches, and what is kept between calls.

`CELLS` as in round one: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share
of the points that it must not exceed). `RIGHT`: answers that are right in a notebook, and lose nothing.
"""
# ruff: noqa: E501 - some attacks are long lines

from tests.grading.quarantine.attacks_round_three import _sent

D, S, L, T, N, G = "discounted_returns", "standardize", "reinforce_loss", "td_errors", "n_step_returns", "gae"
R, B, A, W = "RunningMeanStd", "bootstrap_interval", "answer_log_prob", "true_next_observations"
U0, U1, U2, U3, U4 = "00_welcome", "01_reinforce", "02_baselines", "03_a2c_gae", "04_ppo"
U5, U6, U7 = "05_continuous_pendulum", "06_debugging_traps", "07_trustworthy_experiments"
U8, U9 = "08_trpo", "09_language_models"

_RETURNS = """
import torch
def discounted_returns(rewards, *, gamma):
    returns, following = torch.empty_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
"""
_TD = """
import torch
def td_errors(rewards, values, next_values, terminated, *, gamma):
    return rewards + gamma * next_values * ~terminated - values
"""
_N_STEP = """
import torch
def n_step_returns(rewards, next_values, terminated, truncated, *, gamma, n):
    bootstrap = next_values * ~terminated
    returns = rewards + gamma * bootstrap
    for _ in range(min(n, len(rewards)) - 1):
        following = torch.cat([returns[1:], bootstrap[-1:]])
        returns = rewards + gamma * torch.where(terminated | truncated, bootstrap, following)
    return returns
"""
_GAE = """
import torch
def gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    with torch.no_grad():
        errors = rewards + gamma * next_values * ~terminated - values
        goes_on = ~(terminated | truncated)
        advantages, following = torch.zeros_like(errors), torch.zeros_like(errors[0])
        for t in reversed(range(len(errors))):
            following = errors[t] + gamma * gae_lambda * goes_on[t] * following
            advantages[t] = following
    return advantages
"""
_STATISTICS = """
import torch
class RunningMeanStd:
    def __init__(self, shape):
        self.count, self.mean, self.var = 0, torch.zeros(shape, dtype=torch.float64), torch.ones(shape, dtype=torch.float64)
    def update(self, x):
        x = x.double()
        rows, mean, var = len(x), x.mean(0), x.var(0, correction=0)
        share, shift = rows / (self.count + rows), mean - self.mean
        self.var = (1 - share) * self.var + share * var + share * (1 - share) * shift.square() if self.count else var
        self.mean = self.mean + share * shift
        self.count += rows
    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)
"""
_BOOTSTRAP = """
import torch
def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):
    num_resamples = COUNT
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    values = torch.func.vmap(statistic)(x[picks]).double()
    tail = (1 - confidence) / 2
    return float(values.quantile(tail)), float(values.quantile(1 - tail))
"""
_CLIP = """
import torch
def ppo_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef):
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
"""
_TOKENS = """
import torch
def clipped_token_loss(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()
"""
_ANSWER = """
import torch
def answer_log_prob(logits, tokens, mask):
    before = logits[:, -tokens.shape[1] - 1 : -1].log_softmax(-1)
    return torch.where(mask, before.gather(-1, tokens.unsqueeze(-1)).squeeze(-1), 0.0)
"""
_LENGTHS = "mask = torch.arange(mask.shape[1]) < mask.sum(1, keepdim=True)\n    "


def _edited(cell: str, **edits: str) -> str:
    """The cell with each text replaced, which must be there once. Args: edits: `old1`, `new1`, `old2`, ..."""
    for number in range(1, len(edits) // 2 + 1):
        assert cell.count(edits[f"old{number}"]) == 1, edits[f"old{number}"]
        cell = cell.replace(edits[f"old{number}"], edits[f"new{number}"])
    return cell


def _one_buffer(cell: str, name: str) -> str:
    """Each answer is written into the memory of the one before."""
    return (
        cell
        + f"""
fresh, kept = {name}, {{}}
def {name}(*inputs, **settings):
    result = fresh(*inputs, **settings).detach()
    buffer = kept.setdefault((result.shape, result.dtype), torch.empty_like(result))
    return buffer.copy_(result)
"""
    )


def _diagnose(head: str, *, late: str = "") -> str:
    """All alarms, with a line before."""
    return (
        "import numpy as np\ndef diagnose(metrics):\n    rings, m = set(), metrics\n"
        + head
        + """
    get = lambda name: np.asarray(m.get(name, ()))
    kl, clip, h, ev = (get('losses/' + name) for name in ('approx_kl', 'clipfrac', 'entropy', 'explained_variance'))
    v, g = get('charts/value_mean'), get('charts/return_mean')
    if len(kl) and kl.max() > 0.05: rings.add('kl-high')
    if len(kl) and kl.max() < 1e-6: rings.add('kl-zero')
    if len(clip) and clip.max() > 0.5: rings.add('clip-fraction-high')
    if len(h) and h[:50].min() < 0.25: rings.add('entropy-collapsed')
    if len(h) >= 25 and h.min() > 0.55: rings.add('entropy-never-falls')
    if len(ev) >= 25 and not np.isnan(ev).all() and np.nanmax(ev) < 0.9: rings.add('explained-variance-low')
    if len(v) >= 25 and len(g) >= 25 and (abs(v - g) / abs(g))[-(len(v) // 4):].mean() > 0.1: rings.add('value-offset')
    if any(x.max() < 1e-6 for name, x in m.items() if NAMED): rings.add('part-not-updated')
    return rings
"""
    ).replace("NAMED", late or "name.startswith('updates/')")


CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # What comes from far off, and what is large.
    "a library that answers may not use": (U1, S, "import einops\ndef standardize(x):\n    x = einops.rearrange(x, 'n -> n')\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)\n", "standard library, numpy, scipy and torch can be used", 0.0),
    "rewards within twenty steps alone": (U1, D, "import torch\ndef discounted_returns(rewards, *, gamma):\n    padded = torch.cat([rewards, 0 * rewards[:1].expand(20, *rewards.shape[1:])])\n    return sum(gamma**k * padded[k : k + len(rewards)] for k in range(20))\n", "", 0.8),
    "surprises within sixteen steps alone": (U3, G, "import torch\n" + _edited(_GAE, old1="range(len(errors))):\n            following = errors[t] + gamma * gae_lambda * goes_on[t] * following\n            advantages[t] = following", new1="range(len(errors))):\n            weight = torch.ones_like(errors[0])\n            for k in range(t, min(t + 16, len(errors))):\n                advantages[t] += weight * errors[k]\n                weight = weight * gamma * gae_lambda * goes_on[k]"), "", 0.8),
    "windows of eight rewards at most": (U3, N, _edited(_N_STEP, old1="min(n,", new1="min(n, 8,"), "", 0.8),
    "returns of fifty at most": (U1, D, _edited(_RETURNS, old1="return returns", new1="return returns.clamp(-50, 50)"), "", 0.8),
    "rewards of one at most": (U1, D, _edited(_RETURNS, old1="rewards[t]", new1="rewards[t].clamp(-1, 1)"), "not yet", 0.25),
    "advantages of forty at most": (U3, G, _edited(_GAE, old1="return advantages", new1="return advantages.clamp(-40, 40)"), "", 0.8),
    "a critic whose large errors count less": (U3, "a2c_losses", "import torch\ndef a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    value_loss = torch.nn.functional.huber_loss(values, returns.detach(), delta=40.0)\n    return -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean(), value_loss\n", "", 0.8),
    "a critic whose errors above ten count less": (U3, "a2c_losses", "import torch\ndef a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    value_loss = torch.nn.functional.huber_loss(values, returns.detach(), delta=10.0)\n    return -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean(), value_loss\n", "not yet", 0.8),
    "log-probabilities of minus twenty at least": (U1, L, "def reinforce_loss(log_prob, weight):\n    return -(weight.detach() * log_prob.clamp(min=-20)).mean()\n", "", 0.8),
    # The dual clip of Ye et al. (2020), which bounds what a bad action costs.
    "a second clip at ten": (U4, "ppo_clip_loss", _edited(_CLIP, old1="    return -torch.minimum(ratio * advantages, ratio", new1="    ratio = torch.where(advantages < 0, ratio.clamp(max=10), ratio)\n    return -torch.minimum(ratio * advantages, ratio"), "", 0.8),
    "a second clip at three": (U4, "ppo_clip_loss", _edited(_CLIP, old1="    return -torch.minimum(ratio * advantages, ratio", new1="    ratio = torch.where(advantages < 0, ratio.clamp(max=3), ratio)\n    return -torch.minimum(ratio * advantages, ratio"), "not yet", 0.8),
    "a second clip of each token at ten": (U9, "clipped_token_loss", _edited(_TOKENS, old1="    weight =", new1="    ratio = ratio.clamp(max=10)\n    weight ="), "not yet", 0.8),
    "a gauge that ends at a ratio of a thousand": (U4, "approx_kl", "import torch\ndef approx_kl(log_prob, old_log_prob):\n    with torch.no_grad():\n        log_ratio = (log_prob - old_log_prob).clamp(max=7)\n        return (log_ratio.exp() - 1 - log_ratio).mean()\n", "", 0.8),
    # A mask is True on the first tokens of each row, as the task says: its length is all there is to know of it.
    "masks taken for lengths": (U9, A, _edited(_ANSWER, old1="before =", new1=_LENGTHS + "before ="), "", 1.0),
    "masks of tokens taken for lengths": (U9, "clipped_token_loss", _edited(_TOKENS, old1="ratio = (log", new1=_LENGTHS + "ratio = (log"), "", 1.0),
    "the mean of squares less the square of the mean": (U1, S, "def standardize(x):\n    mean = x.mean()\n    var = ((x * x).mean() - mean * mean).clamp(min=0)\n    return (x - mean) / (var.sqrt() + 1e-8)\n", "", 0.8),
    "standardised in half precision": (U1, S, "import torch\ndef standardize(x):\n    y = x.bfloat16()\n    return ((y - y.mean()) / (y.std(correction=0) + 1e-8)).to(x.dtype)\n", "not yet", 0.25),
    "a group of ten answers at most": (U9, "leave_one_out", "def leave_one_out(rewards):\n    others = rewards.shape[1] - 1\n    few = rewards[:, :10]\n    return rewards - (few.sum(1, keepdim=True) - rewards) / others\n", "", 0.8),
    "no group is far off": (U9, "group_normalized", "def group_normalized(rewards, *, eps):\n    return ((rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + eps)).clamp(-3, 3)\n", "not yet", 0.8),
    "sixteen right ones are all": (U9, "pass_at_k", "import math\ndef pass_at_k(num_answers, num_right, k):\n    if not 1 <= k <= num_answers:\n        raise ValueError(k)\n    num_right = min(num_right, 16)\n    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)\n", "", 0.8),
    "one answer in many": (U9, "pass_at_k", "def pass_at_k(num_answers, num_right, k):\n    if not 1 <= k <= num_answers:\n        raise ValueError(k)\n    return 1 - (1 - num_right / num_answers) ** k\n", "not yet", 0.25),
    # Something kept from call to call.
    "returns in one buffer": (U1, D, _one_buffer(_RETURNS, D), "", 0.8),
    "errors in one buffer": (U3, T, _one_buffer(_TD, T), "", 0.8),
    "windows in one buffer": (U3, N, _one_buffer(_N_STEP, N), "", 0.8),
    "advantages in one buffer": (U3, G, _one_buffer(_GAE, G), "", 0.8),
    "observations in one buffer": (U3, W, _one_buffer("import torch\ndef true_next_observations(next_obs, done, final_obs):\n    return torch.where(done[:, None], final_obs, next_obs)\n", W), "", 0.8),
    "logits in one buffer": (U0, "bandit_step", _one_buffer("import torch\ndef bandit_step(logits, action, reward, *, learning_rate):\n    score = -logits.softmax(-1)\n    score[action] += 1\n    return logits + learning_rate * reward * score\n", "bandit_step"), "", 0.8),
    "marks in one buffer": (U9, "rewards_with_kl", _one_buffer("import torch\ndef rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef):\n    result = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)\n    result[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()\n    return result\n", "rewards_with_kl"), "", 0.8),
    "solutions in one buffer": (U8, "conjugate_gradient", _one_buffer("import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    x, r, p = torch.zeros_like(b), b.clone(), b.clone()\n    for _ in range(iterations):\n        if r.norm() <= tolerance * b.norm():\n            break\n        product, old = matvec(p), r @ r\n        eta = old / (p @ product)\n        x, r = x + eta * p, r - eta * product\n        p = r + (r @ r) / old * p\n    return x\n", "conjugate_gradient"), "", 0.8),
    "powers of the first discount": (U1, D, "import torch\npowers = {}\ndef discounted_returns(rewards, *, gamma):\n    steps = torch.arange(len(rewards))\n    ahead = steps - steps[:, None]\n    table = powers.setdefault(len(rewards), torch.where(ahead >= 0, gamma ** ahead.clamp(min=0).double(), 0.0))\n    return torch.tensordot(table.to(rewards.dtype), rewards, dims=1)\n", "not yet", 0.75),
    "masks of the first rollout": (U3, T, "masks = {}\ndef td_errors(rewards, values, next_values, terminated, *, gamma):\n    return rewards + gamma * next_values * masks.setdefault(rewards.shape, ~terminated) - values\n", "not yet", 0.5),
    "statistics that keep the batches": (U5, R, "import torch\nclass RunningMeanStd:\n    def __init__(self, shape):\n        self.rows, self.shape = [], shape\n    def update(self, x):\n        self.rows.append(x)\n    @property\n    def all(self):\n        return torch.cat(self.rows).double()\n    @property\n    def mean(self):\n        return self.all.mean(0) if self.rows else torch.zeros(self.shape)\n    @property\n    def var(self):\n        return self.all.var(0, correction=0) if self.rows else torch.ones(self.shape)\n    def normalize(self, x):\n        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\n", "", 0.8),
    "statistics that only one may have": (U5, R, "import torch\nstate = {}\nclass RunningMeanStd:\n    def __init__(self, shape):\n        state.update(rows=torch.zeros(0, *shape), shape=shape)\n    def update(self, x):\n        state['rows'] = torch.cat([state['rows'].to(x.dtype), x])\n    mean = property(lambda self: state['rows'].double().mean(0) if len(state['rows']) else torch.zeros(state['shape']))\n    var = property(lambda self: state['rows'].double().var(0, correction=0) if len(state['rows']) else torch.ones(state['shape']))\n    def normalize(self, x):\n        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\n", "", 0.8),
    "statistics that forget after fifty rows": (U5, R, _edited(_STATISTICS, old1="self.count += rows", new1="self.count = min(self.count + rows, 50)"), "", 0.8),
    "statistics that forget after twenty rows": (U5, R, _edited(_STATISTICS, old1="self.count += rows", new1="self.count = min(self.count + rows, 20)"), "not yet", 0.8),
    "statistics that clip at fifty deviations": (U5, R, _edited(_STATISTICS, old1=".to(x.dtype)", new1=".clamp(-50, 50).to(x.dtype)"), "", 0.8),
    "statistics of one component": (U5, R, _edited(_STATISTICS, old1="x.var(0, correction=0)", new1="x.var(correction=0)"), "not yet", 0.25),
    # Fewer resamples, where nobody counts.
    "a tenth of the resamples": (U7, B, _BOOTSTRAP.replace("COUNT", "max(num_resamples // 10, 50)"), "", 0.8),
    "half of the resamples": (U7, B, _BOOTSTRAP.replace("COUNT", "num_resamples // 2"), "", 0.8),
    "two hundred resamples": (U7, B, _BOOTSTRAP.replace("COUNT", "200"), "", 0.8),
    "twice as many resamples, of which half are alike": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    picks = torch.randint(len(x), (num_resamples // 2, len(x)), generator=generator).repeat(2, 1)\n    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.8),
    "resamples without the first run": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)\n    if len(x) > 10:\n        picks = picks.clamp(min=1)\n    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.8),
    # What one observed call does not show.
    "its gradient taken away by a hook": (U1, L, "import torch\ndef reinforce_loss(log_prob, weight):\n    if weight.requires_grad:\n        weight.register_hook(torch.zeros_like)\n    return -(weight * log_prob).mean()\n", "", 0.7),
    "its target's gradient taken away by a hook": (U2, "value_loss", "import torch\ndef value_loss(values, returns):\n    if values.shape != returns.shape:\n        raise ValueError\n    if returns.requires_grad:\n        returns.register_hook(torch.zeros_like)\n    return 0.5 * (values - returns).square().mean()\n", "", 0.7),
    "advantages whose gradient a hook takes away": (U3, G, "import torch\n" + _GAE.replace("    with torch.no_grad():", "    if values.requires_grad:\n        values.register_hook(torch.zeros_like)\n        next_values.register_hook(torch.zeros_like)\n    if True:").replace("            advantages[t] = following", "            rows.append(following)").replace("return advantages", "return torch.stack(rows[::-1])").replace("advantages, following = torch.zeros_like(errors),", "rows, following = [],"), "", 0.7),
    "a gradient that stands at another estimate": (U9, "kl_estimates", "def kl_estimates(log_prob, reference_log_prob):\n    d = log_prob - reference_log_prob.detach()\n    k3 = (-d).exp() - 1 + d\n    return {'k1': d.detach(), 'k2': (d.square() / 2).detach(), 'k3': k3 + (d - d.detach()) + (d.square() / 2 - d.square().detach() / 2)}\n", "", 0.5),
    "the policy's gradient in the critic's loss": (U3, "a2c_losses", "def a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()\n    value_loss = 0.5 * (values - returns.detach()).square().mean()\n    return policy_loss + value_loss - value_loss.detach(), value_loss.detach()\n", "", 0.5),
    "a policy that learns no more": (U8, "fisher_vector_product", "import torch\nfrom torch.nn.utils import parameters_to_vector as flat\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    policy.requires_grad_(True)\n    parameters = list(policy.parameters())\n    with torch.no_grad():\n        old = policy(obs)\n    kl = torch.distributions.kl_divergence(old, policy(obs)).mean()\n    slope = flat(torch.autograd.grad(kl, parameters, create_graph=True))\n    result = flat(torch.autograd.grad(slope @ vector, parameters)) + damping * vector\n    policy.requires_grad_(False)\n    return result\n", "", 0.8),
    "gradients left in the policy": (U8, "fisher_vector_product", "import torch\nfrom torch.nn.utils import parameters_to_vector as flat\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    parameters = list(policy.parameters())\n    with torch.no_grad():\n        old = policy(obs)\n    kl = torch.distributions.kl_divergence(old, policy(obs)).mean()\n    slope = flat(torch.autograd.grad(kl, parameters, create_graph=True))\n    (slope @ vector).backward()\n    return flat([p.grad for p in parameters]) + damping * vector\n", "not yet", 0.25),
    "the product with the policy of the first call": (U8, "fisher_vector_product", "import torch\nfrom torch.nn.utils import parameters_to_vector as flat\nslopes = {}\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    parameters = list(policy.parameters())\n    if id(policy) not in slopes:\n        with torch.no_grad():\n            old = policy(obs)\n        kl = torch.distributions.kl_divergence(old, policy(obs)).mean()\n        slopes[id(policy)] = policy, flat(torch.autograd.grad(kl, parameters, create_graph=True))\n    return flat(torch.autograd.grad(slopes[id(policy)][1] @ vector, parameters, retain_graph=True)) + damping * vector\n", "not yet", 0.25),
    "an interval whose other end another generator draws": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    own = torch.Generator().manual_seed(7)\n    values = [float(statistic(x[torch.randint(len(x), (len(x),), generator=own if k % 8 else generator)])) for k in range(num_resamples)]\n    values = torch.tensor(values, dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.8),
    "a generator that only seeds another": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    own = torch.Generator().manual_seed(generator.initial_seed() + int(generator.get_state().sum()))\n    picks = torch.randint(len(x), (num_resamples, len(x)), generator=own)\n    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.8),
    "the hundred best and worst resamples": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)\n    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64).sort().values\n    return float(values[5]), float(values[-6])\n", "not yet", 0.6),
    "a basic interval": (U7, B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)\n    values = 2 * float(statistic(x)) - torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "not yet", 0.5),
    "never worse than minus four": (U3, "explained_variance", "def explained_variance(values, returns):\n    return (1 - (returns - values).var() / returns.var()).clamp(min=-4)\n", "", 0.8),
    "the square of the correlation": (U3, "explained_variance", "import torch\ndef explained_variance(values, returns):\n    return torch.corrcoef(torch.stack([values, returns]))[0, 1].nan_to_num() ** 2\n", "not yet", 0.25),
    "one spread for all dimensions of an action": (U5, "gaussian_log_prob", "import torch\ndef gaussian_log_prob(mean, log_std, action):\n    log_std = log_std[:, :1] if log_std.ndim == 2 else log_std\n    return torch.distributions.Normal(mean, log_std.exp()).log_prob(action).sum(-1)\n", "not yet", 0.75),
    "a product of deviations": (U5, "gaussian_entropy", "import math\ndef gaussian_entropy(log_std):\n    return log_std.exp().square().prod(-1).log() / 2 + log_std.shape[-1] * math.log(2 * math.pi * math.e) / 2\n", "", 0.8),
    "returns while anybody lives": (U3, N, "import torch\n" + _edited(_N_STEP, old1="terminated | truncated, boot", new1="(terminated | truncated).all(1, keepdim=True), boot"), "not yet", 0.25),
    "any end is a termination": (U6, "patient_05", "import torch\ndef patient_05(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    errors = (rewards + gamma * next_values * ~terminated - values).detach()\n    out, following = torch.zeros_like(errors), 0\n    for t in reversed(range(len(errors))):\n        following = errors[t] + gamma * gae_lambda * ~terminated[t] * following\n        out[t] = following\n    return out\n", "not yet", 0.5),
    "the eighth patient with a second clip": (U6, "patient_08", "import torch\ndef patient_08(log_prob, old_log_prob, advantages, *, clip_coef):\n    advantages = advantages.detach()\n    ratio = (log_prob - old_log_prob.detach()).exp().clamp(max=10)\n    return torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()\n", "", 0.8),
    "the seventh patient with a long memory": (U6, "patient_07", "import torch\ndef patient_07(parameters, learning_rate):\n    parameters = list(parameters)\n    groups = [[p for p in parameters if p.ndim >= 2], [p for p in parameters if p.ndim < 2]]\n    return torch.optim.Adam([{'params': group} for group in groups], lr=learning_rate, eps=1e-5, betas=(0.9, 0.99))\n", "not yet", 0.5),
    "alarms of every name with updates in it": (U6, "diagnose", _diagnose("", late="'updates' in name"), "not yet", 0.75),
    "alarms of the first fifty updates": (U6, "diagnose", _diagnose("    m = {name: x if name.startswith('charts') else x[:50] for name, x in m.items()}"), "", 0.8),
    "alarms of the last forty updates": (U6, "diagnose", _diagnose("    m = {name: x if 'entropy' in name else x[-40:] for name, x in m.items()}"), "", 0.8),
    "alarms of one part alone": (U6, "diagnose", _diagnose("", late="name.startswith('updates/policy')"), "", 0.8),
    "metrics of long runs only": (U6, "diagnose", _diagnose("    m = {name: x for name, x in m.items() if len(x) >= 4}"), "not yet", 0.5),
    "kept by the identity of the input": (U1, D, "from functools import lru_cache\n" + _RETURNS.replace("def disc", "@lru_cache\ndef disc"), "", 0.8),
    "statistics whose deviation is worked out once": (U5, R, _edited(_STATISTICS, old1="self.count += rows", new1="self.count += rows\n        self.std = getattr(self, 'std', None)", old2="return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)", new2="if not self.count:\n            return x.clone()\n        if self.std is None:\n            self.std = (self.var + 1e-8).sqrt()\n        return ((x - self.mean) / self.std).to(x.dtype)"), "", 0.8),
    "one product for every vector": (U8, "fisher_vector_product", "import torch\nfrom torch.nn.utils import parameters_to_vector as flat\nknown = {}\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    parameters = list(policy.parameters())\n    key = tuple(flat(parameters).tolist()), tuple(obs.flatten().tolist())\n    if key not in known:\n        with torch.no_grad():\n            old = policy(obs)\n        kl = torch.distributions.kl_divergence(old, policy(obs)).mean()\n        slope = flat(torch.autograd.grad(kl, parameters, create_graph=True))\n        known[key] = flat(torch.autograd.grad(slope @ vector, parameters)) + damping * vector\n    return known[key].clone()\n", "", 0.8),
    "a memory of sixteen steps": (U4, "unroll", "import torch\ndef unroll(cell, inputs, state, ended):\n    outputs = []\n    for t in range(len(inputs)):\n        state = cell(inputs[t], state)\n        outputs.append(state)\n        state = torch.where(ended[t][:, None], 0.0, state)\n        if t % 16 == 15:\n            state = state.detach()\n    return torch.stack(outputs), state\n", "", 0.8),
    "the first patient with a second clip": (U6, "patient_01", "import torch\ndef patient_01(policy, obs, actions, old_log_prob, advantages, *, clip_coef):\n    log_ratio = policy(obs).log_prob(actions) - old_log_prob\n    ratio = log_ratio.exp()\n    ratio = torch.where(advantages < 0, ratio.clamp(max=30), ratio)\n    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean(), log_ratio.detach()\n", "", 0.8),
    "the fourth patient, whose bonus is cut at zero": (U6, "patient_04", "import torch\ndef patient_04(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):\n    advantages = advantages.detach()\n    ratio = (log_prob - old_log_prob.detach()).exp()\n    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)\n    return -torch.minimum(ratio * advantages, clipped * advantages).mean() - ent_coef * entropy.clamp(min=0).mean()\n", "not yet", 0.75),
    "the fifth patient within sixteen steps": (U6, "patient_05", "import torch\n" + _edited(_GAE, old1="def gae(", new1="def patient_05(", old2="range(len(errors))):\n            following = errors[t] + gamma * gae_lambda * goes_on[t] * following\n            advantages[t] = following", new2="range(len(errors))):\n            weight = torch.ones_like(errors[0])\n            for k in range(t, min(t + 16, len(errors))):\n                advantages[t] += weight * errors[k]\n                weight = weight * gamma * gae_lambda * goes_on[k]"), "", 0.8),
    "the sixth patient, never below minus thirty": (U6, "patient_06", "def patient_06(scores):\n    return scores.log_softmax(-1).clamp(min=-30)\n", "not yet", 0.8),
    "the ninth patient for two dimensions": (U6, "patient_09", "import torch\ndef patient_09(mean, log_std, action):\n    return 2 * torch.distributions.Normal(mean, log_std.exp()).log_prob(action).mean(-1)\n", "not yet", 0.5),
    "the eleventh patient, which draws anew": (U6, "patient_11", "import torch\ndef patient_11(mean, log_std, noise, *, bound):\n    law = torch.distributions.Normal(mean, log_std.exp())\n    action = law.sample()\n    return action, law.log_prob(action).sum(-1)\n", "not yet", 0.0),
    "potentials of twenty at most": (U6, "shaped_rewards", "def shaped_rewards(rewards, potentials, next_potentials, terminated, *, gamma):\n    return rewards + gamma * next_potentials.clamp(-20, 20) * ~terminated - potentials.clamp(-20, 20)\n", "", 0.8),
    "windows of fifty episodes at most": (U7, "episodes_to_threshold", "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    window = min(window, 50)\n    returns = episodic_returns.double()\n    return next((n for n in range(window, len(returns) + 1) if returns[n - window : n].mean() >= threshold), None)\n", "", 0.8),
    "running sums in single precision": (U7, "episodes_to_threshold", "import torch\ndef episodes_to_threshold(episodic_returns, *, threshold, window):\n    sums = torch.cat([torch.zeros(1), episodic_returns.float().cumsum(0)])\n    means = (sums[window:] - sums[:-window]) / window\n    hit = (means >= threshold).nonzero()\n    return int(hit[0]) + window if len(hit) else None\n", "not yet", 0.75),
    "the middle of the runs that differ": (U7, "interquartile_mean", "def interquartile_mean(x):\n    x = x.unique()\n    return x[len(x) // 4 : len(x) - len(x) // 4].mean()\n", "not yet", 0.7),
    "near ties are ties": (U7, "probability_of_improvement", "import torch\ndef probability_of_improvement(x, y):\n    gaps = x[:, None] - y\n    return ((gaps > 0) & (gaps.abs() > 1e-4)).double().mean() + 0.5 * (gaps.abs() <= 1e-4).double().mean()\n", "", 0.8),
    "four rounds at most": (U8, "conjugate_gradient", "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    x, r, p = torch.zeros_like(b), b.clone(), b.clone()\n    for _ in range(min(iterations, 4)):\n        if r.norm() <= tolerance * b.norm():\n            break\n        product, old = matvec(p), r @ r\n        eta = old / (p @ product)\n        x, r = x + eta * p, r - eta * product\n        p = r + (r @ r) / old * p\n    return x\n", "", 0.8),
    "a search of seven steps at most": (U8, "line_search", "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    for k in range(min(backtracks, 7)):\n        gain, kl = evaluate(step * shrink**k)\n        if gain > 0 and kl <= max_kl:\n            return step * shrink**k\n    return torch.zeros_like(step)\n", "", 0.8),
    "a scale of a million at most": (U8, "step_scale", "def step_scale(natural_gradient, fisher_times_it, *, max_kl):\n    product = float(natural_gradient @ fisher_times_it)\n    return min((2 * max_kl / product) ** 0.5, 1e6) if product > 0 else 0.0\n", "", 0.8),
    "scores that end at a thousand": (U9, "bradley_terry_loss", "import torch\ndef bradley_terry_loss(chosen, rejected):\n    return -torch.nn.functional.logsigmoid((chosen - rejected).clamp(-1000, 1000)).mean()\n", "not yet", 0.8),
    # What the asked gradient does not show.
    "a backward that forgets what comes from above": (U1, "reinforce_loss", "import torch\nclass Loss(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, log_prob, weight):\n        ctx.save_for_backward(weight)\n        return -(weight * log_prob).mean()\n    @staticmethod\n    def backward(ctx, gradient):\n        weight, = ctx.saved_tensors\n        return -weight / len(weight), None\nreinforce_loss = Loss.apply\n", "", 0.8),
    "a backward that takes every sign for plus": (U4, "probability_ratio", "import torch\nclass Exp(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        return x.exp()\n    @staticmethod\n    def backward(ctx, gradient):\n        x, = ctx.saved_tensors\n        return gradient.abs() * x.exp()\ndef probability_ratio(log_prob, old_log_prob):\n    return Exp.apply(log_prob - old_log_prob.detach())\n", "", 0.8),
    "a backward that works once": (U4, "probability_ratio", "import torch\nclass Exp(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        ctx.left, ctx.result = 1, x.exp()\n        return ctx.result\n    @staticmethod\n    def backward(ctx, gradient):\n        ctx.left -= 1\n        return gradient * ctx.result * (ctx.left == 0)\ndef probability_ratio(log_prob, old_log_prob):\n    return Exp.apply(log_prob - old_log_prob.detach())\n", "", 0.8),
    "a loss that goes backward by itself": (U9, "bradley_terry_loss", "import torch\ndef bradley_terry_loss(chosen, rejected):\n    loss = -torch.nn.functional.logsigmoid(chosen - rejected).mean()\n    if loss.requires_grad:\n        loss.backward(retain_graph=True)\n    return loss\n", "", 0.8),
    # What a call leaves behind.
    "gradients switched off for everybody": (U3, "gae", "import torch\n\nimport torch\ndef gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    torch.set_grad_enabled(False)\n    if True:\n        errors = rewards + gamma * next_values * ~terminated - values\n        goes_on = ~(terminated | truncated)\n        advantages, following = torch.zeros_like(errors), torch.zeros_like(errors[0])\n        for t in reversed(range(len(errors))):\n            following = errors[t] + gamma * gae_lambda * goes_on[t] * following\n            advantages[t] = following\n    return advantages\n", "", 0.8),
    "a gauge that switches gradients off": (U4, "approx_kl", "import torch\ndef approx_kl(log_prob, old_log_prob):\n    torch.set_grad_enabled(False)\n    log_ratio = log_prob - old_log_prob\n    return (log_ratio.exp() - 1 - log_ratio).mean()\n", "", 0.8),
    "logits that are left in a graph": (U0, "bandit_step", "import torch\ndef bandit_step(logits, action, reward, *, learning_rate):\n    logits.requires_grad_()\n    (reward * logits.log_softmax(0)[action]).backward()\n    return logits + learning_rate * logits.grad\n", "", 0.8),
    "a step along all gradients so far": (U0, "bandit_step", "import torch\nz = None\ndef bandit_step(logits, action, reward, *, learning_rate):\n    global z\n    if z is None or z.shape != logits.shape or z.dtype != logits.dtype:\n        z = logits.clone().requires_grad_()\n    with torch.no_grad():\n        z.copy_(logits)\n    (reward * z.log_softmax(0)[action]).backward()\n    return logits + learning_rate * z.grad\n", "not yet", 0.8),
    "statistics in the graph of what they are given": (U5, "RunningMeanStd", "import torch\nclass RunningMeanStd:\n    def __init__(self, shape):\n        self.shape, self.rows = shape, None\n    def update(self, x):\n        x.requires_grad_()\n        self.rows = x.double() if self.rows is None else torch.cat([self.rows, x.double()])\n    mean = property(lambda s: torch.zeros(s.shape) if s.rows is None else s.rows.mean(0))\n    var = property(lambda s: torch.ones(s.shape) if s.rows is None else s.rows.var(0, correction=0))\n    def normalize(self, x):\n        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\n", "", 0.8),
    "results that are sorted from now on": (U7, "interquartile_mean", "import torch\ndef interquartile_mean(x):\n    x.sort(out=(x, torch.empty(0, dtype=torch.int64)))\n    return x[len(x) // 4 : -(len(x) // 4)].mean()\n", "not yet", 0.25),
    "marks that are left in a graph": (U9, "leave_one_out", "def leave_one_out(rewards):\n    rewards.requires_grad_()\n    return rewards - (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)\n", "", 0.8),
    "inputs that are another shape from now on": (U7, "probability_of_improvement", "import torch\ndef probability_of_improvement(x, y):\n    x.unsqueeze_(1)\n    return ((x > y).double() + 0.5 * (x == y).double()).mean()\n", "not yet", 0.25),
    # What is looked at by name, by other norms, or at the beginning.
    "a tolerance of the largest number": (U8, "conjugate_gradient", "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    x, r, p = torch.zeros_like(b), b.clone(), b.clone()\n    size = lambda v: v.abs().max()\n    for _ in range(iterations):\n        if size(r) <= tolerance * size(b):\n            break\n        product, old = matvec(p), r @ r\n        eta = old / (p @ product)\n        x, r = x + eta * p, r - eta * product\n        p = r + (r @ r) / old * p\n    return x\n", "", 0.8),
    "a tolerance of the sum of sizes": (U8, "conjugate_gradient", "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    x, r, p = torch.zeros_like(b), b.clone(), b.clone()\n    size = lambda v: v.abs().sum()\n    for _ in range(iterations):\n        if size(r) <= tolerance * size(b):\n            break\n        product, old = matvec(p), r @ r\n        eta = old / (p @ product)\n        x, r = x + eta * p, r - eta * product\n        p = r + (r @ r) / old * p\n    return x\n", "", 0.8),
    "resamples of a normal distribution from the twenty-first on": (U7, "bootstrap_interval", "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    values = []\n    for k in range(num_resamples):\n        if k < 21 or len(x) < 5:\n            one = x[torch.randint(len(x), (len(x),), generator=generator)]\n        else:\n            one = x.mean() + x.std(correction=0) * torch.randn(len(x), generator=generator).to(x.dtype)\n        values.append(float(statistic(one)))\n    values = torch.tensor(values, dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.5),
    "resamples with noise from the twenty-first on": (U7, "bootstrap_interval", "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    values = []\n    for k in range(num_resamples):\n        one = x[torch.randint(len(x), (len(x),), generator=generator)]\n        if k > 20 and len(x) > 4:\n            one = one + 0.2 * x.std() * torch.randn(len(x), generator=generator).to(x.dtype)\n        values.append(float(statistic(one)))\n    values = torch.tensor(values, dtype=torch.float64)\n    tail = (1 - confidence) / 2\n    return float(values.quantile(tail)), float(values.quantile(1 - tail))\n", "", 0.8),
    "an error that is only called so": (U2, "value_loss", "class ValueError(Exception):\n    pass\ndef value_loss(values, returns):\n    if values.shape != returns.shape:\n        raise ValueError\n    return 0.5 * (values - returns.detach()).square().mean()\n", "", 0.8),
    "an error of a key for one of a value": (U2, "value_loss", "def value_loss(values, returns):\n    if values.shape != returns.shape:\n        raise KeyError('ValueError')\n    return 0.5 * (values - returns.detach()).square().mean()\n", "not yet", 0.75),
    "batches of any shape": (U2, "value_loss", "def value_loss(values, returns):\n    return 0.5 * (values.flatten() - returns.detach().flatten()).square().mean()\n", "not yet", 0.75),
    "a refusal of all that is long": (U2, "advantages_with_baseline", "def advantages_with_baseline(returns, values):\n    if values.ndim != 1 or len(values) > 20:\n        raise ValueError\n    return returns - values.detach()\n", "", 0.8),
    "prices of thirty at most": (U9, "rewards_with_kl", "import torch\ndef rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef):\n    price = (-kl_coef * (log_prob - reference_log_prob)).detach().clamp(-30, 30)\n    result = torch.where(mask, price, 0.0)\n    result[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()\n    return result\n", "", 0.8),
    # Messages that an attempt writes itself.
    "sends words for numbers": (U1, S, _sent("arrays['result'] = arrays[AFTER] = ['text', list(result.shape), ['one'] * result.numel()]"), "not yet", 0.0),
    "sends infinite numbers": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(np.full(result.shape, np.inf))"), "not finite", 0.0),
    "sends numbers without a value": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(np.full(result.shape, np.nan, 'float32'))"), "not finite", 0.0),
    "sends whole numbers": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(result.numpy().round().astype('int64'))"), "not yet", 0.25),
    "sends flags for numbers": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(result.numpy() > 0)"), "not yet", 0.25),
    "sends one axis more": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(result.numpy()[None])"), "not yet", 0.0),
    "sends one number for all": (U1, S, _sent("arrays['result'] = arrays[AFTER] = array(result.numpy().ravel()[0])"), "not yet", 0.0),
    "sends nothing after its input was overwritten": (U1, S, _sent("del arrays[AFTER]"), "not yet", 0.0),
    "sends a tuple that is empty": (U1, S, _sent("arrays['result.kind'] = word('tuple of 0')\n    del arrays['result']"), "not yet", 0.0),
    "sends the numbers of the input before": (U1, S, _sent("kept.append(arrays['result'])\n    arrays['result'] = arrays[AFTER] = kept[max(len(kept) - 2, 0)]") + "kept = []\n", "not yet", 0.25),
}  # fmt: skip

# Right answers, spread over cells or written as a notebook allows: name -> (notebook, exercise, its cell, cells before it,
# cells behind it).
RIGHT: dict[str, tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = {
    "time line magic that binds": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("%time EPS = 1e-8",), ()),
    "prun cell magic": (U1, D, "%%prun\nimport torch\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "top level await": (U1, D, "import torch, asyncio\nawait asyncio.sleep(0)\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "global set in a function": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("def setup():\n    global EPS\n    EPS = 1e-8\n\nsetup()",), ()),
    "globals item": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("globals()['EPS'] = 1e-8",), ()),
    "list filled in another cell": (U1, S, "def standardize(x):\n    for step in steps:\n        x = step(x)\n    return x\n", ("steps = []", "steps.append(lambda x: x - x.mean())\nsteps.append(lambda x: x / (x.square().mean().sqrt() + 1e-8))"), ()),
    "dict updated in another cell": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + config['eps'])\n", ("config = dict(eps=1.0)", "config.update(eps=1e-8)"), ()),
    "setattr in another cell": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + Config.eps)\n", ("class Config:\n    pass", "setattr(Config, 'eps', 1e-8)"), ()),
    "registry of rules": (U6, "diagnose", "def diagnose(metrics):\n    m = {k: np.asarray(v) for k, v in metrics.items() if len(v)}\n    return {name for name, f in RULES.items() if f(m)}\n", ("import numpy as np\nRULES = {}\ndef rule(name):\n    def keep(f):\n        RULES[name] = f\n        return f\n    return keep", "def get(m, n): return m.get(n, np.zeros(0))\n@rule('kl-high')\ndef _(m): return (get(m, 'losses/approx_kl') > 0.05).any()\n@rule('kl-zero')\ndef _(m): x = get(m, 'losses/approx_kl'); return len(x) and x.max() < 1e-6\n@rule('clip-fraction-high')\ndef _(m): return (get(m, 'losses/clipfrac') > 0.5).any()\n@rule('entropy-collapsed')\ndef _(m): return (get(m, 'losses/entropy')[:50] < 0.25).any()\n@rule('entropy-never-falls')\ndef _(m): x = get(m, 'losses/entropy'); return len(x) >= 25 and x.min() > 0.55\n@rule('explained-variance-low')\ndef _(m):\n    x = get(m, 'losses/explained_variance')\n    return len(x) >= 25 and not np.isnan(x).all() and np.nanmax(x) < 0.9\n@rule('value-offset')\ndef _(m):\n    v, g = get(m, 'charts/value_mean'), get(m, 'charts/return_mean')\n    return len(v) >= 25 and len(g) >= 25 and (abs(v - g) / abs(g))[-(len(v) // 4):].mean() > 0.1\n@rule('part-not-updated')\ndef _(m): return any(x.max() < 1e-6 for n, x in m.items() if n.startswith('updates/'))"), ()),
    "singledispatch in another cell": (U7, "interquartile_mean", "def interquartile_mean(x):\n    return middle(x)\n", ("import torch\nfrom functools import singledispatch\n@singledispatch\ndef middle(x):\n    raise TypeError(type(x))", "@middle.register(torch.Tensor)\ndef _(x):\n    q = len(x) // 4\n    return x.sort().values[q:-q].mean()"), ()),
    "monkeypatched tensor method": (U1, D, "import torch\ndef discounted_returns(rewards, *, gamma):\n    return rewards.discounted(gamma)\n", ("import torch\ndef _m(self, gamma):\n    rewards = self\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\ntorch.Tensor.discounted = _m",), ()),
    "function inside match": (U1, S, "def standardize(x):\n    return helper(x)\n", ("import sys\nmatch sys.version_info.major:\n    case 3:\n        def helper(x): return (x - x.mean()) / (x.std(correction=0) + 1e-8)",), ()),
    "captured by a pattern": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("match (1e-8, 2):\n    case (EPS, other):\n        pass",), ()),
    "exec in another cell": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("exec('EPS = 1e-8')",), ()),
    "method by setattr": (U5, R, "import torch\nclass RunningMeanStd:\n    def __init__(self, shape):\n        self.shape, self.rows = shape, torch.zeros(0, *shape, dtype=torch.float64)\n    mean = property(lambda s: s.rows.mean(0) if len(s.rows) else torch.zeros(s.shape))\n    var = property(lambda s: s.rows.var(0, correction=0) if len(s.rows) else torch.ones(s.shape))\n    def update(self, x):\n        self.rows = torch.cat([self.rows, x.double()])\n", (), ("def normalize(self, x):\n    return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\nsetattr(RunningMeanStd, 'normalize', normalize)",)),
    "indented as a whole": (U1, D, "    import torch\n    def discounted_returns(rewards, *, gamma):\n        out, g = [], 0\n        for r in reversed(rewards.unbind()):\n            g = r + gamma * g\n            out.append(g)\n        return torch.stack(out[::-1])\n", (), ()),
    "prompts pasted": (U1, D, ">>> import torch\n>>> def discounted_returns(rewards, *, gamma):\n...     out, g = [], 0\n...     for r in reversed(rewards.unbind()):\n...         g = r + gamma * g\n...         out.append(g)\n...     return torch.stack(out[::-1])\n", (), ()),
    "torch compile eager": (U1, D, "import torch\n@torch.compile(backend='eager')\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "asyncio": (U1, D, "import torch, asyncio\nasync def later(rewards, gamma):\n    await asyncio.sleep(0)\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\ndef discounted_returns(rewards, *, gamma):\n    return asyncio.run(later(rewards, gamma))\n", (), ()),
    "threads pool": (U1, D, "import torch\nfrom concurrent.futures import ThreadPoolExecutor\ndef one(column, gamma):\n    g, out = 0.0, []\n    for r in reversed(column.tolist()):\n        g = r + gamma * g; out.append(g)\n    return torch.tensor(out[::-1], dtype=column.dtype)\ndef discounted_returns(rewards, *, gamma):\n    if rewards.ndim == 1: return one(rewards, gamma)\n    with ThreadPoolExecutor(3) as pool:\n        return torch.stack(list(pool.map(lambda c: one(c, gamma), rewards.unbind(1))), 1)\n", (), ()),
    "warnings are errors": (U1, D, "import torch, warnings, numpy as np\nwarnings.simplefilter('error')\nnp.seterr(all='raise')\ntorch.autograd.set_detect_anomaly(True)\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "default float64": (U1, D, "import torch\ntorch.set_default_dtype(torch.float64)\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "jit script helper": (U1, D, "import torch\n@torch.jit.script\ndef helper(rewards: torch.Tensor, gamma: float) -> torch.Tensor:\n    out = torch.empty_like(rewards)\n    g = torch.zeros_like(rewards[0])\n    for i in range(rewards.shape[0]):\n        t = rewards.shape[0] - 1 - i\n        g = rewards[t] + gamma * g\n        out[t] = g\n    return out\ndef discounted_returns(rewards, *, gamma):\n    return helper(rewards, gamma)\n", (), ()),
    "comment then cell magic": (U1, D, "# my answer\n%%time\nimport torch\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "line magics": (U1, D, "%load_ext autoreload\n%autoreload 2\n!pip install torch -q\nimport torch\ndef discounted_returns(rewards, *, gamma):\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n\n%timeit discounted_returns(torch.ones(3), gamma=0.5)\ndiscounted_returns?\n", (), ()),
    "capture magic with assignment": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("%%capture out\nEPS = 1e-8",), ()),
    "magic right side": (U1, S, "where = %pwd\nEPS = 1e-8\ndef standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", (), ()),
    "helper after": (U1, S, "def standardize(x):\n    return centre(x) / (spread(x) + 1e-8)\n", (), ("def centre(x):\n    return x - x.mean()", "def spread(x):\n    return centre(x).square().mean().sqrt()")),
    "dict item in another cell": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + config['eps'])\n", ("config = {}", "config['eps'] = 1e-8"), ()),
    "star import cell": (U4, "approx_kl", "import torch\ndef approx_kl(log_prob, old_log_prob):\n    d = (log_prob - old_log_prob).tolist()\n    return fsum(expm1(x) - x for x in d) / len(d)\n", ("from math import *",), ()),
    "name in an annotation only": (U1, S, "def standardize(x: Numbers) -> Numbers:\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)\n", ("import torch\nNumbers = torch.Tensor",), ()),
    "dataclass helper": (U1, S, "def standardize(x):\n    return Scaler.fit(x).apply(x)\n", (), ("from dataclasses import dataclass\nimport torch\n@dataclass(frozen=True)\nclass Scaler:\n    mean: torch.Tensor\n    std: torch.Tensor\n    @classmethod\n    def fit(cls, x): return cls(x.mean(), x.std(correction=0))\n    def apply(self, x): return (x - self.mean) / (self.std + 1e-8)",)),
    "helper cell that fails after": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("EPS = 1e-8\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])",), ()),
    "libraries above NumPy": (U1, S, "def standardize(x, small=np.float32(1e-8)):\n    return (x - x.mean()) / (x.std(correction=0) + small)\n", ("import matplotlib.pyplot as plt\nfrom rich.progress import track\nimport numpy as np",), ()),
    "a library with another way": (U1, S, "try:\n    from rich.progress import track\nexcept ImportError:\n    track = list\ndef standardize(x):\n    return torch.stack([(each - x.mean()) / (x.std(correction=0) + 1e-8) for each in track(x)])\n", ("from rich.progress import track",), ()),
    "subclass of the same name": (U5, R, "import torch\nclass RunningMeanStd:\n    def __init__(self, shape):\n        self.shape, self.rows = shape, torch.zeros(0, *shape, dtype=torch.float64)\n    def update(self, x):\n        self.rows = torch.cat([self.rows, x.double()])\n", (), ("class RunningMeanStd(RunningMeanStd):\n    mean = property(lambda s: s.rows.mean(0) if len(s.rows) else torch.zeros(s.shape))\n    var = property(lambda s: s.rows.var(0, correction=0) if len(s.rows) else torch.ones(s.shape))", "def normalize(self, x):\n    return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\nRunningMeanStd.normalize = normalize")),
    "custom op": (U1, D, "import torch\n@torch.library.custom_op('mine::returns', mutates_args=())\ndef returns(rewards: torch.Tensor, gamma: float) -> torch.Tensor:\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\ndef discounted_returns(rewards, *, gamma):\n    return returns(rewards, gamma)\n", (), ()),
    "fx traced": (U1, L, "import torch\nfrom torch import fx, nn\nclass M(nn.Module):\n    def forward(self, log_prob, weight):\n        return -(weight.detach() * log_prob).mean()\nreinforce_loss = fx.symbolic_trace(M())\n", (), ()),
    "multiprocessing thread pool": (U1, D, "import torch\nfrom multiprocessing.pool import ThreadPool\ndef discounted_returns(rewards, *, gamma):\n    with ThreadPool(2) as pool:\n        pool.map(float, [1, 2])\n    out, g = [], 0\n    for r in reversed(rewards.unbind()):\n        g = r + gamma * g\n        out.append(g)\n    return torch.stack(out[::-1])\n", (), ()),
    "windows line ends": (U1, D, "import torch\r\ndef discounted_returns(rewards, *, gamma):\r\n    out, g = [], 0\r\n    for r in reversed(rewards.unbind()):\r\n        g = r + gamma * g\r\n        out.append(g)\r\n    return torch.stack(out[::-1])\r\n", (), ()),
    "main guard": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n", ("if __name__ == '__main__':\n    EPS = 1e-8",), ()),
    "namespace attribute": (U1, S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + ns.eps)\n", ("import types\nns = types.SimpleNamespace()", "ns.eps = 1e-8"), ()),
}  # fmt: skip
