#include "daemon/shadow/thing.h"

#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct thing_options options_of(const char *name)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = name;
    options.instance_id = 7;
    return options;
}

static int setup(void **state)
{
    struct thing_options options = options_of("dev");
    struct thing *thing = NULL;
    int r = thing_new(&thing, &options);
    *state = thing;
    return r;
}

static int teardown(void **state)
{
    (void)thing_free(*state);
    return 0;
}

static struct thing_request next_request(struct thing *thing, int64_t now_ms)
{
    struct thing_request request;
    assert_int_equal(thing_next_request(thing, now_ms, &request), 1);
    return request;
}

static void assert_idle(struct thing *thing, int64_t now_ms)
{
    struct thing_request request;
    assert_int_equal(thing_next_request(thing, now_ms, &request), 0);
}

static void subscribe(struct thing *thing, int64_t now_ms)
{
    static const int granted[TOPIC_KIND_COUNT] = {0, 0, 1, 0, 0, 0};
    thing_link_up(thing, now_ms);
    struct thing_request request = next_request(thing, now_ms);
    assert_int_equal(request.kind, THING_SUBSCRIBE);
    thing_subscribed(thing, request.id, granted, request.filter_count, now_ms);
}

static void test_bad_options_are_refused(void **state)
{
    (void)state;
    struct thing *thing = NULL;
    struct thing_options options = options_of("a/b");
    assert_int_equal(thing_new(&thing, &options), -EINVAL);
    options = options_of("dev");
    options.burst = 0;
    assert_int_equal(thing_new(&thing, &options), -EINVAL);
    options = options_of("dev");
    options.requests_per_sec = 0;
    assert_int_equal(thing_new(&thing, &options), -EINVAL);
    assert_null(thing);
}

static void test_only_what_is_allowed_opens(void **state)
{
    struct shadow *shadow = NULL, *other = NULL;
    assert_int_equal(thing_open_shadow(*state, NULL, NULL, &shadow), 0);
    assert_non_null(shadow);
    assert_int_equal(thing_open_shadow(*state, "dev", "", &other), 0);
    assert_ptr_equal(other, shadow);
    assert_int_equal(thing_open_shadow(*state, "dev", "motor", &other), 0);
    assert_ptr_not_equal(other, shadow);
    assert_int_equal(thing_open_shadow(*state, "other", NULL, &shadow), -EACCES);
    assert_int_equal(thing_open_shadow(*state, "a b", NULL, &shadow), -EINVAL);
    assert_int_equal(thing_open_shadow(*state, NULL, "a+", &shadow), -EINVAL);
}

static void test_one_subscribe_asks_for_the_six_answers(void **state)
{
    struct thing *thing = *state;
    assert_idle(thing, 0);
    thing_link_up(thing, 0);
    struct thing_request request = next_request(thing, 0);
    assert_int_equal(request.kind, THING_SUBSCRIBE);
    assert_int_equal(request.filter_count, 6);
    int qos1 = 0;
    for (size_t i = 0; i < request.filter_count; i++) {
        struct topic topic;
        assert_true(topic_parse(request.filters[i], &topic));
        assert_null(strchr(request.filters[i], '#'));
        assert_int_equal(request.filter_qos[i], topic.kind == TOPIC_UPDATE_DELTA ? 1 : 0);
        qos1 += request.filter_qos[i];
    }
    assert_int_equal(qos1, 1);
    assert_idle(thing, 0); /* nothing goes out before the SUBACK */
}

static void test_after_the_suback_comes_a_get(void **state)
{
    struct thing *thing = *state;
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    assert_int_equal(request.kind, THING_PUBLISH);
    assert_string_equal(request.topic, "$aws/things/dev/shadow/get");
    assert_int_equal(request.qos, 1);
    assert_idle(thing, 0);
}

static void test_a_refused_filter_is_told_and_tried_again_later(void **state)
{
    struct thing *thing = *state;
    static const int codes[TOPIC_KIND_COUNT] = {0x87, 0, 1, 0, 0, 0};
    struct thing_notice notice;
    thing_link_up(thing, 0);
    struct thing_request request = next_request(thing, 0);
    thing_subscribed(thing, request.id, codes, request.filter_count, 0);
    assert_true(thing_next_notice(thing, &notice));
    assert_int_equal(notice.kind, THING_NOTICE_FILTER_REFUSED);
    assert_string_equal(notice.text, "$aws/things/dev/shadow/update/accepted");
    assert_int_equal(notice.code, 0x87);
    assert_idle(thing, 0);
    int64_t again_ms = thing_deadline(thing, 0);
    assert_true(again_ms >= 60000 && again_ms < INT64_MAX);
    assert_int_equal(next_request(thing, again_ms).kind, THING_SUBSCRIBE);
}

