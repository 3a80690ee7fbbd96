#include "daemon/mqtt/proxy_address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_good_ones_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        const char *login, *shown, *masked; /* login NULL: none */
    } cases[] = {
        {"http://proxy:3128", "proxy", 3128, NULL, "proxy:3128", "http://proxy:3128"},
        {"HTTP://Proxy-1.corp_x:1", "Proxy-1.corp_x", 1, NULL, "Proxy-1.corp_x:1",
         "http://Proxy-1.corp_x:1"},
        {"http://10.0.0.1:65535", "10.0.0.1", 65535, NULL, "10.0.0.1:65535",
         "http://10.0.0.1:65535"},
        {"http://[2001:db8::1]:8080", "2001:db8::1", 8080, NULL, "[2001:db8::1]:8080",
         "http://[2001:db8::1]:8080"},
        {"http://[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", 1, NULL, "[::ffff:1.2.3.4]:1",
         "http://[::ffff:1.2.3.4]:1"},
        {"http://u:p@proxy:3128", "proxy", 3128, "u:p", "proxy:3128", "http://u:***@proxy:3128"},
        {"http://u:p:q@proxy:3128", "proxy", 3128, "u:p:q", "proxy:3128",
         "http://u:***@proxy:3128"},
        {"http://u:@proxy:3128", "proxy", 3128, "u:", "proxy:3128", "http://u:***@proxy:3128"},
        {"http://d%40m:%2F%3a%25%C3%a4%20@[::1]:1", "::1", 1, "d@m:/:%\xc3\xa4 ", "[::1]:1",
         "http://d%40m:***@[::1]:1"},
        {"http://a-._~!$&'()*+,;=:b@p:1", "p", 1, "a-._~!$&'()*+,;=:b", "p:1",
         "http://a-._~!$&'()*+,;=:***@p:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct proxy_address proxy;
        const char *why = "unset";
        char masked[300];
        if (proxy_address_parse(cases[i].text, &proxy, &why) < 0)
            fail_msg("%s: %s", cases[i].text, why);
        assert_null(why);
        assert_string_equal(proxy.host, cases[i].host);
        assert_int_equal(proxy.port, cases[i].port);
        assert_int_equal(proxy.has_login, cases[i].login != NULL);
        assert_string_equal(proxy.login, cases[i].login ? cases[i].login : "");
        assert_string_equal(proxy.shown, cases[i].shown);
        proxy_address_mask(cases[i].text, masked, sizeof(masked));
        assert_string_equal(masked, cases[i].masked);
    }
    (void)state;
}

