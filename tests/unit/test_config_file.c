#include "daemon/config_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static int read_text(struct config *config, const char *text, size_t size)
{
    FILE *stream = fmemopen((void *)(uintptr_t)text, size, "r");
    assert_non_null(stream);
    const int r = config_read_stream(config, stream, "test.conf");
    (void)fclose(stream);
    return r;
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void test_values_carry_their_line(void **state)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    static const char text[] = "# comment\n"
                               "[Thing]\n"
                               "Name = lamp-1 \r\n"
                               "\n"
                               "  [Updates]\n"
                               "\tBurst=7\n"
                               "; comment\n"
                               "[Connection]\n"
                               "CaFile=path:with=signs";
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), 0);
    assert_int_equal(config.problem_count, 0);
    assert_string_equal(config_text(&config, CONFIG_THING_NAME), "lamp-1");
    assert_int_equal(config.values[CONFIG_THING_NAME].line, 3);
    assert_int_equal(config_number(&config, CONFIG_BURST), 7);
    assert_int_equal(config.values[CONFIG_BURST].line, 6);
    assert_string_equal(config_text(&config, CONFIG_CA_FILE), "path:with=signs");
    assert_int_equal(config.values[CONFIG_CA_FILE].line, 9);
    config_clear(&config);
    (void)state;
}

static void test_what_the_library_would_cut_is_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *says;
    } cases[] = {
        {"[Socket]\nPath=/run/a ;b\n", 2, "';'"},
        {"[Thing\nName=x\n", 1, "[NAME]"},
        {"[]\n", 1, "[NAME]"},
        {"[Access a]b]\n", 1, "behind"},
        {"[AccessAccessAccessAccessAccessAccessAccessAccessAccess]\n", 1, "49"},
        {"[Thing]\nnonsense\n", 2, "NAME=VALUE"},
        {"[Thing]\n=x\n", 2, "NAME=VALUE"},
        {"[Thing]\nA:B=x\n", 2, "':'"},
        {"Name=x\n", 1, "before the first section"},
        {"[Thing]\nName=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         2, "too long"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        assert_int_equal(read_text(&config, cases[i].text, strlen(cases[i].text)), -EINVAL);
        assert_int_equal(config.problem_count, 1);
        assert_int_equal(config.problems[0].severity, CONFIG_UNPARSED);
        assert_int_equal(config.problems[0].line, cases[i].line);
        assert_non_null(strstr(config.problems[0].text, cases[i].says));
        assert_string_equal(config_text(&config, CONFIG_SOCKET_PATH), "/run/fluxaws/fluxawsd.sock");
        assert_string_equal(config_text(&config, CONFIG_THING_NAME), "");
        config_clear(&config);
    }
    (void)state;
}

static void test_keys_of_a_refused_section_do_not_fall_to_the_one_before(void **state)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    static const char text[] = "[Updates]\nBurst=3\n[Broken\nBurst=5\n";
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), -EINVAL);
    assert_int_equal(config_number(&config, CONFIG_BURST), 3);
    config_clear(&config);
    (void)state;
}

static void test_nul_byte_is_refused(void **state)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    static const char text[] = "[Updates]\nBurst=3\0garbage\n";
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), -EINVAL);
    assert_int_equal(config_number(&config, CONFIG_BURST), 10);
    config_clear(&config);
    (void)state;
}

