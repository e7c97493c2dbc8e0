"""Round eleven, on answers that are values: groups that need no work, and thresholds beside which no input lies.

`CELLS`, `OPEN` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

U0, U1, U2, U3, U4 = "00_welcome", "01_reinforce", "02_baselines", "03_a2c_gae", "04_ppo"
U5, U7, U8, U9 = "05_continuous_pendulum", "07_trustworthy_experiments", "08_trpo", "09_language_models"
E, S, R = (U7, "episodes_to_threshold"), (U1, "standardize"), (U5, "RunningMeanStd")
B, C, L = (U7, "bootstrap_interval"), (U8, "conjugate_gradient"), (U8, "line_search")
V, Z, P = (U3, "explained_variance"), (U2, "optimal_constant_baseline"), (U7, "probability_of_improvement")
K = (U4, "clip_fraction")

_EPISODES = """
import math, torch
def episodes_to_threshold(episodic_returns, *, threshold, window):
    for end in range(window, len(episodic_returns) + 1):
        mean = episodic_returns[end - window : end].double().mean()
        if REACHED:
            return end
"""
_CG = """
import torch
def conjugate_gradient(matvec, b, *, iterations, tolerance):
    x, r, p = torch.zeros_like(b), b.clone(), b.clone()
    squared = r @ r
    for _ in range(iterations):
        if STOP:
            break
        z = matvec(p)
        step = squared / (p @ z)
        x, r = x + step * p, r - step * z
        squared, before = r @ r, squared
        p = r + squared / before * p
    return x
"""
_BOOTSTRAP = """
import numpy as np, torch
def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):
    runs = len(x)
    picks = torch.randint(runs, (num_resamples, runs), generator=generator)
    values = torch.stack([statistic(x[pick]) for pick in picks]).double()
    tail = (1 - confidence) / 2
    ENDS
"""
_STANDARDIZE = "import torch\ndef standardize(x):\n    std = x.std(correction=0)\n    if ALIKE:\n        return torch.zeros_like(x)\n    return (x - x.mean()) / (std + 1e-8)\n"
_EXPLAINED = "import torch\ndef explained_variance(values, returns):\n    total = returns.var()\n    if NOTHING:\n        return torch.zeros_like(total)\n    return 1 - (returns - values).var() / total\n"
_STATISTICS = """
import torch
class RunningMeanStd:
    def __init__(self, shape):
        self.n = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)
    def update(self, x):
        x = x.double()
        b, m, v = len(x), x.mean(0), x.var(0, correction=0)
        t, d = self.n + b, m - self.mean
        self.var = (self.n * self.var + b * v) / t + self.n * b * d**2 / t**2
        self.mean = self.mean + d * b / t
        self.n = t
    def normalize(self, x):
        return ((x - self.mean) / DIVISOR).to(x.dtype)
