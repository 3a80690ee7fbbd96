/* Rows that make no sense: the disk is not trusted. */
#include "daemon/base/random.h"
#include "tests/unit/saved_world.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- what has to hold whatever comes from a disk --- */

static void check_queue(const struct ledger_queue *queue, enum slot_state state)
{
    size_t count = 0;
    const struct flux_property *previous = NULL;
    for (const struct flux_property *p = queue->first; p; p = slot_of(p)->queue_next) {
        assert_int_equal(slot_of(p)->state, state);
        assert_ptr_equal(slot_of(p)->queue_previous, previous);
        previous = p;
        count++;
    }
    assert_ptr_equal(queue->last, previous);
    assert_int_equal(queue->count, count);
}

static void check_node(const struct ledger *ledger, const struct flux_property *p)
{
    const struct slot *slot = slot_of(p);
    bool has_value = p->value.type != FLUX_VALUE_NONE;
    bool has_entry = has_value || p->cut;
    assert_true(has_entry == (slot->state != SLOT_EMPTY));
    assert_true(ledger_newest(p) <= ledger->newest_revision);
    assert_true(!(p->cut && flux_property_is_leaf(p)));
    for (const struct flux_property *a = p->parent; a && has_entry; a = a->parent)
        assert_false(flux_property_is_leaf(a));
    if (slot->cloud.type != FLUX_VALUE_NONE && p->parent)
        assert_int_equal(slot_of(p->parent)->cloud.type, FLUX_VALUE_EMPTY_OBJECT);
    if (slot->state == SLOT_PENDING)
        assert_true(slot->oldest_revision > 0 && slot->oldest_revision <= ledger_newest(p));
}

static void check_shadow(const struct shadow *shadow)
{
    const struct ledger *ledger = &shadow->ledger;
    size_t values = 0, cuts = 0, nodes = 0, refused = 0, pending = 0;
    const struct flux_property *root = ledger->set.root;
    for (const struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        check_node(ledger, p);
        values += p->value.type != FLUX_VALUE_NONE;
        cuts += p->cut;
        refused += slot_of(p)->state == SLOT_REFUSED;
        pending += slot_of(p)->state == SLOT_PENDING;
        nodes++;
    }
    assert_int_equal(ledger->set.value_count, values);
    assert_int_equal(ledger->set.cut_count, cuts);
    assert_int_equal(ledger->set.node_count, nodes);
    assert_int_equal(ledger->refused_count, refused);
    assert_int_equal(ledger->pending.count, pending);
    assert_true(values + cuts <= FLUX_PROPERTIES_MAX);
    assert_true(shadow->settles.count <= FLUX_PROPERTIES_MAX);
    assert_true(ledger->newest_revision < UINT64_MAX / 2);
    assert_true(shadow->stored_revision <= ledger->newest_revision);
    check_queue(&ledger->pending, SLOT_PENDING);
    check_queue(&ledger->contested, SLOT_CONTESTED);
}

/* It still works: reports, requests and saves go on, and come to an end. */
static void check_life(struct saved_world *world)
{
    check_shadow(world->shadow);
    (void)saved_world_report(world, "/zz", "1");
    saved_world_connect(world);
    for (int i = 0; i < 6 && saved_world_take(world); i++) {
        if (world->is_get)
            saved_world_accept(world, "{\"reported\":{\"a\":{\"b\":1}},\"desired\":{\"w\":1}}", 70);
        else
            saved_world_accept(world, "{\"reported\":{\"zz\":1}}", 71 + i);
        world->now_ms += 1000;
        thing_tick(world->thing, world->now_ms);
        check_shadow(world->shadow);
    }
    (void)saved_world_text(world, SHADOW_SECTION_REPORTED);
    (void)saved_world_text(world, SHADOW_SECTION_DELTA);
    struct shadow_status status;
    shadow_get_status(world->shadow, &status);
    for (int i = 0; i < 6; i++) /* rows of paths that are forgotten go from below */
        (void)saved_world_save(world);
    assert_false(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 0);
}

/* --- rows --- */

