#include "tests/unit/fake_shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wishes of all shadows in one list, so that they are told in the order of their changes. */
#define WISHES_MAX 2048

struct fake_wish {
    const struct shadow *shadow;
    char path[FLUX_PATH_BYTES_MAX + 8];
    char *text; /* NULL: does not differ */
    struct flux_value value;
    int64_t version;
    uint64_t began, serial; /* differs since; changed last */
};

static struct {
    struct fake_wish wishes[WISHES_MAX];
    size_t count;
    uint64_t serial;
    bool is_known;
    int64_t known_version;
} fake;

void fake_wishes_reset(void)
{
    for (size_t i = 0; i < fake.count; i++)
        free(fake.wishes[i].text);
    fake.count = 0;
    fake.serial = 0;
    fake.is_known = false;
}

void fake_know_wishes(int64_t version)
{
    fake.is_known = true;
    fake.known_version = version;
}

static struct fake_wish *wish_at(const struct shadow *shadow, const char *path)
{
    for (size_t i = 0; i < fake.count; i++) {
        if (fake.wishes[i].shadow == shadow && strcmp(fake.wishes[i].path, path) == 0)
            return &fake.wishes[i];
    }
    if (fake.count == WISHES_MAX)
        abort();
    struct fake_wish *wish = &fake.wishes[fake.count++];
    *wish = (struct fake_wish){.shadow = shadow};
    (void)snprintf(wish->path, sizeof(wish->path), "%s", path);
    return wish;
}

void fake_wish(const char *path, const char *text, int64_t version)
{
    struct fake_wish *wish = wish_at(fake_used(), path);
    wish->serial = ++fake.serial;
    if (!wish->text)
        wish->began = wish->serial;
    free(wish->text);
    wish->text = text ? strdup(text) : NULL;
    wish->value = flux_value_string(wish->text, text ? strlen(text) : 0);
    wish->version = version;
}

/* ---- what the sessions call ---- */

bool shadow_knows_wishes(struct shadow *shadow, int64_t *ret_version)
{
    (void)shadow;
    *ret_version = fake.known_version;
    return fake.is_known;
}

uint64_t shadow_wish_serial(struct shadow *shadow)
{
    uint64_t serial = 0;
    for (size_t i = 0; i < fake.count; i++) {
        if (fake.wishes[i].shadow == shadow && fake.wishes[i].serial > serial)
            serial = fake.wishes[i].serial;
    }
    return serial;
}

static bool is_covered(const struct fake_wish *wish, const char *path, size_t size)
{
    return strncmp(wish->path, path, size) == 0 &&
           (size == 0 || wish->path[size] == '\0' || wish->path[size] == '/');
}

bool shadow_next_wish(struct shadow *shadow, const char *path, size_t path_size,
                      struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish)
{
    const struct fake_wish *next = NULL;
    for (size_t i = 0; i < fake.count; i++) {
        const struct fake_wish *wish = &fake.wishes[i];
        const bool is_news = wish->text || wish->began <= cursor->serial;
        if (wish->shadow == shadow && wish->serial > cursor->serial && is_news &&
            is_covered(wish, path, path_size) && (!next || wish->serial < next->serial))
            next = wish;
    }
    if (!next)
        return false;
    cursor->serial = next->serial;
    *ret_wish = (struct shadow_wish){
        .path = next->path,
        .path_size = strlen(next->path),
        .value = next->text ? &next->value : NULL,
        .version = next->version,
    };
    return true;
}