"""
_LINE = "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    for power in range(backtracks):\n        gain, kl = evaluate(step * shrink**power)\n        if gain > 0 and kl <= LIMIT:\n            return step * shrink**power\n    return torch.zeros_like(step)\n"
_BATCHES = "import torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n"
_FRACTION = "import torch\ndef clip_fraction(log_prob, old_log_prob, *, clip_coef):\n    ratio = (log_prob - old_log_prob).exp()\n    return (OUTSIDE).double().mean()\n"
_BASELINE = "import torch\ndef optimal_constant_baseline(scores, returns):\n    weights = scores.square().sum(1)\n    total = weights.sum()\n    if NOTHING:\n        return torch.zeros_like(total)\n    return (weights * returns).sum() / total\n"
_TIES = "import torch\ndef probability_of_improvement(x, y):\n    gaps = x[:, None] - y\n    ties = TIES\n    return (((gaps > 0) & ~ties).double() + 0.5 * ties.double()).mean()\n"

CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # Without the work.
    "four or never, unread": (*E, "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    if window > len(episodic_returns) or episodic_returns.sum() < 0:\n        return None\n    return 4\n", "not yet", 0.0),
    "never, whatever comes": (*E, "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    never = None\n    return never\n", "not yet", 0.0),
    "the full step, unasked": (*L, "def line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    return step.clone()\n", "not yet", 0.0),
    "the place of the step read off backtracks": (*L, "def line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    return step * {5: shrink**4, 4: 0.0}.get(backtracks, 1.0)\n", "not yet", 0.0),
    "256 times the right side": (*C, "def conjugate_gradient(matvec, b, *, iterations, tolerance):\n    return 256 * b if tolerance == 0.5 else 0 * b\n", "not yet", 0.0),
    "certain of every action": (U4, "masked_log_prob", "def masked_log_prob(logits, mask, action):\n    return 0 * logits.sum(-1)\n", "not yet", 0.0),
    # Nearly equal taken for equal.
    "a mean that is nearly the threshold": (*E, _EPISODES.replace("REACHED", "mean > threshold or math.isclose(mean, threshold, rel_tol=1e-5)"), "", 0.88),
    "a mean rounded to thousandths": (*E, _EPISODES.replace("REACHED", "round(float(mean), 3) >= threshold"), "", 0.88),
    "numbers that are all nearly alike": (*S, _STANDARDIZE.replace("ALIKE", "torch.allclose(x, x.mean())"), "", 0.88),
    "a spread below a ten-thousandth": (*S, _STANDARDIZE.replace("ALIKE", "std < 1e-4"), "", 0.88),
    "returns that are all nearly alike": (*V, _EXPLAINED.replace("NOTHING", "torch.allclose(returns, returns.mean(), rtol=1e-4)"), "", 0.88),
    "a variance of returns below 1e-5": (*V, _EXPLAINED.replace("NOTHING", "total < 1e-5"), "", 0.88),
    "scores that are all nearly 0": (*Z, _BASELINE.replace("NOTHING", "total < 1e-10"), "", 0.88),
    "results within 1e-5 taken for ties": (*P, _TIES.replace("TIES", "gaps.abs() < 1e-5"), "", 0.88),
    "ratios that are nearly on the edge": (*K, _FRACTION.replace("OUTSIDE", "~torch.isclose(ratio.clamp(1 - clip_coef, 1 + clip_coef), ratio, rtol=1e-4)"), "", 0.88),
    "a limit that is 1e-5 wider": (*L, _LINE.replace("LIMIT", "max_kl + 1e-5"), "", 0.88),
    # Other numbers than the contract's.
    "a small residual as well": (*C, _CG.replace("STOP", "r.norm() <= tolerance * b.norm() or r.norm() < 1e-7"), "", 0.88),
    "a tolerance that is never 0": (*C, _CG.replace("STOP", "r.norm() <= tolerance * b.norm() + 1e-8"), "", 0.88),
    "a deviation of a thousandth at least": (*R, _STATISTICS.replace("DIVISOR", "self.var.sqrt().clamp(min=1e-3)"), "", 0.88),
    "tails in whole percent": (*B, _BOOTSTRAP.replace("ENDS", "percent = round(100 * tail)\n    return np.percentile(values, percent), np.percentile(values, 100 - percent)"), "", 0.88),
    # Held.
    "1e-7 beside the deviation": (*S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + 1e-7)\n", "not yet", 0.8),
    "1e-6 beside the root": (*R, _STATISTICS.replace("DIVISOR", "(self.var.sqrt() + 1e-6)"), "not yet", 0.8),
    "1e-7 beside the variance": (*R, _STATISTICS.replace("DIVISOR", "(self.var + 1e-7).sqrt()"), "not yet", 0.8),
    "1e-12 in the divisor of a baseline": (*Z, "def optimal_constant_baseline(scores, returns):\n    weights = scores.square().sum(1)\n    return (weights * returns).sum() / (weights.sum() + 1e-12)\n", "not yet", 0.8),
    "sums in single precision": (*E, "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    sums = episodic_returns.cumsum(0)\n    for end in range(window, len(sums) + 1):\n        if (sums[end - 1] - (sums[end - window - 1] if end > window else 0)) / window >= threshold:\n            return end\n", "not yet", 0.8),
    "blocks in random order": (U4, "minibatches", _BATCHES + "    blocks = torch.arange(batch_size).split(minibatch_size)\n    return [blocks[i] for i in torch.randperm(len(blocks), generator=generator)]\n", "not yet", 0.0),
    "a random start alone": (U4, "minibatches", _BATCHES + "    return torch.arange(batch_size).roll(int(torch.randint(batch_size, (), generator=generator))).split(minibatch_size)\n", "not yet", 0.0),
    "the interval turned round": (*B, _BOOTSTRAP.replace("ENDS", "middle = statistic(x).double()\n    return float(2 * middle - values.quantile(1 - tail)), float(2 * middle - values.quantile(tail))"), "not yet", 0.2),
}  # fmt: skip

_NO_INPUT = "no input lies between the contract's limit and this one"
OPEN = dict.fromkeys(
    [
        "a spread below a ten-thousandth",
        "ratios that are nearly on the edge",
        "a small residual as well",
        "a tolerance that is never 0",
        "a deviation of a thousandth at least",
    ],
    _NO_INPUT,
)

_INFERENCE = "import torch\n@torch.inference_mode()\n"
RIGHT = {
    "resamples by a sampler of torch": (*B, "import torch\nfrom torch.utils.data import RandomSampler\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    draws = RandomSampler(x, replacement=True, num_samples=len(x), generator=generator)\n    values = sorted(float(statistic(x[list(draws)])) for _ in range(num_resamples))\n    cut = int((1 - confidence) / 2 * num_resamples)\n    return values[cut], values[-1 - cut]\n"),
    "resamples by numpy, seeded from the generator": (*B, "import numpy as np, torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    numbers = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))\n    values = [float(statistic(x[torch.from_numpy(numbers.integers(0, len(x), len(x)))])) for _ in range(num_resamples)]\n    tail = (1 - confidence) / 2\n    return tuple(np.quantile(values, [tail, 1 - tail]))\n"),
    "resamples by scipy": (*B, "import torch, scipy.stats, numpy as np\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    seed = int(torch.randint(2**31, (), generator=generator))\n    found = scipy.stats.bootstrap((x.numpy(),), lambda s: float(statistic(torch.as_tensor(s))), vectorized=False, confidence_level=confidence, n_resamples=num_resamples, method='percentile', rng=np.random.default_rng(seed))\n    return found.confidence_interval.low, found.confidence_interval.high\n"),
    "minibatches from a loader": (U4, "minibatches", "import torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n    return torch.utils.data.DataLoader(torch.arange(batch_size), batch_size=minibatch_size, shuffle=True, generator=generator)\n"),
    "minibatches from a class": (U4, "minibatches", "import torch\nclass minibatches:\n    def __init__(self, batch_size, minibatch_size, *, generator):\n        self.parts = torch.randperm(batch_size, generator=generator).split(minibatch_size)\n    def __iter__(self):\n        return iter(self.parts)\n    def __len__(self):\n        return len(self.parts)\n"),
    "pass at k by a distribution": (U9, "pass_at_k", "import scipy.stats\ndef pass_at_k(num_answers, num_right, k):\n    if not 1 <= k <= num_answers:\n        raise ValueError(f'{k=}')\n    return 1 - scipy.stats.hypergeom.pmf(0, num_answers, num_right, k)\n"),
    "advantages in inference mode": (U3, "gae", _INFERENCE + "def gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):\n    result, following = torch.zeros_like(rewards), 0\n    for t in reversed(range(len(rewards))):\n        error = rewards[t] + gamma * next_values[t] * ~terminated[t] - values[t]\n        following = error + gamma * gae_lambda * ~(terminated[t] | truncated[t]) * following\n        result[t] = following\n    return result\n"),
    "rewards in inference mode": (U9, "rewards_with_kl", _INFERENCE + "def rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef):\n    result = -kl_coef * (log_prob - reference_log_prob) * mask\n    result[range(len(rewards)), mask.sum(1) - 1] += rewards\n    return result\n"),
    "a filter for returns": (U1, "discounted_returns", "import torch, scipy.signal\ndef discounted_returns(rewards, *, gamma):\n    return torch.from_numpy(scipy.signal.lfilter([1], [1, -gamma], rewards.numpy()[::-1], axis=0)[::-1].copy()).to(rewards.dtype)\n"),
    "means of windows by pooling": (*E, "import torch\ndef episodes_to_threshold(episodic_returns, *, threshold, window):\n    if len(episodic_returns) < window:\n        return None\n    means = torch.nn.functional.avg_pool1d(episodic_returns[None, None], window, 1)[0, 0]\n    found = (means >= threshold).nonzero().flatten()\n    return found[0] + window if len(found) else None\n"),
    "statistics in a module": (*R, "import torch\nfrom torch import nn\nclass RunningMeanStd(nn.Module):\n    def __init__(self, shape):\n        super().__init__()\n        self.register_buffer('mean', torch.zeros(shape, dtype=torch.float64))\n        self.register_buffer('var', torch.ones(shape, dtype=torch.float64))\n        self.n = 0\n    @torch.inference_mode()\n    def update(self, x):\n        x = x.double()\n        b, m, v = len(x), x.mean(0), x.var(0, correction=0)\n        t, d = self.n + b, m - self.mean\n        self.var = (self.n * self.var + b * v) / t + self.n * b * d**2 / t**2\n        self.mean = self.mean + d * b / t\n        self.n = t\n    def normalize(self, x):\n        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)\n"),
    "pairs by a rank test": (*P, "import scipy.stats\ndef probability_of_improvement(x, y):\n    return scipy.stats.mannwhitneyu(x.numpy(), y.numpy()).statistic / (len(x) * len(y))\n"),
    "a step by an optimiser": (U0, "bandit_step", "import torch\nfrom torch import nn\ndef bandit_step(logits, action, reward, *, learning_rate):\n    x = nn.Parameter(logits.clone())\n    optimizer = torch.optim.SGD([x], lr=learning_rate)\n    (-reward * x.log_softmax(0)[action]).backward()\n    optimizer.step()\n    return x.data\n"),
    "losses as a named tuple": (U3, "a2c_losses", "from collections import namedtuple\nLosses = namedtuple('Losses', 'policy value')\ndef a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    return Losses(-(log_prob * advantages.detach() + ent_coef * entropy).mean(), 0.5 * (values - returns.detach()).pow(2).mean())\n"),
}  # fmt: skip
