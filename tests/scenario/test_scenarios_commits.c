/* When something is written to the disk, and what happens while it cannot be. Invariant: commits
 * are bounded by the updates and by SyncIntervalMs, never by the reports; STORED is claimed only of
 * what is on the disk; a sick disk holds nobody up. */
#include "tests/scenario/durable.h"

#include <string.h>

#define REPORTED(text) "{\"state\":{\"reported\":" text "}}"

static size_t set_number(struct sim *sim, const char *path, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    return sim_set(sim, path, text);
}

static struct sim *commits_up(int64_t commit_ms, const char *document)
{
    struct sim_options options;
    durable_options(&options);
    options.commit_ms = commit_ms;
    return scenario_up_with(&options, document);
}

static bool is_stored(const struct sim *sim)
{
    return shadow_stored_revision(sim->shadow) >= shadow_newest_revision(sim->shadow);
}

/* 760: who asks for STORED gets a commit at once, and the answer not before its end. */
static void test_760_stored_after_the_commit(void **state)
{
    (void)state;
    struct sim_options options;
    durable_options(&options);
    options.commit_ms = 200;
    struct sim *sim = sim_new(&options);
    sim->level = SIM_STORED;
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 199);
    assert_int_equal(sim->store->commits, 1);
    assert_false(is_stored(sim));
    sim_run(sim, 1);
    assert_true(is_stored(sim));
    sim_link_up(sim);
    durable_end(sim);
}

/* 761: volatile never claims it. */
static void test_761_volatile_claims_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{}}");
    sim->level = SIM_STORED;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_HOUR);
    assert_accepted(sim, op);
    assert_int_equal(shadow_stored_revision(sim->shadow), 0);
    assert_false(thing_wants_save(sim->thing));
    scenario_end(sim);
}

/* 762: those who ask while a commit runs share the next one. */
static void test_762_commits_come_in_groups(void **state)
{
    (void)state;
    struct sim_options options;
    durable_options(&options);
    options.commit_ms = 50;
    struct sim *sim = sim_new(&options);
    sim->level = SIM_STORED;
    for (int i = 0; i < 400; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%d", i % 64);
        (void)set_number(sim, path, i);
        sim_run(sim, 1);
    }
    sim_run(sim, 100);
    assert_true(is_stored(sim));
    assert_in_range(sim->store->commits, 5, 10);
    sim_link_up(sim);
    durable_end(sim);
}

/* 763: chatter without a link costs one commit in SyncIntervalMs, and rows by the property. */
static void test_763_chatter_does_not_wear_the_disk_out(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{}}");
    sim->level = SIM_QUEUED;
    for (int i = 0; i < 6000; i++) {
        (void)set_number(sim, i % 2 == 0 ? "/a" : "/b", i);
        sim_run(sim, 100);
    }
    assert_in_range(sim->store->commits, 15, 21); /* ten minutes */
    assert_true(sim->store->rows_written <= 3 * sim->store->commits);
    assert_true(sim->store->disk.count <= 4);
    sim_link_up(sim);
    durable_end(sim);
}

/* 764: with a link, one commit an update and no more. */
static void test_764_one_commit_an_update(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{}}");
    sim->level = SIM_QUEUED;
    size_t commits = sim->store->commits;
    for (int i = 0; i < 6000; i++) {
        (void)set_number(sim, "/a", i);
        sim_run(sim, 10);
    }
    assert_in_range(sim->updates, 55, 66); /* a minute, IntervalMs 1000, Burst 5 */
    assert_true(sim->store->commits - commits <= sim->updates + 1);
    durable_end(sim);
}

/* 765: that something was accepted, and what others write, is no reason for a commit. */
static void test_765_accepted_marks_ride_along(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    size_t commits = sim->store->commits;
    for (int i = 0; i < 60; i++) {
        char payload[64];
        (void)snprintf(payload, sizeof(payload), REPORTED("{\"x\":%d}"), i);
        (void)sim_foreign(sim, payload);
        sim_run(sim, SIM_MINUTE);
    }
    assert_int_equal(sim->store->commits, commits);
    assert_true(thing_has_unsaved(sim->thing));
    assert_false(thing_has_unsaved_reports(sim->thing));
    assert_on_disk(sim, "/a", SAVED_PENDING);
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, 100);
    assert_on_disk(sim, "/a", SAVED_ACCEPTED);
    assert_int_equal(sim->store->commits, commits + 1);
    durable_end(sim);
}