static struct saved_row property_row(const char *path, enum saved_state state,
                                     struct flux_value value, uint64_t revision)
{
    return (struct saved_row){
        .kind = SAVED_PROPERTY,
        .thing = "",
        .shadow = "",
        .path = path,
        .path_size = strlen(path),
        .of_property = {.state = state, .value = value, .revision = revision},
    };
}

static int restore_one(struct saved_world *world, const struct saved_row *row)
{
    saved_world_start(world);
    int r = thing_restore(world->thing, row, world->now_ms);
    thing_restored(world->thing, world->now_ms);
    check_shadow(world->shadow);
    return r;
}

static void test_bad_paths_are_skipped(void **state)
{
    struct saved_world *world = *state;
    static const char *const paths[] = {"a", "/", "/a//b", "/a~", "/a~2", "/\xff", "/a\x01", "/a/"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct saved_row row = property_row(paths[i], SAVED_PENDING, flux_value_int64(1), 1);
        assert_int_equal(restore_one(world, &row), -EINVAL);
    }
    char deep[200] = "", longer[2000];
    for (int i = 0; i < 41; i++)
        memcpy(deep + 2 * i, "/a", 3);
    memset(longer, 'a', sizeof(longer));
    longer[0] = '/';
    longer[1500] = '\0';
    struct saved_row row = property_row(deep, SAVED_PENDING, flux_value_int64(1), 1);
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row = property_row(longer, SAVED_NOTHING, (struct flux_value){0}, 0);
    row.of_property.cloud = flux_value_int64(1);
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row = property_row("", SAVED_PENDING, flux_value_int64(1), 1); /* the root cannot be a value */
    assert_int_equal(restore_one(world, &row), -EINVAL);
}

/* The cloud may hold keys that no program may use. */
static void test_odd_keys_of_the_cloud_come_back(void **state)
{
    struct saved_world *world = *state;
    static const char document[] = "{\"reported\":{\"\":{\"a\\u0001\":1},\"b/c~d\":2}}";
    saved_world_begin_with(world, document, 3);
    (void)saved_world_save(world);
    saved_world_restart(world, false);
    assert_int_equal(world->last_restore, 0);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED),
                        "{\"\":{\"a\\u0001\":1},\"b/c~d\":2}");
    assert_int_equal(saved_world_save(world), 0);
}

static void test_values_that_cannot_be_are_skipped(void **state)
{
    struct saved_world *world = *state;
    struct flux_value values[] = {
        flux_value_double((double)NAN),   flux_value_double((double)INFINITY),
        flux_value_string("\xc3\x28", 2), flux_value_array("[1,", 3),
        flux_value_array("{}", 2),        flux_value_array("[null]", 6),
        flux_value_string(NULL, 5),       {.type = (enum flux_value_type)99},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct saved_row row = property_row("/a", SAVED_PENDING, values[i], 1);
        assert_int_equal(restore_one(world, &row), -EINVAL);
        row = property_row("/a", SAVED_NOTHING, (struct flux_value){0}, 0);
        row.of_property.cloud = values[i];
        assert_int_equal(restore_one(world, &row), -EINVAL);
    }
}

