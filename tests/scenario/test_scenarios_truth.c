/* What the cloud ends up with: sequential truth, cuts, objects merge, foreign things stay, the
 * device owns what it reported. Invariant of every scenario: the cloud's `reported` is what the
 * reports make, one by one, and nothing that no report named has changed. */
#include "tests/scenario/scenario.h"

/* 1: a scalar set over an object that nobody knew of takes the object's keys with it, even though
 * an object takes the scalar's place before anything is sent. */
static void test_01_a_cut_made_offline_clears_keys_nobody_knew(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":{\"b\":1}}}");
    (void)sim_set(sim, "/a", "5");
    (void)sim_set(sim, "/a/c", "1");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"c\":1}}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 2: the cut reaches every depth, and keys that were set again stay. */
static void test_02_a_cut_clears_every_depth(void **state)
{
    (void)state;
    struct sim *sim =
        scenario_new("{\"reported\":{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3},\"z\":4}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/a/b/c", "9");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":{\"c\":9}},\"z\":4}");
    scenario_end(sim);
}

/* 3: an unset removes the path and all below it. */
static void test_03_an_unset_removes_the_tree(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1,\"c\":{\"d\":2}},\"z\":4}}");
    size_t op = sim_unset(sim, "/a");
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"z\":4}");
    scenario_end(sim);
}

/* 4: a foreign write counts as earlier than the update that carries the report. */
static void test_04_a_foreign_key_below_a_pending_cut_goes(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1}}}");
    sim_link_down(sim);
    (void)sim_unset(sim, "/a");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"x\":1}}}}");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{}");
    scenario_end(sim);
}

/* 5: the same when the foreign write overtakes the update on its way. */
static void test_05_a_foreign_key_that_overtakes_a_cut_goes(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1}}}");
    sim->hold_request_ms = 500;
    (void)sim_unset(sim, "/a");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"x\":1}}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{}");
    assert_int_equal(sim->updates, 2);
    scenario_end(sim);
}

/* 6: `{}` over an object changes nothing and costs nothing. */
static void test_06_an_empty_object_over_an_object_changes_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1}}}");
    size_t op = sim_set(sim, "/a", "{}");
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":{\"b\":1}}");
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 7: `{}` over a scalar, an array or nothing is stored. */
static void test_07_an_empty_object_replaces_what_is_no_object(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"scalar\":1,\"array\":[1,2]}}");
    (void)sim_set(sim, "/scalar", "{}");
    (void)sim_set(sim, "/array", "{}");
    (void)sim_set(sim, "/nothing", "{}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"scalar\":{},\"array\":{},\"nothing\":{}}");
    scenario_end(sim);
}

/* 8: and so over a scalar of ours that was never sent, with foreign keys below. */
static void test_08_an_empty_object_over_a_pending_scalar_is_a_cut(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":{\"b\":1}}}");
    (void)sim_set(sim, "/a", "5");
    (void)sim_set(sim, "/a", "{}");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_true(doc_is_hollow(doc_at(sim_reported(sim), "/a")));
    scenario_end(sim);
}

/* 9: an object is replaced by an unset and its children in one report, in one update. */
static void test_09_unset_and_children_in_one_report_replace_an_object(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1,\"c\":2}}}");
    const struct sim_operation report[] = {{"/a", NULL}, {"/a/d", "3"}};
    size_t op = sim_report(sim, report, 2);
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_accepted(sim, op + 1);
    assert_reported(sim, "{\"a\":{\"d\":3}}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 10: arrays are leaves. */
static void test_10_an_array_is_replaced_whole(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/list", "[1,2,{\"k\":3}]");
    sim_run(sim, 2 * SIM_SECOND);
    (void)sim_set(sim, "/list", "[{\"m\":1}]");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"list\":[{\"m\":1}]}");
    scenario_end(sim);
}

/* 11: scalar over object and object over scalar, sent in between. */
static void test_11_scalars_and_objects_replace_each_other(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    sim_run(sim, 2 * SIM_SECOND);
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"a\":2}");
    (void)sim_set(sim, "/a/c/d", "3");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"c\":{\"d\":3}}}");
    scenario_end(sim);
}

/* 12: what no report names is neither sent nor changed; desired is never written nor echoed. */
static void test_12_foreign_things_stay(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":9,\"d\":8},\"reported\":{\"x\":1,\"y\":{"
                                  "\"z\":2}}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 2 * SIM_SECOND);
    assert_sent(sim, "{\"a\":1}");
    assert_reported(sim, "{\"a\":1,\"x\":1,\"y\":{\"z\":2}}");
    const json_t *document = shadow_service_document(sim->cloud, SIM_THING, NULL);
    json_t *desired = doc_parse("{\"a\":9,\"d\":8}");
    assert_true(doc_equal(desired, json_object_get(document, "desired"), false));
    json_decref(desired);
    scenario_end(sim);
}