static void test_layers_are_read_in_order(void **state)
{
    char directory[] = "/tmp/fluxaws-config.XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[512], state_directory[128];
    (void)snprintf(path, sizeof(path), "%s/main.conf.d", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(state_directory, sizeof(state_directory), "%s/state", directory);
    assert_int_equal(mkdir(state_directory, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/fluxawsd.conf.d", state_directory);
    assert_int_equal(mkdir(path, 0700), 0);

    write_file(directory, "main.conf",
               "[Updates]\nBurst=1\nMaxDepth=2\nIntervalMs=3\nRefreshSec=99\n");
    write_file(directory, "main.conf.d/20.conf", "[Updates]\nMaxDepth=5\nIntervalMs=5\n");
    write_file(directory, "main.conf.d/10.conf",
               "[Updates]\nMaxDepth=4\nRefreshSec=100\nnonsense\n");
    write_file(directory, "main.conf.d/30.conf~", "[Updates]\nMaxDepth=7\n");
    write_file(directory, "state/fluxawsd.conf.d/a.conf", "[Updates]\nIntervalMs=6\n");

    struct config config;
    (void)snprintf(path, sizeof(path), "%s/main.conf", directory);
    assert_int_equal(config_load(&config, path, state_directory), 0);
    assert_int_equal(config_number(&config, CONFIG_BURST), 1);
    assert_int_equal(config_number(&config, CONFIG_MAX_DEPTH), 5);
    assert_int_equal(config_number(&config, CONFIG_INTERVAL_MS), 6);
    assert_int_equal(config_number(&config, CONFIG_REFRESH_SEC), 100);
    assert_true(config_is_degraded(&config)); /* the nonsense in a drop-in does not stop us */
    config_clear(&config);

    (void)snprintf(path, sizeof(path), "rm -r %s", directory);
    assert_int_equal(system(path), 0);
    (void)state;
}

static void test_main_file_must_be_there_and_make_sense(void **state)
{
    struct config config;
    assert_int_equal(config_load(&config, "/nonexistent/fluxawsd.conf", NULL), -ENOENT);
    assert_true(config_has_problem(&config, CONFIG_UNPARSED));
    config_clear(&config);

    char directory[] = "/tmp/fluxaws-config.XXXXXX";
    assert_non_null(mkdtemp(directory));
    write_file(directory, "main.conf", "nonsense\n");
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/main.conf", directory);
    assert_int_equal(config_load(&config, path, NULL), -EINVAL);
    config_clear(&config);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    (void)state;
}

static void test_printed_configuration_reads_back(void **state)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    config_set(&config, "Connection", "Endpoint", "localhost", "origin.conf", 12);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    config_print(&config, stream);
    assert_int_equal(fclose(stream), 0);
    assert_non_null(strstr(text, "# origin.conf:12\nEndpoint=localhost\n"));

    struct config again;
    assert_int_equal(config_init(&again), 0);
    assert_int_equal(read_text(&again, text, size), 0);
    assert_int_equal(again.problem_count, 0);
    assert_string_equal(config_text(&again, CONFIG_ENDPOINT), "localhost");
    free(text);
    config_clear(&again);
    config_clear(&config);
    (void)state;
}

static void test_printing_shows_no_password(void **state)
{
    static const char text[] = "[Connection]\nEndpoint=e\nProxy=http://user:secret@proxy:3128\n";
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), 0);
    char *printed = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&printed, &size);
    assert_non_null(stream);
    config_print(&config, stream);
    assert_int_equal(fclose(stream), 0);
    assert_non_null(strstr(printed, "\nProxy=http://user:***@proxy:3128\n"));
    assert_null(strstr(printed, "secret"));
    free(printed);
    config_clear(&config);
    (void)state;
}

/* The file shows every key, each with the default that the daemon has. */
static void test_shipped_file_shows_every_default(void **state)
{
    FILE *shipped = fopen(SHIPPED_CONFIG, "re");
    assert_non_null(shipped);
    char *text = NULL, *line = NULL;
    size_t size = 0, capacity = 0;
    FILE *settings = open_memstream(&text, &size);
    assert_non_null(settings);
    while (getline(&line, &capacity, shipped) > 0) {
        const bool is_setting = line[0] == '#' && line[1] != ' ' && line[1] != '\n';
        (void)fputs(is_setting ? line + 1 : line, settings);
    }
    (void)fclose(shipped);
    assert_int_equal(fclose(settings), 0);
    free(line);

    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(read_text(&config, text, size), 0);
    assert_int_equal(config.problem_count, 0);
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        if (!config_is_set(&config, (enum config_id)id))
            fail_msg("%s is not shown", config_key((enum config_id)id)->name);
        assert_string_equal(config_text(&config, (enum config_id)id),
                            config_key((enum config_id)id)->value);
    }
    free(text);
    config_clear(&config);
    (void)state;
}

static void test_property_sections_can_be_read_back(void **state)
{
    static const char text[] =
        "[Property a.*]\nThing=gw-*\nShadow=\nMinIntervalMs=5\nDeadband=0.1\n"
        "RefreshSec=60\nUrgent=yes\nExpireSec=90\nOnExit=unset\n";
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), 0);
    char *printed = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&printed, &size);
    assert_non_null(stream);
    config_print(&config, stream);
    assert_int_equal(fclose(stream), 0);
    assert_non_null(strstr(printed, "# test.conf:1\n[Property a.*]\nThing=gw-*\nShadow=\n"
                                    "MinIntervalMs=5\nDeadband=0.1\nRefreshSec=60\nUrgent=yes\n"
                                    "ExpireSec=90\nOnExit=unset\n"));
    free(printed);
    config_clear(&config);
    (void)state;
}

