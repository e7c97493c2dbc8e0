"""A fifth round of submissions, on answers that are values: inputs that nobody drew, and what is kept between calls.

`CELLS` as in round one: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share
of the points that it must not exceed). `OPEN`: those that exceed it, with the cause. `RIGHT`: answers that are right and
once lost points, and unusual ones.
"""
# ruff: noqa: E501 - some attacks are long lines

U0, U1, U2, U3, U4 = "00_welcome", "01_reinforce", "02_baselines", "03_a2c_gae", "04_ppo"
U5, U6, U7 = "05_continuous_pendulum", "06_debugging_traps", "07_trustworthy_experiments"
U8, U9 = "08_trpo", "09_language_models"

_DIAGNOSE = """
import numpy as np
def diagnose(metrics):
    get = lambda name: np.asarray(metrics.get(name, ()))
    kl, clip, h, ev = (get('losses/' + name) for name in ('approx_kl', 'clipfrac', 'entropy', 'explained_variance'))
    v, g = get('charts/value_mean'), get('charts/return_mean')
    last = slice(len(v) - len(v) // 4, None)
    rings = set()
    if len(kl) and kl.max() > 0.05: rings.add('kl-high')
    if len(kl) and kl.max() < 1e-6: rings.add('kl-zero')
    if len(clip) and clip.max() > 0.5: rings.add('clip-fraction-high')
    if len(h) and h[:50].min() < 0.25: rings.add('entropy-collapsed')
    if len(h) >= 25 and h.min() > 0.55: rings.add('entropy-never-falls')
    if len(ev) >= 25 and not np.isnan(ev).all() and np.nanmax(ev) < 0.9: rings.add('explained-variance-low')
    if len(v) >= 25 and len(g) >= 25 and OFFSET > 0.1: rings.add('value-offset')
    if any(x.max() < 1e-6 for name, x in metrics.items() if name.startswith('updates/')): rings.add('part-not-updated')
    return rings
"""
_CG = """
import torch
def conjugate_gradient(matvec, b, *, iterations, tolerance):
    x, r, p = torch.zeros_like(b), b.clone(), b.clone()
    rdotr = r @ r
    for _ in range(LIMIT):
        if r.norm() <= tolerance * b.norm():
            break
        z = matvec(p)
        alpha = rdotr / (p @ z)
        x, r = x + alpha * p, r - alpha * z
        new = r @ r
        if new < RESIDUAL:
            break
        p, rdotr = r + new / rdotr * p, new
    return x
"""
_BOOTSTRAP = """
import torch
from statistics import NormalDist
def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    values = torch.stack([statistic(x[pick]) for pick in picks]).double()
    tail = (1 - confidence) / 2
    HEAD
    return float(values.quantile(LOW)), float(values.quantile(HIGH))
"""
_CLIP = """
import torch
def NAME(log_prob, old_log_prob, advantages, *, clip_coef):
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).clamp(-10, 10).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
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
        NORMALIZE
"""
_ADAM_7 = """
import torch
def patient_07(parameters, learning_rate):
    parameters = list(parameters)
    matrices = [each for each in parameters if each.ndim >= 2]
    vectors = [each for each in parameters if each.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], SETTINGS)
"""

CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # Natural mistakes.
    "offset as a ratio of means": (U6, "diagnose", _DIAGNOSE.replace("OFFSET", "np.abs(v - g)[last].mean() / np.abs(g)[last].mean()"), "", 0.8),
    "offset of a mean to a mean": (U6, "diagnose", _DIAGNOSE.replace("OFFSET", "np.abs(v - g)[last].mean() / abs(g[last].mean())"), "", 0.8),
    "returns of one at least in the divisor": (U6, "diagnose", _DIAGNOSE.replace("OFFSET", "(np.abs(v - g) / np.maximum(np.abs(g), 1.0))[last].mean()"), "", 0.8),
    "an absolute residual as well": (U8, "conjugate_gradient", _CG.replace("LIMIT", "iterations").replace("RESIDUAL", "1e-10"), "", 0.8),
    "a large absolute residual as well": (U8, "conjugate_gradient", _CG.replace("LIMIT", "iterations").replace("RESIDUAL", "1e-7"), "", 0.8),
    "ten rounds at most": (U8, "conjugate_gradient", _CG.replace("LIMIT", "min(iterations, 10)").replace("RESIDUAL", "1e-300"), "", 0.8),
    "bias corrected interval": (U7, "bootstrap_interval", _BOOTSTRAP.replace("HEAD", "normal, here = NormalDist(), statistic(x).double()\n    below = float((values < here).double().mean() + 0.5 * (values == here).double().mean())\n    z = normal.inv_cdf(min(max(below, 1e-3), 1 - 1e-3))").replace("LOW", "normal.cdf(2 * z + normal.inv_cdf(tail))").replace("HIGH", "normal.cdf(2 * z + normal.inv_cdf(1 - tail))"), "", 0.8),
    "log ratio within ten": (U4, "ppo_clip_loss", _CLIP.replace("NAME", "ppo_clip_loss"), "", 0.8),
    "third patient with a log ratio within ten": (U6, "patient_03", _CLIP.replace("NAME", "patient_03"), "", 0.8),
    "eighth patient with a log ratio within ten": (U6, "patient_08", _CLIP.replace("NAME", "patient_08"), "", 0.8),
    "first patient with a log ratio within ten": (U6, "patient_01", "import torch\ndef patient_01(policy, obs, actions, old_log_prob, advantages, *, clip_coef):\n    log_ratio = policy(obs).log_prob(actions) - old_log_prob\n    ratio = log_ratio.clamp(-10, 10).exp()\n    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean(), log_ratio.detach()\n", "", 0.8),
    "fourth patient with a log ratio within ten": (U6, "patient_04", "import torch\ndef patient_04(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):\n    advantages = advantages.detach()\n    ratio = (log_prob - old_log_prob.detach()).clamp(-10, 10).exp()\n    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean() - ent_coef * entropy.mean()\n", "", 0.8),
    "gauge with a log ratio of ten at most": (U4, "approx_kl", "import torch\ndef approx_kl(log_prob, old_log_prob):\n    with torch.no_grad():\n        log_ratio = (log_prob - old_log_prob).clamp(max=10)\n        return (log_ratio.exp() - 1 - log_ratio).mean()\n", "", 0.8),
    "explained variance from means of squares": (U3, "explained_variance", "def explained_variance(values, returns):\n    var = lambda x: (x * x).mean() - x.mean() ** 2\n    return 1 - var(returns - values) / var(returns)\n", "", 0.8),
    "explained variance with 1e-5 in the divisor": (U3, "explained_variance", "def explained_variance(values, returns):\n    return 1 - (returns - values).var() / (returns.var() + 1e-5)\n", "", 0.8),
    "nothing to explain below 1e-3": (U3, "explained_variance", "def explained_variance(values, returns):\n    total = returns.var()\n    return 1 - (returns - values).var() / total if total > 1e-3 else total * 0\n", "", 0.8),
    "log probabilities of minus five at least in A2C": (U3, "a2c_losses", "def a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    policy_loss = -(advantages.detach() * log_prob.clamp(min=-5)).mean() - ent_coef * entropy.mean()\n    return policy_loss, 0.5 * (values - returns.detach()).square().mean()\n", "", 0.8),
    "as they are until the second row": (U5, "RunningMeanStd", _STATISTICS.replace("NORMALIZE", "return x.clone() if self.count < 2 else ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)"), "", 0.8),
    "as they are until the third row": (U5, "RunningMeanStd", _STATISTICS.replace("NORMALIZE", "return x.clone() if self.count < 3 else ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)"), "", 0.8),
    "a deviation of 0.01 at least": (U5, "RunningMeanStd", _STATISTICS.replace("NORMALIZE", "return ((x - self.mean) / self.var.sqrt().clamp(min=1e-2)).to(x.dtype)"), "", 0.8),
    "zeros where the spread is below a thousandth": (U1, "standardize", "import torch\ndef standardize(x):\n    std = x.std(correction=0)\n    if std < 1e-3:\n        return torch.zeros_like(x)\n    return (x - x.mean()) / (std + 1e-8)\n", "", 0.8),
    "a spread of a thousandth at least": (U1, "standardize", "def standardize(x):\n    return (x - x.mean()) / x.std(correction=0).clamp(min=1e-3)\n", "", 0.8),
    "no baseline where scores are short": (U2, "optimal_constant_baseline", "def optimal_constant_baseline(scores, returns):\n    weights = scores.square().sum(1)\n    if weights.sum() < 1e-8:\n        return 0.0\n    return (weights * returns).sum() / weights.sum()\n", "", 0.8),
    "axes are counted and not shapes": (U2, "value_loss", "def value_loss(values, returns):\n    if values.ndim != returns.ndim:\n        raise ValueError\n    return 0.5 * (values - returns.detach()).square().mean()\n", "", 0.8),
    "eleventh patient with a bounded log std": (U6, "patient_11", "from torch.distributions import Normal\ndef patient_11(mean, log_std, noise, *, bound):\n    std = log_std.clamp(-2, 1).exp()\n    action = mean + std * noise\n    return action, Normal(mean, std).log_prob(action).sum(-1)\n", "", 0.8),
    "means rounded to cents": (U7, "episodes_to_threshold", "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    for end in range(window, len(episodic_returns) + 1):\n        if round(float(episodic_returns[end - window : end].double().mean()), 2) >= threshold:\n            return end\n", "", 0.8),
    "a rate of a thousandth at least": (U6, "patient_07", _ADAM_7.replace("SETTINGS", "lr=max(learning_rate, 1e-3), eps=1e-5"), "", 0.8),
    "a rate of a tenth at most": (U6, "patient_07", _ADAM_7.replace("SETTINGS", "lr=min(learning_rate, 0.1), eps=1e-5"), "", 0.8),
    "a longer memory of squares": (U6, "patient_07", _ADAM_7.replace("SETTINGS", "lr=learning_rate, eps=1e-5, betas=(0.9, 0.9999)"), "", 0.8),
    "softmax by exponentials in double precision": (U0, "bandit_step", "def bandit_step(logits, action, reward, *, learning_rate):\n    odds = logits.double().exp()\n    score = -odds / odds.sum()\n    score[action] += 1\n    return (logits + learning_rate * reward * score).to(logits.dtype)\n", "", 0.8),
    # Something is kept from call to call.
    "middle of runs remembered by identity": (U7, "interquartile_mean", "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef interquartile_mean(x):\n    cut = len(x) // 4\n    return x.sort().values[cut:-cut].mean()\n", "your function gives the result of before", 0.8),
    "improvement remembered by identity": (U7, "probability_of_improvement", "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef probability_of_improvement(x, y):\n    gaps = x[:, None] - y\n    return ((gaps > 0) + 0.5 * (gaps == 0)).double().mean()\n", "your function gives the result of before", 0.8),
    "threshold remembered by identity": (U7, "episodes_to_threshold", "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef episodes_to_threshold(returns, *, threshold, window):\n    for end in range(window, len(returns) + 1):\n        if returns[end - window : end].double().mean() >= threshold:\n            return end\n", "your function gives the result of before", 0.8),
    "states in one buffer": (U4, "unroll", "import torch\nkept = {}\ndef unroll(cell, inputs, state, ended):\n    outputs = []\n    for t in range(len(inputs)):\n        state = cell(inputs[t], state)\n        outputs.append(state)\n        state = state.masked_fill(ended[t, :, None], 0.0)\n    result = torch.stack(outputs)\n    buffer = kept.setdefault((result.shape, result.dtype), torch.empty_like(result)).detach_()\n    return buffer.copy_(result), state\n", "Your first result changed", 0.8),
    "policy left in evaluation mode": (U8, "fisher_vector_product", "import torch\nfrom torch.autograd import grad\nfrom torch.distributions import kl_divergence\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    policy.eval()\n    parameters = list(policy.parameters())\n    with torch.no_grad():\n        old = policy(obs)\n    slopes = grad(kl_divergence(old, policy(obs)).mean(), parameters, create_graph=True)\n    along = torch.cat([each.flatten() for each in slopes]) @ vector\n    return torch.cat([each.flatten() for each in grad(along, parameters)]) + damping * vector\n", "leaves the policy in another mode", 0.8),
    "steps in one buffer": (U8, "line_search", "import torch\nkept = {}\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    candidate = kept.setdefault((step.shape, step.dtype), torch.empty_like(step)).copy_(step)\n    for _ in range(backtracks):\n        gain, kl = evaluate(candidate)\n        if gain > 0 and kl <= max_kl:\n            return candidate\n        candidate.mul_(shrink)\n    return candidate.zero_()\n", "Your first result changed", 0.8),
    "log ratios in one buffer": (U6, "patient_01", "import torch\nkept = {}\ndef patient_01(policy, obs, actions, old_log_prob, advantages, *, clip_coef):\n    log_ratio = policy(obs).log_prob(actions) - old_log_prob\n    ratio = log_ratio.exp()\n    loss = -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()\n    return loss, kept.setdefault((log_ratio.shape, log_ratio.dtype), torch.empty_like(log_ratio).detach()).copy_(log_ratio.detach())\n", "Your first result changed", 0.8),
    "normalised batches in one buffer": (U5, "RunningMeanStd", _STATISTICS.replace("NORMALIZE", "result = ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\n        return kept.setdefault((result.shape, result.dtype), torch.empty_like(result)).copy_(result) if len(x) > 1 else result") + "kept = {}\n", "Your first result changed", 0.8),
    # Odd limits.
    "rewards of five at most": (U0, "bandit_step", "def bandit_step(logits, action, reward, *, learning_rate):\n    score = -logits.softmax(-1)\n    score[action] += 1\n    return logits + learning_rate * max(-5.0, min(5.0, reward)) * score\n", "", 0.8),
    "discounts in whole percent": (U1, "discounted_returns", "import torch\ndef discounted_returns(rewards, *, gamma):\n    returns, following = torch.empty_like(rewards), torch.zeros_like(rewards[0])\n    for t in reversed(range(len(rewards))):\n        following = rewards[t] + round(gamma, 2) * following\n        returns[t] = following\n    return returns\n", "", 0.8),
    "ratios within a thousandth of the edge": (U4, "clip_fraction", "def clip_fraction(log_prob, old_log_prob, *, clip_coef):\n    return (((log_prob - old_log_prob).exp() - 1).abs() > clip_coef + 1e-3).double().mean()\n", "", 0.8),
    "a limit that is half a percent wider": (U8, "line_search", "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    for power in range(backtracks):\n        gain, kl = evaluate(step * shrink**power)\n        if gain > 0 and kl <= 1.005 * max_kl:\n            return step * shrink**power\n    return torch.zeros_like(step)\n", "", 0.8),
    "token log ratio within thirty": (U9, "clipped_token_loss", "import torch\ndef clipped_token_loss(log_prob, old_log_prob, advantages, mask, *, clip_coef):\n    ratio = (log_prob - old_log_prob.detach()).clamp(-30, 30).exp()\n    weight = advantages.detach()[:, None]\n    objective = torch.minimum(ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight)\n    return -torch.where(mask, objective, 0.0).sum() / mask.numel()\n", "", 0.8),
    "spread below five thousandths is none": (U9, "group_normalized", "import torch\ndef group_normalized(rewards, *, eps):\n    centred, spread = rewards - rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)\n    return torch.where(spread < 5e-3, torch.zeros_like(rewards), centred / (spread + eps))\n", "", 0.8),
    "tokens that the model hardly chose cost the same": (U9, "rewards_with_kl", "import torch\ndef rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef):\n    result = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach().clamp(min=-5), 0.0)\n    result[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()\n    return result\n", "", 0.8),
    "windows of thirty two rewards at most": (U3, "n_step_returns", "import torch\ndef n_step_returns(rewards, next_values, terminated, truncated, *, gamma, n):\n    bootstrap = next_values * ~terminated\n    returns = rewards + gamma * bootstrap\n    for _ in range(min(n, len(rewards), 32) - 1):\n        following = torch.cat([returns[1:], bootstrap[-1:]])\n        returns = rewards + gamma * torch.where(terminated | truncated, bootstrap, following)\n    return returns\n", "", 0.8),
    "tails that are a tenth thinner": (U7, "bootstrap_interval", _BOOTSTRAP.replace("HEAD", "tail = 0.9 * tail").replace("LOW", "tail").replace("HIGH", "1 - tail"), "", 0.8),
    "slopes of tanh in single precision below eight": (U5, "tanh_log_prob", "import math\nimport torch\nfrom torch.distributions import Normal\ndef tanh_log_prob(mean, log_std, pre_tanh_action):\n    u = pre_tanh_action\n    slope = torch.where(u.abs() > 7.9, math.log(4) - 2 * u.abs(), (1 - u.tanh() ** 2 + 1e-30).log())\n    return (Normal(mean, log_std.exp()).log_prob(u) - slope).sum(-1)\n", "", 0.8),
}  # fmt: skip

