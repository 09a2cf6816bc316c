#!/usr/bin/env bash
# Run the suites and count: all.sh [--c] [--lua] [--e2e] [--peers] [NAME]
# Without a flag all four. NAME picks suites by a part of their name. As many run
# at once as there are cores: most of their time is waiting. The last
# line is "N passed, N failed", counted from what the suites printed; a suite
# that crashes, hangs, runs no test or leaves something in its TMPDIR counts as
# one failure.
#   BUILD         where the binary and the C tests are (default build)
#   RUSHES_WRAP   a command in front of each program, such as valgrind
#   RUSHES_SKIP   suites to leave out, such as "lua/proc"
#   RUSHES_SLOW   not empty: deadlines are ten times as long
#   RUSHES_JOBS   how many suites at once (default: one for each core)
set -u
cd "$(dirname "$0")/.." || exit 2
export BUILD=${BUILD:-build}
export RUSHES=$PWD/$BUILD/rushes
export RUSHES_NATIVE=$PWD/$BUILD/native
# Anything the caller's shell holds must not reach a test.
unset RUNWAYML_API_SECRET RUNWAYML_BASE_URL LUA_INIT LUA_PATH LUA_CPATH \
    http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
limit=300
if [ -n "${RUSHES_SLOW:-}" ]; then
    limit=1800
    export RUSHES_TEST_DEADLINE=${RUSHES_TEST_DEADLINE:-600}
fi
wrap=${RUSHES_WRAP:-}
logs=$BUILD/test-logs
mkdir -p "$logs"
tmp=$(mktemp -d)
chmod 755 "$tmp" # some tests go on as another user
trap 'rm -rf "$tmp"' EXIT
trap 'for job in $(jobs -p); do pkill -P "$job"; done; exit 130' INT TERM
at_once=${RUSHES_JOBS:-$(nproc)}
begun=0 shown=0 # suites
passed=0 failed=0 skipped=0 kinds='' name=''

for arg in "$@"; do
    case $arg in
    --c | --lua | --e2e | --peers) kinds="$kinds ${arg#--}" ;;
    *) name=$arg ;;
    esac
done
wanted() { [ -z "$kinds" ] || [[ " $kinds " == *" $1 "* ]]; }

# Print "passed failed skipped" of a log: its own "N passed, N failed" line, or
# node's summary, or TAP.
count() {
    awk '
    /^[0-9]+ passed, [0-9]+ failed/ { own = 1; p += $1; f += $3
        if ($6 ~ /skipped/) s += $5 }
    /^# pass [0-9]+/ { node = 1; np = $3 }
    /^# fail [0-9]+/ { node = 1; nf = $3 }
    /^ok [0-9]+.* # SKIP/ { ts++; next }
    /^ok / { tp++ }
    /^not ok / { tf++ }
    END { if (own) print p, f, s + 0
          else if (node) print np + 0, nf + 0, 0
          else print tp + 0, tf + 0, ts + 0 }' "$1"
}

# run OUTPUT KIND/NAME COMMAND...: one suite; OUTPUT.count gets its three counts.
# What runs in the background ignores Ctrl-C, and so would what the tests start.
run() {
    local output=$1 title=$2 log status p f s left start=$SECONDS
    shift 2
    log=$logs/${title//\//-}.log
    mkdir "$output.tmp"
    TMPDIR=$output.tmp timeout -k 10 "$limit" env --default-signal=INT,QUIT \
        "$@" >"$log" 2>&1 </dev/null
    status=$?
    left=$(ls -A "$output.tmp")
    rm -rf "$output.tmp"
    read -r p f s < <(count "$log")
    if grep -q 'a handle was left open at exit' "$log"; then status=1; fi
    if [ -n "$left" ]; then
        printf 'left in TMPDIR: %s\n' $left >>"$log"
        status=1
    fi
    if ((f == 0 && (status != 0 || p + s == 0))); then f=1; fi
    printf '%-28s %4d passed, %d failed%s  (%d s)\n' "$title" "$p" "$f" \
        "$( ((s)) && echo ", $s skipped")" $((SECONDS - start))
    if ((f > 0)); then
        if ((status == 124 || status == 137)); then
            echo "    stopped after $limit s"
        fi
        echo "    exit status $status; $log ends with:"
        tail -n 60 "$log" | sed 's/^/    | /'
    fi
    echo "$p $f $s" >"$output.counting"
    mv "$output.counting" "$output.count"
}

# Print those that have ended, in the order in which they were begun.
show() {
    local p f s
    while [ -e "$tmp/$shown.count" ]; do
        cat "$tmp/$shown"
        read -r p f s <"$tmp/$shown.count"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        shown=$((shown + 1))
    done
}

# suite KIND/NAME COMMAND...
suite() {
    [[ $1 == *"$name"* ]] || return 0
    [[ " ${RUSHES_SKIP:-} " != *" $1 "* ]] || return 0
    while (($(jobs -rp | wc -l) >= at_once)); do wait -n; done
    show
    run "$tmp/$begun" "$@" >"$tmp/$begun" &
    begun=$((begun + 1))
}

shopt -s nullglob
if wanted c; then
    for t in tests/c/test_*.c; do
        t=$(basename "$t" .c)
        CMOCKA_MESSAGE_OUTPUT=TAP suite "c/${t#test_}" $wrap "$BUILD/tests/$t"
    done
fi
if wanted lua; then
    for t in tests/lua/*_test.lua tests/regress/*_test.lua; do
        suite "lua/$(basename "$t" _test.lua)" $wrap "$RUSHES" run tests/run.lua "$t"
    done
fi
if wanted e2e; then
    for t in tests/e2e/*_test.lua; do
        suite "e2e/$(basename "$t" _test.lua)" "$RUSHES" run tests/run.lua "$t"
    done
    for t in tests/e2e/*.sh; do
        suite "e2e/$(basename "$t" .sh)" bash "$t"
    done
fi
if wanted peers; then
    for t in tests/peers/*.sh; do
        suite "peers/$(basename "$t" .sh)" bash "$t"
    done
fi

wait
show
if ((shown < begun)); then # it was killed, or could not write
    failed=$((failed + begun - shown))
fi
if ((passed + failed + skipped == 0)); then
    echo "no suite has '$name' in its name" >&2
    failed=1
fi
((skipped == 0)) || echo "$skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0))
