/* Control characters in what programs write for the daemon to read: people see it on terminals,
 * which obey them. Knows nothing of configuration; UTF-8 is not checked. */
#ifndef FLUXAWS_CONFIG_CONTROL_H
#define FLUXAWS_CONFIG_CONTROL_H

#include <stdbool.h>

/* Tell whether there is one, tabs and what ends a line left aside. */
bool config_control_is_in(const char *text);

/* Put a '?' in place of each, and of all bytes of those that have two. */
void config_control_clean(char *text);

#endif
