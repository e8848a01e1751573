"""Questions about video files as a task of lmms-eval, and the command that runs it."""

from __future__ import annotations

from pathlib import Path

TASK = """
task: questions
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_messages: !function question_rows.messages
doc_to_visual: !function question_rows.visual
doc_to_text: !function question_rows.text
doc_to_target: answer
generation_kwargs: {{max_new_tokens: {max_tokens}, temperature: 0}}
process_results: !function question_rows.results
metric_list: [{{metric: accuracy, aggregation: mean, higher_is_better: true}}]
"""
FUNCTIONS = """
def visual(doc):
    return [doc["video"]]


def text(doc, *_):
    return doc["prompt"]


def messages(doc, *_):
    shown = {"type": "video", "url": doc["video"]}
    return [{"role": "user", "content": [shown, {"type": "text", "text": doc["prompt"]}]}]


def results(doc, answers):
    return {"accuracy": float("yes" in answers[0].lower())}
"""

START = "import torchvision_on_cpu, runpy; runpy.run_module('lmms_eval', run_name='__main__', alter_sys=True)"
"""Beside a torch without CUDA, torchvision can be imported only once its operators are declared."""

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


def lmms_eval_command(
    python: str, folder: Path, rows: Path, *, model: str, arguments: str, max_tokens: int, batch_size: int
) -> tuple[list[str], dict[str, str]]:
    """Write the task into ``folder``, which is made, and return the command and the variables that it needs.

    ``rows`` is a file of JSON lines with ``video`` (a path), ``prompt`` and ``answer``.
    """
    folder.mkdir()
    (folder / "questions.yaml").write_text(TASK.format(rows=rows, max_tokens=max_tokens), encoding="utf-8")
    (folder / "question_rows.py").write_text(FUNCTIONS, encoding="utf-8")
    words = ["-c", START, "--model", model, "--model_args", arguments, "--tasks", "questions"]
    words += ["--include_path", str(folder), "--output_path", str(folder / "out"), "--batch_size", str(batch_size)]
    # decord: the other readers of the Qwen library need an FFmpeg of the system.
    variables = {"HF_HUB_OFFLINE": "1", "FORCE_QWENVL_VIDEO_READER": "decord", "PYTHONPATH": str(PLUGINS)}
    return [python, *words], variables
