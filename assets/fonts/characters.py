#!/usr/bin/env python3
"""Prints the code points of the interface's font, one `U+XXXX` a line.

The 8,105 characters of 通用规范汉字表 (2013) are those with a `kTGH` field in Unihan; GB 2312 comes
from the codec that Python carries; Latin, punctuation and the signs of units stand below.
Usage: characters.py Unihan_OtherMappings.txt[.bz2]
"""
import bz2
import sys

path = sys.argv[1]
opener = bz2.open if path.endswith(".bz2") else open
points = set()
with opener(path, "rt", encoding="utf-8") as lines:
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if len(fields) == 3 and fields[1] == "kTGH":
            points.add(int(fields[0][2:], 16))
table = len(points)
if table < 8105:
    sys.exit(f"{path} names only {table} characters of the table, 8,105 are needed")

for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            points.update(map(ord, bytes([high, low]).decode("gb2312")))
        except UnicodeDecodeError:
            pass
points.update(range(0x20, 0x7F))
points.update(range(0xA0, 0x180))
points.update(range(0x2010, 0x2028))
points.update(range(0x2030, 0x203B))
points.update(map(ord, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉€₽℃℉Ωµμ°′″←↑→↓↔⇧⌕≈≠≤≥±×÷∞√∑∆●○◉■□▲△▼▽▶◀◆◇★☆✓✔✕✖⚠☀☁☂☰⏱⏸…·•–—‘’“”「」『』【】《》〈〉、。！？：；（）％＋－"))
for point in sorted(points):
    print(f"U+{point:04X}")
print(f"{table} of the table, {len(points)} in all", file=sys.stderr)
