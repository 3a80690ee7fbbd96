/* The status for people: golden texts of 80 columns, and names that are out to break a terminal. */
#include "client/fluxctl/status_text.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* 2026-11-23 16:00:00 UTC */
#define NOW_SEC INT64_C(1795449600)
/* The console of 24 lines keeps one for the prompt. */
#define LINES_MAX 23u

#define STORAGE                                                                                    \
    "\"storage\":{\"mode\":\"durable\",\"state\":\"good\",\"note\":null,\"file_bytes\":36864,"     \
    "\"max_bytes\":16777216,\"bytes_written_day\":1234567}"
#define CLOUD                                                                                      \
    "\"cloud\":{\"bytes_out\":2048,\"bytes_in\":1999,\"daily\":{\"operations\":123,"               \
    "\"limit\":20000,\"messages\":456,\"spacing_ms\":null}}"
#define DAEMON                                                                                     \
    "\"version\":\"0.1.0\",\"state\":\"running\",\"uptime_ms\":273600000,\"thing\":\"lamp-17\","   \
    "\"configuration\":\"ok\",\"log_level\":\"info\",\"log_level_for_ms\":null"
#define LINK_UP                                                                                    \
    "\"link\":{\"state\":\"up\",\"for_ms\":7980000,\"reason\":null,\"last_reason\":null,"          \
    "\"next_attempt_in_ms\":null,\"endpoint\":\"a1-ats.iot.eu-central-1.amazonaws.com\","          \
    "\"port\":8883,\"attempts\":5,\"connections\":2,\"bytes_out\":1234567,\"bytes_in\":340000,"    \
    "\"credentials\":\"ok\",\"certificate_not_after\":2524607999}"
#define SHADOW(name, pending, refused, more)                                                       \
    "{\"thing\":\"lamp-17\",\"name\":" name ",\"view\":\"proven\",\"pending\":" #pending           \
    ",\"in_flight\":0,\"refused\":" #refused ",\"fill_percent\":12,\"last_accepted_version\":17,"  \
    "\"last_accepted_ago_ms\":3200,\"blocked_for_ms\":null,\"quarantined_for_ms\":null,"           \
    "\"heard\":true,\"last_code\":null,\"counters\":{\"updates_sent\":7,\"updates_accepted\":5,"   \
    "\"updates_rejected\":1,\"updates_timed_out\":1}" more "}"
#define CLIENT(name, pid, reports, rejected)                                                       \
    "{\"name\":" name ",\"pid\":" #pid ",\"reports\":" #reports ",\"rejected\":" #rejected "}"
#define CLIENTS(list)                                                                              \
    "\"clients\":{\"connected\":3,\"reports\":12345,\"reports_rejected\":4,\"list\":[" list "]}"

static char *print_with(const char *json, struct status_view view)
{
    char *text = NULL;
    size_t size = 0;
    view.screen.out = open_memstream(&text, &size);
    assert_non_null(view.screen.out);
    assert_int_equal(status_print(json, &view), 0);
    assert_int_equal(fclose(view.screen.out), 0);
    return text;
}

static char *print(const char *json)
{
    return print_with(
        json, (struct status_view){.screen = {.utf8 = true}, .now_sec = NOW_SEC, .own_pid = 99});
}

static void expect(const char *json, const char *expected)
{
    char *text = print(json);
    assert_string_equal(text, expected);
    free(text);
}

