#!/usr/bin/env bash
# The benchmark's own programs do what they claim: the server counts right,
# the floor and rawget really do the work that is compared with.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
tools=$build/bench
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT
env -u MAKEFLAGS make -s BUILD="$build" bench-tools || exit 1

n=0
# check NAME WANTED GOT
check() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1: wanted '$2', got '$3'"
    fi
}

# server OPTIONS...: sets $base and $port
server() {
    rm -f "$dir/port"
    mkfifo "$dir/port"
    "$tools/server" "$@" >"$dir/port" &
    pids+=($!)
    read -r port <"$dir/port"
    base=http://127.0.0.1:$port
}
# The server's counter of that name.
counted() { curl -s "$base/__stats" | sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }
# The field of a client's line.
field() { sed "s/.*\"$1\":\([0-9]*\).*/\1/" "$dir/line"; }
api() {
    curl -s -H 'Authorization: Bearer key_x' -H 'X-Runway-Version: 2024-11-06' \
        -H 'Content-Type: application/json' "$@"
}
id_of() { sed 's/.*"id":"\([^"]*\)".*/\1/'; }
sum() { sha256sum | cut -c 1-64; }

# ---- whole takes -------------------------------------------------------

server --gen-ms 50 --size 300000
for extra in "" "--thread --sha256 --fsync" "--window 7"; do
    rm -rf "$dir/out"
    # shellcheck disable=SC2086
    "$tools/floor" --base "$base" --out "$dir/out" --jobs 60 --gen-ms 50 \
        --every-ms 20 $extra >"$dir/line"
    check "floor $extra: takes" 60 "$(field ok)"
    check "floor $extra: files" 60 "$(find "$dir/out" -name '*.mp4' | wc -l)"
done
check "tasks" 180 "$(counted tasks)"
check "the same prompts again are counted" 120 "$(counted duplicates)"
check "downloads" 180 "$(counted downloads)"
whole=$(curl -s "$base/out/1.mp4" | sum)
check "a file is the output" "$whole" "$(sum <"$dir/out/take-000059.mp4")"
check "two ranges are the whole" "$whole" "$({
    curl -s -r 0-123456 "$base/out/1.mp4"
    curl -s -H 'If-Range: "out-300000"' -r 123457- "$base/out/1.mp4"
} | sum)"
check "another ETag gets the whole" "$whole" \
    "$(curl -s -H 'If-Range: "old"' -r 5- "$base/out/1.mp4" | sum)"
check "a range behind the end" 416 "$(curl -s -o /dev/null -w '%{http_code}' \
    -r 300000- "$base/out/1.mp4")"
"$tools/rawget" --port "$port" --out "$dir/raw" --files 9 --at-once 4 \
    >"$dir/line"
check "rawget: files" 9 "$(field ok)"
check "rawget: bytes" "$whole" "$(sum <"$dir/raw/take-000008.mp4")"

# ---- tasks -------------------------------------------------------------

id=$(api -d '{"promptText":"one"}' "$base/v1/image_to_video" | id_of)
check "a task is shown" "$id" "$(api "$base/v1/tasks/$id" | id_of)"
check "an id of another server" '{"error":"Could not find Task"}' \
    "$(api "$base/v1/tasks/${id%?}f")"
check "DELETE" 204 "$(api -o "$dir/body" -w '%{http_code}' -X DELETE \
    "$base/v1/tasks/$id")"
check "a deleted task" '{"error":"Could not find Task"}' \
    "$(api "$base/v1/tasks/$id")"
check "no key" 401 "$(curl -s -o "$dir/body" -w '%{http_code}' \
    "$base/v1/tasks/$id")"
check "a chunked body" 411 "$(api -o "$dir/body" -w '%{http_code}' \
    -H 'Transfer-Encoding: chunked' -d '{}' "$base/v1/text_to_video")"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'nonsense\r\n\r\n' >&3
check "what is not HTTP" "HTTP/1.1 400 Bad Request" \
    "$(head -1 <&3 | tr -d '\r')"

server --hold --steady --gen-ms 0
id=$(api -d '{"promptText":"one"}' "$base/v1/text_to_video" | id_of)
first=$(api "$base/v1/tasks/$id")
check "held" yes "$([[ $first == *\"status\":\"RUNNING\"* ]] && echo yes)"
check "an answer that does not change" "$first" "$(api "$base/v1/tasks/$id")"
"$tools/floor" --base "$base" --out "$dir/out" --jobs 200 --gen-ms 20 \
    --every-ms 20 --poll-only --for-ms 200 >"$dir/line"
check "floor: polls while it waits" yes \
    "$([ "$(field polls)" -gt 200 ] && echo yes)"
curl -s -X POST "$base/__release"
check "released" SUCCEEDED \
    "$(api "$base/v1/tasks/$id" | sed 's/.*"status":"\([A-Z]*\)".*/\1/')"

# ---- lost answers ------------------------------------------------------

for how in close reset; do
    server --gen-ms 0 "--lose-$how" 30
    "$tools/floor" --base "$base" --out "$dir/out" --jobs 400 --gen-ms 0 \
        >"$dir/line"
    check "lost by a $how: each is unknown" "$(counted lost)" "$(field unknown)"
    check "lost by a $how: some were" yes \
        "$([ "$(counted lost)" -gt 50 ] && echo yes)"
    check "lost by a $how: none was sent twice" 0 "$(counted duplicates)"
done
curl -s -X POST "$base/__quit"
wait "${pids[-1]}"
check "the server leaves when asked" 0 $?
