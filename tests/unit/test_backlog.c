#include "client/backlog.h"
#include "proto/limits.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct fixture {
    struct backlog backlog;
    struct changes changes;
    uint64_t id; /* of the newest report; made at `id` microseconds */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(backlog_init(&f->backlog, 65536, 1), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    backlog_clear(&f->backlog);
    changes_clear(&f->changes);
    free(f);
    return 0;
}

static void add(struct fixture *f, enum flux_operation kind, const char *path,
                struct flux_value value)
{
    struct flux_change change = {
        .kind = kind, .path = path, .path_size = strlen(path), .value = value};
    assert_int_equal(changes_add(&f->changes, &change), 0);
}

static void add_set(struct fixture *f, const char *path, int64_t number)
{
    add(f, FLUX_SET, path, flux_value_int64(number));
}

static void add_unset(struct fixture *f, const char *path)
{
    add(f, FLUX_UNSET, path, (struct flux_value){.type = FLUX_VALUE_NONE});
}

static int report(struct fixture *f)
{
    f->id++;
    int r = backlog_apply(&f->backlog, &f->changes, f->id, (int64_t)f->id);
    changes_reset(&f->changes);
    return r;
}

static void set(struct fixture *f, const char *path, int64_t number)
{
    add_set(f, path, number);
    assert_int_equal(report(f), 0);
}

/* What is left after report `id`, as "id@time path=value" or "id@time path!". */
static void expect_list(struct fixture *f, uint64_t id, const char *const *expected)
{
    struct backlog_item *items;
    size_t count;
    assert_int_equal(backlog_list(&f->backlog, id, &items, &count), 0);
    for (size_t i = 0; i < count; i++) {
        char text[128];
        int size = snprintf(text, sizeof(text), "%d@%d %s", (int)items[i].id, (int)items[i].set_us,
                            items[i].path);
        if (items[i].kind != FLUX_SET)
            (void)snprintf(text + size, sizeof(text) - (size_t)size,
                           items[i].kind == FLUX_UNSET ? "!" : "?");
        else
            (void)snprintf(text + size, sizeof(text) - (size_t)size, "=%d",
                           (int)items[i].value->int64);
        assert_non_null(expected[i]);
        assert_string_equal(text, expected[i]);
    }
    assert_null(expected[count]);
    free(items);
}

static void test_newest_value_is_listed_once_in_order_of_reports(void **state)
{
    struct fixture *f = *state;
    set(f, "/a", 1);
    set(f, "/b", 2);
    set(f, "/a", 3);
    expect_list(f, 0, (const char *const[]){"2@2 /b=2", "3@3 /a=3", NULL});
    expect_list(f, 2, (const char *const[]){"3@3 /a=3", NULL});
    expect_list(f, 3, (const char *const[]){NULL});
}

static void test_removed_subtree_comes_before_what_is_set_below(void **state)
{
    struct fixture *f = *state;
    set(f, "/a/old", 1);
    add_unset(f, "/a");
    add_set(f, "/a/new", 2);
    assert_int_equal(report(f), 0);
    expect_list(f, 0, (const char *const[]){"2@2 /a!", "2@2 /a/new=2", NULL});
}

static void test_replaced_scalar_leaves_an_unset_of_its_replacement(void **state)
{
    struct fixture *f = *state;
    set(f, "/a", 1);
    set(f, "/x", 2);
    set(f, "/a/b", 3);
    expect_list(f, 0, (const char *const[]){"2@2 /x=2", "3@3 /a!", "3@3 /a/b=3", NULL});
}

static void test_safe_reports_are_forgotten_and_cost_nothing(void **state)
{
    struct fixture *f = *state;
    size_t empty = f->backlog.bytes;
    set(f, "/a/b/c", 1);
    set(f, "/a/b/d", 2);
    add_unset(f, "/e");
    assert_int_equal(report(f), 0);
    backlog_drop(&f->backlog, 2);
    expect_list(f, 0, (const char *const[]){"3@3 /e!", NULL});
    backlog_drop_one(&f->backlog, 2);
    expect_list(f, 0, (const char *const[]){"3@3 /e!", NULL});
    backlog_drop_one(&f->backlog, 3);
    assert_true(backlog_is_empty(&f->backlog));
    assert_int_equal(f->backlog.bytes, empty);
    assert_int_equal(f->backlog.set.node_count, 1);
}