/* 766: a value that changes during every commit goes out all the same. */
static void test_766_a_hot_property_is_not_starved(void **state)
{
    (void)state;
    static const int64_t commits_ms[] = {200, 1500, 5000};
    for (size_t i = 0; i < 3; i++) {
        struct sim *sim = commits_up(commits_ms[i], "{\"reported\":{}}");
        sim->level = SIM_QUEUED;
        for (int j = 0; j < 6000; j++) {
            (void)set_number(sim, "/hot", j);
            sim_run(sim, 10);
        }
        size_t wanted = commits_ms[i] < 1000 ? 50 : (size_t)(60000 / commits_ms[i]) / 2;
        assert_good(sim);
        assert_true(sim->updates >= wanted);
        assert_true(sim->store->commits <= sim->updates + 3);
        durable_end(sim);
    }
}

/* 767: a commit that takes longer than 10 s is trouble: updates do not wait for it. */
static void test_767_a_commit_of_more_than_ten_seconds_holds_nobody_up(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{}}");
    sim->store->hangs = true;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 9 * SIM_SECOND);
    assert_waiting(sim, op);
    assert_int_equal(sim->updates, 0);
    sim_run(sim, 2 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_false(is_stored(sim));
    sim->store->hangs = false;
    sim_run(sim, SIM_MINUTE);
    assert_true(is_stored(sim));
    assert_false(sim->store->in_trouble);
    durable_end(sim);
}

/* 768: an error: reports go on, STORED is withheld, and all is written when it is over. */
static void test_768_a_sick_disk_holds_nobody_up(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{}}");
    sim->store->fails = true;
    sim->level = SIM_STORED;
    for (int i = 0; i < 600; i++) {
        size_t op = set_number(sim, "/a", i);
        sim_run(sim, SIM_SECOND + 100);
        if (i > 3)
            assert_accepted(sim, op);
    }
    assert_false(is_stored(sim));
    assert_in_range(sim->store->failures, 8, 30); /* ten minutes, a pause of a minute at most */
    sim->store->fails = false;
    sim_run(sim, 2 * SIM_MINUTE);
    assert_true(is_stored(sim));
    assert_on_disk(sim, "/a", SAVED_ACCEPTED);
    durable_end(sim);
}

/* 769: the same without a link: what was reported meanwhile is on the disk as soon as may be. */
static void test_769_all_is_written_when_the_disk_is_well(void **state)
{
    (void)state;
    struct sim *sim = durable_new("{\"reported\":{}}");
    sim->store->fails = true;
    sim->level = SIM_STORED;
    for (int i = 0; i < 50; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%d", i);
        (void)set_number(sim, path, i);
        sim_run(sim, SIM_SECOND);
    }
    assert_false(is_stored(sim));
    sim->store->fails = false;
    sim_run(sim, SIM_MINUTE + SIM_SECOND);
    assert_true(is_stored(sim));
    sim_restart_after(sim, SIM_POWER_CUT);
    durable_connect(sim);
    assert_int_equal(json_object_size(sim_reported(sim)), 50);
    durable_end(sim);
}

/* 770: ten thousand reports of twenty properties are twenty rows, and removed ones go. */
static void test_770_rows_by_the_property(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{}}");
    sim->level = SIM_QUEUED;
    for (int i = 0; i < 10000; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%d", i % 20);
        (void)set_number(sim, path, i);
        sim_run(sim, 20);
    }
    assert_in_range(sim->store->disk.count, 20, 23);
    for (int i = 0; i < 20; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%d", i);
        (void)sim_unset(sim, path);
    }
    sim_run(sim, SIM_MINUTE);
    sim_restart_after(sim, SIM_STOPPED);
    sim_restart_after(sim, SIM_POWER_CUT); /* nobody remembers when it was removed */
    durable_connect(sim);
    sim_restart_after(sim, SIM_STOPPED);
    assert_true(sim->store->disk.count <= 3);
    durable_end(sim);
}

