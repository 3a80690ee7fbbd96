/* What a restart leaves of the engine. */
#include "daemon/shadow/policies.h"
#include "tests/unit/saved_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_sent(const struct saved_world *world, const char *state, const char *rest)
{
    char expected[512];
    (void)snprintf(expected, sizeof(expected), "{\"state\":%s%s", state, rest);
    if (strncmp(world->payload, expected, strlen(expected)) != 0)
        fail_msg("sent: %s\nexpected: %s", world->payload, expected);
}

static void save_and_restart(struct saved_world *world, bool reboot)
{
    (void)saved_world_save(world);
    saved_world_check(world);
    saved_world_restart(world, reboot);
    assert_int_equal(world->last_restore, 0);
    saved_world_check(world);
}

/* As it is, accepted, and looked at. */
static void report_and_accept(struct saved_world *world, const char *path, const char *json,
                              const char *state, int64_t version)
{
    (void)saved_world_report(world, path, json);
    assert_true(saved_world_take(world));
    saved_world_accept(world, state, version);
    assert_int_equal(saved_world_slot(world, path)->state, SLOT_SETTLED);
}

static void test_pending_values_go_out_after_a_restart(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/b", "1");
    (void)saved_world_report(world, "/a/x", "\"on\"");
    (void)saved_world_report(world, "/c", "[1,{\"k\":2.5}]");
    save_and_restart(world, false);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED),
                        "{\"b\":1,\"a\":{\"x\":\"on\"},\"c\":[1,{\"k\":2.5}]}");
    assert_int_equal(world->shadow->ledger.pending.count, 3);
    assert_int_equal(shadow_stored_revision(world->shadow), 3);
    saved_world_begin_with(world, "{\"reported\":{\"b\":1}}", 7);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":{\"x\":\"on\"},\"c\":[1,{\"k\":2.5}]}}",
                ",\"version\":7");
    saved_world_accept(world, "{\"reported\":{\"a\":{\"x\":\"on\"},\"c\":[1,{\"k\":2.5}]}}", 8);
    assert_true(shadow_is_settled(world->shadow));
}

static void test_pending_values_keep_their_order(void **state)
{
    struct saved_world *world = *state;
    world->backwards = true;
    (void)saved_world_report(world, "/c", "1");
    (void)saved_world_report(world, "/a", "2");
    (void)saved_world_report(world, "/b", "3");
    save_and_restart(world, false);
    const char *order[] = {"/c", "/a", "/b"};
    const struct flux_property *p = world->shadow->ledger.pending.first;
    for (size_t i = 0; i < 3; i++, p = slot_of(p)->queue_next)
        assert_string_equal(p->path, order[i]);
    assert_null(p);
    assert_string_equal(world->shadow->ledger.pending.last->path, "/b");
}

static void test_revisions_go_on_above_those_of_the_disk(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_report(world, "/a", "2");
    save_and_restart(world, false);
    struct shadow_wait wait = saved_world_report(world, "/b", "1");
    assert_int_equal(wait.revision, 3);
    assert_int_equal(shadow_stored_revision(world->shadow), 2);
}

static void test_nothing_is_written_again_after_a_restart(void **state)
{
    struct saved_world *world = *state;
    world->backwards = true;
    saved_world_begin_with(
        world, "{\"reported\":{\"x\":{\"y\":1,\"z\":{}}},\"desired\":{\"w\":{\"v\":1.5}}}", 3);
    report_and_accept(world, "/a", "1", "{\"reported\":{\"a\":1}}", 4);
    (void)saved_world_report(world, "/b", NULL);
    (void)saved_world_report(world, "/w/v", "settle");
    save_and_restart(world, false);
    assert_int_equal(saved_world_save(world), 0);
    save_and_restart(world, true);
    assert_int_equal(saved_world_save(world), 0);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_DESIRED), "{\"w\":{\"v\":1.5}}");
}

