"""One run from its settings to its scores: :mod:`.settings`, then :mod:`.prepare`, then :mod:`.execute`.

This is the one room that knows both what asks (:mod:`s3harness.run`) and what scores (:mod:`s3harness.scoring`).
"""