static void test_healthy_is_the_first_line(void **state)
{
    (void)state;
    expect(
        "{\"summary\":\"healthy\"," DAEMON "," STORAGE "," LINK_UP "," CLOUD
        ",\"shadows\":[" SHADOW("null", 0, 0, "") "," SHADOW("\"config\"", 2, 1, "") "]," CLIENTS(
            CLIENT("\"thermostat\"", 1, 12000, 0) "," CLIENT("\"fluxctl\"", 99, 0, 0) "," CLIENT(
                "\"thermostat\"", 2, 345, 4)) "}",
        "healthy\n"
        "\n"
        "link      up since 2026-11-23 13:47 (2 h 13 min)\n"
        "          to a1-ats.iot.eu-central-1.amazonaws.com:8883\n"
        "          certificate ok until 2049-12-31; 2 connections in 5 attempts\n"
        "          1.2 MB sent and 340 KB received on the wire\n"
        "thing     lamp-17, 2 shadows: 2 pending, 1 refused\n"
        "  SHADOW                    FILL PENDING REFUSED  ACCEPTED, AGO\n"
        "  config                     12%       2       1  v17, 3 s\n"
        "  (classic)                  12%       0       0  v17, 3 s\n"
        "clients   2 connected: thermostat x2 (12345 reports, 4 rejected)\n"
        "counters  12345 reports, 4 rejected; 14 updates: 10 accepted, 2 rejected, 2 lost\n"
        "in 24 h   123 operations of 20000, 456 metered messages\n"
        "disk      good: 37 KB of 17 MB, 1.2 MB written in 24 h\n"
        "daemon    fluxawsd 0.1.0, running for 3 d 4 h, configuration ok, log info\n");
}

#define REASON                                                                                     \
    "no TCP connection to localhost port 8883: Connection refused; nothing listens there; check "  \
    "Endpoint and Port"

/* Before the clock was set nothing is said of dates. What the first line says is not repeated. */
static void test_a_link_that_is_down_says_when_it_tries_again(void **state)
{
    (void)state;
    char *text = print_with(
        "{\"summary\":\"check the network: " REASON "\"," DAEMON "," STORAGE
        ",\"link\":{\"state\":\"waiting-for-credentials\",\"for_ms\":61000,\"reason\":\"" REASON
        "\",\"last_reason\":\"" REASON "\",\"next_attempt_in_ms\":4200,"
        "\"endpoint\":\"localhost\",\"port\":8883,\"attempts\":9,\"connections\":1,"
        "\"bytes_out\":0,\"bytes_in\":0,\"credentials\":\"missing\","
        "\"certificate_not_after\":null}," CLOUD ",\"shadows\":[]," CLIENTS("") "}",
        (struct status_view){0});
    assert_string_equal(
        text, "check the network: no TCP connection to localhost port 8883: Connection refused;\n"
              "  nothing listens there; check Endpoint and Port\n"
              "\n"
              "link      waiting-for-credentials for 1 min 1 s, next try in 5 s\n"
              "          to localhost:8883\n"
              "          certificate missing; 1 connection in 9 attempts\n"
              "          0 B sent and 0 B received on the wire\n"
              "thing     lamp-17, 0 shadows: 0 pending, 0 refused\n"
              "clients   none but this one\n"
              "counters  12345 reports, 4 rejected; 0 updates: 0 accepted, 0 rejected, 0 lost\n"
              "in 24 h   123 operations of 20000, 456 metered messages\n"
              "disk      good: 37 KB of 17 MB, 1.2 MB written in 24 h\n"
              "daemon    fluxawsd 0.1.0, running for 3 d 4 h, configuration ok, log info\n");
    free(text);
}

static void test_why_the_link_was_lost_last_stays(void **state)
{
    (void)state;
    char *text = print("{\"summary\":\"healthy\",\"link\":{\"state\":\"up\",\"for_ms\":0,"
                       "\"last_reason\":\"" REASON "\"}}");
    assert_non_null(strstr(text,
                           "\n          lost or failed before: no TCP connection to localhost "
                           "port 8883: Co...\n"));
    free(text);
}

/* --- however much there is --- */

static void expect_fits(const char *text)
{
    unsigned lines = 0, columns = 0;
    for (; *text != '\0'; text++) {
        columns += ((unsigned char)*text & 0xc0) != 0x80;
        if (*text == '\n') {
            assert_true(columns - 1 <= SCREEN_COLUMNS);
            columns = 0;
            lines++;
        }
    }
    assert_int_equal(columns, 0);
    assert_true(lines <= LINES_MAX);
}

