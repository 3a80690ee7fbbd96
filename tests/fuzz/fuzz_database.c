/* libFuzzer: state files that no daemon has written: bytes patched in database and log, values of
 * any kind in any column, or any bytes at all. Whatever is loaded the engine takes or skips; a file
 * that cannot be read is set aside, and then all that is saved comes back. */
#include "daemon/storage/state_store.h"
#include "tests/fuzz/fuzz_world.h"
#include <dirent.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_BYTES_MAX (1u << 18)
#define FIRST_NOW_US   INT64_C(1000000000)

static char directory[96], database[128], log_file[160];

/* A good database and its log, as a daemon leaves them. */
static struct image {
    uint8_t bytes[FILE_BYTES_MAX];
    size_t size;
} good_database, good_log, image;

static void empty_directory(void)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[400];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        (void)unlink(path);
    }
    if (stream)
        (void)closedir(stream);
}

static void remove_directory(void)
{
    empty_directory();
    (void)rmdir(directory);
}

static void read_image(const char *path, struct image *ret_image)
{
    FILE *stream = fopen(path, "re");
    ret_image->size = stream ? fread(ret_image->bytes, 1, FILE_BYTES_MAX, stream) : 0;
    if (stream)
        (void)fclose(stream);
}

static void write_image(const char *path, const struct image *from)
{
    FILE *stream = fopen(path, "we");
    fuzz_require(stream && fwrite(from->bytes, 1, from->size, stream) == from->size);
    fuzz_require(fclose(stream) == 0);
}

static struct state_store *open_state(void)
{
    const struct state_options options = {.directory = directory,
                                          .max_bytes = 1u << 24,
                                          .endpoint = "endpoint",
                                          .thing_name = FUZZ_THING,
                                          .boot_id = "boot"};
    struct state_store *state = NULL;
    fuzz_require(state_store_new(&state, &options) == 0);
    return state;
}

static void make_good_files(void)
{
    static const struct saved_row rows[] = {
        {.kind = SAVED_SHADOW,
         .thing = "",
         .shadow = "",
         .path = "",
         .of_shadow = {.version = 7, .held = true, .newest_revision = 90}},
        {.kind = SAVED_SHADOW,
         .thing = "",
         .shadow = "config",
         .path = "",
         .of_shadow = {.version = -1, .newest_revision = 9, .reset_revision = 8}},
        {.kind = SAVED_PROPERTY,
         .thing = "",
         .shadow = "",
         .path = "/a/b",
         .path_size = 4,
         .of_property = {.state = SAVED_PENDING,
                         .value = {.type = FLUX_VALUE_INT64, .int64 = 5},
                         .revision = 12,
                         .set_us = 5000,
                         .writer_name = "one",
                         .writer_unit = "a.service",
                         .writer_uid = 1000,
                         .cloud = {.type = FLUX_VALUE_STRING, .size = 3, .text = "old"}}},
        {.kind = SAVED_PROPERTY,
         .thing = "",
         .shadow = "",
         .path = "/g",
         .path_size = 2,
         .of_property = {.state = SAVED_REFUSED,
                         .value = {.type = FLUX_VALUE_ARRAY, .size = 7, .text = "[1,2.5]"},
                         .revision = 13,
                         .refused_code = 413,
                         .refused_text = "too large",
                         .refused_lacking = 10,
                         .refused_total = 8192}},
        {.kind = SAVED_PROPERTY,
         .thing = "gw-1",
         .shadow = "",
         .path = "/w",
         .path_size = 2,
         .of_property = {.cut = true, .cut_revision = 4, .cut_scalar_only = true, .revision = 4}},
        {.kind = SAVED_DESIRED,
         .thing = "",
         .shadow = "",
         .path = "",
         .of_desired = {.version = 7, .document = "{\"w\":{\"x\":1}}", .document_size = 13}},
        {.kind = SAVED_SETTLE,
         .thing = "",
         .shadow = "",
         .path = "/w/x",
         .path_size = 4,
         .of_settle = {.revision = 14,
                       .report_first = 14,
                       .report_last = 14,
                       .wishes = "1",
                       .wishes_size = 1}},
    };
    struct state_outcome outcome;
    struct batch batch;
    batch_init(&batch);
    struct state_store *state = open_state();
    state_store_load(state, &batch, FIRST_NOW_US, &outcome);
    fuzz_require(outcome.error == 0);
    batch_empty(&batch);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fuzz_require(batch_add(&batch, &rows[i]) == 0);
    state_store_commit(state, &batch, &outcome);
    fuzz_require(outcome.error == 0);
    batch_clear(&batch);
    (void)state_store_free(state);
    read_image(database, &good_database);
    read_image(log_file, &good_log);
}

