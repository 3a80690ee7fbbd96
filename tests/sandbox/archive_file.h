/* The file in which the sandbox keeps its shadows between two runs. It knows no format but JSON. */
#ifndef FLUX_TESTS_SANDBOX_ARCHIVE_FILE_H
#define FLUX_TESTS_SANDBOX_ARCHIVE_FILE_H

#include "tests/sandbox/shadow_service.h"

/* Load all shadows from the file; none there: nothing to load. Returns 0 or a negative errno. */
int archive_file_read(const char *path, struct shadow_service *service);

/* Replace the file by one with all shadows, in one step. It survives the end of this process, not a
 * power cut. Returns 0 or a negative errno. */
int archive_file_write(const char *path, struct shadow_service *service);

#endif
