#include "proto/limits.h"
#include "proto/message.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
#include "tests/unit/message_fixture.h"
// clang-format on

static void test_hello(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "HELLO");
    const struct flux_hello sent = {1, 1, 0x1122334455667788, flux_text("fluxctl")};
    assert_int_equal(flux_hello_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_hello hello;
    assert_int_equal(flux_hello_decode(&fixture.frame, &hello), 0);
    assert_int_equal(hello.min_version, 1);
    assert_int_equal(hello.max_version, 1);
    assert_true(hello.instance_id == 0x1122334455667788);
    assert_text(hello.name, "fluxctl");
}

static void test_open_shadow_and_opened(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "OPEN_SHADOW");
    const struct flux_open_shadow sent = {1, 1, flux_text("gateway"), flux_text("config")};
    assert_int_equal(flux_open_shadow_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_open_shadow open;
    assert_int_equal(flux_open_shadow_decode(&fixture.frame, &open), 0);
    assert_int_equal(open.handle, 1);
    assert_int_equal(open.request_id, 1);
    assert_text(open.thing, "gateway");
    assert_text(open.shadow, "config");
    fixture.frame.shadow = 0;
    assert_int_equal(flux_open_shadow_decode(&fixture.frame, &open), -EPROTO);

    take_golden(&fixture, "OPENED");
    assert_int_equal(flux_opened_encode(&fixture.writer, &(struct flux_opened){1, 1}), 0);
    assert_written(&fixture);
    struct flux_opened opened;
    assert_int_equal(flux_opened_decode(&fixture.frame, &opened), 0);
    assert_int_equal(opened.handle, 1);
    assert_int_equal(opened.request_id, 1);
}

static void test_get_status_and_flush(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "GET");
    const struct flux_get sent = {0, 4, FLUX_SECTION_REPORTED, flux_text("/battery")};
    assert_int_equal(flux_get_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_get get;
    assert_int_equal(flux_get_decode(&fixture.frame, &get), 0);
    assert_int_equal(get.request_id, 4);
    assert_int_equal(get.section, FLUX_SECTION_REPORTED);
    assert_text(get.path, "/battery");

    take_golden(&fixture, "STATUS");
    struct flux_status_request status = {5};
    assert_int_equal(flux_status_request_encode(&fixture.writer, &status), 0);
    assert_written(&fixture);
    status.request_id = 0;
    assert_int_equal(flux_status_request_decode(&fixture.frame, &status), 0);
    assert_int_equal(status.request_id, 5);

    take_golden(&fixture, "FLUSH");
    struct flux_flush flush = {6, FLUX_LEVEL_ACCEPTED};
    assert_int_equal(flux_flush_encode(&fixture.writer, &flush), 0);
    assert_written(&fixture);
    flush = (struct flux_flush){0};
    assert_int_equal(flux_flush_decode(&fixture.frame, &flush), 0);
    assert_int_equal(flush.request_id, 6);
    assert_int_equal(flush.level, FLUX_LEVEL_ACCEPTED);
}

static void test_admin_and_history(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "ADMIN");
    const struct flux_admin sent = {14, FLUX_ADMIN_LOG_LEVEL, 7, 600};
    assert_int_equal(flux_admin_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_admin admin;
    assert_int_equal(flux_admin_decode(&fixture.frame, &admin), 0);
    assert_int_equal(admin.request_id, 14);
    assert_int_equal(admin.action, FLUX_ADMIN_LOG_LEVEL);
    assert_int_equal(admin.argument, 7);
    assert_int_equal(admin.duration_sec, 600);
    fixture.frame.shadow = 1;
    assert_int_equal(flux_admin_decode(&fixture.frame, &admin), -EPROTO);

    take_golden(&fixture, "HISTORY");
    struct flux_history_request history = {15};
    assert_int_equal(flux_history_request_encode(&fixture.writer, &history), 0);
    assert_written(&fixture);
    history.request_id = 0;
    assert_int_equal(flux_history_request_decode(&fixture.frame, &history), 0);
    assert_int_equal(history.request_id, 15);
}

