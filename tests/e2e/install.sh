#!/usr/bin/env bash
# What `make install` puts down works by itself, far from the checkout.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
n=0
# check NAME COMMAND...: ok if the command succeeds
check() {
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >"$root/out" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' "$root/out"
    fi
}

BUILD=$build PREFIX=/usr/local DESTDIR=$root/inst sh tools/install.sh
to=$root/inst/usr/local
share=$to/share/rushes

check "the program is stripped" sh -c "! readelf -SW '$to/bin/rushes' | grep -q '[.]symtab'"
for f in include/rushes.h share/rushes/meta/rushes.lua share/rushes/meta/rt/task.lua \
    share/rushes/scripts/narrative.lua share/rushes/scripts/refs/protagonist.png \
    share/doc/rushes/README.md share/doc/rushes/LICENSE share/doc/rushes/guide.md; do
    check "$f is installed" test -s "$to/$f"
done
if [[ $build != *san* && $build != *gcstress* && $build != *valgrind* ]]; then
    check "it is hardened and small" sh tools/elf.sh "$build/rushes"
fi

# In a folder without the sources, with an environment of its own.
mkdir "$root/studio"
cp -r tests/native/sumlater.c "$root/studio/"
cat >"$root/studio/script.lua" <<'LUA'
package.cpath = "./?.so;" .. package.cpath
local task = require "rt.task"
local helper = require "helper"
print(helper.double(task.await(require("sumlater").sum { 1, 2, 3 })))
LUA
echo 'return { double = function(n) return n * 2 end }' >"$root/studio/helper.lua"
check "a native module builds against the installed header" \
    gcc -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -I"$to/include" \
    $(pkg-config --cflags lua5.4 libuv) "$root/studio/sumlater.c" \
    -o "$root/studio/sumlater.so"
check "a script runs with it and with a module beside it" sh -c \
    "cd '$root/studio' && '$to/bin/rushes' run script.lua | grep -qx 12.0"
check "the installed scripts are found and parse" sh -c \
    "cd '$share/scripts' && for f in *.lua; do luac5.4 -p \"\$f\" || exit 1; done"
