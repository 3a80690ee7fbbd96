/* What a reload of the configuration did: whether it is in force, what is wrong with it, what has
 * changed, and which keys keep their value until a restart. Pure: does not read files and does not
 * log. */
#ifndef FLUXAWS_RELOAD_REPORT_H
#define FLUXAWS_RELOAD_REPORT_H

#include "daemon/config.h"

struct reload_report {
    int result;      /* 0: in force; -EINVAL: it has mistakes; another negative errno: why not */
    char **problems; /* owned: "FILE:LINE: text", in the order they were found */
    size_t problem_count;
    size_t gravest;       /* which of them is, the first such: why it was refused */
    size_t mistake_count; /* of them are mistakes: what is unknown, or not there yet, is none */
    char **needs_restart; /* owned: "[Socket] Path"; what the file says differs from what runs */
    size_t needs_restart_count;
    char **changed; /* owned: "[Updates] Burst", "[Property ...]"; in force now */
    size_t changed_count;
};

void reload_report_clear(struct reload_report *report);

/* Add the problems of a configuration. Returns 0 or -ENOMEM. */
int reload_report_add_problems(struct reload_report *report, const struct config *config);

/* Keep in `fresh`, which takes the place of `running`, the running value of each key that cannot
 * change before a restart, and add the keys in which they differ; the values are exchanged.
 * `same_name`: both make the same name of the thing; `own_socket`: the daemon made its socket, so
 * that [Socket] counts. Returns 0, or -ENOMEM with both unchanged. */
int reload_report_keep_running(struct reload_report *report, struct config *running,
                               struct config *fresh, bool same_name, bool own_socket);

/* Add what counts at once and differs between the two. Returns 0 or -ENOMEM. */
int reload_report_add_changes(struct reload_report *report, const struct config *running,
                              const struct config *fresh);

/* Write a problem as it is shown: "FILE:LINE: text". Returns it, for the caller to free, or NULL.
 */
char *reload_report_describe(const struct config_problem *problem);

#endif
