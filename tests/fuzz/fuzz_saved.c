/* libFuzzer: rows that no daemon has written, restored, and then daemons that crash and start again
 * from what they have saved. A row that makes no sense is skipped; what the engine saves itself it
 * also takes back. */
#include "tests/fuzz/fuzz_world.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 150u

static const char *text_of(struct fuzz_input *input, const char *const *usual, unsigned count,
                           char room[static 256])
{
    const unsigned choice = fuzz_below(input, count + 1);
    size_t size;
    if (choice < count)
        return usual[choice];
    const uint8_t *bytes = fuzz_piece(input, &size);
    if (size > 0)
        memcpy(room, bytes, size);
    room[size] = '\0';
    return room;
}

static int64_t number_of(struct fuzz_input *input)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, -1,        (int64_t)SAVED_REVISION_MAX,
                                  0,         1000000,   999500000, 2000000000};
    const uint8_t choice = fuzz_u8(input);
    return choice >= 0xf8 ? odd[choice & 7] : choice;
}

static struct flux_value value_of(struct fuzz_input *input, char room[static 256])
{
    static const char *const arrays[] = {"[]", "[1,{\"k\":[true]}]", "[null]", "[1,"};
    const uint8_t choice = fuzz_u8(input);
    switch (choice % 8) {
    case 0:
        return (struct flux_value){.type = FLUX_VALUE_NONE};
    case 1:
        return flux_value_bool(choice & 8);
    case 2:
        return flux_value_double(choice / 4.0);
    case 3: {
        const char *text = arrays[choice / 8 % 4];
        return flux_value_array(text, strlen(text));
    }
    case 4: {
        const char *text = text_of(input, NULL, 0, room);
        return flux_value_string(text, strlen(text));
    }
    case 5:
        return flux_value_empty_object();
    case 6:
        return (struct flux_value){.type = (enum flux_value_type)(choice / 8)};
    default:
        return flux_value_int64(choice);
    }
}

struct rooms { /* of the texts of one row */
    char thing[256], shadow[256], path[256], text[256], value[256], cloud[256], form[256];
};

static void make_property(struct saved_property *property, struct fuzz_input *input,
                          struct rooms *rooms)
{
    static const char *const names[] = {"one", "two", ""};
    const uint8_t bits = fuzz_u8(input);
    *property = (struct saved_property){
        .state = (enum saved_state)fuzz_below(input, 5),
        .value = value_of(input, rooms->value),
        .cut = bits & 1,
        .cut_replaced = bits & 2,
        .cut_scalar_only = bits & 4,
        .revision = (uint64_t)number_of(input),
        .cut_revision = bits & 1 ? (uint64_t)number_of(input) : 0,
        .set_us = number_of(input),
        .cleared_us = bits & 8 ? number_of(input) : 0,
        .replaced_us = bits & 16 ? number_of(input) : 0,
        .accepted_version = number_of(input),
    };
    property->cloud = value_of(input, rooms->cloud);
    if (bits & 32)
        property->form = value_of(input, rooms->form);
    if (property->state == SAVED_REFUSED || bits & 64) {
        property->refused_code = (int)number_of(input);
        property->refused_text = bits & 2 ? "no" : NULL;
        property->refused_lacking = fuzz_u8(input);
        property->refused_total = (size_t)number_of(input);
    }
    if (bits & 128) {
        property->writer_name = names[fuzz_below(input, 3)];
        property->writer_unit = "a.service";
        property->writer_uid = fuzz_u8(input);
    }
    if (bits & 1 && fuzz_u8(input) & 1) {
        property->cut_cause = "/a/b";
        property->cut_cause_size = 4;
    }
}