/* A document with so many shadows and clients, all with long names and large numbers. */
static char *crowd(unsigned shadows, unsigned clients)
{
    char *json = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&json, &size);
    assert_non_null(file);
    fprintf(file, "{\"summary\":\"see %0500d\"," DAEMON "," STORAGE "," CLOUD, 0);
    fprintf(file,
            ",\"link\":{\"state\":\"waiting-for-credentials\",\"for_ms\":1234567890,"
            "\"last_reason\":\"%0500d\",\"next_attempt_in_ms\":299000,\"endpoint\":\"%0200d\","
            "\"port\":65535,\"attempts\":1234567890,\"connections\":1234567890,"
            "\"bytes_out\":999999999999,\"bytes_in\":999999999999,"
            "\"credentials\":\"bad-certificate\",\"certificate_not_after\":2524607999},"
            "\"shadows\":[",
            0, 0);
    for (unsigned i = 0; i < shadows; i++)
        fprintf(file,
                "%s{\"thing\":\"%0128u\",\"name\":\"%064u\",\"pending\":4096,\"refused\":%d,"
                "\"fill_percent\":100,\"last_accepted_version\":123456789,"
                "\"last_accepted_ago_ms\":3540000,\"quarantined_for_ms\":%s,"
                "\"blocked_for_ms\":null,\"counters\":{\"updates_sent\":99999999}}",
                i > 0 ? "," : "", i, i, i == 150 ? 7 : 0, i == 170 ? "1" : "null");
    fprintf(file, "],\"clients\":{\"reports\":123456789012,\"reports_rejected\":123456789,"
                  "\"list\":[");
    for (unsigned i = 0; i < clients; i++)
        fprintf(file, "%s{\"name\":\"%0120u\",\"pid\":%u,\"reports\":123456789,\"rejected\":%d}",
                i > 0 ? "," : "", i, i + 100, i == 200 ? 1234567 : 0);
    fputs("]}}", file);
    assert_int_equal(fclose(file), 0);
    return json;
}

static void test_nothing_scrolls_the_first_line_away(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 3, 4, 5, 256};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char *json = crowd(counts[i], counts[i]), *text = print(json);
        expect_fits(text);
        free(text);
        free(json);
    }
}

static void test_who_needs_to_be_seen_comes_first(void **state)
{
    (void)state;
    char *json = crowd(200, 256), *text = print(json);
    const char *quarantined = strstr(text, " quarantined\n");
    const char *refused = strstr(text, "    4096       7  ");
    assert_non_null(quarantined);
    assert_non_null(refused);
    assert_true(quarantined < refused);
    assert_non_null(strstr(text, "  and 197 more: fluxctl --json status has all\n"));
    assert_non_null(strstr(text, "1234567\n          rejected), "));
    assert_non_null(strstr(text, "and 253 more names\n"));
    free(text);
    free(json);
}

/* --- whatever it says --- */

static void expect_harmless(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        assert_true(*c == '\n' || (*c >= 0x20 && *c != 0x7f));
    /* No control character of the second set. */
    for (const char *c = text; (c = strchr(c, '\xc2')) != NULL; c++)
        assert_true((unsigned char)c[1] >= 0xa0);
    expect_fits(text);
}

static void test_hostile_names_do_nothing_to_a_terminal(void **state)
{
    (void)state;
    static const char *const names[] = {
        "\x1b[2J\x1b[H",                /* raw: clears the screen */
        "\\u001b[2J\\u009b2J",          /* the same as JSON has it */
        "\x9b\x32J",                    /* the one-byte CSI, not UTF-8 */
        "\xc2\x9b\x32J",                /* and as UTF-8 */
        "a\\nhealthy\\r\\t\\b",         /* a line of its own */
        "\\u202egnp.exe\\u200b",        /* from right to left, and invisible */
        "\xf0\x9f\x92\xa9\xe6\xbc\xa2", /* wide */
        "\\ud83d\\udca9\\ud83d",        /* wide, and half a pair */
        "\\u0007\\u007f\\u0000x",
        "Z\\u0301\\u0301\\u0301", /* grows upward */
        "\xff\xfe\xe6\xbc",       /* no UTF-8, cut short */
        "\xc0\x9b\xe0\x82\x9b",   /* CSI in more bytes than it needs */
        "\\",                     /* an escape of nothing */
        "\\u12",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char json[2048];
        const char *name = names[i];
        (void)snprintf(json, sizeof(json),
                       "{\"summary\":\"%s\",\"thing\":\"%s\",\"link\":{\"state\":\"%s\","
                       "\"last_reason\":\"%s\",\"endpoint\":\"%s\",\"credentials\":\"%s\"},"
                       "\"shadows\":[{\"thing\":\"%s\",\"name\":\"%s \"}],\"clients\":"
                       "{\"list\":[{\"name\":\"%s \",\"pid\":5}]}}",
                       name, name, name, name, name, name, name, name, name);
        char *text = print(json);
        expect_harmless(text);
        free(text);
        /* A terminal of 8 bits gets ASCII only. */
        text = print_with(json, (struct status_view){0});
        for (const char *c = text; *c != '\0'; c++)
            assert_true((unsigned char)*c < 0x7f);
        expect_harmless(text);
        free(text);
    }
}