static void test_bad_ones_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "begin with http://"},
        {"proxy:3128", "begin with http://"},
        {"//proxy:3128", "begin with http://"},
        {"http:/proxy:3128", "begin with http://"},
        {" http://proxy:3128", "begin with http://"},
        {"https://proxy:3128", "TLS towards the proxy"},
        {"socks5://proxy:1080", "SOCKS"},
        {"http://", "no host"},
        {"http://:3128", "no host"},
        {"http://proxy", "no port"},
        {"http://proxy:", "no port"},
        {"http://[::1]", "no port"},
        {"http://[::1]:", "no port"},
        {"http://proxy:0", "between 1 and 65535"},
        {"http://proxy:65536", "between 1 and 65535"},
        {"http://proxy:4294970424", "between 1 and 65535"},
        {"http://proxy:99999999999999999999", "between 1 and 65535"},
        {"http://proxy:3128/", "follow the port"},
        {"http://proxy:31a", "not a number"},
        {"http://proxy:-1", "not a number"},
        {"http://proxy:+1", "not a number"},
        {"http://proxy: 1", "not a number"},
        {"http://2001:db8::1:3128", "in brackets"},
        {"http://[2001:db8::1:3128", "not closed"},
        {"http://[proxy]:3128", "no IPv6 address"},
        {"http://[1.2.3.4]:3128", "no IPv6 address"},
        {"http://[fe80::1%eth0]:3128", "no IPv6 address"},
        {"http://[]:3128", "no IPv6 address"},
        {"http://[::1]x:3128", "follow the bracket"},
        {"http://[::1]3128", "follow the bracket"},
        {"http://pro xy:3128", "character in the host"},
        {"http://pro/xy:3128", "character in the host"},
        {"http://pr%6Fxy:3128", "character in the host"},
        {"http://pr\xc3\xb6xy:3128", "character in the host"},
        {"http://pro\r\nxy:3128", "character in the host"},
        {"http://user@proxy:3128", "without a password"},
        {"http://@proxy:3128", "without a password"},
        {"http://:secret@proxy:3128", "no user"},
        {"http://us%3Aer:secret@proxy:3128", "holds a colon"},
        {"http://user:sec@ret@proxy:3128", "more than one @"},
        {"http://user:sec/ret@proxy:3128", "percent-encoded"},
        {"http://user:sec#ret@proxy:3128", "percent-encoded"},
        {"http://user:sec?ret@proxy:3128", "percent-encoded"},
        {"http://user:sec ret@proxy:3128", "percent-encoded"},
        {"http://user:sec\"ret@proxy:3128", "percent-encoded"},
        {"http://user:sec[ret@proxy:3128", "percent-encoded"},
        {"http://user:s\xc3\xa4@proxy:3128", "percent-encoded"},
        {"http://user:sec\r\nX: y@proxy:3128", "percent-encoded"},
        {"http://user:sec%@proxy:3128", "two hexadecimal"},
        {"http://user:sec%2@proxy:3128", "two hexadecimal"},
        {"http://user:sec%2g@proxy:3128", "two hexadecimal"},
        {"http://user:sec%g2@proxy:3128", "two hexadecimal"},
        {"http://us%er:secret@proxy:3128", "two hexadecimal"},
        {"http://user:sec%00ret@proxy:3128", "control character"},
        {"http://user:sec%0D%0Aret@proxy:3128", "control character"},
        {"http://us%0aer:secret@proxy:3128", "control character"},
        {"http://user:sec%1fret@proxy:3128", "control character"},
        {"http://user:sec%7Fret@proxy:3128", "control character"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct proxy_address proxy = {.port = 7};
        const char *why = NULL;
        char masked[300];
        if (proxy_address_parse(cases[i].text, &proxy, &why) != -EINVAL)
            fail_msg("%s was taken", cases[i].text);
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].text, why);
        assert_null(strstr(why, "sec"));
        assert_int_equal(proxy.port, 7); /* left alone */
        proxy_address_mask(cases[i].text, masked, sizeof(masked));
        assert_string_equal(masked, cases[i].text[0] ? "***" : "");
    }
    (void)state;
}

static void test_length_is_bounded_and_nothing_is_cut(void **state)
{
    char text[PROXY_TEXT_MAX + 2];
    struct proxy_address proxy;
    const char *why;
    const size_t fixed = strlen("http://u:@p:3128");
    (void)snprintf(text, sizeof(text), "http://u:%0*d@p:3128", (int)(PROXY_TEXT_MAX - fixed), 0);
    assert_int_equal(strlen(text), PROXY_TEXT_MAX);
    assert_int_equal(proxy_address_parse(text, &proxy, &why), 0);
    assert_int_equal(strlen(proxy.login), PROXY_TEXT_MAX - fixed + 2);
    (void)snprintf(text, sizeof(text), "http://u:%0*d@p:3128", (int)(PROXY_TEXT_MAX - fixed) + 1,
                   0);
    assert_int_equal(proxy_address_parse(text, &proxy, &why), -EINVAL);
    assert_non_null(strstr(why, "longer than 190"));

    (void)snprintf(text, sizeof(text), "http://%0*d:1", (int)PROXY_TEXT_MAX - 9, 0);
    assert_int_equal(proxy_address_parse(text, &proxy, &why), 0);
    assert_int_equal(strlen(proxy.shown), PROXY_TEXT_MAX - 7);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones_are_taken_apart),
        cmocka_unit_test(test_bad_ones_are_refused_with_the_reason),
        cmocka_unit_test(test_length_is_bounded_and_nothing_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
