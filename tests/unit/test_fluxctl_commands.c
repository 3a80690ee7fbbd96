/* fluxctl itself, run against a daemon that the test plays: what it prints where, and how it ends.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "tests/unit/fluxctl_run.h"

static uint64_t await_watch(struct command *command, const char *path)
{
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_WATCH);
    struct flux_watch watch;
    assert_int_equal(flux_watch_decode(&frame, &watch), 0);
    assert_int_equal(watch.path.size, strlen(path));
    assert_memory_equal(watch.path.text, path, watch.path.size);
    return watch.request_id;
}

/* Take a report, and say that it is queued. */
static void await_report(struct command *command, const char *const *operations)
{
    struct fake_report report;
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_REPORT);
    fake_read_report(&frame, &report);
    size_t count = 0;
    for (; operations[count] != NULL; count++) {
        assert_true(count < report.count);
        assert_string_equal(report.operations[count], operations[count]);
    }
    assert_int_equal(report.count, count);
    fake_answer(&command->daemon, FLUX_LEVEL_QUEUED, report.head.request_id, report.head.request_id,
                0);
}

/* ---- watch ---- */

static void test_watch_prints_a_line_a_change_over_restarts(void **state)
{
    struct command *command = *state;
    BEGIN(command, "watch", "led.mode", "/led", "led");
    await_call(command);
    uint64_t id = await_watch(command, "/led"); /* the others lie below it */
    fake_done(&command->daemon, id);
    fake_desired(&command->daemon, id, "/led/mo\"de", 2, 17, false);
    expect_line(command,
                "{\"path\":\"/led/mo\\\"de\",\"value\":2,\"version\":17,\"differs\":true}");
    fake_desired(&command->daemon, id, "/led/x", 3, 18, true);
    expect_line(command, "{\"path\":\"/led/x\",\"value\":3,\"version\":18,\"differs\":true,"
                         "\"stale\":true}");
    fake_hang_up(&command->daemon);
    await_call(command);
    id = await_watch(command, "/led");
    fake_done(&command->daemon, id);
    fake_desired(&command->daemon, id, "/led/mo\"de", 2, 20, false);
    fake_complete(&command->daemon, id, 20);
    expect_line(command, "{\"path\":\"/led/x\",\"value\":null,\"version\":20,\"differs\":false}");
    (void)kill(command->pid, SIGTERM);
    expect_end(command, 0, "", "connection to fluxawsd lost");
}

static void test_watch_ends_when_it_is_interrupted_or_nobody_reads(void **state)
{
    struct command *command = *state;
    BEGIN(command, "watch");
    await_call(command);
    (void)await_watch(command, "");
    (void)kill(command->pid, SIGINT);
    expect_end(command, 0, "", "");
    BEGIN(command, "watch");
    await_call(command);
    (void)await_watch(command, "");
    (void)close(command->out_fd);
    command->out_fd = -1;
    expect_end(command, 0, "", "");
}

static void test_watch_says_why_it_is_refused(void **state)
{
    struct command *command = *state;
    BEGIN(command, "watch", "secret");
    await_call(command);
    fake_failed(&command->daemon, await_watch(command, "/secret"), EACCES, "rule [Access led]");
    expect_end(command, 5, "", "rule [Access led]");
    BEGIN(command, "watch", "a..b");
    await_call(command);
    expect_end(command, 2, "", "a..b");
}

/* ---- keys ---- */

static uint64_t await_keys(struct command *command)
{
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_KEYS);
    struct flux_keys keys;
    assert_int_equal(flux_keys_decode(&frame, &keys), 0);
    return keys.request_id;
}

static const char some_keys[] =
    "[{\"path\":\"/battery/level\",\"value\":81.5,\"state\":\"accepted\",\"version\":7,"
    "\"accepted_ms_ago\":65000,\"writer\":{\"name\":\"charger\",\"uid\":1000,\"unit\":"
    "\"charger.service\",\"connected\":true,\"reports_per_minute\":9},\"age_ms\":3700000},";
static const char more_keys[] =
    "{\"path\":\"/"
    "a.b\",\"value\":\"on\\u001b\",\"state\":\"in_flight\",\"settling\":true,\"age_ms\":20},"
    "{\"path\":\"/blob\",\"value\":[1,{\"x\":2}],\"state\":\"refused\",\"code\":413,\"text\":"
    "\"too \\\"large\\\"\",\"age_ms\":1000},"
    "{\"path\":\"/n\",\"value\":null,\"state\":\"queued\",\"cloud\":5,\"held_by\":"
    "\"MinIntervalMs\",\"held_until_ms_from_now\":4200,\"age_ms\":90000000}]";

