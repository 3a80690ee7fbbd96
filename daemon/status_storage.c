#include "daemon/status_json.h"

static const char *state_name(const struct daemon_storage *storage)
{
    if (storage->is_volatile)
        return "volatile";
    return storage->trouble == COMMIT_GOOD ? "good" : "trouble";
}

static const char *note(const struct daemon_storage *storage)
{
    if (storage->is_volatile)
        return "nothing is kept on disk (Mode=volatile)";
    if (!store_is_durable(storage->store))
        return "the directory lies in memory: nothing counts as STORED";
    return "";
}

static json_t *trouble_document(json_t *object, const struct daemon_storage *storage,
                                int64_t now_ms)
{
    const bool is_sick = storage->trouble != COMMIT_GOOD;
    object =
        status_put(object, "error", is_sick ? status_text(storage->trouble_text) : json_null());
    return status_put(object, "for_ms",
                      storage->since_ms > 0 ? json_integer(now_ms - storage->since_ms)
                                            : json_null());
}

json_t *status_storage(const struct status_source *source, int64_t now_ms)
{
    const struct daemon_storage *storage = source->storage;
    struct store_status status;
    store_get_status(storage->store, &status);
    struct thing_status thing;
    thing_get_status(source->thing, &thing);
    json_t *object = json_object();
    object = status_put(object, "mode", json_string(store_mode_name(storage->store)));
    object = status_put(object, "state", json_string(state_name(storage)));
    object = trouble_document(object, storage, now_ms);
    object = status_put(object, "note", status_text(note(storage)));
    object = status_put(object, "directory", status_text(storage->directory));
    object = status_put(object, "bytes_written_day", status_count(status.bytes_day));
    object = status_put(object, "bytes_written", status_count(status.bytes_written));
    object = status_put(object, "commits", status_count(status.commits));
    object = status_put(object, "failures", status_count(status.failures));
    object = status_put(object, "rows_written", status_count(status.rows));
    object =
        status_put(object, "last_commit_ago_ms",
                   status_since(status.last_commit_ms > 0 ? status.last_commit_ms : -1, now_ms));
    object = status_put(object, "last_commit_us", status_count((uint64_t)status.last_commit_us));
    object = status_put(object, "file_bytes", status_count(status.file_bytes));
    object = status_put(object, "max_bytes", status_count(status.max_bytes));
    object = status_put(object, "orphaned", status_count(status.orphans));
    object = status_put(object, "updates_uncommitted", status_count(thing.updates_uncommitted));
    return status_put(object, "set_aside", status_text(status.set_aside));
}
