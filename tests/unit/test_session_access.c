/* A session that access rules hold: what is refused, what is left out, what a reload changes. */
#include "tests/unit/talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct rules {
    const char *reports[4], *watches[4];
    bool admin;
    const char *shadow;
};

/* Rules with one section, for the user of the tests (1000). */
static struct access_rules *rules_of(const struct rules *rules)
{
    static const uint32_t users[] = {1000};
    struct access_section section = {.name = "Access tests",
                                     .file = "f",
                                     .line = 3,
                                     .users = users,
                                     .user_count = 1,
                                     .reports = rules->reports,
                                     .watches = rules->watches,
                                     .admin = rules->admin};
    while (section.report_count < 4 && rules->reports[section.report_count])
        section.report_count++;
    while (section.watch_count < 4 && rules->watches[section.watch_count])
        section.watch_count++;
    if (rules->shadow) {
        section.shadows = &rules->shadow;
        section.shadow_count = 1;
    }
    struct access_rules *made;
    assert_int_equal(access_rules_new(&made, "thing"), 0);
    assert_int_equal(access_rules_add(made, &section), 0);
    return made;
}

/* As the daemon does at a reload; NULL: no rules any more. */
static void put_in_force(struct talk *talk, const struct rules *rules)
{
    const struct access_rules *old = talk->host.access;
    talk->host.access = rules ? rules_of(rules) : NULL;
    session_renew_access(talk->session);
    session_settle(talk->session);
    (void)access_rules_free((struct access_rules *)old);
    talk_listen(talk);
}

static int teardown(void **state)
{
    struct talk *talk = *state;
    struct access_rules *rules = (struct access_rules *)talk->host.access;
    const int r = talk_teardown(state);
    (void)access_rules_free(rules);
    return r;
}

static void say_get(struct talk *talk, uint64_t id, const char *path)
{
    const struct flux_get get = {0, id, FLUX_SECTION_REPORTED, flux_text(path)};
    assert_int_equal(flux_get_encode(&talk->said, &get), 0);
}

static void say_keys(struct talk *talk, uint64_t id, const char *path)
{
    const struct flux_keys keys = {0, id, flux_text(path)};
    assert_int_equal(flux_keys_encode(&talk->said, &keys), 0);
}

static void say_forget(struct talk *talk, uint64_t id, const char *path)
{
    const struct flux_forget forget = {0, id, flux_text(path)};
    assert_int_equal(flux_forget_encode(&talk->said, &forget), 0);
}

static void say_flush(struct talk *talk, uint64_t id)
{
    const struct flux_flush flush = {.request_id = id, .level = FLUX_LEVEL_QUEUED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
}

static void say_reset(struct talk *talk, uint64_t id, bool all)
{
    const struct flux_reset reset = {.request_id = id, .all = all};
    assert_int_equal(flux_reset_encode(&talk->said, &reset), 0);
}

static void say_will(struct talk *talk, uint64_t id, const char *path)
{
    struct flux_report_encoder encoder;
    const struct flux_will will = {0, id};
    const struct flux_value value = flux_value_int64(0);
    assert_int_equal(flux_will_begin(&encoder, &talk->said, 65536, &will), 0);
    assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
}

/* Tell whether something was heard that begins like this, and forget it. */
static void assert_heard_like(struct talk *talk, const char *beginning)
{
    if (strncmp(talk->heard, beginning, strlen(beginning)) != 0)
        fail_msg("'%s' in place of '%s'", talk->heard, beginning);
    talk->heard[0] = '\0';
}

static void test_a_report_is_refused_whole_by_what_is_not_granted(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.reports = {"a.**", "c"}});
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a/x", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard_like(talk, "rejected 2-2 13 /b [Access tests] (f:3) does not let uid 1000");
    struct flux_report_encoder encoder;
    const struct flux_report report = {.request_id = 3, .level = FLUX_LEVEL_QUEUED};
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    const struct flux_value value = flux_value_int64(4);
    assert_int_equal(flux_report_add_set(&encoder, "/c", 2, &value), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/d", 2), 0);
    flux_report_end(&encoder);
    talk_on(talk, SIZE_MAX);
    assert_heard_like(talk, "rejected 3-3 13 /d ");
    assert_null(strstr(fake_last_report(), "/c")); /* nothing of it was taken */
}

static void test_reports_sent_again_are_refused_too(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.reports = {"a"}});
    struct flux_report_encoder encoder;
    const struct flux_report report = {
        .request_id = 1, .level = FLUX_LEVEL_QUEUED, .resent = true, .set_us = 5};
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/b", 2), 0);
    flux_report_end(&encoder);
    talk_on(talk, SIZE_MAX);
    assert_heard_like(talk, "rejected 1-1 13 /b ");
}