static void test_states_without_what_belongs_to_them_are_skipped(void **state)
{
    struct saved_world *world = *state;
    struct flux_value none = {0}, one = flux_value_int64(1);
    const struct saved_row rows[] = {
        property_row("/a", SAVED_NOTHING, one, 1),       property_row("/a", SAVED_PENDING, none, 1),
        property_row("/a", SAVED_ACCEPTED, none, 1),     property_row("/a", SAVED_REFUSED, none, 1),
        property_row("/a", SAVED_PENDING, one, 0),       property_row("/a", SAVED_ACCEPTED, one, 0),
        property_row("/a", (enum saved_state)7, one, 1),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(restore_one(world, &rows[i]), -EINVAL);
    struct saved_row cut = property_row("/a", SAVED_PENDING, one, 1);
    cut.of_property.cut = true; /* beside a scalar */
    cut.of_property.cut_revision = 1;
    assert_int_equal(restore_one(world, &cut), -EINVAL);
    cut = property_row("/a", SAVED_PENDING, none, 1);
    cut.of_property.cut = true; /* of no operation */
    assert_int_equal(restore_one(world, &cut), -EINVAL);
    cut.of_property.cut_revision = 1;
    cut.of_property.cut_cause = "/b/c"; /* that is not below it */
    cut.of_property.cut_cause_size = 4;
    assert_int_equal(restore_one(world, &cut), -EINVAL);
    cut.of_property.cut_cause = "/a/c";
    assert_int_equal(restore_one(world, &cut), 0);
}

static void test_absurd_revisions_are_skipped(void **state)
{
    struct saved_world *world = *state;
    static const uint64_t revisions[] = {UINT64_MAX, UINT64_MAX - 1, SAVED_REVISION_MAX};
    for (size_t i = 0; i < sizeof(revisions) / sizeof(revisions[0]); i++) {
        struct saved_row row = property_row("/a", SAVED_PENDING, flux_value_int64(1), revisions[i]);
        assert_int_equal(restore_one(world, &row), -EINVAL);
        row = (struct saved_row){.kind = SAVED_SHADOW, .thing = "", .shadow = "", .path = ""};
        row.of_shadow.newest_revision = revisions[i];
        assert_int_equal(restore_one(world, &row), -EINVAL);
    }
    struct saved_row row =
        property_row("/a", SAVED_PENDING, flux_value_int64(1), SAVED_REVISION_MAX - 1);
    assert_int_equal(restore_one(world, &row), 0);
    check_life(world);
}

static void test_absurd_versions_and_names_are_skipped(void **state)
{
    struct saved_world *world = *state;
    struct saved_row row = {.kind = SAVED_SHADOW, .thing = "", .shadow = "", .path = ""};
    row.of_shadow.version = INT64_MAX;
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row.of_shadow.version = -2;
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row.of_shadow.version = 1;
    row.thing = "a/b";
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row.thing = "";
    row.shadow = "no+name";
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row.shadow = NULL;
    assert_int_equal(restore_one(world, &row), -EINVAL);
}

static void test_times_of_another_clock_count_as_unknown(void **state)
{
    struct saved_world *world = *state;
    struct saved_row row = property_row("/a", SAVED_PENDING, flux_value_int64(1), 1);
    row.of_property.set_us = INT64_MAX;
    row.of_property.cleared_us = INT64_MAX - 1;
    assert_int_equal(restore_one(world, &row), 0);
    const struct flux_property *a = flux_property_set_find(&world->shadow->ledger.set, "/a", 2);
    assert_int_equal(a->set_us, 0);
    assert_int_equal(a->cleared_us, 0);
    row.of_property.set_us = -1;
    assert_int_equal(restore_one(world, &row), -EINVAL);
}

static void test_a_scalar_and_what_stands_below_it_are_separated(void **state)
{
    struct saved_world *world = *state;
    struct saved_row above = property_row("/a", SAVED_PENDING, flux_value_int64(1), 5);
    struct saved_row below = property_row("/a/b/c", SAVED_PENDING, flux_value_int64(2), 4);
    for (int order = 0; order < 2; order++) {
        saved_world_start(world);
        assert_int_equal(thing_restore(world->thing, order ? &above : &below, world->now_ms), 0);
        assert_int_equal(thing_restore(world->thing, order ? &below : &above, world->now_ms), 0);
        thing_restored(world->thing, world->now_ms);
        check_shadow(world->shadow);
        assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":1}");
    }
    below.of_property.revision = 6;
    saved_world_start(world);
    assert_int_equal(thing_restore(world->thing, &above, world->now_ms), 0);
    assert_int_equal(thing_restore(world->thing, &below, world->now_ms), 0);
    thing_restored(world->thing, world->now_ms);
    check_shadow(world->shadow);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED),
                        "{\"a\":{\"b\":{\"c\":2}}}");
    assert_int_equal(world->shadow->ledger.set.cut_count, 1);
    check_life(world);
}

