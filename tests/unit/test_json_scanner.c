#include "proto/json_scanner.h"
#include <errno.h>
#include <math.h>
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

/* Writes events as text: "{ k:a i:1 } ." */
struct transcript {
    char text[4096];
    size_t size;
};

static void put(struct transcript *transcript, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct transcript *transcript, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(transcript->text + transcript->size,
                         sizeof(transcript->text) - transcript->size, format, arguments);
    va_end(arguments);
    transcript->size += (size_t)size;
    assert_true(transcript->size < sizeof(transcript->text));
}

static void put_event(struct transcript *transcript, const struct flux_json_scanner *scanner,
                      enum flux_json_event event)
{
    static const char marks[] = "?{}[]";
    switch (event) {
    case FLUX_JSON_BEGIN_OBJECT:
    case FLUX_JSON_END_OBJECT:
    case FLUX_JSON_BEGIN_ARRAY:
    case FLUX_JSON_END_ARRAY:
        put(transcript, "%c ", marks[event]);
        break;
    case FLUX_JSON_KEY:
        put(transcript, "k:%.*s ", (int)scanner->size, scanner->text);
        break;
    case FLUX_JSON_STRING:
        put(transcript, "s:%.*s ", (int)scanner->size, scanner->text);
        break;
    case FLUX_JSON_INT64:
        put(transcript, "i:%lld ", (long long)scanner->int64);
        break;
    case FLUX_JSON_DOUBLE:
        put(transcript, "%s:%.17g ", scanner->is_overflow ? "o" : "d", scanner->real);
        break;
    case FLUX_JSON_BOOL:
        put(transcript, "%s ", scanner->boolean ? "true" : "false");
        break;
    case FLUX_JSON_NULL:
        put(transcript, "null ");
        break;
    case FLUX_JSON_END_DOCUMENT:
        put(transcript, ". ");
        break;
    case FLUX_JSON_END_INPUT:
    case FLUX_JSON_MORE:
    case FLUX_JSON_ERROR:
        fail();
    }
}

/* Scan `text` fed in pieces of `step` bytes, each in memory of its exact size. Returns the last
 * event. */
static enum flux_json_event scan_in_steps(struct transcript *transcript,
                                          struct flux_json_scanner *scanner, const char *text,
                                          size_t size, size_t step)
{
    char buffer[256];
    size_t consumed = 0, fed = 0;
    enum flux_json_event event;
    transcript->size = 0;
    transcript->text[0] = '\0';
    flux_json_scanner_init(scanner, buffer, sizeof(buffer), 8);
    for (;;) {
        fed = size - fed < step ? size : fed + step;
        size_t piece_size = fed - consumed;
        char *piece = malloc(piece_size + (piece_size == 0));
        assert_non_null(piece);
        memcpy(piece, text + consumed, piece_size);
        flux_json_scanner_feed(scanner, piece, piece_size, fed == size);
        while ((event = flux_json_scanner_next(scanner)) != FLUX_JSON_END_INPUT &&
               event != FLUX_JSON_MORE && event != FLUX_JSON_ERROR)
            put_event(transcript, scanner, event);
        consumed += scanner->position;
        free(piece);
        if (event == FLUX_JSON_ERROR || (event == FLUX_JSON_END_INPUT && fed == size))
            return event;
        assert_true(fed < size);
    }
}

static void expect_events(const char *text, const char *events)
{
    struct transcript transcript;
    struct flux_json_scanner scanner;
    size_t size = strlen(text);
    for (size_t step = 1; step <= size + 1; step++) {
        enum flux_json_event last = scan_in_steps(&transcript, &scanner, text, size, step);
        if (last != FLUX_JSON_END_INPUT)
            fail_msg("%s: %s at %llu", text, scanner.error_text,
                     (unsigned long long)scanner.error_offset);
        assert_string_equal(transcript.text, events);
    }
}

/* Expect the same error however the text arrives. */
static void expect_error_of(const char *text, size_t size, int error, uint64_t offset,
                            const char *error_text)
{
    struct transcript transcript;
    struct flux_json_scanner scanner;
    for (size_t step = 1; step <= size + 1; step++) {
        enum flux_json_event last = scan_in_steps(&transcript, &scanner, text, size, step);
        if (last != FLUX_JSON_ERROR)
            fail_msg("%s was taken", text);
        assert_int_equal(scanner.error, error);
        if (strstr(scanner.error_text, error_text) == NULL || scanner.error_offset != offset)
            fail_msg("%s: \"%s\" at %llu", text, scanner.error_text,
                     (unsigned long long)scanner.error_offset);
        assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_ERROR);
    }
}

