/* lazy_sqlite.c - owns the table of SQLite's functions. */
#include "lazy_sqlite.h"

#include <stdio.h>
#include <uv.h>

#define OLDEST 3038000 /* json_valid(), SQLITE_OPEN_EXRESCODE */

struct sqlite_api sqlite;

static int init(const char **why)
{
    static char text[160];
    if (sqlite.sqlite3_libversion_number() < OLDEST) {
        snprintf(text, sizeof text,
                 "SQLite %s is too old: 3.38 or newer is needed",
                 sqlite.sqlite3_libversion());
        *why = text;
        return UV_ENOTSUP;
    }
    /* counting its memory costs a lock at every allocation */
    sqlite.sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (!sqlite.sqlite3_threadsafe() ||
        sqlite.sqlite3_initialize() != SQLITE_OK) {
        *why = "SQLite could not be initialised";
        return UV_ENOTSUP;
    }
    return 0;
}

int sqlite_load(const char **why)
{
    static const char *const names[] = {SQLITE_FUNCTIONS(LAZY_NAME)};
    static int done;
    if (done)
        return 0;
    int r = lazy_load("libsqlite3.so.0", &sqlite, names,
                      sizeof names / sizeof *names, why);
    if (r == 0)
        r = init(why);
    done = r == 0;
    return r;
}
