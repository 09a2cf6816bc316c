/* gc.h - how much garbage Lua lets stand. */
#ifndef GC_H
#define GC_H

#include <lua.h>

/* Fit the collector's pace to the size of the heap; now and then.  [-0, +0, -]
 */
void gc_tune(lua_State *L);

#endif