/* A later client may ask for what this daemon does not know; the daemon says so itself. */
static void test_an_unknown_action_is_no_malformed_message(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_admin admin = {14, (enum flux_admin_action)200, 0, 0};
    take_golden(&fixture, "ADMIN");
    assert_int_equal(flux_admin_encode(&fixture.writer, &admin), 0);
    fixture.frame.payload = fixture.writer.data + FLUX_FRAME_HEADER_BYTES;
    assert_int_equal(flux_admin_decode(&fixture.frame, &admin), 0);
    assert_int_equal(admin.action, 200);
    assert_string_equal(flux_admin_action_name(admin.action), "unknown");
    fixture.writer.size = 0;
    admin.action = (enum flux_admin_action)0;
    assert_int_equal(flux_admin_encode(&fixture.writer, &admin), 0);
    assert_int_equal(flux_admin_decode(&fixture.frame, &admin), -EPROTO);
}

static void test_welcome(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "WELCOME");
    const struct flux_welcome sent = {1, 0x8877665544332211, FLUX_WELCOME_DURABLE, 65536, 8};
    assert_int_equal(flux_welcome_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_welcome welcome;
    assert_int_equal(flux_welcome_decode(&fixture.frame, &welcome), 0);
    assert_int_equal(welcome.version, 1);
    assert_true(welcome.instance_id == 0x8877665544332211);
    assert_int_equal(welcome.flags, FLUX_WELCOME_DURABLE);
    assert_int_equal(welcome.max_frame_bytes, 65536);
    assert_int_equal(welcome.max_depth, 8);
}

static void test_answer_rejected_and_safe(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "ANSWER");
    const struct flux_answer sent = {0, FLUX_LEVEL_ACCEPTED, 2, 7, 42, false};
    assert_int_equal(flux_answer_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_answer answer;
    assert_int_equal(flux_answer_decode(&fixture.frame, &answer), 0);
    assert_int_equal(answer.level, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answer.first_id, 2);
    assert_int_equal(answer.last_id, 7);
    assert_int_equal(answer.version, 42);
    assert_false(answer.deadband);

    take_golden(&fixture, "REJECTED");
    const struct flux_rejected refused = {1, 8, 8, 413, flux_text("/blob"), flux_text("too large")};
    assert_int_equal(flux_rejected_encode(&fixture.writer, &refused), 0);
    assert_written(&fixture);
    struct flux_rejected rejected;
    assert_int_equal(flux_rejected_decode(&fixture.frame, &rejected), 0);
    assert_int_equal(rejected.shadow, 1);
    assert_int_equal(rejected.first_id, 8);
    assert_int_equal(rejected.last_id, 8);
    assert_int_equal(rejected.code, 413);
    assert_text(rejected.path, "/blob");
    assert_text(rejected.text, "too large");

    take_golden(&fixture, "SAFE");
    assert_int_equal(flux_safe_encode(&fixture.writer, &(struct flux_safe){1, 7}), 0);
    assert_written(&fixture);
    struct flux_safe safe;
    assert_int_equal(flux_safe_decode(&fixture.frame, &safe), 0);
    assert_int_equal(safe.shadow, 1);
    assert_int_equal(safe.last_id, 7);
}

static void test_data(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "DATA");
    const struct flux_data sent = {0, true, 4, flux_text("{\"a\":")};
    assert_int_equal(flux_data_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    assert_int_equal(fixture.writer.size, FLUX_DATA_OVERHEAD_BYTES + sent.bytes.size);
    struct flux_data data;
    assert_int_equal(flux_data_decode(&fixture.frame, &data), 0);
    assert_true(data.more);
    assert_int_equal(data.request_id, 4);
    assert_text(data.bytes, "{\"a\":");

    take_golden(&fixture, "DATA last");
    assert_int_equal(flux_data_decode(&fixture.frame, &data), 0);
    assert_false(data.more);
    assert_text(data.bytes, "1}");
}

static void test_done_failed_and_goodbye(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "DONE");
    struct flux_done done = {6};
    assert_int_equal(flux_done_encode(&fixture.writer, &done), 0);
    assert_written(&fixture);
    done.request_id = 0;
    assert_int_equal(flux_done_decode(&fixture.frame, &done), 0);
    assert_int_equal(done.request_id, 6);

    take_golden(&fixture, "FAILED");
    const struct flux_failed why = {6, 95, flux_text("storage is volatile")};
    assert_int_equal(flux_failed_encode(&fixture.writer, &why), 0);
    assert_written(&fixture);
    struct flux_failed failed;
    assert_int_equal(flux_failed_decode(&fixture.frame, &failed), 0);
    assert_int_equal(failed.request_id, 6);
    assert_int_equal(failed.code, 95);
    assert_text(failed.text, "storage is volatile");

    take_golden(&fixture, "GOODBYE");
    const struct flux_goodbye last = {FLUX_GOODBYE_TOO_LONG, flux_text("frame too long")};
    assert_int_equal(flux_goodbye_encode(&fixture.writer, &last), 0);
    assert_written(&fixture);
    struct flux_goodbye goodbye;
    assert_int_equal(flux_goodbye_decode(&fixture.frame, &goodbye), 0);
    assert_int_equal(goodbye.code, FLUX_GOODBYE_TOO_LONG);
    assert_text(goodbye.text, "frame too long");
}

