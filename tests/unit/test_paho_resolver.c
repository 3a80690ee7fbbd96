#include "daemon/mqtt/endpoint_way.h"
#include "daemon/mqtt/paho_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Addresses as text, resolved by the C library without asking anybody; chained in their order. */
static struct addrinfo *list_of(const char *const *texts, size_t count)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *first = NULL, **link = &first;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(getaddrinfo(texts[i], "1", &hints, link), 0);
        link = &(*link)->ai_next;
    }
    return first;
}

static size_t count_of(const struct addrinfo *addresses, int family)
{
    size_t count = 0;
    for (; addresses; addresses = addresses->ai_next)
        count += addresses->ai_family == family;
    return count;
}

/* 255.255.255.255 cannot be reached without SO_BROADCAST, on any machine. */
#define NO_WAY "255.255.255.255"

static bool has_ipv6(void)
{
    return endpoint_way_find("::1", 1) == ENDPOINT_LOCAL;
}

static void test_way_is_known_without_sending(void **state)
{
    (void)state;
    assert_int_equal(endpoint_way_find("127.0.0.1", 1), ENDPOINT_LOCAL);
    assert_int_equal(endpoint_way_find(NO_WAY, 1), ENDPOINT_NO_ROUTE);
    assert_int_equal(endpoint_way_to(NULL), ENDPOINT_UNKNOWN);
}

static void test_best_of_several_addresses_counts(void **state)
{
    (void)state;
    struct addrinfo *list = list_of((const char *const[]){NO_WAY, "127.0.0.1"}, 2);
    assert_int_equal(endpoint_way_to(list), ENDPOINT_LOCAL);
    freeaddrinfo(list);
}

static void test_ipv4_without_a_route_makes_way_for_ipv6(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    struct addrinfo *list = list_of((const char *const[]){NO_WAY, "::1", NO_WAY}, 3);
    list = paho_resolver_prune(list);
    assert_int_equal(count_of(list, AF_INET), 0);
    assert_int_equal(count_of(list, AF_INET6), 1);
    freeaddrinfo(list);
}

static void test_ipv4_with_a_route_stays(void **state)
{
    (void)state;
    struct addrinfo *list = list_of((const char *const[]){"::1", NO_WAY, "127.0.0.1"}, 3);
    list = paho_resolver_prune(list);
    assert_int_equal(count_of(list, AF_INET), 2);
    assert_int_equal(count_of(list, AF_INET6), 1);
    freeaddrinfo(list);
}

static void test_without_ipv6_nothing_is_left_out(void **state)
{
    (void)state;
    struct addrinfo *list = list_of((const char *const[]){NO_WAY}, 1);
    list = paho_resolver_prune(list);
    assert_int_equal(count_of(list, AF_INET), 1);
    freeaddrinfo(list);
}

static void test_resolving_works_as_before(void **state)
{
    (void)state;
    paho_resolver_keep();
    struct addrinfo *list = list_of((const char *const[]){"127.0.0.1"}, 1);
    assert_int_equal(count_of(list, AF_INET), 1);
    freeaddrinfo(list);
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    list = NULL;
    assert_int_not_equal(getaddrinfo("no address", NULL, &hints, &list), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way_is_known_without_sending),
        cmocka_unit_test(test_best_of_several_addresses_counts),
        cmocka_unit_test(test_ipv4_without_a_route_makes_way_for_ipv6),
        cmocka_unit_test(test_ipv4_with_a_route_stays),
        cmocka_unit_test(test_without_ipv6_nothing_is_left_out),
        cmocka_unit_test(test_resolving_works_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
