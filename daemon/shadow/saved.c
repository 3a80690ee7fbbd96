#include "daemon/shadow/saved.h"

#include "proto/siphash.h"
#include <string.h>

static bool are_bytes_equal(const char *a, size_t a_size, const char *b, size_t b_size)
{
    return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

/* Either may be NULL. */
static bool is_text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* On a disk 1 and 1.0 are not the same. */
static bool is_value_equal(const struct flux_value *a, const struct flux_value *b)
{
    return a->type == b->type && flux_value_equal(a, b);
}

bool saved_row_is_same(const struct saved_row *a, const struct saved_row *b)
{
    return a->kind == b->kind && strcmp(a->thing, b->thing) == 0 &&
           strcmp(a->shadow, b->shadow) == 0 &&
           are_bytes_equal(a->path, a->path_size, b->path, b->path_size);
}

static bool is_shadow_equal(const struct saved_shadow *a, const struct saved_shadow *b)
{
    return a->version == b->version && a->held == b->held &&
           a->reset_revision == b->reset_revision &&
           a->last_accepted_version == b->last_accepted_version;
}

static bool is_operation_equal(const struct saved_property *a, const struct saved_property *b)
{
    return a->state == b->state && is_value_equal(&a->value, &b->value) && a->cut == b->cut &&
           a->cut_replaced == b->cut_replaced && a->cut_scalar_only == b->cut_scalar_only &&
           are_bytes_equal(a->cut_cause, a->cut_cause_size, b->cut_cause, b->cut_cause_size) &&
           a->revision == b->revision && a->cut_revision == b->cut_revision &&
           a->set_us == b->set_us && a->cleared_us == b->cleared_us &&
           a->replaced_us == b->replaced_us;
}

static bool is_end_equal(const struct saved_property *a, const struct saved_property *b)
{
    return a->accepted_version == b->accepted_version && a->refused_code == b->refused_code &&
           is_text_equal(a->refused_text, b->refused_text) &&
           a->refused_lacking == b->refused_lacking && a->refused_total == b->refused_total;
}

static bool is_property_equal(const struct saved_property *a, const struct saved_property *b)
{
    return is_operation_equal(a, b) && is_end_equal(a, b) &&
           is_text_equal(a->writer_name, b->writer_name) && a->writer_uid == b->writer_uid &&
           is_value_equal(&a->cloud, &b->cloud) && is_value_equal(&a->form, &b->form);
}

bool saved_row_is_equal(const struct saved_row *a, const struct saved_row *b)
{
    if (!saved_row_is_same(a, b) || a->is_gone != b->is_gone)
        return false;
    if (a->is_gone)
        return true;
    switch (a->kind) {
    case SAVED_SHADOW:
        return is_shadow_equal(&a->of_shadow, &b->of_shadow);
    case SAVED_PROPERTY:
        return is_property_equal(&a->of_property, &b->of_property);
    case SAVED_DESIRED:
        return a->of_desired.version == b->of_desired.version &&
               a->of_desired.changed_ms == b->of_desired.changed_ms &&
               are_bytes_equal(a->of_desired.document, a->of_desired.document_size,
                               b->of_desired.document, b->of_desired.document_size);
    case SAVED_SETTLE:
        return a->of_settle.revision == b->of_settle.revision &&
               a->of_settle.report_first == b->of_settle.report_first &&
               a->of_settle.report_last == b->of_settle.report_last &&
               are_bytes_equal(a->of_settle.wishes, a->of_settle.wishes_size, b->of_settle.wishes,
                               b->of_settle.wishes_size);
    }
    return false;
}

/* --- hashing --- */

#define WORDS_MAX 32u

struct words {
    uint64_t seed;
    size_t count;
    uint64_t words[WORDS_MAX];
};

static void add(struct words *words, uint64_t word)
{
    words->words[words->count++] = word;
}

static void add_bytes(struct words *words, const char *text, size_t size)
{
    add(words, text ? size : UINT64_MAX);
    add(words, text && size > 0 ? flux_siphash(text, size, words->seed) : 0);
}

static void add_text(struct words *words, const char *text)
{
    add_bytes(words, text, text ? strlen(text) : 0);
}

static void add_value(struct words *words, const struct flux_value *value)
{
    uint64_t bits = 0;
    switch (value->type) {
    case FLUX_VALUE_NONE:
    case FLUX_VALUE_EMPTY_OBJECT:
        break;
    case FLUX_VALUE_BOOL:
        bits = value->boolean;
        break;
    case FLUX_VALUE_INT64:
        bits = (uint64_t)value->int64;
        break;
    case FLUX_VALUE_DOUBLE:
        memcpy(&bits, &value->real, sizeof(bits));
        break;
    case FLUX_VALUE_STRING:
    case FLUX_VALUE_ARRAY:
        bits = flux_siphash(value->text, value->size, words->seed);
        break;
    }
    add(words, (uint64_t)value->type);
    add(words, bits);
}

static void add_shadow(struct words *words, const struct saved_shadow *shadow)
{
    add(words, (uint64_t)shadow->version);
    add(words, shadow->held);
    add(words, shadow->reset_revision);
    add(words, (uint64_t)shadow->last_accepted_version);
}

static void add_property(struct words *words, const struct saved_property *property)
{
    add(words, (uint64_t)property->state | (uint64_t)property->cut << 8 |
                   (uint64_t)property->cut_replaced << 9 |
                   (uint64_t)property->cut_scalar_only << 10);
    add_bytes(words, property->cut_cause, property->cut_cause_size);
    add(words, property->revision);
    add(words, property->cut_revision);
    add(words, (uint64_t)property->set_us);
    add(words, (uint64_t)property->cleared_us);
    add(words, (uint64_t)property->replaced_us);
    add(words, (uint64_t)property->accepted_version);
    add(words, (uint64_t)(uint32_t)property->refused_code << 32 | property->writer_uid);
    add_text(words, property->refused_text);
    add(words, property->refused_lacking);
    add(words, property->refused_total);
    add_text(words, property->writer_name);
    add_value(words, &property->value);
    add_value(words, &property->cloud);
    add_value(words, &property->form);
}

static void add_row(struct words *words, const struct saved_row *row)
{
    switch (row->kind) {
    case SAVED_SHADOW:
        add_shadow(words, &row->of_shadow);
        return;
    case SAVED_PROPERTY:
        add_property(words, &row->of_property);
        return;
    case SAVED_DESIRED:
        add(words, (uint64_t)row->of_desired.version);
        add(words, (uint64_t)row->of_desired.changed_ms);
        add_bytes(words, row->of_desired.document, row->of_desired.document_size);
        return;
    case SAVED_SETTLE:
        add(words, row->of_settle.revision);
        add(words, row->of_settle.report_first);
        add(words, row->of_settle.report_last);
        add_bytes(words, row->of_settle.wishes, row->of_settle.wishes_size);
        return;
    }
}

uint64_t saved_row_hash(const struct saved_row *row, uint64_t seed)
{
    struct words words = {.seed = seed};
    add(&words, (uint64_t)row->kind | (uint64_t)row->is_gone << 8);
    if (!row->is_gone)
        add_row(&words, row);
    return flux_siphash(words.words, words.count * sizeof(words.words[0]), seed);
}
