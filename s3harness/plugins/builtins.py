"""The built-ins of s3harness, registered through the same hook as a plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3harness.package_data import own_models
from s3harness.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from s3harness.plugins.registry import Registrar

TABLES = ("*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm")
"""Names of files that hold a table."""
COMMANDS = {
    "run": ("s3harness.cli.run:run", "Run the tasks of a data set on a model, and score the answers."),
    "sweep": ("s3harness.cli.sweep:sweep", "Run the same tasks at several frame rates, windows and transforms."),
    "probe": ("s3harness.cli.probe:probe", "Repeat a run with changed clips or wordings, and compare the answers."),
    "score": ("s3harness.cli.score:score", "Score the answers of a run again, offline."),
    "score-release": (
        "s3harness.cli.score_release:score_release",
        "Score the authors' released predictions, or recompute their tables.",
    ),
    "compare": ("s3harness.cli.compare:compare", "Compare runs, paired by patient, with corrected p-values."),
    "diagnose": (
        "s3harness.cli.diagnose:diagnose",
        "Classify ES or NES from a model's signs, out of fold; evaluate, fit, apply.",
    ),
    "train": ("s3harness.cli.train:train", "Train a model: sft, grpo, warmup; plan, data, gate, export, report."),
    "report": ("s3harness.cli.report:report", "Write the report of a run as one HTML file that opens offline."),
    "submit": ("s3harness.cli.submit:submit", "Share the raw answers of a run: pack, push, export."),
    "leaderboard": (
        "s3harness.cli.leaderboard:leaderboard",
        "Leaderboard: verify submissions, check-pull-request, build the pages.",
    ),
    "tasks": ("s3harness.cli.tasks:tasks", "Tasks: list, show, validate, check."),
    "rqi": ("s3harness.cli.rqi:rqi", "Seizure-RQI of reports: score, explain, validate."),
    "models": ("s3harness.cli.models:models", "Model cards: list, show, add, verify."),
    "plugins": ("s3harness.cli.plugins:plugins", "Plugins: list, check, new."),
    "data": (
        "s3harness.cli.data:data",
        "Data sets: preview, mapping, import, validate, deidentify, info, agreement, split, export, allow-links.",
    ),
    "predictions": ("s3harness.cli.predictions:predictions", "Answers of a run, for annotation tools: export."),
    "audit": (
        "s3harness.cli.audit:audit",
        "Show which hosts received data, and check shareable files for private content.",
    ),
    "cache": ("s3harness.cli.cache:cache", "Manage the cache of decoded frames: info, purge."),
    "doctor": ("s3harness.cli.doctor:doctor", "Check the installation, the machine and its engines, with remedies."),
}
"""The command line's own commands, each with the line of the help that tells of it, so that help imports none."""

