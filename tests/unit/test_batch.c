#include "daemon/storage/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct saved_row property_row(const char *thing, const char *path)
{
    return (struct saved_row){
        .kind = SAVED_PROPERTY, .thing = thing, .shadow = "s", .path = path, .path_size = 2};
}

static void test_rows_are_copied_with_all_they_point_to(void **state)
{
    (void)state;
    char memory[] = "thing\0shadow\0/p\0value\0[1]\0[22]\0text\0name\0unit\0/p/c";
    const char *const thing = memory, *const shadow = memory + 6, *const path = memory + 13;
    struct saved_row row = {.kind = SAVED_PROPERTY,
                            .thing = thing,
                            .shadow = shadow,
                            .path = path,
                            .path_size = 2,
                            .of_property = {.state = SAVED_REFUSED,
                                            .value = flux_value_string(memory + 16, 5),
                                            .cloud = flux_value_array(memory + 22, 3),
                                            .form = flux_value_array(memory + 26, 4),
                                            .refused_text = memory + 31,
                                            .writer_name = memory + 36,
                                            .writer_unit = memory + 41,
                                            .cut_cause = memory + 46,
                                            .cut_cause_size = 4,
                                            .revision = 9}};
    struct batch batch;
    batch_init(&batch);
    assert_int_equal(batch_add(&batch, &row), 0);
    memset(memory, 'x', sizeof(memory) - 1);
    batch_rewind(&batch);
    const struct saved_row *copy = batch_next(&batch);
    assert_string_equal(copy->thing, "thing");
    assert_string_equal(copy->shadow, "shadow");
    assert_memory_equal(copy->path, "/p", 2);
    assert_memory_equal(copy->of_property.value.text, "value", 5);
    assert_memory_equal(copy->of_property.cloud.text, "[1]", 3);
    assert_memory_equal(copy->of_property.form.text, "[22]", 4);
    assert_string_equal(copy->of_property.refused_text, "text");
    assert_string_equal(copy->of_property.writer_name, "name");
    assert_string_equal(copy->of_property.writer_unit, "unit");
    assert_memory_equal(copy->of_property.cut_cause, "/p/c", 4);
    assert_int_equal(copy->of_property.revision, 9);
    assert_null(batch_next(&batch));
    batch_clear(&batch);
}

static void test_documents_and_wishes_are_copied(void **state)
{
    (void)state;
    char memory[] = "{\"a\":1}";
    const struct saved_row desired = {.kind = SAVED_DESIRED,
                                      .thing = "",
                                      .shadow = "",
                                      .path = "",
                                      .of_desired = {.document = memory, .document_size = 7}};
    const struct saved_row settle = {.kind = SAVED_SETTLE,
                                     .thing = "",
                                     .shadow = "",
                                     .path = "",
                                     .of_settle = {.wishes = memory, .wishes_size = 7}};
    struct batch batch;
    batch_init(&batch);
    assert_int_equal(batch_add(&batch, &desired), 0);
    assert_int_equal(batch_add(&batch, &settle), 0);
    memory[2] = 'b';
    batch_rewind(&batch);
    assert_memory_equal(batch_next(&batch)->of_desired.document, "{\"a\":1}", 7);
    assert_memory_equal(batch_next(&batch)->of_settle.wishes, "{\"a\":1}", 7);
    batch_clear(&batch);
}

static void test_a_row_that_is_gone_is_its_key_alone(void **state)
{
    (void)state;
    struct saved_row row = property_row("t", "/p");
    row.is_gone = true;
    row.of_property.value = (struct flux_value){
        .type = FLUX_VALUE_STRING, .size = 1000, .text = NULL}; /* nobody may look at it */
    struct batch batch;
    batch_init(&batch);
    assert_int_equal(batch_add(&batch, &row), 0);
    batch_rewind(&batch);
    assert_true(batch_next(&batch)->is_gone);
    batch_clear(&batch);
}

static void test_rows_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct batch batch;
    batch_init(&batch);
    char thing[16];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 500; i++) {
            (void)snprintf(thing, sizeof(thing), "%u", i);
            const struct saved_row row = property_row(thing, "/p");
            assert_int_equal(batch_add(&batch, &row), 0);
        }
        assert_int_equal(batch.count, 500);
        batch_rewind(&batch);
        for (unsigned i = 0; i < 500; i++) {
            (void)snprintf(thing, sizeof(thing), "%u", i);
            assert_string_equal(batch_next(&batch)->thing, thing);
        }
        assert_null(batch_next(&batch));
        batch_empty(&batch);
        assert_int_equal(batch.count, 0);
        batch_rewind(&batch);
        assert_null(batch_next(&batch));
    }
    batch_clear(&batch);
}

static void test_an_empty_batch_keeps_little_memory(void **state)
{
    (void)state;
    struct batch batch;
    batch_init(&batch);
    static char text[100000];
    memset(text, 'x', sizeof(text));
    struct saved_row row = property_row("t", "/p");
    row.of_property.value = flux_value_string(text, sizeof(text));
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(batch_add(&batch, &row), 0);
        const struct saved_row small = property_row("t", "/q");
        assert_int_equal(batch_add(&batch, &small), 0);
    }
    assert_true(batch.bytes > 2000000);
    batch_empty(&batch);
    assert_in_range(batch.bytes, 1, 16384);
    assert_int_equal(batch_add(&batch, &row), 0);
    batch_rewind(&batch);
    assert_memory_equal(batch_next(&batch)->of_property.value.text, text, sizeof(text));
    batch_clear(&batch);
    assert_int_equal(batch.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_copied_with_all_they_point_to),
        cmocka_unit_test(test_documents_and_wishes_are_copied),
        cmocka_unit_test(test_a_row_that_is_gone_is_its_key_alone),
        cmocka_unit_test(test_rows_come_out_in_the_order_they_went_in),
        cmocka_unit_test(test_an_empty_batch_keeps_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