static void test_a_held_version_proves_the_view_and_only_the_difference_goes_out(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1}}", 3);
    report_and_accept(world, "/a", "1", "{\"reported\":{\"a\":1}}", 4);
    (void)saved_world_report(world, "/b", "2");
    save_and_restart(world, false);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_false(world->is_get);
    assert_sent(world, "{\"reported\":{\"b\":2}}", ",\"version\":4");
    saved_world_accept(world, "{\"reported\":{\"b\":2}}", 5);
    assert_int_equal(world->shadow->view.state, SHADOW_VIEW_PROVEN);
}

static void test_after_a_reboot_only_a_get_proves_the_view(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/b", "2");
    save_and_restart(world, true);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
}

static void test_a_view_in_doubt_is_not_held_after_a_restart(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/b", "2");
    shadow_raise_doubt(world->shadow, SHADOW_DOUBT_ANSWER, world->now_ms);
    save_and_restart(world, false);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
}

static void test_what_was_taken_before_the_crash_is_not_sent_again(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/a", "1");
    assert_true(saved_world_take(world)); /* stored as pending, and out */
    saved_world_restart(world, false);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_false(world->is_get);
    saved_world_reject(world, 409);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
    saved_world_accept(world, "{\"reported\":{\"a\":1}}", 4);
    assert_false(saved_world_take(world));
    assert_true(shadow_is_settled(world->shadow));
}

static void test_a_refused_value_stays_refused(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/a", "1");
    assert_true(saved_world_take(world));
    saved_world_reject(world, 400);
    assert_int_equal(saved_world_slot(world, "/a")->state, SLOT_REFUSED);
    save_and_restart(world, true);
    const struct slot *slot = saved_world_slot(world, "/a");
    assert_int_equal(slot->state, SLOT_REFUSED);
    assert_int_equal(slot->refused_code, 400);
    assert_string_equal(slot->refused_text, "not so");
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    assert_false(saved_world_take(world));
    (void)saved_world_report(world, "/a", "2"); /* until it changes */
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":2}}", "");
}

static void test_a_value_refused_for_its_size_is_tried_when_there_is_room(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":\"0123456789\"}}", 3);
    (void)saved_world_report(world, "/a", "1");
    assert_true(saved_world_take(world));
    saved_world_reject(world, 400);
    struct slot *slot = (struct slot *)saved_world_slot(world, "/a");
    slot->refused_total = 40;
    slot->refused_lacking = 10;
    ledger_mark(&world->shadow->ledger,
                flux_property_set_find(&world->shadow->ledger.set, "/a", 2));
    save_and_restart(world, true);
    saved_world_begin_with(world, "{\"reported\":{\"x\":\"0123456789\"}}", 3);
    assert_true(saved_world_take(world)); /* 20 bytes now: there is room */
    assert_sent(world, "{\"reported\":{\"a\":1}}", "");
}

static void test_a_cut_survives(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "5");
    (void)saved_world_report(world, "/a/c", "1");
    save_and_restart(world, true);
    assert_int_equal(world->shadow->ledger.set.cut_count, 1);
    saved_world_begin_with(world, "{\"reported\":{\"a\":{\"b\":1},\"x\":2}}", 3);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":{\"c\":1,\"b\":null}}}", ",\"version\":3");
}

static void test_a_removal_survives(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", NULL);
    save_and_restart(world, false);
    saved_world_begin_with(world, "{\"reported\":{\"a\":{\"b\":1},\"x\":2}}", 3);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":null}}", ",\"version\":3");
}

/* The accepted scalar stays if what replaced it is refused. */
static void test_a_refused_replacement_takes_its_cut_along_after_a_restart(void **state)
{
    struct saved_world *world = *state;
    world->backwards = true;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    report_and_accept(world, "/a", "5", "{\"reported\":{\"a\":5}}", 4);
    (void)saved_world_report(world, "/a/c", "1");
    save_and_restart(world, false);
    const struct flux_property *a = flux_property_set_find(&world->shadow->ledger.set, "/a", 2);
    assert_true(a->cut && a->replaced);
    assert_string_equal(slot_of(a)->cut_cause->path, "/a/c");
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    saved_world_reject(world, 400);
    assert_int_equal(world->shadow->ledger.set.cut_count, 0);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
    saved_world_accept(world, "{\"reported\":{\"a\":5}}", 4);
    assert_false(saved_world_take(world));
}

