/* signames.h - signals by name. */
#ifndef SIGNAMES_H
#define SIGNAMES_H

/* The number of "SIGTERM", or -1. */
int signal_number(const char *name);

/* The name of a number, or NULL. */
const char *signal_name(int number);

#endif
