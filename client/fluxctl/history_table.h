/* The last events of the link, for people, in 80 columns. */
#ifndef FLUXCTL_HISTORY_TABLE_H
#define FLUXCTL_HISTORY_TABLE_H

#include "client/fluxctl/json_tree.h"
#include "client/fluxctl/screen.h"
#include <stdint.h>

/* Print the events of an answer, a line each, with the reason below it; nothing where there is
 * none. `now_sec`: seconds since 1970, for events of the time before the clock was set. Prints in
 * local time. */
void fluxctl_print_history(const struct screen *screen, const struct json_tree *tree,
                           int64_t now_sec);

#endif
