"""The clinic's patients: their panels, a learner's diagnoses, their code, and a run with a patch in its place."""

import difflib
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...algorithms.by_name import TRAIN, made_fresh
from ...checks import progress
from ...checks.listing import listing
from ...checks.wording import wrap
from ...config import Config
from ...errors import InvalidInput
from ...study.claims import load_claims
from ...study.diagnose import describe, diagnose
from ...study.traps import BY_ID, TRAPS, Trap
from ...study.traps.table import healthy_name
from ...training import TrainingDiverged
from .. import page
from ..figures.diagnostics import PANELS, RETURN, curves_of, panels, select, trap_runs
from ..finale.validation import Fault, Untouched, guarded
from ..finale.validation import describe as in_words

NOT_MEASURED = "The runs of the clinic are not measured here: claims/traps.json is missing. Get the whole course."
TRIES = 2  # after so many, the code is open whatever was said
REQUIRED = 4  # patients; the others are credit


def order(learner: str = "") -> None:
    """Print the order of your patients, the four that count first.

    Args: learner: your name, which gives the same order on every machine; without it, an order is drawn once and kept.
    """
    ids = order_of(learner_name(learner))
    print(f"Your patients: {', '.join(ids[:REQUIRED])}")
    print(f"For credit: {', '.join(ids[REQUIRED:])}")


def bugs() -> None:
    """Show the ids that a diagnosis may name, with their titles."""
    rows = "\n".join(f"| `{trap.id}` | {trap.title} |" for trap in TRAPS)
    text = "\n".join(f"{trap.id:<26} {trap.title}" for trap in TRAPS)
    page.display({"text/markdown": f"| id | the bug |\n|---|---|\n{rows}", "text/plain": text}, raw=True)


def examine(patient_id: str, claims: Mapping[str, Any] | None = None) -> None:
    """Show the panels of a patient beside healthy runs: ten seeds of each.

    Args: claims: content of claims/traps.json, by default the committed one. Raises: InvalidInput for an unknown id.
    """
    trap = find(patient_id).trap
    try:
        stored = load_claims("traps") if claims is None else claims
    except InvalidInput:
        print(NOT_MEASURED)
        return
    ill, healthy, returns = trap_runs(trap, stored)
    figure = panels(ill, healthy, returns=returns, labels=("patient", "healthy"), title=patient_id)
    seeds = len(returns["held out"][0])
    caption = f"{settings_in_words(trap)}, {seeds} seeds each: interquartile mean with its 95 % interval."
    page.figure(figure, alt=_read_out(ill, healthy), caption=caption)


def commit(patient_id: str, diagnosis: str, how_sure: float) -> None:
    """Commit a diagnosis, and print what it comes to. Running the same cell again changes nothing.

    Args: diagnosis: an id of `bugs()`. how_sure: from 0 to 1. Raises: InvalidInput for an unknown patient.
    """
    file = file_of(patient_id)
    if not diagnosis:
        print(f"{patient_id}: no diagnosis yet. Write an id of clinic.bugs(), and how sure you are, from 0 to 1.")
        return
    if problem := refused(diagnosis, how_sure):
        print(f"{patient_id}: {problem} Nothing is committed.")
        return
    if not file.said(diagnosis) and not file.open:
        file = add(patient_id, diagnosis, float(how_sure))
    if diagnosis == file.right:
        print(f"✓ {patient_id}: {BY_ID[diagnosis].title}.")
        print(f'  clinic.open("{patient_id}") shows the code.')
        return
    say(f"✗ {patient_id}: not {diagnosis}. If it were, you would see this: {BY_ID[diagnosis].symptom}")
    left = TRIES - len(file.tries)
    if file.open:
        print(f'  clinic.open("{patient_id}") shows the code, and says what it is.')
    else:
        print(f"  Look at the panels again: {left} {'try' if left == 1 else 'tries'} left.")