static void begin_once(void)
{
    if (good_database.size > 0)
        return;
    const char *place = getenv("TMPDIR");
    (void)snprintf(directory, sizeof(directory), "%.60s/fuzz-XXXXXX", place ? place : "/tmp");
    fuzz_require(mkdtemp(directory) != NULL);
    (void)snprintf(database, sizeof(database), "%s/state-1.db", directory);
    (void)snprintf(log_file, sizeof(log_file), "%s-wal", database);
    (void)atexit(remove_directory);
    make_good_files();
    fuzz_require(good_database.size > 0 && good_database.size < FILE_BYTES_MAX);
}

/* ---- what is wrong with the files ---- */

static void patch(struct image *target, struct fuzz_input *input)
{
    while (input->size > 0) {
        const size_t offset = (size_t)fuzz_u16(input) * (fuzz_u8(input) & 1 ? 16 : 1);
        const uint8_t byte = fuzz_u8(input);
        if (byte == 0xff && offset < 8)
            return;
        if (offset < target->size)
            target->bytes[offset] = byte;
    }
}

static void bind_any(sqlite3_stmt *statement, struct fuzz_input *input)
{
    static const int64_t numbers[] = {INT64_MIN, INT64_MAX, -1, 0, 4611686018427387904};
    const uint8_t kind = fuzz_u8(input);
    size_t size;
    switch (kind % 6) {
    case 0:
        (void)sqlite3_bind_null(statement, 1);
        break;
    case 1:
        (void)sqlite3_bind_int64(statement, 1, numbers[kind / 6 % 5]);
        break;
    case 2:
        (void)sqlite3_bind_double(statement, 1, kind > 100 ? 1e308 : kind / 7.0);
        break;
    case 3: {
        const uint8_t *text = fuzz_piece(input, &size);
        (void)sqlite3_bind_text(statement, 1, size > 0 ? (const char *)text : "", (int)size,
                                SQLITE_TRANSIENT);
        break;
    }
    case 4: {
        const uint8_t *bytes = fuzz_piece(input, &size);
        (void)sqlite3_bind_blob(statement, 1, bytes, (int)size, SQLITE_TRANSIENT);
        break;
    }
    default:
        (void)sqlite3_bind_int64(statement, 1, kind / 6);
        break;
    }
}

/* Any value into a column, of all rows of the table or of one. */
static void set_columns(struct fuzz_input *input)
{
    static const char *const columns[] = {
        "property SET state",
        "property SET type",
        "property SET value",
        "property SET cut",
        "property SET cut_replaced",
        "property SET cut_scalar_only",
        "property SET revision",
        "property SET cut_revision",
        "property SET set_us",
        "property SET cleared_us",
        "property SET replaced_us",
        "property SET accepted_version",
        "property SET refused_code",
        "property SET refused_text",
        "property SET refused_lacking",
        "property SET refused_total",
        "property SET writer_name",
        "property SET writer_unit",
        "property SET writer_uid",
        "property SET cloud_type",
        "property SET cloud",
        "property SET form_type",
        "property SET form",
        "property SET cut_cause",
        "property SET boot",
        "property SET origin",
        "property SET path",
        "property SET thing",
        "property SET shadow",
        "shadow SET version",
        "shadow SET held",
        "shadow SET followed_ms",
        "shadow SET newest_revision",
        "shadow SET reset_revision",
        "shadow SET thing",
        "shadow SET shadow",
        "shadow SET origin",
        "desired SET version",
        "desired SET document",
        "desired SET shadow",
        "desired SET changed_ms",
        "settle SET path",
        "settle SET revision",
        "settle SET report_first",
        "settle SET report_last",
        "settle SET wishes",
        "settle SET shadow",
        "era SET boot_id",
        "era SET endpoint",
        "era SET thing_name",
        "era SET boot",
        "era SET own_origin",
        "era SET endpoint_origin",
    };
    sqlite3 *db = NULL;
    if (sqlite3_open(database, &db) != SQLITE_OK)
        (void)fprintf(stderr, "cannot open: %s\n", sqlite3_errmsg(db));
    for (unsigned i = 0; i < 8 && input->size > 0; i++) {
        char text[160];
        sqlite3_stmt *statement = NULL;
        const uint8_t column = fuzz_u8(input);
        (void)snprintf(text, sizeof(text), "UPDATE OR REPLACE %s=?1%s",
                       columns[column % (sizeof(columns) / sizeof(columns[0]))],
                       column & 128 ? "" : " WHERE random() % 1 = 0");
        if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
            continue;
        bind_any(statement, input);
        (void)sqlite3_step(statement);
        (void)sqlite3_finalize(statement);
    }
    (void)sqlite3_close(db);
}

