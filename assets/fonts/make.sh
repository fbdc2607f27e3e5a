#!/bin/sh
# Makes NotoSansSC-subset.otf, the font that the twin carries.
# Needs: pyftsubset (pip install fonttools), Debian's fonts-noto-cjk and unicode-data.
# Usage: assets/fonts/make.sh [NotoSansCJK-Regular.ttc [Unihan_OtherMappings.txt.bz2]]
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
