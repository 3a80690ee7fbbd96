/* Whether a row makes sense by itself: the disk is not trusted. */
#include "daemon/shadow/cloud_message.h"
#include "daemon/shadow/saved.h"
#include "proto/path.h"
#include "proto/utf8.h"
#include <string.h>

/* As in the messages of the cloud: exact as a real, too. */
#define VERSION_MAX (INT64_C(1) << 53)

static bool is_version(int64_t version, int64_t least)
{
    return version >= least && version <= VERSION_MAX;
}

static bool is_revision(uint64_t revision)
{
    return revision > 0 && revision < SAVED_REVISION_MAX;
}

static bool is_text(const char *text, size_t size)
{
    return text && flux_utf8_is_valid(text, size) && !memchr(text, '\0', size);
}

/* The cloud may use keys that a program may not: empty ones, control characters. */
static bool is_path_of_cloud(const char *path, size_t size)
{
    if (size == 0)
        return true;
    if (size > FLUX_PATH_BYTES_MAX || !is_text(path, size) || path[0] != '/')
        return false;
    size_t depth = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_escape = path[i] == '~';
        if (is_escape && (i + 1 == size || (path[i + 1] != '0' && path[i + 1] != '1')))
            return false;
        depth += path[i] == '/';
    }
    return depth <= CLOUD_DEPTH_MAX;
}

static bool is_path_of_ours(const char *path, size_t size)
{
    return size == 0 || (path && flux_path_check(path, size, NULL) == FLUX_PATH_OK);
}

/* NONE included. */
static bool is_value(const struct flux_value *value)
{
    switch (value->type) {
    case FLUX_VALUE_NONE:
        return true;
    case FLUX_VALUE_STRING:
    case FLUX_VALUE_ARRAY:
        return value->text && flux_value_check(value) == 0;
    case FLUX_VALUE_BOOL:
    case FLUX_VALUE_INT64:
    case FLUX_VALUE_DOUBLE:
    case FLUX_VALUE_EMPTY_OBJECT:
        return flux_value_check(value) == 0;
    }
    return false;
}

static bool is_scalar(const struct flux_value *value)
{
    return value->type != FLUX_VALUE_NONE && value->type != FLUX_VALUE_EMPTY_OBJECT;
}

static bool is_cut_sound(const struct saved_row *row)
{
    const struct saved_property *property = &row->of_property;
    bool is_plain = !property->cut_replaced && !property->cut_scalar_only && !property->cut_cause;
    if (!property->cut)
        return is_plain;
    bool has_cause = property->cut_cause != NULL;
    bool is_below = !has_cause || (is_path_of_ours(property->cut_cause, property->cut_cause_size) &&
                                   flux_path_is_below(property->cut_cause, property->cut_cause_size,
                                                      row->path, row->path_size));
    return is_revision(property->cut_revision) && !is_scalar(&property->value) && is_below;
}

/* A state and what belongs to it. */
static bool is_entry_sound(const struct saved_row *row)
{
    const struct saved_property *property = &row->of_property;
    bool has_value = property->value.type != FLUX_VALUE_NONE;
    bool is_ours = is_path_of_ours(row->path, row->path_size) && (!has_value || row->path_size > 0);
    bool has_revision = property->cut || is_revision(property->revision);
    switch (property->state) {
    case SAVED_NOTHING:
        return !has_value && !property->cut;
    case SAVED_PENDING:
        return is_ours && has_revision && (has_value || property->cut);
    case SAVED_ACCEPTED:
    case SAVED_REFUSED:
        return is_ours && has_revision && has_value && !property->cut;
    }
    return false;
}

static bool is_property_sound(const struct saved_row *row)
{
    const struct saved_property *property = &row->of_property;
    const char *text = property->refused_text;
    return is_path_of_cloud(row->path, row->path_size) && is_value(&property->value) &&
           is_value(&property->cloud) && is_value(&property->form) && is_entry_sound(row) &&
           is_cut_sound(row) && property->revision < SAVED_REVISION_MAX && property->set_us >= 0 &&
           property->cleared_us >= 0 && property->replaced_us >= 0 &&
           is_version(property->accepted_version, 0) && (!text || is_text(text, strlen(text)));
}

static bool is_shadow_sound(const struct saved_shadow *shadow)
{
    return is_version(shadow->version, -1) && is_version(shadow->last_accepted_version, -1) &&
           shadow->newest_revision < SAVED_REVISION_MAX &&
           shadow->reset_revision < SAVED_REVISION_MAX;
}

static bool is_settle_sound(const struct saved_row *row)
{
    const struct saved_settle *settle = &row->of_settle;
    return is_path_of_ours(row->path, row->path_size) && is_revision(settle->revision) &&
           is_revision(settle->report_first) && is_revision(settle->report_last) &&
           is_text(settle->wishes, settle->wishes_size);
}

bool saved_row_is_sound(const struct saved_row *row)
{
    if (!row->thing || !row->shadow || row->is_gone)
        return false;
    switch (row->kind) {
    case SAVED_SHADOW:
        return is_shadow_sound(&row->of_shadow);
    case SAVED_PROPERTY:
        return is_property_sound(row);
    case SAVED_DESIRED:
        return is_version(row->of_desired.version, -1) &&
               is_text(row->of_desired.document, row->of_desired.document_size);
    case SAVED_SETTLE:
        return is_settle_sound(row);
    }
    return false;
}
