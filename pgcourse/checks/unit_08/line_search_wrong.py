"""Wrong answers to line_search, most of them a right loop with parts exchanged."""

from __future__ import annotations

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_08.line_search_parts import (
    build,
    in_place,
    last,
    most_gain,
    shrinking_first,
    shrinking_twice,
)

MISCONCEPTIONS = (
    Misconception(
        "divergence-not-checked",
        "You accept every step that improves the surrogate, however far it goes. The limit on the divergence is the trust "
        "region itself: both conditions must hold.",
        build(fits=lambda gain, kl, max_kl: gain > 0),
    ),
    Misconception(
        "improvement-not-checked",
        "You accept every step within the limit, even one that makes the surrogate worse. The direction is only right near "
        "the current policy: both conditions must hold.",
        build(fits=lambda gain, kl, max_kl: kl <= max_kl),
    ),
    Misconception(
        "either-will-do",
        "You joined the conditions with `or`. A step must improve the surrogate and stay within the limit.",
        build(fits=lambda gain, kl, max_kl: gain > 0 or kl <= max_kl),
    ),
    Misconception(
        "no-improvement-accepted",
        "You accept a step with an improvement of exactly 0. It changes the policy and gains nothing; asked for is an "
        "improvement above 0.",
        build(fits=lambda gain, kl, max_kl: gain >= 0 and kl <= max_kl),
    ),
    Misconception(
        "limit-itself-refused",
        "You refuse a step whose divergence is exactly max_kl. The limit is allowed: the condition is <=.",
        build(fits=lambda gain, kl, max_kl: gain > 0 and kl < max_kl),
    ),
    Misconception(
        "nan-accepted",
        "You accept a step whose improvement or divergence is NaN. Every comparison with NaN is false, so a test for what is "
        "bad lets it through. Test for what is good: improvement > 0 and kl <= max_kl.",
        build(fits=lambda gain, kl, max_kl: not (gain <= 0 or kl > max_kl)),
        (
            build(fits=lambda gain, kl, max_kl: gain > 0 and not kl > max_kl),
            build(fits=lambda gain, kl, max_kl: not gain <= 0 and kl <= max_kl),
        ),
    ),
    Misconception(
        "results-exchanged",
        "You took the two results of evaluate in the wrong order. It returns the improvement first, then the divergence.",
        build(fits=lambda kl, gain, max_kl: gain > 0 and kl <= max_kl),
    ),
    Misconception(
        "full-step-not-tried",
        "You began with the first shrunk step. The full step comes first (shrink to the power 0), and mostly it is the one "
        "that is taken.",
        build(powers=lambda backtracks: range(1, backtracks)),
        (build(powers=lambda backtracks: range(1, backtracks + 1)),),
    ),
    Misconception(
        "one-try-too-many",
        "You tried one step more than `backtracks`. The full step counts as the first of them.",
        build(powers=lambda backtracks: range(backtracks + 1)),
    ),
    Misconception(
        "one-try-too-few",
        "You tried one step less than `backtracks`. With 3, the full step and two shrunk ones are tried.",
        build(powers=lambda backtracks: range(backtracks - 1)),
    ),
    Misconception(
        "gave-up-at-once",
        "You looked at the full step only, as a `return zeros` inside the loop does. Return zeros after the loop, when no "
        "step has qualified.",
        build(powers=lambda backtracks: range(1)),
    ),
    Misconception(
        "shrink-not-used",
        "You shrink by another factor than the one given. The k-th step is step * shrink**k.",
        build(factor=lambda shrink, power: 0.5**power),
        (build(factor=lambda shrink, power: 0.8**power), build(factor=lambda shrink, power: 0.9**power)),
    ),
    Misconception(
        "shrunk-evenly",
        "Your steps get shorter by the same amount each time. Each is shrink times the one before: step * shrink**k, which "
        "comes down to small steps quickly and never to 0.",
        build(factor=lambda shrink, power: 1 - power * (1 - shrink)),
        (
            build(factor=lambda shrink, power: shrink * power if power else 1.0),
            build(factor=lambda shrink, power: 1 / (1 + power)),
        ),
    ),
    Misconception(
        "shrunk-twice",
        "You shrink the last candidate by a growing power, so the factors pile up: 1, s, s^3, s^6. Either multiply the last "
        "candidate by shrink, or the full step by shrink**k.",
        shrinking_twice,
    ),
    Misconception(
        "grown",
        "Your steps get longer: you divided by shrink. A step that failed is too long, so multiply.",
        build(factor=lambda shrink, power: shrink**-power),
    ),
    Misconception(
        "most-improvement",
        "You tried every step and took the one with the most improvement. The contract is the first that qualifies: the "
        "longest one, found with the fewest passes through the network.",
        most_gain,
    ),
    Misconception(
        "last-one-taken",
        "You went through all the steps and kept the last that qualifies, the shortest. The first is asked for: return it as "
        "soon as it is found.",
        last,
    ),
    Misconception(
        "shrunk-after-the-test",
        "You returned a step that is one shrink shorter than the one you tested. Shrink only after a step has failed.",
        shrinking_first,
        (build(found=lambda candidate, shrink, power: candidate * shrink),),
    ),
    Misconception(
        "factor-returned",
        "You returned the factor by which the step is shrunk, or its power. Asked for is the shrunk step itself, a vector [P].",
        build(found=lambda candidate, shrink, power: shrink**power, nothing=lambda step, last: 0.0),
        (
            build(found=lambda candidate, shrink, power: shrink**power),
            build(found=lambda candidate, shrink, power: power, nothing=lambda step, last: None),
            build(found=lambda candidate, shrink, power: power),
        ),
    ),
    Misconception(
        "failed-step-returned",
        "Where no step qualifies you returned one all the same. It improves nothing or goes too far: return zeros, so that "
        "the policy stays where it is.",
        build(nothing=lambda step, last: last),
        (
            build(nothing=lambda step, last: step),
            build(nothing=lambda step, last: None),
        ),
    ),
    Misconception(
        "step-changed-in-place",
        "Your answer is right, but `step` is another tensor afterwards: `*=` writes into it. Write candidate = step * "
        "shrink**k, which makes a new one.",
        in_place,
    ),
)
