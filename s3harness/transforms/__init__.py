"""Transforms of frames and audio: the contract, the built-in transforms, and the store that applies them."""
