#include "client/fluxctl/paths.h"
#include <stdlib.h>
#include <string.h>

/* One path being read, byte by byte, as its keys: a separator comes out as -1, the end as -2. */
struct reader {
    const char *next;
    bool is_pointer;
};

static struct reader reader_begin(const char *path)
{
    bool is_pointer = path[0] == '/';
    return (struct reader){path + (is_pointer ? 1 : 0), is_pointer};
}

static int reader_next(struct reader *reader)
{
    char c = *reader->next;
    if (c == '\0')
        return -2;
    reader->next++;
    if (c == (reader->is_pointer ? '/' : '.'))
        return -1;
    if (c == '~' && reader->is_pointer && (*reader->next == '0' || *reader->next == '1'))
        return *reader->next++ == '0' ? '~' : '/';
    return (unsigned char)c;
}

bool fluxctl_path_covers(const char *top, const char *path)
{
    struct reader above = reader_begin(top), below = reader_begin(path);
    for (;;) {
        int a = reader_next(&above), b = reader_next(&below);
        if (a == -2)
            return b < 0;
        if (a != b)
            return false;
    }
}

char *fluxctl_path_for_people(const char *pointer, size_t size)
{
    char *text = strndup(pointer, size);
    if (text == NULL || size < 2)
        return text;
    for (size_t i = 1; i < size; i++) {
        bool is_empty_key = text[i] == '/' && (text[i - 1] == '/' || i + 1 == size);
        if (is_empty_key || strchr(".~=:\\\"' \t", text[i]) != NULL)
            return text;
    }
    if (text[1] == '-' || text[1] == '/')
        return text;
    memmove(text, text + 1, size);
    for (char *c = strchr(text, '/'); c != NULL; c = strchr(c, '/'))
        *c = '.';
    return text;
}
