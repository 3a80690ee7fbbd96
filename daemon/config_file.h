/* Reads the configuration's files in the order of the contract, later wins; the only file that
 * knows libinih. Does not judge values (config.h) and does not log. */
#ifndef FLUXAWS_CONFIG_FILE_H
#define FLUXAWS_CONFIG_FILE_H

#include "daemon/config.h"
#include <stdio.h>

#define CONFIG_FILE_DEFAULT FLUX_CONFIG_DIRECTORY "/fluxawsd.conf"

/* Read the vendor's drop-ins, `main_file`, its drop-ins (`main_file`.d/) and those below
 * `state_directory` (may be NULL) into `ret_config`, and finish it. Returns 0, whatever problems
 * were recorded; -ENOENT and the like where the main file cannot be opened or read, -EINVAL where
 * it cannot be parsed (the problems say why; the caller clears `ret_config` in all these cases);
 * -ENOMEM with nothing to clear. */
int config_load(struct config *ret_config, const char *main_file, const char *state_directory);

/* Read one open file into `config`; `file` is its name for problems. Returns 0, -EINVAL where a
 * line could not be parsed, -EIO, or -ENOMEM. */
int config_read_stream(struct config *config, FILE *stream, const char *file);

/* Print every key with its value, and the file and line it came from, as a file that can be read
 * back. */
void config_print(const struct config *config, FILE *stream);

#endif
