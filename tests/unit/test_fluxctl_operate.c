/* The commands of operators, run against a daemon that the test plays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "tests/unit/fluxctl_run.h"

static struct flux_admin await_admin(struct command *command, enum flux_admin_action action)
{
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_ADMIN);
    struct flux_admin admin;
    assert_int_equal(flux_admin_decode(&frame, &admin), 0);
    assert_int_equal(admin.action, action);
    return admin;
}

static void test_what_is_done_is_silent_for_people(void **state)
{
    static const struct {
        const char *command;
        enum flux_admin_action action;
        const char *json;
    } rows[] = {
        {"reload", FLUX_ADMIN_RELOAD, "{}\n"},
        {"reconnect", FLUX_ADMIN_RECONNECT, "{\"reconnect\":true}\n"},
        {"pause", FLUX_ADMIN_PAUSE, "{\"paused\":true}\n"},
        {"resume", FLUX_ADMIN_RESUME, "{\"paused\":false}\n"},
    };
    struct command *command = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BEGIN(command, rows[i].command);
        await_call(command);
        struct flux_admin admin = await_admin(command, rows[i].action);
        assert_int_equal(admin.argument, 0);
        assert_int_equal(admin.duration_sec, 0);
        fake_data(&command->daemon, admin.request_id, false, "{}");
        expect_end(command, 0, "", "");
        BEGIN(command, "--json", rows[i].command);
        await_call(command);
        admin = await_admin(command, rows[i].action);
        fake_data(&command->daemon, admin.request_id, false, "{}");
        expect_end(command, 0, rows[i].json, "");
    }
}

static void test_an_access_rule_is_named_and_ends_with_5(void **state)
{
    static const char *const commands[] = {"reload", "reconnect", "pause", "resume"};
    struct command *command = *state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        BEGIN(command, commands[i]);
        await_call(command);
        struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_ADMIN);
        struct flux_admin admin;
        assert_int_equal(flux_admin_decode(&frame, &admin), 0);
        fake_failed(&command->daemon, admin.request_id, EACCES,
                    "[Access gui] gives no admin right");
        expect_end(command, 5, "", "not allowed: [Access gui] gives no admin right");
    }
}

static void test_a_user_whom_the_daemon_sends_away_learns_the_rule(void **state)
{
    struct command *command = *state;
    BEGIN(command, "pause");
    for (int i = 0; i < 2; i++) { /* asked, then asked why; neither is greeted */
        await_connection(command);
        fake_goodbye(&command->daemon, FLUX_GOODBYE_DENIED, "[Access gui] (f:3): root only");
        fake_hang_up(&command->daemon);
    }
    expect_end(command, 5, "", "[Access gui] (f:3): root only");
}

static void test_reload_says_what_it_did(void **state)
{
    struct command *command = *state;
    static const char answer[] = "{\"later\":[\"x\"],\"changed\":[\"[Updates] Burst\"],"
                                 "\"needs_restart\":[\"[Socket] Path\",\"[Socket] Mode\"],"
                                 "\"problems\":[\"/etc/f:3: a \\\"b\\\"\"]}";
    BEGIN(command, "reload");
    await_call(command);
    fake_data(&command->daemon, await_admin(command, FLUX_ADMIN_RELOAD).request_id, false, answer);
    expect_end(command, 0,
               "changed: [Updates] Burst\nneeds a restart: [Socket] Path\n"
               "needs a restart: [Socket] Mode\nproblem: /etc/f:3: a \"b\"\n",
               "");
}

static void test_a_reload_that_is_refused_ends_with_1(void **state)
{
    struct command *command = *state;
    BEGIN(command, "--json", "reload");
    await_call(command);
    fake_failed(&command->daemon, await_admin(command, FLUX_ADMIN_RELOAD).request_id, EINVAL,
                "/etc/f:3: [Thing] Name is missing");
    expect_end(command, 1, "",
               "the old configuration stays in force: /etc/f:3: [Thing] Name is missing");
}

static void test_reconnect_of_a_paused_link_says_what_to_do(void **state)
{
    struct command *command = *state;
    BEGIN(command, "reconnect");
    await_call(command);
    fake_failed(&command->daemon, await_admin(command, FLUX_ADMIN_RECONNECT).request_id, ENETDOWN,
                "the link is paused");
    expect_end(command, 1, "", "the link is paused\nTry: fluxctl resume");
}

