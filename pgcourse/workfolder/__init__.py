"""The learner's own folder: made from the course's files, opened again, brought to a new version with every answer kept."""

from .folder import HOME, WorkFolder, changed_files, open_folder
from .handed_out import MANIFEST
from .update import update_folder

__all__ = ["HOME", "MANIFEST", "WorkFolder", "changed_files", "open_folder", "update_folder"]
