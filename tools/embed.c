/* embed.c - build tool: compile Lua files and put them into one blob.
 *
 * usage: embed BLOB INDEX.c NAME=FILE [NAME=FILE ...], sorted by NAME
 * BLOB gets the bytecode (with line numbers, for tracebacks), INDEX.c the
 * table of src/embed.h. */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
    FILE *f;
    size_t size;
};

static int write_blob(lua_State *L, const void *p, size_t n, void *ud)
{
    (void)L;
    struct out *out = ud;
    out->size += n;
    return fwrite(p, 1, n, out->f) != n;
}

static int load(lua_State *L, const char *name, const char *path)
{
    size_t len;
    FILE *f = fopen(path, "rb");
    if (!f)
        return perror(path), 1;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (char *p = luaL_prepbuffer(&b);
         (len = fread(p, 1, LUAL_BUFFERSIZE, f)) > 0; p = luaL_prepbuffer(&b))
        luaL_addsize(&b, len);
    fclose(f);
    luaL_pushresult(&b);
    const char *text = lua_tolstring(L, -1, &len);
    /* "rt.task" is shown as rt/task.lua in tracebacks */
    lua_pushfstring(L, "@%s.lua", luaL_gsub(L, name, ".", "/"));
    if (luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t")) {
        fprintf(stderr, "%s: %s\n", path, lua_tostring(L, -1));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: embed BLOB INDEX.c NAME=FILE ...\n"), 2;
    lua_State *L = luaL_newstate();
    struct out blob = {fopen(argv[1], "wb"), 0};
    FILE *index = fopen(argv[2], "w");
    if (!L || !blob.f || !index)
        return perror("embed"), 1;
    fprintf(index, "#include \"embed.h\"\n"
                   "const struct embed_file embed_files[] = {\n");
    for (int i = 3; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!eq)
            return fprintf(stderr, "embed: %s has no '='\n", argv[i]), 2;
        *eq = '\0';
        size_t offset = blob.size;
        if (load(L, argv[i], eq + 1) || lua_dump(L, write_blob, &blob, 0))
            return 1;
        lua_settop(L, 0);
        fprintf(index, "    {\"%s\", %zu, %zu},\n", argv[i], offset,
                blob.size - offset);
    }
    fprintf(index,
            "};\nconst size_t embed_count = %d;\n"
            "__asm__(\".section .rodata\\n.global embed_blob\\n\"\n"
            "        \"embed_blob:\\n.incbin \\\"%s\\\"\\n.previous\\n\");\n",
            argc - 3, argv[1]);
    lua_close(L);
    return fclose(blob.f) || fclose(index);
}
