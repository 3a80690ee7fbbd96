#include "daemon/storage/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_null_store_never_claims_to_have_stored(void **state)
{
    (void)state;
    struct store *store;
    assert_int_equal(null_store_new(&store), 0);
    assert_false(store_is_durable(store));
    assert_string_equal(store_mode_name(store), "volatile");
    assert_false(store_needs_load(store));
    assert_int_equal(store_event_fd(store), -1);
    assert_null(store_free(store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_store_never_claims_to_have_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
