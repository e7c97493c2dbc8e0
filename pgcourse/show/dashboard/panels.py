"""The dashboard's panels: returns, KL, entropy and other diagnostics, drawn again and again over healthy runs' ranges."""

import io
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import gymnasium
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import IdentityTransform
from PIL import Image

from ...config import Config
from ...envs import make_single_env
from ...errors import InvalidInput
from ...statistics import moving_average
from ...study.alarms import family_of
from ...study.claims import claims_folder, load_claims
from ..figures.curves import thin
from ..figures.diagnostics import PANELS
from ..page.style import COLOURS, DPI, STYLE, algorithm_of
from .run import History

EXPLAINED = "losses/explained_variance"
EXTRA = {"charts/action_std": "losses/entropy"}  # a Gaussian's std says the same as its entropy, in the action's unit
TITLES = {
    "losses/policy_grad_norm": "policy's gradient",
    "losses/critic_grad_norm": "critic's gradient",
    "losses/approx_kl": "KL",
    "charts/action_std": "std of actions",
}
WIDTH, HEIGHT = 10.2, 4.6  # inches
WINDOW = 100  # episodes of the moving average where no reference has its own
DOTS = 800  # episodes drawn one by one
POINTS = 400  # of a line
HEALTHY_GREEN = "#BFE3D3"  # a light tint of the palette's green, on which black and blue lines stand out
COLUMNS, ROWS = 2, 3  # of the small panels
NOTHING = np.zeros(0)
# Settings that do not change what a curve looks like, but only which seed it is and where it ends.
FREE = ("seed", "total_timesteps", "num_episodes")
# Kind of run -> (its name in claims/ranges.json, the environment of those runs).
MEASURED = {
    "ppo, discrete": ("ppo", "CartPole-v1"),
    "ppo, continuous": ("pendulum", "Pendulum-v1"),
    "a2c": ("a2c", "CartPole-v1"),
}
# The KL and the share of clipped ratios mean the same everywhere; a gradient norm or an entropy belongs to its task.
EVERYWHERE = ("approx_kl", "clipfrac")
# What an algorithm reports, as far as it is drawn.
_GRADIENTS = ("losses/policy_grad_norm", "losses/critic_grad_norm")
EXPECTED = {
    "ppo": ("losses/entropy", "losses/approx_kl", "losses/clipfrac", "losses/explained_variance", *_GRADIENTS),
    "a2c": ("losses/entropy", "charts/advantage_std", "losses/explained_variance", *_GRADIENTS),
    "reinforce": ("losses/entropy", *_GRADIENTS[:1]),
    "trpo": ("losses/entropy", "losses/approx_kl", "charts/step_accepted", "losses/explained_variance"),
}
SHOWN = EXPECTED["ppo"]  # in the order of the panels; a run shows those that it has, up to six
STUDIES = ("ppo", "a2c", "reinforce", "baselines", "pendulum", "trpo", "factorial")


