#include "daemon/mqtt/network_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct network_view view;

static int setup(void **state)
{
    (void)state;
    network_view_init(&view);
    return 0;
}

static enum network_news judge(enum route_table table, enum endpoint_way way, int64_t now_ms)
{
    return network_view_judge(&view, table, way, now_ms);
}

static void test_first_look_is_due_at_once(void **state)
{
    (void)state;
    assert_true(network_view_deadline(&view) <= 0);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 0), NETWORK_SAME);
    assert_true(network_view_deadline(&view) == INT64_MAX);
}

static void test_network_is_gone_with_the_last_route_and_found_with_the_first(void **state)
{
    (void)state;
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 0), NETWORK_GONE);
    assert_int_not_equal(view.state, NETWORK_THERE);
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 1), NETWORK_SAME);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 2), NETWORK_FOUND);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 3), NETWORK_SAME);
}

static void test_in_doubt_there_is_a_network(void **state)
{
    (void)state;
    for (enum endpoint_way way = ENDPOINT_UNKNOWN; way <= ENDPOINT_LOCAL; way++)
        assert_int_equal(judge(ROUTE_TABLE_UNKNOWN, way, 0), NETWORK_SAME);
    (void)judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 1);
    assert_int_equal(judge(ROUTE_TABLE_UNKNOWN, ENDPOINT_UNKNOWN, 2), NETWORK_FOUND);
}

static void test_endpoint_on_this_device_needs_no_network(void **state)
{
    (void)state;
    assert_true(network_view_needs_endpoint(&view, ROUTE_TABLE_EMPTY));
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_LOCAL, 0), NETWORK_SAME);
    assert_int_equal(view.state, NETWORK_THERE);
}

/* Routes over a wire without a carrier are still used by the kernel. */
static void test_route_to_the_endpoint_alone_proves_no_network(void **state)
{
    (void)state;
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_ROUTED, 0), NETWORK_GONE);
}

static void test_resolver_is_left_alone_where_routes_lead_out(void **state)
{
    (void)state;
    assert_false(network_view_needs_endpoint(&view, ROUTE_TABLE_LEADS_OUT));
    assert_false(network_view_needs_endpoint(&view, ROUTE_TABLE_UNKNOWN));
    (void)judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 0);
    assert_false(network_view_needs_endpoint(&view, ROUTE_TABLE_LEADS_OUT));
}

static void test_network_that_does_not_lead_to_the_endpoint_is_none(void **state)
{
    (void)state;
    (void)judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 0);
    assert_int_equal(network_view_dialled(&view, ENDPOINT_NO_ROUTE, 10), NETWORK_GONE);
    assert_true(network_view_needs_endpoint(&view, ROUTE_TABLE_LEADS_OUT));
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_NO_ROUTE, 20), NETWORK_SAME);
    assert_int_not_equal(view.state, NETWORK_THERE);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_ROUTED, 30), NETWORK_FOUND);
}

static void test_name_that_does_not_resolve_is_no_reason_to_wait_for_a_route(void **state)
{
    (void)state;
    (void)network_view_dialled(&view, ENDPOINT_NO_ROUTE, 0);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 10), NETWORK_FOUND);
    assert_int_equal(network_view_dialled(&view, ENDPOINT_UNKNOWN, 20), NETWORK_SAME);
    assert_int_equal(network_view_dialled(&view, ENDPOINT_ROUTED, 30), NETWORK_SAME);
    assert_int_equal(network_view_dialled(&view, ENDPOINT_LOCAL, 40), NETWORK_SAME);
}

static void test_change_is_looked_at_soon_and_once_more(void **state)
{
    (void)state;
    (void)judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 0);
    network_view_changed(&view, 5000);
    assert_int_equal(network_view_deadline(&view), 5100);
    /* The link has been told to be down, its routes are still there. */
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 5100), NETWORK_SAME);
    assert_int_equal(network_view_deadline(&view), 6100);
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 6100), NETWORK_GONE);
}

static void test_swarm_of_changes_is_looked_at_once_a_second(void **state)
{
    (void)state;
    unsigned looks = 0;
    for (int64_t now_ms = 0; now_ms < 60000; now_ms += 10) {
        network_view_changed(&view, now_ms);
        if (network_view_deadline(&view) > now_ms)
            continue;
        (void)judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, now_ms);
        looks++;
    }
    assert_in_range(looks, 55, 61);
}

static void test_while_there_is_none_it_is_looked_for_now_and_then(void **state)
{
    (void)state;
    (void)judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 1000);
    assert_int_equal(network_view_deadline(&view), 1000 + NETWORK_RECHECK_MS);
    (void)judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 31000);
    assert_true(network_view_deadline(&view) == INT64_MAX);
    (void)network_view_dialled(&view, ENDPOINT_NO_ROUTE, 32000);
    assert_int_equal(network_view_deadline(&view), 32000 + NETWORK_RECHECK_MS);
}

static void test_another_endpoint_is_looked_at_at_once(void **state)
{
    (void)state;
    (void)judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 1000);
    network_view_retarget(&view);
    assert_true(network_view_deadline(&view) <= 1000);
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_LOCAL, 1001), NETWORK_FOUND);
}

static void test_news_that_could_not_be_passed_on_come_again(void **state)
{
    (void)state;
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 0), NETWORK_GONE);
    network_view_untold(&view, NETWORK_GONE, 0);
    assert_int_equal(network_view_deadline(&view), 1000);
    assert_int_equal(judge(ROUTE_TABLE_EMPTY, ENDPOINT_UNKNOWN, 1000), NETWORK_GONE);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 2000), NETWORK_FOUND);
    network_view_untold(&view, NETWORK_FOUND, 2000);
    assert_int_equal(network_view_deadline(&view), 3000);
    assert_int_equal(judge(ROUTE_TABLE_LEADS_OUT, ENDPOINT_UNKNOWN, 3000), NETWORK_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_look_is_due_at_once, setup),
        cmocka_unit_test_setup(test_network_is_gone_with_the_last_route_and_found_with_the_first,
                               setup),
        cmocka_unit_test_setup(test_in_doubt_there_is_a_network, setup),
        cmocka_unit_test_setup(test_endpoint_on_this_device_needs_no_network, setup),
        cmocka_unit_test_setup(test_route_to_the_endpoint_alone_proves_no_network, setup),
        cmocka_unit_test_setup(test_resolver_is_left_alone_where_routes_lead_out, setup),
        cmocka_unit_test_setup(test_network_that_does_not_lead_to_the_endpoint_is_none, setup),
        cmocka_unit_test_setup(test_name_that_does_not_resolve_is_no_reason_to_wait_for_a_route,
                               setup),
        cmocka_unit_test_setup(test_change_is_looked_at_soon_and_once_more, setup),
        cmocka_unit_test_setup(test_swarm_of_changes_is_looked_at_once_a_second, setup),
        cmocka_unit_test_setup(test_while_there_is_none_it_is_looked_for_now_and_then, setup),
        cmocka_unit_test_setup(test_news_that_could_not_be_passed_on_come_again, setup),
        cmocka_unit_test_setup(test_another_endpoint_is_looked_at_at_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