def open(patient_id: str) -> None:
    """Show a patient's code, once a diagnosis is committed. Raises: InvalidInput for an unknown id."""
    patient, file = find(patient_id), file_of(patient_id)
    if not file.open:
        said = "Commit a diagnosis first" if not file.tries else "One more try comes first"
        print(f'{patient_id} is closed. {said}: clinic.commit("{patient_id}", ...)')
        return
    setting = f" Patient and healthy run have {patient.trap.setting}." if patient.trap.setting else ""
    say(f"{patient_id}: {patient.trap.title}. {patient.trap.explanation}{setting}")
    print("Copy the function over the cell below, mend it, and keep its name.")
    code = patient.source()
    page.display({"text/html": listing(code), "text/plain": code}, raw=True)


def train(patient_id: str, function: Callable[..., Any], *, seed: int = 0) -> None:
    """Train with your function in the patient's place, and show its panels on the healthy band. It earns no points.

    Takes a few seconds. Raises: InvalidInput for an unknown id; nothing for what your function does.
    """
    patient = find(patient_id)
    trap = patient.trap
    try:
        result = retrain(patient, function, seed=seed)
    except Untouched:
        print(f"{patient_id}: not attempted")
        return
    except (Fault, TrainingDiverged) as error:
        say(f"{patient_id}: the run stopped. {error}")
        return
    except (InvalidInput, RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        say(f"{patient_id}: the run stopped, because the loop cannot use what your function gives: {in_words(error)}.")
        return
    ringing = sorted(diagnose(result.metrics))
    print("No alarm rings." if not ringing else "\n".join(f"Alarm {alarm}: {describe(alarm)}." for alarm in ringing))
    try:
        healthy = select(load_claims("traps")["curves"], healthy_name(trap))
    except InvalidInput:
        healthy = {}
    mended = curves_of([result])
    figure = panels(mended, healthy, labels=("your patch", "healthy"), title=patient_id)
    page.figure(
        figure, alt=_read_out(mended, healthy, who="Your patch"), caption=f"{settings_in_words(trap)}, one seed."
    )


def retrain(patient: Any, function: Callable[..., Any], *, seed: int, **keywords: Any) -> Any:
    """A patient's run with another function in the place of the ill one.

    Args: keywords: of `train`, such as on_iteration. Raises: Untouched for a stub, Fault for one that raises.
    """
    config = replace(patient.settings, seed=seed)
    parts = made_fresh(config, patient.seams(guarded(patient.id, function)))
    return TRAIN[config.algorithm](config, device="cpu", **{**parts, **keywords})


def report() -> None:
    """Print what you said of each patient, and how well your confidence fits: the Brier score, 0 is best."""
    lines, scores = [], []
    for patient_id in patients():
        file = file_of(patient_id)
        if not file.tries:
            continue
        said = ", then ".join(f"{diagnosis} ({sure:.0%} sure)" for diagnosis, sure in file.tries)
        lines.append(f"{'✓' if file.solved else '✗'} {patient_id}: {said}")
        first, sure = file.tries[0]
        scores.append((sure - (first == file.right)) ** 2)
    if not lines:
        print("No diagnosis is committed yet.")
        return
    print("\n".join(lines))
    print(f"Brier score of the first tries: {sum(scores) / len(scores):.2f}. Always saying 50 % gives 0.25.")


def say(text: str) -> None:
    """Print a text in lines of readable length."""
    print(wrap([text], first="", rest="  "))


def settings_in_words(trap: Trap) -> str:
    """Which run it is: algorithm, environment, budget. What is unusual in it would give the bug away."""
    config: Config = trap.base
    steps = config.total_timesteps
    budget = f"{steps:,} steps" if steps is not None else f"{config.num_episodes:,} episodes"
    return f"{config.algorithm.upper()} on {config.env_id}, {budget}"


def _read_out(ill: Mapping[str, Any], healthy: Mapping[str, Any], who: str = "The patient") -> str:
    titles = {name: words.replace(" (dashed) and G", "") for name, (words, _) in PANELS.items()} | {RETURN: "mean of G"}
    parts = []
    for name, words in titles.items():
        if name in ill:
            beside = f"; healthy {_course(healthy[name]['mean'])}" if name in healthy else ""
            parts.append(f"{words} {_course(ill[name]['mean'])}{beside}")
    return f"{who}, from the first update to the last (lowest, highest): {'. '.join(parts)}."


def _course(means: Sequence[float]) -> str:
    return f"{means[0]:.3g} to {means[-1]:.3g} ({np.nanmin(means):.3g}, {np.nanmax(means):.3g})"


def patients() -> dict[str, Any]:
    """All patients by id."""
    from ...checks.unit_06 import PATIENTS  # slow, and nothing that a lesson needs at its start

    return {patient.id: patient for patient in PATIENTS}


def find(patient_id: str) -> Any:
    """The patient of this id. Raises: InvalidInput for an unknown one."""
    known = patients()
    if patient_id not in known:
        raise InvalidInput(f"no patient {patient_id!r}; there are {', '.join(known)}")
    return known[patient_id]


@dataclass(frozen=True)
class File:
    """What a learner said of one patient: (diagnosis, how sure) for each try, oldest first."""

    patient_id: str
    tries: tuple[tuple[str, float], ...]
    right: str  # the bug's id

    @property
    def solved(self) -> bool:
        """Whether one of the tries was right."""
        return any(diagnosis == self.right for diagnosis, _ in self.tries)

    @property
    def open(self) -> bool:
        """Whether the code may be seen."""
        return self.solved or len(self.tries) >= TRIES

    def said(self, diagnosis: str) -> bool:
        """Whether this was said before, as when a cell is run again."""
        return any(earlier == diagnosis for earlier, _ in self.tries)


def file_of(patient_id: str) -> File:
    """The learner's file of one patient. Raises: InvalidInput for an unknown one."""
    right = find(patient_id).trap.id
    entry = progress.load()["answers"].get(_key(patient_id), {})
    stored = entry.get("answer")
    tries = [pair for pair in stored if isinstance(pair, list) and len(pair) == 2] if isinstance(stored, list) else []
    return File(patient_id, tuple((str(diagnosis), float(sure)) for diagnosis, sure in tries), right)


def add(patient_id: str, diagnosis: str, sure: float) -> File:
    """Keep one more try. Returns: the file with it."""
    before = file_of(patient_id)
    tries = (*before.tries, (diagnosis, sure))
    first = tries[0]
    progress.record_answer(_key(patient_id), [list(pair) for pair in tries], first[1], first[0] == before.right)
    return File(patient_id, tries, before.right)


def refused(diagnosis: Any, sure: Any) -> str:
    """What is wrong with an answer, in a sentence; empty where nothing is."""
    if not isinstance(diagnosis, str) or diagnosis not in BY_ID:
        close = difflib.get_close_matches(str(diagnosis), BY_ID, n=2, cutoff=0.4)
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        return f"{diagnosis!r} is not in the list.{meant} clinic.bugs() shows the list."
    if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1:
        return f"How sure you are is a number from 0 to 1, such as 0.7; got {sure!r}."
    return ""


def order_of(learner: str) -> list[str]:
    """The patients in the order of this learner: the same name gives the same order on every machine."""
    digest = hashlib.sha256(learner.strip().casefold().encode()).digest()
    ids = list(patients())
    return [ids[index] for index in np.random.default_rng(list(digest)).permutation(len(ids))]


def learner_name(given: str) -> str:
    """The name that was given, now or earlier; for who gives none, one drawn once and kept."""
    kept = progress.load()["answers"].get("clinic-learner", {}).get("answer")
    name = given.strip() or (kept if isinstance(kept, str) else "") or secrets.token_hex(8)
    if name != kept:
        progress.record_answer("clinic-learner", name, None, None)
    return name


def _key(patient_id: str) -> str:
    return f"clinic-{patient_id}"
