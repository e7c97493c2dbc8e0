"""What the clinic remembers of a learner: the order of the patients, and the diagnoses with how sure they were."""

import difflib
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...checks import progress
from ...errors import InvalidInput
from ...study.traps import BY_ID

TRIES = 2  # after so many, the code is open whatever was said
REQUIRED = 4  # patients; the others are credit


def patients() -> dict[str, Any]:
    """All patients by id."""
    from ...checks.unit_06 import PATIENTS  # holds the answers, so it is read when it is first needed

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
