"""Speech, voice without words, and a question that is answered."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from s3harness_kinematics.voice import MeasuredVoice, Utterance

SPEECH_VARIETY = 0.22
"""Variety of timbre above which an utterance is speech: a cry or groan holds one vowel, speech goes through several."""

REPLY_WITHIN_S = 3.0
OTHER_VOICE = 1.2
"""Ratio of two pitches above which two people speak: one asks, the other answers."""


def reply(voice: MeasuredVoice) -> Utterance | None:
    """Return the answer of a dialogue: speech that soon follows other speech in another pitch; ``None`` without one."""
    spoken = [one for one in voice.utterances if one.variety >= SPEECH_VARIETY]
    for question, answer in pairwise(spoken):
        # At least 1 Hz, so that no pitch of 0 divides.
        ratio = max(question.pitch_hz, answer.pitch_hz) / max(min(question.pitch_hz, answer.pitch_hz), 1.0)
        if answer.start_s - question.end_s < REPLY_WITHIN_S and ratio > OTHER_VOICE:
            return answer
    return None


def is_spoken_to(voice: MeasuredVoice) -> bool:
    """Return ``True`` if any utterance is speech."""
    return any(one.variety >= SPEECH_VARIETY for one in voice.utterances)


def dialogue_numbers(voice: MeasuredVoice, duration_s: float) -> dict[str, float]:
    """Return numbers on the voice: its seconds, those without words, the longest stretch, pitch, pace, and a reply."""
    # Logarithms of durations: the tenth second of a cry tells less than the first.
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