static void expect_error(const char *text, uint64_t offset, const char *error_text)
{
    expect_error_of(text, strlen(text), -EINVAL, offset, error_text);
}

static void test_objects_arrays_and_literals(void **state)
{
    (void)state;
    expect_events("{}", "{ } . ");
    expect_events("[]", "[ ] . ");
    expect_events(" { \"a\" : [ 1 , true,false ,null ] , \"b\":{\"c\":\"x\"}}\r\n\t",
                  "{ k:a [ i:1 true false null ] k:b { k:c s:x } } . ");
    expect_events("[[],[[]],{}]", "[ [ ] [ [ ] ] { } ] . ");
    expect_events("\"\"", "s: . ");
    expect_events("", "");
    expect_events("  ", "");
}

static void test_numbers(void **state)
{
    (void)state;
    expect_events("[0,-0,7,-12,1.0,-0.5,1e3,1E-2,2e+1]",
                  "[ i:0 i:0 i:7 i:-12 d:1 d:-0.5 d:1000 d:0.01 d:20 ] . ");
    expect_events("9223372036854775807 -9223372036854775808",
                  "i:9223372036854775807 . i:-9223372036854775808 . ");
    expect_events("[9223372036854775808,-9223372036854775809]",
                  "[ o:9.2233720368547758e+18 o:-9.2233720368547758e+18 ] . ");
    expect_events("[9223372036854775808.0]", "[ d:9.2233720368547758e+18 ] . ");
    expect_events("1e-400", "d:0 . ");
    expect_events("0.1", "d:0.10000000000000001 . ");
}

static void test_malformed_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const numbers[] = {"01",  "-",      "1.",  ".5",  "1e",      "1e+",   "+1",
                                          "1.e", "--1",    "1-2", "-01", "0x10",    "1e400", "NaN",
                                          "1a",  "1\"a\"", "1{}", "-e1", "Infinity"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        expect_error(numbers[i], 0, "");
}

static void test_an_endless_number_is_refused_before_it_ends(void **state)
{
    (void)state;
    char text[600];
    memset(text, '1', sizeof(text));
    struct flux_json_scanner scanner;
    flux_json_scanner_init(&scanner, NULL, 0, 8);
    flux_json_scanner_feed(&scanner, text, sizeof(text), false);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_ERROR);
    assert_int_equal(scanner.error, -E2BIG);
}

static void test_strings_are_unescaped(void **state)
{
    (void)state;
    expect_events("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s:\"\\/\b\f\n\r\t . ");
    expect_events("\"a\\u0041\\u00e4\\u20AC\\ud83d\\ude00z\"",
                  "s:aA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z . ");
    expect_events("\"\xc3\xa4\xf0\x9f\x98\x80\"", "s:\xc3\xa4\xf0\x9f\x98\x80 . ");
    expect_events("{\"\\u006b\":\"\"}", "{ k:k s: } . ");
    expect_events("\"\\\\\"", "s:\\ . ");
}

static void test_bad_strings_are_refused_where_they_are_bad(void **state)
{
    (void)state;
    expect_error("\"a\nb\"", 2, "control character");
    expect_error("\"ab\\x\"", 3, "escape");
    expect_error("\"\\u12g4\"", 1, "hexadecimal");
    expect_error("\"\\u123\"", 1, "hexadecimal");
    expect_error("\"a\\u0000\"", 2, "u0000");
    expect_error("\"\\ud800\"", 1, "surrogate");
    expect_error("\"\\udc00\"", 1, "surrogate");
    expect_error("\"\\ud800\\n\"", 1, "surrogate");
    expect_error("\"\\ud800\\ud800\"", 1, "surrogate");
    expect_error("\"\xc3\"", 1, "UTF-8");
    expect_error("\"\xed\xa0\x80\"", 1, "UTF-8");
    expect_error("{\"\xff\":1}", 2, "UTF-8");
    expect_error("\"abc", 4, "too early");
    expect_error("\"abc\\", 5, "too early");
    expect_error_of("\"\0\"", 3, -EINVAL, 1, "control character");
}

static void test_an_unescaped_string_ends_at_the_buffers_size(void **state)
{
    (void)state;
    char buffer[3];
    struct flux_json_scanner scanner;
    flux_json_scanner_init(&scanner, buffer, sizeof(buffer), 8);
    flux_json_scanner_feed(&scanner, "\"ab\\n\" \"abc\\n\"", 14, true);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_STRING);
    assert_int_equal(scanner.size, 3);
    assert_memory_equal(scanner.text, "ab\n", 3);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_END_DOCUMENT);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_ERROR);
    assert_int_equal(scanner.error, -E2BIG);
    assert_int_equal(scanner.error_offset, 11);
}

