#!/usr/bin/env bash
# Run fuzz targets one after the other: run.sh NAME...
#   BUILD, SECONDS_EACH   where they are, how long each may run
set -u
failed=0
# in memory: the journal's target writes files
FUZZ_DIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export FUZZ_DIR
trap 'rm -rf "$FUZZ_DIR"' EXIT
for name in "$@"; do
    corpus=$BUILD/corpus/$name
    mkdir -p "$corpus"
    seeds=()
    case $name in
    json | provider) # bodies of recorded answers
        seeds=("$BUILD/seeds/$name")
        mkdir -p "${seeds[0]}"
        for f in tests/recorded/*/*.http; do
            { [ "$name" = json ] || printf '\0'; sed '1,/^\r\{0,1\}$/d' "$f"; } \
                >"${seeds[0]}/$(basename "$f")"
        done
        ;;
    image) seeds=(scripts/refs) ;;
    esac
    dict=tests/fuzz/$name.dict
    [ "$name" = provider ] && dict=tests/fuzz/json.dict
    [ -f "$dict" ] || dict=
    echo "fuzz $name for ${SECONDS_EACH:-20} s"
    # Lua's own memory is one big live structure: leaks are for make asan
    if ! ASAN_OPTIONS=detect_leaks=0 "$BUILD/fuzz_$name" -max_total_time="${SECONDS_EACH:-20}" \
        -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        ${dict:+-dict="$dict"} -artifact_prefix="$BUILD/" "$corpus" "${seeds[@]}" \
        >"$BUILD/fuzz-$name.log" 2>&1; then
        failed=1
        tail -n 40 "$BUILD/fuzz-$name.log"
        echo "fuzz $name: FAILED"
    fi
    grep -E 'stat::number_of_executed_units|stat::average_exec' "$BUILD/fuzz-$name.log"
done
exit $failed
