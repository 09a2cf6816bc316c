#!/bin/sh
# Install the Debian packages of the named groups: deps.sh build run test dev bench
# Says what it installs; does nothing, and needs no root, when all is there.
set -eu

# Compiler and libraries. libcurl, libmicrohttpd and SQLite come with their headers.
build="gcc libc6-dev make pkg-config liblua5.4-dev lua-cjson-dev lua-argparse
 libuv1-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libsqlite3-dev"
# The simulator draws its clips with ffmpeg and a font; https needs roots.
run="ffmpeg fonts-dejavu-core ca-certificates"
# The official clients are JavaScript; one Node.js is as good as another.
test="libcmocka-dev lua-unit lua5.4 curl diffutils procps"
command -v node >/dev/null || test="$test nodejs"
command -v npm >/dev/null || test="$test npm"
# Beside those of test; nginx ends TLS in front of the bench server.
bench="nginx-light openssl util-linux"
dev="clang clang-format clang-tidy lua-check valgrind libclang-rt-14-dev"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    test) wanted="$wanted $test" ;;
    dev) wanted="$wanted $dev" ;;
    bench) wanted="$wanted $bench" ;;
    *) echo "deps.sh: no group '$group': build run test dev bench" >&2; exit 2 ;;
    esac
done

missing=
for p in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) || state=
    [ "$state" = installed ] || missing="$missing $p"
done
if [ -z "$missing" ]; then
    echo "deps: everything is installed"
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: these packages are missing:$missing" >&2
        echo "deps: run 'make deps' as root, or install them yourself" >&2
        exit 1
    fi
    as_root="sudo"
fi
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Dpkg::Use-Pty=0 "$@"
}
# shellcheck disable=SC2086
install() { apt install --no-install-recommends $missing; }

echo "deps: installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Package lists may be missing or old: then fetch them and try once more.
if ! install >"$log" 2>&1; then
    echo "deps: fetching the package lists"
    if ! { apt update && install; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "deps: apt-get failed (above); the packages were:$missing" >&2
        exit 1
    fi
fi
echo "deps: installed"