/* Something of the cloud is missing: nothing is decided before a get. */
static void test_a_view_that_lacks_something_is_not_held(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":{\"y\":1}}}", 3);
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_save(world);
    struct saved_row row = {
        .kind = SAVED_PROPERTY, .thing = "", .shadow = "", .path = "/x", .path_size = 2};
    row.is_gone = true;
    saved_world_put(world, &row); /* the disk lost the object around y */
    saved_world_restart(world, false);
    check_shadow(world->shadow);
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
}

static void test_too_many_rows_are_skipped(void **state)
{
    struct saved_world *world = *state;
    size_t taken = 0;
    char path[16];
    saved_world_start(world);
    for (uint64_t i = 1; i <= 5000; i++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)(5001 - i));
        struct saved_row row = property_row(path, SAVED_PENDING, flux_value_int64(1), 5001 - i);
        int r = thing_restore(world->thing, &row, world->now_ms);
        assert_true(r == 0 || r == -EINVAL);
        taken += r == 0;
    }
    for (uint64_t i = 1; i <= 5000; i++) {
        struct saved_row row = {.kind = SAVED_SETTLE, .thing = "", .shadow = ""};
        row.path = path;
        row.path_size = (size_t)snprintf(path, sizeof(path), "/s%llu", (unsigned long long)i);
        row.of_settle = (struct saved_settle){
            .revision = i, .report_first = i, .report_last = i, .wishes = "{}", .wishes_size = 2};
        int r = thing_restore(world->thing, &row, world->now_ms);
        assert_true(r == 0 || r == -EINVAL);
    }
    thing_restored(world->thing, world->now_ms);
    assert_int_equal(taken, FLUX_PROPERTIES_MAX);
    assert_int_equal(world->shadow->settles.count, FLUX_PROPERTIES_MAX);
    check_shadow(world->shadow);
}

/* What stays on the disk unused must not come back as newer than what is reported now. */
static void test_revisions_go_on_above_rows_that_were_turned_away(void **state)
{
    struct saved_world *world = *state;
    saved_world_start(world);
    char path[16];
    int r = 0;
    uint64_t revision = 10;
    for (size_t i = 0; i <= FLUX_PROPERTIES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p%zu", i);
        const struct saved_row row =
            property_row(path, SAVED_PENDING, flux_value_int64(1), ++revision);
        r = thing_restore(world->thing, &row, world->now_ms);
    }
    assert_int_equal(r, -EINVAL);
    thing_restored(world->thing, world->now_ms);
    assert_int_equal(world->shadow->ledger.newest_revision, revision);
}

static void test_the_same_row_twice_counts_once(void **state)
{
    struct saved_world *world = *state;
    struct saved_row row = property_row("/a", SAVED_PENDING, flux_value_int64(1), 5);
    saved_world_start(world);
    assert_int_equal(thing_restore(world->thing, &row, world->now_ms), 0);
    assert_int_equal(thing_restore(world->thing, &row, world->now_ms), -EINVAL);
    thing_restored(world->thing, world->now_ms);
    check_life(world);
}

static void test_bad_documents_of_desired_are_skipped(void **state)
{
    struct saved_world *world = *state;
    static const char *const documents[] = {
        "", "{", "[]", "null", "{\"a\":1}}", "{\"a\":\"\xff\"}", "{\"a\":1,\"a\"}", "5",
    };
    struct saved_row row = {.kind = SAVED_DESIRED, .thing = "", .shadow = "", .path = ""};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        row.of_desired.document = documents[i];
        row.of_desired.document_size = strlen(documents[i]);
        assert_int_equal(restore_one(world, &row), -EINVAL);
        assert_string_equal(saved_world_text(world, SHADOW_SECTION_DESIRED), "-");
    }
    static char deep[5000];
    memset(deep, '[', sizeof(deep));
    row.of_desired.document = deep;
    row.of_desired.document_size = sizeof(deep);
    assert_int_equal(restore_one(world, &row), -EINVAL);
    row.of_desired.document =
        "{\"a\":1e400,\"b\":99999999999999999999}"; /* as the cloud's are read */
    row.of_desired.document_size = strlen(row.of_desired.document);
    (void)restore_one(world, &row);
    check_life(world);
}

