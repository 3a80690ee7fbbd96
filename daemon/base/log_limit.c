#include "daemon/base/log_limit.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_COUNT (LOG_LIMIT_ENTRIES + LOG_LIMIT_KINDS)

uint64_t log_limit_mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool is_over(const struct log_limit_entry *entry, int64_t now_ms)
{
    return now_ms - entry->begin_ms >= LOG_LIMIT_WINDOW_MS;
}

static struct log_limit_entry *find(struct log_limit *limit, const struct log_line *line,
                                    int64_t now_ms)
{
    for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
        struct log_limit_entry *entry = &limit->entries[i];
        if (!entry->is_used || entry->kind != line->kind || entry->key != line->key)
            continue;
        if (entry->held > 0 || !is_over(entry, now_ms))
            return entry;
        entry->is_used = false; /* it was quiet since: what comes now is news */
    }
    return NULL;
}

/* A place for lines of a new key: a free one, or the oldest that holds nothing back. */
static struct log_limit_entry *make_room(struct log_limit *limit)
{
    struct log_limit_entry *oldest = NULL;
    for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
        struct log_limit_entry *entry = &limit->entries[i];
        if (!entry->is_used)
            return entry;
        if (entry->held == 0 && (!oldest || entry->begin_ms < oldest->begin_ms))
            oldest = entry;
    }
    return oldest;
}

/* Begin a window of a kind: a flood that goes on gets less of the log. */
static void kind_begin(struct log_limit_kind *kind, int64_t now_ms)
{
    unsigned most = LOG_LIMIT_PER_KIND;
    if (kind->has_overflowed)
        most = kind->most / 2 > LOG_LIMIT_PER_FLOOD ? kind->most / 2 : LOG_LIMIT_PER_FLOOD;
    *kind = (struct log_limit_kind){.begin_ms = now_ms, .most = most};
}

/* Tell whether one more line of the kind may be written within its window, and count it. */
static bool kind_takes(struct log_limit_kind *kind, int64_t now_ms)
{
    if (kind->most == 0 || now_ms - kind->begin_ms >= LOG_LIMIT_WINDOW_MS)
        kind_begin(kind, now_ms);
    if (kind->written >= kind->most) {
        kind->has_overflowed = true;
        return false;
    }
    kind->written++;
    return true;
}

static void keep_fields(struct log_limit_entry *entry, const struct log_line *line)
{
    size_t used = 0;
    entry->field_count = 0;
    for (size_t i = 0; i < line->field_count && i < LOG_FIELDS_MAX - 1; i++) {
        const size_t name_size = strlen(line->fields[i].name) + 1;
        const size_t value_size = strlen(line->fields[i].value) + 1;
        if (name_size + value_size > sizeof(entry->fields) - used)
            continue;
        memcpy(entry->fields + used, line->fields[i].name, name_size);
        memcpy(entry->fields + used + name_size, line->fields[i].value, value_size);
        used += name_size + value_size;
        entry->field_count++;
    }
}

/* Count a line, and keep it in place of the one before. Returns false, as a verdict. */
static bool hold(struct log_limit *limit, struct log_limit_entry *entry,
                 const struct log_line *line, int64_t now_ms)
{
    if (entry->held == 0)
        limit->holding++;
    if (entry->held == 0 || line->level < entry->level)
        entry->level = line->level;
    entry->held++;
    entry->last_ms = now_ms;
    (void)snprintf(entry->text, sizeof(entry->text), "%s", line->text);
    keep_fields(entry, line);
    return false;
}

/* Count a line among all further ones of its kind. */
static bool hold_with_kind(struct log_limit *limit, const struct log_line *line, int64_t now_ms)
{
    struct log_limit_entry *entry = &limit->entries[LOG_LIMIT_ENTRIES + line->kind];
    if (!entry->is_used)
        *entry = (struct log_limit_entry){.is_used = true, .begin_ms = now_ms, .kind = line->kind};
    return hold(limit, entry, line, now_ms);
}

bool log_limit_admit(struct log_limit *limit, const struct log_line *line, int64_t now_ms)
{
    struct log_limit_entry *entry = find(limit, line, now_ms);
    if (entry && (entry->is_steady || entry->written >= line->burst))
        return hold(limit, entry, line, now_ms);
    if (!kind_takes(&limit->kinds[line->kind], now_ms))
        return entry ? hold(limit, entry, line, now_ms) : hold_with_kind(limit, line, now_ms);
    if (!entry) {
        entry = make_room(limit);
        if (!entry)
            return true;
        *entry = (struct log_limit_entry){
            .is_used = true, .begin_ms = now_ms, .kind = line->kind, .key = line->key};
    }
    entry->written++;
    return true;
}

static bool is_due(const struct log_limit_entry *entry, int64_t now_ms)
{
    return entry->is_used && entry->held > 0 && (now_ms == INT64_MAX || is_over(entry, now_ms));
}

static void summarize(const struct log_limit_entry *entry, int64_t now_ms,
                      struct log_limit_summary *ret_summary)
{
    ret_summary->level = entry->level;
    ret_summary->count = entry->held;
    ret_summary->over_ms = (now_ms == INT64_MAX ? entry->last_ms : now_ms) - entry->begin_ms;
    memcpy(ret_summary->text, entry->text, sizeof(entry->text));
    memcpy(ret_summary->values, entry->fields, sizeof(entry->fields));
    const char *next = ret_summary->values;
    for (size_t i = 0; i < entry->field_count; i++) {
        const char *value = next + strlen(next) + 1;
        ret_summary->fields[i] = (struct log_field){next, value};
        next = value + strlen(value) + 1;
    }
    ret_summary->field_count = entry->field_count;
}

bool log_limit_next(struct log_limit *limit, int64_t now_ms, struct log_limit_summary *ret_summary)
{
    struct log_limit_entry *next = NULL;
    for (size_t i = 0; limit->holding > 0 && i < ENTRY_COUNT; i++) {
        struct log_limit_entry *entry = &limit->entries[i];
        if (is_due(entry, now_ms) && (!next || entry->last_ms < next->last_ms))
            next = entry;
    }
    if (!next)
        return false;
    summarize(next, now_ms, ret_summary);
    next->held = 0;
    limit->holding--;
    next->is_steady = true;
    next->begin_ms = now_ms == INT64_MAX ? next->last_ms : now_ms;
    if (next >= limit->entries + LOG_LIMIT_ENTRIES)
        next->is_used = false;
    return true;
}

uint64_t log_limit_forget(struct log_limit *limit, unsigned kind)
{
    uint64_t held = 0;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        struct log_limit_entry *entry = &limit->entries[i];
        if (!entry->is_used || entry->kind != kind)
            continue;
        limit->holding -= entry->held > 0;
        held += entry->held;
        *entry = (struct log_limit_entry){0};
    }
    return held;
}

int64_t log_limit_deadline(const struct log_limit *limit)
{
    int64_t deadline_ms = INT64_MAX;
    for (size_t i = 0; limit->holding > 0 && i < ENTRY_COUNT; i++) {
        const struct log_limit_entry *entry = &limit->entries[i];
        if (entry->is_used && entry->held > 0 &&
            entry->begin_ms + LOG_LIMIT_WINDOW_MS < deadline_ms)
            deadline_ms = entry->begin_ms + LOG_LIMIT_WINDOW_MS;
    }
    return deadline_ms;
}