/* 771: a row that would say the same is not written again. */
static void test_771_unchanged_rows_are_not_written(void **state)
{
    (void)state;
    struct sim *sim = commits_up(5, "{\"reported\":{\"x\":1}}");
    for (int i = 0; i < 100; i++) {
        (void)set_number(sim, i % 10 == 0 ? "/b" : "/a", i / 3);
        sim_run(sim, 700);
        if (i % 25 == 24)
            durable_restart_beside(sim, i % 2 == 0 ? SIM_KILLED : SIM_STOPPED, NULL);
    }
    assert_int_equal(sim->store->idle_rows, 0);
    durable_end(sim);
}

/* 772: the disk comes late: what programs said meanwhile wins, the rest comes from the disk. */
static void test_772_a_late_disk(void **state)
{
    (void)state;
    struct sim *sim = durable_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    sim->level = SIM_STORED;
    (void)sim_set(sim, "/a", "2");
    (void)sim_set(sim, "/b", "2");
    (void)sim_set(sim, "/c", "2");
    sim_run(sim, SIM_SECOND);
    sim->store->unloaded = true;
    sim->store->fails = true;
    sim_restart_after(sim, SIM_POWER_CUT);
    (void)sim_set(sim, "/a", "3");
    sim_run(sim, SIM_MINUTE);
    assert_false(is_stored(sim));
    sim->store->fails = false;
    sim_run(sim, 2 * SIM_MINUTE);
    assert_false(sim->store->in_trouble);
    assert_true(is_stored(sim));
    durable_connect(sim);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":3,\"b\":2,\"c\":2}");
    durable_end(sim);
}

/* 773: rows of a thing that this daemon may not report for any more stay, and are not sent. */
static void test_773_orphaned_rows_stay(void **state)
{
    (void)state;
    static const char *const extra[] = {"sensor-*"};
    struct sim_options options;
    durable_options(&options);
    options.thing.extra = extra;
    options.thing.extra_count = 1;
    struct sim *sim = sim_new(&options);
    struct sim *sensor = sim_open(sim, "sensor-1", NULL);
    sim->level = SIM_STORED;
    (void)sim_set(sensor, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, SIM_SECOND);
    sim_store_crash(sim, false);
    size_t rows = sim->store->disk.count;
    thing_free(sim->thing);
    sim->thing = NULL;
    struct thing *thing;
    options.thing.instance_id = 77;
    options.thing.name = "renamed";
    options.thing.extra_count = 0;
    assert_int_equal(thing_new(&thing, &options.thing), 0);
    size_t orphaned = 0;
    for (size_t i = 0; i < rows; i++) {
        int r = thing_restore(thing, &sim->store->disk.rows[i].row, sim->now_ms);
        assert_in_range(r, 0, THING_ORPHANED);
        orphaned += r == THING_ORPHANED;
    }
    thing_restored(thing, sim->now_ms);
    assert_in_range(orphaned, 1, 2); /* the property, and the shadow itself */
    struct shadow *shadow;
    assert_int_equal(thing_open_shadow(thing, "renamed", NULL, &shadow), 0);
    struct shadow_status status;
    shadow_get_status(shadow, &status);
    assert_int_equal(status.pending, 1); /* the own thing's rows follow its name */
    thing_begin_save(thing);
    struct saved_row row;
    while (thing_next_unsaved(thing, &row))
        assert_string_not_equal(row.thing, "sensor-1");
    thing_end_save(thing, true);
    sim->thing = thing;
    sim_free(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_760_stored_after_the_commit),
              cmocka_unit_test(test_761_volatile_claims_nothing),
              cmocka_unit_test(test_762_commits_come_in_groups),
              cmocka_unit_test(test_763_chatter_does_not_wear_the_disk_out),
              cmocka_unit_test(test_764_one_commit_an_update),
              cmocka_unit_test(test_765_accepted_marks_ride_along),
              cmocka_unit_test(test_766_a_hot_property_is_not_starved),
              cmocka_unit_test(test_767_a_commit_of_more_than_ten_seconds_holds_nobody_up),
              cmocka_unit_test(test_768_a_sick_disk_holds_nobody_up),
              cmocka_unit_test(test_769_all_is_written_when_the_disk_is_well),
              cmocka_unit_test(test_770_rows_by_the_property),
              cmocka_unit_test(test_771_unchanged_rows_are_not_written),
              cmocka_unit_test(test_772_a_late_disk), cmocka_unit_test(test_773_orphaned_rows_stay))