static void test_bad_wishes_of_a_settle_answer_nothing(void **state)
{
    struct saved_world *world = *state;
    static const char *const wishes[] = {
        "",
        "{",
        "[]",
        "{\"state\":5}",
        "{\"state\":{\"desired\":{\"w\":2}},\"metadata\":7}",
        "{\"state\":{\"desired\":{\"w\":{\"x\":1}}},\"metadata\":{\"desired\":[1]}}",
    };
    struct saved_row desired = {.kind = SAVED_DESIRED, .thing = "", .shadow = "", .path = ""};
    desired.of_desired.document = "{\"w\":1}";
    desired.of_desired.document_size = 7;
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct saved_row row = {
            .kind = SAVED_SETTLE, .thing = "", .shadow = "", .path = "/w", .path_size = 2};
        row.of_settle = (struct saved_settle){.revision = 3,
                                              .report_first = 9,
                                              .report_last = 2,
                                              .wishes = wishes[i],
                                              .wishes_size = strlen(wishes[i])};
        saved_world_start(world);
        assert_int_equal(thing_restore(world->thing, &row, world->now_ms), 0);
        assert_int_equal(thing_restore(world->thing, &desired, world->now_ms), 0);
        thing_restored(world->thing, world->now_ms);
        check_shadow(world->shadow);
        saved_world_begin_with(world, "{\"desired\":{\"w\":1}}", 4);
        assert_false(saved_world_take(world));
        assert_string_equal(saved_world_text(world, SHADOW_SECTION_DESIRED), "{\"w\":1}");
    }
}

/* --- anything at all --- */

static uint64_t pick(struct random_source *random, uint64_t below)
{
    return random_u64(random) % below;
}

static uint64_t any_number(struct random_source *random)
{
    static const uint64_t numbers[] = {0, 1, 2, 3, 7, SAVED_REVISION_MAX / 2, UINT64_MAX};
    return pick(random, 4) > 0 ? 1 + pick(random, 12)
                               : numbers[pick(random, sizeof(numbers) / sizeof(numbers[0]))];
}

static struct flux_value any_value(struct random_source *random)
{
    switch (pick(random, 9)) {
    case 0:
        return flux_value_bool(true);
    case 1:
        return flux_value_int64((int64_t)random_u64(random));
    case 2:
        return flux_value_double(0.1);
    case 3:
        return flux_value_string("text", 4);
    case 4:
        return flux_value_array("[1,{\"a\":2}]", 11);
    case 5:
    case 6:
        return flux_value_empty_object();
    case 7:
        return flux_value_string("\xff", 1);
    default:
        return (struct flux_value){0};
    }
}

static const char *any_path(struct random_source *random)
{
    static const char *const paths[] = {"",   "/a",   "/a/b", "/a/b/c", "/a/b/d", "/a/e",
                                        "/b", "/b/c", "/c",   "/c/d",   "/c/d/e", "/c/d/e/f",
                                        "//", "/a//", "x",    "/w",     "/w/v"};
    return paths[pick(random, sizeof(paths) / sizeof(paths[0]))];
}

static void any_property(struct random_source *random, struct saved_property *property)
{
    *property = (struct saved_property){
        .state = (enum saved_state)pick(random, 4),
        .value = any_value(random),
        .cut = pick(random, 4) == 0,
        .revision = any_number(random),
        .set_us = (int64_t)any_number(random),
        .cleared_us = (int64_t)pick(random, 5),
        .accepted_version = (int64_t)pick(random, 9),
        .refused_code = (int)pick(random, 500),
        .refused_text = pick(random, 2) ? "no" : NULL,
        .refused_lacking = (unsigned)pick(random, 50),
        .refused_total = (unsigned)pick(random, 50),
        .writer_name = pick(random, 2) ? "pump" : NULL,
        .writer_unit = pick(random, 2) ? "" : NULL,
        .cloud = any_value(random),
        .form = pick(random, 5) ? (struct flux_value){0} : any_value(random),
    };
    if (property->state == SAVED_NOTHING)
        property->value = (struct flux_value){0};
    if (property->cut || pick(random, 9) == 0) {
        property->state = SAVED_PENDING;
        property->cut_revision = any_number(random);
        property->cut_replaced = pick(random, 2);
        property->cut_scalar_only = pick(random, 2);
        property->cut_cause = pick(random, 2) ? any_path(random) : NULL;
        property->cut_cause_size = property->cut_cause ? strlen(property->cut_cause) : 0;
    }
}