static void make_row(struct saved_row *row, struct fuzz_input *input, struct rooms *rooms)
{
    static const char *const things[] = {"", "", "", "gw-1", "stranger", FUZZ_THING};
    static const char *const shadows[] = {"", "", "config", "s2"};
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/e", "/g", "/w", "/w/x", ""};
    static const char *const documents[] = {"{}", "{\"w\":{\"x\":1}}", "{\"a\":[1]}", "[]", "{"};
    *row = (struct saved_row){.kind = (enum saved_kind)fuzz_below(input, 5)};
    row->thing = text_of(input, things, 6, rooms->thing);
    row->shadow = text_of(input, shadows, 4, rooms->shadow);
    row->path = "";
    if (row->kind == SAVED_PROPERTY || row->kind == SAVED_SETTLE)
        row->path = text_of(input, paths, 8, rooms->path);
    row->path_size = strlen(row->path);
    switch (row->kind) {
    case SAVED_SHADOW:
        row->of_shadow = (struct saved_shadow){.version = number_of(input),
                                               .held = fuzz_u8(input) & 1,
                                               .followed_ms = number_of(input),
                                               .newest_revision = (uint64_t)number_of(input),
                                               .reset_revision = (uint64_t)number_of(input),
                                               .last_accepted_version = number_of(input)};
        break;
    case SAVED_PROPERTY:
        make_property(&row->of_property, input, rooms);
        break;
    case SAVED_DESIRED:
        row->of_desired =
            (struct saved_desired){.version = number_of(input),
                                   .changed_ms = number_of(input),
                                   .document = text_of(input, documents, 5, rooms->text)};
        row->of_desired.document_size = strlen(row->of_desired.document);
        break;
    case SAVED_SETTLE:
        row->of_settle = (struct saved_settle){.revision = (uint64_t)number_of(input),
                                               .report_first = (uint64_t)number_of(input),
                                               .report_last = (uint64_t)number_of(input),
                                               .wishes = text_of(input, documents, 5, rooms->text)};
        row->of_settle.wishes_size = strlen(row->of_settle.wishes);
        break;
    }
}

/* In a batch first, as they come from the storage: its copies are of their exact size. */
static void restore_made_up(struct fuzz_world *world, struct fuzz_input *input)
{
    struct batch batch;
    batch_init(&batch);
    for (unsigned count = fuzz_below(input, 24); count > 0; count--) {
        struct saved_row row;
        struct rooms rooms;
        make_row(&row, input, &rooms);
        if (saved_row_is_sound(&row)) /* the storage gives no other */
            fuzz_require_done(batch_add(&batch, &row));
        else
            fuzz_require(thing_restore(world->thing, &row, world->now_ms) != 0);
    }
    const struct saved_row *row;
    batch_rewind(&batch);
    while ((row = batch_next(&batch))) {
        (void)saved_row_hash(row, 5);
        const int r = thing_restore(world->thing, row, world->now_ms);
        fuzz_require(r == 0 || r == THING_ORPHANED || r == -EINVAL || fuzz_is_short(r));
    }
    batch_clear(&batch);
    thing_restored(world->thing, world->now_ms);
}

static void report(struct fuzz_world *world, struct fuzz_input *input)
{
    static const char *const shadows[] = {NULL, "config", "s2"};
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/e", "/g", "/w", "/w/x", "/z"};
    char room[256];
    struct shadow *shadow;
    struct shadow_refusal refusal;
    const char *path = paths[fuzz_below(input, 8)];
    const uint8_t kind = fuzz_u8(input);
    struct shadow_operation operation = {
        .kind = FLUX_SET, .path = path, .path_size = strlen(path), .value = value_of(input, room)};
    if (kind % 4 < 2 || operation.value.type == FLUX_VALUE_NONE) {
        operation.kind = kind % 4 == 0 ? FLUX_UNSET : FLUX_SETTLE;
        operation.value = (struct flux_value){.type = FLUX_VALUE_NONE};
    }
    if (thing_open_shadow(world->thing, NULL, shadows[kind / 4 % 3], &shadow) < 0)
        return;
    const struct shadow_report whole = {
        .operations = &operation, .operation_count = 1, .set_us = world->now_ms * 1000};
    if (flux_value_check(&operation.value) == 0)
        fuzz_require_done(shadow_report(shadow, &whole, world->now_ms, NULL, &refusal));
    if (kind & 128)
        (void)shadow_reset(shadow, world->now_ms);
    thing_close_shadow(world->thing, shadow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fuzz_world world;
    if (!fuzz_world_begin(&world, &input))
        return 0;
    if (world.is_durable)
        restore_made_up(&world, &input);
    fuzz_world_turn(&world);
    for (unsigned i = 0; world.is_durable && i < STEPS_MAX && input.size > 0; i++) {
        const uint8_t what = fuzz_u8(&input);
        if (what % 4 == 0)
            report(&world, &input);
        else if (what == 0xff)
            fuzz_world_restart(&world);
        else
            fuzz_world_step(&world, &input);
        fuzz_world_turn(&world);
    }
    fuzz_world_settle(&world);
    if (world.is_durable)
        fuzz_world_restart(&world);
    fuzz_world_settle(&world);
    fuzz_world_end(&world);
    return 0;
}