static void test_a_refused_delta_filter_does_not_stop_reports(void **state)
{
    struct thing *thing = *state;
    static const int codes[TOPIC_KIND_COUNT] = {0, 0, 0x80, 0, 0, 0};
    thing_link_up(thing, 0);
    struct thing_request request = next_request(thing, 0);
    thing_subscribed(thing, request.id, codes, request.filter_count, 0);
    assert_int_equal(next_request(thing, 0).kind, THING_PUBLISH);
}

static void test_silence_makes_the_link_doubtful(void **state)
{
    struct thing *thing = *state;
    subscribe(thing, 0);
    int64_t now_ms = 0;
    for (int i = 0; i < 3; i++) {
        assert_false(thing_doubts_link(thing));
        assert_int_equal(next_request(thing, now_ms).kind, THING_PUBLISH);
        now_ms = thing_deadline(thing, now_ms);
        struct thing_request request;
        (void)thing_next_request(thing, now_ms, &request); /* the time-out */
        now_ms = thing_deadline(thing, now_ms);
    }
    assert_true(thing_doubts_link(thing));
    thing_receive(thing, "any/topic", "", 0, now_ms); /* a sign of life */
    assert_false(thing_doubts_link(thing));
}

static void test_answers_for_others_are_counted_and_dropped(void **state)
{
    struct thing *thing = *state;
    static const char *const topics[] = {
        "$aws/things/other/shadow/update/accepted",
        "$aws/things/dev/shadow/name/motor/update/accepted",
        "$aws/things/dev/jobs/notify",
        "",
    };
    struct thing_status status;
    subscribe(thing, 0);
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        thing_receive(thing, topics[i], "{}", 2, 0);
    thing_get_status(thing, &status);
    assert_int_equal(status.unknown_messages, 4);
    assert_int_equal(status.messages_in, 4);
}

static void answer_get(struct thing *thing, const struct thing_request *request,
                       const char *reported, int64_t version)
{
    char payload[512], token[128];
    const char *begin = strchr(request->payload, ':') + 2;
    (void)snprintf(token, sizeof(token), "%.*s", (int)strcspn(begin, "\""), begin);
    (void)snprintf(payload, sizeof(payload),
                   "{\"state\":{\"reported\":%s},\"version\":%lld,\"clientToken\":\"%s\"}",
                   reported, (long long)version, token);
    thing_receive(thing, "$aws/things/dev/shadow/get/accepted", payload, strlen(payload), 0);
}

static void test_nothing_is_due_while_the_link_is_down(void **state)
{
    struct thing *thing = *state;
    struct shadow *shadow = NULL;
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {
        .kind = FLUX_SET, .path = "/a", .path_size = 2, .value = flux_value_int64(1)};
    const struct shadow_report report = {.operations = &operation, .operation_count = 1};
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    answer_get(thing, &request, "{\"a\":1}", 3);
    assert_int_equal(thing_open_shadow(thing, NULL, NULL, &shadow), 0);
    assert_int_equal(shadow_report(shadow, &report, 0, NULL, &refusal), SHADOW_REPORT_QUEUED);
    assert_idle(thing, 0); /* the cloud has it already */
    static const char foreign[] = "{\"state\":{\"reported\":{\"a\":2}},\"version\":4}";
    thing_receive(thing, "$aws/things/dev/shadow/update/accepted", foreign, strlen(foreign), 0);
    assert_true(thing_deadline(thing, 0) < 5000); /* to be set back */
    thing_link_down(thing, 0);
    assert_int_equal(thing_deadline(thing, 100000), INT64_MAX);
}

/* What goes out first when something was reported between two connections. */
static void expect_first(struct thing *thing, bool is_other_cloud, const char *topic)
{
    struct shadow *shadow = NULL;
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {
        .kind = FLUX_SET, .path = "/a", .path_size = 2, .value = flux_value_int64(1)};
    const struct shadow_report report = {.operations = &operation, .operation_count = 1};
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    answer_get(thing, &request, "{\"a\":7}", 3);
    thing_link_down(thing, 10);
    assert_int_equal(thing_open_shadow(thing, NULL, NULL, &shadow), 0);
    assert_int_equal(shadow_report(shadow, &report, 20, NULL, &refusal), SHADOW_REPORT_QUEUED);
    if (is_other_cloud)
        thing_change_cloud(thing);
    subscribe(thing, 1000);
    request = next_request(thing, 1000);
    assert_string_equal(request.topic, topic);
    assert_idle(thing, 1000);
}

static void test_held_version_will_do_at_the_same_cloud(void **state)
{
    expect_first(*state, false, "$aws/things/dev/shadow/update");
}

static void test_another_cloud_is_read_before_anything_is_sent(void **state)
{
    expect_first(*state, true, "$aws/things/dev/shadow/get");
}

static void receive_foreign(struct thing *thing, int64_t version, int64_t now_ms)
{
    char payload[96];
    (void)snprintf(payload, sizeof(payload),
                   "{\"state\":{\"reported\":{\"f\":1}},\"version\":%lld}", (long long)version);
    thing_receive(thing, "$aws/things/dev/shadow/update/accepted", payload, strlen(payload),
                  now_ms);
}

