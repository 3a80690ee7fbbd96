/* The sandbox's account and the operator's commands to it: faults, counters, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/account.h"
#include "tests/sandbox/control.h"

#define NOW_MS INT64_C(1700000000000)

static const char *const update = "$aws/things/T/shadow/update";

static int set_up(void **state)
{
    static struct account account;
    *state = &account;
    return account_init(&account, "op");
}

static int tear_down(void **state)
{
    account_clear(*state);
    return 0;
}

static int request(struct account *account, const char *topic, const char *payload)
{
    return account_request(account, topic, payload, strlen(payload), NOW_MS);
}

static int report(struct account *account)
{
    return request(account, update, "{\"state\":{\"reported\":{\"a\":1}}}");
}

/* Take all that is due: the initials of the kinds, A R D(ocuments) d(elta), in order. */
static const char *take(struct account *account, int64_t now_ms)
{
    static char kinds[64];
    size_t count = 0;
    struct shadow_service_message message;
    while (count < sizeof(kinds) - 1 && account_next(account, now_ms, &message)) {
        kinds[count++] = "ARDd"[message.kind];
        shadow_service_message_clear(&message);
    }
    kinds[count] = '\0';
    return kinds;
}

/* Give a command; the answer is kept until the next one. */
static const char *command(struct account *account, const char *text)
{
    static char answer[16384];
    struct cloud_text said;
    assert_int_equal(control_handle(account, text, strlen(text), NOW_MS, &said), 0);
    assert_in_range(said.size, 1, sizeof(answer) - 1);
    memcpy(answer, said.data, said.size + 1);
    free(said.data);
    return answer;
}

static void assert_has(const char *text, const char *part)
{
    assert_non_null(part);
    if (!strstr(text, part))
        fail_msg("no %s in: %s", part, text);
}

static void test_answers_leave_in_order(void **state)
{
    struct account *account = *state;
    assert_int_equal(request(account, "a/b", ""), SHADOW_SERVICE_NOT_A_REQUEST);
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, update, "{"), 0);
    assert_string_equal(take(account, NOW_MS), "ADR");
    assert_string_equal(take(account, NOW_MS), "");
}

static void test_lost_answers_are_lost_and_documents_are_not(void **state)
{
    struct account *account = *state;
    assert_string_equal(command(account, "{\"do\":\"fault\",\"kind\":\"lose\",\"count\":2}"),
                        "ok\n");
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, update, "{"), 0);
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "DAD");
    assert_int_equal(shadow_service_version(account->service, "T", NULL), 2);
}

static void test_duplicated_answers_come_twice(void **state)
{
    struct account *account = *state;
    assert_string_equal(command(account, "{\"do\":\"fault\",\"kind\":\"duplicate\"}"), "ok\n");
    assert_int_equal(report(account), 0);
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "AADAD");
}

static void test_delayed_messages_wait_and_later_ones_may_pass(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":100}");
    assert_int_equal(report(account), 0);
    command(account, "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":0}");
    assert_int_equal(request(account, update, "{"), 0);
    assert_string_equal(take(account, NOW_MS), "R");
    assert_string_equal(take(account, NOW_MS + 99), "");
    assert_int_equal(request(account, update, "{"), 0);
    assert_string_equal(take(account, NOW_MS + 100), "ADR");
}

static void test_planned_closings(void **state)
{
    struct account *account = *state;
    assert_false(account_publish_closes(account, "x", 1));
    command(account, "{\"do\":\"fault\",\"kind\":\"close\",\"count\":1}");
    assert_true(account_publish_closes(account, "x", 1));
    assert_false(account_publish_closes(account, "x", 1));
    command(account, "{\"do\":\"fault\",\"kind\":\"poison\",\"key\":\"bad\",\"code\":0}");
    assert_true(account_publish_closes(account, "{\"a\":\"abad\",\"bad\":1}", 20));
    assert_false(account_publish_closes(account, "{\"a\":\"abad\",\"bad", 15));
    assert_false(account_publish_closes(account, "bad", 3));
    assert_false(account_publish_closes(account, NULL, 0));
    command(account, "{\"do\":\"fault\",\"kind\":\"none\"}");
    assert_false(account_publish_closes(account, "\"bad\"", 5));
}

