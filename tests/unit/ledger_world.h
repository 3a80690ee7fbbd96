/* A ledger and a view with a cloud of the test's choosing, for the tests of what is built on them.
 * Asserts instead of returning errors. */
#ifndef FLUX_TESTS_UNIT_LEDGER_WORLD_H
#define FLUX_TESTS_UNIT_LEDGER_WORLD_H

#include "daemon/shadow/ledger.h"
#include "daemon/shadow/view.h"

struct ledger_world {
    struct ledger ledger;
    struct view view;
    int64_t now_ms; /* when messages come; 0 at first */
};

int ledger_world_setup(void **state);
int ledger_world_teardown(void **state);

/* Let a get answer with this document (`{"state":...,"version":N}`). */
void ledger_world_get(struct ledger_world *world, const char *text);

/* Report: a value as JSON text at a pointer, or NULL to unset it. */
struct flux_property *ledger_world_report(struct ledger_world *world, const char *path,
                                          const char *json);

#endif