static void test_a_report_beyond_the_bound_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = '\0';
    set(f, "/kept", 1);
    int r = 0;
    for (int i = 0; r == 0; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/t%d", i);
        assert_true(i < 100);
        add(f, FLUX_SET, path, flux_value_string(text, 2000));
        r = report(f);
    }
    assert_int_equal(r, -ENOBUFS);
    size_t bytes = f->backlog.bytes;
    add_set(f, "/kept", 2);
    add(f, FLUX_SET, "/t0/below", flux_value_string(text, 2000));
    assert_int_equal(report(f), -ENOBUFS);
    assert_int_equal(f->backlog.bytes, bytes);
    const struct flux_property *kept = flux_property_set_find(&f->backlog.set, "/kept", 5);
    assert_int_equal(kept->value.int64, 1);
    set(f, "/kept", 3);
}

static void test_too_many_properties_are_refused_whole(void **state)
{
    struct fixture *f = *state;
    f->backlog.bytes_max = SIZE_MAX;
    for (unsigned i = 0; i < FLUX_PROPERTIES_MAX - 1; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%u", i);
        set(f, path, 1);
    }
    add_set(f, "/x", 1);
    add_set(f, "/y", 1);
    assert_int_equal(report(f), -ENOBUFS);
    assert_null(flux_property_set_find(&f->backlog.set, "/x", 2));
    set(f, "/p0", 2);
    set(f, "/x", 1);
}

static void settle(struct fixture *f, const char *path)
{
    add(f, FLUX_SETTLE, path, (struct flux_value){.type = FLUX_VALUE_NONE});
    assert_int_equal(report(f), 0);
}

static void test_settles_are_kept_beside_values_and_come_last(void **state)
{
    struct fixture *f = *state;
    add(f, FLUX_SETTLE, "/led", (struct flux_value){.type = FLUX_VALUE_NONE});
    add_set(f, "/led", 1);
    assert_int_equal(report(f), 0);
    set(f, "/led", 2); /* takes the value's place, not the settle's */
    expect_list(f, 0, (const char *const[]){"1@1 /led?", "2@2 /led=2", NULL});
    settle(f, "/led/colour");
    settle(f, "");
    expect_list(f, 0, (const char *const[]){"2@2 /led=2", "4@4 ?", NULL});
    settle(f, "/x");
    expect_list(f, 2, (const char *const[]){"4@4 ?", "5@5 /x?", NULL});
    backlog_drop(&f->backlog, 4);
    expect_list(f, 0, (const char *const[]){"5@5 /x?", NULL});
    backlog_drop_one(&f->backlog, 5);
    assert_true(backlog_is_empty(&f->backlog));
    assert_int_equal(f->backlog.bytes, 0);
}

static void test_an_unset_of_everything_leaves_only_what_follows(void **state)
{
    struct fixture *f = *state;
    set(f, "/old/a", 1);
    set(f, "/b", 2);
    add_unset(f, "");
    add_set(f, "/b", 3);
    assert_int_equal(report(f), 0);
    set(f, "/c", 4);
    expect_list(f, 0, (const char *const[]){"3@3 !", "3@3 /b=3", "4@4 /c=4", NULL});
    backlog_drop(&f->backlog, 3);
    expect_list(f, 0, (const char *const[]){"4@4 /c=4", NULL});
}

static void test_replacing_everything_needs_no_room_for_what_goes(void **state)
{
    struct fixture *f = *state;
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = '\0';
    f->backlog.bytes_max = 5000;
    add(f, FLUX_SET, "/a", flux_value_string(text, 2000));
    add(f, FLUX_SET, "/b", flux_value_string(text, 2000));
    assert_int_equal(report(f), 0);
    add_unset(f, "");
    add(f, FLUX_SET, "/c", flux_value_string(text, 2000));
    add(f, FLUX_SET, "/d", flux_value_string(text, 2000));
    assert_int_equal(report(f), 0);
    assert_in_range(f->backlog.bytes, 4000, 5000);
}

static void test_forgetting_a_part_spares_later_reports(void **state)
{
    struct fixture *f = *state;
    set(f, "/a/x", 1);
    set(f, "/b", 2);
    settle(f, "/a");
    set(f, "/a/y", 4);
    backlog_forget(&f->backlog, "/a", 2, 3);
    expect_list(f, 0, (const char *const[]){"2@2 /b=2", "3@3 /a?", "4@4 /a/y=4", NULL});
    backlog_forget(&f->backlog, "/nothing", 8, 9);
    backlog_forget(&f->backlog, "", 0, 9);
    expect_list(f, 0, (const char *const[]){"3@3 /a?", NULL});
}

/* ---- the list always does what the reports would have done ---- */

