/* Looks up the users and groups that sections [Access NAME] name. Does not know what they may. */
#ifndef FLUXAWS_CONFIG_USERS_H
#define FLUXAWS_CONFIG_USERS_H

#include "daemon/config.h"

/* Find the numbers behind all names; a name that nobody has is a problem, and its section grants
 * nothing. May block as long as the system's books do. Returns 0 or -ENOMEM. */
int config_users_resolve(struct config *config);

#endif
