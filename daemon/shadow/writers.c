#include "daemon/shadow/writers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void writers_init(struct writers *writers)
{
    *writers = (struct writers){0};
    writers->others = (struct writer){.name = "others", .writers = writers, .uid = UINT32_MAX};
}

static void copy_text(char *target, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(target, text, length);
    target[length] = '\0';
}

/* --- which programs there are --- */

static struct writer *find(const struct writers *writers, const char *name, uint32_t uid)
{
    struct writer *writer = writers->first;
    while (writer && (writer->uid != uid || strcmp(writer->name, name) != 0))
        writer = writer->next;
    return writer;
}

static size_t count_of_user(const struct writers *writers, uint32_t uid)
{
    size_t count = 0;
    for (const struct writer *writer = writers->first; writer; writer = writer->next)
        count += writer->uid == uid;
    return count;
}

static int add(struct writers *writers, const char *name, uint32_t uid, struct writer **ret_writer)
{
    if (writers->count == WRITERS_MAX || count_of_user(writers, uid) >= WRITERS_PER_USER_MAX) {
        *ret_writer = &writers->others;
        return 0;
    }
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return -ENOMEM;
    copy_text(writer->name, sizeof(writer->name), name);
    writer->uid = uid;
    writer->writers = writers;
    writer->next = writers->first;
    if (writers->first)
        writers->first->previous = writer;
    writers->first = writer;
    writers->count++;
    *ret_writer = writer;
    return 0;
}

static void leave_away(struct writers *writers, struct writer *writer)
{
    if (!writer->is_away)
        return;
    writer->is_away = false;
    if (writer->away_previous)
        writer->away_previous->away_next = writer->away_next;
    else
        writers->away_first = writer->away_next;
    if (writer->away_next)
        writer->away_next->away_previous = writer->away_previous;
    else
        writers->away_last = writer->away_previous;
    writer->away_previous = NULL;
    writer->away_next = NULL;
}

static void enter_away(struct writers *writers, struct writer *writer, int64_t now_ms)
{
    writer->is_away = true;
    writer->away_ms = now_ms;
    writer->away_previous = writers->away_last;
    if (writers->away_last)
        writers->away_last->away_next = writer;
    else
        writers->away_first = writer;
    writers->away_last = writer;
}

static void free_writer(struct writers *writers, struct writer *writer)
{
    leave_away(writers, writer);
    struct will *will;
    while ((will = writers_take_will(writers, writer, NULL)))
        (void)will_free(will);
    if (writer == &writers->others)
        return;
    if (writer->previous)
        writer->previous->next = writer->next;
    else
        writers->first = writer->next;
    if (writer->next)
        writer->next->previous = writer->previous;
    writers->count--;
    free(writer);
}

/* Nobody asks for it any more. */
static bool is_idle(const struct writer *writer)
{
    return writer->connection_count == 0 && writer->slot_count == 0 && !writer->wills;
}

void writers_clear(struct writers *writers)
{
    while (writers->first)
        free_writer(writers, writers->first);
    free_writer(writers, &writers->others);
}

int writers_open(struct writers *writers, const struct writer_identity *identity,
                 struct writer **ret_writer)
{
    char name[FLUX_CLIENT_NAME_MAX + 1];
    copy_text(name, sizeof(name), identity->name);
    struct writer *writer = find(writers, name, identity->uid);
    if (!writer) {
        int r = add(writers, name, identity->uid, &writer);
        if (r < 0)
            return r;
    }
    if (writer != &writers->others)
        copy_text(writer->unit, sizeof(writer->unit), identity->unit);
    leave_away(writers, writer);
    writer->connection_count++;
    *ret_writer = writer;
    return 0;
}

int writers_restore(struct writers *writers, const struct writer_identity *identity, int64_t now_ms,
                    struct writer **ret_writer)
{
    char name[FLUX_CLIENT_NAME_MAX + 1];
    copy_text(name, sizeof(name), identity->name);
    struct writer *writer = find(writers, name, identity->uid);
    bool is_new = !writer;
    int r = is_new ? add(writers, name, identity->uid, &writer) : 0;
    if (r < 0)
        return r;
    *ret_writer = writer == &writers->others ? NULL : writer;
    if (!*ret_writer)
        return 0;
    if (is_new)
        copy_text(writer->unit, sizeof(writer->unit), identity->unit);
    if (writer->connection_count == 0 && !writer->is_away)
        enter_away(writers, writer, now_ms);
    return 0;
}

void writers_close(struct writers *writers, struct writer *writer, int64_t now_ms)
{
    if (writer->connection_count > 0)
        writer->connection_count--;
    if (writer->connection_count > 0)
        return;
    if (is_idle(writer))
        free_writer(writers, writer);
    else if (!writer->is_away)
        enter_away(writers, writer, now_ms);
}

int64_t writers_gone_ms(const struct writers *writers, int64_t gone_after_ms)
{
    return writers->away_first ? writers->away_first->away_ms + gone_after_ms : INT64_MAX;
}