static void test_cut_property_section_is_refused_with_the_remedy(void **state)
{
    static const char text[] =
        "[Property a.very.long.path.that.goes.on.and.on.and.on]\nUrgent=yes\n";
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(read_text(&config, text, sizeof(text) - 1), -EINVAL);
    assert_non_null(strstr(config.problems[0].text, "shorten the glob"));
    assert_int_equal(config.property_count, 0);
    config_clear(&config);
    (void)state;
}

/* So does the man page: "*Key* (default)" at the beginning of a line. */
static char page[65536];

static void read_page(void)
{
    FILE *stream = fopen(MAN_PAGE, "re");
    assert_non_null(stream);
    const size_t size = fread(page, 1, sizeof(page) - 1, stream);
    assert_true(size < sizeof(page) - 1);
    page[size] = '\0';
    (void)fclose(stream);
}

/* The page's table tells of each key when a change of it counts, and of no other key. */
static void test_man_page_tells_what_a_reload_does(void **state)
{
    read_page();
    size_t rows = 0;
    for (const char *row = page; (row = strstr(row, "\n|  [")); row++)
        rows++;
    assert_int_equal(rows, CONFIG_ID_COUNT + 1); /* and one for [Property GLOB] */
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        char row[128];
        (void)snprintf(row, sizeof(row), "\n|  [%s] %s\n:  %s\n", key->section, key->name,
                       config_reload_name(config_reload((enum config_id)id)));
        if (!strstr(page, row))
            fail_msg("what a reload does with [%s] %s is not told as it is", key->section,
                     key->name);
    }
    (void)state;
}

static void test_man_page_tells_every_default(void **state)
{
    read_page();
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        char line[128];
        (void)snprintf(line, sizeof(line), "\n*%s* (%s)\n", key->name,
                       *key->value ? key->value : "empty");
        if (!strstr(page, line))
            fail_msg("%s is not told as it is", key->name);
    }
    (void)state;
}

/* What lies where programs write must not hang or fill the daemon. */
static void test_strange_drop_ins_are_told_and_left_out(void **state)
{
    char work[] = "/tmp/fluxaws-strange.XXXXXX", main_file[64], drop_ins[64], path[128];
    assert_non_null(mkdtemp(work));
    write_file(work, "main", "[Connection]\nEndpoint=localhost\n");
    (void)snprintf(main_file, sizeof(main_file), "%s/main", work);
    (void)snprintf(drop_ins, sizeof(drop_ins), "%s/main.d", work);
    assert_int_equal(mkdir(drop_ins, 0700), 0);
    static const char *const names[] = {"a.conf", "b.conf", "c.conf", "d.conf"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", drop_ins, names[i]);
        assert_int_equal(i == 0   ? mkfifo(path, 0600)
                         : i == 1 ? mkdir(path, 0700)
                                  : symlink("/dev/zero", path),
                         0);
    }
    write_file(drop_ins, "d.conf", "[Updates]\nBurst=7\n");
    (void)snprintf(path, sizeof(path), "%s/d.conf", drop_ins);
    struct config config;
    assert_int_equal(config_load(&config, main_file, NULL), 0);
    assert_int_equal(config.problem_count, 3);
    assert_non_null(strstr(config.problems[0].text, "no plain file"));
    assert_true(config_is_degraded(&config));
    assert_int_equal(config_number(&config, CONFIG_BURST), 7);
    assert_false(config.has_access);
    config_clear(&config);

    assert_int_equal(truncate(path, INT64_C(1) << 40), 0); /* sparse */
    assert_int_equal(config_load(&config, main_file, NULL), 0);
    assert_int_equal(config.problem_count, 4);
    assert_int_equal(config_number(&config, CONFIG_BURST), 10);
    assert_true(config.has_access); /* who knows what it says of access */
    config_clear(&config);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", drop_ins, names[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(drop_ins), 0);
    assert_int_equal(unlink(main_file), 0);
    assert_int_equal(rmdir(work), 0);
    (void)state;
}

