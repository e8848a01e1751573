"""Sizes of pictures and videos, from the configurations of processors and vision encoder."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.specs.derivation.checkpoint import PROCESSOR, Checkpoint, Fact, Section, first, number, side, whole
from s3harness.specs.derivation.families import FILE, FamilyRule, video_processor_rule

IMAGE_TOKENS = ("image_token_id", "image_token_index")
VIDEO_TOKENS = ("video_token_id", "video_token_index")
TOKENS_PER_IMAGE = (
    "image_seq_length",
    "image_seq_len",
    "num_image_tokens",
    "mm_tokens_per_image",
    "vision_soft_tokens_per_image",
)
SIZE = "a number of pixels"


def has_vision(checkpoint: Checkpoint) -> str | None:
    """Return the evidence that a model sees, ``None`` without any."""
    if checkpoint.vision is not None:
        return f"{checkpoint.vision.file}: {'.'.join(checkpoint.vision.where)}"
    return _first_source(checkpoint.config, (*IMAGE_TOKENS, *VIDEO_TOKENS)) or _first_source(
        checkpoint.image_processor, ("image_processor_type",)
    )


def has_video(checkpoint: Checkpoint) -> Fact | None:
    """Return the form ``video`` with the evidence that a model has a processor of videos, ``None`` without any."""
    images, videos = checkpoint.image_processor, checkpoint.video_processor
    source = _first_source(checkpoint.config, VIDEO_TOKENS)
    if source is None and videos is not None:
        source = f"{videos.file}: {'.'.join((*videos.where, 'video_processor_type'))}"
    if source is None and images is not None:
        # Older checkpoints have both processors in one file: video_processor_type, video_sampling.
        source = _first_source(images, [name for name in images.data if name.startswith("video_")])
    return None if source is None else Fact("video", source)


def vision_facts(checkpoint: Checkpoint, rule: FamilyRule, *, is_video: bool, notes: list[str]) -> dict[str, Fact]:
    """Return the fields of :class:`~s3harness.specs.geometry.VisionGeometry`; add to ``notes`` what is not known."""
    videos = checkpoint.video_processor if is_video else None
    # Processors that merge patches keep the shape of a picture; the others have one size for all.
    is_dynamic = any(each is not None and each.has("merge_size") for each in (videos, checkpoint.image_processor))
    facts = _dynamic(checkpoint, rule, is_video, notes) if is_dynamic else _fixed(checkpoint, rule, is_video)
    of_class = video_processor_rule(_class(videos)) if is_video else FamilyRule()
    text = of_class.text_per_frame if of_class.text_per_frame is not None else rule.text_per_frame
    if is_video and text is not None:
        facts["text_per_frame"] = Fact(text, FILE)
    if not facts or ("tokens_per_image" not in facts and not is_dynamic):
        notes.append("tokens of pictures are not counted: the files do not say how many one makes")
    return facts


def _dynamic(checkpoint: Checkpoint, rule: FamilyRule, is_video: bool, notes: list[str]) -> dict[str, Fact]:
    images, videos = checkpoint.image_processor, checkpoint.video_processor if is_video else None
    sections = (videos, images, checkpoint.vision)
    facts = {
        "patch_size": first(sections, ("patch_size",), side, SIZE),
        "merge_size": first(sections, ("merge_size", "spatial_merge_size"), whole, "a number of patches"),
        "image_pixels": _limits(images),
    }
    if is_video:
        facts["temporal_patch_size"] = first(sections, ("temporal_patch_size",), whole, "a number of frames")
        facts |= _video_limits(checkpoint, rule, videos or images, notes)
    return {name: fact for name, fact in facts.items() if fact is not None}


def _video_limits(
    checkpoint: Checkpoint, rule: FamilyRule, section: Section | None, notes: list[str]
) -> dict[str, Fact | None]:
    """Return the limits of pixels for a frame and for a clip."""
    limits = _limits(section)
    # The class of the processor decides, where the checkpoint names one: new families take over those of older ones.
    kind = video_processor_rule(_class(section)).limits or rule.limits
    facts: dict[str, Fact | None] = {f"{kind}_pixels": limits} if kind else {}
    if limits is not None and not kind and rule.frame_pixels is None:
        notes.append("limits of pixels of a video are not known: its processor is of a class that is not in the table")
    for name in ("frame_pixels", "clip_pixels"):
        if (pixels := getattr(rule, name)) is not None:
            facts[name] = Fact(pixels, FILE)
    return facts


def _fixed(checkpoint: Checkpoint, rule: FamilyRule, is_video: bool) -> dict[str, Fact]:
    images, vision = checkpoint.image_processor, checkpoint.vision
    facts = {
        "patch_size": first((vision, images), ("patch_size",), side, SIZE),
        "image_size": first((vision,), ("image_size",), side, SIZE) or _square(images),
        "max_tiles": None if rule.max_tiles is None else Fact(rule.max_tiles, FILE),
    }
    facts["merge_size"] = _merge_size(checkpoint)
    facts["tokens_per_image"] = _tokens_per_image(checkpoint, rule, facts)
    tokens = facts["tokens_per_image"]
    if is_video and tokens is not None and rule.frame_pooling > 1:
        rows = -(-round(tokens.value**0.5) // rule.frame_pooling)
        facts["tokens_per_frame"] = Fact(rows**2, f"{tokens.source}, pooled ({FILE})")
    return {name: fact for name, fact in facts.items() if fact is not None}


def _tokens_per_image(checkpoint: Checkpoint, rule: FamilyRule, facts: dict[str, Fact | None]) -> Fact | None:
    sections = (checkpoint.files.get(PROCESSOR), checkpoint.image_processor, checkpoint.config)
    if stated := first(sections, TOKENS_PER_IMAGE, whole, "a number of tokens"):
        return stated
    if rule.tokens_per_image:
        return Fact(rule.tokens_per_image, FILE)
    size, patch, merge = facts["image_size"], facts["patch_size"], facts["merge_size"]
    # Without a factor of merging it is not known how many patches make a token.
    if size is None or patch is None or merge is None or size.value < patch.value * merge.value:
        return None
    return Fact((size.value // patch.value // merge.value) ** 2, "sizes of picture, patch and merging")


def _merge_size(checkpoint: Checkpoint) -> Fact | None:
    """Return the patches on a side that become one token, which files also give as the inverse."""
    sections = (checkpoint.config, checkpoint.vision)
    if fact := first(sections, ("scale_factor", "spatial_merge_size"), number, "a number of patches"):
        # SmolVLM's scale_factor is 4; some InternVL configurations have the inverse, 0.5, under this name.
        return Fact(_inverse(fact.value), fact.source)
    fact = first(sections, ("downsample_ratio",), number, "a ratio")
    return None if fact is None else Fact(_inverse(fact.value), fact.source)


def _inverse(value: float) -> int:
    return max(1, round(1 / value if value < 1 else value))


def _limits(section: Section | None) -> Fact | None:
    """Return the fewest and the most pixels that a processor resizes to."""
    if section is None:
        return None
    pixels = [section.data.get(name) for name in ("min_pixels", "max_pixels")]
    source = section.source("min_pixels")
    if pixels == [None, None] and section.has("size"):
        size = section.part("size")
        # These processors count pixels under the names of edges.
        pixels = [size.data.get(name) for name in ("shortest_edge", "longest_edge")] if size else pixels
        source = section.source("size")
    if pixels == [None, None]:
        return None
    if any(value is not None and whole(value) is None for value in pixels):
        raise section.error("size" if section.has("size") else "min_pixels", "a pair of numbers of pixels")
    return Fact(tuple(pixels), source)


def _square(section: Section | None) -> Fact | None:
    """Return the side of the square that a processor resizes to, where it states one."""
    if section is None or not section.has("size"):
        return None
    size = section.data["size"]
    if isinstance(size, dict) and not size.keys() >= {"height", "width"}:
        return None
    return first((section,), ("size",), side, "a size")


def _class(section: Section | None) -> str:
    name = section.data.get("video_processor_type") if section is not None else None
    return name if isinstance(name, str) else ""


def _first_source(section: Section | None, names: Sequence[str]) -> str | None:
    name = next((name for name in names if section is not None and section.has(name)), None)
    return None if section is None or name is None else section.source(name)
