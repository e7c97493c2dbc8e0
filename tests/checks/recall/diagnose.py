"""Answers to diagnose, written from the lesson and the stub alone."""

import math
import statistics

import numpy as np
import torch


def wrong_nan_swallows_explained_variance(metrics):
    """Takes the plain maximum, and does not know that one NaN makes it NaN, which is not below anything."""
    alarms = set()

    def get(name):
        return np.asarray(metrics.get(name, []), dtype=float)

    kl = get("losses/approx_kl")
    if len(kl) and kl.max() > 0.05:
        alarms.add("kl-high")
    if len(kl) and kl.max() < 1e-6:
        alarms.add("kl-zero")
    clipped = get("losses/clipfrac")
    if len(clipped) and clipped.max() > 0.5:
        alarms.add("clip-fraction-high")
    entropy = get("losses/entropy")
    if len(entropy) and entropy[:50].min() < 0.25:
        alarms.add("entropy-collapsed")
    if len(entropy) >= 25 and entropy.min() > 0.55:
        alarms.add("entropy-never-falls")
    explained = get("losses/explained_variance")
    if len(explained) >= 25 and explained.max() < 0.9:
        alarms.add("explained-variance-low")
    v, g = get("charts/value_mean"), get("charts/return_mean")
    if len(v) >= 25 and len(g) >= 25:
        last = len(v) // 4
        if np.mean(np.abs(v[-last:] - g[-last:]) / np.abs(g[-last:])) > 0.1:
            alarms.add("value-offset")
    for name in metrics:
        if name.startswith("updates/") and len(metrics[name]) and np.max(metrics[name]) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_updates_with_nan_are_not_counted(metrics):
    """Throws the NaN out first and counts the updates after that, so a run of 30 with 10 NaN looks too short."""
    rings = set()
    series = {name: np.array(numbers, dtype=float) for name, numbers in metrics.items() if len(numbers) > 0}
    if "losses/approx_kl" in series:
        highest = series["losses/approx_kl"].max()
        if highest > 0.05:
            rings.add("kl-high")
        elif highest < 1e-6:
            rings.add("kl-zero")
    if "losses/clipfrac" in series and series["losses/clipfrac"].max() > 0.5:
        rings.add("clip-fraction-high")
    if "losses/entropy" in series:
        entropy = series["losses/entropy"]
        if entropy[:50].min() < 0.25:
            rings.add("entropy-collapsed")
        if entropy.size >= 25 and entropy.min() > 0.55:
            rings.add("entropy-never-falls")
    if "losses/explained_variance" in series:
        explained = series["losses/explained_variance"]
        explained = explained[~np.isnan(explained)]
        if explained.size >= 25 and explained.max() < 0.9:
            rings.add("explained-variance-low")
    if "charts/value_mean" in series and "charts/return_mean" in series:
        value, target = series["charts/value_mean"], series["charts/return_mean"]
        n = len(value)
        if n >= 25:
            offset = np.abs(value - target) / np.abs(target)
            if offset[n - n // 4 :].mean() > 0.1:
                rings.add("value-offset")
    if any(name.startswith("updates/") and numbers.max() < 1e-6 for name, numbers in series.items()):
        rings.add("part-not-updated")
    return rings


def wrong_nan_counts_as_zero(metrics):
    """Replaces NaN by 0, so a run whose explained variance is NaN throughout rings all the same."""

    def column(name):
        return np.asarray(metrics.get(name, ()), dtype=np.float64)

    kl, clipfrac, entropy = column("losses/approx_kl"), column("losses/clipfrac"), column("losses/entropy")
    explained = np.nan_to_num(column("losses/explained_variance"), nan=0.0)
    v, g = column("charts/value_mean"), column("charts/return_mean")
    n = min(v.size, g.size)
    quarter = slice(n - n // 4, n)
    table = {
        "kl-high": kl.size > 0 and kl.max() > 0.05,
        "kl-zero": kl.size > 0 and kl.max() < 1e-6,
        "clip-fraction-high": clipfrac.size > 0 and clipfrac.max() > 0.5,
        "entropy-collapsed": entropy.size > 0 and entropy[:50].min() < 0.25,
        "entropy-never-falls": entropy.size >= 25 and entropy.min() > 0.55,
        "explained-variance-low": explained.size >= 25 and explained.max() < 0.9,
        "value-offset": n >= 25 and np.mean(np.abs(v[quarter] - g[quarter]) / np.abs(g[quarter])) > 0.1,
        "part-not-updated": any(
            name.startswith("updates/") and len(numbers) > 0 and max(numbers) < 1e-6
            for name, numbers in metrics.items()
        ),
    }
    return {name for name, rings in table.items() if rings}


def wrong_offset_leaves_out_the_first_quarter(metrics):
    """Slices from n // 4 on, which is the last three quarters."""
    found = set()
    kl = list(metrics.get("losses/approx_kl", []))
    if kl:
        if max(kl) > 0.05:
            found.add("kl-high")
        if max(kl) < 1e-6:
            found.add("kl-zero")
    fractions = list(metrics.get("losses/clipfrac", []))
    if fractions and max(fractions) > 0.5:
        found.add("clip-fraction-high")
    entropy = list(metrics.get("losses/entropy", []))
    if entropy and min(entropy[:50]) < 0.25:
        found.add("entropy-collapsed")
    if len(entropy) >= 25 and min(entropy) > 0.55:
        found.add("entropy-never-falls")
    explained = list(metrics.get("losses/explained_variance", []))
    real = [e for e in explained if not math.isnan(e)]
    if len(explained) >= 25 and real and max(real) < 0.9:
        found.add("explained-variance-low")
    v, g = list(metrics.get("charts/value_mean", [])), list(metrics.get("charts/return_mean", []))
    offsets = [abs(a - b) / abs(b) for a, b in zip(v, g, strict=False)]
    if len(offsets) >= 25:
        late = offsets[len(offsets) // 4 :]
        if sum(late) / len(late) > 0.1:
            found.add("value-offset")
    for name, norms in metrics.items():
        if name.startswith("updates/") and len(norms) and max(norms) < 1e-6:
            found.add("part-not-updated")
    return found


def wrong_offset_of_the_two_means(metrics):
    """Averages V and G over the last quarter first and compares the two averages: errors up and down cancel."""
    out = set()
    if "losses/approx_kl" in metrics and len(metrics["losses/approx_kl"]):
        top = np.max(metrics["losses/approx_kl"])
        out |= {"kl-high"} if top > 0.05 else set()
        out |= {"kl-zero"} if top < 1e-6 else set()
    if "losses/clipfrac" in metrics and len(metrics["losses/clipfrac"]):
        out |= {"clip-fraction-high"} if np.max(metrics["losses/clipfrac"]) > 0.5 else set()
    if "losses/entropy" in metrics and len(metrics["losses/entropy"]):
        h = np.asarray(metrics["losses/entropy"])
        out |= {"entropy-collapsed"} if h[:50].min() < 0.25 else set()
        out |= {"entropy-never-falls"} if len(h) >= 25 and h.min() > 0.55 else set()
    if "losses/explained_variance" in metrics:
        ev = np.asarray(metrics["losses/explained_variance"], dtype=float)
        if len(ev) >= 25 and not np.isnan(ev).all() and np.nanmax(ev) < 0.9:
            out.add("explained-variance-low")
    if "charts/value_mean" in metrics and "charts/return_mean" in metrics:
        v, g = np.asarray(metrics["charts/value_mean"]), np.asarray(metrics["charts/return_mean"])
        if len(v) >= 25:
            k = len(v) // 4
            mean_v, mean_g = v[-k:].mean(), g[-k:].mean()
            if abs(mean_v - mean_g) / abs(mean_g) > 0.1:
                out.add("value-offset")
    for key in metrics:
        if key.startswith("updates/") and len(metrics[key]) and np.max(metrics[key]) < 1e-6:
            out.add("part-not-updated")
    return out


def wrong_offset_divides_by_signed_return(metrics):
    """Takes the absolute value of the distance only; on Pendulum returns are negative, and so is the quotient."""
    names = set()

    def there(name, at_least=1):
        return name in metrics and len(metrics[name]) >= at_least

    if there("losses/approx_kl") and max(metrics["losses/approx_kl"]) > 0.05:
        names.add("kl-high")
    if there("losses/approx_kl") and max(metrics["losses/approx_kl"]) < 1e-6:
        names.add("kl-zero")
    if there("losses/clipfrac") and max(metrics["losses/clipfrac"]) > 0.5:
        names.add("clip-fraction-high")
    if there("losses/entropy") and min(metrics["losses/entropy"][:50]) < 0.25:
        names.add("entropy-collapsed")
    if there("losses/entropy", 25) and min(metrics["losses/entropy"]) > 0.55:
        names.add("entropy-never-falls")
    if there("losses/explained_variance", 25):
        known = [x for x in metrics["losses/explained_variance"] if x == x]
        if known and max(known) < 0.9:
            names.add("explained-variance-low")
    if there("charts/value_mean", 25) and there("charts/return_mean", 25):
        v = torch.as_tensor(np.asarray(metrics["charts/value_mean"], dtype=float))
        g = torch.as_tensor(np.asarray(metrics["charts/return_mean"], dtype=float))
        offset = (v - g).abs() / g
        if offset[-(len(offset) // 4) :].mean() > 0.1:
            names.add("value-offset")
    if any(k.startswith("updates/") and len(x) and max(x) < 1e-6 for k, x in metrics.items()):
        names.add("part-not-updated")
    return names


def wrong_offset_only_where_values_lag_behind(metrics):
    """Knows from the lesson that V lags behind G, and takes (G - V) / |G| without the absolute value."""
    alarms = []
    kl = np.asarray(metrics.get("losses/approx_kl", []), dtype=float)
    if kl.size:
        alarms += ["kl-high"] * bool((kl > 0.05).any()) + ["kl-zero"] * bool((kl < 1e-6).all())
    clipfrac = np.asarray(metrics.get("losses/clipfrac", []), dtype=float)
    alarms += ["clip-fraction-high"] * bool((clipfrac > 0.5).any())
    entropy = np.asarray(metrics.get("losses/entropy", []), dtype=float)
    alarms += ["entropy-collapsed"] * bool((entropy[:50] < 0.25).any())
    if entropy.size >= 25:
        alarms += ["entropy-never-falls"] * bool((entropy > 0.55).all())
    explained = np.asarray(metrics.get("losses/explained_variance", []), dtype=float)
    known = explained[np.isfinite(explained)]
    if explained.size >= 25 and known.size:
        alarms += ["explained-variance-low"] * bool((known < 0.9).all())
    if "charts/value_mean" in metrics and "charts/return_mean" in metrics:
        v = np.asarray(metrics["charts/value_mean"], dtype=float)
        g = np.asarray(metrics["charts/return_mean"], dtype=float)
        if v.size >= 25:
            lag = ((g - v) / np.abs(g))[-(v.size // 4) :]
            alarms += ["value-offset"] * bool(lag.mean() > 0.1)
    for name, norms in metrics.items():
        if name.startswith("updates/") and len(norms):
            alarms += ["part-not-updated"] * bool((np.asarray(norms) < 1e-6).all())
    return set(alarms)


def wrong_entropy_collapse_anywhere(metrics):
    """Looks for the lowest entropy of the whole run, though a good policy is sure of itself in the end."""
    alarms = set()
    get = metrics.get
    kl = get("losses/approx_kl")
    if kl is not None and len(kl):
        if np.max(kl) > 0.05:
            alarms.add("kl-high")
        if np.max(kl) < 1e-6:
            alarms.add("kl-zero")
    clipfrac = get("losses/clipfrac")
    if clipfrac is not None and len(clipfrac) and np.max(clipfrac) > 0.5:
        alarms.add("clip-fraction-high")
    entropy = get("losses/entropy")
    if entropy is not None and len(entropy):
        lowest = np.min(entropy)
        if lowest < 0.25:
            alarms.add("entropy-collapsed")
        if lowest > 0.55 and len(entropy) >= 25:
            alarms.add("entropy-never-falls")
    explained = get("losses/explained_variance")
    if explained is not None and len(explained) >= 25:
        explained = np.asarray(explained, dtype=float)
        explained = explained[~np.isnan(explained)]
        if len(explained) and explained.max() < 0.9:
            alarms.add("explained-variance-low")
    v, g = get("charts/value_mean"), get("charts/return_mean")
    if v is not None and g is not None and len(v) >= 25:
        v, g = np.asarray(v, dtype=float), np.asarray(g, dtype=float)
        late = len(v) - len(v) // 4
        if (np.abs(v - g) / np.abs(g))[late:].mean() > 0.1:
            alarms.add("value-offset")
    for name in [key for key in metrics if key.startswith("updates/")]:
        if len(metrics[name]) and np.max(metrics[name]) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_kl_zero_in_one_update(metrics):
    """Rings kl-zero as soon as a single update has a KL of 0: the lowest instead of the highest."""
    alarms = set()
    kl = np.asarray(metrics.get("losses/approx_kl", []), dtype=float)
    if len(kl) > 0:
        if np.max(kl) > 0.05:
            alarms.add("kl-high")
        if np.min(kl) < 1e-6:
            alarms.add("kl-zero")
    clip = np.asarray(metrics.get("losses/clipfrac", []), dtype=float)
    if len(clip) > 0 and np.max(clip) > 0.5:
        alarms.add("clip-fraction-high")
    ent = np.asarray(metrics.get("losses/entropy", []), dtype=float)
    if len(ent) > 0:
        if np.min(ent[:50]) < 0.25:
            alarms.add("entropy-collapsed")
        if len(ent) >= 25 and np.min(ent) > 0.55:
            alarms.add("entropy-never-falls")
    ev = np.asarray(metrics.get("losses/explained_variance", []), dtype=float)
    if len(ev) >= 25 and np.any(~np.isnan(ev)) and np.nanmax(ev) < 0.9:
        alarms.add("explained-variance-low")
    v = np.asarray(metrics.get("charts/value_mean", []), dtype=float)
    g = np.asarray(metrics.get("charts/return_mean", []), dtype=float)
    if len(v) >= 25 and len(g) >= 25:
        n = len(v)
        if np.mean((np.abs(v - g) / np.abs(g))[-(n // 4) :]) > 0.1:
            alarms.add("value-offset")
    for name, norm in metrics.items():
        if name.startswith("updates/") and len(norm) > 0 and np.max(norm) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_kl_on_average(metrics):
    """Judges the KL and the clip fraction by their means over the run, because one update may be noise."""
    rows = [
        ("kl-high", "losses/approx_kl", 1, lambda x: x.mean() > 0.05),
        ("kl-zero", "losses/approx_kl", 1, lambda x: x.mean() < 1e-6),
        ("clip-fraction-high", "losses/clipfrac", 1, lambda x: x.mean() > 0.5),
        ("entropy-collapsed", "losses/entropy", 1, lambda x: x[:50].min() < 0.25),
        ("entropy-never-falls", "losses/entropy", 25, lambda x: x.min() > 0.55),
        ("explained-variance-low", "losses/explained_variance", 25, lambda x: np.nanmax(x) < 0.9),
    ]
    alarms = set()
    for alarm, name, least, rings in rows:
        x = np.asarray(metrics.get(name, []), dtype=float)
        if x.size >= least and not np.isnan(x).all() and rings(x):
            alarms.add(alarm)
    v = np.asarray(metrics.get("charts/value_mean", []), dtype=float)
    g = np.asarray(metrics.get("charts/return_mean", []), dtype=float)
    if v.size >= 25 and g.size >= 25 and (np.abs(v - g) / np.abs(g))[-(v.size // 4) :].mean() > 0.1:
        alarms.add("value-offset")
    if any(np.size(x) and np.max(x) < 1e-6 for name, x in metrics.items() if name.startswith("updates/")):
        alarms.add("part-not-updated")
    return alarms


def wrong_missing_metric_is_an_error(metrics):
    """Reads every metric of the table directly; A2C has no approx_kl, and {} ends in a KeyError."""
    kl = np.array(metrics["losses/approx_kl"])
    clipfrac = np.array(metrics["losses/clipfrac"])
    entropy = np.array(metrics["losses/entropy"])
    explained = np.array(metrics["losses/explained_variance"], dtype=float)
    v = np.array(metrics["charts/value_mean"])
    g = np.array(metrics["charts/return_mean"])
    n = len(kl)
    alarms = set()
    if kl.max() > 0.05:
        alarms.add("kl-high")
    if kl.max() < 1e-6:
        alarms.add("kl-zero")
    if clipfrac.max() > 0.5:
        alarms.add("clip-fraction-high")
    if entropy[:50].min() < 0.25:
        alarms.add("entropy-collapsed")
    if n >= 25:
        if entropy.min() > 0.55:
            alarms.add("entropy-never-falls")
        if not np.all(np.isnan(explained)) and np.nanmax(explained) < 0.9:
            alarms.add("explained-variance-low")
        if np.mean(np.abs(v - g)[-(n // 4) :] / np.abs(g)[-(n // 4) :]) > 0.1:
            alarms.add("value-offset")
    for name in metrics:
        if name.startswith("updates/") and np.max(metrics[name]) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_truth_value_of_an_array(metrics):
    """Asks `if metrics.get(name):`, which is right for lists and an error for arrays of several numbers."""
    alarms = set()
    if metrics.get("losses/approx_kl"):
        if max(metrics["losses/approx_kl"]) > 0.05:
            alarms.add("kl-high")
        if max(metrics["losses/approx_kl"]) < 1e-6:
            alarms.add("kl-zero")
    if metrics.get("losses/clipfrac"):
        if max(metrics["losses/clipfrac"]) > 0.5:
            alarms.add("clip-fraction-high")
    if metrics.get("losses/entropy"):
        entropy = metrics["losses/entropy"]
        if min(entropy[:50]) < 0.25:
            alarms.add("entropy-collapsed")
        if len(entropy) >= 25 and min(entropy) > 0.55:
            alarms.add("entropy-never-falls")
    if metrics.get("losses/explained_variance"):
        numbers = [e for e in metrics["losses/explained_variance"] if not math.isnan(e)]
        if len(metrics["losses/explained_variance"]) >= 25 and numbers and max(numbers) < 0.9:
            alarms.add("explained-variance-low")
    if metrics.get("charts/value_mean") and metrics.get("charts/return_mean"):
        pairs = list(zip(metrics["charts/value_mean"], metrics["charts/return_mean"], strict=True))
        if len(pairs) >= 25:
            late = pairs[-(len(pairs) // 4) :]
            if sum(abs(v - g) / abs(g) for v, g in late) / len(late) > 0.1:
                alarms.add("value-offset")
    for name, numbers in metrics.items():
        if name.startswith("updates/") and max(numbers) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_part_alarm_needs_all_parts(metrics):
    """Puts all update norms together, so one part that moves hides another that does not."""
    alarms = set()

    def numbers(name):
        return np.asarray(metrics.get(name, []), dtype=float).ravel()

    kl = numbers("losses/approx_kl")
    if kl.size and kl.max() > 0.05:
        alarms.add("kl-high")
    if kl.size and kl.max() < 1e-6:
        alarms.add("kl-zero")
    if (numbers("losses/clipfrac") > 0.5).any():
        alarms.add("clip-fraction-high")
    entropy = numbers("losses/entropy")
    if (entropy[:50] < 0.25).any():
        alarms.add("entropy-collapsed")
    if entropy.size >= 25 and entropy.min() > 0.55:
        alarms.add("entropy-never-falls")
    explained = numbers("losses/explained_variance")
    if explained.size >= 25 and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        alarms.add("explained-variance-low")
    v, g = numbers("charts/value_mean"), numbers("charts/return_mean")
    if v.size == g.size and v.size >= 25:
        last = np.arange(v.size) >= v.size - v.size // 4
        if (np.abs(v - g) / np.abs(g))[last].mean() > 0.1:
            alarms.add("value-offset")
    norms = [numbers(name) for name in metrics if name.startswith("updates/")]
    if norms and np.concatenate(norms).size and np.concatenate(norms).max() < 1e-6:
        alarms.add("part-not-updated")
    return alarms


def wrong_part_alarm_for_one_idle_update(metrics):
    """Rings part-not-updated where a part has stood still once: the lowest norm instead of the highest."""
    alarms = set()
    for name, numbers in metrics.items():
        x = np.asarray(numbers, dtype=float)
        if x.size == 0:
            continue
        if name == "losses/approx_kl":
            if x.max() > 0.05:
                alarms.add("kl-high")
            if x.max() < 1e-6:
                alarms.add("kl-zero")
        elif name == "losses/clipfrac":
            if x.max() > 0.5:
                alarms.add("clip-fraction-high")
        elif name == "losses/entropy":
            if x[:50].min() < 0.25:
                alarms.add("entropy-collapsed")
            if x.size >= 25 and x.min() > 0.55:
                alarms.add("entropy-never-falls")
        elif name == "losses/explained_variance":
            if x.size >= 25 and np.isfinite(x).any() and np.nanmax(x) < 0.9:
                alarms.add("explained-variance-low")
        elif name == "charts/value_mean" and "charts/return_mean" in metrics and x.size >= 25:
            g = np.asarray(metrics["charts/return_mean"], dtype=float)
            if (np.abs(x - g) / np.abs(g))[-(x.size // 4) :].mean() > 0.1:
                alarms.add("value-offset")
        elif name.startswith("updates/"):
            if x.min() < 1e-6:
                alarms.add("part-not-updated")
    return alarms


def wrong_only_the_policys_update_norm(metrics):
    """Knows only `updates/policy.logits` from the lesson, and overlooks a critic or a log_std that stands still."""
    alarms = set()
    kl = metrics.get("losses/approx_kl", ())
    if len(kl):
        alarms.update({"kl-high"} if max(kl) > 0.05 else ())
        alarms.update({"kl-zero"} if max(kl) < 1e-6 else ())
    clipfrac = metrics.get("losses/clipfrac", ())
    if len(clipfrac) and max(clipfrac) > 0.5:
        alarms.add("clip-fraction-high")
    entropy = metrics.get("losses/entropy", ())
    if len(entropy) and min(entropy[:50]) < 0.25:
        alarms.add("entropy-collapsed")
    if len(entropy) >= 25 and min(entropy) > 0.55:
        alarms.add("entropy-never-falls")
    explained = metrics.get("losses/explained_variance", ())
    known = [e for e in explained if e == e]
    if len(explained) >= 25 and len(known) > 0 and max(known) < 0.9:
        alarms.add("explained-variance-low")
    v, g = metrics.get("charts/value_mean", ()), metrics.get("charts/return_mean", ())
    n = min(len(v), len(g))
    if n >= 25 and statistics.fmean(abs(v[i] - g[i]) / abs(g[i]) for i in range(n - n // 4, n)) > 0.1:
        alarms.add("value-offset")
    policy_step = metrics.get("updates/policy.logits", ())
    if len(policy_step) and max(policy_step) < 1e-6:
        alarms.add("part-not-updated")
    return alarms


def wrong_more_than_25_updates(metrics):
    """Reads `at least 25` as more than 25, so a run of exactly 25 updates is silent."""
    kl = np.asarray(metrics.get("losses/approx_kl", []), dtype=float)
    clipfrac = np.asarray(metrics.get("losses/clipfrac", []), dtype=float)
    entropy = np.asarray(metrics.get("losses/entropy", []), dtype=float)
    explained = np.asarray(metrics.get("losses/explained_variance", []), dtype=float)
    values = np.asarray(metrics.get("charts/value_mean", []), dtype=float)
    returns = np.asarray(metrics.get("charts/return_mean", []), dtype=float)
    long_run = 25
    alarms = set()
    if kl.size and kl.max() > 0.05:
        alarms.add("kl-high")
    if kl.size and kl.max() < 1e-6:
        alarms.add("kl-zero")
    if clipfrac.size and clipfrac.max() > 0.5:
        alarms.add("clip-fraction-high")
    if entropy.size and entropy[:50].min() < 0.25:
        alarms.add("entropy-collapsed")
    if entropy.size > long_run and entropy.min() > 0.55:
        alarms.add("entropy-never-falls")
    if explained.size > long_run and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        alarms.add("explained-variance-low")
    if values.size > long_run and returns.size > long_run:
        quarter = values.size // 4
        if np.mean(np.abs(values - returns)[-quarter:] / np.abs(returns)[-quarter:]) > 0.1:
            alarms.add("value-offset")
    for name, norms in metrics.items():
        if name.startswith("updates/") and len(norms) and np.max(norms) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_short_runs_ring_nothing(metrics):
    """Gives up on every run of fewer than 25 updates, also for the rows that do not ask for a length."""
    length = max((len(numbers) for numbers in metrics.values()), default=0)
    if length < 25:
        return set()
    m = {name: np.asarray(numbers, dtype=float) for name, numbers in metrics.items() if len(numbers)}
    alarms = set()
    if "losses/approx_kl" in m:
        if m["losses/approx_kl"].max() > 0.05:
            alarms.add("kl-high")
        if m["losses/approx_kl"].max() < 1e-6:
            alarms.add("kl-zero")
    if "losses/clipfrac" in m and m["losses/clipfrac"].max() > 0.5:
        alarms.add("clip-fraction-high")
    if "losses/entropy" in m:
        if m["losses/entropy"][:50].min() < 0.25:
            alarms.add("entropy-collapsed")
        if len(m["losses/entropy"]) >= 25 and m["losses/entropy"].min() > 0.55:
            alarms.add("entropy-never-falls")
    if "losses/explained_variance" in m:
        explained = m["losses/explained_variance"]
        if len(explained) >= 25 and np.isfinite(explained).any() and np.nanmax(explained) < 0.9:
            alarms.add("explained-variance-low")
    if "charts/value_mean" in m and "charts/return_mean" in m and len(m["charts/value_mean"]) >= 25:
        v, g = m["charts/value_mean"], m["charts/return_mean"]
        if (np.abs(v - g) / np.abs(g))[-(len(v) // 4) :].mean() > 0.1:
            alarms.add("value-offset")
    if any(x.max() < 1e-6 for name, x in m.items() if name.startswith("updates/")):
        alarms.add("part-not-updated")
    return alarms


def wrong_writes_into_the_arrays(metrics):
    """Fills the NaN of the explained variance in place; asarray does not copy, so the run's own array changes."""
    alarms = set()
    explained = np.asarray(metrics.get("losses/explained_variance", []), dtype=float)
    missing = np.isnan(explained)
    if explained.size >= 25 and not missing.all():
        explained[missing] = -np.inf
        if explained.max() < 0.9:
            alarms.add("explained-variance-low")
    kl = np.asarray(metrics.get("losses/approx_kl", []), dtype=float)
    if kl.size:
        if kl.max() > 0.05:
            alarms.add("kl-high")
        if kl.max() < 1e-6:
            alarms.add("kl-zero")
    clipfrac = np.asarray(metrics.get("losses/clipfrac", []), dtype=float)
    if clipfrac.size and clipfrac.max() > 0.5:
        alarms.add("clip-fraction-high")
    entropy = np.asarray(metrics.get("losses/entropy", []), dtype=float)
    if entropy.size and entropy[:50].min() < 0.25:
        alarms.add("entropy-collapsed")
    if entropy.size >= 25 and entropy.min() > 0.55:
        alarms.add("entropy-never-falls")
    v = np.asarray(metrics.get("charts/value_mean", []), dtype=float)
    g = np.asarray(metrics.get("charts/return_mean", []), dtype=float)
    if v.size >= 25 and g.size == v.size:
        if (np.abs(v - g) / np.abs(g))[-(v.size // 4) :].mean() > 0.1:
            alarms.add("value-offset")
    for name, norms in metrics.items():
        if name.startswith("updates/") and len(norms) and np.max(norms) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_entropy_never_falls_by_its_last_number(metrics):
    """Looks at the entropy of the last update only; it may have fallen in between and risen again."""
    alarms = set()
    kl = torch.tensor(np.array(metrics.get("losses/approx_kl", []), dtype=float))
    if kl.numel():
        if kl.max() > 0.05:
            alarms.add("kl-high")
        if kl.max() < 1e-6:
            alarms.add("kl-zero")
    clipfrac = torch.tensor(np.array(metrics.get("losses/clipfrac", []), dtype=float))
    if clipfrac.numel() and clipfrac.max() > 0.5:
        alarms.add("clip-fraction-high")
    entropy = torch.tensor(np.array(metrics.get("losses/entropy", []), dtype=float))
    if entropy.numel() and entropy[:50].min() < 0.25:
        alarms.add("entropy-collapsed")
    if len(entropy) >= 25 and entropy[-1] > 0.55:
        alarms.add("entropy-never-falls")
    explained = torch.tensor(np.array(metrics.get("losses/explained_variance", []), dtype=float))
    known = explained[~explained.isnan()]
    if len(explained) >= 25 and len(known) and known.max() < 0.9:
        alarms.add("explained-variance-low")
    v = torch.tensor(np.array(metrics.get("charts/value_mean", []), dtype=float))
    g = torch.tensor(np.array(metrics.get("charts/return_mean", []), dtype=float))
    if len(v) >= 25 and len(g) >= 25:
        offset = ((v - g) / g).abs()
        if offset[len(v) - len(v) // 4 :].mean() > 0.1:
            alarms.add("value-offset")
    for name in metrics:
        if name.startswith("updates/") and len(metrics[name]) and max(metrics[name]) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_only_the_first_alarm(metrics):
    """Returns at the first row that rings: takes the table for a decision list."""

    def numbers(name):
        return [float(x) for x in metrics.get(name, [])]

    kl, entropy = numbers("losses/approx_kl"), numbers("losses/entropy")
    if kl and max(kl) > 0.05:
        return {"kl-high"}
    if kl and max(kl) < 1e-6:
        return {"kl-zero"}
    if max(numbers("losses/clipfrac"), default=0.0) > 0.5:
        return {"clip-fraction-high"}
    if min(entropy[:50], default=1.0) < 0.25:
        return {"entropy-collapsed"}
    if len(entropy) >= 25 and min(entropy) > 0.55:
        return {"entropy-never-falls"}
    explained = numbers("losses/explained_variance")
    known = [x for x in explained if not math.isnan(x)]
    if len(explained) >= 25 and known and max(known) < 0.9:
        return {"explained-variance-low"}
    v, g = numbers("charts/value_mean"), numbers("charts/return_mean")
    if len(v) >= 25 and len(g) >= 25:
        offset = [abs(a - b) / abs(b) for a, b in zip(v, g, strict=True)][-(len(v) // 4) :]
        if sum(offset) / len(offset) > 0.1:
            return {"value-offset"}
    for name in metrics:
        if name.startswith("updates/") and max(numbers(name), default=1.0) < 1e-6:
            return {"part-not-updated"}
    return set()


def wrong_returns_without_values_is_an_error(metrics):
    """Asks for V only, and takes for granted that the mean of the returns is logged beside it."""
    alarms = set()
    if len(metrics.get("losses/approx_kl", [])):
        highest = float(np.max(metrics["losses/approx_kl"]))
        if highest > 0.05:
            alarms.add("kl-high")
        if highest < 1e-6:
            alarms.add("kl-zero")
    if len(metrics.get("losses/clipfrac", [])) and float(np.max(metrics["losses/clipfrac"])) > 0.5:
        alarms.add("clip-fraction-high")
    entropy = np.asarray(metrics.get("losses/entropy", []), dtype=float)
    if len(entropy):
        if float(np.min(entropy[:50])) < 0.25:
            alarms.add("entropy-collapsed")
        if len(entropy) >= 25 and float(np.min(entropy)) > 0.55:
            alarms.add("entropy-never-falls")
    explained = np.asarray(metrics.get("losses/explained_variance", []), dtype=float)
    if len(explained) >= 25 and np.any(explained == explained) and float(np.nanmax(explained)) < 0.9:
        alarms.add("explained-variance-low")
    if len(metrics.get("charts/value_mean", [])) >= 25:
        value = np.asarray(metrics["charts/value_mean"], dtype=float)
        target = np.asarray(metrics["charts/return_mean"], dtype=float)
        offset = np.abs(value - target) / np.abs(target)
        if float(np.mean(offset[-(len(offset) // 4) :])) > 0.1:
            alarms.add("value-offset")
    for name, numbers in metrics.items():
        if name[:8] == "updates/" and len(numbers) and float(np.max(numbers)) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_limits_ring_themselves(metrics):
    """Writes >= and <= throughout, so a number that lies on its limit rings."""
    alarms = set()

    def of(name):
        return np.asarray(metrics.get(name, []), dtype=float)

    kl, clipfrac, entropy, explained = map(
        of, ("losses/approx_kl", "losses/clipfrac", "losses/entropy", "losses/explained_variance")
    )
    if kl.size:
        if kl.max() >= 0.05:
            alarms.add("kl-high")
        if kl.max() <= 1e-6:
            alarms.add("kl-zero")
    if clipfrac.size and clipfrac.max() >= 0.5:
        alarms.add("clip-fraction-high")
    if entropy.size and entropy[:50].min() <= 0.25:
        alarms.add("entropy-collapsed")
    if entropy.size >= 25 and entropy.min() >= 0.55:
        alarms.add("entropy-never-falls")
    if explained.size >= 25 and not np.isnan(explained).all() and np.nanmax(explained) <= 0.9:
        alarms.add("explained-variance-low")
    v, g = of("charts/value_mean"), of("charts/return_mean")
    if v.size >= 25 and v.size == g.size and np.mean((np.abs(v - g) / np.abs(g))[-(v.size // 4) :]) >= 0.1:
        alarms.add("value-offset")
    for name in metrics:
        if name.startswith("updates/") and of(name).size and of(name).max() <= 1e-6:
            alarms.add("part-not-updated")
    return alarms


def wrong_all_nan_has_no_maximum(metrics):
    """Drops the NaN and asks for the largest of the rest, which is an error where nothing is left."""
    alarms = set()
    kl = list(metrics.get("losses/approx_kl", []))
    if kl and max(kl) > 0.05:
        alarms.add("kl-high")
    if kl and max(kl) < 1e-6:
        alarms.add("kl-zero")
    clipfrac = list(metrics.get("losses/clipfrac", []))
    if clipfrac and max(clipfrac) > 0.5:
        alarms.add("clip-fraction-high")
    entropy = list(metrics.get("losses/entropy", []))
    if entropy and min(entropy[:50]) < 0.25:
        alarms.add("entropy-collapsed")
    if len(entropy) >= 25 and min(entropy) > 0.55:
        alarms.add("entropy-never-falls")
    explained = list(metrics.get("losses/explained_variance", []))
    if len(explained) >= 25 and max(e for e in explained if not math.isnan(e)) < 0.9:
        alarms.add("explained-variance-low")
    values, returns = list(metrics.get("charts/value_mean", [])), list(metrics.get("charts/return_mean", []))
    if len(values) >= 25 and len(returns) >= 25:
        total, count = 0.0, len(values) // 4
        for v, g in zip(values[-count:], returns[-count:], strict=True):
            total += abs(v - g) / abs(g)
        if total / count > 0.1:
            alarms.add("value-offset")
    for name, norms in metrics.items():
        if name.startswith("updates/") and len(norms) and max(norms) < 1e-6:
            alarms.add("part-not-updated")
    return alarms


def right_as_a_table_of_rows(metrics):
    """Goes through rows of (alarm, metric, least number of updates, question), with numpy."""
    rows = (
        ("kl-high", "losses/approx_kl", 1, lambda x: x.max() > 0.05),
        ("kl-zero", "losses/approx_kl", 1, lambda x: x.max() < 1e-6),
        ("clip-fraction-high", "losses/clipfrac", 1, lambda x: x.max() > 0.5),
        ("entropy-collapsed", "losses/entropy", 1, lambda x: x[:50].min() < 0.25),
        ("entropy-never-falls", "losses/entropy", 25, lambda x: x.min() > 0.55),
        ("explained-variance-low", "losses/explained_variance", 25, lambda x: np.fmax.reduce(x) < 0.9),
    )
    series = {name: np.asarray(numbers, dtype=float) for name, numbers in metrics.items()}
    nothing = np.zeros(0)
    alarms = {alarm for alarm, name, n, asks in rows if series.get(name, nothing).size >= n and asks(series[name])}
    v, g = series.get("charts/value_mean", nothing), series.get("charts/return_mean", nothing)
    n = min(v.size, g.size)
    if n >= 25:
        late = slice(n - n // 4, n)
        if np.mean(np.abs(v[late] - g[late]) / np.abs(g[late])) > 0.1:
            alarms.add("value-offset")
    parts = [x for name, x in series.items() if name.startswith("updates/") and x.size]
    return alarms | {"part-not-updated" for x in parts if x.max() < 1e-6}


def right_without_numpy(metrics):
    """Plain Python on lists of floats, and any and all in the place of maxima and minima."""

    def numbers(name):
        return [float(x) for x in metrics[name]] if name in metrics else []

    kl, clipfrac, entropy = numbers("losses/approx_kl"), numbers("losses/clipfrac"), numbers("losses/entropy")
    explained = numbers("losses/explained_variance")
    known = [x for x in explained if not math.isnan(x)]
    offsets = [
        abs(v - g) / abs(g) if g else math.inf
        for v, g in zip(numbers("charts/value_mean"), numbers("charts/return_mean"), strict=False)
    ]
    parts = [numbers(name) for name in metrics if name.startswith("updates/")]
    rings = {
        "kl-high": any(x > 0.05 for x in kl),
        "kl-zero": bool(kl) and all(x < 1e-6 for x in kl),
        "clip-fraction-high": any(x > 0.5 for x in clipfrac),
        "entropy-collapsed": any(x < 0.25 for x in entropy[:50]),
        "entropy-never-falls": len(entropy) >= 25 and all(x > 0.55 for x in entropy),
        "explained-variance-low": len(explained) >= 25 and bool(known) and all(x < 0.9 for x in known),
        "value-offset": len(offsets) >= 25 and statistics.fmean(offsets[-(len(offsets) // 4) :]) > 0.1,
        "part-not-updated": any(part and all(x < 1e-6 for x in part) for part in parts),
    }
    return {alarm for alarm in rings if rings[alarm]}


def right_with_errors_as_silence(metrics):
    """Tries every row and takes an error for numbers that are not there; torch in double precision."""

    def tensor(name, at_least=1):
        x = torch.from_numpy(np.array(metrics[name], dtype=np.float64))
        if len(x) < at_least:
            raise IndexError(name)
        return x

    def offset():
        v, g = tensor("charts/value_mean", 25), tensor("charts/return_mean", 25)
        return ((v - g).abs() / g.abs()).flip(0)[: len(v) // 4].mean()

    def explained():
        x = tensor("losses/explained_variance", 25)
        return x[~x.isnan()].sort().values[-1]

    rows = {
        "kl-high": lambda: tensor("losses/approx_kl").amax() > 0.05,
        "kl-zero": lambda: tensor("losses/approx_kl").amax() < 1e-6,
        "clip-fraction-high": lambda: tensor("losses/clipfrac").amax() > 0.5,
        "entropy-collapsed": lambda: tensor("losses/entropy")[:50].amin() < 0.25,
        "entropy-never-falls": lambda: tensor("losses/entropy", 25).amin() > 0.55,
        "explained-variance-low": lambda: explained() < 0.9,
        "value-offset": lambda: offset() > 0.1,
    }
    alarms = set()
    for alarm, row in rows.items():
        try:
            if bool(row()):
                alarms.add(alarm)
        except (KeyError, IndexError):
            pass
    for name in filter(lambda key: key.startswith("updates/"), metrics):
        if len(metrics[name]) and tensor(name).amax() < 1e-6:
            alarms.add("part-not-updated")
    return alarms


class _Run:
    """The metrics of a run, each row of the table a method named after its alarm."""

    def __init__(self, metrics):
        self.metrics = metrics

    def _highest(self, name):
        return max(map(float, self.metrics.get(name, ())), default=math.nan)

    def _entropy(self):
        return np.sort(np.asarray(self.metrics.get("losses/entropy", ()), dtype=float))

    def kl_high(self):
        return self._highest("losses/approx_kl") > 0.05

    def kl_zero(self):
        return self._highest("losses/approx_kl") < 1e-6

    def clip_fraction_high(self):
        return self._highest("losses/clipfrac") > 0.5

    def entropy_collapsed(self):
        return min(map(float, self.metrics.get("losses/entropy", ())[:50]), default=math.nan) < 0.25

    def entropy_never_falls(self):
        entropy = self._entropy()
        return len(entropy) >= 25 and entropy[0] > 0.55

    def explained_variance_low(self):
        explained = np.asarray(self.metrics.get("losses/explained_variance", ()), dtype=float)
        known = np.ma.masked_where(np.isnan(explained), explained)
        return len(explained) >= 25 and known.count() > 0 and known.max() < 0.9

    def value_offset(self):
        v, g = (np.asarray(self.metrics.get(f"charts/{name}_mean", ()), dtype=float) for name in ("value", "return"))
        return min(len(v), len(g)) >= 25 and (np.abs(v - g) / np.abs(g))[-(len(v) // 4) :].mean() > 0.1

    def part_not_updated(self):
        return any(self._highest(name) < 1e-6 for name in self.metrics if name.startswith("updates/"))


def right_as_methods_of_a_class(metrics):
    """Calls all public methods of a class, and makes the ids from their names; NaN answers no to everything."""
    run = _Run(metrics)
    rows = [name for name in dir(run) if not name.startswith("_") and name != "metrics"]
    return set(name.replace("_", "-") for name in rows if getattr(run, name)())
