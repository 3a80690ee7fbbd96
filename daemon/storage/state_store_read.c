#include "daemon/storage/state_store_private.h"

#include "proto/limits.h"
#include "proto/utf8.h"
#include <string.h>

/* Longer ones were never written. */
#define REFUSED_TEXT_MAX 1024u
#define UNIT_NAME_MAX    256u

/* How much memory rows may take for each byte of MaxBytes: the smallest row takes no more, with a
 * record of its own. Beyond that it is not what a daemon has written. */
#define BYTES_A_BYTE 8u

/* What is in a row. */
enum row_worth {
    ROW_GOOD,
    ROW_OVER, /* it says nothing any more: of another cloud, or forgotten */
    ROW_BAD,
};

/* --- reading: types, sizes and encodings are not taken for granted; what a row means is checked by
 * who takes it (saved_row_is_sound) --- */

static const char *read_bytes(sqlite3_stmt *statement, int column, size_t max, size_t *ret_size)
{
    *ret_size = 0;
    if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
        return NULL;
    const char *bytes = (const char *)sqlite3_column_text(statement, column);
    const int size = sqlite3_column_bytes(statement, column);
    if (!bytes || size < 0 || (size_t)size > max || !flux_utf8_is_valid(bytes, (size_t)size))
        return NULL;
    *ret_size = (size_t)size;
    return bytes;
}

static const char *read_string(sqlite3_stmt *statement, int column, size_t max)
{
    size_t size;
    const char *string = read_bytes(statement, column, max, &size);
    return string && strlen(string) == size ? string : NULL;
}

static uint64_t read_revision(sqlite3_stmt *statement, int column, bool *is_good)
{
    const int64_t number = sqlite3_column_int64(statement, column);
    if (number < 0 || (uint64_t)number >= SAVED_REVISION_MAX)
        *is_good = false;
    return (uint64_t)number;
}

/* A time of another boot, or one that has not come yet, is no time. */
static int64_t read_time(sqlite3_stmt *statement, int column, bool is_this_boot, int64_t now)
{
    const int64_t time = sqlite3_column_int64(statement, column);
    return is_this_boot && time > 0 && time <= now ? time : 0;
}

static size_t read_size(sqlite3_stmt *statement, int column)
{
    const int64_t number = sqlite3_column_int64(statement, column);
    return number > 0 && number <= INT32_MAX ? (size_t)number : 0;
}

static struct flux_value read_value(sqlite3_stmt *statement, int type_column, bool *is_good)
{
    const int column = type_column + 1;
    const int64_t type = sqlite3_column_int64(statement, type_column);
    struct flux_value value = {.type = FLUX_VALUE_NONE};
    if (sqlite3_column_type(statement, type_column) != SQLITE_INTEGER)
        *is_good = false;
    if (type == FLUX_VALUE_NONE)
        return value;
    int wanted = SQLITE_TEXT;
    if (type == FLUX_VALUE_BOOL || type == FLUX_VALUE_INT64)
        wanted = SQLITE_INTEGER;
    else if (type == FLUX_VALUE_DOUBLE)
        wanted = SQLITE_FLOAT;
    else if (type == FLUX_VALUE_EMPTY_OBJECT)
        wanted = SQLITE_NULL;
    if (type < 0 || type > FLUX_VALUE_EMPTY_OBJECT ||
        sqlite3_column_type(statement, column) != wanted) {
        *is_good = false;
        return value;
    }
    value.type = (enum flux_value_type)type;
    size_t size;
    if (value.type == FLUX_VALUE_BOOL)
        value.boolean = sqlite3_column_int64(statement, column) != 0;
    else if (value.type == FLUX_VALUE_INT64)
        value.int64 = sqlite3_column_int64(statement, column);
    else if (value.type == FLUX_VALUE_DOUBLE)
        value.real = sqlite3_column_double(statement, column);
    else if (wanted == SQLITE_TEXT) {
        value.text = read_bytes(statement, column, FLUX_VALUE_BYTES_MAX, &size);
        value.size = (uint32_t)size;
        if (!value.text)
            value = (struct flux_value){.type = FLUX_VALUE_NONE};
    }
    if (value.type == FLUX_VALUE_NONE)
        *is_good = false;
    return value;
}

/* What another cloud accepted or refused is open again. */
static void forget_cloud(struct saved_property *property)
{
    property->cloud = property->form = (struct flux_value){.type = FLUX_VALUE_NONE};
    property->accepted_version = 0;
    property->refused_code = 0;
    property->refused_text = NULL;
    property->refused_lacking = property->refused_total = 0;
    if (property->state == SAVED_ACCEPTED || property->state == SAVED_REFUSED)
        property->state = property->value.type == FLUX_VALUE_NONE && !property->cut ? SAVED_NOTHING
                                                                                    : SAVED_PENDING;
}

