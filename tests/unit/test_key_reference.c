#include "daemon/mqtt/key_reference.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_good_ones_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        enum key_reference_kind kind;
        const char *object, *module, *pin_file, *pin;
    } cases[] = {
        {"/etc/key.pem", KEY_REFERENCE_PATH, "", "", "", ""},
        {"relative:odd", KEY_REFERENCE_PATH, "", "", "", ""},
        {"", KEY_REFERENCE_PATH, "", "", "", ""},
        {"handle:0x81000001", KEY_REFERENCE_HANDLE, "handle:0x81000001", "", "", ""},
        {"handle:0X81FFffFF", KEY_REFERENCE_HANDLE, "handle:0X81FFffFF", "", "", ""},
        {"pkcs11:object=a", KEY_REFERENCE_PKCS11, "pkcs11:object=a", "", "", ""},
        {"pkcs11:token=my%20token;id=%00%01;type=private?module-path=/usr/lib/"
         "x%3b.so&pin-value=1%25a",
         KEY_REFERENCE_PKCS11, "pkcs11:token=my%20token;id=%00%01;type=private", "/usr/lib/x;.so",
         "", "1%a"},
        {"pkcs11:object=a;pin-value=12", KEY_REFERENCE_PKCS11, "pkcs11:object=a", "", "", "12"},
        {"pkcs11:pin-value=12;object=a", KEY_REFERENCE_PKCS11, "pkcs11:object=a", "", "", "12"},
        {"pkcs11:object=a?pin-source=file:/p%20q", KEY_REFERENCE_PKCS11, "pkcs11:object=a", "",
         "/p q", ""},
        {"pkcs11:object=a?pin-source=/p", KEY_REFERENCE_PKCS11, "pkcs11:object=a", "", "/p", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct key_reference reference;
        const char *why = "unset";
        if (key_reference_parse(cases[i].text, &reference, &why) < 0)
            fail_msg("%s: %s", cases[i].text, why);
        assert_int_equal(reference.kind, cases[i].kind);
        assert_string_equal(reference.object, cases[i].object);
        assert_string_equal(reference.module, cases[i].module);
        assert_string_equal(reference.pin_file, cases[i].pin_file);
        assert_string_equal(reference.pin, cases[i].pin);
    }
}

static void test_bad_ones_are_refused_without_showing_them(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"handle:", "a handle is written"},
        {"handle:0x", "a handle is written"},
        {"handle:81000001", "a handle is written"},
        {"handle:0x8100000", "a handle is written"},
        {"handle:0x810000011", "a handle is written"},
        {"handle:0x80ffffff", "a handle is written"},
        {"handle:0x82000000", "a handle is written"},
        {"handle:0x81000001?s3cret", "a handle is written"},
        {"pkcs11:", "names no token"},
        {"pkcs11:?pin-value=s3cret", "not NAME=VALUE"},
        {"pkcs11:pin-value=s3cret", "names no token"},
        {"pkcs11:object", "not NAME=VALUE"},
        {"pkcs11:object=a?pni-value=s3cret", "not known"},
        {"pkcs11:object=a?pin%2dvalue=s3cret", "not known"},
        {"pkcs11:=s3cret", "not NAME=VALUE"},
        {"pkcs11:object=a;;", "not NAME=VALUE"},
        {"pkcs11:object=%", "percent-encoded"},
        {"pkcs11:object=%4", "percent-encoded"},
        {"pkcs11:object=%4x", "percent-encoded"},
        {"pkcs11:object=a%00b", "percent-encoded"},
        {"pkcs11:object=a?pin-value=s3cret%", "percent-encoded"},
        {"pkcs11:object=a?pin-source=s3cret", "pin-source is not"},
        {"pkcs11:object=a?pin-source=file:s3cret", "pin-source is not"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct key_reference reference;
        const char *why = "unset";
        if (key_reference_parse(cases[i].text, &reference, &why) != -EINVAL)
            fail_msg("%s was taken", cases[i].text);
        if (!strstr(why, cases[i].why) || strstr(why, "s3cret"))
            fail_msg("%s: %s", cases[i].text, why);
        assert_int_equal(key_reference_parse(cases[i].text, &reference, NULL), -EINVAL);
    }
}

static void test_the_longest_one_is_bounded(void **state)
{
    char text[KEY_REFERENCE_MAX + 1];
    struct key_reference reference;
    const char *why = "";
    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "pkcs11:object=", 14);
    text[KEY_REFERENCE_MAX] = '\0';
    assert_int_equal(key_reference_parse(text, &reference, &why), -EINVAL);
    assert_non_null(strstr(why, "too long"));
    text[KEY_REFERENCE_MAX - 1] = '\0';
    assert_int_equal(key_reference_parse(text, &reference, &why), 0);
    assert_string_equal(reference.object, text);
    memset(text, '/', KEY_REFERENCE_MAX); /* a path is not */
    assert_int_equal(key_reference_parse(text, &reference, &why), 0);
}

static void test_the_pin_is_masked(void **state)
{
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"/etc/key.pem", "/etc/key.pem"},
        {"/etc/pin-value=1", "/etc/pin-value=1"},
        {"handle:0x81000001", "handle:0x81000001"},
        {"pkcs11:object=a", "pkcs11:object=a"},
        {"pkcs11:object=a?pin-source=file:/p", "pkcs11:object=a?pin-source=file:/p"},
        {"pkcs11:object=a?pin-value=12", "pkcs11:object=a?pin-value=***"},
        {"pkcs11:object=a?pin-value=12&module-path=/m",
         "pkcs11:object=a?pin-value=***&module-path=/m"},
        {"pkcs11:pin-value=12;object=a", "pkcs11:pin-value=***;object=a"},
        {"pkcs11:pin-value", "pkcs11:***"},
        {"PKCS11:object=a?pin-value=12", "PKCS11:object=a?pin-value=***"},
        {"Pkcs11:object=a?pni-value=12", "pkcs11:***"},
        {"pkcs11:object=a;pin-value=1;pin-value=12;type=private", "pkcs11:object=a;pin-value=***"},
        {"pkcs11:object=a;pin-value%3d12", "pkcs11:***"},
        {"pkcs11:object=a;pni-value=12", "pkcs11:***"},
        {"pkcs11:object=pin-value;pin-value=12", "pkcs11:object=pin-value;pin-value=***"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char masked[300];
        key_reference_mask(cases[i].text, masked, sizeof(masked));
        assert_string_equal(masked, cases[i].masked);
        char tight[24];
        key_reference_mask(cases[i].text, tight, sizeof(tight));
        assert_true(strlen(tight) < sizeof(tight));
        assert_null(strstr(tight, "=12"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones_are_taken_apart),
        cmocka_unit_test(test_bad_ones_are_refused_without_showing_them),
        cmocka_unit_test(test_the_longest_one_is_bounded),
        cmocka_unit_test(test_the_pin_is_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