static void test_names_of_all_languages_are_shown(void **state)
{
    (void)state;
    char *text = print("{\"summary\":\"healthy\",\"clients\":{\"list\":[{\"name\":"
                       "\"k\\u00fchl \xc3\xa4 \xe6\xbc\xa2\",\"pid\":5}]}}");
    assert_non_null(strstr(text, "1 connected: k\xc3\xbchl \xc3\xa4 \xe6\xbc\xa2 (0 reports)\n"));
    free(text);
}

static void test_a_long_name_keeps_the_table_straight(void **state)
{
    (void)state;
    char *json = crowd(1, 0), *text = print(json);
    assert_non_null(strstr(text, "\n  00000000... of 000000...  100%    4096       0  "
                                 "v123456789, 59 min\n"));
    free(text);
    free(json);
}

static void test_colours_only_where_they_were_asked_for(void **state)
{
    (void)state;
    struct status_view view = {.screen = {.colours = true}};
    char *text = print_with("{\"summary\":\"healthy\"}", view);
    static const char green[] = "\033[32mhealthy\033[0m\n", red[] = "\033[1;31mmend it\033[0m\n";
    assert_memory_equal(text, green, sizeof(green) - 1);
    assert_null(strchr(text + sizeof(green) - 1, '\033'));
    free(text);
    text = print_with("{\"summary\":\"mend it\"}", view);
    assert_memory_equal(text, red, sizeof(red) - 1);
    free(text);
}

/* Another version's daemon may lack anything. */
static void test_what_is_missing_does_no_harm(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{}",
        "[]",
        "7",
        "\"x\"",
        "{\"shadows\":7,\"clients\":[]}",
        "{\"link\":null",
        "{\"summary\":",
        "]]",
        "{\"shadows\":[{}],\"clients\":{\"list\":[{}]}} trailing",
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        char *text = NULL;
        size_t size = 0;
        struct status_view view = {.screen.out = open_memstream(&text, &size)};
        assert_non_null(view.screen.out);
        (void)status_print(documents[i], &view);
        assert_int_equal(fclose(view.screen.out), 0);
        expect_fits(text);
        free(text);
    }
    const struct status_view nowhere = {0};
    assert_int_equal(status_print("", &nowhere), -EINVAL);
    assert_int_equal(status_print("  ", &nowhere), -EINVAL);
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy_is_the_first_line),
        cmocka_unit_test(test_a_link_that_is_down_says_when_it_tries_again),
        cmocka_unit_test(test_why_the_link_was_lost_last_stays),
        cmocka_unit_test(test_nothing_scrolls_the_first_line_away),
        cmocka_unit_test(test_who_needs_to_be_seen_comes_first),
        cmocka_unit_test(test_hostile_names_do_nothing_to_a_terminal),
        cmocka_unit_test(test_names_of_all_languages_are_shown),
        cmocka_unit_test(test_a_long_name_keeps_the_table_straight),
        cmocka_unit_test(test_colours_only_where_they_were_asked_for),
        cmocka_unit_test(test_what_is_missing_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
