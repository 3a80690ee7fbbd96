/* Builds the document of one update from what waits in the ledger, and keeps the books of an update
 * on its way. Chooses what goes in; does not decide when. */
#ifndef FLUXAWS_SHADOW_UPDATE_H
#define FLUXAWS_SHADOW_UPDATE_H

#include "daemon/shadow/cloud_message.h"
#include "daemon/shadow/ledger.h"
#include "daemon/shadow/settles.h"

struct update_entry {
    struct flux_property *property; /* held (ledger_hold) */
    int64_t sent_before_ms;         /* when an update before this one carried it, 0: never */
    uint64_t revision;              /* the newest the document carries */
    bool rides_along;               /* has nothing of its own in the document, but is done by it */
    bool is_partial;                /* a cut of which more is left to do afterwards */
};

/* A wish that the update removes from desired. */
struct update_settle {
    struct flux_property *node; /* of the settles; pinned */
    uint64_t revision;          /* the newest it stands for */
};

/* One update: being built, in flight, or gone without an answer. */
struct update {
    char token[CLOUD_TOKEN_MAX + 1];
    int64_t base_version;         /* the version it carries, -1: none */
    struct update_entry *entries; /* owned */
    size_t entry_count;
    struct update_settle *settles; /* owned */
    size_t settle_count;
    char *payload; /* owned */
    size_t payload_size;
    size_t state_size; /* of its part that does not depend on version and token */
    bool has_cut;
    int64_t sent_ms;
};

/* What update_build() is to choose. */
struct update_choice {
    int64_t base_version; /* -1: leave `version` out */
    size_t entries_max;   /* 0: no limit */
    size_t bytes_max;     /* of the `reported` object, roughly; at least one entry goes in */
    bool suspects_only;
    /* Wishes go only with a version, so that newer ones win, and with the values of the reports
     * that they came with, or after them. NULL: none are to go. */
    struct settles *settles;
    struct desired *desired; /* scratch is written */
};

/* Build the next update, oldest changes first. `update->token` is set by the caller. Returns 1 with
 * `update` filled and its entries held, 0 where there is nothing to send, or -ENOMEM. */
int update_build(struct ledger *ledger, const struct update_choice *choice, struct update *update);

/* The newest revision that the update carries. */
uint64_t update_newest_revision(const struct update *update);

/* Tell whether the update says the same whatever the cloud holds by now: values only, no cuts and
 * no wishes. */
bool update_is_plain(const struct update *update);

/* Let a plain update carry another version; one without a version stays so. Returns 0 or -ENOMEM
 * with the update as it was. */
int update_rebase(struct update *update, int64_t version);

/* Tell whether a wish has to wait for the values that answer it, those at its path, above and
 * below: it is not to go before they do. */
bool update_waits_for_values(const struct ledger *ledger, const struct flux_property *settle);

/* Release the entries and free everything; a cleared update has no entries. */
void update_clear(struct update *update);

#endif