static void test_requests_take_the_right_to_what_they_show_or_remove(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/b", 1); /* before the rules */
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    put_in_force(talk, &(struct rules){.reports = {"a.**"}, .watches = {"led"}});
    fake_set_document("5");
    say_get(talk, 2, "/b");
    say_get(talk, 3, "/a");
    say_get(talk, 4, "/led");
    say_keys(talk, 5, "/b");
    say_keys(talk, 6, "/a/x");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 2 13\ndata 3 1\ndata 4 1\nfailed 5 13\ndata 6 1\n");
    say_forget(talk, 7, "/b");
    say_forget(talk, 8, "/led");
    say_reset(talk, 9, false);
    say_reset(talk, 10, true);
    say_will(talk, 11, "/b");
    say_will(talk, 12, "/a/online");
    say_watch(talk, 0, 13, "/a");
    say_watch(talk, 0, 14, "/led");
    say_watch(talk, 0, 15, "");
    say_flush(talk, 16);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 7 13\nfailed 8 13\nfailed 9 13\nfailed 10 13\nfailed 11 13\n"
                       "done 12\nfailed 13 13\ndone 14\ndone 15\ndone 16\n");
}

static void test_a_flush_takes_the_right_to_report_something(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.watches = {"**"}, .admin = true});
    say_flush(talk, 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 13\n");
    put_in_force(talk, &(struct rules){.reports = {"a"}, .shadow = "config"});
    say_flush(talk, 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 2\n");
}

static void test_shadows_are_opened_where_something_is_granted(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.reports = {"a"}, .shadow = "config"});
    say_open(talk, 1, 1, "config");
    say_open(talk, 2, 2, "other");
    say_report_to(talk, 1, 3, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\nfailed 2 13\nqueued 3-3 @0\n");
    say_report(talk, 4, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard_like(talk, "rejected 4-4 13 /a [Access tests] (f:3) is for uid 1000, but not for");
}

static void test_admin_is_a_right_of_its_own(void **state)
{
    struct talk *talk = *state;
    char text[256];
    greet(talk);
    assert_false(session_denies_admin(talk->session, text, sizeof(text)));
    put_in_force(talk, &(struct rules){.reports = {"**"}, .watches = {"**"}});
    assert_true(session_denies_admin(talk->session, text, sizeof(text)));
    assert_non_null(strstr(text, "[Access tests] (f:3)"));
    put_in_force(talk, &(struct rules){.admin = true});
    assert_false(session_denies_admin(talk->session, text, sizeof(text)));
}

static void test_a_wide_watch_tells_what_may_be_watched(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.reports = {"secret"}, .watches = {"led", "mode.*"}});
    fake_wish("/secret", "1", 3);
    fake_wish("/led", "on", 4);
    fake_wish("/mode/night", "off", 5);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndesired 1 /led on @4\ndesired 1 /mode/night off @5\n");
    fake_wish("/secret", NULL, 6);
    fake_wish("/led", NULL, 7);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 1 /led @7\n");
}

static void test_a_reload_ends_the_watches_that_lost_their_right(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_wish("/led", "on", 3);
    fake_wish("/mode", "eco", 4);
    say_watch(talk, 0, 1, "/led");
    say_watch(talk, 0, 2, "/mode");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndone 2\ndesired 1 /led on @3\ndesired 2 /mode eco @4\n");
    put_in_force(talk, &(struct rules){.watches = {"mode"}});
    assert_heard(talk, "desired 2 /mode @0\nfailed 1 13\ndesired 2 /mode eco @4\n");
    assert_int_equal(fake_watchers(), 1);
    fake_wish("/led", "off", 5);
    fake_wish("/mode", "full", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 2 /mode full @6\n");
}

static void test_a_reload_that_grants_more_tells_more(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    put_in_force(talk, &(struct rules){.watches = {"led"}});
    fake_wish("/led", "on", 3);
    fake_wish("/mode", "eco", 4);
    say_watch(talk, 0, 1, "");
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "rejected 2-2 13 /a"));
    assert_null(strstr(talk->heard, "/mode"));
    talk->heard[0] = '\0';
    put_in_force(talk, NULL);
    assert_heard(talk, "desired 1  @0\ndesired 1 /led on @3\ndesired 1 /mode eco @4\n");
    say_report(talk, 3, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 3-3 @0\n");
}

static void test_root_is_not_held(void **state)
{
    struct talk *talk = *state;
    const struct session_peer root = {.uid = 0, .unit = ""};
    talk_end(talk);
    talk->host.access = rules_of(&(struct rules){.reports = {"a"}});
    assert_int_equal(session_new(&talk->session, &talk->host, &root), 0);
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/b", 1);
    say_watch(talk, 0, 2, "/x");
    say_reset(talk, 3, true);
    fake_set_reset(true);
    talk_on(talk, SIZE_MAX);
    assert_null(strstr(talk->heard, " 13"));
}

#define ACCESS_TEST(name) cmocka_unit_test_setup_teardown(name, talk_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_TEST(test_a_report_is_refused_whole_by_what_is_not_granted),
        ACCESS_TEST(test_reports_sent_again_are_refused_too),
        ACCESS_TEST(test_requests_take_the_right_to_what_they_show_or_remove),
        ACCESS_TEST(test_a_flush_takes_the_right_to_report_something),
        ACCESS_TEST(test_shadows_are_opened_where_something_is_granted),
        ACCESS_TEST(test_admin_is_a_right_of_its_own),
        ACCESS_TEST(test_a_wide_watch_tells_what_may_be_watched),
        ACCESS_TEST(test_a_reload_ends_the_watches_that_lost_their_right),
        ACCESS_TEST(test_a_reload_that_grants_more_tells_more),
        ACCESS_TEST(test_root_is_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
