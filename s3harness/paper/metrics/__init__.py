"""The authors' metrics, exactly as the code that produced the published tables computes them, defects included.

One module per kind of task. Each known defect is named where it lives; the repaired metric of the same thing is in
the module of the same name one level up. Nothing here should be used to compare models.
"""