class Canvas:
    """A large axes and small ones beside it. Words and ticks are nine tenths of its cost: they are kept as a background.

    An axes whose limits change is drawn anew by itself; lines and numbers that `move` are put on the background.
    Args: left: room for the words of the large axes, a share of the width.
    """

    def __init__(self, left: float) -> None:
        self.figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
        self._grid = self.figure.add_gridspec(
            ROWS, 2 + COLUMNS, left=left, right=0.985, top=0.93, bottom=0.135, wspace=0.42, hspace=0.66,
            width_ratios=[0.95, 0.95] + [1.0] * COLUMNS,
        )  # fmt: skip
        self.main: Axes = self.figure.add_subplot(self._grid[:, :2])
        self.small: dict[str, Axes] = {}
        self.limited: set[str] = set()  # axes whose limits mean something
        self._canvas: Any = FigureCanvasAgg(self.figure)
        self._background: Any = None
        self._moving: list[Any] = []
        self._stale: set[Axes] = set()
        self._boxes: dict[Axes, Any] = {}  # what each axes covers, with its words

    def move(self, *artists: Any) -> None:
        """These artists get new numbers before each drawing."""
        for artist in artists:
            artist.set_animated(True)
            self._moving.append(artist)

    def redraw(self, ax: Axes) -> None:
        """Draw this axes anew the next time, words and all."""
        self._stale.add(ax)

    def png(self) -> bytes:
        """The picture as it is now."""
        if self._background is None:
            self._canvas.draw()
            self._stale = set(self.figure.axes)
        else:
            self._canvas.restore_region(self._background)
            for ax in self._stale:
                self.figure.draw_artist(_blank(self.figure, self._boxes[ax]))
                self.figure.draw_artist(ax)
        if self._stale:
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            self._boxes |= {ax: ax.get_tightbbox() for ax in self._stale}
            self._stale.clear()
        for artist in self._moving:
            self.figure.draw_artist(artist)
        # Not `style.png`, which takes several times as long to make the file smaller still.
        picture = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")
        buffer = io.BytesIO()
        quantised = picture.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        quantised.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()

    def add_small(self, name: str, title: str, end: float, healthy: tuple[float, float] | None) -> Axes:
        """The next small axes. Args: end: of its x axis. healthy: a range that is tinted."""
        place = len(self.small)
        ax = self.small[name] = self.figure.add_subplot(self._grid[place // COLUMNS, 2 + place % COLUMNS])
        if healthy is not None:
            ax.axhspan(*healthy, color=HEALTHY_GREEN, linewidth=0)
            ax.set_ylim(*with_room(*healthy))
            self.limited.add(name)
        ax.set_title(title, fontsize=9, loc="left")
        ax.set_xlim(0, end)
        ax.tick_params(labelsize=8)
        whole_ticks(ax, 3, short=True)
        ax.locator_params(axis="y", nbins=4)
        return ax

    def note(self, text: str) -> None:
        """A line below the small axes."""
        self.figure.text(0.985, 0.012, text, ha="right", fontsize=9, color="#333333")

    def fit(self, name: str, right: float, numbers: Any, *, most: float = np.inf) -> None:
        """Make room in a small axes. Args: right: the last x. numbers: [X]. most: what is higher may leave the picture."""
        shown = numbers[np.isfinite(numbers)]
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 0.0)
        # A critic far below the mean of the returns would flatten the rest of its curve.
        low = max(low, -1.0) if name == EXPLAINED else low
        self.make_room(self.small[name], right, low, min(high, most), fresh=name not in self.limited)
        self.limited.add(name)

    def make_room(self, ax: Axes, right: float, low: float, high: float, *, fresh: bool = False) -> None:
        """Widen an axes where numbers have left it, and then by more than needed, as it has to be drawn again.

        Args: right: the last x. low, high: of y. fresh: the limits so far mean nothing.
        """
        if right > ax.get_xlim()[1]:
            ax.set_xlim(0, 1.5 * right)
            self._stale.add(ax)
        bottom, top = ax.get_ylim()
        if fresh or low < bottom or high > top:
            bottom, top = (low, high) if fresh else (min(low, bottom), max(high, top))
            ax.set_ylim(*with_room(bottom, top))
            self._stale.add(ax)


def styled(**more: Any) -> Any:
    """The look of a dashboard's figures, as a context."""
    look: Any = {**STYLE, "figure.constrained_layout.use": False, "font.size": 9, **more}
    return matplotlib.rc_context(look)


def with_room(low: float, high: float) -> tuple[float, float]:
    """Limits a tenth wider than the numbers."""
    room = 0.1 * (high - low) or 0.05
    return low - room, high + room


def whole_ticks(ax: Axes, ticks: int, *, short: bool = False) -> None:
    """At most so many ticks on the x axis. Args: short: 20k in place of 20,000."""
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x / 1000:g}k" if short and abs(x) >= 1000 else f"{x:,.0f}")
    )


def _blank(figure: Figure, box: Any) -> Rectangle:
    """White paper over a part of the figure. Args: box: in pixels."""
    return Rectangle(
        (box.x0, box.y0), box.width, box.height, transform=IdentityTransform(), facecolor="white", edgecolor="none",
        figure=figure,
    )  # fmt: skip


