/* Short words for the named scenarios. Part of the tests only. */
#ifndef FLUX_TESTS_SCENARIO_SCENARIO_H
#define FLUX_TESTS_SCENARIO_SCENARIO_H

#include "tests/scenario/oracle.h"
#include "tests/scenario/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Make a world whose cloud holds `document` at version 7 (NULL: no shadow), the link down. */
struct sim *scenario_new(const char *document);
/* The same, the link up and the view proven. */
struct sim *scenario_up(const char *document);
struct sim *scenario_up_with(const struct sim_options *options, const char *document);

/* Let a minute pass, fail the test if a rule was broken or the end is not as reported, free. */
void scenario_end(struct sim *sim);

/* Fail the test if the oracle has seen a broken rule. */
#define assert_good(sim)                                                                           \
    do {                                                                                           \
        if (sim_is_broken(sim))                                                                    \
            fail_msg("%s", (sim)->net->failure);                                                   \
    } while (0)

/* Compare the cloud's `reported`, and what the daemon believes, with JSON text. */
#define assert_reported(sim, text) scenario_assert_reported(sim, text, __FILE__, __LINE__)
void scenario_assert_reported(struct sim *sim, const char *text, const char *file, int line);
#define assert_believed(sim, text) scenario_assert_believed(sim, text, __FILE__, __LINE__)
void scenario_assert_believed(struct sim *sim, const char *text, const char *file, int line);
/* Compare the `state.reported` of the last update that was sent. */
#define assert_sent(sim, text) scenario_assert_sent(sim, text, __FILE__, __LINE__)
void scenario_assert_sent(struct sim *sim, const char *text, const char *file, int line);

#define assert_waiting(sim, op)  assert_true((sim)->ops[op].waiting)
#define assert_accepted(sim, op) scenario_assert_fate(sim, op, SHADOW_ACCEPTED, __FILE__, __LINE__)
#define assert_rejected(sim, op) scenario_assert_fate(sim, op, SHADOW_REFUSED, __FILE__, __LINE__)
void scenario_assert_fate(struct sim *sim, size_t op, enum shadow_fate_state fate, const char *file,
                          int line);

/* A JSON string of `size` characters, quotes included; valid until the next call. */
const char *scenario_string(size_t size);

#define SCENARIO_MAIN(...)                                                                         \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                           \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
