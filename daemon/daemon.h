/* The daemon's turn: carries what happened from each part to the next, once per turn of the event
 * loop, and sleeps until something happens or is due. Decides nothing about values. */
#ifndef FLUXAWS_DAEMON_H
#define FLUXAWS_DAEMON_H

#include "daemon/config.h"
#include "proto/limits.h"
#include <stdbool.h>

struct daemon;

struct daemon_options {
    const char *config_file;           /* for reloads; borrowed for good */
    const char *state_directory;       /* of the environment, or the default; borrowed for good */
    const char *credentials_directory; /* of the environment, or NULL; borrowed for good */
    int log_level;                     /* of the command line, wins over the file's; -1: none */
};

/* Set everything up, socket included, but do not dial yet. `config` is taken over on success.
 * `thing_name` "": it is that of a certificate which is not there yet; programs are served, and
 * what they report is kept, and nothing is dialled.
 * Returns 0, or a negative errno; what is wrong has been logged. */
int daemon_new(struct daemon **ret_daemon, struct config *config,
               const char thing_name[static FLUX_THING_NAME_MAX + 1],
               const struct daemon_options *options);

/* The thing's name has become known: begin again, with the configuration read anew. */
#define DAEMON_STARTS_OVER 1

/* Run until asked to stop (SIGTERM, SIGINT). Returns 0, DAEMON_STARTS_OVER (then the signals wait
 * for the next daemon_new()), or a negative errno if the loop itself fails. */
int daemon_run(struct daemon *daemon);

/* Returns as mqtt_link_free(). */
bool daemon_free(struct daemon *daemon);

/* Log what is wrong with a configuration. */
void daemon_log_problems(const struct config *config);

/* The level that counts where none was chosen at run time: the command line's, or else the file's.
 */
int daemon_configured_log_level(const struct config *config, const struct daemon_options *options);

/* Set it. */
void daemon_apply_log_level(const struct config *config, const struct daemon_options *options);

#endif
