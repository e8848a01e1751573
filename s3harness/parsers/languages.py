"""Words for the answers of closed lists, in the languages in which models reply."""

from __future__ import annotations

from collections.abc import Mapping

# Models name the part of the limb that they see; the vocabulary has whole limbs.
_ARM = ("arm", "arms?", "hand", "wrist", "elbow", "shoulder", "forearm", "fingers?", "thumb")
_LEG = ("leg", "foot", "knee", "thigh", "ankle", "toes?")


def _limb(side: str, letter: str, nouns: tuple[str, ...], limb: str) -> list[str]:
    """Spellings of one limb, as patterns: "left hand", "L hand", "hand (left)", "left upper limb"."""
    named = [rf"{side}(?: sided?)? {noun}" for noun in nouns] + [rf"{letter}\.? {noun}" for noun in nouns]
    return [
        *named,
        *(rf"{noun} \(?{side}\)?" for noun in nouns),
        rf"{side} {limb} (?:limb|extremity|limbs|extremities)",
    ]


SEARCHED: Mapping[str, tuple[str, ...]] = {
    "left": ("left hand", "leftwards?", "links", "linke[nrs]?", "gauche", "izquierd[ao]", "esquerd[ao]", "sinistr[ao]",
             "左", "왼쪽", "влево", "лев(?:ая|ый|ую|о)"),
    "right": ("right hand", "rightwards?", "rechts", "rechte[nrs]?", "droite", "derech[ao]", "direit[ao]", "destr[ao]",
              "右", "오른쪽", "вправо", "прав(?:ая|ый|ую|о)"),
    "left arm": (*_limb("left", "l", _ARM, "upper"), "linker arm", "linke hand", "linken arm", "linken hand",
                 "bras gauche", "main gauche", "brazo izquierdo", "mano izquierda", "左臂", "左手", "左上肢", "左腕",
                 "sol kol", "sol el"),
    "right arm": (*_limb("right", "r", _ARM, "upper"), "rechter arm", "rechte hand", "rechten arm", "rechten hand",
                  "bras droit", "main droite", "brazo derecho", "mano derecha", "右臂", "右手", "右上肢", "右腕",
                  "sağ kol", "sağ el"),
    "left leg": (*_limb("left", "l", _LEG, "lower"), "linkes bein", "linker fuß", "jambe gauche", "pied gauche",
                 "pierna izquierda", "左腿", "左脚", "左下肢", "sol bacak"),
    "right leg": (*_limb("right", "r", _LEG, "lower"), "rechtes bein", "rechter fuß", "jambe droite", "pied droit",
                  "pierna derecha", "右腿", "右脚", "右下肢", "sağ bacak"),
    "arms": ("(?:both|bilateral) (?:arms|hands|upper limbs|upper extremities)", "upper limbs", "upper extremities",
             "hands", "beide arme", "les deux bras", "ambos brazos", "双臂", "双手", "双上肢"),
    "legs": ("(?:both|bilateral) (?:legs|feet|lower limbs|lower extremities)", "lower limbs", "lower extremities",
             "feet", "beide beine", "les deux jambes", "ambas piernas", "双腿", "双下肢"),
    "full body": ("(?:the )?(?:whole|entire|complete) body", "generali[sz]ed", "ganze[rn]? körper", "corps entier",
                  "todo el cuerpo", "全身", "tüm vücut"),
    "head": ("kopf", "tête", "cabeza", "cabeça", "testa", "头部?", "頭部?", "baş", "голова"),
    "eyes": ("eye", "eyelids?", "gaze", "augen?", "yeux", "ojos?", "眼睛?", "目", "gözler", "глаза"),
    "mouth": ("lips?", "tongue", "oral", "mund", "bouche", "boca", "嘴巴?", "口部?", "ağız", "рот"),
    "face": ("facial(?: muscles)?", "cheeks?", "gesicht", "visage", "cara", "rosto",
             "脸部?", "面部", "顔", "yüz", "лицо"),
}  # fmt: skip
"""Answer → patterns of other words for it that may stand anywhere in a text; a blank is any white space."""

BARE: Mapping[str, tuple[str, ...]] = {
    "yes": ("yes", "yeah", "yep", "y", "true", "present", "ja", "jawohl", "oui", "s[ií]", "sim", "sì", "evet", "tak",
            "да", "是的?", "有", "对", "はい", "ええ", "네", "예"),
    "no": ("no", "nope", "n", "false", "absent", "nein", "non", "n[ãa]o", "nee", "nej", "nie", "hayır", "нет", "否",
           "不是", "没有", "不", "いいえ", "아니요", "아니오"),
    "na": ("na", r"n[/.\s]?a", "not applicable"),
    "left": ("l", "sol"),
    "right": ("r", "sağ"),
}  # fmt: skip
"""Answer → words that mean it only where they stand alone or open a reply."""

# "no" in prose denies a thing ("no movement of the arm") and answers nothing.
CLOSED_IN_PROSE = frozenset({"yes", "no", "na"})
"""Answers that are not searched for in prose."""