static bool says_nothing(const struct saved_property *property)
{
    return property->state == SAVED_NOTHING && property->value.type == FLUX_VALUE_NONE &&
           !property->cut && property->cloud.type == FLUX_VALUE_NONE && property->cleared_us == 0 &&
           property->replaced_us == 0 && property->set_us == 0;
}

static void read_refusal(sqlite3_stmt *statement, struct saved_property *property)
{
    property->refused_code = (int)read_size(statement, PROPERTY_REFUSED_CODE);
    property->refused_text = read_string(statement, PROPERTY_REFUSED_TEXT, REFUSED_TEXT_MAX);
    property->refused_lacking = read_size(statement, PROPERTY_REFUSED_LACKING);
    property->refused_total = read_size(statement, PROPERTY_REFUSED_TOTAL);
}

static void read_writer(sqlite3_stmt *statement, struct saved_property *property)
{
    property->writer_name = read_string(statement, PROPERTY_WRITER_NAME, FLUX_CLIENT_NAME_MAX);
    if (!property->writer_name)
        return;
    property->writer_unit = read_string(statement, PROPERTY_WRITER_UNIT, UNIT_NAME_MAX);
    if (!property->writer_unit)
        property->writer_unit = "";
    property->writer_uid = (uint32_t)sqlite3_column_int64(statement, PROPERTY_WRITER_UID);
}

/* What one reading looks at besides the row. */
struct reading {
    const struct state_eras *eras;
    int64_t now_us;
};

static enum row_worth read_property(sqlite3_stmt *statement, const struct reading *reading,
                                    struct saved_row *row)
{
    struct saved_property *property = &row->of_property;
    bool is_good = true;
    const bool is_boot = sqlite3_column_int64(statement, PROPERTY_BOOT) == reading->eras->boot;
    const int64_t origin = sqlite3_column_int64(statement, PROPERTY_ORIGIN);
    const int64_t state = sqlite3_column_int64(statement, PROPERTY_STATE);
    if (state < SAVED_NOTHING || state > SAVED_REFUSED)
        return ROW_BAD;
    property->state = (enum saved_state)state;
    property->value = read_value(statement, PROPERTY_TYPE, &is_good);
    property->cut = sqlite3_column_int64(statement, PROPERTY_CUT) != 0;
    property->cut_replaced = sqlite3_column_int64(statement, PROPERTY_CUT_REPLACED) != 0;
    property->cut_scalar_only = sqlite3_column_int64(statement, PROPERTY_CUT_SCALAR_ONLY) != 0;
    property->revision = read_revision(statement, PROPERTY_REVISION, &is_good);
    property->cut_revision = read_revision(statement, PROPERTY_CUT_REVISION, &is_good);
    property->set_us = read_time(statement, PROPERTY_SET_US, is_boot, reading->now_us);
    property->cleared_us = read_time(statement, PROPERTY_CLEARED_US, is_boot, reading->now_us);
    property->replaced_us = read_time(statement, PROPERTY_REPLACED_US, is_boot, reading->now_us);
    property->accepted_version = sqlite3_column_int64(statement, PROPERTY_ACCEPTED_VERSION);
    read_refusal(statement, property);
    read_writer(statement, property);
    property->cloud = read_value(statement, PROPERTY_CLOUD_TYPE, &is_good);
    property->form = read_value(statement, PROPERTY_FORM_TYPE, &is_good);
    property->cut_cause =
        read_bytes(statement, PROPERTY_CUT_CAUSE, FLUX_PATH_BYTES_MAX, &property->cut_cause_size);
    if (origin != state_origin_of(reading->eras, row->thing))
        forget_cloud(property);
    if (!is_good)
        return ROW_BAD;
    return says_nothing(property) ? ROW_OVER : ROW_GOOD;
}

