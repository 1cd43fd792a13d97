"""Which script a text is written in, and letters folded to what people take for the same.

Two names are compared only where one is written mainly in a script that occurs in the other. Han,
Kana and Hangul write a word, or a syllable, with one sign: there a sign more or less is another
name, and nothing is forgiven. Han is folded to the traditional forms for signs common in names of
companies and places.

>>> [script_of(text) for text in ("Pearl", "珠江", "トヨタ", "삼성", "Газ", "4711")]
['LATIN', 'HAN', 'KANA', 'HANGUL', 'CYRILLIC', '']
>>> fold("Café Łódź & Søn"), fold("ＡＢＣ　商贸")
('cafe lodz & son', 'abc 商貿')
"""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

SIGNS: Final = frozenset({"HAN", "KANA", "HANGUL"})
"""Scripts of words and syllables, written without blanks."""

_KINDS: Final = {
    "CJK": "HAN",
    "HIRAGANA": "KANA",
    "KATAKANA": "KANA",
    "KATAKANA-HIRAGANA": "KANA",
    "IDEOGRAPHIC": "HAN",
}
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
)
# Simplified or Japanese, then traditional.
_HAN: Final = str.maketrans(
    dict(
        zip(
            "贸东发国际业实电车华广龙长门机产进运轮医药纺织丽兴庆宁创联环亚欧马铁钢银宝庄园区县号楼层厅湾"
            "岛泽冈会团图丰黒浜気学术汉苏陕辽阳沈庆闽粤鲁豫肃贵云岭连乌鲁齐济顺达鸿凤鹏飞腾远洋风华盛荣"
            "责热关务资货仓储链农业粮渔销购费报检验师财经营万亿义乐习书买乱争亲仅从优传伟体余弥",
            "貿東發國際業實電車華廣龍長門機產進運輪醫藥紡織麗興慶寧創聯環亞歐馬鐵鋼銀寶莊園區縣號樓層廳灣"
            "島澤岡會團圖豐黑濱氣學術漢蘇陝遼陽瀋慶閩粵魯豫肅貴雲嶺連烏魯齊濟順達鴻鳳鵬飛騰遠洋風華盛榮"
            "責熱關務資貨倉儲鏈農業糧漁銷購費報檢驗師財經營萬億義樂習書買亂爭親僅從優傳偉體餘彌",
            strict=True,
        )
    )
)
# Texts are short, and letters repeat: the characters of all languages in use are a few thousand.
CHARACTERS_REMEMBERED: Final = 16_384


@lru_cache(CHARACTERS_REMEMBERED)
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").split(" ", 1)[0]
    return _KINDS.get(first, first)


def scripts(text: str) -> Counter[str]:
    """How many letters a text has of each script."""
    found = Counter(map(_script, text))
    del found[""]
    return found


def script_of(text: str) -> str:
    """The script of most letters, of equals that which comes first; "" for none."""
    found = scripts(text)
    return max(found, key=found.__getitem__) if found else ""


def comparable(one: str, other: str) -> bool:
    """Whether the main script of either text occurs in the other."""
    first, second = scripts(one), scripts(other)
    if not first or not second:
        return not first and not second
    return script_of(one) in second or script_of(other) in first


def fold(text: str) -> str:
    """Lower case, no accents, no other width, one form of Han."""
    if text.isascii():
        return text.lower()
    # Compatibility forms first: full width, ㈱.
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = []
    for character in unicodedata.normalize("NFD", plain):
        # Marks of Kana and of scripts with vowel signs are no accents.
        if 0x300 <= ord(character) <= 0x36F:
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS).translate(_HAN)
