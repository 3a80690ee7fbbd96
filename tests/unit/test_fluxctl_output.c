/* What fluxctl prints of strings from elsewhere. */
#include "client/fluxctl/output.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void expect(void (*put)(FILE *file, const char *text, size_t size), const char *json,
                   const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    put(file, json, strlen(json));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void test_a_plain_string_loses_its_escapes(void **state)
{
    (void)state;
    expect(fluxctl_put_plain, "a\\\"b\\\\c\\/d", "a\"b\\c/d");
    expect(fluxctl_put_plain, "\\\\\\\\", "\\\\");
    expect(fluxctl_put_plain, "\\\\n\\n\\u001b", "\\n\\n\\u001b"); /* but for what does something */
    expect(fluxctl_put_plain, "k\xc3\xbchl \xe6\xbc\xa2 \xf0\x9f\x92\xa9",
           "k\xc3\xbchl \xe6\xbc\xa2 \xf0\x9f\x92\xa9");
    expect(fluxctl_put_plain, "\\", "\\");
    expect(fluxctl_put_plain, "", "");
}

static void test_what_a_terminal_may_obey_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *json, *expected;
    } cases[] = {
        {"\x7f", "\\u007f"},
        {"\xc2\x9b\x32J", "\\u009b2J"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0"},
        {"\xe2\x80\xaegnp", "\\u202egnp"},
        {"\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\\u2066\\u2069\xe2\x81\xaa"},
        {"\xe2\x80\x8e\xe2\x80\x90\xe2\x80\xa8", "\\u200e\xe2\x80\x90\\u2028"},
        {"\xc2", "\xc2"}, /* cut short: nothing to obey */
        {"\xe2\x80", "\xe2\x80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(fluxctl_put_plain, cases[i].json, cases[i].expected);
        expect(fluxctl_put_json, cases[i].json, cases[i].expected);
    }
    expect(fluxctl_put_json, "\"a\\\"b\\u001b\"", "\"a\\\"b\\u001b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_string_loses_its_escapes),
        cmocka_unit_test(test_what_a_terminal_may_obey_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
