/* A daemon's storage and its turns, over a disk and an engine that do as the test says
 * (fake_storage.h). */
#ifndef FLUXAWS_TESTS_STORAGE_WORLD_H
#define FLUXAWS_TESTS_STORAGE_WORLD_H

#include "tests/unit/fake_storage.h"

struct storage_world {
    struct daemon_storage storage;
    int64_t now_ms;
    enum storage_stop stop;
};

extern struct storage_world storage_world;

int storage_world_setup(void **state);
/* With this [Storage] Mode. */
void storage_world_open(const char *mode);
/* Durable, and loaded. */
void storage_world_open_good(void);
void storage_world_turn(void);
/* The commit that runs ends, with another behind it where the test says so. */
void storage_world_commit_ends(int error);
/* Something is to be written at once. */
void storage_world_want_save(size_t rows);

#endif