BACKENDS = {
    "floors": "s3harness.backends.floors_and_oracle:FloorsBackend",
    "oracle": "s3harness.backends.floors_and_oracle:OracleBackend",
    "noisy_oracle": "s3harness.backends.noisy_oracle:NoisyOracleBackend",
    "recorded": "s3harness.backends.recorded:RecordedBackend",
}
SAMPLERS = ("event_clip", "onset_window", "sliding_windows", "uniform_frames", "whole_video")
PARSERS = {
    "json_answer": "s3harness.parsers.json_answer:json_answer",
    "choice": "s3harness.parsers.choice:choice",
    "timestamp": "s3harness.parsers.timestamp:timestamp",
    "frame_number": "s3harness.parsers.frame_number:frame_number",
    "event_list": "s3harness.parsers.event_list:event_list",
    "es_nes": "s3harness.parsers.es_nes:es_nes",
    "free_text": "s3harness.parsers.free_text:free_text",
    "time_spans": "s3harness.parsers.time_spans:time_spans",
}
AGGREGATORS = {
    "any_yes": "s3harness.aggregators.presence:any_yes",
    "any_yes_rationale": "s3harness.aggregators.presence:any_yes_rationale",
    "first_window": "s3harness.aggregators.presence:first_window",
    "first_window_rationale": "s3harness.aggregators.presence:first_window_rationale",
    "overlap_merge": "s3harness.aggregators.order:overlap_merge",
    "first_mention": "s3harness.aggregators.order:first_mention",
    "joined_text": "s3harness.aggregators.report:joined_text",
    "single": "s3harness.aggregators.single:single",
    "clip_time": "s3harness.aggregators.single:clip_time",
    "clip_spans": "s3harness.aggregators.spans:clip_spans",
}
METRICS = {
    "feature_macro_f1": "s3harness.metrics.features:feature_macro_f1",
    "feature_balanced_accuracy": "s3harness.metrics.features:feature_balanced_accuracy",
    "feature_mcc": "s3harness.metrics.features:feature_mcc",
    "feature_auroc": "s3harness.metrics.features:FeatureAuroc",
    "rationale_informedness": "s3harness.metrics.rationale:rationale_informedness",
    "rationale_score": "s3harness.metrics.text:rationale_score",
    "rouge_l": "s3harness.metrics.text:rouge_l",
    "bleu": "s3harness.metrics.text:bleu",
    "laterality_balanced_accuracy": "s3harness.metrics.laterality:laterality_balanced_accuracy",
    "laterality_macro_f1": "s3harness.metrics.laterality:laterality_macro_f1",
    "boundary_mae": "s3harness.metrics.boundaries:boundary_mae",
    "boundary_mae_answered": "s3harness.metrics.boundaries:boundary_mae_answered",
    "boundary_bias": "s3harness.metrics.boundaries:boundary_bias",
    "boundary_within": "s3harness.metrics.boundaries:boundary_within",
    "interval_iou": "s3harness.metrics.boundaries:interval_iou",
    "detection": "s3harness.metrics.detection:detection",
    "detection_latency": "s3harness.metrics.detection:detection_latency",
    "lcs_f": "s3harness.metrics.order:lcs_f",
    "edit_similarity": "s3harness.metrics.order:edit_similarity",
    "order_agreement": "s3harness.metrics.order:order_agreement",
    "duplicate_rate": "s3harness.metrics.order:duplicate_rate",
    "out_of_vocabulary_rate": "s3harness.metrics.order:out_of_vocabulary_rate",
    "rqi": "s3harness.metrics.rqi:SeizureRQI",
    "diagnosis_balanced_accuracy": "s3harness.metrics.diagnosis:diagnosis_balanced_accuracy",
    "diagnosis_mcc": "s3harness.metrics.diagnosis:diagnosis_mcc",
    "diagnosis_sensitivity": "s3harness.metrics.diagnosis:diagnosis_sensitivity",
    "diagnosis_specificity": "s3harness.metrics.diagnosis:diagnosis_specificity",
    "diagnosis_f1": "s3harness.metrics.diagnosis:diagnosis_f1",
    "paper_features": "s3harness.paper.metrics.features:paper_features",
    "paper_laterality": "s3harness.paper.metrics.laterality:paper_laterality",
    "paper_boundary_mae": "s3harness.paper.metrics.boundaries:paper_boundary_mae",
    "paper_edit_distance": "s3harness.paper.metrics.order:paper_edit_distance",
    "paper_temporal_f1": "s3harness.paper.metrics.order:paper_temporal_f1",
    "paper_lcs_ratio": "s3harness.paper.metrics.order:paper_lcs_ratio",
    "paper_bleu": "s3harness.paper.metrics.text:paper_bleu",
    "paper_rouge_1": "s3harness.paper.metrics.text:paper_rouge_1",
    "paper_rouge_l": "s3harness.paper.metrics.text:paper_rouge_l",
    "paper_diagnosis": "s3harness.paper.metrics.diagnosis:paper_diagnosis",
}
CLASSIFIERS = {
    "logistic_regression": "s3harness.diagnosis.builtin_classifiers:LogisticRegression",
    "shallow_tree": "s3harness.diagnosis.builtin_classifiers:ShallowTree",
    "random_forest": "s3harness.diagnosis.builtin_classifiers:RandomForest",
}
RQI_PENALTIES = (
    "hallucination",
    "invention",
    "off_topic",
    "length",
    "hazard",
    "paper_hallucination",
    "paper_off_topic",
    "paper_length",
    "paper_hazard",
)
TRANSFORMS = ("mirror", "reverse", "shuffle", "freeze", "blank", "silence", "swap_sound")
PROBES = (
    *("repeat", "mirror", "reverse", "shuffle", "freeze", "blank", "mute", "audio_swap", "polarity"),
    *("paraphrase_1", "paraphrase_2"),
)
STRATEGIES = {
    "single": "s3harness.strategies.single:Single",
    "zoom": "s3harness.strategies.zoom:Zoom",
    "vote": "s3harness.strategies.vote:Vote",
    "tools": "s3harness.strategies.tools:Tools",
    "random_look": "s3harness.strategies.controls:RandomLook",
    "again": "s3harness.strategies.controls:Again",
}
JUDGES = {"structure": "s3harness.metrics.rqi.judge:StructureJudge"}


@hookimpl
def s3harness_register(registry: Registrar) -> None:
    """Register the built-ins."""
    by_kind = (
        (registry.backend, BACKENDS),
        (registry.parser, PARSERS),
        (registry.aggregator, AGGREGATORS),
        (registry.metric, METRICS),
        (registry.classifier, CLASSIFIERS),
        (registry.strategy, STRATEGIES),
        (registry.judge, JUDGES),
    )
    for register, targets in by_kind:
        for name, target in targets.items():
            register(name, target)
    for name in SAMPLERS:
        registry.sampler(name, f"s3harness.samplers:{name}")
    for name in RQI_PENALTIES:
        registry.rqi_penalty(name, f"s3harness.metrics.rqi.penalties:{name}")
    for name in TRANSFORMS:
        registry.transform(name, f"s3harness.transforms.builtin:{name}")
    for name in PROBES:
        registry.probe(name, f"s3harness.probes.builtin:{name}")
    # The line of the help stays in COMMANDS, from which the command line reads it without a registry.
    for name, (target, _) in COMMANDS.items():
        registry.command(name, target)
    # Listed from the package's files: a new card needs no line here.
    for name in own_models():
        registry.model(name, "s3harness.package_data:models_directory")
    registry.task_specs("s3", "s3harness.package_data:specs_directory")
    registry.executor("local", "s3harness.run.executor:local")
    registry.dataset("table", "s3harness.dataset.import_table:import_table", files=TABLES)
    registry.dataset("recordings", "s3harness.dataset.importing.recordings:recordings", files=("*/*",))
    registry.exporter("csv", "s3harness.dataset.export_annotations:export_csv")
    registry.dataset("s3-release", "s3harness.paper.importer:import_release")
