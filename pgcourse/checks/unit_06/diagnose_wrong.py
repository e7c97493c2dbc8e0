"""Wrong answers to diagnose."""

from __future__ import annotations

import numpy as np

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_06.diagnose_parts import build, offset


def _last(x: np.ndarray) -> float:
    return float(x[-1])


MISCONCEPTIONS = (
    Misconception(
        "means-instead-of-extremes",
        "You compared the mean over the updates. One update that moves the policy too far is enough to ruin a run, and "
        "disappears in a mean of hundreds. The table asks for the highest or the lowest number.",
        build(most=np.nanmean, least=np.nanmean, of_explained=np.nanmean, of_updates=np.nanmean),
        (build(most=np.nanmean, least=np.nanmean), build(most=np.nanmean, least=np.nanmean, of_explained=np.nanmean)),
    ),
    Misconception(
        "last-update-alone",
        "You looked at the last update alone. An alarm that rang and fell silent again is still a finding: take the "
        "highest or the lowest number of all the updates that the row names.",
        build(most=_last, least=_last, of_explained=_last, of_updates=_last),
        (build(most=_last, least=_last), build(most=_last, least=_last, of_explained=_last)),
    ),
    Misconception(
        "collapse-at-any-time",
        "You looked for a collapse of the entropy in all updates. A healthy policy becomes sure of itself in the end; "
        "the alarm is about the first 50 updates, when it cannot know yet.",
        build(early=None),
    ),
    Misconception(
        "no-waiting",
        "Rules that are about what never happens ring here after a few updates, when it has not had the time to "
        "happen. Wait for the 25 updates that the table names.",
        build(settled=1),
        (build(settled=2),),
    ),
    Misconception(
        "waits-one-too-long",
        "You wait for more than 25 updates; 25 are enough. Compare the number of updates with >=.",
        build(settled=26),
    ),
    Misconception(
        "nan-poisons-the-maximum",
        "The first explained variances can be NaN, and the maximum of an array with a NaN is NaN, which is below "
        "nothing: the alarm can never ring in such a run. NumPy has a maximum that leaves NaN out.",
        build(of_explained=np.max),
        (build(of_explained=np.max, most=np.max),),
    ),
    Misconception(
        "nan-taken-for-zero",
        "You replaced NaN by 0. Where returns are constant, explained variance says nothing, and a run in which it is "
        "never anything else gives no reason for an alarm. Leave NaN out.",
        build(of_explained=lambda x: float(np.nan_to_num(x).max())),
    ),
    Misconception(
        "explained-variance-ever-low",
        "You rang where explained variance is low in some update. At the start it is low in every healthy run; the "
        "alarm asks whether it was never high, so compare the highest.",
        build(of_explained=lambda x: float(np.nanmin(x))),
    ),
    Misconception(
        "offset-of-the-whole-run",
        "You averaged the offset over the whole run. At the start, values lag behind in every run; look at the last "
        "quarter of the updates.",
        build(offset_of=lambda v, g: float((np.abs(v - g) / np.abs(g)).mean())),
    ),
    Misconception(
        "offsets-cancel",
        "You took differences without their sign removed first, or means of both first: a critic that is too high in "
        "one update and too low in the next then looks exact. Take the absolute difference in each update.",
        build(offset_of=lambda v, g: abs(float(((v - g) / np.abs(g))[-(len(v) // 4) :].mean()))),
        (
            build(offset_of=lambda v, g: float(((v - g) / np.abs(g))[-(len(v) // 4) :].mean())),
            build(offset_of=lambda v, g: float(((g - v) / np.abs(g))[-(len(v) // 4) :].mean())),
            build(offset_of=lambda v, g: float(((g - v) / g)[-(len(v) // 4) :].mean())),
        ),
    ),
    Misconception(
        "negative-returns",
        "You divided by the mean return with its sign. In Pendulum, returns are negative, and the offset would be "
        "too, which no limit notices. Divide by its absolute value.",
        build(offset_of=lambda v, g: float((np.abs(v - g) / g)[-(len(v) // 4) :].mean())),
    ),
    Misconception(
        "offset-in-reward",
        "You compared the difference in units of reward. A distance of 3 is much at a return of 20 and nothing at "
        "500: divide by the size of the return.",
        build(offset_of=lambda v, g: float(np.abs(v - g)[-(len(v) // 4) :].mean())),
        (build(offset_of=lambda v, g: offset(v, g) * float(np.abs(g).mean())),),
    ),
    Misconception(
        "part-still-once",
        "You rang where a part of the network stood still in some update. The alarm is about a part that never moved "
        "in any of them: compare the highest number.",
        build(of_updates=lambda x: float(np.min(x))),
    ),
    Misconception(
        "first-alarm-ends-it",
        "You returned after the first alarm, or chained the rules with elif. Most bugs ring several, and which ones "
        "ring together is what tells them apart.",
        build(one_only=True),
    ),
    Misconception(
        "missing-metrics-not-expected",
        "Your function fails where a metric is missing. REINFORCE has no clip fraction and a run may be short: leave "
        "out the rows whose numbers are not there.",
        build(skipped=False),
    ),
    Misconception(
        "list-for-set",
        "The alarms are right, but you returned a list. A set is asked for: the order means nothing, and whoever "
        "calls it wants to ask whether an alarm is in it.",
        build(gather=list),
        (build(gather=tuple), build(gather=sorted)),
    ),
)
