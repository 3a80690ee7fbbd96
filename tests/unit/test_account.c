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
    return account_request(account, "c", topic, payload, strlen(payload), NOW_MS);
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

static bool closes(struct account *account, const char *topic, const char *payload, size_t size)
{
    const struct account_peer peer = {"T", "T"};
    const struct limits_publish publish = {.topic = topic, .size = size, .qos = 1};
    return account_publish(account, &peer, &publish, payload) == POLICY_DISCONNECT;
}

static void test_planned_closings(void **state)
{
    struct account *account = *state;
    assert_false(closes(account, update, "x", 1));
    command(account, "{\"do\":\"fault\",\"kind\":\"close\",\"count\":1}");
    assert_true(closes(account, update, "x", 1));
    assert_false(closes(account, update, "x", 1));
    command(account, "{\"do\":\"fault\",\"kind\":\"poison\",\"key\":\"bad\",\"code\":0}");
    assert_true(closes(account, update, "{\"a\":\"abad\",\"bad\":1}", 20));
    assert_true(closes(account, update, "{\"bad\" : 1}", 11));
    assert_false(closes(account, update, "{\"a\":\"abad\",\"bad", 15));
    assert_false(closes(account, update, "{\"a\":\"bad\"}", 11));
    assert_false(closes(account, update, "bad", 3));
    assert_false(closes(account, update, NULL, 0));
    command(account, "{\"do\":\"fault\",\"kind\":\"none\"}");
    assert_false(closes(account, update, "{\"bad\":1}", 9));
}

static const char *const named = "$aws/things/T/shadow/name/N/update";

static void test_closings_may_be_for_one_shadow(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"close\",\"count\":\"always\",\"shadow\":\"N\"}");
    assert_false(closes(account, update, "{}", 2));
    assert_true(closes(account, named, "{}", 2));
    assert_true(closes(account, named, "{}", 2));
    command(account, "{\"do\":\"fault\",\"kind\":\"close\",\"count\":0,\"shadow\":\"N\"}");
    assert_false(closes(account, named, "{}", 2));
    command(account, "{\"do\":\"fault\",\"kind\":\"close\",\"shadow\":\"\"}");
    assert_false(closes(account, named, "{}", 2));
    assert_true(closes(account, update, "{}", 2));
}

static void test_dropped_requests_have_no_effect(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"drop\",\"count\":1}");
    assert_int_equal(report(account), ACCOUNT_DROPPED);
    assert_string_equal(take(account, NOW_MS), "");
    assert_int_equal(shadow_service_version(account->service, "T", NULL), 0);
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "AD");
}

static void test_faults_of_one_shadow_spare_the_others(void **state)
{
    struct account *account = *state;
    const char *document = "{\"state\":{\"reported\":{\"a\":1}}}";
    command(account, "{\"do\":\"fault\",\"kind\":\"reject\",\"code\":500,\"operation\":\"any\","
                     "\"thing\":\"T\",\"shadow\":\"N\",\"count\":2}");
    command(account, "{\"do\":\"fault\",\"kind\":\"lose\",\"thing\":\"U\"}");
    command(account, "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":50,\"shadow\":\"\"}");
    assert_int_equal(request(account, named, document), 0);
    assert_int_equal(request(account, "$aws/things/T/shadow/name/N/get", ""), 0);
    assert_int_equal(request(account, named, document), 0);
    assert_string_equal(take(account, NOW_MS), "RRAD");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "");
    assert_string_equal(take(account, NOW_MS + 50), "AD");
    const char *list = command(account, "{\"do\":\"counters\"}");
    assert_has(list, "\"thing\": \"U\"");
    assert_has(list, "\"ms\": 50");
    assert_has(list, "\"count\": \"always\"");
}

static void test_a_reordered_answer_is_overtaken_by_the_next(void **state)
{
    struct account *account = *state;
    shadow_service_options(account->service)->publish_documents = false;
    command(account, "{\"do\":\"fault\",\"kind\":\"reorder\"}");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "");
    assert_int_equal(request(account, update, "{"), 0);
    assert_string_equal(take(account, NOW_MS), "RA");
    command(account, "{\"do\":\"fault\",\"kind\":\"reorder\"}");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS + ACCOUNT_REORDER_MS - 1), "");
    assert_string_equal(take(account, NOW_MS + ACCOUNT_REORDER_MS), "A");
}

static void test_a_reordered_answer_waits_for_another_request(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"reorder\"}");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "D"); /* its own documents do not count */
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS), "AAD");
}

static enum policy_verdict subscribe(struct account *account, const char *filter, uint64_t packet)
{
    const struct account_peer peer = {"T", "T"};
    const struct limits_filter judged = {.filter = filter, .qos = 1, .packet = packet};
    return account_subscribe(account, &peer, &judged);
}

