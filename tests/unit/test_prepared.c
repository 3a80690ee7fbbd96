/* Disk before cloud: updates that are built, wait for their commit, and go. */
#include "daemon/shadow/saved.h"
#include "daemon/shadow/thing_private.h"
#include "tests/unit/thing_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOPIC "$aws/things/dev/shadow/"

/* A durable engine around one shadow, and the commit that is under way. */
struct disk {
    struct world world;
    struct shadow *shadow;
    uint64_t held[16]; /* by the commit, per place */
};

static struct thing_options durable(void)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    options.durable = true;
    options.interval_ms = 3600000;
    options.burst = 2;
    options.messages_per_sec = 10000;
    options.daily_operations = 0;
    options.refresh_ms = 0;
    return options;
}

static void commit_begins(struct disk *disk)
{
    struct thing *thing = disk->world.thing;
    struct saved_row row;
    thing_begin_save(thing);
    for (size_t i = 0; i < 16 && i < thing->places; i++)
        disk->held[i] = shadow_newest_revision(thing->shadows[i]);
    while (thing_next_unsaved(thing, &row))
        ;
}

static void commit_ends(struct disk *disk)
{
    struct thing *thing = disk->world.thing;
    thing_end_save(thing, true);
    for (size_t i = 0; i < 16 && i < thing->places; i++)
        shadow_stored(thing->shadows[i], disk->held[i]);
}

static void commit(struct disk *disk)
{
    commit_begins(disk);
    commit_ends(disk);
}

/* Bring a shadow with one stored value to version 1, the bucket full again. */
static void begin(struct disk *disk, const struct thing_options *options)
{
    struct world *world = &disk->world;
    world_begin(world, options);
    disk->shadow = world_open(world, NULL, NULL);
    thing_link_up(world->thing, world->now_ms);
    world_run(world, 5000);
    world_report(world, disk->shadow, "/z", 0);
    assert_int_equal(world_take_all(world), 0);
    commit(disk);
    assert_int_equal(world_take_all(world), 1);
    world_answer(world);
    assert_int_equal(world_take_all(world), 0);
    world->now_ms += 10 * options->interval_ms;
    assert_true(shadow_is_settled(disk->shadow));
}

static void assert_says(const struct disk *disk, const char *text)
{
    if (!strstr(disk->world.last_payload, text))
        fail_msg("%s is not in %s", text, disk->world.last_payload);
}

/* Another writer changes the shadow. */
static void foreign(struct disk *disk, const char *reported)
{
    char text[256];
    int64_t version = ++disk->world.shadows[0].version;
    (void)snprintf(text, sizeof(text), "{\"state\":{\"reported\":%s},\"version\":%lld}", reported,
                   (long long)version);
    thing_receive(disk->world.thing, TOPIC "update/accepted", text, strlen(text),
                  disk->world.now_ms);
}

static void unset(struct disk *disk, const char *path)
{
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {
        .kind = FLUX_UNSET, .path = path, .path_size = strlen(path)};
    const struct shadow_report report = {
        .operations = &operation, .operation_count = 1, .set_us = disk->world.now_ms * 1000};
    assert_int_equal(shadow_report(disk->shadow, &report, disk->world.now_ms, NULL, &refusal),
                     SHADOW_REPORT_QUEUED);
}

/* Its update is built, and waits. */
static void prepare(struct disk *disk, const char *path, int64_t value)
{
    world_report(&disk->world, disk->shadow, path, value);
    assert_int_equal(world_take_all(&disk->world), 0);
    assert_true(thing_wants_save(disk->world.thing));
}

/* Exactly one update goes now, without time passing. */
static void assert_goes(struct disk *disk, const char *text)
{
    size_t updates = disk->world.updates;
    assert_int_equal(world_take_all(&disk->world), 1);
    assert_int_equal(disk->world.updates, updates + 1);
    assert_says(disk, text);
}

