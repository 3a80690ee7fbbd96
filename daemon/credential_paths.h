/* Where certificate, key and CA are looked for: the configuration, the state directory, the service
 * manager's credentials, and for the CA the roots that were installed. Does not read them. */
#ifndef FLUXAWS_CREDENTIAL_PATHS_H
#define FLUXAWS_CREDENTIAL_PATHS_H

#include "daemon/config.h"
#include "daemon/mqtt/credentials.h"
#include <limits.h>

struct credential_paths {
    char ca_file[PATH_MAX], certificate_file[PATH_MAX], private_key[PATH_MAX];
};

/* Find all three. Where a file is nowhere, the first place in which it could lie is given, so that
 * a complaint about it names a place to put it. `credentials_directory` may be NULL. */
void credential_paths_find(struct credential_paths *ret_paths, const struct config *config,
                           const char *state_directory, const char *credentials_directory);

/* The same as borrowed pointers. */
struct credentials_paths credential_paths_borrow(const struct credential_paths *paths);

/* A number that changes when one of the files was replaced or written to. */
uint64_t credential_paths_fingerprint(const struct credential_paths *paths);

#endif
