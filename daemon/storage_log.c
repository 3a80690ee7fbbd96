#include "daemon/storage_log.h"

#include "daemon/base/log_limited.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include <stdio.h>
#include <string.h>

void storage_log_set_aside(const char *path)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STATE_LOST}, {"FILE", path}};
    log_event(LOG_ERR, fields, 2,
              "the state on disk could not be read and was set aside as %s; beginning with an "
              "empty one: what was there is lost, unless its program reports it again",
              path);
}

void storage_log_moved(const char *from)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STATE_MOVED}, {"THING", from}};
    log_event(LOG_WARNING, fields, 2,
              "the state on disk is that of the thing %s; this device's values follow to the "
              "thing of the configuration and are compared with its shadow anew",
              from);
}

static void say_left_out(size_t rows)
{
    char number[32];
    (void)snprintf(number, sizeof(number), "%zu", rows);
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_ROWS_LEFT_OUT}, {"ROWS", number}};
    log_event(LOG_WARNING, fields, 2,
              "%zu row%s of the state on disk made no sense, or there was no room for so many: %s "
              "left out",
              rows, rows == 1 ? "" : "s", rows == 1 ? "it is" : "they are");
}

void storage_log_restored(const struct storage_restored *restored, const char *directory)
{
    if (restored->is_begun && restored->rows == 0)
        log_info("no earlier state in %s: beginning with an empty one", directory);
    else if (restored->rows + restored->orphans + restored->bad > 0)
        log_info("restored %zu value%s from the disk", restored->properties,
                 restored->properties == 1 ? "" : "s");
    if (restored->bad > 0)
        say_left_out(restored->bad);
    if (restored->orphans == 0)
        return;
    char number[32];
    (void)snprintf(number, sizeof(number), "%zu", restored->orphans);
    const struct log_field fields[] = {
        {"MESSAGE_ID", MESSAGE_ORPHANED}, {"ROWS", number}, {"THING", restored->orphan_thing}};
    log_event(LOG_WARNING, fields, 3,
              "%zu row%s on the disk %s kept and not sent: for %s and perhaps others, which "
              "[Thing] Extra does not allow, or there is no room (MaxShadows)",
              restored->orphans, restored->orphans == 1 ? "" : "s",
              restored->orphans == 1 ? "is" : "are", restored->orphan_thing);
}

/* Trouble and its end are alike among themselves: where a disk changes its mind all the time, the
 * newest is told. */
static struct log_line trouble_line(int level, const struct log_field *fields, size_t field_count)
{
    return (struct log_line){.kind = LOG_KIND_STORAGE,
                             .burst = 8,
                             .level = level,
                             .fields = fields,
                             .field_count = field_count};
}

void storage_log_trouble(struct log_limit *limit, const char *directory, const char *text,
                         int64_t now_ms)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STORAGE_TROUBLE},
                                       {"DIRECTORY", directory}};
    const struct log_line line = trouble_line(LOG_ERR, fields, 2);
    log_limited(limit, &line, now_ms,
                "storage in trouble: %s; values are kept in memory and sent, and written when the "
                "disk is well again; until then nothing is STORED, and a crash may set values back",
                text);
}

void storage_log_recovery(struct log_limit *limit, const char *directory, int64_t lasted_ms,
                          int64_t now_ms)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STORAGE_WELL},
                                       {"DIRECTORY", directory}};
    const struct log_line line = trouble_line(LOG_NOTICE, fields, 2);
    log_limited(limit, &line, now_ms, "storage is well again after %lld s",
                (long long)((lasted_ms + 999) / 1000));
}

void storage_log_gone(const char *directory)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STATE_GONE},
                                       {"DIRECTORY", directory}};
    log_event(LOG_WARNING, fields, 2,
              "the database in %s was gone: all that is held is written to a new one", directory);
}

void storage_log_volatile(const char *directory, const char *path, int error)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STATE_SET_ASIDE}, {"FILE", path}};
    if (error == 0)
        log_event(LOG_WARNING, fields, 2,
                  "Mode=volatile: the state of an earlier durable run was set aside as %s, so that "
                  "no later one takes it for new",
                  path);
    else
        log_warning("Mode=volatile: the state of an earlier durable run in %s cannot be set aside "
                    "(%s); remove it before the next durable start",
                    directory, strerror(-error));
}
