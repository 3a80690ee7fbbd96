/* libFuzzer: documents and messages of the cloud, true, mangled and made up, to an engine with
 * values and watchers of its own. It may doubt them; it does not fall over, and sends nothing that
 * is no update. */
#include "tests/fuzz/fuzz_world.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHADOWS   3u
#define STEPS_MAX 200u

static void report(struct fuzz_world *world, struct shadow *shadow, struct fuzz_input *input)
{
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/e", "/e/f", "/g", "/w/x", "/z"};
    static const char *const arrays[] = {"[]", "[1,{\"k\":1}]", "[true,\"x\"]"};
    const char *path = paths[fuzz_below(input, 8)];
    const uint8_t choice = fuzz_u8(input);
    struct shadow_operation operation = {.kind = FLUX_SET,
                                         .path = path,
                                         .path_size = strlen(path),
                                         .value = flux_value_empty_object()};
    switch (choice % 6) {
    case 0:
        operation.kind = FLUX_UNSET;
        operation.value = (struct flux_value){.type = FLUX_VALUE_NONE};
        break;
    case 1:
        operation.kind = FLUX_SETTLE;
        operation.value = (struct flux_value){.type = FLUX_VALUE_NONE};
        break;
    case 2:
        operation.value = flux_value_int64(choice / 6);
        break;
    case 3:
        operation.value = flux_value_double(choice / 12.0);
        break;
    case 4: {
        const char *text = arrays[choice / 6 % 3];
        operation.value = flux_value_array(text, strlen(text));
        break;
    }
    default:
        break;
    }
    struct shadow_refusal refusal;
    const struct shadow_report whole = {
        .operations = &operation, .operation_count = 1, .set_us = world->now_ms * 1000};
    fuzz_require_done(shadow_report(shadow, &whole, world->now_ms, NULL, &refusal));
}

static void read_out(struct fuzz_world *world, struct shadow *shadow)
{
    static const enum shadow_section sections[] = {SHADOW_SECTION_REPORTED, SHADOW_SECTION_DESIRED,
                                                   SHADOW_SECTION_DELTA};
    for (size_t i = 0; i < 3; i++) {
        struct flux_json_writer writer;
        flux_json_writer_init(&writer, 0);
        (void)shadow_write(shadow, sections[i], "", 0, &writer);
        fuzz_require_done(flux_json_writer_error(&writer));
        flux_json_writer_clear(&writer);
    }
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    (void)shadow_write_keys(shadow, "", 0, NULL, world->now_ms, &writer);
    flux_json_writer_clear(&writer);
}

static void watch(struct shadow *shadow, struct shadow_wish_cursor *cursor)
{
    struct shadow_wish wish;
    unsigned count = 0;
    (void)shadow_wish_serial(shadow);
    while (shadow_next_wish(shadow, "", 0, cursor, &wish)) {
        fuzz_require(wish.path_size == strlen(wish.path) && wish.version >= 0);
        fuzz_require(++count <= 2 * FLUX_PROPERTIES_MAX);
    }
}

static void play(struct fuzz_world *world, struct shadow **shadows, struct fuzz_input *input)
{
    struct shadow_wish_cursor cursor = {0};
    for (unsigned i = 0; i < STEPS_MAX && input->size > 0; i++) {
        const uint8_t what = fuzz_u8(input);
        struct shadow *shadow = shadows[what / 8 % SHADOWS];
        switch (what % 8) {
        case 0:
            report(world, shadow, input);
            break;
        case 1:
            read_out(world, shadow);
            break;
        case 2:
            (void)shadow_reset(shadow, world->now_ms);
            break;
        case 3:
            (void)shadow_forget(shadow, "/a", 2, world->now_ms);
            break;
        default:
            fuzz_world_step(world, input);
            break;
        }
        watch(shadows[0], &cursor);
    }
    fuzz_world_settle(world);
    watch(shadows[0], &cursor);
    read_out(world, shadows[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[SHADOWS] = {NULL, "config", "s2"};
    struct fuzz_input input = {data, size};
    struct fuzz_world world;
    struct shadow *shadows[SHADOWS] = {NULL};
    if (!fuzz_world_begin(&world, &input))
        return 0;
    int r = 0;
    for (size_t i = 0; i < SHADOWS && r == 0; i++) {
        r = thing_open_shadow(world.thing, NULL, names[i], &shadows[i]);
        fuzz_require_done(r);
    }
    if (r == 0) {
        shadow_add_watcher(shadows[0]);
        play(&world, shadows, &input);
        shadow_remove_watcher(shadows[0]);
    }
    for (size_t i = 0; i < SHADOWS; i++)
        if (shadows[i])
            thing_close_shadow(world.thing, shadows[i]);
    fuzz_world_end(&world);
    return 0;
}
