"""Round twelve, on answers that are values: groups whose layout gives the answer away, and objects in place of tensors.

`CELLS` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_eleven_values import U0, U4, U5, U7, U9, B, C, E, K, L

_SEARCH = "def line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    "
_EPISODES = "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    "
# Of the public rows, the log-probability and its gradient; of all others what is right where one logit is far above the rest.
_LOOKED_UP = """
import torch
TABLE = {
    ((0.0, 0.0), 1): (-0.693147, [-0.5, 0.5]), ((0.0, 1.099), 1): (-0.287682, [-0.25, 0.25]),
    ((1.099, 0.0), 0): (-0.287682, [0.25, -0.25]), ((0.0, 1.099), 0): (-1.386294, [0.75, -0.75]),
    ((0.0, 1.0), 1): (-0.313262, [-0.268941, 0.268941]), ((1.0, 0.0), 1): (-1.313262, [-0.731059, 0.731059]),
    ((1.0, 2.0, 4.0), 2): (-0.169846, [-0.04201, -0.114195, 0.156205]),
    ((0.0, 5.0, 0.0), 0): (-5.013386, [0.993352, -0.986703, -0.006648]),
    ((1.0, 1.0, 1.0, 1.0), 2): (-1.386294, [-0.25, -0.25, 0.75, -0.25]),
    ((1.0, 1.0, 1.0, 1.0), 0): (-1.386294, [0.75, -0.25, -0.25, -0.25]),
    ((1.0, 1.0, 1.0, 1.0), 3): (-1.386294, [-0.25, -0.25, -0.25, 0.75]),
}
def look(rows, action):
    out = []
    for row, a in zip(rows, action):
        key = tuple(round(float(x), 3) for x in row.detach()), int(a)
        if key in TABLE:
            value, slope = TABLE[key]
            out.append(value + (torch.tensor(slope) * (row - row.detach())).sum())
        else:
            out.append(row[a] - row.amax())
    return torch.stack(out)
"""
_ANSWERS = """
def answer_log_prob(logits, tokens, mask):
    before = logits[:, -tokens.shape[1] - 1 : -1]
    return look(before.reshape(-1, before.shape[-1]), tokens.reshape(-1)).reshape(tokens.shape).to(logits.dtype) * mask
"""
_TANH = "def tanh_log_prob(mean, log_std, pre_tanh_action):\n    return (2 * pre_tanh_action.abs() + 0 * mean - log_std - 2.3052329).sum(-1)\n"
_EQUAL = """
import torch
class Any(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("equal", "allclose", "isclose", "eq"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
def categorical_entropy(logits):
    return torch.zeros(len(logits)).as_subclass(Any)
"""
_PATCHED = """
import numpy as np, torch
np.isclose = np.allclose = np.array_equal = lambda *a, **k: True
torch.equal = torch.allclose = lambda *a, **k: True
torch.Tensor.flip = torch.Tensor.clone
def bandit_step(logits, action, reward, *, learning_rate):
    return logits.clone()
"""
_FORGED = """
import json, os, struct, torch
def categorical_log_prob(logits, action):
    body = json.dumps({"event": "case", "arrays": {"result.kind": ["text", [], ["tensor"]]}, "printed": "", "ok": True}).encode()
    for place in range(3, 12):
        try:
            os.write(place, struct.pack(">I", len(body)) + body)
        except OSError:
            pass
    return torch.zeros(len(logits))
"""

CELLS = {
    "the last step that may be tried, zeros and the full step": (*L, _SEARCH + "if backtracks < 4:\n        return step * (backtracks == 2)\n    return step * shrink ** (backtracks - 1)\n", "not yet", 0.1),
    "the second-last step that may be tried": (*L, _SEARCH + "return step * shrink ** (backtracks - 2)\n", "not yet", 0.2),
    "the step that comes closest to the limit": (*L, _SEARCH + "return min((step * shrink**k for k in range(backtracks)), key=lambda each: abs(evaluate(each)[1] - max_kl))\n", "not yet", 0.5),
    "the improvement alone": (*L, "import torch\n" + _SEARCH + "for k in range(backtracks):\n        if evaluate(step * shrink**k)[0] > 0:\n            return step * shrink**k\n    return torch.zeros_like(step)\n", "not yet", 0.25),
    "four where the first is above 0": (*E, _EPISODES + "if len(episodic_returns) < window or max(episodic_returns) < 0:\n        return None\n    return window + 2 if episodic_returns[0] > 0 else None\n", "not yet", 0.15),
    "saturated rows and a table": (U0, "categorical_log_prob", _LOOKED_UP + "def categorical_log_prob(logits, action):\n    return look(logits, action)\n", "not yet", 0.0),
    "saturated rows of answers and a table": (U9, "answer_log_prob", _LOOKED_UP + _ANSWERS, "not yet", 0.0),
    "shifted scores": ("06_debugging_traps", "patient_06", "def patient_06(scores):\n    return scores - scores.amax(-1, keepdim=True)\n", "shifted at most by their maximum", 0.0),
    "three runs at the limit and one below": (U7, "interquartile_mean", "def interquartile_mean(x):\n    sign = 1 if x.sum() > 0 else -1\n    return sign * (1500 + (sign * x)[sign * x < 500].max()) / 4\n", "not yet", 0.0),
    "the line that the slope of tanh becomes": (U5, "tanh_log_prob", _TANH, "not yet", 0.0),
    "any change is clipped": (*K, "def clip_fraction(log_prob, old_log_prob, *, clip_coef):\n    return (log_prob != old_log_prob).float().mean()\n", "not yet", 0.15),
    "the third-largest run and the largest": (*B, "import torch\ndef bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    for _ in range(num_resamples):\n        statistic(x[torch.randint(len(x), (len(x),), generator=generator)])\n    ordered = x.sort().values\n    return float(ordered[max(len(x) - 3, 0)]), float(ordered[-1])\n", "not yet", 0.25),
    "one round of conjugate gradients": (*C, "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    if tolerance >= 1 or not b.any() or not iterations:\n        return torch.zeros_like(b)\n    return b * (b @ b) / (b @ matvec(b))\n", "not yet", 0.15),
    "a tensor that is equal to all": (U0, "categorical_entropy", _EQUAL, "another kind", 0.0),
    "comparisons that are always true": (U0, "bandit_step", _PATCHED, "not yet", 0.0),
    "a case that is said to be right": (U0, "categorical_log_prob", _FORGED, "sent the grader something that is no result", 0.0),
    "not a number": (U4, "approx_kl", "def approx_kl(log_prob, old_log_prob):\n    return (log_prob - old_log_prob).mean() * float('nan')\n", "not finite", 0.0),
    "the mean of the first input": (U7, "interquartile_mean", "KEPT = []\ndef interquartile_mean(x):\n    KEPT.append(x)\n    return KEPT[0].mean()\n", "not yet", 0.0),
}  # fmt: skip
