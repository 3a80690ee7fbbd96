#include "client/told.h"
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

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct told));
    assert_non_null(*state);
    return 0;
}

static int tear_down(void **state)
{
    told_clear(*state);
    free(*state);
    return 0;
}

static const struct flux_value none = {.type = FLUX_VALUE_NONE};

static void take(struct told *told, const char *path, int64_t number, int64_t version)
{
    struct flux_value value = number != 0 ? flux_value_int64(number) : none;
    assert_int_equal(told_take(told, path, strlen(path), &value, version, false), 0);
}

static void take_stale(struct told *told, const char *path, int64_t number, int64_t version)
{
    struct flux_value value = flux_value_int64(number);
    assert_int_equal(told_take(told, path, strlen(path), &value, version, true), 0);
}

/* The program hears one wish, as "path=number@version", "path!@version" for an end. */
static void hear(struct told *told, const char *expected)
{
    struct told_wish *wish = told_next(told);
    assert_non_null(wish);
    char text[64];
    if (wish->newest.type == FLUX_VALUE_NONE)
        (void)snprintf(text, sizeof(text), "%s!@%d", wish->path, (int)wish->version);
    else
        (void)snprintf(text, sizeof(text), "%s=%d@%d%s", wish->path, (int)wish->newest.int64,
                       (int)wish->version, wish->stale ? " stale" : "");
    assert_string_equal(text, expected);
    told_hear(told, wish, true);
}

static void hear_nothing(struct told *told)
{
    assert_null(told_next(told));
    assert_int_equal(told->pending_count, 0);
}

static void test_a_slow_program_hears_the_newest_only(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 1);
    take(told, "/b", 2, 2);
    take(told, "/a", 3, 3);
    hear(told, "/b=2@2");
    hear(told, "/a=3@3");
    take(told, "/a", 4, 4);
    take(told, "/a", 3, 5);
    hear_nothing(told);
    take(told, "/a", 0, 6);
    take(told, "/b", 0, 6);
    take(told, "/b", 7, 7);
    hear(told, "/a!@6");
    hear(told, "/b=7@7");
    hear_nothing(told);
    take(told, "/never", 0, 8);
    hear_nothing(told);
    take(told, "/b", 0, 9);
    hear(told, "/b!@9");
    assert_int_equal(told->count, 0);
    assert_int_equal(told->bytes, 0);
}

static void test_what_never_reached_the_program_does_not_end(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 1);
    take(told, "/a", 0, 2);
    hear_nothing(told);
    assert_int_equal(told->count, 0);
}

static void test_an_end_covers_what_lies_below(void **state)
{
    struct told *told = *state;
    take(told, "/a/x", 1, 1);
    take(told, "/a/y/z", 2, 1);
    take(told, "/ab", 3, 1);
    take(told, "/a.b", 4, 1);
    for (int i = 0; i < 4; i++)
        told_hear(told, told_next(told), true);
    take(told, "/a", 0, 2);
    assert_int_equal(told->pending_count, 2);
    hear(told, "/a/y/z!@2");
    hear(told, "/a/x!@2");
    take(told, "", 0, 3);
    assert_int_equal(told->pending_count, 2);
    while (told_next(told) != NULL)
        told_hear(told, told_next(told), true);
    assert_int_equal(told->count, 0);
}

static void test_a_value_ends_what_stood_above_and_below(void **state)
{
    struct told *told = *state;
    take(told, "/a/b/c", 1, 1);
    hear(told, "/a/b/c=1@1");
    take(told, "/a", 2, 2);
    hear(told, "/a=2@2");
    hear(told, "/a/b/c!@2");
    take(told, "/a/b", 3, 3);
    hear(told, "/a/b=3@3");
    hear(told, "/a!@3");
    hear_nothing(told);
}

static void test_a_new_connection_tells_only_what_is_different(void **state)
{
    struct told *told = *state;
    take(told, "/same", 1, 1);
    take(told, "/other", 2, 1);
    take(told, "/gone", 3, 1);
    for (int i = 0; i < 3; i++)
        told_hear(told, told_next(told), true);
    take(told, "/unheard", 4, 2);
    told_begin(told);
    take(told, "/same", 1, 5);
    take(told, "/other", 9, 5);
    take(told, "/new", 6, 5);
    told_complete(told, 5);
    hear(told, "/other=9@5");
    hear(told, "/new=6@5");
    hear(told, "/gone!@5");
    hear_nothing(told);
    assert_int_equal(told->count, 3);
}

static void test_ends_and_repeats_in_one_go_are_no_news(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 1);
    hear(told, "/a=1@1");
    take(told, "", 0, 2);
    take(told, "/a", 1, 2);
    hear_nothing(told);
}

