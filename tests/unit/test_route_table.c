#include "daemon/mqtt/network_watch.h"
#include "daemon/mqtt/route_table.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Messages as the kernel sends them, one behind the other. */
struct answer {
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } room;
    size_t size;
};

static struct nlmsghdr *add(struct answer *answer, uint16_t type, const void *body, size_t size)
{
    struct nlmsghdr *header = (struct nlmsghdr *)(void *)(answer->room.bytes + answer->size);
    *header = (struct nlmsghdr){.nlmsg_type = type, .nlmsg_len = (uint32_t)NLMSG_LENGTH(size)};
    memcpy(NLMSG_DATA(header), body, size);
    answer->size += NLMSG_SPACE(size);
    return header;
}

static struct nlmsghdr *add_route(struct answer *answer, const struct rtmsg *route)
{
    return add(answer, RTM_NEWROUTE, route, sizeof(*route));
}

static void add_attribute(struct answer *answer, struct nlmsghdr *header, uint16_t type,
                          const void *data, size_t size)
{
    struct rtattr *attribute = (struct rtattr *)(void *)(answer->room.bytes + answer->size);
    *attribute =
        (struct rtattr){.rta_type = type, .rta_len = (uint16_t)(sizeof(*attribute) + size)};
    memcpy(attribute + 1, data, size);
    answer->size += (sizeof(*attribute) + size + 3) & ~(size_t)3;
    header->nlmsg_len = (uint32_t)(answer->room.bytes + answer->size - (char *)header);
}

static const struct rtmsg plain = {
    .rtm_family = AF_INET, .rtm_type = RTN_UNICAST, .rtm_table = RT_TABLE_MAIN};

/* Whether one route over an interface, to an address (NULL: anywhere), leads out. */
static bool leads_out(struct rtmsg route, uint32_t interface, const uint8_t *to, size_t size)
{
    struct answer answer = {0};
    struct nlmsghdr *header = add_route(&answer, &route);
    add_attribute(&answer, header, RTA_OIF, &interface, sizeof(interface));
    if (to)
        add_attribute(&answer, header, RTA_DST, to, size);
    return route_table_scan(&answer, answer.size) == ROUTE_ANSWER_LEADS_OUT;
}

static void test_routes_over_a_wire_lead_out(void **state)
{
    (void)state;
    assert_true(leads_out(plain, 2, NULL, 0));
    assert_true(leads_out(plain, 2, (const uint8_t[]){10, 0, 0, 0}, 4));
    struct rtmsg route = plain;
    route.rtm_table = 100;
    assert_true(leads_out(route, 2, NULL, 0));
    route = plain;
    route.rtm_family = AF_INET6;
    assert_true(leads_out(route, 2, NULL, 0));
    assert_true(leads_out(route, 2, (const uint8_t[16]){0xfd, 0x77}, 16));
}

static void test_routes_that_are_dead_or_without_a_carrier_lead_nowhere(void **state)
{
    (void)state;
    struct rtmsg route = plain;
    route.rtm_flags = RTNH_F_LINKDOWN;
    assert_false(leads_out(route, 2, NULL, 0));
    route.rtm_flags = RTNH_F_DEAD;
    assert_false(leads_out(route, 2, NULL, 0));
    route.rtm_flags = RTM_F_CLONED;
    assert_false(leads_out(route, 2, NULL, 0));
    route.rtm_flags = RTNH_F_ONLINK;
    assert_true(leads_out(route, 2, NULL, 0));
}

static void test_routes_to_this_host_or_its_wire_lead_nowhere(void **state)
{
    (void)state;
    struct rtmsg route = plain;
    route.rtm_type = RTN_LOCAL;
    assert_false(leads_out(route, 2, NULL, 0));
    route = plain;
    route.rtm_table = RT_TABLE_LOCAL;
    assert_false(leads_out(route, 2, NULL, 0));
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_type = RTN_UNREACHABLE;
    assert_false(leads_out(route, 2, NULL, 0));
    assert_false(leads_out(plain, 1, NULL, 0));
    assert_false(leads_out(plain, 2, (const uint8_t[]){127, 0, 0, 0}, 4));
    assert_false(leads_out(plain, 2, (const uint8_t[]){169, 254, 0, 0}, 4));
    route = plain;
    route.rtm_family = AF_INET6;
    assert_false(leads_out(route, 2, (const uint8_t[16]){[15] = 1}, 16));
    assert_false(leads_out(route, 2, (const uint8_t[16]){0xfe, 0x80}, 16));
    assert_false(leads_out(route, 2, (const uint8_t[16]){0xff}, 16));
}

static bool two_hops_lead_out(uint8_t first_flags, uint8_t second_flags)
{
    const struct rtnexthop hops[] = {
        {.rtnh_len = sizeof(struct rtnexthop), .rtnh_flags = first_flags, .rtnh_ifindex = 2},
        {.rtnh_len = sizeof(struct rtnexthop), .rtnh_flags = second_flags, .rtnh_ifindex = 3},
    };
    struct answer answer = {0};
    struct nlmsghdr *header = add_route(&answer, &plain);
    add_attribute(&answer, header, RTA_MULTIPATH, hops, sizeof(hops));
    return route_table_scan(&answer, answer.size) == ROUTE_ANSWER_LEADS_OUT;
}

