#include "daemon/mqtt/key_reference.h"

#include "proto/hex.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PKCS11        "pkcs11:"
#define HANDLE        "handle:"
#define PIN_ATTRIBUTE "pin-value"

/* The persistent handles of a TPM. */
#define HANDLE_FIRST 0x81000000u
#define HANDLE_LAST  0x81ffffffu

/* A scheme's case does not matter; and what is no URI is a path, which is shown. */
static bool has_scheme(const char *text, const char *scheme)
{
    return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

/* Undo percent-encoding of a text that is shorter than KEY_REFERENCE_MAX. Returns whether it is one
 * without NUL. */
static bool decode(const char *text, size_t size, char ret_text[static KEY_REFERENCE_MAX])
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            const int high = i + 2 < size ? flux_hex_digit(text[i + 1]) : -1;
            const int low = high >= 0 ? flux_hex_digit(text[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        ret_text[length++] = (char)c;
    }
    ret_text[length] = '\0';
    return true;
}

static int parse_handle(const char *digits, const char **ret_why)
{
    uint32_t handle = 0;
    size_t length = 0;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        for (digits += 2; length < 8 && flux_hex_digit(digits[length]) >= 0; length++)
            handle = handle * 16 + (uint32_t)flux_hex_digit(digits[length]);
    }
    if (length == 8 && digits[length] == '\0' && handle >= HANDLE_FIRST && handle <= HANDLE_LAST)
        return 0;
    *ret_why = "a handle is written handle:0x81000001, and lies from 0x81000000 to 0x81ffffff";
    return -EINVAL;
}

static bool is_named(const char *attribute, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(attribute, name, size) == 0;
}

/* What finds the key. A misspelt pin-value must not pass for one of these: they are shown. */
static bool finds_key(const char *name, size_t size)
{
    static const char *const names[] = {
        "token",
        "object",
        "id",
        "type",
        "serial",
        "manufacturer",
        "model",
        "slot-id",
        "slot-manufacturer",
        "slot-description",
        "library-version",
        "library-manufacturer",
        "library-description",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (is_named(name, size, names[i]))
            return true;
    }
    return false;
}

/* Returns whether the value can be understood. */
static bool take_attribute(const char *name, size_t name_size, const char *value, size_t size,
                           bool *ret_is_ours, struct key_reference *reference)
{
    *ret_is_ours = true;
    if (is_named(name, name_size, PIN_ATTRIBUTE))
        return decode(value, size, reference->pin);
    if (is_named(name, name_size, "module-path"))
        return decode(value, size, reference->module);
    if (is_named(name, name_size, "pin-source")) {
        const size_t scheme = size >= 5 && memcmp(value, "file:", 5) == 0 ? 5 : 0;
        return decode(value + scheme, size - scheme, reference->pin_file) &&
               reference->pin_file[0] == '/';
    }
    *ret_is_ours = false;
    char ignored[KEY_REFERENCE_MAX];
    /* An id is bytes, of which some may be 0. */
    return is_named(name, name_size, "id") || decode(value, size, ignored);
}

static int parse_pkcs11(const char *text, struct key_reference *reference, const char **ret_why)
{
    char *object = reference->object;
    size_t used = strlen(PKCS11);
    memcpy(object, PKCS11, used + 1);
    for (const char *attribute = text + used; *attribute;) {
        const size_t size = strcspn(attribute, ";?&");
        const size_t name_size = strcspn(attribute, "=;?&");
        if (name_size == 0 || name_size >= size) {
            *ret_why = "an attribute is not NAME=VALUE";
            return -EINVAL;
        }
        bool is_ours;
        const char *value = attribute + name_size + 1;
        if (!take_attribute(attribute, name_size, value, size - name_size - 1, &is_ours,
                            reference)) {
            *ret_why = is_named(attribute, name_size, "pin-source")
                           ? "pin-source is not file: and an absolute path"
                           : "a value is not percent-encoded";
            return -EINVAL;
        }
        if (!is_ours && !finds_key(attribute, name_size)) {
            *ret_why = "it has an attribute that is not known";
            return -EINVAL;
        }
        if (!is_ours) {
            if (used > strlen(PKCS11))
                object[used++] = ';';
            memcpy(object + used, attribute, size);
            used += size;
            object[used] = '\0';
        }
        attribute += size;
        if (*attribute)
            attribute++;
    }
    if (used > strlen(PKCS11))
        return 0;
    *ret_why = "it names no token and no object";
    return -EINVAL;
}

int key_reference_parse(const char *text, struct key_reference *ret_reference, const char **ret_why)
{
    const char *ignored;
    if (!ret_why)
        ret_why = &ignored;
    memset(ret_reference, 0, sizeof(*ret_reference));
    if (!has_scheme(text, PKCS11) && !has_scheme(text, HANDLE))
        return 0;
    if (strlen(text) >= KEY_REFERENCE_MAX) {
        *ret_why = "it is too long";
        return -EINVAL;
    }
    if (has_scheme(text, HANDLE)) {
        ret_reference->kind = KEY_REFERENCE_HANDLE;
        memcpy(ret_reference->object, text, strlen(text) + 1);
        return parse_handle(text + strlen(HANDLE), ret_why);
    }
    ret_reference->kind = KEY_REFERENCE_PKCS11;
    return parse_pkcs11(text, ret_reference, ret_why);
}

void key_reference_mask(const char *text, char *ret_masked, size_t size)
{
    struct key_reference reference;
    const bool is_uri = has_scheme(text, PKCS11);
    const bool is_understood = key_reference_parse(text, &reference, NULL) == 0;
    const bool has_pin = reference.pin[0] != '\0';
    explicit_bzero(&reference, sizeof(reference));
    if (!is_uri || (is_understood && !has_pin)) {
        (void)snprintf(ret_masked, size, "%s", text);
        return;
    }
    const char *pin = is_understood ? strstr(text, PIN_ATTRIBUTE "=") : NULL;
    if (!pin) {
        (void)snprintf(ret_masked, size, PKCS11 "***");
        return;
    }
    /* Of one that is there twice nothing is shown, nor of what follows. */
    const char *rest = pin + strcspn(pin, ";?&");
    if (strstr(rest, PIN_ATTRIBUTE))
        rest = "";
    (void)snprintf(ret_masked, size, "%.*s" PIN_ATTRIBUTE "=***%s", (int)(pin - text), text, rest);
}