static void test_versions_do_not_go_down_but_for_a_shadow_made_anew(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 17);
    hear(told, "/a=1@17");
    told_begin(told);
    take_stale(told, "/a", 5, 12); /* a daemon's disk is behind what was heard */
    hear_nothing(told);
    take_stale(told, "/b", 6, 18);
    hear(told, "/b=6@18 stale");
    take(told, "/b", 6, 18); /* confirmed */
    hear(told, "/b=6@18");
    take_stale(told, "/b", 6, 18);
    hear_nothing(told);
    take(told, "/a", 2, 3); /* the shadow began again */
    hear(told, "/a=2@3");
    take_stale(told, "/a", 3, 4);
    hear(told, "/a=3@4 stale");
}

static void test_what_is_not_kept_is_told_again(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 1);
    told_hear(told, told_next(told), false);
    assert_int_equal(told->count, 0);
    assert_int_equal(told->bytes, 0);
    take(told, "/a", 1, 2);
    hear(told, "/a=1@2");
}

static uint64_t roll(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

/* A daemon with six leaves that do not exclude each other; the program hears at random times and
 * keeps its own picture, which is the daemon's in the end. */
static void test_random_wishes_end_as_the_daemon_has_them(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a/b", "/a/c/d", "/a/c/e", "/f", "/f0", "/g/h"};
    for (uint64_t seed0 = 1; seed0 <= 2000; seed0++) {
        struct told told = {0};
        uint64_t seed = seed0;
        int64_t daemon[6] = {0}, program[6] = {0}, version = 0, heard_version = 0;
        for (unsigned step = 0; step < 60; step++) {
            uint64_t which = roll(&seed, 6);
            switch (roll(&seed, 6)) {
            case 0:
                daemon[which] = 0;
                take(&told, paths[which], 0, ++version);
                break;
            case 1:
                daemon[0] = daemon[1] = daemon[2] = 0;
                take(&told, "/a", 0, ++version);
                break;
            case 2: /* a lost connection: changes behind our back, then everything anew */
                told_begin(&told);
                daemon[which] = (int64_t)roll(&seed, 3);
                version++;
                for (unsigned i = 0; i < 6; i++)
                    if (daemon[i] != 0)
                        take(&told, paths[i], daemon[i], version);
                told_complete(&told, version);
                break;
            default:
                daemon[which] = 1 + (int64_t)roll(&seed, 2);
                take(&told, paths[which], daemon[which], ++version);
            }
            bool is_last = step == 59;
            while ((is_last || roll(&seed, 2) == 0) && told_next(&told) != NULL) {
                struct told_wish *wish = told_next(&told);
                unsigned i = 0;
                while (strcmp(paths[i], wish->path) != 0)
                    i++;
                int64_t number = wish->newest.type == FLUX_VALUE_NONE ? 0 : wish->newest.int64;
                assert_true(program[i] != number);
                assert_true(wish->version >= heard_version);
                heard_version = wish->version;
                program[i] = number;
                told_hear(&told, wish, true);
            }
        }
        assert_memory_equal(program, daemon, sizeof(daemon));
        told_clear(&told);
        assert_int_equal(told.bytes, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A daemon that starts offline tells from its disk, and once more when a connection has proved it:
 * what was left out as too old is not taken for gone when all is told. */
static void test_a_wish_left_out_as_stale_is_confirmed_before_all_is_told(void **state)
{
    struct told *told = *state;
    take(told, "/a", 1, 9);
    take(told, "/b", 1, 10);
    hear(told, "/a=1@9");
    hear(told, "/b=1@10");
    told_begin(told);
    take_stale(told, "/a", 1, 9);
    take_stale(told, "/b", 1, 9);
    hear_nothing(told);
    take(told, "/a", 1, 11);
    take(told, "/b", 1, 11);
    told_complete(told, 11);
    hear_nothing(told);
    assert_int_equal(told->count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_slow_program_hears_the_newest_only),
        TEST(test_what_never_reached_the_program_does_not_end),
        TEST(test_an_end_covers_what_lies_below),
        TEST(test_a_value_ends_what_stood_above_and_below),
        TEST(test_a_new_connection_tells_only_what_is_different),
        TEST(test_ends_and_repeats_in_one_go_are_no_news),
        TEST(test_versions_do_not_go_down_but_for_a_shadow_made_anew),
        TEST(test_what_is_not_kept_is_told_again),
        TEST(test_a_wish_left_out_as_stale_is_confirmed_before_all_is_told),
        cmocka_unit_test(test_random_wishes_end_as_the_daemon_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
