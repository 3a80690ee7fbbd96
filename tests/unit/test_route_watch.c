#include "daemon/mqtt/route_watch.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct message {
    struct nlmsghdr header;
    union {
        struct ifaddrmsg address;
        struct rtmsg route;
    } body;
};

static struct message route(uint8_t type, uint8_t table)
{
    struct message message = {
        .header = {.nlmsg_type = RTM_NEWROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))},
        .body.route = {.rtm_type = type, .rtm_table = table},
    };
    return message;
}

static struct message address(uint8_t scope, uint8_t flags)
{
    struct message message = {
        .header = {.nlmsg_type = RTM_NEWADDR, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg))},
        .body.address = {.ifa_scope = scope, .ifa_flags = flags},
    };
    return message;
}

static bool is_news(struct message message)
{
    return route_watch_judge(&message, message.header.nlmsg_len) == ROUTE_NEWS_FOUND;
}

static void test_ways_out_are_news(void **state)
{
    (void)state;
    assert_true(is_news(route(RTN_UNICAST, RT_TABLE_MAIN)));
    assert_true(is_news(address(RT_SCOPE_UNIVERSE, 0)));
}

static void test_what_leads_nowhere_is_no_news(void **state)
{
    (void)state;
    assert_false(is_news(route(RTN_LOCAL, RT_TABLE_LOCAL)));
    assert_false(is_news(route(RTN_BLACKHOLE, RT_TABLE_MAIN)));
    assert_false(is_news(address(RT_SCOPE_HOST, 0)));
    assert_false(is_news(address(RT_SCOPE_LINK, 0)));
    assert_false(is_news(address(RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE)));
    struct message gone = route(RTN_UNICAST, RT_TABLE_MAIN);
    gone.header.nlmsg_type = RTM_DELROUTE;
    assert_false(is_news(gone));
}

static void test_what_may_have_taken_a_route_away_is_a_change(void **state)
{
    (void)state;
    static const uint16_t types[] = {RTM_DELROUTE, RTM_DELADDR, RTM_NEWLINK, RTM_DELLINK};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct message message = route(RTN_UNICAST, RT_TABLE_MAIN);
        message.header.nlmsg_type = types[i];
        assert_int_equal(route_watch_judge(&message, message.header.nlmsg_len), ROUTE_NEWS_CHANGED);
    }
}

static void test_news_behind_other_messages_is_found(void **state)
{
    (void)state;
    struct message list[] = {address(RT_SCOPE_HOST, 0), route(RTN_UNICAST, RT_TABLE_MAIN)};
    list[0].header.nlmsg_len = sizeof(list[0]);
    assert_int_equal(route_watch_judge(list, sizeof(list)), ROUTE_NEWS_FOUND);
}

static void test_cut_and_lying_messages_are_not_read_beyond(void **state)
{
    (void)state;
    struct message message = route(RTN_UNICAST, RT_TABLE_MAIN);
    for (size_t size = 0; size < message.header.nlmsg_len; size++)
        assert_int_equal(route_watch_judge(&message, size), ROUTE_NEWS_NONE);
    message.header.nlmsg_len = NLMSG_LENGTH(2);
    assert_false(is_news(message));
    message.header.nlmsg_len = 0;
    assert_int_equal(route_watch_judge(&message, sizeof(message)), ROUTE_NEWS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_out_are_news),
        cmocka_unit_test(test_what_leads_nowhere_is_no_news),
        cmocka_unit_test(test_what_may_have_taken_a_route_away_is_a_change),
        cmocka_unit_test(test_news_behind_other_messages_is_found),
        cmocka_unit_test(test_cut_and_lying_messages_are_not_read_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