static struct saved_row any_row(struct random_source *random)
{
    struct saved_row row = {.thing = "", .shadow = "", .path = ""};
    switch (pick(random, 12)) {
    case 0:
        row.kind = SAVED_SHADOW;
        row.of_shadow = (struct saved_shadow){
            .version = (int64_t)any_number(random),
            .held = pick(random, 2),
            .followed_ms = (int64_t)any_number(random),
            .newest_revision = any_number(random),
            .reset_revision = pick(random, 3) ? 0 : any_number(random),
            .last_accepted_version = (int64_t)pick(random, 5) - 1,
        };
        break;
    case 1:
        row.kind = SAVED_DESIRED;
        row.of_desired = (struct saved_desired){
            .version = 1, .document = "{\"w\":{\"v\":1}}", .document_size = 13};
        break;
    case 2:
        row.kind = SAVED_SETTLE;
        row.of_settle = (struct saved_settle){
            .revision = any_number(random),
            .report_first = any_number(random),
            .report_last = any_number(random),
            .wishes = "{\"state\":{\"desired\":{\"w\":{\"v\":1}}}}",
            .wishes_size = 35,
        };
        break;
    default:
        row.kind = SAVED_PROPERTY;
        any_property(random, &row.of_property);
        break;
    }
    if (row.kind == SAVED_PROPERTY || row.kind == SAVED_SETTLE) {
        row.path = any_path(random);
        row.path_size = strlen(row.path);
    }
    return row;
}

static void test_anything_at_all_breaks_nothing(void **state)
{
    struct saved_world *world = *state;
    struct random_source random;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        random_init(&random, seed);
        saved_world_start(world);
        batch_empty(&world->disk);
        if (pick(&random, 3) == 0) /* the disk is late */
            (void)saved_world_report(world, "/a/b", "1");
        if (pick(&random, 6) == 0)
            saved_world_begin_with(world, "{\"reported\":{\"a\":{\"b\":1}}}", 2);
        for (uint64_t i = pick(&random, 20); i > 0; i--) {
            struct saved_row row = any_row(&random);
            int r = thing_restore(world->thing, &row, world->now_ms);
            assert_true(r == 0 || r == -EINVAL);
            if (r == 0)
                saved_world_put(world, &row);
        }
        thing_restored(world->thing, world->now_ms);
        saved_world_check(world);
        check_life(world);
        saved_world_check(world);
        saved_world_restart(world, pick(&random, 2)); /* what it wrote itself makes sense */
        assert_int_equal(world->last_restore, 0);
        saved_world_check(world);
        check_shadow(world->shadow);
    }
}

#define SAVED(name) cmocka_unit_test_setup_teardown(name, saved_world_setup, saved_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAVED(test_bad_paths_are_skipped),
        SAVED(test_odd_keys_of_the_cloud_come_back),
        SAVED(test_values_that_cannot_be_are_skipped),
        SAVED(test_states_without_what_belongs_to_them_are_skipped),
        SAVED(test_absurd_revisions_are_skipped),
        SAVED(test_absurd_versions_and_names_are_skipped),
        SAVED(test_times_of_another_clock_count_as_unknown),
        SAVED(test_a_scalar_and_what_stands_below_it_are_separated),
        SAVED(test_a_view_that_lacks_something_is_not_held),
        SAVED(test_too_many_rows_are_skipped),
        SAVED(test_revisions_go_on_above_rows_that_were_turned_away),
        SAVED(test_the_same_row_twice_counts_once),
        SAVED(test_bad_documents_of_desired_are_skipped),
        SAVED(test_bad_wishes_of_a_settle_answer_nothing),
        SAVED(test_anything_at_all_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
