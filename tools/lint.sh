#!/usr/bin/env bash
# The house rules that a machine can hold: layers, sizes, headers that stand
# alone, luacheck, clang-tidy, clang-format. Called by `make lint`, which also
# builds with -Werror. Prints "file: what is wrong" and exits 1.
set -u
shopt -s globstar nullglob
bad=0
complain() {
    echo "lint: $*"
    bad=1
}
# forbid "FILES" REGEX "REASON": no line of the files matches.
forbid() {
    local files hit
    read -ra files <<<"$1"
    ((${#files[@]})) || return 0
    while IFS= read -r hit; do complain "$hit  <- $3"; done \
        < <(grep -nHE "$2" "${files[@]}")
}
# all but: print the words of $1 whose file name matches no pattern after it
but() {
    local f p keep
    for f in $1; do
        keep=1
        for p in "${@:2}"; do [[ ${f##*/} == $p ]] && keep=; done
        [ -z "$keep" ] || echo "$f"
    done | tr '\n' ' '
}

# ---- layers (docs/design.md) ----
c=$(echo src/*.[ch])
engines=$(but "$c" 'l*.[ch]' rt.c rt.h coro.c coro.h gc.c gc.h err.c main.c)
engines="$engines $(echo src/lazy*.[ch])"
forbid "$engines" '#include [<"](lua|lauxlib|lualib|rt|rushes|lwork|linit)\.h' \
    'an engine knows neither Lua nor the loop of operations'
forbid "$(but "$c" 'http.*' 'http_*' 'fetch.*' 'download.*' 'lazy*')" \
    '#include <curl/' 'libcurl belongs to the HTTP engines'
forbid "$(but "$c" 'httpd*' 'lazy*')" '#include <microhttpd' \
    'libmicrohttpd belongs to the server engine'
forbid "$(but "$c" 'db*' 'lazy*')" '#include <sqlite3' 'SQLite belongs to the journal engine'
# A binding includes no other binding's header; lwork.h is shared by them.
for f in src/l*.c; do
    while read -r h; do
        case $h in
        linit.h | lwork.h | lazy*.h) ;;
        # a binding in several files: lnet.h for lnet.c and lnet_*.c
        "$(basename "$f" .c | sed 's/_.*//').h") ;;
        *) complain "$f includes $h  <- no binding includes another" ;;
        esac
    done < <(sed -n 's/^#include "\(l[^"]*\)".*/\1/p' "$f")
done

lua=$(echo lua/**/*.lua)
rt=$(echo lua/rt/*.lua)
forbid "$rt" 'require[ (]*"rushes' 'rt knows nothing of rushes'
forbid "$(but "$lua" json.lua) $(but "$rt" json.lua)" 'require[ (]*"cjson' \
    'only rt/json.lua uses cjson'
forbid "$(but "$rt" sched.lua task.lua boot.lua)" 'coroutine\.' \
    'only the scheduler handles coroutines'
forbid "$(echo lua/rushes/**/*.lua)" 'coroutine\.(yield|resume)' \
    'only the scheduler resumes; spawn a task'
forbid "$(echo lua/rushes/**/*.lua)" 'require[ (]*"rt\.c\.(timer|fs|proc|http|httpd|net|hash|refs)"' \
    'the product uses the facades of lua/rt'
forbid "$(echo lua/rushes/studio/*.lua)" 'require[ (]*"rt\.(net|httpd)' \
    'studio never talks HTTP'
forbid "$(echo lua/rushes/provider/**/*.lua lua/rushes/catalog/*.lua)" \
    'require[ (]*"rt\.(net|httpd|fs|proc|task|timer|signal|sync)|io\.(open|popen|lines|write)|os\.(execute|remove|rename|getenv)' \
    'providers and catalogues do no I/O'
forbid "$(echo lua/rushes/money/*.lua)" 'runway|gen4|veo|luma|replicate' \
    'money never names a provider'
forbid "$lua $c" '(^|[^[:alnum:]._-])/(home|root|work)/' 'a path of one machine'
forbid "$(echo src/*.c)" '\b(strcpy|strcat|sprintf|gets|strtok|alloca)\(' \
    'no bound; use snprintf or memcpy'

# ---- sizes ----
for f in src/*.[ch] include/*.h tools/* lua/**/*.lua tests/**/*.lua tests/**/*.[ch] tests/**/*.sh; do
    case $f in
    lua/rushes/catalog/*.lua | lua/meta/* | */node_modules/* | tests/recorded/*) continue ;;
    esac
    n=$(wc -l <"$f")
    ((n < 500)) || complain "$f: $n lines, under 500 are wanted"
done
# A C function is from a brace in column 0 to the next.
for f in src/*.c tests/**/*.c; do
    awk -v f="$f" '/^{/ { start = NR } /^}/ && start {
        if (NR - start - 1 > 40)
            printf "lint: %s:%d: a function of %d lines, 40 are wanted\n", f, start, NR - start - 1
        start = 0 }' "$f"
done | { ! grep .; } || bad=1

# ---- every header compiles alone, comments in place ----
for h in src/*.h include/*.h; do
    echo "#include \"$(basename "$h")\"" |
        eval gcc "$CPPFLAGS" -std=c11 -Wall -Wextra -Werror -fsyntax-only -x c - ||
        complain "$h does not compile alone"
done
forbid "$(echo src/*.[ch] include/*.h lua/**/*.lua)" '\b(TODO|FIXME|XXX)\b' \
    'finish it or write an issue'

# ---- stubs are as the sources are ----
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$BUILD/rushes" run tools/meta.lua "$fresh" && diff -rq "$fresh/rt" lua/meta/rt ||
    complain "lua/meta/rt is not what the sources say: make meta"

# ---- tools ----
need() {
    command -v "$1" >/dev/null || {
        complain "$1 is not installed: make deps-dev"
        return 1
    }
}
if need luacheck; then
    luacheck -q --no-color lua tests scripts tools | grep -E '^ +[^ ]+:[0-9]+' && bad=1
fi
if need clang-format; then
    clang-format --dry-run -Werror src/*.[ch] include/*.h tools/*.[ch] tests/c/*.[ch] \
        tests/native/*.c tests/fuzz/*.[ch] || bad=1
fi
if need clang-tidy && [ -z "${FAST:-}" ]; then
    printf '%s\n' src/*.c | xargs -P "$(nproc)" -I{} sh -c \
        "clang-tidy --quiet {} -- -std=c11 -include tools/tidy.h $CPPFLAGS 2>/dev/null" | grep -E 'warning:|error:' && bad=1
fi
((bad == 0)) && echo "lint: clean"
exit $bad