static void test_filters_are_refused_on_demand(void **state)
{
    struct account *account = *state;
    const char *own = "$aws/things/T/shadow/update/accepted";
    const char *shared = "$aws/things/T/shadow/name/+/update/accepted";
    command(account, "{\"do\":\"fault\",\"kind\":\"refuse\",\"filter\":\"*/name/+/*\","
                     "\"count\":2}");
    assert_int_equal(subscribe(account, own, 1), POLICY_ALLOW);
    assert_int_equal(subscribe(account, shared, 1), POLICY_REFUSE);
    assert_int_equal(subscribe(account, shared, 2), POLICY_REFUSE);
    assert_int_equal(subscribe(account, shared, 3), POLICY_ALLOW);
    command(account, "{\"do\":\"fault\",\"kind\":\"refuse\",\"filter\":\"*\","
                     "\"shadow\":\"N\",\"count\":\"always\"}");
    assert_int_equal(subscribe(account, own, 4), POLICY_ALLOW);
    assert_int_equal(subscribe(account, shared, 4), POLICY_ALLOW);
    for (uint64_t packet = 5; packet < 8; packet++)
        assert_int_equal(subscribe(account, "$aws/things/T/shadow/name/N/get/rejected", packet),
                         POLICY_REFUSE);
    command(account, "{\"do\":\"fault\",\"kind\":\"none\"}");
    assert_int_equal(subscribe(account, "$aws/things/T/shadow/name/N/get/rejected", 9),
                     POLICY_ALLOW);
    assert_int_equal(account_client(account, "T")->refused_subscriptions, 5);
}

static void test_a_forgotten_shadow_begins_anew(void **state)
{
    struct account *account = *state;
    assert_int_equal(report(account), 0);
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, "$aws/things/T/shadow/name/N/get", ""), 0);
    assert_string_equal(take(account, NOW_MS), "ADADR");
    assert_string_equal(command(account, "{\"do\":\"forget\",\"thing\":\"T\"}"), "ok\n");
    assert_string_equal(take(account, NOW_MS), ""); /* nobody is told */
    assert_int_equal(report(account), 0);
    assert_int_equal(shadow_service_version(account->service, "T", NULL), 1);
}

static void test_more_requests_in_flight_than_allowed_get_429(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":100}");
    for (int i = 0; i < 10; i++)
        assert_int_equal(report(account), 0);
    assert_int_equal(limits_total(&account->limits), 0);
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, "$aws/things/U/shadow/get", ""), 0); /* another thing */
    assert_int_equal(account->limits.exceeded[LIMIT_IN_FLIGHT], 1);
    assert_int_equal(shadow_service_version(account->service, "T", NULL), 10);
    assert_string_equal(take(account, NOW_MS + 100), "ADADADADADADADADADADRR");
    assert_int_equal(report(account), 0);
    assert_int_equal(account->limits.exceeded[LIMIT_IN_FLIGHT], 1);
    assert_int_equal(account_client(account, "c")->limits_exceeded, 1);
}

static void test_in_flight_may_be_counted_only(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"option\",\"option\":\"enforce_in_flight\",\"value\":false}");
    command(account, "{\"do\":\"option\",\"option\":\"max_in_flight\",\"value\":1}");
    command(account, "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":100}");
    assert_int_equal(report(account), 0);
    assert_int_equal(report(account), 0);
    assert_int_equal(account->limits.exceeded[LIMIT_IN_FLIGHT], 1);
    assert_string_equal(take(account, NOW_MS + 100), "ADAD");
}

static void test_requests_above_the_rate_of_a_shadow_are_counted(void **state)
{
    struct account *account = *state;
    for (int i = 0; i < 21; i++) {
        assert_int_equal(report(account), 0);
        assert_string_equal(take(account, NOW_MS), i < 20 ? "AD" : "R");
    }
    assert_int_equal(account->limits.exceeded[LIMIT_REQUESTS_PER_SEC], 1);
    assert_has(command(account, "{\"do\":\"counters\"}"), "\"requests_per_sec\": 1");
}

static void test_messages_above_the_rate_are_discarded_on_demand(void **state)
{
    struct account *account = *state;
    const struct account_peer peer = {"T", "c"};
    const char *topic = "$aws/things/T/shadow/update/accepted";
    shadow_service_options(account->service)->max_per_sec = 0;
    command(account, "{\"do\":\"fault\",\"kind\":\"discard\"}");
    for (int i = 0; i < 50; i++) {
        assert_int_equal(report(account), 0);
        assert_string_equal(take(account, NOW_MS), "AD");
        assert_int_equal(account_deliver(account, &peer, topic, 10, NOW_MS), POLICY_ALLOW);
    }
    assert_int_equal(report(account), ACCOUNT_DISCARDED);
    assert_int_equal(account_deliver(account, &peer, topic, 10, NOW_MS + 999), POLICY_DISCARD);
    assert_int_equal(shadow_service_version(account->service, "T", NULL), 50);
    assert_int_equal(account_client(account, "c")->discarded, 2);
    command(account, "{\"do\":\"fault\",\"kind\":\"none\"}");
    assert_int_equal(report(account), 0);
    assert_int_equal(account->limits.exceeded[LIMIT_MESSAGES_PER_SEC], 3);
}

