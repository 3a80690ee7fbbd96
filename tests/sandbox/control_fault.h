/* The operator plans faults. What they do is the account's business. */
#ifndef FLUX_TESTS_SANDBOX_CONTROL_FAULT_H
#define FLUX_TESTS_SANDBOX_CONTROL_FAULT_H

#include <jansson.h>

#include "tests/sandbox/control_command.h"

/* Carry out {"do":"fault","kind":K,...}; "thing" and "shadow" (empty: the classic one) limit it to
 * a shadow, "count" says how often it strikes ("always": until it is ended),
 * "percent" how many of those it could strike. Returns 0 or -ENOMEM.
 */
int control_fault(struct control *control);

/* List the faults still planned. Owned by the caller. NULL when out of memory. */
json_t *control_fault_list(const struct faults *faults);

#endif
