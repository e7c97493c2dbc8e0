"""The clinic from the learner's side: closed until a diagnosis is committed, one bug a patient, an order for each learner."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pgcourse import InvalidInput
from pgcourse.checks import progress
from pgcourse.show import clinic
from pgcourse.show.clinic import patients as patients_module
from pgcourse.show.clinic.patients import file_of, order_of, patients
from pgcourse.study.traps import TRAPS
from pgcourse.study.traps.table import healthy_name, ill_name

PATIENT = "patient_02"
RIGHT, WRONG, WORSE = "broadcasting", "slow-critic", "entropy-sign"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PGCOURSE_HOME", str(tmp_path))
    monkeypatch.setattr(progress, "_pending", [])
    return tmp_path


def measured(patient_id: str) -> dict[str, Any]:
    """Claims with two metrics of a patient and of its healthy run."""
    trap = patients()[patient_id].trap
    curve = {"x": [1, 2], "mean": [0.5, 0.25], "low": [0.4, 0.2], "high": [0.6, 0.3]}
    names = ill_name(trap), healthy_name(trap)
    return {
        "curves": {f"{name}/{metric}": curve for name in names for metric in ("losses/entropy", "losses/approx_kl")},
        "values": {f"{name}/{key}": {"per_seed": [1.0, 2.0]} for name in names for key in ("last_100", "held_out")},
    }


def test_the_code_is_closed_until_the_bug_is_named(shown: list[Any], capsys: Any) -> None:
    clinic.open(PATIENT)
    assert "closed" in capsys.readouterr().out and not shown
    clinic.commit(PATIENT, RIGHT, 0.8)
    assert capsys.readouterr().out.startswith(f"✓ {PATIENT}: (N, 1) against (N,)")
    clinic.open(PATIENT)
    assert "[B, B]" in capsys.readouterr().out  # the trap's explanation
    (code,) = shown
    assert code["text/plain"].startswith(f"def {PATIENT}(values, returns):")


@pytest.mark.parametrize("patient_id", [f"patient_{number:02}" for number in range(1, 13)])
def test_each_wrong_diagnosis_is_refused_with_what_it_would_look_like(patient_id: str, capsys: Any) -> None:
    for trap in TRAPS:
        if trap.id != patients()[patient_id].trap.id:
            progress.path().unlink(missing_ok=True)
            clinic.commit(patient_id, trap.id, 0.5)
            said = " ".join(capsys.readouterr().out.split())
            assert said.startswith(f"✗ {patient_id}: not {trap.id}") and trap.symptom in said
            assert not file_of(patient_id).open and not file_of(patient_id).solved


def test_two_wrong_diagnoses_open_the_code_and_stay_on_record(shown: list[Any], capsys: Any) -> None:
    for _ in range(3):  # running a cell again is no second try
        clinic.commit(PATIENT, WRONG, 0.9)
        assert "1 try left" in capsys.readouterr().out and len(file_of(PATIENT).tries) == 1
    clinic.open(PATIENT)
    assert "One more try comes first" in capsys.readouterr().out and not shown
    clinic.commit(PATIENT, WORSE, 0.6)
    assert "says what it is" in capsys.readouterr().out
    clinic.open(PATIENT)
    assert "(N, 1) against (N,)" in capsys.readouterr().out and len(shown) == 1
    clinic.commit(PATIENT, RIGHT, 1.0)  # after the code was seen, nothing is added
    assert file_of(PATIENT).tries == ((WRONG, 0.9), (WORSE, 0.6))
    entry = progress.load()["answers"][f"clinic-{PATIENT}"]
    assert entry["correct"] is False and entry["confidence"] == 0.9


@pytest.mark.parametrize(("diagnosis", "sure", "words"), [
    ("", 0.5, "no diagnosis yet"),
    ("broadcast", 0.5, "Did you mean broadcasting"),
    ("xyz", 0.5, "not in the list"),
    (RIGHT, 80, "from 0 to 1"),
    (RIGHT, None, "from 0 to 1"),
    (RIGHT, True, "from 0 to 1"),
    ([RIGHT], 0.5, "not in the list"),
])  # fmt: skip
def test_an_answer_that_is_none_commits_nothing(diagnosis: Any, sure: Any, words: str, capsys: Any) -> None:
    clinic.commit(PATIENT, diagnosis, sure)
    assert words in capsys.readouterr().out and file_of(PATIENT).tries == ()


@pytest.mark.parametrize(("call", "more"), [
    (clinic.examine, ()), (clinic.open, ()), (clinic.commit, (RIGHT, 0.5)), (clinic.train, (print,)),
])  # fmt: skip
def test_an_unknown_patient_is_refused(call: Any, more: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput, match="patient_01"):
        call("patient_99", *more)


def order(capsys: Any, *name: str) -> str:
    clinic.order(*name)
    return str(capsys.readouterr().out)


def test_the_order_is_a_permutation_of_its_own_for_each_learner(capsys: Any) -> None:
    orders = {tuple(order_of(name)) for name in ("Ada", "Grace", "Emmy", "Sofia")}
    assert len(orders) == 4 and all(sorted(order) == sorted(patients()) for order in orders)
    assert order_of(" ada") == order_of("Ada")
    named = order(capsys, "Ada")
    assert order(capsys) == named, "the name is kept"
    assert ", ".join(order_of("Ada")[: patients_module.REQUIRED]) in named.splitlines()[0]


def test_who_gives_no_name_keeps_the_order_that_was_drawn(home: Path, capsys: Any) -> None:
    assert order(capsys) == order(capsys)
    drawn = set()
    for _ in range(3):
        (home / "progress.json").unlink()
        drawn.add(order(capsys))
    assert len(drawn) == 3


def test_a_damaged_entry_is_as_good_as_none(capsys: Any) -> None:
    for stored in ("text", [1], [["slow-critic"]], None, {"a": 1}):
        progress.record_answer(f"clinic-{PATIENT}", stored, None, None)
        assert file_of(PATIENT).tries == ()


def test_panels_say_in_words_what_they_show_and_never_name_the_bug(shown: list[Any]) -> None:
    clinic.examine(PATIENT, measured(PATIENT))
    (bundle,) = shown
    words, trap = bundle["text/plain"], patients()[PATIENT].trap
    assert (
        "entropy 0.5 to 0.25 (0.25, 0.5); healthy 0.5 to 0.25" in words and "PPO on CartPole-v1, 40,000 steps" in words
    )
    assert trap.id not in bundle["text/html"] and trap.title not in bundle["text/html"]
    clinic.examine("patient_09", measured("patient_09"))
    assert "Pendulum-v1, " in shown[-1]["text/plain"] and "four numbers" not in shown[-1]["text/plain"]


def test_without_measurements_the_clinic_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def missing(name: str) -> Any:
        raise InvalidInput("no claims")

    monkeypatch.setattr(patients_module, "load_claims", missing)
    clinic.examine(PATIENT)
    assert capsys.readouterr().out.strip() == patients_module.NOT_MEASURED


def test_the_list_holds_every_trap(shown: list[Any]) -> None:
    clinic.bugs()
    assert all(f"`{trap.id}`" in shown[0]["text/markdown"] for trap in TRAPS)


def untouched(*inputs: Any, **settings: Any) -> Any:
    raise NotImplementedError("patient_02: write your code here")


@pytest.mark.parametrize(("function", "words"), [
    (untouched, "not attempted"),
    (lambda values, returns: values.nothing, "`patient_02` raised AttributeError"),
    (lambda values, returns: (values * torch.nan).mean(), "the run stopped"),
    (lambda values, returns: None, "the run stopped"),
    (lambda values, returns: values.squeeze(-1) - returns, "the run stopped"),
])  # fmt: skip
def test_a_function_that_cannot_train_gets_a_sentence(function: Any, words: str, shown: Any, capsys: Any) -> None:
    clinic.train(PATIENT, function)
    assert words in capsys.readouterr().out and not shown


def test_only_the_ill_patient_rings_an_alarm(shown: list[Any], capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patients_module, "load_claims", lambda name: measured(PATIENT))
    patient = patients()[PATIENT]
    clinic.train(PATIENT, patient.cured)
    assert capsys.readouterr().out == "No alarm rings.\n"
    clinic.train(PATIENT, patient.ill)
    assert "Alarm explained-variance-low" in capsys.readouterr().out
    assert len(shown) == 2 and shown[0]["text/plain"].startswith("[Picture: Your patch, from the first update")


def test_the_report_scores_how_sure_the_first_answers_were(capsys: Any) -> None:
    clinic.report()
    assert capsys.readouterr().out.strip() == "No diagnosis is committed yet."
    clinic.commit(PATIENT, WRONG, 0.9)
    clinic.commit(PATIENT, RIGHT, 0.8)
    clinic.commit("patient_04", WORSE, 0.5)
    capsys.readouterr()
    clinic.report()
    said = capsys.readouterr().out
    assert f"✓ {PATIENT}: {WRONG} (90% sure), then {RIGHT} (80% sure)" in said
    assert "0.53" in said  # (0.9 ** 2 + 0.5 ** 2) / 2
