#!/bin/sh
# Check that a binary is hardened (PIE, full RELRO, stack protector, no
# executable stack), without crash points and, stripped, under 2 MB.
set -eu
bin=$1
failed=0
check() { # check WHAT: does stdin say so?
    if grep -q "$2"; then echo "ok   $1"; else echo "FAIL $1"; failed=1; fi
}
readelf -hW "$bin" | check "position independent" 'Type:.*DYN'
readelf -lW "$bin" | check "relro segment" GNU_RELRO
readelf -dW "$bin" | check "bound at start (full relro)" 'BIND_NOW\|NOW'
readelf -sW "$bin" | check "stack protector" __stack_chk_fail
readelf -sW "$bin" | check "fortified libc calls" '_chk@'
readelf -lW "$bin" | check "stack not executable" 'GNU_STACK.* RW '
if nm "$bin" | grep -q crash_point; then
    echo "FAIL places to die in: built with -DRUSHES_CRASH_POINTS"
    failed=1
else
    echo "ok   no places to die in"
fi
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$bin"
size=$(stat -c %s "$stripped")
echo "$size" | awk '{ exit !($1 < 2000000) }' && echo "ok   stripped: $size bytes" ||
    { echo "FAIL stripped: $size bytes, 2,000,000 are allowed"; failed=1; }
exit $failed
