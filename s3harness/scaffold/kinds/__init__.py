"""The first module of a new plugin, one for each kind: working code, type-checked and tested like the rest.

Each is of a plugin called ``newcomer``, which ``s3harness plugins new`` replaces by the plugin's name. Like every
plugin, it imports nothing of ``s3harness`` but public names.
"""
