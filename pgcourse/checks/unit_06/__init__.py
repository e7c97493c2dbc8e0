"""Unit 06: alarms from metrics, and the twelve patients of the clinic."""

from pgcourse.checks.unit_06 import (
    diagnose,
    patient_01,
    patient_02,
    patient_03,
    patient_04,
    patient_05,
    patient_06,
    patient_07,
    patient_08,
    patient_09,
    patient_10,
    patient_11,
    patient_12,
)

_PATIENTS = (
    patient_01, patient_02, patient_03, patient_04, patient_05, patient_06, patient_07, patient_08, patient_09, patient_10,
    patient_11, patient_12,
)  # fmt: skip
EXERCISES = (diagnose.EXERCISE, *(module.EXERCISE for module in _PATIENTS))
PATIENTS = tuple(module.PATIENT for module in _PATIENTS)
