/* lfs.h - what the files of the binding of files share. */
#ifndef LFS_H
#define LFS_H

#include <lua.h>

/* Make the type of locks known.                              [-0, +0, m] */
void lfs_lock_register(lua_State *L);

/* Push a lock that owns *fd, which is then -1.               [-0, +1, m] */
int lfs_push_lock(lua_State *L, int *fd);

/* Push nil and the error "locked"; holder may be NULL.       [-0, +2, m] */
int lfs_push_locked(lua_State *L, const char *path, const char *holder);

#endif
