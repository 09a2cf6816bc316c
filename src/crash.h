/* crash.h - named places where a test lets the program die. Nothing at all,
 * unless it is compiled with -DRUSHES_CRASH_POINTS (`make crash`). */
#ifndef CRASH_H
#define CRASH_H

#ifdef RUSHES_CRASH_POINTS
/* Count one; kill the process if it is the one that was asked for. From any
 * thread. */
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif

#endif