static struct shadow_status status_of(const struct disk *disk)
{
    struct shadow_status status;
    shadow_get_status(disk->shadow, &status);
    return status;
}

/* --- waiting --- */

static void test_an_update_goes_when_its_commit_is_there(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    assert_int_equal(thing_deadline(disk.world.thing, disk.world.now_ms), INT64_MAX);
    assert_int_equal(status_of(&disk).in_flight, 0);
    commit_begins(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_false(thing_has_sent_all(disk.world.thing));
    commit_ends(&disk);
    assert_false(thing_wants_save(disk.world.thing));
    assert_goes(&disk, "{\"a\":1}");
    assert_int_equal(status_of(&disk).in_flight, 1);
    world_answer(&disk.world);
    assert_true(thing_has_sent_all(disk.world.thing));
    assert_int_equal(status_of(&disk).updates_uncommitted, 0);
    world_end(&disk.world);
}

static void test_it_carries_what_its_commit_holds(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    world_report(&disk.world, disk.shadow, "/a", 2);
    world_report(&disk.world, disk.shadow, "/b", 1);
    commit_begins(&disk);
    world_report(&disk.world, disk.shadow, "/a", 3);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit_ends(&disk);
    assert_goes(&disk, "{\"a\":2,\"b\":1}");
    world_answer(&disk.world);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_goes(&disk, "{\"a\":3}");
    world_end(&disk.world);
}

static void test_a_commit_that_began_before_is_not_enough(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    commit_begins(&disk);
    prepare(&disk, "/a", 1);
    commit_ends(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_true(thing_wants_save(disk.world.thing));
    commit(&disk);
    assert_goes(&disk, "{\"a\":1}");
    world_end(&disk.world);
}

static void test_what_is_stored_goes_at_once(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    thing_link_down(disk.world.thing, disk.world.now_ms);
    world_report(&disk.world, disk.shadow, "/a", 1);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_false(thing_wants_save(disk.world.thing)); /* SyncIntervalMs will do */
    shadow_ask_stored(disk.shadow, UINT64_MAX);
    assert_true(thing_wants_save(disk.world.thing));
    commit(&disk);
    assert_false(thing_wants_save(disk.world.thing));
    thing_link_up(disk.world.thing, disk.world.now_ms);
    assert_goes(&disk, "{\"a\":1}");
    world_end(&disk.world);
}

static void test_nothing_is_committed_for_updates_that_are_not_due(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    for (int64_t i = 0; i < 2; i++) { /* the bucket */
        prepare(&disk, "/a", i);
        commit(&disk);
        assert_int_equal(world_take_all(&disk.world), 1);
        world_answer(&disk.world);
    }
    world_report(&disk.world, disk.shadow, "/a", 5);
    world_run(&disk.world, 60000);
    assert_false(thing_wants_save(disk.world.thing));
    world_run(&disk.world, options.interval_ms);
    assert_true(thing_wants_save(disk.world.thing));
    world_end(&disk.world);
}

static void test_answers_are_awaited_from_the_sending_on(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    world_run(&disk.world, 2 * options.response_timeout_ms);
    commit_ends(&disk);
    assert_goes(&disk, "{\"a\":1}");
    disk.world.now_ms += 100;
    world_answer(&disk.world);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_true(shadow_is_settled(disk.shadow));
    assert_int_equal(status_of(&disk).updates_timed_out, 0);
    world_end(&disk.world);
}

static void test_the_volatile_wait_for_nothing(void **state)
{
    (void)state;
    struct disk disk = {0};
    struct thing_options options = durable();
    options.durable = false;
    world_begin(&disk.world, &options);
    disk.shadow = world_open(&disk.world, NULL, NULL);
    thing_link_up(disk.world.thing, disk.world.now_ms);
    world_run(&disk.world, 5000);
    world_report(&disk.world, disk.shadow, "/a", 1);
    assert_goes(&disk, "{\"a\":1}");
    assert_false(thing_wants_save(disk.world.thing));
    assert_int_equal(status_of(&disk).updates_uncommitted, 0);
    world_end(&disk.world);
}

static void test_keys_tell_that_the_disk_is_waited_for(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    struct flux_json_writer writer;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    (void)thing_deadline(disk.world.thing, disk.world.now_ms);
    flux_json_writer_init(&writer, 0);
    assert_int_equal(shadow_write_keys(disk.shadow, "/a", 2, NULL, disk.world.now_ms, &writer), 0);
    assert_non_null(strstr(writer.text, "\"state\":\"queued\""));
    assert_non_null(strstr(writer.text, "\"held_by\":\"storage\""));
    flux_json_writer_clear(&writer);
    world_end(&disk.world);
}

static void test_gets_that_may_not_go_do_not_hold_it_back(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    disk.shadow->suspicions[SHADOW_REQUEST_GET].until_ms = disk.world.now_ms + 3600000;
    prepare(&disk, "/a", 1);
    commit(&disk);
    assert_goes(&disk, "{\"a\":1}");
    world_end(&disk.world);
}

/* --- what it was built on moves --- */

static void test_a_plain_one_takes_the_version_that_came_meanwhile(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    world_report(&disk.world, disk.shadow, "/a", 2); /* so that a new one would have to wait */
    foreign(&disk, "{\"x\":1}");
    assert_int_equal(world_take_all(&disk.world), 0);
    foreign(&disk, "{\"x\":2}");
    commit_ends(&disk);
    assert_goes(&disk, "{\"state\":{\"reported\":{\"a\":1}},\"version\":3,");
    world_end(&disk.world);
}

static void test_one_without_a_version_stays_so(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    disk.shadow->conflicts = CONFLICTS_MAX;
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    world_report(&disk.world, disk.shadow, "/a", 2);
    foreign(&disk, "{\"x\":1}");
    commit_ends(&disk);
    assert_goes(&disk, "{\"state\":{\"reported\":{\"a\":1}},\"clientToken\"");
    world_end(&disk.world);
}

static void test_one_that_creates_the_shadow_is_built_anew(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    world_begin(&disk.world, &options);
    disk.shadow = world_open(&disk.world, NULL, NULL);
    thing_link_up(disk.world.thing, disk.world.now_ms);
    world_run(&disk.world, 5000);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    foreign(&disk, "{\"x\":1}");
    assert_int_equal(disk.world.shadows[0].version, 1);
    commit_ends(&disk);
    assert_goes(&disk, "{\"state\":{\"reported\":{\"a\":1}},\"version\":1,");
    world_end(&disk.world);
}

static void test_a_cut_is_built_anew(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    foreign(&disk, "{\"a\":{\"x\":1}}");
    unset(&disk, "/a");
    prepare(&disk, "/a/b", 1);
    commit_begins(&disk);
    foreign(&disk, "{\"a\":{\"y\":1}}");
    assert_int_equal(world_take_all(&disk.world), 0);
    commit_ends(&disk);
    assert_goes(&disk, "{\"a\":{\"x\":null,\"b\":1,\"y\":null}}},\"version\":3,");
    world_end(&disk.world);
}

static void test_a_lost_link_drops_it_and_costs_nothing(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    world_drop(&disk.world);
    assert_false(thing_wants_save(disk.world.thing));
    world_report(&disk.world, disk.shadow, "/a", 2);
    thing_link_up(disk.world.thing, disk.world.now_ms);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_goes(&disk, "{\"a\":2}");
    assert_int_equal(status_of(&disk).updates_sent, 2);
    world_end(&disk.world);
}

static void test_what_is_forgotten_does_not_go(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    world_report(&disk.world, disk.shadow, "/b", 1);
    commit_begins(&disk);
    assert_int_equal(shadow_forget(disk.shadow, "/a", 2, disk.world.now_ms), 0);
    commit_ends(&disk);
    assert_goes(&disk, "{\"b\":1}");
    world_end(&disk.world);
}

static void test_a_reset_takes_it_back(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    assert_int_equal(shadow_reset(disk.shadow, disk.world.now_ms), 0);
    commit_ends(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_goes(&disk, "{\"z\":null}");
    world_end(&disk.world);
}

static void test_new_options_are_in_force_for_it(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    world_report(&disk.world, disk.shadow, "/b", 1);
    assert_int_equal(thing_set_options(disk.world.thing, &options, disk.world.now_ms), 0);
    commit_ends(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_goes(&disk, "{\"a\":1,\"b\":1}");
    world_end(&disk.world);
}

/* --- a sick disk --- */

static void test_a_sick_disk_holds_nothing_back(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    struct thing_status status;
    options.burst = 5;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    thing_set_storage_trouble(disk.world.thing, true, disk.world.now_ms);
    assert_goes(&disk, "{\"a\":1}");
    assert_int_equal(status_of(&disk).updates_uncommitted, 1);
    world_answer(&disk.world);
    world_report(&disk.world, disk.shadow, "/a", 2);
    assert_goes(&disk, "{\"a\":2}");
    world_answer(&disk.world);
    thing_get_status(disk.world.thing, &status);
    assert_int_equal(status.updates_uncommitted, 2);
    thing_set_storage_trouble(disk.world.thing, false, disk.world.now_ms);
    prepare(&disk, "/a", 3);
    commit(&disk);
    assert_goes(&disk, "{\"a\":3}");
    assert_int_equal(status_of(&disk).updates_uncommitted, 2);
    world_end(&disk.world);
}

/* --- budgets --- */

static void test_a_flush_meanwhile_is_about_the_next_one(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit_begins(&disk);
    world_report(&disk.world, disk.shadow, "/b", 1);
    thing_flush(disk.world.thing, disk.world.now_ms);
    commit_ends(&disk);
    assert_goes(&disk, "{\"a\":1}");
    world_answer(&disk.world);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_true(thing_wants_save(disk.world.thing));
    commit(&disk);
    assert_goes(&disk, "{\"b\":1}");
    world_end(&disk.world);
}

static void test_an_early_one_stays_early_when_it_is_built_anew(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit(&disk);
    assert_goes(&disk, "{\"a\":1}");
    world_answer(&disk.world);
    world_report(&disk.world, disk.shadow, "/a", 2);
    world_report(&disk.world, disk.shadow, "/b", 2);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_false(thing_wants_save(disk.world.thing));
    thing_flush(disk.world.thing, disk.world.now_ms);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_true(thing_wants_save(disk.world.thing));
    assert_int_equal(shadow_forget(disk.shadow, "/b", 2, disk.world.now_ms), 0);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_goes(&disk, "{\"a\":2}");
    world_end(&disk.world);
}

static void test_no_more_wait_than_may_be_in_flight(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    struct shadow *shadows[14];
    begin(&disk, &options);
    for (size_t i = 0; i < 14; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%zu", i);
        shadows[i] = world_open(&disk.world, NULL, name);
    }
    world_run(&disk.world, 60000);
    for (size_t i = 0; i < 14; i++)
        world_report(&disk.world, shadows[i], "/a", 1);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit_begins(&disk);
    for (size_t i = 0; i < 14; i++)
        world_report(&disk.world, shadows[i], "/a", 2);
    commit_ends(&disk);
    assert_int_equal(world_take_all(&disk.world), 10);
    assert_says(&disk, "{\"a\":1}");
    commit(&disk); /* one for all the rest */
    for (size_t i = 0; i < 4; i++) {
        world_answer(&disk.world);
        assert_goes(&disk, "{\"a\":2}");
    }
    world_end(&disk.world);
}

/* Use up the day but for one operation, so that the next is hours away. */
static void use_the_day(struct disk *disk, const struct thing_options *options)
{
    struct daily *daily = &disk->world.thing->daily;
    while (daily_used(daily, disk->world.now_ms) + 2 < options->daily_operations)
        daily_count(daily, disk->world.now_ms);
    disk->world.now_ms = daily_next_ms(daily, disk->world.now_ms);
}

static void test_what_the_day_holds_back_goes_as_the_newest_then(void **state)
{
    (void)state;
    struct disk disk;
    struct thing_options options = durable();
    options.daily_operations = 100;
    begin(&disk, &options);
    struct shadow *other = world_open(&disk.world, NULL, "other");
    world_run(&disk.world, 60000);
    use_the_day(&disk, &options);
    world_report(&disk.world, disk.shadow, "/a", 1);
    world_report(&disk.world, other, "/a", 1);
    assert_int_equal(world_take_all(&disk.world), 0);
    commit(&disk);
    assert_int_equal(world_take_all(&disk.world), 1); /* the other has to wait */
    world_answer(&disk.world);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_true(thing_deadline(disk.world.thing, disk.world.now_ms) > disk.world.now_ms);
    world_report(&disk.world, disk.shadow, "/a", 2);
    world_report(&disk.world, other, "/a", 2);
    commit(&disk);
    disk.world.now_ms += 2 * 24 * INT64_C(3600000);
    size_t updates = disk.world.updates;
    while (world_take(&disk.world) >= 0) {
        assert_null(strstr(disk.world.last_payload, "{\"a\":1}"));
        world_answer(&disk.world);
    }
    assert_int_equal(disk.world.updates, updates + 2);
    world_end(&disk.world);
}

/* --- values that the cloud holds --- */

static enum shadow_fate_state fate_of(struct disk *disk, const char *path, int64_t value,
                                      struct shadow_wait *ret_wait)
{
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {.kind = FLUX_SET,
                                               .path = path,
                                               .path_size = strlen(path),
                                               .value = flux_value_int64(value)};
    const struct shadow_report report = {
        .operations = &operation, .operation_count = 1, .set_us = disk->world.now_ms * 1000};
    assert_int_equal(shadow_report(disk->shadow, &report, disk->world.now_ms, ret_wait, &refusal),
                     SHADOW_REPORT_QUEUED);
    assert_int_equal(world_take_all(&disk->world), 0);
    return shadow_fate(disk->shadow, ret_wait).state;
}

static void test_a_value_that_the_cloud_holds_is_accepted_once_it_is_stored(void **state)
{
    (void)state;
    struct disk disk;
    struct shadow_wait wait;
    struct thing_options options = durable();
    begin(&disk, &options);
    size_t gets = disk.world.gets, updates = disk.world.updates;
    foreign(&disk, "{\"a\":5}");
    assert_int_equal(fate_of(&disk, "/a", 5, &wait), SHADOW_WAITING);
    assert_true(thing_wants_save(disk.world.thing));
    world_run(&disk.world, 5000);
    commit(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_int_equal(shadow_fate(disk.shadow, &wait).state, SHADOW_ACCEPTED);
    assert_true(shadow_stored_revision(disk.shadow) >= wait.revision);
    assert_int_equal(disk.world.gets, gets);
    assert_int_equal(disk.world.updates, updates);
    assert_false(thing_wants_save(disk.world.thing));
    shadow_release(disk.shadow, &wait);
    world_end(&disk.world);
}

static void test_what_the_cloud_holds_waits_for_the_disk_but_not_for_a_token(void **state)
{
    (void)state;
    struct disk disk;
    struct shadow_wait wait;
    struct thing_options options = durable();
    options.burst = 1;
    begin(&disk, &options);
    prepare(&disk, "/a", 1);
    commit(&disk);
    assert_goes(&disk, "{\"a\":1}");
    world_answer(&disk.world);
    foreign(&disk, "{\"b\":5}");
    assert_int_equal(fate_of(&disk, "/b", 5, &wait), SHADOW_WAITING);
    assert_true(thing_wants_save(disk.world.thing));
    commit(&disk);
    assert_int_equal(world_take_all(&disk.world), 0);
    assert_int_equal(shadow_fate(disk.shadow, &wait).state, SHADOW_ACCEPTED);
    assert_false(thing_wants_save(disk.world.thing));
    shadow_release(disk.shadow, &wait);
    world_end(&disk.world);
}

static void test_a_value_that_the_disk_holds_too_is_accepted_at_once(void **state)
{
    (void)state;
    struct disk disk;
    struct shadow_wait wait;
    struct thing_options options = durable();
    begin(&disk, &options);
    foreign(&disk, "{\"x\":1}"); /* a sign of life */
    struct flux_property *z = flux_property_set_find(&disk.shadow->ledger.set, "/z", 2);
    ledger_note_stored_row(&disk.shadow->ledger, z);
    assert_int_equal(fate_of(&disk, "/z", 0, &wait), SHADOW_ACCEPTED);
    assert_false(thing_wants_save(disk.world.thing));
    shadow_release(disk.shadow, &wait);
    world_end(&disk.world);
}

static void test_a_sick_disk_accepts_what_the_cloud_holds(void **state)
{
    (void)state;
    struct disk disk;
    struct shadow_wait first, second;
    struct thing_options options = durable();
    begin(&disk, &options);
    foreign(&disk, "{\"a\":5,\"b\":5}");
    assert_int_equal(fate_of(&disk, "/a", 5, &first), SHADOW_WAITING);
    thing_set_storage_trouble(disk.world.thing, true, disk.world.now_ms);
    assert_int_equal(fate_of(&disk, "/b", 5, &second), SHADOW_ACCEPTED);
    assert_int_equal(shadow_fate(disk.shadow, &first).state, SHADOW_ACCEPTED);
    shadow_release(disk.shadow, &first);
    shadow_release(disk.shadow, &second);
    world_end(&disk.world);
}

#define CASE(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_an_update_goes_when_its_commit_is_there),
        CASE(test_it_carries_what_its_commit_holds),
        CASE(test_a_commit_that_began_before_is_not_enough),
        CASE(test_what_is_stored_goes_at_once),
        CASE(test_nothing_is_committed_for_updates_that_are_not_due),
        CASE(test_answers_are_awaited_from_the_sending_on),
        CASE(test_the_volatile_wait_for_nothing),
        CASE(test_keys_tell_that_the_disk_is_waited_for),
        CASE(test_gets_that_may_not_go_do_not_hold_it_back),
        CASE(test_a_plain_one_takes_the_version_that_came_meanwhile),
        CASE(test_one_without_a_version_stays_so),
        CASE(test_one_that_creates_the_shadow_is_built_anew),
        CASE(test_a_cut_is_built_anew),
        CASE(test_a_lost_link_drops_it_and_costs_nothing),
        CASE(test_what_is_forgotten_does_not_go),
        CASE(test_a_reset_takes_it_back),
        CASE(test_new_options_are_in_force_for_it),
        CASE(test_a_sick_disk_holds_nothing_back),
        CASE(test_a_flush_meanwhile_is_about_the_next_one),
        CASE(test_an_early_one_stays_early_when_it_is_built_anew),
        CASE(test_no_more_wait_than_may_be_in_flight),
        CASE(test_what_the_day_holds_back_goes_as_the_newest_then),
        CASE(test_a_value_that_the_cloud_holds_is_accepted_once_it_is_stored),
        CASE(test_what_the_cloud_holds_waits_for_the_disk_but_not_for_a_token),
        CASE(test_a_value_that_the_disk_holds_too_is_accepted_at_once),
        CASE(test_a_sick_disk_accepts_what_the_cloud_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
