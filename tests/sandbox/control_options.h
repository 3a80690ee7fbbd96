/* The switches of service and policy by name, for the operator. It applies none of them itself. */
#ifndef FLUX_TESTS_SANDBOX_CONTROL_OPTIONS_H
#define FLUX_TESTS_SANDBOX_CONTROL_OPTIONS_H

#include <jansson.h>

#include "tests/sandbox/account.h"

/* Set one option. Returns 0 or -EINVAL: no such option, or not its kind of value. */
int control_option_set(struct account *account, const char *name, const json_t *value);

/* List all options with their values. Owned by the caller. NULL when out of memory. */
json_t *control_options_list(const struct account *account);

#endif