struct writer *writers_next_gone(struct writers *writers, int64_t gone_after_ms, int64_t now_ms)
{
    if (writers_gone_ms(writers, gone_after_ms) > now_ms)
        return NULL;
    struct writer *writer = writers->away_first;
    leave_away(writers, writer);
    writer_hold(writer);
    return writer;
}

void writers_postpone(struct writers *writers, struct writer *writer, int64_t gone_after_ms,
                      int64_t gone_ms)
{
    writer->is_away = true;
    writer->away_ms = gone_ms - gone_after_ms;
    /* In front, but behind those that were put back before it. */
    struct writer *before = NULL, *after = writers->away_first;
    for (; after && after->away_ms == writer->away_ms; after = after->away_next)
        before = after;
    writer->away_previous = before;
    writer->away_next = after;
    *(before ? &before->away_next : &writers->away_first) = writer;
    *(after ? &after->away_previous : &writers->away_last) = writer;
    writer_release(writer);
}

void writers_return_will(struct writers *writers, struct writer *writer, struct will *will)
{
    will->next = writer->wills;
    writer->wills = will;
    writers->will_bytes += will->bytes;
}

bool writer_is_gone(const struct writer *writer)
{
    return writer->connection_count == 0 && !writer->is_away;
}

void writer_hold(struct writer *writer)
{
    if (writer)
        writer->slot_count++;
}

void writer_release(struct writer *writer)
{
    if (!writer)
        return;
    writer->slot_count--;
    if (is_idle(writer))
        free_writer(writer->writers, writer);
}

/* --- wills --- */

struct will *will_free(struct will *will)
{
    free(will);
    return NULL;
}

static size_t text_bytes(const struct shadow_operation *operation)
{
    const struct flux_value *value = &operation->value;
    bool has_text = value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
    return operation->path_size + (has_text ? value->size : 0);
}

static void copy_operations(struct will *will, const struct shadow_operation *operations)
{
    char *text = (char *)&will->operations[will->count];
    for (size_t i = 0; i < will->count; i++) {
        struct shadow_operation *copy = &will->operations[i];
        *copy = operations[i];
        copy->path = text;
        if (copy->path_size > 0)
            memcpy(text, operations[i].path, copy->path_size);
        text += copy->path_size;
        if (text_bytes(copy) == copy->path_size)
            continue;
        if (copy->value.size > 0)
            memcpy(text, operations[i].value.text, copy->value.size);
        copy->value.text = text;
        text += copy->value.size;
    }
}

static size_t count_wills(const struct writer *writer, const struct shadow *except)
{
    size_t count = 0;
    for (const struct will *will = writer->wills; will; will = will->next)
        count += will->shadow != except;
    return count;
}

static size_t bytes_for(const struct writer *writer, const struct shadow *shadow)
{
    for (const struct will *will = writer->wills; will; will = will->next) {
        if (will->shadow == shadow)
            return will->bytes;
    }
    return 0;
}

bool writer_has_will(const struct writer *writer, const struct shadow *shadow)
{
    return bytes_for(writer, shadow) > 0;
}

/* Of all wills of a user's programs but this one. */
static size_t other_bytes_of_user(const struct writers *writers, const struct writer *writer,
                                  const struct shadow *shadow)
{
    size_t bytes = 0;
    for (const struct writer *w = writers->first; w; w = w->next) {
        for (const struct will *will = w->wills; w->uid == writer->uid && will; will = will->next)
            bytes += will->bytes;
    }
    return bytes - bytes_for(writer, shadow);
}

int writers_make_will(struct writers *writers, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count)
{
    size_t text = 0;
    for (size_t i = 0; i < count; i++)
        text += text_bytes(&operations[i]);
    size_t bytes = sizeof(struct will) + count * sizeof(*operations) + text;
    bool is_anybody = writer == &writers->others; /* whose last wish it is cannot be told */
    size_t others = writers->will_bytes - bytes_for(writer, shadow);
    if (is_anybody || text > WILL_BYTES_MAX || count > FLUX_PROPERTIES_MAX ||
        others + bytes > WILLS_BYTES_MAX || count_wills(writer, shadow) >= WILLS_MAX ||
        other_bytes_of_user(writers, writer, shadow) + bytes > WILLS_PER_USER_BYTES_MAX)
        return -ENOSPC;
    struct will *will = malloc(bytes);
    if (!will)
        return -ENOMEM;
    *will = (struct will){.shadow = shadow, .bytes = bytes, .count = count};
    copy_operations(will, operations);
    (void)will_free(writers_take_will(writers, writer, shadow));
    will->next = writer->wills;
    writer->wills = will;
    writers->will_bytes += bytes;
    return 0;
}

struct will *writers_take_will(struct writers *writers, struct writer *writer,
                               const struct shadow *shadow)
{
    struct will **link = &writer->wills;
    while (*link && shadow && (*link)->shadow != shadow)
        link = &(*link)->next;
    struct will *will = *link;
    if (!will)
        return NULL;
    *link = will->next;
    will->next = NULL;
    writers->will_bytes -= will->bytes;
    return will;
}
