/* What the account holds and has counted, as JSON for the operator. It changes nothing. */
#ifndef FLUX_TESTS_SANDBOX_CONTROL_REPORT_H
#define FLUX_TESTS_SANDBOX_CONTROL_REPORT_H

#include <jansson.h>

#include "tests/sandbox/account.h"

/* All counters: operations, rejections by code, messages, clients, faults still planned.
 * Owned by the caller. NULL when out of memory. */
json_t *control_report_counters(const struct account *account);

/* The shadows there are, "THING/NAME" to version. As above. */
json_t *control_report_things(const struct account *account);

#endif
