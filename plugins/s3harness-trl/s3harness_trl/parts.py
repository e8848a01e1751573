"""The parts of a model: its language model, and the towers that encode what is seen and what is heard.

They are told apart by their configurations, which every family has under the same names, and by what is left over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

Tower = Literal["vision", "audio"]
TOWERS: tuple[Tower, ...] = ("vision", "audio")


def base_of(model: Any) -> Any:
    """Return the model without its adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def tower_modules(model: Any, tower: Tower) -> list[Any]:
    """Return the modules that encode what is seen or heard, with their projections; none if the model has no such."""
    base = base_of(model)
    encoders = {name: _encoder(base, name) for name in TOWERS}
    if encoders[tower] is None:
        return []
    modules = [encoders[tower]]
    # A projection outside of its encoder is the vision's where there is one: the families that keep the two apart have
    # a single tower.
    if tower == "vision" or encoders["vision"] is None:
        modules += _projections(base, [encoder for encoder in encoders.values() if encoder is not None])
    return modules


def tower_weights(model: Any, tower: Tower) -> Iterator[Any]:
    """Yield the weights of a tower."""
    for module in tower_modules(model, tower):
        yield from module.parameters()


def repeated_layers(model: Any) -> list[str]:
    """Return the names of the classes of layers that the model repeats, by which sharding wraps it."""
    from torch.nn import ModuleList

    names: dict[str, None] = {}
    for module in model.modules():
        if isinstance(module, ModuleList) and len(module) > 1 and len({type(layer) for layer in module}) == 1:
            names[type(module[0]).__name__] = None
    # Experts and other lists inside of a layer are sharded with it.
    inner = {name for outer in _modules_of(model, names) for name in _lists_inside(outer)}
    return [name for name in names if name not in inner]


def _encoder(base: Any, tower: Tower) -> Any:
    """Return the outermost module that was built from the tower's configuration; ``None`` if there is none."""
    from transformers import PreTrainedModel

    config = getattr(base.config, f"{tower}_config", None)
    if config is None:
        return None
    return next(
        (
            module
            for module in base.modules()
            if isinstance(module, PreTrainedModel) and type(module.config) is type(config)
        ),
        None,
    )


def _projections(base: Any, encoders: Sequence[Any]) -> list[Any]:
    """Return the modules beside encoders, language model and head that have weights."""
    known = {id(module) for encoder in encoders for module in encoder.modules()}
    known |= {id(module) for module in base.get_decoder().modules()} | {id(base.get_output_embeddings())}
    rest = [module for module in base.modules() if id(module) not in known and any(True for _ in module.parameters())]
    # Those that hold a known part are containers of the whole.
    return [module for module in rest if not any(id(inner) in known for inner in module.modules())]


def _modules_of(model: Any, names: dict[str, None]) -> list[Any]:
    return [module for module in model.modules() if type(module).__name__ in names]


def _lists_inside(layer: Any) -> set[str]:
    return {type(inner).__name__ for inner in layer.modules() if inner is not layer}
