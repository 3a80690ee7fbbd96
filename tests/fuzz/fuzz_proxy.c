/* libFuzzer: any bytes as what a proxy answers, in pieces of any size, and as [Connection] Proxy.
 * What is asked of a proxy has as many lines as are meant, and what is said of one cannot upset a
 * terminal. Build and run with tests/fuzz/run. */
#include "daemon/mqtt/proxy_talk.h"
#include "tests/fuzz/fuzz_input.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plain(const char *text)
{
    for (; *text; text++)
        fuzz_require(*text >= ' ' && *text <= '~');
}

static size_t take(struct proxy_answer *answer, const char *bytes, size_t size, size_t piece)
{
    *answer = (struct proxy_answer){0};
    size_t taken = 0;
    while (taken < size && !proxy_answer_is_over(answer)) {
        const size_t left = size - taken;
        const size_t more = proxy_answer_take(answer, bytes + taken, left < piece ? left : piece);
        fuzz_require(more > 0);
        taken += more;
    }
    fuzz_require(taken == answer->size && taken <= PROXY_ANSWER_MAX);
    return taken;
}

static void answer(const char *bytes, size_t size, size_t piece)
{
    const struct proxy_address proxy = {.shown = "proxy:3128"};
    struct proxy_answer whole, pieces;
    char text[512] = "", again[512] = "";
    const size_t taken = take(&whole, bytes, size, SIZE_MAX);
    fuzz_require(take(&pieces, bytes, size, piece) == taken);
    const int code = proxy_answer_judge(&whole, &proxy, "iot.example", 8883, text, sizeof(text));
    fuzz_require(code ==
                 proxy_answer_judge(&pieces, &proxy, "iot.example", 8883, again, sizeof(again)));
    fuzz_require(strcmp(text, again) == 0);
    fuzz_require((code == 0) == (text[0] == '\0'));
    fuzz_require(code != 0 || whole.is_whole);
    plain(text);
}

static void setting(const char *text)
{
    struct proxy_address proxy;
    const char *why = NULL;
    char masked[2 * PROXY_TEXT_MAX], request[PROXY_REQUEST_MAX];
    proxy_address_mask(text, masked, sizeof(masked));
    plain(masked);
    if (proxy_address_parse(text, &proxy, &why) < 0) {
        fuzz_require(why != NULL);
        return;
    }
    fuzz_require(proxy.port > 0 && proxy.host[0] != '\0' && strstr(masked, proxy.shown));
    fuzz_require(proxy.has_login == (strchr(proxy.login, ':') != NULL));
    const int size = proxy_request_write(&proxy, "iot.example", 8883, request);
    fuzz_require(size > 0 && strlen(request) == (size_t)size);
    unsigned lines = 0;
    for (const char *c = request; (c = strchr(c, '\n')); c++)
        lines++;
    fuzz_require(lines == (proxy.has_login ? 4 : 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    setting(text);
    answer(text, size, size % 7 + 1);
    free(text);
    return 0;
}