static void test_a_reset_goes_on(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1}}", 3);
    report_and_accept(world, "/a", "5", "{\"reported\":{\"a\":5}}", 4);
    assert_int_equal(shadow_reset(world->shadow, world->now_ms), 0);
    save_and_restart(world, false);
    assert_false(shadow_is_reset(world->shadow));
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":null}}", ",\"version\":4");
    assert_false(shadow_is_reset(world->shadow));
    saved_world_accept(world, "{\"reported\":{\"a\":null}}", 5);
    thing_tick(world->thing, world->now_ms);
    assert_true(shadow_is_reset(world->shadow));
    save_and_restart(world, false);
    assert_true(shadow_is_reset(world->shadow));
}

/* --- what is not defended --- */

static void test_an_accepted_value_from_the_disk_is_not_defended(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    report_and_accept(world, "/a", "1", "{\"reported\":{\"a\":1}}", 4);
    report_and_accept(world, "/b", "1", "{\"reported\":{\"b\":1}}", 5);
    save_and_restart(world, false);
    (void)saved_world_report(world, "/b", "1"); /* its program still means it */
    world->now_ms += 100000;
    saved_world_connect(world);
    while (saved_world_take(world) && !world->is_get)
        saved_world_reject(world, 409);
    saved_world_accept(world, "{\"reported\":{\"a\":9,\"b\":9}}", 8);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":9,\"b\":1}");
    world->now_ms += 10000;
    thing_tick(world->thing, world->now_ms);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"b\":1}}", ",\"version\":8");
    saved_world_accept(world, "{\"reported\":{\"b\":1}}", 9);
    save_and_restart(world, false);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":9,\"b\":1}");
}

static void test_a_value_reported_again_is_defended(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    report_and_accept(world, "/a", "1", "{\"reported\":{\"a\":1}}", 4);
    save_and_restart(world, false);
    saved_world_begin_with(world, "{\"reported\":{\"a\":1}}", 4);
    (void)saved_world_report(world, "/a", "1");
    thing_tick(world->thing, world->now_ms);
    assert_int_equal(saved_world_slot(world, "/a")->state, SLOT_SETTLED);
    saved_world_foreign(world, "{\"reported\":{\"a\":7}}", 5);
    assert_int_equal(saved_world_slot(world, "/a")->state, SLOT_CONTESTED);
    world->now_ms += 2000;
    thing_tick(world->thing, world->now_ms);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"a\":1}}", ",\"version\":5");
}

static void test_a_deleted_shadow_is_not_made_anew_from_the_disk(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    report_and_accept(world, "/a", "1", "{\"reported\":{\"a\":1}}", 4);
    save_and_restart(world, true);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    saved_world_reject(world, 404);
    assert_false(saved_world_take(world));
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "-");
}

/* --- settling --- */

static void test_a_settle_goes_on(void **state)
{
    struct saved_world *world = *state;
    world->backwards = true;
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\",\"x\":1}}", 3);
    (void)saved_world_report(world, "/led", "\"on\"");
    (void)saved_world_report(world, "/led", "settle");
    save_and_restart(world, false);
    assert_int_equal(world->shadow->settles.count, 1);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"reported\":{\"led\":\"on\"},\"desired\":{\"led\":null}}",
                ",\"version\":3");
    saved_world_accept(world, "{\"reported\":{\"led\":\"on\"},\"desired\":{\"led\":null}}", 4);
    assert_int_equal(world->shadow->settles.count, 0);
    save_and_restart(world, false);
    assert_int_equal(world->shadow->settles.count, 0);
}

