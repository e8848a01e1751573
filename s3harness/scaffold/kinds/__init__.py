"""The modules that a new plugin begins with, one for each kind: real ones, checked with the rest of the code.

They are written for a plugin called ``newcomer``, which becomes the name that was asked for. They import public names
of ``s3harness`` alone, as a plugin does.
"""