static void spoil_files(struct fuzz_input *input)
{
    const uint8_t what = fuzz_u8(input);
    size_t size;
    image = good_database;
    if (what % 4 == 0)
        patch(&image, input);
    if (what % 4 == 1)
        image.size = fuzz_u16(input) % (good_database.size + 1);
    if (what % 4 == 2) {
        const uint8_t *bytes = fuzz_take(input, input->size, &size);
        image.size = size < FILE_BYTES_MAX ? size : FILE_BYTES_MAX;
        if (size > 0)
            memcpy(image.bytes, bytes, image.size);
    }
    write_image(database, &image);
    image = good_log;
    if (what & 64)
        patch(&image, input);
    if (what & 128)
        image.size = fuzz_u16(input) % (good_log.size + 1);
    if (!(what & 32))
        write_image(log_file, &image);
    if (what % 4 == 3)
        set_columns(input);
}

/* ---- what the daemon does with them ---- */

static void restore(struct fuzz_world *world, struct batch *rows)
{
    const struct saved_row *row;
    batch_rewind(rows);
    while ((row = batch_next(rows))) {
        const int r = thing_restore(world->thing, row, world->now_ms);
        fuzz_require(r == 0 || r == THING_ORPHANED || r == -EINVAL);
    }
    batch_empty(rows);
    thing_restored(world->thing, world->now_ms);
}

/* All that the engine has, into whatever database there is now. */
static void save_all(struct fuzz_world *world, struct state_store *state, struct batch *batch)
{
    struct state_outcome outcome;
    struct saved_row row;
    fuzz_disk_saved(&world->disk, world->thing, true);
    thing_save_all(world->thing);
    thing_begin_save(world->thing);
    while (thing_next_unsaved(world->thing, &row))
        fuzz_require(batch_add(batch, &row) == 0);
    state_store_commit(state, batch, &outcome);
    thing_end_save(world->thing, outcome.error == 0);
    batch_empty(batch);
    state_store_tidy(state);
}

/* Returns whether there is a database that can be used. */
static bool load(struct state_store *state, struct batch *batch)
{
    struct state_outcome outcome;
    for (unsigned i = 0; i < 3; i++) {
        state_store_load(state, batch, FIRST_NOW_US + 1000, &outcome);
        if (outcome.error == 0)
            return true;
        batch_empty(batch);
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t choices[] = {1, 64, 0}; /* a durable world */
    struct fuzz_input input = {data, size}, chosen = {choices, sizeof(choices)};
    struct fuzz_world world;
    struct batch batch;
    begin_once();
    empty_directory();
    spoil_files(&input);
    fuzz_require(fuzz_world_begin(&world, &chosen));
    batch_init(&batch);
    struct state_store *state = open_state();
    const bool is_usable = load(state, &batch);
    restore(&world, &batch);
    fuzz_world_turn(&world);
    fuzz_world_settle(&world);
    save_all(&world, state, &batch);
    state = state_store_free(state);
    if (is_usable) {
        state = open_state();
        fuzz_require(load(state, &batch));
        fuzz_world_restart(&world);
        restore(&world, &batch);
        fuzz_world_turn(&world);
        (void)state_store_free(state);
    }
    batch_clear(&batch);
    fuzz_world_end(&world);
    return 0;
}
