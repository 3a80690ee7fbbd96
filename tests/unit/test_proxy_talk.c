#include "daemon/mqtt/mqtt_link.h"
#include "daemon/mqtt/proxy_talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct proxy_address proxy_of(const char *text)
{
    struct proxy_address proxy;
    assert_int_equal(proxy_address_parse(text, &proxy, NULL), 0);
    return proxy;
}

static void expect_request(const char *proxy_text, const char *host, const char *request)
{
    char text[PROXY_REQUEST_MAX];
    const struct proxy_address proxy = proxy_of(proxy_text);
    assert_int_equal(proxy_request_write(&proxy, host, 8883, text), (int)strlen(request));
    assert_string_equal(text, request);
}

static void test_request_names_the_endpoint(void **state)
{
    (void)state;
    expect_request("http://p:1", "iot.example",
                   "CONNECT iot.example:8883 HTTP/1.1\r\nHost: iot.example:8883\r\n\r\n");
    expect_request("http://p:1", "2001:db8::1",
                   "CONNECT [2001:db8::1]:8883 HTTP/1.1\r\nHost: [2001:db8::1]:8883\r\n\r\n");
}

/* Each padding of base64, and every byte that may be. */
static void test_login_is_decoded_and_then_base64(void **state)
{
    static const struct {
        const char *login, *base64;
    } cases[] = {
        {"Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 */
        {"test:123%C2%A3", "dGVzdDoxMjPCow=="},                    /* RFC 7617 */
        {"a:", "YTo="},
        {"a:b", "YTpi"},
        {"a:%FF%FE%FB", "YTr//vs="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[128], request[256];
        (void)snprintf(text, sizeof(text), "http://%s@p:1", cases[i].login);
        (void)snprintf(request, sizeof(request),
                       "CONNECT e:8883 HTTP/1.1\r\nHost: e:8883\r\nProxy-Authorization: Basic "
                       "%s\r\n\r\n",
                       cases[i].base64);
        expect_request(text, "e", request);
    }
    (void)state;
}

static void test_longest_request_fits(void **state)
{
    char text[PROXY_TEXT_MAX + 1], host[PROXY_TEXT_MAX + 1], request[PROXY_REQUEST_MAX];
    (void)snprintf(text, sizeof(text), "http://u:%0*d@p:1", (int)PROXY_TEXT_MAX - 13, 0);
    (void)snprintf(host, sizeof(host), "%0*d", (int)PROXY_TEXT_MAX, 0);
    const struct proxy_address proxy = proxy_of(text);
    const int size = proxy_request_write(&proxy, host, 65535, request);
    assert_true(size > 0);
    assert_string_equal(request + size - 4, "\r\n\r\n");
    (void)state;
}

static void test_host_cannot_add_a_line(void **state)
{
    static const char *const hosts[] = {"", "e\r\nX: y", "e x", "e\n", "\x7f"};
    const struct proxy_address proxy = proxy_of("http://p:1");
    char request[PROXY_REQUEST_MAX];
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        assert_int_equal(proxy_request_write(&proxy, hosts[i], 1, request), -EINVAL);
    (void)state;
}

/* What comes in pieces of `piece` bytes. Returns how much of it was the head's. */
static size_t take(struct proxy_answer *answer, const char *text, size_t piece)
{
    *answer = (struct proxy_answer){0};
    const size_t size = strlen(text);
    size_t taken = 0;
    while (taken < size && !proxy_answer_is_over(answer)) {
        const size_t left = size - taken;
        const size_t now = proxy_answer_take(answer, text + taken, left < piece ? left : piece);
        taken += now;
    }
    return taken;
}

static int judge(const char *text, const char *proxy_text, char *ret_words, size_t size)
{
    int code = 0;
    const struct proxy_address proxy = proxy_of(proxy_text);
    for (size_t piece = 1; piece < 40; piece += 13) {
        struct proxy_answer answer;
        (void)take(&answer, text, piece);
        ret_words[0] = '\0';
        code = proxy_answer_judge(&answer, &proxy, "iot.example", 8883, ret_words, size);
    }
    return code;
}

static void test_answer_ends_where_tls_begins(void **state)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nA: b\r\n\r\n",
        "HTTP/1.1 204\n\n",
        "HTTP/1.1 200\r\nA: b\n\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        for (size_t piece = 1; piece < 100; piece += 7) {
            char text[128];
            struct proxy_answer answer;
            (void)snprintf(text, sizeof(text), "%sTLS", heads[i]);
            assert_int_equal(take(&answer, text, piece), strlen(heads[i]));
            assert_true(answer.is_whole);
        }
    }
    (void)state;
}