static uint64_t roll(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static void apply(struct flux_property_set *daemon, enum flux_operation kind, const char *path,
                  const struct flux_value *value, uint64_t id)
{
    struct flux_applied applied;
    if (path[0] == '\0') {
        flux_property_set_clear(daemon);
        assert_int_equal(flux_property_set_init(daemon, 0, 1), 0);
        return;
    }
    assert_int_equal(flux_property_set_apply(daemon, kind, path, strlen(path),
                                             kind == FLUX_SET ? value : NULL, id, 0, &applied),
                     0);
}

static void add_random(struct fixture *f, struct flux_property_set *daemon, bool reaches_daemon,
                       uint64_t *seed)
{
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g"};
    uint64_t count = 1 + roll(seed, 3);
    for (uint64_t i = 0; i < count; i++) {
        const char *path = paths[roll(seed, sizeof(paths) / sizeof(paths[0]))];
        struct flux_value value = flux_value_int64((int64_t)roll(seed, 1000));
        if (roll(seed, 6) == 0)
            value = flux_value_empty_object();
        enum flux_operation kind = roll(seed, 4) == 0 ? FLUX_UNSET : FLUX_SET;
        if (kind == FLUX_UNSET && roll(seed, 3) == 0)
            path = "";
        if (kind == FLUX_UNSET)
            value = (struct flux_value){.type = FLUX_VALUE_NONE};
        add(f, kind, path, value);
        if (reaches_daemon)
            apply(daemon, kind, path, &value, f->id + 1);
    }
    assert_int_equal(report(f), 0);
}

static void send_list(struct fixture *f, struct flux_property_set *daemon, uint64_t id)
{
    struct backlog_item *items;
    size_t count;
    assert_int_equal(backlog_list(&f->backlog, id, &items, &count), 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || items[i].id >= items[i - 1].id);
        apply(daemon, items[i].kind, items[i].path, items[i].value, items[i].id);
    }
    free(items);
}

static void expect_same_values(const struct flux_property_set *expected,
                               const struct flux_property_set *actual)
{
    assert_int_equal(actual->value_count, expected->value_count);
    const struct flux_property *property = expected->root;
    while ((property = flux_property_next(expected->root, property)) != NULL) {
        if (property->value.type == FLUX_VALUE_NONE)
            continue;
        const struct flux_property *other =
            flux_property_set_find(actual, property->path, property->path_size);
        assert_non_null(other);
        assert_true(flux_value_equal(&other->value, &property->value));
    }
}

/* Some reports reach the daemon, a first part of them is safe, the rest follows from the list. */
static void test_random_reports_end_as_if_sent_one_by_one(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 3000; round++) {
        struct fixture f = {0};
        struct flux_property_set daemon, truth;
        uint64_t seed = round, total = 1 + roll(&seed, 8), sent = roll(&seed, total + 1);
        uint64_t safe = roll(&seed, sent + 1);
        assert_int_equal(backlog_init(&f.backlog, 65536, round), 0);
        assert_int_equal(flux_property_set_init(&daemon, 0, 1), 0);
        assert_int_equal(flux_property_set_init(&truth, 0, 1), 0);
        uint64_t replay = seed;
        struct fixture twin = {0};
        assert_int_equal(backlog_init(&twin.backlog, 65536, round), 0);
        for (uint64_t i = 0; i < total; i++) {
            add_random(&f, &daemon, i < sent, &seed);
            add_random(&twin, &truth, true, &replay);
            if (f.id == sent)
                backlog_drop(&f.backlog, safe);
        }
        send_list(&f, &daemon, round % 2 == 0 ? sent : 0);
        expect_same_values(&truth, &daemon);
        backlog_drop(&f.backlog, total);
        assert_int_equal(f.backlog.bytes, 0);
        backlog_clear(&f.backlog);
        backlog_clear(&twin.backlog);
        changes_clear(&f.changes);
        changes_clear(&twin.changes);
        flux_property_set_clear(&daemon);
        flux_property_set_clear(&truth);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newest_value_is_listed_once_in_order_of_reports),
        TEST(test_removed_subtree_comes_before_what_is_set_below),
        TEST(test_replaced_scalar_leaves_an_unset_of_its_replacement),
        TEST(test_safe_reports_are_forgotten_and_cost_nothing),
        TEST(test_a_report_beyond_the_bound_leaves_no_trace),
        TEST(test_too_many_properties_are_refused_whole),
        TEST(test_settles_are_kept_beside_values_and_come_last),
        TEST(test_an_unset_of_everything_leaves_only_what_follows),
        TEST(test_replacing_everything_needs_no_room_for_what_goes),
        TEST(test_forgetting_a_part_spares_later_reports),
        cmocka_unit_test(test_random_reports_end_as_if_sent_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
