"""The bug clinic: look at a patient's panels, commit a diagnosis, open the code, mend it, train it.

clinic.examine("patient_01")
clinic.commit("patient_01", "entropy-sign", 0.7)
clinic.open("patient_01")
"""

from .patients import bugs, commit, examine, open, order, report, retrain, train

__all__ = ["bugs", "commit", "examine", "open", "order", "report", "retrain", "train"]