static void test_impossible_numbers_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_flush flush;
    struct flux_answer answer;
    struct flux_get get;
    struct flux_hello hello;
    take_golden(&fixture, "FLUSH");
    for (unsigned level = 0; level < 256; level++) {
        fixture.golden[16] = (uint8_t)level;
        assert_int_equal(flux_flush_decode(&fixture.frame, &flush),
                         level >= 1 && level <= 3 ? 0 : -EPROTO);
    }
    take_golden(&fixture, "GET");
    for (unsigned section = 0; section < 256; section++) {
        fixture.golden[16] = (uint8_t)section;
        assert_int_equal(flux_get_decode(&fixture.frame, &get),
                         section >= 1 && section <= 3 ? 0 : -EPROTO);
    }
    take_golden(&fixture, "ANSWER");
    fixture.golden[9] = 8; /* first_id 8, last_id 7 */
    assert_int_equal(flux_answer_decode(&fixture.frame, &answer), -EPROTO);
    take_golden(&fixture, "HELLO");
    fixture.golden[8] = 0; /* min_version 0 */
    assert_int_equal(flux_hello_decode(&fixture.frame, &hello), -EPROTO);
    fixture.golden[8] = 2; /* min_version 2, max_version 1 */
    assert_int_equal(flux_hello_decode(&fixture.frame, &hello), -EPROTO);
}

static void test_messages_without_a_shadow_have_no_handle(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_done done;
    take_golden(&fixture, "DONE");
    fixture.frame.shadow = 1;
    assert_int_equal(flux_done_decode(&fixture.frame, &done), -EPROTO);
}

static void test_a_name_too_long_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    char name[FLUX_CLIENT_NAME_MAX + 1];
    memset(name, 'n', sizeof(name));
    for (size_t size = FLUX_CLIENT_NAME_MAX; size <= sizeof(name); size++) {
        struct flux_hello hello = {1, 1, 1, {name, size}};
        flux_wire_writer_init(&fixture.writer, fixture.written, sizeof(fixture.written));
        assert_int_equal(flux_hello_encode(&fixture.writer, &hello), 0);
        assert_true(flux_frame_next(fixture.written, fixture.writer.size, 4096, &fixture.frame) >
                    0);
        assert_int_equal(flux_hello_decode(&fixture.frame, &hello),
                         size == FLUX_CLIENT_NAME_MAX ? 0 : -EPROTO);
    }
}

static void test_a_decoder_takes_only_its_own_type(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_safe safe;
    take_golden(&fixture, "OPENED"); /* the same layout */
    assert_int_equal(flux_safe_decode(&fixture.frame, &safe), -EPROTO);
}

static void test_every_type_has_a_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_GOLDEN_COUNT; i++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES];
        message_golden_bytes(&message_goldens[i], bytes);
        const char *name = flux_message_name(bytes[0]);
        assert_int_equal(strncmp(message_goldens[i].name, name, strlen(name)), 0);
    }
    assert_string_equal(flux_message_name('{'), "unknown");
    assert_string_equal(flux_level_name(FLUX_LEVEL_STORED), "stored");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_open_shadow_and_opened),
        cmocka_unit_test(test_get_status_and_flush),
        cmocka_unit_test(test_admin_and_history),
        cmocka_unit_test(test_an_unknown_action_is_no_malformed_message),
        cmocka_unit_test(test_welcome),
        cmocka_unit_test(test_answer_rejected_and_safe),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_done_failed_and_goodbye),
        cmocka_unit_test(test_impossible_numbers_are_refused),
        cmocka_unit_test(test_messages_without_a_shadow_have_no_handle),
        cmocka_unit_test(test_a_name_too_long_is_refused),
        cmocka_unit_test(test_a_decoder_takes_only_its_own_type),
        cmocka_unit_test(test_every_type_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
