"""Promises of each kind of plugin: a module for each, with its ``PROMISES`` and the function that tries them."""
