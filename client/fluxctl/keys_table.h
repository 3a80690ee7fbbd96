/* What the daemon knows of every property, as a table for people. */
#ifndef FLUXCTL_KEYS_TABLE_H
#define FLUXCTL_KEYS_TABLE_H

#include <stdbool.h>

/* Print the arrays of so many answers as one table; nothing where they are empty. Returns false,
 * with nothing printed, without memory. */
bool fluxctl_print_keys(char *const *answers, int count);

#endif