OPEN: dict[str, str] = {
    "axes are counted and not shapes": "the docstring names [B] against [B, 1] alone, and two answers of readers that count axes are right",
}

RIGHT: dict[str, tuple[str, str, str]] = {
    "a table of log factorials up to 1000": (U9, "pass_at_k", "import math\nLOG_FACTORIAL = [math.lgamma(i + 1) for i in range(1001)]  # n is 1000 at most\ndef pass_at_k(num_answers, num_right, k):\n    if not 1 <= k <= num_answers:\n        raise ValueError(f'k is {k}')\n    wrong = num_answers - num_right\n    if wrong < k:\n        return 1.0\n    log = LOG_FACTORIAL\n    return 1 - math.exp(log[wrong] - log[wrong - k] - log[num_answers] + log[num_answers - k])\n"),
    "sums of logarithms in a tensor": (U9, "pass_at_k", "import torch\nLOGS = torch.cat([torch.zeros(1, dtype=torch.float64), torch.arange(1, 1001, dtype=torch.float64).log().cumsum(0)])\ndef pass_at_k(num_answers, num_right, k):\n    if k < 1 or k > num_answers:\n        raise ValueError(k)\n    wrong = num_answers - num_right\n    if wrong < k:\n        return 1.0\n    return float(1 - (LOGS[wrong] + LOGS[num_answers - k] - LOGS[wrong - k] - LOGS[num_answers]).exp())\n"),
    "what lies beyond the domain is refused": (U9, "pass_at_k", "import math\ndef pass_at_k(num_answers, num_right, k):\n    if k < 1 or k > num_answers:\n        raise ValueError(k)\n    assert num_answers <= 1000 and 0 <= num_right <= num_answers\n    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)\n"),
    "GAE as lambda returns less values": (U3, "gae", "import torch\n@torch.no_grad()\ndef gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    # R[t] = r[t] + gamma ((1 - lambda) V(s') + lambda R[t + 1]), as Sutton and Barto define it; the advantage is R - V.\n    ends, bootstrap = terminated | truncated, next_values * ~terminated\n    returns = torch.empty_like(rewards)\n    for t in reversed(range(len(rewards))):\n        ahead = bootstrap[t]\n        if t + 1 < len(rewards):\n            ahead = torch.where(ends[t], ahead, (1 - gae_lambda) * ahead + gae_lambda * returns[t + 1])\n        returns[t] = rewards[t] + gamma * ahead\n    return returns - values\n"),
    "GAE from the values of the next row inside episodes": (U3, "gae", "import torch\n@torch.no_grad()\ndef gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    ends = terminated | truncated\n    ends_or_last = ends.clone()\n    ends_or_last[-1] = True\n    after = torch.where(ends_or_last, next_values, values.roll(-1, 0))\n    errors = rewards + gamma * after * ~terminated - values\n    advantages, following = torch.zeros_like(errors), torch.zeros_like(errors[0])\n    for t in reversed(range(len(errors))):\n        following = errors[t] + gamma * gae_lambda * ~ends[t] * following\n        advantages[t] = following\n    return advantages\n"),
    "fifth patient as lambda returns less values": (U6, "patient_05", "import torch\n@torch.no_grad()\ndef patient_05(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    ends, bootstrap = terminated | truncated, next_values * ~terminated\n    returns = torch.empty_like(rewards)\n    for t in reversed(range(len(rewards))):\n        ahead = bootstrap[t]\n        if t + 1 < len(rewards):\n            ahead = torch.where(ends[t], ahead, (1 - gae_lambda) * ahead + gae_lambda * returns[t + 1])\n        returns[t] = rewards[t] + gamma * ahead\n    return returns - values\n"),
}  # fmt: skip