class Reference(NamedTuple):
    """A measured learning curve of the same settings: {"x", "mean", "low", "high", "x_unit", "n", "window"}."""

    study: str
    curve: Mapping[str, Any]

    @property
    def label(self) -> str:
        """For the legend."""
        return f"these settings, {self.curve['n']} seeds"


def reference_of(config: Config, parts: Mapping[str, Any]) -> Reference | None:
    """The measured curve of these settings, whatever the seed; None where nobody has measured them."""
    if parts:
        return None
    wanted = _comparable(asdict(config))
    for study in STUDIES:
        if not (claims_folder() / f"{study}.json").exists():
            continue
        claims = load_claims(study)
        for name, settings in claims.get("configs", {}).items():
            same_family = set(settings) <= set(wanted) | set(
                FREE
            )  # a replaced part stands among the settings, by its name
            if same_family and _comparable(settings) == wanted and name in claims["curves"]:
                return Reference(study, claims["curves"][name])
    return None


def expected_metrics(config: Config) -> tuple[str, ...]:
    """The names that a run of these settings will report, as far as they are drawn."""
    names = EXPECTED.get(config.algorithm, EXPECTED["ppo"])
    try:
        env = make_single_env(config.env_id)
    except InvalidInput:  # said when the run is started
        return names
    continuous = isinstance(env.action_space, gymnasium.spaces.Box)
    env.close()
    return (*names, "charts/action_std") if continuous else names


def healthy_ranges(metrics: Collection[str], env_id: str) -> dict[str, tuple[float, float]]:
    """Metric -> (low, high): between them lie nine of ten updates of healthy runs; nothing for kinds never measured.

    Args: metrics: of the run, which tell its kind.
    """
    preset, measured_on = MEASURED.get(family_of(dict.fromkeys(metrics, NOTHING)), ("", ""))
    if not preset or not (claims_folder() / "ranges.json").exists():
        return {}
    figures = load_claims("ranges")["figures"]
    ranges = {}
    for name in metrics:
        short = name.partition("/")[2]
        if env_id != measured_on and short not in EVERYWHERE:
            continue
        learning = f"{preset}/{short}_learning"  # of explained variance: a solved CartPole leaves nothing to explain
        key = learning if f"{learning}/low" in figures else f"{preset}/{short}"
        if f"{key}/low" in figures:
            ranges[name] = (figures[f"{key}/low"]["value"], figures[f"{key}/high"]["value"])
    return ranges


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in settings.items() if name not in FREE
    }