static void answer_keys(struct command *command)
{
    uint64_t id = await_keys(command);
    fake_data(&command->daemon, id, true, some_keys);
    fake_data(&command->daemon, id, false, more_keys);
}

static void test_keys_are_a_table_for_people(void **state)
{
    struct command *command = *state;
    BEGIN(command, "keys");
    await_call(command);
    answer_keys(command);
    expect_line(command, "PATH           VALUE        STATE                                  AGE  "
                         "WRITER                               ANSWER");
    expect_line(command, "battery.level  81.5         accepted                               1 h  "
                         "charger (uid 1000, charger.service)  version 7, 1 min ago");
    expect_line(command, "/a.b           \"on\\u001b\"   in flight, settling                    "
                         "now  -                                    -");
    expect_line(command, "blob           [1,{\"x\":2}]  refused                                1 s "
                         " -                                    code 413: too \"large\"");
    expect_line(command, "n              (removed)    queued, held by MinIntervalMs for 4 s  1 d  "
                         "-                                    -; cloud has 5");
    expect_end(command, 0, "", "");
}

static void test_keys_as_json_are_the_array(void **state)
{
    struct command *command = *state;
    char expected[2048];
    BEGIN(command, "--json", "keys", "a", "b");
    await_call(command);
    answer_keys(command);
    uint64_t id = await_keys(command);
    fake_data(&command->daemon, id, false, "[]");
    (void)snprintf(expected, sizeof(expected), "%s%s", some_keys, more_keys);
    expect_line(command, expected);
    expect_end(command, 0, "", "");
    BEGIN(command, "keys", "nothing");
    await_call(command);
    fake_failed(&command->daemon, await_keys(command), ENOENT, "not there");
    expect_end(command, 1, "", "nothing that was reported from here is at 'nothing'");
}

/* ---- cleaning up ---- */

static void test_reset_is_not_done_by_accident(void **state)
{
    struct command *command = *state;
    BEGIN(command, "reset");
    expect_end(command, 2, "", "everything that this device has reported, in every shadow");
    BEGIN(command, "--shadow", "config", "reset");
    expect_end(command, 2, "", "shadow 'config'");
    BEGIN(command, "set", "a=1", "--yes");
    expect_end(command, 2, "", "takes no --yes");
}

static void test_reset_is_of_all_shadows_or_of_the_named_one(void **state)
{
    struct command *command = *state;
    struct flux_reset reset;
    BEGIN(command, "--json", "reset", "--yes");
    await_call(command);
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_RESET);
    assert_int_equal(flux_reset_decode(&frame, &reset), 0);
    assert_true(reset.all);
    fake_done(&command->daemon, reset.request_id);
    expect_end(command, 0, "{\"reset\":true}\n", "");
    BEGIN(command, "reset", "--yes", "--shadow", "config", "--timeout", "0.2");
    await_call(command);
    frame = client_await_frame(&command->daemon, FLUX_MESSAGE_OPEN_SHADOW);
    struct flux_open_shadow open;
    assert_int_equal(flux_open_shadow_decode(&frame, &open), 0);
    fake_opened(&command->daemon, open.handle, open.request_id);
    frame = client_await_frame(&command->daemon, FLUX_MESSAGE_RESET);
    assert_int_equal(flux_reset_decode(&frame, &reset), 0);
    assert_false(reset.all);
    assert_int_equal(reset.shadow, open.handle);
    frame = client_await_frame(&command->daemon, FLUX_MESSAGE_STATUS); /* why it takes so long */
    struct flux_status_request status;
    assert_int_equal(flux_status_request_decode(&frame, &status), 0);
    fake_data(&command->daemon, status.request_id, false,
              "{\"link\":{\"state\":\"down\",\"reason\":\"no route\"}}");
    expect_end(command, 4, "", "The link is not up (down): no route");
}

static uint64_t await_forget(struct command *command)
{
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_FORGET);
    struct flux_forget forget;
    assert_int_equal(flux_forget_decode(&frame, &forget), 0);
    return forget.request_id;
}

static void test_forget_stops_at_what_is_not_there(void **state)
{
    struct command *command = *state;
    BEGIN(command, "forget", "a", "b", "c");
    await_call(command);
    fake_done(&command->daemon, await_forget(command));
    fake_failed(&command->daemon, await_forget(command), ENOENT, "nothing");
    expect_end(command, 1, "", "What stands before 'b' was forgotten.");
    BEGIN(command, "forget");
    expect_end(command, 2, "", "PATH is missing");
}

/* ---- reports ---- */

static void test_set_settles_all_its_paths(void **state)
{
    struct command *command = *state;
    BEGIN(command, "set", "led.mode=on", "/x:=[1]", "--settle");
    await_call(command);
    await_report(command,
                 (const char *const[]){"/led/mode=\"on\"", "/x=[1]", "/led/mode?", "/x?", NULL});
    expect_end(command, 0, "", "");
}

