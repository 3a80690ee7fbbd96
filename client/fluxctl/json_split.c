#include "client/fluxctl/json_split.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES ((size_t)64 * 1024)

void json_split_clear(struct json_split *split)
{
    free(split->data);
    *split = (struct json_split){0};
}

/* Put the byte back that the NUL behind the last object took the place of. */
static void mend(struct json_split *split)
{
    if (split->is_cut)
        split->data[split->start] = split->saved;
    split->is_cut = false;
}

char *json_split_room(struct json_split *split, size_t *ret_size)
{
    mend(split);
    if (split->start > 0) {
        memmove(split->data, split->data + split->start, split->end - split->start);
        split->end -= split->start;
        split->start = 0;
    }
    if (split->capacity - split->end < ROOM_BYTES) {
        size_t capacity = split->capacity > 0 ? split->capacity * 2 : 2 * ROOM_BYTES;
        char *data = realloc(split->data, capacity);
        if (data == NULL)
            return NULL;
        split->data = data;
        split->capacity = capacity;
    }
    *ret_size = split->capacity - split->end - 1; /* one is kept for the NUL behind an object */
    return split->data + split->end;
}

void json_split_fed(struct json_split *split, size_t size)
{
    split->end += size;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct json_split *split)
{
    while (split->start < split->end && is_space(split->data[split->start]))
        split->start++;
}

/* Look at one byte of an object. Returns true at its last. */
static bool scan_byte(struct json_split *split, char c)
{
    if (split->in_string) {
        if (split->after_backslash)
            split->after_backslash = false;
        else if (c == '\\')
            split->after_backslash = true;
        else if (c == '"')
            split->in_string = false;
        return false;
    }
    if (c == '"')
        split->in_string = true;
    else if (c == '{' || c == '[')
        split->depth++;
    else if (c == '}' || c == ']')
        return --split->depth == 0;
    return false;
}

int json_split_next(struct json_split *split, char **ret_document)
{
    mend(split);
    if (split->scanned == 0)
        skip_space(split);
    size_t size = split->end - split->start;
    if (size > 0 && split->data[split->start] != '{')
        return -EINVAL;
    while (split->scanned < size) {
        char c = split->data[split->start + split->scanned++];
        if (c == '\0')
            return -EINVAL;
        if (!scan_byte(split, c))
            continue;
        *ret_document = split->data + split->start;
        split->start += split->scanned;
        split->scanned = 0;
        split->saved = split->data[split->start];
        split->is_cut = true;
        split->data[split->start] = '\0';
        split->document_count++;
        return 1;
    }
    return size > JSON_SPLIT_BYTES_MAX ? -E2BIG : 0;
}

bool json_split_is_empty(const struct json_split *split)
{
    return split->start == split->end;
}
