/* Finds out the thing's name: as written, or from a file, the host's name, the machine's id or the
 * device's certificate. Does not judge the certificate. */
#ifndef FLUXAWS_CONFIG_NAME_H
#define FLUXAWS_CONFIG_NAME_H

#include "daemon/config.h"
#include "proto/limits.h"

/* Put the name into `ret_name`; "" where it is the common name of a certificate that is not there
 * yet, which is noted (CONFIG_NOTE). Where there is none, or it is not a thing's name, a problem of
 * severity CONFIG_MISSING is recorded; unless a Name was set before that can be one: then that
 * counts, and the problem is a bad value. The directories are those in which the certificate may
 * lie (the latter may be NULL). Returns 0, -ENOENT (a problem says why) or -ENOMEM. */
int config_resolve_name(struct config *config, const char *state_directory,
                        const char *credentials_directory,
                        char ret_name[static FLUX_THING_NAME_MAX + 1]);

/* The name by the certificate, wherever that lies now. Returns 0, or a negative errno where there
 * is none, or none that is a thing's name. */
int config_name_by_certificate(const struct config *config, const char *state_directory,
                               const char *credentials_directory,
                               char ret_name[static FLUX_THING_NAME_MAX + 1]);

#endif