/* A version that the get does not know of, though sent after it was told, is of an earlier life of
 * the shadow: waiting for those in between would lead to a get every half second for ever. */
static void test_a_version_that_is_never_reached_costs_one_get(void **state)
{
    struct thing *thing = *state;
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    answer_get(thing, &request, "{\"a\":1}", 3);
    receive_foreign(thing, 1000, 0);
    int64_t now_ms = thing_deadline(thing, 0);
    request = next_request(thing, now_ms);
    answer_get(thing, &request, "{\"a\":1}", 4);
    assert_true(thing_deadline(thing, now_ms) > 60000);
}

static void test_early_news_from_behind_the_get_is_kept(void **state)
{
    struct thing *thing = *state;
    struct shadow *shadow = NULL;
    struct shadow_status status;
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    receive_foreign(thing, 5, 0);
    answer_get(thing, &request, "{\"a\":1}", 4);
    assert_int_equal(thing_open_shadow(thing, NULL, NULL, &shadow), 0);
    shadow_get_status(shadow, &status);
    assert_int_equal(status.version, 5);
    assert_int_equal(status.view, SHADOW_VIEW_PROVEN);
}

static void test_a_get_without_a_version_is_not_repeated_at_once(void **state)
{
    struct thing *thing = *state;
    subscribe(thing, 0);
    int64_t now_ms = 0, answers = 0;
    while (now_ms < 60000) {
        struct thing_request request = next_request(thing, now_ms);
        answer_get(thing, &request, "{\"a\":1}", -1);
        answers++;
        now_ms = thing_deadline(thing, now_ms);
    }
    assert_true(answers < 12);
}

/* While the link is down no message leads to pruning: a program that takes ever new properties away
 * again must not fill the memory. */
static void test_properties_that_come_and_go_do_not_pile_up(void **state)
{
    struct thing *thing = *state;
    struct shadow *shadow = NULL;
    struct shadow_refusal refusal;
    assert_int_equal(thing_open_shadow(thing, NULL, NULL, &shadow), 0);
    for (unsigned i = 0; i < 4 * LEDGER_NODES_KEPT; i++) {
        char path[32] = "/a";
        if (i % 100 != 99)
            (void)snprintf(path, sizeof(path), "/a/%u", i);
        const struct shadow_operation operation = {.kind = FLUX_SET,
                                                   .path = path,
                                                   .path_size = strlen(path),
                                                   .value = flux_value_bool(true)};
        const struct shadow_report report = {.operations = &operation, .operation_count = 1};
        struct shadow_wait wait;
        assert_int_equal(shadow_report(shadow, &report, 0, &wait, &refusal), SHADOW_REPORT_QUEUED);
        shadow_release(shadow, &wait);
    }
    assert_true(shadow->ledger.set.node_count <= 3 * LEDGER_NODES_KEPT);
    uint64_t before = shadow_effort(shadow); /* what is left there is paid for by who walks it */
    const struct shadow_operation unset = {.kind = FLUX_UNSET, .path = "/a", .path_size = 2};
    const struct shadow_report report = {.operations = &unset, .operation_count = 1};
    assert_int_equal(shadow_report(shadow, &report, 0, NULL, &refusal), SHADOW_REPORT_QUEUED);
    assert_int_equal(shadow_report(shadow, &report, 0, NULL, &refusal), SHADOW_REPORT_QUEUED);
    assert_true(shadow_effort(shadow) >= before + LEDGER_NODES_KEPT / 2);
}

static void test_a_publish_that_failed_is_settled_by_a_get(void **state)
{
    struct thing *thing = *state;
    subscribe(thing, 0);
    struct thing_request request = next_request(thing, 0);
    thing_published(thing, request.id, -1, 0);
    int64_t again_ms = thing_deadline(thing, 0);
    assert_true(again_ms > 0);
    assert_string_equal(next_request(thing, again_ms).topic, "$aws/things/dev/shadow/get");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_options_are_refused),
        CASE(test_only_what_is_allowed_opens),
        CASE(test_one_subscribe_asks_for_the_six_answers),
        CASE(test_after_the_suback_comes_a_get),
        CASE(test_a_refused_filter_is_told_and_tried_again_later),
        CASE(test_a_refused_delta_filter_does_not_stop_reports),
        CASE(test_silence_makes_the_link_doubtful),
        CASE(test_answers_for_others_are_counted_and_dropped),
        CASE(test_nothing_is_due_while_the_link_is_down),
        cmocka_unit_test_setup_teardown(test_held_version_will_do_at_the_same_cloud, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_another_cloud_is_read_before_anything_is_sent, setup,
                                        teardown),
        CASE(test_a_version_that_is_never_reached_costs_one_get),
        CASE(test_early_news_from_behind_the_get_is_kept),
        CASE(test_a_get_without_a_version_is_not_repeated_at_once),
        CASE(test_properties_that_come_and_go_do_not_pile_up),
        CASE(test_a_publish_that_failed_is_settled_by_a_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
