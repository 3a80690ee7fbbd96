#include "daemon/ipc/peer_unit.h"

#include <stdbool.h>
#include <string.h>

static bool begins_with(const char *text, size_t size, const char *prefix)
{
    return size >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, size_t size, const char *suffix)
{
    const size_t length = strlen(suffix);
    return size > length && memcmp(text + size - length, suffix, length) == 0;
}

/* The path of a line of systemd's own hierarchy, `0::PATH` or `1:name=systemd:PATH`; NULL: it is of
 * another. */
static const char *path_of_line(const char *line, size_t size)
{
    const char *name = memchr(line, ':', size);
    if (!name)
        return NULL;
    name++;
    const size_t rest = size - (size_t)(name - line);
    if (begins_with(line, size, "0::"))
        return name + 1;
    return begins_with(name, rest, "name=systemd:") ? name + strlen("name=systemd:") : NULL;
}

bool peer_unit_is_name(const char *text, size_t size)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ":_.@\\-";
    if (!ends_with(text, size, ".service") && !ends_with(text, size, ".scope"))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!strchr(allowed, text[i]) || text[i] == '\0')
            return false;
    }
    return true;
}

/* Take the last part of the path that is a unit's name. */
static void take_unit(const char *path, const char *end, char *ret_unit, size_t size)
{
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *part_end = slash ? slash : end;
        const size_t part = (size_t)(part_end - path);
        if (part < size && peer_unit_is_name(path, part)) {
            memcpy(ret_unit, path, part);
            ret_unit[part] = '\0';
        }
        path = part_end + 1;
    }
}

/* Take the first part of the path that is no slice, if it is a unit's name. */
static void take_outer(const char *path, const char *end, char *ret_unit, size_t size)
{
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *part_end = slash ? slash : end;
        const size_t part = (size_t)(part_end - path);
        if (part > 0 && !ends_with(path, part, ".slice")) {
            if (part >= size || !peer_unit_is_name(path, part))
                return;
            memcpy(ret_unit, path, part);
            ret_unit[part] = '\0';
            return;
        }
        path = part_end + 1;
    }
}

typedef void (*unit_taker)(const char *path, const char *end, char *ret_unit, size_t size);

/* The first line of systemd's own hierarchy that names one. */
static void parse(const char *text, size_t text_size, unit_taker take, char *ret_unit, size_t size)
{
    ret_unit[0] = '\0';
    const char *end = text + text_size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        const char *path = path_of_line(text, (size_t)(line_end - text));
        if (path)
            take(path, line_end, ret_unit, size);
        if (ret_unit[0] != '\0')
            return;
        text = line_end + 1;
    }
}

void peer_unit_parse(const char *text, size_t text_size, char *ret_unit, size_t size)
{
    parse(text, text_size, take_unit, ret_unit, size);
}

void peer_unit_parse_outer(const char *text, size_t text_size, char *ret_unit, size_t size)
{
    parse(text, text_size, take_outer, ret_unit, size);
}
