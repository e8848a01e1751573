"""Shared by the tests of all plugins."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started from a test run in the background ignores it
