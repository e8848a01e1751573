"""What each kind of plugin promises: a module for each, with its ``PROMISES`` and the function that tries them."""
