#include "daemon/mqtt/paho_index.h"

#include <MQTTAsync.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CONNECTIONS 100

static int ask(int class_index, const char *name)
{
    return CRYPTO_get_ex_new_index(class_index, 0, (void *)(uintptr_t)name, NULL, NULL, NULL);
}

/* What the link thread does with Paho for a connection, but for the dialling. */
static void make_handle(void)
{
    MQTTAsync handle = NULL;
    assert_int_equal(MQTTAsync_create(&handle, "ssl://localhost:1", "paho-index",
                                      MQTTCLIENT_PERSISTENCE_NONE, NULL),
                     MQTTASYNC_SUCCESS);
    MQTTAsync_destroy(&handle);
}

static void test_many_connections_take_one_index(void **state)
{
    (void)state;
    make_handle();
    int before = ask(CRYPTO_EX_INDEX_SSL, NULL);
    assert_true(before >= 0);
    for (int i = 0; i < CONNECTIONS; i++)
        make_handle();
    assert_int_equal(ask(CRYPTO_EX_INDEX_SSL, NULL), before + 1);
}

static void test_the_index_of_paho_is_nobody_elses(void **state)
{
    (void)state;
    int own = ask(CRYPTO_EX_INDEX_SSL, "paho ssl options");
    assert_true(own >= 0);
    assert_int_not_equal(ask(CRYPTO_EX_INDEX_SSL, NULL), own);
    assert_int_equal(ask(CRYPTO_EX_INDEX_SSL, "paho ssl options"), own);
}

static void test_everybody_else_gets_a_new_index(void **state)
{
    (void)state;
    static const struct {
        int class_index;
        const char *name;
    } others[] = {
        {CRYPTO_EX_INDEX_SSL, NULL},
        {CRYPTO_EX_INDEX_SSL, "paho"},
        {CRYPTO_EX_INDEX_SSL_CTX, "paho ssl options"},
        {CRYPTO_EX_INDEX_X509, NULL},
    };
    make_handle();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        int first = ask(others[i].class_index, others[i].name);
        assert_true(first >= 0);
        assert_int_equal(ask(others[i].class_index, others[i].name), first + 1);
    }
}

static void free_nothing(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                         void *argp)
{
    (void)parent, (void)ptr, (void)data, (void)index, (void)argl, (void)argp;
}

static void test_an_index_with_functions_is_its_own(void **state)
{
    (void)state;
    static char name[] = "paho ssl options";
    make_handle();
    int first = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, name, NULL, NULL, free_nothing);
    assert_true(first >= 0);
    assert_int_equal(
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, name, NULL, NULL, free_nothing), first + 1);
}

static int keep_index(void **state)
{
    (void)state;
    paho_index_keep();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_connections_take_one_index),
        cmocka_unit_test(test_the_index_of_paho_is_nobody_elses),
        cmocka_unit_test(test_everybody_else_gets_a_new_index),
        cmocka_unit_test(test_an_index_with_functions_is_its_own),
    };
    return cmocka_run_group_tests(tests, keep_index, NULL);
}
