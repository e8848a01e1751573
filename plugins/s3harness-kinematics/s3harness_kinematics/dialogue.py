"""What is said: a question and its answer, speech, and voice that is no speech."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from s3harness_kinematics.voice import Utterance, Voice

SPEECH_VARIETY = 0.22
"""A cry or groan holds one vowel; speech goes through several, and its timbre varies by more than this."""

REPLY_WITHIN_S = 3.0
OTHER_VOICE = 1.2
"""Ratio of the pitches of two voices: two people, or one that asks and one that answers."""


def reply(voice: Voice) -> Utterance | None:
    """The answer of a dialogue: speech that soon follows other speech in another pitch."""
    spoken = [one for one in voice.utterances if one.variety >= SPEECH_VARIETY]
    for asked, answered in pairwise(spoken):
        ratio = max(asked.pitch_hz, answered.pitch_hz) / max(min(asked.pitch_hz, answered.pitch_hz), 1.0)
        if answered.start_s - asked.end_s < REPLY_WITHIN_S and ratio > OTHER_VOICE:
            return answered
    return None


def is_spoken_to(voice: Voice) -> bool:
    """Whether speech is heard at all."""
    return any(one.variety >= SPEECH_VARIETY for one in voice.utterances)


def dialogue_numbers(voice: Voice, duration_s: float) -> dict[str, float]:
    """Numbers on the voice: seconds of it, of what is no speech, the longest stretch, pitches, pace, and a reply."""
    wordless = [one for one in voice.utterances if one.variety < SPEECH_VARIETY]
    pitches = [one.pitch_hz for one in wordless]
    return {
        "voiced_s": float(np.log1p(voice.voiced_s)),
        "wordless_s": float(np.log1p(sum(one.length_s for one in wordless))),
        "longest_s": float(np.log1p(max((one.length_s for one in voice.utterances), default=0.0))),
        "longest_wordless_s": float(np.log1p(max((one.length_s for one in wordless), default=0.0))),
        "wordless_pitch": float(np.log2(np.median(pitches) / 100)) if pitches else 0.0,
        "utterances_a_minute": 60.0 * len(voice.utterances) / max(duration_s, 1.0),
        "short_wordless": float(np.log1p(sum(one.length_s < 0.45 for one in wordless))),
        "speech": float(is_spoken_to(voice)),
        "reply": float(reply(voice) is not None),
    }
