/* lazy_sqlite.h - SQLite, loaded at first use. */
#ifndef LAZY_SQLITE_H
#define LAZY_SQLITE_H

#include <sqlite3.h>

#include "lazy.h"

#define SQLITE_FUNCTIONS(X)                                                    \
    X(sqlite3_bind_double)                                                     \
    X(sqlite3_bind_int64)                                                      \
    X(sqlite3_bind_null)                                                       \
    X(sqlite3_bind_parameter_count)                                            \
    X(sqlite3_bind_text64)                                                     \
    X(sqlite3_busy_timeout)                                                    \
    X(sqlite3_close)                                                           \
    X(sqlite3_column_bytes)                                                    \
    X(sqlite3_column_blob)                                                     \
    X(sqlite3_column_count)                                                    \
    X(sqlite3_column_double)                                                   \
    X(sqlite3_column_int64)                                                    \
    X(sqlite3_column_name)                                                     \
    X(sqlite3_column_text)                                                     \
    X(sqlite3_column_type)                                                     \
    X(sqlite3_config)                                                          \
    X(sqlite3_db_readonly)                                                     \
    X(sqlite3_db_status)                                                       \
    X(sqlite3_errmsg)                                                          \
    X(sqlite3_exec)                                                            \
    X(sqlite3_finalize)                                                        \
    X(sqlite3_get_autocommit)                                                  \
    X(sqlite3_initialize)                                                      \
    X(sqlite3_libversion)                                                      \
    X(sqlite3_libversion_number)                                               \
    X(sqlite3_open_v2)                                                         \
    X(sqlite3_prepare_v3)                                                      \
    X(sqlite3_progress_handler)                                                \
    X(sqlite3_reset)                                                           \
    X(sqlite3_set_authorizer)                                                  \
    X(sqlite3_sql)                                                             \
    X(sqlite3_step)                                                            \
    X(sqlite3_stmt_readonly)                                                   \
    X(sqlite3_system_errno)                                                    \
    X(sqlite3_threadsafe)                                                      \
    X(sqlite3_wal_checkpoint_v2)                                               \
    X(sqlite3_wal_hook)

struct sqlite_api {
    SQLITE_FUNCTIONS(LAZY_FIELD)
};
extern struct sqlite_api sqlite;

/* Load and initialise SQLite; again is free. 0, or a negative libuv code with
 * a sentence in *why. On the loop's thread, before any other use. */
int sqlite_load(const char **why);

#endif
