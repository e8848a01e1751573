"""Training sets, rewards and the gate that rewards must pass, without any trainer: that is a plugin's."""
