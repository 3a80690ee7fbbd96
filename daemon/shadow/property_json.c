#include "daemon/shadow/property_json.h"

#include "proto/limits.h"
#include "proto/path.h"
#include <string.h>

static bool is_plain(const char *key, size_t size)
{
    return !memchr(key, '~', size);
}

/* Point at the raw key; `buffer` is used only where escapes have to be undone. */
static const char *raw_key(const struct flux_property *property, char *buffer, size_t *ret_size)
{
    const char *key = property->path + property->key_offset;
    size_t size = property->path_size - property->key_offset;
    if (is_plain(key, size)) {
        *ret_size = size;
        return key;
    }
    const char *cursor = key - 1; /* the slash */
    (void)flux_path_next_key(&cursor, property->path + property->path_size, buffer, ret_size);
    return buffer;
}

void property_write_key(struct flux_json_writer *writer, const struct flux_property *property)
{
    char buffer[FLUX_PATH_BYTES_MAX + 1];
    size_t size = 0;
    const char *key = raw_key(property, buffer, &size);
    flux_json_key(writer, key, size);
}

size_t property_key_bytes(const struct flux_property *property)
{
    char buffer[FLUX_PATH_BYTES_MAX + 1];
    size_t size = 0;
    const char *key = raw_key(property, buffer, &size);
    struct flux_value string = flux_value_string(key, size);
    return flux_value_json_size(&string);
}