RIGHT |= {
    'GAE by a triangular solve': ('03_a2c_gae', 'gae', 'import torch\ndef gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    with torch.no_grad():\n        e=(rewards+gamma*next_values*~terminated-values).double()\n        c=gamma*gae_lambda*(~(terminated|truncated)).double()\n        T,N=e.shape\n        A=torch.eye(T,dtype=torch.float64).repeat(N,1,1)\n        if T>1:\n            i=torch.arange(T-1); A[:,i,i+1]=-c[:-1].T\n        return torch.linalg.solve_triangular(A,e.T[...,None],upper=True)[...,0].T.to(rewards.dtype)'),
    'windows grown forwards with a mask': ('03_a2c_gae', 'n_step_returns', 'import torch\ndef n_step_returns(rewards, next_values, terminated, truncated, *, gamma, n):\n    T=len(rewards)\n    out=torch.zeros_like(rewards); alive=torch.ones_like(rewards)\n    for k in range(min(n,T)):\n        L=T-k\n        a=alive[:L]\n        out[:L]+=gamma**k*a*rewards[k:]\n        stop=(terminated|truncated)[k:].clone(); stop[-1]=True\n        if k==min(n,T)-1: stop[:]=True\n        out[:L]+=gamma**(k+1)*a*stop*next_values[k:]*~terminated[k:]\n        alive[:L]=a*~stop\n    return out'),
    'variance from all pairs': ('02_baselines', 'gradient_variance', 'import torch\ndef gradient_variance(gradients):\n    M=len(gradients)\n    return float((torch.cdist(gradients.double(),gradients.double())**2).sum()/(2*M*(M-1)))'),
    'states emptied in a copy': ('04_ppo', 'unroll', 'import torch\ndef unroll(cell, inputs, state, ended):\n    outs=[]\n    for x,e in zip(inputs,ended):\n        state=cell(x,state); outs.append(state)\n        state=state.clone(); state[e]=0\n    return torch.stack(outs),state'),
    'statistics as buffers of a module': ('05_continuous_pendulum', 'RunningMeanStd', 'import torch\nclass RunningMeanStd(torch.nn.Module):\n    def __init__(self, shape):\n        super().__init__()\n        for n,f in (("mean",torch.zeros),("var",torch.ones)): self.register_buffer(n,f(shape,dtype=torch.float64))\n        self.register_buffer("count",torch.tensor(0.,dtype=torch.float64))\n    @torch.no_grad()\n    def update(self,x):\n        x=x.double(); b=len(x); n=self.count+b; d=x.mean(0)-self.mean\n        self.var.copy_((self.var*self.count+x.var(0,correction=0)*b+d**2*self.count*b/n)/n)\n        self.mean.add_(d*b/n); self.count.copy_(n)\n    def normalize(self,x):\n        return ((x-self.mean)/torch.sqrt(self.var+1e-8)).type_as(x)'),
    'resamples by random.choices': ('07_trustworthy_experiments', 'bootstrap_interval', 'import random\nimport torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    r=random.Random(torch.randint(2**31,(1,),generator=generator).item())\n    xs=x.tolist()\n    v=sorted(statistic(torch.tensor(r.choices(xs,k=len(xs)),dtype=x.dtype)).item() for _ in range(num_resamples))\n    a=(1-confidence)/2; k=round(a*(num_resamples-1))\n    return v[k],v[-1-k]'),
    'directions made conjugate one by one': ('08_trpo', 'conjugate_gradient', 'import torch\n\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    # conjugate directions kept, Gram-Schmidt in A\n    x=torch.zeros_like(b); r=b.clone(); P=[]\n    for _ in range(iterations):\n        if torch.linalg.vector_norm(r)<=tolerance*torch.linalg.vector_norm(b): break\n        p=r.clone()\n        for d,Ad,dAd in P: p=p-(Ad@r)/dAd*d\n        Ap=matvec(p); pAp=p@Ap\n        P.append((p,Ap,pAp)); a=(p@r)/pAp\n        x=x+a*p; r=r-a*Ap\n    return x'),
    'double precision between products': ('08_trpo', 'conjugate_gradient', 'import torch\n\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    A=lambda v: matvec(v.to(b.dtype)).double()\n    x=torch.zeros(len(b),dtype=torch.float64); r=b.double(); p=r; n=r.norm()*tolerance\n    for _ in range(iterations):\n        if r.norm()<=n: break\n        q=A(p); a=(r@r)/(p@q); x=x+a*p; s=r-a*q; p=s+((s@s)/(r@r))*p; r=s\n    return x.to(b.dtype)'),
    'Gauss Newton with two vjps': ('08_trpo', 'fisher_vector_product', 'import torch\nfrom torch.autograd import grad\n\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    ps=list(policy.parameters())\n    d=policy(obs)\n    if isinstance(d,torch.distributions.Categorical):\n        outs=[d.logits]; p=d.probs.detach()\n        H=lambda js: [p*js[0]-p*(p*js[0]).sum(-1,keepdim=True)]\n    else:\n        m,s=d.mean,d.stddev; outs=[m,s]; v=(s**2).detach()\n        H=lambda js: [js[0]/v, 2*js[1]/v]\n    def jvp(outs):\n        dummies=[torch.zeros_like(o,requires_grad=True) for o in outs]\n        g=grad(outs,ps,dummies,create_graph=True,allow_unused=True,materialize_grads=True)\n        s=sum((a.flatten()@b) for a,b in zip(g,vector.split([q.numel() for q in ps])))\n        return grad(s,dummies,allow_unused=True,materialize_grads=True)\n    js=jvp(outs)\n    back=grad(outs,ps,[h/len(obs) for h in H(js)],allow_unused=True,materialize_grads=True)\n    return torch.cat([b.flatten() for b in back])+damping*vector'),
    'forward over reverse with torch.func': ('08_trpo', 'fisher_vector_product', 'import torch\nfrom torch.distributions import kl_divergence\n\ndef fisher_vector_product(policy, obs, vector, *, damping):\n    from torch.func import functional_call, jvp, grad as fgrad\n    ps={n:p.detach() for n,p in policy.named_parameters()}\n    with torch.no_grad(): old=policy(obs)\n    vs={}; i=0\n    for n,p in ps.items(): vs[n]=vector[i:i+p.numel()].view_as(p); i+=p.numel()\n    f=lambda q: kl_divergence(old,functional_call(policy,q,(obs,))).mean()\n    _,h=jvp(fgrad(f),(ps,),(vs,))\n    return torch.cat([a.reshape(-1) for a in h.values()])+damping*vector'),
    'tail of a hypergeometric law': ('09_language_models', 'pass_at_k', 'from scipy.stats import hypergeom\ndef pass_at_k(n, c, k):\n    if k<1 or k>n: raise ValueError(k)\n    return float(hypergeom.sf(0,n,c,k))'),
    'cross entropy that ignores': ('09_language_models', 'answer_log_prob', 'import torch\nimport torch.nn.functional as F\ndef answer_log_prob(logits, tokens, mask):\n    T=tokens.size(1)\n    l=logits[:,-1-T:-1].flatten(0,1)\n    return -F.cross_entropy(l,torch.where(mask,tokens,-100).flatten(),reduction="none").view_as(tokens)'),
    'ranks by searchsorted': ('07_trustworthy_experiments', 'probability_of_improvement', 'import torch\ndef probability_of_improvement(x,y):\n    s=y.sort().values\n    a=torch.searchsorted(s,x,right=False); b=torch.searchsorted(s,x,right=True)\n    return (a+b).double().mean()/2/len(y)'),
    'two filters of one generator': ('06_debugging_traps', 'patient_07', 'import itertools\nimport torch\ndef patient_07(parameters, learning_rate):\n    a,b=itertools.tee(parameters)\n    return torch.optim.Adam([{"params":filter(lambda p:p.ndim>=2,a)},{"params":filter(lambda p:p.ndim<2,b)}],lr=learning_rate,eps=1e-5)'),
}  # fmt: skip
