/* The size and form of documents: local checks come first, the service's own count is the last
 * word. Invariant: what cannot be stored is refused with the property named, before it replaces
 * anything, and what fits is never refused. */
#include "tests/scenario/scenario.h"

#include <math.h>
#include <string.h>

/* ---- local checks ---- */

static void refused_expect(struct sim *sim, const char *path, struct flux_value value, int code)
{
    struct shadow_operation operation = {
        .kind = FLUX_SET,
        .path = path,
        .path_size = strlen(path),
        .value = value,
    };
    struct shadow_refusal refusal = {0};
    assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_REFUSED);
    assert_int_equal(refusal.code, code);
    assert_string_equal(refusal.path, path);
    assert_true(refusal.text[0] != '\0');
}

/* 80: what no shadow may hold is refused at once, with the property named. */
static void test_80_malformed_values_are_refused_at_once(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    refused_expect(sim, "/a", flux_value_double((double)NAN), 400);
    refused_expect(sim, "/a", flux_value_double((double)INFINITY), 400);
    refused_expect(sim, "/a", flux_value_string("\xff", 1), 400);
    refused_expect(sim, "/a", flux_value_string("a\0b", 3), 400);
    refused_expect(sim, "/a", flux_value_array("[1,null]", 8), 400);
    refused_expect(sim, "/a", flux_value_array("[{\"k\":null}]", 12), 400);
    refused_expect(sim, "/a", flux_value_array("[1,", 3), 400);
    sim_run(sim, 10 * SIM_SECOND);
    assert_int_equal(sim->updates, 0);
    assert_believed(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 81: depth is checked, arrays included. */
static void test_81_depth_is_checked(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_depth = 6;
    options.cloud.max_depth = 6;
    struct sim *sim = scenario_up_with(&options, NULL);
    size_t op = sim_set(sim, "/a/b/c/d/e/f", "1");
    refused_expect(sim, "/a/b/c/d/e/f/g", flux_value_int64(1), 400);
    refused_expect(sim, "/a/b/c/d/e/g", flux_value_array("[{\"k\":1}]", 9), 400);
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 400), 0);
    scenario_end(sim);
}

/* 82: a report is refused whole: nothing of it is taken. */
static void test_82_a_report_is_refused_whole(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    const struct shadow_operation report[] = {
        {.kind = FLUX_SET, .path = "/a", .path_size = 2, .value = flux_value_int64(2)},
        {.kind = FLUX_SET, .path = "/b", .path_size = 2, .value = flux_value_double((double)NAN)},
    };
    struct shadow_refusal refusal = {0};
    assert_int_equal(sim_report_raw(sim, report, 2, &refusal), SHADOW_REPORT_REFUSED);
    assert_string_equal(refusal.path, "/b");
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 83: the size that counts is that of desired and reported together, to the byte. */
static void test_83_the_size_is_counted_to_the_byte(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"d\":12345}}");
    sim->allow_refusals = true;
    /* {"d":12345} is 11 bytes, {"s":"xxx"} is 6 and the string with its quotes */
    assert_int_equal(sim_set(sim, "/s", scenario_string(8192 - 11 - 6 + 1)), SIZE_MAX);
    size_t op = sim_set(sim, "/s", scenario_string(8192 - 11 - 6));
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim_set(sim, "/t", "1"), SIZE_MAX);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 413), 0);
    size_t shorter = sim_set(sim, "/s", "\"x\"");
    size_t other = sim_set(sim, "/t", "1");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, shorter);
    assert_accepted(sim, other);
    scenario_end(sim);
}

/* 84: what the cloud already holds is never refused because desired grew. */
static void test_84_what_the_cloud_holds_is_never_refused(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 4000;
    struct sim *sim = scenario_up_with(&options, NULL);
    (void)sim_set(sim, "/s", scenario_string(3000));
    sim_run(sim, 5 * SIM_SECOND);
    char payload[4096];
    (void)snprintf(payload, sizeof(payload), "{\"state\":{\"desired\":{\"d\":%s}}}",
                   scenario_string(2000));
    (void)sim_foreign(sim, payload);
    sim_run(sim, SIM_SECOND);
    size_t op = sim_set(sim, "/s", scenario_string(3000));
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).refused, 0);
    scenario_end(sim);
}

/* ---- 413 ---- */

/* A service that has more to hold than the daemon knew. */
static struct sim *refused_crowded(size_t desired_bytes)
{
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    char payload[8192];
    (void)snprintf(payload, sizeof(payload), "{\"state\":{\"desired\":{\"d\":%s}}}",
                   scenario_string(desired_bytes));
    sim->drop_answers = 2; /* accepted and delta */
    (void)sim_foreign(sim, payload);
    sim_run(sim, SIM_SECOND);
    sim->drop_answers = 0;
    return sim;
}

/* 94: 413: get, count again, refuse the largest growth by our own count; the small ones go. */
static void test_94_too_large_refuses_the_largest_growth(void **state)
{
    (void)state;
    struct sim *sim = refused_crowded(6000);
    const struct sim_operation report[] = {{"/small", "1"}, {"/big", scenario_string(3000)}};
    size_t op = sim_report(sim, report, 2);
    sim_run(sim, 5 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_rejected(sim, op + 1);
    assert_int_equal(sim->ops[op + 1].code, 413);
    assert_int_equal(sim_status(sim).refused, 1);
    scenario_end(sim);
}

/* 95: and is tried again when the document has shrunk by what it lacked. */
static void test_95_a_value_too_large_is_tried_when_there_is_room(void **state)
{
    (void)state;
    struct sim *sim = refused_crowded(6000);
    size_t op = sim_set(sim, "/big", scenario_string(3000));
    sim_run(sim, 5 * SIM_MINUTE);
    assert_rejected(sim, op);
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"e\":1}}}");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_null(doc_at(sim_reported(sim), "/big"));
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"d\":1}}}");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_non_null(doc_at(sim_reported(sim), "/big"));
    assert_int_equal(sim_status(sim).refused, 0);
    scenario_end(sim);
}

/* 96: where it fits by our count and still is too large for the service: halve, and end. */
static void test_96_too_large_although_it_fits_ends(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.max_bytes = 400;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    char path[16];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(path, sizeof(path), "/k%02d", i);
        (void)sim_set(sim, path, scenario_string(40));
    }
    sim_run(sim, SIM_HOUR);
    size_t updates = sim->updates;
    assert_int_equal(sim->waiting_count, 0);
    assert_true(updates < 80);
    sim_run(sim, SIM_HOUR);
    assert_int_equal(sim->updates, updates);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_80_malformed_values_are_refused_at_once),
              cmocka_unit_test(test_81_depth_is_checked),
              cmocka_unit_test(test_82_a_report_is_refused_whole),
              cmocka_unit_test(test_83_the_size_is_counted_to_the_byte),
              cmocka_unit_test(test_84_what_the_cloud_holds_is_never_refused),
              cmocka_unit_test(test_94_too_large_refuses_the_largest_growth),
              cmocka_unit_test(test_95_a_value_too_large_is_tried_when_there_is_room),
              cmocka_unit_test(test_96_too_large_although_it_fits_ends))
