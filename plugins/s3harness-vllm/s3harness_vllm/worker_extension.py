"""A method that is added to vLLM's workers: it tells which layers of a LoRA adapter a worker does not apply."""

from __future__ import annotations

from typing import Any

METHOD = "s3harness_unused_adapter_layers"


class AdapterInspection:
    """Mixed into the class of vLLM's workers by its engine argument ``worker_extension_cls``."""

    model_runner: Any

    def s3harness_unused_adapter_layers(self) -> list[str]:
        """Return the names of the layers of the loaded adapters that no layer of this worker's model applies."""
        # Inner names of vLLM 0.32. Where another version has others, this fails and the adapter is merged instead.
        manager = self.model_runner.lora_manager._adapter_manager
        return sorted(
            name
            for adapter in manager.list_adapters().values()
            for name in adapter.loras
            if name not in manager.modules
        )
