/* ldb.h - what the files of the binding of SQLite share: Lua values as bytes
 * and back. */
#ifndef LDB_H
#define LDB_H

#include <lua.h>

#include "db_value.h"

/* Append the list of statements at stack index 2.           [-0, +0, v] */
void ldb_put_statements(lua_State *L, struct db_buf *b);

/* Append one statement: its text at 2, its values up to `top`. [-0, +0, v] */
void ldb_put_query(lua_State *L, struct db_buf *b, int top);

/* Push rows as {{column = value}, ...}.                      [-0, +1, v] */
void ldb_push_rows(lua_State *L, const struct db_buf *rows);

/* Raise the text on the top, where the caller of rt.db stands. */
int ldb_raise(lua_State *L);

#endif
