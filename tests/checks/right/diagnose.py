"""Right answers to diagnose in other styles."""

import numpy as np


def right_with_lists(metrics):
    lists = {name: [float(x) for x in values] for name, values in metrics.items()}
    found = set()
    kl, entropy = lists.get("losses/approx_kl"), lists.get("losses/entropy")
    if kl:
        found |= {"kl-high"} if max(kl) > 0.05 else {"kl-zero"} if max(kl) < 1e-6 else set()
    if max(lists.get("losses/clipfrac") or [0.0]) > 0.5:
        found.add("clip-fraction-high")
    if entropy and any(x < 0.25 for x in entropy[:50]):
        found.add("entropy-collapsed")
    if entropy and len(entropy) >= 25 and all(x > 0.55 for x in entropy):
        found.add("entropy-never-falls")
    explained = lists.get("losses/explained_variance", [])
    if len(explained) >= 25 and (real := [x for x in explained if x == x]) and max(real) < 0.9:
        found.add("explained-variance-low")
    value, returns = lists.get("charts/value_mean", []), lists.get("charts/return_mean")
    if returns and len(value) >= 25:
        gaps = [abs(v - g) / abs(g) for v, g in zip(value, returns, strict=False)]
        last = gaps[-(len(gaps) // 4) :]
        if sum(last) / len(last) > 0.1:
            found.add("value-offset")
    if any(name.startswith("updates/") and values and max(values) < 1e-6 for name, values in lists.items()):
        found.add("part-not-updated")
    return found


def right_as_a_table(metrics):
    series = {name: np.array(values, dtype=float) for name, values in metrics.items() if len(values)}
    series["parts"] = np.array([values.max() for name, values in series.items() if name.startswith("updates/")])
    value, returns = (series.get(f"charts/{name}_mean", np.zeros(0)) for name in ("value", "return"))
    if len(value) >= 25 and len(value) == len(returns):
        series["offset"] = np.abs(value / returns - 1)[-(len(value) // 4) :]
    table = [
        ("kl-high", "losses/approx_kl", 1, lambda x: x.max() > 0.05),
        ("kl-zero", "losses/approx_kl", 1, lambda x: x.max() < 1e-6),
        ("clip-fraction-high", "losses/clipfrac", 1, lambda x: (x > 0.5).any()),
        ("entropy-collapsed", "losses/entropy", 1, lambda x: x[:50].min() < 0.25),
        ("entropy-never-falls", "losses/entropy", 25, lambda x: (x > 0.55).all()),
        ("explained-variance-low", "losses/explained_variance", 25, lambda x: np.fmax.reduce(x) < 0.9),  # past NaN
        ("value-offset", "offset", 1, lambda x: x.mean() > 0.1),
        ("part-not-updated", "parts", 1, lambda x: x.min() < 1e-6),
    ]
    return {alarm for alarm, name, least, rings in table if len(series.get(name, ())) >= least and rings(series[name])}


def right_frozen(metrics):
    return frozenset(right_with_lists({name: np.array(values) for name, values in metrics.items()}))