static void test_rejections_on_command(void **state)
{
    struct account *account = *state;
    assert_string_equal(command(account, "{\"do\":\"fault\",\"kind\":\"reject\",\"code\":429,"
                                         "\"operation\":\"update\",\"count\":1}"),
                        "ok\n");
    assert_int_equal(report(account), 0);
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "RAD");
    assert_has(command(account, "{\"do\":\"counters\"}"), "\"429\": 1");
    command(account, "{\"do\":\"fault\",\"kind\":\"poison\",\"key\":\"a\"}");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "R");
}

static void test_the_operator_writes_and_reads(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"lose\",\"count\":5}");
    assert_has(command(account, "{\"do\":\"update\",\"thing\":\"T\",\"name\":\"N\","
                                "\"state\":{\"desired\":{\"a\":0.1}}}"),
               "\"version\": 1");
    assert_string_equal(take(account, NOW_MS), "ADd"); /* no fault applies to the operator */
    assert_string_equal(command(account, "{\"do\":\"shadow\",\"thing\":\"T\",\"name\":\"N\"}"),
                        "ok\n{\n  \"state\": {\n    \"desired\": {\n      \"a\": 0.1\n    }\n  },\n"
                        "  \"version\": 1\n}");
    assert_string_equal(command(account, "{\"do\":\"things\"}"), "ok\n{\n  \"T/N\": 1\n}");
    assert_has(command(account, "{\"do\":\"update\",\"thing\":\"T\",\"state\":[]}"),
               "error\nthe shadow service says 400");
    assert_has(command(account, "{\"do\":\"delete\",\"thing\":\"T\",\"name\":\"N\"}"), "ok\n");
    assert_has(command(account, "{\"do\":\"shadow\",\"thing\":\"T\",\"name\":\"N\"}"), "error\n");
    assert_string_equal(command(account, "{\"do\":\"things\"}"), "ok\n{}");
}

static void test_bad_commands_are_named(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"do\":\"dance\"}",
        "{\"do\":\"shadow\"}",
        "{\"do\":\"shadow\",\"thing\":\"a/b\"}",
        "{\"do\":\"update\",\"thing\":\"T\"}",
        "{\"do\":\"fault\",\"kind\":\"rain\"}",
        "{\"do\":\"fault\",\"kind\":\"lose\",\"count\":-1}",
        "{\"do\":\"fault\",\"kind\":\"reject\",\"code\":200,\"operation\":\"get\"}",
        "{\"do\":\"fault\",\"kind\":\"reject\",\"code\":400,\"operation\":\"list\"}",
        "{\"do\":\"fault\",\"kind\":\"poison\"}",
        "{\"do\":\"option\",\"option\":\"max_dept\",\"value\":1}",
        "{\"do\":\"option\",\"option\":\"max_depth\",\"value\":true}",
        "{\"do\":\"option\",\"option\":\"max_depth\",\"value\":-1}",
        "{\"do\":\"option\",\"option\":\"vary_messages\",\"value\":1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *answer = command(*state, bad[i]);
        if (strncmp(answer, "error\n", 6) != 0 || answer[6] == '\0')
            fail_msg("%s is answered %s", bad[i], answer);
    }
}

static void test_options_are_set_by_name(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"option\",\"option\":\"max_depth\",\"value\":6}");
    command(account, "{\"do\":\"option\",\"option\":\"max_bytes\",\"value\":30720}");
    command(account, "{\"do\":\"option\",\"option\":\"in_flight_ms\",\"value\":50}");
    command(account, "{\"do\":\"option\",\"option\":\"shuffle_seed\",\"value\":9}");
    command(account, "{\"do\":\"option\",\"option\":\"tombstone_bumps\",\"value\":false}");
    command(account, "{\"do\":\"option\",\"option\":\"any_client_id\",\"value\":true}");
    const struct shadow_service_options *options = shadow_service_options(account->service);
    assert_int_equal(options->max_depth, 6);
    assert_int_equal(options->max_bytes, 30720);
    assert_int_equal(options->in_flight_ms, 50);
    assert_int_equal(options->shuffle_seed, 9);
    assert_false(options->tombstone_bumps);
    assert_true(account->policy.any_client_id);
    const char *list = command(account, "{\"do\":\"options\"}");
    assert_has(list, "\"max_depth\": 6");
    assert_has(list, "\"max_bytes\": 30720");
    assert_has(list, "\"in_flight_ms\": 50");
    assert_has(list, "\"tombstone_bumps\": false");
    assert_has(list, "\"any_client_id\": true");
}