static void test_bytes_above_the_rate_make_answers_late(void **state)
{
    struct account *account = *state;
    command(account, "{\"do\":\"option\",\"option\":\"max_bytes_per_sec\",\"value\":60}");
    command(account, "{\"do\":\"option\",\"option\":\"enforce_bytes_per_sec\",\"value\":true}");
    assert_int_equal(report(account), 0); /* 30 bytes */
    assert_int_equal(report(account), 0); /* a second's worth */
    assert_string_equal(take(account, NOW_MS), "ADAD");
    assert_int_equal(report(account), 0);
    assert_string_equal(take(account, NOW_MS + 499), "");
    assert_string_equal(take(account, NOW_MS + 500), "AD");
}

static void test_requests_are_counted_by_shadow(void **state)
{
    struct account *account = *state;
    assert_int_equal(report(account), 0);
    assert_int_equal(request(account, update, "{"), 0);
    assert_int_equal(request(account, "$aws/things/T/shadow/name/N/get", ""), 0);
    command(account, "{\"do\":\"update\",\"thing\":\"T\",\"name\":\"N\",\"state\":{}}");
    const char *said = command(account, "{\"do\":\"counters\"}");
    json_t *counters = json_loads(said + 3, 0, NULL);
    json_t *expected =
        json_loads("{\"T/\":{\"get\":0,\"update\":2,\"delete\":0,\"rejected\":1,\"byCloud\":0},"
                   "\"T/N\":{\"get\":1,\"update\":0,\"delete\":0,\"rejected\":1,\"byCloud\":1}}",
                   0, NULL);
    assert_true(json_equal(json_object_get(counters, "shadows"), expected));
    json_t *exceeded = json_object_get(counters, "limits_exceeded");
    assert_int_equal(json_integer_value(json_object_get(exceeded, "total")), 0);
    assert_int_equal(json_object_size(exceeded), LIMIT_COUNT + 1);
    json_decref(expected);
    json_decref(counters);
    command(account, "{\"do\":\"reset-counters\"}");
    assert_has(command(account, "{\"do\":\"counters\"}"), "\"shadows\": {}");
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
        "{\"do\":\"fault\",\"kind\":\"refuse\"}",
        "{\"do\":\"fault\",\"kind\":\"delay\",\"ms\":-1}",
        "{\"do\":\"fault\",\"kind\":\"lose\",\"shadow\":\"a/b\"}",
        "{\"do\":\"forget\"}",
        "{\"do\":\"option\",\"option\":\"enforce_requests_per_sec\",\"value\":true}",
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
    command(account, "{\"do\":\"option\",\"option\":\"max_subscriptions\",\"value\":7}");
    command(account, "{\"do\":\"option\",\"option\":\"enforce_qos\",\"value\":false}");
    assert_int_equal(account->limits.max[LIMIT_SUBSCRIPTIONS], 7);
    assert_false(account->limits.enforced[LIMIT_QOS]);
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
        WITH_ACCOUNT(test_closings_may_be_for_one_shadow),
        WITH_ACCOUNT(test_dropped_requests_have_no_effect),
        WITH_ACCOUNT(test_faults_of_one_shadow_spare_the_others),
        WITH_ACCOUNT(test_a_reordered_answer_is_overtaken_by_the_next),
        WITH_ACCOUNT(test_a_reordered_answer_waits_for_another_request),
        WITH_ACCOUNT(test_filters_are_refused_on_demand),
        WITH_ACCOUNT(test_a_forgotten_shadow_begins_anew),
        WITH_ACCOUNT(test_more_requests_in_flight_than_allowed_get_429),
        WITH_ACCOUNT(test_in_flight_may_be_counted_only),
        WITH_ACCOUNT(test_requests_above_the_rate_of_a_shadow_are_counted),
        WITH_ACCOUNT(test_messages_above_the_rate_are_discarded_on_demand),
        WITH_ACCOUNT(test_bytes_above_the_rate_make_answers_late),
        WITH_ACCOUNT(test_requests_are_counted_by_shadow),
        WITH_ACCOUNT(test_rejections_on_command),
        WITH_ACCOUNT(test_the_operator_writes_and_reads),
        WITH_ACCOUNT(test_bad_commands_are_named),
        WITH_ACCOUNT(test_options_are_set_by_name),
        WITH_ACCOUNT(test_clients_are_counted_apart_up_to_a_bound),
        WITH_ACCOUNT(test_an_archive_carries_shadows_and_tombstones_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
