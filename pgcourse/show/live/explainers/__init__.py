"""The figures with controls, one file a subject: Python beside JavaScript.

`EXPLAINERS` names every ready one; what depends on a run of the lesson is made by a function of its file.
"""
