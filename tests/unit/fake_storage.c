#include "tests/unit/fake_storage.h"

#include "daemon/base/log.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_storage fake;

int store_new(struct store **ret_store, const struct store_options *options)
{
    (void)options;
    *ret_store = (struct store *)&fake;
    return 0;
}

int null_store_new(struct store **ret_store, const char *set_aside)
{
    (void)set_aside;
    *ret_store = (struct store *)&fake;
    return 0;
}

struct store *store_free(struct store *store)
{
    (void)store;
    return NULL;
}

int store_set_aside(const char *directory, char *ret_path, size_t size)
{
    (void)directory;
    if (size > 4)
        memcpy(ret_path, "old", 4);
    return fake.set_aside_result;
}

bool store_needs_load(const struct store *store)
{
    (void)store;
    return fake.needs_load;
}

int store_load(struct store *store, int wait_ms)
{
    (void)store;
    (void)wait_ms;
    fake.loads++;
    if (fake.load_result != -EINPROGRESS) {
        fake.results[fake.result_count++] = (struct store_result){
            STORE_LOAD, fake.load_result, "no disk", false, "", "", fake.left_out};
        fake.needs_load = fake.load_result < 0;
    }
    return fake.load_result;
}

bool store_next_loaded(struct store *store, struct saved_row *ret_row)
{
    (void)store;
    if (fake.row_next == fake.row_count)
        return false;
    *ret_row = fake.rows[fake.row_next++];
    return true;
}

void store_keep(struct store *store)
{
    (void)store;
    fake.kept++;
}

bool store_is_busy(const struct store *store)
{
    (void)store;
    return fake.is_busy;
}

enum store_room store_find_room(struct store *store)
{
    (void)store;
    return fake.room;
}

int store_add(struct store *store, const struct saved_row *row)
{
    (void)store;
    (void)row;
    if (fake.add_result == 0)
        fake.batch++;
    return fake.add_result;
}

void store_drop(struct store *store)
{
    (void)store;
    fake.batch = 0;
}

int store_move(struct store *store, const char *endpoint)
{
    (void)store;
    (void)endpoint;
    return 0;
}

void store_commit(struct store *store)
{
    (void)store;
    fake.commits++;
    fake.is_busy = true;
}

bool store_next_result(struct store *store, struct store_result *ret_result)
{
    (void)store;
    if (fake.result_count == 0)
        return false;
    *ret_result = fake.results[0];
    memmove(fake.results, fake.results + 1, --fake.result_count * sizeof(*fake.results));
    return true;
}

bool store_is_durable(const struct store *store)
{
    (void)store;
    return !fake.is_in_memory;
}

void store_get_status(const struct store *store, struct store_status *ret_status)
{
    (void)store;
    *ret_status = (struct store_status){.text = "no disk"};
}

void thing_begin_save(struct thing *thing)
{
    (void)thing;
    assert_true(fake.saves < 2);
    fake.saves++;
    fake.handed_out = 0;
}

void thing_extend_save(struct thing *thing)
{
    (void)thing;
    assert_true(fake.saves > 0);
    fake.handed_out = 0;
    fake.extended++;
}

void thing_drop_save(struct thing *thing)
{
    (void)thing;
    assert_true(fake.saves > 0);
    fake.saves--;
    fake.not_stored++;
}

bool thing_next_unsaved(struct thing *thing, struct saved_row *ret_row)
{
    (void)thing;
    assert_true(fake.saves > 0);
    if (fake.handed_out == fake.unsaved_rows)
        return false;
    fake.handed_out++;
    *ret_row = (struct saved_row){.kind = SAVED_PROPERTY};
    return true;
}

bool thing_save_is_whole(const struct thing *thing)
{
    (void)thing;
    return !fake.is_torn;
}

void thing_end_save(struct thing *thing, bool is_stored)
{
    (void)thing;
    if (is_stored) {
        assert_true(fake.saves > 0);
        fake.saves--;
        fake.stored++;
        return;
    }
    fake.not_stored += (int)fake.saves;
    fake.saves = 0;
}

void thing_save_all(struct thing *thing)
{
    (void)thing;
    assert_int_equal(fake.saves, 0);
    fake.saves_all = true;
}

bool thing_has_unsaved(const struct thing *thing)
{
    (void)thing;
    return fake.has_unsaved;
}

bool thing_has_unsaved_reports(const struct thing *thing)
{
    (void)thing;
    return fake.has_reports;
}

bool thing_wants_save(const struct thing *thing)
{
    (void)thing;
    return fake.wants_save;
}

int thing_restore(struct thing *thing, const struct saved_row *row, int64_t now_ms)
{
    (void)thing;
    (void)row;
    (void)now_ms;
    assert_false(fake.is_restored);
    return fake.restore_results[fake.restored++];
}

void thing_restored(struct thing *thing, int64_t now_ms)
{
    (void)thing;
    (void)now_ms;
    fake.is_restored = true;
}

void thing_set_storage_trouble(struct thing *thing, bool in_trouble, int64_t now_ms)
{
    (void)thing;
    (void)now_ms;
    fake.in_trouble = in_trouble;
}

int log_level(void)
{
    return LOG_INFO;
}

void log_event(int level, const struct log_field *fields, size_t field_count, const char *format,
               ...)
{
    (void)level;
    (void)format;
    for (size_t i = 0; i < field_count; i++) {
        if (strcmp(fields[i].name, "MESSAGE_ID") == 0 && fake.message_count < 16)
            fake.messages[fake.message_count++] = fields[i].value;
        if (strcmp(fields[i].name, "ROWS") == 0)
            (void)snprintf(fake.rows_said, sizeof(fake.rows_said), "%s", fields[i].value);
    }
}

size_t fake_count_said(const char *id)
{
    size_t count = 0;
    for (size_t i = 0; i < fake.message_count; i++)
        count += strcmp(fake.messages[i], id) == 0;
    return count;
}
