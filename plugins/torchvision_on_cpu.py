"""Lets torchvision be imported beside a build of torch without CUDA, in test environments alone.

The torchvision of the package index has its operators compiled against CUDA and cannot load them there. It needs only
their signatures to be imported; the transforms that video processors use are plain torch. ``make`` puts this module and
a ``.pth`` file that imports it into the environment of the engines, so that an engine's child processes get it too.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import Any

SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class DeclareFirst:
    """Declares the operators when torchvision is first looked for, and finds nothing itself."""

    library: Any = None

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Never a module: the finders after this one find it."""
        if name == "torchvision":
            sys.meta_path.remove(self)
            self.declare()
        return None

    @classmethod
    def declare(cls) -> None:
        """Declare the operators, where this torch has no CUDA."""
        import torch

        if torch.version.cuda is None and not hasattr(torch.ops.torchvision, "nms"):
            cls.library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in ("nms", "qnms"):
                cls.library.define(operator + SIGNATURE)


if "torchvision" not in sys.modules:
    sys.meta_path.insert(0, DeclareFirst())
