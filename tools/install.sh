#!/bin/sh
# Put the program, its header, stubs, documents and example scripts under
# $DESTDIR$PREFIX. Called by `make install`.
set -eu
to=$DESTDIR$PREFIX
share=$to/share/rushes
doc=$to/share/doc/rushes

install -d "$to/bin" "$to/include" "$share" "$doc"
install -m 755 -s "$BUILD/rushes" "$to/bin/rushes"
install -m 644 include/rushes.h "$to/include/rushes.h"
# Relative paths under a folder, kept: tree FROM TO 'PATTERN'
tree() {
    (cd "$1" && find . -type f -name "$3") | while read -r f; do
        install -D -m 644 "$1/$f" "$2/$f"
    done
}
[ ! -d lua/meta ] || tree lua/meta "$share/meta" '*.lua'
tree docs "$doc" '*.md'
tree scripts "$share/scripts" '*.lua'
tree scripts/refs "$share/scripts/refs" '*.png'
for f in README.md LICENSE; do
    [ ! -f "$f" ] || install -m 644 "$f" "$doc/$f"
done