static void test_clients_are_counted_apart_up_to_a_bound(void **state)
{
    struct account *account = *state;
    char id[16];
    for (int i = 0; i < ACCOUNT_MAX_CLIENTS + 10; i++) {
        snprintf(id, sizeof(id), "c%d", i);
        account_client(account, id)->published++;
    }
    assert_int_equal(account_client(account, "c7")->published, 1);
    assert_int_equal(account->client_count, ACCOUNT_MAX_CLIENTS);
    account_reset_counters(account);
    assert_int_equal(account->client_count, 0);
    account_client(account, "c7")->delivered = 3;
    assert_has(command(account, "{\"do\":\"counters\"}"), "\"delivered\": 3");
    command(account, "{\"do\":\"reset-counters\"}");
    assert_has(command(account, "{\"do\":\"counters\"}"), "\"clients\": {}");
}

static void test_an_archive_carries_shadows_and_tombstones_over(void **state)
{
    struct account *account = *state;
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, "$aws/things/T/shadow/name/N/update",
                             "{\"state\":{\"reported\":{\"x\":[0.1,{}]}}}"),
                     0);
    assert_int_equal(request(account, "$aws/things/U/shadow/update", "{\"state\":{}}"), 0);
    assert_int_equal(request(account, "$aws/things/U/shadow/delete", ""), 0);
    assert_true(account->is_dirty);
    json_t *archive = shadow_service_export(account->service);
    struct shadow_service *other = shadow_service_new(NULL);
    assert_int_equal(shadow_service_import(other, archive), 0);
    json_t *copy = shadow_service_export(other);
    assert_true(json_equal(archive, copy));
    assert_int_equal(shadow_service_version(other, "T", "N"), 1);
    const char *stale = "{\"state\":{},\"version\":1}";
    struct shadow_service_message message;
    assert_int_equal(
        shadow_service_handle(other, "$aws/things/U/shadow/update", stale, strlen(stale), NOW_MS),
        0);
    assert_true(shadow_service_next(other, &message));
    assert_int_equal(message.code, 409);
    shadow_service_message_clear(&message);
    json_decref(copy);
    json_decref(archive);

    static const char *const broken[] = {"[]", "{\"T\":{}}", "{\"T/\":{}}", "{\"a b/\":{}}",
                                         "{\"T/\":{\"version\":0,\"state\":{},\"metadata\":{}}}"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        archive = json_loads(broken[i], 0, NULL);
        assert_int_equal(shadow_service_import(other, archive), -EINVAL);
        json_decref(archive);
    }
    shadow_service_free(other);
}

#define WITH_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ACCOUNT(test_answers_leave_in_order),
        WITH_ACCOUNT(test_lost_answers_are_lost_and_documents_are_not),
        WITH_ACCOUNT(test_duplicated_answers_come_twice),
        WITH_ACCOUNT(test_delayed_messages_wait_and_later_ones_may_pass),
        WITH_ACCOUNT(test_planned_closings),
        WITH_ACCOUNT(test_rejections_on_command),
        WITH_ACCOUNT(test_the_operator_writes_and_reads),
        WITH_ACCOUNT(test_bad_commands_are_named),
        WITH_ACCOUNT(test_options_are_set_by_name),
        WITH_ACCOUNT(test_clients_are_counted_apart_up_to_a_bound),
        WITH_ACCOUNT(test_an_archive_carries_shadows_and_tombstones_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