static void test_a_settle_from_the_disk_does_not_take_a_newer_wish(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\"}}", 3);
    (void)saved_world_report(world, "/led", "settle");
    (void)saved_world_save(world);
    saved_world_foreign(world, "{\"desired\":{\"led\":\"off\"}}", 4);
    saved_world_foreign(world, "{\"desired\":{\"led\":\"on\"}}", 5); /* the same, but newer */
    save_and_restart(world, false);
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\"}}", 5);
    assert_false(saved_world_take(world));
    assert_int_equal(world->shadow->settles.count, 0);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_DESIRED), "{\"led\":\"on\"}");
}

static void test_a_settle_from_the_disk_takes_only_what_it_still_answers(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"desired\":{\"m\":{\"a\":1,\"b\":1}}}", 3);
    (void)saved_world_report(world, "/m", "settle");
    (void)saved_world_save(world);
    saved_world_foreign(world, "{\"desired\":{\"m\":{\"a\":2}}}", 4);
    saved_world_foreign(world, "{\"desired\":{\"m\":{\"a\":1}}}", 5);
    save_and_restart(world, false);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_sent(world, "{\"desired\":{\"m\":{\"b\":null}}}", ",\"version\":5");
}

static void test_a_wish_that_was_said_again_while_the_daemon_was_away_stays(void **state)
{
    static const char first[] =
        "{\"desired\":{\"led\":\"on\"}},\"metadata\":{\"desired\":{\"led\":{\"timestamp\":100}}}";
    static const char again[] =
        "{\"desired\":{\"led\":\"on\"}},\"metadata\":{\"desired\":{\"led\":{\"timestamp\":105}}}";
    struct saved_world *world = *state;
    saved_world_begin_with(world, first, 3);
    (void)saved_world_report(world, "/led", "settle");
    save_and_restart(world, true);
    saved_world_begin_with(world, first, 3);
    assert_int_equal(world->shadow->settles.count, 1);
    save_and_restart(world, true);
    saved_world_begin_with(world, again, 6);
    assert_false(saved_world_take(world));
    assert_int_equal(world->shadow->settles.count, 0);
}

static void test_settles_keep_their_order(void **state)
{
    struct saved_world *world = *state;
    world->backwards = true;
    saved_world_begin_with(world, "{\"desired\":{\"a\":1,\"b\":2,\"c\":3}}", 3);
    (void)saved_world_report(world, "/c", "settle");
    (void)saved_world_report(world, "/a", "settle");
    (void)saved_world_report(world, "/b", "settle");
    save_and_restart(world, false);
    const char *order[] = {"/c", "/a", "/b"};
    const struct flux_property *p = world->shadow->settles.first;
    for (size_t i = 0; i < 3; i++, p = settle_of(p)->next)
        assert_string_equal(p->path, order[i]);
    assert_null(p);
    assert_string_equal(world->shadow->settles.last->path, "/b");
    assert_int_equal(shadow_settled_revision(world->shadow), 0);
}

/* --- watchers --- */

static bool next_wish(struct saved_world *world, struct shadow_wish_cursor *cursor,
                      struct shadow_wish *ret_wish)
{
    return shadow_next_wish(world->shadow, "", 0, cursor, ret_wish);
}

static void test_wishes_from_the_disk_are_stale_and_then_confirmed(void **state)
{
    struct saved_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    struct shadow_wish wish;
    int64_t version;
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\"}}", 3);
    save_and_restart(world, true);
    shadow_add_watcher(world->shadow);
    assert_true(next_wish(world, &cursor, &wish));
    assert_string_equal(wish.path, "/led");
    assert_int_equal(wish.version, 3);
    assert_true(wish.stale);
    assert_false(next_wish(world, &cursor, &wish));
    assert_false(shadow_knows_wishes(world->shadow, &version));
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\"}}", 5);
    assert_true(next_wish(world, &cursor, &wish));
    assert_string_equal(wish.path, "/led");
    assert_int_equal(wish.version, 5);
    assert_false(wish.stale);
    assert_false(next_wish(world, &cursor, &wish));
    assert_true(shadow_knows_wishes(world->shadow, &version));
    shadow_remove_watcher(world->shadow);
}

