"""Changes to what a model is shown: the contract, the built-in transforms, and the store that applies them."""