static void test_each_answer_has_its_words(void **state)
{
    static const struct {
        const char *answer, *proxy;
        int code;
        const char *words;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", "http://p:1", 0, ""},
        {"HTTP/1.0 299 \r\n\r\n", "http://p:1", 0, ""},
        {"HTTP/1.1 407 X\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_LOGIN,
         "wants a user and a password"},
        {"HTTP/1.1 407 X\r\n\r\n", "http://u:w@p:1", MQTT_LINK_FAILED_PROXY_LOGIN,
         "does not take the user and password"},
        {"HTTP/1.1 407 X\r\nProxy-authenticate: Negotiate\r\nproxy-Authenticate:NTLM\r\n\r\n",
         "http://u:w@p:1", MQTT_LINK_FAILED_PROXY_LOGIN, "not Basic"},
        {"HTTP/1.1 407 X\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: BASIC realm=x\r\n\r\n",
         "http://p:1", MQTT_LINK_FAILED_PROXY_LOGIN, "wants a user and a password"},
        {"HTTP/1.1 407 X\r\nX: Basic\r\nProxy-Authenticate: NTLM\r\n\r\n", "http://p:1",
         MQTT_LINK_FAILED_PROXY_LOGIN, "not Basic"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_REFUSED,
         "refuses CONNECT to iot.example port 8883 (403 Forbidden)"},
        {"HTTP/1.1 403\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_REFUSED, "(403)"},
        {"HTTP/1.1 403 \x1b[31mred\x07\xc3\xa4\r\n\r\n", "http://p:1",
         MQTT_LINK_FAILED_PROXY_REFUSED,
         "(403 ?[31mred??"
         "?)"},
        {"HTTP/1.1 429 Slow down\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_REFUSED, "429"},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_BEYOND,
         "does not reach iot.example port 8883 (502 Bad Gateway)"},
        {"HTTP/1.1 504 Timeout\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY_BEYOND, "504"},
        {"HTTP/1.1 405 Not Allowed\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "web server"},
        {"HTTP/1.1 400 Bad\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "web server"},
        {"HTTP/1.1 302 Found\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "302 Found"},
        {"HTTP/1.1 100 Continue\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "100"},
        {"SSH-2.0-OpenSSH\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "does not answer CONNECT"},
        {"HTTP/1.1 20", "http://p:1", MQTT_LINK_FAILED_PROXY, "does not answer CONNECT"},
        {"HTTP/2.0 200 OK\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY,
         "does not answer CONNECT"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY,
         "does not answer CONNECT"},
        {"HTTP/1.1 xyz\r\n\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "does not answer CONNECT"},
        {"", "http://p:1", MQTT_LINK_FAILED_PROXY, "does not answer CONNECT"},
        {"HTTP/1.1 200 OK\r\nA: b\r\n", "http://p:1", MQTT_LINK_FAILED_PROXY, "has no end"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char words[512];
        const int code = judge(cases[i].answer, cases[i].proxy, words, sizeof(words));
        if (code != cases[i].code || !strstr(words, cases[i].words))
            fail_msg("'%s': %d, %s", cases[i].answer, code, words);
        assert_null(strstr(words, "u:w"));
    }
    (void)state;
}

static void test_endless_head_is_given_up(void **state)
{
    struct proxy_answer answer = {0};
    const char *line = "HTTP/1.1 200 OK\r\n";
    size_t taken = 0, offered = 0;
    while (!proxy_answer_is_over(&answer)) {
        taken += proxy_answer_take(&answer, line, strlen(line));
        offered += strlen(line);
        line = "A: b\r\n";
    }
    assert_int_equal(taken, PROXY_ANSWER_MAX);
    assert_true(offered < PROXY_ANSWER_MAX + 20);
    char words[256];
    const struct proxy_address proxy = proxy_of("http://p:1");
    assert_int_equal(proxy_answer_judge(&answer, &proxy, "e", 1, words, sizeof(words)),
                     MQTT_LINK_FAILED_PROXY);
    (void)state;
}

static void test_nul_hides_nothing(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n";
    struct proxy_answer answer = {0};
    assert_int_equal(proxy_answer_take(&answer, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_true(answer.is_whole);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_names_the_endpoint),
        cmocka_unit_test(test_login_is_decoded_and_then_base64),
        cmocka_unit_test(test_longest_request_fits),
        cmocka_unit_test(test_host_cannot_add_a_line),
        cmocka_unit_test(test_answer_ends_where_tls_begins),
        cmocka_unit_test(test_each_answer_has_its_words),
        cmocka_unit_test(test_endless_head_is_given_up),
        cmocka_unit_test(test_nul_hides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
