"""An exporter: write annotations for another tool. Put your format where this one writes lines of text."""

from pathlib import Path

import s3harness


def newcomer_exporter(annotations: s3harness.AnnotationSet, out: Path, *, absent: bool = False) -> list[str]:
    """Write a text file for each recording, with a line for each statement; with ``absent`` also of absent signs.

    Returns a line for what the file has no place for.
    """
    left_out = 0
    for recording in annotations.recordings:
        lines = []
        for source, statements in recording.statements.items():
            chosen = [one for one in statements if absent or one.present == "yes"]
            left_out += len(statements) - len(chosen)
            lines += [f"{source}\t{one.start_s}\t{one.end_s}\t{annotations.signs[one.sign]}\n" for one in chosen]
        (out / f"{recording.id}.txt").write_text("".join(lines), encoding="utf-8")
    return [f"{left_out} signs that were not seen are left out"] if left_out else []