/* Whatever the reason is: a rule that was not read must not open what it closed. */
static void test_drop_in_that_cannot_be_read_grants_nothing(void **state)
{
    char work[] = "/tmp/fluxaws-unread.XXXXXX", main_file[64], drop_ins[64], path[128];
    assert_non_null(mkdtemp(work));
    write_file(work, "main", "[Connection]\nEndpoint=localhost\n");
    (void)snprintf(main_file, sizeof(main_file), "%s/main", work);
    (void)snprintf(drop_ins, sizeof(drop_ins), "%s/main.d", work);
    assert_int_equal(mkdir(drop_ins, 0700), 0);

    (void)snprintf(path, sizeof(path), "%s/a.conf", drop_ins);
    assert_int_equal(symlink("/dev/null", path), 0); /* how a drop-in is masked */
    struct config config;
    assert_int_equal(config_load(&config, main_file, NULL), 0);
    assert_false(config.has_access);
    config_clear(&config);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(symlink("a.conf", path), 0); /* too many links */
    assert_int_equal(config_load(&config, main_file, NULL), 0);
    assert_int_equal(config.problem_count, 1);
    assert_true(config.has_access);
    config_clear(&config);
    assert_int_equal(unlink(path), 0);

    write_file(drop_ins, "a\033b.conf", "[Access gui]\nUser=0\nReport=**\n");
    assert_int_equal(config_load(&config, main_file, NULL), 0);
    assert_int_equal(config.problem_count, 1);
    assert_int_equal(config.access_count, 0);
    assert_true(config.has_access);
    config_clear(&config);
    (void)snprintf(path, sizeof(path), "%s/a\033b.conf", drop_ins);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(rmdir(drop_ins), 0);
    assert_int_equal(unlink(main_file), 0);
    assert_int_equal(rmdir(work), 0);
    (void)state;
}

static void test_refused_access_section_grants_nothing(void **state)
{
    static const char *const heads[] = {
        "[Access sensors", "[Access] sensors", "[ access",
        "[Access 012345678901234567890123456789012345678901234567]"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        assert_int_equal(read_text(&config, heads[i], strlen(heads[i])), -EINVAL);
        assert_true(config.has_access);
        config_clear(&config);
    }
    (void)state;
}

/* What programs write is shown on an operator's terminal. */
static void test_control_characters_reach_no_terminal(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {"[Updates]\nBu\033[31mrst=7\n", 2},
        {"[Updates]\nBurst=7\n[Connection]\nClientId=\033]0;x\007\n", 4},
        {"[Connection]\nClientId=a\302\233b\n", 2},
        {"[Connection]\nClientId=a\rb\r\n", 2},
        {"[Upd\033[2Jates]\nBurst=7\n", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        assert_int_equal(read_text(&config, cases[i].text, strlen(cases[i].text)), -EINVAL);
        assert_int_equal(config.problem_count, 1);
        assert_int_equal(config.problems[0].line, cases[i].line);
        assert_non_null(strstr(config.problems[0].text, "control character"));
        assert_string_equal(config_text(&config, CONFIG_CLIENT_ID), "");
        config_clear(&config);
    }
    static const char comment[] = "# \033[31m\r\n[Updates]\r\nBurst\t= 7 \r\n";
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(read_text(&config, comment, strlen(comment)), 0);
    assert_int_equal(config_number(&config, CONFIG_BURST), 7);
    assert_int_equal(config_add_problem(&config, CONFIG_NOTE, "a\033b", 1, "\033c\302\237\303\251"),
                     0);
    assert_string_equal(config.problems[0].file, "a?b");
    assert_string_equal(config.problems[0].text, "?c??\303\251");
    config_clear(&config);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_carry_their_line),
        cmocka_unit_test(test_what_the_library_would_cut_is_refused),
        cmocka_unit_test(test_keys_of_a_refused_section_do_not_fall_to_the_one_before),
        cmocka_unit_test(test_nul_byte_is_refused),
        cmocka_unit_test(test_layers_are_read_in_order),
        cmocka_unit_test(test_main_file_must_be_there_and_make_sense),
        cmocka_unit_test(test_printed_configuration_reads_back),
        cmocka_unit_test(test_printing_shows_no_password),
        cmocka_unit_test(test_shipped_file_shows_every_default),
        cmocka_unit_test(test_man_page_tells_every_default),
        cmocka_unit_test(test_man_page_tells_what_a_reload_does),
        cmocka_unit_test(test_strange_drop_ins_are_told_and_left_out),
        cmocka_unit_test(test_control_characters_reach_no_terminal),
        cmocka_unit_test(test_drop_in_that_cannot_be_read_grants_nothing),
        cmocka_unit_test(test_refused_access_section_grants_nothing),
        cmocka_unit_test(test_property_sections_can_be_read_back),
        cmocka_unit_test(test_cut_property_section_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
