#include "daemon/storage/state_store_private.h"

#include <string.h>

int state_run(sqlite3_stmt *statement)
{
    const int rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int64_t state_origin_of(const struct state_eras *eras, const char *thing)
{
    return thing[0] == '\0' ? eras->own_origin : eras->endpoint_origin;
}

/* --- writing --- */

/* The first failure of a row's bindings; parameters are numbered from 1. */
struct binding {
    sqlite3_stmt *statement;
    int rc;
};

static void bind_int(struct binding *binding, int column, int64_t number)
{
    if (binding->rc == SQLITE_OK)
        binding->rc = sqlite3_bind_int64(binding->statement, column + 1, number);
}

/* NULL becomes NULL. What is bound outlives the step. */
static void bind_bytes(struct binding *binding, int column, const char *bytes, size_t size)
{
    if (binding->rc == SQLITE_OK)
        binding->rc = sqlite3_bind_text64(binding->statement, column + 1, bytes, size,
                                          SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_string(struct binding *binding, int column, const char *string)
{
    bind_bytes(binding, column, string, string ? strlen(string) : 0);
}

static void bind_value(struct binding *binding, int type_column, const struct flux_value *value)
{
    const int column = type_column + 1;
    bind_int(binding, type_column, value->type);
    switch (value->type) {
    case FLUX_VALUE_NONE:
    case FLUX_VALUE_EMPTY_OBJECT:
        bind_bytes(binding, column, NULL, 0);
        break;
    case FLUX_VALUE_BOOL:
        bind_int(binding, column, value->boolean);
        break;
    case FLUX_VALUE_INT64:
        bind_int(binding, column, value->int64);
        break;
    case FLUX_VALUE_DOUBLE:
        if (binding->rc == SQLITE_OK)
            binding->rc = sqlite3_bind_double(binding->statement, column + 1, value->real);
        break;
    case FLUX_VALUE_STRING:
    case FLUX_VALUE_ARRAY:
        bind_bytes(binding, column, value->size > 0 ? value->text : "", value->size);
        break;
    }
}

static void bind_shadow(struct binding *binding, const struct saved_shadow *shadow,
                        const struct state_eras *eras)
{
    bind_int(binding, SHADOW_VERSION, shadow->version);
    bind_int(binding, SHADOW_HELD, shadow->held);
    bind_int(binding, SHADOW_FOLLOWED_MS, shadow->followed_ms);
    bind_int(binding, SHADOW_NEWEST_REVISION, (int64_t)shadow->newest_revision);
    bind_int(binding, SHADOW_RESET_REVISION, (int64_t)shadow->reset_revision);
    bind_int(binding, SHADOW_LAST_ACCEPTED_VERSION, shadow->last_accepted_version);
    bind_int(binding, SHADOW_BOOT, shadow->followed_ms != 0 ? eras->boot : 0);
}

static void bind_refusal(struct binding *binding, const struct saved_property *property)
{
    bind_int(binding, PROPERTY_REFUSED_CODE, property->refused_code);
    bind_string(binding, PROPERTY_REFUSED_TEXT, property->refused_text);
    bind_int(binding, PROPERTY_REFUSED_LACKING, (int64_t)property->refused_lacking);
    bind_int(binding, PROPERTY_REFUSED_TOTAL, (int64_t)property->refused_total);
}

static void bind_property(struct binding *binding, const struct saved_property *property,
                          const struct state_eras *eras)
{
    const bool has_times =
        property->set_us != 0 || property->cleared_us != 0 || property->replaced_us != 0;
    bind_int(binding, PROPERTY_STATE, property->state);
    bind_value(binding, PROPERTY_TYPE, &property->value);
    bind_int(binding, PROPERTY_CUT, property->cut);
    bind_int(binding, PROPERTY_CUT_REPLACED, property->cut_replaced);
    bind_int(binding, PROPERTY_CUT_SCALAR_ONLY, property->cut_scalar_only);
    bind_int(binding, PROPERTY_REVISION, (int64_t)property->revision);
    bind_int(binding, PROPERTY_CUT_REVISION, (int64_t)property->cut_revision);
    bind_int(binding, PROPERTY_SET_US, property->set_us);
    bind_int(binding, PROPERTY_CLEARED_US, property->cleared_us);
    bind_int(binding, PROPERTY_REPLACED_US, property->replaced_us);
    bind_int(binding, PROPERTY_ACCEPTED_VERSION, property->accepted_version);
    bind_refusal(binding, property);
    bind_string(binding, PROPERTY_WRITER_NAME, property->writer_name);
    bind_string(binding, PROPERTY_WRITER_UNIT, property->writer_unit);
    bind_int(binding, PROPERTY_WRITER_UID, property->writer_uid);
    bind_value(binding, PROPERTY_CLOUD_TYPE, &property->cloud);
    bind_value(binding, PROPERTY_FORM_TYPE, &property->form);
    bind_bytes(binding, PROPERTY_CUT_CAUSE, property->cut_cause, property->cut_cause_size);
    bind_int(binding, PROPERTY_BOOT, has_times ? eras->boot : 0);
}

static void bind_desired(struct binding *binding, const struct saved_desired *desired,
                         const struct state_eras *eras)
{
    bind_int(binding, DESIRED_CHANGED_MS, desired->changed_ms);
    bind_int(binding, DESIRED_BOOT, desired->changed_ms != 0 ? eras->boot : 0);
    bind_int(binding, DESIRED_VERSION, desired->version);
    bind_bytes(binding, DESIRED_DOCUMENT, desired->document, desired->document_size);
}

static void bind_settle(struct binding *binding, const struct saved_settle *settle)
{
    bind_int(binding, SETTLE_REVISION, (int64_t)settle->revision);
    bind_int(binding, SETTLE_REPORT_FIRST, (int64_t)settle->report_first);
    bind_int(binding, SETTLE_REPORT_LAST, (int64_t)settle->report_last);
    bind_bytes(binding, SETTLE_WISHES, settle->wishes, settle->wishes_size);
}

/* The names come first in every table, and are the whole key of what belongs to a shadow once. */
static struct binding bind_key(sqlite3_stmt *statement, const struct saved_row *row, bool has_path)
{
    struct binding binding = {.statement = statement, .rc = SQLITE_OK};
    bind_string(&binding, PROPERTY_THING, row->thing);
    bind_string(&binding, PROPERTY_SHADOW, row->shadow);
    if (has_path)
        bind_bytes(&binding, PROPERTY_PATH, row->path_size > 0 ? row->path : "", row->path_size);
    return binding;
}

static int finish(struct binding *binding)
{
    const int rc = binding->rc == SQLITE_OK ? state_run(binding->statement) : binding->rc;
    (void)sqlite3_clear_bindings(binding->statement);
    return rc;
}

bool state_has_path(enum saved_kind kind)
{
    return kind == SAVED_PROPERTY || kind == SAVED_SETTLE;
}

static int remove_row(struct state_store *state, const struct saved_row *row)
{
    struct binding binding;
    if (row->kind != SAVED_SHADOW) {
        binding = bind_key(state->remove[row->kind], row, state_has_path(row->kind));
        return finish(&binding);
    }
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < STATE_KINDS && rc == SQLITE_OK; i++) {
        binding = bind_key(state->remove_all[i], row, false);
        rc = finish(&binding);
    }
    return rc;
}

static int run_property(struct state_store *state, sqlite3_stmt *statement,
                        const struct saved_row *row)
{
    struct binding binding = bind_key(statement, row, true);
    bind_property(&binding, &row->of_property, &state->eras);
    bind_int(&binding, PROPERTY_ORIGIN, state_origin_of(&state->eras, row->thing));
    return finish(&binding);
}

static int write_property(struct state_store *state, const struct saved_row *row)
{
    const int rc = run_property(state, state->update_property, row);
    if (rc != SQLITE_OK || sqlite3_changes(state->db) > 0)
        return rc;
    return run_property(state, state->upsert[SAVED_PROPERTY], row);
}

int state_row_write(struct state_store *state, const struct saved_row *row)
{
    if (row->is_gone)
        return remove_row(state, row);
    if (row->kind == SAVED_PROPERTY)
        return write_property(state, row);
    const int64_t origin = state_origin_of(&state->eras, row->thing);
    struct binding binding = bind_key(state->upsert[row->kind], row, state_has_path(row->kind));
    switch (row->kind) {
    case SAVED_SHADOW:
        bind_shadow(&binding, &row->of_shadow, &state->eras);
        bind_int(&binding, SHADOW_ORIGIN, origin);
        break;
    case SAVED_PROPERTY:
        break;
    case SAVED_DESIRED:
        bind_desired(&binding, &row->of_desired, &state->eras);
        bind_int(&binding, DESIRED_ORIGIN, origin);
        break;
    case SAVED_SETTLE:
        bind_settle(&binding, &row->of_settle);
        bind_int(&binding, SETTLE_ORIGIN, origin);
        break;
    }
    return finish(&binding);
}
