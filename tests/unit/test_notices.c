#include "daemon/shadow/notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_notices_come_in_order(void **state)
{
    (void)state;
    struct notices notices = {0};
    struct thing_notice notice;
    notices_add(&notices, THING_NOTICE_REFUSED, "dev", "", "/a", 400, 0, "no");
    notices_add(&notices, THING_NOTICE_DELETED, "dev", "", NULL, 0, 0, NULL);
    assert_true(notices_next(&notices, &notice));
    assert_int_equal(notice.kind, THING_NOTICE_REFUSED);
    assert_string_equal(notice.path, "/a");
    assert_string_equal(notice.text, "no");
    assert_true(notices_next(&notices, &notice));
    assert_int_equal(notice.kind, THING_NOTICE_DELETED);
    assert_false(notices_next(&notices, &notice));
}

static void test_the_same_folds_into_one(void **state)
{
    (void)state;
    struct notices notices = {0};
    struct thing_notice notice;
    for (int i = 0; i < 5; i++)
        notices_add(&notices, THING_NOTICE_FOREIGN, "dev", "", "/a", 0, 0, "");
    assert_true(notices_next(&notices, &notice));
    assert_int_equal(notice.repeated, 4);
    assert_false(notices_next(&notices, &notice));
}

static void test_a_flood_stays_bounded_and_lets_others_through(void **state)
{
    (void)state;
    struct notices notices = {0};
    struct thing_notice notice;
    char path[32];
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(path, sizeof(path), "/p%d", i);
        notices_add(&notices, THING_NOTICE_FOREIGN, "dev", "", path, 0, 0, "");
    }
    notices_add(&notices, THING_NOTICE_DELETED, "dev", "", NULL, 0, 0, NULL);
    size_t count = 0;
    uint64_t repeated = 0;
    bool deleted = false;
    while (notices_next(&notices, &notice)) {
        count++;
        repeated += notice.repeated;
        deleted = deleted || notice.kind == THING_NOTICE_DELETED;
    }
    assert_int_equal(count, NOTICES_MAX);
    assert_true(repeated > 9000);
    assert_true(deleted);
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    struct notices notices = {0};
    struct thing_notice notice;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    notices_add(&notices, THING_NOTICE_REFUSED, "dev", "", text, 0, 0, text);
    assert_true(notices_next(&notices, &notice));
    assert_int_equal(strlen(notice.text), sizeof(notice.text) - 1);
    assert_int_equal(strlen(notice.path), sizeof(notice.path) - 1);
}

/* With MQTT 3.1.1 nobody knows whether it was the policy. */
static void test_refused_filter_blames_the_policy_where_the_code_does(void **state)
{
    (void)state;
    const char *hint = thing_notice_hint(THING_NOTICE_FILTER_REFUSED, 0x87);
    assert_non_null(strstr(hint, "does the certificate's policy allow it"));
    hint = thing_notice_hint(THING_NOTICE_FILTER_REFUSED, 0x80);
    assert_non_null(strstr(hint, "no reason is given"));
    assert_non_null(strstr(hint, "policy may not allow it"));
    assert_non_null(strstr(hint, "or the service is unavailable"));
    assert_null(strstr(thing_notice_hint(THING_NOTICE_FILTER_REFUSED, 0x83), "policy"));
    assert_null(strstr(thing_notice_hint(THING_NOTICE_FILTER_REFUSED, 0x97), "policy"));
    assert_string_equal(thing_notice_hint(THING_NOTICE_REFUSED, 0x80), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notices_come_in_order),
        cmocka_unit_test(test_the_same_folds_into_one),
        cmocka_unit_test(test_a_flood_stays_bounded_and_lets_others_through),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_refused_filter_blames_the_policy_where_the_code_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
