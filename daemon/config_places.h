/* Looks at the places that a configuration names, for --check-config: can the state be written and
 * the socket be made there? Touches nothing; what it finds is true for the user who asks. */
#ifndef FLUXAWS_CONFIG_PLACES_H
#define FLUXAWS_CONFIG_PLACES_H

#include "daemon/config.h"

/* Add what is wrong to the configuration's problems: CONFIG_BAD_PLACE, or CONFIG_NOTE for a place
 * that no file has set, which systemd may yet make. Returns 0 or -ENOMEM. */
int config_check_places(struct config *config, const char *state_directory);

#endif