static void test_a_log_level_is_set_for_a_time(void **state)
{
    static const struct {
        const char *text;
        unsigned sec;
    } rows[] = {{"30s", 30}, {"10m", 600}, {"2h", 7200}, {"1d", 86400}, {"366d", 31622400}};
    struct command *command = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BEGIN(command, "log-level", "debug", "--for", rows[i].text);
        await_call(command);
        const struct flux_admin admin = await_admin(command, FLUX_ADMIN_LOG_LEVEL);
        assert_int_equal(admin.argument, LOG_DEBUG);
        assert_int_equal(admin.duration_sec, rows[i].sec);
        fake_data(&command->daemon, admin.request_id, false, "{}");
        expect_end(command, 0, "", "");
    }
    BEGIN(command, "--json", "log-level", "warning");
    await_call(command);
    const struct flux_admin admin = await_admin(command, FLUX_ADMIN_LOG_LEVEL);
    assert_int_equal(admin.argument, LOG_WARNING);
    assert_int_equal(admin.duration_sec, 0);
    fake_data(&command->daemon, admin.request_id, false, "{}");
    expect_end(command, 0, "{\"log_level\":\"warning\",\"for_sec\":null}\n", "");
}

static void test_a_time_without_its_unit_is_refused(void **state)
{
    static const char *const times[] = {
        "10", "0s", "s", "", "10x", "10ms", "-1h", "367d", "1 h", "+1h", "99999999999999999999s"};
    struct command *command = *state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        BEGIN(command, "log-level", "debug", "--for", times[i]);
        expect_end(command, 2, "", "30s, 10m, 2h or 1d");
    }
    BEGIN(command, "log-level");
    expect_end(command, 2, "", "LEVEL is missing");
    BEGIN(command, "pause", "--for", "1h");
    expect_end(command, 2, "", "takes no --for");
    BEGIN(command, "log-level", "verbose");
    await_call(command);
    expect_end(command, 2, "", "error, warning, notice, info and debug");
}

static uint64_t await_history(struct command *command)
{
    struct flux_frame frame = client_await_frame(&command->daemon, FLUX_MESSAGE_HISTORY);
    struct flux_history_request request;
    assert_int_equal(flux_history_request_decode(&frame, &request), 0);
    return request.request_id;
}

static const char first_event[] =
    "{\"events\":["
    "{\"time_sec\":1795449600,\"ago_ms\":900000,\"event\":\"failed\",\"reason\":\"the name "
    "x.example does not resolve, as no name server of this network has answered within five "
    "seconds\",\"duration_ms\":1500,\"bytes_in\":null,\"bytes_out\":null,\"repeats\":12},";
static const char more_events[] =
    "{\"time_sec\":1795449601,\"ago_ms\":899000,\"event\":\"up\",\"reason\":null,"
    "\"duration_ms\":90000,\"bytes_in\":null,\"bytes_out\":null,\"repeats\":1},"
    "{\"later\":[{}],\"time_sec\":1795536001,\"ago_ms\":1000,\"event\":\"lost\",\"reason\":\"cut "
    "by \\u001b[2J \\u202e\\u0000\","
    "\"duration_ms\":86400000,\"bytes_in\":1234567,\"bytes_out\":999,\"repeats\":1}]}";

static void test_history_is_a_table_of_80_columns(void **state)
{
    struct command *command = *state;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    BEGIN(command, "history");
    await_call(command);
    const uint64_t id = await_history(command);
    fake_data(&command->daemon, id, true, first_event);
    fake_data(&command->daemon, id, false, more_events);
    expect_end(command, 0,
               "TIME                 EVENT          AFTER        IN        OUT\n"
               "2026-11-23 16:00:00  failed         1 s          -         -         12 times\n"
               "    the name x.example does not resolve, as no name server of this network has\n"
               "    answered within five seconds\n"
               "2026-11-23 16:00:01  up             1 min 30 s   -         -\n"
               "2026-11-24 16:00:01  lost           1 d          1.2 MB    999 B\n"
               "    cut by ?[2J ??\n",
               "");
    BEGIN(command, "--json", "history");
    await_call(command);
    fake_data(&command->daemon, await_history(command), false, "{\"events\":[]}");
    expect_end(command, 0, "{\"events\":[]}\n", "");
    BEGIN(command, "history");
    await_call(command);
    fake_data(&command->daemon, await_history(command), false, "{\"events\":[]}");
    expect_end(command, 0, "", "");
}

static void test_an_old_daemon_is_told_apart_from_a_lost_one(void **state)
{
    struct command *command = *state;
    BEGIN(command, "history");
    await_call(command);
    (void)await_history(command);
    fake_goodbye(&command->daemon, FLUX_GOODBYE_UNKNOWN,
                 "message type 0x0f is not known to fluxawsd 0.4.0");
    expect_end(command, 1, "", "message type 0x0f is not known to fluxawsd 0.4.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_done_is_silent_for_people),
        TEST(test_an_access_rule_is_named_and_ends_with_5),
        TEST(test_a_user_whom_the_daemon_sends_away_learns_the_rule),
        TEST(test_reload_says_what_it_did),
        TEST(test_a_reload_that_is_refused_ends_with_1),
        TEST(test_reconnect_of_a_paused_link_says_what_to_do),
        TEST(test_a_log_level_is_set_for_a_time),
        TEST(test_a_time_without_its_unit_is_refused),
        TEST(test_history_is_a_table_of_80_columns),
        TEST(test_an_old_daemon_is_told_apart_from_a_lost_one),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
