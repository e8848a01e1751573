"""The same videos and questions as a task of lmms-eval."""

from __future__ import annotations

import json
from pathlib import Path

TASK = """
task: overhead
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_messages: !function overhead_rows.messages
doc_to_visual: !function overhead_rows.visual
doc_to_text: !function overhead_rows.text
doc_to_target: answer
generation_kwargs: {{max_new_tokens: 16, temperature: 0}}
process_results: !function overhead_rows.results
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


def lmms_eval_command(python: str, work: Path, port: int, pictures: int) -> tuple[list[str], dict[str, str]]:
    """The command, and the variables that have it send JPEG and decode with what it finds."""
    folder = work / "lmms-eval"
    folder.mkdir()
    rows = [json.loads(line) for line in (work / "rows.jsonl").read_text().splitlines()]
    (folder / "rows.jsonl").write_text("".join(json.dumps({**row, "answer": "yes"}) + "\n" for row in rows))
    (folder / "overhead.yaml").write_text(TASK.format(rows=folder / "rows.jsonl"))
    (folder / "overhead_rows.py").write_text(FUNCTIONS)
    model = f"model_version=stub,base_url=http://127.0.0.1:{port}/v1,api_key=none,num_cpus=8,nframes={pictures}"
    words = ["-m", "lmms_eval", "--model", "async_openai", "--model_args", model, "--tasks", "overhead"]
    words += ["--include_path", str(folder), "--output_path", str(folder / "out"), "--batch_size", "1"]
    env = {
        "FORCE_QWENVL_VIDEO_READER": "decord",
        "LMMS_IMAGE_ENCODE_FORMAT": "JPEG",
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": "none",
        "OPENAI_API_BASE": f"http://127.0.0.1:{port}/v1",
    }
    return [python, *words], env