/* 13: keys that need escapes in a path. */
static void test_13_escaped_keys_arrive_unescaped(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    sim->careless = true;
    const char path[] = "/a~1b/c~0d/\"q\\";
    struct shadow_operation operation = {
        .kind = FLUX_SET,
        .path = path,
        .path_size = sizeof(path) - 1,
        .value = flux_value_int64(1),
    };
    struct shadow_refusal refusal;
    assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_QUEUED);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a/b\":{\"c~d\":{\"\\\"q\\\\\":1}}}");
    assert_good(sim);
    sim_free(sim);
}

/* 14: the properties of one report travel in one document. */
static void test_14_a_report_travels_in_one_document(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_operation report[16];
    char paths[16][16];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/k/%d", i);
        report[i] = (struct sim_operation){paths[i], "1"};
    }
    size_t op = sim_report(sim, report, 16);
    sim_run(sim, SIM_SECOND);
    assert_int_equal(sim->updates, 1);
    for (size_t i = 1; i < 16; i++)
        assert_int_equal(sim->ops[op + i].version, sim->ops[op].version);
    scenario_end(sim);
}

/* 15: a null that the cloud tells counts as absent. */
static void test_15_a_null_from_the_cloud_counts_as_absent(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":null,\"b\":1}}");
    size_t op = sim_unset(sim, "/a");
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 16: one after the other, whatever was sent in between: the last report counts. */
static void test_16_the_last_report_counts(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":{\"c\":1}}}}");
    static const struct sim_operation steps[] = {
        {"/a/b", "1"},  {"/a", "{}"},    {"/a/b/d", "2"}, {"/a", NULL},     {"/a/b", "{}"},
        {"/a/b", "[]"}, {"/a/b/c", "3"}, {"/a/e", "4"},   {"/a/b/c", NULL}, {"/a/b/f", "\"x\""},
    };
    for (int round = 0; round < 6; round++)
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            (void)sim_report(sim, &steps[i], 1);
            sim_run(sim, round * 150);
        }
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":{\"f\":\"x\"},\"e\":4}}");
    scenario_end(sim);
}

/* 17: an object that is reported arrives even where nulls alone below it leave none. */
static void test_17_an_object_arrives_where_nulls_leave_none(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.null_only_makes_nothing = true;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    sim->drop_requests = 1;
    (void)sim_set(sim, "/a/c", "1");
    size_t op = sim_set(sim, "/a", "{}");
    (void)sim_unset(sim, "/a/c");
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":{}}");
    assert_int_equal(sim->updates, 2);
    assert_int_equal(sim->notices[THING_NOTICE_FOREIGN], 0);
    scenario_end(sim);
}

/* 18: whether another writer's nulls leave an empty object is not known: it is not relied upon. */
static void test_18_an_object_of_nulls_counts_as_absent(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.null_only_makes_nothing = true;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"z\":1}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"h\":{\"i\":{\"f\":null}},\"z\":2}}}");
    sim_run(sim, SIM_SECOND);
    (void)sim_set(sim, "/h", "{}");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"h\":{},\"z\":2}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_a_cut_made_offline_clears_keys_nobody_knew),
              cmocka_unit_test(test_02_a_cut_clears_every_depth),
              cmocka_unit_test(test_03_an_unset_removes_the_tree),
              cmocka_unit_test(test_04_a_foreign_key_below_a_pending_cut_goes),
              cmocka_unit_test(test_05_a_foreign_key_that_overtakes_a_cut_goes),
              cmocka_unit_test(test_06_an_empty_object_over_an_object_changes_nothing),
              cmocka_unit_test(test_07_an_empty_object_replaces_what_is_no_object),
              cmocka_unit_test(test_08_an_empty_object_over_a_pending_scalar_is_a_cut),
              cmocka_unit_test(test_09_unset_and_children_in_one_report_replace_an_object),
              cmocka_unit_test(test_10_an_array_is_replaced_whole),
              cmocka_unit_test(test_11_scalars_and_objects_replace_each_other),
              cmocka_unit_test(test_12_foreign_things_stay),
              cmocka_unit_test(test_13_escaped_keys_arrive_unescaped),
              cmocka_unit_test(test_14_a_report_travels_in_one_document),
              cmocka_unit_test(test_15_a_null_from_the_cloud_counts_as_absent),
              cmocka_unit_test(test_16_the_last_report_counts),
              cmocka_unit_test(test_17_an_object_arrives_where_nulls_leave_none),
              cmocka_unit_test(test_18_an_object_of_nulls_counts_as_absent))