static void test_replace_takes_a_path_of_its_own(void **state)
{
    struct command *command = *state;
    BEGIN(command, "report", "--replace");
    give_input(command, "{\"a\":1}{}");
    await_call(command);
    await_report(command, (const char *const[]){"!", "/a=1", NULL});
    await_report(command, (const char *const[]){"!", NULL});
    expect_end(command, 0, "", "");
    BEGIN(command, "report", "--replace", "net.eth0");
    give_input(command, "{\"a\":1}");
    await_call(command);
    await_report(command, (const char *const[]){"/net/eth0!", "/net/eth0/a=1", NULL});
    expect_end(command, 0, "", "");
    /* A file there would be read as a path, and the input be taken from elsewhere. */
    BEGIN(command, "report", "--replace", command->daemon.directory);
    expect_end(command, 2, "", "the path to replace, or the file to read?");
    BEGIN(command, "report", "--replace=");
    expect_end(command, 2, "", "the path is empty");
    BEGIN(command, "unset", "a", "--replace");
    expect_end(command, 2, "", "takes no --replace");
}

static void test_a_replacement_that_is_too_large_says_so(void **state)
{
    struct command *command = *state;
    char document[70000] = "{\"x\":\"";
    memset(document + 6, 'v', 40000);
    memcpy(document + 40006, "\",\"y\":\"", 8);
    memset(document + 40013, 'v', 29000);
    memcpy(document + 69013, "\"}", 3);
    BEGIN(command, "report", "--replace");
    await_call(command);
    for (size_t done = 0, size = strlen(document); done < size;) {
        ssize_t written = write(command->in_fd, document + done, size - done);
        assert_true(written > 0);
        done += (size_t)written;
    }
    (void)close(command->in_fd);
    command->in_fd = -1;
    /* What came before would stand, so its end is waited for. */
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_FLUSH);
    struct flux_flush flush;
    assert_int_equal(flux_flush_decode(&frame, &flush), 0);
    fake_done(&command->daemon, flush.request_id);
    expect_end(command, 1, "", "MaxFrameBytes is 65536: replace smaller parts");
}

static void test_a_shadow_that_is_not_served_is_named(void **state)
{
    struct command *command = *state;
    BEGIN(command, "--thing", "other", "--shadow", "config", "set", "a=1");
    await_call(command);
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_OPEN_SHADOW);
    struct flux_open_shadow open;
    assert_int_equal(flux_open_shadow_decode(&frame, &open), 0);
    fake_failed(&command->daemon, open.request_id, EACCES, "name it in [Thing] Extra");
    expect_end(command, 5, "", "shadow config of thing other: name it in [Thing] Extra (code 13)");
    BEGIN(command, "--thing", "other", "get", "--desired");
    await_call(command);
    frame = client_await_frame(&command->daemon, FLUX_MESSAGE_OPEN_SHADOW);
    assert_int_equal(flux_open_shadow_decode(&frame, &open), 0);
    fake_failed(&command->daemon, open.request_id, ENOSPC, "raise [Updates] MaxShadows");
    expect_end(command, 1, "", "the classic shadow of thing other: raise [Updates] MaxShadows");
    BEGIN(command, "--shadow", "not/a/name", "status");
    await_call(command);
    expect_end(command, 2, "", "is no name for a shadow");
}

static void test_get_reads_the_section_asked_for(void **state)
{
    struct command *command = *state;
    BEGIN(command, "get", "--delta", "led");
    await_call(command);
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_GET);
    struct flux_get get;
    assert_int_equal(flux_get_decode(&frame, &get), 0);
    assert_int_equal(get.section, FLUX_SECTION_DELTA);
    fake_data(&command->daemon, get.request_id, false, "{\"mode\":\"on\"}");
    expect_end(command, 0, "led.mode=on\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_watch_prints_a_line_a_change_over_restarts),
        TEST(test_watch_ends_when_it_is_interrupted_or_nobody_reads),
        TEST(test_watch_says_why_it_is_refused),
        TEST(test_keys_are_a_table_for_people),
        TEST(test_keys_as_json_are_the_array),
        TEST(test_reset_is_not_done_by_accident),
        TEST(test_reset_is_of_all_shadows_or_of_the_named_one),
        TEST(test_forget_stops_at_what_is_not_there),
        TEST(test_set_settles_all_its_paths),
        TEST(test_replace_takes_a_path_of_its_own),
        TEST(test_a_replacement_that_is_too_large_says_so),
        TEST(test_a_shadow_that_is_not_served_is_named),
        TEST(test_get_reads_the_section_asked_for),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