class Panels:
    """A figure that is made once and given new numbers.

    Args: title: what is trained. reference: a measured curve behind the returns. metrics: the names that are expected; a run
    that reports others gets its own panels. budget: (environment steps, episodes) of the run, either may be None; the axis of
    the returns counts episodes where there are no steps.
    """

    def __init__(
        self,
        title: str,
        reference: Reference | None,
        env_id: str,
        *,
        metrics: Collection[str] = EXPECTED["ppo"],
        budget: tuple[int | None, int | None],
    ) -> None:
        self.title, self.reference, self.env_id, self.budget = title, reference, env_id, budget
        self.window = (reference.curve.get("window") if reference else None) or WINDOW
        self.by_episode = budget[0] is None
        self._names: tuple[str, ...] = ()
        self._make(metrics)

    def draw(self, history: History) -> bytes:
        """The picture of all numbers so far, as PNG."""
        metrics = history.metrics
        if metrics and _names(metrics) != self._names:
            self._make(metrics)
        self._returns(*history.episodes)
        for name in self._names if metrics else ():
            self._metric(name, metrics["charts/env_step"], metrics[name])
        return self.canvas.png()

    def describe(self, history: History) -> str:
        """The same in words, for who cannot see it."""
        recent = history.recent_return(self.window)
        if recent is None:
            return f"{self.title}: empty panels for the return of each episode and for the diagnostics of each update."
        metrics = history.metrics
        numbers = ", ".join(f"{PANELS[name][0]} {metrics[name][-1]:.3g}" for name in self.small if name in metrics)
        return (
            f"{self.title} after {history.env_step:,} steps: return of each episode with its moving average, now "
            f"{recent:.1f}; diagnostics of each update, now {numbers}."
        )

    def _make(self, metrics: Collection[str]) -> None:
        self._names = _names(metrics)
        ranges = healthy_ranges(metrics, self.env_id)
        with styled():
            self.canvas = Canvas(left=0.082)
            self._make_returns(self.canvas.main)
            self.small: dict[str, tuple[Axes, Any, Any]] = {}
            for name in self._names:
                title = TITLES.get(name, PANELS[name][0])
                ax = self.canvas.add_small(name, title, self.budget[0] or 1, ranges.get(name))
                (line,) = ax.plot([], [], color=COLOURS["learner"], linewidth=1.3)
                number = ax.text(
                    1, 1.04, "", transform=ax.transAxes, ha="right", va="bottom", fontsize=8, fontweight="bold"
                )
                self.canvas.move(line, number)
                self.small[name] = (ax, line, number)
            if ranges:
                self.canvas.note("Green: here lie nine of ten updates of healthy runs.")

    def _make_returns(self, ax: Axes) -> None:
        if self.reference is not None:
            curve = self.reference.curve
            ax.set_ylim(*with_room(min(curve["low"]), 1.25 * max(curve["high"]) - 0.25 * min(curve["low"])))
            self.canvas.limited.add("return")
            colour = COLOURS.get(algorithm_of(self.reference.study) or "", COLOURS["reference"])
            ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.25, linewidth=0)
            ax.plot(curve["x"], curve["mean"], color=colour, linestyle="--", linewidth=1.5, label=self.reference.label)
        (dots,) = ax.plot([], [], ".", color="pg:grey", markersize=3, alpha=0.6, label="an episode of this run")
        (mean,) = ax.plot([], [], color=COLOURS["learner"], label=f"mean of its last {self.window} episodes")
        self.main = (ax, dots, mean)
        self.canvas.move(dots, mean)
        ax.set_title(self.title, fontsize=11)
        ax.set_ylabel("return of an episode", fontsize=10)
        ax.set_xlabel("episode" if self.by_episode else "environment steps", fontsize=10)
        ax.set_xlim(0, self.budget[1 if self.by_episode else 0] or 1)
        whole_ticks(ax, 5)
        ax.legend(loc="upper left", fontsize=9, frameon=True, framealpha=0.8, edgecolor="none")

    def _returns(self, env_steps: Any, returns: Any) -> None:
        if not len(returns):
            return
        ax, dots, mean = self.main
        x = np.arange(1, len(returns) + 1) if self.by_episode else env_steps
        keep = thin(len(x), DOTS)
        dots.set_data(x[keep], returns[keep])
        keep = thin(len(x), POINTS)
        mean.set_data(x[keep], moving_average(returns, self.window)[keep])
        curve = self.reference.curve if self.reference else {"low": [], "high": []}
        low, high = min([*curve["low"], returns.min()]), max([*curve["high"], returns.max()])
        room = 0.25 * (high - low)  # for the legend
        self.canvas.make_room(ax, float(x[-1]), low, high + room, fresh="return" not in self.canvas.limited)
        self.canvas.limited.add("return")

    def _metric(self, name: str, env_steps: Any, numbers: Any) -> None:
        _, line, number = self.small[name]
        keep = thin(len(numbers), POINTS)
        line.set_data(env_steps[keep], numbers[keep])
        last = float(numbers[-1])
        number.set_text(f"{last:.0f}" if abs(last) >= 100 else f"{last:.2g}")
        self.canvas.fit(name, float(env_steps[-1]), numbers)


def _names(metrics: Collection[str]) -> tuple[str, ...]:
    """The metrics to show, in order."""
    names = [name for name in SHOWN if name in metrics]
    swapped = {old: new for new, old in EXTRA.items() if new in metrics}
    return tuple(swapped.get(name, name) for name in names)
