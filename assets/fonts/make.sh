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