static enum row_worth read_shadow(sqlite3_stmt *statement, const struct reading *reading,
                                  struct saved_row *row)
{
    struct saved_shadow *shadow = &row->of_shadow;
    bool is_good = true;
    const bool is_boot = sqlite3_column_int64(statement, SHADOW_BOOT) == reading->eras->boot;
    shadow->version = sqlite3_column_int64(statement, SHADOW_VERSION);
    shadow->held = sqlite3_column_int64(statement, SHADOW_HELD) != 0;
    shadow->followed_ms = read_time(statement, SHADOW_FOLLOWED_MS, is_boot, reading->now_us / 1000);
    shadow->newest_revision = read_revision(statement, SHADOW_NEWEST_REVISION, &is_good);
    shadow->reset_revision = read_revision(statement, SHADOW_RESET_REVISION, &is_good);
    shadow->last_accepted_version = sqlite3_column_int64(statement, SHADOW_LAST_ACCEPTED_VERSION);
    if (sqlite3_column_int64(statement, SHADOW_ORIGIN) !=
        state_origin_of(reading->eras, row->thing)) {
        shadow->version = shadow->last_accepted_version = -1;
        shadow->held = false;
        shadow->followed_ms = 0;
    }
    return is_good ? ROW_GOOD : ROW_BAD;
}

/* SQLite itself bounds the length of a text. */
static enum row_worth read_desired(sqlite3_stmt *statement, const struct reading *reading,
                                   struct saved_row *row)
{
    struct saved_desired *desired = &row->of_desired;
    const bool is_boot = sqlite3_column_int64(statement, DESIRED_BOOT) == reading->eras->boot;
    desired->version = sqlite3_column_int64(statement, DESIRED_VERSION);
    desired->changed_ms = read_time(statement, DESIRED_CHANGED_MS, is_boot, reading->now_us / 1000);
    desired->document = read_bytes(statement, DESIRED_DOCUMENT, SIZE_MAX, &desired->document_size);
    if (!desired->document)
        return ROW_BAD;
    return sqlite3_column_int64(statement, DESIRED_ORIGIN) ==
                   state_origin_of(reading->eras, row->thing)
               ? ROW_GOOD
               : ROW_OVER;
}

static enum row_worth read_settle(sqlite3_stmt *statement, const struct reading *reading,
                                  struct saved_row *row)
{
    struct saved_settle *settle = &row->of_settle;
    bool is_good = true;
    settle->revision = read_revision(statement, SETTLE_REVISION, &is_good);
    settle->report_first = read_revision(statement, SETTLE_REPORT_FIRST, &is_good);
    settle->report_last = read_revision(statement, SETTLE_REPORT_LAST, &is_good);
    settle->wishes = read_bytes(statement, SETTLE_WISHES, SIZE_MAX, &settle->wishes_size);
    if (!is_good || !settle->wishes)
        return ROW_BAD;
    return sqlite3_column_int64(statement, SETTLE_ORIGIN) ==
                   state_origin_of(reading->eras, row->thing)
               ? ROW_GOOD
               : ROW_OVER;
}

static enum row_worth read_row(sqlite3_stmt *statement, const struct reading *reading,
                               struct saved_row *row)
{
    row->thing = read_string(statement, PROPERTY_THING, FLUX_THING_NAME_MAX);
    row->shadow = read_string(statement, PROPERTY_SHADOW, FLUX_SHADOW_NAME_MAX);
    row->path = "";
    if (state_has_path(row->kind))
        row->path = read_bytes(statement, PROPERTY_PATH, FLUX_PATH_BYTES_MAX, &row->path_size);
    if (!row->thing || !row->shadow || !row->path)
        return ROW_BAD;
    switch (row->kind) {
    case SAVED_SHADOW:
        return read_shadow(statement, reading, row);
    case SAVED_PROPERTY:
        return read_property(statement, reading, row);
    case SAVED_DESIRED:
        return read_desired(statement, reading, row);
    case SAVED_SETTLE:
        return read_settle(statement, reading, row);
    }
    return ROW_BAD;
}

static int read_kind(struct state_store *state, enum saved_kind kind, struct batch *rows,
                     const struct reading *reading)
{
    sqlite3_stmt *statement = NULL;
    int rc = state_schema_prepare_select(state, kind, &statement);
    while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct saved_row row = {.kind = kind};
        const enum row_worth worth = read_row(statement, reading, &row);
        const bool has_room = rows->bytes / BYTES_A_BYTE < state->max_bytes;
        rc = SQLITE_OK;
        rows->left_out += worth == ROW_BAD || (worth == ROW_GOOD && !has_room);
        if (worth == ROW_GOOD && has_room && batch_add(rows, &row) < 0)
            rc = SQLITE_NOMEM;
    }
    const int end = sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? end : rc;
}

int state_rows_read(struct state_store *state, struct batch *rows, int64_t now_us)
{
    const struct reading reading = {.eras = &state->eras, .now_us = now_us};
    int rc = SQLITE_OK;
    for (unsigned kind = 0; kind < STATE_KINDS && rc == SQLITE_OK; kind++)
        rc = read_kind(state, (enum saved_kind)kind, rows, &reading);
    return rc;
}