static void test_bad_structure_is_refused_where_it_is_bad(void **state)
{
    (void)state;
    expect_error("{", 1, "too early");
    expect_error("[1", 2, "too early");
    expect_error("{\"a\"", 4, "too early");
    expect_error("{\"a\":", 5, "too early");
    expect_error("{\"a\":1,}", 7, "key");
    expect_error("{,}", 1, "key");
    expect_error("{1:2}", 1, "key");
    expect_error("{\"a\" 1}", 5, "':'");
    expect_error("{\"a\":1 \"b\":2}", 7, "'}'");
    expect_error("[1 2]", 3, "']'");
    expect_error("[1,]", 3, "value");
    expect_error("[,1]", 1, "value");
    expect_error("[1}", 2, "']'");
    expect_error("{\"a\":1]", 6, "'}'");
    expect_error("]", 0, "value");
    expect_error("}", 0, "value");
    expect_error(",", 0, "value");
    expect_error("{\"a\":}", 5, "value");
    expect_error("[1]]", 3, "value");
    expect_error("\xef\xbb\xbf{}", 0, "value");
    expect_error("// no", 0, "value");
}

static void test_half_words_are_refused(void **state)
{
    (void)state;
    expect_error("tru", 3, "too early");
    expect_error("trux", 0, "word");
    expect_error("truefalse", 0, "word");
    expect_error("nullx", 0, "word");
    expect_error("[nul]", 1, "word");
    expect_error("True", 0, "value");
}

static void test_documents_follow_each_other(void **state)
{
    (void)state;
    expect_events("{\"a\":1}\n{\"a\":2}{\"b\":[]} 3 \"x\"[1]",
                  "{ k:a i:1 } . { k:a i:2 } . { k:b [ ] } . i:3 . s:x . [ i:1 ] . ");
}

static void test_position_stands_behind_each_document(void **state)
{
    (void)state;
    static const char text[] = " {\"a\":1}  {}x";
    struct flux_json_scanner scanner;
    flux_json_scanner_init(&scanner, NULL, 0, 8);
    flux_json_scanner_feed(&scanner, text, sizeof(text) - 1, true);
    while (flux_json_scanner_next(&scanner) != FLUX_JSON_END_DOCUMENT)
        assert_true(scanner.position < 9);
    assert_int_equal(scanner.position, 8);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_BEGIN_OBJECT);
    assert_int_equal(scanner.token_offset, 10);
}

static void test_a_cut_off_text_asks_for_more(void **state)
{
    (void)state;
    static const char text[] = "{\"ab\\n\":[tru";
    for (size_t size = 1; size < sizeof(text); size++) {
        struct flux_json_scanner scanner;
        char buffer[16];
        enum flux_json_event event;
        flux_json_scanner_init(&scanner, buffer, sizeof(buffer), 8);
        flux_json_scanner_feed(&scanner, text, size, false);
        do {
            event = flux_json_scanner_next(&scanner);
            assert_int_not_equal(event, FLUX_JSON_ERROR);
            assert_int_not_equal(event, FLUX_JSON_END_INPUT);
        } while (event != FLUX_JSON_MORE);
        assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_MORE);
    }
}

static void test_nesting_ends_exactly_at_its_limit(void **state)
{
    (void)state;
    expect_events("[[[[[[[[]]]]]]]]", "[ [ [ [ [ [ [ [ ] ] ] ] ] ] ] ] . ");
    expect_error_of("[[[[[[[[[]]]]]]]]]", 18, -E2BIG, 8, "deep");
    expect_error_of("{\"a\":[[[[[[[{}]]]]]]]}", 22, -E2BIG, 12, "deep");
}