static void test_of_several_hops_one_is_enough(void **state)
{
    (void)state;
    assert_true(two_hops_lead_out(0, 0));
    assert_true(two_hops_lead_out(RTNH_F_DEAD, 0));
    assert_true(two_hops_lead_out(0, RTNH_F_LINKDOWN));
    assert_false(two_hops_lead_out(RTNH_F_LINKDOWN, RTNH_F_DEAD));
}

static void test_end_and_errors_are_told_apart(void **state)
{
    (void)state;
    struct answer answer = {0};
    const struct rtmsg local = {.rtm_family = AF_INET, .rtm_type = RTN_LOCAL};
    (void)add_route(&answer, &local);
    assert_int_equal(route_table_scan(&answer, answer.size), ROUTE_ANSWER_MORE);
    const int none = 0;
    (void)add(&answer, NLMSG_DONE, &none, sizeof(none));
    assert_int_equal(route_table_scan(&answer, answer.size), ROUTE_ANSWER_END);

    struct answer refused = {0};
    const struct nlmsgerr error = {.error = -1};
    (void)add(&refused, NLMSG_ERROR, &error, sizeof(error));
    assert_int_equal(route_table_scan(&refused, refused.size), ROUTE_ANSWER_BROKEN);

    struct answer torn = {0};
    add(&torn, NLMSG_DONE, &none, sizeof(none))->nlmsg_flags = NLM_F_DUMP_INTR;
    assert_int_equal(route_table_scan(&torn, torn.size), ROUTE_ANSWER_BROKEN);
}

/* Copied to where the sanitizer sees a byte too many. */
static enum route_answer scan_exactly(const struct answer *answer, size_t size)
{
    void *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, answer, size);
    const enum route_answer result = route_table_scan(copy, size);
    free(copy);
    return result;
}

static void test_cut_and_lying_messages_are_not_read_beyond(void **state)
{
    (void)state;
    const struct rtnexthop hop = {.rtnh_len = 200, .rtnh_ifindex = 2};
    struct answer answer = {0};
    struct nlmsghdr *header = add_route(&answer, &plain);
    const uint8_t to[] = {127, 0, 0, 1};
    add_attribute(&answer, header, RTA_DST, to, sizeof(to));
    add_attribute(&answer, header, RTA_MULTIPATH, &hop, sizeof(hop));
    for (size_t size = 0; size <= answer.size; size++)
        assert_int_not_equal(scan_exactly(&answer, size), ROUTE_ANSWER_LEADS_OUT);
    const uint32_t whole = header->nlmsg_len;
    for (uint32_t size = 0; size < whole + 8; size++) {
        header->nlmsg_len = size;
        (void)scan_exactly(&answer, answer.size);
    }
    header->nlmsg_len = whole;
    for (uint16_t size = 0; size < 64; size++) {
        struct rtattr *attribute =
            (struct rtattr *)(void *)((char *)header + NLMSG_SPACE(sizeof(struct rtmsg)));
        attribute->rta_len = size;
        (void)scan_exactly(&answer, answer.size);
    }
}

static void test_kernel_answers(void **state)
{
    (void)state;
    const enum route_table table = route_table_read();
    assert_in_range(table, ROUTE_TABLE_UNKNOWN, ROUTE_TABLE_LEADS_OUT);
}

static void test_without_a_watch_a_network_is_assumed(void **state)
{
    (void)state;
    struct network_watch watch = {.fd = -1};
    network_view_init(&watch.view);
    network_watch_target(&watch, network_target_new("192.0.2.1", 8883));
    assert_int_equal(network_watch_look(&watch, 0), NETWORK_SAME);
    assert_int_equal(network_watch_dialled(&watch, ENDPOINT_NO_ROUTE, 0), NETWORK_SAME);
    assert_int_equal(watch.view.state, NETWORK_THERE);
    assert_int_equal(network_watch_timeout_ms(&watch, 0), -1);
    network_watch_clear(&watch);
}

static void test_without_an_endpoint_nothing_is_looked_at(void **state)
{
    (void)state;
    struct network_watch watch;
    network_watch_init(&watch);
    assert_int_equal(network_watch_timeout_ms(&watch, 0), -1);
    assert_int_equal(network_watch_look(&watch, 0), NETWORK_SAME);
    network_watch_clear(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes_over_a_wire_lead_out),
        cmocka_unit_test(test_routes_that_are_dead_or_without_a_carrier_lead_nowhere),
        cmocka_unit_test(test_routes_to_this_host_or_its_wire_lead_nowhere),
        cmocka_unit_test(test_of_several_hops_one_is_enough),
        cmocka_unit_test(test_end_and_errors_are_told_apart),
        cmocka_unit_test(test_cut_and_lying_messages_are_not_read_beyond),
        cmocka_unit_test(test_kernel_answers),
        cmocka_unit_test(test_without_a_watch_a_network_is_assumed),
        cmocka_unit_test(test_without_an_endpoint_nothing_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