static void test_a_wish_that_went_while_the_daemon_was_away_is_told_to_have_ended(void **state)
{
    struct saved_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    struct shadow_wish wish;
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\"}}", 3);
    save_and_restart(world, true);
    shadow_add_watcher(world->shadow);
    assert_true(next_wish(world, &cursor, &wish));
    saved_world_begin_with(world, "{\"reported\":{}}", 5);
    assert_true(next_wish(world, &cursor, &wish));
    assert_null(wish.value);
    assert_false(next_wish(world, &cursor, &wish));
    shadow_remove_watcher(world->shadow);
}

/* --- programs and policies --- */

static void set_policy(struct saved_world *world, const struct policy *policy, unsigned keys)
{
    struct policies *policies;
    const struct policy_rule rule = {.glob = "/**", .keys = keys, .policy = *policy};
    assert_int_equal(policies_new(&policies), 0);
    assert_int_equal(policies_add(policies, &rule), 0);
    assert_int_equal(thing_set_policies(world->thing, policies, world->now_ms), 0);
}

static void test_a_program_of_before_is_away_from_the_start_on(void **state)
{
    struct saved_world *world = *state;
    const struct writer_identity pump = {.name = "pump", .uid = 7, .unit = "pump.service"};
    const struct policy policy = {.unset_on_exit = true};
    struct writer *writer;
    assert_int_equal(thing_writer_open(world->thing, &pump, world->now_ms, &writer), 0);
    (void)saved_world_report_as(world, "/a", "1", writer);
    (void)saved_world_save(world);
    saved_world_start(world);
    set_policy(world, &policy, POLICY_ON_EXIT);
    world->now_ms += 1000000;
    saved_world_load(world);
    const struct slot *slot = saved_world_slot(world, "/a");
    assert_non_null(slot->writer);
    assert_string_equal(slot->writer->name, "pump");
    assert_string_equal(slot->writer->unit, "pump.service");
    assert_int_equal(slot->writer->uid, 7);
    int64_t gone_ms = world->now_ms + world->options.gone_after_ms;
    thing_tick(world->thing, gone_ms - 1);
    assert_int_equal(world->shadow->ledger.set.value_count, 1);
    thing_tick(world->thing, gone_ms);
    assert_int_equal(world->shadow->ledger.set.value_count, 0);
}

static void test_a_program_that_comes_back_keeps_its_values(void **state)
{
    struct saved_world *world = *state;
    const struct writer_identity pump = {.name = "pump", .uid = 7, .unit = "pump.service"};
    const struct policy policy = {.unset_on_exit = true};
    struct writer *writer;
    assert_int_equal(thing_writer_open(world->thing, &pump, world->now_ms, &writer), 0);
    (void)saved_world_report_as(world, "/a", "1", writer);
    (void)saved_world_save(world);
    saved_world_start(world);
    set_policy(world, &policy, POLICY_ON_EXIT);
    saved_world_load(world);
    assert_int_equal(thing_writer_open(world->thing, &pump, world->now_ms, &writer), 0);
    assert_ptr_equal(saved_world_slot(world, "/a")->writer, writer);
    thing_tick(world->thing, world->now_ms + 100 * world->options.gone_after_ms);
    assert_int_equal(world->shadow->ledger.set.value_count, 1);
}

static void test_values_expire_counted_from_their_report(void **state)
{
    struct saved_world *world = *state;
    const struct policy policy = {.expire_ms = 60000};
    (void)saved_world_report(world, "/a", "1");
    int64_t reported_ms = world->now_ms;
    (void)saved_world_save(world);
    world->now_ms += 30000;
    saved_world_start(world);
    set_policy(world, &policy, POLICY_EXPIRE);
    saved_world_load(world);
    thing_tick(world->thing, reported_ms + 59999);
    assert_int_equal(world->shadow->ledger.set.value_count, 1);
    thing_tick(world->thing, reported_ms + 60000);
    assert_int_equal(world->shadow->ledger.set.value_count, 0);
}

