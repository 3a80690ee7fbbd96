/* Carries rows between the engine and the disk: what is loaded at the start, commits when the
 * schedule says so, and what came of them; tells of trouble once (storage_log.h). Decides neither
 * what is saved (saved.h) nor when (commit_schedule.h). */
#ifndef FLUXAWS_DAEMON_STORAGE_H
#define FLUXAWS_DAEMON_STORAGE_H

#include "daemon/base/log_limit.h"
#include "daemon/config.h"
#include "daemon/shadow/thing.h"
#include "daemon/storage/commit_schedule.h"
#include "daemon/storage/store.h"

struct daemon_storage {
    struct store *store;
    struct log_limit *log; /* borrowed; may be NULL */
    const char *directory; /* borrowed for good */
    bool is_volatile;      /* Mode=volatile: nothing is loaded or written */
    bool has_results;      /* the store may have some; set by whoever watches its event fd */
    bool is_behind;        /* the disk lacks what was called stored: all is to be written at once */
    bool is_left_behind;   /* at a stop: updates do not wait for a commit any more */
    struct commit_schedule schedule;
    enum commit_trouble trouble;
    int64_t since_ms;                  /* of trouble, or its end; 0: never */
    char trouble_text[STORE_TEXT_MAX]; /* while in trouble: what it is */
    uint64_t changes;                  /* of trouble so far, for who tells of it */
};

/* How much the daemon's end presses. */
enum storage_stop {
    STORAGE_RUNS,
    STORAGE_HURRIES, /* reports are written at once */
    STORAGE_ENDS,    /* everything is, also what only rides along */
};

/* Make the store, zeroed before; where it is durable, have it read what is on the disk, and wait
 * for that a while. `directory` is borrowed for good. Returns 0 also where the disk is in trouble,
 * else -ENOMEM or another negative errno. */
int daemon_storage_open(struct daemon_storage *storage, const struct config *config,
                        const char *directory, const char *thing_name, int64_t now_ms);

/* Wait for what is being written, at most 5 s, and free all. Returns false where the disk hangs:
 * then the storage thread goes on until the process ends. */
bool daemon_storage_close(struct daemon_storage *storage);

/* Why nothing is ever STORED, for who asks for it; NULL where it can be. Known once the directory
 * was seen. */
const char *daemon_storage_volatile_reason(const struct daemon_storage *storage);

/* Take what was loaded, and how commits ended, into the thing; in every turn, before reports. */
void daemon_storage_receive(struct daemon_storage *storage, struct thing *thing, int64_t now_ms);

/* Begin a commit or a load if it is time for it; in every turn, after thing_next_request(). */
void daemon_storage_turn(struct daemon_storage *storage, struct thing *thing,
                         enum storage_stop stop, int64_t now_ms);

/* When it wants to run again although nothing happened; INT64_MAX: never. */
int64_t daemon_storage_deadline(struct daemon_storage *storage, struct thing *thing,
                                enum storage_stop stop, int64_t now_ms);

/* Tell whether the daemon's end need not wait for it any more: all is written, or cannot be. */
bool daemon_storage_is_through(const struct daemon_storage *storage, const struct thing *thing);

/* While the daemon stops: when a commit that is under way has taken `patience_ms`, updates need not
 * wait for it any more. INT64_MAX: none is. And have it so once that time has come. */
int64_t daemon_storage_patience_end(const struct daemon_storage *storage, int64_t patience_ms);
void daemon_storage_leave_behind(struct daemon_storage *storage, struct thing *thing,
                                 int64_t patience_ms, int64_t now_ms);

/* Tell whether the disk works at something now, so that closing would wait for it. */
bool daemon_storage_is_busy(const struct daemon_storage *storage);

/* The link leads to another cloud from now on: what the disk knows of the one before proves nothing
 * there. */
void daemon_storage_change_cloud(struct daemon_storage *storage, struct thing *thing,
                                 const char *endpoint);

#endif
