/* A durable thing with a disk of the test's choosing and a cloud that the test plays: saves rows,
 * crashes, and starts again from what is on the disk. Asserts instead of returning errors. */
#ifndef FLUX_TESTS_UNIT_SAVED_WORLD_H
#define FLUX_TESTS_UNIT_SAVED_WORLD_H

#include "daemon/shadow/shadow_private.h"
#include "daemon/shadow/thing.h"
#include "daemon/storage/batch.h"

struct saved_world {
    struct thing_options options;
    struct thing *thing;
    struct shadow *shadow; /* the own classic one; opened */
    struct batch disk;
    struct batch pending; /* the rows of the save under way */
    int64_t now_ms;
    uint64_t starts;
    bool backwards;   /* the disk gives its rows in the other order */
    int last_restore; /* the last thing_restore() that was not 0, or 0 */
    size_t orphaned;
    char token[80]; /* of the last publish */
    char payload[2048];
    bool is_get;
};

int saved_world_setup(void **state);
int saved_world_teardown(void **state);

/* Begin a save and take its rows into `pending`. Returns how many. */
size_t saved_world_begin(struct saved_world *world);
/* It ends; what was stored is on the disk. */
void saved_world_finish(struct saved_world *world, bool is_stored);
/* Both. */
size_t saved_world_save(struct saved_world *world);
/* The daemon is killed and starts anew. `reboot`: the machine too, so that times mean nothing. */
void saved_world_restart(struct saved_world *world, bool reboot);
/* In two steps: without what is on the disk, which comes with the second. */
void saved_world_start(struct saved_world *world);
void saved_world_load(struct saved_world *world);
/* Put one row on the disk, whatever it says. */
void saved_world_put(struct saved_world *world, const struct saved_row *row);

/* A row on the disk, or of the pending ones, NULL: there is none. */
const struct saved_row *saved_world_find(struct batch *batch, enum saved_kind kind,
                                         const char *shadow, const char *path);
/* Assert that the disk holds just what the thing thinks it holds. */
void saved_world_check(struct saved_world *world);

/* Report: JSON text at a pointer, NULL: unset it; "settle": settle the wish there. */
struct shadow_wait saved_world_report(struct saved_world *world, const char *path,
                                      const char *json);
struct shadow_wait saved_world_report_as(struct saved_world *world, const char *path,
                                         const char *json, struct writer *writer);
enum shadow_fate_state saved_world_fate(struct saved_world *world, struct shadow_wait *wait);

/* The link comes up and everything is subscribed. */
void saved_world_connect(struct saved_world *world);
/* Take the next request, which there has to be; false: there is none. */
bool saved_world_take(struct saved_world *world);
/* Answer it as accepted: `state` as in the answer of the service. */
void saved_world_accept(struct saved_world *world, const char *state, int64_t version);
void saved_world_reject(struct saved_world *world, int code);
/* Somebody else's update. */
void saved_world_foreign(struct saved_world *world, const char *state, int64_t version);
/* Connect and answer the get. */
void saved_world_begin_with(struct saved_world *world, const char *state, int64_t version);

/* A section as the shadow shows it; "-" where it is absent. Good until the next call. */
const char *saved_world_text(struct saved_world *world, enum shadow_section section);
const struct slot *saved_world_slot(struct saved_world *world, const char *path);

#endif