static void test_the_deepest_scanner_keeps_objects_and_arrays_apart(void **state)
{
    (void)state;
    struct flux_json_scanner scanner;
    flux_json_scanner_init(&scanner, NULL, 0, 100000);
    char text[5 * FLUX_JSON_NESTING_MAX];
    size_t size = 0;
    for (unsigned i = 0; i < FLUX_JSON_NESTING_MAX; i++) {
        const char *open = i % 3 == 0 ? "[" : "{\"\":";
        memcpy(text + size, open, strlen(open));
        size += strlen(open);
    }
    flux_json_scanner_feed(&scanner, text, size, false);
    enum flux_json_event event;
    do {
        event = flux_json_scanner_next(&scanner);
        assert_int_not_equal(event, FLUX_JSON_ERROR);
    } while (event != FLUX_JSON_MORE);
    assert_int_equal(scanner.depth, FLUX_JSON_NESTING_MAX);

    text[0] = '1';
    for (unsigned i = FLUX_JSON_NESTING_MAX; i-- > 0;)
        text[FLUX_JSON_NESTING_MAX - i] = i % 3 == 0 ? ']' : '}';
    flux_json_scanner_feed(&scanner, text, 1 + FLUX_JSON_NESTING_MAX, true);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_INT64);
    for (unsigned i = FLUX_JSON_NESTING_MAX; i-- > 0;)
        assert_int_equal(flux_json_scanner_next(&scanner),
                         i % 3 == 0 ? FLUX_JSON_END_ARRAY : FLUX_JSON_END_OBJECT);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_END_DOCUMENT);

    flux_json_scanner_feed(&scanner, text, 0, true);
    memset(text, '[', FLUX_JSON_NESTING_MAX + 1);
    flux_json_scanner_feed(&scanner, text, FLUX_JSON_NESTING_MAX + 1, true);
    for (unsigned i = 0; i < FLUX_JSON_NESTING_MAX; i++)
        assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_BEGIN_ARRAY);
    assert_int_equal(flux_json_scanner_next(&scanner), FLUX_JSON_ERROR);
    assert_int_equal(scanner.error, -E2BIG);
}

static void test_depth_check_counts_brackets_outside_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned nesting_max;
        int expected;
    } cases[] = {
        {"{\"a\":[1]}", 2, 0},  {"{\"a\":[1]}", 1, -E2BIG},
        {"[[],[],[]]", 2, 0},   {"[\"[[[[\"]", 1, 0},
        {"[\"\\\"[[\"]", 1, 0}, {"[\"\\\\\",[]]", 1, -E2BIG},
        {"]]]][", 1, 0},        {"[", 0, -E2BIG},
        {"\"\\", 0, 0},         {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            flux_json_depth_check(cases[i].text, strlen(cases[i].text), cases[i].nesting_max),
            cases[i].expected);
}

/* A sequence without meaning, the same in every run. */
static uint32_t scramble(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_mangled_text_ends_alike_however_it_arrives(void **state)
{
    (void)state;
    static const char model[] =
        "{\"a\":[1,-2.5e3,true,null,\"x\\u00e4\\n\"],\"b\":{\"c\":\"\xc3\xa4\"}}";
    static const char bytes[] = "{}[]\",:\\u0123456789-+.eEtrfalsn \xc3\xa4\x01";
    uint32_t seed = 42;
    for (unsigned round = 0; round < 20000; round++) {
        char text[sizeof(model)];
        size_t size = sizeof(model) - 1 - scramble(&seed) % 8;
        memcpy(text, model, sizeof(model));
        for (unsigned i = 0; i < 1 + round % 4; i++)
            text[scramble(&seed) % size] = bytes[scramble(&seed) % (sizeof(bytes) - 1)];
        struct transcript whole, pieces;
        struct flux_json_scanner scanner;
        enum flux_json_event one = scan_in_steps(&whole, &scanner, text, size, size);
        enum flux_json_event two =
            scan_in_steps(&pieces, &scanner, text, size, 1 + scramble(&seed) % 9);
        assert_int_equal(one, two);
        assert_string_equal(whole.text, pieces.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_arrays_and_literals),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_malformed_numbers_are_refused),
        cmocka_unit_test(test_an_endless_number_is_refused_before_it_ends),
        cmocka_unit_test(test_strings_are_unescaped),
        cmocka_unit_test(test_bad_strings_are_refused_where_they_are_bad),
        cmocka_unit_test(test_an_unescaped_string_ends_at_the_buffers_size),
        cmocka_unit_test(test_bad_structure_is_refused_where_it_is_bad),
        cmocka_unit_test(test_half_words_are_refused),
        cmocka_unit_test(test_documents_follow_each_other),
        cmocka_unit_test(test_position_stands_behind_each_document),
        cmocka_unit_test(test_a_cut_off_text_asks_for_more),
        cmocka_unit_test(test_nesting_ends_exactly_at_its_limit),
        cmocka_unit_test(test_the_deepest_scanner_keeps_objects_and_arrays_apart),
        cmocka_unit_test(test_depth_check_counts_brackets_outside_strings),
        cmocka_unit_test(test_mangled_text_ends_alike_however_it_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