static void test_values_of_before_the_boot_do_not_expire_early(void **state)
{
    struct saved_world *world = *state;
    const struct policy policy = {.expire_ms = 60000};
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_save(world);
    world->now_ms = 500000; /* long after the boot */
    saved_world_restart(world, true);
    set_policy(world, &policy, POLICY_EXPIRE);
    thing_tick(world->thing, 559999);
    assert_int_equal(world->shadow->ledger.set.value_count, 1);
    thing_tick(world->thing, 560000);
    assert_int_equal(world->shadow->ledger.set.value_count, 0);
}

static void report_resent(struct saved_world *world, const char *path, int64_t value,
                          int64_t set_us)
{
    struct shadow_operation op = {.path = path,
                                  .path_size = strlen(path),
                                  .kind = FLUX_SET,
                                  .value = flux_value_int64(value)};
    struct shadow_report report = {
        .operations = &op, .operation_count = 1, .set_us = set_us, .resent = true};
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(world->shadow, &report, world->now_ms, NULL, &refusal), 0);
}

static void test_resent_is_not_newer_than_what_the_disk_kept(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_report(world, "/b", "1");
    int64_t before_us = world->now_ms * 1000;
    (void)saved_world_report(world, "/a", "2");
    (void)saved_world_report(world, "/b", NULL);
    save_and_restart(world, false);
    report_resent(world, "/a", 1, before_us);
    report_resent(world, "/b", 1, before_us);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":2}");
}

#define SAVED(name) cmocka_unit_test_setup_teardown(name, saved_world_setup, saved_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAVED(test_pending_values_go_out_after_a_restart),
        SAVED(test_pending_values_keep_their_order),
        SAVED(test_revisions_go_on_above_those_of_the_disk),
        SAVED(test_nothing_is_written_again_after_a_restart),
        SAVED(test_a_held_version_proves_the_view_and_only_the_difference_goes_out),
        SAVED(test_after_a_reboot_only_a_get_proves_the_view),
        SAVED(test_a_view_in_doubt_is_not_held_after_a_restart),
        SAVED(test_what_was_taken_before_the_crash_is_not_sent_again),
        SAVED(test_a_refused_value_stays_refused),
        SAVED(test_a_value_refused_for_its_size_is_tried_when_there_is_room),
        SAVED(test_a_cut_survives),
        SAVED(test_a_removal_survives),
        SAVED(test_a_refused_replacement_takes_its_cut_along_after_a_restart),
        SAVED(test_a_reset_goes_on),
        SAVED(test_an_accepted_value_from_the_disk_is_not_defended),
        SAVED(test_a_value_reported_again_is_defended),
        SAVED(test_a_deleted_shadow_is_not_made_anew_from_the_disk),
        SAVED(test_a_settle_goes_on),
        SAVED(test_a_settle_from_the_disk_does_not_take_a_newer_wish),
        SAVED(test_a_settle_from_the_disk_takes_only_what_it_still_answers),
        SAVED(test_a_wish_that_was_said_again_while_the_daemon_was_away_stays),
        SAVED(test_settles_keep_their_order),
        SAVED(test_wishes_from_the_disk_are_stale_and_then_confirmed),
        SAVED(test_a_wish_that_went_while_the_daemon_was_away_is_told_to_have_ended),
        SAVED(test_a_program_of_before_is_away_from_the_start_on),
        SAVED(test_a_program_that_comes_back_keeps_its_values),
        SAVED(test_values_expire_counted_from_their_report),
        SAVED(test_values_of_before_the_boot_do_not_expire_early),
        SAVED(test_resent_is_not_newer_than_what_the_disk_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
