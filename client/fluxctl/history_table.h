/* The last events of the link, for people, in 80 columns. */
#ifndef FLUXCTL_HISTORY_TABLE_H
#define FLUXCTL_HISTORY_TABLE_H

#include <stdint.h>
#include <stdio.h>

/* Print the events of an answer, a line each, with the reason below it. `now_sec`: seconds since
 * 1970, for events of the time before the clock was set. Prints in local time. */
void fluxctl_print_history(FILE *file, const char *json, int64_t now_sec);

#endif
