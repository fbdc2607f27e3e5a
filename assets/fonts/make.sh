#!/bin/sh
# Makes the fonts that the twin carries: NotoSansSC-subset.otf, NotoSans-signs.ttf, NotoSansMono-subset.ttf.
# Needs: pyftsubset (pip install fonttools), Debian's fonts-noto-cjk, fonts-noto-core, fonts-noto-mono, unicode-data.
# Usage: assets/fonts/make.sh [NotoSansCJK-Regular.ttc [Unihan_OtherMappings.txt.bz2
#     [NotoSans-Regular.ttf [NotoSansMono-Regular.ttf]]]]
set -eu
cd "$(dirname "$0")"
font=${1:-/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc}
unihan=${2:-/usr/share/unicode/Unihan_OtherMappings.txt.bz2}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
python3 characters.py "$unihan" > "$list"
# Face 2 of the collection is the simplified Chinese one.
pyftsubset "$font" --font-number=2 --unicodes-file="$list" --no-hinting --layout-features='' \
    --name-IDs='*' --output-file=NotoSansSC-subset.otf
ls -l NotoSansSC-subset.otf
# Noto Sans CJK has no subscripts; Noto Sans (Debian's fonts-noto-core) lends them, and a few signs.
pyftsubset "${3:-/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf}" \
    --unicodes='U+2070-209C,U+02B0-02FF,U+2212,U+2009' --no-hinting --layout-features='' \
    --output-file=NotoSans-signs.ttf
# Scripts are written in signs of one width; Chinese in them comes from the first font.
pyftsubset "${4:-/usr/share/fonts/truetype/noto/NotoSansMono-Regular.ttf}" \
    --unicodes='U+0020-007E,U+00A0-00FF,U+2010-2027,U+2190-2193,U+2212' --no-hinting --layout-features='' \
    --output-file=NotoSansMono-subset.ttf
