/* A thing with the pure shadow service as its cloud and a link in between that loses, refuses and
 * lies as the fuzzer's input says. Judges what the engine sends and that it never spins; does not
 * know sessions. */
#ifndef FLUX_TESTS_FUZZ_WORLD_H
#define FLUX_TESTS_FUZZ_WORLD_H

#include "daemon/shadow/thing.h"
#include "tests/fuzz/fuzz_disk.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/sandbox/shadow_service.h"

#define FUZZ_FLIGHTS_MAX 64u
#define FUZZ_THING       "fuzz"

struct fuzz_flight {
    enum thing_request_kind kind;
    uint32_t id;
    size_t filter_count;
    char topic[256];
    char *payload; /* owned */
    size_t payload_size;
};

struct fuzz_world {
    struct thing *thing;
    struct shadow_service *service;
    int64_t now_ms;
    bool is_up;
    bool is_durable;
    bool is_disk_slow; /* commits end when the input says so, else at once */
    struct thing_options options;
    struct fuzz_disk disk;
    struct fuzz_flight flights[FUZZ_FLIGHTS_MAX]; /* oldest first */
    size_t flight_count;
    char token[128]; /* of the newest request */
};

/* Begin; the first bytes choose the limits. Returns false where there was no memory for it. */
bool fuzz_world_begin(struct fuzz_world *world, struct fuzz_input *input);
void fuzz_world_end(struct fuzz_world *world);

/* Let the input decide on one thing that happens on the way to the cloud, or in it. */
void fuzz_world_step(struct fuzz_world *world, struct fuzz_input *input);

/* What a turn of the daemon does with the thing: what is due, requests out, notices. */
void fuzz_world_turn(struct fuzz_world *world);

/* Let time pass until the next deadline, at most `ms`. */
void fuzz_world_wait(struct fuzz_world *world, int64_t ms);

/* Hand a message to the thing as the link would, in memory of its exact size. */
void fuzz_world_receive(struct fuzz_world *world, const char *topic, const void *payload,
                        size_t size);

/* The daemon is killed and starts again from its disk. The shadows that were open are gone. */
void fuzz_world_restart(struct fuzz_world *world);

/* The link comes up or goes down. */
void fuzz_world_link(struct fuzz_world *world, bool is_up);

/* A request to the shadow service, which never lacks memory. */
void fuzz_world_tell_service(struct fuzz_world *world, const char *topic, const void *payload,
                             size_t size);

/* Answer the request in flight with this index. `mood` 0: all is well; its bits choose what goes
 * wrong. */
void fuzz_world_answer(struct fuzz_world *world, size_t index, uint8_t mood);

/* The service's messages arrive, but those whose bit in `skip` (by their number, modulo 8) is set.
 */
void fuzz_world_deliver(struct fuzz_world *world, unsigned skip);

/* All that is in flight is answered, and what the service has to say arrives. */
void fuzz_world_answer_all(struct fuzz_world *world);

/* Everything works again: what is in flight is answered, for as long as something moves. */
void fuzz_world_settle(struct fuzz_world *world);

#endif
